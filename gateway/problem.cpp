#include "gateway/problem.h"

#include <array>

#include "events/check.h"
#include "events/codec.h"

namespace guildhall {
namespace {

constexpr std::array codes{
    GatewayCode{"invalid_request", 400, "The request is malformed",
                "`errors` says what is wrong at each place, `detail` what is wrong with the request."},
    GatewayCode{"idempotency_key_missing", 400, "This command needs an Idempotency-Key",
                "Send a fresh UUID, and the same one on retries."},
    GatewayCode{"invalid_cursor", 400, "The cursor does not apply here", "Begin again without `after`."},
    GatewayCode{"token_not_applicable", 400, "The Consistency-Token is not one of this log", "Send it as it was received."},
    GatewayCode{"unauthenticated", 401, "A valid token is needed", "Send it as `Authorization: Bearer …`."},
    GatewayCode{"forbidden", 403, "The token's role may not do this", ""},
    GatewayCode{"not_found", 404, "There is nothing here", "GET /v1/openapi.json lists what there is."},
    GatewayCode{"method_not_allowed", 405, "The method is not allowed here", "See the Allow header."},
    GatewayCode{"too_large", 413, "The body is too large", ""},
    GatewayCode{"unsupported_media_type", 415, "The body must be application/json", ""},
    GatewayCode{"idempotency_key_reused", 422, "The Idempotency-Key was used for another request",
                "Use a fresh key for a new request."},
    GatewayCode{"quota_exceeded", 429, "Too many requests", "Wait as long as Retry-After says.", true},
    GatewayCode{"outcome_unknown", 503, "The outcome is not known yet",
                "Retry with the same Idempotency-Key, or ask GET /v1/commands/{command_id}.", true},
    GatewayCode{"overloaded", 503, "The server is busy", "Nothing was done. Retry.", true},
    GatewayCode{"shard_unavailable", 503, "The shard that decides this can't be reached", "Nothing was done. Retry.", true},
    GatewayCode{"directory_behind", 503, "Facts of other groups are not all here yet", "Nothing was done. Retry.", true},
    GatewayCode{"log_unavailable", 503, "The log can't be reached", "Retry with the same Idempotency-Key.", true},
    GatewayCode{"storage_full", 503, "The disk is nearly full", "Reads go on. Nothing was done.", true},
    GatewayCode{"internal_error", 503, "The server failed", "Report it with the X-Request-Id."},
    GatewayCode{"projection_behind", 503, "The read model is not that far yet", "Retry.", true},
    GatewayCode{"shutting_down", 503, "The server is stopping", "Nothing was done. Retry.", true},
};

static_assert([] {
  for (std::size_t i = 0; i < codes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (codes[i].name == codes[j].name) return false;
  return true;
}(), "a code stands for one thing");

void member(std::string& out, std::string_view name, std::string_view value) {
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
  out += ',';
}

// Field order is fixed: stored replies come back byte for byte, and code changes must not reorder them.
std::string body(std::string_view code, std::string_view title, int status, std::string_view detail, std::string_view hint,
                 bool retryable, std::string_view rule, const Uuid& command_id, std::span<const Problem> problems) {
  std::string out = "{";
  member(out, "type", "/docs/errors/" + std::string(code));
  member(out, "title", title);
  out += "\"status\":" + std::to_string(status) + ',';
  member(out, "code", code);
  if (!detail.empty()) member(out, "detail", detail);
  if (!rule.empty()) member(out, "rule", rule);
  if (!problems.empty()) {
    out += "\"errors\":[";
    for (const Problem& p : problems) {
      out += '{';
      member(out, "pointer", p.pointer);
      member(out, "code", name_of(p.code));
      member(out, "detail", p.detail);
      out.back() = '}';
      out += ',';
    }
    out.back() = ']';
    out += ',';
  }
  if (!hint.empty()) member(out, "hint", hint);
  // Foreign and absent must be the same bytes, so a 404 carries nothing of the request.
  if (status != 404 && !is_nil(command_id)) member(out, "command_id", to_string(command_id));
  out += retryable ? "\"retryable\":true}" : "\"retryable\":false}";
  return out;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          constexpr char hex[] = "0123456789abcdef";
          out += "\\u00";
          out += hex[c >> 4 & 15];
          out += hex[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

std::span<const GatewayCode> gateway_codes() { return codes; }

const GatewayCode& gateway_code(std::string_view name) {
  for (const auto& c : codes)
    if (c.name == name) return c;
  CHECK(!"a code of the gateway's table");
  std::unreachable();
}

int http_status(Kind kind) {
  switch (kind) {
    case Kind::invalid: return 422;
    case Kind::forbidden: return 403;
    case Kind::not_found: return 404;
    case Kind::conflict: return 409;
    case Kind::precondition: return 412;
  }
  std::unreachable();
}

Response problem(std::string_view code, std::string_view detail, const Uuid& command_id, int retry_after_s) {
  const GatewayCode& c = gateway_code(code);
  Response r{c.status,
             {{"Content-Type", std::string(problem_content_type)}},
             body(c.name, c.title, c.status, detail, c.hint, c.retryable, {}, command_id, {})};
  if (c.status == 503 || c.status == 429) r.headers.emplace_back("Retry-After", std::to_string(retry_after_s));
  if (c.status == 401) r.headers.emplace_back("WWW-Authenticate", "Bearer");
  return r;
}

Response invalid_request(std::span<const Problem> problems) {
  const GatewayCode& c = gateway_code("invalid_request");
  return {c.status,
          {{"Content-Type", std::string(problem_content_type)}},
          body(c.name, c.title, c.status, {}, c.hint, c.retryable, {}, {}, problems)};
}

Reply HttpReplies::accepted(const AnyResource& resource, std::uint64_t version, bool created) const {
  const auto* table = schemas_.table(type_name(resource));
  CHECK(table != nullptr);
  Reply reply;
  reply.status = created ? 201 : 200;
  reply.etag = '"' + std::to_string(version) + '"';
  reply.content_type = "application/json";
  const std::string bytes = encode(resource);
  auto json = to_json(*table, bytes, {.verified = true});
  CHECK(json);
  reply.body = std::move(*json);
  if (created && !table->location.empty()) {
    constexpr std::string_view id_place = "{id}";
    const auto* id = table->field("id");
    const auto at = table->location.find(id_place);
    CHECK(id != nullptr && at != std::string_view::npos);
    reply.location = std::string(table->location.substr(0, at)) + to_string(uuid_field(bytes, *id)) +
                     std::string(table->location.substr(at + id_place.size()));
  }
  return reply;
}

Reply HttpReplies::rejected(const Rejection& rejection, const Uuid& command_id) const {
  const RejectionEntry& e = entry(rejection.code);
  const int status = http_status(e.kind);
  Reply reply;
  reply.status = static_cast<std::uint16_t>(status);
  reply.content_type = problem_content_type;
  reply.retry_after_s = rejection.retry_after_s;
  reply.body = body(e.name, e.title, status, rejection.detail, e.hint, false, e.rule, command_id, {});
  return reply;
}

Reply HttpReplies::key_reused(const Uuid& command_id) const {
  Response r = problem("idempotency_key_reused", {}, command_id);
  return {static_cast<std::uint16_t>(r.status), {}, {}, std::string(problem_content_type), std::move(r.body)};
}

}  // namespace guildhall
