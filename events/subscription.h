// What happens to a subscription. Declared once, in events/subscription.fbs.
#pragma once

#include <variant>

#include "subscription_generated.h"

namespace guildhall::subscription {

using SubscriptionStarted = ::subscription::v1::SubscriptionStartedT;

using SubscriptionView = ::subscription::v1::SubscriptionViewT;

using Command = std::variant<>;
using Event = std::variant<SubscriptionStarted>;
using Resource = std::variant<SubscriptionView>;

}  // namespace guildhall::subscription
