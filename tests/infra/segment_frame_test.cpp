#include "infra/segment_frame.h"

#include <random>

#include "infra/crash_point.h"
#include "infra/crc32c.h"
#include "tests/infra/log_driver.h"

namespace guildhall::test {
namespace {

// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
TEST(Crc32c, known_answers) {
  std::string ascending, descending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i), descending += static_cast<char>(31 - i);
  const struct {
    std::string bytes;
    std::uint32_t crc;
  } cases[] = {{"", 0},
               {"123456789", 0xe3069283},
               {std::string(32, '\0'), 0x8a9136aa},
               {std::string(32, '\xff'), 0x62a8ab43},
               {ascending, 0x46dd794e},
               {descending, 0x113fdb5c}};
  for (const auto& c : cases) {
    EXPECT_EQ(crc32c(c.bytes), c.crc) << c.bytes;
    EXPECT_EQ(crc32c_by_table(c.bytes), c.crc) << c.bytes;
  }
}

TEST(Crc32c, instruction_and_table_agree_at_every_length_and_split) {
  std::mt19937_64 random(7);
  std::string bytes;
  for (std::size_t length = 0; length < 100; ++length) {
    EXPECT_EQ(crc32c(bytes), crc32c_by_table(bytes)) << length;
    for (std::size_t split = 0; split <= length; ++split)
      EXPECT_EQ(crc32c(std::string_view(bytes).substr(split), crc32c(std::string_view(bytes).substr(0, split))), crc32c(bytes));
    bytes += static_cast<char>(random());
  }
}

TEST(CrashPoint, refuses_names_that_nobody_reaches) {
  EXPECT_FALSE(arm_crash_point("log_before_wriet", 1));
  EXPECT_FALSE(arm_crash_point("log_before_write", 0));
}

TEST(CrashPoint, dies_at_the_nth_arrival) {
  if constexpr (has_crash_points) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    const auto arrive = [](int times) {
      if (!arm_crash_point("log_before_write", 3)) std::abort();
      for (int i = 0; i < times; ++i) crash_at("log_before_write"), crash_at("log_after_write");
      std::_Exit(7);
    };
    EXPECT_EXIT(arrive(2), testing::ExitedWithCode(7), "");
    EXPECT_EXIT(arrive(3), testing::KilledBySignal(SIGKILL), "");
  }
}

TEST(ZeroSectors, are_counted_by_the_file_not_by_the_frame) {
  std::string bytes(2048, '\0');
  EXPECT_EQ(count_zero_sectors(bytes, 0), 4u);
  EXPECT_EQ(count_zero_sectors(bytes, 8), 5u);
  bytes[0] = 1;
  EXPECT_EQ(count_zero_sectors(bytes, 504), 4u);
  bytes[511] = 1;
  EXPECT_EQ(count_zero_sectors(bytes, 504), 3u);
}

class Frame : public testing::Test {
 protected:
  Frame() {
    for (ShardNo shard : {1u, 3u}) {
      BatchBuilder builder;
      builder.add(record_header(shard, 1, 1), "payload");
      builder.add(record_header(shard, 1, 2), std::string(2000, '\0'));
      batches.push_back(builder.close(0, {}));
    }
    nonce.fill('n');
    const ShardBatch of_shards[] = {{1, &batches[0]}, {3, &batches[1]}};
    bytes = std::string(encoder.encode(nonce, 9, Hash{}, 4096 + 8, of_shards));
  }
  std::vector<Batch> batches;
  Nonce nonce{};
  FrameEncoder encoder;
  std::string bytes;

  bool valid(const std::string& frame) const {
    const auto header = decode_frame_header(frame, nonce);
    if (!header || header->length != frame.size()) return false;
    std::vector<FrameEntry> entries;
    return decode_frame_table(*header, std::string_view(frame).substr(frame_header_bytes, header->table_bytes()), entries) &&
           check_frame_bodies(frame, entries);
  }
};

TEST_F(Frame, round_trip) {
  ASSERT_TRUE(valid(bytes));
  const auto header = decode_frame_header(bytes, nonce);
  EXPECT_EQ(header->number, 9u);
  EXPECT_EQ(header->zero_sectors, 6u);  // Two payloads of 2,000 zeros, each around three whole sectors.
  std::vector<FrameEntry> entries;
  ASSERT_TRUE(decode_frame_table(*header, std::string_view(bytes).substr(frame_header_bytes, header->table_bytes()), entries));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[1].shard, 3u);
  EXPECT_EQ(entries[1].last(), 2u);
  EXPECT_EQ(entries[1].head, batches[1].head);
  EXPECT_EQ(bytes.substr(entries[1].offset, entries[1].length), batches[1].bytes);
}

TEST_F(Frame, finds_each_flipped_byte_and_each_cut) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_FALSE(valid(bad)) << i;
    EXPECT_FALSE(valid(bytes.substr(0, i))) << i;
  }
}

TEST_F(Frame, of_another_segment_is_none) {
  Nonce other = nonce;
  other[15] = 'o';
  EXPECT_FALSE(decode_frame_header(bytes, other));
}

}  // namespace
}  // namespace guildhall::test
