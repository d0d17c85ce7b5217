#include "projectors/reconciliation.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace guildhall {
namespace {

using ::ledger::v1::Account;
using ::ledger::v1::Processor;
using ::ledger::v1::Transfer;

enum class Type : std::uint8_t { charge, refund, refund_failed, payout, payout_return, dispute, dispute_won, other };
constexpr std::array<std::string_view, 8> type_names{"charge",        "refund",  "refund_failed", "payout",
                                                     "payout_return", "dispute", "dispute_won",   "other"};

// Comes into the processor, for `to`.
Type received(Account to) {
  switch (to) {
    case Account::pending:
    case Account::commission:
    case Account::suspense:
    case Account::subscriptions:
    case Account::fees: return Type::charge;
    case Account::refunds: return Type::refund_failed;
    case Account::available: return Type::payout_return;
    case Account::disputes: return Type::dispute_won;
    default: return Type::other;
  }
}

// Leaves the processor, out of `from`.
Type given(Account from) {
  switch (from) {
    case Account::refunds: return Type::refund;
    case Account::payout: return Type::payout;
    case Account::disputes:
    case Account::costs: return Type::dispute;
    default: return Type::other;
  }
}

struct Part {
  Type type;
  std::int64_t amount_cents = 0, fee_cents = 0;
};

// Nothing for a transfer that does not touch a processor.
std::optional<Part> part_of(const Transfer& t) {
  const std::int64_t amount = t.amount_cents();
  if (t.debit() == Account::processor) return Part{received(t.credit()), amount, t.credit() == Account::fees ? amount : 0};
  if (t.credit() != Account::processor) return std::nullopt;
  if (t.debit() == Account::costs) return Part{given(t.debit()), 0, amount};
  return Part{given(t.debit()), amount, 0};
}

template <class E>
Uuid own_id_of(const RecordHeader& at, const E& e) {
  if constexpr (requires { is_nil(e.refund_id); }) return e.refund_id;
  else if constexpr (requires { is_nil(e.payment_id); }) return e.payment_id;
  else return at.stream.id;
}

template <class E>
std::string external_id_of(const E& e) {
  if constexpr (requires { e.external_id.empty(); }) return e.external_id;
  else return {};
}

auto key_of(const Movement& m) { return std::tie(m.processor, m.type, m.external_id); }

std::vector<std::string_view> differences(const Movement& a, const Movement& b) {
  std::vector<std::string_view> out;
  if (a.amount_cents != b.amount_cents) out.push_back("amount_cents");
  if (a.fee_cents != b.fee_cents) out.push_back("fee_cents");
  if (a.currency != b.currency) out.push_back("currency");
  return out;
}

struct Told {
  std::vector<const Movement*> log, file;
};

// What agrees leaves the list; the others keep their order.
std::size_t take_agreeing(Told& told, const Period& period) {
  std::size_t agreeing = 0;
  std::erase_if(told.log, [&](const Movement* l) {
    const auto found = std::ranges::find_if(told.file, [&](const Movement* f) { return differences(*l, *f).empty(); });
    if (found == told.file.end()) return false;
    if (period.has(l->time) || period.has((*found)->time)) ++agreeing;
    told.file.erase(found);
    return true;
  });
  return agreeing;
}

Micros time_of(const Mismatch& m) { return m.in_log ? m.in_log->time : m.in_file->time; }

}  // namespace

std::vector<Movement> ProcessorMovements::of(const RecordHeader& at, const AnyEvent& event) {
  std::map<std::pair<Processor, Type>, Movement> found;
  Uuid own_id;
  visit(
      [&]<class E>(const E& e) {
        if constexpr (requires { e.transfers; }) {
          own_id = own_id_of(at, e);
          for (const Transfer& t : e.transfers) {
            const auto part = part_of(t);
            if (!part) continue;
            Movement& m = found[{t.processor(), part->type}];
            m.external_id = external_id_of(e);
            m.amount_cents += part->amount_cents;
            m.fee_cents += part->fee_cents;
            m.currency = e.currency;
          }
        }
      },
      event);
  std::vector<Movement> out;
  for (auto& [key, m] : found) {
    const auto [processor, type] = key;
    m.processor = ::ledger::v1::EnumNameProcessor(processor);
    m.type = type_names[static_cast<std::size_t>(type)];
    m.time = at.time;
    if (const auto made = made_.find(own_id); m.external_id.empty() && made != made_.end()) m.external_id = made->second;
    if (m.external_id.empty()) m.external_id = to_string(own_id);
    if (type == Type::refund || type == Type::payout) made_[own_id] = m.external_id;
    out.push_back(std::move(m));
  }
  return out;
}

Reconciliation reconcile(const std::vector<Movement>& log, const std::vector<Movement>& file, const Period& period) {
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, Told> all;
  for (const Movement& m : log) all[key_of(m)].log.push_back(&m);
  for (const Movement& m : file) all[key_of(m)].file.push_back(&m);

  Reconciliation out;
  for (auto& [key, told] : all) {
    out.agreeing += take_agreeing(told, period);
    for (std::size_t i = 0; i < std::max(told.log.size(), told.file.size()); ++i) {
      Mismatch mismatch;
      if (i < told.log.size()) mismatch.in_log = *told.log[i];
      if (i < told.file.size()) mismatch.in_file = *told.file[i];
      const auto judged = [&](const std::optional<Movement>& m) { return m && period.has(m->time); };
      if (!judged(mismatch.in_log) && !judged(mismatch.in_file)) continue;
      if (mismatch.in_log && mismatch.in_file) mismatch.fields = differences(*mismatch.in_log, *mismatch.in_file);
      out.mismatches.push_back(std::move(mismatch));
    }
  }
  std::ranges::stable_sort(out.mismatches, {}, time_of);
  return out;
}

}  // namespace guildhall
