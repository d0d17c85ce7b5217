// The order-statistic structure beside a full sort (LB-1, LB-2, A-DR-9).
#include "projectors/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "infra/wire_time.h"
#include "events/board_period.h"

namespace guildhall {
namespace {

Uuid learner_id(std::uint64_t n) { return Uuid(0x4000 | n * 0x9e3779b97f4a0000ULL, 0x8000000000000000ULL + n); }

struct Naive {
  std::map<Uuid, BoardScore, UuidLess> scores;

  std::vector<std::pair<Uuid, BoardScore>> sorted() const {
    std::vector<std::pair<Uuid, BoardScore>> out;
    for (const auto& entry : scores)
      if (entry.second.xp > 0) out.push_back(entry);
    std::ranges::sort(out, [](const auto& a, const auto& b) {
      if (a.second.xp != b.second.xp) return a.second.xp > b.second.xp;
      if (a.second.reached_at != b.second.reached_at) return a.second.reached_at < b.second.reached_at;
      return UuidLess{}(a.first, b.first);
    });
    return out;
  }
};

void expect_equal(const Ranking& ranking, const Learners& learners, const Naive& naive) {
  const auto sorted = naive.sorted();
  ASSERT_EQ(ranking.size(), sorted.size());
  const auto all = ranking.slice(0, sorted.size() + 1);
  ASSERT_EQ(all.size(), sorted.size());
  std::size_t higher = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& [id, score] = sorted[i];
    const LearnerNo learner = learners.find(id);
    if (i > 0 && sorted[i - 1].second.xp != score.xp) higher = i;
    ASSERT_EQ(all[i], learner);
    ASSERT_EQ(ranking.place_of(learner), i);
    ASSERT_EQ(ranking.higher_than(score.xp), higher);
    ASSERT_EQ(ranking.place_after(score.xp, score.reached_at, id), i + 1);
    ASSERT_EQ(ranking.find(learner)->lessons, score.lessons);
  }
}

// LB-1: ties share a rank and gaps follow; inside a tie the first to reach the score stands first, then the smaller id (A-DR-9).
TEST(Ranking, ties_share_a_rank_and_the_first_to_reach_a_score_stands_first) {
  Learners learners;
  Ranking ranking(learners);
  const auto set = [&](const Uuid& id, std::int64_t xp, Micros at) { ranking.set(learners.find_or_add(id), {xp, at, 1, 1}); };
  const Uuid late = learner_id(1), early = learner_id(2), top = learner_id(3), last = learner_id(4);
  const Uuid twin_a(1, 1), twin_b(1, 2);
  set(late, 100, 20);
  set(early, 100, 10);
  set(top, 200, 30);
  set(last, 50, 5);
  set(twin_b, 100, 20);
  set(twin_a, 100, 20);
  std::vector<Uuid> order;
  for (const LearnerNo learner : ranking.slice(0, 10)) order.push_back(learners.id(learner));
  std::vector<Uuid> at_20{late, twin_a, twin_b};
  std::ranges::sort(at_20, UuidLess{});
  EXPECT_EQ(order, (std::vector<Uuid>{top, early, at_20[0], at_20[1], at_20[2], last}));
  EXPECT_EQ(rank_after(ranking.higher_than(100)), 2u);
  EXPECT_EQ(rank_after(ranking.higher_than(50)), 6u);
}

// LB-2: random boards, with few different scores and with many, equal a full sort after every phase; scores rise, fall, vanish.
TEST(Ranking, equals_a_full_sort_on_random_boards) {
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&random](std::uint64_t n) { return random() % n; };
    const std::size_t people = seed % 2 == 0 ? 3'000 : 300;
    const std::int64_t step = seed % 3 == 0 ? 1'000 : 10;
    Learners learners;
    Ranking ranking(learners);
    Naive naive;
    for (int phase = 0; phase < 6; ++phase) {
      const bool falling = phase >= 4;
      for (int i = 0; i < 6'000; ++i) {
        const Uuid id = learner_id(below(people));
        BoardScore score = naive.scores[id];
        if (falling && below(3) > 0) score = {0, 0, score.lessons, 0};
        else score.xp += static_cast<std::int64_t>(below(5)) * step;
        score.reached_at = static_cast<Micros>(below(50));
        ++score.lessons;
        naive.scores[id] = score;
        ranking.set(learners.find_or_add(id), score);
      }
      expect_equal(ranking, learners, naive);
    }
    for (auto& [id, score] : naive.scores) ranking.set(learners.find(id), score = {});
    expect_equal(ranking, learners, naive);
    ranking.set(learners.find_or_add(learner_id(1)), naive.scores[learner_id(1)] = {7, 7, 1, 1});
    expect_equal(ranking, learners, naive);
  }
}

TEST(Ranking, a_list_that_arrives_in_order_fills_its_leaves) {
  constexpr std::size_t people = 100'000, most_bytes_each = 52;
  Learners learners;
  Ranking ranking(learners);
  for (std::size_t i = 0; i < people; ++i)
    ranking.set(learners.find_or_add(learner_id(i)), {static_cast<std::int64_t>(people - i), 1, 1, 1});
  EXPECT_EQ(ranking.higher_than(1), people - 1);
  EXPECT_LT(ranking.memory_bytes(), people * most_bytes_each);
}

TEST(Ranking, slices_end_with_the_list) {
  Learners learners;
  Ranking ranking(learners);
  EXPECT_TRUE(ranking.slice(0, 10).empty());
  EXPECT_EQ(ranking.higher_than(5), 0u);
  for (std::uint64_t i = 0; i < 200; ++i) ranking.set(learners.find_or_add(learner_id(i)), {10, static_cast<Micros>(i), 1, 1});
  EXPECT_EQ(ranking.slice(190, 100).size(), 10u);
  EXPECT_EQ(ranking.slice(60, 10).size(), 10u);
  EXPECT_TRUE(ranking.slice(200, 1).empty());
}

// A-DR-9, in integers, half up.
TEST(Ranking, percentiles) {
  const struct {
    std::uint64_t rank, learners;
    const char* text;
  } cases[] = {{1, 1, "100.00"}, {1, 2, "100.00"},         {2, 2, "0.00"},           {2, 3, "50.00"},
               {2, 4, "66.67"},  {3, 4, "33.33"},          {1, 1'000'000, "100.00"}, {1'000'000, 1'000'000, "0.00"},
               {2, 801, "99.88"} /* 99.875 */, {51, 20'001, "99.75"}, {7, 8, "14.29"}};
  for (const auto& c : cases) EXPECT_EQ(percentile_text(percentile_hundredths(c.rank, c.learners)), c.text) << c.rank;
}

// ---- periods (A-DR-6..8, DR-72, LB-4)

std::string date_text(Day day) {
  std::string out;
  append_date(out, day);
  return out;
}
Micros at(Day day, Micros of_day = 0) { return day * day_us + of_day; }
Day date(std::string_view text) { return *parse_date(text); }

struct PeriodCase {
  const char* what;
  BoardPeriod period;
  Micros at;
  const char* start;
  const char* end;
};

TEST(BoardPeriod, an_instant_belongs_to_one_period_in_utc) {
  constexpr Micros last_moment = day_us - 1;
  const PeriodCase cases[] = {
      {"the golden week", BoardPeriod::weekly, at(date("2025-11-19"), 10 * hour_us), "2025-11-17", "2025-11-23"},
      {"Copenhagen has Monday already", BoardPeriod::weekly, at(date("2025-11-23"), 23 * hour_us + 30 * minute_us), "2025-11-17",
       "2025-11-23"},
      {"the last moment of the week", BoardPeriod::weekly, at(date("2025-11-23"), last_moment), "2025-11-17", "2025-11-23"},
      {"the first moment of the next", BoardPeriod::weekly, at(date("2025-11-24")), "2025-11-24", "2025-11-30"},
      {"a week over the year's end", BoardPeriod::weekly, at(date("2026-01-01")), "2025-12-29", "2026-01-04"},
      {"29 February", BoardPeriod::daily, at(date("2028-02-29"), last_moment), "2028-02-29", "2028-02-29"},
      {"February of a leap year", BoardPeriod::monthly, at(date("2028-02-29"), last_moment), "2028-02-01", "2028-02-29"},
      {"February of another", BoardPeriod::monthly, at(date("2026-02-28"), last_moment), "2026-02-01", "2026-02-28"},
      {"1 March", BoardPeriod::monthly, at(date("2028-03-01")), "2028-03-01", "2028-03-31"},
      {"the year's last moment", BoardPeriod::monthly, at(date("2025-12-31"), last_moment), "2025-12-01", "2025-12-31"},
      {"New Year", BoardPeriod::daily, at(date("2026-01-01")), "2026-01-01", "2026-01-01"},
      {"all time", BoardPeriod::all_time, at(date("2026-01-01")), "1970-01-01", "9999-12-31"},
      {"the first week", BoardPeriod::weekly, 0, "1969-12-29", "1970-01-04"},
  };
  for (const auto& c : cases) {
    const Day start = period_start(c.period, day_of(c.at));
    EXPECT_EQ(date_text(start), c.start) << c.what;
    EXPECT_EQ(date_text(period_end(c.period, start)), c.end) << c.what;
    if (const auto reset = next_reset(c.period, start)) {
      EXPECT_EQ(*reset, at(date(c.end) + 1)) << c.what;
    }
  }
  EXPECT_EQ(next_reset(BoardPeriod::all_time, 0), std::nullopt);
  EXPECT_EQ(date_text(*previous_start(BoardPeriod::monthly, date("2028-03-01"))), "2028-02-01");
  EXPECT_EQ(date_text(*previous_start(BoardPeriod::weekly, date("2025-12-29"))), "2025-12-22");
  EXPECT_EQ(date_text(*previous_start(BoardPeriod::daily, date("2026-01-01"))), "2025-12-31");
  EXPECT_EQ(previous_start(BoardPeriod::all_time, 0), std::nullopt);
}

TEST(BoardPeriod, has_a_name) {
  for (const BoardPeriod period : board_periods) EXPECT_EQ(board_period(name_of(period)), period);
  EXPECT_EQ(board_period("yearly"), std::nullopt);
}

}  // namespace
}  // namespace guildhall
