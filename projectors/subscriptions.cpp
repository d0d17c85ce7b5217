#include "projectors/subscriptions.h"

#include "projectors/members.h"
#include "projectors/transactions.h"

namespace guildhall {
namespace {

using ::subscription::v1::Interval;
using ::subscription::v1::Tier;

Write& change(const RecordHeader& at, const Uuid& account, Writes& out) {
  return out.update(Subscriptions::table(), {account})
      .set(Subscriptions::updated_at, at.time)
      .set(Subscriptions::last_event_position, position_of(at));
}

Value text_of(Tier tier) { return ::subscription::v1::EnumNameTier(tier); }
// PA-36: basic has none.
Value interval_or_null(Interval interval) {
  return interval == Interval::none ? Value{} : Value{::subscription::v1::EnumNameInterval(interval)};
}

void set_period(Write& row, Micros start, Micros end) {
  row.set(Subscriptions::status, "active")
      .set(Subscriptions::current_period_start, start)
      .set(Subscriptions::current_period_end, end);
}

// From basic to a plan: what was cancelled before is over.
Write& begin_plan(const RecordHeader& at, const Uuid& account, Tier tier, Interval interval, Writes& out) {
  return change(at, account, out)
      .set(Subscriptions::tier, text_of(tier))
      .set(Subscriptions::interval, interval_or_null(interval))
      .set(Subscriptions::cancelled_at, {});
}

}  // namespace

const Table& Subscriptions::table() {
  static const Table table{"subscriptions",
                           {{"account_id", ColumnType::uuid}},
                           {{"tier", ColumnType::text},
                            {"interval", ColumnType::text},
                            {"status", ColumnType::text},
                            {"stripe_subscription_id", ColumnType::text},
                            {"stripe_customer_id", ColumnType::text},
                            {"stripe_price_id", ColumnType::text},
                            {"current_period_start", ColumnType::timestamptz},
                            {"current_period_end", ColumnType::timestamptz},
                            {"trial_end", ColumnType::timestamptz},
                            {"cancel_at", ColumnType::timestamptz},
                            {"cancelled_at", ColumnType::timestamptz},
                            {"next_tier", ColumnType::text},
                            {"next_interval", ColumnType::text},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

void project(const RecordHeader& at, const subscription::SubscriptionStarted& e, Writes& out) {
  Write& row = out.upsert(Subscriptions::table(), {e.account_id})
                   .set(Subscriptions::tier, text_of(e.tier))
                   .set(Subscriptions::status, "active")
                   .set(Subscriptions::updated_at, at.time)
                   .set(Subscriptions::last_event_position, position_of(at));
  // A later one is the basic start that follows an end (A-PA-51).
  if (at.stream_version == 1) row.set(Subscriptions::created_at, at.time);
}

// A plan that waits for its payment is none yet.
void project(const RecordHeader& at, const subscription::CheckoutStarted& e, Writes& out) { change(at, e.account_id, out); }
void project(const RecordHeader& at, const subscription::CheckoutExpired& e, Writes& out) { change(at, e.account_id, out); }
void project(const RecordHeader& at, const subscription::CheckoutFailed& e, Writes& out) { change(at, e.account_id, out); }

// The seed has no trialing (PA-37): a trial is active, and trial_end says that it is one.
void project(const RecordHeader& at, const subscription::TrialStarted& e, Writes& out) {
  Write& row = begin_plan(at, e.account_id, e.tier, e.interval, out);
  set_period(row, e.period_start, e.period_end);
  row.set(Subscriptions::trial_end, e.period_end);
}

void project(const RecordHeader& at, const subscription::SubscriptionPaid& e, Writes& out) {
  change(at, e.account_id, out);
  project_renewal(at, e, out);
}

void project(const RecordHeader& at, const subscription::SubscriptionActivated& e, Writes& out) {
  set_period(begin_plan(at, e.account_id, e.tier, e.interval, out), e.period_start, e.period_end);
}

void project(const RecordHeader& at, const subscription::SubscriptionRenewed& e, Writes& out) {
  Write& row = change(at, e.account_id, out);
  set_period(row, e.period_start, e.period_end);
  row.set(Subscriptions::trial_end, {}).set(Subscriptions::cancel_at, e.cancel_at ? Value{*e.cancel_at} : Value{});
}

void project(const RecordHeader& at, const subscription::PlanChangeScheduled& e, Writes& out) {
  change(at, e.account_id, out)
      .set(Subscriptions::next_tier, text_of(e.tier))
      .set(Subscriptions::next_interval, interval_or_null(e.interval));
}
void project(const RecordHeader& at, const subscription::PlanChangeWithdrawn& e, Writes& out) {
  change(at, e.account_id, out).set(Subscriptions::next_tier, {}).set(Subscriptions::next_interval, {});
}
void project(const RecordHeader& at, const subscription::PlanChanged& e, Writes& out) {
  change(at, e.account_id, out)
      .set(Subscriptions::tier, text_of(e.tier))
      .set(Subscriptions::interval, interval_or_null(e.interval))
      .set(Subscriptions::next_tier, {})
      .set(Subscriptions::next_interval, {});
}

void project(const RecordHeader& at, const subscription::CancelScheduled& e, Writes& out) {
  change(at, e.account_id, out).set(Subscriptions::cancel_at, e.cancel_at);
}
void project(const RecordHeader& at, const subscription::CancelUndone& e, Writes& out) {
  change(at, e.account_id, out).set(Subscriptions::cancel_at, {});
}

void project(const RecordHeader& at, const subscription::BillingRequested& e, Writes& out) { change(at, e.account_id, out); }
void project(const RecordHeader& at, const subscription::BillingFailed& e, Writes& out) { change(at, e.account_id, out); }
void project(const RecordHeader& at, const subscription::SubscriptionPastDue& e, Writes& out) {
  change(at, e.account_id, out).set(Subscriptions::status, "past_due");
}
void project(const RecordHeader& at, const subscription::SubscriptionUnpaid& e, Writes& out) {
  change(at, e.account_id, out).set(Subscriptions::status, "unpaid");
}

// The tier and status of after it come with the event that follows (A-PA-51); the customer outlives the subscription.
void project(const RecordHeader& at, const subscription::SubscriptionCancelled& e, Writes& out) {
  change(at, e.account_id, out)
      .set(Subscriptions::interval, {})
      .set(Subscriptions::status, "cancelled")
      .set(Subscriptions::stripe_subscription_id, {})
      .set(Subscriptions::stripe_price_id, {})
      .set(Subscriptions::current_period_start, {})
      .set(Subscriptions::current_period_end, {})
      .set(Subscriptions::trial_end, {})
      .set(Subscriptions::cancel_at, {})
      .set(Subscriptions::cancelled_at, e.cancelled_at)
      .set(Subscriptions::next_tier, {})
      .set(Subscriptions::next_interval, {});
}

void project(const RecordHeader& at, const subscription::SubscriptionLinked& e, Writes& out) {
  change(at, e.account_id, out)
      .set(Subscriptions::stripe_subscription_id, text_or_null(e.stripe_subscription_id))
      .set(Subscriptions::stripe_customer_id, text_or_null(e.stripe_customer_id))
      .set(Subscriptions::stripe_price_id, text_or_null(e.stripe_price_id));
}

void project(const RecordHeader& at, const subscription::PartnerGranted& e, Writes& out) {
  change(at, e.account_id, out)
      .set(Subscriptions::tier, text_of(Tier::ultimate))
      .set(Subscriptions::status, "active")
      .set(Subscriptions::stripe_subscription_id, {})
      .set(Subscriptions::stripe_customer_id, {})
      .set(Subscriptions::stripe_price_id, {});
  set_partner(at, e.account_id, true, out);
}
void project(const RecordHeader& at, const subscription::PartnerRevoked& e, Writes& out) {
  change(at, e.account_id, out);
  set_partner(at, e.account_id, false, out);
}

}  // namespace guildhall
