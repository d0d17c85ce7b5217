#include "aggregates/order.h"

#include <algorithm>
#include <utility>

#include "aggregates/account.h"
#include "aggregates/service.h"

namespace guildhall {
namespace {

using namespace order;
using ::order::v1::By;
using ::order::v1::DisputeOutcome;
using ::order::v1::Status;
using ServiceStatus = ::service::v1::Status;

StreamId stream_of(const Uuid& order_id) { return {StreamKind::order, order_id}; }

Accepted nothing_new(const Uuid& order_id) { return {.subject = {stream_of(order_id)}}; }

Accepted accept(const Uuid& order_id, AnyEvent event) {
  Accepted out = nothing_new(order_id);
  out.events.push_back({stream_of(order_id), std::move(event)});
  return out;
}

Accepted accept(const Uuid& order_id, std::vector<NewEvent> events) {
  Accepted out = nothing_new(order_id);
  out.events = std::move(events);
  return out;
}

void append(std::vector<NewEvent>& events, std::vector<NewEvent>&& more) { std::ranges::move(more, std::back_inserter(events)); }

// ---- who asks

// As whom the actor stands to an order; nullopt is a stranger. An admin who is a party is no more than that.
std::optional<By> side_of(const Actor& actor, const OrderState& s) {
  if (actor.is(s.buyer_id)) return By::buyer;
  if (actor.is(s.seller_id)) return By::seller;
  if (actor.kind == ActorKind::system) return By::system;
  if (actor.trusted()) return By::admin;
  return std::nullopt;
}

// The order that a command names; strangers learn nothing of it (PA-76).
const OrderState* find(const Uuid& order_id, const Context& at, const View& view) {
  const auto& s = view.get<OrderState>(order_id);
  return view.exists<OrderState>(order_id) && side_of(at.actor, s) ? &s : nullptr;
}

// The order whose timer is due: nobody else sends that.
const OrderState* find_due(const Uuid& order_id, const Context& at, const View& view) {
  return at.actor.kind == ActorKind::system ? find(order_id, at, view) : nullptr;
}

// Why the actor may not do the buyer's or the seller's part.
std::optional<Code> refusal(const OrderState* s, By party, const Context& at) {
  if (s == nullptr) return Code::order_not_found;
  const bool buyers = party == By::buyer;
  if (at.actor.is(buyers ? s->buyer_id : s->seller_id) || at.actor.kind == ActorKind::service) return std::nullopt;
  return buyers ? Code::buyer_only : Code::seller_only;
}

// ---- how it stands

// Of a text and the files with it. The lengths part them: no two different contents are written the same.
Uuid digest(std::string_view text, const std::vector<std::string>& files = {}) {
  std::string all = std::to_string(text.size()) + ":" + std::string(text);
  for (const auto& file : files) all += std::to_string(file.size()) + ":" + file;
  return derive_root("order/said", all);
}

bool is_under_way(const OrderState& s) { return s.status == Status::in_progress || s.status == Status::revision_requested; }
bool is_final(const OrderState& s) {
  return s.status == Status::completed || s.status == Status::cancelled || s.status == Status::refunded;
}

bool is_cancellable(const OrderState& s, By side) {
  switch (side) {
    case By::buyer: return s.status == Status::pending || (is_under_way(s) && s.is_overdue);
    case By::seller: return s.status == Status::pending || s.status == Status::in_progress;
    case By::admin:
    case By::system: return !is_final(s);
  }
  std::unreachable();
}

// A chargeback has the money: nobody can give it back now.
bool has_chargeback(const OrderState& s, const View& view) {
  return !is_nil(s.payment_id) && is_charged_back(view.get<PaymentState>(s.payment_id));
}

bool is_answered(const OrderState& s) { return !is_nil(s.answer); }
// When the open complaint ends by itself.
Micros settled_at(const OrderState& s) { return is_answered(s) ? s.decide_by : std::min(s.answer_by, s.decide_by); }

// ---- what follows

Micros in_days(const OrderState& s, const Context& at) { return at.now + s.delivery_days * day_us; }

NewEvent order_paid(const Uuid& order_id, const Context& at) {
  return {stream_of(order_id), OrderPaid{.order_id = order_id, .start_by = at.now + at.policy.order_start_us}};
}

OrderDisputeResolved resolved(const OrderState& s, DisputeOutcome outcome, By by) {
  return {.order_id = s.order_id, .payment_id = s.payment_id, .outcome = outcome, .resolved_by = by, .currency = s.currency};
}

// The open complaint ends: the seller's money is free again.
NewEvent end_complaint(const OrderState& s, DisputeOutcome outcome, By by, const Context& at, const View& view) {
  OrderDisputeResolved e = resolved(s, outcome, by);
  // Never the instant at which the suspended timer may have fired in vain: a timer of the same name and instant fires once.
  if (outcome == DisputeOutcome::seller && s.status == Status::delivered) e.approve_by = std::max(s.approve_by, at.now);
  if (!is_nil(s.payment_id)) e.transfers = thaw(s.payment_id, at, view);
  return {stream_of(s.order_id), std::move(e)};
}

OrderCancelled cancelled(const OrderState& s, By by, std::string_view reason) {
  return {.order_id = s.order_id,
          .cancelled_by = by,
          .reason = std::string(reason),
          .status_before = s.status,
          .price_paid = s.is_paid && !is_nil(s.payment_id)};
}

// The order ends as `end` says and all its money goes back; with it an open complaint.
std::vector<NewEvent> give_back(const OrderState& s, AnyEvent end, By by, std::string_view reason, FeeBearer bearer,
                                const Context& at, const View& view) {
  std::vector<NewEvent> events;
  if (s.is_disputed) events.push_back(end_complaint(s, DisputeOutcome::buyer, by, at, view));
  events.push_back({stream_of(s.order_id), std::move(end)});
  if (is_nil(s.payment_id)) return events;
  append(events, s.is_disputed ? return_thawed_money(s.payment_id, reason, at, view)
                               : return_money(s.payment_id, reason, bearer, at, view));
  return events;
}

std::vector<NewEvent> refund(const OrderState& s, By by, const std::string& reason, const Context& at, const View& view) {
  return give_back(s, OrderRefunded{.order_id = s.order_id, .refunded_by = by, .reason = reason, .status_before = s.status}, by,
                   "order refunded", FeeBearer::seller, at, view);
}

// The order is done: the seller's money waits seven days more (A-PA-14).
std::vector<NewEvent> complete(const OrderState& s, By by, const Context& at, const View& view) {
  std::vector<NewEvent> events;
  if (s.is_disputed) events.push_back(end_complaint(s, DisputeOutcome::seller, by, at, view));
  events.push_back({stream_of(s.order_id),
                    OrderCompleted{.order_id = s.order_id, .completed_by = by, .hold_until = at.now + at.policy.escrow_us}});
  if (!is_nil(s.payment_id)) append(events, start_hold(s.payment_id, at, view));
  return events;
}

}  // namespace

// ---- decide

Decision decide(const PlaceOrder& c, const Context& at, const View& view) {
  const auto& offered = view.get<ServiceState>(c.service_id);
  // Of drafts and of what was deleted, nobody but its seller knows.
  if (!view.exists<ServiceState>(c.service_id) || offered.status == ServiceStatus::draft ||
      offered.status == ServiceStatus::deleted)
    return reject(Code::service_not_found);
  if (const auto code = buyer_refusal(c.buyer_id, offered.seller_id, at, view)) return reject(*code);
  if (offered.status != ServiceStatus::active) return reject(Code::service_not_active);
  const auto* package = find_package(offered, c.package_name);
  if (package == nullptr) return reject(Code::package_not_found);
  if (c.expected_price_cents && *c.expected_price_cents != package->price_cents) return reject(Code::price_changed);

  const bool free = package->price_cents == 0;
  const OrderPlaced placed{.order_id = at.mint("order"),
                           .service_id = c.service_id,
                           .service_title = offered.title,
                           .buyer_id = c.buyer_id,
                           .seller_id = offered.seller_id,
                           .package_name = package->name,
                           .price_cents = package->price_cents,
                           .currency = at.policy.default_currency,
                           .delivery_days = package->delivery_days,
                           .revisions_included = package->revisions,
                           .features = package->features,
                           .asks_requirements = !offered.buyer_requirements.empty(),
                           .payment_id = free ? Uuid{} : at.mint("payment"),
                           .pay_by = at.now + at.policy.checkout_us};
  Accepted accepted = accept(placed.order_id, placed);
  accepted.created = true;
  if (!c.requirements.empty() || !c.requirement_files.empty())
    accepted.events.push_back({stream_of(placed.order_id), RequirementsSubmitted{.order_id = placed.order_id,
                                                                                 .requirements = c.requirements,
                                                                                 .requirement_files = c.requirement_files}});
  if (free) {
    accepted.events.push_back(order_paid(placed.order_id, at));
    return accepted;
  }
  auto initiated = initiate({.payment_id = placed.payment_id,
                             .subject_id = placed.order_id,
                             .related_id = placed.order_id,
                             .payer_id = placed.buyer_id,
                             .payee_id = placed.seller_id,
                             .purpose = ::payment::v1::Purpose::order,
                             .amount_cents = placed.price_cents,
                             .method = c.payment_method},
                            at, view);
  if (!initiated) return std::unexpected(std::move(initiated.error()));
  accepted.events.push_back(std::move(*initiated));
  return accepted;
}

Decision decide(const SubmitRequirements& c, const Context& at, const View& view) {
  const auto* s = find(c.order_id, at, view);
  if (const auto code = refusal(s, By::buyer, at)) return reject(*code);
  if (s->requirements == digest(c.requirements, c.requirement_files)) return nothing_new(c.order_id);
  if (s->status != Status::pending) return reject(Code::order_not_pending);
  return accept(
      c.order_id,
      RequirementsSubmitted{.order_id = c.order_id, .requirements = c.requirements, .requirement_files = c.requirement_files});
}

Decision decide(const StartOrder& c, const Context& at, const View& view) {
  const auto* s = find(c.order_id, at, view);
  if (const auto code = refusal(s, By::seller, at)) return reject(*code);
  if (s->status == Status::in_progress) return nothing_new(c.order_id);
  if (s->status != Status::pending) return reject(Code::order_not_pending);
  if (!s->is_paid) return reject(Code::order_not_paid);
  if (s->asks_requirements && is_nil(s->requirements)) return reject(Code::requirements_missing);
  return accept(c.order_id, OrderStarted{.order_id = c.order_id, .due_at = in_days(*s, at)});
}

// Also while a complaint is open: who has delivered by its end wins it if nobody decides.
Decision decide(const DeliverOrder& c, const Context& at, const View& view) {
  const auto* s = find(c.order_id, at, view);
  if (const auto code = refusal(s, By::seller, at)) return reject(*code);
  if (s->status == Status::delivered && s->delivery == digest(c.delivery_notes, c.delivery_files)) return nothing_new(c.order_id);
  if (!is_under_way(*s)) return reject(Code::order_not_under_way);
  if (c.delivery_files.empty() && c.delivery_notes.empty()) return reject(Code::delivery_empty);
  return accept(c.order_id, OrderDelivered{.order_id = c.order_id,
                                           .delivery_files = c.delivery_files,
                                           .delivery_notes = c.delivery_notes,
                                           .approve_by = at.now + at.policy.order_approve_us});
}

Decision decide(const RequestRevision& c, const Context& at, const View& view) {
  const auto* s = find(c.order_id, at, view);
  if (const auto code = refusal(s, By::buyer, at)) return reject(*code);
  if (s->status == Status::revision_requested) return nothing_new(c.order_id);
  if (s->status != Status::delivered) return reject(Code::order_not_delivered);
  if (s->is_disputed) return reject(Code::order_disputed);
  if (s->revisions_used >= s->revisions_included) return reject(Code::revisions_used_up);
  return accept(
      c.order_id,
      RevisionRequested{
          .order_id = c.order_id, .reason = c.reason, .revisions_used = s->revisions_used + 1, .due_at = in_days(*s, at)});
}

Decision decide(const ApproveDelivery& c, const Context& at, const View& view) {
  const auto* s = find(c.order_id, at, view);
  if (const auto code = refusal(s, By::buyer, at)) return reject(*code);
  if (s->status == Status::completed && s->ended_by == By::buyer) return nothing_new(c.order_id);
  if (s->status != Status::delivered) return reject(Code::order_not_delivered);
  return accept(c.order_id, complete(*s, By::buyer, at, view));
}

Decision decide(const CancelOrder& c, const Context& at, const View& view) {
  const auto* s = find(c.order_id, at, view);
  if (s == nullptr) return reject(Code::order_not_found);
  const By side = *side_of(at.actor, *s);
  if (s->status == Status::cancelled && s->ended_by == side) return nothing_new(c.order_id);
  if (!is_cancellable(*s, side)) return reject(Code::order_not_cancellable);
  if (has_chargeback(*s, view)) return reject(Code::payment_disputed);
  const bool unstarted = s->status == Status::pending && side == By::buyer;
  return accept(c.order_id, give_back(*s, cancelled(*s, side, c.reason), side, "order cancelled",
                                      unstarted ? FeeBearer::platform : FeeBearer::seller, at, view));
}

Decision decide(const RefundOrder& c, const Context& at, const View& view) {
  const auto* s = find(c.order_id, at, view);
  if (s == nullptr) return reject(Code::order_not_found);
  const By side = *side_of(at.actor, *s);
  if (side == By::buyer) return reject(Code::seller_only);
  if (s->status == Status::refunded) return nothing_new(c.order_id);
  if (s->status == Status::cancelled) return reject(Code::order_not_refundable);
  if (side == By::seller) {
    if (s->status != Status::completed) return reject(Code::order_not_completed);
    if (at.now >= s->hold_until) return reject(Code::admin_only, "The seven days of the seller's hold are over.");
  }
  if (!s->is_paid) return reject(Code::order_not_paid);
  if (has_chargeback(*s, view)) return reject(Code::payment_disputed);
  return accept(c.order_id, refund(*s, side, c.reason, at, view));
}

Decision decide(const OpenDispute& c, const Context& at, const View& view) {
  const auto* s = find(c.order_id, at, view);
  if (const auto code = refusal(s, By::buyer, at)) return reject(*code);
  if (s->is_disputed) return nothing_new(c.order_id);
  if (s->status == Status::completed) {
    if (at.now >= s->hold_until) return reject(Code::hold_over);
  } else if (s->status == Status::pending || is_final(*s)) {
    return reject(Code::order_not_disputable);
  }
  OrderDisputed e{.order_id = c.order_id,
                  .payment_id = s->payment_id,
                  .reason = c.reason,
                  .answer_by = at.now + at.policy.complaint_answer_us,
                  .decide_by = at.now + at.policy.complaint_decide_us,
                  .currency = s->currency};
  if (!is_nil(s->payment_id)) e.transfers = freeze(s->payment_id, view);
  return accept(c.order_id, std::move(e));
}

Decision decide(const AnswerDispute& c, const Context& at, const View& view) {
  const auto* s = find(c.order_id, at, view);
  if (const auto code = refusal(s, By::seller, at)) return reject(*code);
  if (s->answer == digest(c.answer)) return nothing_new(c.order_id);
  if (!s->is_disputed) return reject(Code::order_not_disputed);
  return accept(c.order_id, OrderDisputeAnswered{.order_id = c.order_id, .answer = c.answer});
}

Decision decide(const ResolveDispute& c, const Context& at, const View& view) {
  const auto* s = find(c.order_id, at, view);
  if (s == nullptr) return reject(Code::order_not_found);
  if (side_of(at.actor, *s) != By::admin) return reject(Code::admin_only);
  if (!s->is_disputed && s->dispute_outcome == c.outcome) return nothing_new(c.order_id);
  if (!s->is_disputed) return reject(Code::order_not_disputed);
  if (c.outcome == DisputeOutcome::seller) return accept(c.order_id, {end_complaint(*s, c.outcome, By::admin, at, view)});
  if (has_chargeback(*s, view)) return reject(Code::payment_disputed);
  return accept(c.order_id, refund(*s, By::admin, "the complaint was decided for the buyer", at, view));
}

// What happened while the timer was on its way makes the four below say nothing.

Decision decide(const ExpireOrder& c, const Context& at, const View& view) {
  const auto* s = find_due(c.order_id, at, view);
  if (s == nullptr) return reject(Code::order_not_found);
  if (s->status != Status::pending || at.now < s->expires_at) return nothing_new(c.order_id);
  const std::string reason = s->is_paid ? "the seller did not start it in time" : "it was not paid in time";
  return accept(c.order_id,
                give_back(*s, cancelled(*s, By::system, reason), By::system, reason, FeeBearer::platform, at, view));
}

Decision decide(const MarkOverdue& c, const Context& at, const View& view) {
  const auto* s = find_due(c.order_id, at, view);
  if (s == nullptr) return reject(Code::order_not_found);
  if (!is_under_way(*s) || s->is_overdue || at.now < s->due_at) return nothing_new(c.order_id);
  return accept(c.order_id, OrderOverdue{.order_id = c.order_id});
}

Decision decide(const AutoCompleteOrder& c, const Context& at, const View& view) {
  const auto* s = find_due(c.order_id, at, view);
  if (s == nullptr) return reject(Code::order_not_found);
  if (s->status != Status::delivered || s->is_disputed || at.now < s->approve_by) return nothing_new(c.order_id);
  return accept(c.order_id, complete(*s, By::system, at, view));
}

Decision decide(const SettleDispute& c, const Context& at, const View& view) {
  const auto* s = find_due(c.order_id, at, view);
  if (s == nullptr) return reject(Code::order_not_found);
  if (!s->is_disputed || at.now < settled_at(*s)) return nothing_new(c.order_id);
  const bool is_delivered = s->status == Status::delivered || s->status == Status::completed;
  if (is_answered(*s) && is_delivered)
    return accept(c.order_id, {end_complaint(*s, DisputeOutcome::seller, By::system, at, view)});
  if (has_chargeback(*s, view)) {
    const Micros later = at.now + at.policy.complaint_answer_us;
    return accept(c.order_id,
                  OrderDisputeExtended{.order_id = c.order_id, .answer_by = later, .decide_by = std::max(s->decide_by, later)});
  }
  const char* reason = is_answered(*s) ? "the complaint was not decided in time" : "the complaint was not answered in time";
  return accept(c.order_id, refund(*s, By::system, reason, at, view));
}

// ---- the payment's questions

MoneyTaken take_order_money(const PaymentState& payment, bool captured, const Context& at, const View& view) {
  const auto& s = view.get<OrderState>(payment.subject_id);
  MoneyTaken taken{.wanted = s.status == Status::pending && !s.is_paid};
  if (taken.wanted && captured) taken.events.push_back(order_paid(s.order_id, at));
  return taken;
}

std::vector<NewEvent> lose_order_money(const PaymentState& payment, std::string_view reason, const Context&, const View& view) {
  const auto& s = view.get<OrderState>(payment.subject_id);
  if (s.status != Status::pending || s.is_paid) return {};
  return {{stream_of(s.order_id), cancelled(s, By::system, reason)}};
}

std::vector<NewEvent> order_refunded(const PaymentState& payment, const Context&, const View& view) {
  const auto& s = view.get<OrderState>(payment.subject_id);
  if (s.status == Status::cancelled || s.status == Status::refunded) return {};
  std::vector<NewEvent> events;
  // Nothing of the sale is left to thaw.
  if (s.is_disputed) events.push_back({stream_of(s.order_id), resolved(s, DisputeOutcome::buyer, By::system)});
  events.push_back({stream_of(s.order_id),
                    OrderRefunded{.order_id = s.order_id,
                                  .refunded_by = By::system,
                                  .reason = "its payment went back in full",
                                  .status_before = s.status}});
  return events;
}

std::optional<StreamId> target(const PlaceOrder&) { return std::nullopt; }
std::optional<StreamId> target(const SubmitRequirements& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const StartOrder& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const DeliverOrder& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const RequestRevision& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const ApproveDelivery& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const CancelOrder& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const RefundOrder& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const OpenDispute& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const AnswerDispute& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const ResolveDispute& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const ExpireOrder& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const MarkOverdue& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const AutoCompleteOrder& c) { return stream_of(c.order_id); }
std::optional<StreamId> target(const SettleDispute& c) { return stream_of(c.order_id); }

// ---- apply

void apply(OrderState& s, const OrderPlaced& e) {
  s.order_id = e.order_id;
  s.service_id = e.service_id;
  s.service_title = e.service_title;
  s.buyer_id = e.buyer_id;
  s.seller_id = e.seller_id;
  s.package_name = e.package_name;
  s.price_cents = e.price_cents;
  s.currency = e.currency;
  s.delivery_days = e.delivery_days;
  s.revisions_included = e.revisions_included;
  s.asks_requirements = e.asks_requirements;
  s.payment_id = e.payment_id;
  s.status = Status::pending;
  s.expires_at = e.pay_by;
}

void apply(OrderState& s, const RequirementsSubmitted& e) { s.requirements = digest(e.requirements, e.requirement_files); }

void apply(OrderState& s, const OrderPaid& e) {
  s.is_paid = true;
  s.expires_at = e.start_by;
}

void apply(OrderState& s, const OrderStarted& e) {
  s.status = Status::in_progress;
  s.due_at = e.due_at;
}

void apply(OrderState& s, const OrderDelivered& e) {
  s.status = Status::delivered;
  s.delivery = digest(e.delivery_notes, e.delivery_files);
  s.is_overdue = false;
  s.approve_by = e.approve_by;
}

void apply(OrderState& s, const RevisionRequested& e) {
  s.status = Status::revision_requested;
  s.revisions_used = e.revisions_used;
  s.due_at = e.due_at;
}

void apply(OrderState& s, const OrderOverdue&) { s.is_overdue = true; }

void apply(OrderState& s, const OrderCompleted& e) {
  s.status = Status::completed;
  s.ended_by = e.completed_by;
  s.hold_until = e.hold_until;
}

void apply(OrderState& s, const OrderCancelled& e) {
  s.status = Status::cancelled;
  s.ended_by = e.cancelled_by;
}

void apply(OrderState& s, const OrderRefunded& e) {
  s.status = Status::refunded;
  s.ended_by = e.refunded_by;
}

void apply(OrderState& s, const OrderDisputed& e) {
  s.is_disputed = true;
  s.answer = Uuid{};
  s.answer_by = e.answer_by;
  s.decide_by = e.decide_by;
}

void apply(OrderState& s, const OrderDisputeAnswered& e) { s.answer = digest(e.answer); }

void apply(OrderState& s, const OrderDisputeExtended& e) {
  s.answer_by = e.answer_by;
  s.decide_by = e.decide_by;
}

void apply(OrderState& s, const OrderDisputeResolved& e) {
  s.is_disputed = false;
  s.dispute_outcome = e.outcome;
  if (e.approve_by) s.approve_by = *e.approve_by;
}

// ---- reply, timers

AnyResource represent(const OrderState& s, std::uint64_t version, const Uuid&) {
  OrderView view{.id = s.order_id,
                 .version = version,
                 .status = s.status,
                 .is_disputed = s.is_disputed,
                 .service_id = s.service_id,
                 .service_title = s.service_title,
                 .buyer_id = s.buyer_id,
                 .seller_id = s.seller_id,
                 .package_name = s.package_name,
                 .price_cents = s.price_cents,
                 .currency = s.currency,
                 .delivery_days = s.delivery_days,
                 .revisions_included = s.revisions_included,
                 .revisions_used = s.revisions_used,
                 .payment_id = s.payment_id,
                 .is_paid = s.is_paid,
                 .is_overdue = is_under_way(s) && s.is_overdue};
  if (s.status == Status::pending) view.expires_at = s.expires_at;
  if (is_under_way(s)) view.due_at = s.due_at;
  if (s.status == Status::delivered) view.approve_by = s.approve_by;
  if (s.status == Status::completed) view.hold_until = s.hold_until;
  if (s.is_disputed) {
    view.answer_by = s.answer_by;
    view.decide_by = s.decide_by;
  }
  return view;
}

bool shows_to(const OrderState& s, const Actor& actor) { return side_of(actor, s).has_value(); }  // PA-76

std::vector<Timer> timers(const OrderState& s) {
  std::vector<Timer> out;
  if (s.status == Status::pending) out.push_back({"expire", s.expires_at, ExpireOrder{.order_id = s.order_id}});
  if (is_under_way(s) && !s.is_overdue) out.push_back({"overdue", s.due_at, MarkOverdue{.order_id = s.order_id}});
  if (s.status == Status::delivered && !s.is_disputed)
    out.push_back({"complete", s.approve_by, AutoCompleteOrder{.order_id = s.order_id}});
  if (s.is_disputed) out.push_back({"settle", settled_at(s), SettleDispute{.order_id = s.order_id}});
  return out;
}

}  // namespace guildhall
