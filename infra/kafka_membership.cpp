#include "infra/kafka_membership.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include <algorithm>

#include "infra/json_log.h"
#include "infra/pause.h"
#include "infra/system_clock.h"

namespace guildhall {
namespace {

constexpr std::chrono::milliseconds poll_slice{100};
constexpr std::chrono::milliseconds leave_slice{10};
// Who is to give up its shards, or may have more, hears of it with the next one.
constexpr std::chrono::milliseconds shortest_heartbeat{100}, longest_heartbeat{500};
constexpr int heartbeats_a_session = 12;
constexpr std::chrono::seconds leave_patience{5};
// A coordinator that was paused or cut off answers a join that its successor knows nothing of, and the successor takes us for
// an older process of our name. We join anew. Two processes of one name fence each other again at once: that is soon over.
constexpr std::size_t most_fences = 3;
constexpr std::int64_t fences_window_ms = 60'000;
constexpr std::int16_t join_api = 11, heartbeat_api = 12, leave_api = 13, sync_api = 14;

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

KafkaMembership::KafkaMembership(const KafkaOptions& options, KafkaMembershipOptions membership,
                                 std::function<void(std::set<ShardNo>)> assigned,
                                 std::function<void(const std::string& why)> shut_out)
    : options_(options), membership_(std::move(membership)), assigned_(std::move(assigned)), shut_out_(std::move(shut_out)) {
  events_.rebalanced = [this](bool assigned, rd_kafka_topic_partition_list_s* partitions) { rebalanced(assigned, partitions); };
  events_.request_sent = [this](std::int16_t api) {
    if (api == join_api) joining_ = true;
  };
  events_.request_ended = [this](std::int16_t api, bool answered) {
    if (api == join_api) joining_ = false;
    if (api == leave_api && answered) told_ = true;
    if ((api == join_api || api == heartbeat_api || api == sync_api) && answered) heard_ms_ = steady_ms();
  };
  join();
  thread_ = std::jthread([this](std::stop_token stop) {
    ::pthread_setname_np(::pthread_self(), "membership");
    run(stop);
  });
}

void KafkaMembership::join() {
  const auto heartbeat = std::clamp(membership_.session / heartbeats_a_session, shortest_heartbeat, longest_heartbeat);
  client_ = make_kafka_member(options_,
                              {{"group.id", membership_.group},
                               {"group.instance.id", membership_.node},
                               {"partition.assignment.strategy", "range"},
                               {"session.timeout.ms", std::to_string(membership_.session.count())},
                               {"heartbeat.interval.ms", std::to_string(heartbeat.count())},
                               // The partitions stay paused: the group gives shards, no messages.
                               {"auto.offset.reset", "latest"},
                               {"enable.partition.eof", "false"}},
                              events_);
  rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, membership_.topic.c_str(), RD_KAFKA_PARTITION_UA);
  const auto error = rd_kafka_subscribe(client_.get(), topics);
  rd_kafka_topic_partition_list_destroy(topics);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw LogError(std::string("kafka: subscribe: ") + rd_kafka_err2str(error), "the brokers", true);
  heard_ms_ = steady_ms();
}

KafkaMembership::~KafkaMembership() {
  thread_.request_stop();
  thread_.join();
}

// Range is eager: everything is revoked before it is given out anew. Nothing stops on a revocation, the next assignment says
// what goes and what comes; whoever is slow is fenced.
void KafkaMembership::rebalanced(bool assigned, rd_kafka_topic_partition_list_s* partitions) {
  rd_kafka_t* client = client_.get();
  if (!assigned) {
    rd_kafka_assign(client, nullptr);
    return;
  }
  rebalances_.fetch_add(1, std::memory_order_relaxed);
  std::set<ShardNo> shards;
  for (int i = 0; i < partitions->cnt; ++i) {
    partitions->elems[i].offset = RD_KAFKA_OFFSET_END;
    shards.insert(static_cast<ShardNo>(partitions->elems[i].partition));
  }
  rd_kafka_assign(client, partitions);
  rd_kafka_pause_partitions(client, partitions);
  if (!leaving_) assigned_(std::move(shards));
}

void KafkaMembership::run(std::stop_token stop) {
  rd_kafka_resp_err_t told_error = RD_KAFKA_RESP_ERR_NO_ERROR;
  while (!stop.stop_requested()) {
    if (leaving_) {
      give_back();
      break;
    }
    const KafkaMessage message(rd_kafka_consumer_poll(client_.get(), static_cast<int>(poll_slice.count())));
    if (message && message->err == RD_KAFKA_RESP_ERR__FATAL) {
      const std::string why = rd_kafka_message_errstr(message.get());
      if (rd_kafka_fatal_error(client_.get(), nullptr, 0) == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID && may_join_again()) {
        log_line(LogLevel::warning, SystemClock().now(), "the group takes this process for an older one; joining anew",
                 {{"group", std::string_view(membership_.group)}, {"node", std::string_view(membership_.node)}});
        try {
          join();
          continue;
        } catch (const LogError& e) {
          left_ = true;
          shut_out_(e.what());
          break;
        }
      }
      left_ = true;  // Before it is told: who is told asks.
      shut_out_(why);
      break;
    }
    // The client tries again; what is wrong for good (rights, a session that the brokers do not allow) somebody has to read.
    if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR && message->err != told_error) {
      told_error = message->err;
      log_line(
          LogLevel::warning, SystemClock().now(), "the group gives no shards",
          {{"group", std::string_view(membership_.group)}, {"reason", std::string_view(rd_kafka_message_errstr(message.get()))}});
    }
  }
  left_ = true;
  left_.notify_all();
}

bool KafkaMembership::may_join_again() {
  const std::int64_t now = steady_ms();
  while (!fenced_ms_.empty() && now - fenced_ms_.front() > fences_window_ms) fenced_ms_.pop_front();
  fenced_ms_.push_back(now);
  return fenced_ms_.size() < most_fences;
}

void KafkaMembership::give_back() {
  rd_kafka_unsubscribe(client_.get());
  const std::int64_t until = steady_ms() + std::chrono::milliseconds(leave_patience).count();
  // The request goes out once every partition was given back, which the polls do.
  while (!told_ && steady_ms() < until)
    const KafkaMessage ignored(rd_kafka_consumer_poll(client_.get(), static_cast<int>(leave_slice.count())));
}

void KafkaMembership::leave() {
  leaving_ = true;
  left_.wait(false);
}

bool KafkaMembership::alive() const { return !left_ && (joining_ || steady_ms() - heard_ms_ < membership_.session.count()); }

}  // namespace guildhall
