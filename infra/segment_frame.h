// A frame: one group commit, the batches of all shards that waited (format: docs/log-format.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "events/record.h"

namespace guildhall {

using Nonce = std::array<char, 16>;  // Random, of a segment: client bytes cannot imitate a frame.

inline constexpr std::size_t sector_bytes = 512;
inline constexpr std::size_t frame_header_bytes = 80;
inline constexpr std::size_t frame_entry_bytes = 88;
inline constexpr std::size_t frame_trailer_bytes = 8;
inline constexpr std::size_t max_frame_bytes = 32 << 20;

struct FrameHeader {
  std::uint64_t number = 0;        // Dense from 1 over the whole log.
  std::uint32_t length = 0;        // Of the whole frame; a multiple of 8.
  std::uint32_t zero_sectors = 0;  // Pieces of sectors inside the frame that are zero by content: more of them mean a torn write.
  std::uint32_t entries = 0;
  std::uint32_t table_crc = 0;
  Hash previous{};  // hash of the frame before.
  std::size_t table_bytes() const { return entries * frame_entry_bytes; }
};

struct FrameEntry {
  ShardNo shard = 0;
  std::uint32_t count = 0;
  Sequence first = 0;
  std::uint32_t offset = 0;  // Of the batch inside the frame; not stored.
  std::uint32_t length = 0;
  std::uint32_t crc = 0;
  Hash head_before{};
  Hash head{};
  Sequence last() const { return first + count - 1; }
};

struct ShardBatch {
  ShardNo shard;
  const Batch* batch;
};

std::size_t frame_bytes(std::span<const ShardBatch> batches);

// Encodes into a buffer that is reused. One batch a shard, ascending.
class FrameEncoder {
 public:
  // `offset` is the frame's place in its file. The view is valid until the next call.
  std::string_view encode(const Nonce& nonce, std::uint64_t number, const Hash& previous, std::uint64_t offset,
                          std::span<const ShardBatch> batches);
  const Hash& hash() const { return hash_; }

 private:
  std::vector<char> buffer_;
  Hash hash_{};
};

// nullopt unless the first frame_header_bytes of `bytes` are a whole, unchanged header of this segment.
std::optional<FrameHeader> decode_frame_header(std::string_view bytes, const Nonce& nonce);
// `table` is what follows the header. False when it was changed or does not add up to the header's length.
bool decode_frame_table(const FrameHeader& header, std::string_view table, std::vector<FrameEntry>& entries);
// Binds everything: the table holds the chain heads of all records.
Hash frame_hash(std::string_view header_and_table);
// Whether all batches and the trailer are unchanged. `frame` is the whole frame.
bool check_frame_bodies(std::string_view frame, std::span<const FrameEntry> entries);
bool is_frame_trailer(std::string_view bytes);

// How many pieces, cut at the file's sector borders, are all zero. `bytes` lies at `offset` of the file.
std::uint32_t count_zero_sectors(std::string_view bytes, std::uint64_t offset);

}  // namespace guildhall
