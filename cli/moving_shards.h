// Shards of a Kafka log in one of several processes. For each shard a thread: while the shard is another's it follows the log
// as a warm standby, when the group gives it to this process it opens it (which fences the one before), and serves it until the
// group takes it away or somebody else has fenced it. What waited in a shard that ended goes on to whoever has it then.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>

#include "cli/shard_host.h"
#include "infra/kafka_inbox.h"
#include "infra/kafka_membership.h"

namespace guildhall {

// The facts of all processes' accounts, from the first on.
std::unique_ptr<TopicFollower> follow_directory(const KafkaLog& log, ProcessDirectory& directory,
                                                std::function<void(const std::string& why)> failed);

struct MovingShardsOptions {
  std::string node;  // This process's name in the group. Empty: its host and port.
  std::chrono::milliseconds session{6'000};
  bool standby = true;  // Follow the log of shards that others serve.
  bool serves = true;   // False: only routes to the others.
};

struct MovingShardsHooks {
  // The shard is served here from now on, or no longer. From its thread.
  std::function<void(ShardNo, bool)> on_served = {};
  // A command whose shard ended before it was answered.
  std::function<void(CommandRequest, CommandDone)> resume = {};
  // Facts of other processes' accounts, when they may have been missed: see ShardEnvironment.
  std::function<void(const StreamId& absent, std::move_only_function<void(bool)> done)> directory_catch_up = {};
};

class MovingShards final : public ShardHost {
 public:
  MovingShards(KafkaLog& log, ShardParts parts, MovingShardsOptions options, MovingShardsHooks hooks);
  ~MovingShards() override;

  // While the group cannot count on this process its shards may be another's: then none is local.
  std::shared_ptr<Shard> local(ShardNo shard) const override;
  std::string owner(ShardNo shard) const override;
  // Joins the group as whoever is reached at that address. Returns at once; shards are served as they come.
  void start(const std::string& address) override;
  // Until what the group first gave to this process is served. False after `limit`.
  bool wait_until_settled(std::chrono::milliseconds limit);
  // Leaves the group, serves on until the others have the shards (or nobody comes), then ends.
  void stop() override;
  std::vector<std::shared_ptr<Shard>> serving() const override;

  std::uint64_t rebalances() const { return membership_ ? membership_->rebalances() : 0; }
  bool in_group() const { return !options_.serves || (membership_ && membership_->alive()); }

 private:
  struct Slot {
    explicit Slot(ShardNo n) : number(n) {}
    const ShardNo number;
    std::unique_ptr<RocksDbStateStore> store;
    std::thread thread;

    // Under mutex_.
    bool wanted = false;
    std::uint64_t fenced_at = 0;  // The assignment in which somebody else took it over; 0: none.
    std::shared_ptr<Shard> shard;
    Epoch epoch = 0;  // As which this process serves it.
    std::stop_source period;
    std::optional<std::chrono::steady_clock::time_point> give_up_at;  // Of a shard that is another's now.
  };

  void assign(const std::set<ShardNo>& shards);
  void owner_said(const ShardOwner& owner);
  void run(Slot& slot);
  bool may_open(const Slot& slot) const;
  bool catch_up(Slot& slot);
  void serve(Slot& slot);
  void hear_of_owners();
  void stand_by(Slot& slot);
  void watch(std::stop_token stop);
  template <class Ready>
  void wait(std::chrono::milliseconds limit, Ready ready);

  KafkaLog& log_;
  const ShardParts parts_;
  std::string address_;
  const MovingShardsOptions options_;
  const MovingShardsHooks hooks_;
  RocksDbBudget budget_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<ShardOwner> owners_;  // By shard; epoch 0: nobody yet.
  std::uint64_t assignment_ = 0;    // How often the group gave shards out.
  std::chrono::steady_clock::time_point assigned_at_{};
  bool ending_ = false;

  std::unique_ptr<TopicFollower> owner_follower_;
  std::unique_ptr<KafkaMembership> membership_;
  std::jthread watch_thread_;
};

}  // namespace guildhall
