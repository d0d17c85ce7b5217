// Follows a topic in a thread of its own: the compacted ones from their beginning, an inbox from where its shard stands. What
// it finds it tells, in the order of each partition, and how far it has come.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "infra/kafka_reader.h"

namespace guildhall {

struct FollowedMessage {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string_view key;
  std::string_view value;                       // Empty: a tombstone.
  const rd_kafka_message_s* message = nullptr;  // For its headers.
};

class TopicFollower {
 public:
  struct Start {
    std::int32_t partition = 0;
    std::int64_t offset = 0;
  };
  // Both callbacks come from the follower's thread. `failed` is called once, when it can't go on.
  TopicFollower(const KafkaOptions& options, std::string topic, std::vector<Start> partitions,
                std::function<void(const FollowedMessage&)> take, std::function<void(const std::string& why)> failed);
  ~TopicFollower();

  // Any thread. Calls back once, from the follower's thread: true when everything that a partition held at the time of the call
  // has been taken, false when that takes longer than `limit`, and at once when it can't go on or is destroyed.
  void when_caught_up(std::int32_t partition, std::chrono::milliseconds limit, std::move_only_function<void(bool)> done);
  // Blocks until all partitions are. False after `limit`.
  bool wait_until_caught_up(std::chrono::milliseconds limit);

 private:
  struct Wait {
    std::int32_t partition;
    std::chrono::steady_clock::time_point deadline;
    std::int64_t target = -1;  // -1: still to be asked of the broker.
    std::move_only_function<void(bool)> done;
  };
  // Until it is stopped, or can't go on: then why.
  std::optional<std::string> follow(std::stop_token stop);
  void settle();
  void give_up();

  const std::string topic_;
  const std::vector<Start> partitions_;
  const std::function<void(const FollowedMessage&)> take_;
  const std::function<void(const std::string&)> failed_;
  KafkaClient client_;
  KafkaTopic handle_;
  KafkaQueue queue_;
  std::vector<std::int64_t> next_;  // By place in partitions_: the offset that comes next.

  std::mutex mutex_;
  std::condition_variable_any more_;  // Waits were asked for; of a follower that can't go on.
  std::vector<Wait> asked_;
  std::vector<Wait> waits_;  // Of the thread.
  std::jthread thread_;
};

}  // namespace guildhall
