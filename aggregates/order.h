// An order of a service (PA-71..76, A-PA-14, 18, 20, 55..57). Who may do what when: docs/orders.md.
//
//   pending (unpaid: 15 minutes run) -> pending (paid: the seller has 7 days to start) -> in_progress -> delivered
//   delivered -> revision_requested -> delivered, as often as the package includes
//   delivered -> completed, by its buyer, or 72 h later
//   pending | in_progress | delivered | revision_requested -> cancelled; whatever is paid and not cancelled -> refunded
// A complaint stands beside the status and freezes the seller's money: unanswered for 3 days the buyer wins, undecided for 14 the
// seller if the order is delivered, else the buyer. It also ends with what either party gives up: the seller's cancellation or
// refund, the buyer's approval.
// What a party does, that party or the service on its behalf does; admins cancel, refund and decide.
#pragma once

#include "aggregates/aggregates.h"
#include "aggregates/payment.h"

namespace guildhall {

Decision decide(const order::PlaceOrder& c, const Context& at, const View& view);
Decision decide(const order::SubmitRequirements& c, const Context& at, const View& view);
Decision decide(const order::StartOrder& c, const Context& at, const View& view);
Decision decide(const order::DeliverOrder& c, const Context& at, const View& view);
Decision decide(const order::RequestRevision& c, const Context& at, const View& view);
Decision decide(const order::ApproveDelivery& c, const Context& at, const View& view);
Decision decide(const order::CancelOrder& c, const Context& at, const View& view);
Decision decide(const order::RefundOrder& c, const Context& at, const View& view);
Decision decide(const order::OpenDispute& c, const Context& at, const View& view);
Decision decide(const order::AnswerDispute& c, const Context& at, const View& view);
Decision decide(const order::ResolveDispute& c, const Context& at, const View& view);
Decision decide(const order::ExpireOrder& c, const Context& at, const View& view);
Decision decide(const order::MarkOverdue& c, const Context& at, const View& view);
Decision decide(const order::AutoCompleteOrder& c, const Context& at, const View& view);
Decision decide(const order::SettleDispute& c, const Context& at, const View& view);

// For the payment's decisions (payment.h). An order waits for its money while it is pending; money that comes later goes back.
MoneyTaken take_order_money(const PaymentState& payment, bool captured, const Context& at, const View& view);
std::vector<NewEvent> lose_order_money(const PaymentState& payment, std::string_view reason, const Context& at, const View& view);
// Ends the order with a complaint that is open; {} when it was cancelled or refunded before.
std::vector<NewEvent> order_refunded(const PaymentState& payment, const Context& at, const View& view);

std::optional<StreamId> target(const order::PlaceOrder& c);
std::optional<StreamId> target(const order::SubmitRequirements& c);
std::optional<StreamId> target(const order::StartOrder& c);
std::optional<StreamId> target(const order::DeliverOrder& c);
std::optional<StreamId> target(const order::RequestRevision& c);
std::optional<StreamId> target(const order::ApproveDelivery& c);
std::optional<StreamId> target(const order::CancelOrder& c);
std::optional<StreamId> target(const order::RefundOrder& c);
std::optional<StreamId> target(const order::OpenDispute& c);
std::optional<StreamId> target(const order::AnswerDispute& c);
std::optional<StreamId> target(const order::ResolveDispute& c);
std::optional<StreamId> target(const order::ExpireOrder& c);
std::optional<StreamId> target(const order::MarkOverdue& c);
std::optional<StreamId> target(const order::AutoCompleteOrder& c);
std::optional<StreamId> target(const order::SettleDispute& c);

void apply(OrderState& s, const order::OrderPlaced& e);
void apply(OrderState& s, const order::RequirementsSubmitted& e);
void apply(OrderState& s, const order::OrderPaid& e);
void apply(OrderState& s, const order::OrderStarted& e);
void apply(OrderState& s, const order::OrderDelivered& e);
void apply(OrderState& s, const order::RevisionRequested& e);
void apply(OrderState& s, const order::OrderOverdue& e);
void apply(OrderState& s, const order::OrderCompleted& e);
void apply(OrderState& s, const order::OrderCancelled& e);
void apply(OrderState& s, const order::OrderRefunded& e);
void apply(OrderState& s, const order::OrderDisputed& e);
void apply(OrderState& s, const order::OrderDisputeAnswered& e);
void apply(OrderState& s, const order::OrderDisputeExtended& e);
void apply(OrderState& s, const order::OrderDisputeResolved& e);

AnyResource represent(const OrderState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const OrderState& s, const Actor& actor);
std::vector<Timer> timers(const OrderState& s);

}  // namespace guildhall
