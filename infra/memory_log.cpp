#include "infra/memory_log.h"

#include <atomic>
#include <deque>
#include <map>

#include "events/check.h"

namespace guildhall {

struct MemoryLog::State {
  struct StoredBatch {
    Sequence first;
    Sequence last;
    std::string bytes;
  };
  struct Shard {
    std::deque<StoredBatch> batches;  // A deque: readers keep pointers to stored bytes while others append.
    LogEnd end;
    Epoch epoch = 0;
  };
  struct Waiting {
    ShardNo shard;
    Epoch epoch;
    Batch batch;
    std::move_only_function<void(AppendOutcome)> done;
  };

  mutable std::mutex mutex;
  std::vector<Shard> shards;
  std::deque<std::pair<AppendOutcome, bool>> faults;
  std::deque<Waiting> waiting;
  bool held = false;
  bool admits = true;
  std::function<void(ShardNo, Sequence)> listener;

  // Runs outcomes outside the lock: `done` may submit again.
  void settle(Waiting w) {
    AppendOutcome outcome = AppendOutcome::committed;
    Sequence durable = 0;
    {
      const std::lock_guard lock(mutex);
      Shard& s = shards[w.shard];
      bool store = true;
      if (s.epoch != w.epoch) {
        outcome = AppendOutcome::fenced;
        store = false;
      } else if (!faults.empty()) {
        outcome = faults.front().first;
        store = outcome == AppendOutcome::committed || (outcome == AppendOutcome::unknown && faults.front().second);
        faults.pop_front();
      }
      if (store) {
        CHECK(w.batch.first == s.end.sequence + 1 && w.batch.head_before == s.end.head);
        s.end = {w.batch.last(), w.batch.head};
        s.batches.push_back({w.batch.first, w.batch.last(), std::move(w.batch.bytes)});
        durable = s.end.sequence;
      }
    }
    if (durable != 0 && listener) listener(w.shard, durable);
    w.done(outcome);
  }
};

class MemoryLog::Writer final : public LogWriter {
 public:
  Writer(std::shared_ptr<State> state, ShardNo shard, Epoch epoch, LogEnd end)
      : state_(std::move(state)), shard_(shard), epoch_(epoch), end_(end) {}
  Epoch epoch() const override { return epoch_; }
  LogEnd end() const override { return end_; }
  void submit(Batch batch, std::move_only_function<void(AppendOutcome)> done) override {
    State::Waiting w{shard_, epoch_, std::move(batch), std::move(done)};
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->held) {
        state_->waiting.push_back(std::move(w));
        return;
      }
    }
    state_->settle(std::move(w));
  }

 private:
  std::shared_ptr<State> state_;
  ShardNo shard_;
  Epoch epoch_;
  LogEnd end_;
};

class MemoryLog::Reader final : public LogReader {
 public:
  Reader(std::shared_ptr<State> state, const LogIdentity& identity, ShardNo shard, Sequence from)
      : state_(std::move(state)), shard_(shard), from_(from), verifier_(identity.platform, identity.log_id, shard), cursor_({}) {}

  const Record* next() override {
    for (;;) {
      while (cursor_.next(record_)) {
        verifier_.check(record_);
        if (record_.header.sequence >= from_) return &record_;
      }
      const std::lock_guard lock(state_->mutex);
      const auto& batches = state_->shards[shard_].batches;
      if (batch_ == batches.size()) return nullptr;
      cursor_ = BatchCursor(batches[batch_++].bytes);
    }
  }

 private:
  std::shared_ptr<State> state_;
  ShardNo shard_;
  Sequence from_;
  RecordVerifier verifier_;
  BatchCursor cursor_;
  std::size_t batch_ = 0;
  Record record_;
};

MemoryLog::MemoryLog(std::string platform, Uuid log_id, std::uint32_t shards)
    : identity_{std::move(platform), log_id, shards, 1}, state_(std::make_shared<State>()) {
  state_->shards.resize(shards);
}
MemoryLog::~MemoryLog() = default;

std::unique_ptr<LogWriter> MemoryLog::open(ShardNo shard) {
  const std::lock_guard lock(state_->mutex);
  auto& s = state_->shards.at(shard);
  return std::make_unique<Writer>(state_, shard, ++s.epoch, s.end);
}

std::unique_ptr<LogReader> MemoryLog::read(ShardNo shard, Sequence from) {
  const std::lock_guard lock(state_->mutex);
  if (from == 0 || from > state_->shards.at(shard).end.sequence + 1)
    throw LogError("read starts beyond the log's end", "position of the reader", false);
  return std::make_unique<Reader>(state_, identity_, shard, from);
}

LogEnd MemoryLog::durable_end(ShardNo shard) const {
  const std::lock_guard lock(state_->mutex);
  return state_->shards.at(shard).end;
}

bool MemoryLog::admits() const {
  const std::lock_guard lock(state_->mutex);
  return state_->admits;
}

void MemoryLog::on_durable(std::function<void(ShardNo, Sequence)> listener) { state_->listener = std::move(listener); }

void MemoryLog::fail_next(AppendOutcome outcome, bool stored) {
  const std::lock_guard lock(state_->mutex);
  state_->faults.emplace_back(outcome, stored);
}

void MemoryLog::set_admits(bool admits) {
  const std::lock_guard lock(state_->mutex);
  state_->admits = admits;
}

void MemoryLog::hold() {
  const std::lock_guard lock(state_->mutex);
  state_->held = true;
}

void MemoryLog::release() {
  for (;;) {
    State::Waiting w;
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->waiting.empty()) {
        state_->held = false;
        return;
      }
      w = std::move(state_->waiting.front());
      state_->waiting.pop_front();
    }
    state_->settle(std::move(w));
  }
}

}  // namespace guildhall
