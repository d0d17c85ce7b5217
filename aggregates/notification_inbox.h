// All that an account was told (PA-102): how many notifications there are, and up to which they are read. Marking all is one
// event, however many there are; readers compare a notification's sequence with read_up_to.
//
// The stream has the account's id. Notifications come into the state without events of its own (also_folds, aggregates.h).
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Decision decide(const notification_inbox::MarkAllRead& c, const Context& at, const View& view);

std::optional<StreamId> target(const notification_inbox::MarkAllRead& c);

void apply(NotificationInboxState& s, const notification_inbox::AllNotificationsRead& e);
void count(NotificationInboxState& s, const notification::NotificationRaised& e);

AnyResource represent(const NotificationInboxState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const NotificationInboxState& s, const Actor& actor);

}  // namespace guildhall
