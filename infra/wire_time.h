// Times as JSON has them and as the schemas store them. events/attributes.fbs names the three formats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace guildhall {

// RFC 3339 with any offset → microseconds since 1970 UTC. Nothing for a text of another form, a leap second, more than
// microseconds (zeros apart), or an instant outside the years 0000–9999 UTC.
std::optional<std::int64_t> parse_instant(std::string_view text);
// Appends "2026-03-29T01:00:00Z", with six more digits when there are microseconds. False, nothing appended: outside the years
// 0000–9999.
bool append_instant(std::string& out, std::int64_t micros);

std::optional<std::int32_t> parse_date(std::string_view text);  // "2026-03-29" → days since 1970-01-01.
bool append_date(std::string& out, std::int32_t days);

// "HH:MM" or "HH:MM:00" → minutes since midnight. "24:00" ends a day, so it is read only where `is_end`.
std::optional<std::int16_t> parse_time_of_day(std::string_view text, bool is_end);
bool append_time_of_day(std::string& out, std::int16_t minutes);

}  // namespace guildhall
