#include "aggregates/payout.h"

#include "aggregates/account.h"
#include "aggregates/ledger.h"
#include "aggregates/wallet.h"

namespace guildhall {
namespace {

using namespace payout;
using ::payout::v1::Status;
using ::wallet::v1::PayoutMethod;
using Account = ledger::Account;

StreamId stream_of(const Uuid& payout_id) { return {StreamKind::payout, payout_id}; }

Accepted nothing_new(const Uuid& payout_id) { return {.subject = {stream_of(payout_id)}}; }

Accepted accept(const Uuid& payout_id, AnyEvent event, bool created = false) {
  Accepted out = nothing_new(payout_id);
  out.events.push_back({stream_of(payout_id), std::move(event)});
  out.created = created;
  return out;
}

ledger::Processor processor_of(PayoutMethod method) {
  return method == PayoutMethod::paypal ? ledger::Processor::paypal : ledger::Processor::stripe;
}

ledger::Transfers moved(PayoutMethod method, const Uuid& wallet, Account from, Account to, std::int64_t amount) {
  const auto side = [&](Account account) {
    return ledger::Posting::Side{account, account == Account::processor ? Uuid{} : wallet};
  };
  return ledger::Posting(processor_of(method)).move(side(from), side(to), amount).done();
}

ledger::Transfers moved(const PayoutState& s, Account from, Account to) {
  return moved(s.payout_method, s.wallet_id, from, to, s.amount_cents);
}

// Strangers learn nothing of a payout (PA-99).
bool is_party(const Actor& actor, const Uuid& payout_id, const View& view) {
  return view.exists<PayoutState>(payout_id) && may_act_for(actor, view.get<PayoutState>(payout_id).wallet_id);
}

}  // namespace

// ---- decide

Decision decide(const RequestPayout& c, const Context& at, const View& view) {
  if (!view.exists<WalletState>(c.wallet_id) || !may_act_for(at.actor, c.wallet_id)) return reject(Code::wallet_not_found);
  if (is_held_back(at.actor, view.get<AccountState>(c.wallet_id))) return reject(Code::account_banned);
  const auto& wallet = view.get<WalletState>(c.wallet_id);
  if (!takes_payouts(wallet, c.payout_method)) return reject(Code::payouts_not_enabled);
  if (c.amount_cents < at.policy.min_payout_cents) return reject(Code::payout_below_minimum);
  if (c.amount_cents > wallet.available) return reject(Code::insufficient_balance);
  const Uuid id = at.mint("payout");
  const bool paypal = c.payout_method == PayoutMethod::paypal;
  return accept(
      id,
      PayoutRequested{.payout_id = id,
                      .wallet_id = c.wallet_id,
                      .amount_cents = c.amount_cents,
                      .payout_method = c.payout_method,
                      .destination = paypal ? wallet.paypal_email : wallet.stripe_account_id,
                      .currency = wallet.currency,
                      .transfers = moved(c.payout_method, c.wallet_id, Account::available, Account::payout, c.amount_cents)},
      true);
}

Decision decide(const ApprovePayout& c, const Context& at, const View& view) {
  if (!is_party(at.actor, c.payout_id, view)) return reject(Code::payout_not_found);
  if (!at.actor.trusted()) return reject(Code::admin_only);
  const auto& s = view.get<PayoutState>(c.payout_id);
  if (s.status == Status::processing || s.status == Status::completed) return nothing_new(c.payout_id);
  if (s.status != Status::pending) return reject(Code::payout_not_pending);
  return accept(c.payout_id, PayoutApproved{.payout_id = c.payout_id,
                                            .approved_by = at.actor.account,
                                            .overdue_at = at.now + at.policy.payout_overdue_us});
}

Decision decide(const CancelPayout& c, const Context& at, const View& view) {
  if (!is_party(at.actor, c.payout_id, view)) return reject(Code::payout_not_found);
  const auto& s = view.get<PayoutState>(c.payout_id);
  if (s.status == Status::cancelled) return nothing_new(c.payout_id);
  if (s.status != Status::pending) return reject(Code::payout_not_pending);
  return accept(c.payout_id, PayoutCancelled{.payout_id = c.payout_id,
                                             .currency = s.currency,
                                             .transfers = moved(s, Account::payout, Account::available)});
}

Decision decide(const RecordPayoutCompleted& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<PayoutState>(c.payout_id)) return reject(Code::payout_not_found);
  const auto& s = view.get<PayoutState>(c.payout_id);
  if (s.status == Status::completed || s.returned) return nothing_new(c.payout_id);
  if (s.status != Status::processing) return reject(Code::payout_not_processing);
  return accept(c.payout_id, PayoutCompleted{.payout_id = c.payout_id,
                                             .external_id = c.external_id,
                                             .currency = s.currency,
                                             .transfers = moved(s, Account::payout, Account::processor)});
}

Decision decide(const RecordPayoutFailed& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<PayoutState>(c.payout_id)) return reject(Code::payout_not_found);
  const auto& s = view.get<PayoutState>(c.payout_id);
  if (s.status == Status::failed) return nothing_new(c.payout_id);
  if (s.status != Status::processing) return reject(Code::payout_not_processing);
  return accept(c.payout_id, PayoutFailed{.payout_id = c.payout_id,
                                          .reason = c.reason,
                                          .currency = s.currency,
                                          .transfers = moved(s, Account::payout, Account::available)});
}

Decision decide(const RecordPayoutReturned& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<PayoutState>(c.payout_id)) return reject(Code::payout_not_found);
  const auto& s = view.get<PayoutState>(c.payout_id);
  if (s.returned) return nothing_new(c.payout_id);
  if (s.status != Status::completed) return reject(Code::payout_not_completed);
  return accept(c.payout_id, PayoutReturned{.payout_id = c.payout_id,
                                            .reason = c.reason,
                                            .currency = s.currency,
                                            .transfers = moved(s, Account::processor, Account::available)});
}

Decision decide(const MarkPayoutOverdue& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<PayoutState>(c.payout_id)) return reject(Code::payout_not_found);
  const auto& s = view.get<PayoutState>(c.payout_id);
  // Its outcome came while its timer was on its way.
  if (s.status != Status::processing || s.is_overdue || at.now < s.overdue_at) return nothing_new(c.payout_id);
  return accept(c.payout_id, PayoutOverdue{.payout_id = c.payout_id});
}

std::optional<StreamId> target(const RequestPayout&) { return std::nullopt; }
std::optional<StreamId> target(const ApprovePayout& c) { return stream_of(c.payout_id); }
std::optional<StreamId> target(const CancelPayout& c) { return stream_of(c.payout_id); }
std::optional<StreamId> target(const RecordPayoutCompleted& c) { return stream_of(c.payout_id); }
std::optional<StreamId> target(const RecordPayoutFailed& c) { return stream_of(c.payout_id); }
std::optional<StreamId> target(const RecordPayoutReturned& c) { return stream_of(c.payout_id); }
std::optional<StreamId> target(const MarkPayoutOverdue& c) { return stream_of(c.payout_id); }

// ---- apply

void apply(PayoutState& s, const PayoutRequested& e) {
  s.payout_id = e.payout_id;
  s.wallet_id = e.wallet_id;
  s.amount_cents = e.amount_cents;
  s.currency = e.currency;
  s.payout_method = e.payout_method;
  s.destination = e.destination;
  s.status = Status::pending;
}

void apply(PayoutState& s, const PayoutApproved& e) {
  s.status = Status::processing;
  s.overdue_at = e.overdue_at;
}

void apply(PayoutState& s, const PayoutOverdue&) { s.is_overdue = true; }
void apply(PayoutState& s, const PayoutCompleted&) { s.status = Status::completed; }
void apply(PayoutState& s, const PayoutFailed&) { s.status = Status::failed; }
void apply(PayoutState& s, const PayoutCancelled&) { s.status = Status::cancelled; }

void apply(PayoutState& s, const PayoutReturned&) {
  s.status = Status::failed;
  s.returned = true;
}

// ---- reply, timers, effect

AnyResource represent(const PayoutState& s, std::uint64_t version, const Uuid&) {
  return PayoutView{.id = s.payout_id,
                    .version = version,
                    .wallet_id = s.wallet_id,
                    .amount_cents = s.amount_cents,
                    .currency = s.currency,
                    .payout_method = s.payout_method,
                    .status = s.status,
                    .is_overdue = s.status == Status::processing && s.is_overdue};
}

bool shows_to(const PayoutState& s, const Actor& actor) { return may_act_for(actor, s.wallet_id); }

std::vector<Timer> timers(const PayoutState& s) {
  if (s.status != Status::processing || s.is_overdue) return {};
  return {{"overdue", s.overdue_at, MarkPayoutOverdue{.payout_id = s.payout_id}}};
}

std::optional<Effect> effect(const PayoutState& s) {
  if (s.status != Status::processing) return std::nullopt;
  return Effect{derive_in_group("effect/payout", s.payout_id, 0, bucket_of(s.payout_id)),
                ::payment::v1::Call::payout,
                s.payout_id,
                s.amount_cents,
                s.currency,
                s.payout_method == PayoutMethod::paypal ? "paypal" : "stripe",
                s.destination};
}

}  // namespace guildhall
