#include "gateway/consistency_token.h"

#include <gtest/gtest.h>

#include "events/sha256.h"
#include "infra/base64url.h"

namespace guildhall {
namespace {

constexpr std::string_view key = "a key of the log's data folder, 32+ bytes";
const Uuid log_id = *parse_uuid("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b");
const Uuid other_log_id = *parse_uuid("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c");

ConsistencyToken sample() {
  return {.log_id = log_id,
          .generation = 3,
          .positions = {{.shard = 0, .sequence = 17}, {.shard = 4095, .sequence = ~std::uint64_t{0}}}};
}

TEST(HmacSha256, vectors_of_rfc_4231_each_time_anew) {
  const HmacSha256 first(std::string(20, '\x0b'));
  const HmacSha256 second("Jefe");
  for (int i = 0; i < 2; ++i) {
    const Mac a = first.of("Hi There");
    EXPECT_EQ(to_hex({a.data(), a.size()}), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    const Mac b = second.of("what do ya want ", "for nothing?");
    EXPECT_EQ(to_hex({b.data(), b.size()}), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  }
}

TEST(ConsistencyToken, comes_back_as_it_went) {
  const ConsistencyTokens tokens(key, log_id);
  for (const ConsistencyToken& token : {sample(), ConsistencyToken{.log_id = log_id, .generation = 1, .positions = {}}}) {
    const auto decoded = tokens.decode(tokens.encode(token));
    ASSERT_TRUE(decoded) << name_of(decoded.error());
    EXPECT_EQ(decoded->log_id, token.log_id);
    EXPECT_EQ(decoded->generation, token.generation);
    EXPECT_EQ(decoded->positions, token.positions);
  }
}

TEST(ConsistencyToken, carries_every_shard_there_can_be) {
  const ConsistencyTokens tokens(key, log_id);
  ConsistencyToken token{.log_id = log_id, .generation = 1, .positions = {}};
  for (std::uint16_t shard = 0; shard < bucket_count; ++shard) token.positions.push_back({.shard = shard, .sequence = shard});
  const auto decoded = tokens.decode(tokens.encode(token));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->positions, token.positions);
}

// Clients keep tokens, so the bytes are frozen.
TEST(ConsistencyToken, layout_is_frozen) {
  const std::string text = ConsistencyTokens(key, log_id).encode(sample());
  const auto bytes = base64url_decode(std::string_view(text).substr(3));
  ASSERT_TRUE(bytes);
  EXPECT_EQ(to_hex(*bytes).substr(0, 84),
            "0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"
            "03000000"
            "0200"
            "00001100000000000000"
            "ff0fffffffffffffffff");
  EXPECT_EQ(bytes->size(), 42U + 16U);
}

TEST(ConsistencyToken, refuses_malformed) {
  const ConsistencyTokens tokens(key, log_id);
  const std::string good = tokens.encode(sample());
  const std::string table[] = {"",
                               "v1.",
                               "v1",
                               good.substr(3),
                               "v2." + good.substr(3),
                               "V1." + good.substr(3),
                               good + "=",
                               good + "/",
                               " " + good,
                               good + "\n",
                               "v1.AAAA",
                               "v1." + base64url_encode(std::string(37, 'x')),
                               good + std::string(60'000, 'A')};
  for (const std::string& text : table) {
    const auto decoded = tokens.decode(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error(), ConsistencyFault::malformed) << text;
  }
}

TEST(ConsistencyToken, every_flipped_bit_shows) {
  const ConsistencyTokens tokens(key, log_id);
  const std::string bytes = *base64url_decode(std::string_view(tokens.encode(sample())).substr(3));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string forged = bytes;
    forged[bit / 8] = static_cast<char>(forged[bit / 8] ^ (1 << (bit % 8)));
    const auto decoded = tokens.decode("v1." + base64url_encode(forged));
    ASSERT_FALSE(decoded) << bit;
    EXPECT_EQ(decoded.error(), ConsistencyFault::bad_hmac) << bit;
  }
}

TEST(ConsistencyToken, of_another_key_or_log_is_refused) {
  const ConsistencyTokens tokens(key, log_id);
  const std::string other_key = ConsistencyTokens("another key, of another data folder......", log_id).encode(sample());
  EXPECT_EQ(tokens.decode(other_key).error(), ConsistencyFault::bad_hmac);
  ConsistencyToken of_other_log = sample();
  of_other_log.log_id = other_log_id;
  EXPECT_EQ(tokens.decode(ConsistencyTokens(key, other_log_id).encode(of_other_log)).error(), ConsistencyFault::wrong_log);
}

// Signed rightly, yet not what encode writes: only our own bug could make these.
TEST(ConsistencyToken, signed_nonsense_is_malformed) {
  const HmacSha256 hmac(key);
  const auto sign = [&](const std::string& tail) {
    std::string bytes;
    append_bytes(bytes, log_id);
    bytes += tail;
    const Mac mac = hmac.of("guildhall consistency token v1\n", bytes);
    return "v1." + base64url_encode(bytes + std::string(mac.data(), 16));
  };
  const std::string generation(4, '\1');
  const std::string at_5 = std::string("\5\0", 2) + std::string(8, '\7');
  const std::string at_6 = std::string("\6\0", 2) + std::string(8, '\7');
  const ConsistencyTokens tokens(key, log_id);
  EXPECT_TRUE(tokens.decode(sign(generation + std::string("\2\0", 2) + at_5 + at_6)));
  for (const std::string& tail : {generation + std::string("\2\0", 2) + at_6 + at_5,
                                  generation + std::string("\2\0", 2) + at_5 + at_5, generation + std::string("\2\0", 2) + at_5,
                                  generation + std::string("\1\0", 2) + at_5 + at_6, generation + std::string("\xff\xff", 2)})
    EXPECT_EQ(tokens.decode(sign(tail)).error(), ConsistencyFault::malformed) << to_hex(tail);
}

TEST(ConsistencyToken, merging_keeps_the_highest_of_each_shard) {
  ConsistencyToken token{.log_id = log_id, .generation = 1, .positions = {{2, 20}, {5, 50}}};
  merge(token, {.log_id = log_id, .generation = 1, .positions = {{1, 10}, {2, 19}, {5, 51}, {9, 90}}});
  EXPECT_EQ(token.positions, (std::vector<ShardPosition>{{1, 10}, {2, 20}, {5, 51}, {9, 90}}));
  advance(token, {.shard = 2, .sequence = 21});
  EXPECT_EQ(token.positions[1], (ShardPosition{2, 21}));
}

TEST(ConsistencyTokenDeathTest, merging_two_logs_is_our_bug) {
  ConsistencyToken token = sample();
  EXPECT_DEATH(merge(token, {.log_id = other_log_id, .generation = 3, .positions = {}}), "log_id");
}

}  // namespace
}  // namespace guildhall
