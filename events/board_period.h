// The periods that a leaderboard is kept for (DR-25). They are cut in UTC: the day, the ISO week from its Monday (A-DR-7), the
// calendar month, and all time, which needs dates as well (A-DR-8).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "events/clock.h"

namespace guildhall {

enum class BoardPeriod : std::uint8_t { daily, weekly, monthly, all_time };
inline constexpr std::array board_periods{BoardPeriod::daily, BoardPeriod::weekly, BoardPeriod::monthly, BoardPeriod::all_time};
std::string_view name_of(BoardPeriod period);
std::optional<BoardPeriod> board_period(std::string_view name);

using Day = std::int32_t;  // Since 1970-01-01.
Day day_of(Micros at);

inline constexpr Day all_time_start = 0;        // 1970-01-01
inline constexpr Day all_time_end = 2'932'896;  // 9999-12-31

// The first and the last day of the period that the day lies in.
Day period_start(BoardPeriod period, Day day);
Day period_end(BoardPeriod period, Day start);
// The start of the period before; all time has none.
std::optional<Day> previous_start(BoardPeriod period, Day start);
// When the next period begins (LB-4); all time never ends.
std::optional<Micros> next_reset(BoardPeriod period, Day start);

}  // namespace guildhall
