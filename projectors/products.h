// What sellers offer as files, and who owns it: products (PA-58..66) and purchases. A featured product says so in its row; how
// many of their slots a seller has taken is the count of these.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

// What a list shows. Reviews add to rating_sum and reviews_count.
struct Products {
  enum : ColumnNo {
    seller_id,
    title,
    slug,
    description,
    product_type,
    source_webinar_id,
    thumbnail_url,
    price,  // Cents, as minimum_price.
    currency,
    is_free,
    allow_name_your_price,
    minimum_price,
    license_type,
    category_id,
    tags,
    genre_tags,
    purchases_count,  // Sales that were made: a refund takes none back.
    rating_sum,
    reviews_count,
    status,
    is_featured,
    featured_at,
    is_approved,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
// The rest of the offer: a table has no room for all of it. Whoever sees the product sees this.
struct ProductDetails {
  enum : ColumnNo {
    preview_images,
    preview_audio_url,
    preview_video_url,
    file_size_bytes,
    file_types,
    bpm,
    musical_key,
    sample_rate,
    bit_depth,
    license_text
  };
  static const Table& table();
};
// What is sold: for its seller, and for who owns the product.
struct ProductFiles {
  enum : ColumnNo { seller_id, file_urls };
  static const Table& table();
};
// What an admin told the seller of a product; most have no row.
struct ProductModerations {
  enum : ColumnNo { approval_notes };
  static const Table& table();
};
// One row for a product and a buyer; status completed is the entitlement. A purchase that is made again begins anew, created_at
// with it.
struct Purchases {
  enum : ColumnNo {
    product_id,
    buyer_id,
    seller_id,
    payment_id,
    title,
    license_type,
    license_text,
    amount,  // Cents.
    currency,
    payment_method,
    status,
    expires_at,
    purchased_at,
    refunded_at,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};

void project(const RecordHeader& at, const product::ProductCreated& e, Writes& out);
void project(const RecordHeader& at, const product::ProductUpdated& e, Writes& out);
void project(const RecordHeader& at, const product::ProductPublished& e, Writes& out);
void project(const RecordHeader& at, const product::ProductPaused& e, Writes& out);
void project(const RecordHeader& at, const product::ProductDeleted& e, Writes& out);
void project(const RecordHeader& at, const product::ProductModerated& e, Writes& out);
void project(const RecordHeader& at, const product::ProductFeatured& e, Writes& out);
void project(const RecordHeader& at, const product::ProductUnfeatured& e, Writes& out);
void project(const RecordHeader& at, const product::ProductFirstSold& e, Writes& out);
void project(const RecordHeader& at, const product::LicenseReserved& e, Writes& out);
void project(const RecordHeader& at, const product::LicenseReleased& e, Writes& out);
void project(const RecordHeader& at, const product::LicenseSold& e, Writes& out);
void project(const RecordHeader& at, const product::LicenseReturned& e, Writes& out);

void project(const RecordHeader& at, const storefront::FeaturedSlotClaimed& e, Writes& out);
void project(const RecordHeader& at, const storefront::FeaturedSlotReleased& e, Writes& out);

void project(const RecordHeader& at, const purchase::PurchaseStarted& e, Writes& out);
void project(const RecordHeader& at, const purchase::ProductPurchased& e, Writes& out);
void project(const RecordHeader& at, const purchase::PurchaseFailed& e, Writes& out);
void project(const RecordHeader& at, const purchase::PurchaseExpired& e, Writes& out);
void project(const RecordHeader& at, const purchase::EntitlementRevoked& e, Writes& out);

}  // namespace guildhall
