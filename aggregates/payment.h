// A booking's money: authorize, capture, cancel, refund, in the processor's own time (TU-31, TU-33, TU-36, M-2, M-3).
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Decision decide(const payment::RecordAuthorized& c, const Context& at, const View& view);
Decision decide(const payment::RecordCaptured& c, const Context& at, const View& view);
Decision decide(const payment::RecordFailed& c, const Context& at, const View& view);
Decision decide(const payment::RecordCancelled& c, const Context& at, const View& view);
Decision decide(const payment::RecordRefunded& c, const Context& at, const View& view);
Decision decide(const payment::RecordRefundFailed& c, const Context& at, const View& view);
Decision decide(const payment::RequestRefund& c, const Context& at, const View& view);

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
