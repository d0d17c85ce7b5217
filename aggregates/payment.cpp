#include "aggregates/payment.h"

#include <algorithm>

#include "aggregates/booking.h"
#include "events/check.h"

namespace guildhall {
namespace {

using namespace payment;
using ::payment::state::Refund;
using ::payment::state::RefundStatus;
using ::payment::v1::Call;
using ::payment::v1::Status;

StreamId stream_of(const Uuid& payment_id) { return {StreamKind::payment, payment_id}; }

Accepted nothing_new(const Uuid& payment_id) { return {.subject = {stream_of(payment_id)}}; }

void append(std::vector<NewEvent>& events, std::vector<NewEvent>&& more) { std::ranges::move(more, std::back_inserter(events)); }

// The processor's answers come from the effect worker or from service_role; nobody else learns of a payment by them (TU-48).
bool may_record(const Uuid& payment_id, const Context& at, const View& view) {
  return at.actor.trusted() && view.exists<PaymentState>(payment_id);
}

// What may still be refunded: captured, neither refunded nor asked for.
std::int64_t refundable_cents(const PaymentState& s) {
  std::int64_t left = s.captured_cents - s.refunded_cents;
  for (const Refund& r : s.refunds)
    if (r.status() == RefundStatus::open) left -= r.amount_cents();
  return left;
}

const Refund* find_refund(const PaymentState& s, const Uuid& refund_id) {
  const auto found = std::ranges::find_if(s.refunds, [&](const Refund& r) { return r.refund_id() == refund_id; });
  return found == s.refunds.end() ? nullptr : &*found;
}

NewEvent refund_requested(const Uuid& payment_id, std::int64_t amount_cents, std::string_view reason, const Context& at) {
  return {
      stream_of(payment_id),
      RefundRequested{
          .payment_id = payment_id, .refund_id = at.mint("refund"), .amount_cents = amount_cents, .reason = std::string(reason)}};
}

}  // namespace

// ---- decide

Decision decide(const RecordAuthorized& c, const Context& at, const View& view) {
  if (!may_record(c.payment_id, at, view)) return reject(Code::payment_not_found);
  const auto& s = view.get<PaymentState>(c.payment_id);
  if (s.authorized_cents > 0) return nothing_new(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  accepted.events.push_back(
      {stream_of(c.payment_id), PaymentAuthorized{.payment_id = c.payment_id, .external_id = c.external_id}});
  MoneyTaken taken = take_money(s.booking_id, at, view);
  append(accepted.events, std::move(taken.events));
  if (!taken.wanted) accepted.events.push_back({stream_of(c.payment_id), CancelRequested{.payment_id = c.payment_id}});
  return accepted;
}

Decision decide(const RecordCaptured& c, const Context& at, const View& view) {
  if (!may_record(c.payment_id, at, view)) return reject(Code::payment_not_found);
  const auto& s = view.get<PaymentState>(c.payment_id);
  if (s.captured_cents > 0) return nothing_new(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  auto& events = accepted.events;
  // Captured says authorized too: that message is late or lost, or the checkout took the money in one step.
  if (s.authorized_cents == 0)
    events.push_back({stream_of(c.payment_id), PaymentAuthorized{.payment_id = c.payment_id, .external_id = c.external_id}});
  MoneyTaken taken = take_money(s.booking_id, at, view);
  append(events, std::move(taken.events));
  events.push_back({stream_of(c.payment_id), PaymentCaptured{.payment_id = c.payment_id, .amount_cents = s.amount_cents}});
  if (!taken.wanted) events.push_back(refund_requested(c.payment_id, s.amount_cents, "the booking has ended", at));
  return accepted;
}

Decision decide(const RecordFailed& c, const Context& at, const View& view) {
  if (!may_record(c.payment_id, at, view)) return reject(Code::payment_not_found);
  const auto& s = view.get<PaymentState>(c.payment_id);
  // It answers an authorization or a capture; anything else has been overtaken.
  const bool open = s.status == Status::pending || s.status == Status::processing || s.call == Call::capture;
  if (!open) return nothing_new(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  accepted.events.push_back({stream_of(c.payment_id), PaymentFailed{.payment_id = c.payment_id, .reason = c.reason}});
  append(accepted.events, lose_money(s.booking_id, "payment failed", view));
  return accepted;
}

Decision decide(const RecordCancelled& c, const Context& at, const View& view) {
  if (!may_record(c.payment_id, at, view)) return reject(Code::payment_not_found);
  const auto& s = view.get<PaymentState>(c.payment_id);
  const bool open = s.status == Status::pending || s.status == Status::processing || s.status == Status::authorized;
  if (!open) return nothing_new(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  accepted.events.push_back({stream_of(c.payment_id), PaymentCancelled{.payment_id = c.payment_id}});
  append(accepted.events, lose_money(s.booking_id, "payment cancelled", view));  // An authorization that lapsed by itself.
  return accepted;
}

Decision decide(const RecordRefunded& c, const Context& at, const View& view) {
  if (!may_record(c.payment_id, at, view)) return reject(Code::payment_not_found);
  const Refund* refund = find_refund(view.get<PaymentState>(c.payment_id), c.refund_id);
  if (refund == nullptr) return reject(Code::refund_not_found);
  Accepted accepted = nothing_new(c.payment_id);
  if (refund->status() != RefundStatus::open) return accepted;  // A repeat, or older than the failure that is known.
  accepted.events.push_back(
      {stream_of(c.payment_id),
       PaymentRefunded{.payment_id = c.payment_id, .refund_id = c.refund_id, .amount_cents = refund->amount_cents()}});
  return accepted;
}

Decision decide(const RecordRefundFailed& c, const Context& at, const View& view) {
  if (!may_record(c.payment_id, at, view)) return reject(Code::payment_not_found);
  const Refund* refund = find_refund(view.get<PaymentState>(c.payment_id), c.refund_id);
  if (refund == nullptr) return reject(Code::refund_not_found);
  Accepted accepted = nothing_new(c.payment_id);
  if (refund->status() == RefundStatus::failed) return accepted;
  accepted.events.push_back(
      {stream_of(c.payment_id),
       RefundFailed{
           .payment_id = c.payment_id, .refund_id = c.refund_id, .amount_cents = refund->amount_cents(), .reason = c.reason}});
  return accepted;
}

Decision decide(const RequestRefund& c, const Context& at, const View& view) {
  if (!view.exists<PaymentState>(c.payment_id)) return reject(Code::payment_not_found);
  const auto& s = view.get<PaymentState>(c.payment_id);
  if (!at.actor.trusted() && !at.actor.is(s.payee_id))
    return reject(at.actor.is(s.payer_id) ? Code::expert_only : Code::payment_not_found);
  if (s.captured_cents == 0) return reject(Code::payment_not_captured);
  if (c.amount_cents > refundable_cents(s)) return reject(Code::amount_exceeds_captured);
  Accepted accepted = nothing_new(c.payment_id);
  accepted.events.push_back(refund_requested(c.payment_id, c.amount_cents, c.reason, at));
  return accepted;
}

std::vector<NewEvent> capture_money(const Uuid& payment_id, const View& view) {
  if (view.get<PaymentState>(payment_id).captured_cents > 0) return {};
  return {{stream_of(payment_id), CaptureRequested{.payment_id = payment_id}}};
}

std::vector<NewEvent> return_money(const Uuid& payment_id, std::string_view reason, const Context& at, const View& view) {
  const auto& s = view.get<PaymentState>(payment_id);
  switch (s.status) {
    case Status::captured:
    case Status::partially_refunded:
      if (const auto left = refundable_cents(s); left > 0) return {refund_requested(payment_id, left, reason, at)};
      return {};
    case Status::authorized:
      if (s.call == Call::none) return {{stream_of(payment_id), CancelRequested{.payment_id = payment_id}}};
      return {};
    case Status::pending: return {{stream_of(payment_id), PaymentCancelled{.payment_id = payment_id}}};
    case Status::processing:
    case Status::refunded:
    case Status::failed:
    case Status::cancelled: return {};
  }
  std::unreachable();
}

std::optional<StreamId> target(const RecordAuthorized& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordCaptured& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordFailed& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordCancelled& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordRefunded& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordRefundFailed& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RequestRefund& c) { return stream_of(c.payment_id); }

// ---- apply

namespace {

// Answers a refund, and asks for the next one.
void settle(PaymentState& s, const Uuid& refund_id, RefundStatus status) {
  for (Refund& r : s.refunds)
    if (r.refund_id() == refund_id) r = Refund(refund_id, r.amount_cents(), status);
  const auto answered = [](const Refund& r) { return r.status() != RefundStatus::open; };
  if (static_cast<std::size_t>(std::ranges::count_if(s.refunds, answered)) > remembered_refunds)
    s.refunds.erase(std::ranges::find_if(s.refunds, answered));
  s.call = std::ranges::all_of(s.refunds, answered) ? Call::none : Call::refund;
  // A-TU-10: refunded only when nothing is left.
  s.status = s.refunded_cents == 0                 ? Status::captured
             : s.refunded_cents < s.captured_cents ? Status::partially_refunded
                                                   : Status::refunded;
}

}  // namespace

void apply(PaymentState& s, const PaymentInitiated& e) {
  s.payment_id = e.payment_id;
  s.booking_id = e.booking_id;
  s.payer_id = e.payer_id;
  s.payee_id = e.payee_id;
  s.amount_cents = e.amount_cents;
  s.currency = e.currency;
  s.processor = e.processor;
  s.status = e.auto_authorize ? Status::processing : Status::pending;
  s.call = e.auto_authorize ? Call::authorize : Call::none;
}

void apply(PaymentState& s, const PaymentAuthorized& e) {
  s.status = Status::authorized;
  s.external_id = e.external_id;
  s.authorized_cents = s.amount_cents;
  s.call = Call::none;
}

void apply(PaymentState& s, const PaymentFailed&) {
  s.status = Status::failed;
  s.call = Call::none;
}

void apply(PaymentState& s, const CaptureRequested&) { s.call = Call::capture; }

void apply(PaymentState& s, const PaymentCaptured& e) {
  s.status = Status::captured;
  s.captured_cents = e.amount_cents;
  s.call = Call::none;
}

void apply(PaymentState& s, const CancelRequested&) { s.call = Call::cancel; }

void apply(PaymentState& s, const PaymentCancelled&) {
  s.status = Status::cancelled;
  s.call = Call::none;
}

void apply(PaymentState& s, const RefundRequested& e) {
  s.refunds.emplace_back(e.refund_id, e.amount_cents, RefundStatus::open);
  s.call = Call::refund;
}

void apply(PaymentState& s, const PaymentRefunded& e) {
  s.refunded_cents += e.amount_cents;
  settle(s, e.refund_id, RefundStatus::refunded);
}

void apply(PaymentState& s, const RefundFailed& e) {
  const Refund* refund = find_refund(s, e.refund_id);
  if (refund != nullptr && refund->status() == RefundStatus::refunded) s.refunded_cents -= e.amount_cents;  // PY-9
  settle(s, e.refund_id, RefundStatus::failed);
}

// ---- reply, effect

AnyResource represent(const PaymentState& s, std::uint64_t version, const Uuid&) {
  return PaymentView{.id = s.payment_id,
                     .version = version,
                     .booking_id = s.booking_id,
                     .status = s.status,
                     .amount_cents = s.amount_cents,
                     .amount_authorized = s.authorized_cents,
                     .amount_captured = s.captured_cents,
                     .amount_refunded = s.refunded_cents,
                     .currency = s.currency};
}

std::optional<Effect> effect(const PaymentState& s) {
  const auto wanted = [&](const Uuid& id, std::int64_t amount_cents) {
    return Effect{id, s.call, s.payment_id, amount_cents, s.currency, s.processor, s.external_id};
  };
  // The provider's idempotency key: one for each call that this payment can ever want.
  const auto once = [&](std::string_view label) {
    return wanted(derive_in_group(label, s.payment_id, 0, bucket_of(s.payment_id)), s.amount_cents);
  };
  switch (s.call) {
    case Call::none:
    case Call::payout: return std::nullopt;  // A payout's own.
    case Call::authorize: return once("effect/authorize");
    case Call::capture: return once("effect/capture");
    case Call::cancel: return once("effect/cancel");
    case Call::refund: {
      const auto open = std::ranges::find_if(s.refunds, [](const Refund& r) { return r.status() == RefundStatus::open; });
      CHECK(open != s.refunds.end());
      return wanted(open->refund_id(), open->amount_cents());
    }
  }
  std::unreachable();
}

}  // namespace guildhall
