#include "infra/kafka_client.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "infra/json_log.h"
#include "infra/pause.h"
#include "infra/system_clock.h"

namespace guildhall {
namespace {

constexpr std::string_view brokers_hint = "the brokers: setting brokers, and whether they run and can be reached";
constexpr std::size_t error_text_bytes = 512;
constexpr std::chrono::milliseconds question_slice{2'000};  // For a leader to answer, before it is asked who leads.
constexpr std::chrono::milliseconds question_pause{20};

void on_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
  constexpr int error = 3, warning = 4;  // Of syslog.
  if (level > warning) return;
  log_line(level <= error ? LogLevel::error : LogLevel::warning, SystemClock().now(), "kafka client",
           {{"facility", std::string_view(facility)}, {"text", std::string_view(text)}});
}

// The same words come to on_log; without a callback librdkafka logs them once more.
void on_error(rd_kafka_t*, int, const char*, void*) {}

rd_kafka_resp_err_t on_request_sent(rd_kafka_t*, int, const char*, std::int32_t, std::int16_t api, std::int16_t, std::int32_t,
                                    std::size_t, void* opaque) {
  if (const auto& tell = static_cast<KafkaClientEvents*>(opaque)->request_sent) tell(api);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t on_response_received(rd_kafka_t*, int, const char*, std::int32_t, std::int16_t api, std::int16_t,
                                         std::int32_t, std::size_t, std::int64_t, rd_kafka_resp_err_t error, void* opaque) {
  if (const auto& tell = static_cast<KafkaClientEvents*>(opaque)->request_ended) tell(api, error == RD_KAFKA_RESP_ERR_NO_ERROR);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t on_new(rd_kafka_t* client, const rd_kafka_conf_t*, void* opaque, char*, std::size_t) {
  rd_kafka_interceptor_add_on_request_sent(client, "guildhall", on_request_sent, opaque);
  rd_kafka_interceptor_add_on_response_received(client, "guildhall", on_response_received, opaque);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

using Conf = std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)>;

void set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, error_text_bytes> text{};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text.data(), text.size()) != RD_KAFKA_CONF_OK)
    throw LogError("kafka: " + name + ": " + text.data(), "the setting of that name", false);
}

Conf base_conf(const KafkaOptions& options) {
  Conf conf(rd_kafka_conf_new(), rd_kafka_conf_destroy);
  for (const auto& [name, value] : options.properties) set(conf.get(), name, value);
  set(conf.get(), "bootstrap.servers", options.brokers);
  set(conf.get(), "client.id", "guildhall");
  set(conf.get(), "socket.nagle.disable", "true");  // Else 40 ms stalls.
  set(conf.get(), "socket.keepalive.enable", "true");
  set(conf.get(), "reconnect.backoff.ms", "20");
  set(conf.get(), "reconnect.backoff.max.ms", "1000");
  set(conf.get(), "log.connection.close", "false");
  set(conf.get(), "allow.auto.create.topics", "false");
  set(conf.get(), "topic.metadata.refresh.sparse", "true");
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  return conf;
}

void tell(rd_kafka_conf_t* conf, KafkaClientEvents& events) {
  rd_kafka_conf_set_opaque(conf, &events);
  rd_kafka_conf_interceptor_add_on_new(conf, "guildhall", on_new, &events);
}

KafkaClient make(Conf conf, rd_kafka_type_t type) {
  std::array<char, error_text_bytes> text{};
  rd_kafka_t* client = rd_kafka_new(type, conf.get(), text.data(), text.size());
  if (client == nullptr) throw LogError(std::string("kafka: ") + text.data(), "the settings of kafka", false);
  static_cast<void>(conf.release());  // The client has it.
  return KafkaClient(client);
}

}  // namespace

void check_kafka_properties(const std::map<std::string, std::string>& properties) {
  for (const auto& [name, value] : properties) {
    const bool passes = name == "security.protocol" || name == "client.rack" || name.starts_with("sasl.") ||
                        name.starts_with("ssl.") || name == "broker.address.family";
    if (!passes)
      throw LogError("kafka: " + name + " can't be set",
                     "the settings kafka_properties: security.protocol, sasl.*, ssl.*, client.rack, broker.address.family",
                     false);
  }
}

void KafkaClientClose::operator()(rd_kafka_s* client) const {
  rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}
void KafkaTopicClose::operator()(rd_kafka_topic_s* topic) const { rd_kafka_topic_destroy(topic); }
void KafkaMessageClose::operator()(rd_kafka_message_s* message) const { rd_kafka_message_destroy(message); }

KafkaClient make_kafka_producer(const KafkaOptions& options, const std::map<std::string, std::string>& settings,
                                KafkaClientEvents& events, void (*delivered)(rd_kafka_s*, const rd_kafka_message_s*, void*)) {
  Conf conf = base_conf(options);
  set(conf.get(), "retry.backoff.ms", "1");  // A CONCURRENT_TRANSACTIONS on EndTxn costs 113 ms at the default of 100.
  set(conf.get(), "linger.ms", "0");
  set(conf.get(), "batch.num.messages", "10000");
  set(conf.get(), "queue.buffering.max.messages", "1000000");
  set(conf.get(), "message.max.bytes", std::to_string(2 * max_record_bytes));
  for (const auto& [name, value] : settings) set(conf.get(), name, value);
  tell(conf.get(), events);
  // Without a delivery callback flush polls in 10 ms slices.
  rd_kafka_conf_set_dr_msg_cb(conf.get(), delivered);
  return make(std::move(conf), RD_KAFKA_PRODUCER);
}

namespace {
Conf consumer_conf(const KafkaOptions& options, const std::map<std::string, std::string>& settings) {
  Conf conf = base_conf(options);
  set(conf.get(), "isolation.level", "read_committed");
  set(conf.get(), "enable.auto.commit", "false");
  set(conf.get(), "enable.auto.offset.store", "false");
  set(conf.get(), "check.crcs", "true");
  set(conf.get(), "auto.offset.reset", "error");  // A lost position must stop a reader, not move it.
  set(conf.get(), "enable.partition.eof", "true");
  set(conf.get(), "fetch.wait.max.ms", "50");
  set(conf.get(), "fetch.error.backoff.ms", "10");
  set(conf.get(), "queued.min.messages", "100000");
  set(conf.get(), "queued.max.messages.kbytes", "32768");
  set(conf.get(), "fetch.message.max.bytes", std::to_string(2 * max_record_bytes));
  for (const auto& [name, value] : settings) set(conf.get(), name, value);
  return conf;
}
}  // namespace

KafkaClient make_kafka_consumer(const KafkaOptions& options, const std::map<std::string, std::string>& settings) {
  return make(consumer_conf(options, settings), RD_KAFKA_CONSUMER);
}

KafkaClient make_kafka_member(const KafkaOptions& options, const std::map<std::string, std::string>& settings,
                              KafkaClientEvents& events) {
  Conf conf = consumer_conf(options, settings);
  tell(conf.get(), events);
  rd_kafka_conf_set_rebalance_cb(
      conf.get(), [](rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions, void* opaque) {
        static_cast<KafkaClientEvents*>(opaque)->rebalanced(error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, partitions);
      });
  KafkaClient client = make(std::move(conf), RD_KAFKA_CONSUMER);
  rd_kafka_poll_set_consumer(client.get());
  return client;
}

ClusterDescription describe_cluster(rd_kafka_s* client, std::chrono::milliseconds timeout) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto error = rd_kafka_metadata(client, 0, nullptr, &metadata, static_cast<int>(timeout.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw LogError(std::string("kafka: no broker answers: ") + rd_kafka_err2str(error), std::string(brokers_hint), true);
  ClusterDescription out;
  out.brokers = metadata->broker_cnt;
  rd_kafka_metadata_destroy(metadata);
  if (char* id = rd_kafka_clusterid(client, static_cast<int>(timeout.count()))) {
    out.id = id;
    rd_kafka_mem_free(client, id);
  }
  return out;
}

namespace {
// Not rd_kafka_query_watermark_offsets(): that waits for a broker that has fallen silent until the request times out, a minute.
std::int64_t query_offset(rd_kafka_s* consumer, const std::string& topic, std::int32_t partition, std::int64_t which,
                          std::chrono::milliseconds timeout) {
  // A new leader may be in the making: asked again until the time is over. The client sends the question to the leader that it
  // knows, so each try is short and is followed by asking who leads now.
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const auto slice = [&] {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 1, question_slice.count()));
  };
  const std::unique_ptr<rd_kafka_topic_partition_list_t, decltype(&rd_kafka_topic_partition_list_destroy)> asked(
      rd_kafka_topic_partition_list_new(1), rd_kafka_topic_partition_list_destroy);
  rd_kafka_topic_partition_t& place = *rd_kafka_topic_partition_list_add(asked.get(), topic.c_str(), partition);
  const KafkaTopic handle(rd_kafka_topic_new(consumer, topic.c_str(), nullptr));
  for (;;) {
    place.offset = which;
    place.err = RD_KAFKA_RESP_ERR_NO_ERROR;
    auto error = rd_kafka_offsets_for_times(consumer, asked.get(), slice());
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = place.err;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && place.offset >= 0) return place.offset;
    if (std::chrono::steady_clock::now() >= deadline)
      throw LogError(
          "kafka: " + topic + "[" + std::to_string(partition) + "]: its ends can't be asked: " + rd_kafka_err2str(error),
          std::string(brokers_hint), true);
    const rd_kafka_metadata_t* metadata = nullptr;
    if (rd_kafka_metadata(consumer, 0, handle.get(), &metadata, slice()) == RD_KAFKA_RESP_ERR_NO_ERROR)
      rd_kafka_metadata_destroy(metadata);
    pause_for({}, std::min(question_pause, std::chrono::milliseconds(slice())));
  }
}
}  // namespace

std::int64_t query_end(rd_kafka_s* consumer, const std::string& topic, std::int32_t partition,
                       std::chrono::milliseconds timeout) {
  return query_offset(consumer, topic, partition, RD_KAFKA_OFFSET_END, timeout);
}

KafkaOffsets query_offsets(rd_kafka_s* consumer, const std::string& topic, std::int32_t partition,
                           std::chrono::milliseconds timeout) {
  const std::int64_t low = query_offset(consumer, topic, partition, RD_KAFKA_OFFSET_BEGINNING, timeout);
  return {low, query_end(consumer, topic, partition, timeout)};
}

}  // namespace guildhall
