// Subscriptions: PA-9, PA-15, PA-35..39, A-PA-8, A-PA-50, A-PA-51, M-2, M-5, ledger.md; the calendar and the credit by golden
// vectors, periods and books over random histories.
#include "aggregates/subscription.h"

#include <random>
#include <set>

#include "aggregates/effects.h"
#include "aggregates/ledger.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {
namespace {

using namespace subscription;
using ::subscription::v1::Cause;
using ::subscription::v1::Interval;
using ::subscription::v1::Status;
using ::subscription::v1::Tier;
using Ledger = ::ledger::v1::Account;

// Ana, registered on Monday 5 January 2026 at 8:00.
struct Subscription : Given {
  Subscription() {
    policy.platform = "producers_avenue";
    policy.aggregates = {"account", "claim", "subscription", "wallet", "payout", "payment"};
    policy.roles = {"member", "author", "admin", "super_admin"};
    policy.currencies = {"USD"};
    policy.default_currency = "USD";
    account::RegisterAccount c;
    c.id = ana;
    c.email = "ana@example.com";
    c.display_name = "Ana";
    c.role = ::account::v1::Role::member;
    c.timezone = "UTC";
    as(service()).when(c).then_accepted();
    as(user(ana));
  }
  const Uuid ana = id_of("ana"), boss = id_of("boss");
  const Micros start = utc(2026, 1, 5, 8);

  Subscribe subscribe(Tier tier, Interval interval = Interval::monthly, bool trial = false) const {
    return {.account_id = ana, .tier = tier, .interval = interval, .trial = trial};
  }
  ChangePlan change(Tier tier, Interval interval = Interval::monthly) const {
    return {.account_id = ana, .tier = tier, .interval = interval};
  }
  RecordRenewal renewal(std::string external_id, Micros period_end) const {
    return {.account_id = ana, .external_id = std::move(external_id), .period_end = period_end};
  }
  RecordPaymentFailed failure(std::string external_id, Micros period_end) const {
    return {.account_id = ana, .external_id = std::move(external_id), .period_end = period_end, .reason = "card declined"};
  }
  Outcome cancel() { return when(CancelSubscription{.account_id = ana}); }
  Outcome undo() { return when(UndoCancel{.account_id = ana}); }

  const SubscriptionState& s() const { return state<SubscriptionState>(ana); }
  SubscriptionView row() const { return resource<SubscriptionView>({{StreamKind::subscription, ana}}); }
  Uuid pending() const { return row().pending_payment_id; }
  Tier rights() const { return effective_tier(s()); }

  // What the processor answers; the actor stays.
  Outcome captured(const Uuid& payment_id, const std::string& external_id = "pi_1") {
    return told(payment::RecordCaptured{.payment_id = payment_id, .external_id = external_id});
  }
  Outcome told(const AnyCommand& command) {
    const Actor before = actor;
    Outcome outcome = as(the_system()).when(command);
    actor = before;
    return outcome;
  }
  // On a paid plan since `start`.
  void on(Tier tier, Interval interval = Interval::monthly) {
    when(subscribe(tier, interval)).then_accepted();
    captured(pending()).then_accepted();
  }
  // Fires what is due, each timer once and at its time, and stops at `instant`.
  void pass_to(Micros instant) {
    for (;;) {
      const Timer* next = nullptr;
      const auto all = timers(s());
      for (const Timer& t : all)
        if (t.due <= instant && !fired_.contains({std::string(t.name), t.due}) && (next == nullptr || t.due < next->due))
          next = &t;
      if (next == nullptr) break;
      fired_.insert({std::string(next->name), next->due});
      at(std::max(now, next->due));
      told(next->command);
    }
    at(std::max(now, instant));
  }
  template <class E>
  std::vector<E> history() const {
    return only<E>(world.history());
  }

 private:
  std::set<std::pair<std::string, Micros>> fired_;
};

// ---- periods and credit

TEST(SubscriptionPeriod, a_month_is_clamped_and_comes_back_to_its_day) {  // PA-35
  const Micros anchor = utc(2026, 1, 31, 23, 59);
  Micros at = anchor;
  for (const Micros end : {utc(2026, 2, 28, 23, 59), utc(2026, 3, 31, 23, 59), utc(2026, 4, 30, 23, 59), utc(2026, 5, 31, 23, 59),
                           utc(2026, 6, 30, 23, 59)}) {
    at = period_end_after(anchor, Interval::monthly, at);
    EXPECT_EQ(at, end);
  }
  EXPECT_EQ(period_end_after(utc(2026, 12, 31), Interval::monthly, utc(2026, 12, 31)), utc(2027, 1, 31));
  EXPECT_EQ(period_end_after(utc(2028, 1, 30), Interval::monthly, utc(2028, 1, 30)), utc(2028, 2, 29)) << "a leap year";
  EXPECT_EQ(period_end_after(utc(2026, 1, 5, 8), Interval::monthly, utc(2026, 1, 5, 8)), utc(2026, 2, 5, 8));
  EXPECT_EQ(period_end_after(utc(2026, 1, 5, 8), Interval::monthly, utc(2026, 2, 5, 7, 59)), utc(2026, 2, 5, 8));
  EXPECT_EQ(period_end_after(utc(2026, 1, 5, 8), Interval::monthly, utc(2026, 2, 5, 8)), utc(2026, 3, 5, 8));
  EXPECT_EQ(period_end_after(utc(2026, 1, 5, 8), Interval::monthly, utc(2031, 7, 1)), utc(2031, 7, 5, 8));
}

TEST(SubscriptionPeriod, a_year_is_clamped_and_comes_back_to_its_day) {  // PA-35
  const Micros anchor = utc(2028, 2, 29, 12);
  Micros at = anchor;
  for (const int year : {2029, 2030, 2031}) {
    at = period_end_after(anchor, Interval::annual, at);
    EXPECT_EQ(at, utc(year, 2, 28, 12));
  }
  EXPECT_EQ(period_end_after(anchor, Interval::annual, at), utc(2032, 2, 29, 12));
  EXPECT_EQ(period_end_after(utc(2026, 6, 30), Interval::annual, utc(2026, 6, 30)), utc(2027, 6, 30));
  EXPECT_EQ(period_end_after(utc(2026, 6, 30), Interval::annual, utc(2028, 1, 1)), utc(2028, 6, 30));
}

TEST(SubscriptionPeriod, ends_follow_each_other_without_gap_from_any_anchor) {
  std::mt19937_64 random(20260108);
  for (int i = 0; i < 5'000; ++i) {
    const Micros anchor = utc(2024, 1, 1) + std::uniform_int_distribution<Micros>(0, 4 * 366 * day_us)(random);
    const auto interval = i % 2 == 0 ? Interval::monthly : Interval::annual;
    const Micros shortest = interval == Interval::monthly ? 28 * day_us : 365 * day_us;
    const Micros longest = interval == Interval::monthly ? 31 * day_us : 366 * day_us;
    Micros at = anchor;
    for (int n = 0; n < 30; ++n) {
      const Micros end = period_end_after(anchor, interval, at);
      ASSERT_GE(end - at, shortest) << anchor;
      ASSERT_LE(end - at, longest) << anchor;
      ASSERT_EQ(end % day_us, anchor % day_us) << "the time of day stays";
      const Micros within = at + std::uniform_int_distribution<Micros>(0, end - at - 1)(random);
      ASSERT_EQ(period_end_after(anchor, interval, within), end);
      at = end;
    }
  }
}

TEST(SubscriptionCredit, is_the_rest_of_the_price_rounded_down) {  // ledger.md
  const Micros from = utc(2026, 1, 5, 8), to = utc(2026, 2, 5, 8);
  EXPECT_EQ(credit_of(999, from, to, from), 999);
  EXPECT_EQ(credit_of(999, from, to, utc(2026, 1, 20, 20)), 499) << "half of it";
  EXPECT_EQ(credit_of(999, from, to, from + 1), 998) << "down, by the microsecond";
  EXPECT_EQ(credit_of(999, from, to, to - 1), 0);
  EXPECT_EQ(credit_of(999, from, to, to), 0);
  EXPECT_EQ(credit_of(999, from, to, to + day_us), 0);
  EXPECT_EQ(credit_of(0, from, to, from), 0) << "of a trial";
}

TEST(SubscriptionCredit, never_exceeds_the_price_and_never_grows) {
  std::mt19937_64 random(20260109);
  for (int i = 0; i < 100'000; ++i) {
    const auto price = std::uniform_int_distribution<std::int64_t>(0, ledger::max_amount_cents)(random);
    const Micros from = utc(2026, 1, 1), to = from + std::uniform_int_distribution<Micros>(0, 731 * day_us)(random);
    const Micros early = from - day_us + std::uniform_int_distribution<Micros>(0, 740 * day_us)(random);
    const Micros late = early + std::uniform_int_distribution<Micros>(0, 30 * day_us)(random);
    const auto credit = credit_of(price, from, to, early);
    ASSERT_GE(credit, 0);
    ASSERT_LE(credit, price);
    ASSERT_GE(credit, credit_of(price, from, to, late));
  }
}

// ---- the first payment

TEST_F(Subscription, opens_on_basic_with_the_account) {  // PA-15, PA-36, PA-39
  EXPECT_EQ(rights(), Tier::basic);
  EXPECT_EQ(row().status, Status::active);
  EXPECT_EQ(row().interval, Interval::none);
  EXPECT_FALSE(row().current_period_end);
  EXPECT_TRUE(timers(s()).empty());
  EXPECT_TRUE(shows_to(s(), user(ana)));
  EXPECT_TRUE(shows_to(s(), admin(boss)));
  EXPECT_FALSE(shows_to(s(), user(id_of("eve"))));
  EXPECT_EQ(effective_tier(SubscriptionState{}), Tier::basic) << "of an account without one";
}

TEST_F(Subscription, the_plan_waits_for_its_payment_by_card) {  // PA-35..38, A-PA-22
  const Uuid command = next_command_id();
  const Uuid payment_id = derive_in_group("payment", command, 0, test_bucket);
  const auto accepted = when(subscribe(Tier::standard), command).then_accepted();
  ASSERT_EQ(accepted.events.size(), 2u);
  EXPECT_TRUE(accepted.events[0].event == AnyEvent(CheckoutStarted{.account_id = ana,
                                                                   .payment_id = payment_id,
                                                                   .tier = Tier::standard,
                                                                   .interval = Interval::monthly,
                                                                   .price_cents = 999,
                                                                   .credit_cents = 0,
                                                                   .amount_cents = 999,
                                                                   .currency = "USD",
                                                                   .expires_at = start + 15 * minute_us}));
  const auto initiated = only<payment::PaymentInitiated>(accepted.events);
  ASSERT_EQ(initiated.size(), 1u);
  EXPECT_EQ(initiated[0].payment_id, payment_id);
  EXPECT_EQ(initiated[0].subject_id, ana);
  EXPECT_EQ(initiated[0].related_id, ana);
  EXPECT_EQ(initiated[0].payer_id, ana);
  EXPECT_TRUE(is_nil(initiated[0].payee_id));
  EXPECT_EQ(initiated[0].purpose, ::payment::v1::Purpose::subscription);
  EXPECT_EQ(initiated[0].method, ledger::Method::card);
  EXPECT_EQ(initiated[0].amount_cents, 999);
  EXPECT_EQ(initiated[0].fee_cents, 59);
  EXPECT_EQ(row().pending_payment_id, payment_id);
  EXPECT_EQ(rights(), Tier::basic) << "until it is paid";

  const auto paid = captured(payment_id, "pi_1").then_accepted();
  const auto money = only<SubscriptionPaid>(paid.events);
  ASSERT_EQ(money.size(), 1u);
  SubscriptionPaid expected{.account_id = ana,
                            .payment_id = payment_id,
                            .tier = Tier::standard,
                            .interval = Interval::monthly,
                            .period_start = start,
                            .period_end = utc(2026, 2, 5, 8),
                            .amount_cents = 999,
                            .fee_cents = 59,
                            .currency = "USD",
                            .external_id = money[0].external_id,
                            .transfers = ledger::Posting(ledger::Processor::stripe)
                                             .move({Ledger::processor}, {Ledger::subscriptions}, 940)
                                             .move({Ledger::processor}, {Ledger::fees}, 59)
                                             .done()};
  EXPECT_TRUE(money[0] == expected);
  const auto activated = only<SubscriptionActivated>(paid.events);
  ASSERT_EQ(activated.size(), 1u);
  EXPECT_EQ(activated[0].period_end, utc(2026, 2, 5, 8));
  for (const auto& e : only<payment::PaymentCaptured>(paid.events)) EXPECT_TRUE(e.transfers.empty()) << "the books have it once";
  EXPECT_EQ(rights(), Tier::standard);
  EXPECT_EQ(row().tier, Tier::standard);
  EXPECT_EQ(row().interval, Interval::monthly);
  EXPECT_EQ(row().current_period_start, start);
  EXPECT_EQ(row().current_period_end, utc(2026, 2, 5, 8));
  EXPECT_TRUE(is_nil(row().pending_payment_id));
  captured(payment_id, "pi_1").then_nothing();
}

TEST_F(Subscription, an_authorized_payment_is_captured_at_once) {  // ledger.md: card only
  when(subscribe(Tier::premium, Interval::annual)).then_accepted();
  const Uuid payment_id = pending();
  const auto authorized = told(payment::RecordAuthorized{.payment_id = payment_id, .external_id = "pi_2"}).then_accepted();
  EXPECT_EQ(only<payment::CaptureRequested>(authorized.events).size(), 1u);
  EXPECT_EQ(rights(), Tier::basic);
  const auto paid = captured(payment_id, "pi_2").then_accepted();
  EXPECT_EQ(only<SubscriptionPaid>(paid.events).at(0).external_id, "pi_2");
  EXPECT_EQ(row().current_period_end, utc(2027, 1, 5, 8));
  EXPECT_EQ(s().price_cents, 19'900);
}

TEST_F(Subscription, refused_for_what_the_rules_refuse_in_their_order) {  // PA-36, PA-38, PA-39
  as(user(id_of("eve"))).when(subscribe(Tier::standard)).then_rejected(Code::subscription_not_found);
  as(user(ana));
  when(Subscribe{.account_id = id_of("nobody"), .tier = Tier::standard, .interval = Interval::monthly})
      .then_rejected(Code::subscription_not_found);
  when(subscribe(Tier::basic)).then_rejected(Code::plan_not_offered);
  when(subscribe(Tier::premium, Interval::none)).then_rejected(Code::plan_not_offered);
  Subscribe shown = subscribe(Tier::standard);
  shown.expected_price_cents = 899;
  when(shown).then_rejected(Code::price_changed);
  shown.expected_price_cents = 999;
  when(shown).then_accepted();
  when(shown).then_rejected(Code::subscription_pending);
  when(subscribe(Tier::ultimate)).then_rejected(Code::subscription_pending);
  captured(pending()).then_accepted();
  when(subscribe(Tier::standard)).then_nothing();
  when(subscribe(Tier::premium)).then_rejected(Code::already_subscribed);
  when(subscribe(Tier::standard, Interval::annual)).then_rejected(Code::already_subscribed);
  account::BanAccount ban;
  ban.account_id = ana;
  told(ban);
  when(subscribe(Tier::premium)).then_rejected(Code::account_banned);
  when(change(Tier::premium)).then_rejected(Code::account_banned);
  when(CancelSubscription{.account_id = ana}).then_accepted();
  when(UndoCancel{.account_id = ana}).then_rejected(Code::account_banned);
}

TEST_F(Subscription, a_refused_first_payment_leaves_basic) {  // PA-38
  when(subscribe(Tier::standard)).then_accepted();
  const Uuid payment_id = pending();
  const auto lost = told(payment::RecordFailed{.payment_id = payment_id, .reason = "declined"}).then_accepted();
  EXPECT_EQ(only<CheckoutFailed>(lost.events).size(), 1u);
  EXPECT_EQ(rights(), Tier::basic);
  EXPECT_TRUE(is_nil(pending()));
  EXPECT_TRUE(timers(s()).empty());
  when(subscribe(Tier::standard)).then_accepted();
}

TEST_F(Subscription, a_checkout_ends_after_fifteen_minutes_and_late_money_still_counts) {  // M-2
  when(subscribe(Tier::standard)).then_accepted();
  const Uuid payment_id = pending();
  at(start + 15 * minute_us - 1);
  told(EnforceSubscription{.account_id = ana}).then_nothing();
  pass_to(start + 15 * minute_us);
  EXPECT_EQ(history<CheckoutExpired>().size(), 1u);
  EXPECT_TRUE(is_nil(pending()));
  told(EnforceSubscription{.account_id = ana}).then_nothing();
  at(start + 20 * minute_us);
  EXPECT_EQ(only<SubscriptionActivated>(captured(payment_id).then_accepted().events).size(), 1u);
  EXPECT_EQ(row().current_period_start, now) << "from the money, not from the wish";
}

TEST_F(Subscription, late_money_goes_back_once_the_account_went_on) {  // M-2, ledger.md: LatePaymentReceived
  when(subscribe(Tier::standard)).then_accepted();
  const Uuid first = pending();
  pass_to(start + 15 * minute_us);
  when(subscribe(Tier::premium)).then_accepted();
  const Uuid second = pending();
  captured(second).then_accepted();
  const auto late = captured(first, "pi_late").then_accepted();
  EXPECT_TRUE(only<SubscriptionPaid>(late.events).empty());
  EXPECT_EQ(only<payment::LatePaymentReceived>(late.events).size(), 1u);
  EXPECT_EQ(only<payment::RefundRequested>(late.events).size(), 1u);
  EXPECT_EQ(rights(), Tier::premium);
}

TEST_F(Subscription, cancelling_gives_a_first_payment_up) {  // PA-38
  when(subscribe(Tier::standard)).then_accepted();
  const Uuid payment_id = pending();
  EXPECT_EQ(only<CheckoutFailed>(cancel().then_accepted().events).size(), 1u);
  cancel().then_nothing();
  EXPECT_EQ(only<payment::LatePaymentReceived>(captured(payment_id).then_accepted().events).size(), 1u);
  EXPECT_EQ(rights(), Tier::basic);
}

// ---- the trial

TEST_F(Subscription, a_trial_costs_nothing_and_comes_once) {  // PA-37, X-20, ledger.md
  when(subscribe(Tier::premium, Interval::monthly, true))
      .then({TrialStarted{.account_id = ana,
                          .tier = Tier::premium,
                          .interval = Interval::monthly,
                          .period_start = start,
                          .period_end = start + 14 * day_us,
                          .overdue_at = start + 15 * day_us}});
  EXPECT_EQ(rights(), Tier::premium);
  EXPECT_EQ(row().status, Status::active);
  EXPECT_EQ(row().trial_end, start + 14 * day_us);
  cancel().then_accepted();
  pass_to(start + 14 * day_us);
  EXPECT_EQ(rights(), Tier::basic);
  when(subscribe(Tier::standard, Interval::monthly, true)).then_rejected(Code::trial_used);
  when(subscribe(Tier::standard)).then_accepted();
}

TEST_F(Subscription, the_provider_bills_the_trials_end) {  // ledger.md: the provider's billing drives renewals
  when(subscribe(Tier::premium, Interval::monthly, true)).then_accepted();
  pass_to(start + 14 * day_us + hour_us);
  EXPECT_EQ(rights(), Tier::premium);
  const auto paid = told(renewal("in_1", utc(2026, 2, 19, 8))).then_accepted();
  EXPECT_EQ(only<SubscriptionPaid>(paid.events).at(0).amount_cents, 1999);
  EXPECT_EQ(row().current_period_start, start + 14 * day_us);
  EXPECT_FALSE(row().trial_end);
  EXPECT_EQ(s().price_cents, 1999);
}

TEST_F(Subscription, a_trial_that_nobody_pays_ends_like_any_period) {  // §9: trialing -> past_due -> unpaid -> cancelled
  when(subscribe(Tier::premium, Interval::monthly, true)).then_accepted();
  pass_to(start + 15 * day_us - 1);
  EXPECT_EQ(row().status, Status::active);
  pass_to(start + 15 * day_us);
  EXPECT_EQ(row().status, Status::past_due);
  pass_to(start + (15 + 7 + 23) * day_us);
  EXPECT_EQ(row().tier, Tier::basic);
  EXPECT_TRUE(row().trial_used);
}

TEST_F(Subscription, an_upgrade_within_a_trial_pays_the_whole_price) {  // ledger.md: the old price is 0
  when(subscribe(Tier::standard, Interval::monthly, true)).then_accepted();
  at(start + day_us);
  const auto asked = when(change(Tier::premium)).then_accepted();
  EXPECT_EQ(only<CheckoutStarted>(asked.events).at(0).credit_cents, 0);
  EXPECT_EQ(only<CheckoutStarted>(asked.events).at(0).amount_cents, 1999);
  captured(pending()).then_accepted();
  EXPECT_FALSE(row().trial_end);
  EXPECT_EQ(row().current_period_start, now);
}

// ---- renewals

TEST_F(Subscription, a_renewal_is_paid_and_begins_where_the_last_period_ended) {  // PA-35, ledger.md: SubscriptionPaid
  on(Tier::standard);
  const Micros end = utc(2026, 2, 5, 8), next = utc(2026, 3, 5, 8);
  at(end + minute_us);
  const Uuid command = next_command_id();
  const Uuid row_id = derive_in_group("subscription_payment", command, 0, test_bucket);
  as(service())
      .when(renewal("in_1", next), command)
      .then({payment::PaymentInitiated{.payment_id = row_id,
                                       .subject_id = ana,
                                       .related_id = ana,
                                       .payer_id = ana,
                                       .purpose = ::payment::v1::Purpose::subscription,
                                       .amount_cents = 999,
                                       .currency = "USD",
                                       .processor = "stripe",
                                       .method = ledger::Method::card,
                                       .fee_cents = 59,
                                       .commission_cents = 940},
             payment::PaymentAuthorized{.payment_id = row_id, .external_id = "in_1"},
             payment::PaymentCaptured{
                 .payment_id = row_id, .amount_cents = 999, .external_id = "in_1", .currency = "USD"},
             SubscriptionPaid{.account_id = ana,
                              .payment_id = row_id,
                              .tier = Tier::standard,
                              .interval = Interval::monthly,
                              .period_start = end,
                              .period_end = next,
                              .amount_cents = 999,
                              .fee_cents = 59,
                              .currency = "USD",
                              .external_id = "in_1",
                              .transfers = ledger::Posting(ledger::Processor::stripe)
                                               .move({Ledger::processor}, {Ledger::subscriptions}, 940)
                                               .move({Ledger::processor}, {Ledger::fees}, 59)
                                               .done()},
             SubscriptionRenewed{.account_id = ana,
                                 .price_cents = 999,
                                 .period_start = end,
                                 .period_end = next,
                                 .anchor_at = start,
                                 .overdue_at = next + day_us}});
}

TEST_F(Subscription, what_the_provider_repeats_changes_nothing) {  // PA-35: late and duplicate messages
  on(Tier::standard);
  const Micros first = utc(2026, 2, 5, 8), second = utc(2026, 3, 5, 8), third = utc(2026, 4, 5, 8);
  as(service()).when(renewal("in_0", first)).then_nothing();  // Of the period that the first payment paid.
  when(renewal("in_0", first + hour_us)).then_nothing();      // The provider's clock is not ours.
  at(first);
  when(renewal("in_1", second)).then_accepted();
  when(renewal("in_1", second)).then_nothing();
  when(renewal("in_1", third)).then_nothing();
  when(renewal("evt_9", second)).then_nothing();
  at(second);
  when(renewal("in_2", third)).then_accepted();
  when(renewal("in_1", second)).then_nothing();
  when(renewal("in_1", second + 40 * day_us)).then_nothing();
  when(failure("in_2", third)).then_nothing();
  EXPECT_EQ(history<SubscriptionPaid>().size(), 3u);
}

TEST_F(Subscription, a_repeat_after_the_end_is_still_known) {  // PA-35
  on(Tier::standard);
  at(utc(2026, 2, 5, 8));
  as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_accepted();
  as(user(ana));
  cancel().then_accepted();
  pass_to(utc(2026, 3, 5, 8));
  as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_nothing();
  when(renewal("in_2", utc(2026, 4, 5, 8))).then_rejected(Code::not_subscribed);
  when(failure("in_3", utc(2026, 4, 5, 8))).then_nothing();
}

TEST_F(Subscription, only_the_provider_tells_of_renewals) {  // PA-39
  on(Tier::standard);
  when(renewal("in_1", utc(2026, 3, 5, 8))).then_rejected(Code::subscription_not_found);
  when(failure("in_1", utc(2026, 3, 5, 8))).then_rejected(Code::subscription_not_found);
  when(EnforceSubscription{.account_id = ana}).then_rejected(Code::subscription_not_found);
  when(LinkSubscription{.account_id = ana, .stripe_subscription_id = "sub_1"}).then_rejected(Code::subscription_not_found);
  as(service())
      .when(RecordRenewal{.account_id = boss, .external_id = "in_1", .period_end = utc(2026, 3, 5, 8)})
      .then_rejected(Code::subscription_not_found);
}

TEST_F(Subscription, one_payment_is_for_one_period) {  // PA-35
  on(Tier::standard);
  at(utc(2026, 2, 5, 8));
  as(service()).when(renewal("in_1", utc(2026, 3, 8, 8))).then_rejected(Code::period_too_long);
  when(renewal("in_1", utc(9999, 1, 1))).then_rejected(Code::period_too_long);
  when(renewal("in_1", utc(2026, 3, 6, 8))).then_accepted();  // A day off is the provider's calendar.
  EXPECT_EQ(row().current_period_end, utc(2026, 3, 6, 8));
  at(utc(2026, 3, 6, 8));
  when(renewal("in_2", utc(2026, 4, 5, 8))).then_accepted();
  EXPECT_EQ(row().current_period_start, utc(2026, 3, 6, 8));
}

TEST_F(Subscription, a_word_that_never_came_leaves_no_gap) {  // PA-35
  on(Tier::standard);
  pass_to(utc(2026, 3, 5, 8));  // The renewal of February is lost.
  EXPECT_EQ(row().status, Status::unpaid);
  as(service()).when(renewal("in_2", utc(2026, 4, 5, 8))).then_accepted();
  EXPECT_EQ(row().status, Status::active);
  EXPECT_EQ(row().current_period_start, utc(2026, 2, 5, 8));
  EXPECT_EQ(row().current_period_end, utc(2026, 4, 5, 8));
}

TEST_F(Subscription, the_provider_may_say_what_it_took) {  // ledger.md: reconciled by amount
  on(Tier::standard);
  at(utc(2026, 2, 5, 8));
  RecordRenewal c = renewal("in_1", utc(2026, 3, 5, 8));
  c.amount_cents = 500;
  const auto half = as(service()).when(c).then_accepted();
  EXPECT_EQ(only<SubscriptionPaid>(half.events).at(0).amount_cents, 500);
  EXPECT_EQ(only<SubscriptionPaid>(half.events).at(0).fee_cents, 45);
  EXPECT_EQ(s().price_cents, 500) << "no more is credited than was paid";
  at(utc(2026, 3, 5, 8));
  c = renewal("in_2", utc(2026, 4, 5, 8));
  c.amount_cents = 20;
  const auto little = when(c).then_accepted();
  EXPECT_EQ(only<SubscriptionPaid>(little.events).at(0).fee_cents, 20) << "the fee is no more than the amount";
  EXPECT_EQ(only<SubscriptionPaid>(little.events).at(0).transfers.size(), 1u);
}

// ---- past due, unpaid, the end

TEST_F(Subscription, past_due_keeps_the_tier_for_seven_days_and_unpaid_is_basic) {  // PA-37, A-PA-50, §9
  on(Tier::premium);
  const Micros end = utc(2026, 2, 5, 8);
  pass_to(end);
  as(service())
      .when(failure("in_1", utc(2026, 3, 5, 8)))
      .then({SubscriptionPastDue{.account_id = ana, .reason = "card declined", .unpaid_at = end + 7 * day_us}});
  at(end + 3 * day_us).when(failure("in_1", utc(2026, 3, 5, 8))).then_nothing();  // The next try; the days run on.
  EXPECT_EQ(row().status, Status::past_due);
  EXPECT_EQ(rights(), Tier::premium);
  pass_to(end + 7 * day_us - 1);
  EXPECT_EQ(rights(), Tier::premium);
  pass_to(end + 7 * day_us);
  EXPECT_EQ(row().status, Status::unpaid);
  EXPECT_EQ(row().tier, Tier::premium);
  EXPECT_EQ(rights(), Tier::basic);
  when(failure("in_1", utc(2026, 3, 5, 8))).then_nothing();
  pass_to(end + 30 * day_us - 1);
  EXPECT_EQ(row().status, Status::unpaid);
  pass_to(end + 30 * day_us);
  const auto over = history<SubscriptionCancelled>();
  ASSERT_EQ(over.size(), 1u);
  EXPECT_EQ(over[0].cause, Cause::unpaid);
  EXPECT_EQ(over[0].cancelled_at, end + 30 * day_us);
  EXPECT_EQ(row().tier, Tier::basic);
  EXPECT_EQ(row().status, Status::active);
  EXPECT_TRUE(timers(s()).empty());
}

TEST_F(Subscription, a_payment_brings_past_due_and_unpaid_back) {  // §9: past_due -> active
  on(Tier::premium);
  const Micros end = utc(2026, 2, 5, 8);
  pass_to(end);
  as(service()).when(failure("in_1", utc(2026, 3, 5, 8))).then_accepted();
  pass_to(end + 2 * day_us);
  when(renewal("in_1", utc(2026, 3, 5, 8))).then_accepted();
  EXPECT_EQ(row().status, Status::active);
  when(failure("in_1", utc(2026, 3, 5, 8))).then_nothing();  // Late: it was paid since.
  when(failure("in_0", utc(2026, 3, 5, 8))).then_nothing();
  pass_to(end + 20 * day_us);
  EXPECT_EQ(row().status, Status::active);

  pass_to(utc(2026, 3, 5, 8));
  when(failure("in_2", utc(2026, 4, 5, 8))).then_accepted();
  pass_to(utc(2026, 3, 20));
  EXPECT_EQ(row().status, Status::unpaid);
  when(renewal("in_2", utc(2026, 4, 5, 8))).then_accepted();
  EXPECT_EQ(row().status, Status::active);
  EXPECT_EQ(rights(), Tier::premium);
  EXPECT_EQ(row().current_period_start, utc(2026, 3, 5, 8));
}

TEST_F(Subscription, a_renewal_that_never_comes_is_past_due_after_a_day) {  // ledger.md: our timers only guard
  on(Tier::standard);
  const Micros end = utc(2026, 2, 5, 8);
  pass_to(end + day_us - 1);
  EXPECT_EQ(row().status, Status::active);
  EXPECT_EQ(rights(), Tier::standard);
  pass_to(end + day_us);
  EXPECT_EQ(row().status, Status::past_due);
  EXPECT_EQ(history<SubscriptionPastDue>().at(0).unpaid_at, end + 8 * day_us);
  as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_accepted();
  EXPECT_EQ(row().status, Status::active);
}

// ---- cancel

TEST_F(Subscription, a_cancellation_waits_for_the_periods_end) {  // A-PA-51
  on(Tier::premium);
  as(service())
      .when(LinkSubscription{
          .account_id = ana, .stripe_subscription_id = "sub_1", .stripe_customer_id = "cus_1", .stripe_price_id = "price_1"})
      .then_accepted();
  const Micros end = utc(2026, 2, 5, 8);
  as(user(id_of("eve")));
  cancel().then_rejected(Code::subscription_not_found);
  as(user(ana));
  cancel().then({CancelScheduled{.account_id = ana, .cancel_at = end}});
  cancel().then_nothing();
  EXPECT_EQ(row().status, Status::active);
  EXPECT_EQ(row().cancel_at, end);
  EXPECT_EQ(rights(), Tier::premium);
  when(change(Tier::ultimate)).then_rejected(Code::subscription_ending);
  pass_to(end - 1);
  EXPECT_EQ(rights(), Tier::premium);
  at(end);
  told(EnforceSubscription{.account_id = ana})
      .then({SubscriptionCancelled{
                 .account_id = ana, .cause = Cause::requested, .cancelled_at = end, .stripe_subscription_id = "sub_1"},
             SubscriptionStarted{.account_id = ana, .tier = Tier::basic}});
  told(EnforceSubscription{.account_id = ana}).then_nothing();
  const auto after = row();
  EXPECT_EQ(after.tier, Tier::basic);
  EXPECT_EQ(after.status, Status::active);
  EXPECT_EQ(after.interval, Interval::none);
  EXPECT_EQ(after.cancelled_at, end);
  EXPECT_FALSE(after.cancel_at);
  EXPECT_FALSE(after.current_period_end);
  EXPECT_EQ(s().stripe_subscription_id, "");
  EXPECT_EQ(s().stripe_price_id, "");
  EXPECT_EQ(s().stripe_customer_id, "cus_1");
  EXPECT_TRUE(timers(s()).empty());
  cancel().then_nothing();
  undo().then_rejected(Code::not_subscribed);
  when(subscribe(Tier::standard)).then_accepted();
}

TEST_F(Subscription, a_cancellation_can_be_taken_back_until_then) {  // A-PA-51
  undo().then_rejected(Code::not_subscribed);
  on(Tier::premium);
  undo().then_nothing();
  cancel().then_accepted();
  undo().then({CancelUndone{.account_id = ana}});
  undo().then_nothing();
  pass_to(utc(2026, 2, 5, 9));
  EXPECT_EQ(rights(), Tier::premium);
  as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_accepted();
  as(user(ana));
  cancel().then_accepted();
  at(utc(2026, 3, 5, 8));
  undo().then_rejected(Code::not_subscribed);  // Its timer is on the way.
}

TEST_F(Subscription, what_is_over_and_unpaid_ends_at_once) {  // A-PA-50, A-PA-51
  on(Tier::premium);
  pass_to(utc(2026, 2, 7));
  EXPECT_EQ(row().status, Status::past_due);
  EXPECT_EQ(only<SubscriptionCancelled>(cancel().then_accepted().events).at(0).cause, Cause::requested);
  EXPECT_EQ(rights(), Tier::basic);
  cancel().then_nothing();
}

TEST_F(Subscription, a_period_paid_in_spite_of_a_cancellation_is_given) {  // A-PA-51
  on(Tier::premium);
  at(utc(2026, 2, 5, 7));
  cancel().then_accepted();
  as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_accepted();
  EXPECT_EQ(row().cancel_at, utc(2026, 3, 5, 8));
  pass_to(utc(2026, 3, 5, 8) - 1);
  EXPECT_EQ(rights(), Tier::premium);
  pass_to(utc(2026, 3, 5, 8));
  EXPECT_EQ(rights(), Tier::basic);
}

// ---- another plan

TEST_F(Subscription, an_upgrade_credits_the_rest_and_begins_afresh_once_it_is_paid) {  // ledger.md, PA-38, M-5
  on(Tier::standard);
  const Micros half = utc(2026, 1, 20, 20);
  at(half);
  const auto asked = when(change(Tier::premium)).then_accepted();
  const auto checkout = only<CheckoutStarted>(asked.events);
  ASSERT_EQ(checkout.size(), 1u);
  EXPECT_EQ(checkout[0].price_cents, 1999);
  EXPECT_EQ(checkout[0].credit_cents, 499) << "half of 999, rounded down";
  EXPECT_EQ(checkout[0].amount_cents, 1500);
  EXPECT_EQ(only<payment::PaymentInitiated>(asked.events).at(0).amount_cents, 1500);
  EXPECT_EQ(rights(), Tier::standard) << "until it is paid";
  when(change(Tier::ultimate)).then_rejected(Code::subscription_pending);

  const auto paid = captured(pending(), "pi_2").then_accepted();
  EXPECT_EQ(only<SubscriptionPaid>(paid.events).at(0).amount_cents, 1500);
  EXPECT_EQ(only<SubscriptionPaid>(paid.events).at(0).period_start, half);
  EXPECT_TRUE(only<PlanChanged>(paid.events).at(0) == (PlanChanged{.account_id = ana,
                                                                   .tier = Tier::premium,
                                                                   .interval = Interval::monthly,
                                                                   .previous_tier = Tier::standard,
                                                                   .previous_interval = Interval::monthly,
                                                                   .credit_cents = 499}));
  EXPECT_TRUE(only<SubscriptionRenewed>(paid.events).at(0) == (SubscriptionRenewed{.account_id = ana,
                                                                                   .price_cents = 1999,
                                                                                   .period_start = half,
                                                                                   .period_end = utc(2026, 2, 20, 20),
                                                                                   .anchor_at = half,
                                                                                   .overdue_at = utc(2026, 2, 21, 20)}));
  EXPECT_EQ(rights(), Tier::premium);
  when(change(Tier::premium)).then_nothing();
}

TEST_F(Subscription, a_longer_interval_is_an_upgrade) {  // PA-36
  on(Tier::standard);
  const auto asked = when(change(Tier::standard, Interval::annual)).then_accepted();
  EXPECT_EQ(only<CheckoutStarted>(asked.events).at(0).amount_cents, 9900 - 999);
  captured(pending()).then_accepted();
  EXPECT_EQ(row().interval, Interval::annual);
  EXPECT_EQ(row().current_period_end, utc(2027, 1, 5, 8));
}

TEST_F(Subscription, an_upgrade_that_is_not_paid_leaves_the_plan) {  // PA-38
  on(Tier::standard);
  when(change(Tier::premium)).then_accepted();
  told(payment::RecordFailed{.payment_id = pending(), .reason = "declined"}).then_accepted();
  EXPECT_EQ(row().tier, Tier::standard);
  EXPECT_EQ(row().current_period_end, utc(2026, 2, 5, 8));
  when(change(Tier::premium)).then_accepted();
  const Uuid slow = pending();
  pass_to(now + 15 * minute_us);
  EXPECT_TRUE(is_nil(pending()));
  // Its credit was for then: what comes late goes back.
  EXPECT_EQ(only<payment::LatePaymentReceived>(captured(slow).then_accepted().events).size(), 1u);
  EXPECT_EQ(row().tier, Tier::standard);
}

TEST_F(Subscription, a_renewal_ends_an_upgrade_that_was_priced_before_it) {  // ledger.md: the credit is of the old period
  on(Tier::standard);
  at(utc(2026, 2, 5, 7, 55));
  when(change(Tier::premium)).then_accepted();
  const Uuid payment_id = pending();
  at(utc(2026, 2, 5, 8));
  as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_accepted();
  EXPECT_EQ(history<CheckoutFailed>().size(), 1u);
  EXPECT_EQ(only<payment::LatePaymentReceived>(captured(payment_id).then_accepted().events).size(), 1u);
  EXPECT_EQ(row().tier, Tier::standard);
  EXPECT_EQ(row().current_period_end, utc(2026, 3, 5, 8));
}

TEST_F(Subscription, a_difference_below_the_smallest_price_is_waived) {  // ledger.md: {0} ∪ [max(100, minimum), …]
  on(Tier::standard);
  policy.subscription_prices[2][0] = 999 + 99;
  const auto at_once = when(change(Tier::premium)).then_accepted();
  EXPECT_TRUE(only<payment::PaymentInitiated>(at_once.events).empty());
  EXPECT_TRUE(only<SubscriptionPaid>(at_once.events).empty());
  EXPECT_EQ(only<PlanChanged>(at_once.events).at(0).credit_cents, 999);
  EXPECT_EQ(only<SubscriptionRenewed>(at_once.events).at(0).price_cents, 1098);
  EXPECT_EQ(rights(), Tier::premium);
  policy.subscription_prices[3][0] = 1098 + 100;
  EXPECT_EQ(only<payment::PaymentInitiated>(when(change(Tier::ultimate)).then_accepted().events).at(0).amount_cents, 100);
}

TEST_F(Subscription, a_price_that_falls_with_the_tier_owes_nothing) {  // ledger.md: the credit never exceeds the price
  on(Tier::standard);
  policy.subscription_prices[2][0] = 500;
  EXPECT_EQ(only<PlanChanged>(when(change(Tier::premium)).then_accepted().events).at(0).credit_cents, 500);
}

TEST_F(Subscription, a_downgrade_waits_for_the_periods_end) {  // PA-38, M-5, ledger.md
  on(Tier::ultimate);
  const Micros end = utc(2026, 2, 5, 8);
  when(change(Tier::standard))
      .then({PlanChangeScheduled{.account_id = ana, .tier = Tier::standard, .interval = Interval::monthly, .effective_at = end}});
  when(change(Tier::standard)).then_nothing();
  EXPECT_EQ(row().next_tier, Tier::standard);
  EXPECT_EQ(rights(), Tier::ultimate);
  when(subscribe(Tier::ultimate)).then_rejected(Code::already_subscribed);
  when(change(Tier::premium)).then_accepted();  // Another one in its place.
  pass_to(end - 1);
  EXPECT_EQ(rights(), Tier::ultimate);
  pass_to(end);
  EXPECT_EQ(rights(), Tier::premium) << "paid or not";
  EXPECT_EQ(history<PlanChanged>().size(), 1u);
  EXPECT_FALSE(row().next_tier);
  const auto paid = as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_accepted();
  EXPECT_EQ(only<SubscriptionPaid>(paid.events).at(0).amount_cents, 1999);
  EXPECT_TRUE(only<PlanChanged>(paid.events).empty());
}

TEST_F(Subscription, a_renewal_before_the_end_pays_the_next_plan_and_keeps_the_tier_until_then) {  // ledger.md
  on(Tier::ultimate);
  const Micros end = utc(2026, 2, 5, 8);
  when(change(Tier::standard)).then_accepted();
  at(end - hour_us);
  const auto paid = as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_accepted();
  EXPECT_EQ(only<SubscriptionPaid>(paid.events).at(0).amount_cents, 999);
  EXPECT_EQ(only<SubscriptionPaid>(paid.events).at(0).tier, Tier::standard);
  EXPECT_EQ(rights(), Tier::ultimate);
  pass_to(end);
  EXPECT_EQ(rights(), Tier::standard);
  EXPECT_EQ(row().current_period_end, utc(2026, 3, 5, 8));
}

TEST_F(Subscription, a_renewal_at_the_end_may_come_before_the_timer) {  // ledger.md
  on(Tier::ultimate);
  when(change(Tier::standard)).then_accepted();
  at(utc(2026, 2, 5, 8));
  const auto paid = as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_accepted();
  EXPECT_EQ(only<PlanChanged>(paid.events).at(0).tier, Tier::standard);
  pass_to(now + hour_us);
  EXPECT_EQ(history<PlanChanged>().size(), 1u);
}

TEST_F(Subscription, a_shorter_interval_waits_even_with_a_higher_tier) {  // No credit is lost: the year is used up.
  on(Tier::standard, Interval::annual);
  const auto asked = when(change(Tier::premium, Interval::monthly)).then_accepted();
  EXPECT_EQ(only<PlanChangeScheduled>(asked.events).at(0).effective_at, utc(2027, 1, 5, 8));
  pass_to(utc(2027, 1, 5, 8));
  EXPECT_EQ(rights(), Tier::premium);
  as(service()).when(renewal("in_1", utc(2028, 1, 5, 8))).then_rejected(Code::period_too_long);
  when(renewal("in_1", utc(2027, 2, 5, 8))).then_accepted();
}

TEST_F(Subscription, a_scheduled_change_can_be_taken_back_or_overtaken) {  // PA-38
  on(Tier::premium);
  when(change(Tier::standard)).then_accepted();
  when(change(Tier::premium)).then({PlanChangeWithdrawn{.account_id = ana}});
  when(change(Tier::premium)).then_nothing();
  when(change(Tier::standard)).then_accepted();
  when(change(Tier::ultimate)).then_accepted();
  captured(pending()).then_accepted();
  EXPECT_FALSE(row().next_tier);
  pass_to(utc(2026, 2, 5, 9));
  EXPECT_EQ(row().tier, Tier::ultimate);
}

TEST_F(Subscription, a_scheduled_change_ends_an_upgrade_under_way) {  // ledger.md: the credit is of the old period
  on(Tier::premium);
  when(change(Tier::standard)).then_accepted();
  at(utc(2026, 2, 5, 7, 55));
  when(change(Tier::ultimate)).then_accepted();
  const Uuid payment_id = pending();
  pass_to(utc(2026, 2, 5, 8));
  EXPECT_EQ(row().tier, Tier::standard);
  EXPECT_TRUE(is_nil(pending()));
  EXPECT_EQ(only<payment::LatePaymentReceived>(captured(payment_id).then_accepted().events).size(), 1u);
}

TEST_F(Subscription, a_change_is_refused_for_what_the_rules_refuse_in_their_order) {  // PA-36, PA-39, A-PA-50, A-PA-51
  when(change(Tier::premium)).then_rejected(Code::not_subscribed);
  on(Tier::standard);
  as(user(id_of("eve"))).when(change(Tier::premium)).then_rejected(Code::subscription_not_found);
  as(user(ana));
  when(change(Tier::standard)).then_nothing();
  when(change(Tier::basic)).then_rejected(Code::plan_not_offered);
  when(change(Tier::premium, Interval::none)).then_rejected(Code::plan_not_offered);
  ChangePlan shown = change(Tier::premium);
  shown.expected_price_cents = 1;
  when(shown).then_rejected(Code::price_changed);
  pass_to(utc(2026, 2, 7));
  when(change(Tier::premium)).then_rejected(Code::subscription_past_due);
}

// ---- partners

TEST_F(Subscription, a_partner_has_ultimate_for_nothing) {  // PA-9, A-PA-8
  const GrantPartner grant{.account_id = ana};
  as(user(id_of("eve"))).when(grant).then_rejected(Code::subscription_not_found);
  as(user(ana)).when(grant).then_rejected(Code::admin_only);
  when(RevokePartner{.account_id = ana}).then_rejected(Code::admin_only);
  as(admin(boss)).when(grant).then({PartnerGranted{.account_id = ana, .granted_by = boss}});
  when(grant).then_nothing();
  EXPECT_EQ(rights(), Tier::ultimate);
  EXPECT_EQ(row().tier, Tier::ultimate);
  EXPECT_EQ(row().interval, Interval::none);
  EXPECT_TRUE(row().is_partner_account);
  EXPECT_TRUE(timers(s()).empty());
  as(user(ana));
  when(subscribe(Tier::standard)).then_rejected(Code::partner_account);
  when(change(Tier::standard)).then_rejected(Code::partner_account);
  cancel().then_rejected(Code::partner_account);
  undo().then_rejected(Code::partner_account);
  as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_rejected(Code::partner_account);
  when(failure("in_1", utc(2026, 3, 5, 8))).then_nothing();
  when(LinkSubscription{.account_id = ana, .stripe_customer_id = "cus_1"}).then_rejected(Code::partner_account);
  as(admin(boss))
      .when(RevokePartner{.account_id = ana})
      .then({PartnerRevoked{.account_id = ana, .revoked_by = boss}, SubscriptionStarted{.account_id = ana, .tier = Tier::basic}});
  when(RevokePartner{.account_id = ana}).then_nothing();
  EXPECT_EQ(rights(), Tier::basic);
  as(user(ana));
  on(Tier::standard);
}

TEST_F(Subscription, a_paid_plan_ends_when_the_account_becomes_a_partner) {  // A-PA-8
  on(Tier::standard);
  as(service())
      .when(LinkSubscription{.account_id = ana, .stripe_subscription_id = "sub_1", .stripe_customer_id = "cus_1"})
      .then_accepted();
  as(user(ana)).when(change(Tier::premium)).then_accepted();
  const auto granted = as(admin(boss)).when(GrantPartner{.account_id = ana}).then_accepted();
  EXPECT_EQ(only<CheckoutFailed>(granted.events).size(), 1u);
  ASSERT_EQ(only<SubscriptionCancelled>(granted.events).size(), 1u);
  EXPECT_EQ(only<SubscriptionCancelled>(granted.events)[0].cause, Cause::partner);
  EXPECT_EQ(only<SubscriptionCancelled>(granted.events)[0].stripe_subscription_id, "sub_1");
  EXPECT_EQ(s().stripe_subscription_id + s().stripe_customer_id + s().stripe_price_id, "");
  EXPECT_EQ(rights(), Tier::ultimate);
  EXPECT_TRUE(timers(s()).empty());
}

// ---- the provider's names, refunds

TEST_F(Subscription, remembers_the_providers_names) {  // PA-35, A-PA-51
  as(service()).when(LinkSubscription{.account_id = ana, .stripe_subscription_id = "sub_1"}).then_rejected(Code::not_subscribed);
  when(LinkSubscription{.account_id = ana, .stripe_customer_id = "cus_1"}).then_accepted();
  as(user(ana));
  on(Tier::standard);
  as(service())
      .when(LinkSubscription{.account_id = ana, .stripe_subscription_id = "sub_1", .stripe_price_id = "price_1"})
      .then({SubscriptionLinked{
          .account_id = ana, .stripe_subscription_id = "sub_1", .stripe_customer_id = "cus_1", .stripe_price_id = "price_1"}});
  when(LinkSubscription{.account_id = ana, .stripe_price_id = "price_1"}).then_nothing();
  when(LinkSubscription{.account_id = ana}).then_nothing();
}

TEST_F(Subscription,
       a_full_refund_ends_the_period_that_it_paid_for) {  // ledger.md: a full refund revokes, a partial one does not
  on(Tier::standard);
  const Uuid payment_id = s().paid_by;
  const auto refunded = [&](std::int64_t amount) {
    const auto asked = told(payment::RequestRefund{.payment_id = payment_id, .amount_cents = amount}).then_accepted();
    const Uuid refund_id = only<payment::RefundRequested>(asked.events).at(0).refund_id;
    return told(payment::RecordRefunded{.payment_id = payment_id, .refund_id = refund_id}).then_accepted();
  };
  EXPECT_TRUE(only<SubscriptionCancelled>(refunded(400).events).empty());
  EXPECT_EQ(rights(), Tier::standard);
  const auto all = refunded(599);
  EXPECT_EQ(only<SubscriptionCancelled>(all.events).at(0).cause, Cause::refunded);
  EXPECT_EQ(rights(), Tier::basic);
}

TEST_F(Subscription, a_refund_of_an_earlier_period_changes_nothing) {  // ledger.md
  on(Tier::standard);
  const Uuid payment_id = s().paid_by;
  at(utc(2026, 2, 5, 8));
  as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_accepted();
  const auto asked = told(payment::RequestRefund{.payment_id = payment_id, .amount_cents = 999}).then_accepted();
  const Uuid refund_id = only<payment::RefundRequested>(asked.events).at(0).refund_id;
  const auto done = told(payment::RecordRefunded{.payment_id = payment_id, .refund_id = refund_id}).then_accepted();
  EXPECT_TRUE(only<SubscriptionCancelled>(done.events).empty());
  EXPECT_EQ(rights(), Tier::standard);
}

TEST_F(Subscription, a_renewals_money_goes_back_too) {  // ledger.md: subscription refund
  on(Tier::standard);
  at(utc(2026, 2, 5, 8));
  as(service()).when(renewal("in_1", utc(2026, 3, 5, 8))).then_accepted();
  const Uuid payment_id = s().paid_by;
  when(payment::RequestRefund{.payment_id = payment_id, .amount_cents = 1000}).then_rejected(Code::amount_exceeds_captured);
  const auto asked = when(payment::RequestRefund{.payment_id = payment_id, .amount_cents = 999}).then_accepted();
  const auto refund = only<payment::RefundRequested>(asked.events).at(0);
  EXPECT_EQ(refund.transfers,
            ledger::Posting(ledger::Processor::stripe).move({Ledger::subscriptions}, {Ledger::refunds}, 999).done());
  const auto call = effect(state<PaymentState>(payment_id));
  ASSERT_TRUE(call);
  EXPECT_EQ(call->external_id, "in_1");
  const auto done = told(payment::RecordRefunded{.payment_id = payment_id, .refund_id = refund.refund_id}).then_accepted();
  EXPECT_EQ(only<SubscriptionCancelled>(done.events).at(0).cause, Cause::refunded);
  EXPECT_EQ(rights(), Tier::basic);
}

// ---- the sandbox's billing (ledger.md: the provider's billing drives renewals, the sandbox too)

struct BilledBySandbox : Subscription {
  BilledBySandbox() {
    policy.sandbox_bills = true;
    on(Tier::standard);
  }
  const Micros end = utc(2026, 2, 5, 8), next = utc(2026, 3, 5, 8);
  Outcome answered(bool yes) {
    const auto call = effect(s());
    EXPECT_TRUE(call);
    return told(outcome_command(*call, {.kind = yes ? ProcessorAnswer::Kind::succeeded : ProcessorAnswer::Kind::declined,
                                        .external_id = "sandbox_" + to_string(call->id),
                                        .reason = yes ? "" : "card_declined"}));
  }
};

TEST_F(BilledBySandbox, the_next_period_is_billed_when_one_is_over) {  // PA-35
  pass_to(end - 1);
  EXPECT_FALSE(effect(s()));
  pass_to(end);
  const auto call = effect(s());
  ASSERT_TRUE(call);
  EXPECT_EQ(*call, (Effect{.id = derive_in_group("effect/bill", ana, static_cast<std::uint64_t>(next), test_bucket),
                           .call = ::payment::v1::Call::bill,
                           .payment_id = ana,
                           .amount_cents = 999,
                           .currency = "USD",
                           .processor = "stripe",
                           .period_end = next}));
  told(EnforceSubscription{.account_id = ana}).then_nothing();  // Once a period.
  const auto paid = answered(true).then_accepted();
  EXPECT_EQ(only<SubscriptionPaid>(paid.events).at(0).amount_cents, 999);
  EXPECT_FALSE(effect(s()));
  EXPECT_EQ(row().current_period_start, end);
  EXPECT_EQ(row().current_period_end, next);
  told(outcome_command(*call, {.kind = ProcessorAnswer::Kind::succeeded, .external_id = "sandbox_" + to_string(call->id)}))
      .then_nothing();
  pass_to(next);
  ASSERT_TRUE(effect(s()));
  EXPECT_NE(effect(s())->id, call->id);
}

TEST_F(BilledBySandbox, a_refused_bill_leaves_it_past_due) {  // PA-37
  pass_to(end);
  answered(false).then_accepted();
  EXPECT_EQ(row().status, Status::past_due);
  EXPECT_FALSE(effect(s()));
  pass_to(end + policy.past_due_us + policy.unpaid_us);
  EXPECT_EQ(rights(), Tier::basic);
  EXPECT_EQ(history<BillingRequested>().size(), 1u);
}

TEST_F(BilledBySandbox, an_answer_that_does_not_come_is_waited_for_as_a_providers_word) {  // PA-37
  pass_to(end + unheard_us);
  EXPECT_EQ(row().status, Status::past_due);
  EXPECT_TRUE(effect(s())) << "it is still asked for";
  answered(false).then_accepted();
  EXPECT_FALSE(effect(s()));
  EXPECT_EQ(history<SubscriptionPastDue>().size(), 1u) << "the first failure's days run on";
}

TEST_F(BilledBySandbox, the_plan_that_begins_is_billed) {  // PA-36
  when(change(Tier::standard, Interval::annual)).then_accepted();  // An upgrade that is not paid by then.
  pass_to(end - 10 * minute_us);
  as(user(ana)).when(change(Tier::premium)).then_accepted();
  pass_to(end);
  EXPECT_TRUE(is_nil(pending()));
  EXPECT_EQ(effect(s()).value().amount_cents, 999);
  as(user(ana)).when(change(Tier::premium)).then_rejected(Code::subscription_pending);
  answered(true).then_accepted();
  when(change(Tier::ultimate)).then_accepted();
}

TEST_F(BilledBySandbox, what_is_cancelled_is_not_billed) {  // PA-38
  cancel().then_accepted();
  pass_to(end);
  EXPECT_TRUE(history<BillingRequested>().empty());
  EXPECT_EQ(rights(), Tier::basic);
}

TEST_F(BilledBySandbox, a_cancellation_waits_for_the_bills_answer) {  // PA-38: the money may be on its way
  for (const bool yes : {true, false}) {
    pass_to(s().period_end);
    cancel().then_accepted();
    pass_to(now + minute_us);
    EXPECT_EQ(rights(), Tier::standard);
    answered(yes).then_accepted();
    EXPECT_EQ(row().cancel_at, yes ? std::optional(s().period_end) : std::nullopt);
    EXPECT_EQ(rights(), yes ? Tier::standard : Tier::basic);
    if (yes) undo().then_accepted();
  }
}

TEST_F(Subscription, without_the_setting_nobody_is_billed) {
  on(Tier::standard);
  pass_to(utc(2026, 2, 5, 8) + unheard_us);
  EXPECT_FALSE(effect(s()));
  EXPECT_EQ(row().status, Status::past_due);
}

TEST_F(Subscription, a_lost_chargeback_ends_it_too) {  // A-PA-18, ledger.md: DisputeLost
  on(Tier::standard);
  const Uuid payment_id = s().paid_by;
  told(payment::RecordDisputeOpened{.payment_id = payment_id, .external_id = "dp_1"}).then_accepted();
  EXPECT_EQ(rights(), Tier::standard) << "its outcome is open";
  told(payment::RecordDisputeLost{.payment_id = payment_id, .external_id = "dp_1"}).then_accepted();
  EXPECT_EQ(rights(), Tier::basic);
}

// ---- any history

// Owner, admins, provider and processor in any order, with repeats, late and lost words, while the timers run. After every step:
// periods follow each other, nobody has a tier that is neither paid, tried nor given, and the books hold what was paid.
TEST_F(Subscription, random_histories_keep_periods_rights_and_books) {  // PA-35..38, A-PA-8, A-PA-50, A-PA-51, ledger.md
  std::mt19937_64 random(20260110);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  const auto any_tier = [&] { return static_cast<Tier>(below(4)); };
  const auto any_interval = [&] { return static_cast<Interval>(below(3)); };
  std::vector<Uuid> payments;
  std::vector<std::pair<std::string, Micros>> bills;  // What the provider told of, paid or not.
  std::size_t seen = 0, renewals = 0, upgrades = 0, ends = 0, trials = 0;
  Micros end = 0;  // Of the running period.
  Micros trial_end = 0;
  std::int64_t processor = 0, revenue = 0, fees = 0, paid = 0;
  for (int i = 0; i < 30'000; ++i) {
    if (below(3) == 0) pass_to(now + static_cast<Micros>(below(12)) * day_us + static_cast<Micros>(below(24)) * hour_us);
    as(user(ana));
    switch (below(16)) {
      case 0: when(subscribe(any_tier(), any_interval(), below(4) == 0)); break;
      case 1:
      case 2: when(change(any_tier(), any_interval())); break;
      case 3:
        if (below(8) == 0) cancel();
        break;
      case 4: undo(); break;
      case 5:
        if (below(20) == 0) as(admin(boss)).when(GrantPartner{.account_id = ana});
        break;
      case 6: as(admin(boss)).when(RevokePartner{.account_id = ana}); break;
      case 7:
        if (!payments.empty()) captured(payments[payments.size() - 1 - below(std::min<std::size_t>(payments.size(), 3))]);
        break;
      case 8:
        if (!payments.empty() && below(4) == 0) told(payment::RecordFailed{.payment_id = payments.back(), .reason = "declined"});
        break;
      default: {  // The provider's bills. Most are in time; a repeat is an old one again.
        if (!bills.empty() && below(4) == 0) {
          const auto& [id, until] = bills[below(bills.size())];
          below(2) == 0 ? told(renewal(id, until)) : told(failure(id, until));
        } else if (s().period_end != 0 && now > s().period_end - hour_us) {
          const auto interval = s().next.effective_at() != 0 ? s().next.interval() : s().interval;
          bills.emplace_back("in_" + std::to_string(i), period_end_after(s().anchor_at, interval, s().period_end + day_us));
          below(5) == 0 ? told(failure(bills.back().first, bills.back().second))
                        : told(renewal(bills.back().first, bills.back().second));
        }
        break;
      }
    }
    policy.sandbox_bills = i >= 15'000;
    if (const auto bill = effect(s()); bill && below(3) != 0)
      told(outcome_command(*bill, {.kind = below(6) == 0 ? ProcessorAnswer::Kind::declined : ProcessorAnswer::Kind::succeeded,
                                   .external_id = "sandbox_" + to_string(bill->id),
                                   .reason = "declined"}));
    if (!is_nil(pending()) && (payments.empty() || !(payments.back() == pending()))) {
      payments.push_back(pending());
      if (below(2) == 0) captured(payments.back());  // Else late, refused or never.
    }

    for (; seen < world.history().size(); ++seen) {
      const AnyEvent& event = world.history()[seen].event;
      if (const auto* e = get_if<SubscriptionActivated>(&event)) {
        ASSERT_EQ(end, 0) << "another period is running";
        ASSERT_GT(e->period_end, e->period_start);
        end = e->period_end;
      } else if (const auto* t = get_if<TrialStarted>(&event)) {
        ASSERT_EQ(end, 0);
        ASSERT_EQ(++trials, 1u);
        end = trial_end = t->period_end;
      } else if (const auto* r = get_if<SubscriptionRenewed>(&event)) {
        const bool fresh = r->anchor_at == r->period_start && r->period_start != trial_end;
        ASSERT_TRUE(fresh || r->period_start == end) << "a gap, or an overlap";
        ASSERT_GT(r->period_end, r->period_start);
        end = r->period_end;
        ++(fresh ? upgrades : renewals);
      } else if (const auto* c = get_if<CheckoutStarted>(&event)) {
        ASSERT_GE(c->credit_cents, 0);
        ASSERT_GE(c->amount_cents, policy.min_price_cents);
        ASSERT_EQ(c->amount_cents + c->credit_cents, c->price_cents);
      } else if (holds_alternative<SubscriptionCancelled>(event)) {
        end = 0;
        ++ends;
      } else if (const auto* m = get_if<SubscriptionPaid>(&event)) {
        paid += m->amount_cents;
        for (const auto& move : m->transfers) {
          ASSERT_EQ(move.debit(), Ledger::processor);
          processor -= move.amount_cents();
          (move.credit() == Ledger::fees ? fees : revenue) += move.amount_cents();
        }
      }
    }
    ASSERT_EQ(revenue + fees, paid);
    ASSERT_EQ(processor + revenue + fees, 0);
    ASSERT_EQ(s().period_end, end);
    ASSERT_NE(s().status, Status::cancelled) << "a decision never leaves it so";
    const bool has_plan = end != 0;
    ASSERT_EQ(has_plan, s().tier != Tier::basic && !s().is_partner);
    ASSERT_EQ(has_plan, s().interval != Interval::none);
    ASSERT_EQ(rights() != Tier::basic, s().is_partner || (has_plan && s().status != Status::unpaid));
    ASSERT_EQ(has_plan, s().deadline_at != 0) << "a plan that nothing would ever end";
  }
  EXPECT_GT(renewals, 100u);
  EXPECT_GT(upgrades, 20u);
  EXPECT_GT(ends, 20u);
}

}  // namespace
}  // namespace guildhall::testing
