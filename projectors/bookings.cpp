#include "projectors/bookings.h"

#include "projectors/profiles.h"

namespace guildhall {
namespace {

Write& change_booking(const RecordHeader& at, const Uuid& id, Writes& out) {
  return out.update(Bookings::table(), {id})
      .set(Bookings::updated_at, at.time)
      .set(Bookings::last_event_position, position_of(at));
}

void cancel(const RecordHeader& at, const Uuid& id, std::string status, std::string by, const std::string& reason, Writes& out) {
  change_booking(at, id, out)
      .set(Bookings::status, std::move(status))
      .set(Bookings::cancelled_by, std::move(by))
      .set(Bookings::cancellation_reason, text_or_null(reason))
      .set(Bookings::cancelled_at, at.time);
}

Write& change_payment(const RecordHeader& at, const Uuid& id, Writes& out) {
  return out.update(Payments::table(), {id})
      .set(Payments::updated_at, at.time)
      .set(Payments::last_event_position, position_of(at));
}

// TU-11, TU-14: earned and spent are captured minus refunded. The payment's row knows whose.
void move_money(const RecordHeader& at, const Uuid& payment_id, std::int64_t cents, Writes& out) {
  out.upsert_via(ExpertEarnings::table(), {&Payments::table(), Payments::payee_id}, {payment_id})
      .add(ExpertEarnings::total_earnings_cents, cents)
      .greatest(ExpertEarnings::updated_at, at.time);
  out.upsert_via(LearnerTotals::table(), {&Payments::table(), Payments::payer_id}, {payment_id})
      .add(LearnerTotals::total_spent_cents, cents)
      .greatest(LearnerTotals::updated_at, at.time);
}

}  // namespace

const Table& Bookings::table() {
  static const Table table{"bookings",
                           {{"booking_id", ColumnType::uuid}},
                           {{"learner_id", ColumnType::uuid},
                            {"expert_id", ColumnType::uuid},
                            {"session_id", ColumnType::uuid},
                            {"slot_id", ColumnType::uuid},
                            {"payment_id", ColumnType::uuid},
                            {"start_at", ColumnType::timestamptz},
                            {"end_at", ColumnType::timestamptz},
                            {"status", ColumnType::text},
                            {"currency", ColumnType::text},
                            {"learner_notes", ColumnType::text},
                            {"expert_notes", ColumnType::text},
                            {"cancelled_by", ColumnType::text},
                            {"cancellation_reason", ColumnType::text},
                            {"cancelled_at", ColumnType::timestamptz},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& Payments::table() {
  static const Table table{"payments",
                           {{"payment_id", ColumnType::uuid}},
                           {{"booking_id", ColumnType::uuid},
                            {"payer_id", ColumnType::uuid},
                            {"payee_id", ColumnType::uuid},
                            {"status", ColumnType::text},
                            {"amount_cents", ColumnType::int4},
                            {"authorized", ColumnType::boolean},
                            {"amount_captured", ColumnType::int4, std::int64_t{0}},
                            {"amount_refunded", ColumnType::int4, std::int64_t{0}},
                            {"currency", ColumnType::text},
                            {"external_id", ColumnType::text},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

void project(const RecordHeader& at, const booking::BookingCreated& e, Writes& out) {
  out.insert(Bookings::table(), {e.booking_id})
      .set(Bookings::learner_id, e.learner_id)
      .set(Bookings::expert_id, e.expert_id)
      .set(Bookings::session_id, e.session_id)
      .set(Bookings::slot_id, e.slot_id)
      .set(Bookings::payment_id, id_or_null(e.payment_id))
      .set(Bookings::start_at, e.start_at)
      .set(Bookings::end_at, e.end_at)
      .set(Bookings::status, "pending")
      .set(Bookings::currency, storable(e.currency))
      .set(Bookings::learner_notes, text_or_null(e.notes))
      .set(Bookings::created_at, at.time)
      .set(Bookings::updated_at, at.time)
      .set(Bookings::last_event_position, position_of(at));
  out.upsert(Counterparts::table(), {e.learner_id, e.expert_id});
}

void project(const RecordHeader& at, const booking::BookingSecured& e, Writes& out) { change_booking(at, e.booking_id, out); }

void project(const RecordHeader& at, const booking::BookingConfirmed& e, Writes& out) {
  change_booking(at, e.booking_id, out).set(Bookings::status, "confirmed");
  // A-TU-18: booked counts what was confirmed, and never goes down.
  out.upsert_via(LearnerTotals::table(), {&Bookings::table(), Bookings::learner_id}, {e.booking_id})
      .add(LearnerTotals::total_sessions_booked, 1)
      .greatest(LearnerTotals::updated_at, at.time);
}

// TU-35: cancelled_by and cancelled_at are set of cancelled bookings only.
void project(const RecordHeader& at, const booking::BookingDeclined& e, Writes& out) {
  change_booking(at, e.booking_id, out)
      .set(Bookings::status, "declined")
      .set(Bookings::cancellation_reason, text_or_null(e.reason));
}

void project(const RecordHeader& at, const booking::BookingCancelled& e, Writes& out) {
  cancel(at, e.booking_id, "cancelled", ::booking::v1::EnumNameCancelledBy(e.cancelled_by), e.reason, out);
}
// Clients see it as cancelled by the system (domain.md §9).
void project(const RecordHeader& at, const booking::BookingExpired& e, Writes& out) {
  cancel(at, e.booking_id, "expired", "system", "", out);
}

void project(const RecordHeader& at, const booking::BookingReinstated& e, Writes& out) {
  change_booking(at, e.booking_id, out)
      .set(Bookings::status, "pending")
      .set(Bookings::cancelled_by, {})
      .set(Bookings::cancellation_reason, {})
      .set(Bookings::cancelled_at, {});
}

void project(const RecordHeader& at, const booking::BookingCompleted& e, Writes& out) {
  change_booking(at, e.booking_id, out).set(Bookings::status, "completed");
  out.upsert_via(ExpertTotals::table(), {&Bookings::table(), Bookings::expert_id}, {e.booking_id})
      .add(ExpertTotals::total_sessions, 1)
      .greatest(ExpertTotals::updated_at, at.time);
  out.upsert_via(LearnerTotals::table(), {&Bookings::table(), Bookings::learner_id}, {e.booking_id})
      .add(LearnerTotals::total_sessions_completed, 1)
      .greatest(LearnerTotals::updated_at, at.time);
}

void project(const RecordHeader& at, const booking::BookingNoShow& e, Writes& out) {
  change_booking(at, e.booking_id, out).set(Bookings::status, "no_show");
}

void project(const RecordHeader& at, const booking::ExpertNotesSet& e, Writes& out) {
  change_booking(at, e.booking_id, out).set(Bookings::expert_notes, text_or_null(e.notes));
}

void project(const RecordHeader& at, const payment::PaymentInitiated& e, Writes& out) {
  out.insert(Payments::table(), {e.payment_id})
      .set(Payments::booking_id, e.subject_id)
      .set(Payments::payer_id, e.payer_id)
      .set(Payments::payee_id, e.payee_id)
      .set(Payments::status, e.auto_authorize ? "processing" : "pending")
      .set(Payments::amount_cents, e.amount_cents)
      .set(Payments::authorized, false)
      .set(Payments::currency, storable(e.currency))
      .set(Payments::created_at, at.time)
      .set(Payments::updated_at, at.time)
      .set(Payments::last_event_position, position_of(at));
}

void project(const RecordHeader& at, const payment::PaymentAuthorized& e, Writes& out) {
  change_payment(at, e.payment_id, out)
      .set(Payments::status, "authorized")
      .set(Payments::authorized, true)
      .set(Payments::external_id, text_or_null(e.external_id));
}
void project(const RecordHeader& at, const payment::PaymentFailed& e, Writes& out) {
  change_payment(at, e.payment_id, out).set(Payments::status, "failed");
}
void project(const RecordHeader& at, const payment::CaptureRequested& e, Writes& out) { change_payment(at, e.payment_id, out); }

// A one-step checkout is authorized and captured at once, so that captured never exceeds authorized (TU-33).
void project(const RecordHeader& at, const payment::PaymentCaptured& e, Writes& out) {
  change_payment(at, e.payment_id, out)
      .set(Payments::status, "captured")
      .set(Payments::authorized, true)
      .add(Payments::amount_captured, e.amount_cents);
  move_money(at, e.payment_id, e.amount_cents, out);
}

void project(const RecordHeader& at, const payment::CancelRequested& e, Writes& out) { change_payment(at, e.payment_id, out); }
void project(const RecordHeader& at, const payment::PaymentCancelled& e, Writes& out) {
  change_payment(at, e.payment_id, out).set(Payments::status, "cancelled");
}
void project(const RecordHeader& at, const payment::RefundRequested& e, Writes& out) { change_payment(at, e.payment_id, out); }

// The status stays captured until everything is given back (A-TU-10): the table's client_payment_status compares the sums.
void project(const RecordHeader& at, const payment::PaymentRefunded& e, Writes& out) {
  change_payment(at, e.payment_id, out).add(Payments::amount_refunded, e.amount_cents);
  move_money(at, e.payment_id, -e.amount_cents, out);
}
void project(const RecordHeader& at, const payment::RefundFailed& e, Writes& out) {
  Write& payment = change_payment(at, e.payment_id, out);
  if (!e.was_refunded) return;  // PY-9
  payment.add(Payments::amount_refunded, -e.amount_cents);
  move_money(at, e.payment_id, e.amount_cents, out);
}
void project(const RecordHeader& at, const payment::DisputeOpened& e, Writes& out) { change_payment(at, e.payment_id, out); }
void project(const RecordHeader& at, const payment::DisputeWon& e, Writes& out) { change_payment(at, e.payment_id, out); }
void project(const RecordHeader& at, const payment::DisputeLost& e, Writes& out) {
  change_payment(at, e.payment_id, out).add(Payments::amount_refunded, e.amount_cents);
  move_money(at, e.payment_id, -e.amount_cents, out);
}
void project(const RecordHeader& at, const payment::RefundPostponed& e, Writes& out) { change_payment(at, e.payment_id, out); }

// Of payments that keep books: a booking has none.
void project(const RecordHeader&, const payment::LatePaymentReceived&, Writes&) {}
void project(const RecordHeader&, const payment::WalletPaymentReturned&, Writes&) {}
void project(const RecordHeader&, const payment::HoldStarted&, Writes&) {}
void project(const RecordHeader&, const payment::HoldReleased&, Writes&) {}
void project(const RecordHeader&, const payment::PaymentWrittenOff&, Writes&) {}

}  // namespace guildhall
