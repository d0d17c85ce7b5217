#include "projectors/transactions.h"

namespace guildhall {
namespace {

Write& change(const RecordHeader& at, const Uuid& payment_id, Writes& out) {
  return out.update(Transactions::table(), {payment_id})
      .set(Transactions::updated_at, at.time)
      .set(Transactions::last_event_position, position_of(at));
}

Write& change_refund(const RecordHeader& at, const Uuid& refund_id, const char* status, Writes& out) {
  return out.update(Refunds::table(), {refund_id})
      .set(Refunds::status, status)
      .set(Refunds::updated_at, at.time)
      .set(Refunds::last_event_position, position_of(at));
}

void complete(const RecordHeader& at, const Uuid& payment_id, const std::string& external_id, Writes& out) {
  Write& row = change(at, payment_id, out).set(Transactions::status, "completed").set(Transactions::completed_at, at.time);
  if (!external_id.empty()) row.set(Transactions::external_id, storable(external_id));
}

void put(const RecordHeader& at, const payment::PaymentInitiated& e, Writes& out) {
  out.insert(Transactions::table(), {e.payment_id})
      .set(Transactions::buyer_id, e.payer_id)
      .set(Transactions::seller_id, id_or_null(e.payee_id))
      .set(Transactions::purpose, ::payment::v1::EnumNamePurpose(e.purpose))
      .set(Transactions::subject_id, e.subject_id)
      .set(Transactions::related_id, e.related_id)
      .set(Transactions::amount_total, e.amount_cents)
      .set(Transactions::currency, storable(e.currency))
      .set(Transactions::processor, storable(e.processor))
      .set(Transactions::method, ::ledger::v1::EnumNameMethod(e.method))
      .set(Transactions::status, "pending")
      .set(Transactions::created_at, at.time)
      .set(Transactions::updated_at, at.time)
      .set(Transactions::last_event_position, position_of(at));
  out.insert(TransactionShares::table(), {e.payment_id})
      .set(TransactionShares::seller_id, id_or_null(e.payee_id))
      .set(TransactionShares::fee, e.fee_cents)
      .set(TransactionShares::commission, e.commission_cents)
      .set(TransactionShares::seller, e.seller_cents)
      .set(TransactionShares::commission_bp, std::int64_t{e.commission_bp})
      .set(TransactionShares::seller_tier, is_nil(e.payee_id) ? Value{} : Value{::subscription::v1::EnumNameTier(e.seller_tier)});
}

void put(const RecordHeader& at, const payment::PaymentAuthorized& e, Writes& out) {
  Write& row = change(at, e.payment_id, out);
  if (!e.external_id.empty()) row.set(Transactions::external_id, storable(e.external_id));
}
void put(const RecordHeader& at, const payment::PaymentFailed& e, Writes& out) {
  change(at, e.payment_id, out).set(Transactions::status, "failed");
}
void put(const RecordHeader& at, const payment::CaptureRequested& e, Writes& out) { change(at, e.payment_id, out); }
void put(const RecordHeader& at, const payment::PaymentCaptured& e, Writes& out) {
  complete(at, e.payment_id, e.external_id, out);
}
void put(const RecordHeader& at, const payment::LatePaymentReceived& e, Writes& out) {
  complete(at, e.payment_id, e.external_id, out);
}
void put(const RecordHeader& at, const payment::WalletPaymentReturned& e, Writes& out) {
  change(at, e.payment_id, out).set(Transactions::status, "failed");
}
void put(const RecordHeader& at, const payment::CancelRequested& e, Writes& out) { change(at, e.payment_id, out); }
void put(const RecordHeader& at, const payment::PaymentCancelled& e, Writes& out) {
  change(at, e.payment_id, out).set(Transactions::status, "failed");
}
void put(const RecordHeader& at, const payment::HoldStarted& e, Writes& out) { change(at, e.payment_id, out); }
void put(const RecordHeader& at, const payment::HoldReleased& e, Writes& out) { change(at, e.payment_id, out); }

void put(const RecordHeader& at, const payment::RefundRequested& e, Writes& out) {
  out.insert(Refunds::table(), {e.refund_id})
      .set(Refunds::payment_id, e.payment_id)
      .set(Refunds::amount, e.amount_cents)
      .set(Refunds::status, "pending")
      .set(Refunds::reason, text_or_null(e.reason))
      .set(Refunds::requested_at, at.time)
      .set(Refunds::updated_at, at.time)
      .set(Refunds::last_event_position, position_of(at));
  const std::int64_t borne = e.platform_bears_fee ? e.fee_cents : 0;
  out.insert(RefundShares::table(), {e.refund_id})
      .set(RefundShares::payment_id, e.payment_id)
      .set(RefundShares::fee, borne)
      .set(RefundShares::commission, e.commission_cents)
      .set(RefundShares::seller, e.from_pending_cents + e.from_available_cents);
  change(at, e.payment_id, out);
}
void put(const RecordHeader& at, const payment::RefundPostponed& e, Writes& out) { change(at, e.payment_id, out); }
void put(const RecordHeader& at, const payment::PaymentRefunded& e, Writes& out) {
  change_refund(at, e.refund_id, "completed", out)
      .set(Refunds::completed_at, at.time)
      .set(Refunds::external_id, text_or_null(e.external_id));
  change(at, e.payment_id, out).add(Transactions::amount_refunded, e.amount_cents).set(Transactions::refunded_at, at.time);
}
void put(const RecordHeader& at, const payment::RefundFailed& e, Writes& out) {
  change_refund(at, e.refund_id, "failed", out);
  Write& row = change(at, e.payment_id, out);
  if (e.was_refunded) row.add(Transactions::amount_refunded, -e.amount_cents);
}
// The money was taken and is the platform's now: the transaction stays completed.
void put(const RecordHeader& at, const payment::PaymentWrittenOff& e, Writes& out) { change(at, e.payment_id, out); }

void put(const RecordHeader& at, const payment::DisputeOpened& e, Writes& out) {
  change(at, e.payment_id, out).set(Transactions::disputed, true);
}
void put(const RecordHeader& at, const payment::DisputeWon& e, Writes& out) {
  change(at, e.payment_id, out).set(Transactions::disputed, false);
}
void put(const RecordHeader& at, const payment::DisputeLost& e, Writes& out) {
  change(at, e.payment_id, out)
      .set(Transactions::disputed, false)
      .add(Transactions::amount_refunded, e.amount_cents)
      .set(Transactions::refunded_at, at.time);
}

}  // namespace

const Table& Transactions::table() {
  static const Table table{"transactions",
                           {{"payment_id", ColumnType::uuid}},
                           {{"buyer_id", ColumnType::uuid},
                            {"seller_id", ColumnType::uuid},
                            {"purpose", ColumnType::text},
                            {"subject_id", ColumnType::uuid},
                            {"related_id", ColumnType::uuid},
                            {"amount_total", ColumnType::int8},
                            {"amount_refunded", ColumnType::int8, std::int64_t{0}},
                            {"currency", ColumnType::text},
                            {"processor", ColumnType::text},
                            {"method", ColumnType::text},
                            {"external_id", ColumnType::text},
                            {"status", ColumnType::text},
                            {"disputed", ColumnType::boolean, false},
                            {"completed_at", ColumnType::timestamptz},
                            {"refunded_at", ColumnType::timestamptz},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& TransactionShares::table() {
  static const Table table{"transaction_shares",
                           {{"payment_id", ColumnType::uuid}},
                           {{"seller_id", ColumnType::uuid},
                            {"fee", ColumnType::int8},
                            {"commission", ColumnType::int8},
                            {"seller", ColumnType::int8},
                            {"commission_bp", ColumnType::int8},
                            {"seller_tier", ColumnType::text}}};
  return table;
}

const Table& Refunds::table() {
  static const Table table{"refunds",
                           {{"refund_id", ColumnType::uuid}},
                           {{"payment_id", ColumnType::uuid},
                            {"amount", ColumnType::int8},
                            {"external_id", ColumnType::text},
                            {"status", ColumnType::text},
                            {"reason", ColumnType::text},
                            {"requested_at", ColumnType::timestamptz},
                            {"completed_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& RefundShares::table() {
  static const Table table{"refund_shares",
                           {{"refund_id", ColumnType::uuid}},
                           {{"payment_id", ColumnType::uuid},
                            {"fee", ColumnType::int8},
                            {"commission", ColumnType::int8},
                            {"seller", ColumnType::int8}}};
  return table;
}

void project_transaction(const RecordHeader& at, const AnyEvent& event, Writes& out) {
  visit(
      [&]<class E>(const E& e) {
        if constexpr (is_one_of<E, payment::Event>) put(at, e, out);
      },
      event);
}

// The first payment of a plan is a payment, with a row by then, and keeps the time at which that began; a renewal has none.
void project_renewal(const RecordHeader& at, const subscription::SubscriptionPaid& e, Writes& out) {
  out.upsert(Transactions::table(), {e.payment_id})
      .set(Transactions::buyer_id, e.account_id)
      .set(Transactions::purpose, "subscription")
      .set(Transactions::subject_id, e.account_id)
      .set(Transactions::related_id, e.account_id)
      .set(Transactions::amount_total, e.amount_cents)
      .set(Transactions::currency, storable(e.currency))
      .set(Transactions::processor, "stripe")
      .set(Transactions::method, "card")
      .set(Transactions::external_id, text_or_null(e.external_id))
      .set(Transactions::status, "completed")
      .set(Transactions::completed_at, at.time)
      .set(Transactions::updated_at, at.time)
      .set(Transactions::last_event_position, position_of(at));
  out.upsert(TransactionShares::table(), {e.payment_id})
      .set(TransactionShares::fee, e.fee_cents)
      .set(TransactionShares::commission, e.amount_cents - e.fee_cents)
      .set(TransactionShares::seller, std::int64_t{0});
}

}  // namespace guildhall
