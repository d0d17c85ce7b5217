// given(events).when(command).then(events): the words in which aggregates are tested.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <unordered_map>

#include "aggregates/aggregates.h"
#include "events/check.h"
#include "events/codec.h"

namespace guildhall::testing {

class FixedDirectory final : public Directory {
 public:
  std::optional<AccountFact> account(const Uuid& id) const override {
    const auto found = accounts.find(id);
    return found == accounts.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<Uuid, AccountFact, UuidLess> accounts;
};

// The states of one process, folded with the real `apply`; also keeps the directory from account events.
class World final : public View {
 public:
  const VersionedState& load(const StreamId& stream) const override {
    const auto [at, added] = states_.try_emplace(stream);
    if (added) at->second.state = empty_state(stream.kind);
    return at->second;
  }
  const Directory& directory() const override { return directory_; }

  void fold(const NewEvent& e) {
    auto& entry = const_cast<VersionedState&>(load(e.stream));
    apply(entry.state, e.event);
    ++entry.version;
    if (const auto* account = std::get_if<AccountState>(&entry.state)) directory_.accounts[e.stream.id] = fact_of(*account);
  }

  FixedDirectory directory_;

 private:
  mutable std::unordered_map<StreamId, VersionedState, StreamHash> states_;
};

}  // namespace guildhall::testing
