// Learning over HTTP against the real binary: an admin makes a lesson, learners hand it in, and each reads what is theirs (DR-63,
// DR-65, A-DR-4, A-DR-19, XP-1); live sessions and plans.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "tests/acceptance/server.h"
#include "tests/postgres_cluster.h"

namespace guildhall {
namespace {

class Learning : public testing::Test {
 protected:
  Learning() {
    server_.start();
    ada_ = account("Ada", "member");
    bo_ = account("Bo", "member");
    root_ = account("Root", "admin");
  }

  static void expect(const Reply& reply, int status) { EXPECT_EQ(reply.status, status) << reply.body; }

  std::string account(const std::string& name, const std::string& role) {
    HttpClient service = server_.client();
    const Reply made = service.post(
        "/v1/accounts",
        fmt::format(R"({{"email":"{}@example.com","display_name":"{}","role":"{}","timezone":"Europe/Copenhagen"}})", name, name,
                    role),
        {{"Idempotency-Key", name}});
    expect(made, 201);
    return made.text("id");
  }
  static std::string answers(const std::string& learner, const std::string& answer) {
    return fmt::format(R"({{"learner_id":"{}","answers":["{}"],"time_spent_seconds":60}})", learner, answer);
  }

  const std::string lesson_ =
      R"({"level_id":1,"gate_id":1,"title":"Candles","content_data":"{\"steps\":[1]}","assessment_data":"[{\"q\":\"Up?\"}]",)"
      R"("answer_key":["yes-it-is"],"xp_reward":100})";
  TemporaryFolder folder_;
  Server server_{ServerPlace{.data = folder_.path() / "data",
                             .database = PostgresCluster::shared().new_database(),
                             .settings = {"GUILDHALL_PLATFORM=dracarys"}}};
  std::string ada_, bo_, root_;
};

TEST_F(Learning, a_lesson_goes_its_way) {
  HttpClient learns = server_.client_of(ada_), teaches = server_.client_of(root_), other = server_.client_of(bo_);
  expect(learns.post("/v1/lessons", lesson_), 403);
  const Reply made = teaches.post("/v1/lessons", lesson_, {{"Idempotency-Key", "lesson"}});
  expect(made, 201);
  EXPECT_EQ(made.body.find("yes-it-is"), std::string::npos) << made.body;
  expect(teaches.post("/v1/lessons", lesson_), 200);  // DR-13: the same one.
  const std::string id = made.text("id");
  expect(teaches.post("/v1/achievements",
                      R"({"code":"first","title":"First","description":"One lesson","xp_reward":50,"lessons_completed":1})"),
         201);
  expect(learns.get("/v1/lessons/" + id), 200);

  expect(learns.post("/v1/lessons/" + id + "/start", fmt::format(R"({{"learner_id":"{}"}})", ada_)), 201);
  expect(other.post("/v1/lessons/" + id + "/start", fmt::format(R"({{"learner_id":"{}"}})", ada_)), 404);
  const std::string complete = "/v1/lessons/" + id + "/complete";
  expect(learns.post(complete, answers(ada_, "no")), 200);
  for (int i = 0; i < 3; ++i)
    expect(learns.post(complete, answers(ada_, "yes-it-is"), {{"Idempotency-Key", "done"}, {"Prefer", "wait=10"}}), 200);
  const Reply retaken = learns.post(complete, answers(ada_, "yes-it-is"), {{"Prefer", "wait=10"}});
  expect(retaken, 200);

  const auto read = [](HttpClient& who, const std::string& query) { return who.get("/rest/v1/" + query).body; };
  EXPECT_EQ(read(learns, "user_progress?select=completed,score,xp_earned,attempts_count"),
            R"([{"completed":true,"score":100,"xp_earned":100,"attempts_count":3}])");
  EXPECT_EQ(read(learns, "user_profiles?select=full_name,total_xp,current_level"),
            R"([{"full_name":"Ada","total_xp":150,"current_level":1}])");
  EXPECT_EQ(read(learns, "xp_history?select=amount&source=eq.lesson"), R"([{"amount":100}])");
  EXPECT_EQ(read(learns, "xp_history?select=amount&source=eq.achievement"), R"([{"amount":50}])");
  EXPECT_EQ(read(learns, "lessons?select=content_data,assessment_data"),
            R"([{"content_data":{"steps": [1]},"assessment_data":[{"q": "Up?"}]}])");
  EXPECT_EQ(read(learns, "user_streaks?select=current_streak,longest_streak"), R"([{"current_streak":1,"longest_streak":1}])");
  EXPECT_EQ(read(learns, "lesson_answers"), "[]");
  EXPECT_EQ(read(teaches, "lesson_answers?select=answer_key"), R"([{"answer_key":["yes-it-is"]}])");
  for (const std::string table : {"user_progress", "xp_history", "user_streaks", "user_achievements", "user_activity_log"})
    EXPECT_EQ(read(other, table), "[]") << table;
}

// Seats are the host's group's, wishes the learner's: what one is told over the inbox the other has decided (DR-45..53).
TEST_F(Learning, a_live_session_goes_its_way) {
  HttpClient ada = server_.client_of(ada_), bo = server_.client_of(bo_), root = server_.client_of(root_);
  const Reply made = root.post(
      "/v1/live-sessions",
      fmt::format(R"({{"host_id":"{}","title":"Open","scheduled_at":"2099-01-01T12:00:00Z","duration_minutes":60,)"
                  R"("max_participants":1,"meeting_url":"https://meet.example.com/1"}})",
                  root_));
  expect(made, 201);
  const std::string session = "/v1/live-sessions/" + made.text("id");
  const auto ask = [&](HttpClient& who, const std::string& id) {
    const Reply asked = who.post(session + "/registrations", fmt::format(R"({{"learner_id":"{}"}})", id));
    expect(asked, 201);
    return "/v1/session-requests/" + asked.text("id");
  };
  const auto becomes = [&](HttpClient& who, const std::string& request, const std::string& status) {
    EXPECT_TRUE(eventually([&] { return who.get(request).text("status") == status; })) << who.get(request).body;
  };
  const std::string adas = ask(ada, ada_);
  becomes(ada, adas, "registered");
  const std::string bos = ask(bo, bo_);
  becomes(bo, bos, "waitlisted");
  expect(bo.get(adas), 404);

  expect(ada.post(adas + "/cancel", "{}"), 200);
  becomes(ada, adas, "cancelled");
  becomes(bo, bos, "registered");

  const std::string of_bo = fmt::format(R"({{"user_id":"{}"}})", bo_), of_ada = fmt::format(R"({{"user_id":"{}"}})", ada_);
  EXPECT_EQ(bo.post(session + "/join", of_bo).code(), "session_not_live");
  EXPECT_EQ(bo.post(session + "/start", "{}").status, 404);  // Bo is no host.
  expect(root.post(session + "/start", "{}"), 200);
  expect(bo.post(session + "/join", of_bo), 200);
  EXPECT_EQ(ada.post(session + "/join", of_ada).code(), "registration_ended");
  expect(root.post(session + "/end", "{}"), 200);
  const std::string feedback = fmt::format(R"({{"user_id":"{}","rating":5,"text":"Clear"}})", bo_);
  expect(bo.post(session + "/feedback", feedback, {{"Prefer", "wait=10"}}), 200);

  const auto read = [](HttpClient& who, const std::string& query) { return who.get("/rest/v1/" + query).body; };
  const std::string rooms = "live_sessions?select=status,current_participants,meeting_url";
  EXPECT_EQ(read(bo, rooms), R"([{"status":"ended","current_participants":1,"meeting_url":"https://meet.example.com/1"}])");
  EXPECT_EQ(read(ada, rooms), R"([{"status":"ended","current_participants":1,"meeting_url":null}])");  // A-DR-30
  const std::string participants = "session_participants?select=attendance_status,feedback_rating";
  EXPECT_EQ(read(bo, participants), R"([{"attendance_status":"attended","feedback_rating":5}])");
  EXPECT_EQ(read(ada, participants), "[]");
}

TEST_F(Learning, a_plan_opens_the_levels_that_are_paid_for) {  // DR-55..60, A-DR-22
  HttpClient ada = server_.client_of(ada_), bo = server_.client_of(bo_), root = server_.client_of(root_);
  const Reply plan = root.post(
      "/v1/plans", R"({"name":"Pro","plan_type":"monthly","price_cents":2000,"features":"{}","level_access_limit":2})");
  expect(plan, 201);
  const Reply lesson = root.post(
      "/v1/lessons", R"({"level_id":2,"gate_id":1,"title":"Depth","content_data":"{\"steps\":[2]}","xp_reward":10})");
  expect(lesson, 201);
  const auto complete = [&](HttpClient& who, const std::string& id) {
    return who.post("/v1/lessons/" + lesson.text("id") + "/complete",
                    fmt::format(R"({{"learner_id":"{}","time_spent_seconds":60}})", id), {{"Prefer", "wait=10"}});
  };
  EXPECT_EQ(complete(ada, ada_).code(), "level_closed");

  const std::string subscription = "/v1/plan-subscriptions/" + ada_;
  const auto subscribe = [&](int price) {
    return ada.post(subscription + "/subscribe",
                    fmt::format(R"({{"plan_id":"{}","expected_price_cents":{}}})", plan.text("id"), price),
                    {{"Idempotency-Key", fmt::format("at-{}", price)}});
  };
  EXPECT_EQ(subscribe(1999).code(), "price_changed");
  expect(subscribe(2000), 200);
  EXPECT_TRUE(eventually([&] { return ada.get(subscription).text("status") == "active"; })) << ada.get(subscription).body;
  expect(complete(ada, ada_), 201);
  EXPECT_EQ(complete(bo, bo_).code(), "level_closed");

  const auto read = [](HttpClient& who, const std::string& query) { return who.get("/rest/v1/" + query).body; };
  const std::string contents = "lessons?level_id=eq.2&select=title,content_data";
  EXPECT_EQ(read(ada, contents), R"([{"title":"Depth","content_data":{"steps": [2]}}])");
  EXPECT_EQ(read(bo, contents), R"([{"title":"Depth","content_data":null}])");  // A-DR-19
  EXPECT_EQ(read(ada, "user_subscriptions?select=status,cancel_at_period_end"),
            R"([{"status":"active","cancel_at_period_end":false}])");
  EXPECT_EQ(read(bo, "user_subscriptions"), "[]");

  expect(ada.post(subscription + "/cancel", "{}", {{"Prefer", "wait=10"}}), 200);
  EXPECT_EQ(read(ada, "user_subscriptions?select=status,cancel_at_period_end"),
            R"([{"status":"active","cancel_at_period_end":true}])");
  expect(complete(ada, ada_), 200);  // Until the period's end.
}

}  // namespace
}  // namespace guildhall
