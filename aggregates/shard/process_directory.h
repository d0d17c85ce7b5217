// The directory of one process: all facts that it has been told, by its own shards or by other processes.
#pragma once

#include <array>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "aggregates/directory.h"

namespace guildhall {

class ProcessDirectory final : public Directory {
 public:
  std::optional<std::string> fact(const StreamId& id) const override {
    const Stripe& stripe = stripe_of(id);
    const std::shared_lock lock(stripe.mutex);
    const auto found = stripe.facts.find(id);
    return found == stripe.facts.end() ? std::nullopt : std::optional(found->second.fact);
  }
  // `version` is that of the stream: what is older than what is known is ignored. Any thread.
  void set(const StreamId& id, std::uint64_t version, std::string fact) {
    Stripe& stripe = const_cast<Stripe&>(stripe_of(id));
    const std::unique_lock lock(stripe.mutex);
    auto& known = stripe.facts[id];
    if (version >= known.version) known = {version, std::move(fact)};
  }

 private:
  struct Known {
    std::uint64_t version = 0;
    std::string fact;
  };
  // Striped, so that the shards' threads do not meet on one lock.
  struct Stripe {
    mutable std::shared_mutex mutex;
    std::unordered_map<StreamId, Known, StreamHash> facts;
  };
  static constexpr std::size_t stripe_count = 16;
  const Stripe& stripe_of(const StreamId& id) const { return stripes_[bucket_of(id.id) % stripe_count]; }
  std::array<Stripe, stripe_count> stripes_;
};

}  // namespace guildhall
