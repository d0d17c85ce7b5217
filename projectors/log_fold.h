// Folds the records of some shards into batches of row changes: what the runner and a rebuild have in common.
#pragma once

#include <memory>
#include <unordered_set>
#include <vector>

#include "events/event_log.h"
#include "projectors/projection.h"

namespace guildhall {

// Rows that exist already are not sent again while they are remembered: a pair of counterparts comes with every booking.
class RecentRows {
 public:
  explicit RecentRows(std::size_t capacity) : capacity_(capacity) {}
  bool contains(const std::string& row) const { return young_.contains(row) || old_.contains(row); }
  void add(std::string row);
  void clear();

 private:
  std::size_t capacity_;  // Of both halves together; the older half goes when the younger is full.
  std::unordered_set<std::string> young_;
  std::unordered_set<std::string> old_;
};

// Not thread-safe.
class LogFold {
 public:
  LogFold(EventLog& log, const Projection& projection, std::vector<ShardNo> shards);

  // Starts over: `offsets` by shard number, of what is applied already. Throws LogError or CorruptLog; RowStoreError(schema) when
  // the rows are ahead of the log.
  void start(const std::vector<Sequence>& offsets);
  // Collects up to `max_records` more records. Stops a shard in front of a record that can't be read, decoded or folded (then
  // failure() has it) and at the durable end. Throws a retryable LogError, or RowStoreError(missing_row) for records that don't
  // go together: start over with fewer at a time.
  void fill(std::size_t max_records);

  const RowBatch& batch() const { return batch_; }
  std::span<const Advance> advances() const { return advances_; }
  std::size_t records() const { return records_; }  // In the batch.
  Micros last_time() const { return last_time_; }   // Event time of the newest record read.
  void applied();                                   // The batch is in the store: go on behind it.

  // Shards stand before their failing record until start().
  std::span<const ProjectionFailure> failures() const { return failures_; }
  // The batch of one record can't be applied: its shard stands.
  void abandon();
  // The first record of the batch: what a refusal of a batch of one is about.
  ProjectionFailure first_record(FailureKind kind, std::string detail) const;

 private:
  struct Shard {
    ShardNo number;
    Sequence position = 0;  // Of the last record in or before the batch.
    std::unique_ptr<LogReader> reader;
    bool failed = false;
  };
  void look_beyond(Shard& shard);
  void read_shard(Shard& shard, std::size_t max_records);
  void add(Write write);
  void clear();
  void fail(Shard& shard, FailureKind kind, Sequence sequence, std::string type, std::string detail);

  EventLog& log_;
  const Projection& projection_;
  std::vector<Shard> shards_;
  std::size_t next_shard_ = 0;  // Who reads first: no shard starves behind a busy one.
  Writes writes_;
  RowBatch batch_;
  RecentRows recent_;
  std::vector<std::string> fresh_;  // Presence rows of the batch.
  std::vector<Advance> advances_;
  std::vector<ProjectionFailure> failures_;
  std::size_t records_ = 0;
  std::string first_type_;
  Micros last_time_ = 0;
};

}  // namespace guildhall
