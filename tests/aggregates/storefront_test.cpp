#include "aggregates/storefront.h"

#include <algorithm>
#include <random>

#include "tests/aggregates/shop.h"

namespace guildhall::testing {
namespace {

using product::ProductDeleted;
using product::ProductFeatured;
using product::ProductUnfeatured;
using storefront::FeaturedSlotClaimed;
using storefront::FeaturedSlotReleased;
using storefront::StorefrontView;

class Storefront : public Shop {
 public:
  Uuid another() { return on_sale(offer(2000)); }
};

TEST_F(Storefront, has_as_many_slots_as_the_tier) {  // PA-64, §11
  const struct {
    Tier tier;
    std::size_t limit;
  } rows[] = {{Tier::basic, 0}, {Tier::standard, 1}, {Tier::premium, 3}, {Tier::ultimate, 10}};
  for (const auto& [tier, limit] : rows) {  // The slots of the tier before are kept.
    subscribe(seller, tier);
    while (featured().size() < limit) feature(another()).then_accepted();
    feature(another()).then_rejected(Code::featured_limit_reached);
    EXPECT_EQ(featured().size(), limit);
  }
}

TEST_F(Storefront, product_and_slot_are_one_decision) {  // PA-64
  subscribe(seller, Tier::premium);
  const Uuid id = another();
  feature(id).then({ProductFeatured{.product_id = id},
                    FeaturedSlotClaimed{.seller_id = seller, .product_id = id, .slots_taken = 1, .slots_limit = 3}});
  feature(id).then_nothing();
  EXPECT_TRUE(product(id).is_featured);
  const auto view = resource<StorefrontView>({{StreamKind::storefront, seller}, {}});
  EXPECT_EQ(view.id, seller);
  EXPECT_EQ(view.featured_product_ids, std::vector<Uuid>{id});
  unfeature(id).then(
      {ProductUnfeatured{.product_id = id}, FeaturedSlotReleased{.seller_id = seller, .product_id = id, .slots_taken = 0}});
  unfeature(id).then_nothing();
}

TEST_F(Storefront, only_what_is_for_sale_is_featured) {  // PA-63, PA-64
  subscribe(seller, Tier::premium);
  const Uuid id = draft(offer(2000));
  feature(id).then_rejected(Code::product_not_active);
  publish(id).then_accepted();
  as(admin(root)).moderate(id, false).then_accepted();
  as(user(seller)).feature(id).then_rejected(Code::product_not_active);
}

TEST_F(Storefront, a_lower_tier_takes_nothing_away) {  // PA-65, A-PA-29
  subscribe(seller, Tier::premium);
  const Uuid one = another(), two = another(), three = another(), four = another();
  for (const Uuid& id : {one, two, three}) feature(id).then_accepted();
  subscribe(seller, Tier::standard);
  EXPECT_EQ(featured().size(), 3u);
  feature(four).then_rejected(Code::featured_limit_reached);
  when(update(one, offer(900))).then_accepted();  // Other edits change nothing.
  pause(two).then_accepted();
  publish(two).then_accepted();
  EXPECT_EQ(featured(), (std::vector<Uuid>{one, two, three}));
  unfeature(two).then_accepted();
  feature(two).then_rejected(Code::featured_limit_reached);  // Two of one.
  unfeature(one).then_accepted();
  feature(four).then_rejected(Code::featured_limit_reached);  // One of one: a swap needs room after the unfeature.
  unfeature(three).then_accepted();
  feature(four).then_accepted();
}

TEST_F(Storefront, deleting_frees_a_slot_and_pausing_keeps_it) {  // PA-64
  subscribe(seller, Tier::standard);
  const Uuid id = another(), next = another();
  feature(id).then_accepted();
  pause(id).then_accepted();
  EXPECT_TRUE(product(id).is_featured);
  feature(next).then_rejected(Code::featured_limit_reached);
  remove(id).then({ProductUnfeatured{.product_id = id},
                   FeaturedSlotReleased{.seller_id = seller, .product_id = id, .slots_taken = 0},
                   ProductDeleted{.product_id = id}});
  feature(next).then_accepted();
  unfeature(id).then_nothing();
}

TEST_F(Storefront, a_banned_seller_is_held_back) {  // PA-13
  subscribe(seller, Tier::standard);
  const Uuid id = another();
  feature(id).then_accepted();
  ban(seller);
  unfeature(id).then_rejected(Code::account_banned);
  as(admin(root)).unfeature(id).then_accepted();
  as(user(seller)).feature(id).then_rejected(Code::account_banned);
}

TEST_F(Storefront, is_its_sellers_own) {  // PA-64
  subscribe(seller, Tier::standard);
  feature(another()).then_accepted();
  const auto& s = state<StorefrontState>(seller);
  EXPECT_TRUE(shows_to(s, user(seller)) && shows_to(s, admin(root)));
  EXPECT_FALSE(shows_to(s, user(ann)));
}

// Whatever is featured, freed, deleted and subscribed to: the slots are exactly the featured products, each once, and a claim
// never passes the limit of its moment.
TEST_F(Storefront, random_histories_keep_slots_and_products_together) {  // PA-64, PA-65, A-PA-29
  std::mt19937_64 random(20260108);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  std::vector<Uuid> products;
  for (int i = 0; i < 16; ++i) products.push_back(another());
  std::size_t limit = 0;
  int claims = 0;
  for (int i = 0; i < 4'000; ++i) {
    as(user(seller));
    Uuid& id = products[below(products.size())];
    const std::size_t before = featured().size();
    switch (below(10)) {
      case 0: {
        const auto tier = static_cast<Tier>(below(4));
        subscribe(seller, tier);
        limit = static_cast<std::size_t>(policy.featured_limit.at(static_cast<std::size_t>(tier)));
        break;
      }
      case 1: pause(id); break;
      case 2:
      case 3: publish(id); break;
      case 4:
        if (below(5) == 0) {
          remove(id).then_accepted();
          id = another();
        }
        break;
      case 5:
      case 6: unfeature(id); break;
      default: feature(id); break;
    }
    if (featured().size() > before) {
      ASSERT_LE(featured().size(), limit);
      ++claims;
    }
    std::vector<Uuid> wanted;
    for (const Uuid& each : products)
      if (product(each).is_featured) wanted.push_back(each);
    ASSERT_TRUE(std::ranges::is_permutation(featured(), wanted));
  }
  EXPECT_GT(claims, 100);
}

}  // namespace
}  // namespace guildhall::testing
