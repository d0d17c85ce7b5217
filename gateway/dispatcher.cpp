#include "gateway/dispatcher.h"

#include <charconv>
#include <utility>

#include "events/check.h"
#include "events/codec.h"
#include "gateway/hmac_sha256.h"
#include "gateway/problem.h"
#include "gateway/transcoder.h"
#include "infra/base64url.h"

namespace guildhall {
namespace {

constexpr std::string_view peer_content_type = "application/octet-stream";

// Between peers: what happened to a request that no shard answered. Nothing was done.
constexpr int misdirected_status = 421;
constexpr int queue_full_status = 503;
constexpr int log_full_status = 507;

std::string authorization_of(const std::string& cluster_key) {
  if (cluster_key.empty()) return {};
  CHECK(cluster_key.size() >= cluster_key_bytes);
  const Mac mac = HmacSha256(cluster_key).of("peer/v1");
  return "Bearer " + base64url_encode({mac.data(), mac.size()});
}

// Its content type tells it from a problem of the listener's own, of which nobody knows what came before.
Response peer_response(int status, std::string body = {}) {
  return {status, {{"Content-Type", std::string(peer_content_type)}}, std::move(body)};
}

void count(std::atomic<std::uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

// A command or a question under way. One thread at a time has it, but for `settled`.
struct Dispatcher::Errand {
  ShardNo shard = 0;
  ShardRequest what;
  std::string request_id;
  Done done;
  CommandDone resumed;  // Instead of `done`.
  bool rerouted = false;
  std::atomic<bool> settled{false};  // A resumed command's time may end while a shard still works on it.

  bool is_command() const { return std::holds_alternative<CommandRequest>(what); }
  Uuid command_id() const { return is_command() ? std::get<CommandRequest>(what).command_id : Uuid{}; }
  void tell(CommandResult result) {
    if (settled.exchange(true)) return;
    if (resumed) resumed(std::move(result));
    else done(std::move(result));
  }
  void tell(Response problem) {
    if (!settled.exchange(true)) done(std::unexpected(std::move(problem)));
  }
};

Dispatcher::Dispatcher(DispatcherEnvironment environment)
    : env_(std::move(environment)), authorization_(authorization_of(env_.cluster_key)) {
  if (!authorization_.empty()) peers_ = std::make_unique<PeerClient>(authorization_, env_.limits.peer);
}
Dispatcher::~Dispatcher() { stop(); }

void Dispatcher::stop() {
  if (peers_) peers_->stop();
}

ShardNo Dispatcher::shard_of_request(const ShardRequest& request) const {
  return shard_of(place_of(request), env_.log.identity().shards);
}

// ---- from this process

void Dispatcher::submit(CommandRequest request, std::string request_id, Done done) {
  start(std::move(request), std::move(request_id), std::move(done));
}

void Dispatcher::look_up(const Uuid& command_id, const Asker& asker, std::string request_id, Done done) {
  start(ShardQuestion{command_id, {}, asker}, std::move(request_id), std::move(done));
}

void Dispatcher::show(const StreamId& stream, const Asker& asker, std::string request_id, Done done) {
  start(ShardQuestion{{}, stream, asker}, std::move(request_id), std::move(done));
}

void Dispatcher::start(ShardRequest what, std::string request_id, Done done) {
  const auto errand = std::make_shared<Errand>();
  errand->shard = shard_of_request(what);
  errand->what = std::move(what);
  errand->request_id = std::move(request_id);
  errand->done = std::move(done);
  route(errand);
}

void Dispatcher::route(const ErrandPtr& errand) {
  if (const std::shared_ptr<Shard> shard = env_.routes.local(errand->shard)) {
    CommandDone done = [this, errand](CommandResult result) { answered(errand, std::move(result)); };
    switch (hand(*shard, errand->what, done)) {
      case Handed::taken: return;
      case Handed::queue_full: return missed(errand, Miss::queue_full);
      case Handed::log_full: return missed(errand, Miss::log_full);
      case Handed::not_served: break;
    }
  }
  std::string owner = peers_ ? env_.routes.owner(errand->shard) : std::string();
  if (owner.empty()) return missed(errand, Miss::unavailable);
  count(counters_.forwarded);
  peers_->send({std::move(owner), std::string(peer_shards_path) + std::to_string(errand->shard), errand->request_id,
                encode_peer_request(errand->what)},
               [this, errand](PeerAnswer answer) { peer_answered(errand, std::move(answer)); });
}

Dispatcher::Handed Dispatcher::hand(Shard& shard, ShardRequest& request, CommandDone& done) const {
  bool taken = false;
  if (auto* command = std::get_if<CommandRequest>(&request)) {
    if (!env_.log.admits()) return Handed::log_full;
    taken = shard.submit(*command, done);
  } else {
    if (shard.ended()) return Handed::not_served;
    const auto& question = std::get<ShardQuestion>(request);
    taken = question.stream ? shard.show(*question.stream, question.asker, done)
                            : shard.look_up(question.command_id, question.asker, done);
  }
  if (taken) return Handed::taken;
  return shard.ended() ? Handed::not_served : Handed::queue_full;
}

void Dispatcher::peer_answered(const ErrandPtr& errand, PeerAnswer answer) {
  if (answer.kind == PeerAnswer::Kind::not_sent) return missed(errand, Miss::unavailable);
  const bool from_dispatcher = answer.kind == PeerAnswer::Kind::answered && answer.content_type == peer_content_type;
  if (from_dispatcher && answer.status == 200) {
    auto result = decode_peer_result(answer.body);
    if (result && result->shard == errand->shard) return answered(errand, std::move(*result));
  } else if (from_dispatcher && answer.status == misdirected_status) {
    return missed(errand, Miss::misdirected);
  } else if (from_dispatcher && answer.status == queue_full_status) {
    return missed(errand, Miss::queue_full);
  } else if (from_dispatcher && answer.status == log_full_status) {
    return missed(errand, Miss::log_full);
  } else if (answer.status == 413) {
    return missed(errand, Miss::too_large);
  } else if (answer.status >= 400 && answer.status < 500) {
    // Something else listens there now, or it is a peer with another key.
    count(counters_.refused);
    return missed(errand, Miss::unavailable);
  }
  count(counters_.lost);
  missed(errand, Miss::lost);
}

void Dispatcher::answered(const ErrandPtr& errand, CommandResult result) {
  using Kind = CommandResult::Kind;
  if (result.kind == Kind::moved && !errand->is_command()) return missed(errand, Miss::misdirected);
  if (errand->resumed) return errand->tell(std::move(result));
  if (result.kind == Kind::behind) return errand->tell(problem("directory_behind", {}, errand->command_id()));
  if (result.kind != Kind::replied && errand->is_command())
    return errand->tell(problem("outcome_unknown", {}, errand->command_id()));
  errand->tell(std::move(result));
}

void Dispatcher::missed(const ErrandPtr& errand, Miss miss) {
  if (miss == Miss::misdirected) count(counters_.misdirected);
  if (errand->resumed) return park(errand);
  const Uuid id = errand->command_id();
  switch (miss) {
    case Miss::misdirected:
      // Nothing was taken. Who answered so may know of a change that we hear of only now.
      if (!std::exchange(errand->rerouted, true)) return route(errand);
      return errand->tell(problem("shard_unavailable", {}, id));
    case Miss::unavailable: return errand->tell(problem("shard_unavailable", {}, id));
    case Miss::queue_full: return errand->tell(problem("overloaded", {}, id));
    case Miss::log_full: return errand->tell(problem("storage_full", {}, {}, 10));
    case Miss::too_large: return errand->tell(problem("too_large", {}, id));
    case Miss::lost: return errand->tell(problem(errand->is_command() ? "outcome_unknown" : "shard_unavailable", {}, id));
  }
}

// ---- commands whose shard ended here

void Dispatcher::resume(CommandRequest request, CommandDone done) {
  count(counters_.resumed);
  const auto errand = std::make_shared<Errand>();
  errand->request_id = to_string(is_nil(request.correlation_id) ? request.command_id : request.correlation_id);
  errand->what = std::move(request);
  errand->resumed = std::move(done);
  errand->shard = shard_of_request(errand->what);
  const auto give_up = [errand] {
    CommandResult unknown;
    unknown.shard = errand->shard;
    errand->tell(std::move(unknown));
  };
  if (!peers_ || !peers_->later(env_.limits.resume_for_us, give_up)) return give_up();
  route(errand);
}

void Dispatcher::park(const ErrandPtr& errand) {
  if (errand->settled) return;
  {
    const std::lock_guard lock(mutex_);
    parked_.push_back(errand);
    if (std::exchange(will_route_, true)) return;
  }
  // Refused when the client stops, which ends the time of all that is parked.
  peers_->later(env_.limits.resume_every_us, [this] { route_parked(); });
}

void Dispatcher::route_parked() {
  std::deque<ErrandPtr> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(parked_);
    will_route_ = false;
  }
  for (const ErrandPtr& errand : ready)
    if (!errand->settled) route(errand);
}

// ---- from a peer

std::optional<Response> Dispatcher::refuse(const Request& request) const {
  if (!has_peers()) return problem("not_found");
  if (!equal_in_constant_time(request.header("authorization"), authorization_)) return problem("unauthenticated");
  if (!request.path.starts_with(peer_shards_path)) return problem("not_found");
  if (request.method != Method::post) {
    Response refused = problem("method_not_allowed");
    refused.headers.emplace_back("Allow", "POST");
    return refused;
  }
  if (request.header("content-type") != peer_content_type) return problem("unsupported_media_type");
  return std::nullopt;
}

// The gateway that sent it has checked all this, but its word is not enough: a shard aborts on bytes that are no command.
bool Dispatcher::is_credible(const ShardRequest& request) const {
  const auto* command = std::get_if<CommandRequest>(&request);
  if (command == nullptr) return std::get<ShardQuestion>(request).asker.kind != ActorKind::system;
  const CommandSchema* schema = env_.schemas.command(command->type);
  if (schema == nullptr || !decode_command(command->type, command->payload)) return false;
  if (!is_acceptable(*schema->table, command->payload)) return false;
  if (command->actor_kind != ActorKind::user && command->actor_kind != ActorKind::service) return false;
  const Uuid group = group_of(*schema, command->payload);
  return !is_nil(group) && bucket_of(group) == bucket_of(command->command_id);
}

void Dispatcher::handle_peer(const Request& request, Respond respond) {
  if (auto refused = refuse(request)) return respond(std::move(*refused));
  const std::string_view number = std::string_view(request.path).substr(peer_shards_path.size());
  ShardNo shard = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), shard);
  if (error != std::errc{} || end != number.data() + number.size() || shard >= env_.log.identity().shards)
    return respond(problem("not_found"));
  auto asked = decode_peer_request(request.body);
  if (!asked || !is_credible(*asked)) return respond(problem("invalid_request", "the body is not a peer's request"));
  if (shard_of_request(*asked) != shard) return respond(problem("invalid_request", "the id belongs to another shard"));

  const auto misdirected = [this](Respond& answer) {
    count(counters_.misdirected);
    answer(peer_response(misdirected_status));
  };
  const std::shared_ptr<Shard> local = env_.routes.local(shard);
  if (!local) return misdirected(respond);
  // On refusal the shard leaves `done` alone, and with it the way to answer.
  const auto shared = std::make_shared<Respond>(std::move(respond));
  CommandDone done = [misdirected, shared](CommandResult result) {
    if (result.kind == CommandResult::Kind::moved) return misdirected(*shared);
    (*shared)(peer_response(200, encode_peer_result(result)));
  };
  switch (hand(*local, *asked, done)) {
    case Handed::taken: return count(counters_.for_peers);
    case Handed::queue_full: return (*shared)(peer_response(queue_full_status));
    case Handed::log_full: return (*shared)(peer_response(log_full_status));
    case Handed::not_served: return misdirected(*shared);
  }
}

}  // namespace guildhall
