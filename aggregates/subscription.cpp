#include "aggregates/subscription.h"

#include <algorithm>
#include <chrono>

#include "aggregates/account.h"
#include "aggregates/ledger.h"

namespace guildhall {
namespace {

using namespace subscription;
using ledger::Account;
using ledger::Cents;
using ::payment::v1::Purpose;
using ::subscription::state::Bill;
using ::subscription::state::Checkout;
using ::subscription::state::NextPlan;
using ::subscription::v1::Cause;
using ::subscription::v1::Interval;
using ::subscription::v1::Status;
using ::subscription::v1::Tier;

StreamId stream_of(const Uuid& account) { return {StreamKind::subscription, account}; }

Accepted nothing_new(const Uuid& account) { return {.subject = {stream_of(account)}}; }

Accepted accept(const Uuid& account, AnyEvent event) {
  Accepted out = nothing_new(account);
  out.events.push_back({stream_of(account), std::move(event)});
  return out;
}

void append(std::vector<NewEvent>& events, std::vector<NewEvent>&& more) { std::ranges::move(more, std::back_inserter(events)); }

// ---- what a state says

struct Plan {
  Tier tier{};
  Interval interval{};
  friend bool operator==(const Plan&, const Plan&) = default;
};

Plan plan_of(const SubscriptionState& s) { return {s.tier, s.interval}; }

bool is_subscribed(const SubscriptionState& s) { return s.tier != Tier::basic && !s.is_partner; }
bool is_paying(const SubscriptionState& s) { return !is_nil(s.checkout.payment_id()) && !s.checkout.lapsed(); }
bool is_billing(const SubscriptionState& s) { return s.bill.period_end() != 0; }
bool is_change_scheduled(const SubscriptionState& s) { return s.next.effective_at() != 0; }
Plan next_plan(const SubscriptionState& s) {
  return is_change_scheduled(s) ? Plan{s.next.tier(), s.next.interval()} : plan_of(s);
}

bool is_due(Micros instant, const Context& at) { return instant != 0 && at.now >= instant; }

// A renewal, or a failed one, that ends here or earlier tells of a period that is paid for.
bool is_paid_until(const SubscriptionState& s, Micros period_end) { return period_end <= s.period_end + period_slack_us; }

bool is_known(const SubscriptionState& s, const std::string& external_id) {
  return std::ranges::find(s.known_payments, external_id) != s.known_payments.end();
}

// 0: it is not for sale.
Cents price_of(const Plan& plan, const PlatformPolicy& policy) {
  if (plan.interval == Interval::none) return 0;
  return policy.subscription_prices.at(static_cast<std::size_t>(plan.tier)).at(plan.interval == Interval::annual ? 1 : 0);
}

// Neither part of it gets less, so its price is no lower, and the credit is used up.
bool is_upgrade(const Plan& from, const Plan& to) { return to.tier >= from.tier && to.interval >= from.interval; }

// The subscription that a command names, unless it is absent or another's (PA-39).
const SubscriptionState* own(const Uuid& account, const Context& at, const View& view) {
  return view.exists<SubscriptionState>(account) && may_act_for(at.actor, account) ? &view.get<SubscriptionState>(account)
                                                                                   : nullptr;
}

// Of the provider's word, and of timers: nobody else learns of a subscription by them.
const SubscriptionState* told(const Uuid& account, const Context& at, const View& view) {
  return view.exists<SubscriptionState>(account) && at.actor.trusted() ? &view.get<SubscriptionState>(account) : nullptr;
}

// ---- the calendar

using UtcTime = std::chrono::sys_time<std::chrono::microseconds>;

std::chrono::year_month_day date_of(Micros instant) {
  return std::chrono::floor<std::chrono::days>(UtcTime(std::chrono::microseconds(instant)));
}

Micros months_after(Micros anchor, int months) {
  const UtcTime from{std::chrono::microseconds(anchor)};
  const auto midnight = std::chrono::floor<std::chrono::days>(from);
  auto date = std::chrono::year_month_day(midnight) + std::chrono::months(months);
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;
  return (std::chrono::sys_days(date) + (from - midnight)).time_since_epoch() / std::chrono::microseconds(1);
}

// ---- events that belong together

// The plan that waits for its payment does so no more.
std::vector<NewEvent> drop_checkout(const SubscriptionState& s, std::string_view reason, const Context& at, const View& view) {
  if (is_nil(s.checkout.payment_id())) return {};
  std::vector<NewEvent> events{
      {stream_of(s.account_id),
       CheckoutFailed{.account_id = s.account_id, .payment_id = s.checkout.payment_id(), .reason = std::string(reason)}}};
  append(events, return_money(s.checkout.payment_id(), reason, FeeBearer::platform, at, view));
  return events;
}

NewEvent basic_started(const Uuid& account) {
  return {stream_of(account), SubscriptionStarted{.account_id = account, .tier = Tier::basic}};
}

std::vector<NewEvent> cancelled(const SubscriptionState& s, Cause cause, const Context& at, const View& view) {
  auto events = drop_checkout(s, "the subscription has ended", at, view);
  events.push_back({stream_of(s.account_id), SubscriptionCancelled{.account_id = s.account_id,
                                                                   .cause = cause,
                                                                   .cancelled_at = at.now,
                                                                   .stripe_subscription_id = s.stripe_subscription_id}});
  return events;
}

// The end, and the basic start that follows it (A-PA-51).
std::vector<NewEvent> ended(const SubscriptionState& s, Cause cause, const Context& at, const View& view) {
  auto events = cancelled(s, cause, at, view);
  events.push_back(basic_started(s.account_id));
  return events;
}

// What was paid for a period that begins, by whom it was taken: a payment of ours or the provider's billing.
struct Paid {
  Uuid payment_id{};
  Cents amount_cents = 0, fee_cents = 0;
  std::string external_id;
};
NewEvent subscription_paid(const Uuid& account, const Plan& plan, const Paid& paid, Micros start, Micros end, const Context& at) {
  return {stream_of(account),
          SubscriptionPaid{.account_id = account,
                           .payment_id = paid.payment_id,
                           .tier = plan.tier,
                           .interval = plan.interval,
                           .period_start = start,
                           .period_end = end,
                           .amount_cents = paid.amount_cents,
                           .fee_cents = paid.fee_cents,
                           .currency = at.policy.default_currency,
                           .external_id = paid.external_id,
                           .transfers = ledger::Posting(ledger::Processor::stripe)
                                            .move({Account::processor}, {Account::subscriptions},
                                                  paid.amount_cents - paid.fee_cents)
                                            .move({Account::processor}, {Account::fees}, paid.fee_cents)
                                            .done()}};
}

Charge charge_of(const Uuid& account, const Uuid& payment_id, Cents amount_cents) {
  return {.payment_id = payment_id,
          .subject_id = account,
          .related_id = account,
          .payer_id = account,
          .purpose = Purpose::subscription,
          .amount_cents = amount_cents,
          .method = ledger::Method::card};
}

NewEvent plan_changed(const SubscriptionState& s, const Plan& to, Cents credit_cents) {
  return {stream_of(s.account_id), PlanChanged{.account_id = s.account_id,
                                               .tier = to.tier,
                                               .interval = to.interval,
                                               .previous_tier = s.tier,
                                               .previous_interval = s.interval,
                                               .credit_cents = credit_cents}};
}

// The new plan, and a fresh period of it from now.
std::vector<NewEvent> upgraded(const SubscriptionState& s, const Plan& to, Cents price_cents, Cents credit_cents,
                               const Context& at) {
  const Micros end = period_end_after(at.now, to.interval, at.now);
  return {plan_changed(s, to, credit_cents),
          {stream_of(s.account_id), SubscriptionRenewed{.account_id = s.account_id,
                                                        .price_cents = price_cents,
                                                        .period_start = at.now,
                                                        .period_end = end,
                                                        .anchor_at = at.now,
                                                        .overdue_at = end + unheard_us}}};
}

// The sandbox is asked for the next period: of the plan that begins with it, from the last end, or from now if that is long ago.
NewEvent billing_requested(const SubscriptionState& s, const Context& at) {
  const Plan plan = next_plan(s);
  return {stream_of(s.account_id),
          BillingRequested{.account_id = s.account_id,
                           .period_end = period_end_after(s.anchor_at, plan.interval, std::max(s.period_end, at.now)),
                           .amount_cents = price_of(plan, at.policy),
                           .currency = at.policy.default_currency,
                           .overdue_at = at.now + unheard_us}};
}

// Asks for the money. The plan waits for it: nobody has a tier that is not paid for.
Decision check_out(const Uuid& account, const Plan& plan, Cents price_cents, Cents credit_cents, const Context& at,
                   const View& view) {
  const Uuid payment_id = at.mint("payment");
  auto initiated = initiate(charge_of(account, payment_id, price_cents - credit_cents), at, view);
  if (!initiated) return std::unexpected(std::move(initiated.error()));
  Accepted accepted = accept(account, CheckoutStarted{.account_id = account,
                                                      .payment_id = payment_id,
                                                      .tier = plan.tier,
                                                      .interval = plan.interval,
                                                      .price_cents = price_cents,
                                                      .credit_cents = credit_cents,
                                                      .amount_cents = price_cents - credit_cents,
                                                      .currency = at.policy.default_currency,
                                                      .expires_at = at.now + at.policy.checkout_us});
  accepted.events.push_back(std::move(*initiated));
  return accepted;
}

}  // namespace

// ---- rights, periods, credit

Tier effective_tier(const SubscriptionState& s) {
  if (s.is_partner) return Tier::ultimate;
  return s.status == Status::unpaid || s.status == Status::cancelled ? Tier::basic : s.tier;
}

Micros period_end_after(Micros anchor, Interval interval, Micros after) {
  const int step = interval == Interval::annual ? 12 : 1;
  const auto first = date_of(anchor), last = date_of(after);
  const auto between = static_cast<int>((last.year() / last.month() - first.year() / first.month()).count());
  // Whole periods up to the month of `after`: the end wanted is theirs, or the next one.
  int periods = std::max(1, between / step);
  while (months_after(anchor, periods * step) <= after) ++periods;
  return months_after(anchor, periods * step);
}

std::int64_t credit_of(std::int64_t price_cents, Micros period_start, Micros period_end, Micros now) {
  const Micros period = period_end - period_start;
  if (period <= 0) return 0;
  const Micros remaining = std::clamp(period_end - now, Micros{0}, period);
  return static_cast<std::int64_t>(static_cast<__int128>(price_cents) * remaining / period);
}

// ---- decide

Decision decide(const Subscribe& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  if (is_held_back(at.actor, view.get<AccountState>(c.account_id))) return reject(Code::account_banned);
  const Plan wanted{c.tier, c.interval};
  const bool goes_on = s->status == Status::active && s->cancel_at == 0 && !is_change_scheduled(*s);
  if (is_subscribed(*s) && goes_on && plan_of(*s) == wanted) return nothing_new(c.account_id);
  if (s->is_partner) return reject(Code::partner_account);
  if (is_subscribed(*s)) return reject(Code::already_subscribed);
  if (is_paying(*s)) return reject(Code::subscription_pending);
  const Cents price = price_of(wanted, at.policy);
  if (price == 0) return reject(Code::plan_not_offered);
  if (c.expected_price_cents && *c.expected_price_cents != price) return reject(Code::price_changed);
  if (!c.trial) return check_out(c.account_id, wanted, price, 0, at, view);
  if (s->trial_used) return reject(Code::trial_used);
  const Micros end = at.now + at.policy.trial_us;
  return accept(c.account_id, TrialStarted{.account_id = c.account_id,
                                           .tier = c.tier,
                                           .interval = c.interval,
                                           .period_start = at.now,
                                           .period_end = end,
                                           .overdue_at = end + unheard_us});
}

Decision decide(const ChangePlan& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  if (is_held_back(at.actor, view.get<AccountState>(c.account_id))) return reject(Code::account_banned);
  const Plan wanted{c.tier, c.interval};
  if (is_subscribed(*s) && next_plan(*s) == wanted) return nothing_new(c.account_id);
  if (s->is_partner) return reject(Code::partner_account);
  if (!is_subscribed(*s)) return reject(Code::not_subscribed);
  if (is_paying(*s) || is_billing(*s)) return reject(Code::subscription_pending);
  if (s->status != Status::active) return reject(Code::subscription_past_due);
  if (s->cancel_at != 0) return reject(Code::subscription_ending);
  const Cents price = price_of(wanted, at.policy);
  if (price == 0) return reject(Code::plan_not_offered);
  if (c.expected_price_cents && *c.expected_price_cents != price) return reject(Code::price_changed);

  if (plan_of(*s) == wanted) return accept(c.account_id, PlanChangeWithdrawn{.account_id = c.account_id});
  if (!is_upgrade(plan_of(*s), wanted))
    return accept(
        c.account_id,
        PlanChangeScheduled{.account_id = c.account_id, .tier = c.tier, .interval = c.interval, .effective_at = s->period_end});
  // A platform whose prices fall with the tier still never owes anything: the credit ends with the price.
  const Cents credit = std::min(credit_of(s->price_cents, s->period_start, s->period_end, at.now), price);
  if (price - credit >= at.policy.min_price_cents) return check_out(c.account_id, wanted, price, credit, at, view);
  Accepted accepted = nothing_new(c.account_id);
  accepted.events = upgraded(*s, wanted, price, credit, at);
  return accepted;
}

// A banned account may still end what it pays for.
Decision decide(const CancelSubscription& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  Accepted accepted = nothing_new(c.account_id);
  if (s->cancel_at != 0) return accepted;
  if (s->is_partner) return reject(Code::partner_account);
  // While the next period is being billed its money may be on the way: the answer decides.
  if (is_subscribed(*s) && at.now >= s->period_end && !is_billing(*s)) {
    accepted.events = ended(*s, Cause::requested, at, view);
    return accepted;
  }
  accepted.events = drop_checkout(*s, "cancelled", at, view);
  if (is_subscribed(*s))
    accepted.events.push_back({stream_of(c.account_id), CancelScheduled{.account_id = c.account_id, .cancel_at = s->period_end}});
  return accepted;
}

Decision decide(const UndoCancel& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  if (is_held_back(at.actor, view.get<AccountState>(c.account_id))) return reject(Code::account_banned);
  if (is_subscribed(*s) && s->cancel_at == 0) return nothing_new(c.account_id);
  if (s->is_partner) return reject(Code::partner_account);
  if (!is_subscribed(*s) || is_due(s->cancel_at, at)) return reject(Code::not_subscribed);
  return accept(c.account_id, CancelUndone{.account_id = c.account_id});
}

Decision decide(const LinkSubscription& c, const Context& at, const View& view) {
  const auto* s = told(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  const auto known_or = [](const std::string& given, const std::string& known) { return given.empty() ? known : given; };
  SubscriptionLinked e{.account_id = c.account_id,
                       .stripe_subscription_id = known_or(c.stripe_subscription_id, s->stripe_subscription_id),
                       .stripe_customer_id = known_or(c.stripe_customer_id, s->stripe_customer_id),
                       .stripe_price_id = known_or(c.stripe_price_id, s->stripe_price_id)};
  if (e.stripe_subscription_id == s->stripe_subscription_id && e.stripe_customer_id == s->stripe_customer_id &&
      e.stripe_price_id == s->stripe_price_id)
    return nothing_new(c.account_id);
  if (s->is_partner) return reject(Code::partner_account);
  // Of what has ended nothing is noted any more; the customer outlives a subscription (A-PA-51).
  const bool of_plan = !c.stripe_subscription_id.empty() || !c.stripe_price_id.empty();
  if (of_plan && !is_subscribed(*s) && !is_paying(*s)) return reject(Code::not_subscribed);
  return accept(c.account_id, std::move(e));
}

Decision decide(const RecordRenewal& c, const Context& at, const View& view) {
  const auto* s = told(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  if (is_known(*s, c.external_id)) return nothing_new(c.account_id);
  if (s->is_partner) return reject(Code::partner_account);
  if (!is_subscribed(*s)) return reject(Code::not_subscribed);
  if (is_paid_until(*s, c.period_end)) return nothing_new(c.account_id);
  const Plan plan = next_plan(*s);
  // One period from the last end, or from now where the word of some never came: their time is given, and none is left out.
  const Micros after = std::max(s->period_end, at.now) + period_slack_us;
  if (c.period_end > period_end_after(s->anchor_at, plan.interval, after) + period_slack_us) return reject(Code::period_too_long);

  const Cents amount = c.amount_cents.value_or(price_of(plan, at.policy));
  Accepted accepted = nothing_new(c.account_id);
  auto& events = accepted.events;
  // An upgrade under way has its price from the period that is over now.
  events = drop_checkout(*s, "the period was renewed", at, view);
  if (amount > 0) {
    // What is smaller than its fee is all fee.
    const Cents fee = std::min(ledger::fee_of(at.policy.stripe_fee, amount), amount);
    const Paid paid{at.mint("subscription_payment"), amount, fee, c.external_id};
    append(events, charged_by_provider(charge_of(c.account_id, paid.payment_id, amount), fee, c.external_id, at));
    events.push_back(subscription_paid(c.account_id, plan, paid, s->period_end, c.period_end, at));
  }
  if (is_due(s->next.effective_at(), at)) events.push_back(plan_changed(*s, plan, 0));
  SubscriptionRenewed renewed{.account_id = c.account_id,
                              .price_cents = amount,
                              .period_start = s->period_end,
                              .period_end = c.period_end,
                              .anchor_at = s->anchor_at,
                              .overdue_at = c.period_end + unheard_us};
  if (s->cancel_at != 0) renewed.cancel_at = c.period_end;
  events.push_back({stream_of(c.account_id), std::move(renewed)});
  return accepted;
}

Decision decide(const RecordPaymentFailed& c, const Context& at, const View& view) {
  const auto* s = told(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  Accepted accepted = nothing_new(c.account_id);
  // Paid for since or ended since.
  if (is_known(*s, c.external_id) || !is_subscribed(*s) || is_paid_until(*s, c.period_end)) return accepted;
  auto& events = accepted.events;
  if (s->bill.period_end() == c.period_end) {
    events.push_back({stream_of(c.account_id),
                      BillingFailed{.account_id = c.account_id, .period_end = c.period_end, .reason = c.reason}});
    if (is_due(s->cancel_at, at)) {
      append(events, ended(*s, Cause::requested, at, view));
      return accepted;
    }
  }
  // Told before: the first failure's days run on.
  if (s->status == Status::active)
    events.push_back({stream_of(c.account_id), SubscriptionPastDue{.account_id = c.account_id,
                                                                   .reason = c.reason,
                                                                   .unpaid_at = at.now + at.policy.past_due_us}});
  return accepted;
}

Decision decide(const GrantPartner& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  if (!at.actor.trusted()) return reject(Code::admin_only);
  Accepted accepted = nothing_new(c.account_id);
  if (s->is_partner) return accepted;
  accepted.events =
      is_subscribed(*s) ? cancelled(*s, Cause::partner, at, view) : drop_checkout(*s, "a partner pays nothing", at, view);
  accepted.events.push_back(
      {stream_of(c.account_id), PartnerGranted{.account_id = c.account_id, .granted_by = at.actor.account}});
  return accepted;
}

Decision decide(const RevokePartner& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  if (!at.actor.trusted()) return reject(Code::admin_only);
  if (!s->is_partner) return nothing_new(c.account_id);
  Accepted accepted = accept(c.account_id, PartnerRevoked{.account_id = c.account_id, .revoked_by = at.actor.account});
  accepted.events.push_back(basic_started(c.account_id));
  return accepted;
}

// Each timer does all that is due: one that comes after another has done it finds nothing.
Decision decide(const EnforceSubscription& c, const Context& at, const View& view) {
  const auto* s = told(c.account_id, at, view);
  if (!s) return reject(Code::subscription_not_found);
  Accepted accepted = nothing_new(c.account_id);
  auto& events = accepted.events;
  const bool never_paid = s->status == Status::unpaid && is_due(s->deadline_at, at);
  if (never_paid || (is_due(s->cancel_at, at) && !is_billing(*s))) {
    events = ended(*s, never_paid ? Cause::unpaid : Cause::requested, at, view);
    return accepted;
  }
  const bool plan_ends = is_due(s->next.effective_at(), at);
  // Once a period: what is refused leaves it past due.
  const bool bills = at.policy.sandbox_bills && is_subscribed(*s) && s->status == Status::active && is_due(s->period_end, at) &&
                     !is_billing(*s);
  if (is_paying(*s) && is_subscribed(*s)) {
    // Later, an upgrade's credit would be another one.
    if (plan_ends) events = drop_checkout(*s, "the plan has changed", at, view);
    else if (bills) events = drop_checkout(*s, "the period is over", at, view);
    else if (is_due(s->checkout.expires_at(), at)) events = drop_checkout(*s, "no money came in time", at, view);
  } else if (is_paying(*s) && is_due(s->checkout.expires_at(), at)) {
    events.push_back(
        {stream_of(c.account_id), CheckoutExpired{.account_id = c.account_id, .payment_id = s->checkout.payment_id()}});
    append(events, return_money(s->checkout.payment_id(), "no money came in time", FeeBearer::platform, at, view));
  }
  if (plan_ends) events.push_back(plan_changed(*s, next_plan(*s), 0));
  if (bills) {
    events.push_back(billing_requested(*s, at));
  } else if (is_due(s->deadline_at, at)) {
    if (s->status == Status::active)
      events.push_back({stream_of(c.account_id), SubscriptionPastDue{.account_id = c.account_id,
                                                                     .reason = "no word of a payment",
                                                                     .unpaid_at = at.now + at.policy.past_due_us}});
    else
      events.push_back(
          {stream_of(c.account_id), SubscriptionUnpaid{.account_id = c.account_id, .ends_at = at.now + at.policy.unpaid_us}});
  }
  return accepted;
}

// ---- for the payment

MoneyTaken take_subscription_money(const PaymentState& payment, bool captured, const Context& at, const View& view) {
  const auto& s = view.get<SubscriptionState>(payment.subject_id);
  if (is_nil(s.checkout.payment_id()) || !(s.checkout.payment_id() == payment.payment_id)) return {};
  MoneyTaken taken{.wanted = true, .events = {}};
  if (!captured) return taken;
  const Plan plan{s.checkout.tier(), s.checkout.interval()};
  const Micros end = period_end_after(at.now, plan.interval, at.now);
  const Paid paid{payment.payment_id, payment.amount_cents, payment.fee_cents, payment.external_id};
  taken.events.push_back(subscription_paid(s.account_id, plan, paid, at.now, end, at));
  if (is_subscribed(s)) {
    append(taken.events, upgraded(s, plan, s.checkout.price_cents(), s.checkout.credit_cents(), at));
  } else {
    taken.events.push_back({stream_of(s.account_id), SubscriptionActivated{.account_id = s.account_id,
                                                                           .tier = plan.tier,
                                                                           .interval = plan.interval,
                                                                           .price_cents = s.checkout.price_cents(),
                                                                           .period_start = at.now,
                                                                           .period_end = end,
                                                                           .overdue_at = end + unheard_us}});
  }
  return taken;
}

std::vector<NewEvent> lose_subscription_money(const PaymentState& payment, std::string_view reason, const Context&,
                                              const View& view) {
  const auto& s = view.get<SubscriptionState>(payment.subject_id);
  if (!(s.checkout.payment_id() == payment.payment_id)) return {};
  return {{stream_of(s.account_id),
           CheckoutFailed{.account_id = s.account_id, .payment_id = payment.payment_id, .reason = std::string(reason)}}};
}

std::vector<NewEvent> subscription_refunded(const PaymentState& payment, const Context& at, const View& view) {
  const auto& s = view.get<SubscriptionState>(payment.subject_id);
  if (!is_subscribed(s) || !(s.paid_by == payment.payment_id)) return {};
  return ended(s, Cause::refunded, at, view);
}

std::optional<StreamId> target(const Subscribe& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const ChangePlan& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const CancelSubscription& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const UndoCancel& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const LinkSubscription& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const RecordRenewal& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const RecordPaymentFailed& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const GrantPartner& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const RevokePartner& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const EnforceSubscription& c) { return stream_of(c.account_id); }

// ---- apply

namespace {

void begin_period(SubscriptionState& s, Cents price_cents, Micros start, Micros end, Micros anchor_at, Micros overdue_at) {
  s.status = Status::active;
  s.price_cents = price_cents;
  s.period_start = start;
  s.period_end = end;
  s.anchor_at = anchor_at;
  s.deadline_at = overdue_at;
  s.trial_end = 0;
  s.bill = Bill();
}

// From basic to a plan.
void begin_plan(SubscriptionState& s, Tier tier, Interval interval) {
  s.tier = tier;
  s.interval = interval;
  s.checkout = Checkout();
  s.cancelled_at = 0;
}

}  // namespace

void apply(SubscriptionState& s, const SubscriptionStarted& e) {
  s.account_id = e.account_id;
  s.tier = e.tier;
  s.status = Status::active;
}

void apply(SubscriptionState& s, const CheckoutStarted& e) {
  s.checkout = Checkout(e.payment_id, e.price_cents, e.credit_cents, e.expires_at, e.tier, e.interval, false);
}

void apply(SubscriptionState& s, const CheckoutExpired&) {
  const Checkout c = s.checkout;
  s.checkout = Checkout(c.payment_id(), c.price_cents(), c.credit_cents(), c.expires_at(), c.tier(), c.interval(), true);
}

void apply(SubscriptionState& s, const CheckoutFailed&) { s.checkout = Checkout(); }

void apply(SubscriptionState& s, const TrialStarted& e) {
  begin_plan(s, e.tier, e.interval);
  // Paid periods follow each other from the trial's end.
  begin_period(s, 0, e.period_start, e.period_end, e.period_end, e.overdue_at);
  s.trial_end = e.period_end;
  s.trial_used = true;
}

void apply(SubscriptionState& s, const SubscriptionPaid& e) {
  s.paid_by = e.payment_id;
  if (e.external_id.empty()) return;
  if (s.known_payments.size() == remembered_payments) s.known_payments.erase(s.known_payments.begin());
  s.known_payments.push_back(e.external_id);
}

void apply(SubscriptionState& s, const SubscriptionActivated& e) {
  begin_plan(s, e.tier, e.interval);
  begin_period(s, e.price_cents, e.period_start, e.period_end, e.period_start, e.overdue_at);
}

void apply(SubscriptionState& s, const SubscriptionRenewed& e) {
  begin_period(s, e.price_cents, e.period_start, e.period_end, e.anchor_at, e.overdue_at);
  s.cancel_at = e.cancel_at.value_or(0);
}

void apply(SubscriptionState& s, const PlanChangeScheduled& e) { s.next = NextPlan(e.effective_at, e.tier, e.interval); }
void apply(SubscriptionState& s, const PlanChangeWithdrawn&) { s.next = NextPlan(); }

void apply(SubscriptionState& s, const PlanChanged& e) {
  s.tier = e.tier;
  s.interval = e.interval;
  s.next = NextPlan();
  s.checkout = Checkout();
}

void apply(SubscriptionState& s, const CancelScheduled& e) { s.cancel_at = e.cancel_at; }
void apply(SubscriptionState& s, const CancelUndone&) { s.cancel_at = 0; }

void apply(SubscriptionState& s, const BillingRequested& e) {
  s.bill = Bill(e.period_end, e.amount_cents);
  s.bill_currency = e.currency;
  s.deadline_at = e.overdue_at;
}
void apply(SubscriptionState& s, const BillingFailed&) { s.bill = Bill(); }

void apply(SubscriptionState& s, const SubscriptionPastDue& e) {
  s.status = Status::past_due;
  s.deadline_at = e.unpaid_at;
}

void apply(SubscriptionState& s, const SubscriptionUnpaid& e) {
  s.status = Status::unpaid;
  s.deadline_at = e.ends_at;
}

void apply(SubscriptionState& s, const SubscriptionCancelled& e) {
  begin_plan(s, s.tier, Interval::none);
  begin_period(s, 0, 0, 0, 0, 0);
  s.status = Status::cancelled;
  s.cancel_at = 0;
  s.cancelled_at = e.cancelled_at;
  s.paid_by = Uuid();
  s.next = NextPlan();
  s.stripe_subscription_id.clear();
  s.stripe_price_id.clear();
}

void apply(SubscriptionState& s, const SubscriptionLinked& e) {
  s.stripe_subscription_id = e.stripe_subscription_id;
  s.stripe_customer_id = e.stripe_customer_id;
  s.stripe_price_id = e.stripe_price_id;
}

void apply(SubscriptionState& s, const PartnerGranted&) {
  s.is_partner = true;
  s.tier = Tier::ultimate;
  s.status = Status::active;
  s.checkout = Checkout();
  s.stripe_subscription_id.clear();
  s.stripe_customer_id.clear();
  s.stripe_price_id.clear();
}

void apply(SubscriptionState& s, const PartnerRevoked&) { s.is_partner = false; }

// ---- reply, timers, effect

AnyResource represent(const SubscriptionState& s, std::uint64_t version, const Uuid&) {
  SubscriptionView view{.id = s.account_id,
                        .version = version,
                        .tier = s.tier,
                        .interval = s.interval,
                        .status = s.status,
                        .effective_tier = effective_tier(s),
                        .is_partner_account = s.is_partner,
                        .trial_used = s.trial_used};
  const auto show = [](auto& field, Micros instant) {
    if (instant != 0) field = instant;
  };
  show(view.trial_end, s.trial_end);
  show(view.current_period_start, s.period_start);
  show(view.current_period_end, s.period_end);
  show(view.cancel_at, s.cancel_at);
  show(view.cancelled_at, s.cancelled_at);
  if (is_change_scheduled(s)) {
    view.next_tier = s.next.tier();
    view.next_interval = s.next.interval();
  }
  if (is_paying(s)) view.pending_payment_id = s.checkout.payment_id();
  return view;
}

bool shows_to(const SubscriptionState& s, const Actor& actor) { return may_act_for(actor, s.account_id); }  // PA-39

std::vector<Timer> timers(const SubscriptionState& s) {
  std::vector<Timer> out;
  const auto want = [&](std::string_view name, Micros due) {
    if (due != 0) out.push_back({name, due, EnforceSubscription{.account_id = s.account_id}});
  };
  if (is_paying(s)) want("checkout", s.checkout.expires_at());
  if (is_subscribed(s) && s.status == Status::active && s.cancel_at == 0) want("bill", s.period_end);
  want("plan", s.next.effective_at());
  want("cancel", s.cancel_at);
  want("deadline", s.deadline_at);
  return out;
}

std::optional<Effect> effect(const SubscriptionState& s) {
  if (!is_billing(s)) return std::nullopt;
  return Effect{.id = derive_in_group("effect/bill", s.account_id, static_cast<std::uint64_t>(s.bill.period_end()),
                                      bucket_of(s.account_id)),
                .call = ::payment::v1::Call::bill,
                .payment_id = s.account_id,
                .amount_cents = s.bill.amount_cents(),
                .currency = s.bill_currency,
                .processor = ::ledger::v1::EnumNameProcessor(ledger::Processor::stripe),
                .external_id = s.stripe_customer_id,
                .period_end = s.bill.period_end()};
}

}  // namespace guildhall
