// What was paid, from whom to whom: the seed's transactions (PA-83..91). Both parties read a payment; how it was split reads the
// seller only (A-PA-23), so that stands in a table of its own. A refund is a transaction too (A-PA-21).
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Transactions {
  enum : ColumnNo {
    buyer_id,
    seller_id,
    purpose,
    subject_id,
    related_id,
    amount_total,
    amount_refunded,
    currency,
    processor,
    method,
    external_id,
    status,
    disputed,
    completed_at,
    refunded_at,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct TransactionShares {
  enum : ColumnNo { seller_id, fee, commission, seller, commission_bp, seller_tier };
  static const Table& table();
};
struct Refunds {
  enum : ColumnNo {
    payment_id,
    amount,
    external_id,
    status,
    reason,
    requested_at,
    completed_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
// What of a refund came from whom, for the seller.
struct RefundShares {
  enum : ColumnNo { payment_id, fee, commission, seller };
  static const Table& table();
};

// Of payments that keep books; tutoring's bookings have a table of their own (projectors/bookings.h).
void project_transaction(const RecordHeader& at, const AnyEvent& event, Writes& out);

// A subscription's renewal is the provider's: it has no payment, but a row.
void project_renewal(const RecordHeader& at, const subscription::SubscriptionPaid& e, Writes& out);

}  // namespace guildhall
