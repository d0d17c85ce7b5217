// The Kafka log passes the contract of every log on a real broker, and stops at what a broker or a second writer must not do to
// it.
#include "infra/kafka_log.h"

#include "tests/infra/event_log_contract.h"
#include "tests/infra/kafka_platform.h"

namespace guildhall::test {
namespace {

class MadeKafkaLog {
 public:
  MadeKafkaLog() { reopen(); }
  EventLog& log() { return *log_; }
  void reopen() {
    log_.reset();
    log_ = KafkaLog::open_or_create(kafka_options(), identity_of(4));
  }

 private:
  OwnPlatform platform_;
  std::unique_ptr<KafkaLog> log_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Kafka, EventLogContract, MadeKafkaLog);

}  // namespace
}  // namespace guildhall::test
