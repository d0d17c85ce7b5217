// Follows and blocks over HTTP against the real binary, by many clients at once, with duplicates, over kill -9 (PA-40..44, M-13,
// SO-1, SO-5), and the notifications that come of them, once ever (M-6, SO-10).
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "tests/acceptance/server.h"
#include "tests/postgres_cluster.h"

namespace guildhall {
namespace {

constexpr std::size_t clients = 32, accounts = 8;
constexpr std::size_t ci_commands = 20'000, long_commands = 1'000'000;
constexpr int kills = 3;
constexpr unsigned repeated_percent = 20;

class Follows : public testing::Test {
 protected:
  Follows() {
    server_.start();
    HttpClient service = server_.client();
    for (std::size_t i = 0; i < accounts; ++i) {
      const std::string name = fmt::format("member{}", i);
      const Reply made = service.post(
          "/v1/accounts",
          fmt::format(R"({{"email":"{}@example.com","display_name":"{}","role":"member","timezone":"UTC"}})", name, name),
          {{"Idempotency-Key", name}});
      EXPECT_EQ(made.status, 201) << made.body;
      ids_.push_back(made.text("id"));
    }
  }

  struct Wish {
    std::string path, body;
  };
  static Wish follow(const std::string& who, const std::string& whom) {
    return {fmt::format("/v1/accounts/{}/follow", whom), fmt::format(R"({{"follower_id":"{}"}})", who)};
  }
  static Wish unfollow(const std::string& who, const std::string& whom) {
    return {fmt::format("/v1/accounts/{}/unfollow", whom), fmt::format(R"({{"follower_id":"{}"}})", who)};
  }
  static Wish remove(const std::string& who, const std::string& follower) {
    return {fmt::format("/v1/accounts/{}/remove-follower", follower), fmt::format(R"({{"following_id":"{}"}})", who)};
  }
  static Wish block(const std::string& who, const std::string& whom) {
    return {fmt::format("/v1/accounts/{}/block", whom), fmt::format(R"({{"blocker_id":"{}"}})", who)};
  }
  static Wish unblock(const std::string& who, const std::string& whom) {
    return {fmt::format("/v1/accounts/{}/unblock", whom), fmt::format(R"({{"blocker_id":"{}"}})", who)};
  }
  // More follows than ends of them, and more ends of blocks than blocks: so that all states are met.
  Wish any(std::mt19937_64& random) const {
    const std::size_t a = random() % accounts, b = (a + 1 + random() % (accounts - 1)) % accounts;
    const std::string &who = ids_[a], &other = ids_[b];
    switch (random() % 10) {
      case 0:
      case 1:
      case 2:
      case 3: return follow(who, other);
      case 4:
      case 5: return unfollow(who, other);
      case 6: return remove(who, other);
      case 7: return block(who, other);
      default: return unblock(who, other);
    }
  }

  // Until `enough` were answered in all, or the server has gone. Meanwhile somebody reads the counters.
  void send_until(std::size_t enough, bool dies) {
    std::atomic<bool> over{false};
    std::atomic<std::size_t> ended{0};  // A server that dies by itself ends them all.
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < clients; ++i)
      threads.emplace_back([&, seed = random_()] {
        const std::shared_ptr<void> at_end(nullptr, [&](void*) { ++ended; });
        std::mt19937_64 random(seed);
        HttpClient client = server_.client();
        Wish wish = any(random);
        while (!over && (dies || answered_ < enough)) {
          const Reply reply = client.post(wish.path, wish.body);
          if (!reply.answered()) return;
          if (!reply.definite()) continue;
          ++answered_;
          if (reply.status != 200 && reply.code() != "pair_blocked") {
            ADD_FAILURE() << wish.path << ": " << reply.status << " " << reply.body;
            return;
          }
          if (random() % 100 >= repeated_percent) wish = any(random);
        }
      });
    threads.emplace_back([&] {
      HttpClient client = server_.anonymous();
      while (!over) {
        const Reply reply = client.get("/rest/v1/user_profiles?select=followers_count,following_count");
        if (reply.status != 200) continue;
        ++reads_;
        if (reply.body.find('-') != std::string::npos) ADD_FAILURE() << "a negative count: " << reply.body;
      }
    });
    EXPECT_TRUE(eventually([&] { return answered_ >= enough || ended == clients || HasFailure(); }, std::chrono::hours(1)));
    EXPECT_GE(answered_, enough) << server_.output();
    if (dies) server_.kill();
    over = true;
  }

  // The read models have all that was sent: each pair's shard says so.
  void catch_up() {
    HttpClient client = server_.client();
    for (const std::string& a : ids_)
      for (const std::string& b : ids_) {
        if (a >= b) continue;
        const Wish last = unblock(a, b);
        const Reply reply = client.post(last.path, last.body, {{"Prefer", "wait=30"}});
        EXPECT_EQ(reply.status, 200) << reply.body;
        EXPECT_EQ(reply.header("consistency-lag"), "");
      }
  }

  std::string notified() const { return server_.sql("SELECT count(*) FROM producers_avenue_rm.notifications"); }

  const std::uint64_t seed_ = std::random_device{}();
  std::mt19937_64 random_{seed_};
  TemporaryFolder folder_;
  Server server_{ServerPlace{.data = folder_.path() / "data",
                             .database = PostgresCluster::shared().new_database(),
                             .settings = {"GUILDHALL_PLATFORM=producers_avenue"}}};
  std::vector<std::string> ids_;
  std::atomic<std::size_t> answered_{0}, reads_{0};
};

TEST_F(Follows, counters_equal_a_recount_after_duplicates_and_kills) {  // PA-44, SO-1, SO-5
  const std::size_t commands = thorough() ? long_commands : ci_commands;
  SCOPED_TRACE("seed " + std::to_string(seed_));
  RecordProperty("seed", std::to_string(seed_));
  const auto began = std::chrono::steady_clock::now();
  for (int kill = 1; kill <= kills; ++kill) {
    send_until(commands * static_cast<std::size_t>(kill) / (kills + 1), true);
    ASSERT_FALSE(HasFailure());
    server_.start();
  }
  send_until(commands, false);
  ASSERT_FALSE(HasFailure());
  catch_up();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  RecordProperty("commands", std::to_string(answered_));
  RecordProperty("seconds", std::to_string(took.count()));
  EXPECT_GT(reads_, 0u);

  // The counters are the rows', and the rows the log's.
  EXPECT_EQ(server_.sql("SELECT count(*) FROM producers_avenue.user_profiles p WHERE "
                        "followers_count <> (SELECT count(*) FROM producers_avenue.followers f WHERE f.following_id = p.id) OR "
                        "following_count <> (SELECT count(*) FROM producers_avenue.followers f WHERE f.follower_id = p.id)"),
            "0");
  std::set<std::string> edges, ever;
  const auto pair_of = [](const boost::json::object& data, const char* one, const char* other) {
    return fmt::format("{}|{}", data.at(one).as_string().c_str(), data.at(other).as_string().c_str());
  };
  std::size_t raised = 0;
  server_.visit_log({"--events-only"}, [&](const boost::json::object& record) {
    const std::string_view type = record.at("type").as_string();
    const auto* data = record.at("data").if_object();
    if (type == "notification.v1.NotificationRaised") ++raised;
    if (type == "relation.v1.Followed") {
      edges.insert(pair_of(*data, "follower_id", "following_id"));
      ever.insert(pair_of(*data, "follower_id", "following_id"));
    } else if (type == "relation.v1.Unfollowed") {
      edges.erase(pair_of(*data, "follower_id", "following_id"));
    }
  });
  std::string rows;
  for (const std::string& edge : edges) rows += (rows.empty() ? "" : "\n") + edge;
  EXPECT_EQ(server_.sql("SELECT follower_id, following_id FROM producers_avenue_rm.followers "
                        "ORDER BY follower_id::text, following_id::text"),
            rows);
  EXPECT_EQ(server_.sql("SELECT count(*) FROM producers_avenue_rm.followers f JOIN producers_avenue_rm.blocks b ON "
                        "(b.blocker_id, b.blocked_id) IN ((f.follower_id, f.following_id), (f.following_id, f.follower_id))"),
            "0");

  // One notification for each that ever followed somebody.
  EXPECT_EQ(ever.size(), accounts * (accounts - 1));
  EXPECT_EQ(raised, ever.size());
  EXPECT_TRUE(eventually([&] { return notified() == std::to_string(ever.size()); })) << notified();

  // A rebuilt state and rebuilt rows raise none anew.
  EXPECT_EQ(server_.stop(), 0) << server_.output();
  const std::string lived = server_.run({"state", "hash"}).out;
  const ToolResult rebuilt = server_.run({"state", "rebuild"});
  ASSERT_EQ(rebuilt.exit_code, 0) << rebuilt.err;
  EXPECT_EQ(server_.run({"state", "hash"}).out, lived);
  const ToolResult compared = server_.run({"projection", "rebuild", "--compare"});
  EXPECT_EQ(compared.exit_code, 0) << compared.out << compared.err;
  server_.start();
  catch_up();
  EXPECT_EQ(server_.log_records({"--type", "notification.v1.NotificationRaised"}).size(), ever.size());
  EXPECT_EQ(notified(), std::to_string(ever.size()));
  EXPECT_EQ(server_.stop(), 0);
}

}  // namespace
}  // namespace guildhall
