// Learning over HTTP against the real binary: an admin makes a lesson, learners hand it in, and each reads what is theirs (DR-63,
// DR-65, A-DR-4, A-DR-19, XP-1); live sessions and plans; leaderboards among the people whom one follows (LB-2, A-DR-9, A-DR-30,
// M-13), and the ranks of those whose period is over (DR-24).
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <fstream>
#include <iterator>

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

  // A lesson of its own gate, passed by `yes`.
  std::string lesson(int gate, int xp, int level = 1) {
    HttpClient teaches = server_.client_of(root_);
    const Reply made = teaches.post(
        "/v1/lessons", fmt::format(R"({{"level_id":{},"gate_id":{},"title":"Gate {}","content_data":"{{}}",)"
                                   R"("assessment_data":"[{{\"q\":\"Up?\"}}]","answer_key":["yes"],"xp_reward":{}}})",
                                   level, gate, gate, xp),
        {{"Prefer", "wait=10"}});
    expect(made, 201);
    return made.text("id");
  }
  void complete(const std::string& learner, const std::string& lesson) {
    HttpClient client = server_.client_of(learner);
    const Reply done = client.post("/v1/lessons/" + lesson + "/complete", answers(learner, "yes"), {{"Prefer", "wait=10"}});
    expect(done, 201);
    EXPECT_EQ(done.header("consistency-lag"), "");
  }
  // "name:rank:xp" of each row, names as they are shown; "-" for none.
  static std::string rows_of(const Reply& board) {
    expect(board, 200);
    if (board.status != 200) return "";
    std::string out;
    const boost::json::value body = board.json();
    for (const auto& value : body.at("data").as_array()) {
      const boost::json::object& row = value.as_object();
      const auto* profile = row.if_contains("profile");
      const bool named = profile != nullptr && profile->is_object();
      out += fmt::format("{}{}:{}:{}", out.empty() ? "" : " ",
                         named ? profile->at("display_name").as_string().c_str() : "-", row.at("rank").as_int64(),
                         row.at("xp_points").as_int64());
    }
    return out;
  }
  // The token of a command that ended a follow, made one, or blocked.
  std::string relate(HttpClient& who, const std::string& whom, const std::string& what, const std::string& body) {
    const Reply reply = who.post("/v1/accounts/" + whom + "/" + what, body);
    expect(reply, 200);
    EXPECT_NE(reply.header("consistency-token"), "");
    return reply.header("consistency-token");
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

TEST_F(Learning, an_email_is_one_accounts_however_it_is_spelled) {  // DR-3, DR-4
  const Reply other = server_.client().post(
      "/v1/accounts", R"({"email":"ADA@Example.COM","display_name":"Another","role":"member","timezone":"UTC"})",
      {{"Idempotency-Key", "another"}});
  expect(other, 409);
  EXPECT_EQ(other.code(), "email_taken");
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
  expect(bo.post(session + "/start", "{}"), 403);  // Bo is no host.
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

TEST_F(Learning, friends_stand_on_a_board_with_their_names_and_their_ranks_among_all) {
  const std::string cy = account("Cy", "member"), dan = account("Dan", "member");
  const std::vector<std::string> lessons{lesson(1, 100), lesson(2, 200), lesson(3, 300)};
  complete(ada_, lessons[0]);
  for (const std::size_t n : {0u, 1u}) complete(bo_, lessons[n]);
  complete(cy, lessons[1]);
  for (const std::size_t n : {0u, 1u, 2u}) complete(dan, lessons[n]);

  HttpClient ada = server_.client_of(ada_), bo = server_.client_of(bo_);
  const std::string all = "/v1/leaderboards/all_time?expand=profile", friends = all + "&friends=true";
  ASSERT_TRUE(eventually([&] { return rows_of(ada.get(all)) == "Dan:1:600 Bo:2:300 Cy:3:200 Ada:4:100"; }))
      << ada.get(all).body;
  const std::string follower = fmt::format(R"({{"follower_id":"{}"}})", ada_);
  const auto read = [&](const std::string& token, const std::string& path) {
    return rows_of(ada.get(path, {{"Consistency-Token", token}}));
  };
  EXPECT_EQ(rows_of(ada.get(friends)), "Ada:4:100");
  EXPECT_EQ(read(relate(ada, bo_, "follow", follower), friends), "Bo:2:300 Ada:4:100");
  EXPECT_EQ(read(relate(ada, cy, "follow", follower), friends), "Bo:2:300 Cy:3:200 Ada:4:100");
  EXPECT_EQ(rows_of(bo.get(friends)), "Bo:2:300") << "who is followed follows nobody by that";
  EXPECT_EQ(read({}, "/v1/leaderboards/all_time?friends=true&limit=1"), "-:2:300") << "names come where they are asked for";

  // One's own write, however often: the rows of follows are waited for, not the board only.
  for (int i = 0; i < 25; ++i) {
    EXPECT_EQ(read(relate(ada, cy, "unfollow", follower), friends), "Bo:2:300 Ada:4:100") << i;
    const std::string token = relate(ada, cy, "follow", follower);
    EXPECT_EQ(rows_of(ada.get(friends + "&at_least=" + token)), "Bo:2:300 Cy:3:200 Ada:4:100") << i;
  }
  // So are names.
  for (int i = 0; i < 10; ++i) {
    const std::string name = fmt::format("Ada {}", i);
    const Reply renamed = ada.send("PUT", "/v1/accounts/" + ada_ + "/profile",
                                   fmt::format(R"({{"display_name":"{}","timezone":"Europe/Copenhagen"}})", name));
    expect(renamed, 200);
    EXPECT_EQ(read(renamed.header("consistency-token"), friends), "Bo:2:300 Cy:3:200 " + name + ":4:100");
  }

  // A block ends the follow for good (M-13), and is no secret of the board: who stands there stands there.
  EXPECT_EQ(read(relate(bo, ada_, "block", fmt::format(R"({{"blocker_id":"{}"}})", bo_)), friends), "Cy:3:200 Ada 9:4:100");
  EXPECT_EQ(ada.post("/v1/accounts/" + bo_ + "/follow", follower).code(), "pair_blocked");
  EXPECT_EQ(rows_of(ada.get(all)), "Dan:1:600 Bo:2:300 Cy:3:200 Ada 9:4:100");
  EXPECT_EQ(ada.get("/rest/v1/blocks").body, "[]");
  HttpClient nobody = server_.anonymous();
  EXPECT_EQ(nobody.get(friends).status, 403);
}

TEST_F(Learning, levels_that_are_free_are_a_setting_of_the_platform) {  // DR-57, A-DR-19
  const std::string second = lesson(1, 100, 2);
  HttpClient ada = server_.client_of(ada_);
  const std::string contents = "/rest/v1/lessons?select=level_id,content_data";
  EXPECT_EQ(ada.get(contents).body, R"([{"level_id":2,"content_data":null}])");
  EXPECT_EQ(ada.post("/v1/lessons/" + second + "/complete", answers(ada_, "yes")).status, 403);

  std::ifstream in(std::filesystem::path(GUILDHALL_SOURCE_DIR) / "platforms/dracarys.toml");
  std::string policy{std::istreambuf_iterator<char>(in), {}};
  const std::string setting = "free_level_access = ";
  const auto at = policy.find(setting + "1");
  ASSERT_NE(at, std::string::npos);
  policy[at + setting.size()] = '2';
  const std::filesystem::path file = folder_.path() / "dracarys.toml";
  std::ofstream(file) << policy;
  EXPECT_EQ(server_.stop(), 0) << server_.output();
  server_.start({"--platform-file", file.string()});
  HttpClient again = server_.client_of(ada_);
  EXPECT_EQ(again.get(contents).body, R"([{"level_id":2,"content_data":{}}])");
  EXPECT_EQ(again.post("/v1/lessons/" + second + "/complete", answers(ada_, "yes")).status, 201);
  EXPECT_EQ(server_.anonymous().get(contents).body, R"([{"level_id":2,"content_data":null}])");
}

TEST_F(Learning, ranks_of_a_period_that_is_over_are_stored_by_the_server) {
  // Of a day long ago, which no clock of the test's can bring back: three learners, two of them with the same score.
  server_.sql(
      "INSERT INTO dracarys_rm.leaderboard_scores (period, period_start, learner_id, period_end, xp_points) "
      "SELECT 'daily', 20000, gen_random_uuid(), 20000, xp FROM unnest(ARRAY[50, 70, 70]) xp; "
      "INSERT INTO dracarys_rm.leaderboard_counts VALUES ('daily', 20000, 50, 1), ('daily', 20000, 70, 2); "
      "INSERT INTO dracarys_rm.leaderboard_sizes (period, period_start, period_end, learners, changes) "
      "VALUES ('daily', 20000, 20000, 3, 3)");
  EXPECT_EQ(server_.stop(), 0) << server_.output();
  server_.start();
  const auto stored = [&] {
    return server_.sql("SELECT r.xp_points, r.rank FROM dracarys_rm.leaderboard_closed JOIN dracarys_rm.leaderboard_ranks r "
                       "USING (period, period_start) ORDER BY r.rank");
  };
  EXPECT_TRUE(eventually([&] { return stored() == "70|1\n50|3"; })) << stored() << server_.output();
  EXPECT_EQ(server_.client_of(ada_).get("/rest/v1/leaderboard?select=xp_points,rank,percentile&order=xp_points&limit=2").body,
            "[{\"xp_points\":50,\"rank\":3,\"percentile\":0.00}, \n {\"xp_points\":70,\"rank\":1,\"percentile\":100.00}]");
  EXPECT_NE(server_.client().get("/metrics").body.find("guildhall_leaderboards_closed_total"), std::string::npos);
}

}  // namespace
}  // namespace guildhall
