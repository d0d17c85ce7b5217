// The log's in-memory twin: the same promises until the process ends. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "events/event_log.h"

namespace guildhall {

class MemoryLog final : public EventLog {
 public:
  MemoryLog(std::string platform, Uuid log_id, std::uint32_t shards);
  ~MemoryLog() override;

  const LogIdentity& identity() const override { return identity_; }
  std::unique_ptr<LogWriter> open(ShardNo shard) override;
  std::unique_ptr<LogReader> read(ShardNo shard, Sequence from) override;
  LogEnd durable_end(ShardNo shard) const override;
  bool admits() const override;
  void on_durable(std::function<void(ShardNo, Sequence)> listener) override;

  // Faults for tests. The next submissions get these outcomes, in order; `stored` says whether an unknown batch is in the log.
  void fail_next(AppendOutcome outcome, bool stored = false);
  void set_admits(bool admits);
  // While held, submitted batches wait for their outcome.
  void hold();
  void release();

 private:
  struct State;
  class Writer;
  class Reader;
  LogIdentity identity_;
  std::shared_ptr<State> state_;
};

}  // namespace guildhall
