#include "gateway/json_schema.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace guildhall {
namespace {

namespace json = boost::json;

constexpr std::uint64_t exact_in_double = std::uint64_t{1} << 53;
constexpr const char* no_controls = R"(^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]*$)";

json::string text(std::string_view s) { return json::string(s.data(), s.size()); }

enum class Direction : std::uint8_t { sent, written };

void set_string(json::object& out, const FieldSchema& field, Direction direction) {
  out["type"] = "string";
  if (direction == Direction::sent) {
    const std::uint32_t min_length = std::max<std::uint32_t>(field.min_length, field.needed ? 1 : 0);
    if (min_length != 0) out["minLength"] = min_length;
    if (field.max_length != 0) out["maxLength"] = field.max_length;
  }
  switch (field.format) {
    case FieldFormat::email: out["format"] = "email"; return;
    case FieldFormat::url:
      out["format"] = "uri";
      if (direction == Direction::sent) out["pattern"] = "^https?://";
      return;
    case FieldFormat::zone: out["pattern"] = "^[A-Za-z0-9_+/-]+$"; return;
    case FieldFormat::currency: out["pattern"] = "^[A-Z]{3}$"; return;
    case FieldFormat::hex: out["pattern"] = "^([0-9a-fA-F]{2})*$"; return;
    case FieldFormat::json: out["contentMediaType"] = "application/json"; return;
    default: break;
  }
  if (field.pattern != nullptr) out["pattern"] = "^(?:" + std::string(field.pattern->text) + ")$";
  else if (direction == Direction::sent) out["pattern"] = no_controls;
}

void set_integer(json::object& out, const FieldSchema& field, Direction direction) {
  const bool is_wide = field.kind == FieldKind::int64 || field.kind == FieldKind::uint64;
  const bool is_narrow = field.max <= exact_in_double && field.min >= -static_cast<std::int64_t>(exact_in_double);
  if (is_wide && !is_narrow) {
    out["type"] = json::array{"integer", "string"};  // A string beyond 2^53.
    out["format"] = "int64";
    if (field.min >= 0) out["minimum"] = field.min;
  } else {
    out["type"] = "integer";
    out["format"] = is_wide ? "int64" : "int32";
    if (direction == Direction::sent) {
      out["minimum"] = field.min;
      out["maximum"] = field.max;
    }
  }
  if (direction == Direction::sent && field.multiple_of > 1) out["multipleOf"] = field.multiple_of;
}

json::object of_structure(const StructSchema& structure);

void set_type(json::object& out, const FieldSchema& field, Direction direction) {
  switch (field.kind) {
    case FieldKind::boolean: out["type"] = "boolean"; return;
    case FieldKind::enumeration: {
      out["type"] = "string";
      json::array names;
      for (const auto& value : field.enumeration->values) names.emplace_back(text(value.name));
      out["enum"] = std::move(names);
      return;
    }
    case FieldKind::string: return set_string(out, field, direction);
    case FieldKind::uuid:
      out["type"] = "string";
      out["format"] = "uuid";
      return;
    case FieldKind::structure: out = of_structure(*field.structure); return;
    case FieldKind::bytes:
      out["type"] = "string";
      out["pattern"] = "^([0-9a-f]{2})*$";
      return;
    case FieldKind::strings:
    case FieldKind::uuids:
    case FieldKind::structures: {
      out["type"] = "array";
      if (direction == Direction::sent && field.needed) out["minItems"] = 1;
      if (direction == Direction::sent && field.max_items != 0) out["maxItems"] = field.max_items;
      json::object items;
      if (field.kind == FieldKind::strings) set_string(items, field, direction);
      else if (field.kind == FieldKind::uuids) items = json::object{{"type", "string"}, {"format", "uuid"}};
      else items = of_structure(*field.structure);
      out["items"] = std::move(items);
      return;
    }
    default: break;
  }
  switch (field.format) {
    case FieldFormat::instant:
      out["type"] = "string";
      out["format"] = "date-time";
      return;
    case FieldFormat::date:
      out["type"] = "string";
      out["format"] = "date";
      return;
    case FieldFormat::time_of_day: {
      const bool is_end = field.name.ends_with("end_time");
      out["type"] = "string";
      out["pattern"] = std::string("^(([01][0-9]|2[0-3]):[0-5][0-9]") + (is_end ? "|24:00" : "") + ")" +
                       (direction == Direction::sent ? "(:00)?$" : "$");
      return;
    }
    default: return set_integer(out, field, direction);
  }
}

void make_nullable(json::object& out) {
  json::value& type = out["type"];
  if (type.is_array()) type.get_array().emplace_back("null");
  else type = json::array{json::value(type), json::value("null")};
  if (auto* names = out.if_contains("enum")) names->get_array().emplace_back(nullptr);
}

void describe(json::object& out, const FieldSchema& field) {
  if (!field.doc.empty()) out["description"] = text(field.doc);
  if (field.pii) out["x-personal"] = true;
}

json::object of_structure(const StructSchema& structure) {
  json::object properties;
  json::array required;
  for (const FieldSchema& field : structure.fields) {
    properties[json::string_view(field.name.data(), field.name.size())] = json_schema_written(field);
    required.emplace_back(text(field.name));
  }
  json::object out{{"type", "object"}};
  if (!structure.doc.empty()) out["description"] = text(structure.doc);
  out["properties"] = std::move(properties);
  out["required"] = std::move(required);
  return out;
}

}  // namespace

json::object json_schema_sent(const FieldSchema& field) {
  json::object out;
  set_type(out, field, Direction::sent);
  if (!field.needed) make_nullable(out);  // null is absent.
  const bool has_default = is_scalar(field.kind) && !field.optional && !field.needed && field.format == FieldFormat::none;
  if (has_default && field.kind == FieldKind::boolean) {
    out["default"] = field.default_integer != 0;
  } else if (has_default && field.kind == FieldKind::enumeration) {
    if (const auto* value = field.enumeration->by_number(field.default_integer)) out["default"] = text(value->name);
  } else if (has_default) {
    out["default"] = field.default_integer;
  }
  describe(out, field);
  return out;
}

json::object json_schema_written(const FieldSchema& field) {
  json::object out;
  set_type(out, field, Direction::written);
  const bool can_be_absent = field.optional || field.kind == FieldKind::string || field.kind == FieldKind::bytes ||
                             field.kind == FieldKind::structure || (field.kind == FieldKind::uuid && field.name != "id");
  if (can_be_absent) make_nullable(out);
  describe(out, field);
  return out;
}

json::object json_schema_of_body(const CommandSchema& command) {
  json::object properties;
  json::array required;
  for (const FieldSchema& field : command.table->fields) {
    const bool is_in_path = command.route && std::any_of(command.route->segments.begin(), command.route->segments.end(),
                                                         [&](const RouteSegment& segment) { return segment.field == &field; });
    if (field.server_set || is_in_path) continue;
    properties[json::string_view(field.name.data(), field.name.size())] = json_schema_sent(field);
    if (field.needed) required.emplace_back(text(field.name));
  }
  json::object out{{"type", "object"}};
  if (!command.table->doc.empty()) out["description"] = text(command.table->doc);
  if (!properties.empty()) out["properties"] = std::move(properties);
  if (!required.empty()) out["required"] = std::move(required);
  out["additionalProperties"] = false;
  return out;
}

json::object json_schema_of(const TableSchema& table) {
  json::object properties;
  json::array required;
  for (const FieldSchema& field : table.fields) {
    properties[json::string_view(field.name.data(), field.name.size())] = json_schema_written(field);
    required.emplace_back(text(field.name));
  }
  json::object out{{"type", "object"}};
  if (!table.doc.empty()) out["description"] = text(table.doc);
  out["properties"] = std::move(properties);
  out["required"] = std::move(required);
  return out;
}

}  // namespace guildhall
