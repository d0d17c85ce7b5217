// Every row of kafka.md's table of transaction errors, on librdkafka's mock cluster: it refuses, breaks connections and falls
// silent when it is told to. It fences nobody by itself (kafka_fencing_test.cpp does, on a real broker).
#include "infra/kafka_transaction.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <optional>

namespace guildhall::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Errors = std::vector<rd_kafka_resp_err_t>;

// A request may time out and be sent again before the commit's time is over.
constexpr TransactionTimes short_times{milliseconds(4000), milliseconds(1500), milliseconds(2500)};
constexpr std::size_t for_ever = 50'000;  // Errors; a request is repeated after a millisecond at the earliest.
constexpr milliseconds soon{1'500};       // For what waits for nobody, under sanitizers, on a busy machine.

enum Api : std::int16_t { produce_api = 0, find_coordinator = 10, init_producer_id = 22, add_partitions = 24, end_txn = 26 };

class Mock {
 public:
  static constexpr int brokers = 3;

  Mock() {
    char text[256];
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, nullptr, text, sizeof text));
    cluster_ = rd_kafka_mock_cluster_new(client_.get(), brokers);
    for (const char* topic : {"events", "inbox"}) rd_kafka_mock_topic_create(cluster_, topic, 2, brokers);
    rd_kafka_mock_coordinator_set(cluster_, "transaction", "writer", 1);
  }
  ~Mock() { rd_kafka_mock_cluster_destroy(cluster_); }

  void answer(Api api, const Errors& errors) {
    rd_kafka_mock_push_request_errors_array(cluster_, api, errors.size(), errors.data());
  }
  void answer_late(Api api, milliseconds delay) {
    for (int broker = 1; broker <= brokers; ++broker)
      rd_kafka_mock_broker_push_request_error_rtts(cluster_, broker, api, 1, RD_KAFKA_RESP_ERR_NO_ERROR,
                                                   static_cast<int>(delay.count()));
  }
  void answer_normally(Api api) { rd_kafka_mock_clear_request_errors(cluster_, api); }
  void set_down() {
    for (int broker = 1; broker <= brokers; ++broker) rd_kafka_mock_broker_set_down(cluster_, broker);
  }
  void set_up() {
    for (int broker = 1; broker <= brokers; ++broker) rd_kafka_mock_broker_set_up(cluster_, broker);
  }
  void move_coordinator() { rd_kafka_mock_coordinator_set(cluster_, "transaction", "writer", 2); }
  void move_leader() { rd_kafka_mock_partition_set_leader(cluster_, "events", 0, leader_ = leader_ % brokers + 1); }

  KafkaOptions options() const {
    KafkaOptions out;
    out.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
    return out;
  }
  std::unique_ptr<TransactionalProducer> open(const TransactionTimes& times = short_times) const {
    return std::make_unique<TransactionalProducer>(options(), times, "writer", std::vector<std::string>{"events", "inbox"});
  }

 private:
  KafkaClient client_;
  rd_kafka_mock_cluster_t* cluster_;
  int leader_ = 1;
};

void produce_some(TransactionalProducer& producer) {
  producer.produce({0, 0, "key", "one", nullptr, 1'000'000});
  producer.produce({0, 0, "key", "two", nullptr, 1'000'000});
  producer.produce({1, 1, "key", "three", nullptr, 1'000'000});
}

AppendOutcome transact(TransactionalProducer& producer) {
  const AppendOutcome begun = producer.begin();
  if (begun != AppendOutcome::committed) return begun;
  produce_some(producer);
  return producer.commit();
}

// After some errors librdkafka needs a second abort, or new metadata, before the next transaction goes well.
bool goes_on(TransactionalProducer& producer) {
  const auto deadline = steady_clock::now() + milliseconds(5'000);
  AppendOutcome outcome = transact(producer);
  while (outcome == AppendOutcome::aborted && steady_clock::now() < deadline) outcome = transact(producer);
  return outcome == AppendOutcome::committed;
}

milliseconds since(steady_clock::time_point began) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
}

// However a transaction ended, nothing holds its end up.
void expect_quick_end(std::unique_ptr<TransactionalProducer> producer) {
  const auto began = steady_clock::now();
  producer.reset();
  EXPECT_LT(since(began), soon);
}

Errors times(std::size_t count, rd_kafka_resp_err_t error) { return Errors(count, error); }

// ---- opening

TEST(KafkaTransaction, opens_when_the_coordinator_is_not_ready_yet) {
  for (const auto error : {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
                           RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR__TRANSPORT}) {
    SCOPED_TRACE(rd_kafka_err2name(error));
    Mock mock;
    mock.answer(init_producer_id, times(1, error));
    const auto producer = mock.open(one_broker_times);
    EXPECT_EQ(transact(*producer), AppendOutcome::committed);
  }
  Mock mock;
  mock.answer(find_coordinator, times(1, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE));
  EXPECT_EQ(transact(*mock.open(one_broker_times)), AppendOutcome::committed);
}

TEST(KafkaTransaction, a_refused_id_is_final) {
  for (const auto error : {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
                           RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT}) {
    SCOPED_TRACE(rd_kafka_err2name(error));
    Mock mock;
    mock.answer(init_producer_id, times(3, error));
    const auto began = steady_clock::now();
    try {
      mock.open();
      ADD_FAILURE() << "opened";
    } catch (const LogError& e) {
      EXPECT_FALSE(e.retryable()) << e.what();
      EXPECT_NE(std::string(e.what()).find("writer"), std::string::npos) << e.what();
    }
    EXPECT_LT(since(began), soon);
  }
}

TEST(KafkaTransaction, an_open_that_nobody_answers_can_be_tried_again) {
  const auto expect_retryable = [](const Mock& mock) {
    const auto began = steady_clock::now();
    try {
      mock.open();
      ADD_FAILURE() << "opened";
    } catch (const LogError& e) {
      EXPECT_TRUE(e.retryable()) << e.what();
    }
    EXPECT_LT(since(began), short_times.commit + soon);
  };
  {
    Mock mock;
    mock.set_down();
    expect_retryable(mock);
  }
  Mock mock;
  mock.answer(init_producer_id, times(for_ever, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS));
  expect_retryable(mock);
  mock.answer_normally(init_producer_id);
  EXPECT_EQ(transact(*mock.open()), AppendOutcome::committed);
}

// ---- one transaction

TEST(KafkaTransaction, commits_one_after_the_other) {
  Mock mock;
  const auto producer = mock.open();
  for (std::int64_t n = 0; n < 20; ++n) {
    ASSERT_EQ(transact(*producer), AppendOutcome::committed) << producer->last_error();
    EXPECT_EQ(producer->first_offset(), n * 2);  // The mock writes no markers.
    EXPECT_FALSE(producer->tainted());
  }
}

TEST(KafkaTransaction, what_a_broker_answers_decides_the_outcome) {
  using enum AppendOutcome;
  const struct {
    Api api;
    Errors errors;
    AppendOutcome outcome;
    bool tainted = false;
  } cases[] = {
      // The end of the transaction: what is retriable is sent again.
      {end_txn, times(3, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS), committed},
      {end_txn, times(3, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS), committed},
      {end_txn, times(2, RD_KAFKA_RESP_ERR_NOT_COORDINATOR), committed},
      {end_txn, times(2, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE), committed},
      {end_txn, times(for_ever, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS), unknown},
      // A connection broke after the request: it may arrive late.
      {end_txn, times(1, RD_KAFKA_RESP_ERR__TRANSPORT), committed, true},
      {end_txn, times(2, RD_KAFKA_RESP_ERR__TRANSPORT), committed, true},
      // Fenced, and certainly not in the log, when that is the answer to the only request; after another one that may have
      // committed before the fence, nobody knows.
      {end_txn, {RD_KAFKA_RESP_ERR_PRODUCER_FENCED}, fenced},
      {end_txn, {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH}, fenced},
      {end_txn, {RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_PRODUCER_FENCED}, unknown},
      {end_txn, {RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH}, unknown},
      {end_txn, {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_PRODUCER_FENCED}, unknown},
      {end_txn, {RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE}, unknown},
      {end_txn, {RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING}, unknown},
      // Broken for good.
      {end_txn, {RD_KAFKA_RESP_ERR_INVALID_TXN_STATE}, unknown},
      {end_txn, {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED}, unknown},
      // Refused: the abort that follows tells that it is not in the log.
      {end_txn, {RD_KAFKA_RESP_ERR_UNKNOWN}, aborted},
      {end_txn, {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING}, aborted},
      {end_txn, {RD_KAFKA_RESP_ERR_UNKNOWN, RD_KAFKA_RESP_ERR__TRANSPORT}, aborted, true},
      {end_txn, {RD_KAFKA_RESP_ERR_UNKNOWN, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE}, unknown},
      // Partitions join the transaction.
      {add_partitions, times(3, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS), committed},
      {add_partitions, times(1, RD_KAFKA_RESP_ERR_NOT_COORDINATOR), committed},
      {add_partitions, times(1, RD_KAFKA_RESP_ERR__TRANSPORT), committed},
      {add_partitions, {RD_KAFKA_RESP_ERR_PRODUCER_FENCED}, fenced},
      {add_partitions, {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH}, fenced},
      {add_partitions, {RD_KAFKA_RESP_ERR_INVALID_TXN_STATE}, unknown},
      {add_partitions, {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING}, aborted},
      // Records.
      {produce_api, times(3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION), committed},
      {produce_api, times(3, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS), committed},
      {produce_api, times(1, RD_KAFKA_RESP_ERR__TRANSPORT), committed},
      {produce_api, {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE}, aborted},
      {produce_api, {RD_KAFKA_RESP_ERR_UNKNOWN}, aborted},
      {produce_api, {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER}, unknown},  // Fatal for librdkafka: the abort fails.
      {produce_api, {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH}, fenced},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(testing::Message() << "api " << c.api << ": " << c.errors.size() << " x " << rd_kafka_err2name(c.errors.front())
                                    << " .. " << rd_kafka_err2name(c.errors.back()));
    Mock mock;
    auto producer = mock.open();
    mock.answer(c.api, c.errors);
    const auto began = steady_clock::now();
    EXPECT_EQ(transact(*producer), c.outcome) << producer->last_error();
    EXPECT_LT(since(began), short_times.commit + soon);
    EXPECT_EQ(producer->tainted(), c.tainted);
    if (c.outcome == committed || c.outcome == aborted) {
      EXPECT_TRUE(goes_on(*producer)) << producer->last_error();
      EXPECT_EQ(producer->tainted(), c.tainted);
    }
    if (c.outcome == fenced) {
      EXPECT_EQ(producer->begin(), fenced);
    }
    expect_quick_end(std::move(producer));
  }
}

TEST(KafkaTransaction, an_abort_that_fails_leaves_the_outcome_open) {
  using enum AppendOutcome;
  const struct {
    Errors answers_to_abort;
    AppendOutcome outcome;
    bool tainted = false;
  } cases[] = {
      {times(3, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS), aborted},
      {times(1, RD_KAFKA_RESP_ERR__TRANSPORT), aborted, true},
      {times(for_ever, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS), unknown},
      {{RD_KAFKA_RESP_ERR_INVALID_TXN_STATE}, unknown},
      {{RD_KAFKA_RESP_ERR_PRODUCER_FENCED}, fenced},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(testing::Message() << c.answers_to_abort.size() << " x " << rd_kafka_err2name(c.answers_to_abort.front()));
    Mock mock;
    auto producer = mock.open();
    mock.answer(produce_api, {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
    mock.answer(end_txn, c.answers_to_abort);
    EXPECT_EQ(transact(*producer), c.outcome) << producer->last_error();
    EXPECT_EQ(producer->tainted(), c.tainted);
    expect_quick_end(std::move(producer));
  }
}

TEST(KafkaTransaction, an_answer_that_comes_too_late_leaves_the_outcome_open) {
  Mock mock;
  auto producer = mock.open({milliseconds(4000), milliseconds(3000), milliseconds(1000)});
  mock.answer_late(end_txn, milliseconds(20'000));
  const auto began = steady_clock::now();
  EXPECT_EQ(transact(*producer), AppendOutcome::unknown);
  EXPECT_LT(since(began), milliseconds(1000) + soon);
  expect_quick_end(std::move(producer));
}

TEST(KafkaTransaction, a_request_that_timed_out_and_was_sent_again_taints) {
  Mock mock;
  const auto producer = mock.open({milliseconds(8000), milliseconds(500), milliseconds(7000)});
  mock.answer_late(end_txn, milliseconds(20'000));  // librdkafka looks once a second for what timed out.
  EXPECT_EQ(transact(*producer), AppendOutcome::committed) << producer->last_error();
  EXPECT_TRUE(producer->tainted());
}

TEST(KafkaTransaction, survives_a_new_coordinator_or_leader_in_the_middle) {
  Mock mock;
  const auto producer = mock.open(one_broker_times);
  ASSERT_EQ(transact(*producer), AppendOutcome::committed);
  ASSERT_EQ(producer->begin(), AppendOutcome::committed);
  produce_some(*producer);
  mock.move_coordinator();
  EXPECT_EQ(producer->commit(), AppendOutcome::committed) << producer->last_error();
  ASSERT_EQ(producer->begin(), AppendOutcome::committed);
  mock.move_leader();
  produce_some(*producer);
  mock.move_leader();
  EXPECT_EQ(producer->commit(), AppendOutcome::committed) << producer->last_error();
  EXPECT_FALSE(producer->tainted());
}

TEST(KafkaTransaction, brokers_that_are_down_never_commit) {
  Mock mock;
  auto producer = mock.open();
  ASSERT_EQ(transact(*producer), AppendOutcome::committed);
  ASSERT_EQ(producer->begin(), AppendOutcome::committed);
  mock.set_down();
  produce_some(*producer);
  const AppendOutcome outcome = producer->commit();
  EXPECT_TRUE(outcome == AppendOutcome::aborted || outcome == AppendOutcome::unknown) << static_cast<int>(outcome);
  expect_quick_end(std::move(producer));
}

TEST(KafkaTransaction, brokers_that_come_back_in_time_do_no_harm) {
  Mock mock;
  const auto producer = mock.open(one_broker_times);
  ASSERT_EQ(producer->begin(), AppendOutcome::committed);
  mock.set_down();
  produce_some(*producer);
  mock.set_up();
  EXPECT_EQ(producer->commit(), AppendOutcome::committed) << producer->last_error();
  EXPECT_FALSE(producer->tainted());
}

TEST(KafkaTransaction, ends_quickly_when_no_broker_is_there) {
  Mock mock;
  auto unused = mock.open();
  auto begun = mock.open();
  ASSERT_EQ(begun->begin(), AppendOutcome::committed);
  mock.set_down();
  expect_quick_end(std::move(unused));
  expect_quick_end(std::move(begun));
}

TEST(KafkaTransaction, ends_quickly_with_records_on_their_way) {
  Mock mock;
  auto producer = mock.open({milliseconds(20'000), milliseconds(20'000), milliseconds(500)});
  mock.answer_late(produce_api, milliseconds(20'000));
  EXPECT_EQ(transact(*producer), AppendOutcome::unknown);
  expect_quick_end(std::move(producer));
}

}  // namespace
}  // namespace guildhall::test
