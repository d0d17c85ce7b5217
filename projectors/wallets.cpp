#include "projectors/wallets.h"

#include <utility>

#include "events/wallet_identity.h"

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

Value status_or_null(StripeStatus status) {
  return status == StripeStatus::none ? Value{} : Value{::wallet::v1::EnumNameStripeStatus(status)};
}

// The column of a total of W, and the sign of a wallet's change in it.
struct Total {
  ColumnNo column;
  std::int64_t sign;
};
std::optional<Total> total_of(WalletTotal total, Processor processor) {
  const bool paypal = processor == Processor::paypal;
  switch (total) {
    case WalletTotal::none: return std::nullopt;
    case WalletTotal::earned:
      return Total{processor == Processor::wallet ? Wallets::earned_wallet
                   : paypal                       ? Wallets::earned_paypal
                                                  : Wallets::earned_stripe,
                   1};
    case WalletTotal::clawed_back: return Total{Wallets::clawed_back, -1};
    case WalletTotal::withdrawn: return Total{paypal ? Wallets::withdrawn_paypal : Wallets::withdrawn_stripe, -1};
    case WalletTotal::spent: return Total{Wallets::spent, -1};
    case WalletTotal::adjusted: return Total{Wallets::adjusted, 1};
  }
  std::unreachable();
}

std::optional<ColumnNo> balance_of(Account account) {
  switch (account) {
    case Account::available: return Wallets::balance_available;
    case Account::pending: return Wallets::balance_pending;
    case Account::frozen: return Wallets::balance_frozen;
    case Account::payout: return Wallets::balance_in_payout;
    default: return std::nullopt;
  }
}

void post(const RecordHeader& at, const std::vector<::ledger::v1::Transfer>& transfers, WalletTotal of, Writes& out) {
  for (const auto& t : transfers) {
    const auto total = total_of(of, t.processor());
    const auto move = [&](const Uuid& owner, Account account, std::int64_t amount) {
      const auto balance = balance_of(account);
      if (!balance) return;
      Write& wallet = change_wallet(at, owner, out).add(*balance, amount);
      if (total) wallet.add(total->column, total->sign * amount);
    };
    move(t.debit_owner(), t.debit(), -t.amount_cents());
    move(t.credit_owner(), t.credit(), t.amount_cents());
  }
}

}  // namespace

const Table& Wallets::table() {
  static const Table table{"wallets",
                           {{"wallet_id", ColumnType::uuid}},
                           {{"balance_available", ColumnType::int8, std::int64_t{0}},
                            {"balance_pending", ColumnType::int8, std::int64_t{0}},
                            {"balance_frozen", ColumnType::int8, std::int64_t{0}},
                            {"balance_in_payout", ColumnType::int8, std::int64_t{0}},
                            {"earned_stripe", ColumnType::int8, std::int64_t{0}},
                            {"earned_paypal", ColumnType::int8, std::int64_t{0}},
                            {"earned_wallet", ColumnType::int8, std::int64_t{0}},
                            {"clawed_back", ColumnType::int8, std::int64_t{0}},
                            {"withdrawn_stripe", ColumnType::int8, std::int64_t{0}},
                            {"withdrawn_paypal", ColumnType::int8, std::int64_t{0}},
                            {"spent", ColumnType::int8, std::int64_t{0}},
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
                            {"overdue_at", ColumnType::timestamptz},
                            {"completed_at", ColumnType::timestamptz},
                            {"failed_at", ColumnType::timestamptz},
                            {"failure_reason", ColumnType::text},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
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
      .set(Wallets::stripe_account_status, status_or_null(e.stripe_account_status))
      .set(Wallets::paypal_email, text_or_null(e.paypal_email))
      .set(Wallets::paypal_verified, e.paypal_verified);
}

void project(const RecordHeader& at, const wallet::PayoutMethodRecorded& e, Writes& out) {
  change_wallet(at, e.wallet_id, out)
      .set(Wallets::stripe_account_status, status_or_null(e.stripe_account_status))
      .set(Wallets::paypal_verified, e.paypal_verified);
}

// Transfers are all that these say (project_transfers).
void project(const RecordHeader&, const wallet::LedgerAdjusted&, Writes&) {}
void project(const RecordHeader&, const wallet::WalletSpent&, Writes&) {}
void project(const RecordHeader&, const wallet::WalletSpendRefused&, Writes&) {}
void project(const RecordHeader&, const wallet::WalletSpendReversed&, Writes&) {}
void project(const RecordHeader&, const wallet::WalletRefunded&, Writes&) {}

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
}

void project(const RecordHeader& at, const payout::PayoutApproved& e, Writes& out) {
  change_payout(at, e.payout_id, "processing", out)
      .set(Payouts::approved_at, at.time)
      .set(Payouts::approved_by, id_or_null(e.approved_by));
}

void project(const RecordHeader& at, const payout::PayoutOverdue& e, Writes& out) {
  change_payout(at, e.payout_id, "processing", out).set(Payouts::overdue_at, at.time);
}

void project(const RecordHeader& at, const payout::PayoutCompleted& e, Writes& out) {
  change_payout(at, e.payout_id, "completed", out)
      .set(Payouts::completed_at, at.time)
      .set(Payouts::external_id, text_or_null(e.external_id));
}

void project(const RecordHeader& at, const payout::PayoutFailed& e, Writes& out) {
  change_payout(at, e.payout_id, "failed", out)
      .set(Payouts::failed_at, at.time)
      .set(Payouts::failure_reason, text_or_null(e.reason));
}

void project(const RecordHeader& at, const payout::PayoutCancelled& e, Writes& out) {
  change_payout(at, e.payout_id, "cancelled", out);
}

void project(const RecordHeader& at, const payout::PayoutReturned& e, Writes& out) {
  change_payout(at, e.payout_id, "failed", out)
      .set(Payouts::failed_at, at.time)
      .set(Payouts::failure_reason, text_or_null(e.reason));
}

void project_transfers(const RecordHeader& at, const AnyEvent& event, Writes& out) {
  visit(
      [&]<class E>(const E& e) {
        if constexpr (requires { e.transfers; }) post(at, e.transfers, wallet_total_of<E>(), out);
      },
      event);
}

}  // namespace guildhall
