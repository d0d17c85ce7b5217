// The boards in memory as a fold of all shards' logs: their periods, and that neither the order in which logs are read nor a
// restart shows (LB-4, LB-5, A-DR-6..9, DR-72).
#include "projectors/leaderboards.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "projectors/board_follower.h"
#include "tests/projectors/xp_log.h"

namespace guildhall {
namespace {

constexpr Micros last_moment = day_us - 1;

// A board as text: one line a learner, in the list's order.
std::string text_of(const Leaderboards& boards, BoardPeriod period, std::string_view start) {
  const Ranking* ranking = boards.find(period, *parse_date(start));
  if (ranking == nullptr) return "";
  std::string out;
  for (const LearnerNo learner : ranking->slice(0, ranking->size())) {
    const BoardScore& score = *ranking->find(learner);
    out += std::to_string(boards.learners().id(learner).lo() & 0xffff) + ":" + std::to_string(score.xp) + "/" +
           std::to_string(score.lessons) + "/" + std::to_string(score.streak_days) + " ";
  }
  return out;
}

std::string text_of_all(const Leaderboards& boards, Micros now) {
  std::string out;
  for (const BoardPeriod period : board_periods) {
    Day start = period_start(period, day_of(now));
    out += text_of(boards, period, date_text(start)) + "\n";
    if (const auto before = previous_start(period, start)) out += text_of(boards, period, date_text(*before)) + "\n";
  }
  return out;
}

TEST(Leaderboards, an_event_counts_in_the_four_periods_of_its_time) {
  Leaderboards boards;
  boards.apply({learner_id(1), 100, at("2025-11-23", last_moment), 1, 3});  // Sunday.
  boards.apply({learner_id(1), 50, at("2025-11-24"), 1, 4});                // Monday.
  boards.apply({learner_id(2), 70, at("2025-11-24", 1), 1, 1});
  EXPECT_EQ(text_of(boards, BoardPeriod::daily, "2025-11-23"), "1:100/1/3 ");
  EXPECT_EQ(text_of(boards, BoardPeriod::daily, "2025-11-24"), "2:70/1/1 1:50/1/4 ");
  EXPECT_EQ(text_of(boards, BoardPeriod::weekly, "2025-11-17"), "1:100/1/3 ");
  EXPECT_EQ(text_of(boards, BoardPeriod::weekly, "2025-11-24"), "2:70/1/1 1:50/1/4 ");
  EXPECT_EQ(text_of(boards, BoardPeriod::monthly, "2025-11-01"), "1:150/2/4 2:70/1/1 ");
  EXPECT_EQ(text_of(boards, BoardPeriod::all_time, "1970-01-01"), "1:150/2/4 2:70/1/1 ");
}

TEST(Leaderboards, the_open_and_the_previous_period_are_kept_and_no_other) {
  Leaderboards boards;
  boards.apply({learner_id(1), 100, at("2028-02-28"), 1, 1});
  boards.apply({learner_id(1), 100, at("2028-02-29", last_moment), 1, 2});
  boards.apply({learner_id(1), 100, at("2028-03-01"), 1, 3});
  EXPECT_EQ(text_of(boards, BoardPeriod::daily, "2028-02-28"), "");
  EXPECT_EQ(text_of(boards, BoardPeriod::daily, "2028-02-29"), "1:100/1/2 ");
  EXPECT_EQ(text_of(boards, BoardPeriod::monthly, "2028-02-01"), "1:200/2/2 ");
  boards.apply({learner_id(2), 30, at("2028-02-28"), 1, 1});  // Late, from another shard: February is kept, its 28th day is not.
  EXPECT_EQ(text_of(boards, BoardPeriod::daily, "2028-02-28"), "");
  EXPECT_EQ(text_of(boards, BoardPeriod::monthly, "2028-02-01"), "1:200/2/2 2:30/1/1 ");
  EXPECT_EQ(text_of(boards, BoardPeriod::all_time, "1970-01-01"), "1:300/3/3 2:30/1/1 ");
  boards.roll(at("2028-03-03"));  // By the clock alone.
  EXPECT_EQ(text_of(boards, BoardPeriod::daily, "2028-03-01"), "");
  EXPECT_NE(boards.find(BoardPeriod::daily, *parse_date("2028-03-03")), nullptr);
  EXPECT_EQ(text_of(boards, BoardPeriod::monthly, "2028-03-01"), "1:100/1/3 ");
}

TEST(Leaderboards, who_has_no_xp_stands_on_no_board) {
  Leaderboards boards;
  const Micros now = at("2026-05-05");
  boards.apply({learner_id(1), 0, now, 1, 1});
  EXPECT_EQ(text_of(boards, BoardPeriod::daily, "2026-05-05"), "");
  boards.apply({learner_id(1), 10, now + 1, 1, 1});
  EXPECT_EQ(text_of(boards, BoardPeriod::daily, "2026-05-05"), "1:10/2/1 ");
  boards.apply({learner_id(1), -10, now + 2, 0, 1});
  EXPECT_EQ(text_of(boards, BoardPeriod::daily, "2026-05-05"), "");
}

TEST(Leaderboards, a_snapshot_is_the_same_boards) {
  std::mt19937_64 random(5);
  Leaderboards boards;
  Micros now = at("2026-02-26");
  for (int i = 0; i < 5'000; ++i) {
    now += static_cast<Micros>(random() % (3 * minute_us));
    boards.apply({learner_id(random() % 700), static_cast<std::int64_t>(random() % 4) * 10, now, 1, 1});
  }
  std::string bytes;
  boards.save([&](std::string_view piece) { bytes += piece; });
  Leaderboards again;
  ASSERT_TRUE(again.load(bytes));
  EXPECT_EQ(text_of_all(again, now), text_of_all(boards, now));
  // What comes after it continues it.
  for (Leaderboards* b : {&boards, &again}) b->apply({learner_id(1), 1'000, now, 1, 1});
  EXPECT_EQ(text_of_all(again, now), text_of_all(boards, now));
  EXPECT_FALSE(again.load(bytes.substr(0, bytes.size() - 1)));
  EXPECT_FALSE(again.load(bytes + "x"));
  EXPECT_FALSE(again.load(""));
}

// ---- following the log

class MemorySnapshots final : public SnapshotStore {
 public:
  std::optional<std::string> load() override { return bytes; }
  void save(const std::function<void(const std::function<void(std::string_view)>& sink)>& content) override {
    std::string out;
    content([&](std::string_view piece) { out += piece; });
    bytes = std::move(out);
    ++saves;
  }
  std::optional<std::string> bytes;
  int saves = 0;
};

class Following : public testing::Test {
 protected:
  static constexpr std::uint32_t shards = 4;
  void gain(std::uint64_t learner, std::int32_t xp) { log_.grant(learner, xp); }
  void random_gains(std::uint64_t seed, int count) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < count; ++i) gain(random() % 300, static_cast<std::int32_t>(random() % 5) * 10);
  }
  BoardFollower follower(BoardFollowerLimits limits = {}) {
    return {log_.written.log, log_.clock, xp_gain, &snapshots_, [](std::stop_token, std::chrono::milliseconds) {}, limits};
  }
  static void catch_up(BoardFollower& f) {
    while (f.step()) {
    }
  }
  std::string text(BoardFollower& f) {
    std::string out;
    EXPECT_TRUE(f.read([&](const BoardFollower::View& view) {
      out = text_of_all(view.boards, log_.clock.at);
      for (ShardNo shard = 0; shard < shards; ++shard) EXPECT_EQ(view.positions[shard], log_.written.end(shard));
    }));
    return out;
  }

  XpLog log_{shards};
  MemorySnapshots snapshots_;
};

// LB-5: shards are read in any interleaving, with pauses anywhere, and the boards are the same.
TEST_F(Following, the_interleaving_of_shards_does_not_show) {
  random_gains(1, 2'000);
  auto in_order = follower();
  catch_up(in_order);
  const std::string expected = text(in_order);
  for (const std::size_t turn : {1u, 2u, 7u, 100u}) {
    auto other = follower({.gains_per_turn = turn, .records_per_turn = turn * 3});
    catch_up(other);
    EXPECT_EQ(text(other), expected) << turn;
  }
  // One that followed from the start, record by record, against one that read everything afterwards.
  auto live = follower();
  for (int i = 0; i < 300; ++i) {
    random_gains(static_cast<std::uint64_t>(100 + i), 3);
    live.step();
  }
  catch_up(live);
  auto late = follower();
  catch_up(late);
  EXPECT_EQ(text(live), text(late));
}

// A-DR-13: XP that does not count is no reason to touch a board; a lesson without XP still counts as one.
TEST_F(Following, what_does_not_count_changes_nothing) {
  log_.grant(1, 0, ::learner::v1::XpSource::achievement);
  log_.grant(2, 0);
  log_.grant(2, 30);
  auto f = follower();
  catch_up(f);
  EXPECT_EQ(f.applied_gains(), 2u);
  EXPECT_EQ(text(f).substr(0, text(f).find('\n')), "2:30/2/3 ");
}

TEST_F(Following, nothing_is_shown_before_the_logs_ends_were_met) {
  random_gains(2, 100);
  auto f = follower({.records_per_turn = 5});
  f.step();
  EXPECT_FALSE(f.read([](const BoardFollower::View&) {}));
  catch_up(f);
  EXPECT_TRUE(f.read([](const BoardFollower::View&) {}));
}

TEST_F(Following, a_restart_reads_what_came_after_the_snapshot) {
  random_gains(3, 1'000);
  auto first = follower();
  catch_up(first);
  first.save();
  first.save();
  EXPECT_EQ(snapshots_.saves, 1) << "nothing new";
  random_gains(4, 500);
  auto second = follower();
  catch_up(second);
  EXPECT_TRUE(second.from_snapshot());
  EXPECT_EQ(second.applied_gains(), 500u);
  snapshots_.bytes.reset();
  auto anew = follower();
  catch_up(anew);
  EXPECT_FALSE(anew.from_snapshot());
  EXPECT_EQ(text(second), text(anew));
}

TEST_F(Following, a_foreign_or_damaged_snapshot_is_no_snapshot) {
  random_gains(5, 200);
  auto first = follower();
  catch_up(first);
  first.save();
  const std::string expected = text(first), whole = *snapshots_.bytes;
  const auto rebuilt_from = [&](std::string bytes) {
    snapshots_.bytes = std::move(bytes);
    auto f = follower();
    catch_up(f);
    EXPECT_FALSE(f.from_snapshot());
    EXPECT_EQ(text(f), expected);
  };
  rebuilt_from("");
  rebuilt_from(whole.substr(0, 100));
  rebuilt_from(whole.substr(0, whole.size() - 1));
  for (const std::size_t at : {0u, 8u, 16u, 24u, 32u, 40u}) {  // Magic, log id, shards, the first shard's place and hash.
    std::string other = whole;
    other[at] = static_cast<char>(other[at] ^ 1);
    rebuilt_from(other);
  }
  // The same log id, but a shorter log: an end was lost.
  XpLog shorter(shards);
  snapshots_.bytes = whole;
  BoardFollower f(shorter.written.log, shorter.clock, xp_gain, &snapshots_, {}, {});
  catch_up(f);
  EXPECT_FALSE(f.from_snapshot());
}

TEST_F(Following, a_read_waits_for_its_own_write) {
  auto f = follower();
  catch_up(f);
  gain(1, 10);
  const Target target{1, log_.written.end(1)};
  std::optional<WaitResult> reached, too_late;
  const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  f.when_reached({target}, soon, [&](WaitResult r) { reached = r; });
  f.when_reached({{1, target.sequence + 1}}, std::chrono::steady_clock::now(), [&](WaitResult r) { too_late = r; });
  EXPECT_EQ(reached, std::nullopt);
  std::jthread thread([&](std::stop_token stop) { f.run(stop); });
  while (f.applied_gains() == 0) std::this_thread::yield();
  thread.request_stop();
  thread.join();
  EXPECT_EQ(reached, WaitResult::reached);
  EXPECT_EQ(too_late, WaitResult::timed_out);
  EXPECT_EQ(snapshots_.saves, 1) << "at the stop";
  std::optional<WaitResult> after;
  f.when_reached({target}, soon, [&](WaitResult r) { after = r; });
  EXPECT_EQ(after, WaitResult::reached);
  f.when_reached({{1, target.sequence + 1}}, soon, [&](WaitResult r) { after = r; });
  EXPECT_EQ(after, WaitResult::timed_out) << "nobody follows any more";
}

}  // namespace
}  // namespace guildhall
