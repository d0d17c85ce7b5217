// Which shards this process should serve: what the consumer group of the inbox gives it (kafka.md §8). The group only chooses;
// the transactional ids fence. Static membership, so that a quick restart moves nothing; `range`, which hardly moves shards
// when a member joins or goes.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <thread>

#include "infra/kafka_client.h"

namespace guildhall {

struct KafkaMembershipOptions {
  std::string group;  // Of the platform's processes.
  std::string
      node;  // This process's name in the group, the same after a restart. Two at once with one name: one is shut out soon.
  std::string topic;  // Whose partitions are the shards.
  std::chrono::milliseconds session{
      6'000};  // After a kill -9 the others wait that long. It must outlast a restart that should move nothing.
};

class KafkaMembership {
 public:
  // `assigned`: the whole set, whenever it was given out anew. `shut_out`: another process has this node's name, or the group
  // will not have us. Both from the membership's own thread; they must not block. Throws LogError.
  KafkaMembership(const KafkaOptions& options, KafkaMembershipOptions membership, std::function<void(std::set<ShardNo>)> assigned,
                  std::function<void(const std::string& why)> shut_out);
  ~KafkaMembership();

  // Gives everything back at once, so that the others need not wait for the session to end. Returns when the group knows, or
  // after five seconds without an answer.
  void leave();
  // Whether the group still counts on this process: false when its brokers have not answered for a session, as after a pause or
  // cut off from them. What was its own may be another's by then.
  bool alive() const;
  std::uint64_t rebalances() const { return rebalances_; }

 private:
  void rebalanced(bool assigned, rd_kafka_topic_partition_list_s* partitions);
  void join();
  void run(std::stop_token stop);
  bool may_join_again();
  void give_back();

  const KafkaOptions options_;
  const KafkaMembershipOptions membership_;
  const std::function<void(std::set<ShardNo>)> assigned_;
  const std::function<void(const std::string&)> shut_out_;
  KafkaClientEvents events_;
  std::atomic<std::int64_t> heard_ms_{0};  // When the group last answered, by the steady clock.
  std::atomic<bool> joining_{false};       // It answers when all its members have come.
  std::atomic<std::uint64_t> rebalances_{0};
  std::atomic<bool> leaving_{false};
  std::atomic<bool> told_{false};  // The group knows that we leave.
  std::atomic<bool> left_{false};
  std::deque<std::int64_t> fenced_ms_;  // When the group took us for an older one of our name, lately. Of the thread.
  KafkaClient client_;
  std::jthread thread_;
};

}  // namespace guildhall
