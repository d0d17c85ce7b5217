// What happens to an account's plan, and what may be asked of it. Declared once, in events/plan_subscription.fbs.
#pragma once

#include <variant>

#include "plan_subscription_generated.h"

namespace guildhall::plan_subscription {

using SubscribeToPlan = ::plan_subscription::v1::SubscribeToPlanT;
using CancelPlanSubscription = ::plan_subscription::v1::CancelPlanSubscriptionT;
using UndoPlanCancel = ::plan_subscription::v1::UndoPlanCancelT;
using LinkPlanSubscription = ::plan_subscription::v1::LinkPlanSubscriptionT;
using RecordPlanRenewal = ::plan_subscription::v1::RecordPlanRenewalT;
using RecordPlanPaymentFailed = ::plan_subscription::v1::RecordPlanPaymentFailedT;
using EnforcePlanSubscription = ::plan_subscription::v1::EnforcePlanSubscriptionT;

using CheckoutStarted = ::plan_subscription::v1::CheckoutStartedT;
using CheckoutEnded = ::plan_subscription::v1::CheckoutEndedT;
using TrialStarted = ::plan_subscription::v1::TrialStartedT;
using SubscriptionActivated = ::plan_subscription::v1::SubscriptionActivatedT;
using SubscriptionPaid = ::plan_subscription::v1::SubscriptionPaidT;
using SubscriptionRenewed = ::plan_subscription::v1::SubscriptionRenewedT;
using CancelScheduled = ::plan_subscription::v1::CancelScheduledT;
using CancelUndone = ::plan_subscription::v1::CancelUndoneT;
using SubscriptionPastDue = ::plan_subscription::v1::SubscriptionPastDueT;
using SubscriptionUnpaid = ::plan_subscription::v1::SubscriptionUnpaidT;
using SubscriptionCancelled = ::plan_subscription::v1::SubscriptionCancelledT;
using SubscriptionLinked = ::plan_subscription::v1::SubscriptionLinkedT;

using PlanSubscriptionView = ::plan_subscription::v1::PlanSubscriptionViewT;

using Command = std::variant<SubscribeToPlan, CancelPlanSubscription, UndoPlanCancel, LinkPlanSubscription, RecordPlanRenewal,
                             RecordPlanPaymentFailed, EnforcePlanSubscription>;
using Event = std::variant<CheckoutStarted, CheckoutEnded, TrialStarted, SubscriptionActivated, SubscriptionPaid,
                           SubscriptionRenewed, CancelScheduled, CancelUndone, SubscriptionPastDue, SubscriptionUnpaid,
                           SubscriptionCancelled, SubscriptionLinked>;
using Resource = std::variant<PlanSubscriptionView>;

}  // namespace guildhall::plan_subscription
