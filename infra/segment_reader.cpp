#include "infra/segment_reader.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "infra/crc32c.h"

namespace guildhall {

FrameWalker::FrameWalker(std::filesystem::path folder, LogIdentity identity, LogPosition position)
    : folder_(std::move(folder)), identity_(std::move(identity)), position_(position) {}

std::string FrameWalker::where() const {
  return fmt::format("{}, offset {}", segment_path(folder_, position_.segment).string(), position_.offset);
}
void FrameWalker::corrupt(const std::string& what) const { throw CorruptLog(where() + ": " + what); }

void FrameWalker::enter(std::uint32_t segment) {
  segment_ = SegmentFile::open(folder_, segment, identity_, O_RDONLY);
  data_end_.reset();
  buffer_length_ = 0;
}

bool FrameWalker::next(LogPosition durable) {
  LogPosition at = position_;
  at.offset += header_.length;
  while (at < durable) {
    if (!segment_ || segment_->header.index != at.segment) enter(at.segment);
    if (at.segment < durable.segment && !data_end_) {
      const auto footer = segment_->read_footer();
      position_ = at;
      header_.length = 0;
      if (!footer) corrupt("the segment has a successor, but its footer is damaged or missing");
      data_end_ = footer->tip.position.offset;
    }
    limit_ = data_end_ ? *data_end_ : std::min(durable.offset, data_limit(segment_->header));
    if (data_end_ && at.offset == *data_end_) {
      at = {at.segment + 1, segment_header_bytes};
      continue;
    }
    position_ = at;
    header_.length = 0;  // Until this frame is known to be good, a repeated call comes here again.
    const auto header = decode_frame_header(load(at.offset, frame_header_bytes), segment_->header.nonce);
    if (!header) corrupt("a frame header is damaged");
    const std::size_t head_bytes = frame_header_bytes + header->table_bytes();
    const std::string_view head = load(at.offset, head_bytes);
    if (!decode_frame_table(*header, head.substr(frame_header_bytes), entries_)) corrupt("a frame's table is damaged");
    if (hash_known_ && header->previous != hash_) corrupt("the frame does not follow the one before it");
    if (!is_frame_trailer(
            load(at.offset + header->length - static_cast<std::uint32_t>(frame_trailer_bytes), frame_trailer_bytes)))
      corrupt("a frame's trailer is damaged");
    hash_ = frame_hash(load(at.offset, head_bytes));
    hash_known_ = true;
    header_ = *header;
    return true;
  }
  return false;
}

std::string_view FrameWalker::batch(const FrameEntry& entry) {
  const std::string_view bytes = load(position_.offset + entry.offset, entry.length);
  if (crc32c(bytes) != entry.crc)
    corrupt(fmt::format("the batch of shard {} from sequence {} is damaged", entry.shard, entry.first));
  return bytes;
}

std::string_view FrameWalker::load(std::uint32_t offset, std::size_t length) {
  if (offset + length > limit_) corrupt("a frame reaches beyond the durable end");
  if (offset < buffer_offset_ || offset + length > buffer_offset_ + buffer_length_) {
    // A frame is read forward but for its trailer, so reading begins at the frame where possible; offsets are multiples of 8.
    const std::uint32_t begin = offset + length <= position_.offset + read_bytes ? std::min(offset, position_.offset) : offset;
    const std::size_t wanted = std::min<std::size_t>(limit_ - begin, std::max<std::size_t>(read_bytes, offset - begin + length));
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    buffer_length_ = 0;
    if (segment_->file.read(begin, buffer_.data(), wanted) != wanted) corrupt("the file ends before the durable end");
    buffer_offset_ = begin;
    buffer_length_ = wanted;
  }
  return {buffer_.data() + (offset - buffer_offset_), length};
}

SegmentReader::SegmentReader(FrameWalker walker, const LogIdentity& identity, ShardNo shard, Sequence from,
                             const DurableMark& mark)
    : walker_(std::move(walker)), identity_(identity), shard_(shard), from_(from), mark_(mark) {}

const Record* SegmentReader::next() {
  for (;;) {
    while (in_batch_) {
      if (cursor_.next(record_)) {
        verifier_->check(record_);
        if (record_.header.sequence >= from_) return &record_;
      } else {
        verifier_->end_of_batch();
        if (verifier_->sequence() != entry_.last() || verifier_->head() != entry_.head)
          throw CorruptLog(walker_.where() + ": a batch does not hold what the frame says");
        in_batch_ = false;
      }
    }
    if (!next_batch()) return nullptr;
  }
}

bool SegmentReader::next_batch() {
  while (walker_.next(mark_.position())) {
    for (const FrameEntry& entry : walker_.entries()) {
      if (entry.shard != shard_ || entry.last() < from_) continue;
      if (!verifier_) {
        if (entry.first > from_)
          throw CorruptLog(walker_.where() + fmt::format(": shard {} jumps to {}, beyond {}", shard_, entry.first, from_));
        verifier_.emplace(identity_.platform, identity_.log_id, shard_, entry.first - 1, entry.head_before);
      }
      entry_ = entry;
      cursor_ = BatchCursor(walker_.batch(entry_));
      in_batch_ = true;
      return true;
    }
  }
  return false;
}

}  // namespace guildhall
