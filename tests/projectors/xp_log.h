// A log of lessons that give XP, with the scores of the learners' periods as the aggregate keeps them.
#pragma once

#include <map>

#include "events/board_period.h"
#include "infra/wire_time.h"
#include "projectors/xp_gains.h"
#include "tests/projectors/written_log.h"

namespace guildhall {

inline Uuid learner_id(std::uint64_t n) { return Uuid(0x4000 | n * 0x9e3779b97f4a0000ULL, 0x8000000000000000ULL + n); }
inline std::uint64_t learner_number(const Uuid& id) { return id.lo() - 0x8000000000000000ULL; }
inline Micros at(std::string_view date, Micros of_day = 0) { return *parse_date(date) * day_us + of_day; }
inline std::string date_text(Day day) {
  std::string out;
  append_date(out, day);
  return out;
}

struct FixedClock final : Clock {
  Micros now() const override { return at; }
  Micros at = 0;
};

class XpLog {
 public:
  explicit XpLog(std::uint32_t shards) : written(shards, "dracarys"), shards_(shards) { written.now = at("2026-05-05"); }

  // `board_xp` is what of it counts on leaderboards. The clock is at the record's time then.
  void grant(std::uint64_t learner, std::int32_t board_xp, ::learner::v1::XpSource source = ::learner::v1::XpSource::lesson) {
    learner::XpGranted& e = last_[learner];
    const Day day = day_of(written.now);
    const auto had = [&](BoardPeriod period, std::int32_t xp) {
      return period_start(period, e.board_day) == period_start(period, day) ? xp : 0;
    };
    e.learner_id = learner_id(learner);
    e.grant_id = test_id(++grants_);
    e.source = source;
    e.source_id = test_id(1);
    e.amount = board_xp;
    e.total_xp += board_xp;
    e.streak_days = 1 + static_cast<std::int32_t>(learner % 9);
    e.board_xp = board_xp;
    e.day_xp = had(BoardPeriod::daily, e.day_xp) + board_xp;
    e.week_xp = had(BoardPeriod::weekly, e.week_xp) + board_xp;
    e.month_xp = had(BoardPeriod::monthly, e.month_xp) + board_xp;
    e.all_time_xp += board_xp;
    e.board_day = day;
    clock.at = written.now;
    written.append(shard_of(learner), {{{StreamKind::learner, e.learner_id}, e}});
  }
  ShardNo shard_of(std::uint64_t learner) const { return static_cast<ShardNo>(learner % shards_); }

  WrittenLog written;
  FixedClock clock;

 private:
  const std::uint32_t shards_;
  std::uint64_t grants_ = 0;
  std::map<std::uint64_t, learner::XpGranted> last_;
};

}  // namespace guildhall
