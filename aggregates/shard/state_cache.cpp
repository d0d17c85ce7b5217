#include "aggregates/shard/state_cache.h"

namespace guildhall {

StatePtr StateCache::load(const StreamId& stream) {
  if (const auto found = young_.find(stream); found != young_.end()) return found->second;
  if (const auto found = old_.find(stream); found != old_.end()) {
    StatePtr state = found->second;
    remember(stream, state);
    return state;
  }
  const auto stored = store_.get(keys::state(stream));
  if (!stored) return nullptr;
  StatePtr state = std::make_shared<VersionedState>(decode_state(stream.kind, *stored));
  remember(stream, state);
  return state;
}

void StateCache::remember(const StreamId& stream, StatePtr state) {
  if (young_.size() >= generation_states_) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.insert_or_assign(stream, std::move(state));
}

void StateCache::forget(const StreamId& stream) {
  young_.erase(stream);
  old_.erase(stream);
}

}  // namespace guildhall
