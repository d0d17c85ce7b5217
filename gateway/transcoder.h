// Between JSON and FlatBuffers, by the schemas alone: a client's body becomes a command's bytes, a reply's or a record's bytes
// become JSON.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include "events/ids.h"
#include "gateway/schema.h"

namespace guildhall {

inline constexpr std::size_t max_problems = 100;  // Reported of one body; a body with more is not worth reading on.

enum class ProblemCode : std::uint8_t {
  invalid_json,   // The text is no JSON as strict_json.h has it.
  unknown_field,  // Fields that the server sets included.
  required,
  wrong_type,
  out_of_range,
  not_a_multiple,
  too_short,
  too_long,
  too_many_items,
  bad_character,  // NUL and other controls but tab, line feed and carriage return.
  bad_format,
  not_a_uuid,
  not_in_enum,
  path_mismatch,  // The body contradicts the path.
};
inline constexpr std::size_t problem_codes = 14;
std::string_view name_of(ProblemCode code);

struct Problem {
  std::string pointer;  // JSON Pointer (RFC 6901) into the body; "/booking_id" for a path parameter too.
  ProblemCode code{};
  std::string detail;  // For people; never repeats a value.

  bool operator==(const Problem&) const = default;
};

// A field that the gateway fills itself.
struct ServerField {
  std::string_view name;
  Uuid value;
  bool only_if_absent = false;  // A default for what the client may send; otherwise the value replaces whatever came.
};

// The bytes of the command, or everything that is wrong with it. Equal values give equal bytes in whatever order and form the
// JSON has them, and they are what pack() of the decoded command gives. An empty body is an empty object. Any thread. A server
// field's name must be a UUID field of the command.
std::expected<std::string, std::vector<Problem>> transcode(const CommandSchema& command, std::span<const PathParam> path,
                                                           std::string_view body, std::span<const ServerField> server = {});
// The same from members that were already read with parse_strict (the rpc functions rename theirs).
std::expected<std::string, std::vector<Problem>> transcode(const CommandSchema& command, std::span<const PathParam> path,
                                                           const boost::json::object& body,
                                                           std::span<const ServerField> server = {});

// Whether bytes from another process are a command of this table that transcode() could have made, as far as one field at a time
// tells. They need no alignment.
bool is_acceptable(const TableSchema& table, std::string_view bytes);

// Fields of bytes that transcode() made or a verifier passed; they need no alignment. Nil and "" when absent.
Uuid uuid_field(std::string_view bytes, const FieldSchema& field);
// The root of the entity group that decides a command; nil when the bytes do not say.
Uuid group_of(const CommandSchema& command, std::string_view bytes);
std::string_view string_field(std::string_view bytes, const FieldSchema& field);

struct JsonOptions {
  bool mask_pii = false;  // Personal values that are present become "[masked]".
  bool verified = false;  // The bytes passed the verifier already, or were made in this process.
};
// One line of JSON: every field, in schema order. Absent strings, bytes, UUIDs and optional scalars are null, absent vectors [];
// times have the forms of wire_time.h; [ubyte] is hex; integers beyond ±2^53 are strings; a number that its enum or format does
// not know stays a number. Nothing when the bytes do not verify.
std::optional<std::string> to_json(const TableSchema& table, std::string_view bytes, JsonOptions options = {});
// Nothing for an unknown type too.
std::optional<std::string> to_json(const SchemaCatalogue& catalogue, std::string_view type, std::string_view bytes,
                                   JsonOptions options = {});

// Every field by itself, in schema order, for columns: what to_json() says of it, texts without quotes and escapes. Nothing for
// what is absent. Nothing at all when the bytes do not verify.
std::optional<std::vector<std::optional<std::string>>> to_texts(const TableSchema& table, std::string_view bytes,
                                                                JsonOptions options = {});

}  // namespace guildhall
