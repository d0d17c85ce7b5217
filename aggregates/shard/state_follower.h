// Brings a shard's state up to its log by folding records, without ever writing to the log: a shard does it when it opens, and a
// warm standby all the time, so that whoever takes the shard over has only the last records left to fold.
#pragma once

#include "aggregates/shard/state_cache.h"
#include "events/event_log.h"

namespace guildhall {

// One thread at a time; nobody else writes to the store meanwhile. Log and store outlive it.
class StateFollower {
 public:
  // Goes on where the store stands, if the log has the same record there; else empties the store and begins at the first record.
  // Throws CorruptLog when the state has applied more than the log has, unless the loss is accepted; LogError, StateStoreError.
  StateFollower(EventLog& log, ShardNo shard, StateStore& store, bool accept_loss = false);

  // Folds the next records that the log has into one atomic write: `max_records`, and the rest of the batch that the last of them
  // is in. False when it met the durable end; call again later. Throws CorruptLog, LogError, StateStoreError; after a LogError or
  // StateStoreError it may be called again. What was written survives the process from the store's next checkpoint on.
  bool advance(std::size_t max_records);
  const Position& position() const { return position_; }

 private:
  Position fold(Changes& changes, std::size_t max_records, bool& at_end);

  EventLog& log_;
  const ShardNo shard_;
  StateStore& store_;
  StateCache cache_;
  Position position_;
  std::unique_ptr<LogReader> reader_;  // Stands after the position, and stays open: on some logs opening one is expensive.
};

}  // namespace guildhall
