#include "projectors/trial_balance.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace guildhall {
namespace {

using ::ledger::v1::Account;
using ::ledger::v1::Processor;
using ::ledger::v1::Transfer;

constexpr std::int64_t max_transfer_cents = 2'147'483'647;  // X-33; sums of them stay far within an int64.

template <class E>
inline constexpr bool moves_money = requires(const E& e) {
  e.transfers;
};

template <class Variant>
struct MoneyTypes;
template <class... E>
struct MoneyTypes<std::variant<E...>> {
  static const auto& names() {
    static const std::unordered_set<std::string_view> found = [] {
      std::unordered_set<std::string_view> out;
      (..., (moves_money<E> ? void(out.insert(type_name<E>())) : void()));
      return out;
    }();
    return found;
  }
};

bool has_processor(Account account) {
  return account == Account::refunds || account == Account::disputes || account == Account::processor || account == Account::fees;
}
bool has_owner(Account account) {
  return account == Account::pending || account == Account::available || account == Account::frozen ||
         account == Account::payout || account == Account::transit || account == Account::suspense;
}

std::size_t index(auto value) { return static_cast<std::size_t>(value); }

[[noreturn]] void fail(const RecordHeader& at, const std::string& what) {
  throw CorruptLog("shard " + std::to_string(at.shard) + ", sequence " + std::to_string(at.sequence) + ", " +
                   std::string(at.type) + ": " + what);
}

}  // namespace

bool carries_transfers(std::string_view type) { return MoneyTypes<AnyEvent::Types>::names().contains(type); }

std::string name_of(const LedgerAccount& account) {
  std::string out = ::ledger::v1::EnumNameAccount(account.account);
  if (has_processor(account.account)) out.append(":").append(::ledger::v1::EnumNameProcessor(account.processor));
  return out;
}

void TrialBalance::add(const RecordHeader& at, const AnyEvent& event) {
  visit(
      [&]<class E>(const E& e) {
        if constexpr (moves_money<E>) {
          static_assert(
              requires { std::string_view(e.currency); }, "an event with transfers names their currency");
          if (e.transfers.empty()) return;
          if (e.currency.empty()) fail(at, "transfers without a currency");
          Books& books = books_[e.currency];
          for (const Transfer& t : e.transfers) {
            if (t.amount_cents() <= 0 || t.amount_cents() > max_transfer_cents)
              fail(at, "a transfer of " + std::to_string(t.amount_cents()) + " cents");
            if (t.debit() > Account::MAX || t.credit() > Account::MAX || t.processor() > Processor::MAX)
              fail(at, "a transfer of an account that this version does not know");
            post(books, t);
          }
          ++events_;
        }
      },
      event);
}

void TrialBalance::post(Books& books, const Transfer& t) {
  move(books, t.debit(), t.processor(), t.debit_owner(), -t.amount_cents());
  move(books, t.credit(), t.processor(), t.credit_owner(), t.amount_cents());
}

// A transfer names one processor for both of its sides: only some accounts are kept by processor.
void TrialBalance::move(Books& books, Account account, Processor processor, const Uuid& owner, std::int64_t amount) {
  LedgerSums& sums = books.sums[index(account)][has_processor(account) ? index(processor) : 0];
  (amount < 0 ? sums.debits : sums.credits) += amount < 0 ? -amount : amount;
  if (!has_owner(account)) return;
  Owners& owners = books.owners[index(account)];
  const auto at = owners.try_emplace(owner).first;
  at->second += amount;
  if (at->second == 0) owners.erase(at);
}

std::vector<LedgerRow> TrialBalance::rows() const {
  std::vector<LedgerRow> out;
  for (const Account account : ::ledger::v1::EnumValuesAccount())
    for (const Processor processor : ::ledger::v1::EnumValuesProcessor())
      for (const auto& [currency, books] : books_)
        if (const LedgerSums& sums = books.sums[index(account)][index(processor)]; sums != LedgerSums{})
          out.push_back({{account, processor, currency}, sums});
  return out;
}

std::vector<LedgerTotal> TrialBalance::totals() const {
  std::vector<LedgerTotal> out;
  for (const auto& [currency, books] : books_) {
    LedgerSums total;
    for (const auto& of_account : books.sums)
      for (const LedgerSums& sums : of_account) {
        total.debits += sums.debits;
        total.credits += sums.credits;
      }
    out.push_back({currency, total});
  }
  return out;
}

std::vector<OwnerRow> TrialBalance::owners() const {
  std::vector<OwnerRow> out;
  for (const Account account : ::ledger::v1::EnumValuesAccount())
    for (const auto& [currency, books] : books_) {
      const auto first = std::ssize(out);
      for (const auto& [owner, balance] : books.owners[index(account)])
        out.push_back({{account, Processor::none, currency}, owner, balance});
      std::ranges::sort(out.begin() + first, out.end(), UuidLess{}, &OwnerRow::owner);
    }
  return out;
}

std::size_t TrialBalance::payments_in(Account account) const {
  std::size_t out = 0;
  for (const auto& [currency, books] : books_) out += books.owners[index(account)].size();
  return out;
}

std::vector<BrokenRule> TrialBalance::broken_rules() const {
  std::vector<BrokenRule> out;
  for (OwnerRow& row : owners()) {
    const Account account = row.account.account;
    const bool bounded = account == Account::pending || account == Account::frozen || account == Account::payout;
    if (bounded && row.balance < 0) out.push_back({std::move(row), "must not be below 0"});
  }
  for (LedgerRow& row : rows()) {
    const std::int64_t balance = row.sums.balance();
    if (row.account.account == Account::refunds && balance < 0)
      out.push_back({{std::move(row.account), {}, balance}, "must not be below 0"});
    else if (row.account.account == Account::disputes && balance > 0)
      out.push_back({{std::move(row.account), {}, balance}, "must not be above 0"});
  }
  return out;
}

}  // namespace guildhall
