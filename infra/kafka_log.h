// The log on Apache Kafka (design: the log; the protocol and its reasons: docs/kafka.md). Each shard is a partition of
// <platform>.events, written by two transactional producers in turn, whose ids name the shard: whoever opens it fences
// everybody else. With a batch, in the same transaction, go its commands for other shards (<platform>.inbox) and changed
// facts (<platform>.directory).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "events/event_log.h"
#include "infra/kafka_client.h"

namespace guildhall {

// Who serves a shard, as its writer last said when it opened.
struct ShardOwner {
  ShardNo shard = 0;
  Epoch epoch = 0;
  std::string address;  // Empty: it serves nobody.
};
// A message of the owners topic, or nothing when it is about something else. Throws CorruptLog.
std::optional<ShardOwner> parse_owner(std::string_view key, std::string_view value);

// A message of the directory topic. Throws CorruptLog.
DirectoryFact parse_directory_fact(std::string_view key, std::string_view value);

struct KafkaLogCounters {
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> commit_us{0};  // Of all commits together.
  std::atomic<std::uint64_t> aborted{0};
  std::atomic<std::uint64_t> fenced{0};
  std::atomic<std::uint64_t> unknown{0};
  std::atomic<std::uint64_t> opens{0};
  std::atomic<std::uint64_t> open_us{0};
};

// Thread-safe. Outlives its writers and readers.
class KafkaLog final : public EventLog {
 public:
  // Makes the topics and the log's identity where there are none: with `identity`'s platform, log id, shards and generation.
  // Throws LogError, also when a topic is set up wrongly or holds another log.
  static std::unique_ptr<KafkaLog> open_or_create(const KafkaOptions& options, const LogIdentity& identity);
  // Nothing when there is no log of the platform.
  static std::unique_ptr<KafkaLog> open_existing(const KafkaOptions& options, const std::string& platform);
  ~KafkaLog() override;

  const LogIdentity& identity() const override;
  std::unique_ptr<LogWriter> open(ShardNo shard) override;
  std::unique_ptr<LogReader> read(ShardNo shard, Sequence from) override;
  // As far as this process knows: what it wrote and read, and what refresh_end() found.
  LogEnd durable_end(ShardNo shard) const override;
  bool admits() const override {
    return true;
  }  // A broker that takes no more makes commits fail; the shards' queues bound the rest.
  void on_durable(std::function<void(ShardNo, Sequence)> listener) override;

  // Asks the brokers how far a shard goes. Throws LogError, CorruptLog.
  LogEnd refresh_end(ShardNo shard);
  // Behind the last entry of its inbox that any owner's batches consumed, as of the last open() of the shard here: a state that
  // was made anew does not know it.
  std::uint64_t inbox_position(ShardNo shard) const;
  // Told with the next writers that are opened.
  void set_address(std::string address);

  const KafkaOptions& options() const;
  const KafkaTopics& topics() const;
  const std::string& cluster_id() const;
  const KafkaLogCounters& counters() const;
  std::uint64_t zombie_records() const;

 private:
  class Writer;
  struct Shared;
  explicit KafkaLog(std::shared_ptr<Shared> shared);
  std::shared_ptr<Shared> shared_;
};

}  // namespace guildhall
