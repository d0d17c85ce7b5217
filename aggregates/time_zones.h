// The rules of IANA time zones, as a value of the decision's context: decide never asks the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/clock.h"

namespace guildhall {

struct LocalTime {
  std::int32_t day = 0;      // Days since 1970-01-01 of the local calendar date.
  std::int32_t seconds = 0;  // Since local midnight on the clock's face.
};

// Any thread.
class TimeZones {
 public:
  virtual ~TimeZones() = default;
  virtual bool known(std::string_view zone) const = 0;
  // The instant of a wall-clock time: nullopt in a gap; the first of the two offsets when it happens twice (A-TU-15).
  virtual std::optional<Micros> instant(std::string_view zone, LocalTime local) const = 0;
  virtual LocalTime local(std::string_view zone, Micros instant) const = 0;
  virtual std::string_view version() const = 0;  // Of the time zone data: stands in generated slots and decision records.
};

}  // namespace guildhall
