// What a fault cost, from a history with known times.
#include "tests/acceptance/fault_report.h"

#include <gtest/gtest.h>

namespace guildhall {
namespace {

Instant at(int ms) { return Instant(std::chrono::milliseconds(1'000'000 + ms)); }

Operation accepted(std::uint32_t shard, int sent_ms, int answered_ms, int status = 201) {
  Operation o;
  o.shard = shard;
  o.sent = at(sent_ms);
  o.answered = at(answered_ms);
  o.answers.emplace_back(status, "", "");
  return o;
}

TEST(FaultReport, measures_gap_and_take_over_by_shard) {
  // The answer at 110 was on its way when the fault came, a refusal is no sign of life, and what comes after the fault's end is
  // another's.
  const std::vector<Operation> operations{
      accepted(0, 80, 90),     accepted(0, 95, 110), accepted(0, 120, 700, 409), accepted(0, 850, 900), accepted(0, 910, 960),
      accepted(0, 2900, 3000), accepted(1, 90, 95),  accepted(1, 101, 120),      accepted(1, 900, 940), accepted(1, 950, 1010)};
  const std::vector<Fault> faults{{"kill", "server 0", at(100), at(1000), {0}}};
  const auto found = costs(faults, operations, 2);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[0].hit);
  EXPECT_EQ(found[0].gap.count(), 2040);  // It begins before the end.
  EXPECT_EQ(found[0].take_over.count(), 800);
  EXPECT_FALSE(found[1].hit);
  EXPECT_EQ(found[1].gap.count(), 820);
  EXPECT_EQ(found[1].take_over.count(), 20);

  const auto kinds = summary(faults, found);
  EXPECT_EQ(kinds.at("kill").at("hit_shards").at("take_over_ms").at("worst").as_int64(), 800);
  EXPECT_EQ(kinds.at("kill").at("other_shards").at("longest_gap_ms").at("median").as_int64(), 820);
}

}  // namespace
}  // namespace guildhall
