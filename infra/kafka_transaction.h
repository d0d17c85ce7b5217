// One transactional producer: transactions with the four outcomes of the log (kafka.md §1 has the table of errors). One thread
// at a time.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "infra/kafka_client.h"

struct rd_kafka_headers_s;

namespace guildhall {

class TransactionalProducer {
 public:
  // Fences every other producer with this id and ends its open transaction. Throws LogError: retryable when the brokers did not
  // answer within the commit time, not retryable when the id was refused.
  TransactionalProducer(const KafkaOptions& options, const TransactionTimes& times, std::string transactional_id,
                        const std::vector<std::string>& topics);
  ~TransactionalProducer();
  TransactionalProducer(const TransactionalProducer&) = delete;
  TransactionalProducer& operator=(const TransactionalProducer&) = delete;

  // Nothing is sent. committed: go on. Else the transaction did not begin and the producer is at its end.
  AppendOutcome begin();
  // Takes the headers (may be nullptr). An empty value is a tombstone. What goes wrong shows at commit().
  struct Message {
    std::size_t topic = 0;  // Index into the constructor's topics.
    std::int32_t partition = 0;
    std::string_view key;
    std::string_view value;
    rd_kafka_headers_s* headers = nullptr;
    Micros time = 0;
  };
  // Then comes commit(): a producer that is destroyed before it may run into an assertion of librdkafka 2.0.2.
  void produce(const Message& message);
  // committed, aborted: the producer goes on. fenced, unknown: it is at its end and must be destroyed.
  AppendOutcome commit();
  // Of the first message to the first topic of the committed transaction; -1 when the broker did not say.
  std::int64_t first_offset() const { return deliveries_.first_offset; }
  // A request to end a transaction had no answer (a connection broke, a time was over), librdkafka sent it again by itself, and
  // that succeeded: the first may still be on its way, and would end the next transaction in its place (kafka.md §2). The
  // producer must be opened anew before it is used again.
  bool tainted() const { return tainted_; }
  const std::string& last_error() const { return last_error_; }

 private:
  struct Deliveries : KafkaClientEvents {
    rd_kafka_topic_s* first_topic = nullptr;
    bool any = false;  // Of the first topic.
    std::int64_t first_offset = -1;
    // Of the EndTxn requests of this transaction; written by threads of the client.
    std::atomic<int> ends_sent{0};
    std::atomic<bool> end_waits{false};  // For its answer.
    std::atomic<bool> end_lost{false};   // One will have no answer.
    int failed = 0;
    std::string error;
  };
  static void delivered(rd_kafka_s*, const rd_kafka_message_s* message, void* events);
  AppendOutcome abort(const std::string& why);
  AppendOutcome ended(const std::string& why, int code);

  const TransactionTimes times_;
  const std::string id_;
  Deliveries deliveries_;
  KafkaClient client_;
  std::vector<KafkaTopic> topics_;
  bool produced_ = false;
  std::string produce_error_;
  bool tainted_ = false;
  std::string last_error_;
};

}  // namespace guildhall
