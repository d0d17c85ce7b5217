#include "infra/crash_point.h"

#include <csignal>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>

#include "events/check.h"

namespace guildhall {
namespace {

constexpr std::array<std::string_view, 14> names = {
    "log_before_write",     // The group is encoded, nothing of it is on disk.
    "log_after_write",      // Written, not synced: readable, not durable.
    "log_after_sync",       // Durable, nobody was told.
    "log_after_outcome",    // Told.
    "segment_zero_filled",  // The next segment is zero-filled under its temporary name.
    "segment_renamed",      // It has its name, the folder is not synced.
    "seal_before_footer",   // The segment is full, its footer not written.
    "seal_after_footer",    // Footer written, not synced.
    "seal_after_sync",      // Sealed, the anchor not moved.
    "anchor_before_write",
    "anchor_after_write",  // A slot is written, not synced.
    "anchor_after_sync",
    "recovery_rewritten",  // Frames beyond the anchor are synced again, the anchor not moved.
    "copy_appended",       // A part of a shard was copied to another log, the rest was not.
};

// Written before threads start, only read and counted down after.
std::string_view armed;
std::atomic<std::uint64_t> arrivals_left{0};

}  // namespace

std::span<const std::string_view> crash_point_names() { return names; }

bool arm_crash_point(std::string_view place) {
  const auto colon = place.find(':');
  std::uint64_t nth = 1;
  if (colon != std::string_view::npos) {
    const char* const end = place.data() + place.size();
    if (const auto read = std::from_chars(place.data() + colon + 1, end, nth); read.ec != std::errc{} || read.ptr != end)
      return false;
  }
  return arm_crash_point(place.substr(0, colon), nth);
}

bool arm_crash_point(std::string_view name, std::uint64_t nth) {
  const auto known = std::find(names.begin(), names.end(), name);
  if (!has_crash_points || known == names.end() || nth == 0) return false;
  armed = *known;
  arrivals_left = nth;
  return true;
}

void detail::crash_point_reached(std::string_view name) {
  if (armed.empty() || armed != name) return;
  if (arrivals_left.fetch_sub(1) == 1) {
    std::raise(SIGKILL);
    CHECK(false);  // SIGKILL does not return.
  }
}

}  // namespace guildhall
