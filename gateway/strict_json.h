// JSON as we accept it from outside: RFC 8259, strictly, and bounded. Two readers must never see different things in one text, so
// what JSON leaves open (a member twice, an integer that no 64-bit type holds) is refused here, once, for bodies and tokens
// alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

namespace guildhall {

inline constexpr std::size_t json_depth_limit = 16;     // Objects and arrays inside one another; a lone scalar has depth 0.
inline constexpr std::size_t json_members_limit = 256;  // Members of one object.

enum class JsonFault : std::uint8_t {
  syntax,
  bad_unicode,  // Bytes that are not UTF-8, a byte order mark, or an escape that is half a surrogate pair.
  truncated,    // The text ends before its value does; empty text too.
  trailing_bytes,
  duplicate_member,  // Names are compared after their escapes are resolved.
  too_deep,
  too_many_members,
  number_out_of_range,  // An integer beyond int64 and uint64, or a number whose double would be infinite.
};
std::string_view name_of(JsonFault fault);

struct StrictJsonError {
  std::size_t offset = 0;  // In bytes: how far the text was read when the fault showed.
  JsonFault reason = JsonFault::syntax;
};

// The value owns copies and lives in `storage` (the heap by default; pass an arena for a value that dies with its request, and
// keep the arena longer than the value). Integers come out as int64, or uint64 above its range, all else as double. Any thread.
// How long a text may be is the caller's bound; time is linear in it but for duplicates, which cost at most `max_members`
// comparisons a member.
std::expected<boost::json::value, StrictJsonError> parse_strict(std::string_view text, std::size_t max_depth = json_depth_limit,
                                                                std::size_t max_members = json_members_limit,
                                                                boost::json::storage_ptr storage = {});

}  // namespace guildhall
