// What happens to a wallet, and what may be asked of it. Declared once, in events/wallet.fbs.
#pragma once

#include <variant>

#include "wallet_generated.h"

namespace guildhall::wallet {

using SetPayoutMethod = ::wallet::v1::SetPayoutMethodT;
using RecordPayoutMethod = ::wallet::v1::RecordPayoutMethodT;
using AdjustWallet = ::wallet::v1::AdjustWalletT;
using SpendFromWallet = ::wallet::v1::SpendFromWalletT;
using ReverseWalletSpend = ::wallet::v1::ReverseWalletSpendT;
using RefundToWallet = ::wallet::v1::RefundToWalletT;

using WalletOpened = ::wallet::v1::WalletOpenedT;
using PayoutMethodSet = ::wallet::v1::PayoutMethodSetT;
using PayoutMethodRecorded = ::wallet::v1::PayoutMethodRecordedT;
using LedgerAdjusted = ::wallet::v1::LedgerAdjustedT;
using WalletSpent = ::wallet::v1::WalletSpentT;
using WalletSpendRefused = ::wallet::v1::WalletSpendRefusedT;
using WalletSpendReversed = ::wallet::v1::WalletSpendReversedT;
using WalletRefunded = ::wallet::v1::WalletRefundedT;

using WalletView = ::wallet::v1::WalletViewT;

using Command =
    std::variant<SetPayoutMethod, RecordPayoutMethod, AdjustWallet, SpendFromWallet, ReverseWalletSpend, RefundToWallet>;
using Event = std::variant<WalletOpened, PayoutMethodSet, PayoutMethodRecorded, LedgerAdjusted, WalletSpent, WalletSpendRefused,
                           WalletSpendReversed, WalletRefunded>;
using Resource = std::variant<WalletView>;

}  // namespace guildhall::wallet
