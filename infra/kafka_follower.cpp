#include "infra/kafka_follower.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include <algorithm>
#include <future>
#include <utility>

#include "events/check.h"

namespace guildhall {
namespace {
constexpr std::chrono::milliseconds poll_slice{20};  // A wait that is asked for meanwhile is seen that late.
// A broker that does not answer holds up messages, other waits and the end of the follower no longer than that.
constexpr std::chrono::milliseconds question_patience{500};
}  // namespace

TopicFollower::TopicFollower(const KafkaOptions& options, std::string topic, std::vector<Start> partitions,
                             std::function<void(const FollowedMessage&)> take, std::function<void(const std::string& why)> failed)
    : topic_(std::move(topic)),
      partitions_(std::move(partitions)),
      take_(std::move(take)),
      failed_(std::move(failed)),
      client_(make_kafka_consumer(options)),
      handle_(rd_kafka_topic_new(client_.get(), topic_.c_str(), nullptr)),
      queue_(rd_kafka_queue_new(client_.get())) {
  for (const Start& p : partitions_) {
    next_.push_back(p.offset);
    if (rd_kafka_consume_start_queue(handle_.get(), p.partition, p.offset, queue_.get()) != 0)
      throw LogError("kafka: " + topic_ + ": " + rd_kafka_err2str(rd_kafka_last_error()), "the brokers", true);
  }
  thread_ = std::jthread([this](std::stop_token stop) {
    ::pthread_setname_np(::pthread_self(), "kafka-follower");
    if (const auto why = follow(stop)) {
      give_up();
      failed_(*why);
      for (std::unique_lock lock(mutex_); more_.wait(lock, stop, [&] { return !asked_.empty(); });) {
        lock.unlock();
        give_up();
        lock.lock();
      }
    }
  });
}

TopicFollower::~TopicFollower() {
  thread_.request_stop();
  thread_.join();
  for (const Start& p : partitions_) rd_kafka_consume_stop(handle_.get(), p.partition);
  give_up();
}

void TopicFollower::give_up() {
  std::vector<Wait> left = std::exchange(waits_, {});
  {
    const std::lock_guard lock(mutex_);
    for (Wait& w : asked_) left.push_back(std::move(w));
    asked_.clear();
  }
  for (Wait& w : left) w.done(false);
}

std::optional<std::string> TopicFollower::follow(std::stop_token stop) {
  while (!stop.stop_requested()) {
    settle();
    const KafkaMessage message(rd_kafka_consume_queue(queue_.get(), static_cast<int>(poll_slice.count())));
    if (!message) {
      rd_kafka_poll(client_.get(), 0);
      continue;
    }
    const auto at =
        static_cast<std::size_t>(std::ranges::find(partitions_, message->partition, &Start::partition) - partitions_.begin());
    switch (message->err) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
        try {
          take_({message->partition,
                 message->offset,
                 {static_cast<const char*>(message->key), message->key_len},
                 {static_cast<const char*>(message->payload), message->len},
                 message.get()});
        } catch (const std::exception& e) {
          return e.what();
        }
        next_[at] = message->offset + 1;
        break;
      // The last stable end: markers before it count as taken.
      case RD_KAFKA_RESP_ERR__PARTITION_EOF: next_[at] = std::max(next_[at], message->offset); break;
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      case RD_KAFKA_RESP_ERR__BAD_MSG:  // The client would go on behind what it can't read.
      case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
      case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
        return fmt::format("kafka: {}[{}]: {}", topic_, message->partition, rd_kafka_message_errstr(message.get()));
      default: break;  // The client goes on by itself.
    }
  }
  return std::nullopt;
}

void TopicFollower::settle() {
  {
    const std::lock_guard lock(mutex_);
    for (Wait& w : asked_) waits_.push_back(std::move(w));
    asked_.clear();
  }
  if (waits_.empty()) return;
  // One question a partition answers all who came by now.
  std::vector<std::pair<std::int32_t, std::int64_t>> ends;
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(waits_, [&](Wait& w) {
    if (w.target < 0 && w.deadline > now) {
      auto known = std::ranges::find(ends, w.partition, &std::pair<std::int32_t, std::int64_t>::first);
      if (known == ends.end()) {
        std::int64_t end = -1;
        try {
          const auto left = std::chrono::ceil<std::chrono::milliseconds>(w.deadline - now);
          end = query_offsets(client_.get(), topic_, w.partition, std::min(left, question_patience)).high;
        } catch (const LogError&) {
          // Asked again until the time is over.
        }
        known = ends.insert(ends.end(), {w.partition, end});
      }
      w.target = known->second;
    }
    const auto at =
        static_cast<std::size_t>(std::ranges::find(partitions_, w.partition, &Start::partition) - partitions_.begin());
    const bool reached = w.target >= 0 && next_[at] >= w.target;
    if (!reached && std::chrono::steady_clock::now() < w.deadline) return false;
    w.done(reached);
    return true;
  });
}

void TopicFollower::when_caught_up(std::int32_t partition, std::chrono::milliseconds limit,
                                   std::move_only_function<void(bool)> done) {
  CHECK(std::ranges::find(partitions_, partition, &Start::partition) != partitions_.end());
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back({partition, std::chrono::steady_clock::now() + limit, -1, std::move(done)});
  }
  more_.notify_all();
}

bool TopicFollower::wait_until_caught_up(std::chrono::milliseconds limit) {
  std::vector<std::future<bool>> answers;
  for (const Start& p : partitions_) {
    auto promise = std::make_shared<std::promise<bool>>();
    answers.push_back(promise->get_future());
    when_caught_up(p.partition, limit, [promise](bool reached) { promise->set_value(reached); });
  }
  bool all = true;
  for (auto& answer : answers) all = answer.get() && all;
  return all;
}

}  // namespace guildhall
