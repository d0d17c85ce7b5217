// What an account is told (PA-102, PA-103, M-6, SO-10).
//
// Other aggregates' events are told to whom they concern (`notices`, aggregates.h), by a command to the recipient's group that
// never rejects. A notification's id follows from its recipient, its topic and what it comes of, so that it is raised once: of
// most events that is the event, of a follow it is the follow, which has one id for ever. So who follows, unfollows and follows
// again is told of once. Each is a stream, and the recipient's inbox (notification_inbox.h) numbers them: no state grows with
// their number.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Uuid notification_id_of(const Uuid& recipient, ::notification::v1::Topic topic, const Uuid& source);  // In the recipient's group.

Decision decide(const notification::RaiseNotification& c, const Context& at, const View& view);
Decision decide(const notification::MarkNotificationRead& c, const Context& at, const View& view);

std::optional<StreamId> target(const notification::RaiseNotification& c);
std::optional<StreamId> target(const notification::MarkNotificationRead& c);

void apply(NotificationState& s, const notification::NotificationRaised& e);
void apply(NotificationState& s, const notification::NotificationRead& e);

AnyResource represent(const NotificationState& s, std::uint64_t version, const Uuid& part);

}  // namespace guildhall
