// Segment files: header, footer, preparation (format: docs/log-format.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "events/event_log.h"
#include "infra/disk.h"
#include "infra/segment_frame.h"

namespace guildhall {

inline constexpr std::uint32_t segment_header_bytes = 4096;
inline constexpr std::uint32_t block_bytes = 4096;  // Footers and anchor slots are whole blocks.
inline constexpr std::uint32_t min_segment_bytes = 16 << 10;
inline constexpr std::uint32_t max_shards = 4096;

// A place between frames.
struct LogPosition {
  std::uint32_t segment = 1;
  std::uint32_t offset = segment_header_bytes;
  friend auto operator<=>(const LogPosition&, const LogPosition&) = default;
};

// The log after some frame: what the next one must follow.
struct LogTip {
  LogPosition position;
  std::uint64_t frame_number = 0;
  Hash frame_hash{};
  std::vector<LogEnd> ends;  // By shard.

  // Moves over one frame. Throws CorruptLog, naming `where`, unless it follows exactly.
  void advance(const FrameHeader& header, std::span<const FrameEntry> entries, const Hash& hash, const std::string& where);
};
bool same_content(const LogTip& a, const LogTip& b);  // But for the position: a sealed segment's end is the next one's start.

struct SegmentHeader {
  std::string platform;
  Uuid log_id{};
  std::uint32_t shards = 0;
  std::uint32_t index = 0;  // Dense from 1.
  std::uint32_t bytes = 0;
  Nonce nonce{};
};

struct SegmentFooter {
  std::uint64_t records = 0;
  std::vector<LogEnd> begin;  // By shard, before the first frame.
  LogTip tip;                 // After the last frame.
};

std::string encode(const SegmentHeader& header);
SegmentHeader decode_segment_header(std::string_view block, const std::string& where);  // Throws CorruptLog.
std::string encode(const SegmentFooter& footer, const SegmentHeader& segment);
std::optional<SegmentFooter> decode_segment_footer(std::string_view block, const SegmentHeader& segment);

std::uint32_t footer_bytes(std::uint32_t shards);
// Frames lie in [segment_header_bytes, data_limit).
inline std::uint32_t data_limit(const SegmentHeader& h) { return h.bytes - footer_bytes(h.shards); }

std::filesystem::path segment_path(const std::filesystem::path& folder, std::uint32_t index);
// Indexes of the segment files, ascending. Throws CorruptLog when one between the first and the last is missing.
std::vector<std::uint32_t> list_segments(const std::filesystem::path& folder);
// Zero-filled, durable, in place under its name. Throws LogError and leaves nothing behind under a segment's name.
void create_segment(const std::filesystem::path& folder, const SegmentHeader& header, Disk& disk);
void remove_unfinished_segments(const std::filesystem::path& folder);

// An existing segment with its header read and checked against the log it should belong to.
struct SegmentFile {
  File file;
  SegmentHeader header;
  static SegmentFile open(const std::filesystem::path& folder, std::uint32_t index, const LogIdentity& identity, int flags);
  std::optional<SegmentFooter> read_footer() const;  // nullopt: not sealed.
};

// A block with magic, checksum and length, padded with zeros that the checksum covers. Also used by the anchor.
std::string encode_block(std::string_view magic, std::string_view content, std::size_t bytes);
std::optional<std::string_view> decode_block(std::string_view magic, std::string_view block);
inline constexpr std::size_t block_overhead_bytes = 16;

void put_tip(std::string& out, const LogTip& tip);
class FieldReader;
LogTip take_tip(FieldReader& in, std::uint32_t shards);
void put_ends(std::string& out, std::span<const LogEnd> ends);
std::vector<LogEnd> take_ends(FieldReader& in, std::uint32_t shards);

}  // namespace guildhall
