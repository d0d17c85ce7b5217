// What sellers do for buyers: services with their packages (PA-67..70) and the orders of them (PA-71..76).
#pragma once

#include "projectors/projection.h"

namespace guildhall {

// Reviews add to rating_sum and reviews_count.
struct Services {
  enum : ColumnNo {
    seller_id,
    title,
    slug,
    description,
    service_type,
    is_mentoring,
    thumbnail_url,
    portfolio_urls,
    buyer_requirements,
    category_id,
    tags,
    genre_tags,
    currency,
    rating_sum,
    reviews_count,
    status,
    is_featured,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct ServicePackages {
  enum : ColumnNo { position, price, delivery_days, revisions, features };  // price: cents.
  static const Table& table();
};
// Orders of a service that were paid, or free; and how they ended, each once. Of those that end before their seller starts them
// only those failed that were paid and that the seller cancelled or let lapse: ordering costs nothing, and whoever does not pay,
// or thinks better of it, says nothing of the seller.
struct ServiceTotals {
  enum : ColumnNo { orders, completed, failed };
  static const Table& table();
};
// What was agreed and how it stands. An order ends once, or twice: completed, then refunded.
struct Orders {
  enum : ColumnNo {
    service_id,
    buyer_id,
    seller_id,
    payment_id,
    service_title,
    package_name,
    package_price,  // Cents.
    currency,
    delivery_days,
    revisions_included,
    features,
    status,
    is_paid,
    revisions_used,
    is_overdue,
    expires_at,  // Of a pending order: to be paid by then; once it is, to be started.
    due_at,
    delivered_at,
    approve_by,
    buyer_approved,
    completed_at,
    hold_until,
    ended_at,
    ended_by,
    is_disputed,
    answer_by,
    decide_by,
    dispute_outcome,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
// What the parties told and sent each other: the latest of each.
struct OrderContents {
  enum : ColumnNo {
    requirements,
    requirement_files,
    delivery_files,
    delivery_notes,
    revision_reason,
    end_reason,
    dispute_reason,
    dispute_answer
  };
  static const Table& table();
};

void project(const RecordHeader& at, const service::ServiceCreated& e, Writes& out);
void project(const RecordHeader& at, const service::ServiceUpdated& e, Writes& out);
void project(const RecordHeader& at, const service::PackageSet& e, Writes& out);
void project(const RecordHeader& at, const service::PackageRemoved& e, Writes& out);
void project(const RecordHeader& at, const service::ServicePublished& e, Writes& out);
void project(const RecordHeader& at, const service::ServicePaused& e, Writes& out);
void project(const RecordHeader& at, const service::ServiceDeleted& e, Writes& out);
void project(const RecordHeader& at, const service::ServiceFeaturedSet& e, Writes& out);

void project(const RecordHeader& at, const order::OrderPlaced& e, Writes& out);
void project(const RecordHeader& at, const order::RequirementsSubmitted& e, Writes& out);
void project(const RecordHeader& at, const order::OrderPaid& e, Writes& out);
void project(const RecordHeader& at, const order::OrderStarted& e, Writes& out);
void project(const RecordHeader& at, const order::OrderDelivered& e, Writes& out);
void project(const RecordHeader& at, const order::RevisionRequested& e, Writes& out);
void project(const RecordHeader& at, const order::OrderOverdue& e, Writes& out);
void project(const RecordHeader& at, const order::OrderCompleted& e, Writes& out);
void project(const RecordHeader& at, const order::OrderCancelled& e, Writes& out);
void project(const RecordHeader& at, const order::OrderRefunded& e, Writes& out);
void project(const RecordHeader& at, const order::OrderDisputed& e, Writes& out);
void project(const RecordHeader& at, const order::OrderDisputeAnswered& e, Writes& out);
void project(const RecordHeader& at, const order::OrderDisputeExtended& e, Writes& out);
void project(const RecordHeader& at, const order::OrderDisputeResolved& e, Writes& out);

}  // namespace guildhall
