#include "infra/segment_directory.h"

#include <algorithm>

#include "events/check.h"

namespace guildhall {

void SegmentDirectory::add_segment(std::span<const LogEnd> before) {
  std::vector<Sequence> row;
  row.reserve(before.size());
  for (const LogEnd& end : before) row.push_back(end.sequence);
  const std::lock_guard lock(mutex_);
  before_.push_back(std::move(row));
  fine_.emplace_back();
  if (fine_.size() > fine_segments) fine_.pop_front();
}

void SegmentDirectory::add_frame(std::uint32_t offset, std::span<const LogEnd> before) {
  // Only the thread that adds changes anything, so it may look without the lock: most frames are near the entry before.
  Fine& fine = fine_.back();
  const std::uint32_t last = fine.offsets.empty() ? segment_header_bytes : fine.offsets.back();
  if (offset < last + entry_distance_bytes) return;
  const std::lock_guard lock(mutex_);
  fine.offsets.push_back(offset);
  for (const LogEnd& end : before) fine.before.push_back(end.sequence);
}

std::uint32_t SegmentDirectory::segments() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint32_t>(before_.size());
}

LogPosition SegmentDirectory::find(ShardNo shard, Sequence sequence) const {
  const std::lock_guard lock(mutex_);
  CHECK(!before_.empty() && shard < before_.front().size());
  const auto after = std::ranges::partition_point(before_, [&](const auto& row) { return row[shard] < sequence; });
  CHECK(after != before_.begin());  // The first segment begins before every sequence.
  const auto segment = static_cast<std::size_t>(after - before_.begin());
  LogPosition position{static_cast<std::uint32_t>(segment), segment_header_bytes};
  const std::size_t coarse = before_.size() - fine_.size();
  if (segment > coarse) {
    const Fine& fine = fine_[segment - coarse - 1];
    const std::size_t shards = before_.front().size();
    std::size_t low = 0;
    for (std::size_t high = fine.offsets.size(); low < high;) {
      const std::size_t middle = (low + high) / 2;
      if (fine.before[middle * shards + shard] < sequence) low = middle + 1;
      else high = middle;
    }
    if (low > 0) position.offset = fine.offsets[low - 1];
  }
  return position;
}

}  // namespace guildhall
