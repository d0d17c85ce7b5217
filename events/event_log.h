// The log seam. Implementations: in-memory (tests), embedded segment files, Kafka; one contract test runs over all of them
// (tests/infra/event_log_contract.h).
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "events/record.h"

namespace guildhall {

// The world failed: disk, broker, folder. `hint` says which setting or place to look at. A corrupt log is CorruptLog instead.
class LogError : public std::runtime_error {
 public:
  LogError(const std::string& what, std::string hint, bool retryable)
      : std::runtime_error(what), hint_(std::move(hint)), retryable_(retryable) {}
  const std::string& hint() const { return hint_; }
  bool retryable() const { return retryable_; }

 private:
  std::string hint_;
  bool retryable_;
};

enum class AppendOutcome : std::uint8_t {
  committed,  // Durable, and visible to readers.
  aborted,    // Certainly not in the log; the same commands may be decided again.
  fenced,     // Another writer took over; nothing of this batch is or will be visible.
  unknown,    // The log did not say: only reading it after a new open tells. The process ends.
};

struct LogIdentity {
  std::string platform;
  Uuid log_id{};
  std::uint32_t shards = 0;      // Fixed at creation.
  std::uint32_t generation = 1;  // Of this copy of the log; not chained. Cursors and tokens carry it.
};

struct LogEnd {
  Sequence sequence = 0;
  Hash head{};
};

// Appends to one shard. One thread at a time; at most one batch is submitted before the one before it has its outcome.
class LogWriter {
 public:
  virtual ~LogWriter() = default;
  virtual Epoch epoch() const = 0;
  virtual LogEnd end() const = 0;  // At open.
  // `batch.first` must follow the end. `done` is called once, from a thread of the log, in the order of submission; it must not
  // block.
  virtual void submit(Batch batch, std::move_only_function<void(AppendOutcome)> done) = 0;
};

// Reads one shard in order, every record verified (RecordVerifier). One thread at a time.
class LogReader {
 public:
  virtual ~LogReader() = default;
  // The next durable record, or nullptr at the durable end (call again later). Valid until the next call. Never returns part of a
  // batch that is not wholly durable. Throws CorruptLog or LogError.
  virtual const Record* next() = 0;
};

class EventLog {
 public:
  virtual ~EventLog() = default;
  virtual const LogIdentity& identity() const = 0;
  // Fences older writers of the shard. Throws LogError.
  virtual std::unique_ptr<LogWriter> open(ShardNo shard) = 0;
  // Starts at `from` (>= 1). Throws LogError when `from` lies beyond the durable end + 1.
  virtual std::unique_ptr<LogReader> read(ShardNo shard, Sequence from) = 0;
  // Any thread.
  virtual LogEnd durable_end(ShardNo shard) const = 0;
  // False while the log can't take more (disk nearly full, no next segment): refuse commands before they are decided. Any thread.
  virtual bool admits() const = 0;
  // Called after each durable advance, from a thread of the log; must not block. Set once, before the first open.
  virtual void on_durable(std::function<void(ShardNo, Sequence)> listener) = 0;
};

}  // namespace guildhall
