// What the embedded schemas say of commands, events and resources, read once at start. The transcoder, the routes, the API
// document and the schema pages are made from it; events/attributes.fbs explains each attribute.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <regex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include <flatbuffers/reflection.h>

#include "events/schemas.h"
#include "gateway/http.h"

namespace guildhall {

// Floating point, unions and nested tables are not among them: a schema that uses one does not load.
enum class FieldKind : std::uint8_t {
  boolean,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  enumeration,
  string,
  uuid,       // struct ids.Uuid
  structure,  // any other struct
  bytes,      // [ubyte]
  strings,
  uuids,
  structures
};
enum class FieldFormat : std::uint8_t { none, instant, date, time_of_day, email, url, zone, currency, hex, json };

bool is_integer(FieldKind kind);  // int8 … uint64.
bool is_scalar(FieldKind kind);   // Integers, booleans and enumerations.

struct EnumSchema {
  std::string_view name;  // "booking.v1.Status"
  FieldKind integer{};    // What it is stored as.
  std::string doc;
  struct Value {
    std::string_view name;
    std::int64_t number = 0;
  };
  std::vector<Value> values;  // By number.

  const Value* by_name(std::string_view name) const;
  const Value* by_number(std::int64_t number) const;
};

struct FieldPattern {
  std::string_view text;
  std::regex regex;
};

struct StructSchema;

struct FieldSchema {
  std::string_view name;
  std::string doc;
  FieldKind kind{};
  FieldFormat format{};
  std::uint16_t id = 0;
  std::uint16_t offset = 0;          // In a table: of its entry in the vtable. In a struct: of its bytes.
  bool optional = false;             // A scalar that can be absent (`= null`).
  std::int64_t default_integer = 0;  // Of a scalar that is not optional; a uint64 as its bits.

  bool needed = false;
  bool pii = false;
  bool server_set = false;
  // Bounds of an integer: what the schema says within what its type holds. A uint64 that the schema does not bound has max = 2^64
  // - 1.
  std::int64_t min = 0;
  std::uint64_t max = 0;
  std::int64_t multiple_of = 1;
  // In Unicode scalars, of a string or of each string of a vector; 0 = not bounded.
  std::uint32_t min_length = 0;
  std::uint32_t max_length = 0;
  std::uint32_t max_items = 0;  // 0 = not bounded.
  std::unique_ptr<const FieldPattern> pattern;

  const EnumSchema* enumeration = nullptr;
  const StructSchema* structure = nullptr;  // Of structure and structures.
};

struct StructSchema {
  std::string_view name;
  std::string doc;
  std::uint32_t size_bytes = 0;
  std::vector<FieldSchema> fields;  // By offset.
};

enum class TableUse : std::uint8_t { command, event, resource };

struct TableSchema {
  std::string_view name;  // "booking.v1.CreateBooking"
  std::string doc;
  TableUse use{};
  std::vector<FieldSchema> fields;  // By id.
  std::string_view location;        // Of a resource: "/v1/bookings/{id}", or "".
  const Schema* schema = nullptr;   // The file that declares it.
  // For the verifier.
  const reflection::Schema* reflection = nullptr;
  const reflection::Object* object = nullptr;

  const FieldSchema* field(std::string_view field_name) const;
};

struct RouteSegment {
  std::string_view text;               // The literal, or the parameter's name.
  const FieldSchema* field = nullptr;  // Of a parameter.
};
struct Route {
  Method method{};
  std::string_view path;  // "/v1/bookings/{booking_id}/cancel"
  std::vector<RouteSegment> segments;
};

struct CommandSchema {
  const TableSchema* table = nullptr;
  std::optional<Route> route;  // Not of internal commands.
  bool authenticated = false;  // Roles that may send it; neither for internal commands.
  bool service_role = false;
  bool internal = false;
  bool key_required = false;
  std::string_view aggregate;
  std::string_view summary;
  const TableSchema* resource = nullptr;
  const FieldSchema* group = nullptr;    // Names the entity group that decides.
  const FieldSchema* account = nullptr;  // Whom the caller acts as; nullptr when it acts as itself.
};

struct PathParam {
  const FieldSchema* field = nullptr;
  std::string_view value;  // As it stood in the path; lives as long as the path.
};
struct RouteFound {
  const CommandSchema* command = nullptr;
  std::vector<PathParam> params;
};
struct RouteNotFound {};
struct MethodNotAllowed {
  std::vector<Method> allowed;  // In the order of declaration.
};
using RouteMatch = std::variant<RouteNotFound, MethodNotAllowed, RouteFound>;

// Immutable once made; any thread may read it. Pointers into it live as long as it does.
class SchemaCatalogue {
 public:
  // Keeps views into `schemas`, which must live longer. Throws std::runtime_error that names the table, the field and the fault
  // when a schema is damaged or says something that the gateway could not keep: a mistake in a schema must not wait for its first
  // request.
  // `without`: types of commands that are left out, as if they were not declared.
  explicit SchemaCatalogue(std::span<const Schema> schemas, std::span<const std::string> without = {});
  ~SchemaCatalogue();
  SchemaCatalogue(const SchemaCatalogue&) = delete;
  SchemaCatalogue& operator=(const SchemaCatalogue&) = delete;

  std::span<const Schema> schemas() const { return schemas_; }
  // In the order of the schemas, within one by name.
  const std::deque<TableSchema>& tables() const { return tables_; }
  const std::deque<CommandSchema>& commands() const { return commands_; }
  const std::deque<EnumSchema>& enums() const { return enums_; }
  const std::deque<StructSchema>& structs() const { return structs_; }

  const TableSchema* table(std::string_view type) const;      // nullptr when unknown.
  const CommandSchema* command(std::string_view type) const;  // nullptr when unknown or not a command.

  // `path` as it came, without the query. Literals match byte for byte, a parameter takes any one segment that is not empty:
  // whether it is a UUID is the transcoder's check, so that a wrong one is explained.
  RouteMatch match_route(Method method, std::string_view path) const;
  // The resource whose Location `path` is, and its id as it stands there; nullopt when it is none's.
  struct Located {
    const TableSchema* table;
    std::string_view id;
  };
  std::optional<Located> resource_at(std::string_view path) const;

 private:
  struct Node;
  class Loader;

  std::span<const Schema> schemas_;
  std::deque<EnumSchema> enums_;
  std::deque<StructSchema> structs_;
  std::deque<TableSchema> tables_;
  std::deque<CommandSchema> commands_;
  std::unordered_map<std::string_view, const TableSchema*> table_by_name_;
  std::unordered_map<std::string_view, const CommandSchema*> command_by_name_;
  std::unique_ptr<Node> routes_;
};

}  // namespace guildhall
