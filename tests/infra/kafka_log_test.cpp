// The Kafka log passes the contract of every log on a real broker, and stops at what a broker or a second writer must not do to it.
#include "infra/kafka_log.h"

#include <unistd.h>

#include <atomic>

#include "tests/infra/event_log_contract.h"
#include "tests/kafka_cluster.h"

namespace guildhall::test {
namespace {

// Topics of its own for every test: one broker serves many at once.
std::string fresh_platform() {
  static std::atomic<int> number{0};
  static const std::string run =
      std::to_string(::getpid()) + "x" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count() % 1'000'000);
  return "t" + run + "n" + std::to_string(++number);
}

KafkaOptions options() {
  KafkaOptions out;
  out.brokers = KafkaCluster::shared().bootstrap();
  return out;
}

class MadeKafkaLog {
 public:
  MadeKafkaLog() : before_(std::exchange(log_platform, fresh_platform())) { reopen(); }
  ~MadeKafkaLog() { log_platform = before_; }
  EventLog& log() { return *log_; }
  KafkaLog& kafka() { return *log_; }
  void reopen() {
    log_.reset();
    log_ = KafkaLog::open_or_create(options(), {log_platform, log_id, 4, 1});
  }

 private:
  std::string before_;
  std::unique_ptr<KafkaLog> log_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Kafka, EventLogContract, MadeKafkaLog);

}  // namespace
}  // namespace guildhall::test
