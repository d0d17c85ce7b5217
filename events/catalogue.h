// Every event, command and resource of every aggregate: one line an aggregate.
#pragma once

#include <string_view>

#include "events/account.h"
#include "events/achievement.h"
#include "events/booking.h"
#include "events/calendar.h"
#include "events/claim.h"
#include "events/learner.h"
#include "events/lesson.h"
#include "events/live_session.h"
#include "events/notification.h"
#include "events/notification_inbox.h"
#include "events/one_of.h"
#include "events/order.h"
#include "events/participant.h"
#include "events/payment.h"
#include "events/payout.h"
#include "events/plan.h"
#include "events/plan_subscription.h"
#include "events/product.h"
#include "events/progress.h"
#include "events/purchase.h"
#include "events/registration.h"
#include "events/relation.h"
#include "events/review.h"
#include "events/schedule.h"
#include "events/service.h"
#include "events/session.h"
#include "events/session_request.h"
#include "events/storefront.h"
#include "events/subscription.h"
#include "events/wallet.h"
#include "events/webinar.h"

namespace guildhall {

struct EventTypes {
  using Types =
      detail::Join<account::Event, claim::Event, session::Event, schedule::Event, calendar::Event, booking::Event, payment::Event,
                   subscription::Event, wallet::Event, payout::Event, product::Event, storefront::Event, purchase::Event,
                   service::Event, order::Event, webinar::Event, registration::Event, review::Event, relation::Event,
                   notification::Event, notification_inbox::Event, lesson::Event, achievement::Event, learner::Event,
                   progress::Event, plan::Event, plan_subscription::Event, live_session::Event, participant::Event,
                   session_request::Event>::type;
};
struct CommandTypes {
  using Types = detail::Join<account::Command, claim::Command, session::Command, schedule::Command, calendar::Command,
                             booking::Command, payment::Command, subscription::Command, wallet::Command, payout::Command,
                             product::Command, storefront::Command, purchase::Command, service::Command, order::Command,
                             webinar::Command, registration::Command, review::Command, relation::Command,
                             notification::Command, notification_inbox::Command, lesson::Command, achievement::Command,
                             learner::Command, progress::Command,
                             plan::Command, plan_subscription::Command, live_session::Command, participant::Command,
                             session_request::Command>::type;
};
struct ResourceTypes {
  using Types = detail::Join<account::Resource, claim::Resource, session::Resource, schedule::Resource, calendar::Resource,
                             booking::Resource, payment::Resource, subscription::Resource, wallet::Resource, payout::Resource,
                             product::Resource, storefront::Resource, purchase::Resource, service::Resource, order::Resource,
                             webinar::Resource, registration::Resource, review::Resource, relation::Resource,
                             notification::Resource, notification_inbox::Resource, lesson::Resource, achievement::Resource,
                             learner::Resource, progress::Resource,
                             plan::Resource, plan_subscription::Resource, live_session::Resource, participant::Resource,
                             session_request::Resource>::type;
};
using AnyEvent = OneOf<EventTypes>;
using AnyCommand = OneOf<CommandTypes>;
using AnyResource = OneOf<ResourceTypes>;
extern template class OneOf<EventTypes>;
extern template class OneOf<CommandTypes>;
extern template class OneOf<ResourceTypes>;

// "booking.v1.BookingCreated": the name in the schema, and so in records and documents.
template <class T>
constexpr std::string_view type_name() {
  return T::TableType::GetFullyQualifiedName();
}
template <class Of>
std::string_view type_name(const OneOf<Of>& any) {
  return any.name();
}

}  // namespace guildhall
