#include "infra/time_zones.h"

#include <date/tz.h>

#include <algorithm>
#include <fstream>

#include "events/check.h"

namespace guildhall {
namespace {

using LocalMicros = date::local_time<std::chrono::microseconds>;
using SystemMicros = date::sys_time<std::chrono::microseconds>;

// nullptr when unknown. The library's own locate_zone answers that with an exception, too dear for a question that clients may
// ask.
const date::time_zone* find_zone(std::string_view name) {
  // "right/" counts leap seconds, "posix/" repeats the plain names, and the rest stand for no place.
  if (name.starts_with("right/") || name.starts_with("posix/") || name == "Factory" || name == "localtime" ||
      name == "posixrules")
    return nullptr;
  const auto& zones = date::get_tzdb().zones;  // Sorted by name; never reloaded, so pointers into it stay valid.
  const auto at = std::ranges::lower_bound(zones, name, {}, [](const date::time_zone& z) { return std::string_view(z.name()); });
  return at != zones.end() && at->name() == name ? &*at : nullptr;
}

// The library looks for a file that Debian does not ship; tzdata.zi, which it does, begins with "# version 2025b".
std::string data_version() {
  constexpr std::string_view prefix = "# version ";
  if (const auto& known = date::get_tzdb().version; known != "unknown") return known;
  std::ifstream file("/usr/share/zoneinfo/tzdata.zi");
  std::string line;
  if (!std::getline(file, line) || !line.starts_with(prefix)) return "unknown";
  return line.substr(prefix.size());
}

}  // namespace

TzdbTimeZones::TzdbTimeZones() : version_(data_version()) {}

bool TzdbTimeZones::known(std::string_view zone) const { return find_zone(zone) != nullptr; }

std::optional<Micros> TzdbTimeZones::instant(std::string_view zone, LocalTime local) const {
  const auto* tz = find_zone(zone);
  CHECK(tz != nullptr);
  const LocalMicros wall{std::chrono::microseconds(local.day * day_us + local.seconds * second_us)};
  const auto info = tz->get_info(std::chrono::floor<std::chrono::seconds>(wall));
  if (info.result == date::local_info::nonexistent) return std::nullopt;
  // `first` is the only offset, or the earlier of the two.
  return wall.time_since_epoch().count() - std::chrono::microseconds(info.first.offset).count();
}

LocalTime TzdbTimeZones::local(std::string_view zone, Micros instant) const {
  const auto* tz = find_zone(zone);
  CHECK(tz != nullptr);
  const auto wall = std::chrono::floor<std::chrono::seconds>(tz->to_local(SystemMicros(std::chrono::microseconds(instant))));
  const auto day = std::chrono::floor<date::days>(wall);
  return {static_cast<std::int32_t>(day.time_since_epoch().count()), static_cast<std::int32_t>((wall - day).count())};
}

}  // namespace guildhall
