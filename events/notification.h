// What happens to a notification, and what may be asked of it. Declared once, in events/notification.fbs.
#pragma once

#include <variant>

#include "notification_generated.h"

namespace guildhall::notification {

using RaiseNotification = ::notification::v1::RaiseNotificationT;
using MarkNotificationRead = ::notification::v1::MarkNotificationReadT;

using NotificationRaised = ::notification::v1::NotificationRaisedT;
using NotificationRead = ::notification::v1::NotificationReadT;

using NotificationView = ::notification::v1::NotificationViewT;

using Command = std::variant<RaiseNotification, MarkNotificationRead>;
using Event = std::variant<NotificationRaised, NotificationRead>;
using Resource = std::variant<NotificationView>;

}  // namespace guildhall::notification
