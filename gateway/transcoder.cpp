#include "gateway/transcoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "events/check.h"
#include "events/codec.h"
#include "gateway/strict_json.h"
#include "infra/wire_time.h"

namespace guildhall {
namespace {

namespace json = boost::json;

static_assert(std::endian::native == std::endian::little, "FlatBuffers are little-endian and read in place");

constexpr std::size_t json_arena_bytes = 8 * 1024;  // On the stack: a usual body needs no allocation.
constexpr std::size_t email_local_max = 64;
constexpr std::size_t email_domain_max = 253;
constexpr std::size_t json_text_depth_limit = 32;  // Of a text of the format json.
constexpr std::string_view masked = "[masked]";  // In place of a personal value.
constexpr std::uint64_t exact_in_double = std::uint64_t{1} << 53;

// ---- JSON → bytes

// A field's value as it will be stored. Texts are views into the parsed body.
struct Value {
  bool present = false;
  std::uint64_t integer = 0;  // Of a scalar: its two's complement bits.
  std::string_view text;
  Uuid uuid{};
  std::size_t first = 0;  // Of a vector: its place in Draft::texts or Draft::uuids.
  std::size_t count = 0;
};

// Reused by a thread from request to request, to allocate nothing.
struct Draft {
  std::vector<Value> values;  // By the field's place in the table.
  std::vector<std::string_view> texts;
  std::vector<Uuid> uuids;
};

std::string_view view(const json::string& s) { return {s.data(), s.size()}; }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::size_t scalars(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) count += is_continuation(c) ? 0U : 1U;
  return count;
}

bool has_control(std::string_view text) {
  for (const char c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) return true;
  return false;
}

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

bool is_email(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20) return false;
  const std::string_view domain = text.substr(at + 1);
  return at >= 1 && at <= email_local_max && !domain.empty() && domain.size() <= email_domain_max && domain.front() != '.' &&
         domain.back() != '.' && domain.find("..") == std::string_view::npos;
}

bool is_url(std::string_view text) {
  if (text.starts_with("https://")) text.remove_prefix(8);
  else if (text.starts_with("http://")) text.remove_prefix(7);
  else return false;
  for (const char c : text)
    if (c <= 0x20 || c > 0x7e || std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos) return false;
  const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
  return !authority.empty() && authority.front() != ':' && authority.find('@') == std::string_view::npos;
}

bool all_of(std::string_view text, bool (*is_member)(char)) {
  for (const char c : text)
    if (!is_member(c)) return false;
  return !text.empty();
}
bool is_zone_character(char c) { return is_alphanumeric(c) || c == '_' || c == '+' || c == '-' || c == '/'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// PostgreSQL's jsonb holds no NUL.
bool has_nul(const json::value& value) {
  const auto in = [](std::string_view text) { return text.find('\0') != std::string_view::npos; };
  if (const auto* text = value.if_string()) return in(*text);
  if (const auto* array = value.if_array()) return std::ranges::any_of(*array, has_nul);
  if (const auto* object = value.if_object())
    return std::ranges::any_of(*object, [&](const auto& member) { return in(member.key()) || has_nul(member.value()); });
  return false;
}
bool is_json(std::string_view text) {
  const auto value = parse_strict(text, json_text_depth_limit);
  return value && !has_nul(*value);
}

// What a string's format demands, or nullptr when the text has it.
const char* format_fault(FieldFormat format, std::string_view text) {
  switch (format) {
    case FieldFormat::email: return is_email(text) ? nullptr : "must be an e-mail address";
    case FieldFormat::url: return is_url(text) ? nullptr : "must be an absolute http or https URL";
    case FieldFormat::zone: return all_of(text, is_zone_character) ? nullptr : "must be the name of an IANA time zone";
    case FieldFormat::currency:
      return text.size() == 3 && all_of(text, is_upper) ? nullptr : "must be an ISO 4217 code of three upper-case letters";
    case FieldFormat::hex: return text.size() % 2 == 0 && all_of(text, is_hex_digit) ? nullptr : "must be hexadecimal bytes";
    case FieldFormat::json: return is_json(text) ? nullptr : "must be JSON, without escaped NUL";
    default: return nullptr;
  }
}

struct TextFault {
  ProblemCode code;
  std::string detail;
};
// What a text breaks of its field's constraints.
std::optional<TextFault> text_fault(const FieldSchema& field, std::string_view text) {
  // The length first: no later check looks at an unbounded text.
  const std::size_t length = scalars(text);
  if (length < field.min_length || (field.needed && length == 0))
    return TextFault{ProblemCode::too_short,
                     "must have at least " + std::to_string(std::max<std::uint32_t>(field.min_length, 1)) + " characters"};
  if (field.max_length != 0 && length > field.max_length)
    return TextFault{ProblemCode::too_long, "must have at most " + std::to_string(field.max_length) + " characters"};
  if (has_control(text)) return TextFault{ProblemCode::bad_character, "must not contain control characters"};
  if (text.empty()) return std::nullopt;  // Absent, as for null.
  if (const char* fault = format_fault(field.format, text)) return TextFault{ProblemCode::bad_format, fault};
  if (field.pattern != nullptr && !std::regex_match(text.begin(), text.end(), field.pattern->regex))
    return TextFault{ProblemCode::bad_format, "must match " + std::string(field.pattern->text)};
  return std::nullopt;
}

// A canonical decimal integer, without sign games or leading zeros.
template <class Integer>
std::optional<Integer> parse_decimal(std::string_view text) {
  const std::string_view magnitude = text.substr(text.starts_with('-') ? 1 : 0);
  if (magnitude.empty() || (magnitude.front() == '0' && text.size() > 1)) return std::nullopt;
  Integer out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

class Reader {
 public:
  Reader(const CommandSchema& command, Draft& draft) : fields_(command.table->fields), draft_(draft) {
    draft_.values.assign(fields_.size(), Value{});
    draft_.texts.clear();
    draft_.uuids.clear();
  }

  void read_path(std::span<const PathParam> path) {
    for (const PathParam& param : path) {
      Value& value = draft_.values[index(*param.field)];
      value.present = true;
      if (const auto id = parse_uuid(param.value)) value.uuid = *id;
      else report(*param.field, ProblemCode::not_a_uuid, "must be a UUID (in the path)");
    }
  }

  void read_body(const json::object& body, std::span<const PathParam> path) {
    for (const auto& member : body) {
      if (problems_.size() == max_problems) return;
      const std::string_view name(member.key().data(), member.key().size());
      const FieldSchema* field = find(name);
      if (field == nullptr || field->server_set) {
        problems_.push_back({pointer(name), ProblemCode::unknown_field, "is not a field of this command"});
        continue;
      }
      if (member.value().is_null()) continue;
      Value& value = draft_.values[index(*field)];
      if (value.present) {
        compare_with_path(*field, member.value(), path, value);
        continue;
      }
      value.present = true;
      read_value(*field, member.value(), value);
    }
  }

  void set(std::span<const ServerField> server) {
    for (const ServerField& given : server) {
      const FieldSchema* field = find(given.name);
      CHECK(field != nullptr && field->kind == FieldKind::uuid);
      Value& value = draft_.values[index(*field)];
      if (given.only_if_absent && value.present) continue;
      value.present = true;
      value.uuid = given.value;
    }
  }

  void check_needed() {
    for (const FieldSchema& field : fields_)
      if (field.needed && !draft_.values[index(field)].present) report(field, ProblemCode::required, "is required");
  }

  std::vector<Problem> problems() && { return std::move(problems_); }

 private:
  std::size_t index(const FieldSchema& field) const { return static_cast<std::size_t>(&field - fields_.data()); }

  const FieldSchema* find(std::string_view name) const {
    for (const FieldSchema& field : fields_)
      if (field.name == name) return &field;
    return nullptr;
  }

  static std::string pointer(std::string_view name) {
    std::string out = "/";
    for (const char c : name) {
      if (c == '~') out += "~0";
      else if (c == '/') out += "~1";
      else out += c;
    }
    return out;
  }

  void report(const FieldSchema& field, ProblemCode code, std::string detail) {
    if (problems_.size() == max_problems) return;
    std::string where = pointer(field.name);
    if (item_) where += "/" + std::to_string(*item_);
    problems_.push_back({std::move(where), code, std::move(detail)});
  }

  void compare_with_path(const FieldSchema& field, const json::value& given, std::span<const PathParam> path,
                         const Value& value) {
    const auto id = given.is_string() ? parse_uuid(view(given.get_string())) : std::nullopt;
    for (const PathParam& param : path)
      if (param.field == &field && (!id || !(*id == value.uuid)))
        report(field, ProblemCode::path_mismatch, "must equal the path's " + std::string(field.name));
  }

  void read_value(const FieldSchema& field, const json::value& given, Value& value) {
    switch (field.kind) {
      case FieldKind::boolean:
        if (given.is_bool()) value.integer = given.get_bool() ? 1 : 0;
        else report(field, ProblemCode::wrong_type, "must be true or false");
        return;
      case FieldKind::enumeration: return read_enum(field, given, value);
      case FieldKind::string: value.text = read_text(field, given); return;
      case FieldKind::uuid: value.uuid = read_uuid(field, given); return;
      case FieldKind::strings:
      case FieldKind::uuids: return read_vector(field, given, value);
      default: break;
    }
    CHECK(is_integer(field.kind));  // The catalogue refuses commands with other kinds.
    if (field.format == FieldFormat::none) read_integer(field, given, value);
    else read_time(field, given, value);
  }

  void read_enum(const FieldSchema& field, const json::value& given, Value& value) {
    if (!given.is_string()) return report(field, ProblemCode::wrong_type, "must be a string");
    if (const auto* found = field.enumeration->by_name(view(given.get_string()))) {
      value.integer = static_cast<std::uint64_t>(found->number);
      return;
    }
    std::string names;
    for (const auto& known : field.enumeration->values) names.append(names.empty() ? "" : ", ").append(known.name);
    report(field, ProblemCode::not_in_enum, "must be one of " + names);
  }

  Uuid read_uuid(const FieldSchema& field, const json::value& given) {
    if (!given.is_string()) {
      report(field, ProblemCode::wrong_type, "must be a string");
    } else if (const auto id = parse_uuid(view(given.get_string()))) {
      return *id;
    } else {
      report(field, ProblemCode::not_a_uuid, "must be a UUID");
    }
    return {};
  }

  std::string_view read_text(const FieldSchema& field, const json::value& given) {
    if (!given.is_string()) {
      report(field, ProblemCode::wrong_type, "must be a string");
      return {};
    }
    const std::string_view text = view(given.get_string());
    if (auto fault = text_fault(field, text)) report(field, fault->code, std::move(fault->detail));
    return text;
  }

  void read_integer(const FieldSchema& field, const json::value& given, Value& value) {
    const bool is_wide = field.kind == FieldKind::int64 || field.kind == FieldKind::uint64;
    std::optional<std::int64_t> small;
    std::optional<std::uint64_t> large;
    if (given.is_int64()) {
      small = given.get_int64();
    } else if (given.is_uint64()) {
      large = given.get_uint64();
    } else if (is_wide && given.is_string()) {
      const std::string_view text = view(given.get_string());
      small = parse_decimal<std::int64_t>(text);
      if (!small) large = parse_decimal<std::uint64_t>(text);
    }
    if (!small && !large) return report(field, ProblemCode::wrong_type, "must be an integer, without fraction or exponent");

    const bool is_negative = small && *small < 0;
    const std::uint64_t magnitude = small ? static_cast<std::uint64_t>(*small) : *large;
    const bool is_too_small =
        is_negative ? *small < field.min : field.min > 0 && magnitude < static_cast<std::uint64_t>(field.min);
    const bool is_too_large = !is_negative && magnitude > field.max;
    if (is_too_small || is_too_large)
      return report(field, ProblemCode::out_of_range,
                    "must be between " + std::to_string(field.min) + " and " + std::to_string(field.max));
    if (field.multiple_of > 1) {
      const bool is_multiple =
          is_negative ? *small % field.multiple_of == 0 : magnitude % static_cast<std::uint64_t>(field.multiple_of) == 0;
      if (!is_multiple)
        return report(field, ProblemCode::not_a_multiple, "must be a multiple of " + std::to_string(field.multiple_of));
    }
    value.integer = magnitude;
  }

  void read_time(const FieldSchema& field, const json::value& given, Value& value) {
    if (!given.is_string()) return report(field, ProblemCode::wrong_type, "must be a string");
    const std::string_view text = view(given.get_string());
    std::optional<std::int64_t> read;
    const char* form = "must be an RFC 3339 time with an offset, such as 2026-03-29T01:00:00Z";
    if (field.format == FieldFormat::instant) {
      read = parse_instant(text);
    } else if (field.format == FieldFormat::date) {
      read = parse_date(text);
      form = "must be a date, such as 2026-03-29";
    } else {
      read = parse_time_of_day(text, field.name.ends_with("end_time"));
      form = "must be a time of day, such as 09:30";
    }
    if (!read) return report(field, ProblemCode::bad_format, form);
    const bool is_negative = *read < 0;
    if (is_negative ? *read < field.min : field.min > 0 && *read < field.min)
      return report(field, ProblemCode::out_of_range, "is too early");
    if (!is_negative && static_cast<std::uint64_t>(*read) > field.max)
      return report(field, ProblemCode::out_of_range, "is too late");
    value.integer = static_cast<std::uint64_t>(*read);
  }

  void read_vector(const FieldSchema& field, const json::value& given, Value& value) {
    if (!given.is_array()) return report(field, ProblemCode::wrong_type, "must be an array");
    const json::array& items = given.get_array();
    if (field.needed && items.empty()) return report(field, ProblemCode::too_short, "must have at least 1 item");
    if (field.max_items != 0 && items.size() > field.max_items)
      return report(field, ProblemCode::too_many_items, "must have at most " + std::to_string(field.max_items) + " items");
    value.first = field.kind == FieldKind::strings ? draft_.texts.size() : draft_.uuids.size();
    value.count = items.size();
    for (std::size_t i = 0; i < items.size(); ++i) {
      item_ = i;
      if (field.kind == FieldKind::strings) draft_.texts.push_back(read_text(field, items[i]));
      else draft_.uuids.push_back(read_uuid(field, items[i]));
    }
    item_.reset();
  }

  std::span<const FieldSchema> fields_;
  Draft& draft_;
  std::vector<Problem> problems_;
  std::optional<std::size_t> item_;  // Of the vector that is being read.
};

std::size_t inline_size(const FieldSchema& field) {
  switch (field.kind == FieldKind::enumeration ? field.enumeration->integer : field.kind) {
    case FieldKind::boolean:
    case FieldKind::int8:
    case FieldKind::uint8: return 1;
    case FieldKind::int16:
    case FieldKind::uint16: return 2;
    case FieldKind::int64:
    case FieldKind::uint64: return 8;
    default: return 4;  // Structs are sorted with the offsets, as flatc does.
  }
}

template <class Integer>
void add_scalar(flatbuffers::FlatBufferBuilder& builder, const FieldSchema& field, const Value& value) {
  if (field.optional) {
    if (value.present) builder.AddElement<Integer>(field.offset, static_cast<Integer>(value.integer));
    return;
  }
  const auto normal = static_cast<Integer>(field.default_integer);
  builder.AddElement<Integer>(field.offset, value.present ? static_cast<Integer>(value.integer) : normal, normal);
}

void add_field(flatbuffers::FlatBufferBuilder& builder, const FieldSchema& field, const Value& value,
               flatbuffers::uoffset_t offset) {
  switch (field.kind == FieldKind::enumeration ? field.enumeration->integer : field.kind) {
    case FieldKind::boolean:
    case FieldKind::uint8: return add_scalar<std::uint8_t>(builder, field, value);
    case FieldKind::int8: return add_scalar<std::int8_t>(builder, field, value);
    case FieldKind::int16: return add_scalar<std::int16_t>(builder, field, value);
    case FieldKind::uint16: return add_scalar<std::uint16_t>(builder, field, value);
    case FieldKind::int32: return add_scalar<std::int32_t>(builder, field, value);
    case FieldKind::uint32: return add_scalar<std::uint32_t>(builder, field, value);
    case FieldKind::int64: return add_scalar<std::int64_t>(builder, field, value);
    case FieldKind::uint64: return add_scalar<std::uint64_t>(builder, field, value);
    case FieldKind::uuid: return builder.AddStruct(field.offset, &value.uuid);    // Nil too: the object API keeps it in place.
    default: builder.AddOffset(field.offset, flatbuffers::Offset<void>(offset));  // Adds nothing when 0.
  }
}

// In the order of the object API's Pack(), so that equal values have one encoding.
std::string build(const std::vector<FieldSchema>& fields, const Draft& draft) {
  thread_local flatbuffers::FlatBufferBuilder builder(1024);
  thread_local std::vector<flatbuffers::uoffset_t> offsets;
  thread_local std::vector<flatbuffers::Offset<flatbuffers::String>> strings;
  builder.Clear();
  offsets.assign(fields.size(), 0);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Value& value = draft.values[i];
    if (fields[i].kind == FieldKind::string && !value.text.empty()) {
      offsets[i] = builder.CreateString(value.text.data(), value.text.size()).o;
    } else if (fields[i].kind == FieldKind::strings && value.count > 0) {
      strings.clear();
      for (std::size_t n = 0; n < value.count; ++n) {
        const std::string_view text = draft.texts[value.first + n];
        strings.push_back(builder.CreateString(text.data(), text.size()));
      }
      offsets[i] = builder.CreateVector(strings).o;
    } else if (fields[i].kind == FieldKind::uuids && value.count > 0) {
      offsets[i] = builder.CreateVectorOfStructs(&draft.uuids[value.first], value.count).o;
    }
  }
  const auto table = builder.StartTable();
  for (const std::size_t size : {8UL, 4UL, 2UL, 1UL})
    for (std::size_t i = fields.size(); i-- > 0;)
      if (inline_size(fields[i]) == size) add_field(builder, fields[i], draft.values[i], offsets[i]);
  builder.Finish(flatbuffers::Offset<void>(builder.EndTable(table)));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

// ---- bytes → JSON

template <class T>
T load(const char* at) {
  T out;
  std::memcpy(&out, at, sizeof out);
  return out;
}

const char* root_of(std::string_view bytes) { return bytes.data() + load<flatbuffers::uoffset_t>(bytes.data()); }

// Where the field's value stands in the table; nullptr when absent.
const char* find_in_table(const char* table, const FieldSchema& field) {
  const char* vtable = table - load<flatbuffers::soffset_t>(table);
  if (field.offset >= load<flatbuffers::voffset_t>(vtable)) return nullptr;
  const auto offset = load<flatbuffers::voffset_t>(vtable + field.offset);
  return offset == 0 ? nullptr : table + offset;
}

// Of a string or vector whose offset stands at `at`.
const char* follow(const char* at) { return at + load<flatbuffers::uoffset_t>(at); }
std::string_view text_at(const char* at) {
  const char* string = follow(at);
  return {string + sizeof(flatbuffers::uoffset_t), load<flatbuffers::uoffset_t>(string)};
}
Uuid uuid_at(const char* at) { return {load<std::uint64_t>(at), load<std::uint64_t>(at + 8)}; }

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_hex(std::string& out, std::uint64_t value, unsigned digits) {
  while (digits-- > 0) out += hex_digits[(value >> (digits * 4)) & 0xf];
}

void append_uuid(std::string& out, const Uuid& id) {
  if (is_nil(id)) {
    out += "null";
    return;
  }
  // In a buffer, since a reply has many: character by character would be most of its time.
  char text[] = "\"00000000-0000-0000-0000-000000000000\"";
  std::size_t at = 1;
  const auto write = [&](std::uint64_t half) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      if (text[at] == '-') ++at;
      text[at++] = hex_digits[(half >> shift) & 0xf];
    }
  };
  write(id.hi());
  write(id.lo());
  out.append(text, sizeof text - 1);
}

// The length of the well-formed UTF-8 sequence at the front; 0 when it is none (RFC 3629).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i <= to; ++i)
      if ((byte(i) & 0xc0) != 0x80) return false;
    return true;
  };
  const unsigned first = byte(0);
  if (first >= 0xc2 && first <= 0xdf) return continues(1, 1) ? 2 : 0;
  if ((first & 0xf0) == 0xe0) {
    const bool is_overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool is_surrogate = first == 0xed && byte(1) > 0x9f;
    return !is_overlong && !is_surrogate && continues(1, 2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool is_overlong = first == 0xf0 && byte(1) < 0x90;
    const bool is_too_large = first == 0xf4 && byte(1) > 0x8f;
    return !is_overlong && !is_too_large && continues(1, 3) ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // Where the run of bytes begins that are copied as they are.
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    if (c >= 0x80) {
      if (const std::size_t length = sequence_length(text.substr(i))) {
        i += length;
        continue;
      }
    }
    out.append(text, plain, i - plain);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (c >= 0x80) {
          out += "\xef\xbf\xbd";  // U+FFFD: bytes that a client never sent, since its JSON was checked.
        } else {
          out += "\\u00";
          append_hex(out, c, 2);
        }
    }
    plain = ++i;
  }
  out.append(text, plain);
  out += '"';
}

template <class Integer>
void append_number(std::string& out, Integer number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const std::uint64_t magnitude = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  const bool is_quoted = magnitude > exact_in_double;
  if (is_quoted) out += '"';
  out.append(digits.data(), end);
  if (is_quoted) out += '"';
}

// A scalar's bits, widened; a default when `at` is nullptr.
std::int64_t scalar_at(FieldKind kind, const char* at, std::int64_t normal) {
  if (at == nullptr) return normal;
  switch (kind) {
    case FieldKind::boolean:
    case FieldKind::uint8: return load<std::uint8_t>(at);
    case FieldKind::int8: return load<std::int8_t>(at);
    case FieldKind::int16: return load<std::int16_t>(at);
    case FieldKind::uint16: return load<std::uint16_t>(at);
    case FieldKind::int32: return load<std::int32_t>(at);
    case FieldKind::uint32: return load<std::uint32_t>(at);
    default: return load<std::int64_t>(at);
  }
}

// A time that its form cannot say (an integer that no date has) falls back to the number.
bool append_time(std::string& out, FieldFormat format, std::int64_t number) {
  const std::size_t before = out.size();
  out += '"';
  const bool is_written = format == FieldFormat::instant ? append_instant(out, number)
                          : format == FieldFormat::date  ? append_date(out, static_cast<std::int32_t>(number))
                                                         : append_time_of_day(out, static_cast<std::int16_t>(number));
  if (is_written) out += '"';
  else out.resize(before);
  return is_written;
}

bool is_time(FieldFormat format) {
  return format == FieldFormat::instant || format == FieldFormat::date || format == FieldFormat::time_of_day;
}

void append_scalar(std::string& out, const FieldSchema& field, const char* at) {
  if (at == nullptr && field.optional) {
    out += "null";
    return;
  }
  const FieldKind kind = field.kind == FieldKind::enumeration ? field.enumeration->integer : field.kind;
  const std::int64_t number = scalar_at(kind, at, field.default_integer);
  if (field.kind == FieldKind::boolean) {
    out += number != 0 ? "true" : "false";
  } else if (const auto* known = field.kind == FieldKind::enumeration ? field.enumeration->by_number(number) : nullptr) {
    append_escaped(out, known->name);
  } else if (is_time(field.format) && append_time(out, field.format, number)) {
    // Written.
  } else if (kind == FieldKind::uint64) {
    append_number(out, static_cast<std::uint64_t>(number));
  } else {
    append_number(out, number);
  }
}

void append_structure(std::string& out, const StructSchema& structure, const char* at) {
  char before = '{';
  for (const FieldSchema& field : structure.fields) {
    out += before;
    before = ',';
    out.append("\"").append(field.name).append("\":");
    if (field.kind == FieldKind::uuid) append_uuid(out, uuid_at(at + field.offset));
    else append_scalar(out, field, at + field.offset);
  }
  out += '}';
}

void append_vector(std::string& out, const FieldSchema& field, const char* at) {
  if (at == nullptr) {
    out += "[]";
    return;
  }
  const char* vector = follow(at);
  const auto count = load<flatbuffers::uoffset_t>(vector);
  const char* item = vector + sizeof(flatbuffers::uoffset_t);
  out += '[';
  for (flatbuffers::uoffset_t i = 0; i < count; ++i) {
    if (i != 0) out += ',';
    if (field.kind == FieldKind::strings) {
      append_escaped(out, text_at(item));
      item += sizeof(flatbuffers::uoffset_t);
    } else if (field.kind == FieldKind::uuids) {
      append_uuid(out, uuid_at(item));
      item += sizeof(Uuid);
    } else {
      append_structure(out, *field.structure, item);
      item += field.structure->size_bytes;
    }
  }
  out += ']';
}

void append_value(std::string& out, const FieldSchema& field, const char* at) {
  switch (field.kind) {
    case FieldKind::string:
      if (at == nullptr) out += "null";
      else append_escaped(out, text_at(at));
      return;
    case FieldKind::bytes:
      if (at == nullptr) {
        out += "null";
        return;
      }
      out += '"';
      for (const char c : text_at(at)) append_hex(out, static_cast<unsigned char>(c), 2);
      out += '"';
      return;
    case FieldKind::uuid: return append_uuid(out, at == nullptr ? Uuid{} : uuid_at(at));
    case FieldKind::structure:
      if (at == nullptr) out += "null";
      else append_structure(out, *field.structure, at);
      return;
    case FieldKind::strings:
    case FieldKind::uuids:
    case FieldKind::structures: return append_vector(out, field, at);
    default: return append_scalar(out, field, at);
  }
}

// ---- bytes of another process

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = static_cast<unsigned char>(text.front()) < 0x80 ? 1 : sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_acceptable_text(const FieldSchema& field, std::string_view text) { return is_utf8(text) && !text_fault(field, text); }

bool is_acceptable_scalar(const FieldSchema& field, const char* at) {
  if (field.kind == FieldKind::boolean) return true;
  if (field.kind == FieldKind::enumeration)
    return field.enumeration->by_number(scalar_at(field.enumeration->integer, at, 0)) != nullptr;
  const std::int64_t number = scalar_at(field.kind, at, 0);
  std::string ignored;
  if (is_time(field.format) && !append_time(ignored, field.format, number)) return false;
  const bool is_negative = field.kind != FieldKind::uint64 && number < 0;
  const auto bits = static_cast<std::uint64_t>(number);
  if (is_negative ? number < field.min : field.min > 0 && bits < static_cast<std::uint64_t>(field.min)) return false;
  if (!is_negative && bits > field.max) return false;
  if (field.multiple_of <= 1) return true;
  return is_negative ? number % field.multiple_of == 0 : bits % static_cast<std::uint64_t>(field.multiple_of) == 0;
}

bool is_acceptable_vector(const FieldSchema& field, const char* at) {
  const char* vector = follow(at);
  const auto count = load<flatbuffers::uoffset_t>(vector);
  if (field.max_items != 0 && count > field.max_items) return false;
  if (field.kind != FieldKind::strings) return true;
  const char* item = vector + sizeof(flatbuffers::uoffset_t);
  for (flatbuffers::uoffset_t i = 0; i < count; ++i, item += sizeof(flatbuffers::uoffset_t))
    if (!is_acceptable_text(field, text_at(item))) return false;
  return true;
}

bool verifies(const TableSchema& table, std::string_view bytes) {
  std::string aligned;
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) {
    aligned.assign(bytes);
    bytes = aligned;
  }
  return flatbuffers::Verify(*table.reflection, *table.object, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                             max_table_depth, max_tables);
}

}  // namespace

std::string_view name_of(ProblemCode code) {
  static constexpr std::array<std::string_view, problem_codes> names{
      "invalid_json", "unknown_field",  "required",      "wrong_type", "out_of_range", "not_a_multiple", "too_short",
      "too_long",     "too_many_items", "bad_character", "bad_format", "not_a_uuid",   "not_in_enum",    "path_mismatch"};
  return names[static_cast<std::size_t>(code)];
}

std::expected<std::string, std::vector<Problem>> transcode(const CommandSchema& command, std::span<const PathParam> path,
                                                           const json::object& body, std::span<const ServerField> server) {
  thread_local Draft draft;
  Reader reader(command, draft);
  reader.read_path(path);
  reader.read_body(body, path);
  reader.set(server);
  reader.check_needed();
  std::vector<Problem> problems = std::move(reader).problems();
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return build(command.table->fields, draft);
}

std::expected<std::string, std::vector<Problem>> transcode(const CommandSchema& command, std::span<const PathParam> path,
                                                           std::string_view body, std::span<const ServerField> server) {
  std::array<unsigned char, json_arena_bytes> arena;
  json::monotonic_resource memory(arena.data(), arena.size());
  if (body.empty()) return transcode(command, path, json::object(&memory), server);
  const auto parsed = parse_strict(body, json_depth_limit, json_members_limit, &memory);
  if (!parsed) {
    return std::unexpected(std::vector<Problem>{{"", ProblemCode::invalid_json,
                                                 "is not acceptable JSON: " + std::string(name_of(parsed.error().reason)) +
                                                     " at byte " + std::to_string(parsed.error().offset)}});
  }
  if (!parsed->is_object()) return std::unexpected(std::vector<Problem>{{"", ProblemCode::wrong_type, "must be an object"}});
  return transcode(command, path, parsed->get_object(), server);
}

bool is_acceptable(const TableSchema& table, std::string_view bytes) {
  if (!verifies(table, bytes)) return false;
  for (const FieldSchema& field : table.fields) {
    const char* at = find_in_table(root_of(bytes), field);
    if (at == nullptr) {
      if (field.needed && !is_scalar(field.kind)) return false;  // A scalar that is its type's normal value is not written.
    } else if (field.kind == FieldKind::string) {
      if (!is_acceptable_text(field, text_at(at))) return false;
    } else if (field.kind == FieldKind::strings || field.kind == FieldKind::uuids) {
      if (!is_acceptable_vector(field, at)) return false;
    } else if (is_scalar(field.kind) && !is_acceptable_scalar(field, at)) {
      return false;
    }
  }
  return true;
}

Uuid uuid_field(std::string_view bytes, const FieldSchema& field) {
  CHECK(field.kind == FieldKind::uuid);
  const char* at = find_in_table(root_of(bytes), field);
  return at == nullptr ? Uuid{} : uuid_at(at);
}

std::string_view string_field(std::string_view bytes, const FieldSchema& field) {
  CHECK(field.kind == FieldKind::string);
  const char* at = find_in_table(root_of(bytes), field);
  return at == nullptr ? std::string_view() : text_at(at);
}

std::optional<std::string> to_json(const TableSchema& table, std::string_view bytes, JsonOptions options) {
  if (!options.verified && !verifies(table, bytes)) return std::nullopt;
  std::string out;
  out.reserve(512);
  const char* root = root_of(bytes);
  char before = '{';
  for (const FieldSchema& field : table.fields) {
    out += before;
    before = ',';
    out.append("\"").append(field.name).append("\":");
    const char* at = find_in_table(root, field);
    if (options.mask_pii && field.pii && at != nullptr) out.append("\"").append(masked).append("\"");
    else append_value(out, field, at);
  }
  if (table.fields.empty()) out += '{';
  out += '}';
  return out;
}

std::optional<std::string> to_json(const SchemaCatalogue& catalogue, std::string_view type, std::string_view bytes,
                                   JsonOptions options) {
  const TableSchema* table = catalogue.table(type);
  if (table == nullptr) return std::nullopt;
  return to_json(*table, bytes, options);
}

std::optional<std::vector<std::optional<std::string>>> to_texts(const TableSchema& table, std::string_view bytes,
                                                                JsonOptions options) {
  if (!options.verified && !verifies(table, bytes)) return std::nullopt;
  std::vector<std::optional<std::string>> out;
  out.reserve(table.fields.size());
  const char* root = root_of(bytes);
  for (const FieldSchema& field : table.fields) {
    const char* at = find_in_table(root, field);
    if (options.mask_pii && field.pii && at != nullptr) {
      out.emplace_back(masked);
    } else if (field.kind == FieldKind::string && at != nullptr) {
      out.emplace_back(text_at(at));
    } else {
      std::string json;
      append_value(json, field, at);
      // Only texts of the schema's strings have escapes.
      if (json == "null") out.emplace_back();
      else if (json.starts_with('"')) out.emplace_back(json.substr(1, json.size() - 2));
      else out.emplace_back(std::move(json));
    }
  }
  return out;
}

}  // namespace guildhall
