// The directory of one process: the facts of all accounts of all its shards.
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
    return found == stripe.facts.end() ? std::nullopt : std::optional(found->second);
  }
  void set(const Uuid& id, const AccountFact& fact) {
    Stripe& stripe = const_cast<Stripe&>(stripe_of(id));
    const std::unique_lock lock(stripe.mutex);
    stripe.facts.insert_or_assign(id, fact);
  }

 private:
  // Striped, so that the shards' threads do not meet on one lock.
  struct Stripe {
    mutable std::shared_mutex mutex;
    std::unordered_map<Uuid, AccountFact, UuidHash> facts;
  };
  static constexpr std::size_t stripe_count = 16;
  const Stripe& stripe_of(const Uuid& id) const { return stripes_[bucket_of(id) % stripe_count]; }
  std::array<Stripe, stripe_count> stripes_;
};

}  // namespace guildhall
