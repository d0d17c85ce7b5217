#include "aggregates/storefront.h"

#include "aggregates/account.h"
#include "aggregates/subscription.h"

namespace guildhall {
namespace {

using namespace storefront;

StreamId stream_of(const Uuid& seller_id) { return {StreamKind::storefront, seller_id}; }

std::int32_t slots_taken(const Uuid& seller_id, const View& view) {
  return static_cast<std::int32_t>(view.get<StorefrontState>(seller_id).featured.size());
}

}  // namespace

// ---- for the decisions of products

std::expected<NewEvent, Rejection> claim_featured_slot(const Uuid& seller_id, const Uuid& product_id, const Context& at,
                                                       const View& view) {
  const auto tier = effective_tier(view.get<SubscriptionState>(seller_id));
  const std::int32_t limit = at.policy.featured_limit.at(static_cast<std::size_t>(tier));
  const std::int32_t taken = slots_taken(seller_id, view);
  if (taken >= limit) return reject(Code::featured_limit_reached);
  return NewEvent{
      stream_of(seller_id),
      FeaturedSlotClaimed{.seller_id = seller_id, .product_id = product_id, .slots_taken = taken + 1, .slots_limit = limit}};
}

NewEvent release_featured_slot(const Uuid& seller_id, const Uuid& product_id, const View& view) {
  return {
      stream_of(seller_id),
      FeaturedSlotReleased{.seller_id = seller_id, .product_id = product_id, .slots_taken = slots_taken(seller_id, view) - 1}};
}

// ---- apply

void apply(StorefrontState& s, const FeaturedSlotClaimed& e) {
  s.seller_id = e.seller_id;
  s.featured.push_back(e.product_id);
}

void apply(StorefrontState& s, const FeaturedSlotReleased& e) { std::erase(s.featured, e.product_id); }

// ---- reply

AnyResource represent(const StorefrontState& s, std::uint64_t version, const Uuid&) {
  return StorefrontView{.id = s.seller_id, .version = version, .featured_product_ids = s.featured};
}

// A product that is paused keeps its slot, and is nobody else's business.
bool shows_to(const StorefrontState& s, const Actor& actor) { return may_act_for(actor, s.seller_id); }

}  // namespace guildhall
