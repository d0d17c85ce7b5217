#include "projectors/board_period.h"

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

std::optional<int> digits(std::string_view text) {
  int out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + (c - '0');
  }
  return out;
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

std::string date_text(Day day) {
  const auto date = civil(day);
  std::string year = std::to_string(static_cast<int>(date.year()));
  const auto two = [](unsigned n) { return std::string{static_cast<char>('0' + n / 10), static_cast<char>('0' + n % 10)}; };
  while (year.size() < 4) year.insert(year.begin(), '0');
  return year + "-" + two(static_cast<unsigned>(date.month())) + "-" + two(static_cast<unsigned>(date.day()));
}

std::optional<Day> parse_date(std::string_view text) {
  if (text.size() != std::string_view("2025-11-17").size() || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits(text.substr(0, 4)), month = digits(text.substr(5, 2)), day = digits(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const Day number = day_number(date);
  return number >= all_time_start && number <= all_time_end ? std::optional(number) : std::nullopt;
}

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
