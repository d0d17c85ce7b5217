// What every part of the Kafka log shares: where the brokers are, how a client is made, and handles that free themselves. Traps
// of librdkafka 2.0.2 that the settings here avoid: docs/kafka.md.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "events/event_log.h"

struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_message_s;
struct rd_kafka_topic_partition_list_s;

namespace guildhall {

// The timeouts of transactions by how much the cluster can lose (kafka.md §2): recovery after kill -9 comes from fencing, not
// from them.
struct TransactionTimes {
  std::chrono::milliseconds transaction;  // transaction.timeout.ms
  std::chrono::milliseconds socket;       // socket.timeout.ms and message.timeout.ms
  std::chrono::milliseconds commit;       // After which a commit's outcome is unknown.
};
inline constexpr TransactionTimes one_broker_times{std::chrono::seconds(10), std::chrono::milliseconds(9900),
                                                   std::chrono::seconds(8)};
inline constexpr TransactionTimes replicated_times{std::chrono::seconds(45), std::chrono::seconds(40), std::chrono::seconds(35)};

struct KafkaOptions {
  std::string brokers;  // host:port, comma-separated.
  std::string topics;   // What the names of topics, transactional ids and groups begin with. Empty: the platform.
  // Passed through: security.protocol, sasl.*, ssl.*, client.rack. What the guarantees rest on cannot be set from outside.
  std::map<std::string, std::string> properties;
  int replication = 0;               // Of topics that are made here. 0: 3, or 1 where there are fewer than three brokers.
  std::string compression = "none";  // none, lz4, zstd, snappy or gzip: of event batches.
  std::string address;  // "http://host:port" of this process for the others; told when a shard is opened. Empty: none.
  std::chrono::milliseconds connect_timeout{15'000};  // For the brokers to answer at start.
  std::optional<TransactionTimes> times;              // Tests hurry. Else they follow from the number of brokers.
};

struct KafkaTopics {
  explicit KafkaTopics(const std::string& beginning)
      : prefix(beginning),
        events(prefix + ".events"),
        inbox(prefix + ".inbox"),
        owners(prefix + ".owners"),
        directory(prefix + ".directory") {}
  std::string prefix;     // Also of transactional ids and of groups.
  std::string events;     // One partition a shard.
  std::string inbox;      // One partition a shard: commands that other shards' reactions sent.
  std::string owners;     // One partition, compacted: who serves which shard, and the log's identity.
  std::string directory;  // One partition a shard, compacted: facts about streams.
};

// Which properties may be passed through. Throws LogError with the name of one that may not.
void check_kafka_properties(const std::map<std::string, std::string>& properties);

struct KafkaClientClose {
  void operator()(rd_kafka_s* client) const;
};
// Destroyed without waiting for what is on its way.
using KafkaClient = std::unique_ptr<rd_kafka_s, KafkaClientClose>;

struct KafkaTopicClose {
  void operator()(rd_kafka_topic_s* topic) const;
};
using KafkaTopic = std::unique_ptr<rd_kafka_topic_s, KafkaTopicClose>;

struct KafkaMessageClose {
  void operator()(rd_kafka_message_s* message) const;
};
using KafkaMessage = std::unique_ptr<rd_kafka_message_s, KafkaMessageClose>;

// What one client tells while it works; it outlives the client. Set before the client is made.
struct KafkaClientEvents {
  // About one request of Kafka's protocol, by its api key: it stands in the socket; its answer is there, whatever that says, or
  // will not come (told twice at times, before the next of its kind is sent). From a thread of the client, which must not be
  // called. May be empty.
  std::function<void(std::int16_t api)> request_sent;
  std::function<void(std::int16_t api, bool answered)> request_ended;
  std::function<void(bool assigned, rd_kafka_topic_partition_list_s*)> rebalanced;
};

// Throws LogError. `settings` come last and win over the defaults. `delivered` is given `events` as its opaque.
KafkaClient make_kafka_producer(const KafkaOptions& options, const std::map<std::string, std::string>& settings,
                                KafkaClientEvents& events,
                                void (*delivered)(rd_kafka_s*, const rd_kafka_message_s*, void* events));
// read_committed, no stored offsets, ends of partitions are told, a lost position is an error.
KafkaClient make_kafka_consumer(const KafkaOptions& options, const std::map<std::string, std::string>& settings = {});

// A consumer for subscribe(), whose assignments and revocations come to `events.rebalanced`, from poll().
KafkaClient make_kafka_member(const KafkaOptions& options, const std::map<std::string, std::string>& settings,
                              KafkaClientEvents& events);

// Of the cluster: waits until brokers answer. Throws LogError (retryable) when none does within the connect timeout.
struct ClusterDescription {
  std::string id;
  int brokers = 0;
};
ClusterDescription describe_cluster(rd_kafka_s* client, std::chrono::milliseconds timeout);

// The last stable offset of a partition, where a read_committed reader ends. Throws LogError when nobody answers in time.
std::int64_t query_end(rd_kafka_s* consumer, const std::string& topic, std::int32_t partition, std::chrono::milliseconds timeout);
// [low, high): high is that end.
struct KafkaOffsets {
  std::int64_t low = 0;
  std::int64_t high = 0;
};
KafkaOffsets query_offsets(rd_kafka_s* consumer, const std::string& topic, std::int32_t partition,
                           std::chrono::milliseconds timeout);

}  // namespace guildhall
