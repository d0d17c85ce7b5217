#include "aggregates/plan_subscription.h"

#include <algorithm>

#include "aggregates/account.h"
#include "aggregates/ledger.h"
#include "aggregates/subscription.h"

namespace guildhall {
namespace {

using namespace plan_subscription;
using ledger::Account;
using ledger::Cents;
using ::plan::v1::PlanType;
using ::plan_subscription::state::Checkout;
using ::plan_subscription::v1::Cause;
using ::plan_subscription::v1::Status;
using ::subscription::v1::Interval;

StreamId stream_of(const Uuid& account) { return {StreamKind::plan_subscription, account}; }

Accepted nothing_new(const Uuid& account) { return {.subject = {stream_of(account)}}; }

Accepted accept(const Uuid& account, AnyEvent event) {
  Accepted out = nothing_new(account);
  out.events.push_back({stream_of(account), std::move(event)});
  return out;
}

// ---- what a state says

bool is_subscribed(const PlanSubscriptionState& s) {
  return s.status == Status::trialing || s.status == Status::active || s.status == Status::past_due || s.status == Status::unpaid;
}
bool has_periods(const PlanSubscriptionState& s) { return s.period_end != 0; }
bool is_paying(const PlanSubscriptionState& s) { return !is_nil(s.checkout.payment_id()); }
bool is_due(Micros instant, const Context& at) { return instant != 0 && at.now >= instant; }

// A renewal, or a failed one, that ends here or earlier tells of a period that is paid for.
bool is_paid_until(const PlanSubscriptionState& s, Micros period_end) { return period_end <= s.period_end + period_slack_us; }

bool is_known(const PlanSubscriptionState& s, const std::string& external_id) {
  return std::ranges::find(s.known_payments, external_id) != s.known_payments.end();
}

Interval interval_of(PlanType type) {
  switch (type) {
    case PlanType::monthly: return Interval::monthly;
    case PlanType::yearly: return Interval::annual;
    case PlanType::lifetime: return Interval::none;
  }
  std::unreachable();
}

const PlanSubscriptionState* own(const Uuid& account, const Context& at, const View& view) {
  return view.exists<PlanSubscriptionState>(account) && may_act_for(at.actor, account)
             ? &view.get<PlanSubscriptionState>(account)
             : nullptr;
}

// Of the provider's word, and of timers: nobody else learns of a subscription by them.
const PlanSubscriptionState* told(const Uuid& account, const Context& at, const View& view) {
  return view.exists<PlanSubscriptionState>(account) && at.actor.trusted() ? &view.get<PlanSubscriptionState>(account) : nullptr;
}

// ---- events that belong together

// An event of the running subscription.
template <class Event>
Event of(const PlanSubscriptionState& s) {
  return {.account_id = s.account_id, .subscription_id = s.subscription_id};
}

// The plan that waits for its payment does so no more.
std::vector<NewEvent> drop_checkout(const PlanSubscriptionState& s, std::string_view reason, const Context& at,
                                    const View& view) {
  std::vector<NewEvent> events{{stream_of(s.account_id), CheckoutEnded{.account_id = s.account_id,
                                                                       .subscription_id = s.checkout.subscription_id(),
                                                                       .payment_id = s.checkout.payment_id(),
                                                                       .reason = std::string(reason)}}};
  std::ranges::move(return_money(s.checkout.payment_id(), reason, FeeBearer::platform, at, view), std::back_inserter(events));
  return events;
}

NewEvent cancelled(const PlanSubscriptionState& s, Cause cause, const Context& at) {
  auto e = of<SubscriptionCancelled>(s);
  e.cause = cause;
  e.cancelled_at = at.now;
  return {stream_of(s.account_id), std::move(e)};
}

struct Paid {
  Uuid payment_id{};
  Cents amount_cents = 0, fee_cents = 0;
  std::string external_id;
};
NewEvent subscription_paid(const Uuid& account, const Uuid& subscription_id, const Paid& paid, const Context& at) {
  // What is smaller than its fee is all fee.
  const Cents fee = std::min(paid.fee_cents, paid.amount_cents);
  return {stream_of(account), SubscriptionPaid{.account_id = account,
                                               .subscription_id = subscription_id,
                                               .payment_id = paid.payment_id,
                                               .amount_cents = paid.amount_cents,
                                               .fee_cents = fee,
                                               .currency = at.policy.default_currency,
                                               .external_id = paid.external_id,
                                               .transfers = ledger::Posting(ledger::Processor::stripe)
                                                                .move({Account::processor}, {Account::subscriptions},
                                                                      paid.amount_cents - fee)
                                                                .move({Account::processor}, {Account::fees}, fee)
                                                                .done()}};
}

// Asks for the money. The plan waits for it: nobody has what is not paid for.
Decision check_out(const SubscribeToPlan& c, const PlanFact& plan, const Context& at, const View& view) {
  CheckoutStarted e{.account_id = c.account_id,
                    .subscription_id = at.mint("plan_subscription"),
                    .payment_id = at.mint("payment"),
                    .plan_id = c.plan_id,
                    .plan_type = plan.plan_type,
                    .price_cents = plan.price_cents,
                    .currency = plan.currency,
                    .level_access_limit = plan.level_access_limit,
                    .expires_at = at.now + at.policy.checkout_us};
  auto initiated = initiate({.payment_id = e.payment_id,
                             .subject_id = c.account_id,
                             .related_id = e.subscription_id,
                             .payer_id = c.account_id,
                             .purpose = ::payment::v1::Purpose::subscription,
                             .amount_cents = plan.price_cents,
                             .method = ledger::Method::card},
                            at, view);
  if (!initiated) return std::unexpected(std::move(initiated.error()));
  Accepted accepted = accept(c.account_id, std::move(e));
  accepted.events.push_back(std::move(*initiated));
  return accepted;
}

}  // namespace

std::optional<std::int32_t> plan_level_access(const PlanSubscriptionState& s) {
  const bool live = s.status == Status::trialing || s.status == Status::active || s.status == Status::past_due;
  return live ? std::optional(s.level_access_limit) : std::nullopt;
}

// ---- decide

Decision decide(const SubscribeToPlan& c, const Context& at, const View& view) {
  const auto& account = view.get<AccountState>(c.account_id);
  if (!is_registered(account) || !may_act_for(at.actor, c.account_id)) return reject(Code::account_not_found);
  const auto plan = view.directory().plan(c.plan_id);
  if (!plan) return reject(Code::plan_not_found);
  const auto& s = view.get<PlanSubscriptionState>(c.account_id);
  const bool goes_on = (s.status == Status::trialing || s.status == Status::active) && s.cancel_at == 0;
  if (goes_on && s.plan_id == c.plan_id) return nothing_new(c.account_id);
  if (is_paying(s) && s.checkout.plan_id() == c.plan_id) return nothing_new(c.account_id);
  if (is_held_back(at.actor, account)) return reject(Code::account_banned);
  if (is_subscribed(s)) return reject(Code::already_subscribed);
  if (is_paying(s)) return reject(Code::subscription_pending);
  if (!plan->is_active) return reject(Code::plan_not_active);
  if (c.expected_price_cents && *c.expected_price_cents != plan->price_cents) return reject(Code::price_changed);

  if (plan->trial_days > 0 && !s.trial_used) {
    const Micros end = at.now + plan->trial_days * day_us;
    return accept(c.account_id, TrialStarted{.account_id = c.account_id,
                                             .subscription_id = at.mint("plan_subscription"),
                                             .plan_id = c.plan_id,
                                             .plan_type = plan->plan_type,
                                             .price_cents = plan->price_cents,
                                             .currency = plan->currency,
                                             .level_access_limit = plan->level_access_limit,
                                             .period_start = at.now,
                                             .period_end = end,
                                             .overdue_at = end + unheard_us});
  }
  if (plan->price_cents > 0) return check_out(c, *plan, at, view);
  return accept(c.account_id, SubscriptionActivated{.account_id = c.account_id,
                                                    .subscription_id = at.mint("plan_subscription"),
                                                    .plan_id = c.plan_id,
                                                    .plan_type = plan->plan_type,
                                                    .currency = plan->currency,
                                                    .level_access_limit = plan->level_access_limit,
                                                    .period_start = at.now});
}

// A banned account may still end what it pays for.
Decision decide(const CancelPlanSubscription& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  Accepted accepted = nothing_new(c.account_id);
  if (s->cancel_at != 0) return accepted;
  if (is_paying(*s)) {
    accepted.events = drop_checkout(*s, "cancelled", at, view);
  } else if (is_subscribed(*s) && (!has_periods(*s) || at.now >= s->period_end)) {
    accepted.events.push_back(cancelled(*s, Cause::requested, at));
  } else if (is_subscribed(*s)) {
    auto e = of<CancelScheduled>(*s);
    e.cancel_at = s->period_end;
    accepted.events.push_back({stream_of(c.account_id), std::move(e)});
  }
  return accepted;
}

Decision decide(const UndoPlanCancel& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  if (is_subscribed(*s) && s->cancel_at == 0) return nothing_new(c.account_id);
  if (is_held_back(at.actor, view.get<AccountState>(c.account_id))) return reject(Code::account_banned);
  if (!is_subscribed(*s) || is_due(s->cancel_at, at)) return reject(Code::not_subscribed);
  return accept(c.account_id, of<CancelUndone>(*s));
}

Decision decide(const LinkPlanSubscription& c, const Context& at, const View& view) {
  const auto* s = told(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  if (s->stripe_subscription_id == c.stripe_subscription_id) return nothing_new(c.account_id);
  if (!is_subscribed(*s)) return reject(Code::not_subscribed);
  auto e = of<SubscriptionLinked>(*s);
  e.stripe_subscription_id = c.stripe_subscription_id;
  return accept(c.account_id, std::move(e));
}

Decision decide(const RecordPlanRenewal& c, const Context& at, const View& view) {
  const auto* s = told(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  if (is_known(*s, c.external_id)) return nothing_new(c.account_id);
  if (!is_subscribed(*s)) return reject(Code::not_subscribed);
  if (!has_periods(*s)) return reject(Code::plan_without_periods);
  if (is_paid_until(*s, c.period_end)) return nothing_new(c.account_id);
  // One period from the last end, or from now where the word of some never came: their time is given, and none is left out.
  const Micros after = std::max(s->period_end, at.now) + period_slack_us;
  if (c.period_end > period_end_after(s->anchor_at, interval_of(s->plan_type), after) + period_slack_us)
    return reject(Code::period_too_long);

  auto renewed = of<SubscriptionRenewed>(*s);
  renewed.period_start = s->period_end;
  renewed.period_end = c.period_end;
  renewed.overdue_at = c.period_end + unheard_us;
  if (s->cancel_at != 0) renewed.cancel_at = c.period_end;
  const Cents amount = c.amount_cents.value_or(s->price_cents);
  const Paid paid{at.mint("subscription_payment"), amount, ledger::fee_of(at.policy.stripe_fee, amount), c.external_id};
  Accepted accepted = accept(c.account_id, std::move(renewed));
  accepted.events.push_back(subscription_paid(c.account_id, s->subscription_id, paid, at));
  return accepted;
}

Decision decide(const RecordPlanPaymentFailed& c, const Context& at, const View& view) {
  const auto* s = told(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  // Paid for since, ended since, or told before: the first failure's days run on. What has no period is never past due (A-DR-23).
  const bool runs = (s->status == Status::trialing || s->status == Status::active) && has_periods(*s);
  if (!runs || is_known(*s, c.external_id) || is_paid_until(*s, c.period_end)) return nothing_new(c.account_id);
  auto e = of<SubscriptionPastDue>(*s);
  e.reason = c.reason;
  e.unpaid_at = at.now + at.policy.past_due_us;
  return accept(c.account_id, std::move(e));
}

// Each timer does all that is due: one that comes after another has done it finds nothing.
Decision decide(const EnforcePlanSubscription& c, const Context& at, const View& view) {
  const auto* s = told(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  Accepted accepted = nothing_new(c.account_id);
  if (is_paying(*s)) {
    if (is_due(s->checkout.expires_at(), at)) accepted.events = drop_checkout(*s, "no money came in time", at, view);
    return accepted;
  }
  const bool never_paid = s->status == Status::unpaid && is_due(s->deadline_at, at);
  if (never_paid || is_due(s->cancel_at, at)) {
    accepted.events.push_back(cancelled(*s, never_paid ? Cause::unpaid : Cause::requested, at));
  } else if (is_due(s->deadline_at, at) && s->status == Status::past_due) {
    auto e = of<SubscriptionUnpaid>(*s);
    e.ends_at = at.now + at.policy.unpaid_us;
    accepted.events.push_back({stream_of(c.account_id), std::move(e)});
  } else if (is_due(s->deadline_at, at)) {
    auto e = of<SubscriptionPastDue>(*s);
    e.reason = "no word of a payment";
    e.unpaid_at = at.now + at.policy.past_due_us;
    accepted.events.push_back({stream_of(c.account_id), std::move(e)});
  }
  return accepted;
}

// ---- for the payment

MoneyTaken take_plan_money(const PaymentState& payment, bool captured, const Context& at, const View& view) {
  const auto& s = view.get<PlanSubscriptionState>(payment.subject_id);
  if (!(s.checkout.payment_id() == payment.payment_id)) return {};
  MoneyTaken taken{.wanted = true, .events = {}};
  if (!captured) return taken;
  SubscriptionActivated e{.account_id = s.account_id,
                          .subscription_id = s.checkout.subscription_id(),
                          .plan_id = s.checkout.plan_id(),
                          .plan_type = s.checkout.plan_type(),
                          .price_cents = s.checkout.price_cents(),
                          .currency = payment.currency,
                          .level_access_limit = s.checkout.level_access_limit(),
                          .period_start = at.now};
  if (e.plan_type != PlanType::lifetime) {
    e.period_end = period_end_after(at.now, interval_of(e.plan_type), at.now);
    e.overdue_at = *e.period_end + unheard_us;
  }
  taken.events.push_back({stream_of(s.account_id), std::move(e)});
  const Paid paid{payment.payment_id, payment.amount_cents, payment.fee_cents, payment.external_id};
  taken.events.push_back(subscription_paid(s.account_id, s.checkout.subscription_id(), paid, at));
  return taken;
}

std::vector<NewEvent> lose_plan_money(const PaymentState& payment, std::string_view reason, const Context&, const View& view) {
  const auto& s = view.get<PlanSubscriptionState>(payment.subject_id);
  if (!(s.checkout.payment_id() == payment.payment_id)) return {};
  return {{stream_of(s.account_id), CheckoutEnded{.account_id = s.account_id,
                                                  .subscription_id = s.checkout.subscription_id(),
                                                  .payment_id = payment.payment_id,
                                                  .reason = std::string(reason)}}};
}

std::vector<NewEvent> plan_refunded(const PaymentState& payment, const Context& at, const View& view) {
  const auto& s = view.get<PlanSubscriptionState>(payment.subject_id);
  if (!is_subscribed(s) || !(s.paid_by == payment.payment_id)) return {};
  return {cancelled(s, Cause::refunded, at)};
}

std::optional<StreamId> target(const SubscribeToPlan& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const CancelPlanSubscription& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const UndoPlanCancel& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const LinkPlanSubscription& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const RecordPlanRenewal& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const RecordPlanPaymentFailed& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const EnforcePlanSubscription& c) { return stream_of(c.account_id); }

// ---- apply

namespace {

// A trial, or a first period. Nothing is left of the subscription before.
template <class Event>
void begin(PlanSubscriptionState& s, const Event& e) {
  s.account_id = e.account_id;
  s.subscription_id = e.subscription_id;
  s.plan_id = e.plan_id;
  s.plan_type = e.plan_type;
  s.price_cents = e.price_cents;
  s.level_access_limit = e.level_access_limit;
  s.period_start = e.period_start;
  s.trial_end = 0;
  s.cancelled_at = 0;
  s.checkout = Checkout();
  s.paid_by = Uuid();
  s.stripe_subscription_id.clear();
}

}  // namespace

void apply(PlanSubscriptionState& s, const CheckoutStarted& e) {
  s.account_id = e.account_id;
  s.checkout =
      Checkout(e.subscription_id, e.payment_id, e.plan_id, e.price_cents, e.expires_at, e.level_access_limit, e.plan_type);
}

void apply(PlanSubscriptionState& s, const CheckoutEnded&) { s.checkout = Checkout(); }

void apply(PlanSubscriptionState& s, const TrialStarted& e) {
  begin(s, e);
  s.status = Status::trialing;
  s.trial_used = true;
  s.trial_end = e.period_end;
  s.period_end = e.period_end;
  s.anchor_at = e.period_end;  // Paid periods follow each other from the trial's end.
  s.deadline_at = e.overdue_at;
}

void apply(PlanSubscriptionState& s, const SubscriptionActivated& e) {
  begin(s, e);
  s.status = Status::active;
  s.period_end = e.period_end.value_or(0);
  s.anchor_at = e.period_start;
  s.deadline_at = e.overdue_at.value_or(0);
}

void apply(PlanSubscriptionState& s, const SubscriptionPaid& e) {
  s.paid_by = e.payment_id;
  if (e.external_id.empty()) return;
  if (s.known_payments.size() == remembered_payments) s.known_payments.erase(s.known_payments.begin());
  s.known_payments.push_back(e.external_id);
}

void apply(PlanSubscriptionState& s, const SubscriptionRenewed& e) {
  s.status = Status::active;
  s.period_start = e.period_start;
  s.period_end = e.period_end;
  s.deadline_at = e.overdue_at;
  s.cancel_at = e.cancel_at.value_or(0);
}

void apply(PlanSubscriptionState& s, const CancelScheduled& e) { s.cancel_at = e.cancel_at; }
void apply(PlanSubscriptionState& s, const CancelUndone&) { s.cancel_at = 0; }

void apply(PlanSubscriptionState& s, const SubscriptionPastDue& e) {
  s.status = Status::past_due;
  s.deadline_at = e.unpaid_at;
}

void apply(PlanSubscriptionState& s, const SubscriptionUnpaid& e) {
  s.status = Status::unpaid;
  s.deadline_at = e.ends_at;
}

void apply(PlanSubscriptionState& s, const SubscriptionCancelled& e) {
  s.status = Status::cancelled;
  s.cancelled_at = e.cancelled_at;
  s.cancel_at = 0;
  s.deadline_at = 0;
}

void apply(PlanSubscriptionState& s, const SubscriptionLinked& e) { s.stripe_subscription_id = e.stripe_subscription_id; }

// ---- reply, timers

AnyResource represent(const PlanSubscriptionState& s, std::uint64_t version, const Uuid&) {
  PlanSubscriptionView view{.id = s.account_id,
                            .version = version,
                            .subscription_id = s.subscription_id,
                            .plan_id = s.plan_id,
                            .status = s.status,
                            .level_access_limit = s.level_access_limit,
                            .trial_used = s.trial_used,
                            .pending_payment_id = s.checkout.payment_id(),
                            .pending_plan_id = s.checkout.plan_id()};
  const auto show = [](auto& field, Micros instant) {
    if (instant != 0) field = instant;
  };
  show(view.current_period_start, s.period_start);
  show(view.current_period_end, s.period_end);
  show(view.trial_end, s.trial_end);
  show(view.cancel_at, s.cancel_at);
  show(view.cancelled_at, s.cancelled_at);
  return view;
}

bool shows_to(const PlanSubscriptionState& s, const Actor& actor) { return may_act_for(actor, s.account_id); }  // A-DR-30

std::vector<Timer> timers(const PlanSubscriptionState& s) {
  std::vector<Timer> out;
  const auto want = [&](std::string_view name, Micros due) {
    if (due != 0) out.push_back({name, due, EnforcePlanSubscription{.account_id = s.account_id}});
  };
  if (is_paying(s)) want("checkout", s.checkout.expires_at());
  want("cancel", s.cancel_at);
  want("deadline", s.deadline_at);
  return out;
}

}  // namespace guildhall
