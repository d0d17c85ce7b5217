// JSON lines on stderr, for machines and for the operator at three in the morning. Never a secret, never a personal value.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "events/clock.h"

namespace guildhall {

enum class LogLevel : std::uint8_t { info, warning, error };

struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t> value;
};

// Any thread; a line is written whole.
void log_line(LogLevel level, Micros now, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace guildhall
