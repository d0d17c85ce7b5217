#include "projectors/wallets.h"

namespace guildhall {
namespace {

using Account = ::ledger::v1::Account;
using Processor = ::ledger::v1::Processor;
using ::wallet::v1::StripeStatus;

Write& change_wallet(const RecordHeader& at, const Uuid& id, Writes& out) {
  return out.update(Wallets::table(), {id}).set(Wallets::updated_at, at.time).set(Wallets::last_event_position, position_of(at));
}

Write& change_payout(const RecordHeader& at, const Uuid& id, const char* status, Writes& out) {
  return out.update(Payouts::table(), {id})
      .set(Payouts::status, status)
      .set(Payouts::updated_at, at.time)
      .set(Payouts::last_event_position, position_of(at));
}

// Adds an event's transfers to the wallets that they name. `total` says to which total their net change belongs, with its sign;
// nothing where money moves inside a wallet only.
struct Total {
  ColumnNo column;
  std::int64_t sign;
};
void post(const RecordHeader& at, const std::vector<::ledger::v1::Transfer>& transfers, std::optional<Total> total, Writes& out) {
  const auto move = [&](const Uuid& owner, Account account, std::int64_t amount) {
    ColumnNo column = 0;
    switch (account) {
      case Account::available: column = Wallets::balance_available; break;
      case Account::pending: column = Wallets::balance_pending; break;
      case Account::frozen: column = Wallets::balance_frozen; break;
      case Account::payout: column = Wallets::balance_in_payout; break;
      default: return;
    }
    Write& wallet = change_wallet(at, owner, out).add(column, amount);
    if (total) wallet.add(total->column, total->sign * amount);
  };
  for (const auto& t : transfers) {
    move(t.debit_owner(), t.debit(), -t.amount_cents());
    move(t.credit_owner(), t.credit(), t.amount_cents());
  }
}

Total withdrawn(const std::vector<::ledger::v1::Transfer>& transfers) {
  const bool paypal = !transfers.empty() && transfers.front().processor() == Processor::paypal;
  return {paypal ? Wallets::withdrawn_paypal : Wallets::withdrawn_stripe, -1};
}

}  // namespace

const Table& Subscriptions::table() {
  static const Table table{"subscriptions",
                           {{"account_id", ColumnType::uuid}},
                           {{"tier", ColumnType::text},
                            {"status", ColumnType::text},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& Wallets::table() {
  static const Table table{"wallets",
                           {{"wallet_id", ColumnType::uuid}},
                           {{"balance_available", ColumnType::int8, std::int64_t{0}},
                            {"balance_pending", ColumnType::int8, std::int64_t{0}},
                            {"balance_frozen", ColumnType::int8, std::int64_t{0}},
                            {"balance_in_payout", ColumnType::int8, std::int64_t{0}},
                            {"withdrawn_stripe", ColumnType::int8, std::int64_t{0}},
                            {"withdrawn_paypal", ColumnType::int8, std::int64_t{0}},
                            {"adjusted", ColumnType::int8, std::int64_t{0}},
                            {"currency", ColumnType::text},
                            {"stripe_account_id", ColumnType::text},
                            {"stripe_account_status", ColumnType::text},
                            {"paypal_email", ColumnType::text},
                            {"paypal_verified", ColumnType::boolean, false},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& Payouts::table() {
  static const Table table{"payouts",
                           {{"payout_id", ColumnType::uuid}},
                           {{"wallet_id", ColumnType::uuid},
                            {"amount", ColumnType::int8},
                            {"currency", ColumnType::text},
                            {"payout_method", ColumnType::text},
                            {"external_id", ColumnType::text},
                            {"status", ColumnType::text},
                            {"requested_at", ColumnType::timestamptz},
                            {"approved_at", ColumnType::timestamptz},
                            {"approved_by", ColumnType::uuid},
                            {"completed_at", ColumnType::timestamptz},
                            {"failed_at", ColumnType::timestamptz},
                            {"failure_reason", ColumnType::text},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

void project(const RecordHeader& at, const subscription::SubscriptionStarted& e, Writes& out) {
  out.upsert(Subscriptions::table(), {e.account_id})
      .set(Subscriptions::tier, ::subscription::v1::EnumNameTier(e.tier))
      .set(Subscriptions::status, "active")
      .set(Subscriptions::created_at, at.time)
      .set(Subscriptions::updated_at, at.time)
      .set(Subscriptions::last_event_position, position_of(at));
}

void project(const RecordHeader& at, const wallet::WalletOpened& e, Writes& out) {
  out.upsert(Wallets::table(), {e.wallet_id})
      .set(Wallets::currency, storable(e.currency))
      .set(Wallets::created_at, at.time)
      .set(Wallets::updated_at, at.time)
      .set(Wallets::last_event_position, position_of(at));
}

void project(const RecordHeader& at, const wallet::PayoutMethodSet& e, Writes& out) {
  change_wallet(at, e.wallet_id, out)
      .set(Wallets::stripe_account_id, text_or_null(e.stripe_account_id))
      .set(Wallets::stripe_account_status, e.stripe_account_status == StripeStatus::none
                                               ? Value{}
                                               : Value{::wallet::v1::EnumNameStripeStatus(e.stripe_account_status)})
      .set(Wallets::paypal_email, text_or_null(e.paypal_email))
      .set(Wallets::paypal_verified, e.paypal_verified);
}

void project(const RecordHeader& at, const wallet::PayoutMethodRecorded& e, Writes& out) {
  change_wallet(at, e.wallet_id, out)
      .set(Wallets::stripe_account_status, e.stripe_account_status == StripeStatus::none
                                               ? Value{}
                                               : Value{::wallet::v1::EnumNameStripeStatus(e.stripe_account_status)})
      .set(Wallets::paypal_verified, e.paypal_verified);
}

void project(const RecordHeader& at, const wallet::LedgerAdjusted& e, Writes& out) {
  post(at, e.transfers, Total{Wallets::adjusted, 1}, out);
}

void project(const RecordHeader& at, const payout::PayoutRequested& e, Writes& out) {
  out.insert(Payouts::table(), {e.payout_id})
      .set(Payouts::wallet_id, e.wallet_id)
      .set(Payouts::amount, e.amount_cents)
      .set(Payouts::currency, storable(e.currency))
      .set(Payouts::payout_method, ::wallet::v1::EnumNamePayoutMethod(e.payout_method))
      .set(Payouts::status, "pending")
      .set(Payouts::requested_at, at.time)
      .set(Payouts::updated_at, at.time)
      .set(Payouts::last_event_position, position_of(at));
  post(at, e.transfers, {}, out);
}

void project(const RecordHeader& at, const payout::PayoutApproved& e, Writes& out) {
  change_payout(at, e.payout_id, "processing", out)
      .set(Payouts::approved_at, at.time)
      .set(Payouts::approved_by, id_or_null(e.approved_by));
}

void project(const RecordHeader& at, const payout::PayoutCompleted& e, Writes& out) {
  change_payout(at, e.payout_id, "completed", out)
      .set(Payouts::completed_at, at.time)
      .set(Payouts::external_id, text_or_null(e.external_id));
  post(at, e.transfers, withdrawn(e.transfers), out);
}

void project(const RecordHeader& at, const payout::PayoutFailed& e, Writes& out) {
  change_payout(at, e.payout_id, "failed", out)
      .set(Payouts::failed_at, at.time)
      .set(Payouts::failure_reason, text_or_null(e.reason));
  post(at, e.transfers, {}, out);
}

void project(const RecordHeader& at, const payout::PayoutCancelled& e, Writes& out) {
  change_payout(at, e.payout_id, "cancelled", out);
  post(at, e.transfers, {}, out);
}

void project(const RecordHeader& at, const payout::PayoutReturned& e, Writes& out) {
  change_payout(at, e.payout_id, "failed", out)
      .set(Payouts::failed_at, at.time)
      .set(Payouts::failure_reason, text_or_null(e.reason));
  post(at, e.transfers, withdrawn(e.transfers), out);
}

}  // namespace guildhall
