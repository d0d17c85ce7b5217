// What an account subscribes to (DR-57..60, A-DR-18, A-DR-22, A-DR-23), in the account's group, whose id the stream has. So one
// at most is live; each has a subscription_id of its own, under which it stays known.
//
//   none | cancelled -> (SubscribeToPlan) trialing, one trial an account, ever; or a checkout -> active, when its payment is
//   there, none when it fails or no money comes within policy.checkout_us (what comes later goes back); or active at once, for
//   nothing.
//   trialing | active -> past_due -> (policy.past_due_us) unpaid -> (policy.unpaid_us) cancelled; past_due | unpaid -> active,
//   when it is paid; trialing | active -> cancelled at the period's end, once its owner has cancelled.
// trialing, active and past_due are live: they open the plan's levels. The terms are the plan's at the time of subscribing.
//
// Periods as in subscription.h: the provider's billing pays each one after the first, our timers only guard. A lifetime plan
// has none, and neither has one that costs nothing: never past due, and a cancellation is its end at once.
#pragma once

#include "aggregates/aggregates.h"
#include "aggregates/payment.h"

namespace guildhall {

// The highest level of lessons that a live plan opens; nullopt without one.
std::optional<std::int32_t> plan_level_access(const PlanSubscriptionState& s);

Decision decide(const plan_subscription::SubscribeToPlan& c, const Context& at, const View& view);
Decision decide(const plan_subscription::CancelPlanSubscription& c, const Context& at, const View& view);
Decision decide(const plan_subscription::UndoPlanCancel& c, const Context& at, const View& view);
Decision decide(const plan_subscription::LinkPlanSubscription& c, const Context& at, const View& view);
Decision decide(const plan_subscription::RecordPlanRenewal& c, const Context& at, const View& view);
Decision decide(const plan_subscription::RecordPlanPaymentFailed& c, const Context& at, const View& view);
Decision decide(const plan_subscription::EnforcePlanSubscription& c, const Context& at, const View& view);

// The money of a checkout is there: the subscription begins.
MoneyTaken take_plan_money(const PaymentState& payment, bool captured, const Context& at, const View& view);
// It will not come.
std::vector<NewEvent> lose_plan_money(const PaymentState& payment, std::string_view reason, const Context& at, const View& view);
// All of it has gone back: the period that it paid for ends. Nothing, when a later one is running.
std::vector<NewEvent> plan_refunded(const PaymentState& payment, const Context& at, const View& view);

std::optional<StreamId> target(const plan_subscription::SubscribeToPlan& c);
std::optional<StreamId> target(const plan_subscription::CancelPlanSubscription& c);
std::optional<StreamId> target(const plan_subscription::UndoPlanCancel& c);
std::optional<StreamId> target(const plan_subscription::LinkPlanSubscription& c);
std::optional<StreamId> target(const plan_subscription::RecordPlanRenewal& c);
std::optional<StreamId> target(const plan_subscription::RecordPlanPaymentFailed& c);
std::optional<StreamId> target(const plan_subscription::EnforcePlanSubscription& c);

void apply(PlanSubscriptionState& s, const plan_subscription::CheckoutStarted& e);
void apply(PlanSubscriptionState& s, const plan_subscription::CheckoutEnded& e);
void apply(PlanSubscriptionState& s, const plan_subscription::TrialStarted& e);
void apply(PlanSubscriptionState& s, const plan_subscription::SubscriptionActivated& e);
void apply(PlanSubscriptionState& s, const plan_subscription::SubscriptionPaid& e);
void apply(PlanSubscriptionState& s, const plan_subscription::SubscriptionRenewed& e);
void apply(PlanSubscriptionState& s, const plan_subscription::CancelScheduled& e);
void apply(PlanSubscriptionState& s, const plan_subscription::CancelUndone& e);
void apply(PlanSubscriptionState& s, const plan_subscription::SubscriptionPastDue& e);
void apply(PlanSubscriptionState& s, const plan_subscription::SubscriptionUnpaid& e);
void apply(PlanSubscriptionState& s, const plan_subscription::SubscriptionCancelled& e);
void apply(PlanSubscriptionState& s, const plan_subscription::SubscriptionLinked& e);

AnyResource represent(const PlanSubscriptionState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const PlanSubscriptionState& s, const Actor& actor);
std::vector<Timer> timers(const PlanSubscriptionState& s);

}  // namespace guildhall
