// Decoded states over a store: those lately asked for stay in memory, in two generations, so that letting go of the rest costs
// nothing. One thread at a time.
#pragma once

#include <unordered_map>

#include "aggregates/shard/fold.h"

namespace guildhall {

class StateCache {
 public:
  // Keeps at most `states`; the store outlives the cache.
  StateCache(const StateStore& store, std::size_t states) : store_(store), generation_states_(states / 2) {}

  // nullptr: the stream has not begun.
  StatePtr load(const StreamId& stream);
  // What the store was just given.
  void remember(const StreamId& stream, StatePtr state);
  void forget(const StreamId& stream);

 private:
  const StateStore& store_;
  const std::size_t generation_states_;
  std::unordered_map<StreamId, StatePtr, StreamHash> young_;
  std::unordered_map<StreamId, StatePtr, StreamHash> old_;  // The generation before; what is asked for moves back to the young.
};

}  // namespace guildhall
