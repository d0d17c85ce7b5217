// Keeps the leaderboards up with all shards' logs, and lets others read them meanwhile. They are a fold of the log and nothing
// else: what a snapshot kept is believed only if the log holds the same records, and is else made anew.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stop_token>
#include <vector>

#include "events/event_log.h"
#include "projectors/leaderboards.h"
#include "projectors/runner.h"
#include "projectors/snapshot_store.h"

namespace guildhall {

struct BoardFollowerLimits {
  // Records are read without the lock and applied under it, a few at a time: so long a reader may have to wait.
  std::size_t gains_per_turn = 32;
  std::size_t records_per_turn = 4'096;
  // After records were applied: what comes one by one is taken together. Nobody waits for it: a when_reached() ends it.
  std::chrono::milliseconds rest{2};
  std::chrono::milliseconds tick{1'000};  // Periods open by the clock, also when nothing happens.
  std::uint64_t snapshot_gains = 1'000'000;
  std::chrono::milliseconds first_backoff{50};
  std::chrono::milliseconds max_backoff{5'000};
};

// The gain of a record, if it is of that kind. Throws CorruptLog when it can't be read.
using GainOf = std::optional<XpGain> (*)(const Record& record);

// run() and step() belong to one thread; the other members may be called from any.
class BoardFollower {
 public:
  // All references outlive it; `snapshots` may be nullptr.
  BoardFollower(EventLog& log, const Clock& clock, GainOf gain_of, SnapshotStore* snapshots, Pause pause,
                BoardFollowerLimits limits = {});

  // Until a stop is asked for; then the boards are saved. Throws CorruptLog, and what of the log's errors is not retryable.
  void run(std::stop_token stop);
  // One look at every shard's log: false when there was nothing new. Throws as run(), and retryable errors as well.
  bool step();
  void save();
  void notify();  // There may be more in a log.

  // What read() shows: the boards, and by shard the sequence up to which they are the fold of its log.
  struct View {
    const Leaderboards& boards;
    const std::vector<Sequence>& positions;
  };
  // Calls `reader` at once, under a lock that the following waits for. False, without a call, until the logs' ends were met once.
  template <class Reader>
  bool read(Reader&& reader) const {
    const std::shared_lock lock(boards_mutex_);
    if (!ready_) return false;
    reader(View{boards_, positions_});
    return true;
  }
  // Calls `done` once, at once or from the thread of run(), at the latest soon after the deadline; it must not block.
  void when_reached(std::vector<Target> targets, std::chrono::steady_clock::time_point deadline,
                    std::move_only_function<void(WaitResult)> done);

  bool from_snapshot() const { return from_snapshot_; }  // After the first step.
  std::vector<Sequence> positions() const;  // Also before the logs' ends were met.
  std::uint64_t applied_gains() const;
  std::size_t memory_bytes() const;

 private:
  struct Shard {
    std::unique_ptr<LogReader> reader;
    Hash head{};  // Of the record at the position.
  };
  struct Wait {
    std::vector<Target> targets;
    std::chrono::steady_clock::time_point deadline;
    std::move_only_function<void(WaitResult)> done;
  };
  void start();
  bool restore(std::string_view bytes);
  void keep();
  bool follow(ShardNo shard);
  void apply(ShardNo shard, Sequence upto, const std::vector<XpGain>& gains);
  bool reached(const std::vector<Target>& targets) const;
  void answer_waits(bool all);

  EventLog& log_;
  const Clock& clock_;
  const GainOf gain_of_;
  SnapshotStore* const snapshots_;
  const Pause pause_;
  const BoardFollowerLimits limits_;

  // Of the running thread.
  std::vector<Shard> shards_;
  bool started_ = false;
  bool from_snapshot_ = false;
  std::uint64_t saved_at_gains_ = 0;
  std::vector<Sequence> saved_positions_;

  mutable std::shared_mutex boards_mutex_;  // The running thread alone changes what it guards, and so reads it without.
  Leaderboards boards_;
  std::vector<Sequence> positions_;
  std::uint64_t applied_gains_ = 0;
  bool ready_ = false;

  std::mutex waits_mutex_;
  std::condition_variable_any wake_;
  bool work_ = true;
  bool ended_ = false;
  std::vector<Wait> waits_;
};

}  // namespace guildhall
