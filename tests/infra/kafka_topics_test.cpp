// A log refuses to start on topics that would lose events quietly, and several processes that make it at once agree on it.
#include "infra/kafka_topics.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <latch>

#include "infra/kafka_reader.h"
#include "tests/infra/kafka_platform.h"

namespace guildhall::test {
namespace {

constexpr std::chrono::seconds patience{20};
using Settings = std::map<std::string, std::string>;

void make_topic(const KafkaOptions& options, const std::string& name, int partitions, int replicas, const Settings& settings) {
  const KafkaClient client = make_kafka_consumer(options);
  char text[512];
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, replicas, text, sizeof text);
  ASSERT_NE(topic, nullptr) << text;
  for (const auto& [setting, value] : settings) rd_kafka_NewTopic_set_config(topic, setting.c_str(), value.c_str());
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client.get());
  rd_kafka_CreateTopics(client.get(), &topic, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30'000);
  ASSERT_NE(event, nullptr);
  std::size_t count = 0;
  const auto** results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_EQ(rd_kafka_topic_result_error(results[i]), RD_KAFKA_RESP_ERR_NO_ERROR)
        << rd_kafka_topic_result_error_string(results[i]);
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_NewTopic_destroy(topic);
}

// As a log makes them.
Settings right_settings() {
  return {{"cleanup.policy", "delete"},
          {"unclean.leader.election.enable", "false"},
          {"message.timestamp.type", "CreateTime"},
          {"max.message.bytes", "8388608"},
          {"retention.ms", "-1"},
          {"retention.bytes", "-1"}};
}

void expect_refused(const KafkaOptions& options, const std::string& words, const std::string& hint) {
  try {
    KafkaLog::open_or_create(options, identity_of(2));
    ADD_FAILURE() << "opened, where it should say: " << words;
  } catch (const LogError& e) {
    EXPECT_FALSE(e.retryable()) << e.what();
    EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    EXPECT_NE(e.hint().find(hint), std::string::npos) << e.hint();
  }
}

TEST(KafkaTopics, refuses_what_would_lose_events) {
  const struct {
    std::string setting, value;
  } cases[] = {{"retention.ms", "604800000"},
               {"retention.bytes", "1073741824"},
               {"cleanup.policy", "compact"},
               {"max.message.bytes", "1048588"},
               {"cleanup.policy", "compact,delete"},
               {"unclean.leader.election.enable", "true"},
               {"message.timestamp.type", "LogAppendTime"}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.setting + "=" + c.value);
    const OwnPlatform platform;
    Settings settings = right_settings();
    settings[c.setting] = c.value;
    make_topic(kafka_options(), log_platform + ".events", 2, 1, settings);
    expect_refused(kafka_options(), c.setting + "=" + c.value, "--add-config " + c.setting + "=");
  }
}

TEST(KafkaTopics, refuses_another_number_of_partitions) {
  const OwnPlatform platform;
  make_topic(kafka_options(), log_platform + ".inbox", 3, 1, right_settings());
  expect_refused(kafka_options(), "3 partitions", "number of shards");
}

TEST(KafkaTopics, takes_topics_that_were_made_with_more_room) {
  const OwnPlatform platform;
  Settings settings = right_settings();
  settings["max.message.bytes"] = "10485760";
  make_topic(kafka_options(), log_platform + ".events", 2, 1, settings);
  EXPECT_NE(KafkaLog::open_or_create(kafka_options(), identity_of(2)), nullptr);
}

TEST(KafkaTopics, a_log_keeps_its_shards_whatever_is_asked_for) {
  const OwnPlatform platform;
  EXPECT_EQ(KafkaLog::open_existing(kafka_options(), log_platform), nullptr);
  EXPECT_EQ(KafkaLog::open_or_create(kafka_options(), identity_of(2))->identity().shards, 2u);
  EXPECT_EQ(KafkaLog::open_or_create(kafka_options(), identity_of(5))->identity().shards, 2u);
  EXPECT_EQ(KafkaLog::open_existing(kafka_options(), log_platform)->identity().log_id, log_id);
}

TEST(KafkaTopics, processes_that_make_the_log_at_once_agree) {
  constexpr std::uint64_t processes = 4;
  for (int round = 0; round < 5; ++round) {
    const OwnPlatform platform;
    std::vector<Uuid> found(processes);
    std::latch start(processes);
    std::vector<std::thread> threads;
    for (std::uint64_t n = 0; n < processes; ++n)
      threads.emplace_back([&, n] {
        start.arrive_and_wait();
        // One that was fenced in the middle tries again, as a process does.
        EXPECT_TRUE(eventually([&] {
          try {
            found[n] = KafkaLog::open_or_create(kafka_options(), {log_platform, Uuid(1, n + 1), 2, 1})->identity().log_id;
            return true;
          } catch (const LogError& e) {
            EXPECT_TRUE(e.retryable()) << e.what();
            return false;
          }
        }));
      });
    for (auto& t : threads) t.join();
    for (const Uuid& id : found) EXPECT_EQ(to_string(id), to_string(found[0]));
    EXPECT_FALSE(is_nil(found[0]));
  }
}

TEST(KafkaTopics, three_replicas_want_two_in_sync) {
  const KafkaCluster cluster(3);
  const KafkaOptions options = kafka_options(cluster);
  {
    const OwnPlatform platform;
    Settings settings = right_settings();
    settings["min.insync.replicas"] = "1";
    make_topic(options, log_platform + ".events", 2, 3, settings);
    expect_refused(options, "min.insync.replicas=1", "--add-config min.insync.replicas=2");
  }
  const OwnPlatform platform;
  const auto log = KafkaLog::open_or_create(options, identity_of(2));
  Appender a(*log, 0);
  EXPECT_EQ(a.append({"one", "two"}), AppendOutcome::committed);
  EXPECT_EQ(read_payloads(*log, 0), (std::vector<std::string>{"one", "two"}));
}

}  // namespace
}  // namespace guildhall::test
