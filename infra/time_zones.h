// The machine's IANA time zone data. Read once when made: a new tzdata package counts from the next start on. Any thread.
#pragma once

#include "aggregates/time_zones.h"

namespace guildhall {

class TzdbTimeZones final : public TimeZones {
 public:
  // Throws std::runtime_error when the machine has no time zone data.
  TzdbTimeZones();

  // A canonical zone or an alias of one ("Europe/Copenhagen", "US/Eastern", "UTC"), case-sensitive. A binary search, no I/O.
  bool known(std::string_view zone) const override;

  // Both CHECK that the zone is known.
  std::optional<Micros> instant(std::string_view zone, LocalTime local) const override;
  LocalTime local(std::string_view zone, Micros instant) const override;

  std::string_view version() const override { return version_; }  // "2025b"; "unknown" where the machine does not say.

 private:
  std::string version_;
};

}  // namespace guildhall
