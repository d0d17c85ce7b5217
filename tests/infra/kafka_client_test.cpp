// Questions to brokers on librdkafka's mock cluster, where leaders move and brokers go at once.
#include "infra/kafka_client.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>

namespace guildhall {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int brokers = 3;
constexpr seconds limit{20};  // A question to a broker that is gone would take all of it.
constexpr seconds soon{8};    // On a busy machine.

class KafkaClientTest : public testing::Test {
 protected:
  KafkaClientTest() {
    std::array<char, 256> text{};
    host_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, nullptr, text.data(), text.size()));
    cluster_ = rd_kafka_mock_cluster_new(host_.get(), brokers);
    rd_kafka_mock_topic_create(cluster_, "events", 1, brokers);
    rd_kafka_mock_partition_set_leader(cluster_, "events", 0, 1);
    KafkaOptions options;
    options.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
    consumer_ = make_kafka_consumer(options);
    EXPECT_EQ(query_offsets(consumer_.get(), "events", 0, limit).high, 0);
  }
  ~KafkaClientTest() override {
    consumer_.reset();
    rd_kafka_mock_cluster_destroy(cluster_);
  }
  void expect_soon() {
    const auto began = steady_clock::now();
    EXPECT_EQ(query_offsets(consumer_.get(), "events", 0, limit).high, 0);
    EXPECT_LT(steady_clock::now() - began, soon);
  }

  KafkaClient host_;
  rd_kafka_mock_cluster_t* cluster_;
  KafkaClient consumer_;
};

TEST_F(KafkaClientTest, a_leader_that_moved_is_found) {
  rd_kafka_mock_partition_set_leader(cluster_, "events", 0, 2);
  expect_soon();
}

TEST_F(KafkaClientTest, a_leader_that_moved_is_found_when_the_old_one_is_gone) {
  rd_kafka_mock_broker_set_down(cluster_, 1);
  rd_kafka_mock_partition_set_leader(cluster_, "events", 0, 2);
  expect_soon();
}

}  // namespace
}  // namespace guildhall
