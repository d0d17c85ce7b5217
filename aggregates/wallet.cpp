#include "aggregates/wallet.h"

#include "aggregates/account.h"
#include "aggregates/ledger.h"
#include "events/check.h"

namespace guildhall {
namespace {

using namespace wallet;
using ::wallet::v1::StripeStatus;
using Account = ledger::Account;

StreamId stream_of(const Uuid& wallet_id) { return {StreamKind::wallet, wallet_id}; }

Accepted nothing_new(const Uuid& wallet_id) { return {.subject = {stream_of(wallet_id)}}; }

Accepted accept(const Uuid& wallet_id, AnyEvent event) {
  Accepted out = nothing_new(wallet_id);
  out.events.push_back({stream_of(wallet_id), std::move(event)});
  return out;
}

ledger::Transfers in_transit(const Uuid& wallet_id, const Uuid& payment_id, std::int64_t amount) {
  return ledger::Posting(ledger::Processor::wallet)
      .move({Account::available, wallet_id}, {Account::transit, payment_id}, amount)
      .done();
}

}  // namespace

// ---- decide

Decision decide(const SetPayoutMethod& c, const Context& at, const View& view) {
  if (!view.exists<WalletState>(c.wallet_id) || !may_act_for(at.actor, c.wallet_id)) return reject(Code::wallet_not_found);
  const auto& s = view.get<WalletState>(c.wallet_id);
  if (s.stripe_account_id == c.stripe_account_id && s.paypal_email == c.paypal_email) return nothing_new(c.wallet_id);
  if (is_held_back(at.actor, view.get<AccountState>(c.wallet_id))) return reject(Code::account_banned);
  PayoutMethodSet e{.wallet_id = c.wallet_id,
                    .stripe_account_id = c.stripe_account_id,
                    .paypal_email = c.paypal_email,
                    .stripe_account_status = s.stripe_account_status,
                    .paypal_verified = s.paypal_verified && s.paypal_email == c.paypal_email};
  if (s.stripe_account_id != c.stripe_account_id)
    e.stripe_account_status = c.stripe_account_id.empty() ? StripeStatus::none : StripeStatus::pending;
  return accept(c.wallet_id, std::move(e));
}

Decision decide(const RecordPayoutMethod& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<WalletState>(c.wallet_id)) return reject(Code::wallet_not_found);
  const auto& s = view.get<WalletState>(c.wallet_id);
  const auto stripe = c.stripe_account_status.value_or(s.stripe_account_status);
  const bool paypal = c.paypal_verified.value_or(s.paypal_verified);
  if (stripe == s.stripe_account_status && paypal == s.paypal_verified) return nothing_new(c.wallet_id);
  if ((stripe != StripeStatus::none && s.stripe_account_id.empty()) || (paypal && s.paypal_email.empty()))
    return reject(Code::payout_method_missing);
  return accept(c.wallet_id,
                PayoutMethodRecorded{.wallet_id = c.wallet_id, .stripe_account_status = stripe, .paypal_verified = paypal});
}

Decision decide(const AdjustWallet& c, const Context& at, const View& view) {
  if (!view.exists<WalletState>(c.wallet_id) || !may_act_for(at.actor, c.wallet_id)) return reject(Code::wallet_not_found);
  if (!at.actor.trusted()) return reject(Code::admin_only);
  const auto& s = view.get<WalletState>(c.wallet_id);
  // Only claw-backs and freezes take a wallet below zero.
  if (c.amount_cents < 0 && s.available + c.amount_cents < 0) return reject(Code::insufficient_balance);
  if (c.amount_cents == 0) return nothing_new(c.wallet_id);
  const ledger::Posting::Side available{Account::available, c.wallet_id}, adjustments{Account::adjustments};
  ledger::Posting posting;
  if (c.amount_cents > 0) posting.move(adjustments, available, c.amount_cents);
  else posting.move(available, adjustments, -c.amount_cents);
  return accept(c.wallet_id, LedgerAdjusted{.wallet_id = c.wallet_id,
                                            .amount_cents = c.amount_cents,
                                            .reason = c.reason,
                                            .currency = s.currency,
                                            .transfers = posting.done()});
}

Decision decide(const SpendFromWallet& c, const Context& at, const View& view) {
  if (at.actor.kind != ActorKind::system) return reject(Code::wallet_not_found);
  const auto& s = view.get<WalletState>(c.wallet_id);
  const auto refuse = [&](Code code) {
    return accept(c.wallet_id, WalletSpendRefused{.wallet_id = c.wallet_id,
                                                  .payment_id = c.payment_id,
                                                  .amount_cents = c.amount_cents,
                                                  .reason = std::string(name_of(code))});
  };
  if (view.get<AccountState>(c.wallet_id).status == ::account::v1::Status::banned) return refuse(Code::account_banned);
  if (c.amount_cents > s.available) return refuse(Code::insufficient_balance);
  return accept(c.wallet_id, WalletSpent{.wallet_id = c.wallet_id,
                                         .payment_id = c.payment_id,
                                         .amount_cents = c.amount_cents,
                                         .currency = s.currency,
                                         .transfers = in_transit(c.wallet_id, c.payment_id, c.amount_cents)});
}

Decision decide(const ReverseWalletSpend& c, const Context& at, const View& view) {
  if (at.actor.kind != ActorKind::system) return reject(Code::wallet_not_found);
  return accept(c.wallet_id,
                WalletSpendReversed{.wallet_id = c.wallet_id,
                                    .payment_id = c.payment_id,
                                    .amount_cents = c.amount_cents,
                                    .currency = view.get<WalletState>(c.wallet_id).currency,
                                    .transfers = ledger::reversed(in_transit(c.wallet_id, c.payment_id, c.amount_cents))});
}

Decision decide(const RefundToWallet& c, const Context& at, const View& view) {
  if (at.actor.kind != ActorKind::system) return reject(Code::wallet_not_found);
  return accept(c.wallet_id,
                WalletRefunded{.wallet_id = c.wallet_id,
                               .payment_id = c.payment_id,
                               .refund_id = c.refund_id,
                               .amount_cents = c.amount_cents,
                               .currency = view.get<WalletState>(c.wallet_id).currency,
                               .transfers = ledger::reversed(in_transit(c.wallet_id, c.payment_id, c.amount_cents))});
}

std::optional<StreamId> target(const SetPayoutMethod& c) { return stream_of(c.wallet_id); }
std::optional<StreamId> target(const RecordPayoutMethod& c) { return stream_of(c.wallet_id); }
std::optional<StreamId> target(const AdjustWallet& c) { return stream_of(c.wallet_id); }
std::optional<StreamId> target(const SpendFromWallet& c) { return stream_of(c.wallet_id); }
std::optional<StreamId> target(const ReverseWalletSpend& c) { return stream_of(c.wallet_id); }
std::optional<StreamId> target(const RefundToWallet& c) { return stream_of(c.wallet_id); }

bool takes_payouts(const WalletState& s, ::wallet::v1::PayoutMethod method) {
  switch (method) {
    case ::wallet::v1::PayoutMethod::stripe: return s.stripe_account_status == StripeStatus::enabled;
    case ::wallet::v1::PayoutMethod::paypal: return s.paypal_verified;
    case ::wallet::v1::PayoutMethod::none: return false;
  }
  return false;
}

// ---- apply

void apply(WalletState& s, const WalletOpened& e) {
  s.wallet_id = e.wallet_id;
  s.currency = e.currency;
}

void apply(WalletState& s, const PayoutMethodSet& e) {
  s.stripe_account_status = e.stripe_account_status;
  s.paypal_verified = e.paypal_verified;
  s.stripe_account_id = e.stripe_account_id;
  s.paypal_email = e.paypal_email;
}

void apply(WalletState& s, const PayoutMethodRecorded& e) {
  s.stripe_account_status = e.stripe_account_status;
  s.paypal_verified = e.paypal_verified;
}

// Their transfers are all that they say of the wallet.
void apply(WalletState&, const LedgerAdjusted&) {}
void apply(WalletState&, const WalletSpent&) {}
void apply(WalletState&, const WalletSpendRefused&) {}
void apply(WalletState&, const WalletSpendReversed&) {}
void apply(WalletState&, const WalletRefunded&) {}

void post(WalletState& s, const std::vector<::ledger::v1::Transfer>& transfers, WalletTotal total) {
  std::int64_t net = 0;
  auto processor = ledger::Processor::none;
  const auto move = [&](const Uuid& owner, Account account, std::int64_t amount) {
    if (!(owner == s.wallet_id)) return;
    switch (account) {
      case Account::pending: s.pending += amount; break;
      case Account::available: s.available += amount; break;
      case Account::frozen: s.frozen += amount; break;
      case Account::payout: s.payout += amount; break;
      default: return;
    }
    net += amount;
  };
  for (const auto& t : transfers) {
    move(t.debit_owner(), t.debit(), -t.amount_cents());
    move(t.credit_owner(), t.credit(), t.amount_cents());
    processor = t.processor();
  }
  const bool paypal = processor == ledger::Processor::paypal;
  switch (total) {
    case WalletTotal::none: CHECK(net == 0); break;
    case WalletTotal::earned:
      (processor == ledger::Processor::wallet ? s.earned_wallet : paypal ? s.earned_paypal : s.earned_stripe) += net;
      break;
    case WalletTotal::clawed_back: s.clawed_back -= net; break;
    case WalletTotal::withdrawn: (paypal ? s.withdrawn_paypal : s.withdrawn_stripe) -= net; break;
    case WalletTotal::spent: s.spent -= net; break;
    case WalletTotal::adjusted: s.adjusted += net; break;
  }
}

// ---- reply

AnyResource represent(const WalletState& s, std::uint64_t version, const Uuid&) {
  return WalletView{.id = s.wallet_id,
                    .version = version,
                    .balance_available = s.available,
                    .balance_pending = s.pending,
                    .balance_frozen = s.frozen,
                    .balance_in_payout = s.payout,
                    .total_earned = s.earned_stripe + s.earned_paypal + s.earned_wallet,
                    .total_withdrawn = s.withdrawn_stripe + s.withdrawn_paypal,
                    .total_spent_on_platform = s.spent,
                    .currency = s.currency,
                    .stripe_account_status = s.stripe_account_status,
                    .paypal_verified = s.paypal_verified,
                    .payouts_enabled = s.stripe_account_status == StripeStatus::enabled || s.paypal_verified};
}

bool shows_to(const WalletState& s, const Actor& actor) { return may_act_for(actor, s.wallet_id); }  // PA-96

}  // namespace guildhall
