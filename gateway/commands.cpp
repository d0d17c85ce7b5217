#include "gateway/commands.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "aggregates/username.h"
#include "events/check.h"
#include "events/codec.h"
#include "events/curriculum.h"
#include "gateway/hmac_sha256.h"
#include "gateway/problem.h"
#include "gateway/transcoder.h"

namespace guildhall {
namespace {

constexpr std::string_view register_type = "account.v1.RegisterAccount";
constexpr std::string_view username_type = "account.v1.ChangeUsername";
constexpr std::string_view hold_type = "claim.v1.HoldClaim";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Quoted (a structured-field string) or bare; visible ASCII without quotes inside.
std::optional<std::string_view> parse_idempotency_key(std::string_view header) {
  header = trimmed(header);
  if (header.size() >= 2 && header.front() == '"' && header.back() == '"') header = header.substr(1, header.size() - 2);
  if (header.empty() || header.size() > max_idempotency_key_bytes) return std::nullopt;
  for (const char c : header)
    if (c <= ' ' || c > '~' || c == '"' || c == '\\') return std::nullopt;
  return header;
}

struct Precondition {
  bool malformed = false;
  bool never = false;  // A weak tag: If-Match compares strongly (RFC 9110 §13.1.1).
  std::optional<std::uint64_t> version;
};
Precondition parse_if_match(std::string_view header) {
  Precondition out;
  header = trimmed(header);
  if (header.empty() || header == "*") return out;  // "*": the command itself says whether the resource must exist.
  if (header.starts_with("W/\"")) {
    out.never = true;
    return out;
  }
  std::uint64_t version = 0;
  if (header.size() < 3 || header.front() != '"' || header.back() != '"') {
    out.malformed = true;
    return out;
  }
  const auto digits = header.substr(1, header.size() - 2);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (error != std::errc{} || end != digits.data() + digits.size()) out.never = true;  // A tag that no resource of ours has.
  else out.version = version;
  return out;
}

// If-None-Match (RFC 9110 §13.1.2) compares weakly.
bool is_named(std::string_view tags, std::string_view etag) {
  if (trimmed(tags) == "*") return true;
  while (!tags.empty()) {
    const auto comma = tags.find(',');
    auto one = trimmed(tags.substr(0, comma));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == etag) return true;
    if (comma == std::string_view::npos) break;
    tags.remove_prefix(comma + 1);
  }
  return false;
}

// Trim and lower-case A–Z; frozen, because claim ids are made from it. (NFC: an email with characters beyond ASCII is taken as it
// came.)
std::string normalized_email(std::string_view email) {
  std::string out(trimmed(email));
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string principal_of(const Claims& claims) {
  if (claims.role == TokenRole::authenticated) return "user:" + to_string(*claims.sub);
  return std::string("role:") + std::string(name_of(claims.role));
}

Asker asker_of(const Claims& claims) {
  switch (claims.role) {
    case TokenRole::service_role: return {ActorKind::service, {}};
    case TokenRole::authenticated: return {ActorKind::user, *claims.sub};
    case TokenRole::anon: break;
  }
  return {};
}

Hash fingerprint_of(std::string_view type, std::string_view payload, std::string_view if_match) {
  thread_local Sha256 sha;
  sha.start();
  sha.add(type);
  sha.add({"\0", 1});
  sha.add(payload);
  sha.add(if_match);
  return sha.finish();
}

}  // namespace

void Commands::wait_for(ShardNo shard, Sequence sequence, Micros timeout_us, std::function<void(PositionWait)> done) const {
  if (!env_.wait || sequence == 0) return done({});
  env_.wait(shard, sequence, timeout_us, std::move(done));
}

std::string Commands::token_of(ShardNo shard, Sequence sequence) const {
  ConsistencyToken token;
  token.log_id = env_.log.identity().log_id;
  token.generation = env_.log.identity().generation;
  advance(token, {static_cast<std::uint16_t>(shard), sequence});
  return env_.tokens.encode(token);
}

std::optional<Response> Commands::refuse(const Request& request, const Claims& claims, const CommandSchema& command) const {
  const bool may = claims.role == TokenRole::service_role ? command.service_role
                                                          : claims.role == TokenRole::authenticated && command.authenticated;
  if (!may) return problem("forbidden", "the role " + std::string(name_of(claims.role)) + " may not send this command");
  if (env_.quota != nullptr && claims.role == TokenRole::authenticated) {
    const auto verdict = env_.quota->take(principal_of(claims), request.received_at);
    if (!verdict.allowed) {
      Response r = problem("quota_exceeded", {}, {}, static_cast<int>(verdict.retry_after_s));
      r.headers.emplace_back(rate_limit_policy_header_name, env_.quota->policy_header());
      r.headers.emplace_back(rate_limit_header_name, env_.quota->limit_header(verdict));
      return r;
    }
  }
  if (!request.body.empty()) {
    auto type = request.header("content-type");
    type = trimmed(type.substr(0, type.find(';')));
    if (type != "application/json") return problem("unsupported_media_type");
  }
  return std::nullopt;
}

std::expected<CommandIdentity, Response> Commands::identify(const Request& request, const Claims& claims,
                                                            const CommandSchema& command) {
  const auto header = request.header("idempotency-key");
  const auto key = parse_idempotency_key(header);
  if (!key && !header.empty())
    return std::unexpected(problem("invalid_request", "Idempotency-Key is 1 to 255 visible ASCII characters, bare or quoted"));
  if (!key && command.key_required) return std::unexpected(problem("idempotency_key_missing"));
  std::string input;
  if (!key) {
    // Without a key there is nothing to recognise a retry by: a fresh id.
    input = env_.id_seed + "/" + std::to_string(keyless_.fetch_add(1, std::memory_order_relaxed)) + "/" + request.request_id;
    return CommandIdentity{derive_root("command/fresh", input), false};
  }
  input = env_.platform;
  input += '\0';
  input += principal_of(claims);
  input += '\0';
  input += command.table->name;
  input += '\0';
  input += *key;
  return CommandIdentity{derive_root("command", input), true};
}

std::vector<ServerField> Commands::server_fields(const CommandSchema& command, const Claims& claims, const Uuid& free_id) const {
  std::vector<ServerField> out;
  if (command.table->name == register_type) {
    // A caller registers itself; service_role may name the account, else it gets a new one.
    const bool self = claims.role == TokenRole::authenticated;
    out.push_back({"id", self ? *claims.sub : derive_root("account", to_string(free_id)), true});
  }
  // The one group that no client names is the platform's curriculum.
  if (command.group != nullptr && command.group->server_set)
    out.push_back({command.group->name, curriculum_id_of(env_.platform)});
  return out;
}

void Commands::handle(const Request& request, const Claims& claims, const RouteFound& match, Respond respond) {
  const CommandSchema& command = *match.command;
  if (auto refused = refuse(request, claims, command)) return respond(std::move(*refused));
  const Preferences prefer = parse_prefer(request.header("prefer"));
  const auto identity = identify(request, claims, command);
  if (!identity) return respond(identity.error());
  auto payload = transcode(command, match.params, request.body, server_fields(command, claims, identity->id));
  if (!payload) return respond(invalid_request(payload.error()));

  send(
      request, claims, command, *identity, std::move(*payload),
      [this, prefer, keyed = identity->keyed, respond = std::move(respond)](std::expected<CommandResult, Response> sent) mutable {
        if (!sent) return respond(std::move(sent.error()));
        const ShardNo shard = sent->shard;
        const Sequence sequence = sent->sequence;
        sent->replayed = sent->replayed && keyed;
        Response out = response_of(std::move(*sent));
        if (!prefer.wait_s || out.status >= 400) return respond(std::move(out));
        out.headers.emplace_back("Preference-Applied", "wait=" + std::to_string(*prefer.wait_s));
        // Accepted stays accepted: a wait that times out only adds how far the read models are behind.
        wait_for(shard, sequence, *prefer.wait_s * second_us,
                 [out = std::make_shared<Response>(std::move(out)),
                  respond = std::make_shared<Respond>(std::move(respond))](PositionWait wait) {
                   if (wait.outcome != WaitOutcome::reached) out->headers.emplace_back("Consistency-Lag", lag_text(wait));
                   (*respond)(std::move(*out));
                 });
      });
}

void Commands::send(const Request& request, const Claims& claims, const CommandSchema& command, const CommandIdentity& identity,
                    std::string payload, Done done) {
  const auto if_match = parse_if_match(request.header("if-match"));
  if (if_match.malformed) return done(std::unexpected(problem("invalid_request", "If-Match is one ETag, such as \"7\"")));

  const Uuid group = group_of(command, payload);
  CHECK(!is_nil(group));
  CommandRequest out;
  out.command_id = with_bucket(identity.id, bucket_of(group));
  out.type = command.table->name;
  out.fingerprint = fingerprint_of(out.type, payload, request.header("if-match"));
  out.payload = std::move(payload);
  out.actor_kind = claims.role == TokenRole::service_role ? ActorKind::service : ActorKind::user;
  if (claims.sub && claims.role == TokenRole::authenticated) out.actor_id = *claims.sub;
  out.expected_version = if_match.version;
  if (if_match.never) out.expected_version = ~std::uint64_t{0};  // No stream gets there.
  if (out.type == register_type) return register_account(std::move(out), request.request_id, std::move(done));
  if (out.type == username_type) return change_username(std::move(out), request.request_id, std::move(done));
  env_.dispatcher.submit(std::move(out), request.request_id, std::move(done));
}

// Claim(email) → Register(account, claim id).
void Commands::register_account(CommandRequest request, std::string request_id, Done done) {
  account::RegisterAccount registration;
  CHECK(unpack(request.payload, registration));
  Wanted wanted{claim::email_kind, normalized_email(registration.email), registration.id, {}};
  wanted.fill = [registration = std::move(registration)](std::string& payload, const claim::HoldClaim& held,
                                                         std::uint64_t) mutable {
    registration.email_claim_id = held.claim_id;
    registration.email_hold_id = held.hold_id;
    payload = pack(registration);
  };
  hold_first(std::move(wanted), std::move(request), std::move(request_id), std::move(done));
}

// Claim(username) → Change(account, claim id). A generated one needs no claim: its form is nobody else's (A-PA-45).
void Commands::change_username(CommandRequest request, std::string request_id, Done done) {
  account::ChangeUsername change;
  CHECK(unpack(request.payload, change));
  if (has_generated_form(change.username))
    return env_.dispatcher.submit(std::move(request), std::move(request_id), std::move(done));
  Wanted wanted{claim::username_kind, normalized_username(change.username), change.account_id, {}};
  wanted.fill = [change = std::move(change)](std::string& payload, const claim::HoldClaim& held, std::uint64_t version) mutable {
    change.username_claim_id = held.claim_id;
    change.username_hold_id = held.hold_id;
    change.username_hold_version = version;
    payload = pack(change);
  };
  hold_first(std::move(wanted), std::move(request), std::move(request_id), std::move(done));
}

void Commands::hold_first(Wanted wanted, CommandRequest request, std::string request_id, Done done) {
  std::string claimed(wanted.kind);
  claimed += '\0';
  claimed += wanted.normalized;
  const Mac mac = HmacSha256(env_.claim_key).of(claimed);

  claim::HoldClaim hold;
  hold.claim_id = derive_root("claim", {mac.data(), mac.size()});
  hold.kind = wanted.kind;
  hold.account_id = wanted.account_id;
  CommandRequest first;
  first.command_id = derive_in_group("claim", request.command_id, 0, bucket_of(hold.claim_id));
  first.type = hold_type;
  hold.hold_id = first.command_id;
  first.payload = pack(hold);
  first.fingerprint = request.fingerprint;  // Of what the client sent: another body under the same key is refused here already.
  first.actor_kind = request.actor_kind;
  first.actor_id = request.actor_id;
  first.correlation_id = request.command_id;

  env_.dispatcher.submit(std::move(first), request_id,
                         [this, hold = std::move(hold), fill = std::move(wanted.fill), request = std::move(request), request_id,
                          done = std::move(done)](std::expected<CommandResult, Response> held) mutable {
                           if (!held || held->reply.status >= 300) return done(std::move(held));
                           fill(request.payload, hold, parse_if_match(held->reply.etag).version.value_or(0));
                           env_.dispatcher.submit(std::move(request), std::move(request_id), std::move(done));
                         });
}

Response Commands::response_of(CommandResult result) const {
  Response out{result.reply.status, {}, std::move(result.reply.body)};
  out.headers.reserve(6);
  out.headers.emplace_back("Content-Type", std::move(result.reply.content_type));
  if (!result.reply.etag.empty()) out.headers.emplace_back("ETag", std::move(result.reply.etag));
  if (result.reply.retry_after_s != 0) out.headers.emplace_back("Retry-After", std::to_string(result.reply.retry_after_s));
  if (!result.reply.location.empty()) out.headers.emplace_back("Location", std::move(result.reply.location));
  if (result.sequence != 0) out.headers.emplace_back("Consistency-Token", token_of(result.shard, result.sequence));
  if (result.replayed) out.headers.emplace_back("Idempotent-Replayed", "true");
  return out;
}

void Commands::look_up(const Request& request, const Claims& claims, const Uuid& command_id, Respond respond) {
  env_.dispatcher.look_up(command_id, asker_of(claims), request.request_id,
                          [this, command_id, respond = std::move(respond)](std::expected<CommandResult, Response> found) mutable {
                            if (!found) return respond(std::move(found.error()));
                            if (found->kind == CommandResult::Kind::not_found) return respond(problem("not_found"));
                            if (found->kind != CommandResult::Kind::replied)
                              return respond(problem("outcome_unknown", {}, command_id));
                            respond(response_of(std::move(*found)));
                          });
}

void Commands::show(const Request& request, const Claims& claims, const TableSchema& resource, const Uuid& id, Respond respond) {
  // "booking.v1.BookingView" is what the aggregate `booking` shows; its stream has the resource's id.
  const auto kind = stream_kind(resource.name.substr(0, resource.name.find('.')));
  CHECK(kind);
  env_.dispatcher.show({*kind, id}, asker_of(claims), request.request_id,
                       [this, known = std::string(request.header("if-none-match")),
                        respond = std::move(respond)](std::expected<CommandResult, Response> found) mutable {
                         if (!found) return respond(std::move(found.error()));
                         if (found->kind == CommandResult::Kind::not_found) return respond(problem("not_found"));
                         if (found->kind != CommandResult::Kind::replied) return respond(problem("log_unavailable"));
                         Response out = response_of(std::move(*found));
                         // Whoever asks sees what is theirs; nobody else may be given it from a cache.
                         out.headers.emplace_back("Cache-Control", "private, no-cache");
                         const auto etag = std::ranges::find(out.headers, "ETag", &std::pair<std::string, std::string>::first);
                         if (etag != out.headers.end() && is_named(known, etag->second)) {
                           out.status = 304;
                           out.body.clear();
                           std::erase_if(out.headers, [](const auto& header) { return header.first == "Content-Type"; });
                         }
                         respond(std::move(out));
                       });
}

}  // namespace guildhall
