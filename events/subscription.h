// What happens to a subscription, and what may be asked of it. Declared once, in events/subscription.fbs.
#pragma once

#include <variant>

#include "subscription_generated.h"

namespace guildhall::subscription {

using Subscribe = ::subscription::v1::SubscribeT;
using ChangePlan = ::subscription::v1::ChangePlanT;
using CancelSubscription = ::subscription::v1::CancelSubscriptionT;
using UndoCancel = ::subscription::v1::UndoCancelT;
using LinkSubscription = ::subscription::v1::LinkSubscriptionT;
using RecordRenewal = ::subscription::v1::RecordRenewalT;
using RecordPaymentFailed = ::subscription::v1::RecordPaymentFailedT;
using GrantPartner = ::subscription::v1::GrantPartnerT;
using RevokePartner = ::subscription::v1::RevokePartnerT;
using EnforceSubscription = ::subscription::v1::EnforceSubscriptionT;

using SubscriptionStarted = ::subscription::v1::SubscriptionStartedT;
using CheckoutStarted = ::subscription::v1::CheckoutStartedT;
using CheckoutExpired = ::subscription::v1::CheckoutExpiredT;
using CheckoutFailed = ::subscription::v1::CheckoutFailedT;
using TrialStarted = ::subscription::v1::TrialStartedT;
using SubscriptionPaid = ::subscription::v1::SubscriptionPaidT;
using SubscriptionActivated = ::subscription::v1::SubscriptionActivatedT;
using SubscriptionRenewed = ::subscription::v1::SubscriptionRenewedT;
using PlanChangeScheduled = ::subscription::v1::PlanChangeScheduledT;
using PlanChangeWithdrawn = ::subscription::v1::PlanChangeWithdrawnT;
using PlanChanged = ::subscription::v1::PlanChangedT;
using CancelScheduled = ::subscription::v1::CancelScheduledT;
using CancelUndone = ::subscription::v1::CancelUndoneT;
using BillingRequested = ::subscription::v1::BillingRequestedT;
using BillingFailed = ::subscription::v1::BillingFailedT;
using SubscriptionPastDue = ::subscription::v1::SubscriptionPastDueT;
using SubscriptionUnpaid = ::subscription::v1::SubscriptionUnpaidT;
using SubscriptionCancelled = ::subscription::v1::SubscriptionCancelledT;
using SubscriptionLinked = ::subscription::v1::SubscriptionLinkedT;
using PartnerGranted = ::subscription::v1::PartnerGrantedT;
using PartnerRevoked = ::subscription::v1::PartnerRevokedT;

using SubscriptionView = ::subscription::v1::SubscriptionViewT;

using Command = std::variant<Subscribe, ChangePlan, CancelSubscription, UndoCancel, LinkSubscription, RecordRenewal,
                             RecordPaymentFailed, GrantPartner, RevokePartner, EnforceSubscription>;
using Event = std::variant<SubscriptionStarted, CheckoutStarted, CheckoutExpired, CheckoutFailed, TrialStarted, SubscriptionPaid,
                           SubscriptionActivated, SubscriptionRenewed, PlanChangeScheduled, PlanChangeWithdrawn, PlanChanged,
                           CancelScheduled, CancelUndone, BillingRequested, BillingFailed, SubscriptionPastDue,
                           SubscriptionUnpaid, SubscriptionCancelled, SubscriptionLinked, PartnerGranted, PartnerRevoked>;
using Resource = std::variant<SubscriptionView>;

}  // namespace guildhall::subscription
