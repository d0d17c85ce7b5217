// What a writer does before it serves: find the log's end, judge what lies behind it, make what it will show durable again
// (docs/log-format.md: the tail rule; readable is not durable).
#pragma once

#include <filesystem>
#include <string>

#include "infra/head_anchor.h"
#include "infra/segment_directory.h"

namespace guildhall {

struct RecoveryReport {
  bool clean = false;                  // The last writer stopped cleanly: nothing was checked beyond headers and footers.
  std::uint64_t frames_rewritten = 0;  // Beyond the anchor, written and synced again.
  std::uint64_t bytes_cut = 0;         // From the first invalid frame to the last byte that was not zero.
  bool accepted_loss = false;          // More than the tail rule allows was cut, as the operator asked.
  std::string cut_at;                  // File and offset.
};

struct RecoveredLog {
  LogTip tip;
  Epoch last_epoch = 0;       // In the records beyond the anchor, or the anchor's own.
  SegmentFile active;         // Where the next frame goes.
  std::vector<LogEnd> begin;  // Before the active segment's first frame.
  bool next_prepared = false;
  RecoveryReport report;
};

// The folder is locked by the caller, who moves the anchor to the tip afterwards. Fills `directory`. Changes nothing on disk
// unless it succeeds in judging the tail. Throws CorruptLog (naming file and offset) or LogError.
RecoveredLog recover_log(const std::filesystem::path& folder, const HeadAnchor& anchor, bool accept_loss,
                         SegmentDirectory& directory, Disk& disk);

}  // namespace guildhall
