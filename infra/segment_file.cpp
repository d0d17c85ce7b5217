#include "infra/segment_file.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "events/check.h"
#include "infra/crash_point.h"
#include "infra/crc32c.h"
#include "infra/little_endian.h"

namespace guildhall {
namespace {

constexpr std::string_view header_magic = "GHSEGM1\n";
constexpr std::string_view footer_magic = "GHSEAL1\n";
constexpr std::string_view segment_suffix = ".segment";
constexpr std::string_view unfinished_suffix = ".unfinished";
constexpr std::size_t magic_bytes = 8;
constexpr std::size_t end_bytes = 8 + sizeof(Hash);
constexpr std::size_t tip_fixed_bytes = 4 + 4 + 8 + sizeof(Hash);
// Small enough that the zeros of a new segment don't hold up the commits of the current one.
constexpr std::uint32_t zero_fill_step_bytes = 1 << 20;

}  // namespace

void LogTip::advance(const FrameHeader& header, std::span<const FrameEntry> entries, const Hash& hash, const std::string& where) {
  if (header.number != frame_number + 1)
    throw CorruptLog(fmt::format("{}: frame {} follows frame {}", where, header.number, frame_number));
  if (header.previous != frame_hash)
    throw CorruptLog(fmt::format("{}: frame {} does not follow the frame before it", where, header.number));
  for (const FrameEntry& e : entries) {
    if (e.shard >= ends.size())
      throw CorruptLog(fmt::format("{}: batch of shard {} in a log of {}", where, e.shard, ends.size()));
    LogEnd& end = ends[e.shard];
    if (e.first != end.sequence + 1 || e.head_before != end.head)
      throw CorruptLog(
          fmt::format("{}: shard {}: batch from sequence {} does not follow {}", where, e.shard, e.first, end.sequence));
    end = {e.last(), e.head};
  }
  frame_number = header.number;
  frame_hash = hash;
  position.offset += header.length;
}

bool same_content(const LogTip& a, const LogTip& b) {
  return a.frame_number == b.frame_number && a.frame_hash == b.frame_hash &&
         std::ranges::equal(a.ends, b.ends,
                            [](const LogEnd& x, const LogEnd& y) { return x.sequence == y.sequence && x.head == y.head; });
}

std::string encode_block(std::string_view magic, std::string_view content, std::size_t bytes) {
  CHECK(magic.size() == magic_bytes && block_overhead_bytes + content.size() <= bytes);
  std::string out(magic);
  put(out, std::uint32_t{0});
  put(out, static_cast<std::uint32_t>(content.size()));
  out.append(content);
  out.resize(bytes);
  store(out.data() + magic_bytes, crc32c(std::string_view(out).substr(magic_bytes + 4)));
  return out;
}

std::optional<std::string_view> decode_block(std::string_view magic, std::string_view block) {
  if (block.size() < block_overhead_bytes || !block.starts_with(magic)) return std::nullopt;
  if (load<std::uint32_t>(block.data() + magic_bytes) != crc32c(block.substr(magic_bytes + 4))) return std::nullopt;
  const std::size_t length = load<std::uint32_t>(block.data() + magic_bytes + 4);
  if (length > block.size() - block_overhead_bytes) return std::nullopt;
  return block.substr(block_overhead_bytes, length);
}

void put_ends(std::string& out, std::span<const LogEnd> ends) {
  for (const LogEnd& end : ends) {
    put(out, end.sequence);
    out.append(view(end.head));
  }
}
std::vector<LogEnd> take_ends(FieldReader& in, std::uint32_t shards) {
  std::vector<LogEnd> ends(shards);
  for (LogEnd& end : ends) {
    end.sequence = in.integer<std::uint64_t>();
    end.head = in.array<sizeof(Hash)>();
  }
  return ends;
}
void put_tip(std::string& out, const LogTip& tip) {
  put(out, tip.position.segment);
  put(out, tip.position.offset);
  put(out, tip.frame_number);
  out.append(view(tip.frame_hash));
  put_ends(out, tip.ends);
}
LogTip take_tip(FieldReader& in, std::uint32_t shards) {
  LogTip tip;
  tip.position.segment = in.integer<std::uint32_t>();
  tip.position.offset = in.integer<std::uint32_t>();
  tip.frame_number = in.integer<std::uint64_t>();
  tip.frame_hash = in.array<sizeof(Hash)>();
  tip.ends = take_ends(in, shards);
  return tip;
}

std::string encode(const SegmentHeader& h) {
  std::string content;
  put(content, h.index);
  put(content, h.bytes);
  put(content, h.shards);
  append_bytes(content, h.log_id);
  content.append(h.nonce.data(), h.nonce.size());
  put(content, static_cast<std::uint16_t>(h.platform.size()));
  content.append(h.platform);
  return encode_block(header_magic, content, segment_header_bytes);
}

SegmentHeader decode_segment_header(std::string_view block, const std::string& where) {
  const auto content = decode_block(header_magic, block);
  if (!content) throw CorruptLog(where + ", offset 0: the segment header is damaged");
  FieldReader in(*content);
  SegmentHeader h;
  h.index = in.integer<std::uint32_t>();
  h.bytes = in.integer<std::uint32_t>();
  h.shards = in.integer<std::uint32_t>();
  h.log_id = uuid_from_bytes(in.bytes(16).data());
  h.nonce = in.array<sizeof(Nonce)>();
  h.platform = std::string(in.bytes(in.integer<std::uint16_t>()));
  return h;
}

std::uint32_t footer_bytes(std::uint32_t shards) {
  const std::size_t bytes =
      block_overhead_bytes + 4 + sizeof(Nonce) + 8 + shards * end_bytes + tip_fixed_bytes + shards * end_bytes;
  return static_cast<std::uint32_t>((bytes + block_bytes - 1) / block_bytes * block_bytes);
}

std::string encode(const SegmentFooter& footer, const SegmentHeader& segment) {
  std::string content;
  put(content, segment.index);
  content.append(segment.nonce.data(), segment.nonce.size());
  put(content, footer.records);
  put_ends(content, footer.begin);
  put_tip(content, footer.tip);
  return encode_block(footer_magic, content, footer_bytes(segment.shards));
}

std::optional<SegmentFooter> decode_segment_footer(std::string_view block, const SegmentHeader& segment) {
  const auto content = decode_block(footer_magic, block);
  if (!content) return std::nullopt;
  FieldReader in(*content);
  const auto index = in.integer<std::uint32_t>();
  if (in.array<sizeof(Nonce)>() != segment.nonce || index != segment.index) return std::nullopt;
  SegmentFooter footer;
  footer.records = in.integer<std::uint64_t>();
  footer.begin = take_ends(in, segment.shards);
  footer.tip = take_tip(in, segment.shards);
  return footer;
}

std::filesystem::path segment_path(const std::filesystem::path& folder, std::uint32_t index) {
  return folder / fmt::format("{:010}{}", index, segment_suffix);
}

std::vector<std::uint32_t> list_segments(const std::filesystem::path& folder) {
  std::vector<std::uint32_t> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != segment_suffix) continue;
    const std::string stem = entry.path().stem().string();
    std::uint32_t index = 0;
    const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), index);
    if (error != std::errc{} || segment_path(folder, index) != entry.path())
      throw CorruptLog(entry.path().string() + ": not a segment's name");
    out.push_back(index);
  }
  std::ranges::sort(out);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i] != i + 1) throw CorruptLog(segment_path(folder, static_cast<std::uint32_t>(i + 1)).string() + " is missing");
  return out;
}

void create_segment(const std::filesystem::path& folder, const SegmentHeader& header, Disk& disk) {
  const auto path = segment_path(folder, header.index);
  auto unfinished = path;
  unfinished += unfinished_suffix;
  try {
    const File file(unfinished, O_RDWR | O_CREAT | O_TRUNC);
    write_or_throw(disk, file, 0, encode(header));
    const std::string zeros(zero_fill_step_bytes, '\0');
    for (std::uint32_t at = segment_header_bytes; at < header.bytes;) {
      const std::uint32_t step = std::min(zero_fill_step_bytes, header.bytes - at);
      write_or_throw(disk, file, at, std::string_view(zeros).substr(0, step));
      if (const int error = disk.sync_data(file.fd())) throw_disk_error("cannot sync", unfinished, error);
      at += step;
    }
    sync_or_throw(disk, file);
    crash_at("segment_zero_filled");
    std::filesystem::rename(unfinished, path);
  } catch (const LogError&) {
    std::error_code ignored;
    std::filesystem::remove(unfinished, ignored);
    throw;
  } catch (const std::filesystem::filesystem_error& e) {
    throw LogError(e.what(), "data folder, disk", false);
  }
  crash_at("segment_renamed");
  sync_folder_or_throw(disk, folder);
}

void remove_unfinished_segments(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> unfinished;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == unfinished_suffix) unfinished.push_back(entry.path());
  for (const auto& path : unfinished) std::filesystem::remove(path);
}

SegmentFile SegmentFile::open(const std::filesystem::path& folder, std::uint32_t index, const LogIdentity& identity, int flags) {
  SegmentFile out{File(segment_path(folder, index), flags), {}};
  const std::string where = out.file.path().string();
  std::string block(segment_header_bytes, '\0');
  block.resize(out.file.read(0, block.data(), block.size()));
  out.header = decode_segment_header(block, where);
  const SegmentHeader& h = out.header;
  if (h.platform != identity.platform || !(h.log_id == identity.log_id) || h.shards != identity.shards)
    throw CorruptLog(
        fmt::format("{}: segment of platform {}, log {}, {} shards", where, h.platform, to_string(h.log_id), h.shards));
  if (h.index != index) throw CorruptLog(fmt::format("{}: holds segment {}", where, h.index));
  if (h.bytes < min_segment_bytes || h.bytes <= segment_header_bytes + footer_bytes(h.shards))
    throw CorruptLog(fmt::format("{}: segment of {} bytes", where, h.bytes));
  return out;
}

std::optional<SegmentFooter> SegmentFile::read_footer() const {
  std::string block(footer_bytes(header.shards), '\0');
  if (file.read(data_limit(header), block.data(), block.size()) != block.size()) return std::nullopt;
  return decode_segment_footer(block, header);
}

}  // namespace guildhall
