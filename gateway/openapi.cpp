#include "gateway/openapi.h"

#include <array>
#include <cctype>
#include <map>
#include <set>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "events/check.h"
#include "gateway/framing_gate.h"
#include "gateway/json_schema.h"
#include "gateway/leaderboards.h"
#include "gateway/live_notifications.h"
#include "gateway/rpc_functions.h"

namespace guildhall {
namespace {

namespace json = boost::json;

json::string text(std::string_view s) { return json::string(s.data(), s.size()); }
json::string_view key(std::string_view s) { return {s.data(), s.size()}; }

struct StatusText {
  int status;
  std::string_view meaning;
};
// Every command may answer these; further statuses come from the error catalogue.
constexpr std::array<StatusText, 12> command_refusals{{
    {400, "The request is malformed; `errors` has a JSON Pointer per problem."},
    {401, "The token is missing, expired or not ours."},
    {403, "The caller's role may not do this."},
    {404, "There is no such thing for this caller."},
    {409, "Someone else was first, or the state does not allow it."},
    {412, "The version in If-Match is not the current one."},
    {413, "The body is too large."},
    {415, "The body is not application/json."},
    {422, "The Idempotency-Key came with another body before, or a rule forbids this for ever."},
    {428, "The command demands If-Match."},
    {429, "The caller's quota is used up."},
    {503, "Nothing was decided, or the outcome is unknown: repeat with the same Idempotency-Key after Retry-After."},
}};

json::object reference(std::string_view kind, std::string_view name) {
  return {{"$ref", "#/components/" + std::string(kind) + "/" + std::string(name)}};
}

json::object content(std::string_view media_type, json::value schema) {
  json::object out;
  out[key(media_type)] = json::object{{"schema", std::move(schema)}};
  return out;
}

json::object response(std::string_view description, std::string_view media_type, json::value schema) {
  return {{"description", text(description)}, {"content", content(media_type, std::move(schema))}};
}

json::object parameter(std::string_view name, std::string_view in, bool is_required, std::string_view description,
                       json::value schema) {
  return {{"name", text(name)},
          {"in", text(in)},
          {"required", is_required},
          {"description", text(description)},
          {"schema", std::move(schema)}};
}

json::object string_schema() { return {{"type", "string"}}; }

// "booking.v1.CreateBooking" → "createBooking". The version stays in the name from v2 on, where two could meet.
std::string operation_id(std::string_view type) {
  std::string out(type.substr(type.rfind('.') + 1));
  out[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(out[0])));
  if (type.find(".v1.") == std::string_view::npos) out += "V" + std::string(type.substr(type.find(".v") + 2, 1));
  return out;
}

class Document {
 public:
  Document(const SchemaCatalogue& catalogue, std::span<const ErrorEntry> errors, const OpenApiInfo& info)
      : catalogue_(catalogue), errors_(errors), info_(info) {}

  std::string build() {
    for (const StatusText& refusal : command_refusals) refusals_[refusal.status] = refusal.meaning;
    for (const ErrorEntry& error : errors_) refusals_.try_emplace(error.status, error.title);
    for (const CommandSchema& command : catalogue_.commands())
      if (command.route) add_command(command);
    for (const TableSchema& table : catalogue_.tables())
      if (!table.location.empty()) add_resource(table);
    add_command_status();
    add_documents();
    if (catalogue_.table("learner.v1.XpGranted") != nullptr) add_leaderboards();
    if (catalogue_.table("notification.v1.NotificationRaised") != nullptr) add_live_notifications();
    add_relations();
    for (const RpcFunction& function : rpc_functions())
      if (catalogue_.command(function.command) != nullptr) add_rpc(function);
    add_health();

    json::object out{{"openapi", "3.1.0"}};
    out["info"] = json::object{
        {"title", "Guildhall"},
        {"version", text(info_.version)},
        {"description",
         "Commands are sent to /v1 and decided by one writer per entity group; reads come from /rest/v1 in PostgREST's "
         "grammar. Repeat any command safely with the same Idempotency-Key."},
        {"license", json::object{{"name", text(info_.license)}, {"identifier", text(info_.license)}}}};
    out["servers"] = json::array{json::object{{"url", text(info_.server_url)}}};
    out["security"] = json::array{json::object{{"bearer", json::array()}}, json::object{{"apikey", json::array()}}};
    out["tags"] = tags();
    out["paths"] = std::move(paths_);
    out["components"] = components();
    return json::serialize(out);
  }

 private:
  void add(std::string_view path, std::string_view method, std::string_view tag, std::string_view id, std::string_view summary,
           json::object operation) {
    json::object whole{{"operationId", text(id)}, {"summary", text(summary)}};
    whole["tags"] = json::array{json::value(text(tag))};
    for (auto& member : operation) whole[member.key()] = std::move(member.value());
    tags_.insert(std::string(tag));
    std::string lower(method);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    json::value& item = paths_[key(path)];
    if (!item.is_object()) item.emplace_object();
    item.get_object()[lower] = std::move(whole);
  }

  template <class Statuses>
  static void add_refusals(json::object& responses, const Statuses& statuses) {
    for (const int status : statuses)
      responses[std::to_string(status)] = reference("responses", "Problem" + std::to_string(status));
  }
  std::vector<int> all_refusals() const {
    std::vector<int> out;
    for (const auto& [status, meaning] : refusals_) out.push_back(status);
    return out;
  }

  void add_command(const CommandSchema& command) {
    const Route& route = *command.route;
    json::array parameters;
    bool has_path_parameter = false;
    for (const RouteSegment& segment : route.segments) {
      if (segment.field == nullptr) continue;
      has_path_parameter = true;
      json::object schema{{"type", "string"}, {"format", "uuid"}};
      parameters.push_back({{"name", text(segment.text)}, {"in", "path"}, {"required", true}, {"schema", std::move(schema)}});
    }
    parameters.push_back(reference("parameters", command.key_required ? "RequiredIdempotencyKey" : "IdempotencyKey"));
    for (const char* name : {"IfMatch", "Prefer", "ConsistencyToken"}) parameters.push_back(reference("parameters", name));

    json::object operation;
    if (const std::string description = describe(command); !description.empty()) operation["description"] = text(description);
    operation["parameters"] = std::move(parameters);
    const json::object body = json_schema_of_body(command);
    const std::string type(command.table->name);
    if (body.contains("properties")) {
      schemas_[type] = body;
      operation["requestBody"] = json::object{{"required", body.contains("required")},
                                              {"content", content("application/json", reference("schemas", type))}};
    }

    const std::string resource(command.resource->name);
    if (!schemas_.contains(resource)) schemas_[resource] = json_schema_of(*command.resource);
    json::object responses;
    responses["200"] = accepted("Accepted, or already so.", resource, false);
    // A POST to a collection may create; one below an entity changes it.
    if (route.method == Method::post && !has_path_parameter && !command.resource->location.empty())
      responses["201"] = accepted("Created.", resource, true);
    add_refusals(responses, all_refusals());
    operation["responses"] = std::move(responses);
    add(route.path, method_name(route.method), command.aggregate, operation_id(command.table->name), command.summary,
        std::move(operation));
  }

  static std::string describe(const CommandSchema& command) {
    std::string out = command.table->doc;
    if (!command.authenticated) out += std::string(out.empty() ? "" : " ") + "Only service_role may send it.";
    if (command.account != nullptr)
      out +=
          std::string(out.empty() ? "" : " ") + "`" + std::string(command.account->name) + "` must be the caller's own account.";
    return out;
  }

  static json::object accepted(std::string_view description, const std::string& resource, bool has_location) {
    json::object out = response(description, "application/json", reference("schemas", resource));
    json::object headers{{"ETag", reference("headers", "ETag")},
                         {"Consistency-Token", reference("headers", "ConsistencyToken")},
                         {"Idempotent-Replayed", reference("headers", "IdempotentReplayed")}};
    if (has_location) headers["Location"] = reference("headers", "Location");
    out["headers"] = std::move(headers);
    return out;
  }

  // What the commands below a Location call its parameter: two spellings would be two paths.
  std::string id_parameter_of(std::string_view location, const std::string& aggregate) const {
    const std::string_view above = location.substr(0, location.find("{id}"));
    for (const CommandSchema& command : catalogue_.commands()) {
      if (!command.route || !command.route->path.starts_with(above) || !command.route->path.substr(above.size()).starts_with('{'))
        continue;
      const std::string_view rest = command.route->path.substr(above.size() + 1);
      return std::string(rest.substr(0, rest.find('}')));
    }
    return aggregate + "_id";
  }

  void add_resource(const TableSchema& table) {
    const std::string resource(table.name);
    const std::string aggregate = resource.substr(0, resource.find('.'));
    const std::string id_parameter = id_parameter_of(table.location, aggregate);
    if (!schemas_.contains(resource)) schemas_[resource] = json_schema_of(table);  // No command may answer with it.
    json::object operation;
    operation["description"] =
        "As the log has it, not a read model. What the caller may not see is answered like what is not there.";
    json::array parameters{
        parameter(id_parameter, "path", true, "As in the Location of its creation.",
                  json::object{{"type", "string"}, {"format", "uuid"}}),
        parameter("If-None-Match", "header", false, "An ETag that is known: 304 while it is the resource's.", string_schema())};
    operation["parameters"] = std::move(parameters);
    json::object responses{{"200", accepted("The resource.", resource, false)}};
    responses["304"] = json::object{{"description", "It is as If-None-Match knows it."}};
    add_refusals(responses, std::array{400, 401, 404, 503});
    operation["responses"] = std::move(responses);
    std::string id = "get" + aggregate;
    id[3] = static_cast<char>(std::toupper(static_cast<unsigned char>(id[3])));
    std::string path(table.location);
    path.replace(path.find("{id}"), std::string_view("{id}").size(), "{" + id_parameter + "}");
    add(path, "get", aggregate, id, "Read one " + aggregate, std::move(operation));
  }

  void add_command_status() {
    json::object operation;
    operation["description"] =
        "The command's decision: the status, headers and body that its sender got or would have got. Only its sender sees it.";
    operation["parameters"] = json::array{parameter("command_id", "path", true, "As in `command_id` of a problem.",
                                                    json::object{{"type", "string"}, {"format", "uuid"}})};
    json::object responses;
    json::object resource_refs;
    json::array resources;
    for (const CommandSchema& command : catalogue_.commands()) {
      const std::string name(command.resource->name);
      if (command.route && resource_refs.emplace(name, true).second) resources.push_back(reference("schemas", name));
    }
    responses["200"] = response("Accepted.", "application/json", json::object{{"anyOf", std::move(resources)}});
    responses["201"] = responses["200"];
    add_refusals(responses, all_refusals());
    operation["responses"] = std::move(responses);
    add("/v1/commands/{command_id}", "get", "commands", "getCommand", "What became of a command", std::move(operation));
  }

  void add_documents() {
    const auto add_document = [&](std::string_view path, std::string_view id, std::string_view summary, json::array parameters,
                                  json::object schema) {
      json::object operation;
      operation["security"] = json::array();  // Public.
      if (!parameters.empty()) operation["parameters"] = std::move(parameters);
      json::object responses{{"200", response("The document.", "application/json", std::move(schema))}};
      add_refusals(responses, std::array{400});
      if (operation.contains("parameters")) add_refusals(responses, std::array{404});
      operation["responses"] = std::move(responses);
      add(path, "get", "documents", id, summary, std::move(operation));
    };
    json::object any{{"type", "object"}};
    json::object subjects{{"type", "object"},
                          {"properties", json::object{{"subjects", json::object{{"type", "array"}, {"items", any}}}}},
                          {"required", json::array{json::value("subjects")}}};
    json::object versions{{"type", "object"},
                          {"properties", json::object{{"subject", string_schema()},
                                                      {"versions", json::object{{"type", "array"}, {"items", any}}}}}};
    versions["required"] = json::array({json::value("subject"), json::value("versions")});
    add_document("/v1/openapi.json", "getOpenApi", "This document", {}, any);
    add_document("/v1/schemas", "listSchemas", "The schemas of events and commands", {}, std::move(subjects));
    add_document("/v1/schemas/{subject}/versions", "listSchemaVersions", "The versions of one schema",
                 json::array{parameter("subject", "path", true, "A name from /v1/schemas.", string_schema())},
                 std::move(versions));
    add_document("/v1/schemas/ids/{sha256}", "getSchema", "A schema by the digest that records carry",
                 json::array{parameter("sha256", "path", true, "Of the .bfbs without comments, in hex.",
                                       json::object{{"type", "string"}, {"pattern", "^[0-9a-f]{64}$"}})},
                 any);
  }

  void add_leaderboards() {
    const auto limited = [](std::size_t least, std::size_t most, std::size_t usual) {
      return json::object{{"type", "integer"}, {"minimum", least}, {"maximum", most}, {"default", usual}};
    };
    json::array periods;
    for (const BoardPeriod period : board_periods) periods.emplace_back(text(name_of(period)));
    json::object period_schema{{"type", "string"}, {"enum", periods}};
    json::object operation;
    operation["description"] =
        "Ranks are SQL's RANK(): ties share one, and gaps follow. Inside a tie who reached the score first stands first. The "
        "percentile is that of those with XP in the period who stand behind; periods are UTC's day, ISO week and month.";
    operation["parameters"] = json::array{
        parameter("period", "path", true, "Which board.", period_schema),
        parameter("start", "query", false, "The first day of the open period, or of the one before it. Else the open one.",
                  json::object{{"type", "string"}, {"format", "date"}}),
        parameter("around", "query", false, "`me`, or a user's id: who stands around them, instead of a page.", string_schema()),
        parameter("neighbours", "query", false, "With around: so many on each side.",
                  limited(0, leaderboard_max_neighbours, leaderboard_default_neighbours)),
        parameter("limit", "query", false, "Rows of a page.", limited(1, leaderboard_max_rows, leaderboard_default_rows)),
        parameter("after", "query", false, "next_cursor of the page before.", string_schema()),
        parameter("friends", "query", false, "Only the caller and the people whom they follow.",
                  json::object{{"type", "boolean"}, {"default", false}}),
        parameter("expand", "query", false, "Names, of those whose names the caller may see.",
                  json::object{{"type", "string"}, {"enum", json::array{json::value("profile")}}}),
        reference("parameters", "Prefer"),
        reference("parameters", "ConsistencyToken"),
    };
    schemas_["LeaderboardRow"] = json::parse(R"({
      "type": "object",
      "properties": {
        "user_id": {"type": "string", "format": "uuid"},
        "rank": {"type": "integer", "minimum": 1},
        "percentile": {"type": "number", "minimum": 0, "maximum": 100, "description": "With two decimals."},
        "xp_points": {"type": "integer"},
        "lessons_completed": {"type": "integer"},
        "streak_days": {"type": "integer", "description": "As of the last lesson in the period."},
        "reached_at": {"type": "string", "format": "date-time", "description": "When the score was reached."},
        "profile": {
          "type": ["object", "null"],
          "description": "With expand=profile; null where the name is not for the caller.",
          "properties": {"display_name": {"type": "string"}},
          "required": ["display_name"]
        }
      },
      "required": ["user_id", "rank", "percentile", "xp_points", "lessons_completed", "streak_days", "reached_at"]
    })");
    json::object page = json::parse(R"({
      "type": "object",
      "properties": {
        "period_start_date": {"type": "string", "format": "date"},
        "period_end_date": {"type": "string", "format": "date"},
        "next_reset_at": {"type": ["string", "null"], "format": "date-time", "description": "When the period ends; null: never."},
        "learners": {"type": "integer", "description": "Who has XP in the period."},
        "me": {"anyOf": [{"$ref": "#/components/schemas/LeaderboardRow"}, {"type": "null"}]},
        "data": {"type": "array", "items": {"$ref": "#/components/schemas/LeaderboardRow"}},
        "has_more": {"type": "boolean"},
        "next_cursor": {"type": ["string", "null"]},
        "positions": {"type": "array", "items": {"type": "integer"},
                      "description": "By shard: the sequence of its log that the answer is the fold of."}
      },
      "required": ["period", "period_start_date", "period_end_date", "next_reset_at", "learners", "me", "data", "has_more",
                   "next_cursor", "positions"]
    })").as_object();
    page["properties"].as_object()["period"] = std::move(period_schema);
    schemas_["Leaderboard"] = std::move(page);
    json::object ok = response("A part of the board.", "application/json", reference("schemas", "Leaderboard"));
    ok["headers"] = json::object{{"Consistency-Token", reference("headers", "ConsistencyToken")}};
    json::object responses{{"200", std::move(ok)}};
    add_refusals(responses, std::array{400, 401, 403, 404, 503});
    operation["responses"] = std::move(responses);
    add("/v1/leaderboards/{period}", "get", "leaderboards", "getLeaderboard", "Read a leaderboard", std::move(operation));
  }

  void add_live_notifications() {
    json::object operation;
    operation["description"] =
        "Server-Sent Events of what the caller is told, while it happens. First comes `ready` with `positions` and a "
        "`consistency_token`: from there on the stream is complete. Then `notification`, whose id and `sequence` count all that "
        "the caller was told, without gaps: 1, 2, 3 …; `read`, when one was marked, and `read_up_to`, when all so far were. "
        "`heartbeat` says that the stream lives. Nothing is sent again, whatever Last-Event-ID says: read what was missed from "
        "`/rest/v1/notifications?sequence=gt.N` with the token of `ready`. A stream ends with its token, after an hour, when the "
        "server stops, and at once for a client that does not keep up: ask again. Browsers' EventSource sends no token; use "
        "fetch().";
    operation["parameters"] = json::array{
        parameter("Last-Event-ID", "header", false, "Taken and not needed: see above.", string_schema()),
    };
    json::object ok = response("The events, as long as they last.", "text/event-stream", string_schema());
    ok["headers"] = json::object{{"Consistency-Token", reference("headers", "ConsistencyToken")}};
    json::object responses{{"200", std::move(ok)}};
    add_refusals(responses, std::array{400, 401, 403, 429, 503});
    operation["responses"] = std::move(responses);
    add(live_notifications_path, "get", "notification", "getLiveNotifications", "Be told live", std::move(operation));
  }

  void add_relations() {
    json::object row{{"type", "object"}};
    json::object rows{{"type", "array"}, {"items", row}};
    json::object operation;
    operation["description"] =
        "PostgREST's grammar: any other query parameter is a filter, `column=operator.value` with eq, neq, gt, gte, lt, lte, "
        "like, ilike, in, is, cs, cd, ov, fts, plfts, phfts or wfts. Rows are those that the row-level policies show to the "
        "caller.";
    json::object filters = parameter("filters", "query", false, "`column=operator.value`.",
                                     json::object{{"type", "object"}, {"additionalProperties", string_schema()}});
    filters["style"] = "form";
    filters["explode"] = true;
    json::object count{{"type", "integer"}, {"minimum", 0}};
    operation["parameters"] = json::array{
        parameter("relation", "path", true, "A table or view of the platform's schema.", string_schema()),
        parameter("select", "query", false, "Columns, separated by commas.", string_schema()),
        parameter("order", "query", false, "`column.asc` or `column.desc`, separated by commas.", string_schema()),
        parameter("limit", "query", false, "At most so many rows.", count),
        parameter("offset", "query", false, "Rows to skip.", count),
        std::move(filters),
        parameter("Range", "header", false, "Rows, such as 0-24.", string_schema()),
        reference("parameters", "Prefer"),
        reference("parameters", "ConsistencyToken"),
    };
    json::object responses;
    for (const auto& [status, description] :
         {std::pair{"200", "All rows that were asked for."}, std::pair{"206", "A part of them."}}) {
      json::object ok = response(description, "application/json", rows);
      ok["content"].get_object()["application/vnd.pgrst.object+json"] = json::object{{"schema", row}};
      ok["headers"] =
          json::object{{"Content-Range", json::object{{"description", "First and last row, and the count when asked for."},
                                                      {"schema", string_schema()}}}};
      responses[status] = std::move(ok);
    }
    for (const auto& [status, description] :
         {std::pair{"400", "The query does not parse or asks for what is not supported."},
          std::pair{"401", "The token does not hold."}, std::pair{"404", "There is no such relation."},
          std::pair{"406", "Not exactly one row, or another schema."}, std::pair{"416", "The range lies beyond the rows."},
          std::pair{"503", "The read model is behind; see Retry-After."}})
      responses[status] = response(description, "application/json", reference("schemas", "RestError"));
    operation["responses"] = std::move(responses);
    add("/rest/v1/{relation}", "get", "reads", "readRelation", "Read rows", std::move(operation));
  }

  void add_rpc(const RpcFunction& function) {
    const CommandSchema* command = catalogue_.command(function.command);
    if (command == nullptr) return;  // The catalogue of a test need not have it.
    json::object properties;
    json::array required;
    for (const RpcArgument& argument : function.arguments) {
      const FieldSchema* field = command->table->field(argument.field);
      CHECK(field != nullptr);
      properties[key(argument.name)] = json_schema_sent(*field);
      if (argument.is_required) required.emplace_back(text(argument.name));
    }
    json::object body{{"type", "object"},
                      {"properties", std::move(properties)},
                      {"required", std::move(required)},
                      {"additionalProperties", false}};
    json::object columns;
    for (const RpcResult& result : function.results) {
      const FieldSchema* field = command->resource->field(result.field);
      CHECK(field != nullptr);
      columns[key(result.name)] = json_schema_written(*field);
    }
    json::value result;
    if (function.returns_value()) result = std::move(columns.begin()->value());
    else
      result = json::object{{"type", "array"}, {"items", json::object{{"type", "object"}, {"properties", std::move(columns)}}}};

    json::object operation;
    operation["description"] = text("The same decision as " + operation_id(command->table->name) + ", for supabase.rpc().");
    operation["parameters"] = json::array{reference("parameters", "IdempotencyKey")};
    operation["requestBody"] = json::object{{"required", true}, {"content", content("application/json", std::move(body))}};
    json::object responses{{"200", response("Accepted.", "application/json", std::move(result))}};
    for (const auto& [status, meaning] : refusals_)
      responses[std::to_string(status)] = response(meaning, "application/json", reference("schemas", "RestError"));
    operation["responses"] = std::move(responses);
    const std::string path = "/rest/v1/rpc/" + std::string(function.name);
    add(path, "post", "reads", function.name, function.summary, std::move(operation));
  }

  void add_health() {
    for (const auto& [path, id, summary] : {std::tuple{"/livez", "getLiveness", "Whether the process runs"},
                                            std::tuple{"/readyz", "getReadiness", "Whether it can serve"}}) {
      json::object operation;
      operation["security"] = json::array();
      json::object responses{{"200", response("Yes.", "text/plain", string_schema())}};
      add_refusals(responses, std::array{400});
      responses["503"] = response("No; the text says why.", "text/plain", string_schema());
      operation["responses"] = std::move(responses);
      add(path, "get", "health", id, summary, std::move(operation));
    }
  }

  json::array tags() const {
    json::array out;
    for (const std::string& tag : tags_) {
      const std::string_view description = tag == "commands"    ? "What became of a command."
                                           : tag == "documents" ? "The API and its schemas."
                                           : tag == "reads"  ? "Read models and the seeds' functions, as supabase-js calls them."
                                           : tag == "health" ? "For the operator."
                                           : tag == "leaderboards" ? "Exact ranks of learners."
                                                             : "";
      out.push_back(
          {{"name", text(tag)},
           {"description", description.empty() ? text("Commands decided by the " + tag + " aggregate.") : text(description)}});
    }
    return out;
  }

  json::object problem_example(const ErrorEntry& error) const {
    return {{"type", "/docs/problems/" + std::string(error.code)},
            {"title", text(error.title)},
            {"status", error.status},
            {"detail", text(error.detail)},
            {"code", text(error.code)},
            {"retryable", error.status == 429 || error.status == 503}};
  }

  json::object components() {
    schemas_["Problem"] = json::parse(R"({
      "type": "object",
      "description": "A problem document (RFC 9457). Branch on `code`, never on texts.",
      "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Its documentation page."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "errors": {"type": "array", "items": {"type": "object", "required": ["pointer", "code", "detail"], "properties": {
          "pointer": {"type": "string", "description": "JSON Pointer into the body."},
          "code": {"type": "string"},
          "detail": {"type": "string"}}}},
        "hint": {"type": "string"},
        "rule": {"type": "string"},
        "retryable": {"type": "boolean"},
        "current_version": {"type": "integer"},
        "command_id": {"type": "string", "format": "uuid"}
      },
      "required": ["type", "title", "status", "code"]
    })");
    schemas_["RestError"] = json::parse(R"({
      "type": "object",
      "description": "The error shape of PostgREST.",
      "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "details": {"type": ["string", "null"]},
        "hint": {"type": ["string", "null"]}
      },
      "required": ["code", "message", "details", "hint"]
    })");

    json::object responses;
    for (const auto& [status, meaning] : refusals_) {
      json::object media{{"schema", reference("schemas", "Problem")}};
      json::object examples;
      for (const ErrorEntry& error : errors_)
        if (error.status == status)
          examples[key(error.code)] = json::object{{"summary", text(error.title)}, {"value", problem_example(error)}};
      if (!examples.empty()) media["examples"] = std::move(examples);
      json::object problem{{"description", text(meaning)},
                           {"content", json::object{{"application/problem+json", std::move(media)}}}};
      // A conflict that ends by itself says when, others say nothing.
      if (status == 409 || status == 429 || status == 503)
        problem["headers"] = json::object{{"Retry-After", reference("headers", "RetryAfter")}};
      responses["Problem" + std::to_string(status)] = std::move(problem);
    }
    const auto header = [](std::string_view description, std::string_view type) {
      return json::object{{"description", text(description)}, {"schema", json::object{{"type", text(type)}}}};
    };
    json::object headers{
        {"ETag", header("The stream's version, such as \"7\".", "string")},
        {"Location", header("Where the resource, or the command's outcome, is found.", "string")},
        {"ConsistencyToken", header("Send it with a read to see this write.", "string")},
        {"IdempotentReplayed", header("true when this is the stored answer to an earlier request with the same key.", "string")},
        {"RetryAfter", header("Whole seconds.", "integer")},
    };
    json::object key_schema{{"type", "string"}, {"minLength", 1}, {"maxLength", 255}};
    constexpr std::string_view key_text =
        "Makes the command safe to repeat; a UUID is advised. A key is compared within one entity group.";
    json::object parameters{
        {"IdempotencyKey", parameter("Idempotency-Key", "header", false, key_text, key_schema)},
        {"RequiredIdempotencyKey", parameter("Idempotency-Key", "header", true, key_text, key_schema)},
        {"IfMatch",
         parameter("If-Match", "header", false, "The expected version, such as \"7\", or * for any.", string_schema())},
        {"Prefer", parameter("Prefer", "header", false,
                             "wait=N, handling=strict|lenient, return=minimal|representation, "
                             "count=exact.",
                             string_schema())},
        {"ConsistencyToken", parameter("Consistency-Token", "header", false, "From an earlier reply.", string_schema())},
    };
    json::object security{
        {"bearer", json::object{{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}},
        {"apikey", json::object{{"type", "apiKey"}, {"in", "header"}, {"name", "apikey"}}},
    };
    json::object out;
    out["schemas"] = std::move(schemas_);
    out["responses"] = std::move(responses);
    out["headers"] = std::move(headers);
    out["parameters"] = std::move(parameters);
    out["securitySchemes"] = std::move(security);
    return out;
  }

  const SchemaCatalogue& catalogue_;
  std::span<const ErrorEntry> errors_;
  const OpenApiInfo& info_;
  std::map<int, std::string_view> refusals_;  // Status → meaning.
  json::object paths_;
  json::object schemas_;
  std::set<std::string> tags_;
};

}  // namespace

std::string openapi_document(const SchemaCatalogue& catalogue, std::span<const ErrorEntry> errors, const OpenApiInfo& info) {
  return Document(catalogue, errors, info).build();
}

}  // namespace guildhall
