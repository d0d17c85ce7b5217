#include "gateway/reads.h"

#include <charconv>
#include <future>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "events/check.h"

namespace guildhall {
namespace {

constexpr std::string_view service_role = "service_role";
constexpr std::string_view anonymous_role = "anon";
constexpr int retry_after_seconds = 1;  // For what passes by itself; supabase-js waits that long before its first retry anyway.

// Types without length or precision (typmod -1), so that a cast to them never shortens a value; and without the checks of a
// domain, since what no row may hold may still be asked for.
constexpr const char* catalogue_sql =
    "WITH RECURSIVE types(oid, base) AS (SELECT oid, oid FROM pg_type WHERE typtype <> 'd' "
    "UNION ALL SELECT d.oid, types.base FROM pg_type d JOIN types ON types.oid = d.typbasetype WHERE d.typtype = 'd') "
    "SELECT c.relname, a.attname, format_type(types.base, -1) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.oid JOIN types ON types.oid = a.atttypid "
    "WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
    "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum";

Response refusal(const RestError& error, bool head = false) {
  Response response{error.status, {{"Content-Type", "application/json; charset=utf-8"}}, head ? std::string() : to_json(error)};
  if (error.status == 503) response.headers.emplace_back("Retry-After", std::to_string(retry_after_seconds));
  return response;
}

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

RestError error_of(const PostgresFailure& failure, std::string_view role) {
  const auto with_status = [&failure](int status) {
    return RestError{status, failure.sqlstate, failure.message, unless_empty(failure.details), unless_empty(failure.hint)};
  };
  switch (failure.kind) {
    case PostgresFailure::Kind::refused:  // PostgREST's own code for a pool without a free connection.
      return {503, "PGRST003", "Timed out acquiring connection from connection pool.", failure.message, {}};
    case PostgresFailure::Kind::unreachable:  // The message may name hosts and paths that are nobody's business.
      return {503, "PGRST000", "Could not connect with the database. Retrying the connection.", {}, {}};
    case PostgresFailure::Kind::statement: break;
  }
  if (failure.retryable) return with_status(503);
  if (failure.sqlstate == "42501") return with_status(role == anonymous_role ? 401 : 403);
  if (failure.sqlstate == "42P01") return with_status(404);  // The read model was swapped a moment ago.
  if (failure.sqlstate == "42P17") return with_status(503);  // A policy that recurses is our mistake.
  const std::string_view kind = std::string_view(failure.sqlstate).substr(0, 2);
  if (kind == "22" || kind == "42" || kind == "P0") return with_status(400);
  if (kind == "54") return with_status(413);
  return with_status(503);
}

std::optional<std::uint64_t> number(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  CHECK(error == std::errc{} && end == text->data() + text->size());
  return value;
}

// All lines of a list-valued header as one.
std::string joined(const Request& request, std::string_view name) {
  std::string all;
  for (const auto& [key, value] : request.headers)
    if (key == name) all += (all.empty() ? "" : ", ") + value;
  return all;
}

Response page_response(const RestPlan& plan, PostgresRows rows) {
  CHECK(rows.rows.size() == 1 && rows.rows.front().size() == 3);
  std::vector<std::optional<std::string>>& row = rows.rows.front();
  const auto range = judge_page(plan, {number(row[0]).value_or(0), number(row[2])});
  if (!range) return refusal(range.error());
  Response response;
  response.status = range->status;
  response.headers.emplace_back("Content-Type", plan.single_object ? "application/vnd.pgrst.object+json; charset=utf-8"
                                                                   : "application/json; charset=utf-8");
  response.headers.emplace_back("Content-Range", range->content_range);
  if (!plan.preferences_applied.empty()) response.headers.emplace_back("Preference-Applied", plan.preferences_applied);
  response.body = std::move(row[1]).value_or("");
  return response;
}

}  // namespace

RelationCatalogue load_catalogue(PostgresPool& pool, const std::string& schema, const std::string& role) {
  std::promise<ReadOutcome> answered;
  pool.submit({.role = role, .sql = catalogue_sql, .parameters = {schema}},
              [&answered](ReadOutcome outcome) { answered.set_value(std::move(outcome)); });
  ReadOutcome outcome = answered.get_future().get();
  if (!outcome) throw CatalogueError("cannot read the relations of schema " + schema + ": " + outcome.error().message);
  RelationCatalogue catalogue{schema, {}};
  for (auto& row : outcome->rows) catalogue.relations[*row[0]].columns.push_back({std::move(*row[1]), std::move(*row[2])});
  return catalogue;
}

// A request on its way from the plan to the answer.
struct ReadHandler::Read {
  ReadQuery query;
  RestPlan plan;
  Respond respond;
  bool head = false;
  std::string lag;  // For Consistency-Lag; empty when the wait reached its position.
};

ReadHandler::ReadHandler(ReadHandlerOptions options, RelationCatalogue catalogue) : options_(std::move(options)) {
  set_catalogue(std::move(catalogue));
}

void ReadHandler::set_catalogue(RelationCatalogue catalogue) {
  catalogue_.store(std::make_shared<const RelationCatalogue>(std::move(catalogue)));
}

void ReadHandler::handle(const Request& request, ReadCaller caller, Respond respond) {
  CHECK(request.path.starts_with(rest_path));
  const bool head = request.method == Method::head;
  if (request.method != Method::get && !head) {
    Response response = refusal({405, "PGRST117", "Read models cannot be written", "Only GET and HEAD are allowed here.",
                                 "Writes are commands: POST to the command's route under /v1, see /v1/openapi.json."});
    response.headers.emplace_back("Allow", "GET, HEAD");
    respond(std::move(response));
    return;
  }
  const std::string_view encoded_name = std::string_view(request.path).substr(rest_path.size());
  const std::optional<std::string> relation = percent_decoded(encoded_name, false);
  const std::string prefer = joined(request, "prefer");
  const std::string accept = joined(request, "accept");
  const std::shared_ptr<const RelationCatalogue> catalogue = catalogue_.load();
  auto plan = plan_read({.relation = relation ? std::string_view(*relation) : encoded_name,
                         .query = request.query,
                         .accept = accept,
                         .accept_profile = request.header("accept-profile"),
                         .prefer = prefer,
                         .range = request.header("range"),
                         .head = head},
                        *catalogue, options_.max_rows);
  if (!plan) return respond(refusal(plan.error(), head));

  auto read = std::make_shared<Read>();
  read->query = {.role = std::move(caller.role),
                 .claims = std::move(caller.claims),
                 .method = head ? "HEAD" : "GET",
                 .path = request.path,
                 .sql = std::move(plan->sql),
                 .parameters = std::move(plan->parameters)};
  read->plan = std::move(*plan);
  read->respond = std::move(respond);
  read->head = head;

  std::string token(request.header("consistency-token"));
  if (token.empty()) token = read->plan.at_least;
  if (token.empty()) return run(std::move(read));
  options_.wait_for_token(std::move(token), read->plan.wait, [this, read](TokenWait wait) {
    std::optional<RestError> error;
    switch (wait.end) {
      case TokenWait::End::reached: break;
      case TokenWait::End::not_applicable:
        error = {400, "token_not_applicable", "The consistency token does not apply here", unless_empty(wait.detail), {}};
        break;
      case TokenWait::End::timed_out:
        if (read->plan.handling == Handling::lenient) {
          read->lag = std::move(wait.detail);
          break;
        }
        error = {503, "projection_behind", "The read model has not yet reached the consistency token", unless_empty(wait.detail),
                 "Retry, wait longer with Prefer: wait=N, or accept older rows with Prefer: handling=lenient."};
        break;
      case TokenWait::End::stopped:
        error = {503, "projection_behind", "The read model is not being updated", unless_empty(wait.detail), {}};
        break;
    }
    if (error) read->respond(refusal(*error, read->head));
    else run(read);
  });
}

void ReadHandler::run(std::shared_ptr<Read> read) {
  ReadQuery query = std::exchange(read->query, {});
  std::string role = query.role;
  PostgresPool& pool = role == service_role ? options_.service_reads : options_.user_reads;
  pool.submit(std::move(query), [read, role = std::move(role)](ReadOutcome outcome) {
    Response response = outcome ? page_response(read->plan, std::move(*outcome)) : refusal(error_of(outcome.error(), role));
    if (!read->lag.empty()) response.headers.emplace_back("Consistency-Lag", read->lag);
    if (read->head) response.body.clear();
    read->respond(std::move(response));
  });
}

}  // namespace guildhall
