// Products, purchases, services and orders as clients of producers_avenue read them (PA-58..76): the seed's columns, what is for
// whom, and what counters say.
#include <gtest/gtest.h>

#include <map>
#include <pqxx/pqxx>

#include "infra/memory_row_store.h"
#include "projectors/producers_avenue.h"
#include "tests/projectors/rows_as_read.h"

namespace guildhall {
namespace {

using ::order::v1::By;
using OrderStatus = ::order::v1::Status;
using ::product::v1::LicenseType;

const Uuid ana = test_id(1001), bo = test_id(1002), cy = test_id(1003);  // The seller, the buyer, somebody else.
const Uuid beat = test_id(2001), kit = test_id(2002), stems = test_id(2003), loops = test_id(2004), sketch = test_id(2005);
const Uuid mixing = test_id(3001), coaching = test_id(3002);
const Uuid approved = test_id(4001), declined = test_id(4002), returned = test_id(4003), under_way = test_id(4004);

Uuid purchase_of(const Uuid& product) { return test_id((product.lo() & 0xffff) | 0x10000); }
Uuid payment_of(const Uuid& subject) { return test_id((subject.lo() & 0xfffff) | 0x100000); }

// One event on the stream of its product, purchase, service or order.
class Shop {
 public:
  explicit Shop(WrittenLog& log) : log_(log) {}

  void join(const Uuid& who, std::string name) {
    account::AccountRegistered e;
    e.account_id = who;
    e.display_name = std::move(name);
    e.role = ::account::v1::Role::member;
    e.timezone = "UTC";
    log_.append(0, {{{StreamKind::account, who}, e}});
  }
  template <class E>
  void on_product(const Uuid& id, E e) {
    e.product_id = id;
    log_.append(0, {{{StreamKind::product, id}, e}});
  }
  template <class E>
  void on_purchase(const Uuid& product, E e) {
    e.product_id = product;
    e.purchase_id = purchase_of(product);
    log_.append(0, {{{StreamKind::purchase, e.purchase_id}, e}});
  }
  template <class E>
  void on_service(const Uuid& id, E e) {
    e.service_id = id;
    log_.append(0, {{{StreamKind::service, id}, e}});
  }
  template <class E>
  void on_order(const Uuid& id, E e) {
    e.order_id = id;
    log_.append(0, {{{StreamKind::order, id}, e}});
  }

  void offer(const Uuid& id, std::string title, std::int64_t price_cents) {
    product::ProductCreated e;
    e.seller_id = ana;
    e.slug = "slug-" + title;
    e.title = std::move(title);
    e.file_urls = {"https://cdn.example.com/" + e.title + ".zip"};
    e.price_cents = price_cents;
    e.currency = "USD";
    e.is_free = price_cents == 0;
    on_product(id, e);
  }
  void start_purchase(const Uuid& product, std::int64_t amount_cents) {
    purchase::PurchaseStarted e;
    e.buyer_id = bo;
    e.seller_id = ana;
    e.payment_id = payment_of(product);
    e.title = "As it was";
    e.amount_cents = amount_cents;
    e.currency = "USD";
    e.payment_method = ::ledger::v1::Method::card;
    e.expires_at = log_.now + 15 * minute_us;
    on_purchase(product, e);
  }
  void complete_purchase(const Uuid& product, std::int64_t amount_cents) {
    purchase::ProductPurchased e;
    e.buyer_id = bo;
    e.seller_id = ana;
    if (amount_cents > 0) e.payment_id = payment_of(product);
    e.title = "As it was";
    e.amount_cents = amount_cents;
    e.currency = "USD";
    on_purchase(product, e);
  }
  void order(const Uuid& id, std::int64_t price_cents = 5'000) {
    order::OrderPlaced e;
    e.service_id = mixing;
    e.service_title = "Mixing";
    e.buyer_id = bo;
    e.seller_id = ana;
    e.package_name = "Basic";
    e.price_cents = price_cents;
    e.currency = "USD";
    e.delivery_days = 3;
    e.revisions_included = 1;
    e.features = {"Stems"};
    e.payment_id = payment_of(id);
    e.pay_by = log_.now + 15 * minute_us;
    on_order(id, e);
  }
  void review(::review::v1::TargetType type, const Uuid& target, const Uuid& reviewer, std::int32_t rating) {
    review::ReviewSubmitted e;
    e.review_id = test_id(static_cast<std::uint64_t>(log_.now));
    e.target_type = type;
    e.target_id = target;
    e.seller_id = ana;
    e.reviewer_id = reviewer;
    e.rating = rating;
    log_.append(0, {{{StreamKind::review, e.review_id}, e}});
  }

 private:
  WrittenLog& log_;
};

// A beat that Bo owns; a free kit that he took before it was deleted; stems that were sold to him exclusively; loops that he
// bought and gave back; a draft.
void write_products(Shop& shop) {
  product::ProductCreated e;
  e.seller_id = ana;
  e.slug = "night-drive-abcdefghij";
  e.title = "Night Drive";
  e.description = "A rolling beat";
  e.preview_images = {"https://cdn.example.com/1.png", "https://cdn.example.com/2.png"};
  e.preview_audio_url = "https://cdn.example.com/preview.mp3";
  e.file_urls = {"https://cdn.example.com/beat.wav"};
  e.file_size_bytes = 9'007'199'254'740'991;
  e.file_types = {"wav"};
  e.price_cents = 1'999;
  e.currency = "USD";
  e.allow_name_your_price = true;
  e.minimum_price_cents = 500;
  e.bpm = 140;
  e.musical_key = "F# minor";
  e.license_type = LicenseType::commercial;
  e.category_id = test_id(9001);
  e.tags = {"beat", "a, b"};
  shop.on_product(beat, e);
  shop.on_product(beat, product::ProductPublished{});
  shop.on_product(beat, product::ProductFeatured{});
  shop.start_purchase(beat, 2'500);
  shop.complete_purchase(beat, 2'500);
  shop.on_product(beat, product::ProductFirstSold{});
  shop.review(::review::v1::TargetType::product, beat, bo, 5);
  shop.review(::review::v1::TargetType::product, beat, cy, 4);
  shop.review(::review::v1::TargetType::product, beat, test_id(1004), 4);

  shop.offer(kit, "Drum kit", 0);
  shop.on_product(kit, product::ProductPublished{});
  shop.complete_purchase(kit, 0);
  shop.on_product(kit, product::ProductModerated{.is_approved = false, .approval_notes = "Whose samples are these?"});
  shop.on_product(kit, product::ProductDeleted{});

  shop.offer(stems, "Stems", 30'000);
  shop.on_product(stems, product::ProductPublished{});
  shop.start_purchase(stems, 30'000);
  shop.on_product(stems, product::LicenseReserved{.purchase_id = purchase_of(stems)});
  shop.complete_purchase(stems, 30'000);
  shop.on_product(stems, product::LicenseSold{.purchase_id = purchase_of(stems), .buyer_id = bo});
  shop.on_product(stems, product::ProductPaused{});

  shop.offer(loops, "Loops", 1'000);
  shop.on_product(loops, product::ProductPublished{});
  shop.on_product(loops, product::ProductFeatured{});
  shop.start_purchase(loops, 1'000);
  shop.complete_purchase(loops, 1'000);
  shop.on_purchase(loops, purchase::EntitlementRevoked{.buyer_id = bo});
  shop.on_product(loops, product::ProductUnfeatured{});
  shop.on_product(loops, product::ProductPaused{});

  shop.offer(sketch, "Sketch", 100);
}

// Mixing in two packages, with four orders: approved, cancelled, refunded after it was done, and disputed. Coaching is a draft.
void write_services(Shop& shop) {
  service::ServiceCreated e;
  e.seller_id = ana;
  e.slug = "mixing-abcdefghij";
  e.title = "Mixing";
  e.description = "Your song, louder";
  e.service_type = ::service::v1::ServiceType::mixing;
  e.portfolio_urls = {"https://example.com/a"};
  e.buyer_requirements = "Your stems";
  e.tags = {"mix"};
  e.currency = "USD";
  shop.on_service(mixing, e);
  e.title = "Coaching";
  e.slug = "coaching-abcdefghij";
  e.service_type = ::service::v1::ServiceType::consultation;
  e.is_mentoring = true;
  shop.on_service(coaching, e);
  const auto package = [&](const char* name, std::int32_t position, std::int64_t price_cents) {
    service::PackageSet set;
    set.name = name;
    set.position = position;
    set.price_cents = price_cents;
    set.delivery_days = 3;
    set.revisions = 1;
    set.features = {"Stems"};
    shop.on_service(mixing, set);
  };
  package("Deluxe", 1, 20'000);
  package("Trial", 2, 0);
  package("Basic", 3, 4'000);
  package("Basic", 3, 5'000);
  shop.on_service(mixing, service::PackageRemoved{.name = "Trial"});
  shop.on_service(mixing, service::ServicePublished{});
  shop.on_service(mixing, service::ServiceFeaturedSet{.is_featured = true});

  shop.order(approved);
  shop.on_order(approved, order::RequirementsSubmitted{.requirements = "Warm", .requirement_files = {"https://example.com/r"}});
  shop.on_order(approved, order::OrderPaid{.start_by = 1});
  shop.on_order(approved, order::OrderStarted{.due_at = 1});
  shop.on_order(approved, order::OrderOverdue{});
  shop.on_order(approved, order::OrderDelivered{.delivery_notes = "First", .approve_by = 1});
  shop.on_order(approved, order::RevisionRequested{.reason = "Warmer", .revisions_used = 1, .due_at = 1});
  shop.on_order(approved,
                order::OrderDelivered{.delivery_files = {"https://example.com/d"}, .delivery_notes = "Second", .approve_by = 1});
  shop.on_order(approved, order::OrderCompleted{.completed_by = By::buyer, .hold_until = 1});
  shop.order(declined);
  shop.on_order(declined, order::OrderPaid{.start_by = 1});
  shop.on_order(declined, order::OrderCancelled{.cancelled_by = By::seller, .reason = "No time", .price_paid = true});
  shop.order(returned);
  shop.on_order(returned, order::OrderPaid{.start_by = 1});
  shop.on_order(returned, order::OrderStarted{.due_at = 1});
  shop.on_order(returned, order::OrderDelivered{.delivery_notes = "Done", .approve_by = 1});
  shop.on_order(returned, order::OrderCompleted{.completed_by = By::system, .hold_until = 1});
  shop.on_order(returned,
                order::OrderRefunded{.refunded_by = By::seller, .reason = "Sorry", .status_before = OrderStatus::completed});
  shop.order(under_way);
  shop.on_order(under_way, order::OrderPaid{.start_by = 1});
  shop.on_order(under_way, order::OrderStarted{.due_at = 1'900'000'000'000'000});
  order::OrderDisputed disputed;
  disputed.reason = "Nothing comes";
  disputed.answer_by = disputed.decide_by = 1'900'000'000'000'000;
  shop.on_order(under_way, disputed);
  shop.on_order(under_way, order::OrderDisputeAnswered{.answer = "It does"});
  shop.review(::review::v1::TargetType::service, mixing, bo, 3);
}

class ShopRows : public RowsAsRead {
 protected:
  ShopRows() : RowsAsRead(producers_avenue_projection(), producers_avenue_sql()) {
    shop_.join(ana, "Ana");
    shop_.join(bo, "Bo");
    shop_.join(cy, "Cy");
    write_products(shop_);
    write_services(shop_);
    project();
  }

  static std::string where(const Uuid& id) { return " WHERE id = '" + to_string(id) + "'"; }

  Shop shop_{written_};
};

TEST_F(ShopRows, what_is_on_sale_is_for_anyone_the_rest_for_its_seller_and_owners) {  // PA-63, A-PA-24, A-PA-26
  const std::string query = "SELECT title FROM producers_avenue.products ORDER BY title";
  EXPECT_EQ(as_anyone(query), Lines{"Night Drive"});
  EXPECT_EQ(as(cy, query), Lines{"Night Drive"});
  EXPECT_EQ(as(bo, query), (Lines{"Drum kit", "Night Drive", "Stems"}));  // Not the loops that went back.
  const Lines all{"Drum kit", "Loops", "Night Drive", "Sketch", "Stems"};
  EXPECT_EQ(as(ana, query), all);
  EXPECT_EQ(as_service(query), all);
}

TEST_F(ShopRows, files_are_for_the_seller_and_owners_and_notes_for_the_seller) {  // PA-58, A-PA-24, A-PA-27
  const std::string query = "SELECT file_urls, approval_notes FROM producers_avenue.products";
  EXPECT_EQ(as_anyone(query + where(beat)), Lines{"- -"});
  EXPECT_EQ(as(cy, query + where(beat)), Lines{"- -"});
  EXPECT_EQ(as(bo, query + where(beat)), Lines{"{https://cdn.example.com/beat.wav} -"});
  EXPECT_EQ(as(bo, query + where(kit)), Lines{"{\"https://cdn.example.com/Drum kit.zip\"} -"});
  EXPECT_EQ(as(ana, query + where(kit)), Lines{"{\"https://cdn.example.com/Drum kit.zip\"} Whose samples are these?"});
  EXPECT_EQ(as(bo, "SELECT count(*) FROM producers_avenue_rm.product_files"), Lines{"3"});
  EXPECT_EQ(as(cy, "SELECT count(*) FROM producers_avenue_rm.product_files"), Lines{"0"});
}

TEST_F(ShopRows, a_product_in_the_seeds_words) {  // PA-58, PA-64, PA-66, X-14
  EXPECT_EQ(
      as(cy,
         "SELECT slug, description, product_type, preview_audio_url, preview_video_url, file_size_bytes, file_types, price, "
         "is_free, allow_name_your_price, minimum_price, technical_details, license_type, tags, views_count, likes_count, "
         "purchases_count, rating_average, reviews_count, status, is_featured, featured_at IS NOT NULL, is_approved "
         "FROM producers_avenue.products" +
             where(beat)),
      Lines{"night-drive-abcdefghij A rolling beat regular https://cdn.example.com/preview.mp3 - 9007199254740991 {wav} "
            "19.99 f t 5.00 {\"bpm\": 140, \"key\": \"F# minor\"} commercial {beat,\"a, b\"} 0 0 1 4.33 3 active t t t"});
  EXPECT_EQ(
      as(ana,
         "SELECT price, is_free, technical_details, rating_average, reviews_count, status, is_featured, featured_at IS NOT "
         "NULL, is_approved FROM producers_avenue.products WHERE seller_id = auth.uid() AND slug LIKE 'slug%' ORDER BY title"),
      (Lines{"0.00 t - 0.00 0 deleted f f f", "10.00 f - 0.00 0 paused f f t", "1.00 f - 0.00 0 draft f f t",
             "300.00 f - 0.00 0 paused f f t"}));
}

TEST_F(ShopRows, an_update_replaces_the_offer_and_a_refund_takes_no_sale_back) {  // PA-66
  shop_.on_product(beat,
                   product::ProductUpdated{.title = "Day Drive", .file_urls = {"https://example.com/2"}, .price_cents = 700});
  project();
  EXPECT_EQ(as(bo,
               "SELECT title, slug, description, preview_images, file_urls, file_size_bytes, price, minimum_price, "
               "technical_details, tags, status, purchases_count FROM producers_avenue.products" +
                   where(beat)),
            Lines{"Day Drive night-drive-abcdefghij - {} {https://example.com/2} - 7.00 - - {} active 1"});
  EXPECT_EQ(as(ana, "SELECT purchases_count FROM producers_avenue.products" + where(loops)), Lines{"1"});
}

TEST_F(ShopRows, words_of_titles_and_descriptions_find_offers) {  // PA-63
  const auto found = [&](const std::string& view, const std::string& words) {
    return as_anyone("SELECT title FROM producers_avenue." + view + " WHERE search @@ websearch_to_tsquery('english', '" +
                     words + "')");
  };
  EXPECT_EQ(found("products", "driving beats"), Lines{"Night Drive"});
  EXPECT_EQ(found("products", "drums"), Lines{});
  EXPECT_EQ(found("services", "mix loud"), Lines{});
  EXPECT_EQ(found("services", "songs mixing"), Lines{"Mixing"});
}

TEST_F(ShopRows, purchases_are_for_both_parties_with_both_names) {  // A-PA-24
  const std::string query =
      "SELECT title, price, payment_method, status, is_owned, purchased_at IS NOT NULL, refunded_at IS NOT NULL, expires_at, "
      "buyer_name, seller_name FROM producers_avenue.purchases ORDER BY product_id";
  const Lines all{"As it was 25.00 card completed t t f - Bo Ana", "As it was 0.00 - completed t t f - Bo Ana",
                  "As it was 300.00 card completed t t f - Bo Ana", "As it was 10.00 card refunded f t t - Bo Ana"};
  EXPECT_EQ(as(bo, query), all);
  EXPECT_EQ(as(ana, query), all);
  EXPECT_EQ(as_service(query), all);
  EXPECT_EQ(as(cy, query), Lines{});
  EXPECT_EQ(as_anyone(query), Lines{});
  EXPECT_EQ(as(bo, "SELECT display_name FROM producers_avenue_rm.people ORDER BY 1"), (Lines{"Ana", "Bo"}));
  EXPECT_EQ(as(cy, "SELECT display_name FROM producers_avenue_rm.people"), Lines{"Cy"});
  EXPECT_EQ(as_anyone("SELECT display_name FROM producers_avenue_rm.people"), Lines{});
}

TEST_F(ShopRows, a_purchase_that_is_made_again_begins_anew) {
  const std::string query =
      "SELECT status, price, payment_method, transaction_id IS NOT NULL, expires_at IS NOT NULL, purchased_at IS NOT NULL, "
      "refunded_at IS NOT NULL FROM producers_avenue.purchases" +
      where(purchase_of(loops));
  const std::string count = "SELECT purchases_count FROM producers_avenue.products" + where(loops);
  shop_.start_purchase(loops, 1'200);
  project();
  EXPECT_EQ(as(bo, query), Lines{"pending 12.00 card t t f f"});
  EXPECT_EQ(as(bo, count), Lines{});
  shop_.on_purchase(loops, purchase::PurchaseFailed{.reason = "card_declined"});
  project();
  EXPECT_EQ(as(bo, query), Lines{"failed 12.00 card t f f f"});
  shop_.start_purchase(loops, 1'200);
  shop_.on_purchase(loops, purchase::PurchaseExpired{});
  project();
  EXPECT_EQ(as(bo, query), Lines{"expired 12.00 card t f f f"});
  shop_.complete_purchase(loops, 0);
  project();
  EXPECT_EQ(as(bo, query), Lines{"completed 0.00 - f f t f"});
  EXPECT_EQ(as(bo, count), Lines{"2"});
}

TEST_F(ShopRows, a_service_in_the_seeds_words) {  // PA-67, PA-69, PA-70, X-14
  const std::string query =
      "SELECT title, service_type, is_mentoring, portfolio_urls, buyer_requirements, views_count, orders_count, rating_average, "
      "reviews_count, response_time_hours, completion_rate, status, is_featured FROM producers_avenue.services ORDER BY title";
  // Two completed, one of them refunded, and one cancelled by its seller: one of three.
  const std::string mix = "Mixing mixing f {https://example.com/a} Your stems 0 4 3.00 1 - 33.33 active t";
  for (const Lines& lines : {as_anyone(query), as(cy, query), as(bo, query)}) EXPECT_EQ(lines, Lines{mix});
  EXPECT_EQ(as(ana, query), (Lines{"Coaching consultation t {https://example.com/a} Your stems 0 0 0.00 0 - - draft f", mix}));
  EXPECT_EQ(as_service("SELECT count(*) FROM producers_avenue.services"), Lines{"2"});
  const std::string packages = "SELECT packages FROM producers_avenue.services WHERE title = ";
  EXPECT_EQ(as_anyone(packages + "'Mixing'"),
            Lines{R"([{"name": "Deluxe", "price": 200.00, "features": ["Stems"], "revisions": 1, "delivery_days": 3}, )"
                  R"({"name": "Basic", "price": 50.00, "features": ["Stems"], "revisions": 1, "delivery_days": 3}])"});
  EXPECT_EQ(as(ana, packages + "'Coaching'"), Lines{"[]"});
}

// Who orders and does not pay, or thinks better of it, must not lower a competitor's rate.
TEST_F(ShopRows, completion_is_of_orders_that_their_seller_had_to_do) {  // PA-67, PA-110
  const struct {
    const char* what;
    bool paid;
    std::optional<order::OrderCancelled> cancelled;
    std::optional<order::OrderRefunded> refunded;
    bool ordered, failed;
  } rows[] = {
      {"never paid", false, order::OrderCancelled{.cancelled_by = By::system}, {}, false, false},
      {"cancelled unpaid by its seller", false, order::OrderCancelled{.cancelled_by = By::seller}, {}, false, false},
      {"cancelled by its buyer before the start", true, order::OrderCancelled{.cancelled_by = By::buyer, .price_paid = true}, {},
       true, false},
      {"cancelled by an admin before the start", true, order::OrderCancelled{.cancelled_by = By::admin, .price_paid = true}, {},
       true, false},
      {"charged back before the start", true, {}, order::OrderRefunded{.refunded_by = By::system}, true, false},
      {"free and not started", true, order::OrderCancelled{.cancelled_by = By::system}, {}, true, false},
      {"free and declined", true, order::OrderCancelled{.cancelled_by = By::seller}, {}, true, false},
      {"paid and not started", true, order::OrderCancelled{.cancelled_by = By::system, .price_paid = true}, {}, true, true},
      {"paid and declined", true, order::OrderCancelled{.cancelled_by = By::seller, .price_paid = true}, {}, true, true},
      {"overdue and cancelled by its buyer", true,
       order::OrderCancelled{.cancelled_by = By::buyer, .status_before = OrderStatus::in_progress, .price_paid = true}, {}, true,
       true},
      {"a complaint that its buyer won", true, {},
       order::OrderRefunded{.refunded_by = By::admin, .status_before = OrderStatus::delivered}, true, true},
  };
  const std::string query = "SELECT orders, completed, failed FROM producers_avenue_rm.service_totals WHERE service_id = '" +
                            to_string(mixing) + "'";
  int orders = 4, failed = 2;
  ASSERT_EQ(as_service(query), Lines{"4 1 2"});
  std::uint64_t number = 6'000;
  for (const auto& row : rows) {
    const Uuid id = test_id(++number);
    shop_.order(id);
    if (row.paid) shop_.on_order(id, order::OrderPaid{.start_by = 1});
    if (row.cancelled) shop_.on_order(id, *row.cancelled);
    if (row.refunded) shop_.on_order(id, *row.refunded);
    project();
    orders += row.ordered ? 1 : 0;
    failed += row.failed ? 1 : 0;
    EXPECT_EQ(as_service(query), Lines{std::to_string(orders) + " 1 " + std::to_string(failed)}) << row.what;
  }
  EXPECT_EQ(as_anyone("SELECT orders_count, completion_rate FROM producers_avenue.services WHERE title = 'Mixing'"),
            Lines{std::to_string(orders) + " 14.29"});
}

TEST_F(ShopRows, a_recording_is_for_who_owns_its_product) {  // PA-62, A-PA-24
  const Uuid take = test_id(7'001), webinar = test_id(7'002);
  product::ProductCreated e;
  e.seller_id = ana;
  e.title = "Mixing, recorded";
  e.slug = "mixing-recorded";
  e.product_type = ::product::v1::ProductType::recorded_webinar;
  e.source_webinar_id = webinar;
  e.file_urls = {"https://cdn.example.com/r.mp4"};
  e.price_cents = 1'000;
  e.currency = "USD";
  shop_.on_product(take, e);
  project();
  const std::string query =
      "SELECT product_type, source_webinar_id, status, file_urls FROM producers_avenue.products" + where(take);
  EXPECT_EQ(as(bo, query), Lines{}) << "a draft";
  shop_.on_product(take, product::ProductPublished{});
  shop_.complete_purchase(take, 1'000);
  project();
  const std::string row = "recorded_webinar " + to_string(webinar) + " active ";
  for (const Lines& lines : {as_anyone(query), as(cy, query)}) EXPECT_EQ(lines, Lines{row + "-"});
  for (const Uuid& who : {ana, bo}) EXPECT_EQ(as(who, query), Lines{row + "{https://cdn.example.com/r.mp4}"});
}

TEST_F(ShopRows, a_paused_or_deleted_service_is_its_sellers) {  // PA-70
  const std::string query = "SELECT status, jsonb_array_length(packages) FROM producers_avenue.services" + where(mixing);
  shop_.on_service(mixing, service::ServicePaused{});
  shop_.on_service(mixing, service::ServiceUpdated{.title = "Mastering", .service_type = ::service::v1::ServiceType::mastering});
  project();
  EXPECT_EQ(as(ana, query), Lines{"paused 2"});
  for (const Lines& lines : {as_anyone(query), as(bo, query)}) EXPECT_EQ(lines, Lines{});
  for (const std::string table : {"service_packages", "service_totals"})
    EXPECT_EQ(as(bo, "SELECT count(*) FROM producers_avenue_rm." + table), Lines{"0"}) << table;
  // PA-74: the order is of what was offered then.
  EXPECT_EQ(as(bo, "SELECT service_title FROM producers_avenue.orders" + where(approved)), Lines{"Mixing"});
  shop_.on_service(mixing, service::ServiceDeleted{});
  project();
  EXPECT_EQ(as(ana, query), Lines{"deleted 2"});
}

TEST_F(ShopRows, orders_are_for_both_parties_with_both_names) {  // PA-71, PA-72, PA-74, PA-76
  const std::string query =
      "SELECT package_name, package_price, delivery_days, revisions_included, requirements, requirement_files, delivery_files, "
      "delivery_notes, delivered_at IS NOT NULL, status, revisions_used, buyer_approved, completed_at IS NOT NULL, cancelled_at "
      "IS NOT NULL, cancellation_reason, refunded_at IS NOT NULL, refund_reason, ended_by, is_paid, is_overdue, is_disputed, "
      "buyer_name, seller_name FROM producers_avenue.orders ORDER BY id";
  const Lines all{
      "Basic 50.00 3 1 Warm {https://example.com/r} {https://example.com/d} Second t completed 1 t t f - f - buyer t f f Bo Ana",
      "Basic 50.00 3 1 - {} {} - f cancelled 0 f f t No time f - seller t f f Bo Ana",
      "Basic 50.00 3 1 - {} {} Done t refunded 0 f t f - t Sorry seller t f f Bo Ana",
      "Basic 50.00 3 1 - {} {} - f in_progress 0 f f f - f - - t f t Bo Ana"};
  EXPECT_EQ(as(bo, query), all);
  EXPECT_EQ(as(ana, query), all);
  EXPECT_EQ(as_service(query), all);
  EXPECT_EQ(as(cy, query), Lines{});
  EXPECT_EQ(as_anyone(query), Lines{});
  EXPECT_EQ(as(cy, "SELECT count(*) FROM producers_avenue_rm.order_contents"), Lines{"0"});
  EXPECT_EQ(as(bo, "SELECT count(*) FROM producers_avenue_rm.order_contents"), Lines{"4"});
}

TEST_F(ShopRows, deadlines_are_those_that_run) {  // PA-75, A-PA-18, A-PA-56
  const std::string query =
      "SELECT status, expires_at IS NOT NULL, due_at IS NOT NULL, approve_by IS NOT NULL, hold_until IS NOT NULL, answer_by IS "
      "NOT "
      "NULL, decide_by IS NOT NULL FROM producers_avenue.orders ";
  EXPECT_EQ(as(bo, query + "ORDER BY id"),
            (Lines{"completed f f f t f f", "cancelled f f f f f f", "refunded f f f f f f", "in_progress f t f f t t"}));
  const Uuid fresh = test_id(4005);
  shop_.order(fresh);
  shop_.on_order(under_way, order::OrderOverdue{});
  project();
  EXPECT_EQ(as(bo, query + where(fresh)), Lines{"pending t f f f f f"});
  EXPECT_EQ(as(bo, "SELECT is_overdue FROM producers_avenue.orders" + where(under_way)), Lines{"t"});
  shop_.on_order(under_way, order::OrderDelivered{.delivery_notes = "Here", .approve_by = 1});
  project();
  EXPECT_EQ(as(bo, query + where(under_way)), Lines{"delivered f f f f t t"});
  order::OrderDisputeResolved resolved;
  resolved.outcome = ::order::v1::DisputeOutcome::seller;
  resolved.approve_by = 2;
  shop_.on_order(under_way, resolved);
  project();
  EXPECT_EQ(as(bo, query + where(under_way)), Lines{"delivered f f t f f f"});
}

TEST_F(ShopRows, a_complaint_and_the_one_after_it) {  // A-PA-18
  const std::string query =
      "SELECT is_disputed, dispute_reason, dispute_answer, dispute_outcome, is_overdue FROM producers_avenue.orders" +
      where(under_way);
  EXPECT_EQ(as(ana, query), Lines{"t Nothing comes It does - f"});
  order::OrderDisputeResolved resolved;
  resolved.outcome = ::order::v1::DisputeOutcome::seller;
  shop_.on_order(under_way, resolved);
  project();
  EXPECT_EQ(as(ana, query), Lines{"f Nothing comes It does seller f"});
  order::OrderDisputed again;
  again.reason = "Still nothing";
  shop_.on_order(under_way, again);
  shop_.on_order(under_way, order::OrderDisputeExtended{.answer_by = 3, .decide_by = 4});
  project();
  EXPECT_EQ(as(ana, query), Lines{"t Still nothing - - f"});
  EXPECT_EQ(as(ana, "SELECT extract(epoch FROM decide_by - answer_by) * 1000000 FROM producers_avenue.orders" + where(under_way)),
            Lines{"1.000000"});
}

TEST_F(ShopRows, nobody_writes) {  // PA-112
  EXPECT_THROW(as(ana, "UPDATE producers_avenue_rm.products SET price = 0"), pqxx::insufficient_privilege);
  EXPECT_THROW(as(bo, "DELETE FROM producers_avenue_rm.purchases"), pqxx::insufficient_privilege);
  EXPECT_THROW(as_service("UPDATE producers_avenue_rm.orders SET status = 'completed'"), pqxx::insufficient_privilege);
}

// The seed's tables: every column, in its order, with its type; ours come after.
TEST_F(ShopRows, columns_and_indexes_are_the_seeds) {  // PA-58, PA-63, PA-67, PA-70, PA-71, PA-76
  const std::map<std::string, std::string> seed{
      {"products",
       "id uuid, seller_id uuid, title text, slug text, description text, product_type text, source_webinar_id uuid, "
       "thumbnail_url text, preview_images text[], preview_audio_url text, preview_video_url text, file_urls text[], "
       "file_size_bytes bigint, file_types text[], price numeric(10,2), is_free boolean, allow_name_your_price boolean, "
       "minimum_price numeric(10,2), technical_details jsonb, license_type text, license_text text, category_id uuid, "
       "tags text[], genre_tags text[], views_count integer, likes_count integer, purchases_count integer, "
       "rating_average numeric(3,2), reviews_count integer, status text, is_featured boolean, "
       "featured_at timestamp with time zone, is_approved boolean, approval_notes text, created_at timestamp with time zone, "
       "updated_at timestamp with time zone, last_event_position bigint, currency text, search tsvector"},
      {"services",
       "id uuid, seller_id uuid, title text, slug text, description text, service_type text, is_mentoring boolean, "
       "thumbnail_url text, portfolio_urls text[], packages jsonb, buyer_requirements text, category_id uuid, tags text[], "
       "genre_tags text[], views_count integer, orders_count integer, rating_average numeric(3,2), reviews_count integer, "
       "response_time_hours integer, completion_rate numeric(5,2), status text, is_featured boolean, "
       "created_at timestamp with time zone, updated_at timestamp with time zone, last_event_position bigint, currency text, "
       "search tsvector"},
      {"orders",
       "id uuid, service_id uuid, buyer_id uuid, seller_id uuid, package_name text, package_price numeric(10,2), "
       "delivery_days integer, revisions_included integer, requirements text, requirement_files text[], delivery_files text[], "
       "delivery_notes text, delivered_at timestamp with time zone, status text, revisions_used integer, buyer_approved boolean, "
       "completed_at timestamp with time zone, cancelled_at timestamp with time zone, cancellation_reason text, "
       "created_at timestamp with time zone, updated_at timestamp with time zone, last_event_position bigint, "
       "is_disputed boolean"},
  };
  for (const auto& [view, columns] : seed) {
    const auto actual =
        as_service(
            "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute "
            "WHERE attrelid = 'producers_avenue." +
            view + "'::regclass AND attnum > 0")
            .front();
    EXPECT_EQ(actual.substr(0, columns.size()), columns) << view;
  }
  const auto names = [](const std::string& table, const Lines& columns) {
    std::string out;
    for (const std::string& column : columns) out += (out.empty() ? "'idx_" : ", 'idx_") + table + "_" + column + "'";
    return out;
  };
  const std::string indexes =
      names("products", {"seller_id", "slug", "status", "is_featured", "tags", "genre_tags", "created_at", "search"}) + ", " +
      names("services", {"seller_id", "slug", "status", "is_featured", "is_mentoring", "tags", "genre_tags", "created_at"}) +
      ", " + names("orders", {"service_id", "buyer_id", "seller_id", "status", "created_at"});
  EXPECT_EQ(
      as_service("SELECT count(*) FROM pg_indexes WHERE schemaname = 'producers_avenue_rm' AND indexname IN (" + indexes + ")"),
      Lines{"21"});
}

TEST_F(ShopRows, the_twin_has_the_same_rows) {
  for (const std::size_t records : {1u, 1'000u}) {
    MemoryRowStore twin(producers_avenue_projection().tables);
    twin.prepare(written_.log.identity());
    project_into(twin, written_.log, records, producers_avenue_projection());
    EXPECT_EQ(all_rows(rows_), all_rows(twin)) << records;
  }
}

}  // namespace
}  // namespace guildhall
