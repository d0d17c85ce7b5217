// What happens to a wallet, and what may be asked of it. Declared once, in events/wallet.fbs.
#pragma once

#include <variant>

#include "wallet_generated.h"

namespace guildhall::wallet {

using SetPayoutMethod = ::wallet::v1::SetPayoutMethodT;
using RecordPayoutMethod = ::wallet::v1::RecordPayoutMethodT;
using AdjustWallet = ::wallet::v1::AdjustWalletT;

using WalletOpened = ::wallet::v1::WalletOpenedT;
using PayoutMethodSet = ::wallet::v1::PayoutMethodSetT;
using PayoutMethodRecorded = ::wallet::v1::PayoutMethodRecordedT;
using LedgerAdjusted = ::wallet::v1::LedgerAdjustedT;

using WalletView = ::wallet::v1::WalletViewT;

using Command = std::variant<SetPayoutMethod, RecordPayoutMethod, AdjustWallet>;
using Event = std::variant<WalletOpened, PayoutMethodSet, PayoutMethodRecorded, LedgerAdjusted>;
using Resource = std::variant<WalletView>;

}  // namespace guildhall::wallet
