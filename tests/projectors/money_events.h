// Events that move money, with the transfers of ledger.md: what aggregates would have written.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "events/catalogue.h"
#include "events/record.h"

namespace guildhall::test {

using Ledger = ::ledger::v1::Account;
using ::ledger::v1::Processor;
using Transfers = std::vector<::ledger::v1::Transfer>;

inline Uuid money_id(std::uint64_t n) { return Uuid(0x1111111111118000ULL, 0x8000000000000000ULL | n); }

struct Side {
  Ledger account;
  Uuid owner{};
};
inline Transfers moved(const Side& from, const Side& to, std::int64_t cents, Processor processor = Processor::none) {
  return {{from.owner, to.owner, cents, from.account, to.account, processor}};
}
inline Transfers operator+(Transfers a, const Transfers& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline const Uuid seller = money_id(0xa1), buyer = money_id(0xb1);

// By stripe: 10,000 cents, of which it keeps 320 and the platform 4,000.
inline payment::PaymentCaptured captured(const Uuid& payment, std::string external_id, Processor processor = Processor::stripe) {
  return {.payment_id = payment,
          .amount_cents = 10'000,
          .external_id = std::move(external_id),
          .currency = "USD",
          .transfers = moved({Ledger::processor}, {Ledger::pending, seller}, 5'680, processor) +
                       moved({Ledger::processor}, {Ledger::commission}, 4'000, processor) +
                       moved({Ledger::processor}, {Ledger::fees}, 320, processor)};
}
// Half of it.
inline payment::RefundRequested refund_requested(const Uuid& payment, const Uuid& refund) {
  return {.payment_id = payment,
          .refund_id = refund,
          .amount_cents = 5'000,
          .currency = "USD",
          .transfers = moved({Ledger::pending, seller}, {Ledger::refunds}, 3'000, Processor::stripe) +
                       moved({Ledger::commission}, {Ledger::refunds}, 2'000, Processor::stripe)};
}
inline payment::PaymentRefunded refunded(const Uuid& payment, const Uuid& refund, std::string external_id) {
  return {.payment_id = payment,
          .refund_id = refund,
          .amount_cents = 5'000,
          .external_id = std::move(external_id),
          .currency = "USD",
          .transfers = moved({Ledger::refunds}, {Ledger::processor}, 5'000, Processor::stripe)};
}
inline payment::HoldReleased released(const Uuid& payment, std::int64_t cents) {
  return {.payment_id = payment,
          .amount_cents = cents,
          .currency = "USD",
          .transfers = moved({Ledger::pending, seller}, {Ledger::available, seller}, cents)};
}
// The seller's whole balance, by PayPal.
inline payout::PayoutRequested payout_requested(const Uuid& payout, std::int64_t cents) {
  return {.payout_id = payout,
          .wallet_id = seller,
          .amount_cents = cents,
          .payout_method = ::wallet::v1::PayoutMethod::paypal,
          .currency = "USD",
          .transfers = moved({Ledger::available, seller}, {Ledger::payout, seller}, cents, Processor::paypal)};
}
inline payout::PayoutCompleted payout_completed(const Uuid& payout, std::string external_id, std::int64_t cents) {
  return {.payout_id = payout,
          .external_id = std::move(external_id),
          .currency = "USD",
          .transfers = moved({Ledger::payout, seller}, {Ledger::processor}, cents, Processor::paypal)};
}
inline payout::PayoutReturned payout_returned(const Uuid& payout, std::int64_t cents) {
  return {.payout_id = payout,
          .currency = "USD",
          .transfers = moved({Ledger::processor}, {Ledger::available, seller}, cents, Processor::paypal)};
}
// A chargeback on all of it, for which stripe takes 1,500.
inline payment::DisputeOpened dispute_opened(const Uuid& payment, std::string external_id) {
  return {.payment_id = payment,
          .external_id = std::move(external_id),
          .amount_cents = 10'000,
          .currency = "USD",
          .transfers = moved({Ledger::disputes}, {Ledger::processor}, 10'000, Processor::stripe) +
                       moved({Ledger::pending, seller}, {Ledger::frozen, seller}, 5'680) +
                       moved({Ledger::costs}, {Ledger::processor}, 1'500, Processor::stripe)};
}
inline payment::DisputeWon dispute_won(const Uuid& payment, std::string external_id) {
  return {.payment_id = payment,
          .external_id = std::move(external_id),
          .amount_cents = 10'000,
          .currency = "USD",
          .transfers = moved({Ledger::processor}, {Ledger::disputes}, 10'000, Processor::stripe) +
                       moved({Ledger::frozen, seller}, {Ledger::pending, seller}, 5'680)};
}
inline wallet::LedgerAdjusted adjusted(const Uuid& who, std::int64_t cents, std::string currency = "USD") {
  return {.wallet_id = who,
          .amount_cents = cents,
          .reason = "a gift",
          .currency = std::move(currency),
          .transfers = moved({Ledger::adjustments}, {Ledger::available, who}, cents)};
}
inline wallet::WalletSpent spent(const Uuid& payment, std::int64_t cents) {
  return {.wallet_id = buyer,
          .payment_id = payment,
          .amount_cents = cents,
          .currency = "USD",
          .transfers = moved({Ledger::available, buyer}, {Ledger::transit, payment}, cents)};
}
inline wallet::WalletSpendReversed spend_reversed(const Uuid& payment, std::int64_t cents) {
  return {.wallet_id = buyer,
          .payment_id = payment,
          .amount_cents = cents,
          .currency = "USD",
          .transfers = moved({Ledger::transit, payment}, {Ledger::available, buyer}, cents)};
}
inline payment::LatePaymentReceived came_late(const Uuid& payment, std::string external_id) {
  return {.payment_id = payment,
          .amount_cents = 10'000,
          .external_id = std::move(external_id),
          .currency = "USD",
          .transfers = moved({Ledger::processor}, {Ledger::suspense, payment}, 9'680, Processor::stripe) +
                       moved({Ledger::processor}, {Ledger::fees}, 320, Processor::stripe)};
}

}  // namespace guildhall::test
