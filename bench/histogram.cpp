#include "bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace guildhall {

// Values of `width` bits share the buckets of that width: the top `sub_bits + 1` bits say which.
std::size_t Histogram::bucket_of(std::uint64_t us) {
  const auto width = static_cast<unsigned>(std::bit_width(us));
  if (width <= sub_bits + 1) return us;
  const unsigned shift = width - sub_bits - 1;
  return shift * sub_buckets + (us >> shift);
}

std::uint64_t Histogram::highest_of(std::size_t bucket) {
  if (bucket < 2 * sub_buckets) return bucket;
  const std::size_t shift = bucket / sub_buckets - 1;
  return ((std::uint64_t{bucket} - shift * sub_buckets + 1) << shift) - 1;
}

void Histogram::record(std::uint64_t us) {
  us = std::min(us, max_us);
  ++counts_[bucket_of(us)];
  ++count_;
  sum_us_ += us;
  largest_us_ = std::max(largest_us_, us);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_us_ += other.sum_us_;
  largest_us_ = std::max(largest_us_, other.largest_us_);
}

std::uint64_t Histogram::percentile_us(double share) const {
  if (count_ == 0) return 0;
  const auto wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    seen += counts_[i];
    if (seen >= wanted) return std::min(highest_of(i), largest_us_);
  }
  return largest_us_;
}

}  // namespace guildhall
