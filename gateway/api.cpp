#include "gateway/api.h"

#include <boost/json.hpp>

#include "gateway/problem.h"
#include "gateway/rpc_functions.h"
#include "gateway/schema_documents.h"
#include "gateway/strict_json.h"

namespace guildhall {
namespace {

constexpr std::string_view rpc_path = "/rest/v1/rpc/";
constexpr std::string_view command_path = "/v1/commands/";
constexpr std::string_view schemas_path = "/v1/schemas";
constexpr std::string_view json_type = "application/json; charset=utf-8";

constexpr std::string_view cors_allow_headers =
    "authorization, apikey, content-type, prefer, range, accept-profile, content-profile, x-client-info, x-supabase-api-version, "
    "x-retry-count, idempotency-key, if-match, if-none-match, consistency-token, last-event-id, traceparent, x-request-id";
constexpr std::string_view cors_expose_headers =
    "content-range, etag, location, retry-after, consistency-token, consistency-lag, idempotent-replayed, preference-applied, "
    "x-request-id, ratelimit, ratelimit-policy";
constexpr std::string_view cors_methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::head: return "HEAD";
    case Method::post: return "POST";
    case Method::put: return "PUT";
    case Method::patch: return "PATCH";
    case Method::del: return "DELETE";
    case Method::options: return "OPTIONS";
  }
  return {};
}

Response json(std::string body) { return {200, {{"Content-Type", std::string(json_type)}}, std::move(body)}; }

Response not_allowed(std::string allow) {
  Response r = problem("method_not_allowed");
  r.headers.emplace_back("Allow", std::move(allow));
  return r;
}

bool reads(Method method) { return method == Method::get || method == Method::head; }

// Under /rest/v1 refusals have PostgREST's shape.
Response in_rest_shape(Response problem_response) {
  std::string code = "invalid_request", title, detail, hint;
  boost::system::error_code error;
  const auto value = boost::json::parse(problem_response.body, error);
  if (!error && value.is_object()) {
    const auto text = [&](std::string_view name) {
      const auto* v = value.get_object().if_contains(name);
      return v && v->is_string() ? std::string(v->get_string()) : std::string();
    };
    code = text("code");
    title = text("title");
    detail = text("detail");
    hint = text("hint");
    if (const auto* errors = value.get_object().if_contains("errors"); errors && errors->is_array())
      detail = boost::json::serialize(*errors);
  }
  Response out = rest_error(problem_response.status, code, title, detail, hint);
  for (auto& [name, header] : problem_response.headers)
    if (name != "Content-Type") out.headers.emplace_back(name, std::move(header));
  return out;
}

}  // namespace

Response rest_error(int status, std::string_view code, std::string_view message, std::string_view details,
                    std::string_view hint) {
  RestError e;
  e.status = status;
  e.code = code;
  e.message = message;
  if (!details.empty()) e.details = details;
  if (!hint.empty()) e.hint = hint;
  return {status, {{"Content-Type", std::string(json_type)}}, to_json(e)};
}

void Api::handle(Request request, Respond respond) {
  const std::string origin(request.header("origin"));
  bool allowed = false;
  for (const auto& o : env_.cors_origins) allowed = allowed || o == origin;
  if (origin.empty()) return route(request, std::move(respond));

  const auto with_cors = [origin, allowed](Response r) {
    r.headers.emplace_back("Vary", "Origin");
    if (allowed) {
      r.headers.emplace_back("Access-Control-Allow-Origin", origin);
      r.headers.emplace_back("Access-Control-Expose-Headers", cors_expose_headers);
    }
    return r;
  };
  if (request.method == Method::options) {
    Response r{204, {}, {}};
    if (allowed) {
      r.headers.emplace_back("Access-Control-Allow-Methods", cors_methods);
      r.headers.emplace_back("Access-Control-Allow-Headers", cors_allow_headers);
      r.headers.emplace_back("Access-Control-Max-Age", "600");
    }
    return respond(with_cors(std::move(r)));
  }
  route(request, [with_cors, respond = std::move(respond)](Response r) mutable { respond(with_cors(std::move(r))); });
}

void Api::route(const Request& request, Respond respond) {
  const std::string_view path = request.path;
  const bool rest = path.starts_with(rest_path);

  // Open to everybody: nothing of them depends on who asks.
  if (path == "/livez" || path == "/readyz" || path == "/metrics" || path == "/v1/openapi.json" ||
      path.starts_with(schemas_path)) {
    if (!reads(request.method)) return respond(not_allowed("GET, HEAD"));
    if (path == "/livez") return respond({200, {{"Content-Type", "text/plain; charset=utf-8"}}, "ok\n"});
    if (path == "/readyz") return respond(env_.ready());
    if (path == "/metrics") return respond(env_.metrics());
    if (path == "/v1/openapi.json") return respond(json(env_.openapi));
    std::string_view rest_of = path.substr(schemas_path.size());
    if (rest_of.empty()) return respond(json(schema_subjects(env_.schemas)));
    constexpr std::string_view ids = "/ids/", versions = "/versions";
    std::optional<std::string> document;
    if (rest_of.starts_with(ids)) document = schema_by_digest(env_.schemas, rest_of.substr(ids.size()));
    else if (rest_of.starts_with('/') && rest_of.ends_with(versions))
      document = schema_versions(env_.schemas, rest_of.substr(1, rest_of.size() - 1 - versions.size()));
    return respond(document ? json(std::move(*document)) : problem("not_found"));
  }

  // The peers' own door: their token opens it and nothing else.
  if (path.starts_with(internal_path) && env_.dispatcher.has_peers())
    return env_.dispatcher.handle_peer(request, std::move(respond));

  // Bearer wins over apikey: supabase-js sends both.
  std::string_view token = request.header("authorization");
  constexpr std::string_view bearer = "Bearer ";
  if (token.empty()) token = request.header("apikey");
  else if (token.size() > bearer.size() && (token.starts_with(bearer) || token.starts_with("bearer ")))
    token.remove_prefix(bearer.size());
  else token = {};
  auto claims = env_.verifier.verify(token, env_.clock.now());
  if (!claims) {
    Response refused = problem("unauthenticated");
    return respond(rest ? in_rest_shape(std::move(refused)) : std::move(refused));
  }

  if (path.starts_with(rpc_path)) return call_function(request, *claims, path.substr(rpc_path.size()), std::move(respond));
  if (rest) {
    if (env_.reads == nullptr) return respond(rest_error(503, "PGRST000", "this process has no read models"));
    return env_.reads->handle(request, {std::string(name_of(claims->role)), std::move(claims->json)}, std::move(respond));
  }
  if (path.starts_with(command_path)) {
    if (!reads(request.method)) return respond(not_allowed("GET, HEAD"));
    if (claims->role == TokenRole::anon) return respond(problem("forbidden"));
    const auto id = parse_uuid(path.substr(command_path.size()));
    return id ? env_.commands.look_up(request, *claims, *id, std::move(respond)) : respond(problem("not_found"));
  }
  if (path.starts_with(leaderboards_path) && env_.leaderboards != nullptr) {
    if (!reads(request.method)) return respond(not_allowed("GET, HEAD"));
    return env_.leaderboards->handle(request, *claims, std::move(respond));
  }
  if (path == live_notifications_path && env_.live_notifications != nullptr) {
    if (!reads(request.method)) return respond(not_allowed("GET, HEAD"));
    return env_.live_notifications->handle(request, *claims, std::move(respond));
  }
  const auto match = env_.schemas.match_route(request.method, path);
  if (const auto* found = std::get_if<RouteFound>(&match))
    return env_.commands.handle(request, *claims, *found, std::move(respond));
  const auto resource = env_.schemas.resource_at(path);
  if (resource && reads(request.method)) {
    const auto id = parse_uuid(resource->id);
    return id ? env_.commands.show(request, *claims, *resource->table, *id, std::move(respond)) : respond(problem("not_found"));
  }
  if (const auto* other = std::get_if<MethodNotAllowed>(&match)) {
    std::string allow = resource ? "GET, HEAD" : "";
    for (const Method m : other->allowed) allow += (allow.empty() ? "" : ", ") + std::string(name_of(m));
    return respond(not_allowed(std::move(allow)));
  }
  if (resource) return respond(not_allowed("GET, HEAD"));
  respond(problem("not_found"));
}

void Api::call_function(const Request& request, const Claims& claims, std::string_view name, Respond respond) {
  const RpcFunction* function = nullptr;
  for (const auto& f : rpc_functions())
    if (f.name == name) function = &f;
  const CommandSchema* known = function != nullptr ? env_.schemas.command(function->command) : nullptr;
  if (known == nullptr)  // No function at all, or another platform's.
    return respond(rest_error(404, "PGRST202", "Could not find the function " + std::string(name) + " in the schema cache"));
  if (request.method != Method::post)
    return respond(rest_error(405, "PGRST101", "commands are sent by POST only", {}, "Call rpc() without {get: true}."));
  const CommandSchema& command = *known;
  if (auto refused = env_.commands.refuse(request, claims, command)) return respond(in_rest_shape(std::move(*refused)));

  const auto identity = env_.commands.identify(request, claims, command);
  if (!identity) return respond(in_rest_shape(Response(identity.error())));

  auto body = parse_strict(request.body.empty() ? "{}" : request.body);
  if (!body || !body->is_object()) return respond(rest_error(400, "PGRST102", "Empty or invalid json"));
  boost::json::object renamed;
  for (auto& [key, value] : body->get_object()) {
    const RpcArgument* argument = nullptr;
    for (const auto& a : function->arguments)
      if (a.name == std::string_view(key)) argument = &a;
    if (argument == nullptr)
      return respond(rest_error(
          404, "PGRST202", "Could not find the function " + std::string(name) + "(" + std::string(key) + ") in the schema cache",
          {}, "See /v1/openapi.json for its parameters."));
    renamed.emplace(argument->field, std::move(value));
  }
  for (const auto& a : function->arguments)
    if (a.is_required && !renamed.contains(a.field))
      return respond(rest_error(404, "PGRST202",
                                "Could not find the function " + std::string(name) + " without the parameter " +
                                    std::string(a.name) + " in the schema cache"));
  auto payload = transcode(command, {}, renamed);
  if (!payload) return respond(in_rest_shape(invalid_request(payload.error())));

  const int wait_s = parse_prefer(request.header("prefer")).wait_s.value_or(default_wait_s);
  env_.commands.send(request, claims, command, *identity, std::move(*payload),
                     [this, function, wait_s, respond = std::move(respond)](std::expected<CommandResult, Response> sent) mutable {
                       if (!sent) return respond(in_rest_shape(std::move(sent.error())));
                       Response out{200, {{"Content-Type", std::string(json_type)}}, {}};
                       if (sent->reply.status >= 400) {
                         out = in_rest_shape({sent->reply.status, {}, std::move(sent->reply.body)});
                         return respond(std::move(out));
                       }
                       const auto resource = boost::json::parse(sent->reply.body).as_object();
                       if (function->returns_value()) {
                         out.body = boost::json::serialize(resource.at(function->results.front().field));
                       } else {
                         boost::json::object row;
                         for (const auto& r : function->results) row.emplace(r.name, resource.at(r.field));
                         out.body = "[" + boost::json::serialize(row) + "]";
                       }
                       if (sent->replayed) out.headers.emplace_back("Idempotent-Replayed", "true");
                       const ShardNo shard = sent->shard;
                       const Sequence sequence = sent->sequence;
                       if (sequence != 0) out.headers.emplace_back("Consistency-Token", env_.commands.token_of(shard, sequence));
                       // supabase-js carries no token, so the read models are waited for here.
                       env_.commands.wait_for(shard, sequence, wait_s * second_us,
                                              [out = std::make_shared<Response>(std::move(out)),
                                               respond = std::make_shared<Respond>(std::move(respond))](PositionWait wait) {
                                                if (wait.outcome != WaitOutcome::reached)
                                                  out->headers.emplace_back("Consistency-Lag", lag_text(wait));
                                                (*respond)(std::move(*out));
                                              });
                     });
}

}  // namespace guildhall
