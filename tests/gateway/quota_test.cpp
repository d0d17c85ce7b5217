#include "gateway/quota.h"

#include <random>

#include <gtest/gtest.h>

namespace guildhall {
namespace {

constexpr Micros start = 1'700'000'000 * second_us;
const QuotaPolicy ten_a_minute{.name = "burst", .requests = 10, .window_s = 60};  // One comes back every 6 s.

TEST(Quota, a_burst_is_allowed_and_then_refused_with_the_wait) {
  Quota quota(ten_a_minute);
  for (std::uint32_t i = 0; i < 10; ++i) {
    const QuotaVerdict verdict = quota.take("alice", start);
    EXPECT_TRUE(verdict.allowed);
    EXPECT_EQ(verdict.remaining, 9 - i);
    EXPECT_EQ(verdict.reset_s, 6 * (i + 1));
    EXPECT_EQ(verdict.retry_after_s, 0);
  }
  const QuotaVerdict refused = quota.take("alice", start);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 0U);
  EXPECT_EQ(refused.reset_s, 60);
  EXPECT_EQ(refused.retry_after_s, 6);
}

TEST(Quota, waiting_retry_after_is_enough_and_no_less_would_be) {
  Quota quota(ten_a_minute);
  for (int i = 0; i < 10; ++i) quota.take("alice", start);
  const Micros later = start + 6 * second_us;
  EXPECT_FALSE(quota.take("alice", later - 1).allowed);
  EXPECT_EQ(quota.take("alice", later - 1).retry_after_s, 1) << "whole seconds, never 0";
  EXPECT_TRUE(quota.take("alice", later).allowed);
  EXPECT_FALSE(quota.take("alice", later).allowed);
}

TEST(Quota, refusals_take_nothing) {
  Quota quota(ten_a_minute);
  for (int i = 0; i < 1000; ++i) quota.take("alice", start);
  EXPECT_TRUE(quota.take("alice", start + 6 * second_us).allowed);
}

TEST(Quota, principals_do_not_share) {
  Quota quota(ten_a_minute);
  for (int i = 0; i < 11; ++i) quota.take("alice", start);
  EXPECT_FALSE(quota.take("alice", start).allowed);
  EXPECT_EQ(quota.take("bob", start).remaining, 9U);
}

TEST(Quota, a_bucket_never_holds_more_than_its_size) {
  Quota quota(ten_a_minute);
  quota.take("alice", start);
  EXPECT_EQ(quota.take("alice", start + day_us).remaining, 9U);
}

TEST(Quota, a_clock_that_steps_back_costs_one_window_at_most) {
  Quota quota(ten_a_minute);
  for (int i = 0; i < 10; ++i) quota.take("alice", start + day_us);
  const QuotaVerdict verdict = quota.take("alice", start);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.retry_after_s, 6);
  EXPECT_TRUE(quota.take("alice", start + 6 * second_us).allowed);
}

TEST(Quota, headers_are_those_of_the_draft) {
  Quota quota({.name = "burst", .requests = 100, .window_s = 60});
  EXPECT_EQ(quota.policy_header(), "\"burst\";q=100;w=60");
  QuotaVerdict verdict;
  for (int i = 0; i < 50; ++i) verdict = quota.take("alice", start);
  EXPECT_EQ(quota.limit_header(verdict), "\"burst\";r=50;t=30");
}

TEST(Quota, the_table_is_bounded_and_full_buckets_go_first) {
  Quota quota(ten_a_minute, 4);
  for (int i = 0; i < 11; ++i) quota.take("hungry", start);
  for (const char* one : {"a", "b", "c"}) quota.take(one, start);
  // The others' buckets are full again after 6 s, hers after 60.
  const Micros later = start + 6 * second_us;
  EXPECT_TRUE(quota.take("hungry", later).allowed);
  for (int i = 0; i < 100; ++i) quota.take("visitor " + std::to_string(i), later + i * 6 * second_us / 100);
  EXPECT_EQ(quota.principals(), 4U);
  EXPECT_FALSE(quota.take("hungry", later).allowed);
}

TEST(Quota, without_a_full_bucket_the_fullest_goes) {
  Quota quota(ten_a_minute, 3);
  for (int i = 0; i < 10; ++i) quota.take("empty", start);
  for (int i = 0; i < 5; ++i) quota.take("half", start);
  quota.take("fullest", start);
  quota.take("new", start);
  EXPECT_EQ(quota.take("half", start).remaining, 4U);
  EXPECT_FALSE(quota.take("empty", start).allowed);
}

// Over any time the number allowed is at most the burst and what flowed back.
TEST(Quota, law_of_the_bucket) {
  constexpr std::uint64_t seed = 11;
  std::mt19937_64 random(seed);
  for (int round = 0; round < 50; ++round) {
    const QuotaPolicy policy{.requests = static_cast<std::uint32_t>(1 + random() % 50),
                             .window_s = static_cast<std::uint32_t>(1 + random() % 90)};
    const Micros interval_us = policy.window_s * second_us / policy.requests;
    Quota quota(policy);
    Micros now = start;
    Micros allowed = 0;
    for (int i = 0; i < 500; ++i) {
      const QuotaVerdict verdict = quota.take("p", now);
      allowed += verdict.allowed ? 1 : 0;
      ASSERT_LE(allowed, policy.requests + (now - start) / interval_us) << "seed " << seed << " round " << round;
      if (!verdict.allowed) {
        ASSERT_GE(verdict.retry_after_s, 1);
        ASSERT_EQ(verdict.remaining, 0U);
      }
      now += static_cast<Micros>(random() % static_cast<std::uint64_t>(2 * interval_us));
    }
  }
}

TEST(QuotaDeathTest, a_policy_that_allows_nothing_is_our_bug) {
  EXPECT_DEATH(Quota({.name = "none", .requests = 0, .window_s = 60}), "requests");
}

}  // namespace
}  // namespace guildhall
