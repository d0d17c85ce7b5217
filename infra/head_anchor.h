// The head anchor: how far the log certainly reached. A log that ends before it has lost records. Two slots, written in turn, so
// that a torn write leaves the other; each write is synced before it counts (format: docs/log-format.md).
#pragma once

#include <filesystem>
#include <string>

#include "events/event_log.h"
#include "infra/disk.h"
#include "infra/segment_file.h"

namespace guildhall {

struct AnchorState {
  Epoch epoch = 0;     // The last one given to a writer.
  bool clean = false;  // The writer stopped after this; until another opens, the log ends exactly here.
  LogTip tip;
};

// One thread at a time.
class HeadAnchor {
 public:
  static void create(const std::filesystem::path& path, const LogIdentity& identity, std::uint32_t segment_bytes, Disk& disk);
  // Throws LogError when there is none, CorruptLog when it can't be read.
  HeadAnchor(const std::filesystem::path& path, int flags);

  const LogIdentity& identity() const { return identity_; }
  std::uint32_t segment_bytes() const { return segment_bytes_; }
  const AnchorState& state() const { return state_; }
  bool slot_damaged() const { return slot_damaged_; }  // The other slot served; it may be one step old.
  // Overwrites the older slot and syncs. Returns an errno value; after an error the anchor must not be used.
  int move(AnchorState state, Disk& disk);

 private:
  File file_;
  LogIdentity identity_;
  std::uint32_t segment_bytes_ = 0;
  std::uint64_t counter_ = 0;  // Of the newest slot; its lowest bit is the slot.
  AnchorState state_;
  bool slot_damaged_ = false;
};

}  // namespace guildhall
