#include "projectors/products.h"

#include "projectors/counterparties.h"

namespace guildhall {
namespace {

Write& touch(Write& row, const RecordHeader& at) {
  return row.set(Products::updated_at, at.time).set(Products::last_event_position, position_of(at));
}

Write& change(const RecordHeader& at, const Uuid& product_id, Writes& out) {
  return touch(out.update(Products::table(), {product_id}), at);
}

Write& change_purchase(const RecordHeader& at, const Uuid& purchase_id, const char* status, Writes& out) {
  return out.update(Purchases::table(), {purchase_id})
      .set(Purchases::status, status)
      .set(Purchases::updated_at, at.time)
      .set(Purchases::last_event_position, position_of(at));
}

Value number_or_null(const auto& number) { return number ? Value{std::int64_t{*number}} : Value{}; }

// What ProductCreated and ProductUpdated have in common, in two tables.
void offer(Write& row, const auto& e) {
  row.set(Products::title, storable(e.title))
      .set(Products::description, text_or_null(e.description))
      .set(Products::thumbnail_url, text_or_null(e.thumbnail_url))
      .set(Products::price, e.price_cents)
      .set(Products::is_free, e.is_free)
      .set(Products::allow_name_your_price, e.allow_name_your_price)
      .set(Products::minimum_price, number_or_null(e.minimum_price_cents))
      .set(Products::license_type, ::product::v1::EnumNameLicenseType(e.license_type))
      .set(Products::category_id, id_or_null(e.category_id))
      .set(Products::tags, texts(e.tags))
      .set(Products::genre_tags, texts(e.genre_tags));
}
void set_details(Write& row, const auto& e) {
  row.set(ProductDetails::preview_images, texts(e.preview_images))
      .set(ProductDetails::preview_audio_url, text_or_null(e.preview_audio_url))
      .set(ProductDetails::preview_video_url, text_or_null(e.preview_video_url))
      .set(ProductDetails::file_size_bytes, number_or_null(e.file_size_bytes))
      .set(ProductDetails::file_types, texts(e.file_types))
      .set(ProductDetails::bpm, number_or_null(e.bpm))
      .set(ProductDetails::musical_key, text_or_null(e.musical_key))
      .set(ProductDetails::sample_rate, number_or_null(e.sample_rate))
      .set(ProductDetails::bit_depth, number_or_null(e.bit_depth))
      .set(ProductDetails::license_text, text_or_null(e.license_text));
}

// What PurchaseStarted and ProductPurchased have in common. A free purchase has the latter only, and the row may be left of an
// attempt that was paid back or came to nothing: all of that is written over.
Write& take_offer(const RecordHeader& at, const auto& e, const char* status, Writes& out) {
  acquaint(e.buyer_id, e.seller_id, out);
  return out.upsert(Purchases::table(), {e.purchase_id})
      .set(Purchases::product_id, e.product_id)
      .set(Purchases::buyer_id, e.buyer_id)
      .set(Purchases::seller_id, e.seller_id)
      .set(Purchases::payment_id, id_or_null(e.payment_id))
      .set(Purchases::title, storable(e.title))
      .set(Purchases::license_type, ::product::v1::EnumNameLicenseType(e.license_type))
      .set(Purchases::license_text, text_or_null(e.license_text))
      .set(Purchases::amount, e.amount_cents)
      .set(Purchases::currency, storable(e.currency))
      .set(Purchases::status, status)
      .set(Purchases::refunded_at, {})
      .set(Purchases::updated_at, at.time)
      .set(Purchases::last_event_position, position_of(at));
}

}  // namespace

const Table& Products::table() {
  static const Table table{"products",
                           {{"product_id", ColumnType::uuid}},
                           {{"seller_id", ColumnType::uuid},
                            {"title", ColumnType::text},
                            {"slug", ColumnType::text},
                            {"description", ColumnType::text},
                            {"product_type", ColumnType::text},
                            {"source_webinar_id", ColumnType::uuid},
                            {"thumbnail_url", ColumnType::text},
                            {"price", ColumnType::int8},
                            {"currency", ColumnType::text},
                            {"is_free", ColumnType::boolean},
                            {"allow_name_your_price", ColumnType::boolean},
                            {"minimum_price", ColumnType::int8},
                            {"license_type", ColumnType::text},
                            {"category_id", ColumnType::uuid},
                            {"tags", ColumnType::text_array, std::vector<std::string>{}},
                            {"genre_tags", ColumnType::text_array, std::vector<std::string>{}},
                            {"purchases_count", ColumnType::int4, std::int64_t{0}},
                            {"rating_sum", ColumnType::int8, std::int64_t{0}},
                            {"reviews_count", ColumnType::int8, std::int64_t{0}},
                            {"status", ColumnType::text},
                            {"is_featured", ColumnType::boolean, false},
                            {"featured_at", ColumnType::timestamptz},
                            {"is_approved", ColumnType::boolean, true},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& ProductDetails::table() {
  static const Table table{"product_details",
                           {{"product_id", ColumnType::uuid}},
                           {{"preview_images", ColumnType::text_array, std::vector<std::string>{}},
                            {"preview_audio_url", ColumnType::text},
                            {"preview_video_url", ColumnType::text},
                            {"file_size_bytes", ColumnType::int8},
                            {"file_types", ColumnType::text_array, std::vector<std::string>{}},
                            {"bpm", ColumnType::int4},
                            {"musical_key", ColumnType::text},
                            {"sample_rate", ColumnType::int4},
                            {"bit_depth", ColumnType::int4},
                            {"license_text", ColumnType::text}}};
  return table;
}

const Table& ProductFiles::table() {
  static const Table table{"product_files",
                           {{"product_id", ColumnType::uuid}},
                           {{"seller_id", ColumnType::uuid}, {"file_urls", ColumnType::text_array, std::vector<std::string>{}}}};
  return table;
}

const Table& ProductModerations::table() {
  static const Table table{"product_moderations", {{"product_id", ColumnType::uuid}}, {{"approval_notes", ColumnType::text}}};
  return table;
}

const Table& Purchases::table() {
  static const Table table{"purchases",
                           {{"purchase_id", ColumnType::uuid}},
                           {{"product_id", ColumnType::uuid},
                            {"buyer_id", ColumnType::uuid},
                            {"seller_id", ColumnType::uuid},
                            {"payment_id", ColumnType::uuid},
                            {"title", ColumnType::text},
                            {"license_type", ColumnType::text},
                            {"license_text", ColumnType::text},
                            {"amount", ColumnType::int8},
                            {"currency", ColumnType::text},
                            {"payment_method", ColumnType::text},
                            {"status", ColumnType::text},
                            {"expires_at", ColumnType::timestamptz},
                            {"purchased_at", ColumnType::timestamptz},
                            {"refunded_at", ColumnType::timestamptz},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

void project(const RecordHeader& at, const product::ProductCreated& e, Writes& out) {
  Write& row = touch(out.insert(Products::table(), {e.product_id}), at)
                   .set(Products::seller_id, e.seller_id)
                   .set(Products::slug, storable(e.slug))
                   .set(Products::product_type, ::product::v1::EnumNameProductType(e.product_type))
                   .set(Products::source_webinar_id, id_or_null(e.source_webinar_id))
                   .set(Products::currency, storable(e.currency))
                   .set(Products::status, "draft")
                   .set(Products::created_at, at.time);
  offer(row, e);
  set_details(out.insert(ProductDetails::table(), {e.product_id}), e);
  out.insert(ProductFiles::table(), {e.product_id})
      .set(ProductFiles::seller_id, e.seller_id)
      .set(ProductFiles::file_urls, texts(e.file_urls));
}

void project(const RecordHeader& at, const product::ProductUpdated& e, Writes& out) {
  offer(change(at, e.product_id, out), e);
  set_details(out.update(ProductDetails::table(), {e.product_id}), e);
  out.update(ProductFiles::table(), {e.product_id}).set(ProductFiles::file_urls, texts(e.file_urls));
}

void project(const RecordHeader& at, const product::ProductPublished& e, Writes& out) {
  change(at, e.product_id, out).set(Products::status, "active");
}
void project(const RecordHeader& at, const product::ProductPaused& e, Writes& out) {
  change(at, e.product_id, out).set(Products::status, "paused");
}
void project(const RecordHeader& at, const product::ProductDeleted& e, Writes& out) {
  change(at, e.product_id, out).set(Products::status, "deleted");
}

void project(const RecordHeader& at, const product::ProductModerated& e, Writes& out) {
  change(at, e.product_id, out).set(Products::is_approved, e.is_approved);
  out.upsert(ProductModerations::table(), {e.product_id}).set(ProductModerations::approval_notes, text_or_null(e.approval_notes));
}

void project(const RecordHeader& at, const product::ProductFeatured& e, Writes& out) {
  change(at, e.product_id, out).set(Products::is_featured, true).set(Products::featured_at, at.time);
}
void project(const RecordHeader& at, const product::ProductUnfeatured& e, Writes& out) {
  change(at, e.product_id, out).set(Products::is_featured, false).set(Products::featured_at, {});
}

// What a product remembers of its sales, for decisions: purchases and its status tell clients.
void project(const RecordHeader& at, const product::ProductFirstSold& e, Writes& out) { change(at, e.product_id, out); }
void project(const RecordHeader& at, const product::LicenseReserved& e, Writes& out) { change(at, e.product_id, out); }
void project(const RecordHeader& at, const product::LicenseReleased& e, Writes& out) { change(at, e.product_id, out); }
void project(const RecordHeader& at, const product::LicenseSold& e, Writes& out) { change(at, e.product_id, out); }
void project(const RecordHeader& at, const product::LicenseReturned& e, Writes& out) { change(at, e.product_id, out); }

// The products say which are featured.
void project(const RecordHeader&, const storefront::FeaturedSlotClaimed&, Writes&) {}
void project(const RecordHeader&, const storefront::FeaturedSlotReleased&, Writes&) {}

void project(const RecordHeader& at, const purchase::PurchaseStarted& e, Writes& out) {
  take_offer(at, e, "pending", out)
      .set(Purchases::payment_method, ::ledger::v1::EnumNameMethod(e.payment_method))
      .set(Purchases::expires_at, e.expires_at)
      .set(Purchases::purchased_at, {})
      .set(Purchases::created_at, at.time);
}

void project(const RecordHeader& at, const purchase::ProductPurchased& e, Writes& out) {
  Write& row = take_offer(at, e, "completed", out).set(Purchases::purchased_at, at.time);
  if (is_nil(e.payment_id))
    row.set(Purchases::payment_method, {}).set(Purchases::expires_at, {}).set(Purchases::created_at, at.time);
  change(at, e.product_id, out).add(Products::purchases_count, 1);
}

void project(const RecordHeader& at, const purchase::PurchaseFailed& e, Writes& out) {
  change_purchase(at, e.purchase_id, "failed", out);
}
void project(const RecordHeader& at, const purchase::PurchaseExpired& e, Writes& out) {
  change_purchase(at, e.purchase_id, "expired", out);
}
void project(const RecordHeader& at, const purchase::EntitlementRevoked& e, Writes& out) {
  change_purchase(at, e.purchase_id, "refunded", out).set(Purchases::refunded_at, at.time);
}

}  // namespace guildhall
