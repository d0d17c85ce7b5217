#include "infra/segment_frame.h"

#include <algorithm>
#include <cstring>

#include "events/check.h"
#include "infra/crc32c.h"
#include "infra/little_endian.h"

namespace guildhall {
namespace {

constexpr std::string_view frame_magic = "GHF1";
constexpr std::string_view frame_trailer = "GHF1END.";  // No zero bytes: the last sector of a whole frame is never all zero.
static_assert(frame_trailer.size() == frame_trailer_bytes);

constexpr std::size_t header_crc_at = 4;
constexpr std::size_t nonce_at = 8;
constexpr std::size_t number_at = 24;
constexpr std::size_t length_at = 32;
constexpr std::size_t zero_sectors_at = 36;
constexpr std::size_t previous_at = 40;
constexpr std::size_t entries_at = 72;
constexpr std::size_t table_crc_at = 76;

bool all_zero(std::string_view bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

std::size_t frame_bytes(std::span<const ShardBatch> batches) {
  std::size_t bytes = frame_header_bytes + frame_trailer_bytes + batches.size() * frame_entry_bytes;
  for (const auto& [shard, batch] : batches) bytes += batch->bytes.size();
  return bytes;
}

std::string_view FrameEncoder::encode(const Nonce& nonce, std::uint64_t number, const Hash& previous, std::uint64_t offset,
                                      std::span<const ShardBatch> batches) {
  const std::size_t length = frame_bytes(batches);
  CHECK(!batches.empty() && length <= max_frame_bytes && length % 8 == 0 && offset % 8 == 0);
  if (buffer_.size() < length) buffer_.resize(length);
  char* const frame = buffer_.data();
  char* entry = frame + frame_header_bytes;
  char* body = entry + batches.size() * frame_entry_bytes;
  const std::size_t table_bytes = batches.size() * frame_entry_bytes;
  for (const auto& [shard, batch] : batches) {
    store(entry, shard);
    store(entry + 4, batch->count);
    store(entry + 8, batch->first);
    store(entry + 16, static_cast<std::uint32_t>(batch->bytes.size()));
    store(entry + 20, crc32c(batch->bytes));
    std::memcpy(entry + 24, batch->head_before.data(), sizeof(Hash));
    std::memcpy(entry + 56, batch->head.data(), sizeof(Hash));
    entry += frame_entry_bytes;
    std::memcpy(body, batch->bytes.data(), batch->bytes.size());
    body += batch->bytes.size();
  }
  std::memcpy(body, frame_trailer.data(), frame_trailer_bytes);

  std::memcpy(frame, frame_magic.data(), frame_magic.size());
  std::memcpy(frame + nonce_at, nonce.data(), nonce.size());
  store(frame + number_at, number);
  store(frame + length_at, static_cast<std::uint32_t>(length));
  std::memcpy(frame + previous_at, previous.data(), sizeof(Hash));
  store(frame + entries_at, static_cast<std::uint32_t>(batches.size()));
  store(frame + table_crc_at, crc32c({frame + frame_header_bytes, table_bytes}));
  // Magic and trailer are not zero, so that the pieces counted lie between fields that this count does not change.
  store(frame + zero_sectors_at, count_zero_sectors({frame, length}, offset));
  store(frame + header_crc_at, crc32c({frame + nonce_at, frame_header_bytes - nonce_at}));
  hash_ = frame_hash({frame, frame_header_bytes + table_bytes});
  return {frame, length};
}

std::optional<FrameHeader> decode_frame_header(std::string_view bytes, const Nonce& nonce) {
  if (bytes.size() < frame_header_bytes) return std::nullopt;
  const char* const at = bytes.data();
  if (!bytes.starts_with(frame_magic) || std::memcmp(at + nonce_at, nonce.data(), nonce.size()) != 0) return std::nullopt;
  if (load<std::uint32_t>(at + header_crc_at) != crc32c({at + nonce_at, frame_header_bytes - nonce_at})) return std::nullopt;
  FrameHeader h;
  h.number = load<std::uint64_t>(at + number_at);
  h.length = load<std::uint32_t>(at + length_at);
  h.zero_sectors = load<std::uint32_t>(at + zero_sectors_at);
  std::memcpy(h.previous.data(), at + previous_at, sizeof(Hash));
  h.entries = load<std::uint32_t>(at + entries_at);
  h.table_crc = load<std::uint32_t>(at + table_crc_at);
  if (h.length > max_frame_bytes || h.length % 8 != 0 || h.entries == 0 || h.entries > max_frame_bytes / frame_entry_bytes ||
      h.length < frame_header_bytes + h.table_bytes() + frame_trailer_bytes)
    return std::nullopt;
  return h;
}

bool decode_frame_table(const FrameHeader& header, std::string_view table, std::vector<FrameEntry>& entries) {
  entries.clear();
  if (table.size() != header.table_bytes() || crc32c(table) != header.table_crc) return false;
  std::size_t offset = frame_header_bytes + header.table_bytes();
  for (const char* at = table.data(); at != table.data() + table.size(); at += frame_entry_bytes) {
    FrameEntry e;
    e.shard = load<std::uint32_t>(at);
    e.count = load<std::uint32_t>(at + 4);
    e.first = load<std::uint64_t>(at + 8);
    e.length = load<std::uint32_t>(at + 16);
    e.crc = load<std::uint32_t>(at + 20);
    std::memcpy(e.head_before.data(), at + 24, sizeof(Hash));
    std::memcpy(e.head.data(), at + 56, sizeof(Hash));
    e.offset = static_cast<std::uint32_t>(offset);
    offset += e.length;
    if (e.count == 0 || e.count > max_batch_records || e.length % 8 != 0 || offset > header.length) return false;
    if (!entries.empty() && entries.back().shard >= e.shard) return false;
    entries.push_back(e);
  }
  return offset + frame_trailer_bytes == header.length;
}

Hash frame_hash(std::string_view header_and_table) {
  thread_local Sha256 sha;
  sha.start();
  sha.add(header_and_table);
  return sha.finish();
}

bool is_frame_trailer(std::string_view bytes) { return bytes == frame_trailer; }

bool check_frame_bodies(std::string_view frame, std::span<const FrameEntry> entries) {
  for (const FrameEntry& e : entries)
    if (crc32c(frame.substr(e.offset, e.length)) != e.crc) return false;
  return is_frame_trailer(frame.substr(frame.size() - frame_trailer_bytes));
}

std::uint32_t count_zero_sectors(std::string_view bytes, std::uint64_t offset) {
  std::uint32_t count = 0;
  while (!bytes.empty()) {
    const std::size_t piece = std::min<std::size_t>(bytes.size(), sector_bytes - offset % sector_bytes);
    if (all_zero(bytes.substr(0, piece))) ++count;
    bytes.remove_prefix(piece);
    offset += piece;
  }
  return count;
}

}  // namespace guildhall
