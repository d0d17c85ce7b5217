#include "bench/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace guildhall {
namespace {

TEST(Histogram, empty_has_no_latencies) {
  const Histogram h;
  EXPECT_EQ(h.count(), 0U);
  EXPECT_EQ(h.percentile_us(0.99), 0U);
  EXPECT_EQ(h.largest_us(), 0U);
}

TEST(Histogram, small_values_are_exact) {
  Histogram h;
  for (std::uint64_t us = 0; us < 256; ++us) h.record(us);
  EXPECT_EQ(h.percentile_us(0.5), 127U);
  EXPECT_EQ(h.percentile_us(1), 255U);
  EXPECT_EQ(h.percentile_us(0), 0U);
  EXPECT_DOUBLE_EQ(h.mean_us(), 127.5);
}

TEST(Histogram, percentiles_are_within_one_per_cent_of_the_sorted_values) {
  constexpr std::uint64_t seed = 7;
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> latency(8, 2);
  Histogram h;
  std::vector<std::uint64_t> all;
  for (int i = 0; i < 50'000; ++i) {
    all.push_back(static_cast<std::uint64_t>(latency(random)));
    h.record(all.back());
  }
  std::ranges::sort(all);
  for (const double share : {0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(all.size())));
    const auto exact = static_cast<double>(all[rank - 1]);
    EXPECT_NEAR(static_cast<double>(h.percentile_us(share)), exact, exact * 0.01 + 0.5) << "share " << share << ", seed " << seed;
  }
}

TEST(Histogram, every_power_of_two_and_its_neighbours_stay_in_place) {
  for (unsigned bit = 1; bit < 36; ++bit)
    for (const std::uint64_t us : {(std::uint64_t{1} << bit) - 1, std::uint64_t{1} << bit, (std::uint64_t{1} << bit) + 1}) {
      Histogram h;
      h.record(us);
      h.record(Histogram::max_us);
      const std::uint64_t told = h.percentile_us(0.5);
      EXPECT_GE(told, us);
      EXPECT_LE(static_cast<double>(told), static_cast<double>(us) * 1.01 + 0.5);
    }
}

TEST(Histogram, what_is_too_long_counts_as_the_longest) {
  Histogram h;
  h.record(~std::uint64_t{0});
  EXPECT_EQ(h.percentile_us(0.5), Histogram::max_us);
}

TEST(Histogram, adding_is_recording_both) {
  Histogram a, b, both;
  for (std::uint64_t us = 1; us < 5000; us += 3) {
    (us % 2 == 0 ? a : b).record(us);
    both.record(us);
  }
  a.add(b);
  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.percentile_us(0.9), both.percentile_us(0.9));
  EXPECT_EQ(a.largest_us(), both.largest_us());
}

}  // namespace
}  // namespace guildhall
