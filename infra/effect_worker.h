// Performs the effects that the shards' states want, one at a time, and hands each answer back as a command. An effect is wanted
// until its state says otherwise, so a lost answer is asked for again: the processor knows the effect's id.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>

#include "aggregates/effects.h"
#include "events/clock.h"

namespace guildhall {

class EffectWorker {
 public:
  static constexpr Micros retry_after_us = 5 * second_us;  // After an answer that was unknown, or whose recording failed.
  static constexpr Micros idle_wait_us = second_us;

  // `record` submits the outcome; `nth` counts the deliveries of one answer from 0. Called from the worker's thread.
  using Record = std::function<void(const Effect&, const ProcessorAnswer&, int nth)>;
  EffectWorker(PaymentProcessor& processor, const Clock& clock, Record record)
      : processor_(processor), clock_(clock), record_(std::move(record)) {}

  // Any thread; does not block.
  void want(const Effect& effect, bool wanted);
  void run(std::stop_token stop);
  // One round without waiting: true when something was performed or recorded.
  bool step();
  std::size_t pending() const;
  Micros longest_wait() const;  // Of those: how long this process has asked for the one it has asked for longest.

 private:
  struct Pending {
    Effect effect;
    Micros since = 0;
    Micros due = 0;
    std::optional<PerformedCall> performed;  // Performed; its answer is due.
  };

  PaymentProcessor& processor_;
  const Clock& clock_;
  Record record_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<Uuid, Pending, UuidLess> pending_;
  std::multimap<Micros, Uuid> due_;
};

}  // namespace guildhall
