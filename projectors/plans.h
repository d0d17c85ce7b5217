// Plans, and who subscribes to them (DR-55..62): the seed's subscription_plans and user_subscriptions. An account's
// subscription has a row from its trial or its first period on; a checkout has none.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Plans {
  enum : ColumnNo {
    name,
    description,
    plan_type,
    price_cents,
    currency,
    stripe_price_id,
    features,
    is_active,
    trial_days,
    max_users,
    level_access_limit,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct PlanSubscriptions {
  enum : ColumnNo {
    account_id,
    plan_id,
    stripe_subscription_id,
    status,
    current_period_start,
    current_period_end,
    trial_end,
    cancel_at,
    cancelled_at,
    level_access_limit,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};

void project(const RecordHeader& at, const plan::PlanCreated& e, Writes& out);
void project(const RecordHeader& at, const plan::PlanRetired& e, Writes& out);

void project(const RecordHeader& at, const plan_subscription::CheckoutStarted& e, Writes& out);
void project(const RecordHeader& at, const plan_subscription::CheckoutEnded& e, Writes& out);
void project(const RecordHeader& at, const plan_subscription::TrialStarted& e, Writes& out);
void project(const RecordHeader& at, const plan_subscription::SubscriptionActivated& e, Writes& out);
void project(const RecordHeader& at, const plan_subscription::SubscriptionPaid& e, Writes& out);
void project(const RecordHeader& at, const plan_subscription::SubscriptionRenewed& e, Writes& out);
void project(const RecordHeader& at, const plan_subscription::CancelScheduled& e, Writes& out);
void project(const RecordHeader& at, const plan_subscription::CancelUndone& e, Writes& out);
void project(const RecordHeader& at, const plan_subscription::SubscriptionPastDue& e, Writes& out);
void project(const RecordHeader& at, const plan_subscription::SubscriptionUnpaid& e, Writes& out);
void project(const RecordHeader& at, const plan_subscription::SubscriptionCancelled& e, Writes& out);
void project(const RecordHeader& at, const plan_subscription::SubscriptionLinked& e, Writes& out);

}  // namespace guildhall
