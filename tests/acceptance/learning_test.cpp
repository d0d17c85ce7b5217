// Learning over HTTP against the real binary: an admin makes a lesson, learners hand it in, and each reads what is theirs (DR-63,
// DR-65, A-DR-4, A-DR-19, XP-1).
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

}  // namespace
}  // namespace guildhall
