// A log of learners with XP, and more XP that arrives at a steady rate.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "bench/histogram.h"
#include "events/clock.h"
#include "infra/segment_log.h"

namespace guildhall {

// Noon of a Wednesday, from the construction on: no period ends during a run.
class NoonClock final : public Clock {
 public:
  Micros now() const override;

 private:
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// Every learner has XP today, so that each of the four open boards holds all of them.
class XpStage {
 public:
  XpStage(const std::filesystem::path& folder, std::size_t learners, std::uint32_t shards, const Clock& clock);

  EventLog& log() { return *log_; }
  const Uuid& learner(std::size_t n) const { return learners_[n].id; }
  std::size_t size() const { return learners_.size(); }
  std::uint64_t records() const;
  // One lesson of this learner's.
  void complete(std::size_t learner);
  // Makes what was completed durable.
  void flush();

 private:
  struct Learner {
    Uuid id{};
    std::int32_t xp = 0;
    std::int32_t lessons = 0;
  };
  struct Shard {
    std::unique_ptr<LogWriter> writer;
    LogEnd end;
    BatchBuilder builder;
  };
  void submit(ShardNo shard);

  const Clock& clock_;
  std::unique_ptr<SegmentLog> log_;
  std::vector<Learner> learners_;
  std::vector<Shard> shards_;
  std::uint64_t versions_ = 0;
  std::atomic<std::size_t> in_flight_{0};
};

// Completes lessons of random learners at this rate until it goes.
class XpFlow {
 public:
  XpFlow(XpStage& stage, std::size_t per_second);
  ~XpFlow();
  double per_second() const;  // As it really came, from the start to now.

 private:
  std::atomic<std::uint64_t> completed_{0};
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::jthread thread_;
};

}  // namespace guildhall
