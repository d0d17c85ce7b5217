// Sends a command or a question to its shard, in this process or in the one that owns the shard just now: one HTTP hop at most.
//
// The trust boundary between processes is here. What a peer sends carries the actor that its gateway authenticated, and is
// believed: whoever has the cluster key can act as anybody. So the internal route exists only where a cluster key is configured,
// takes a token derived from that key and no other (a user's token does not open it, and this one opens nothing else), and looks
// at the bytes as closely as the gateway looks at a client's JSON.
#pragma once

#include <atomic>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "aggregates/shard/shard.h"
#include "gateway/http.h"
#include "gateway/peer_client.h"
#include "gateway/peer_wire.h"
#include "gateway/schema.h"

namespace guildhall {

inline constexpr std::string_view internal_path = "/internal/";
inline constexpr std::string_view peer_shards_path = "/internal/v1/shards/";
inline constexpr std::size_t cluster_key_bytes = 32;  // At least.

// Who serves a shard just now. Any thread; changes while the process runs.
class ShardRoutes {
 public:
  virtual ~ShardRoutes() = default;
  // nullptr: not served here, or not open yet.
  virtual std::shared_ptr<Shard> local(ShardNo shard) const = 0;
  // "http://host:port" of another process; empty: nobody is known, or it is ourselves.
  virtual std::string owner(ShardNo shard) const = 0;
};

struct DispatcherLimits {
  Micros resume_for_us = 5 * second_us;     // After which a command that looks for its new owner is told as unknown.
  Micros resume_every_us = second_us / 20;  // Between its tries.
  PeerLimits peer;
};

struct DispatcherEnvironment {
  const EventLog& log;
  const SchemaCatalogue& schemas;
  const ShardRoutes& routes;
  std::string cluster_key = {};  // Shared by the processes; empty: there are no others.
  DispatcherLimits limits = {};
};

struct DispatcherCounters {
  std::atomic<std::uint64_t> forwarded{0};    // Sent to a peer.
  std::atomic<std::uint64_t> for_peers{0};    // Taken from one by a shard of this process.
  std::atomic<std::uint64_t> misdirected{0};  // Answered 421, by us or by a peer.
  std::atomic<std::uint64_t> refused{0};      // By a peer that did not understand or trust us: keys or versions differ.
  std::atomic<std::uint64_t> lost{0};         // Sent, and no whole answer came.
  std::atomic<std::uint64_t> resumed{0};
};

// Any thread. Callbacks come on the caller's, a shard's or the peer client's thread, exactly once.
class Dispatcher {
 public:
  // The result of a command that a shard replied to, or of a question that one answered; else a problem.
  using Done = std::move_only_function<void(std::expected<CommandResult, Response>)>;

  explicit Dispatcher(DispatcherEnvironment environment);
  // stop().
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // `request_id` goes to the peer, for its log. A command may reach a shard twice: by its id it is decided once. Where it may
  // have been decided and nobody said so, the problem is outcome_unknown; every other problem says that nothing was done.
  void submit(CommandRequest request, std::string request_id, Done done);
  void look_up(const Uuid& command_id, const Asker& asker, std::string request_id, Done done);
  void show(const StreamId& stream, const Asker& asker, std::string request_id, Done done);

  // A command that waited in a shard of this process when the shard ended; it may be in the log or not. Goes to the new owner,
  // again and again until one answers, for limits.resume_for_us; then it is `unknown`. Never refused because of the move. Without
  // a cluster key there is no other owner: unknown at once.
  void resume(CommandRequest request, CommandDone done);

  // Whether the internal route exists.
  bool has_peers() const { return peers_ != nullptr; }
  // A request under internal_path, from a peer or from whoever tries. Answered by a shard of this process, else 421.
  void handle_peer(const Request& request, Respond respond);

  // Answers all that waits for a peer or for an owner. For when the listener and the shards have ended; repeatable.
  void stop();

  const DispatcherCounters& counters() const { return counters_; }

 private:
  struct Errand;
  using ErrandPtr = std::shared_ptr<Errand>;
  enum class Handed : std::uint8_t { taken, queue_full, log_full, not_served };
  enum class Miss : std::uint8_t { misdirected, unavailable, queue_full, log_full, too_large, lost };

  ShardNo shard_of_request(const ShardRequest& request) const;
  Handed hand(Shard& shard, ShardRequest& request, CommandDone& done) const;
  void start(ShardRequest what, std::string request_id, Done done);
  void route(const ErrandPtr& errand);
  void peer_answered(const ErrandPtr& errand, PeerAnswer answer);
  void answered(const ErrandPtr& errand, CommandResult result);
  void missed(const ErrandPtr& errand, Miss miss);
  void park(const ErrandPtr& errand);
  void route_parked();
  // Why a peer's request is not taken at all.
  std::optional<Response> refuse(const Request& request) const;
  bool is_credible(const ShardRequest& request) const;

  DispatcherEnvironment env_;
  DispatcherCounters counters_;
  std::string authorization_;  // What peers send and are expected to send.
  std::mutex mutex_;
  std::deque<ErrandPtr> parked_;       // Resumed commands between two tries.
  bool will_route_ = false;            // route_parked() is under way.
  std::unique_ptr<PeerClient> peers_;  // Last: its thread ends before the rest goes.
};

}  // namespace guildhall
