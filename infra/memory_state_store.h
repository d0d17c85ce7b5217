// The state store's in-memory twin.
#pragma once

#include <map>

#include "aggregates/shard/state_store.h"

namespace guildhall {

class MemoryStateStore final : public StateStore {
 public:
  std::optional<std::string> get(std::string_view key) const override {
    const auto found = map_.find(key);
    return found == map_.end() ? std::nullopt : std::optional(found->second);
  }
  void write(const WriteSet& writes) override {
    for (const auto& op : writes.operations) {
      if (op.value) map_.insert_or_assign(op.key, *op.value);
      else map_.erase(op.key);
    }
  }
  void scan(std::string_view prefix, std::string_view from,
            const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    for (auto at = map_.lower_bound(std::max(prefix, from)); at != map_.end() && at->first.starts_with(prefix); ++at)
      if (!visit(at->first, at->second)) return;
  }
  void checkpoint(bool) override {}
  void clear() override { map_.clear(); }

 private:
  std::map<std::string, std::string, std::less<>> map_;
};

}  // namespace guildhall
