// The one source of time. Only infra's system clock reads the machine's; tests inject their own.
#pragma once

#include <cstdint>

namespace guildhall {

using Micros = std::int64_t;  // Microseconds since 1970-01-01T00:00:00Z, leap seconds ignored as POSIX does.

inline constexpr Micros second_us = 1'000'000;
inline constexpr Micros minute_us = 60 * second_us;
inline constexpr Micros hour_us = 60 * minute_us;
inline constexpr Micros day_us = 24 * hour_us;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Micros now() const = 0;  // Any thread. May step back; whoever needs order keeps its own logical clock.
};

}  // namespace guildhall
