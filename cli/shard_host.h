// The shards that this process serves: all of an embedded log for as long as it runs (LocalShards), or those of a Kafka log
// that the group gives it (moving_shards.h).
#pragma once

#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "aggregates/shard/shard.h"
#include "gateway/dispatcher.h"
#include "infra/rocksdb_state_store.h"
#include "infra/segment_log.h"

namespace guildhall {

// What every shard of a platform is made of, but for its log. All of it outlives the host.
struct ShardParts {
  const Clock& clock;
  const ReplyFormat& format;
  const PlatformPolicy& policy;
  const TimeZones& zones;
  ProcessDirectory& directory;
  std::filesystem::path state;  // Holds state/<shard>: made anew from the log when it is lost.
  std::function<void(const Effect&, bool wanted)> on_effect;
  std::function<void(const std::string& why)> failed;  // The process must end. Any thread.
  bool accept_loss = false;
};

class ShardHost : public ShardRoutes {
 public:
  // `address`: where other processes reach this one.
  virtual void start(const std::string& address) = 0;
  // Everything that was taken is answered; afterwards nothing is served. Not after a failure.
  virtual void stop() = 0;
  virtual std::vector<std::shared_ptr<Shard>> serving() const = 0;
};

// The environment of a shard; what differs between hosts is filled in by them.
ShardEnvironment environment_of(const ShardParts& parts, EventLog& log, StateStore& store);
// Says once a second how far a shard's replay is.
Shard::Progress replay_progress(const Clock& clock, ShardNo shard);
// The shard's folder, emptied and made anew when it is damaged: the log is the truth.
std::unique_ptr<RocksDbStateStore> open_state(const ShardParts& parts, ShardNo shard, RocksDbBudget& budget);
void discard_state(const ShardParts& parts, ShardNo shard, const std::string& why);

class LocalShards final : public ShardHost {
 public:
  // Opens every shard; serves from start() on. Throws LogError, CorruptLog, StateStoreError.
  LocalShards(SegmentLog& log, ShardParts parts);

  std::shared_ptr<Shard> local(ShardNo shard) const override { return shards_[shard]; }
  std::string owner(ShardNo) const override { return {}; }
  void start(const std::string& address) override;
  void stop() override;
  std::vector<std::shared_ptr<Shard>> serving() const override { return shards_; }

 private:
  void open(ShardNo shard);

  SegmentLog& log_;
  const ShardParts parts_;
  RocksDbBudget budget_;
  std::vector<std::unique_ptr<RocksDbStateStore>> stores_;
  std::vector<std::shared_ptr<Shard>> shards_;
  std::vector<std::jthread> threads_;
};

}  // namespace guildhall
