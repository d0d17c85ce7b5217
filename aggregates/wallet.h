// The wallet of an account: where its payouts go, and its balances (PA-92..97). The balances are no events of its own: every
// event that carries transfers is folded into the wallets that they name, too (aggregates.h: also_folds).
#pragma once

#include "aggregates/aggregates.h"
#include "events/wallet_identity.h"

namespace guildhall {

Decision decide(const wallet::SetPayoutMethod& c, const Context& at, const View& view);
Decision decide(const wallet::RecordPayoutMethod& c, const Context& at, const View& view);
Decision decide(const wallet::AdjustWallet& c, const Context& at, const View& view);
// From other groups: they end in an event either way, never in a rejection, for the sender waits for it.
Decision decide(const wallet::SpendFromWallet& c, const Context& at, const View& view);
Decision decide(const wallet::ReverseWalletSpend& c, const Context& at, const View& view);
Decision decide(const wallet::RefundToWallet& c, const Context& at, const View& view);

std::optional<StreamId> target(const wallet::SetPayoutMethod& c);
std::optional<StreamId> target(const wallet::RecordPayoutMethod& c);
std::optional<StreamId> target(const wallet::AdjustWallet& c);
std::optional<StreamId> target(const wallet::SpendFromWallet& c);
std::optional<StreamId> target(const wallet::ReverseWalletSpend& c);
std::optional<StreamId> target(const wallet::RefundToWallet& c);

void apply(WalletState& s, const wallet::WalletOpened& e);
void apply(WalletState& s, const wallet::PayoutMethodSet& e);
void apply(WalletState& s, const wallet::PayoutMethodRecorded& e);
void apply(WalletState& s, const wallet::LedgerAdjusted& e);
void apply(WalletState& s, const wallet::WalletSpent& e);
void apply(WalletState& s, const wallet::WalletSpendRefused& e);
void apply(WalletState& s, const wallet::WalletSpendReversed& e);
void apply(WalletState& s, const wallet::WalletRefunded& e);

AnyResource represent(const WalletState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const WalletState& s, const Actor& actor);

// The transfers of one event, as far as they name this wallet's owner. Its net change counts to the total of W that the event
// says.
void post(WalletState& s, const std::vector<::ledger::v1::Transfer>& transfers, WalletTotal total);

// Whether the processor has confirmed that this method can take money (PA-95).
bool takes_payouts(const WalletState& s, ::wallet::v1::PayoutMethod method);

}  // namespace guildhall
