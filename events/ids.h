// Identity: UUIDs, the bucket inside them, streams and shards (design: identity and shards).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ids_generated.h"

namespace guildhall {

using Uuid = ids::Uuid;

inline bool is_nil(const Uuid& id) { return id.hi() == 0 && id.lo() == 0; }

// Any UUID in the 8-4-4-4-12 form, either case. Nil is refused: it means absent.
std::optional<Uuid> parse_uuid(std::string_view text);
std::string to_string(const Uuid& id);
void append_text(std::string& out, const Uuid& id);  // As to_string() has it.
// The sixteen bytes in text order, as keys and hashes use them.
void append_bytes(std::string& out, const Uuid& id);
Uuid uuid_from_bytes(const char* sixteen_bytes);

// The 12 bits after the version nibble name the entity group's place; a child carries its root's bucket.
using Bucket = std::uint16_t;
inline constexpr std::uint32_t bucket_count = 4096;
inline Bucket bucket_of(const Uuid& id) { return static_cast<Bucket>(id.hi() & 0xfff); }

using ShardNo = std::uint32_t;
inline ShardNo shard_of(Bucket bucket, std::uint32_t shards) { return bucket * shards / bucket_count; }
inline ShardNo shard_of(const Uuid& id, std::uint32_t shards) { return shard_of(bucket_of(id), shards); }

// A v8 UUID from SHA-256(label ‖ parent ‖ index), so that the same decision made again mints the same id. The first form keeps
// the parent's bucket, the second takes the bucket from the hash.
Uuid derive_in_group(std::string_view label, const Uuid& parent, std::uint64_t index, Bucket bucket);
Uuid derive_root(std::string_view label, std::string_view input);
// The same id in another group.
Uuid with_bucket(const Uuid& id, Bucket bucket);

enum class StreamKind : std::uint8_t {
  account = 1,
  claim,
  session,
  schedule,
  calendar,
  booking,
  payment,
  decision,
  inbox,
  writer,
  subscription,
  wallet,
  payout,
  product,
  storefront,
  purchase,
  service,
  order,
  webinar,
  registration,
  review,
  lesson,
  achievement,
  learner,
  progress
};
inline constexpr auto last_stream_kind = StreamKind::progress;
std::string_view name_of(StreamKind kind);
std::optional<StreamKind> stream_kind(std::string_view name);

struct StreamId {
  StreamKind kind{};
  Uuid id{};
  friend bool operator==(const StreamId& a, const StreamId& b) { return a.kind == b.kind && a.id == b.id; }
};
std::string to_string(const StreamId& stream);  // "booking/<uuid>"
std::optional<StreamId> parse_stream(std::string_view text);

struct UuidLess {
  bool operator()(const Uuid& a, const Uuid& b) const { return a.hi() != b.hi() ? a.hi() < b.hi() : a.lo() < b.lo(); }
};
struct UuidHash {
  // Ids from outside may be chosen by an attacker, hence the mixing; tables keyed by them are bounded anyway.
  std::size_t operator()(const Uuid& id) const noexcept {
    std::uint64_t x = id.hi() * 0x9e3779b97f4a7c15ULL ^ (id.lo() + 0x7f4a7c159e3779b9ULL);
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    return static_cast<std::size_t>(x ^ (x >> 32));
  }
};
struct StreamHash {
  std::size_t operator()(const StreamId& s) const noexcept { return UuidHash{}(s.id) * 31 + static_cast<std::size_t>(s.kind); }
};

}  // namespace guildhall
