// The subscription of an account, whose id it has (PA-9, PA-35..39, A-PA-8, A-PA-50, A-PA-51, M-5). Opened with the account.
//
//   basic -> (Subscribe) basic with a checkout -> active, when its first payment is there; basic again, when it fails or no money
//   comes within policy.checkout_us. Money that comes later still makes the subscription, unless the account went on (M-2).
//   basic -> (Subscribe with trial) active for policy.trial_us, a period that costs nothing; one an account, ever.
//   active -> past_due -> (policy.past_due_us) unpaid -> (policy.unpaid_us) cancelled; past_due | unpaid -> active, when it is
//   paid.
//   active -> cancelled when the period ends, once its owner has cancelled; status and tier stay until then (A-PA-51).
//   any -> partner: ultimate, pays nothing, and has none of the provider's ids -> basic.
// cancelled lasts no longer than its decision: a basic start or the partnership follows in it.
//
// Rights: past_due keeps the tier, unpaid has those of basic; effective_tier() tells everybody (commission, featured products).
// Plans: to a higher tier or a longer interval, neither of them lower, at once: the rest of the period is credited, the
// difference is paid first, and a fresh period begins; a difference below policy.min_price_cents is waived. Any other plan waits
// for the period's end, so that no credit exceeds what there is to pay.
// Periods: the provider's billing pays each one after the first (RecordRenewal), and it begins where the one before ended. The
// end of the first one, and how long a paid one may be, is calendar months or years in UTC. Our timers only guard: a period that
// is over without word of the next one's payment is past due after unheard_us. Prices are cents, of the policy at that moment.
// The sandbox is a provider's billing too (policy.sandbox_bills): when a period is over it is asked for the next one's money,
// once, and its answer comes as a provider's word does. What is paid for a period is a payment of its own, which can be given
// back.
#pragma once

#include "aggregates/aggregates.h"
#include "aggregates/payment.h"

namespace guildhall {

// From a period's end until the silence of the provider counts as a failed payment.
inline constexpr Micros unheard_us = day_us;
// Two ends of a period that are no farther apart are the same one: the provider's clock and calendar are not ours.
inline constexpr Micros period_slack_us = 2 * day_us;
inline constexpr std::size_t remembered_payments = 16;  // The provider's names for them, which a repeat still finds.

// The tier whose rights the account has.
::subscription::v1::Tier effective_tier(const SubscriptionState& s);

// The first end of a period later than `after`, of periods that are counted from `anchor`: the same time of the same day of the
// month, or of the month's last day where that day is missing (31 January, 28 February, 31 March). UTC.
Micros period_end_after(Micros anchor, ::subscription::v1::Interval interval, Micros after);
// What is left of a period's price: ⌊price × remaining / period⌋, within 0..price.
std::int64_t credit_of(std::int64_t price_cents, Micros period_start, Micros period_end, Micros now);

Decision decide(const subscription::Subscribe& c, const Context& at, const View& view);
Decision decide(const subscription::ChangePlan& c, const Context& at, const View& view);
Decision decide(const subscription::CancelSubscription& c, const Context& at, const View& view);
Decision decide(const subscription::UndoCancel& c, const Context& at, const View& view);
Decision decide(const subscription::LinkSubscription& c, const Context& at, const View& view);
Decision decide(const subscription::RecordRenewal& c, const Context& at, const View& view);
Decision decide(const subscription::RecordPaymentFailed& c, const Context& at, const View& view);
Decision decide(const subscription::GrantPartner& c, const Context& at, const View& view);
Decision decide(const subscription::RevokePartner& c, const Context& at, const View& view);
Decision decide(const subscription::EnforceSubscription& c, const Context& at, const View& view);

// The money of a checkout is there: the plan begins, or is changed.
MoneyTaken take_subscription_money(const PaymentState& payment, bool captured, const Context& at, const View& view);
// It will not come: the account keeps what it has.
std::vector<NewEvent> lose_subscription_money(const PaymentState& payment, std::string_view reason, const Context& at,
                                              const View& view);
// All of it has gone back: the period that it paid for ends. Nothing, when a later one is running.
std::vector<NewEvent> subscription_refunded(const PaymentState& payment, const Context& at, const View& view);

std::optional<StreamId> target(const subscription::Subscribe& c);
std::optional<StreamId> target(const subscription::ChangePlan& c);
std::optional<StreamId> target(const subscription::CancelSubscription& c);
std::optional<StreamId> target(const subscription::UndoCancel& c);
std::optional<StreamId> target(const subscription::LinkSubscription& c);
std::optional<StreamId> target(const subscription::RecordRenewal& c);
std::optional<StreamId> target(const subscription::RecordPaymentFailed& c);
std::optional<StreamId> target(const subscription::GrantPartner& c);
std::optional<StreamId> target(const subscription::RevokePartner& c);
std::optional<StreamId> target(const subscription::EnforceSubscription& c);

void apply(SubscriptionState& s, const subscription::SubscriptionStarted& e);
void apply(SubscriptionState& s, const subscription::CheckoutStarted& e);
void apply(SubscriptionState& s, const subscription::CheckoutExpired& e);
void apply(SubscriptionState& s, const subscription::CheckoutFailed& e);
void apply(SubscriptionState& s, const subscription::TrialStarted& e);
void apply(SubscriptionState& s, const subscription::SubscriptionPaid& e);
void apply(SubscriptionState& s, const subscription::SubscriptionActivated& e);
void apply(SubscriptionState& s, const subscription::SubscriptionRenewed& e);
void apply(SubscriptionState& s, const subscription::PlanChangeScheduled& e);
void apply(SubscriptionState& s, const subscription::PlanChangeWithdrawn& e);
void apply(SubscriptionState& s, const subscription::PlanChanged& e);
void apply(SubscriptionState& s, const subscription::CancelScheduled& e);
void apply(SubscriptionState& s, const subscription::CancelUndone& e);
void apply(SubscriptionState& s, const subscription::BillingRequested& e);
void apply(SubscriptionState& s, const subscription::BillingFailed& e);
void apply(SubscriptionState& s, const subscription::SubscriptionPastDue& e);
void apply(SubscriptionState& s, const subscription::SubscriptionUnpaid& e);
void apply(SubscriptionState& s, const subscription::SubscriptionCancelled& e);
void apply(SubscriptionState& s, const subscription::SubscriptionLinked& e);
void apply(SubscriptionState& s, const subscription::PartnerGranted& e);
void apply(SubscriptionState& s, const subscription::PartnerRevoked& e);

AnyResource represent(const SubscriptionState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const SubscriptionState& s, const Actor& actor);
std::vector<Timer> timers(const SubscriptionState& s);
std::optional<Effect> effect(const SubscriptionState& s);

}  // namespace guildhall
