// Reading partitions: consumers without a group, and the log's reader on top of one. Correctness does not rest on what the
// broker promises: every record is compared with its derived headers, records of a writer that was taken over are dropped, and
// sequence, batch and chain are checked (kafka.md §2).
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "infra/kafka_client.h"

struct rd_kafka_queue_s;

namespace guildhall {

// Consumers are dear (threads, connections): a few idle ones are kept. Thread-safe.
class KafkaConsumers {
 public:
  explicit KafkaConsumers(KafkaOptions options) : options_(std::move(options)) {}
  // Much is fetched at once by who reads on, little by who looks at one record here and there.
  enum class Fetch { much, little };
  KafkaClient take(Fetch fetch = Fetch::much);
  void give_back(KafkaClient consumer, Fetch fetch = Fetch::much);

 private:
  KafkaOptions options_;
  std::mutex mutex_;
  std::array<std::vector<KafkaClient>, 2> idle_;  // By Fetch.
};

struct KafkaQueueClose {
  void operator()(rd_kafka_queue_s* queue) const;
};
using KafkaQueue = std::unique_ptr<rd_kafka_queue_s, KafkaQueueClose>;

// One partition, from an offset on, by librdkafka's simple consumer, which knows no group. One thread at a time; `arrived` is
// called from a thread of the client.
class PartitionConsumer {
 public:
  PartitionConsumer(std::shared_ptr<KafkaConsumers> consumers, const std::string& topic, std::int32_t partition,
                    std::function<void()> arrived = {}, KafkaConsumers::Fetch fetch = KafkaConsumers::Fetch::much);
  ~PartitionConsumer();
  PartitionConsumer(const PartitionConsumer&) = delete;
  PartitionConsumer& operator=(const PartitionConsumer&) = delete;

  void start_at(std::int64_t offset);
  // nullptr: nothing within the time, or the end was reached (see at_end). Throws LogError when the position is gone.
  KafkaMessage poll(std::chrono::milliseconds timeout);
  // The offset of the last stable end that poll() came to, and has not gone beyond; else nothing.
  std::optional<std::int64_t> at_end() const { return end_; }
  KafkaOffsets offsets(std::chrono::milliseconds timeout);

 private:
  void stop();

  std::shared_ptr<KafkaConsumers> consumers_;
  const std::int32_t partition_;
  const KafkaConsumers::Fetch fetch_;
  std::function<void()> arrived_;
  KafkaClient client_;
  KafkaTopic topic_;
  KafkaQueue queue_;
  bool started_ = false;
  std::optional<std::int64_t> end_;
};

// What a process knows of one shard of the events topic: from its own writes and from all it reads. Thread-safe.
class KafkaShardTrack {
 public:
  LogEnd end() const;
  std::int64_t end_offset() const;  // Behind the last record that is known.
  // Ends never go back.
  void reached(const LogEnd& end, std::int64_t next_offset);
  // A verified record's place, for finding others: a few are kept. A negative offset is none.
  void seen(Sequence sequence, std::int64_t offset);
  // The nearest known places at or before and after a sequence.
  struct Place {
    Sequence sequence = 0;
    std::int64_t offset = 0;
  };
  Place at_or_before(Sequence sequence) const;
  std::optional<Place> after(Sequence sequence) const;

 private:
  static constexpr Sequence spacing = 4096;
  mutable std::mutex mutex_;
  LogEnd end_;
  std::int64_t end_offset_ = 0;
  std::map<Sequence, std::int64_t> places_;
};

struct KafkaReaderCounters {
  std::atomic<std::uint64_t> zombie_records{0};     // Of writers that had been taken over: dropped.
  std::atomic<std::uint64_t> duplicate_records{0};  // The same record once more: skipped.
  std::atomic<std::uint64_t> probes{0};             // Places that were looked at to find where a reader starts.
};

class KafkaReader final : public LogReader {
 public:
  // `arrived`: more may be there.
  KafkaReader(const std::shared_ptr<KafkaConsumers>& consumers, const std::string& topic, const LogIdentity& identity,
              ShardNo shard, Sequence from, std::shared_ptr<KafkaShardTrack> track, std::shared_ptr<KafkaReaderCounters> counters,
              std::function<void()> arrived);
  const Record* next() override;

 private:
  bool collect();
  bool take(const rd_kafka_message_s& message);
  void remember(Sequence sequence, const Hash& chain);
  void keep(const Record& record);
  void start_at(std::int64_t offset);
  void find_start(PartitionConsumer& probe);

  const LogIdentity identity_;
  const ShardNo shard_;
  const Sequence from_;
  std::shared_ptr<KafkaShardTrack> track_;
  std::shared_ptr<KafkaReaderCounters> counters_;
  PartitionConsumer consumer_;
  std::optional<RecordVerifier> verifier_;  // Nothing until the record before `from` was met.
  Epoch base_epoch_ = 0;                    // Of that record.
  Hash base_{};
  bool based_ = false;
  std::int64_t started_at_ = 0;

  // One batch: bytes in words, so that payloads are aligned, and where its records lie.
  struct Kept {
    Sequence sequence;
    std::size_t header_at, header_length, payload_at, payload_length;
    Hash chain;
  };
  std::vector<std::uint64_t> words_;
  std::size_t used_words_ = 0;
  std::vector<Kept> batch_;
  std::size_t at_ = 0;
  bool whole_ = false;
  Record record_;
  std::deque<std::pair<Sequence, Hash>> recent_;  // To tell a duplicate from a fork.
};

// The last record of a shard, as far as brokers show it: verified by itself, not against those before it. Throws CorruptLog, also
// when it does not end its batch.
struct KafkaTail {
  LogEnd end;
  Epoch epoch = 0;
  std::int64_t next_offset = 0;
};
KafkaTail find_tail(PartitionConsumer& consumer, const LogIdentity& identity, std::chrono::milliseconds timeout);

}  // namespace guildhall
