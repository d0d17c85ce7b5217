// What happens to somebody's notifications as a whole, and what may be asked of them. Declared once, in
// events/notification_inbox.fbs.
#pragma once

#include <variant>

#include "notification_inbox_generated.h"

namespace guildhall::notification_inbox {

using MarkAllRead = ::notification_inbox::v1::MarkAllReadT;

using AllNotificationsRead = ::notification_inbox::v1::AllNotificationsReadT;

using NotificationInboxView = ::notification_inbox::v1::NotificationInboxViewT;

using Command = std::variant<MarkAllRead>;
using Event = std::variant<AllNotificationsRead>;
using Resource = std::variant<NotificationInboxView>;

}  // namespace guildhall::notification_inbox
