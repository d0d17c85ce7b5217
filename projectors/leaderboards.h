// The leaderboards in memory: of each period (DR-25) the open one and the one before it, as a fold of the events that give XP.
// The same events give the same boards in whatever order the shards' logs are read: a learner's come from one log, in its order,
// and times are the events' own (LB-5).
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "events/board_period.h"
#include "projectors/ranking.h"

namespace guildhall {

// What an event adds to a learner's boards.
struct XpGain {
  Uuid learner{};
  std::int64_t xp = 0;  // What counts for boards (A-DR-13).
  Micros at = 0;
  std::uint32_t lessons = 0;      // Completed with it.
  std::uint32_t streak_days = 0;  // After it.
};

using ByteSink = std::function<void(std::string_view)>;

// Not thread-safe; any number may read while nobody changes.
class Leaderboards {
 public:
  Leaderboards();

  // Opens the periods of this time, if they are later than the open ones. What lies before the open and the previous period goes.
  void roll(Micros now);
  void apply(const XpGain& gain);

  // nullptr when nobody has XP there: of a period to come, or of one that is not kept.
  const Ranking* find(BoardPeriod period, Day start) const;
  const Learners& learners() const { return *learners_; }
  std::size_t memory_bytes() const;

  // All of it, in pieces; and back, by whose bytes `load` knows that they were saved whole. False when it can't be: then nothing
  // is kept.
  void save(const ByteSink& out) const;
  bool load(std::string_view bytes);

 private:
  struct Board {
    Board(Day first_day, const Learners& learners) : start(first_day), ranking(learners) {}
    Day start;
    Ranking ranking;
  };
  struct Boards {
    std::unique_ptr<Board> open;      // nullptr before the first roll.
    std::unique_ptr<Board> previous;  // nullptr of all time, and when nobody had XP.
  };
  void roll(BoardPeriod period, Day day);
  Board* board_of(BoardPeriod period, Day day);

  std::unique_ptr<Learners> learners_;  // The boards point at it.
  std::array<Boards, board_periods.size()> boards_;
};

}  // namespace guildhall
