#include "aggregates/product.h"

#include "aggregates/slug.h"
#include "tests/aggregates/shop.h"

namespace guildhall::testing {
namespace {

using namespace ::guildhall::product;
using ::product::v1::ProductType;
using ::product::v1::Status;

class Product : public Shop {};

// ---- slugs

TEST(Slug, is_frozen) {  // PA-58
  const Uuid one = *parse_uuid("018f3c5a-1b2c-8d3e-9f40-516273849506"), two = *parse_uuid("00000000-0000-4000-8000-000000000001");
  const struct {
    std::string title;
    Uuid id;
    std::string slug;
  } vectors[] = {
      {"Lo-Fi Drum Kit, Vol. 2", one, "lo-fi-drum-kit-vol-2-fh3qaxx6hd"},
      {"  Lo-Fi -- DRUM kit vol 2!!  ", one, "lo-fi-drum-kit-vol-2-fh3qaxx6hd"},
      {"Lo-Fi Drum Kit, Vol. 2", two, "lo-fi-drum-kit-vol-2-q2sco5l2gh"},
      {"808s & Heartbreak\t\n- stems", two, "808s-heartbreak-stems-q2sco5l2gh"},
      {"Café del Mar (Remix) №7", one, "caf-del-mar-remix-7-fh3qaxx6hd"},
      {"音楽", one, "fh3qaxx6hd"},
      {"", two, "q2sco5l2gh"},
      {std::string(70, 'a'), one, std::string(60, 'a') + "-fh3qaxx6hd"},
      {std::string(59, 'x') + " yz", one, std::string(59, 'x') + "-fh3qaxx6hd"},
      {std::string(58, 'x') + " yz", one, std::string(58, 'x') + "-y-fh3qaxx6hd"},
  };
  for (const auto& v : vectors) EXPECT_EQ(slug_of(v.title, v.id), v.slug) << v.title;
}

// ---- the offer

TEST_F(Product, begins_as_a_draft_with_a_slug_that_stays) {  // PA-58, PA-59
  const Uuid command = next_command_id();
  const Uuid id = derive_in_group("product", command, 0, test_bucket);
  auto c = offer(2000);
  c.bpm = 140;
  c.musical_key = "A minor";
  c.sample_rate = 48'000;
  c.bit_depth = 24;
  c.file_size_bytes = 5'000'000'000;
  c.tags = {"drums"};
  ProductCreated e{.product_id = id,
                   .seller_id = seller,
                   .slug = slug_of("Drum Kit", id),
                   .product_type = ProductType::regular,
                   .title = "Drum Kit",
                   .description = "Hits and loops",
                   .file_urls = {"https://cdn.example/kit.zip"},
                   .file_size_bytes = 5'000'000'000,
                   .file_types = {"zip"},
                   .price_cents = 2000,
                   .currency = "USD",
                   .bpm = 140,
                   .musical_key = "A minor",
                   .sample_rate = 48'000,
                   .bit_depth = 24,
                   .tags = {"drums"}};
  const Outcome outcome = as(user(seller)).when(c, command);
  outcome.then({e});
  EXPECT_TRUE(outcome.decision()->created);
  EXPECT_EQ(product(id).status, Status::draft);
  EXPECT_TRUE(product(id).is_approved) << "A-PA-27: moderated after it is published";

  auto renamed = c;
  renamed.title = "Drum Kit II";
  when(update(id, renamed)).then_accepted();
  when(update(id, renamed)).then_nothing();
  EXPECT_EQ(product(id).title, "Drum Kit II");
  EXPECT_EQ(product(id).slug, e.slug);
}

TEST_F(Product, views_have_no_files) {  // What is sold is for its owners.
  const Uuid id = on_sale(offer(2000));
  const auto view = resource<ProductView>({{StreamKind::product, id}, {}});
  EXPECT_EQ(view.id, id);
  EXPECT_EQ(view.status, Status::active);
  EXPECT_EQ(view.file_types, std::vector<std::string>{"zip"});
  EXPECT_EQ(encode(AnyResource(view)).find("cdn.example"), std::string::npos);
}

TEST_F(Product, prices_licences_and_minimums_go_together) {  // PA-60, PA-61, A-PA-13, A-PA-25
  const auto with = [](CreateProduct c, auto change) {
    change(c);
    return c;
  };
  const struct {
    const char* what;
    CreateProduct offer;
    std::optional<Code> refused;
    bool is_free = false;
  } rows[] = {
      {"free", offer(0), {}, true},
      {"the smallest price", offer(100), {}},
      {"below it", offer(99), Code::price_below_minimum},
      {"one cent", offer(1), Code::price_below_minimum},
      {"named, from nothing", name_your_price(500, 0), {}},
      {"named, without a suggestion", name_your_price(0, 0), {}},
      {"named, no minimum said", with(offer(300), [](auto& c) { c.allow_name_your_price = true; }), {}},
      {"named, from the smallest price", name_your_price(500, 100), {}},
      {"named, a minimum below it", name_your_price(500, 50), Code::price_below_minimum},
      {"a minimum without naming", with(offer(500), [](auto& c) { c.minimum_price_cents = 300; }), Code::minimum_price_unused},
      {"a minimum of nothing without naming", with(offer(500), [](auto& c) { c.minimum_price_cents = 0; }), {}},
      {"exclusive", offer(500, License::exclusive), {}},
      {"exclusive and free", offer(0, License::exclusive), Code::exclusive_not_free},
      {"exclusive, named from nothing", with(name_your_price(500, 0), [](auto& c) { c.license_type = License::exclusive; }),
       Code::exclusive_not_free},
      {"exclusive, named", with(name_your_price(0, 500), [](auto& c) { c.license_type = License::exclusive; }), {}},
      {"custom", offer(500, License::custom), {}},
      {"custom without its text", with(offer(500, License::custom), [](auto& c) { c.license_text.clear(); }),
       Code::license_text_mismatch},
      {"a text without custom", with(offer(500), [](auto& c) { c.license_text = "Mine."; }), Code::license_text_mismatch},
  };
  as(user(seller));
  const Uuid other = draft(offer(777));
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    if (row.refused) {
      when(row.offer).then_rejected(*row.refused);
      when(update(other, row.offer)).then_rejected(*row.refused);
      continue;
    }
    const Uuid id = draft(row.offer);
    EXPECT_EQ(product(id).is_free, row.is_free);
    EXPECT_EQ(product(id).minimum_price_cents.has_value(), row.offer.allow_name_your_price);
    when(update(other, row.offer)).then_accepted();
    EXPECT_EQ(product(other).is_free, row.is_free);
  }
}

// ---- status

TEST_F(Product, moves_from_draft_to_active_and_paused_and_ends_deleted) {  // PA-59
  const Uuid id = draft(offer(2000));
  pause(id).then_rejected(Code::product_not_active);
  publish(id).then({ProductPublished{.product_id = id}});
  publish(id).then_nothing();
  pause(id).then({ProductPaused{.product_id = id}});
  pause(id).then_nothing();
  publish(id).then_accepted();
  remove(id).then({ProductDeleted{.product_id = id}});
  remove(id).then_nothing();
  publish(id).then_rejected(Code::product_deleted);
  pause(id).then_rejected(Code::product_deleted);
  feature(id).then_rejected(Code::product_deleted);
  when(update(id, offer(900))).then_rejected(Code::product_deleted);
  const Uuid never_published = draft(offer(2000));
  remove(never_published).then_accepted();
}

TEST_F(Product, needs_files_to_be_sold_and_keeps_some_after) {  // PA-58, A-PA-26
  auto empty = offer(0);
  empty.file_urls.clear();
  const Uuid id = draft(empty);
  publish(id).then_rejected(Code::product_without_files);
  when(update(id, offer(0))).then_accepted();
  publish(id).then_accepted();
  when(update(id, empty)).then_rejected(Code::product_without_files);
  pause(id).then_accepted();
  when(update(id, empty)).then_accepted();
  when(update(id, offer(0))).then_accepted();
  publish(id).then_accepted();
  bought(id, ann);
  as(user(seller)).pause(id).then_accepted();
  when(update(id, empty)).then_rejected(Code::product_without_files);
}

TEST_F(Product, is_its_sellers_own) {  // PA-63, PA-112
  const Uuid id = draft(offer(2000));
  as(user(ann));
  auto c = offer(100);
  when(c).then_rejected(Code::account_not_found);
  c.seller_id = id_of("nobody");
  as(service()).when(c).then_rejected(Code::account_not_found);
  as(user(ann));
  when(update(id, offer(100))).then_rejected(Code::product_not_found);
  publish(id).then_rejected(Code::product_not_found);
  pause(id).then_rejected(Code::product_not_found);
  remove(id).then_rejected(Code::product_not_found);
  feature(id).then_rejected(Code::product_not_found);
  unfeature(id).then_rejected(Code::product_not_found);
  moderate(id, false).then_rejected(Code::product_not_found);
  as(admin(root)).publish(id).then_accepted();
  as(user(seller)).publish(id_of("none")).then_rejected(Code::product_not_found);
}

TEST_F(Product, shows_to_everybody_while_it_is_for_sale) {  // PA-63, A-PA-27
  const Uuid id = draft(offer(2000));
  const auto shown = [&](const Actor& who) { return shows_to(product(id), who); };
  EXPECT_FALSE(shown(user(ann)));
  EXPECT_TRUE(shown(user(seller)) && shown(service()) && shown(admin(root)));
  publish(id).then_accepted();
  EXPECT_TRUE(shown(user(ann)) && shown(Actor{}));
  as(admin(root)).moderate(id, false).then_accepted();
  EXPECT_FALSE(shown(user(ann)));
  as(admin(root)).moderate(id, true).then_accepted();
  as(user(seller)).pause(id).then_accepted();
  EXPECT_FALSE(shown(user(ann)));
  EXPECT_TRUE(shown(user(seller)));
}

TEST_F(Product, is_moderated_by_admins) {  // A-PA-27
  const Uuid id = on_sale(offer(2000));
  moderate(id, true).then_rejected(Code::admin_only);
  as(admin(root))
      .moderate(id, false)
      .then({ProductModerated{.product_id = id, .is_approved = false, .approval_notes = "Seen.", .moderated_by = root}});
  moderate(id, false).then_nothing();
  EXPECT_EQ(product(id).status, Status::active) << "the seller's word stands beside it";
}

TEST_F(Product, a_banned_seller_is_held_back) {  // PA-13
  const Uuid id = on_sale(offer(2000));
  ban(seller);
  as(user(seller));
  when(offer(2000)).then_rejected(Code::account_banned);
  when(update(id, offer(900))).then_rejected(Code::account_banned);
  pause(id).then_rejected(Code::account_banned);
  feature(id).then_rejected(Code::account_banned);
  remove(id).then_rejected(Code::account_banned);
  publish(id).then_nothing();
  as(admin(root)).pause(id).then_accepted();
  as(user(seller)).publish(id).then_rejected(Code::account_banned);
}

// ---- licences

TEST_F(Product, becomes_exclusive_only_before_its_first_sale) {  // PA-61
  const Uuid id = on_sale(offer(0));
  when(update(id, offer(500, License::exclusive))).then_accepted();
  when(update(id, offer(0))).then_accepted();
  bought(id, ann);
  EXPECT_TRUE(product(id).sold_before);
  as(user(seller)).when(update(id, offer(500, License::exclusive))).then_rejected(Code::license_fixed);
  when(update(id, offer(500, License::commercial))).then_accepted();
}

TEST_F(Product, stays_exclusive_while_somebody_buys_or_has_the_licence) {  // PA-61, M-7
  const Uuid id = on_sale(offer(500, License::exclusive));
  const Uuid purchase = bought(id, ann);
  as(user(seller)).when(update(id, offer(500))).then_rejected(Code::license_reserved);
  when(update(id, offer(900, License::exclusive))).then_accepted();  // A price for others, later.
  pay(purchase);
  EXPECT_EQ(product(id).status, Status::paused);
  as(user(seller)).when(update(id, offer(500))).then_rejected(Code::license_sold);
  publish(id).then_rejected(Code::license_sold);
  refund(purchase);
  EXPECT_EQ(product(id).status, Status::paused);
  as(user(seller)).publish(id).then_accepted();
  when(update(id, offer(500))).then_accepted();
  when(update(id, offer(500, License::exclusive))).then_rejected(Code::license_fixed);
}

}  // namespace
}  // namespace guildhall::testing
