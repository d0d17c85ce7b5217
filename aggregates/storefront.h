// The featured slots of a seller, whose account id it has (PA-64, PA-65, A-PA-29). A product takes a slot in the decision that
// features it, and frees it when it is featured no more, or deleted.
// The limit is that of the seller's effective tier at the time of the claim. A lower tier takes nothing away: whoever has more
// slots than it allows keeps them, and claims none until there is room.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

// The FeaturedSlotClaimed of a product that has none; featured_limit_reached when there is no room.
std::expected<NewEvent, Rejection> claim_featured_slot(const Uuid& seller_id, const Uuid& product_id, const Context& at,
                                                       const View& view);
// Of a product that has one.
NewEvent release_featured_slot(const Uuid& seller_id, const Uuid& product_id, const View& view);

void apply(StorefrontState& s, const storefront::FeaturedSlotClaimed& e);
void apply(StorefrontState& s, const storefront::FeaturedSlotReleased& e);

AnyResource represent(const StorefrontState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const StorefrontState& s, const Actor& actor);

}  // namespace guildhall
