#include "projectors/runner.h"

#include <algorithm>

namespace guildhall {

Runner::Runner(EventLog& log, RowStore& store, const Projection& projection, std::vector<ShardNo> shards, Pause pause,
               RunnerLimits limits)
    : log_(log),
      store_(store),
      pause_(std::move(pause)),
      limits_(limits),
      fold_(log, projection, shards),
      batch_limit_(limits.records_per_transaction),
      backoff_(limits.first_backoff) {
  for (const ShardNo shard : shards) shards_.push_back({shard, 0, 0, std::nullopt});
}

void Runner::run(std::stop_token stop) {
  // However run() ends, nobody is left waiting.
  struct AtEnd {
    Runner& runner;
    ~AtEnd() {
      {
        const std::lock_guard lock(runner.mutex_);
        runner.ended_ = true;
      }
      runner.answer_waits(true);
    }
  } at_end{*this};
  while (!stop.stop_requested()) {
    const bool moved = step(stop);
    answer_waits(false);
    std::unique_lock lock(mutex_);
    if (moved) {
      changed_.wait_for(lock, stop, limits_.rest, [&] { return waiters_ > 0; });
    } else {
      auto wake_at = std::chrono::steady_clock::time_point::max();
      for (const PendingWait& wait : waits_) wake_at = std::min(wake_at, wait.deadline);
      const std::size_t waits = waits_.size();
      const auto due = [&] { return work_ || waits_.size() != waits; };
      if (waits_.empty()) changed_.wait(lock, stop, due);
      else changed_.wait_until(lock, stop, wake_at, due);
    }
  }
}

bool Runner::step(std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    work_ = false;
  }
  try {
    if (!loaded_) load(stop);
    if (!loaded_) return true;
    if (fold_.records() == 0) fold_.fill(batch_limit_);
  } catch (const RowStoreError& e) {
    if (e.kind() != RowStoreError::Kind::missing_row) throw;
    batch_limit_ = std::max<std::size_t>(1, fold_.records() / 2);
    loaded_ = false;
    return true;
  } catch (const LogError& e) {
    if (!e.retryable()) throw;
    back_off(stop);
    return true;
  }
  // What lies before a failing record is applied first.
  if (fold_.records() > 0) return apply(stop);
  while (noted_failures_ < fold_.failures().size()) fail(fold_.failures()[noted_failures_++]);
  return false;
}

void Runner::load(std::stop_token stop) {
  try {
    const auto offsets = store_.offsets(Generation::live);
    fold_.start(offsets);
    noted_failures_ = 0;
    loaded_ = true;
    const std::lock_guard lock(mutex_);
    for (ShardProgress& shard : shards_) {
      shard.applied = offsets.at(shard.shard);
      shard.failure.reset();
    }
    changed_.notify_all();
  } catch (const RowStoreError& e) {
    if (!e.retryable()) throw;
    back_off(stop);
  }
}

bool Runner::apply(std::stop_token stop) {
  try {
    store_.apply(Generation::live, fold_.batch(), fold_.advances());
    applied();
  } catch (const RowStoreError& e) {
    switch (e.kind()) {
      case RowStoreError::Kind::unavailable: back_off(stop); break;
      case RowStoreError::Kind::in_doubt:  // The stored offsets tell: reading goes on behind them.
      case RowStoreError::Kind::conflict:
        loaded_ = false;
        back_off(stop);
        break;
      case RowStoreError::Kind::missing_row:
      case RowStoreError::Kind::refused: {
        // Smaller and smaller batches find the record; everything before it gets applied.
        if (fold_.records() > 1) {
          batch_limit_ = fold_.records() / 2;
          loaded_ = false;
          break;
        }
        const auto kind = e.kind() == RowStoreError::Kind::missing_row ? FailureKind::order : FailureKind::apply;
        const ProjectionFailure failure = fold_.first_record(kind, e.what());
        fold_.abandon();
        fail(failure);
        break;
      }
      case RowStoreError::Kind::schema: throw;
    }
  }
  return true;
}

void Runner::applied() {
  {
    const std::lock_guard lock(mutex_);
    for (const Advance& advance : fold_.advances())
      for (ShardProgress& shard : shards_)
        if (shard.shard == advance.shard) shard.applied = advance.after;
    last_event_time_ = fold_.last_time();
    applied_records_ += fold_.records();
  }
  changed_.notify_all();
  fold_.applied();
  backoff_ = limits_.first_backoff;
  batch_limit_ = std::min(limits_.records_per_transaction, batch_limit_ * 2);
}

// Shown to waiters, and stored for operators as well as the store allows.
void Runner::fail(const ProjectionFailure& failure) {
  {
    const std::lock_guard lock(mutex_);
    for (ShardProgress& shard : shards_)
      if (shard.shard == failure.shard) shard.failure = failure;
  }
  changed_.notify_all();
  try {
    store_.note_failure(failure);
  } catch (const RowStoreError&) {
    // The waiters know already; whoever looks into the store sees the offset stand still.
  }
}

void Runner::back_off(std::stop_token stop) {
  pause_(stop, backoff_);
  backoff_ = std::min(limits_.max_backoff, backoff_ * 2);
}

void Runner::notify() {
  {
    const std::lock_guard lock(mutex_);
    work_ = true;
  }
  changed_.notify_all();
}

std::optional<WaitResult> Runner::verdict(std::span<const Target> targets) const {
  bool all = true;
  for (const Target& target : targets) {
    const auto shard =
        std::find_if(shards_.begin(), shards_.end(), [&](const ShardProgress& s) { return s.shard == target.shard; });
    if (shard == shards_.end()) return WaitResult::not_here;
    if (shard->applied >= target.sequence) continue;
    if (shard->failure) return WaitResult::failed;
    all = false;
  }
  return all ? std::optional(WaitResult::reached) : std::nullopt;
}

WaitResult Runner::wait_for(std::span<const Target> targets, std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  auto result = verdict(targets);
  if (result) return *result;
  ++waiters_;
  changed_.notify_all();
  changed_.wait_until(lock, deadline, [&] { return (result = verdict(targets)).has_value(); });
  --waiters_;
  return result.value_or(WaitResult::timed_out);
}

void Runner::when_reached(std::vector<Target> targets, std::chrono::steady_clock::time_point deadline,
                          std::move_only_function<void(WaitResult)> done) {
  std::optional<WaitResult> known;
  {
    const std::lock_guard lock(mutex_);
    known = verdict(targets);
    if (!known && ended_) known = WaitResult::timed_out;
    if (!known) {
      waits_.push_back({std::move(targets), deadline, std::move(done)});
      ++waiters_;
    }
  }
  if (known) return done(*known);
  changed_.notify_all();
}

// Answers the waits whose end is known or whose time is over, or `all`.
void Runner::answer_waits(bool all) {
  std::vector<std::pair<PendingWait, WaitResult>> answered;
  {
    const std::lock_guard lock(mutex_);
    if (waits_.empty()) return;
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(waits_, [&](PendingWait& wait) {
      auto result = verdict(wait.targets);
      if (!result && (all || wait.deadline <= now)) result = WaitResult::timed_out;
      if (!result) return false;
      answered.emplace_back(std::move(wait), *result);
      --waiters_;
      return true;
    });
  }
  for (auto& [wait, result] : answered) wait.done(result);
}

std::vector<ShardProgress> Runner::progress() const {
  std::vector<ShardProgress> out;
  {
    const std::lock_guard lock(mutex_);
    out = shards_;
  }
  for (ShardProgress& shard : out) shard.durable_end = log_.durable_end(shard.shard).sequence;
  return out;
}

Micros Runner::last_event_time() const {
  const std::lock_guard lock(mutex_);
  return last_event_time_;
}

std::uint64_t Runner::applied_records() const {
  const std::lock_guard lock(mutex_);
  return applied_records_;
}

}  // namespace guildhall
