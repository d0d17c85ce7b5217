// The state-store seam: an ordered map of bytes that takes one atomic write per durable batch. Implementations: in-memory
// (tests), RocksDB. It may forget its newest writes when the process dies, never part of one: the log is the truth, and the shard
// replays the log's tail from the position that the store holds.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace guildhall {

// The disk failed. The process ends; a restart replays.
class StateStoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct WriteSet {
  struct Operation {
    std::string key;
    std::optional<std::string> value;  // nullopt: delete.
  };
  std::vector<Operation> operations;  // In order: the last one of a key wins.

  void put(std::string key, std::string value) { operations.push_back({std::move(key), std::move(value)}); }
  void erase(std::string key) { operations.push_back({std::move(key), std::nullopt}); }
};

// One thread at a time. All calls throw StateStoreError.
class StateStore {
 public:
  virtual ~StateStore() = default;
  virtual std::optional<std::string> get(std::string_view key) const = 0;
  virtual void write(const WriteSet& writes) = 0;
  // Keys >= `from` that start with `prefix`, in order, until `visit` returns false.
  virtual void scan(std::string_view prefix, std::string_view from,
                    const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
  // Makes what was written survive the process: with `wait` before it returns (clean stops), else soon (every minute or so).
  virtual void checkpoint(bool wait) = 0;
  virtual void clear() = 0;  // Everything, durably.
};

}  // namespace guildhall
