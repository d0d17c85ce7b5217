// GET /v1/leaderboards/{period}: pages, neighbours, friends, names, refusals, and reading one's own write (DR-24, LB-2, LB-4,
// A-DR-9, A-DR-30).
#include "gateway/leaderboards.h"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <atomic>
#include <thread>

#include "tests/projectors/xp_log.h"

namespace guildhall {
namespace {

namespace json = boost::json;

class KnownPeople final : public BoardPeople {
 public:
  void followed(const Claims&, const Uuid& follower, BoardQuery<std::vector<Uuid>> done) override { done(follows[follower]); }
  void profiles(const Claims&, std::vector<Uuid> ids, BoardQuery<std::vector<BoardProfile>> done) override {
    std::vector<BoardProfile> out;
    for (const Uuid& id : ids)
      if (const auto name = names.find(id); name != names.end()) out.push_back({id, name->second});
    done(std::move(out));
  }
  void wait_for(std::vector<Target> targets, Micros, std::function<void(PositionWait)> done) override {
    waited_for.push_back(std::move(targets));
    if (held) waiting = std::move(done);
    else done(outcome);
  }
  std::map<Uuid, std::vector<Uuid>, UuidLess> follows;
  std::map<Uuid, std::string, UuidLess> names;
  std::vector<std::vector<Target>> waited_for;
  PositionWait outcome;
  bool held = false;
  std::function<void(PositionWait)> waiting;
};

class LeaderboardsOverHttp : public testing::Test {
 protected:
  static constexpr std::uint32_t shards = 2;

  Response get(std::string path, const Claims& claims, std::vector<std::pair<std::string, std::string>> headers = {}) {
    while (boards_.step()) {
    }
    return get_as_it_is(std::move(path), claims, std::move(headers));
  }
  Response get_as_it_is(std::string path, const Claims& claims, std::vector<std::pair<std::string, std::string>> headers = {}) {
    Request request;
    const auto query = path.find('?');
    if (query != std::string::npos) request.query = path.substr(query + 1);
    request.path = std::string(leaderboards_path) + path.substr(0, query);
    request.headers = std::move(headers);
    std::optional<Response> out;
    reads_.handle(request, claims, [&](Response r) { out = std::move(r); });
    EXPECT_TRUE(out);
    return out.value_or(Response{});
  }
  static Claims user(std::uint64_t n) {
    Claims out;
    out.role = TokenRole::authenticated;
    out.sub = learner_id(n);
    return out;
  }
  static Claims service() {
    Claims out;
    out.role = TokenRole::service_role;
    return out;
  }
  static json::object body(const Response& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body).as_object();
  }
  // "learner:rank:xp" of each row.
  static std::string rows(const Response& response) {
    std::string out;
    const json::object board = body(response);
    for (const auto& row : board.at("data").as_array()) {
      const auto& r = row.as_object();
      out += (out.empty() ? "" : " ") + std::to_string(learner_number(*parse_uuid(r.at("user_id").as_string()))) + ":" +
             std::to_string(r.at("rank").as_int64()) + ":" + std::to_string(r.at("xp_points").as_int64());
    }
    return out;
  }
  static std::string code(const Response& response) {
    return std::string(json::parse(response.body).as_object().at("code").as_string());
  }

  XpLog log_{shards};
  BoardFollower boards_{log_.written.log, log_.clock, xp_gain, nullptr, {}};
  ConsistencyTokens tokens_{"the key of consistency tokens", log_.written.log.identity().log_id};
  KnownPeople people_;
  LeaderboardReads reads_{{log_.clock, log_.written.log.identity(), tokens_, boards_, &people_}};
};

TEST_F(LeaderboardsOverHttp, a_board_with_its_period_and_ones_own_rank) {
  log_.written.now = at("2025-11-23", 23 * hour_us + 30 * minute_us);  // A-DR-7: still the week of the 17th.
  log_.grant(1, 30);
  log_.grant(2, 50);
  log_.grant(3, 30);
  log_.grant(4, 10);
  const Response response = get("weekly", user(3));
  EXPECT_EQ(rows(response), "2:1:50 1:2:30 3:2:30 4:4:10");
  const json::object board = body(response);
  EXPECT_EQ(board.at("period"), "weekly");
  EXPECT_EQ(board.at("period_start_date"), "2025-11-17");
  EXPECT_EQ(board.at("period_end_date"), "2025-11-23");
  EXPECT_EQ(board.at("next_reset_at"), "2025-11-24T00:00:00Z");  // LB-4
  EXPECT_EQ(board.at("learners"), 4);
  EXPECT_EQ(board.at("me").as_object().at("rank"), 2);
  EXPECT_EQ(board.at("me").as_object().at("lessons_completed"), 1);
  EXPECT_TRUE(response.body.contains(R"("rank":2,"percentile":66.67,"xp_points":30)")) << response.body;
  EXPECT_EQ(board.at("has_more"), false);
  EXPECT_EQ(board.at("positions"), (json::array{log_.written.end(0), log_.written.end(1)}));
  EXPECT_TRUE(body(get("daily", user(9))).at("me").is_null());
  EXPECT_TRUE(body(get("all_time", user(1))).at("next_reset_at").is_null());
  EXPECT_EQ(body(get("all_time", user(1))).at("period_end_date"), "9999-12-31");  // A-DR-8
}

TEST_F(LeaderboardsOverHttp, the_period_before_is_read_by_its_first_day) {
  log_.written.now = at("2028-02-29", day_us - second_us);
  log_.grant(1, 30);
  log_.written.now = at("2028-03-01");
  EXPECT_EQ(rows(get("monthly", user(1))), "1:1:30") << "it is still February";
  log_.clock.at = at("2028-03-01");  // Nothing has happened in March.
  EXPECT_EQ(rows(get("monthly", user(1))), "");
  EXPECT_EQ(body(get("monthly", user(1))).at("learners"), 0);
  EXPECT_EQ(rows(get("monthly?start=2028-03-01", user(1))), "");
  EXPECT_EQ(rows(get("monthly?start=2028-02-01", user(1))), "1:1:30");
  EXPECT_EQ(rows(get("daily?start=2028-02-29", user(1))), "1:1:30");
  EXPECT_EQ(rows(get("all_time?start=1970-01-01", user(1))), "1:1:30");
  for (const char* wrong : {"monthly?start=2028-01-01", "monthly?start=2028-02-02", "monthly?start=2028-04-01", "daily?start=x",
                            "all_time?start=1969-12-31"})
    EXPECT_EQ(code(get(wrong, user(1))), "invalid_request") << wrong;
}

// LB-2: own rank, a page, and who stands around somebody.
TEST_F(LeaderboardsOverHttp, neighbours_stand_on_both_sides) {
  for (std::uint64_t n = 1; n <= 9; ++n) log_.grant(n, static_cast<std::int32_t>(100 - 10 * (n / 2)));
  EXPECT_EQ(rows(get("daily?around=me&neighbours=2", user(5))), "3:2:90 4:4:80 5:4:80 6:6:70 7:6:70");
  EXPECT_EQ(rows(get("daily?around=me&neighbours=1", user(1))), "1:1:100 2:2:90");
  EXPECT_EQ(rows(get("daily?around=me&neighbours=0", user(9))), "9:8:60");
  EXPECT_EQ(rows(get("daily?around=" + to_string(learner_id(9)) + "&neighbours=1", service())), "8:8:60 9:8:60");
  EXPECT_EQ(rows(get("daily?around=me", user(77))), "") << "who has no XP stands nowhere";
}

TEST_F(LeaderboardsOverHttp, pages_follow_each_other_while_scores_change) {
  for (std::uint64_t n = 1; n <= 7; ++n) log_.grant(n, static_cast<std::int32_t>(10 * (10 - n)));
  const Response first = get("daily?limit=3", user(1));
  EXPECT_EQ(rows(first), "1:1:90 2:2:80 3:3:70");
  EXPECT_EQ(body(first).at("has_more"), true);
  const std::string cursor(body(first).at("next_cursor").as_string());
  const auto link = std::ranges::find(first.headers, "Link", &std::pair<std::string, std::string>::first);
  ASSERT_NE(link, first.headers.end());
  EXPECT_EQ(link->second, "</v1/leaderboards/daily?start=2026-05-05&limit=3&after=" + cursor + ">; rel=\"next\"");
  log_.grant(7, 70);  // To the top: the page behind the third is not moved by it.
  EXPECT_EQ(rows(get("daily?limit=3&after=" + cursor, user(1))), "4:5:60 5:6:50 6:7:40");
  EXPECT_EQ(code(get("weekly?after=" + cursor, user(1))), "invalid_cursor");
  EXPECT_EQ(code(get("daily?after=" + cursor.substr(1), user(1))), "invalid_cursor");
}

TEST_F(LeaderboardsOverHttp, friends_are_whom_one_follows_with_their_ranks_among_all) {
  for (std::uint64_t n = 1; n <= 8; ++n) log_.grant(n, static_cast<std::int32_t>(10 * n));
  people_.follows[learner_id(3)] = {learner_id(8), learner_id(1), learner_id(99), learner_id(5), learner_id(3)};
  EXPECT_EQ(rows(get("daily?friends=true", user(3))), "8:1:80 5:4:50 3:6:30 1:8:10");
  const Response page = get("daily?friends=true&limit=2", user(3));
  EXPECT_EQ(rows(page), "8:1:80 5:4:50");
  EXPECT_EQ(rows(get("daily?friends=true&limit=2&after=" + std::string(body(page).at("next_cursor").as_string()), user(3))),
            "3:6:30 1:8:10");
  EXPECT_EQ(code(get("daily?friends=true", service())), "invalid_request");
}

TEST_F(LeaderboardsOverHttp, names_come_where_they_are_asked_for_and_may_be_seen) {
  log_.grant(1, 10);
  log_.grant(2, 20);
  people_.names[learner_id(2)] = "Bea \"B\"";
  const json::object board = body(get("daily?expand=profile", user(1)));
  EXPECT_EQ(board.at("data").at(0).at("profile").at("display_name"), "Bea \"B\"");
  EXPECT_TRUE(board.at("data").at(1).at("profile").is_null());
  EXPECT_FALSE(body(get("daily", user(1))).at("data").at(0).as_object().contains("profile"));
}

TEST_F(LeaderboardsOverHttp, what_is_malformed_is_refused_with_a_reason) {
  log_.grant(1, 10);
  for (const char* wrong :
       {"daily?limit=0", "daily?limit=201", "daily?limit=x", "daily?limit=1&limit=1", "daily?neighbours=1",
        "daily?around=me&neighbours=101", "daily?around=me&neighbours=-1", "daily?around=you", "daily?around=me&limit=5",
        "daily?around=me&friends=true", "daily?friends=yes", "daily?expand=all", "daily?page=2", "daily?limit=%zz"}) {
    const Response response = get(wrong, user(1));
    EXPECT_EQ(response.status, 400) << wrong;
    EXPECT_EQ(code(response), "invalid_request") << wrong;
  }
  EXPECT_EQ(code(get("daily?around=me", service())), "invalid_request") << "a service key is nobody's";
  EXPECT_EQ(code(get("daily?after=!!", user(1))), "invalid_cursor");
  EXPECT_EQ(get("yearly", user(1)).status, 404);
  EXPECT_EQ(get("", user(1)).status, 404);
  EXPECT_EQ(get("daily", Claims{}).status, 403) << "A-DR-30: for those who are signed in";
}

TEST_F(LeaderboardsOverHttp, a_read_waits_for_its_own_write_or_says_how_far_behind_it_is) {
  log_.grant(1, 10);
  const Response before = get("daily", user(1));
  const auto token = std::ranges::find(before.headers, "Consistency-Token", &std::pair<std::string, std::string>::first);
  ASSERT_NE(token, before.headers.end());
  EXPECT_EQ(get("daily", user(1), {{"consistency-token", token->second}}).status, 200);
  EXPECT_EQ(get("daily?at_least=" + token->second, user(1)).status, 200);
  EXPECT_EQ(code(get("daily?at_least=v1.none", user(1))), "token_not_applicable");

  log_.grant(1, 10);  // The board has not seen it.
  ConsistencyToken written{log_.written.log.identity().log_id, 1, {{1, log_.written.end(1)}}};
  const std::string wanted = tokens_.encode(written);
  std::jthread follower([&](std::stop_token stop) { boards_.run(stop); });
  std::atomic<bool> answered{false};
  Response after;
  Request request;
  request.path = "/v1/leaderboards/daily";
  request.headers = {{"consistency-token", wanted}};
  reads_.handle(request, user(1), [&](Response r) {
    after = std::move(r);
    answered = true;
  });
  while (!answered) std::this_thread::yield();
  EXPECT_EQ(rows(after), "1:1:20");

  written.positions[0].sequence += 2;  // Of a record that is to come.
  request.headers = {{"consistency-token", tokens_.encode(written)}, {"prefer", "wait=0"}};
  answered = false;
  reads_.handle(request, user(1), [&](Response r) {
    after = std::move(r);
    answered = true;
  });
  while (!answered) std::this_thread::yield();
  EXPECT_EQ(code(after), "projection_behind");
  request.headers.back().second = "wait=0, handling=lenient";
  answered = false;
  reads_.handle(request, user(1), [&](Response r) {
    after = std::move(r);
    answered = true;
  });
  while (!answered) std::this_thread::yield();
  EXPECT_EQ(after.status, 200);
  EXPECT_TRUE(std::ranges::any_of(after.headers, [](const auto& h) {
    return h.first == "Consistency-Lag" && h.second.starts_with("events=2;");
  }));
}

// Follows and names are in the read models, which may be behind the boards.
TEST_F(LeaderboardsOverHttp, what_comes_of_the_read_models_is_waited_for_there_too) {
  for (std::uint64_t n = 1; n <= 3; ++n) log_.grant(n, static_cast<std::int32_t>(10 * n));
  while (boards_.step()) {
  }
  const std::string token = tokens_.encode({log_.written.log.identity().log_id, 1, {{1, log_.written.end(1)}}});
  const auto waited = [&](const std::string& path, const std::string& prefer = {}) {
    people_.waited_for.clear();
    const Response response = get(path + "&at_least=" + token, user(1), {{"prefer", prefer}});
    for (const auto& targets : people_.waited_for) {
      EXPECT_EQ(targets.size(), 1u);
      EXPECT_EQ(targets.at(0).shard, 1u);
      EXPECT_EQ(targets.at(0).sequence, log_.written.end(1));
    }
    return std::pair(people_.waited_for.size(), response);
  };
  EXPECT_EQ(waited("daily?limit=5").first, 0u);
  EXPECT_EQ(waited("daily?friends=true").first, 1u);
  EXPECT_EQ(waited("daily?expand=profile").first, 1u);

  people_.held = true;
  Request request{.path = "/v1/leaderboards/daily", .query = "friends=true&at_least=" + token};
  std::optional<Response> answer;
  reads_.handle(request, user(1), [&](Response r) { answer = std::move(r); });
  EXPECT_FALSE(answer);
  people_.follows[learner_id(1)] = {learner_id(2)};  // The row has come.
  people_.waiting({});
  ASSERT_TRUE(answer);
  EXPECT_EQ(rows(*answer), "2:2:20 1:3:10");

  people_.held = false;
  people_.outcome = {WaitOutcome::timed_out, 7, 0};
  const Response behind = waited("daily?friends=true").second;
  EXPECT_EQ(behind.status, 503);
  EXPECT_EQ(code(behind), "projection_behind");
  EXPECT_TRUE(behind.body.contains("events=7")) << behind.body;
  const Response older = waited("daily?friends=true", "handling=lenient").second;
  EXPECT_EQ(rows(older), "2:2:20 1:3:10");
  EXPECT_TRUE(std::ranges::any_of(older.headers, [](const auto& h) {
    return h.first == "Consistency-Lag" && h.second.starts_with("events=7;");
  }));
  people_.outcome.outcome = WaitOutcome::stopped;
  EXPECT_EQ(waited("daily?friends=true", "handling=lenient").second.status, 503);
}

TEST_F(LeaderboardsOverHttp, a_board_that_is_still_being_made_says_so) {
  log_.grant(1, 10);
  const Response response = get_as_it_is("daily", user(1));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(code(response), "projection_behind");
}

}  // namespace
}  // namespace guildhall
