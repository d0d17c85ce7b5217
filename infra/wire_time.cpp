#include "infra/wire_time.h"

#include <chrono>

namespace guildhall {
namespace {

constexpr std::int64_t micros_per_second = 1'000'000;
constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::int64_t micros_per_day = seconds_per_day * micros_per_second;
constexpr std::int32_t first_day = -719'528;  // 0000-01-01
constexpr std::int32_t last_day = 2'932'896;  // 9999-12-31
constexpr std::int16_t minutes_per_day = 1'440;
constexpr std::size_t fraction_digits = 6;

// Exactly `count` digits at `at`; -1 otherwise.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

void append_digits(std::string& out, std::int64_t value, std::size_t count) {
  out.append(count, '0');
  for (std::size_t i = out.size(); count > 0; --count, value /= 10) out[--i] = static_cast<char>('0' + value % 10);
}

// Of the ten characters at the beginning.
std::optional<std::int32_t> date_prefix(std::string_view text) {
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  if (year < 0 || month < 0 || day < 0 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return static_cast<std::int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
}

// "Z" or "+02:00" → seconds east of UTC.
std::optional<int> offset_seconds(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const int hours = digits(text, 1, 2);
  const int minutes = digits(text, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const int seconds = (hours * 60 + minutes) * 60;
  return text[0] == '-' ? -seconds : seconds;
}

}  // namespace

std::optional<std::int64_t> parse_instant(std::string_view text) {
  const auto days = date_prefix(text);
  if (!days || text.size() < 20 || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return std::nullopt;

  std::size_t at = 19;
  std::int64_t micros = 0;
  if (text[at] == '.') {
    const std::size_t first = ++at;
    std::int64_t unit = micros_per_second / 10;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      if (at - first >= fraction_digits && text[at] != '0') return std::nullopt;
      micros += (text[at] - '0') * unit;
      unit /= 10;
    }
    if (at == first) return std::nullopt;
  }
  const auto offset = offset_seconds(text.substr(at));
  if (!offset) return std::nullopt;
  micros += (*days * seconds_per_day + hour * 3600 + minute * 60 + second - *offset) * micros_per_second;
  if (micros < first_day * micros_per_day || micros >= (last_day + 1) * micros_per_day) return std::nullopt;
  return micros;
}

bool append_instant(std::string& out, std::int64_t micros) {
  if (micros < first_day * micros_per_day || micros >= (last_day + 1) * micros_per_day) return false;
  std::int64_t days = micros / micros_per_day;
  std::int64_t rest = micros % micros_per_day;
  if (rest < 0) {
    rest += micros_per_day;
    --days;
  }
  append_date(out, static_cast<std::int32_t>(days));
  const std::int64_t seconds = rest / micros_per_second;
  out += 'T';
  append_digits(out, seconds / 3600, 2);
  out += ':';
  append_digits(out, seconds / 60 % 60, 2);
  out += ':';
  append_digits(out, seconds % 60, 2);
  if (rest % micros_per_second != 0) {
    out += '.';
    append_digits(out, rest % micros_per_second, fraction_digits);
  }
  out += 'Z';
  return true;
}

std::optional<std::int32_t> parse_date(std::string_view text) {
  if (text.size() != 10) return std::nullopt;
  return date_prefix(text);
}

bool append_date(std::string& out, std::int32_t days) {
  if (days < first_day || days > last_day) return false;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  append_digits(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  return true;
}

std::optional<std::int16_t> parse_time_of_day(std::string_view text, bool is_end) {
  if (text.size() == 8 && text.ends_with(":00")) text.remove_suffix(3);
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const int hour = digits(text, 0, 2);
  const int minute = digits(text, 3, 2);
  if (hour < 0 || minute < 0 || minute > 59) return std::nullopt;
  const int minutes = hour * 60 + minute;
  if (minutes > minutes_per_day || (minutes == minutes_per_day && !is_end)) return std::nullopt;
  return static_cast<std::int16_t>(minutes);
}

bool append_time_of_day(std::string& out, std::int16_t minutes) {
  if (minutes < 0 || minutes > minutes_per_day) return false;
  append_digits(out, minutes / 60, 2);
  out += ':';
  append_digits(out, minutes % 60, 2);
  return true;
}

}  // namespace guildhall
