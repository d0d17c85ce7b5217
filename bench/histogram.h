// Latencies in a fixed table: exact to the microsecond below 256 µs, then 128 buckets for each power of two, so that a percentile
// is off by less than one per cent. Recording costs a few instructions and never allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace guildhall {

class Histogram {
 public:
  static constexpr std::uint64_t max_us = (std::uint64_t{1} << 36) - 1;  // 19 hours; what is longer counts as this.

  void record(std::uint64_t us);
  void add(const Histogram& other);
  std::uint64_t count() const { return count_; }
  double mean_us() const { return count_ == 0 ? 0 : static_cast<double>(sum_us_) / static_cast<double>(count_); }
  std::uint64_t largest_us() const { return largest_us_; }
  // The smallest recorded value that `share` (0 to 1) of all values don't exceed, up to the precision; 0 when nothing was
  // recorded.
  std::uint64_t percentile_us(double share) const;

 private:
  static constexpr unsigned sub_bits = 7;
  static constexpr std::size_t sub_buckets = std::size_t{1} << sub_bits;
  static constexpr std::size_t buckets = (36 - sub_bits + 1) * sub_buckets;
  static std::size_t bucket_of(std::uint64_t us);
  static std::uint64_t highest_of(std::size_t bucket);

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_us_ = 0;
  std::uint64_t largest_us_ = 0;
};

}  // namespace guildhall
