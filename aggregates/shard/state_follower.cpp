#include "aggregates/shard/state_follower.h"

#include <algorithm>

namespace guildhall {
namespace {
constexpr std::size_t cached_states = 32'768;
}

StateFollower::StateFollower(EventLog& log, ShardNo shard, StateStore& store, bool accept_loss)
    : log_(log), shard_(shard), store_(store), cache_(store, cached_states) {
  const auto stored = store_.get(keys::position);
  if (!stored) return;
  const auto known = decode_position(*stored);
  if (known) {
    // State is written after the log has it: what the log lacks was lost.
    const Sequence end = log_.durable_end(shard_).sequence;
    if (known->sequence > end && !accept_loss)
      throw CorruptLog("shard " + std::to_string(shard_) + ": the state has applied sequence " + std::to_string(known->sequence) +
                       ", but the log ends at " + std::to_string(end) + ": its end is missing");
    if (known->sequence > 0 && known->sequence <= end) {
      // The position counts only if the log holds the same record there.
      reader_ = log_.read(shard_, known->sequence);
      const Record* at = reader_->next();
      if (at != nullptr && at->chain == known->head) {
        position_ = *known;
        return;
      }
      reader_.reset();
    }
  }
  store_.clear();
}

bool StateFollower::advance(std::size_t max_records) {
  Changes changes([this](const StreamId& stream) { return cache_.load(stream); });
  bool at_end = false;
  try {
    const Position folded = fold(changes, max_records, at_end);
    if (folded.sequence == position_.sequence) return !at_end;
    store_.write(changes.writes(folded));
    position_ = folded;
  } catch (...) {
    reader_.reset();  // It has left the position.
    throw;
  }
  for (const auto& [stream, state] : changes.states()) cache_.remember(stream, state);
  return !at_end;
}

Position StateFollower::fold(Changes& changes, std::size_t max_records, bool& at_end) {
  Position position = position_;
  if (!reader_) reader_ = log_.read(shard_, position.sequence + 1);
  bool batch_ends = true;
  for (std::size_t folded = 0; folded < max_records || !batch_ends; ++folded) {
    const Record* record = reader_->next();
    if (record == nullptr) {
      if (!batch_ends) throw CorruptLog("shard " + std::to_string(shard_) + ": the durable log ends within a batch");
      at_end = true;
      break;
    }
    changes.fold_record(*record);
    position.sequence = record->header.sequence;
    position.head = record->chain;
    position.clock = std::max(position.clock, record->header.time);
    batch_ends = record->header.batch_index + 1 == record->header.batch_size;
  }
  return position;
}

}  // namespace guildhall
