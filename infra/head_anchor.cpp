#include "infra/head_anchor.h"

#include <fcntl.h>

#include <utility>

#include "infra/crash_point.h"
#include "infra/little_endian.h"

namespace guildhall {
namespace {

constexpr std::string_view identity_magic = "GHANCH1\n";
constexpr std::string_view slot_magic = "GHSLOT1\n";
constexpr std::size_t end_bytes = 8 + sizeof(Hash);
constexpr std::size_t slot_fixed_bytes = 16 + 8 + 8 + 1 + 4 + 4 + 8 + sizeof(Hash);

std::size_t slot_bytes(std::uint32_t shards) {
  return (block_overhead_bytes + slot_fixed_bytes + shards * end_bytes + block_bytes - 1) / block_bytes * block_bytes;
}
std::uint64_t slot_offset(std::uint64_t counter, std::uint32_t shards) {
  return block_bytes + (counter & 1) * slot_bytes(shards);
}

// The log id lies in each slot, so that a slot of another log is not a slot.
std::string encode_slot(std::uint64_t counter, const AnchorState& state, const LogIdentity& identity) {
  std::string content;
  append_bytes(content, identity.log_id);
  put(content, counter);
  put(content, state.epoch);
  put(content, static_cast<std::uint8_t>(state.clean ? 1 : 0));
  put_tip(content, state.tip);
  return encode_block(slot_magic, content, slot_bytes(identity.shards));
}

std::optional<std::pair<std::uint64_t, AnchorState>> decode_slot(std::string_view block, const LogIdentity& identity) {
  const auto content = decode_block(slot_magic, block);
  if (!content) return std::nullopt;
  FieldReader in(*content);
  if (!(uuid_from_bytes(in.bytes(16).data()) == identity.log_id)) return std::nullopt;
  std::pair<std::uint64_t, AnchorState> out;
  out.first = in.integer<std::uint64_t>();
  out.second.epoch = in.integer<std::uint64_t>();
  out.second.clean = in.integer<std::uint8_t>() != 0;
  out.second.tip = take_tip(in, identity.shards);
  return out;
}

}  // namespace

void HeadAnchor::create(const std::filesystem::path& path, const LogIdentity& identity, std::uint32_t segment_bytes, Disk& disk) {
  std::string content;
  append_bytes(content, identity.log_id);
  put(content, identity.shards);
  put(content, identity.generation);
  put(content, segment_bytes);
  put(content, static_cast<std::uint16_t>(identity.platform.size()));
  content.append(identity.platform);
  std::string bytes = encode_block(identity_magic, content, block_bytes);
  AnchorState state;
  state.clean = true;
  state.tip.ends.resize(identity.shards);
  bytes += encode_slot(0, state, identity);
  bytes += encode_slot(1, state, identity);
  const File file(path, O_RDWR | O_CREAT | O_EXCL);
  write_or_throw(disk, file, 0, bytes);
  sync_or_throw(disk, file);
}

HeadAnchor::HeadAnchor(const std::filesystem::path& path, int flags) : file_(path, flags) {
  std::string block(block_bytes, '\0');
  block.resize(file_.read(0, block.data(), block.size()));
  const auto content = decode_block(identity_magic, block);
  if (!content) throw CorruptLog(path.string() + ", offset 0: the anchor's identity is damaged");
  FieldReader in(*content);
  identity_.log_id = uuid_from_bytes(in.bytes(16).data());
  identity_.shards = in.integer<std::uint32_t>();
  identity_.generation = in.integer<std::uint32_t>();
  segment_bytes_ = in.integer<std::uint32_t>();
  identity_.platform = std::string(in.bytes(in.integer<std::uint16_t>()));

  bool found = false;
  for (const std::uint64_t slot : {0u, 1u}) {
    std::string bytes(slot_bytes(identity_.shards), '\0');
    bytes.resize(file_.read(slot_offset(slot, identity_.shards), bytes.data(), bytes.size()));
    auto decoded = decode_slot(bytes, identity_);
    if (!decoded || (decoded->first & 1) != slot) {
      slot_damaged_ = true;
    } else if (!found || decoded->first > counter_) {
      found = true;
      counter_ = decoded->first;
      state_ = std::move(decoded->second);
    }
  }
  if (!found) throw CorruptLog(path.string() + ": both slots of the anchor are damaged");
}

int HeadAnchor::move(AnchorState state, Disk& disk) {
  crash_at("anchor_before_write");
  const std::uint64_t counter = counter_ + 1;
  if (const int error = disk.write(file_.fd(), slot_offset(counter, identity_.shards), encode_slot(counter, state, identity_)))
    return error;
  crash_at("anchor_after_write");
  // fsync, not fdatasync: rare, and the strongest word the system has.
  if (const int error = disk.sync(file_.fd())) return error;
  crash_at("anchor_after_sync");
  counter_ = counter;
  state_ = std::move(state);
  return 0;
}

}  // namespace guildhall
