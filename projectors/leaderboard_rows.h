// The leaderboards as rows (DR-24): a learner's score of each period, and how many learners have each score, so that a rank is a
// sum over the higher scores. Ranks of an open period are in no row: one event would change a million. Those of a period that is
// over are stored by whoever projects, out of these rows (projectors/board_closer.h).
#pragma once

#include "projectors/projection.h"

namespace guildhall {

// Keyed by period, its first day (since 1970-01-01), and the learner.
struct LeaderboardScores {
  enum : ColumnNo { period_end, xp_points, lessons_completed, streak_days, reached_at, updated_at, last_event_position };
  static const Table& table();
};
// Keyed by period, its first day, and a score. Counters that all shards add to; those of nobody stay, at 0.
struct LeaderboardCounts {
  enum : ColumnNo { learners };
  static const Table& table();
};
// Keyed by period and its first day. `changes` counts the gains that it holds: ranks that were stored after as many are right.
struct LeaderboardSizes {
  enum : ColumnNo { period_end, learners, changes };
  static const Table& table();
};

// What the event changes on leaderboards: XpGranted does, if it counts there.
void project_leaderboards(const RecordHeader& at, const AnyEvent& event, Writes& out);

}  // namespace guildhall
