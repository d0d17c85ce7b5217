// What tests on a Kafka broker share: a platform of each test's own, for one broker serves many tests at once.
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "infra/kafka_log.h"
#include "tests/infra/log_driver.h"
#include "tests/kafka_cluster.h"

namespace guildhall::test {

inline std::string fresh_platform() {
  static std::atomic<int> number{0};
  static const std::string run =
      std::to_string(::getpid()) + "x" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count() % 1'000'000);
  return "t" + run + "n" + std::to_string(++number);
}

inline KafkaOptions kafka_options(const KafkaCluster& cluster = KafkaCluster::shared()) {
  KafkaOptions out;
  out.brokers = cluster.bootstrap();
  return out;
}

// record_header() speaks of a fresh platform as long as this lives.
class OwnPlatform {
 public:
  OwnPlatform() : before_(std::exchange(log_platform, fresh_platform())) {}
  ~OwnPlatform() { log_platform = before_; }
  OwnPlatform(const OwnPlatform&) = delete;
  OwnPlatform& operator=(const OwnPlatform&) = delete;

 private:
  std::string before_;
};

inline LogIdentity identity_of(std::uint32_t shards) { return {log_platform, log_id, shards, 1}; }

// Tries until it holds or the deadline has passed.
inline bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace guildhall::test
