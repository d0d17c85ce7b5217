#include "events/board_period.h"

#include <chrono>
#include <utility>

namespace guildhall {
namespace {

constexpr Day days_a_week = 7;
constexpr Day first_monday = 4;  // 1970-01-05.

std::chrono::year_month_day civil(Day day) { return std::chrono::sys_days(std::chrono::days(day)); }

Day day_number(std::chrono::year_month_day date) {
  return static_cast<Day>(std::chrono::sys_days(date).time_since_epoch().count());
}

Day floor_divided(Micros value, Micros by) {
  return static_cast<Day>(value / by - (value % by < 0 ? 1 : 0));
}

}  // namespace

std::string_view name_of(BoardPeriod period) {
  switch (period) {
    case BoardPeriod::daily: return "daily";
    case BoardPeriod::weekly: return "weekly";
    case BoardPeriod::monthly: return "monthly";
    case BoardPeriod::all_time: return "all_time";
  }
  std::unreachable();
}

std::optional<BoardPeriod> board_period(std::string_view name) {
  for (const BoardPeriod period : board_periods)
    if (name_of(period) == name) return period;
  return std::nullopt;
}

Day day_of(Micros at) { return floor_divided(at, day_us); }

Day period_start(BoardPeriod period, Day day) {
  switch (period) {
    case BoardPeriod::daily: return day;
    case BoardPeriod::weekly: return first_monday + floor_divided(day - first_monday, days_a_week) * days_a_week;
    case BoardPeriod::monthly: {
      const auto date = civil(day);
      return day_number(date.year() / date.month() / 1);
    }
    case BoardPeriod::all_time: return all_time_start;
  }
  std::unreachable();
}

Day period_end(BoardPeriod period, Day start) {
  switch (period) {
    case BoardPeriod::daily: return start;
    case BoardPeriod::weekly: return start + days_a_week - 1;
    case BoardPeriod::monthly: {
      const auto date = civil(start);
      return day_number(std::chrono::year_month_day(date.year() / date.month() / std::chrono::last));
    }
    case BoardPeriod::all_time: return all_time_end;
  }
  std::unreachable();
}

std::optional<Day> previous_start(BoardPeriod period, Day start) {
  if (period == BoardPeriod::all_time) return std::nullopt;
  return period_start(period, start - 1);
}

std::optional<Micros> next_reset(BoardPeriod period, Day start) {
  if (period == BoardPeriod::all_time) return std::nullopt;
  return (Micros{period_end(period, start)} + 1) * day_us;
}

}  // namespace guildhall
