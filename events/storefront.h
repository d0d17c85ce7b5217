// What happens to a storefront. Declared once, in events/storefront.fbs.
#pragma once

#include <variant>

#include "storefront_generated.h"

namespace guildhall::storefront {

using FeaturedSlotClaimed = ::storefront::v1::FeaturedSlotClaimedT;
using FeaturedSlotReleased = ::storefront::v1::FeaturedSlotReleasedT;

using StorefrontView = ::storefront::v1::StorefrontViewT;

using Command = std::variant<>;
using Event = std::variant<FeaturedSlotClaimed, FeaturedSlotReleased>;
using Resource = std::variant<StorefrontView>;

}  // namespace guildhall::storefront
