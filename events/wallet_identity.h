// The wallet identity W (ledger.md): pending + available + frozen + payout = earned - clawed_back - withdrawn - spent + adjusted.
// Says for every event with transfers to which of the totals its net change of a wallet belongs: once, for the aggregates that
// decide from wallets and the projection that shows them.
#pragma once

#include "events/catalogue.h"

namespace guildhall {

enum class WalletTotal : std::uint8_t { none, earned, clawed_back, withdrawn, spent, adjusted };

template <class Event>
constexpr WalletTotal wallet_total_of() {
  if constexpr (std::is_same_v<Event, payment::PaymentCaptured>) return WalletTotal::earned;
  else if constexpr (is_one_of<Event, std::variant<payment::RefundRequested, payment::RefundFailed, payment::DisputeLost>>)
    return WalletTotal::clawed_back;
  else if constexpr (is_one_of<Event, std::variant<payout::PayoutCompleted, payout::PayoutReturned>>)
    return WalletTotal::withdrawn;
  else if constexpr (is_one_of<Event, std::variant<wallet::WalletSpent, wallet::WalletSpendReversed, wallet::WalletRefunded>>)
    return WalletTotal::spent;
  else if constexpr (std::is_same_v<Event, wallet::LedgerAdjusted>) return WalletTotal::adjusted;
  else return WalletTotal::none;  // Moves money inside the wallet only, or none of it.
}

// Whose balances are states of their owner's group; all other accounts are the platform's, or a payment's.
constexpr bool is_in_wallet(::ledger::v1::Account account) {
  using enum ::ledger::v1::Account;
  return account == pending || account == available || account == frozen || account == payout;
}

}  // namespace guildhall
