#include "gateway/consistency_token.h"

#include <algorithm>
#include <concepts>
#include <optional>
#include <utility>

#include "events/check.h"
#include "infra/base64url.h"

namespace guildhall {
namespace {

constexpr std::string_view version_prefix = "v1.";
constexpr std::string_view hmac_domain = "guildhall consistency token v1\n";  // The key may sign other things as well.
constexpr std::size_t hmac_bytes = 16;
constexpr std::size_t head_bytes = 16 + 4 + 2;
constexpr std::size_t position_bytes = 2 + 8;
constexpr std::size_t positions_limit = bucket_count;  // There are never more shards than buckets.
constexpr std::size_t text_limit =
    version_prefix.size() + (head_bytes + positions_limit * position_bytes + hmac_bytes) * 4 / 3 + 1;

void append_little_endian(std::string& out, std::unsigned_integral auto number) {
  for (std::size_t i = 0; i < sizeof number; ++i) out.push_back(static_cast<char>((number >> (8 * i)) & 0xff));
}

template <std::unsigned_integral T>
T take_little_endian(std::string_view& in) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) number |= std::uint64_t{static_cast<unsigned char>(in[i])} << (8 * i);
  in.remove_prefix(sizeof(T));
  return static_cast<T>(number);
}

bool is_in_order(const std::vector<ShardPosition>& positions) {
  return std::ranges::adjacent_find(positions, std::ranges::greater_equal{}, &ShardPosition::shard) == positions.end();
}

}  // namespace

void advance(ConsistencyToken& token, ShardPosition position) {
  const auto at = std::ranges::lower_bound(token.positions, position.shard, {}, &ShardPosition::shard);
  if (at == token.positions.end() || at->shard != position.shard) token.positions.insert(at, position);
  else at->sequence = std::max(at->sequence, position.sequence);
}

void merge(ConsistencyToken& token, const ConsistencyToken& other) {
  CHECK(token.log_id == other.log_id && token.generation == other.generation);
  for (const ShardPosition& position : other.positions) advance(token, position);
}

std::string_view name_of(ConsistencyFault fault) {
  switch (fault) {
    case ConsistencyFault::malformed: return "malformed";
    case ConsistencyFault::bad_hmac: return "bad_hmac";
    case ConsistencyFault::wrong_log: return "wrong_log";
  }
  std::unreachable();
}

std::string ConsistencyTokens::encode(const ConsistencyToken& token) const {
  CHECK(token.log_id == log_id_);
  CHECK(token.positions.size() <= positions_limit && is_in_order(token.positions));
  std::string bytes;
  bytes.reserve(head_bytes + token.positions.size() * position_bytes + hmac_bytes);
  append_bytes(bytes, token.log_id);
  append_little_endian(bytes, token.generation);
  append_little_endian(bytes, static_cast<std::uint16_t>(token.positions.size()));
  for (const auto& [shard, sequence] : token.positions) {
    append_little_endian(bytes, shard);
    append_little_endian(bytes, sequence);
  }
  const Mac mac = hmac_.of(hmac_domain, bytes);
  bytes.append(mac.data(), hmac_bytes);
  return std::string(version_prefix) + base64url_encode(bytes);
}

std::expected<ConsistencyToken, ConsistencyFault> ConsistencyTokens::decode(std::string_view text) const {
  const auto malformed = std::unexpected(ConsistencyFault::malformed);
  if (text.size() > text_limit || !text.starts_with(version_prefix)) return malformed;
  const std::optional<std::string> bytes = base64url_decode(text.substr(version_prefix.size()));
  if (!bytes || bytes->size() < head_bytes + hmac_bytes) return malformed;

  std::string_view rest = *bytes;
  const std::string_view mac = rest.substr(rest.size() - hmac_bytes);
  rest.remove_suffix(hmac_bytes);
  const Mac expected = hmac_.of(hmac_domain, rest);
  if (!equal_in_constant_time(mac, std::string_view(expected.data(), hmac_bytes)))
    return std::unexpected(ConsistencyFault::bad_hmac);

  ConsistencyToken token;
  token.log_id = uuid_from_bytes(rest.data());
  rest.remove_prefix(16);
  if (token.log_id != log_id_) return std::unexpected(ConsistencyFault::wrong_log);
  token.generation = take_little_endian<std::uint32_t>(rest);
  const std::size_t count = take_little_endian<std::uint16_t>(rest);
  if (count > positions_limit || rest.size() != count * position_bytes) return malformed;
  token.positions.reserve(count);
  while (!rest.empty()) {
    const auto shard = take_little_endian<std::uint16_t>(rest);
    const auto sequence = take_little_endian<std::uint64_t>(rest);
    token.positions.push_back({.shard = shard, .sequence = sequence});
  }
  if (!is_in_order(token.positions)) return malformed;
  return token;
}

}  // namespace guildhall
