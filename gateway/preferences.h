// What a request prefers (RFC 7240), and how a wait for what follows the log ended: of commands and reads alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/clock.h"

namespace guildhall {

inline constexpr int default_wait_s = 2;  // For a read model, where a wait is asked without a time.
inline constexpr int longest_wait_s = 30;

// How a wait for the read models ended.
enum class WaitOutcome : std::uint8_t { reached, timed_out, stopped };
struct PositionWait {
  WaitOutcome outcome = WaitOutcome::reached;
  std::uint64_t events_behind = 0;
  Micros waited_us = 0;
};
std::string lag_text(const PositionWait& wait);  // Consistency-Lag: events=12;ms=340

// Prefer, what of it commands and reads know.
struct Preferences {
  std::optional<int> wait_s;
  bool lenient = false;
  bool minimal = false;
};
Preferences parse_prefer(std::string_view header);

}  // namespace guildhall
