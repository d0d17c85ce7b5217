#include "projectors/leaderboard_rows.h"

#include "events/board_period.h"

namespace guildhall {
namespace {

void project_board(const RecordHeader& at, const learner::XpGranted& e, BoardPeriod period, std::int32_t after, Writes& out) {
  const std::int64_t start = period_start(period, e.board_day);
  const std::int64_t end = period_end(period, static_cast<Day>(start));
  const std::string name(name_of(period));
  const bool lesson = e.source == ::learner::v1::XpSource::lesson;
  Write& row = out.upsert(LeaderboardScores::table(), {name, start, e.learner_id})
                   .set(LeaderboardScores::period_end, end)
                   .set(LeaderboardScores::xp_points, std::int64_t{after})
                   .add(LeaderboardScores::lessons_completed, lesson ? 1 : 0)
                   .set(LeaderboardScores::streak_days, std::int64_t{e.streak_days})
                   .set(LeaderboardScores::updated_at, at.time)
                   .set(LeaderboardScores::last_event_position, position_of(at));
  if (e.board_xp == 0) return;
  row.set(LeaderboardScores::reached_at, at.time);
  const std::int32_t before = after - e.board_xp;
  const auto count = [&](std::int32_t xp, std::int64_t learners) {
    if (xp <= 0) return;
    out.upsert(LeaderboardCounts::table(), {name, start, std::int64_t{xp}}).add(LeaderboardCounts::learners, learners);
  };
  count(before, -1);
  count(after, 1);
  // Its end is always the same, so a greatest is as good as a set, and all shards may send it.
  out.upsert(LeaderboardSizes::table(), {name, start})
      .greatest(LeaderboardSizes::period_end, end)
      .add(LeaderboardSizes::learners, (after > 0 ? 1 : 0) - (before > 0 ? 1 : 0))
      .add(LeaderboardSizes::changes, 1);
}

}  // namespace

const Table& LeaderboardScores::table() {
  static const Table table{"leaderboard_scores",
                           {{"period", ColumnType::text}, {"period_start", ColumnType::int4}, {"learner_id", ColumnType::uuid}},
                           {{"period_end", ColumnType::int4},
                            {"xp_points", ColumnType::int4, std::int64_t{0}},
                            {"lessons_completed", ColumnType::int4, std::int64_t{0}},
                            {"streak_days", ColumnType::int4, std::int64_t{0}},
                            {"reached_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& LeaderboardCounts::table() {
  static const Table table{"leaderboard_counts",
                           {{"period", ColumnType::text}, {"period_start", ColumnType::int4}, {"xp_points", ColumnType::int4}},
                           {{"learners", ColumnType::int8, std::int64_t{0}}}};
  return table;
}

const Table& LeaderboardSizes::table() {
  static const Table table{"leaderboard_sizes",
                           {{"period", ColumnType::text}, {"period_start", ColumnType::int4}},
                           {{"period_end", ColumnType::int4},
                            {"learners", ColumnType::int8, std::int64_t{0}},
                            {"changes", ColumnType::int8, std::int64_t{0}}}};
  return table;
}

void project_leaderboards(const RecordHeader& at, const AnyEvent& event, Writes& out) {
  const auto* e = get_if<learner::XpGranted>(&event);
  if (e == nullptr || (e->board_xp == 0 && e->source != ::learner::v1::XpSource::lesson)) return;
  project_board(at, *e, BoardPeriod::daily, e->day_xp, out);
  project_board(at, *e, BoardPeriod::weekly, e->week_xp, out);
  project_board(at, *e, BoardPeriod::monthly, e->month_xp, out);
  project_board(at, *e, BoardPeriod::all_time, e->all_time_xp, out);
}

}  // namespace guildhall
