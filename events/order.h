// What happens to an order, and what may be asked of it. Declared once, in events/order.fbs.
#pragma once

#include <variant>

#include "order_generated.h"

namespace guildhall::order {

using PlaceOrder = ::order::v1::PlaceOrderT;
using SubmitRequirements = ::order::v1::SubmitRequirementsT;
using StartOrder = ::order::v1::StartOrderT;
using DeliverOrder = ::order::v1::DeliverOrderT;
using RequestRevision = ::order::v1::RequestRevisionT;
using ApproveDelivery = ::order::v1::ApproveDeliveryT;
using CancelOrder = ::order::v1::CancelOrderT;
using RefundOrder = ::order::v1::RefundOrderT;
using OpenDispute = ::order::v1::OpenDisputeT;
using AnswerDispute = ::order::v1::AnswerDisputeT;
using ResolveDispute = ::order::v1::ResolveDisputeT;
using ExpireOrder = ::order::v1::ExpireOrderT;
using MarkOverdue = ::order::v1::MarkOverdueT;
using AutoCompleteOrder = ::order::v1::AutoCompleteOrderT;
using SettleDispute = ::order::v1::SettleDisputeT;

using OrderPlaced = ::order::v1::OrderPlacedT;
using RequirementsSubmitted = ::order::v1::RequirementsSubmittedT;
using OrderPaid = ::order::v1::OrderPaidT;
using OrderStarted = ::order::v1::OrderStartedT;
using OrderDelivered = ::order::v1::OrderDeliveredT;
using RevisionRequested = ::order::v1::RevisionRequestedT;
using OrderOverdue = ::order::v1::OrderOverdueT;
using OrderCompleted = ::order::v1::OrderCompletedT;
using OrderCancelled = ::order::v1::OrderCancelledT;
using OrderRefunded = ::order::v1::OrderRefundedT;
using OrderDisputed = ::order::v1::OrderDisputedT;
using OrderDisputeAnswered = ::order::v1::OrderDisputeAnsweredT;
using OrderDisputeExtended = ::order::v1::OrderDisputeExtendedT;
using OrderDisputeResolved = ::order::v1::OrderDisputeResolvedT;

using OrderView = ::order::v1::OrderViewT;

using Command = std::variant<PlaceOrder, SubmitRequirements, StartOrder, DeliverOrder, RequestRevision, ApproveDelivery,
                             CancelOrder, RefundOrder, OpenDispute, AnswerDispute, ResolveDispute, ExpireOrder, MarkOverdue,
                             AutoCompleteOrder, SettleDispute>;
using Event = std::variant<OrderPlaced, RequirementsSubmitted, OrderPaid, OrderStarted, OrderDelivered, RevisionRequested,
                           OrderOverdue, OrderCompleted, OrderCancelled, OrderRefunded, OrderDisputed, OrderDisputeAnswered,
                           OrderDisputeExtended, OrderDisputeResolved>;
using Resource = std::variant<OrderView>;

}  // namespace guildhall::order
