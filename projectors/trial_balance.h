// The books, folded from the transfers of all events and from nothing else: what every account of the ledger was debited and
// credited, and who stands where. Balance = credits - debits. Every event sums to 0, so any prefix of any shard does.
//
// Accounts with an owner are summed over their owners in rows(), and told by owner in owners(). Rules (ledger.md): pending,
// frozen and payout of an owner and refunds of a processor are never below 0, disputes of a processor never above; what stands
// in transit or suspense belongs to payments whose flow has not ended.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "events/catalogue.h"
#include "events/record.h"
#include "ledger_generated.h"

namespace guildhall {

// Whether events of this type can move money: others need not be decoded.
bool carries_transfers(std::string_view type);

struct LedgerSums {
  std::int64_t debits = 0, credits = 0;  // Cents.
  std::int64_t balance() const { return credits - debits; }
  friend bool operator==(const LedgerSums&, const LedgerSums&) = default;
};

struct LedgerAccount {
  ::ledger::v1::Account account{};
  ::ledger::v1::Processor processor{};  // Of refunds, disputes, processor and fees; none of the others.
  std::string currency;
  friend bool operator==(const LedgerAccount&, const LedgerAccount&) = default;
};
// "pending", "refunds:stripe".
std::string name_of(const LedgerAccount& account);

struct LedgerRow {
  LedgerAccount account;
  LedgerSums sums;
  friend bool operator==(const LedgerRow&, const LedgerRow&) = default;
};
struct LedgerTotal {
  std::string currency;
  LedgerSums sums;
};
struct OwnerRow {
  LedgerAccount account;
  Uuid owner{};  // The user of pending, available, frozen and payout, the payment of transit and suspense.
  std::int64_t balance = 0;
  friend bool operator==(const OwnerRow&, const OwnerRow&) = default;
};
struct BrokenRule {
  OwnerRow row;  // The owner is nil where a processor's account breaks it.
  std::string_view rule;
};

class TrialBalance {
 public:
  // Throws CorruptLog for a transfer that the ledger does not allow: an amount that is not above 0, an account that this
  // version does not know, no currency.
  void add(const RecordHeader& at, const AnyEvent& event);

  std::vector<LedgerRow> rows() const;                           // That were ever used, by account, processor, currency.
  std::vector<LedgerTotal> totals() const;                       // One a currency.
  std::vector<OwnerRow> owners() const;                          // That don't stand at 0, by account, currency, owner.
  std::size_t payments_in(::ledger::v1::Account account) const;  // Transit or suspense: that don't stand at 0.
  std::vector<BrokenRule> broken_rules() const;
  std::uint64_t events() const { return events_; }  // That moved money.

 private:
  static constexpr std::size_t accounts = static_cast<std::size_t>(::ledger::v1::Account::MAX) + 1;
  static constexpr std::size_t processors = static_cast<std::size_t>(::ledger::v1::Processor::MAX) + 1;
  using Owners = std::unordered_map<Uuid, std::int64_t, UuidHash>;  // Of balances other than 0.
  struct Books {                                                    // Of one currency.
    std::array<std::array<LedgerSums, processors>, accounts> sums{};
    std::array<Owners, accounts> owners;
  };
  void post(Books& books, const ::ledger::v1::Transfer& transfer);
  void move(Books& books, ::ledger::v1::Account account, ::ledger::v1::Processor processor, const Uuid& owner,
            std::int64_t amount);

  std::map<std::string, Books, std::less<>> books_;
  std::uint64_t events_ = 0;
};

}  // namespace guildhall
