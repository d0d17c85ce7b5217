// The subscription of an account: its tier (PA-35..39). Opened with the account (PA-15).
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

void apply(SubscriptionState& s, const subscription::SubscriptionStarted& e);

AnyResource represent(const SubscriptionState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const SubscriptionState& s, const Actor& actor);

}  // namespace guildhall
