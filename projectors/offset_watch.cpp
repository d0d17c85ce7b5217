#include "projectors/offset_watch.h"

#include <algorithm>

namespace guildhall {

void OffsetWatch::run(std::stop_token stop) {
  std::vector<Sequence> offsets;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, stop, [&] { return !waits_.empty(); });
    }
    if (stop.stop_requested()) break;
    try {
      offsets = store_.offsets(Generation::live);
    } catch (const RowStoreError&) {
      // The database is away: whoever waits is told when the time is over.
    }
    settle(offsets, false);
    std::unique_lock lock(mutex_);
    if (!waits_.empty()) wake_.wait_for(lock, stop, look_every, [] { return false; });
  }
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  settle(offsets, true);
}

void OffsetWatch::settle(const std::vector<Sequence>& offsets, bool all) {
  std::vector<std::pair<Wait, WaitResult>> answered;
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(waits_, [&](Wait& wait) {
      const bool reached = std::ranges::all_of(
          wait.targets, [&](const Target& t) { return t.shard < offsets.size() && offsets[t.shard] >= t.sequence; });
      if (!reached && !all && now < wait.deadline) return false;
      answered.emplace_back(std::move(wait), reached ? WaitResult::reached : WaitResult::timed_out);
      return true;
    });
  }
  for (auto& [wait, result] : answered) wait.done(result);
}

void OffsetWatch::when_reached(std::vector<Target> targets, std::chrono::steady_clock::time_point deadline,
                               std::move_only_function<void(WaitResult)> done) {
  bool ended = false;
  {
    const std::lock_guard lock(mutex_);
    ended = ended_;
    if (!ended) waits_.push_back({std::move(targets), deadline, std::move(done)});
  }
  if (ended) return done(WaitResult::timed_out);
  wake_.notify_all();
}

}  // namespace guildhall
