// The arithmetic of money: fees, commission, refunds, and the transfers that each fact posts. Pure integers; no state, no time.
//
// T total, F processing fee, C commission as charged, S = T - F - C the seller's share; all in minor units of one currency.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ledger_generated.h"

#include "events/ids.h"

namespace guildhall::ledger {

using Account = ::ledger::v1::Account;
using Method = ::ledger::v1::Method;
using Processor = ::ledger::v1::Processor;
using Transfer = ::ledger::v1::Transfer;
using Transfers = std::vector<Transfer>;
using Cents = std::int64_t;

// A single amount. Products of two figures below it fit an int64.
inline constexpr Cents max_amount_cents = 2'147'483'647;
inline constexpr std::int32_t basis_points = 10'000;

// What may be asked for something: nothing, or at least the smallest price (A-PA-13).
inline bool is_price(Cents amount, Cents minimum) { return amount == 0 || (amount >= minimum && amount <= max_amount_cents); }

// What a processor keeps of a payment: half_up(rate_bp · amount) + fixed (PA-89, A-PA-10).
struct FeeRate {
  std::int32_t rate_bp = 0;
  Cents fixed_cents = 0;
};
Cents fee_of(const FeeRate& rate, Cents amount);
Cents commission_of(std::int32_t commission_bp, Cents amount);

struct Split {
  Cents fee = 0, commission = 0, seller = 0;
  friend bool operator==(const Split&, const Split&) = default;
};
// Where the fee and the full commission leave the seller nothing, the commission gives way first, down to 0 (A-PA-13). nullopt:
// the fee alone is more than the amount, and nothing can be sold at this price.
std::optional<Split> split_of(Cents amount, const FeeRate& rate, std::int32_t commission_bp);

// A sale, and what was given back of it, as asked for: a failed refund counts no more.
struct Sale {
  Cents total = 0, fee = 0, commission = 0;
  Cents refunded = 0;             // A: buyers' money.
  Cents commission_returned = 0;  // Of C.
  Cents fee_borne = 0;            // Of F, by whoever bore it.
};
// The next `amount` that goes back to the buyer, by the part of the commission in it, the part of the fee, and what the seller
// gives: amount = commission + seller, seller ≥ fee ≥ 0. Cumulative, so that parts sum to the whole (domain.md §11, ledger.md).
struct RefundParts {
  Cents commission = 0, fee = 0, seller = 0;
  friend bool operator==(const RefundParts&, const RefundParts&) = default;
};
RefundParts refund_parts(const Sale& sale, Cents amount);

// From where a seller's share is taken: pending as far as this sale's credit is unreleased, then available.
struct Held {
  Cents pending = 0, available = 0;
  Cents sum() const { return pending + available; }
  friend bool operator==(const Held&, const Held&) = default;
};
Held held_of(Cents unreleased, Cents wanted);

// Collects an event's transfers. Amounts of zero are left out; negative ones are our bug.
class Posting {
 public:
  struct Side {
    Account account;
    Uuid owner{};
  };
  explicit Posting(Processor processor = Processor::none) : processor_(processor) {}
  Posting& move(const Side& from, const Side& to, Cents amount);
  Posting& move_held(const Uuid& seller, const Held& held, const Side& to);      // From pending and available.
  Posting& return_held(const Uuid& seller, const Held& held, const Side& from);  // And back.
  Transfers done() { return std::move(transfers_); }

 private:
  Processor processor_;
  Transfers transfers_;
};

// The same transfers the other way round.
Transfers reversed(const Transfers& transfers);

}  // namespace guildhall::ledger
