#include "infra/kafka_topics.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <limits>

#include "infra/pause.h"

namespace guildhall {
namespace {

constexpr std::size_t error_text_bytes = 512;
constexpr std::chrono::milliseconds poll_pause{20};
// From so many replicas on, so many must have a record before it counts: the loss of one loses none.
constexpr int replicated = 3, in_sync_wanted = 2;

struct Setting {
  const char* name;
  std::string value;
};

// Infinite retention on each topic, since the broker's default deletes after a week. Event topics are never compacted.
std::vector<Setting> settings_of(const KafkaTopicPlan& plan) {
  std::vector<Setting> out{{"cleanup.policy", plan.compacted ? "compact" : "delete"},
                           {"unclean.leader.election.enable", "false"},
                           {"message.timestamp.type", "CreateTime"},
                           {"max.message.bytes", std::to_string(2 * max_record_bytes)}};
  if (!plan.compacted) {
    out.push_back({"retention.ms", "-1"});
    out.push_back({"retention.bytes", "-1"});
  }
  return out;
}

using Queue = std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)>;
using Event = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, decltype(&rd_kafka_AdminOptions_destroy)>;

[[noreturn]] void fail(const std::string& what, bool retryable) {
  throw LogError("kafka: " + what, "the brokers, and the rights of this client on its topics", retryable);
}

Event wait_for(rd_kafka_queue_t* queue, const std::string& what, std::chrono::milliseconds timeout) {
  Event event(rd_kafka_queue_poll(queue, static_cast<int>(timeout.count())), rd_kafka_event_destroy);
  if (!event) fail(what + ": no answer in time", true);
  if (const auto error = rd_kafka_event_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR)
    fail(what + ": " + rd_kafka_event_error_string(event.get()), true);
  return event;
}

AdminOptions options_for(rd_kafka_t* client, rd_kafka_admin_op_t operation, std::chrono::milliseconds timeout) {
  AdminOptions out(rd_kafka_AdminOptions_new(client, operation), rd_kafka_AdminOptions_destroy);
  std::array<char, error_text_bytes> text{};
  const int ms = static_cast<int>(timeout.count());
  rd_kafka_AdminOptions_set_request_timeout(out.get(), ms, text.data(), text.size());
  if (operation == RD_KAFKA_ADMIN_OP_CREATETOPICS)
    rd_kafka_AdminOptions_set_operation_timeout(out.get(), ms, text.data(), text.size());
  return out;
}

}  // namespace

std::vector<KafkaTopicPlan> plan_topics(const KafkaTopics& topics, std::uint32_t shards) {
  return {
      {topics.events, shards, false}, {topics.inbox, shards, false}, {topics.owners, 1, true}, {topics.directory, shards, true}};
}

namespace {
struct Shape {
  std::uint32_t partitions = 0;
  int replicas = 0;  // Of the partition that has the fewest.
};

Shape shape_of(rd_kafka_s* client, const std::string& topic, std::chrono::milliseconds timeout) {
  const KafkaTopic handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto error = rd_kafka_metadata(client, 0, handle.get(), &metadata, static_cast<int>(timeout.count()));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(topic + ": " + rd_kafka_err2str(error), true);
    const auto& found = metadata->topics[0];
    const auto topic_error = found.err;
    const int count = found.partition_cnt;
    bool led = count > 0;
    int replicas = std::numeric_limits<int>::max();
    for (int i = 0; i < count; ++i) {
      led = led && found.partitions[i].leader >= 0;
      replicas = std::min(replicas, found.partitions[i].replica_cnt);
    }
    rd_kafka_metadata_destroy(metadata);
    if (topic_error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return {};
    if (topic_error == RD_KAFKA_RESP_ERR_NO_ERROR && led) return {static_cast<std::uint32_t>(count), replicas};
    // Just made, or between two leaders.
    if (std::chrono::steady_clock::now() >= deadline)
      fail(topic + ": " +
               (topic_error != RD_KAFKA_RESP_ERR_NO_ERROR ? rd_kafka_err2str(topic_error) : "a partition has no leader"),
           true);
    pause_for({}, poll_pause);
  }
}

}  // namespace

std::uint32_t count_partitions(rd_kafka_s* client, const std::string& topic, std::chrono::milliseconds timeout) {
  return shape_of(client, topic, timeout).partitions;
}

void create_topics(rd_kafka_s* client, const std::vector<KafkaTopicPlan>& plans, int replication,
                   std::chrono::milliseconds timeout) {
  std::vector<rd_kafka_NewTopic_t*> made;
  std::array<char, error_text_bytes> text{};
  for (const auto& plan : plans) {
    rd_kafka_NewTopic_t* topic =
        rd_kafka_NewTopic_new(plan.name.c_str(), static_cast<int>(plan.partitions), replication, text.data(), text.size());
    if (topic == nullptr) fail(plan.name + ": " + text.data(), false);
    for (const auto& [name, value] : settings_of(plan)) rd_kafka_NewTopic_set_config(topic, name, value.c_str());
    // Since Kafka 4.1 a broker's own value only seeds the cluster's, so it is set on the topic.
    if (replication >= replicated)
      rd_kafka_NewTopic_set_config(topic, "min.insync.replicas", std::to_string(in_sync_wanted).c_str());
    made.push_back(topic);
  }
  const Queue queue(rd_kafka_queue_new(client), rd_kafka_queue_destroy);
  const auto options = options_for(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout);
  rd_kafka_CreateTopics(client, made.data(), made.size(), options.get(), queue.get());
  rd_kafka_NewTopic_destroy_array(made.data(), made.size());
  const Event event = wait_for(queue.get(), "making topics", timeout + timeout);
  std::size_t count = 0;
  const auto** results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(results[i]);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
      fail(fmt::format("making {}: {}", rd_kafka_topic_result_name(results[i]), rd_kafka_topic_result_error_string(results[i])),
           false);
  }
}

void check_topics(rd_kafka_s* client, const std::vector<KafkaTopicPlan>& plans, std::chrono::milliseconds timeout) {
  std::vector<int> replicas;  // By place in plans.
  for (const auto& plan : plans) {
    // The metadata of a topic that was made a moment ago may be behind.
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    Shape shape = shape_of(client, plan.name, timeout);
    while (shape.partitions == 0 && std::chrono::steady_clock::now() < deadline) {
      pause_for({}, poll_pause);
      shape = shape_of(client, plan.name, timeout);
    }
    if (shape.partitions != plan.partitions)
      throw LogError(
          fmt::format("kafka: topic {} has {} partitions, the platform's log {}", plan.name, shape.partitions, plan.partitions),
          "the number of shards is fixed when the log is made; a topic must not be given more partitions", false);
    replicas.push_back(shape.replicas);
  }

  std::vector<rd_kafka_ConfigResource_t*> resources;
  for (const auto& plan : plans) resources.push_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, plan.name.c_str()));
  const Queue queue(rd_kafka_queue_new(client), rd_kafka_queue_destroy);
  const auto options = options_for(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout);
  rd_kafka_DescribeConfigs(client, resources.data(), resources.size(), options.get(), queue.get());
  rd_kafka_ConfigResource_destroy_array(resources.data(), resources.size());
  const Event event = wait_for(queue.get(), "reading topic settings", timeout);
  std::size_t count = 0;
  const auto** found = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_ConfigResource_name(found[i]);
    if (rd_kafka_ConfigResource_error(found[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
      fail("reading the settings of " + name + ": " + rd_kafka_ConfigResource_error_string(found[i]), true);
    const auto plan = std::ranges::find(plans, name, &KafkaTopicPlan::name);
    std::size_t entries = 0;
    const auto** configs = rd_kafka_ConfigResource_configs(found[i], &entries);
    const auto value_of = [&](std::string_view wanted) -> std::string {
      for (std::size_t e = 0; e < entries; ++e)
        if (wanted == rd_kafka_ConfigEntry_name(configs[e]))
          if (const char* value = rd_kafka_ConfigEntry_value(configs[e])) return value;
      return "";
    };
    auto settings = settings_of(*plan);
    if (replicas[static_cast<std::size_t>(plan - plans.begin())] >= replicated)
      settings.push_back({"min.insync.replicas", std::to_string(in_sync_wanted)});
    for (const auto& [setting, wanted] : settings) {
      const std::string value = value_of(setting);
      // More room or more replicas than we ask for do no harm.
      if (std::string_view(setting) == "max.message.bytes" || std::string_view(setting) == "min.insync.replicas") {
        if (std::stoll(value.empty() ? "0" : value) >= std::stoll(wanted)) continue;
      } else if (value == wanted) {
        continue;
      }
      throw LogError(
          fmt::format("kafka: topic {} has {}={}, it must be {}", name, setting, value, wanted),
          fmt::format("kafka-configs.sh --alter --entity-type topics --entity-name {} --add-config {}={}", name, setting, wanted),
          false);
    }
  }
}

}  // namespace guildhall
