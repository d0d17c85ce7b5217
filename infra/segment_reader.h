// Reading frames and records from segment files, in any thread and any process, up to the durable mark.
#pragma once

#include <memory>
#include <optional>

#include "infra/durable_mark.h"
#include "infra/segment_file.h"

namespace guildhall {

// Walks the frames from a position on. Every header, table and batch is checked before it is given out. One thread at a time.
class FrameWalker {
 public:
  FrameWalker(std::filesystem::path folder, LogIdentity identity, LogPosition position);

  // Goes to the next frame, false at the mark. Throws CorruptLog or LogError.
  bool next(LogPosition durable);
  const FrameHeader& header() const { return header_; }
  const std::vector<FrameEntry>& entries() const { return entries_; }
  const Hash& hash() const { return hash_; }
  LogPosition position() const { return position_; }  // Of this frame.
  std::string_view batch(const FrameEntry& entry);    // 8-byte aligned, valid until the next call of batch() or next().
  std::string where() const;                          // File and offset, for messages.

 private:
  static constexpr std::size_t read_bytes = 256 << 10;
  std::string_view load(std::uint32_t offset, std::size_t length);
  void enter(std::uint32_t segment);
  [[noreturn]] void corrupt(const std::string& what) const;

  std::filesystem::path folder_;
  LogIdentity identity_;
  LogPosition position_;
  std::optional<SegmentFile> segment_;
  std::optional<std::uint32_t> data_end_;  // Known once the segment is sealed.
  std::uint32_t limit_ = 0;                // Bytes from here on may still change.
  std::vector<char> buffer_;
  std::uint32_t buffer_offset_ = 0;
  std::size_t buffer_length_ = 0;
  FrameHeader header_;  // length 0: before the first frame.
  std::vector<FrameEntry> entries_;
  Hash hash_{};
  bool hash_known_ = false;
};

class SegmentReader final : public LogReader {
 public:
  // `mark` outlives the reader.
  SegmentReader(FrameWalker walker, const LogIdentity& identity, ShardNo shard, Sequence from, const DurableMark& mark);
  const Record* next() override;

 private:
  bool next_batch();

  FrameWalker walker_;
  const LogIdentity identity_;
  const ShardNo shard_;
  const Sequence from_;
  const DurableMark& mark_;
  std::optional<RecordVerifier> verifier_;  // From the first batch on.
  BatchCursor cursor_{{}};
  FrameEntry entry_;
  bool in_batch_ = false;
  Record record_;
};

}  // namespace guildhall
