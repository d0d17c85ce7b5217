#include "projectors/plans.h"

namespace guildhall {
namespace {

Write& touch(Write& row, const RecordHeader& at) {
  return row.set(PlanSubscriptions::updated_at, at.time).set(PlanSubscriptions::last_event_position, position_of(at));
}

template <class Event>
Write& change(const RecordHeader& at, const Event& e, Writes& out) {
  return touch(out.update(PlanSubscriptions::table(), {e.subscription_id}), at);
}

// A trial, or a first period.
template <class Event>
Write& begin(const RecordHeader& at, const Event& e, Writes& out) {
  return touch(out.insert(PlanSubscriptions::table(), {e.subscription_id}), at)
      .set(PlanSubscriptions::account_id, e.account_id)
      .set(PlanSubscriptions::plan_id, e.plan_id)
      .set(PlanSubscriptions::level_access_limit, std::int64_t{e.level_access_limit})
      .set(PlanSubscriptions::current_period_start, e.period_start)
      .set(PlanSubscriptions::created_at, at.time);
}

Value instant_or_null(const auto& instant) { return instant ? Value{*instant} : Value{}; }

}  // namespace

const Table& Plans::table() {
  static const Table table{"plans",
                           {{"plan_id", ColumnType::uuid}},
                           {{"name", ColumnType::text},
                            {"description", ColumnType::text},
                            {"plan_type", ColumnType::text},
                            {"price_cents", ColumnType::int8},
                            {"currency", ColumnType::text},
                            {"stripe_price_id", ColumnType::text},
                            {"features", ColumnType::text},
                            {"is_active", ColumnType::boolean},
                            {"trial_days", ColumnType::int4},
                            {"max_users", ColumnType::int4},
                            {"level_access_limit", ColumnType::int4},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& PlanSubscriptions::table() {
  static const Table table{"plan_subscriptions",
                           {{"subscription_id", ColumnType::uuid}},
                           {{"account_id", ColumnType::uuid},
                            {"plan_id", ColumnType::uuid},
                            {"stripe_subscription_id", ColumnType::text},
                            {"status", ColumnType::text},
                            {"current_period_start", ColumnType::timestamptz},
                            {"current_period_end", ColumnType::timestamptz},
                            {"trial_end", ColumnType::timestamptz},
                            {"cancel_at", ColumnType::timestamptz},
                            {"cancelled_at", ColumnType::timestamptz},
                            {"level_access_limit", ColumnType::int4},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

// ---- plans

void project(const RecordHeader& at, const plan::PlanCreated& e, Writes& out) {
  out.insert(Plans::table(), {e.plan_id})
      .set(Plans::name, storable(e.name))
      .set(Plans::description, text_or_null(e.description))
      .set(Plans::plan_type, ::plan::v1::EnumNamePlanType(e.plan_type))
      .set(Plans::price_cents, e.price_cents)
      .set(Plans::currency, storable(e.currency))
      .set(Plans::stripe_price_id, text_or_null(e.stripe_price_id))
      .set(Plans::features, storable(e.features))
      .set(Plans::is_active, true)
      .set(Plans::trial_days, std::int64_t{e.trial_days})
      .set(Plans::max_users, e.max_users ? Value{std::int64_t{*e.max_users}} : Value{})
      .set(Plans::level_access_limit, std::int64_t{e.level_access_limit})
      .set(Plans::created_at, at.time)
      .set(Plans::updated_at, at.time)
      .set(Plans::last_event_position, position_of(at));
}

void project(const RecordHeader& at, const plan::PlanRetired& e, Writes& out) {
  out.update(Plans::table(), {e.plan_id})
      .set(Plans::is_active, false)
      .set(Plans::updated_at, at.time)
      .set(Plans::last_event_position, position_of(at));
}

// ---- subscriptions

void project(const RecordHeader&, const plan_subscription::CheckoutStarted&, Writes&) {}
void project(const RecordHeader&, const plan_subscription::CheckoutEnded&, Writes&) {}

void project(const RecordHeader& at, const plan_subscription::TrialStarted& e, Writes& out) {
  begin(at, e, out)
      .set(PlanSubscriptions::status, "trialing")
      .set(PlanSubscriptions::current_period_end, e.period_end)
      .set(PlanSubscriptions::trial_end, e.period_end);
}

void project(const RecordHeader& at, const plan_subscription::SubscriptionActivated& e, Writes& out) {
  begin(at, e, out)
      .set(PlanSubscriptions::status, "active")
      .set(PlanSubscriptions::current_period_end, instant_or_null(e.period_end));
}

void project(const RecordHeader& at, const plan_subscription::SubscriptionPaid& e, Writes& out) { change(at, e, out); }

// A trial that was stays: when it ended.
void project(const RecordHeader& at, const plan_subscription::SubscriptionRenewed& e, Writes& out) {
  change(at, e, out)
      .set(PlanSubscriptions::status, "active")
      .set(PlanSubscriptions::current_period_start, e.period_start)
      .set(PlanSubscriptions::current_period_end, e.period_end)
      .set(PlanSubscriptions::cancel_at, instant_or_null(e.cancel_at));
}

void project(const RecordHeader& at, const plan_subscription::CancelScheduled& e, Writes& out) {
  change(at, e, out).set(PlanSubscriptions::cancel_at, e.cancel_at);
}
void project(const RecordHeader& at, const plan_subscription::CancelUndone& e, Writes& out) {
  change(at, e, out).set(PlanSubscriptions::cancel_at, {});
}

void project(const RecordHeader& at, const plan_subscription::SubscriptionPastDue& e, Writes& out) {
  change(at, e, out).set(PlanSubscriptions::status, "past_due");
}
void project(const RecordHeader& at, const plan_subscription::SubscriptionUnpaid& e, Writes& out) {
  change(at, e, out).set(PlanSubscriptions::status, "unpaid");
}
void project(const RecordHeader& at, const plan_subscription::SubscriptionCancelled& e, Writes& out) {
  change(at, e, out)
      .set(PlanSubscriptions::status, "cancelled")
      .set(PlanSubscriptions::cancelled_at, e.cancelled_at);
}

void project(const RecordHeader& at, const plan_subscription::SubscriptionLinked& e, Writes& out) {
  change(at, e, out).set(PlanSubscriptions::stripe_subscription_id, storable(e.stripe_subscription_id));
}

}  // namespace guildhall
