// Keeps one projection's rows up with the log: reads, coalesces, applies rows and offsets in one transaction, and stops loudly at
// a record that it cannot apply (never skips). The rows are a fold of the log up to the stored offset (reliability.md, I8).
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>

#include "projectors/log_fold.h"

namespace guildhall {

// Waits, or returns early when a stop is asked for.
using Pause = std::function<void(std::stop_token, std::chrono::milliseconds)>;

struct RunnerLimits {
  std::size_t records_per_transaction = 16'384;
  // Under load a short rest between transactions makes them bigger and cheaper. Nobody waits for it: a wait_for() ends it.
  std::chrono::milliseconds rest{10};
  std::chrono::milliseconds first_backoff{50};
  std::chrono::milliseconds max_backoff{5'000};
};

// A place that a reader wants the rows to have reached.
struct Target {
  ShardNo shard;
  Sequence sequence;
};

enum class WaitResult : std::uint8_t {
  reached,
  timed_out,
  failed,    // The shard stands at a record that can't be applied: progress() says which.
  not_here,  // This runner has no such shard.
};

struct ShardProgress {
  ShardNo shard = 0;
  Sequence applied = 0;      // As committed with the rows, by this process; 0 until its first look at the store.
  Sequence durable_end = 0;  // The log's real end, asked now, never a cached mark.
  std::optional<ProjectionFailure> failure;
};

// run() belongs to one thread; the other members may be called from any.
class Runner {
 public:
  // `shards`: whose records this runner projects. All references outlive it. store.prepare() comes first.
  Runner(EventLog& log, RowStore& store, const Projection& projection, std::vector<ShardNo> shards, Pause pause,
         RunnerLimits limits = {});

  // Until a stop is asked for. Retries what may go away; throws RowStoreError(schema) and non-retryable errors of the log.
  void run(std::stop_token stop);
  // One round of run() without its waiting for work: false when there was nothing to do. For the thread of run() only.
  bool step(std::stop_token stop);
  // There may be more in the log.
  void notify();

  // Read-your-writes: blocks until the rows have reached every target.
  WaitResult wait_for(std::span<const Target> targets, std::chrono::steady_clock::time_point deadline);
  // The same without blocking: `done` is called once, on the caller's thread where the answer is known already, else on the
  // thread of run(), at the latest soon after the deadline; it must not block. What waits when run() ends is answered timed_out.
  void when_reached(std::vector<Target> targets, std::chrono::steady_clock::time_point deadline,
                    std::move_only_function<void(WaitResult)> done);
  std::vector<ShardProgress> progress() const;
  Micros last_event_time() const;  // Of the newest applied record; 0 before the first.
  std::uint64_t applied_records() const;

 private:
  void load(std::stop_token stop);
  bool apply(std::stop_token stop);
  void applied();
  void fail(const ProjectionFailure& failure);
  void back_off(std::stop_token stop);
  std::optional<WaitResult> verdict(std::span<const Target> targets) const;  // Under the mutex; nothing: not yet.
  void answer_waits(bool all);

  EventLog& log_;
  RowStore& store_;
  Pause pause_;
  RunnerLimits limits_;
  LogFold fold_;

  // Of the running thread.
  bool loaded_ = false;
  std::size_t batch_limit_;
  std::chrono::milliseconds backoff_;
  std::size_t noted_failures_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;  // Positions, failures, work, waiters.
  std::vector<ShardProgress> shards_;
  Micros last_event_time_ = 0;
  std::uint64_t applied_records_ = 0;
  bool work_ = true;
  int waiters_ = 0;
  struct PendingWait {
    std::vector<Target> targets;
    std::chrono::steady_clock::time_point deadline;
    std::move_only_function<void(WaitResult)> done;
  };
  std::vector<PendingWait> waits_;
  bool ended_ = false;
};

}  // namespace guildhall
