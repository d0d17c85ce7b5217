// Named places where a test build dies on demand, as if by `kill -9` (GUILDHALL_CRASH_POINTS). Elsewhere crash_at() is nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace guildhall {

#ifdef GUILDHALL_CRASH_POINTS
inline constexpr bool has_crash_points = true;
#else
inline constexpr bool has_crash_points = false;
#endif

// Every name, so that a harness can enumerate them and a typing error is refused.
std::span<const std::string_view> crash_point_names();

// `place` as settings have it: NAME, or NAME:N for its nth arrival. False as below.
bool arm_crash_point(std::string_view place);
// The process dies at the nth (>= 1) arrival at `name`. Call it before threads start. False when the name is unknown or the build
// has no crash points.
bool arm_crash_point(std::string_view name, std::uint64_t nth);

namespace detail {
void crash_point_reached(std::string_view name);
}

inline void crash_at([[maybe_unused]] std::string_view name) {
  if constexpr (has_crash_points) detail::crash_point_reached(name);
}

}  // namespace guildhall
