// Plans, subscriptions and live sessions as clients of dracarys read them (DR-45..62, A-DR-30, X-9): the seed's columns, who
// reads which row, and what becomes of a row over its life.
#include <gtest/gtest.h>

#include "projectors/dracarys.h"
#include "tests/projectors/rows_as_read.h"

namespace guildhall {
namespace {

// Ana hosts, Bo and Cy learn, Eve has nothing to do with it.
const Uuid ana = test_id(1001), bo = test_id(1002), cy = test_id(1003), eve = test_id(1004);
const Uuid charts = test_id(2001), bos_place = test_id(2002), cys_place = test_id(2003);
const Uuid trader = test_id(3001), first = test_id(3002), second = test_id(3003), lesson_id = test_id(4001);

class SessionRows : public RowsAsRead {
 protected:
  SessionRows() : RowsAsRead(dracarys_projection(), dracarys_sql()) {
    for (const auto& [who, name] : {std::pair(ana, "Ana"), std::pair(bo, "Bo"), std::pair(cy, "Cy"), std::pair(eve, "Eve")}) {
      account::AccountRegistered e;
      e.account_id = who;
      e.display_name = name;
      e.role = ::account::v1::Role::member;
      e.timezone = "UTC";
      happen(StreamKind::account, who, e);
    }
  }

  // ---- plans

  void offer() {
    happen(StreamKind::plan, trader,
           plan::PlanCreated{.plan_id = trader,
                             .name = "Trader",
                             .price_cents = 1'999,
                             .currency = "USD",
                             .features = R"(["charts"])",
                             .trial_days = 14,
                             .level_access_limit = 5});
  }
  template <class E>
  void on_bos_plan(const Uuid& subscription, E e) {
    e.account_id = bo;
    e.subscription_id = subscription;
    happen(StreamKind::plan_subscription, bo, std::move(e));
  }
  void activate(const Uuid& subscription) {
    on_bos_plan(subscription,
                plan_subscription::SubscriptionActivated{.plan_id = trader,
                                                         .price_cents = 1'999,
                                                         .currency = "USD",
                                                         .level_access_limit = 5,
                                                         .period_start = written_.now,
                                                         .period_end = written_.now + 30 * day_us,
                                                         .overdue_at = written_.now + 31 * day_us});
    on_bos_plan(subscription, plan_subscription::SubscriptionPaid{.payment_id = test_id(5001), .amount_cents = 1'999});
  }

  // ---- sessions

  template <class E>
  void on_session(E e) {
    e.session_id = charts;
    happen(StreamKind::live_session, charts, std::move(e));
  }
  template <class E>
  void on_place(const Uuid& who, E e) {
    const Uuid& id = who == bo ? bos_place : cys_place;
    e.participant_id = id;
    e.session_id = charts;
    e.user_id = who;
    happen(StreamKind::participant, id, std::move(e));
  }
  void schedule() {
    on_session(live_session::LiveSessionScheduled{.host_id = ana,
                                                  .title = "Charts",
                                                  .session_type = ::live_session::v1::SessionType::q_and_a,
                                                  .scheduled_at = written_.now + day_us,
                                                  .duration_minutes = 90,
                                                  .max_participants = 1,
                                                  .meeting_url = "https://meet.example.com/1",
                                                  .min_level = 2,
                                                  .required_lessons = {lesson_id},
                                                  .tags = {"charts"}});
  }
  // Bo has the seat, Cy waits.
  void fill() {
    on_place(bo, participant::RegistrationAdded{.host_id = ana, .attempt = 1});
    on_session(live_session::SeatTaken{.participant_id = bos_place, .current_participants = 1});
    on_place(cy, participant::RegistrationWaitlisted{.host_id = ana, .attempt = 1});
    on_session(live_session::PlaceTaken{.participant_id = cys_place});
  }

  const std::string subscriptions_ =
      "SELECT id, status, cancel_at_period_end, trial_end IS NOT NULL FROM dracarys.user_subscriptions ORDER BY created_at";
  const std::string urls_ = "SELECT meeting_url FROM dracarys.live_sessions";
  const std::string participants_ = "SELECT attendance_status FROM dracarys.session_participants ORDER BY user_id";
};

TEST_F(SessionRows, plans_have_the_seeds_columns_and_active_ones_are_public) {  // DR-55, DR-62, A-DR-30
  offer();
  const std::string plans =
      "SELECT name, description, plan_type, price, currency, stripe_price_id, features, is_active, trial_days, max_users, "
      "level_access_limit FROM dracarys.subscription_plans";
  const Lines row{R"(Trader - monthly 19.99 USD - ["charts"] t 14 - 5)"};
  EXPECT_EQ(as_anyone(plans), row);
  EXPECT_EQ(as(eve, plans), row);
  activate(first);
  happen(StreamKind::plan, trader, plan::PlanRetired{.plan_id = trader});
  EXPECT_EQ(as_anyone(plans), Lines{});
  EXPECT_EQ(as(eve, plans), Lines{});
  EXPECT_EQ(as(bo, "SELECT is_active FROM dracarys.subscription_plans"), Lines{"f"}) << "one's own";
  EXPECT_EQ(as_service("SELECT is_active FROM dracarys.subscription_plans"), Lines{"f"});
  expect_same_twin();
}

TEST_F(SessionRows, a_subscription_ends_canceled_and_is_kept) {  // DR-59, DR-60, A-DR-22, X-9
  offer();
  on_bos_plan(first, plan_subscription::TrialStarted{.plan_id = trader,
                                                     .level_access_limit = 5,
                                                     .period_start = written_.now,
                                                     .period_end = written_.now + 14 * day_us});
  const std::string id = to_string(first);
  EXPECT_EQ(as(bo, subscriptions_), Lines{id + " trialing f t"});
  on_bos_plan(first, plan_subscription::CancelScheduled{.cancel_at = written_.now + 14 * day_us});
  EXPECT_EQ(as(bo, subscriptions_), Lines{id + " trialing t t"});
  on_bos_plan(first, plan_subscription::CancelUndone{});
  on_bos_plan(first, plan_subscription::SubscriptionPastDue{.reason = "no word"});
  EXPECT_EQ(as(bo, subscriptions_), Lines{id + " past_due f t"});
  on_bos_plan(first, plan_subscription::SubscriptionRenewed{.period_start = written_.now, .period_end = written_.now + day_us});
  EXPECT_EQ(as(bo, subscriptions_), Lines{id + " active f t"});
  on_bos_plan(first, plan_subscription::SubscriptionLinked{.stripe_subscription_id = "sub_1"});
  on_bos_plan(first, plan_subscription::SubscriptionUnpaid{});
  on_bos_plan(first, plan_subscription::SubscriptionCancelled{.cancelled_at = written_.now});
  on_bos_plan(second, plan_subscription::CheckoutStarted{.plan_id = trader, .price_cents = 1'999});
  activate(second);
  EXPECT_EQ(as(bo, subscriptions_), (Lines{id + " canceled f t", to_string(second) + " active f f"}));
  EXPECT_EQ(as(bo, "SELECT stripe_subscription_id FROM dracarys.user_subscriptions ORDER BY created_at"), (Lines{"sub_1", "-"}));
  EXPECT_EQ(as(eve, subscriptions_), Lines{});
  EXPECT_EQ(as_anyone(subscriptions_), Lines{});
  expect_same_twin();
}

TEST_F(SessionRows, a_lifetime_plan_has_no_period_end) {  // A-DR-23
  offer();
  on_bos_plan(first, plan_subscription::SubscriptionActivated{.plan_id = trader,
                                                              .plan_type = ::plan::v1::PlanType::lifetime,
                                                              .level_access_limit = 5,
                                                              .period_start = written_.now});
  EXPECT_EQ(as(bo, "SELECT status, current_period_end FROM dracarys.user_subscriptions"), Lines{"active -"});
}

TEST_F(SessionRows, a_live_plan_opens_what_its_lessons_teach) {  // DR-57, A-DR-19
  offer();
  happen(StreamKind::lesson, lesson_id,
         lesson::LessonCreated{.lesson_id = lesson_id,
                               .level_id = 5,
                               .gate_id = 1,
                               .title = "Options",
                               .content_type = "interactive",
                               .content_data = R"({"a": 1})",
                               .is_active = true});
  const std::string contents = "SELECT content_data FROM dracarys.lessons";
  EXPECT_EQ(as(bo, contents), Lines{"-"});
  activate(first);
  EXPECT_EQ(as(bo, contents), Lines{R"({"a": 1})"});
  EXPECT_EQ(as(eve, contents), Lines{"-"});
  on_bos_plan(first, plan_subscription::SubscriptionUnpaid{});
  EXPECT_EQ(as(bo, contents), Lines{"-"});
}

TEST_F(SessionRows, a_session_has_the_seeds_columns) {  // DR-45, DR-46, DR-48
  schedule();
  fill();
  EXPECT_EQ(as(eve,
               "SELECT title, description, host_id, session_type, duration, max_participants, current_participants, "
               "meeting_url, recording_url, is_recorded, status, prerequisites, tags, metadata FROM dracarys.live_sessions"),
            Lines{"Charts - " + to_string(ana) + " q&a 01:30:00 1 1 - - f scheduled " +
                  R"({"min_level": 2, "required_lessons": [")" + to_string(lesson_id) + R"("]})" + " {charts} -"});
  on_session(live_session::LiveSessionUpdated{.title = "More charts", .duration_minutes = 30});
  EXPECT_EQ(as(eve,
               "SELECT title, session_type, duration, max_participants, current_participants, prerequisites, tags "
               "FROM dracarys.live_sessions"),
            Lines{"More charts workshop 00:30:00 - 1 - {}"});
  on_session(live_session::LiveSessionStarted{.meeting_url = "https://meet.example.com/2"});
  EXPECT_EQ(as(eve, "SELECT status FROM dracarys.live_sessions"), Lines{"live"});
  on_session(live_session::LiveSessionEnded{.ended_at = written_.now});
  on_session(live_session::LiveRecordingAttached{.recording_url = "https://example.com/1"});
  EXPECT_EQ(as(eve, "SELECT status, recording_url, is_recorded FROM dracarys.live_sessions"),
            Lines{"ended https://example.com/1 t"});
  EXPECT_EQ(as_anyone("SELECT title FROM dracarys.live_sessions"), Lines{}) << "for those who are signed in";
  expect_same_twin();
}

TEST_F(SessionRows, where_it_meets_is_for_the_registered_and_the_host) {  // A-DR-30
  schedule();
  fill();
  const Lines url{"https://meet.example.com/1"}, none{"-"};
  EXPECT_EQ(as(ana, urls_), url);
  EXPECT_EQ(as(bo, urls_), url);
  EXPECT_EQ(as(cy, urls_), none) << "who waits is not registered";
  EXPECT_EQ(as(eve, urls_), none);
  on_place(bo, participant::RegistrationCancelled{.attempt = 1});
  on_session(live_session::SeatReleased{.participant_id = bos_place});
  on_place(cy, participant::WaitlistPromoted{.attempt = 1});
  on_session(live_session::SeatTaken{.participant_id = cys_place, .current_participants = 1});
  EXPECT_EQ(as(bo, urls_), none);
  EXPECT_EQ(as(cy, urls_), url);
}

TEST_F(SessionRows, participants_are_read_by_themselves_and_the_host) {  // DR-50..53, A-DR-30
  schedule();
  fill();
  EXPECT_EQ(as(ana, participants_), (Lines{"registered", "waitlisted"}));
  EXPECT_EQ(as(bo, participants_), Lines{"registered"});
  EXPECT_EQ(as(cy, participants_), Lines{"waitlisted"});
  EXPECT_EQ(as(eve, participants_), Lines{});
  EXPECT_EQ(as_anyone(participants_), Lines{});

  on_session(live_session::LiveSessionStarted{.meeting_url = "https://meet.example.com/1"});
  on_place(bo, participant::ParticipantJoined{.joined_at = written_.now, .first_time = true});
  on_place(bo, participant::ParticipantLeft{.left_at = written_.now});
  on_place(bo, participant::FeedbackGiven{.rating = 5, .text = "Good"});
  EXPECT_EQ(as(bo,
               "SELECT attendance_status, joined_at IS NOT NULL, left_at IS NOT NULL, feedback_rating, feedback_text "
               "FROM dracarys.session_participants"),
            Lines{"attended t t 5 Good"});
  on_place(bo, participant::ParticipantJoined{.joined_at = written_.now});
  EXPECT_EQ(as(bo, "SELECT left_at FROM dracarys.session_participants"), Lines{"-"});
}

TEST_F(SessionRows, who_cancels_is_gone_and_may_come_again) {  // §9, DR-51
  schedule();
  fill();
  on_place(bo, participant::RegistrationCancelled{.attempt = 1});
  on_place(bo, participant::RegistrationRefused{.attempt = 2});
  EXPECT_EQ(as(ana, participants_), Lines{"waitlisted"});
  on_place(bo, participant::RegistrationWaitlisted{.host_id = ana, .attempt = 3});
  on_place(bo, participant::WithdrawalRefused{.attempt = 3});
  EXPECT_EQ(as(bo, participants_), Lines{"waitlisted"});
  on_place(bo, participant::WaitlistPromoted{.attempt = 3});
  on_session(live_session::LiveSessionEnded{.ended_at = written_.now});
  on_place(bo, participant::AttendanceMissed{});
  on_session(live_session::ParticipantsSettled{.current_participants = 1});
  EXPECT_EQ(as(bo, participants_), Lines{"missed"});
  expect_same_twin();
}

}  // namespace
}  // namespace guildhall
