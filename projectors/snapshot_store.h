// The seam to where a follower keeps what it folded, so that a start reads the end of the log only. Implementations: a file
// (infra/snapshot_file) and one in memory (tests).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace guildhall {

// One thread at a time.
class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;
  // The bytes of the last save that was completed; nothing when there is none, or when they are damaged. Throws LogError.
  virtual std::optional<std::string> load() = 0;
  // Calls `content` once with a sink for the bytes. All of them take the place of the old ones, or none. Throws LogError.
  virtual void save(const std::function<void(const std::function<void(std::string_view)>& sink)>& content) = 0;
};

}  // namespace guildhall
