// Where in the segments a sequence lies: the first sequences of every segment, and finer entries for the newest ones. Memory: 8
// bytes a shard and segment, and 8 bytes a shard for each 64 KiB of the newest 1 GiB. Only a hint where to begin: the frames
// themselves decide.
#pragma once

#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "infra/segment_file.h"

namespace guildhall {

// Thread-safe.
class SegmentDirectory {
 public:
  // `before`: ends before the first frame of the segment after the last one added (the first call: segment 1).
  void add_segment(std::span<const LogEnd> before);
  // A frame of the last segment at `offset`, with the ends before it.
  void add_frame(std::uint32_t offset, std::span<const LogEnd> before);
  std::uint32_t segments() const;
  // A frame's place at or before the one that holds `sequence`; never beyond it.
  LogPosition find(ShardNo shard, Sequence sequence) const;

 private:
  static constexpr std::uint32_t entry_distance_bytes = 64 << 10;
  static constexpr std::size_t fine_segments = 16;
  struct Fine {
    std::vector<std::uint32_t> offsets;
    std::vector<Sequence> before;  // offsets.size() rows of one sequence a shard.
  };
  mutable std::mutex mutex_;
  std::vector<std::vector<Sequence>> before_;  // By segment, then shard.
  std::deque<Fine> fine_;                      // Of the last segments.
};

}  // namespace guildhall
