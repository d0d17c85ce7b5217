// The money of accounts: wallets and payouts (PA-92..99). A wallet's sums are those of the transfers that name its owner,
// whatever event carries them.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Wallets {
  enum : ColumnNo {
    balance_available,
    balance_pending,
    balance_frozen,
    balance_in_payout,
    earned_stripe,
    earned_paypal,
    earned_wallet,
    clawed_back,
    withdrawn_stripe,
    withdrawn_paypal,
    spent,
    adjusted,
    currency,
    stripe_account_id,
    stripe_account_status,
    paypal_email,
    paypal_verified,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct Payouts {
  enum : ColumnNo {
    wallet_id,
    amount,
    currency,
    payout_method,
    external_id,
    status,
    requested_at,
    approved_at,
    approved_by,
    overdue_at,
    completed_at,
    failed_at,
    failure_reason,
    updated_at,
    last_event_position
  };
  static const Table& table();
};

void project(const RecordHeader& at, const wallet::WalletOpened& e, Writes& out);
void project(const RecordHeader& at, const wallet::PayoutMethodSet& e, Writes& out);
void project(const RecordHeader& at, const wallet::PayoutMethodRecorded& e, Writes& out);
void project(const RecordHeader& at, const wallet::LedgerAdjusted& e, Writes& out);
void project(const RecordHeader& at, const wallet::WalletSpent& e, Writes& out);
void project(const RecordHeader& at, const wallet::WalletSpendRefused& e, Writes& out);
void project(const RecordHeader& at, const wallet::WalletSpendReversed& e, Writes& out);
void project(const RecordHeader& at, const wallet::WalletRefunded& e, Writes& out);

void project(const RecordHeader& at, const payout::PayoutRequested& e, Writes& out);
void project(const RecordHeader& at, const payout::PayoutApproved& e, Writes& out);
void project(const RecordHeader& at, const payout::PayoutOverdue& e, Writes& out);
void project(const RecordHeader& at, const payout::PayoutCompleted& e, Writes& out);
void project(const RecordHeader& at, const payout::PayoutFailed& e, Writes& out);
void project(const RecordHeader& at, const payout::PayoutCancelled& e, Writes& out);
void project(const RecordHeader& at, const payout::PayoutReturned& e, Writes& out);

// Adds an event's transfers to the wallets that they name, whatever the event is.
void project_transfers(const RecordHeader& at, const AnyEvent& event, Writes& out);

}  // namespace guildhall
