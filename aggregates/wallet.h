// The wallet of an account: where its payouts go, and its balances (PA-92..97). The balances are no events of its own: every
// event that carries transfers is folded into the wallets that they name, too (aggregates.h: also_folds).
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Decision decide(const wallet::SetPayoutMethod& c, const Context& at, const View& view);
Decision decide(const wallet::RecordPayoutMethod& c, const Context& at, const View& view);
Decision decide(const wallet::AdjustWallet& c, const Context& at, const View& view);

std::optional<StreamId> target(const wallet::SetPayoutMethod& c);
std::optional<StreamId> target(const wallet::RecordPayoutMethod& c);
std::optional<StreamId> target(const wallet::AdjustWallet& c);

void apply(WalletState& s, const wallet::WalletOpened& e);
void apply(WalletState& s, const wallet::PayoutMethodSet& e);
void apply(WalletState& s, const wallet::PayoutMethodRecorded& e);
void apply(WalletState& s, const wallet::LedgerAdjusted& e);

AnyResource represent(const WalletState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const WalletState& s, const Actor& actor);

// The transfers of one event, as far as they name this wallet's owner. Its net change counts to the total of W that the event
// says.
enum class WalletTotal : std::uint8_t { none, earned, clawed_back, withdrawn, spent, adjusted };
void post(WalletState& s, const std::vector<::ledger::v1::Transfer>& transfers, WalletTotal total);

// Whether the processor has confirmed that this method can take money (PA-95).
bool takes_payouts(const WalletState& s, ::wallet::v1::PayoutMethod method);

}  // namespace guildhall
