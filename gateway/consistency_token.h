// Read your writes: a command's reply says how far the log must have been projected, and a read sends it back (header
// Consistency-Token or ?at_least=). The text is "v1." and base64url of, little-endian: log id (16 bytes in text order),
// generation u32, count u16, count × (shard u16, sequence u64) by ascending shard, and the first 16 bytes of HMAC-SHA-256 over
// all before it. Clients treat it as opaque; the HMAC keeps them from waiting for positions that nobody gave them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "events/ids.h"
#include "gateway/hmac_sha256.h"

namespace guildhall {

struct ShardPosition {
  std::uint16_t shard = 0;
  std::uint64_t sequence = 0;
  bool operator==(const ShardPosition&) const = default;
};

struct ConsistencyToken {
  Uuid log_id{};
  std::uint32_t generation = 0;          // Of the copy of the log that gave the token.
  std::vector<ShardPosition> positions;  // Ascending by shard, each shard once.
};

// Raises the token's position of a shard; a lower one changes nothing. Keeps the order.
void advance(ConsistencyToken& token, ShardPosition position);
// Advances by each position of `other`. Both must be of the same log and generation (CHECK).
void merge(ConsistencyToken& token, const ConsistencyToken& other);

enum class ConsistencyFault : std::uint8_t { malformed, bad_hmac, wrong_log };  // Each is 400 token_not_applicable.
std::string_view name_of(ConsistencyFault fault);

// Encodes and decodes the tokens of one log. Any thread.
class ConsistencyTokens {
 public:
  ConsistencyTokens(std::string_view key, const Uuid& log_id) : hmac_(key), log_id_(log_id) {}

  // CHECKs that the token is of this log and its positions are in order.
  std::string encode(const ConsistencyToken& token) const;
  // The generation is told, not judged: a valid token of this log is waited for, never refused.
  std::expected<ConsistencyToken, ConsistencyFault> decode(std::string_view text) const;

 private:
  HmacSha256 hmac_;
  Uuid log_id_;
};

}  // namespace guildhall
