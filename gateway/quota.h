// A token bucket per principal, so that one caller's refusals cannot fill the log. One Quota belongs to one platform.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "events/clock.h"

namespace guildhall {

inline constexpr std::size_t quota_principals_limit = 65'536;

struct QuotaPolicy {
  std::string name = "burst";    // As the headers show it; lower-case letters, digits and hyphens.
  std::uint32_t requests = 100;  // The bucket's size, and what flows back into it in one window.
  std::uint32_t window_s = 60;
};

struct QuotaVerdict {
  bool allowed = false;
  std::uint32_t remaining = 0;     // Whole requests left in the bucket after this one.
  std::int64_t reset_s = 0;        // Until the bucket is full again, rounded up.
  std::int64_t retry_after_s = 0;  // At least 1 when refused, 0 when allowed: the value of Retry-After.
};

// Any thread.
class Quota {
 public:
  // CHECKs that the policy gives at least one request a window and at most one a microsecond.
  explicit Quota(QuotaPolicy policy, std::size_t principals_limit = quota_principals_limit);

  // Takes one request from the principal's bucket; refused, it takes nothing. A full bucket is the same as an unknown principal,
  // so full ones give way when the table is full; when none of a few looked at is full, the fullest of them goes, and its
  // principal is given a new bucket when it comes back. `now` may step back: a caller never waits longer than one window for it.
  QuotaVerdict take(std::string_view principal, Micros now);

  std::size_t principals() const;

  // Headers of the IETF draft "RateLimit header fields for HTTP", version 10.
  const std::string& policy_header() const { return policy_header_; }  // RateLimit-Policy: "burst";q=100;w=60
  std::string limit_header(const QuotaVerdict& verdict) const;         // RateLimit: "burst";r=99;t=1

 private:
  struct Bucket {
    std::string principal;
    Micros full_at = 0;  // When it will be full if nothing is taken; this one number is the whole state of a bucket.
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };

  Bucket& bucket_of(std::string_view principal, Micros now);
  std::size_t choose_victim(Micros now);

  QuotaPolicy policy_;
  std::size_t principals_limit_;
  Micros interval_us_;  // In which one request flows back.
  Micros full_us_;      // In which an empty bucket fills.
  std::string policy_header_;

  mutable std::mutex mutex_;
  std::vector<Bucket> buckets_;
  std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> places_;  // In buckets_.
  std::size_t hand_ = 0;                                                            // Where the search for a victim goes on.
};

inline constexpr std::string_view rate_limit_policy_header_name = "RateLimit-Policy";
inline constexpr std::string_view rate_limit_header_name = "RateLimit";

}  // namespace guildhall
