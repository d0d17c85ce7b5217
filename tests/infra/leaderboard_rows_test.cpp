// The relation `leaderboard` on a real PostgreSQL: the seed's columns (DR-24), exact ranks beside SQL's own RANK() and beside the
// boards in memory at the same place in the logs (A-DR-9, LB-1), who may read it (A-DR-30), which index it takes, and the ranks
// that are stored when a period is over.
#include <gtest/gtest.h>

#include <pqxx/pqxx>
#include <random>
#include <thread>

#include "gateway/rest_query.h"
#include "infra/memory_row_store.h"
#include "infra/postgres_row_store.h"
#include "projectors/board_closer.h"
#include "projectors/board_follower.h"
#include "projectors/dracarys.h"
#include "projectors/rebuild.h"
#include "tests/postgres_cluster.h"
#include "tests/projectors/projected.h"
#include "tests/projectors/rows_as_read.h"
#include "tests/projectors/xp_log.h"

namespace guildhall {
namespace {

class LeaderboardRows : public testing::Test {
 protected:
  LeaderboardRows() { rows_.prepare(log_.written.log.identity()); }

  void project(std::size_t records_per_transaction = 50) {
    project_into(rows_, log_.written.log, records_per_transaction, dracarys_projection());
  }
  Lines read(const std::string& query, const char* role = "authenticated") {
    pqxx::connection connection(url_);
    pqxx::work tx(connection);
    become(tx, role, std::string_view(role) == "authenticated" ? learner_id(1) : Uuid{});
    return lines_of(tx.exec(query));
  }
  // The plan and the run of a query by somebody who is signed in, with indexes where they can serve: the tables are small.
  std::string plan_of(const std::string& query) {
    pqxx::connection connection(url_);
    pqxx::work tx(connection);
    tx.exec0("ANALYZE; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off");
    become(tx, "authenticated", learner_id(1));
    std::string out;
    for (const auto& row : tx.exec("EXPLAIN (ANALYZE, COSTS off, TIMING off) " + query))
      out += std::string(row[0].c_str()) + "\n";
    return out;
  }
  // Rows of the relation whose rank is not what SQL's RANK() says.
  Lines wrong_ranks() {
    return read("SELECT user_id, period, rank FROM (SELECT *, rank() OVER (PARTITION BY period, period_start_date ORDER BY "
                "xp_points DESC) AS sql_rank FROM dracarys.leaderboard) l WHERE rank <> sql_rank");
  }
  // Learners of closed boards whose stored rank is not what SQL's RANK() says, and those that have none.
  Lines wrong_stored_ranks() {
    return read("SELECT learner_id, period, r.rank FROM (SELECT *, rank() OVER (PARTITION BY period, period_start ORDER BY "
                "xp_points DESC) AS sql_rank FROM dracarys_rm.leaderboard_scores WHERE xp_points > 0) s "
                "JOIN dracarys_rm.leaderboard_closed d USING (period, period_start) "
                "LEFT JOIN dracarys_rm.leaderboard_ranks r USING (period, period_start, xp_points) "
                "WHERE r.rank IS DISTINCT FROM sql_rank");
  }
  Lines closed() {
    return read("SELECT period, date '1970-01-01' + period_start FROM dracarys_rm.leaderboard_closed ORDER BY 1, 2");
  }
  // A Sunday that ends a month, with few different scores; all of it is projected.
  void play_a_sunday() {
    std::mt19937_64 random(7);
    log_.written.now = at("2026-05-31", 20 * hour_us);
    for (int i = 0; i < 300; ++i) log_.grant(1 + random() % 80, 10 * static_cast<std::int32_t>(random() % 5));
    project(100);
  }
  // A board of memory as the query `board_sql` gives it.
  Lines in_memory(const BoardFollower& follower, BoardPeriod period, Day start) {
    Lines out;
    follower.read([&](const BoardFollower::View& view) {
      for (ShardNo shard = 0; shard < 2; ++shard) EXPECT_EQ(view.positions[shard], log_.written.end(shard));
      const Ranking* ranking = view.boards.find(period, start);
      if (ranking == nullptr) return;
      for (const LearnerNo learner : ranking->slice(0, ranking->size())) {
        const BoardScore& score = *ranking->find(learner);
        const auto rank = rank_after(ranking->higher_than(score.xp));
        out.push_back(to_string(view.boards.learners().id(learner)) + " " + std::to_string(score.xp) + " " +
                      std::to_string(score.lessons) + " " + std::to_string(score.streak_days) + " " + std::to_string(rank) +
                      " " + percentile_text(percentile_hundredths(rank, ranking->size())));
      }
    });
    return out;
  }
  static std::string board_sql(BoardPeriod period, Day start) {
    return "SELECT user_id, xp_points, lessons_completed, streak_days, rank, percentile FROM dracarys.leaderboard "
           "WHERE period = '" + std::string(name_of(period)) + "' AND period_start_date = '" + date_text(start) +
           "' ORDER BY xp_points DESC, reached_at, user_id";
  }

  XpLog log_{2};
  const std::string url_ = PostgresCluster::shared().new_database();
  PostgresRowStore rows_{url_, dracarys_projection(), dracarys_sql()};
  PostgresRowStore closing_{url_, dracarys_projection(), dracarys_sql()};
  BoardCloser closer_{log_.written.log, closing_, log_.clock, {}, {}};
};

const Lines sundays_boards{"daily 2026-05-31", "monthly 2026-05-01", "weekly 2026-05-25"};

TEST_F(LeaderboardRows, have_the_seeds_columns_in_its_order) {  // DR-24, DR-25, A-DR-6..8
  log_.written.now = at("2025-11-23", 23 * hour_us + 30 * minute_us);
  log_.grant(1, 30);
  project();
  EXPECT_EQ(read("SELECT user_id = '" + to_string(learner_id(1)) + "', period, xp_points, lessons_completed, streak_days, rank, "
                 "percentile, period_start_date, period_end_date, updated_at FROM dracarys.leaderboard ORDER BY period"),
            (Lines{"t all_time 30 1 2 1 100.00 1970-01-01 9999-12-31 2025-11-23 23:30:00+00",
                   "t daily 30 1 2 1 100.00 2025-11-23 2025-11-23 2025-11-23 23:30:00+00",
                   "t monthly 30 1 2 1 100.00 2025-11-01 2025-11-30 2025-11-23 23:30:00+00",
                   "t weekly 30 1 2 1 100.00 2025-11-17 2025-11-23 2025-11-23 23:30:00+00"}));
  EXPECT_EQ(read("SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute "
                 "WHERE attrelid = 'dracarys.leaderboard'::regclass"),
            (Lines{"id user_id period xp_points lessons_completed streak_days rank percentile period_start_date period_end_date "
                   "updated_at last_event_position reached_at"}));
  EXPECT_EQ(read("SELECT count(DISTINCT id) FROM dracarys.leaderboard"), (Lines{"4"}));
  EXPECT_EQ(read("SELECT pg_typeof(rank), pg_typeof(percentile), pg_typeof(period_start_date) FROM dracarys.leaderboard LIMIT 1"),
            (Lines{"integer numeric date"}));
}

// LB-1: with few different scores and with many, over two days that end a week and a month, in transactions of any size.
TEST_F(LeaderboardRows, equal_sql_rank_and_the_boards_in_memory_at_the_same_place_in_the_logs) {
  std::mt19937_64 random(11);
  log_.written.now = at("2026-05-31", 20 * hour_us);  // A Sunday.
  BoardFollower follower(log_.written.log, log_.clock, xp_gain, nullptr, {});
  for (int round = 0; round < 6; ++round) {
    const std::int32_t step = round % 2 == 0 ? 50 : 1;
    for (int i = 0; i < 250; ++i) {
      log_.written.now += static_cast<Micros>(random() % (2 * minute_us));
      const bool counts = random() % 10 != 0;
      log_.grant(random() % 90, counts ? static_cast<std::int32_t>(random() % 6) * step : 0,
                 counts ? ::learner::v1::XpSource::lesson : ::learner::v1::XpSource::achievement);
    }
    project(round == 0 ? 1 : 7 + 40 * static_cast<std::size_t>(round));
    while (follower.step()) {
    }
    EXPECT_EQ(wrong_ranks(), Lines{});
    EXPECT_EQ(read("SELECT 1 FROM dracarys_rm.leaderboard_counts WHERE learners < 0"), Lines{});
    for (const BoardPeriod period : board_periods) {
      const Day start = period_start(period, day_of(log_.clock.at));
      std::vector<Day> starts{start};
      if (const auto before = previous_start(period, start)) starts.push_back(*before);
      for (const Day s : starts) EXPECT_EQ(read(board_sql(period, s)), in_memory(follower, period, s)) << name_of(period) << s;
    }
  }
  ASSERT_GT(day_of(log_.clock.at), *parse_date("2026-05-31")) << "the test is to cross a day";
  MemoryRowStore twin(dracarys_projection().tables);
  twin.prepare(log_.written.log.identity());
  project_into(twin, log_.written.log, 1'000, dracarys_projection());
  EXPECT_EQ(all_rows(rows_), all_rows(twin));
}

TEST_F(LeaderboardRows, are_for_those_who_are_signed_in) {  // A-DR-30
  log_.grant(1, 30);
  log_.grant(2, 50);
  project();
  const std::string query = "SELECT xp_points, rank FROM dracarys.leaderboard WHERE period = 'daily' ORDER BY rank";
  EXPECT_EQ(read(query), (Lines{"50 1", "30 2"}));
  EXPECT_EQ(read(query, "service_role"), (Lines{"50 1", "30 2"}));
  EXPECT_EQ(read(query, "anon"), Lines{});
  EXPECT_THROW(read("UPDATE dracarys.leaderboard SET xp_points = 999999"), pqxx::sql_error);  // A-DR-4
}

// A reading of the best by rank takes the index of scores, and asks for the ranks of those that it returns only.
TEST_F(LeaderboardRows, in_the_order_of_rank_take_the_index_of_scores) {  // DR-27
  for (std::uint64_t n = 1; n <= 400; ++n) log_.grant(n, static_cast<std::int32_t>(1 + n % 100));
  project(10'000);
  const RelationCatalogue catalogue{
      "dracarys",
      {{"leaderboard",
        Relation{{{"user_id", "uuid"}, {"period", "text"}, {"xp_points", "integer"}, {"rank", "integer"},
                  {"period_start_date", "date"}, {"reached_at", "timestamp with time zone"}}}}}};
  const auto planned = [&](std::string_view query) {
    const auto plan = plan_read({.relation = "leaderboard", .query = query}, catalogue);
    EXPECT_TRUE(plan);
    return plan ? plan->sql : "";
  };
  const std::string board = "period=eq.weekly&period_start_date=eq.2026-05-04";
  EXPECT_TRUE(planned(board + "&order=rank").contains(R"(ORDER BY t."xp_points" DESC LIMIT)"));
  EXPECT_TRUE(planned(board + "&order=rank.asc,reached_at,user_id")
                  .contains(R"(ORDER BY t."xp_points" DESC, t."reached_at", t."user_id" LIMIT)"));
  EXPECT_TRUE(planned(board + "&order=rank.desc").contains(R"(ORDER BY t."xp_points" ASC LIMIT)"));
  // Across boards a higher score is no better rank.
  EXPECT_TRUE(planned("period=eq.weekly&order=rank").contains(R"(ORDER BY t."rank" LIMIT)"));
  EXPECT_TRUE(planned("period=eq.weekly&period_start_date=gt.2026-05-04&order=rank").contains(R"(ORDER BY t."rank" LIMIT)"));

  const std::string best = "SELECT user_id, rank FROM dracarys.leaderboard WHERE period = 'weekly' AND "
                           "period_start_date = '2026-05-04' ORDER BY xp_points DESC, reached_at, user_id LIMIT 10";
  const std::string own = "SELECT rank FROM dracarys.leaderboard WHERE period = 'weekly' AND period_start_date = '2026-05-04' "
                          "AND user_id = '" + to_string(learner_id(1)) + "'";
  for (const bool closed : {false, true}) {
    if (closed) {
      log_.clock.at = at("2026-05-11", hour_us);
      ASSERT_GT(closer_.look(), 0u);
    }
    const std::string plan = plan_of(best);
    EXPECT_TRUE(plan.contains("leaderboard_period_rank")) << plan;
    EXPECT_TRUE(plan.contains("period_start_date = '2026-05-04'")) << plan;
    EXPECT_FALSE(plan.contains("Sort")) << plan;
    // Whose board is closed is looked up, and no score is counted.
    const std::string look_up = plan_of(own);
    EXPECT_TRUE(look_up.contains("leaderboard_ranks_pkey")) << look_up;
    EXPECT_EQ(look_up.contains("leaderboard_counts c (never executed)"), closed) << look_up;
  }
}

TEST_F(LeaderboardRows, of_a_period_that_is_over_have_their_ranks_stored_once) {  // DR-24..27, A-DR-6..9
  play_a_sunday();
  log_.clock.at = at("2026-06-01", 4 * minute_us);
  EXPECT_EQ(closer_.look(), 0u) << "events of Sunday may yet come";
  log_.written.now = log_.clock.at = at("2026-06-01", 6 * minute_us);
  for (std::uint64_t n = 200; n < 220; ++n) log_.grant(n, 10);
  project();
  EXPECT_EQ(closer_.look(), 3u);
  EXPECT_EQ(closed(), sundays_boards) << "all time and what is open stay as they are";
  EXPECT_EQ(wrong_stored_ranks(), Lines{});
  EXPECT_EQ(wrong_ranks(), Lines{});
  const std::string stored = "SELECT period, closed_at, r.xp_points, r.rank FROM dracarys_rm.leaderboard_closed "
                             "JOIN dracarys_rm.leaderboard_ranks r USING (period, period_start) ORDER BY 1, 3";
  const Lines once = read(stored);
  EXPECT_GT(once.size(), 10u);
  EXPECT_EQ(closer_.look(), 0u);
  EXPECT_EQ(read(stored), once);
  EXPECT_EQ(read(stored, "anon"), Lines{});  // A-DR-30
  EXPECT_THROW(read("DELETE FROM dracarys_rm.leaderboard_ranks"), pqxx::sql_error);
}

TEST_F(LeaderboardRows, that_change_after_their_period_are_exact_at_once_and_stored_anew) {  // A-DR-9
  play_a_sunday();
  log_.clock.at = at("2026-06-01", hour_us);
  ASSERT_EQ(closer_.look(), 3u);
  const std::string rank = "SELECT period, rank FROM dracarys.leaderboard WHERE user_id = '" + to_string(learner_id(1)) +
                           "' AND period <> 'all_time' ORDER BY 1";
  log_.written.now = at("2026-05-31", 23 * hour_us);  // A shard was behind.
  log_.grant(1, 10'000);
  log_.clock.at = at("2026-06-01", hour_us);
  project();
  EXPECT_EQ(read(rank), (Lines{"daily 1", "monthly 1", "weekly 1"}));
  EXPECT_EQ(wrong_ranks(), Lines{});
  EXPECT_NE(wrong_stored_ranks(), Lines{});
  EXPECT_EQ(closer_.look(), 3u);
  EXPECT_EQ(closed(), sundays_boards);
  EXPECT_EQ(wrong_stored_ranks(), Lines{});
  EXPECT_EQ(wrong_ranks(), Lines{});
  EXPECT_EQ(read(rank), (Lines{"daily 1", "monthly 1", "weekly 1"}));
}

TEST_F(LeaderboardRows, are_closed_when_the_rows_hold_what_the_logs_held) {
  log_.written.now = at("2026-05-31", 20 * hour_us);
  log_.grant(1, 10);
  log_.clock.at = at("2026-06-01", hour_us);
  EXPECT_EQ(closer_.look(), 0u);
  EXPECT_EQ(closer_.look(), 0u);
  project();
  log_.written.now = at("2026-06-01", hour_us);
  log_.grant(2, 10);  // There is always more on its way.
  EXPECT_EQ(closer_.look(), 3u);
  EXPECT_EQ(closed(), sundays_boards);
}

TEST_F(LeaderboardRows, are_closed_by_one_of_two_processes) {
  constexpr int days = 40;
  for (int day = 0; day < days; ++day) {
    log_.written.now = at("2026-05-05") + day * day_us;
    for (std::uint64_t n = 1; n <= 20; ++n) log_.grant(n, static_cast<std::int32_t>(1 + n % 7));
  }
  project(1'000);
  log_.clock.at = at("2026-05-05") + days * day_us + hour_us;
  const auto over = read("SELECT 1 FROM dracarys_rm.leaderboard_sizes WHERE date '1970-01-01' + period_end < '" +
                         date_text(day_of(log_.clock.at)) + "'");
  ASSERT_GT(over.size(), static_cast<std::size_t>(days));
  std::array<std::size_t, 2> stored{};
  {
    std::vector<std::jthread> processes;
    for (std::size_t& mine : stored)
      processes.emplace_back([&] {
        PostgresRowStore store(url_, dracarys_projection(), dracarys_sql());
        BoardCloser closer(log_.written.log, store, log_.clock, {}, {});
        while (closed().size() < over.size()) mine += closer.look();
      });
  }
  EXPECT_EQ(stored[0] + stored[1], over.size()) << stored[0] << " and " << stored[1];
  EXPECT_EQ(wrong_stored_ranks(), Lines{});
  EXPECT_EQ(wrong_ranks(), Lines{});
}

TEST_F(LeaderboardRows, of_a_rebuilt_generation_are_closed_again) {
  play_a_sunday();
  log_.clock.at = at("2026-06-01", hour_us);
  ASSERT_EQ(closer_.look(), 3u);
  const RebuildReport report = rebuild(log_.written.log, rows_, dracarys_projection(), {.compare = true});
  EXPECT_TRUE(report.compared);
  for (const auto& table : report.tables) EXPECT_TRUE(table.same) << table.table;
  EXPECT_EQ(closed(), Lines{});
  EXPECT_EQ(wrong_ranks(), Lines{});
  EXPECT_EQ(closer_.look(), 3u);
  EXPECT_EQ(closed(), sundays_boards);
  EXPECT_EQ(wrong_stored_ranks(), Lines{});
  rows_.roll_back();  // It has those that it had.
  EXPECT_EQ(closed(), sundays_boards);
  EXPECT_EQ(wrong_stored_ranks(), Lines{});
  EXPECT_EQ(wrong_ranks(), Lines{});
  EXPECT_EQ(closer_.look(), 0u);
}

TEST_F(LeaderboardRows, are_tried_again_when_the_database_is_away) {
  PostgresRowStore away("postgresql://nobody@127.0.0.1:1/none", dracarys_projection(), dracarys_sql());
  std::stop_source stop;
  int looks = 0;
  Lines told;
  BoardCloser closer(
      log_.written.log, away, log_.clock,
      [&](std::stop_token, std::chrono::milliseconds) {
        if (++looks == 3) stop.request_stop();
      },
      [&](const std::string& why) { told.push_back(why); });
  closer.run(stop.get_token());
  EXPECT_EQ(told.size(), 3u);
  EXPECT_EQ(closer.failures(), 3u);
  EXPECT_EQ(closer.closed(), 0u);
}

}  // namespace
}  // namespace guildhall
