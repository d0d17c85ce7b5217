#include "infra/segment_recovery.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "infra/crash_point.h"

namespace guildhall {
namespace {

std::string place(const std::filesystem::path& path, std::uint64_t offset) {
  return fmt::format("{}, offset {}", path.string(), offset);
}

std::string read_all(const File& file) {
  std::string bytes(file.size(), '\0');
  bytes.resize(file.read(0, bytes.data(), bytes.size()));
  return bytes;
}

// One past the last byte that is not zero. Mostly called on tens of MiB of zeros, hence the steps.
std::size_t content_end(std::string_view bytes) {
  static constexpr std::array<char, 4096> zeros{};
  while (bytes.size() >= zeros.size() && std::memcmp(bytes.data() + bytes.size() - zeros.size(), zeros.data(), zeros.size()) == 0)
    bytes.remove_suffix(zeros.size());
  while (!bytes.empty() && bytes.back() == 0) bytes.remove_suffix(1);
  return bytes.size();
}

std::string_view from(std::string_view bytes, std::size_t offset) { return bytes.substr(std::min(offset, bytes.size())); }

// Frames of one segment that lies in memory.
class Scan {
 public:
  Scan(std::string_view bytes, const SegmentFile& segment, bool check_bodies)
      : bytes_(bytes.substr(0, data_limit(segment.header))), segment_(segment), check_bodies_(check_bodies) {}

  // The frame at `offset`, nullptr when there is no valid one.
  const FrameHeader* frame_at(std::uint32_t offset) {
    header_.reset();
    if (offset >= bytes_.size()) return nullptr;
    const auto header = decode_frame_header(bytes_.substr(offset), segment_.header.nonce);
    if (!header || bytes_.size() - offset < header->length) return nullptr;
    if (!decode_frame_table(*header, bytes_.substr(offset + frame_header_bytes, header->table_bytes()), entries_)) return nullptr;
    if (check_bodies_ && !check_frame_bodies(bytes_.substr(offset, header->length), entries_)) return nullptr;
    header_ = header;
    return &*header_;
  }
  const std::vector<FrameEntry>& entries() const { return entries_; }
  Hash hash(std::uint32_t offset) const { return frame_hash(bytes_.substr(offset, frame_header_bytes + header_->table_bytes())); }
  std::string_view batch(std::uint32_t offset, const FrameEntry& e) const { return bytes_.substr(offset + e.offset, e.length); }

  enum class Tail { end, torn, corrupt };
  // The tail rule, for the first invalid frame n = `last_number` + 1 at `offset`.
  Tail judge(std::uint32_t offset, std::uint64_t last_number) const {
    const std::string_view rest = from(bytes_, offset);
    const bool short_file = bytes_.size() < data_limit(segment_.header);
    const std::size_t end = content_end(rest);
    if (end == 0) return Tail::end;
    // Frame n + 1 is written after the sync of n: its header alone proves that n once was whole.
    for (std::size_t at = 8; at + frame_header_bytes <= rest.size(); at += 8) {
      const auto later = decode_frame_header(rest.substr(at), segment_.header.nonce);
      if (later && later->number > last_number + 1) return Tail::corrupt;
    }
    const auto header = decode_frame_header(rest, segment_.header.nonce);
    if (!header) {
      // A sector lands whole or not at all: where those of the header landed, a wrong header is damage.
      if (short_file && rest.size() < frame_header_bytes) return Tail::torn;
      return header_sector_missing(rest, offset) ? Tail::torn : Tail::corrupt;
    }
    if (header->number != last_number + 1) return Tail::corrupt;
    if (header->length > rest.size()) return short_file ? Tail::torn : Tail::corrupt;
    return count_zero_sectors(rest.substr(0, header->length), offset) > header->zero_sectors ? Tail::torn : Tail::corrupt;
  }
  std::size_t content_bytes(std::uint32_t offset) const { return content_end(from(bytes_, offset)); }

 private:
  // Whether a sector that holds a part of the header is zero from the frame's start on.
  static bool header_sector_missing(std::string_view rest, std::uint32_t offset) {
    const std::size_t first = sector_bytes - offset % sector_bytes;
    if (count_zero_sectors(rest.substr(0, first), offset) == 1) return true;
    return first < frame_header_bytes && rest.size() > first &&
           count_zero_sectors(rest.substr(first, sector_bytes), offset + first) == 1;
  }

  std::string_view bytes_;
  const SegmentFile& segment_;
  bool check_bodies_;
  std::optional<FrameHeader> header_;
  std::vector<FrameEntry> entries_;
};

void zero_range(Disk& disk, const File& file, std::uint64_t begin, std::uint64_t end) {
  constexpr std::uint64_t step_bytes = 1 << 20;
  const std::string zeros(step_bytes, '\0');
  for (; begin < end; begin += step_bytes)
    write_or_throw(disk, file, begin, std::string_view(zeros).substr(0, std::min(step_bytes, end - begin)));
}

class Recovery {
 public:
  Recovery(const std::filesystem::path& folder, const HeadAnchor& anchor, bool accept_loss, SegmentDirectory& directory,
           Disk& disk)
      : folder_(folder), anchor_(anchor), accept_loss_(accept_loss), directory_(directory), disk_(disk) {}

  RecoveredLog run() {
    const auto indexes = list_segments(folder_);
    if (indexes.empty()) throw CorruptLog(folder_.string() + ": the log has an anchor but no segments");
    open_sealed(indexes);
    if (active_index_ > indexes.size())
      throw CorruptLog(segment_path(folder_, active_index_).string() +
                       " is missing: a segment is sealed only when its successor exists");
    SegmentFile active = SegmentFile::open(folder_, active_index_, anchor_.identity(), O_RDWR);
    check_nothing_beyond(indexes);

    RecoveredLog out;
    out.begin = tip_.ends;
    out.last_epoch = anchor_.state().epoch;
    tip_.position = {active_index_, segment_header_bytes};
    directory_.add_segment(tip_.ends);
    const std::string bytes = read_all(active.file);
    const LogTip start = tip_;
    // Who accepts a loss has been refused: every byte is looked at, also after a clean stop, whose open reads only what it needs.
    if (anchor_.state().clean && !accept_loss_) {
      scan_active(bytes, active, false);
      out.report.clean = same_content(tip_, anchored()) && content_end(from(bytes, tip_.position.offset)) == 0 &&
                         bytes.size() == active.header.bytes;
    }
    if (!out.report.clean) {
      tip_ = start;
      scan_active(bytes, active, true);
      settle(bytes, active, out);
    }
    index_active(bytes, active, out.begin);
    out.tip = tip_;
    out.next_prepared = indexes.size() > active_index_;
    out.active = std::move(active);
    return out;
  }

 private:
  const LogTip& anchored() const { return anchor_.state().tip; }

  // Footers must join up. The first segment without one is where the log goes on.
  void open_sealed(const std::vector<std::uint32_t>& indexes) {
    tip_.ends.resize(anchor_.identity().shards);
    for (const std::uint32_t index : indexes) {
      const SegmentFile segment = SegmentFile::open(folder_, index, anchor_.identity(), O_RDONLY);
      auto footer = segment.read_footer();
      if (!footer) {
        active_index_ = index;
        return;
      }
      LogTip begin{.position = {}, .frame_number = tip_.frame_number, .frame_hash = tip_.frame_hash, .ends = footer->begin};
      const std::string where = place(segment.file.path(), data_limit(segment.header));
      if (!same_content(begin, tip_)) throw CorruptLog(where + ": the footer does not follow the segment before");
      if (footer->tip.position.segment != index || footer->tip.position.offset > data_limit(segment.header))
        throw CorruptLog(where + ": the footer does not belong to its segment");
      directory_.add_segment(tip_.ends);
      tip_ = footer->tip;
      sealed_.push_back(std::move(*footer));
    }
    active_index_ = static_cast<std::uint32_t>(indexes.size()) + 1;
  }

  // A frame goes into a segment only after the seal of the one before.
  void check_nothing_beyond(const std::vector<std::uint32_t>& indexes) const {
    for (std::uint32_t index = active_index_ + 1; index <= indexes.size(); ++index) {
      const SegmentFile next = SegmentFile::open(folder_, index, anchor_.identity(), O_RDONLY);
      if (content_end(from(read_all(next.file), segment_header_bytes)) > 0)
        throw CorruptLog(place(segment_path(folder_, active_index_), 0) +
                         ": the footer is damaged or missing, but the next segment holds data");
    }
  }

  // Moves the tip to the first invalid frame. Where it meets the anchor's frame, both must agree.
  void scan_active(std::string_view bytes, const SegmentFile& active, bool check_bodies) {
    Scan scan(bytes, active, check_bodies);
    check_anchor();
    while (const FrameHeader* header = scan.frame_at(tip_.position.offset)) {
      tip_.advance(*header, scan.entries(), scan.hash(tip_.position.offset), place(active.file.path(), tip_.position.offset));
      check_anchor();
    }
  }
  void check_anchor() const {
    if (tip_.frame_number == anchored().frame_number && !same_content(tip_, anchored()))
      throw CorruptLog(fmt::format("{}: frame {} is not the one that the anchor names",
                                   segment_path(folder_, active_index_).string(), tip_.frame_number));
  }

  void index_active(std::string_view bytes, const SegmentFile& active, std::vector<LogEnd> ends) {
    Scan scan(bytes, active, false);
    for (std::uint32_t at = segment_header_bytes; at < tip_.position.offset;) {
      const FrameHeader* header = scan.frame_at(at);
      directory_.add_frame(at, ends);
      for (const FrameEntry& e : scan.entries()) ends[e.shard] = {e.last(), e.head};
      at += header->length;
    }
  }

  void settle(const std::string& bytes, SegmentFile& active, RecoveredLog& out) {
    Scan scan(bytes, active, true);
    const std::uint32_t end = tip_.position.offset;
    const Scan::Tail tail = scan.judge(end, tip_.frame_number);
    const std::string where = place(active.file.path(), end);
    out.report.bytes_cut = scan.content_bytes(end);
    if (tail == Scan::Tail::corrupt) {
      if (!accept_loss_) throw CorruptLog(where + ": a frame is damaged, and not by a torn write");
      out.report.accepted_loss = true;
    }
    if (tip_.frame_number < anchored().frame_number) {
      if (!accept_loss_)
        throw CorruptLog(fmt::format("{}: the log ends after frame {}, but the anchor proves frame {}", where, tip_.frame_number,
                                     anchored().frame_number));
      out.report.accepted_loss = true;
    }
    if (out.report.bytes_cut > 0 || out.report.accepted_loss) out.report.cut_at = where;
    rewrite(bytes, out);
    // Zeros to the segment's end: what was cut, a footer that was being written, a file that lost its end.
    if (content_end(from(bytes, end)) > 0 || bytes.size() < active.header.bytes)
      zero_range(disk_, active.file, end, active.header.bytes);
    sync_or_throw(disk_, active.file);
    crash_at("recovery_rewritten");
  }

  // The frames beyond the anchor: each record verified, the same bytes written again, synced by the caller for the active
  // segment.
  void rewrite(const std::string& active_bytes, RecoveredLog& out) {
    if (tip_.frame_number <= anchored().frame_number) return;
    std::vector<RecordVerifier> verifiers;
    const LogIdentity& identity = anchor_.identity();
    for (ShardNo shard = 0; shard < identity.shards; ++shard)
      verifiers.emplace_back(identity.platform, identity.log_id, shard, anchored().ends[shard].sequence,
                             anchored().ends[shard].head);
    for (std::uint32_t index = anchored().position.segment; index <= active_index_; ++index) {
      const bool is_active = index == active_index_;
      const SegmentFile segment = SegmentFile::open(folder_, index, identity, O_RDWR);
      const std::string bytes = is_active ? active_bytes : read_all(segment.file);
      const std::uint32_t begin = index == anchored().position.segment ? anchored().position.offset : segment_header_bytes;
      const std::uint32_t end = is_active ? tip_.position.offset : sealed_[index - 1].tip.position.offset;
      Scan scan(bytes, segment, true);
      for (std::uint32_t at = begin; at < end;) {
        const FrameHeader* header = scan.frame_at(at);
        if (header == nullptr) throw CorruptLog(place(segment.file.path(), at) + ": a frame is damaged in a sealed segment");
        for (const FrameEntry& e : scan.entries())
          out.last_epoch = std::max(out.last_epoch, verify(verifiers[e.shard], scan.batch(at, e)));
        ++out.report.frames_rewritten;
        at += header->length;
      }
      if (begin < end) write_or_throw(disk_, segment.file, begin, std::string_view(bytes).substr(begin, end - begin));
      if (!is_active) {
        const std::uint32_t footer_at = data_limit(segment.header);
        write_or_throw(disk_, segment.file, footer_at, std::string_view(bytes).substr(footer_at));
        sync_or_throw(disk_, segment.file);
      }
    }
    for (ShardNo shard = 0; shard < identity.shards; ++shard)
      if (verifiers[shard].sequence() != tip_.ends[shard].sequence || verifiers[shard].head() != tip_.ends[shard].head)
        throw CorruptLog(fmt::format("{}: shard {} ends at {}, its frames at {}", folder_.string(), shard,
                                     verifiers[shard].sequence(), tip_.ends[shard].sequence));
  }
  static Epoch verify(RecordVerifier& verifier, std::string_view batch) {
    Record record;
    const std::string copy(batch);  // Aligned, whatever the file's bytes lie at.
    BatchCursor cursor(copy);
    while (cursor.next(record)) verifier.check(record);
    verifier.end_of_batch();
    return verifier.epoch();
  }

  const std::filesystem::path& folder_;
  const HeadAnchor& anchor_;
  const bool accept_loss_;
  SegmentDirectory& directory_;
  Disk& disk_;
  std::vector<SegmentFooter> sealed_;
  std::uint32_t active_index_ = 1;
  LogTip tip_;
};

}  // namespace

RecoveredLog recover_log(const std::filesystem::path& folder, const HeadAnchor& anchor, bool accept_loss,
                         SegmentDirectory& directory, Disk& disk) {
  return Recovery(folder, anchor, accept_loss, directory, disk).run();
}

}  // namespace guildhall
