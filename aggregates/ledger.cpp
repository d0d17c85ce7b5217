#include "aggregates/ledger.h"

#include <algorithm>

#include "events/check.h"

namespace guildhall::ledger {
namespace {

// round_half_up(a · b / c), for amounts within max_amount_cents.
Cents half_up(Cents a, Cents b, Cents c) { return (2 * a * b + c) / (2 * c); }

}  // namespace

Cents fee_of(const FeeRate& rate, Cents amount) { return half_up(rate.rate_bp, amount, basis_points) + rate.fixed_cents; }

Cents commission_of(std::int32_t commission_bp, Cents amount) { return half_up(commission_bp, amount, basis_points); }

std::optional<Split> split_of(Cents amount, const FeeRate& rate, std::int32_t commission_bp) {
  CHECK(amount > 0 && amount <= max_amount_cents);
  Split s{.fee = fee_of(rate, amount)};
  if (s.fee > amount) return std::nullopt;
  s.commission = std::min(commission_of(commission_bp, amount), amount - s.fee);
  s.seller = amount - s.fee - s.commission;
  return s;
}

RefundParts refund_parts(const Sale& sale, Cents amount) {
  const Cents after = sale.refunded + amount;
  CHECK(amount > 0 && after <= sale.total);
  // Against what has gone back so far rather than against f(A): the two differ by a cent after a refund in the middle failed.
  const Cents commission = std::clamp(half_up(sale.commission, after, sale.total) - sale.commission_returned, Cents{0}, amount);
  const Cents net = sale.total - sale.commission;
  const Cents borne = net == 0 ? 0 : half_up(after - sale.commission_returned - commission, sale.fee, net);
  return {commission, std::clamp(borne - sale.fee_borne, Cents{0}, amount - commission), amount - commission};
}

Held held_of(Cents unreleased, Cents wanted) {
  const Cents pending = std::min(unreleased, wanted);
  return {pending, wanted - pending};
}

Posting& Posting::move(const Side& from, const Side& to, Cents amount) {
  CHECK(amount >= 0);
  if (amount > 0) transfers_.emplace_back(from.owner, to.owner, amount, from.account, to.account, processor_);
  return *this;
}

Posting& Posting::move_held(const Uuid& seller, const Held& held, const Side& to) {
  return move({Account::pending, seller}, to, held.pending).move({Account::available, seller}, to, held.available);
}

Posting& Posting::return_held(const Uuid& seller, const Held& held, const Side& from) {
  return move(from, {Account::pending, seller}, held.pending).move(from, {Account::available, seller}, held.available);
}

Transfers reversed(const Transfers& transfers) {
  Transfers out;
  out.reserve(transfers.size());
  for (const Transfer& t : transfers)
    out.emplace_back(t.credit_owner(), t.debit_owner(), t.amount_cents(), t.credit(), t.debit(), t.processor());
  return out;
}

}  // namespace guildhall::ledger
