#include "gateway/quota.h"

#include <algorithm>
#include <utility>

#include "events/check.h"

namespace guildhall {
namespace {

constexpr std::size_t victims_looked_at = 16;  // A bound on the work of one request.

std::int64_t whole_seconds(Micros duration_us) { return (duration_us + second_us - 1) / second_us; }

}  // namespace

Quota::Quota(QuotaPolicy policy, std::size_t principals_limit) : policy_(std::move(policy)), principals_limit_(principals_limit) {
  CHECK(principals_limit_ > 0 && policy_.requests > 0 && policy_.window_s > 0);
  interval_us_ = policy_.window_s * second_us / policy_.requests;
  CHECK(interval_us_ > 0);
  full_us_ = interval_us_ * policy_.requests;
  policy_header_ = '"' + policy_.name + "\";q=" + std::to_string(policy_.requests) + ";w=" + std::to_string(policy_.window_s);
}

QuotaVerdict Quota::take(std::string_view principal, Micros now) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket = bucket_of(principal, now);
  // How much of the bucket is missing, as time. More than an empty bucket's is a clock that stepped back.
  const Micros missing_us = std::clamp<Micros>(bucket.full_at - now, 0, full_us_);
  const bool allowed = missing_us + interval_us_ <= full_us_;
  const Micros missing_after_us = allowed ? missing_us + interval_us_ : missing_us;
  bucket.full_at = now + missing_after_us;
  return {
      .allowed = allowed,
      .remaining = static_cast<std::uint32_t>((full_us_ - missing_after_us) / interval_us_),
      .reset_s = whole_seconds(missing_after_us),
      .retry_after_s = allowed ? 0 : whole_seconds(missing_us + interval_us_ - full_us_),
  };
}

Quota::Bucket& Quota::bucket_of(std::string_view principal, Micros now) {
  if (const auto found = places_.find(principal); found != places_.end()) return buckets_[found->second];
  std::size_t place = buckets_.size();
  if (place < principals_limit_) {
    buckets_.emplace_back();
  } else {
    place = choose_victim(now);
    places_.erase(buckets_[place].principal);
  }
  buckets_[place] = {.principal = std::string(principal), .full_at = now};
  places_.emplace(principal, place);
  return buckets_[place];
}

std::size_t Quota::choose_victim(Micros now) {
  std::size_t fullest = hand_;
  for (std::size_t looked_at = 0; looked_at < victims_looked_at; ++looked_at) {
    const std::size_t here = hand_;
    hand_ = (hand_ + 1) % buckets_.size();
    if (buckets_[here].full_at < buckets_[fullest].full_at) fullest = here;
    if (buckets_[fullest].full_at <= now) break;
  }
  return fullest;
}

std::size_t Quota::principals() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

std::string Quota::limit_header(const QuotaVerdict& verdict) const {
  return '"' + policy_.name + "\";r=" + std::to_string(verdict.remaining) + ";t=" + std::to_string(verdict.reset_s);
}

}  // namespace guildhall
