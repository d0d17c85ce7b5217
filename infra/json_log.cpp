#include "infra/json_log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>

namespace guildhall {
namespace {

spdlog::logger& sink() {
  static const auto logger = [] {
    auto out = spdlog::stderr_logger_mt("guildhall");
    out->set_pattern("%v");  // The line is JSON already.
    out->flush_on(spdlog::level::info);
    return out;
  }();
  return *logger;
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

void log_line(LogLevel level, Micros now, std::string_view message, std::initializer_list<LogField> fields) {
  constexpr std::string_view names[] = {"info", "warning", "error"};
  const std::chrono::sys_time<std::chrono::microseconds> at{std::chrono::microseconds(now)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  std::string line = fmt::format(
      "{{\"time\":\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z\",\"level\":\"{}\",\"message\":", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(),
      time.seconds().count(), time.subseconds().count(), names[static_cast<std::size_t>(level)]);
  append_text(line, message);
  for (const auto& f : fields) {
    line += ',';
    append_text(line, f.name);
    line += ':';
    if (const auto* text = std::get_if<std::string_view>(&f.value)) append_text(line, *text);
    else line += std::to_string(std::get<std::int64_t>(f.value));
  }
  line += '}';
  sink().info(line);
}

}  // namespace guildhall
