// Plans and who subscribes to them: DR-55..62, A-DR-18, A-DR-22..24, X-8, X-20, M-2, ledger.md.
#include <gtest/gtest.h>

#include <set>

#include "aggregates/learner.h"
#include "aggregates/ledger.h"
#include "aggregates/plan.h"
#include "aggregates/plan_subscription.h"
#include "aggregates/subscription.h"
#include "events/curriculum.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {
namespace {

using namespace plan_subscription;
using plan::CreatePlan;
using plan::PlanRetired;
using plan::RetirePlan;
using ::plan::v1::PlanType;
using ::plan_subscription::v1::Cause;
using ::plan_subscription::v1::Status;
using Ledger = ::ledger::v1::Account;

// Ana, who learns, since Monday 5 January 2026 at 8:00.
struct Plans : Given {
  Plans() {
    policy.platform = "dracarys";
    policy.aggregates = {"account", "claim", "lesson", "learner", "progress", "payment", "plan", "plan_subscription"};
    policy.roles = {"member", "admin"};
    policy.currencies = {"USD"};
    policy.default_currency = "USD";
    account::RegisterAccount c;
    c.id = ana;
    c.email = "ana@example.com";
    c.display_name = "Ana";
    c.role = ::account::v1::Role::member;
    c.timezone = "UTC";
    as(service()).when(c).then_accepted();
  }
  const Uuid ana = id_of("ana"), bo = id_of("bo");
  const Micros start = utc(2026, 1, 5, 8);

  static CreatePlan plan(PlanType type = PlanType::monthly, std::int64_t price_cents = 1'999, std::int32_t trial_days = 0) {
    return {.curriculum_id = curriculum_id_of("dracarys"),
            .name = "Trader",
            .plan_type = type,
            .price_cents = price_cents,
            .features = "[]",
            .trial_days = trial_days,
            .level_access_limit = 5};
  }
  Uuid offer(const CreatePlan& c = plan()) { return as(service()).when(c).then_accepted().subject.stream.id; }

  Outcome subscribe(const Uuid& plan_id) { return as(user(ana)).when(SubscribeToPlan{.account_id = ana, .plan_id = plan_id}); }
  Outcome cancel() { return as(user(ana)).when(CancelPlanSubscription{.account_id = ana}); }
  Outcome undo() { return as(user(ana)).when(UndoPlanCancel{.account_id = ana}); }
  Outcome renew(const std::string& external_id, Micros period_end) {
    return as(service()).when(RecordPlanRenewal{.account_id = ana, .external_id = external_id, .period_end = period_end});
  }
  Outcome fail(const std::string& external_id, Micros period_end) {
    return as(service()).when(RecordPlanPaymentFailed{
        .account_id = ana, .external_id = external_id, .period_end = period_end, .reason = "card declined"});
  }
  Outcome pay(const Uuid& payment_id) {
    return as(the_system()).when(payment::RecordCaptured{.payment_id = payment_id, .external_id = "pi_1"});
  }

  const PlanSubscriptionState& s() const { return state<PlanSubscriptionState>(ana); }
  Uuid pending() const { return s().checkout.payment_id(); }
  std::int32_t access() const { return level_access(world, ana, policy); }

  // On a paid plan from now on.
  void on(const Uuid& plan_id) {
    subscribe(plan_id).then_accepted();
    pay(pending()).then_accepted();
  }
  // Fires what is due, each timer once and at its time, and stops at `instant`.
  void pass_to(Micros instant) {
    for (;;) {
      std::optional<Timer> next;
      for (Timer& t : timers(s()))
        if (t.due <= instant && !fired_.contains({std::string(t.name), t.due}) && (!next || t.due < next->due))
          next = std::move(t);
      if (!next) break;
      fired_.insert({std::string(next->name), next->due});
      at(std::max(now, next->due));
      as(the_system()).when(next->command);
    }
    at(std::max(now, instant));
  }

 private:
  std::set<std::pair<std::string, Micros>> fired_;
};

// ---- plans

TEST_F(Plans, are_offered_and_retired_by_admins) {  // DR-55, DR-56, DR-61
  as(user(ana)).when(plan()).then_rejected(Code::admin_only);
  const Uuid id = offer(plan(PlanType::yearly, 9'900, 14));
  const auto fact = world.directory().plan(id);
  ASSERT_TRUE(fact);
  EXPECT_TRUE(fact->is_active);
  EXPECT_EQ(fact->plan_type, PlanType::yearly);
  EXPECT_EQ(fact->price_cents, 9'900);
  EXPECT_EQ(fact->currency, "USD");
  EXPECT_EQ(fact->trial_days, 14);
  EXPECT_EQ(fact->level_access_limit, 5);
  as(user(ana)).when(RetirePlan{.plan_id = id}).then_rejected(Code::admin_only);
  as(admin(bo)).when(RetirePlan{.plan_id = id}).then({PlanRetired{.plan_id = id}});
  when(RetirePlan{.plan_id = id}).then_nothing();
  EXPECT_FALSE(world.directory().plan(id)->is_active);
  EXPECT_TRUE(shows_to(state<PlanState>(id), admin(bo)));
  EXPECT_FALSE(shows_to(state<PlanState>(id), user(ana)));
  when(RetirePlan{.plan_id = id_of("no plan")}).then_rejected(Code::plan_not_found);
}

TEST_F(Plans, cost_nothing_or_the_smallest_price_at_least) {  // DR-55, A-PA-13
  as(service()).when(plan(PlanType::monthly, 99)).then_rejected(Code::price_below_minimum);
  when(plan(PlanType::monthly, 100)).then_accepted();
  when(plan(PlanType::monthly, 0)).then_accepted();
}

TEST_F(Plans, are_for_one) {  // A-DR-24
  auto c = plan();
  c.max_users = 2;
  as(service()).when(c).then_rejected(Code::team_plan);
  c.max_users = 1;
  when(c).then_accepted();
}

TEST_F(Plans, have_a_trial_where_they_have_periods) {  // DR-58, A-DR-23
  as(service()).when(plan(PlanType::lifetime, 49'900, 7)).then_rejected(Code::trial_without_periods);
  when(plan(PlanType::monthly, 0, 7)).then_rejected(Code::trial_without_periods);
  when(plan(PlanType::monthly, 999, 7)).then_accepted();
}

TEST_F(Plans, one_has_a_price_of_the_provider) {  // DR-55
  auto c = plan();
  c.stripe_price_id = "price_1";
  const Uuid id = offer(c);
  when(c).then_nothing();
  c.name = "Another";
  when(c).then_rejected(Code::plan_exists);
  c.stripe_price_id = "price_2";
  EXPECT_NE(offer(c), id);
}

// ---- subscribing

TEST_F(Plans, open_their_levels_once_paid) {  // DR-57, DR-59, DR-60, X-8
  const Uuid id = offer();
  EXPECT_EQ(access(), 1);
  subscribe(id).then_accepted();
  EXPECT_EQ(s().status, Status::none);
  EXPECT_EQ(access(), 1);
  subscribe(id).then_nothing();
  EXPECT_EQ(state<PaymentState>(pending()).amount_cents, 1'999);
  EXPECT_EQ(state<PaymentState>(pending()).purpose, ::payment::v1::Purpose::subscription);

  const auto events = pay(pending()).then_accepted().events;
  EXPECT_EQ(s().status, Status::active);
  EXPECT_EQ(access(), 5);
  EXPECT_EQ(s().period_end, utc(2026, 2, 5, 8));
  const auto paid = only<SubscriptionPaid>(events);
  ASSERT_EQ(paid.size(), 1U);
  EXPECT_EQ(paid[0].subscription_id, s().subscription_id);
  EXPECT_EQ(paid[0].fee_cents, 88);  // 2.9% of 1999 are 57.97, and 30.
  EXPECT_EQ(paid[0].transfers, ledger::Posting(ledger::Processor::stripe)
                                   .move({Ledger::processor}, {Ledger::subscriptions}, 1'911)
                                   .move({Ledger::processor}, {Ledger::fees}, 88)
                                   .done());
  EXPECT_TRUE(only<payment::PaymentCaptured>(events).at(0).transfers.empty());
}

TEST_F(Plans, a_lesson_above_the_plans_level_is_closed) {  // DR-57
  const auto lesson = [&](std::int32_t level) {
    lesson::CreateLesson c;
    c.curriculum_id = curriculum_id_of("dracarys");
    c.level_id = level;
    c.gate_id = 1;
    c.title = "Lesson";
    c.content_data = "{}";
    return as(service()).when(c).then_accepted().subject.stream.id;
  };
  const Uuid fifth = lesson(5), sixth = lesson(6);
  const auto open = [&](const Uuid& id) { return as(user(ana)).when(progress::StartLesson{.lesson_id = id, .learner_id = ana}); };
  open(fifth).then_rejected(Code::level_closed);
  on(offer());
  open(fifth).then_accepted();
  open(sixth).then_rejected(Code::level_closed);
}

TEST_F(Plans, begin_with_the_one_trial_of_an_account) {  // DR-58, X-20
  const Uuid id = offer(plan(PlanType::monthly, 1'999, 14));
  subscribe(id).then_accepted();
  EXPECT_EQ(s().status, Status::trialing);
  EXPECT_EQ(s().trial_end, start + 14 * day_us);
  EXPECT_EQ(access(), 5);
  renew("in_1", utc(2026, 2, 19, 8)).then_accepted();
  EXPECT_EQ(s().status, Status::active);
  EXPECT_EQ(s().period_start, start + 14 * day_us);

  cancel().then_accepted();
  pass_to(utc(2026, 2, 20));
  EXPECT_EQ(s().status, Status::cancelled);
  subscribe(id).then_accepted();
  EXPECT_EQ(s().status, Status::cancelled) << "the second time it is paid first";
  EXPECT_FALSE(is_nil(pending()));
}

TEST_F(Plans, one_at_most_is_live_and_history_is_kept) {  // A-DR-22
  const Uuid id = offer(), other = offer(plan(PlanType::yearly, 9'900));
  on(id);
  const Uuid first = s().subscription_id;
  subscribe(id).then_nothing();
  subscribe(other).then_rejected(Code::already_subscribed);
  cancel().then_accepted();
  subscribe(id).then_rejected(Code::already_subscribed);
  pass_to(utc(2026, 2, 5, 8));
  EXPECT_EQ(s().status, Status::cancelled);
  EXPECT_EQ(access(), 1);
  on(other);
  EXPECT_NE(s().subscription_id, first);
  EXPECT_EQ(s().plan_id, other);
  EXPECT_EQ(s().period_end, utc(2027, 2, 5, 8));
}

TEST_F(Plans, a_checkout_is_for_one_plan) {  // A-DR-22
  subscribe(offer()).then_accepted();
  subscribe(offer(plan(PlanType::yearly, 9'900))).then_rejected(Code::subscription_pending);
  cancel().then_accepted();
  EXPECT_TRUE(is_nil(pending()));
  cancel().then_nothing();
}

TEST_F(Plans, of_a_lifetime_have_no_end) {  // A-DR-23
  on(offer(plan(PlanType::lifetime, 49'900)));
  EXPECT_EQ(s().status, Status::active);
  EXPECT_EQ(s().period_end, 0);
  EXPECT_TRUE(timers(s()).empty());
  fail("in_1", now + day_us).then_nothing();
  renew("in_1", now + day_us).then_rejected(Code::plan_without_periods);
  pass_to(utc(2036, 1, 1));
  EXPECT_EQ(access(), 5);
  cancel().then_accepted();
  EXPECT_EQ(s().status, Status::cancelled);
}

TEST_F(Plans, for_nothing_need_no_payment) {  // DR-55
  subscribe(offer(plan(PlanType::monthly, 0))).then_accepted();
  EXPECT_EQ(s().status, Status::active);
  EXPECT_TRUE(timers(s()).empty());
  EXPECT_EQ(access(), 5);
}

TEST_F(Plans, go_from_past_due_to_unpaid_to_their_end) {  // DR-60, ledger.md
  on(offer());
  pass_to(utc(2026, 2, 5, 8));
  EXPECT_EQ(s().status, Status::active) << "the provider has a day to tell";
  pass_to(utc(2026, 2, 6, 8));
  EXPECT_EQ(s().status, Status::past_due);
  EXPECT_EQ(access(), 5);
  pass_to(utc(2026, 2, 13, 8));
  EXPECT_EQ(s().status, Status::unpaid);
  EXPECT_EQ(access(), 1);
  pass_to(utc(2026, 3, 8, 8));
  EXPECT_EQ(s().status, Status::cancelled);
  EXPECT_EQ(only<SubscriptionCancelled>(world.history()).at(0).cause, Cause::unpaid);
}

TEST_F(Plans, are_active_again_once_paid) {  // DR-60
  on(offer());
  fail("in_1", utc(2026, 3, 5, 8)).then_accepted();
  fail("in_2", utc(2026, 3, 5, 8)).then_nothing();
  EXPECT_EQ(s().status, Status::past_due);
  renew("in_3", utc(2026, 3, 5, 8)).then_accepted();
  EXPECT_EQ(s().status, Status::active);
  renew("in_3", utc(2026, 3, 5, 8)).then_nothing();
  renew("in_4", utc(2026, 3, 5, 8)).then_nothing();
  renew("in_5", utc(2026, 7, 5, 8)).then_rejected(Code::period_too_long);
}

TEST_F(Plans, end_with_the_period_once_cancelled) {  // §9, A-PA-51 in spirit
  on(offer());
  cancel().then_accepted();
  cancel().then_nothing();
  EXPECT_EQ(s().status, Status::active);
  undo().then_accepted();
  undo().then_nothing();
  pass_to(utc(2026, 2, 5, 7));
  cancel().then_accepted();
  pass_to(utc(2026, 2, 5, 8));
  EXPECT_EQ(s().status, Status::cancelled);
  undo().then_rejected(Code::not_subscribed);
}

TEST_F(Plans, keep_their_terms_when_retired) {  // DR-61, ledger.md
  const Uuid id = offer();
  on(id);
  as(service()).when(RetirePlan{.plan_id = id}).then_accepted();
  const auto events = renew("in_1", utc(2026, 3, 5, 8)).then_accepted().events;
  EXPECT_EQ(only<SubscriptionPaid>(events).at(0).amount_cents, 1'999);
  EXPECT_EQ(access(), 5);
  cancel().then_accepted();
  pass_to(utc(2026, 3, 5, 8));
  subscribe(id).then_rejected(Code::plan_not_active);
}

TEST_F(Plans, money_that_comes_too_late_goes_back) {  // M-2
  subscribe(offer()).then_accepted();
  const Uuid payment_id = pending();
  pass_to(start + policy.checkout_us);
  EXPECT_TRUE(is_nil(pending()));
  const auto events = pay(payment_id).then_accepted().events;
  EXPECT_EQ(only<payment::LatePaymentReceived>(events).size(), 1U);
  EXPECT_EQ(only<payment::RefundRequested>(events).size(), 1U);
  EXPECT_EQ(s().status, Status::none);
}

TEST_F(Plans, a_refused_payment_leaves_nothing) {  // DR-60
  subscribe(offer()).then_accepted();
  as(the_system()).when(payment::RecordFailed{.payment_id = pending(), .reason = "declined"}).then_accepted();
  EXPECT_TRUE(is_nil(pending()));
  EXPECT_EQ(access(), 1);
}

TEST_F(Plans, a_refund_ends_the_period_that_it_paid) {  // ledger.md
  subscribe(offer()).then_accepted();
  const Uuid payment_id = pending();
  pay(payment_id).then_accepted();
  as(service()).when(payment::RequestRefund{.payment_id = payment_id, .amount_cents = 1'999}).then_accepted();
  const auto wanted = effect(state<PaymentState>(payment_id));
  ASSERT_TRUE(wanted);
  as(the_system()).when(payment::RecordRefunded{.payment_id = payment_id, .refund_id = wanted->id}).then_accepted();
  EXPECT_EQ(s().status, Status::cancelled);
  EXPECT_EQ(only<SubscriptionCancelled>(world.history()).at(0).cause, Cause::refunded);
}

TEST_F(Plans, are_subscribed_to_by_their_owner) {  // A-DR-30
  const Uuid id = offer();
  as(user(bo)).when(SubscribeToPlan{.account_id = ana, .plan_id = id}).then_rejected(Code::account_not_found);
  as(user(ana)).when(SubscribeToPlan{.account_id = ana, .plan_id = id_of("no plan")}).then_rejected(Code::plan_not_found);
  when(SubscribeToPlan{.account_id = ana, .plan_id = id, .expected_price_cents = 1}).then_rejected(Code::price_changed);
  on(id);
  as(user(bo)).when(CancelPlanSubscription{.account_id = ana}).then_rejected(Code::subscription_not_found);
  EXPECT_FALSE(shows_to(s(), user(bo)));
  account::BanAccount ban;
  ban.account_id = ana;
  as(service()).when(ban).then_accepted();
  cancel().then_accepted();
  undo().then_rejected(Code::account_banned);
}

TEST_F(Plans, have_the_providers_name_while_they_run) {  // DR-59
  const LinkPlanSubscription link{.account_id = ana, .stripe_subscription_id = "sub_1"};
  as(service()).when(link).then_rejected(Code::subscription_not_found);
  on(offer());
  as(service()).when(link).then_accepted();
  when(link).then_nothing();
  EXPECT_EQ(s().stripe_subscription_id, "sub_1");
}

}  // namespace
}  // namespace guildhall::testing
