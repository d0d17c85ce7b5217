// The inbox over Kafka's topic passes the contract of every inbox.
#include "infra/kafka_inbox.h"

#include <unistd.h>

#include "tests/aggregates/inbox_contract.h"
#include "tests/kafka_cluster.h"

namespace guildhall::testing {
namespace {

class MadeKafkaLog {
 public:
  static constexpr bool searches_inboxes = false;
  static constexpr int steps = 40;

  MadeKafkaLog() {
    static std::atomic<int> number{0};
    options_.brokers = KafkaCluster::shared().bootstrap();
    options_.topics = "inbox" + std::to_string(::getpid()) + "n" + std::to_string(++number);
    restart();
  }
  EventLog& log() { return *log_; }
  void restart() {
    log_.reset();
    log_ = KafkaLog::open_or_create(options_, {"tutoring", id_of("log"), shard_count, 1});
  }
  void deliver(ShardNo, InboxEntry) {}
  void attach(ShardNo target, std::uint64_t position, std::function<void(InboxEntry)> sink) {
    feeds_[target] = follow_inbox(*log_, target, position, std::move(sink), [](const std::string& why) { ADD_FAILURE() << why; });
  }
  void detach(ShardNo target) { feeds_[target].reset(); }

 private:
  KafkaOptions options_;
  std::unique_ptr<KafkaLog> log_;
  std::array<std::unique_ptr<TopicFollower>, shard_count> feeds_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Kafka, InboxContract, MadeKafkaLog);

}  // namespace
}  // namespace guildhall::testing
