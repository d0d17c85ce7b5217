// The directory of one process: the facts of all accounts that it has been told of, by its own shards or by other processes.
#pragma once

#include <array>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "aggregates/directory.h"

namespace guildhall {

class AccountDirectory final : public Directory {
 public:
  std::optional<AccountFact> account(const Uuid& id) const override {
    const Stripe& stripe = stripe_of(id);
    const std::shared_lock lock(stripe.mutex);
    const auto found = stripe.facts.find(id);
    return found == stripe.facts.end() ? std::nullopt : std::optional(found->second.fact);
  }
  // `version` is that of the account's stream: what is older than what is known is ignored. Any thread.
  void set(const Uuid& id, std::uint64_t version, const AccountFact& fact) {
    Stripe& stripe = const_cast<Stripe&>(stripe_of(id));
    const std::unique_lock lock(stripe.mutex);
    auto& known = stripe.facts[id];
    if (version >= known.version) known = {version, fact};
  }

 private:
  struct Known {
    std::uint64_t version = 0;
    AccountFact fact;
  };
  // Striped, so that the shards' threads do not meet on one lock.
  struct Stripe {
    mutable std::shared_mutex mutex;
    std::unordered_map<Uuid, Known, UuidHash> facts;
  };
  static constexpr std::size_t stripe_count = 16;
  const Stripe& stripe_of(const Uuid& id) const { return stripes_[bucket_of(id) % stripe_count]; }
  std::array<Stripe, stripe_count> stripes_;
};

}  // namespace guildhall
