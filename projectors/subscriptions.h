// The plan of each account, one row each (PA-35..39): the seed's subscriptions. Its payments are transactions.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Subscriptions {
  enum : ColumnNo {
    tier,
    interval,
    status,
    stripe_subscription_id,
    stripe_customer_id,
    stripe_price_id,
    current_period_start,
    current_period_end,
    trial_end,
    cancel_at,
    cancelled_at,
    next_tier,
    next_interval,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};

void project(const RecordHeader& at, const subscription::SubscriptionStarted& e, Writes& out);
void project(const RecordHeader& at, const subscription::CheckoutStarted& e, Writes& out);
void project(const RecordHeader& at, const subscription::CheckoutExpired& e, Writes& out);
void project(const RecordHeader& at, const subscription::CheckoutFailed& e, Writes& out);
void project(const RecordHeader& at, const subscription::TrialStarted& e, Writes& out);
void project(const RecordHeader& at, const subscription::SubscriptionPaid& e, Writes& out);
void project(const RecordHeader& at, const subscription::SubscriptionActivated& e, Writes& out);
void project(const RecordHeader& at, const subscription::SubscriptionRenewed& e, Writes& out);
void project(const RecordHeader& at, const subscription::PlanChangeScheduled& e, Writes& out);
void project(const RecordHeader& at, const subscription::PlanChangeWithdrawn& e, Writes& out);
void project(const RecordHeader& at, const subscription::PlanChanged& e, Writes& out);
void project(const RecordHeader& at, const subscription::CancelScheduled& e, Writes& out);
void project(const RecordHeader& at, const subscription::CancelUndone& e, Writes& out);
void project(const RecordHeader& at, const subscription::BillingRequested& e, Writes& out);
void project(const RecordHeader& at, const subscription::BillingFailed& e, Writes& out);
void project(const RecordHeader& at, const subscription::SubscriptionPastDue& e, Writes& out);
void project(const RecordHeader& at, const subscription::SubscriptionUnpaid& e, Writes& out);
void project(const RecordHeader& at, const subscription::SubscriptionCancelled& e, Writes& out);
void project(const RecordHeader& at, const subscription::SubscriptionLinked& e, Writes& out);
void project(const RecordHeader& at, const subscription::PartnerGranted& e, Writes& out);
void project(const RecordHeader& at, const subscription::PartnerRevoked& e, Writes& out);

}  // namespace guildhall
