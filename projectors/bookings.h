// Who booked what, and what became of the money: bookings with their payments (TU-29..37), counterparts and totals.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Bookings {
  enum : ColumnNo {
    learner_id,
    expert_id,
    session_id,
    slot_id,
    payment_id,
    start_at,
    end_at,
    status,
    currency,
    learner_notes,
    expert_notes,
    cancelled_by,
    cancellation_reason,
    cancelled_at,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct Payments {
  enum : ColumnNo {
    booking_id,
    payer_id,
    payee_id,
    status,
    amount_cents,
    authorized,
    amount_captured,
    amount_refunded,
    currency,
    external_id,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};

void project(const RecordHeader& at, const booking::BookingCreated& e, Writes& out);
void project(const RecordHeader& at, const booking::BookingSecured& e, Writes& out);
void project(const RecordHeader& at, const booking::BookingConfirmed& e, Writes& out);
void project(const RecordHeader& at, const booking::BookingDeclined& e, Writes& out);
void project(const RecordHeader& at, const booking::BookingCancelled& e, Writes& out);
void project(const RecordHeader& at, const booking::BookingExpired& e, Writes& out);
void project(const RecordHeader& at, const booking::BookingReinstated& e, Writes& out);
void project(const RecordHeader& at, const booking::BookingCompleted& e, Writes& out);
void project(const RecordHeader& at, const booking::BookingNoShow& e, Writes& out);
void project(const RecordHeader& at, const booking::ExpertNotesSet& e, Writes& out);

void project(const RecordHeader& at, const payment::PaymentInitiated& e, Writes& out);
void project(const RecordHeader& at, const payment::PaymentAuthorized& e, Writes& out);
void project(const RecordHeader& at, const payment::PaymentFailed& e, Writes& out);
void project(const RecordHeader& at, const payment::CaptureRequested& e, Writes& out);
void project(const RecordHeader& at, const payment::PaymentCaptured& e, Writes& out);
void project(const RecordHeader& at, const payment::CancelRequested& e, Writes& out);
void project(const RecordHeader& at, const payment::PaymentCancelled& e, Writes& out);
void project(const RecordHeader& at, const payment::RefundRequested& e, Writes& out);
void project(const RecordHeader& at, const payment::PaymentRefunded& e, Writes& out);
void project(const RecordHeader& at, const payment::RefundFailed& e, Writes& out);
void project(const RecordHeader& at, const payment::DisputeOpened& e, Writes& out);
void project(const RecordHeader& at, const payment::DisputeWon& e, Writes& out);
void project(const RecordHeader& at, const payment::DisputeLost& e, Writes& out);
void project(const RecordHeader& at, const payment::RefundPostponed& e, Writes& out);
void project(const RecordHeader& at, const payment::LatePaymentReceived& e, Writes& out);
void project(const RecordHeader& at, const payment::WalletPaymentReturned& e, Writes& out);
void project(const RecordHeader& at, const payment::HoldStarted& e, Writes& out);
void project(const RecordHeader& at, const payment::HoldReleased& e, Writes& out);
void project(const RecordHeader& at, const payment::PaymentWrittenOff& e, Writes& out);

}  // namespace guildhall
