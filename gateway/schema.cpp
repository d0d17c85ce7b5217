#include "gateway/schema.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

#include "gateway/framing_gate.h"

namespace guildhall {
namespace {

constexpr std::string_view uuid_struct = "ids.Uuid";
// std::regex recurses on the text: a longer one could exhaust the stack.
constexpr std::uint32_t max_pattern_length = 1000;
constexpr std::size_t max_path_segments = 16;

using Attributes = flatbuffers::Vector<flatbuffers::Offset<reflection::KeyValue>>;

std::string_view text(const flatbuffers::String* string) {
  return string == nullptr ? std::string_view() : std::string_view(string->data(), string->size());
}

[[noreturn]] void refuse(std::string_view where, std::string_view why) {
  throw std::runtime_error("schema: " + std::string(where) + ": " + std::string(why));
}

std::string joined(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* lines) {
  std::string out;
  if (lines == nullptr) return out;
  for (const auto* line : *lines) {
    std::string_view trimmed = text(line);
    while (trimmed.starts_with(' ')) trimmed.remove_prefix(1);
    if (!out.empty()) out += ' ';
    out += trimmed;
  }
  return out;
}

const reflection::KeyValue* find(const Attributes* attributes, std::string_view key) {
  if (attributes == nullptr) return nullptr;
  for (const auto* attribute : *attributes)
    if (text(attribute->key()) == key) return attribute;
  return nullptr;
}
bool has(const Attributes* attributes, std::string_view key) { return find(attributes, key) != nullptr; }
std::string_view value(const Attributes* attributes, std::string_view key) {
  const auto* found = find(attributes, key);
  return found == nullptr ? std::string_view() : text(found->value());
}

template <class Integer>
std::optional<Integer> integer(const Attributes* attributes, std::string_view key, std::string_view where) {
  if (!has(attributes, key)) return std::nullopt;
  const std::string_view digits = value(attributes, key);
  Integer out{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (error != std::errc() || end != digits.data() + digits.size())
    refuse(where, std::string(key) + " is not a number that fits: \"" + std::string(digits) + "\"");
  return out;
}

std::optional<FieldKind> scalar_kind(reflection::BaseType type) {
  switch (type) {
    case reflection::Bool: return FieldKind::boolean;
    case reflection::Byte: return FieldKind::int8;
    case reflection::Short: return FieldKind::int16;
    case reflection::Int: return FieldKind::int32;
    case reflection::Long: return FieldKind::int64;
    case reflection::UByte: return FieldKind::uint8;
    case reflection::UShort: return FieldKind::uint16;
    case reflection::UInt: return FieldKind::uint32;
    case reflection::ULong: return FieldKind::uint64;
    default: return std::nullopt;
  }
}

struct Range {
  std::int64_t min;
  std::uint64_t max;
};
template <class Integer>
constexpr Range range_of() {
  return {static_cast<std::int64_t>(std::numeric_limits<Integer>::min()),
          static_cast<std::uint64_t>(std::numeric_limits<Integer>::max())};
}
Range type_range(FieldKind kind) {
  switch (kind) {
    case FieldKind::int8: return range_of<std::int8_t>();
    case FieldKind::int16: return range_of<std::int16_t>();
    case FieldKind::int32: return range_of<std::int32_t>();
    case FieldKind::int64: return range_of<std::int64_t>();
    case FieldKind::uint8: return range_of<std::uint8_t>();
    case FieldKind::uint16: return range_of<std::uint16_t>();
    case FieldKind::uint32: return range_of<std::uint32_t>();
    default: return range_of<std::uint64_t>();
  }
}

FieldFormat format_named(std::string_view name, FieldKind kind, std::string_view where) {
  struct Row {
    std::string_view name;
    FieldFormat format;
    FieldKind kind;
    std::string_view type;
  };
  static constexpr std::array<Row, 9> rows{{
      {"instant", FieldFormat::instant, FieldKind::int64, "int64"},
      {"date", FieldFormat::date, FieldKind::int32, "int32"},
      {"time_of_day", FieldFormat::time_of_day, FieldKind::int16, "int16"},
      {"email", FieldFormat::email, FieldKind::string, "string"},
      {"url", FieldFormat::url, FieldKind::string, "string"},
      {"zone", FieldFormat::zone, FieldKind::string, "string"},
      {"currency", FieldFormat::currency, FieldKind::string, "string"},
      {"hex", FieldFormat::hex, FieldKind::string, "string"},
      {"json", FieldFormat::json, FieldKind::string, "string"},
  }};
  for (const Row& row : rows) {
    if (row.name != name) continue;
    if (row.kind != kind) refuse(where, "format \"" + std::string(name) + "\" wants the type " + std::string(row.type));
    return row.format;
  }
  refuse(where, "unknown format \"" + std::string(name) + "\"");
}

std::vector<std::string_view> split(std::string_view list, char separator) {
  std::vector<std::string_view> out;
  for (std::size_t from = 0;;) {
    const std::size_t to = list.find(separator, from);
    out.push_back(list.substr(from, to - from));
    if (to == std::string_view::npos) return out;
    from = to + 1;
  }
}

std::optional<Method> method_named(std::string_view name) {
  for (const Method method : {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::del, Method::options})
    if (method_name(method) == name) return method;
  return std::nullopt;
}

// What a command may carry: the transcoder reads no more.
bool is_transcodable(FieldKind kind) {
  return kind != FieldKind::structure && kind != FieldKind::structures && kind != FieldKind::bytes;
}

}  // namespace

bool is_integer(FieldKind kind) { return kind >= FieldKind::int8 && kind <= FieldKind::uint64; }
bool is_scalar(FieldKind kind) { return kind <= FieldKind::enumeration; }

const EnumSchema::Value* EnumSchema::by_name(std::string_view wanted) const {
  const auto found = std::find_if(values.begin(), values.end(), [&](const Value& v) { return v.name == wanted; });
  return found == values.end() ? nullptr : &*found;
}
const EnumSchema::Value* EnumSchema::by_number(std::int64_t number) const {
  const auto index = static_cast<std::size_t>(number);
  if (number >= 0 && index < values.size() && values[index].number == number)
    return &values[index];  // Nearly all enums are dense.
  const auto found = std::find_if(values.begin(), values.end(), [&](const Value& v) { return v.number == number; });
  return found == values.end() ? nullptr : &*found;
}

const FieldSchema* TableSchema::field(std::string_view field_name) const {
  for (const FieldSchema& f : fields)
    if (f.name == field_name) return &f;
  return nullptr;
}

// A trie over path segments. Literals win over a parameter.
struct SchemaCatalogue::Node {
  std::unordered_map<std::string_view, std::unique_ptr<Node>> literals;
  std::unique_ptr<Node> parameter;
  std::vector<const CommandSchema*> commands;  // One a method.

  // Both branches are tried: /a/{x}/c must be found although /a/b exists.
  const Node* match(std::span<const std::string_view> segments) const {
    if (segments.empty()) return commands.empty() ? nullptr : this;
    if (const auto literal = literals.find(segments.front()); literal != literals.end())
      if (const Node* found = literal->second->match(segments.subspan(1))) return found;
    if (parameter != nullptr && !segments.front().empty()) return parameter->match(segments.subspan(1));
    return nullptr;
  }
};

class SchemaCatalogue::Loader {
 public:
  Loader(SchemaCatalogue& catalogue, std::span<const std::string> without) : catalogue_(catalogue), without_(without) {}

  void load() {
    for (const Schema& schema : catalogue_.schemas_) {
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(schema.bfbs.data());
      flatbuffers::Verifier verifier(bytes, schema.bfbs.size());
      if (!reflection::VerifySchemaBuffer(verifier)) refuse(schema.name, "the embedded .bfbs is damaged");
      const reflection::Schema& reflected = *reflection::GetSchema(bytes);
      for (const auto* object : *reflected.objects())
        if (!object->is_struct()) table(schema, reflected, *object);
    }
    for (TableSchema& table : catalogue_.tables_) {
      tables_.emplace(table.name, &table);
      catalogue_.table_by_name_.emplace(table.name, &table);
    }
    commands();
    routes();
    for (TableSchema& table : catalogue_.tables_) check_location(table);
  }

 private:
  const EnumSchema* enumeration(const reflection::Enum& declared) {
    const auto known = enums_.find(text(declared.name()));
    if (known != enums_.end()) return known->second;
    EnumSchema& made = catalogue_.enums_.emplace_back();
    made.name = text(declared.name());
    if (declared.is_union()) refuse(made.name, "unions are not supported");
    made.integer = *scalar_kind(declared.underlying_type()->base_type());
    made.doc = joined(declared.documentation());
    for (const auto* v : *declared.values()) made.values.push_back({text(v->name()), v->value()});
    enums_.emplace(made.name, &made);
    return &made;
  }

  const StructSchema* structure(const reflection::Schema& schema, const reflection::Object& declared) {
    const auto known = structs_.find(text(declared.name()));
    if (known != structs_.end()) return known->second;
    StructSchema& made = catalogue_.structs_.emplace_back();
    made.name = text(declared.name());
    made.doc = joined(declared.documentation());
    made.size_bytes = static_cast<std::uint32_t>(declared.bytesize());
    made.fields = fields(schema, declared);
    std::sort(made.fields.begin(), made.fields.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
    for (const FieldSchema& f : made.fields)
      if (!is_scalar(f.kind) && f.kind != FieldKind::uuid)
        refuse(std::string(made.name) + "." + std::string(f.name), "a struct may hold scalars and UUIDs only");
    structs_.emplace(made.name, &made);
    return &made;
  }

  void set_type(const reflection::Schema& schema, const reflection::Field& declared, FieldSchema& field, std::string_view where) {
    const reflection::Type& type = *declared.type();
    const auto index = type.index();
    const auto object = [&]() -> const reflection::Object& {
      return *schema.objects()->Get(static_cast<flatbuffers::uoffset_t>(index));
    };
    if (const auto scalar = scalar_kind(type.base_type())) {
      field.kind = *scalar;
      if (index >= 0) {
        field.kind = FieldKind::enumeration;
        field.enumeration = enumeration(*schema.enums()->Get(static_cast<flatbuffers::uoffset_t>(index)));
      }
    } else if (type.base_type() == reflection::String) {
      field.kind = FieldKind::string;
    } else if (type.base_type() == reflection::Obj && object().is_struct()) {
      field.kind = text(object().name()) == uuid_struct ? FieldKind::uuid : FieldKind::structure;
      if (field.kind == FieldKind::structure) field.structure = structure(schema, object());
    } else if (type.base_type() == reflection::Vector && type.element() == reflection::UByte && index < 0) {
      field.kind = FieldKind::bytes;
    } else if (type.base_type() == reflection::Vector && type.element() == reflection::String) {
      field.kind = FieldKind::strings;
    } else if (type.base_type() == reflection::Vector && type.element() == reflection::Obj && object().is_struct()) {
      field.kind = text(object().name()) == uuid_struct ? FieldKind::uuids : FieldKind::structures;
      if (field.kind == FieldKind::structures) field.structure = structure(schema, object());
    } else {
      refuse(where, "its type is not supported (floating point, unions, nested tables and vectors of scalars are not)");
    }
  }

  void set_constraints(const Attributes* attributes, FieldSchema& field, std::string_view where) {
    field.needed = has(attributes, "needed");
    field.pii = has(attributes, "pii");
    field.server_set = has(attributes, "server_set");
    if (has(attributes, "format")) field.format = format_named(value(attributes, "format"), field.kind, where);

    const auto min = integer<std::int64_t>(attributes, "min", where);
    const auto max = integer<std::int64_t>(attributes, "max", where);
    const auto multiple_of = integer<std::int64_t>(attributes, "multiple_of", where);
    if (is_integer(field.kind)) {
      const Range range = type_range(field.kind);
      field.min = range.min;
      field.max = range.max;
      if (min) {
        if (*min < range.min) refuse(where, "min is outside its type");
        field.min = *min;
      }
      if (max) {
        if (*max > 0 && static_cast<std::uint64_t>(*max) > range.max) refuse(where, "max is outside its type");
        if (*max < 0) refuse(where, "a negative max is not supported");
        field.max = static_cast<std::uint64_t>(*max);
      }
      if (field.min > 0 && static_cast<std::uint64_t>(field.min) > field.max) refuse(where, "min is above max");
      field.multiple_of = multiple_of.value_or(1);
      if (field.multiple_of < 1) refuse(where, "multiple_of is below 1");
    } else if (min || max || multiple_of) {
      refuse(where, "min, max and multiple_of are for integers");
    }

    const bool is_text = field.kind == FieldKind::string || field.kind == FieldKind::strings;
    const bool is_vector = field.kind >= FieldKind::bytes;
    const auto min_length = integer<std::uint32_t>(attributes, "min_length", where);
    const auto max_length = integer<std::uint32_t>(attributes, "max_length", where);
    const auto max_items = integer<std::uint32_t>(attributes, "max_items", where);
    if ((min_length || max_length || has(attributes, "pattern")) && !is_text)
      refuse(where, "min_length, max_length and pattern are for strings");
    if (max_items && !is_vector) refuse(where, "max_items is for vectors");
    field.min_length = min_length.value_or(0);
    field.max_length = max_length.value_or(field.format == FieldFormat::currency ? 3 : 0);
    field.max_items = max_items.value_or(0);
    if (max_length && field.min_length > field.max_length) refuse(where, "min_length is above max_length");
    if (has(attributes, "pattern")) {
      if (field.max_length == 0 || field.max_length > max_pattern_length)
        refuse(where, "a pattern wants a max_length of at most " + std::to_string(max_pattern_length));
      const std::string_view pattern = value(attributes, "pattern");
      try {
        field.pattern = std::make_unique<const FieldPattern>(FieldPattern{pattern, std::regex(std::string(pattern))});
      } catch (const std::regex_error& error) {
        refuse(where, std::string("pattern: ") + error.what());
      }
    }
  }

  std::vector<FieldSchema> fields(const reflection::Schema& schema, const reflection::Object& object) {
    std::vector<FieldSchema> out;
    for (const auto* declared : *object.fields()) {
      FieldSchema field;
      field.name = text(declared->name());
      const std::string where = std::string(text(object.name())) + "." + std::string(field.name);
      field.doc = joined(declared->documentation());
      field.id = declared->id();
      field.offset = declared->offset();
      set_type(schema, *declared, field, where);
      field.optional = is_scalar(field.kind) && declared->optional();
      field.default_integer = declared->default_integer();
      set_constraints(declared->attributes(), field, where);
      if (declared->deprecated()) refuse(where, "deprecated fields are not supported: a released field stays");
      out.push_back(std::move(field));
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return out;
  }

  void table(const Schema& schema, const reflection::Schema& reflected, const reflection::Object& object) {
    TableSchema table;
    table.name = text(object.name());
    if (table.name.substr(0, table.name.find('.')) != schema.name) return;  // Of a file that it includes.
    if (!seen_.insert(table.name).second) refuse(table.name, "it is declared in two schemas");
    table.doc = joined(object.documentation());
    table.fields = fields(reflected, object);
    table.location = value(object.attributes(), "location");
    table.use = has(object.attributes(), "aggregate")  ? TableUse::command
                : has(object.attributes(), "location") ? TableUse::resource
                                                       : TableUse::event;  // Until a command names it as its resource.
    table.schema = &schema;
    table.reflection = &reflected;
    table.object = &object;
    if (table.use != TableUse::command && has(object.attributes(), "http")) refuse(table.name, "http without aggregate");
    catalogue_.tables_.push_back(std::move(table));
  }

  void commands() {
    for (TableSchema& table : catalogue_.tables_)
      if (table.use == TableUse::command && std::ranges::find(without_, table.name) == without_.end()) command(table);
  }

  void command(const TableSchema& table) {
    const Attributes* attributes = table.object->attributes();
    CommandSchema& made = catalogue_.commands_.emplace_back();
    made.table = &table;
    made.aggregate = value(attributes, "aggregate");
    made.summary = value(attributes, "summary");
    made.key_required = has(attributes, "key_required");
    for (const std::string_view role : split(value(attributes, "roles"), ',')) {
      if (role == "authenticated") made.authenticated = true;
      else if (role == "service_role") made.service_role = true;
      else if (role == "internal") made.internal = true;
      else refuse(table.name, role.empty() ? "a command needs roles" : "unknown role \"" + std::string(role) + "\"");
    }
    const bool is_routed = has(attributes, "http");
    if (made.internal && (made.authenticated || made.service_role)) refuse(table.name, "internal excludes the other roles");
    if (made.internal && is_routed) refuse(table.name, "an internal command has no route");
    if (!made.internal && !is_routed) refuse(table.name, "a client command needs http");
    if (!made.internal && made.summary.empty()) refuse(table.name, "a client command needs a summary");

    const std::string_view resource = value(attributes, "resource");
    const auto found = tables_.find(resource);
    if (found == tables_.end()) refuse(table.name, "its resource \"" + std::string(resource) + "\" does not exist");
    made.resource = found->second;
    TableSchema& reply = *found->second;
    if (reply.use == TableUse::command) refuse(table.name, "its resource is a command");
    reply.use = TableUse::resource;
    const FieldSchema* id = reply.field("id");
    const FieldSchema* version = reply.field("version");
    if (id == nullptr || id->kind != FieldKind::uuid || version == nullptr || version->kind != FieldKind::uint64)
      refuse(reply.name, "a resource has an id: ids.Uuid and a version: uint64");

    for (const FieldSchema& field : table.fields) check_command_field(made, field);
    if (made.group == nullptr) refuse(table.name, "no field is the group");
    if (is_routed) route(made, value(attributes, "http"));
    catalogue_.command_by_name_.emplace(table.name, &made);
  }

  void check_command_field(CommandSchema& command, const FieldSchema& field) {
    const std::string where = std::string(command.table->name) + "." + std::string(field.name);
    const auto* declared = command.table->object->fields()->LookupByKey(std::string(field.name).c_str());
    const auto take = [&](std::string_view attribute, const FieldSchema*& slot) {
      if (!has(declared->attributes(), attribute)) return;
      if (field.kind != FieldKind::uuid) refuse(where, std::string(attribute) + " wants the type ids.Uuid");
      if (slot != nullptr) refuse(where, "a second " + std::string(attribute) + " field");
      slot = &field;
    };
    take("group", command.group);
    take("account", command.account);
    if (!is_transcodable(field.kind)) refuse(where, "a command holds scalars, strings, UUIDs and vectors of the latter two");
    if (command.internal) return;
    if (field.needed && field.server_set) refuse(where, "needed and server_set exclude each other");
    if (field.server_set) return;
    const bool is_text = field.kind == FieldKind::string || field.kind == FieldKind::strings;
    if (is_text && field.max_length == 0) refuse(where, "a string that clients send needs a max_length");
    if (field.kind >= FieldKind::bytes && field.max_items == 0) refuse(where, "a vector that clients send needs max_items");
  }

  static void route(CommandSchema& command, std::string_view http) {
    const std::string_view where = command.table->name;
    const std::size_t space = http.find(' ');
    const auto method = method_named(http.substr(0, space));
    if (space == std::string_view::npos || !method)
      refuse(where, "http is not \"<METHOD> <path>\": \"" + std::string(http) + "\"");
    if (*method != Method::post && *method != Method::put && *method != Method::patch && *method != Method::del)
      refuse(where, "a command is sent by POST, PUT, PATCH or DELETE");
    Route made{.method = *method, .path = http.substr(space + 1), .segments = {}};
    if (!made.path.starts_with("/v1/")) refuse(where, "its path does not begin with /v1/");
    for (const std::string_view segment : split(made.path.substr(1), '/')) {
      if (segment.empty()) refuse(where, "its path has an empty segment");
      if (!segment.starts_with('{')) {
        made.segments.push_back({.text = segment});
        continue;
      }
      const std::string_view name = segment.substr(1, segment.size() - 2);
      const FieldSchema* field = command.table->field(name);
      if (!segment.ends_with('}') || field == nullptr)
        refuse(where, "its path names " + std::string(segment) + ", which is no field");
      if (field->kind != FieldKind::uuid) refuse(where, "path parameter " + std::string(segment) + " is not an ids.Uuid");
      if (field->server_set) refuse(where, "path parameter " + std::string(segment) + " is server_set");
      for (const RouteSegment& other : made.segments)
        if (other.field == field) refuse(where, "its path names " + std::string(segment) + " twice");
      made.segments.push_back({.text = name, .field = field});
    }
    if (made.segments.size() > max_path_segments) refuse(where, "its path has too many segments");
    command.route = std::move(made);
  }

  void routes() {
    catalogue_.routes_ = std::make_unique<Node>();
    for (const CommandSchema& command : catalogue_.commands_) {
      if (!command.route) continue;
      Node* node = catalogue_.routes_.get();
      for (const RouteSegment& segment : command.route->segments) {
        auto& next = segment.field == nullptr ? node->literals[segment.text] : node->parameter;
        if (next == nullptr) next = std::make_unique<Node>();
        node = next.get();
      }
      for (const CommandSchema* other : node->commands)
        if (other->route->method == command.route->method)
          refuse(command.table->name, "its route is that of " + std::string(other->table->name));
      node->commands.push_back(&command);
    }
  }

  static void check_location(const TableSchema& table) {
    if (table.location.empty()) return;
    if (!table.location.starts_with("/v1/")) refuse(table.name, "its location does not begin with /v1/");
    for (const std::string_view segment : split(table.location.substr(1), '/')) {
      if (!segment.starts_with('{')) continue;
      const FieldSchema* field = segment.ends_with('}') ? table.field(segment.substr(1, segment.size() - 2)) : nullptr;
      if (field == nullptr || field->kind != FieldKind::uuid)
        refuse(table.name, "its location names " + std::string(segment) + ", which is no ids.Uuid field");
    }
  }

  SchemaCatalogue& catalogue_;
  const std::span<const std::string> without_;
  std::unordered_map<std::string_view, const EnumSchema*> enums_;
  std::unordered_map<std::string_view, const StructSchema*> structs_;
  std::unordered_map<std::string_view, TableSchema*> tables_;
  std::set<std::string_view> seen_;
};

SchemaCatalogue::SchemaCatalogue(std::span<const Schema> schemas, std::span<const std::string> without) : schemas_(schemas) {
  Loader(*this, without).load();
}
SchemaCatalogue::~SchemaCatalogue() = default;

const TableSchema* SchemaCatalogue::table(std::string_view type) const {
  const auto found = table_by_name_.find(type);
  return found == table_by_name_.end() ? nullptr : found->second;
}
const CommandSchema* SchemaCatalogue::command(std::string_view type) const {
  const auto found = command_by_name_.find(type);
  return found == command_by_name_.end() ? nullptr : found->second;
}

RouteMatch SchemaCatalogue::match_route(Method method, std::string_view path) const {
  if (!path.starts_with('/')) return RouteNotFound{};
  std::array<std::string_view, max_path_segments> segments;
  std::size_t count = 0;
  for (std::size_t from = 1;;) {
    if (count == segments.size()) return RouteNotFound{};
    const std::size_t to = path.find('/', from);
    segments[count++] = path.substr(from, to - from);
    if (to == std::string_view::npos) break;
    from = to + 1;
  }
  const Node* node = routes_->match({segments.data(), count});
  if (node == nullptr) return RouteNotFound{};
  for (const CommandSchema* command : node->commands) {
    if (command->route->method != method) continue;
    RouteFound found{.command = command, .params = {}};
    for (std::size_t i = 0; i < count; ++i)
      if (const FieldSchema* field = command->route->segments[i].field)
        found.params.push_back({.field = field, .value = segments[i]});
    return found;
  }
  MethodNotAllowed refused;
  for (const CommandSchema* command : node->commands) refused.allowed.push_back(command->route->method);
  return refused;
}

std::optional<SchemaCatalogue::Located> SchemaCatalogue::resource_at(std::string_view path) const {
  constexpr std::string_view id_place = "{id}";
  for (const TableSchema& table : tables_) {
    if (!table.location.ends_with(id_place)) continue;
    const auto collection = table.location.substr(0, table.location.size() - id_place.size());
    if (!path.starts_with(collection)) continue;
    const auto id = path.substr(collection.size());
    if (!id.empty() && id.find('/') == std::string_view::npos) return Located{&table, id};
  }
  return std::nullopt;
}

}  // namespace guildhall
