#include "aggregates/payment.h"

#include <algorithm>

#include "aggregates/account.h"
#include "aggregates/booking.h"
#include "aggregates/order.h"
#include "aggregates/plan_subscription.h"
#include "aggregates/purchase.h"
#include "aggregates/registration.h"
#include "aggregates/subscription.h"
#include "events/check.h"

namespace guildhall {
namespace {

using namespace payment;
using ledger::Account;
using ledger::Cents;
using ledger::Method;
using ledger::Posting;
using ledger::Processor;
using ledger::Transfers;
using ::payment::state::Refund;
using ::payment::state::RefundStatus;
using ::payment::v1::Call;
using ::payment::v1::Purpose;
using ::payment::v1::Status;

StreamId stream_of(const Uuid& payment_id) { return {StreamKind::payment, payment_id}; }

Accepted nothing_new(const Uuid& payment_id) { return {.subject = {stream_of(payment_id)}}; }

void append(std::vector<NewEvent>& events, std::vector<NewEvent>&& more) { std::ranges::move(more, std::back_inserter(events)); }

// The processor's answers come from the effect worker or from service_role; nobody else learns of a payment by them (TU-48).
// What a wallet pays, only its own answer says.
std::optional<Code> record_refusal(const Uuid& payment_id, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<PaymentState>(payment_id)) return Code::payment_not_found;
  const bool by_wallet = view.get<PaymentState>(payment_id).method == Method::wallet_balance;
  if (by_wallet && at.actor.kind != ActorKind::system) return Code::wallet_payment;
  return std::nullopt;
}

const Refund* find_refund(const PaymentState& s, const Uuid& refund_id) {
  const auto found = std::ranges::find_if(s.refunds, [&](const Refund& r) { return r.refund_id() == refund_id; });
  return found == s.refunds.end() ? nullptr : &*found;
}

// ---- what is sold, by purpose

// A subscription is to a plan, or to a tier, as the platform has it: both have the account's id.
bool is_of_plan(const PaymentState& s, const View& view) { return view.exists<PlanSubscriptionState>(s.subject_id); }

MoneyTaken take_money(const PaymentState& s, bool captured, const Context& at, const View& view) {
  switch (s.purpose) {
    case Purpose::booking: return take_booking_money(s, captured, at, view);
    case Purpose::purchase: return take_purchase_money(s, captured, at, view);
    case Purpose::order: return take_order_money(s, captured, at, view);
    case Purpose::registration: return take_registration_money(s, captured, at, view);
    case Purpose::subscription:
      return is_of_plan(s, view) ? take_plan_money(s, captured, at, view) : take_subscription_money(s, captured, at, view);
  }
  std::unreachable();
}

std::vector<NewEvent> lose_money(const PaymentState& s, std::string_view reason, const Context& at, const View& view) {
  switch (s.purpose) {
    case Purpose::booking: return lose_booking_money(s, reason, at, view);
    case Purpose::purchase: return lose_purchase_money(s, reason, at, view);
    case Purpose::order: return lose_order_money(s, reason, at, view);
    case Purpose::registration: return lose_registration_money(s, reason, at, view);
    case Purpose::subscription:
      return is_of_plan(s, view) ? lose_plan_money(s, reason, at, view) : lose_subscription_money(s, reason, at, view);
  }
  std::unreachable();
}

// All that was paid has gone back. A booking has ended before its money goes back; what never was a sale has nothing to end.
std::vector<NewEvent> end_sale(const PaymentState& s, const Context& at, const View& view) {
  if (s.late) return {};
  switch (s.purpose) {
    case Purpose::booking: return {};
    case Purpose::purchase: return purchase_refunded(s, at, view);
    case Purpose::order: return order_refunded(s, at, view);
    case Purpose::registration: return registration_refunded(s, at, view);
    case Purpose::subscription:
      return is_of_plan(s, view) ? plan_refunded(s, at, view) : subscription_refunded(s, at, view);
  }
  std::unreachable();
}

// ---- postings (ledger.md has the table)

bool keeps_books(const PaymentState& s) { return s.method != Method::none; }
bool is_paid_by_wallet(const PaymentState& s) { return s.method == Method::wallet_balance; }
bool is_frozen(const PaymentState& s) { return s.complaint || s.chargeback; }

Processor processor_of(Method method) {
  switch (method) {
    case Method::card: return Processor::stripe;
    case Method::paypal: return Processor::paypal;
    case Method::wallet_balance: return Processor::wallet;
    case Method::none: return Processor::none;
  }
  std::unreachable();
}

Posting posting(const PaymentState& s) { return Posting(processor_of(s.method)); }

// Where money under way to or from the buyer stands.
Posting::Side buyers_side(const PaymentState& s, Account at_processor) {
  return is_paid_by_wallet(s) ? Posting::Side{Account::transit, s.payment_id} : Posting::Side{at_processor};
}

ledger::Sale sale_of(const PaymentState& s) {
  return {.total = s.amount_cents,
          .fee = s.fee_cents,
          .commission = s.commission_cents,
          .refunded = s.returned_cents,
          .commission_returned = s.commission_returned_cents,
          .fee_borne = s.fee_borne_cents};
}

Transfers captured(const PaymentState& s) {
  // A subscription's revenue is posted by its own event (SubscriptionPaid).
  if (!keeps_books(s) || s.purpose == Purpose::subscription) return {};
  const auto from = buyers_side(s, Account::processor);
  return posting(s)
      .move(from, {Account::pending, s.payee_id}, s.amount_cents - s.fee_cents - s.commission_cents)
      .move(from, {Account::commission}, s.commission_cents)
      .move(from, {Account::fees}, s.fee_cents)
      .done();
}

Transfers received_late(const PaymentState& s) {
  return posting(s)
      .move({Account::processor}, {Account::suspense, s.payment_id}, s.amount_cents - s.fee_cents)
      .move({Account::processor}, {Account::fees}, s.fee_cents)
      .done();
}

// What of a late payment still waits in suspense.
Cents suspense_left(const PaymentState& s) { return s.amount_cents - s.fee_cents - (s.returned_cents - s.fee_borne_cents); }

Transfers asked_back(const PaymentState& s, const Refund& r) {
  if (!keeps_books(s)) return {};
  const auto to = buyers_side(s, Account::refunds);
  if (s.late)
    return posting(s)
        .move({Account::suspense, s.payment_id}, to, r.amount_cents() - r.fee_cents())
        .move({Account::costs}, to, r.fee_cents())
        .done();
  if (s.purpose == Purpose::subscription) return posting(s).move({Account::subscriptions}, to, r.amount_cents()).done();
  return posting(s)
      .move_held(s.payee_id, {r.from_pending_cents(), r.from_available_cents()}, to)
      .move({Account::costs}, to, r.platform_bears_fee() ? r.fee_cents() : 0)
      .move({Account::commission}, to, r.commission_cents())
      .done();
}

Transfers given_back(const PaymentState& s, Cents amount) {
  if (!keeps_books(s) || is_paid_by_wallet(s)) return {};  // A wallet's own event posts it (WalletRefunded).
  return posting(s).move({Account::refunds}, {Account::processor}, amount).done();
}

PaymentInitiated initiated(const Charge& charge, const ledger::Split& split, const Context& at) {
  return {.payment_id = charge.payment_id,
          .subject_id = charge.subject_id,
          .related_id = charge.related_id,
          .payer_id = charge.payer_id,
          .payee_id = charge.payee_id,
          .purpose = charge.purpose,
          .amount_cents = charge.amount_cents,
          .currency = at.policy.default_currency,
          .processor = ::ledger::v1::EnumNameProcessor(processor_of(charge.method)),
          .method = charge.method,
          .fee_cents = split.fee,
          .commission_cents = split.commission,
          .seller_cents = split.seller};
}

// ---- refunds

// What may still be refunded: captured, neither refunded nor asked for.
Cents refundable_cents(const PaymentState& s) { return s.captured_cents - s.returned_cents; }

Uuid next_refund_id(const PaymentState& s) {
  return derive_in_group("refund", s.payment_id, s.refund_count, bucket_of(s.payment_id));
}

NewEvent refund_requested(const PaymentState& s, Cents amount, std::string_view reason, FeeBearer bearer) {
  RefundRequested e{.payment_id = s.payment_id,
                    .refund_id = next_refund_id(s),
                    .amount_cents = amount,
                    .reason = std::string(reason),
                    .platform_bears_fee = bearer == FeeBearer::platform,
                    .wallet_id = is_paid_by_wallet(s) ? s.payer_id : Uuid{},
                    .currency = s.currency};
  if (s.late) {
    e.fee_cents = std::max(Cents{0}, amount - suspense_left(s));
    e.platform_bears_fee = true;
  } else if (keeps_books(s) && s.purpose != Purpose::subscription) {
    const auto parts = ledger::refund_parts(sale_of(s), amount);
    const auto held = ledger::held_of(s.unreleased_cents, parts.seller - (e.platform_bears_fee ? parts.fee : 0));
    e.commission_cents = parts.commission;
    e.fee_cents = parts.fee;
    e.from_pending_cents = held.pending;
    e.from_available_cents = held.available;
  }
  e.transfers = asked_back(s, Refund(e.refund_id, e.amount_cents, e.commission_cents, e.fee_cents, e.from_pending_cents,
                                     e.from_available_cents, RefundStatus::open, e.platform_bears_fee));
  return {stream_of(s.payment_id), std::move(e)};
}

// The sale was off when its money came.
std::vector<NewEvent> turn_away(const PaymentState& s, const std::string& external_id) {
  std::vector<NewEvent> events;
  PaymentState after = s;
  if (!keeps_books(s)) {
    PaymentCaptured e{
        .payment_id = s.payment_id, .amount_cents = s.amount_cents, .external_id = external_id, .currency = s.currency};
    apply(after, e);
    events.push_back({stream_of(s.payment_id), std::move(e)});
  } else {
    LatePaymentReceived e{.payment_id = s.payment_id,
                          .amount_cents = s.amount_cents,
                          .external_id = external_id,
                          .currency = s.currency,
                          .transfers = received_late(s)};
    apply(after, e);
    events.push_back({stream_of(s.payment_id), std::move(e)});
  }
  events.push_back(refund_requested(after, s.amount_cents, "it came too late", FeeBearer::platform));
  return events;
}

NewEvent payment_captured(const PaymentState& s, const std::string& external_id) {
  return {stream_of(s.payment_id), PaymentCaptured{.payment_id = s.payment_id,
                                                   .amount_cents = s.amount_cents,
                                                   .external_id = external_id,
                                                   .currency = s.currency,
                                                   .transfers = captured(s)}};
}

// When late money whose refund is refused now is asked back again; nobody else is owed what a refused refund leaves.
flatbuffers::Optional<Micros> retry_at(const PaymentState& s, Micros now) {
  if (!s.late || s.refusals >= max_refund_retries) return {};
  return now + (refund_retry_us << s.refusals);
}

// ---- disputes

// The seller's part of all that is left (ledger.md: K for R = T - A), from where it stands.
ledger::Held freezable(const PaymentState& s) {
  const bool seller = keeps_books(s) && s.purpose != Purpose::subscription && !s.late;
  if (!seller || is_frozen(s) || refundable_cents(s) <= 0) return {};
  return ledger::held_of(s.unreleased_cents, ledger::refund_parts(sale_of(s), refundable_cents(s)).seller);
}

// What was frozen goes back to where it stood, or to `available` if its release time has passed.
ledger::Held thawed_to(const PaymentState& s, Micros now) {
  const bool released = s.release_at > 0 && now >= s.release_at;
  if (released) return {0, s.frozen_pending_cents + s.frozen_available_cents};
  return {s.frozen_pending_cents, s.frozen_available_cents};
}

void fold_freeze(PaymentState& s, const Transfers& transfers) {
  for (const auto& t : transfers) {
    if (t.credit() != Account::frozen) continue;
    if (t.debit() == Account::pending) {
      s.frozen_pending_cents += t.amount_cents();
      s.unreleased_cents -= t.amount_cents();
    } else {
      s.frozen_available_cents += t.amount_cents();
    }
  }
}

void fold_thaw(PaymentState& s, const Transfers& transfers) {
  bool any = false;
  for (const auto& t : transfers) {
    if (t.debit() != Account::frozen) continue;
    any = true;
    if (t.credit() == Account::pending) s.unreleased_cents += t.amount_cents();
  }
  if (any) s.frozen_pending_cents = s.frozen_available_cents = 0;
}

// Of what has been captured; a dispute hides it.
Status settled_status(const PaymentState& s) {
  if (s.chargeback) return Status::disputed;
  // A-TU-10: refunded only when nothing is left.
  return s.refunded_cents == 0                 ? Status::captured
         : s.refunded_cents < s.captured_cents ? Status::partially_refunded
                                               : Status::refunded;
}

}  // namespace

// ---- for the decisions of what is sold

std::expected<NewEvent, Rejection> initiate(const Charge& charge, const Context& at, const View& view) {
  const bool wallet = charge.method == Method::wallet_balance;
  if (charge.method == Method::none || (wallet && charge.purpose == Purpose::subscription))
    return reject(Code::payment_method_not_allowed);
  const bool sold = charge.purpose != Purpose::subscription;  // There is a seller, and the platform's commission.
  const auto tier = sold ? effective_tier(view.get<SubscriptionState>(charge.payee_id)) : ::subscription::v1::Tier::basic;
  const auto commission_bp = sold ? at.policy.commission_bp.at(static_cast<std::size_t>(tier)) : 0;
  const auto rate = wallet ? ledger::FeeRate{} : charge.method == Method::paypal ? at.policy.paypal_fee : at.policy.stripe_fee;
  auto split = ledger::split_of(charge.amount_cents, rate, commission_bp);
  if (!split) return reject(Code::price_below_fee);
  // A-PA-22: of a subscription all but the fee is the platform's.
  if (!sold) *split = {.fee = split->fee, .commission = charge.amount_cents - split->fee};
  PaymentInitiated e = initiated(charge, *split, at);
  e.commission_bp = commission_bp;
  e.seller_tier = tier;
  e.auto_authorize = at.policy.auto_authorize && !wallet;
  return NewEvent{stream_of(charge.payment_id), std::move(e)};
}

std::vector<NewEvent> charged_by_provider(const Charge& charge, std::int64_t fee_cents, const std::string& external_id,
                                          const Context& at) {
  PaymentInitiated e = initiated(charge, {.fee = fee_cents, .commission = charge.amount_cents - fee_cents}, at);
  PaymentState s;
  apply(s, e);
  return {{stream_of(s.payment_id), std::move(e)},
          {stream_of(s.payment_id), PaymentAuthorized{.payment_id = s.payment_id, .external_id = external_id}},
          payment_captured(s, external_id)};
}

std::vector<NewEvent> capture_money(const Uuid& payment_id, const View& view) {
  if (view.get<PaymentState>(payment_id).captured_cents > 0) return {};
  return {{stream_of(payment_id), CaptureRequested{.payment_id = payment_id}}};
}

std::vector<NewEvent> return_money(const Uuid& payment_id, std::string_view reason, FeeBearer bearer, const Context&,
                                   const View& view) {
  const auto& s = view.get<PaymentState>(payment_id);
  switch (s.status) {
    case Status::captured:
    case Status::partially_refunded:
    case Status::disputed:
      if (refundable_cents(s) <= 0 || s.refund_owed) return {};
      if (is_frozen(s))
        return {{stream_of(payment_id), RefundPostponed{.payment_id = payment_id,
                                                        .reason = std::string(reason),
                                                        .platform_bears_fee = bearer == FeeBearer::platform}}};
      return {refund_requested(s, refundable_cents(s), reason, bearer)};
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

std::vector<NewEvent> start_hold(const Uuid& payment_id, const Context& at, const View& view) {
  const auto& s = view.get<PaymentState>(payment_id);
  if (!keeps_books(s) || s.release_at > 0) return {};
  return {{stream_of(payment_id), HoldStarted{.payment_id = payment_id, .release_at = at.now + at.policy.escrow_us}}};
}

bool is_after_hold(const PaymentState& s, Micros now) { return s.release_at > 0 && now >= s.release_at; }
bool is_charged_back(const PaymentState& s) { return s.chargeback; }
bool is_refundable(const PaymentState& s) { return !s.late && !s.refund_owed && refundable_cents(s) > 0; }

Transfers freeze(const Uuid& payment_id, const View& view) {
  const auto& s = view.get<PaymentState>(payment_id);
  return posting(s).move_held(s.payee_id, freezable(s), {Account::frozen, s.payee_id}).done();
}

Transfers thaw(const Uuid& payment_id, const Context& at, const View& view) {
  const auto& s = view.get<PaymentState>(payment_id);
  if (s.chargeback) return {};  // The freeze ends with its last cause.
  return posting(s).return_held(s.payee_id, thawed_to(s, at.now), {Account::frozen, s.payee_id}).done();
}

std::vector<NewEvent> return_thawed_money(const Uuid& payment_id, std::string_view reason, const Context& at, const View& view) {
  PaymentState after = view.get<PaymentState>(payment_id);
  const auto transfers = thaw(payment_id, at, view);
  fold_complaint(after, false, transfers);
  if (after.chargeback || refundable_cents(after) <= 0) return {};
  return {refund_requested(after, refundable_cents(after), reason, FeeBearer::seller)};
}

void fold_complaint(PaymentState& s, bool opened, const Transfers& transfers) {
  s.complaint = opened;
  if (opened) fold_freeze(s, transfers);
  else fold_thaw(s, transfers);
}

// ---- decide

Decision decide(const RecordAuthorized& c, const Context& at, const View& view) {
  if (const auto code = record_refusal(c.payment_id, at, view)) return reject(*code);
  const auto& s = view.get<PaymentState>(c.payment_id);
  if (s.authorized_cents > 0) return nothing_new(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  accepted.events.push_back(
      {stream_of(c.payment_id), PaymentAuthorized{.payment_id = c.payment_id, .external_id = c.external_id}});
  MoneyTaken taken = take_money(s, false, at, view);
  append(accepted.events, std::move(taken.events));
  if (!taken.wanted) accepted.events.push_back({stream_of(c.payment_id), CancelRequested{.payment_id = c.payment_id}});
  // A booking waits for its expert; what is bought is paid at once.
  else if (s.purpose != Purpose::booking)
    accepted.events.push_back({stream_of(c.payment_id), CaptureRequested{.payment_id = c.payment_id}});
  return accepted;
}

Decision decide(const RecordCaptured& c, const Context& at, const View& view) {
  if (const auto code = record_refusal(c.payment_id, at, view)) return reject(*code);
  const auto& s = view.get<PaymentState>(c.payment_id);
  if (s.captured_cents > 0) return nothing_new(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  auto& events = accepted.events;
  // Captured says authorized too: that message is late or lost, or the checkout took the money in one step.
  if (s.authorized_cents == 0)
    events.push_back({stream_of(c.payment_id), PaymentAuthorized{.payment_id = c.payment_id, .external_id = c.external_id}});
  const std::string& external_id = c.external_id.empty() ? s.external_id : c.external_id;
  PaymentState paid = s;  // A subscription keeps the processor's name for its payment.
  paid.external_id = external_id;
  MoneyTaken taken = take_money(paid, true, at, view);
  if (taken.wanted) {
    events.push_back(payment_captured(s, external_id));
    append(events, std::move(taken.events));
  } else {
    append(events, turn_away(s, external_id));
  }
  return accepted;
}

Decision decide(const RecordFailed& c, const Context& at, const View& view) {
  if (const auto code = record_refusal(c.payment_id, at, view)) return reject(*code);
  const auto& s = view.get<PaymentState>(c.payment_id);
  // It answers an authorization or a capture; anything else has been overtaken.
  const bool open = s.status == Status::pending || s.status == Status::processing || s.call == Call::capture;
  if (!open) return nothing_new(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  accepted.events.push_back({stream_of(c.payment_id), PaymentFailed{.payment_id = c.payment_id, .reason = c.reason}});
  append(accepted.events, lose_money(s, "payment failed", at, view));
  return accepted;
}

Decision decide(const RecordCancelled& c, const Context& at, const View& view) {
  if (const auto code = record_refusal(c.payment_id, at, view)) return reject(*code);
  const auto& s = view.get<PaymentState>(c.payment_id);
  const bool open = s.status == Status::pending || s.status == Status::processing || s.status == Status::authorized;
  if (!open) return nothing_new(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  accepted.events.push_back({stream_of(c.payment_id), PaymentCancelled{.payment_id = c.payment_id}});
  append(accepted.events, lose_money(s, "payment cancelled", at, view));  // An authorization that lapsed by itself.
  return accepted;
}

Decision decide(const RecordRefunded& c, const Context& at, const View& view) {
  if (const auto code = record_refusal(c.payment_id, at, view)) return reject(*code);
  const auto& s = view.get<PaymentState>(c.payment_id);
  const Refund* refund = find_refund(s, c.refund_id);
  if (refund == nullptr) return reject(Code::refund_not_found);
  Accepted accepted = nothing_new(c.payment_id);
  if (refund->status() != RefundStatus::open) return accepted;  // A repeat, or older than the failure that is known.
  accepted.events.push_back({stream_of(c.payment_id), PaymentRefunded{.payment_id = c.payment_id,
                                                                      .refund_id = c.refund_id,
                                                                      .amount_cents = refund->amount_cents(),
                                                                      .external_id = c.external_id,
                                                                      .currency = s.currency,
                                                                      .transfers = given_back(s, refund->amount_cents())}});
  if (s.refunded_cents + refund->amount_cents() == s.captured_cents) append(accepted.events, end_sale(s, at, view));
  return accepted;
}

Decision decide(const RecordRefundFailed& c, const Context& at, const View& view) {
  if (const auto code = record_refusal(c.payment_id, at, view)) return reject(*code);
  const auto& s = view.get<PaymentState>(c.payment_id);
  const Refund* refund = find_refund(s, c.refund_id);
  if (refund == nullptr) return reject(Code::refund_not_found);
  Accepted accepted = nothing_new(c.payment_id);
  if (refund->status() == RefundStatus::failed) return accepted;
  Transfers transfers;
  const bool was_refunded = refund->status() == RefundStatus::refunded;  // PY-9
  if (was_refunded) transfers = ledger::reversed(given_back(s, refund->amount_cents()));
  std::ranges::copy(ledger::reversed(asked_back(s, *refund)), std::back_inserter(transfers));
  accepted.events.push_back({stream_of(c.payment_id), RefundFailed{.payment_id = c.payment_id,
                                                                   .refund_id = c.refund_id,
                                                                   .amount_cents = refund->amount_cents(),
                                                                   .reason = c.reason,
                                                                   .was_refunded = was_refunded,
                                                                   .currency = s.currency,
                                                                   .transfers = std::move(transfers),
                                                                   .retry_at = retry_at(s, at.now)}});
  return accepted;
}

Decision decide(const RequestRefund& c, const Context& at, const View& view) {
  if (!view.exists<PaymentState>(c.payment_id)) return reject(Code::payment_not_found);
  const auto& s = view.get<PaymentState>(c.payment_id);
  if (!shows_to(s, at.actor)) return reject(Code::payment_not_found);
  if (!at.actor.trusted()) {
    if (!at.actor.is(s.payee_id)) return reject(s.purpose == Purpose::booking ? Code::expert_only : Code::seller_only);
    if (is_after_hold(s, at.now)) return reject(Code::admin_only, "The seven days of the seller's hold are over.");
  }
  if (s.captured_cents == 0) return reject(Code::payment_not_captured);
  if (is_frozen(s)) return reject(Code::payment_disputed);
  if (c.amount_cents > refundable_cents(s)) return reject(Code::amount_exceeds_captured);
  Accepted accepted = nothing_new(c.payment_id);
  accepted.events.push_back(refund_requested(s, c.amount_cents, c.reason, FeeBearer::seller));
  return accepted;
}

Decision decide(const RecordDisputeOpened& c, const Context& at, const View& view) {
  if (const auto code = record_refusal(c.payment_id, at, view)) return reject(*code);
  const auto& s = view.get<PaymentState>(c.payment_id);
  if (s.dispute_id == c.external_id) return nothing_new(c.payment_id);  // Opened before; decided since, perhaps.
  if (s.captured_cents == 0) return reject(Code::payment_not_captured);
  if (s.chargeback) return reject(Code::payment_disputed);
  const Cents left = refundable_cents(s);
  const auto held = freezable(s);
  DisputeOpened e{.payment_id = c.payment_id,
                  .external_id = c.external_id,
                  .reason = c.reason,
                  .amount_cents = left,
                  .dispute_fee_cents = at.policy.dispute_fee_cents,
                  .currency = s.currency};
  if (keeps_books(s)) {
    if (s.purpose != Purpose::subscription && !s.late && left > 0)
      e.commission_cents = ledger::refund_parts(sale_of(s), left).commission;
    e.transfers = posting(s)
                      .move({Account::disputes}, {Account::processor}, left)
                      .move_held(s.payee_id, held, {Account::frozen, s.payee_id})
                      .move({Account::costs}, {Account::processor}, e.dispute_fee_cents)
                      .done();
  }
  Accepted accepted = nothing_new(c.payment_id);
  accepted.events.push_back({stream_of(c.payment_id), std::move(e)});
  return accepted;
}

Decision decide(const RecordDisputeWon& c, const Context& at, const View& view) {
  if (const auto code = record_refusal(c.payment_id, at, view)) return reject(*code);
  const auto& s = view.get<PaymentState>(c.payment_id);
  if (s.dispute_id != c.external_id) return reject(Code::dispute_not_found);
  if (!s.chargeback) return nothing_new(c.payment_id);
  DisputeWon e{
      .payment_id = c.payment_id, .external_id = c.external_id, .amount_cents = s.disputed_cents, .currency = s.currency};
  if (keeps_books(s)) {
    Posting post = posting(s);
    post.move({Account::processor}, {Account::disputes}, s.disputed_cents);
    if (!s.complaint) post.return_held(s.payee_id, thawed_to(s, at.now), {Account::frozen, s.payee_id});
    e.transfers = post.done();
  }
  Accepted accepted = nothing_new(c.payment_id);
  PaymentState after = s;
  apply(after, e);
  accepted.events.push_back({stream_of(c.payment_id), std::move(e)});
  // The refund that had to wait.
  if (s.refund_owed && !s.complaint && refundable_cents(after) > 0)
    accepted.events.push_back(refund_requested(after, refundable_cents(after), s.owed_reason,
                                               s.owed_platform_bears_fee ? FeeBearer::platform : FeeBearer::seller));
  return accepted;
}

Decision decide(const RecordDisputeLost& c, const Context& at, const View& view) {
  if (const auto code = record_refusal(c.payment_id, at, view)) return reject(*code);
  const auto& s = view.get<PaymentState>(c.payment_id);
  if (s.dispute_id != c.external_id) return reject(Code::dispute_not_found);
  if (!s.chargeback) return nothing_new(c.payment_id);
  DisputeLost e{
      .payment_id = c.payment_id, .external_id = c.external_id, .amount_cents = s.disputed_cents, .currency = s.currency};
  if (keeps_books(s)) {
    const Posting::Side disputes{Account::disputes};
    Posting post = posting(s);
    if (s.purpose == Purpose::subscription) {
      post.move({Account::subscriptions}, disputes, s.disputed_cents);
    } else if (s.late) {
      const Cents waiting = std::min(suspense_left(s), s.disputed_cents);  // Its refund has failed before.
      post.move({Account::suspense, s.payment_id}, disputes, waiting)
          .move({Account::costs}, disputes, s.disputed_cents - waiting);
    } else {
      post.move({Account::frozen, s.payee_id}, disputes, s.frozen_pending_cents + s.frozen_available_cents)
          .move({Account::commission}, disputes, s.disputed_commission_cents);
      if (at.policy.seller_bears_dispute_fee) post.move({Account::available, s.payee_id}, {Account::costs}, s.dispute_fee_cents);
    }
    e.transfers = post.done();
  }
  Accepted accepted = nothing_new(c.payment_id);
  accepted.events.push_back({stream_of(c.payment_id), std::move(e)});
  append(accepted.events, end_sale(s, at, view));
  return accepted;
}

Decision decide(const RecordWalletPaid& c, const Context& at, const View& view) {
  if (at.actor.kind != ActorKind::system || !view.exists<PaymentState>(c.payment_id)) return reject(Code::payment_not_found);
  const auto& s = view.get<PaymentState>(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  if (s.status != Status::processing) return accepted;
  MoneyTaken taken = take_money(s, true, at, view);
  if (!taken.wanted) {
    accepted.events.push_back(
        {stream_of(c.payment_id),
         WalletPaymentReturned{
             .payment_id = c.payment_id, .payer_id = s.payer_id, .amount_cents = s.amount_cents, .currency = s.currency}});
    return accepted;
  }
  accepted.events.push_back({stream_of(c.payment_id), PaymentAuthorized{.payment_id = c.payment_id}});
  accepted.events.push_back(payment_captured(s, {}));
  append(accepted.events, std::move(taken.events));
  return accepted;
}

Decision decide(const RecordWalletRefused& c, const Context& at, const View& view) {
  if (at.actor.kind != ActorKind::system || !view.exists<PaymentState>(c.payment_id)) return reject(Code::payment_not_found);
  const auto& s = view.get<PaymentState>(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  if (s.status != Status::processing) return accepted;
  accepted.events.push_back({stream_of(c.payment_id), PaymentFailed{.payment_id = c.payment_id, .reason = c.reason}});
  append(accepted.events, lose_money(s, "payment failed", at, view));
  return accepted;
}

Decision decide(const ReleaseHold& c, const Context& at, const View& view) {
  if (at.actor.kind != ActorKind::system || !view.exists<PaymentState>(c.payment_id)) return reject(Code::payment_not_found);
  const auto& s = view.get<PaymentState>(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  // Refunded, or frozen, while its timer was on its way.
  if (s.unreleased_cents == 0 || !is_after_hold(s, at.now)) return accepted;
  accepted.events.push_back(
      {stream_of(c.payment_id),
       HoldReleased{
           .payment_id = c.payment_id,
           .amount_cents = s.unreleased_cents,
           .currency = s.currency,
           .transfers =
               posting(s).move({Account::pending, s.payee_id}, {Account::available, s.payee_id}, s.unreleased_cents).done()}});
  return accepted;
}

Decision decide(const RetryRefund& c, const Context& at, const View& view) {
  if (at.actor.kind != ActorKind::system || !view.exists<PaymentState>(c.payment_id)) return reject(Code::payment_not_found);
  const auto& s = view.get<PaymentState>(c.payment_id);
  Accepted accepted = nothing_new(c.payment_id);
  // Asked back, written off or charged back while its timer was on its way.
  if (s.retry_at == 0 || at.now < s.retry_at || is_frozen(s) || refundable_cents(s) <= 0) return accepted;
  accepted.events.push_back(refund_requested(s, refundable_cents(s), "it came too late", FeeBearer::platform));
  return accepted;
}

Decision decide(const WriteOffPayment& c, const Context& at, const View& view) {
  if (!view.exists<PaymentState>(c.payment_id)) return reject(Code::payment_not_found);
  const auto& s = view.get<PaymentState>(c.payment_id);
  if (!shows_to(s, at.actor)) return reject(Code::payment_not_found);
  if (!at.actor.trusted()) return reject(Code::admin_only);
  if (!s.late) return reject(Code::payment_not_late);
  if (suspense_left(s) <= 0) return nothing_new(c.payment_id);
  if (is_frozen(s)) return reject(Code::payment_disputed);
  Accepted accepted = nothing_new(c.payment_id);
  accepted.events.push_back(
      {stream_of(c.payment_id),
       PaymentWrittenOff{
           .payment_id = c.payment_id,
           .amount_cents = suspense_left(s),
           .reason = c.reason,
           .written_off_by = at.actor.account,
           .currency = s.currency,
           .transfers =
               posting(s).move({Account::suspense, s.payment_id}, {Account::adjustments}, suspense_left(s)).done()}});
  return accepted;
}

std::optional<StreamId> target(const RecordAuthorized& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordCaptured& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordFailed& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordCancelled& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordRefunded& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordRefundFailed& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RequestRefund& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordDisputeOpened& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordDisputeWon& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordDisputeLost& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordWalletPaid& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RecordWalletRefused& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const ReleaseHold& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const RetryRefund& c) { return stream_of(c.payment_id); }
std::optional<StreamId> target(const WriteOffPayment& c) { return stream_of(c.payment_id); }

// ---- apply

namespace {

// Answers a refund, and asks for the next one.
void settle(PaymentState& s, const Uuid& refund_id, RefundStatus status) {
  for (Refund& r : s.refunds)
    if (r.refund_id() == refund_id)
      r = Refund(refund_id, r.amount_cents(), r.commission_cents(), r.fee_cents(), r.from_pending_cents(),
                 r.from_available_cents(), status, r.platform_bears_fee());
  const auto answered = [](const Refund& r) { return r.status() != RefundStatus::open; };
  if (static_cast<std::size_t>(std::ranges::count_if(s.refunds, answered)) > remembered_refunds)
    s.refunds.erase(std::ranges::find_if(s.refunds, answered));
  s.call = std::ranges::all_of(s.refunds, answered) ? Call::none : Call::refund;
  s.status = settled_status(s);
}

}  // namespace

void apply(PaymentState& s, const PaymentInitiated& e) {
  s.payment_id = e.payment_id;
  s.subject_id = e.subject_id;
  s.related_id = e.related_id;
  s.payer_id = e.payer_id;
  s.payee_id = e.payee_id;
  s.purpose = e.purpose;
  s.method = e.method;
  s.amount_cents = e.amount_cents;
  s.fee_cents = e.fee_cents;
  s.commission_cents = e.commission_cents;
  s.currency = e.currency;
  s.processor = e.processor;
  s.status = e.auto_authorize || is_paid_by_wallet(s) ? Status::processing : Status::pending;
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
  if (!e.external_id.empty()) s.external_id = e.external_id;
  for (const auto& t : e.transfers)
    if (t.credit() == Account::pending) s.unreleased_cents += t.amount_cents();
  s.call = Call::none;
}

void apply(PaymentState& s, const LatePaymentReceived& e) {
  s.status = Status::captured;
  s.captured_cents = e.amount_cents;
  if (!e.external_id.empty()) s.external_id = e.external_id;
  s.late = true;
  s.call = Call::none;
}

void apply(PaymentState& s, const WalletPaymentReturned&) { s.status = Status::cancelled; }

void apply(PaymentState& s, const CancelRequested&) { s.call = Call::cancel; }

void apply(PaymentState& s, const PaymentCancelled&) {
  s.status = Status::cancelled;
  s.call = Call::none;
}

void apply(PaymentState& s, const HoldStarted& e) { s.release_at = e.release_at; }
void apply(PaymentState& s, const HoldReleased&) { s.unreleased_cents = 0; }

void apply(PaymentState& s, const RefundRequested& e) {
  s.refunds.emplace_back(e.refund_id, e.amount_cents, e.commission_cents, e.fee_cents, e.from_pending_cents,
                         e.from_available_cents, RefundStatus::open, e.platform_bears_fee);
  ++s.refund_count;
  s.returned_cents += e.amount_cents;
  s.commission_returned_cents += e.commission_cents;
  s.fee_borne_cents += e.fee_cents;
  s.unreleased_cents -= e.from_pending_cents;
  s.refund_owed = false;
  if (refundable_cents(s) <= 0) s.retry_at = 0;  // Else for what is left.
  s.call = Call::refund;
}

void apply(PaymentState& s, const RefundPostponed& e) {
  s.refund_owed = true;
  s.owed_reason = e.reason;
  s.owed_platform_bears_fee = e.platform_bears_fee;
}

void apply(PaymentState& s, const PaymentRefunded& e) {
  s.refunded_cents += e.amount_cents;
  s.refusals = 0;
  settle(s, e.refund_id, RefundStatus::refunded);
}

void apply(PaymentState& s, const RefundFailed& e) {
  if (const Refund* refund = find_refund(s, e.refund_id)) {
    if (refund->status() == RefundStatus::refunded) s.refunded_cents -= e.amount_cents;  // PY-9
    s.returned_cents -= refund->amount_cents();
    s.commission_returned_cents -= refund->commission_cents();
    s.fee_borne_cents -= refund->fee_cents();
    s.unreleased_cents += refund->from_pending_cents();
  }
  if (s.late) ++s.refusals;
  s.retry_at = e.retry_at.value_or(0);
  settle(s, e.refund_id, RefundStatus::failed);
}

// Like a refund of the rest: what of it was the processor's fee has been borne.
void apply(PaymentState& s, const PaymentWrittenOff& e) {
  const Cents rest = refundable_cents(s);
  s.returned_cents += rest;
  s.fee_borne_cents += rest - e.amount_cents;
  s.retry_at = 0;
}

void apply(PaymentState& s, const DisputeOpened& e) {
  fold_freeze(s, e.transfers);
  s.chargeback = true;
  s.dispute_id = e.external_id;
  s.disputed_cents = e.amount_cents;
  s.disputed_commission_cents = e.commission_cents;
  s.dispute_fee_cents = e.dispute_fee_cents;
  s.status = Status::disputed;
}

void apply(PaymentState& s, const DisputeWon& e) {
  fold_thaw(s, e.transfers);
  s.chargeback = false;
  s.status = settled_status(s);
}

void apply(PaymentState& s, const DisputeLost& e) {
  s.frozen_pending_cents = s.frozen_available_cents = 0;
  s.returned_cents += e.amount_cents;
  s.commission_returned_cents += s.disputed_commission_cents;
  if (s.late) {
    // A refund that was under way when the bank came may have been refused since: its part is still ours to return.
    for (const auto& t : e.transfers)
      if (t.debit() == Account::costs) s.fee_borne_cents += t.amount_cents();
  } else {
    s.fee_borne_cents = s.fee_cents;
  }
  s.refunded_cents += e.amount_cents;
  s.chargeback = false;
  s.refund_owed = false;
  s.status = settled_status(s);
}

// ---- reply, effect

AnyResource represent(const PaymentState& s, std::uint64_t version, const Uuid&) {
  return PaymentView{.id = s.payment_id,
                     .version = version,
                     .booking_id = s.purpose == Purpose::booking ? s.subject_id : Uuid{},
                     .status = s.status,
                     .amount_cents = s.amount_cents,
                     .amount_authorized = s.authorized_cents,
                     .amount_captured = s.captured_cents,
                     .amount_refunded = s.refunded_cents,
                     .currency = s.currency,
                     .purpose = s.purpose,
                     .subject_id = s.subject_id,
                     .payment_method = s.method};
}

bool shows_to(const PaymentState& s, const Actor& actor) {
  return actor.trusted() || actor.is(s.payer_id) || actor.is(s.payee_id);
}

std::vector<Timer> timers(const PaymentState& s) {
  std::vector<Timer> out;
  if (s.unreleased_cents > 0 && s.release_at > 0)
    out.push_back({"release", s.release_at, ReleaseHold{.payment_id = s.payment_id}});
  if (s.retry_at > 0 && !is_frozen(s) && refundable_cents(s) > 0)
    out.push_back({"refund", s.retry_at, RetryRefund{.payment_id = s.payment_id}});
  return out;
}

std::optional<Effect> effect(const PaymentState& s) {
  if (is_paid_by_wallet(s)) return std::nullopt;  // Its owner's group is told by reactions.
  const auto wanted = [&](const Uuid& id, std::int64_t amount_cents) {
    return Effect{.id = id,
                  .call = s.call,
                  .payment_id = s.payment_id,
                  .amount_cents = amount_cents,
                  .currency = s.currency,
                  .processor = s.processor,
                  .external_id = s.external_id};
  };
  // The provider's idempotency key: one for each call that this payment can ever want.
  const auto once = [&](std::string_view label) {
    return wanted(derive_in_group(label, s.payment_id, 0, bucket_of(s.payment_id)), s.amount_cents);
  };
  switch (s.call) {
    case Call::none:
    case Call::payout:
    case Call::bill: return std::nullopt;  // A payout's own, a subscription's own.
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
