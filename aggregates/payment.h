// A booking's money: authorize, capture, cancel, refund, in the processor's own time (TU-31, TU-33, TU-36, M-2, M-3).
//
//   pending | processing (an authorize call is under way) -> authorized -> captured -> partially_refunded -> refunded
//   pending | processing -> failed | cancelled; authorized -> cancelled, or failed when its capture is refused
// The processor's answers may come twice and in any order (PY-4). What says less than is known is absorbed, what says that
// money has come is believed whatever the status, because the money is there: it secures its booking, or goes back.
// A refused void is answered by RecordCancelled (nothing is held any more) or RecordCaptured (it came too late); never by
// RecordFailed, which a payment being voided takes for an old message.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

inline constexpr std::size_t remembered_refunds = 32;  // Answered refunds of one payment that a repeated answer still finds.

Decision decide(const payment::RecordAuthorized& c, const Context& at, const View& view);
Decision decide(const payment::RecordCaptured& c, const Context& at, const View& view);
Decision decide(const payment::RecordFailed& c, const Context& at, const View& view);
Decision decide(const payment::RecordCancelled& c, const Context& at, const View& view);
Decision decide(const payment::RecordRefunded& c, const Context& at, const View& view);
Decision decide(const payment::RecordRefundFailed& c, const Context& at, const View& view);
Decision decide(const payment::RequestRefund& c, const Context& at, const View& view);

// The booking is confirmed: asks for the authorized money, unless it was captured before.
std::vector<NewEvent> capture_money(const Uuid& payment_id, const View& view);
// The booking ends: refunds what is captured, voids what is authorized, cancels what was never answered. An authorization or a
// capture under way is left until its answer, which then finds the booking ended.
std::vector<NewEvent> return_money(const Uuid& payment_id, std::string_view reason, const Context& at, const View& view);

std::optional<StreamId> target(const payment::RecordAuthorized& c);
std::optional<StreamId> target(const payment::RecordCaptured& c);
std::optional<StreamId> target(const payment::RecordFailed& c);
std::optional<StreamId> target(const payment::RecordCancelled& c);
std::optional<StreamId> target(const payment::RecordRefunded& c);
std::optional<StreamId> target(const payment::RecordRefundFailed& c);
std::optional<StreamId> target(const payment::RequestRefund& c);

void apply(PaymentState& s, const payment::PaymentInitiated& e);
void apply(PaymentState& s, const payment::PaymentAuthorized& e);
void apply(PaymentState& s, const payment::PaymentFailed& e);
void apply(PaymentState& s, const payment::CaptureRequested& e);
void apply(PaymentState& s, const payment::PaymentCaptured& e);
void apply(PaymentState& s, const payment::CancelRequested& e);
void apply(PaymentState& s, const payment::PaymentCancelled& e);
void apply(PaymentState& s, const payment::RefundRequested& e);
void apply(PaymentState& s, const payment::PaymentRefunded& e);
void apply(PaymentState& s, const payment::RefundFailed& e);

AnyResource represent(const PaymentState& s, std::uint64_t version, const Uuid& part);
std::optional<Effect> effect(const PaymentState& s);

}  // namespace guildhall
