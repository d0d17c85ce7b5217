// Wallets, payouts and subscriptions as clients of producers_avenue read them (PA-35, PA-39, PA-91..99, A-PA-22): the seed's
// columns, the sums of the transfers, and nobody else's rows.
#include <gtest/gtest.h>

#include <pqxx/pqxx>

#include "projectors/producers_avenue.h"
#include "tests/projectors/rows_as_read.h"

namespace guildhall {
namespace {

using Account = ::ledger::v1::Account;
using Processor = ::ledger::v1::Processor;
using Transfers = std::vector<::ledger::v1::Transfer>;

const Uuid ana = test_id(1001), bo = test_id(1002), paid_out = test_id(2001), given_up = test_id(2002);

Transfers move(const Uuid& debit_owner, Account debit, const Uuid& credit_owner, Account credit, std::int64_t amount,
               Processor processor = Processor::none) {
  return {{debit_owner, credit_owner, amount, debit, credit, processor}};
}

// Ana has 20,000 cents, is paid 6,000 by PayPal, late, and gives up asking for 5,000 by Stripe. Bo has nothing.
void write_wallets(WrittenLog& log) {
  for (const Uuid& who : {ana, bo}) {
    account::AccountRegistered e;
    e.account_id = who;
    e.display_name = who == ana ? "Ana" : "Bo";
    e.role = ::account::v1::Role::member;
    e.timezone = "UTC";
    log.append(0, {{{StreamKind::account, who}, e},
                   {{StreamKind::subscription, who}, subscription::SubscriptionStarted{.account_id = who}},
                   {{StreamKind::wallet, who}, wallet::WalletOpened{.wallet_id = who, .currency = "USD"}}});
  }
  const StreamId wallet{StreamKind::wallet, ana}, first{StreamKind::payout, paid_out}, second{StreamKind::payout, given_up};
  log.append(0, {{wallet, wallet::PayoutMethodSet{.wallet_id = ana,
                                                  .stripe_account_id = "acct_1",
                                                  .paypal_email = "ana@example.com",
                                                  .stripe_account_status = ::wallet::v1::StripeStatus::pending}}});
  log.append(0, {{wallet,
                  wallet::PayoutMethodRecorded{
                      .wallet_id = ana, .stripe_account_status = ::wallet::v1::StripeStatus::pending, .paypal_verified = true}}});
  log.append(0, {{wallet, wallet::LedgerAdjusted{.wallet_id = ana,
                                                 .amount_cents = 20'000,
                                                 .reason = "a gift",
                                                 .currency = "USD",
                                                 .transfers = move({}, Account::adjustments, ana, Account::available, 20'000)}}});
  log.append(0, {{first, payout::PayoutRequested{
                             .payout_id = paid_out,
                             .wallet_id = ana,
                             .amount_cents = 6'000,
                             .payout_method = ::wallet::v1::PayoutMethod::paypal,
                             .destination = "ana@example.com",
                             .currency = "USD",
                             .transfers = move(ana, Account::available, ana, Account::payout, 6'000, Processor::paypal)}}});
  log.append(0, {{second, payout::PayoutRequested{
                              .payout_id = given_up,
                              .wallet_id = ana,
                              .amount_cents = 5'000,
                              .payout_method = ::wallet::v1::PayoutMethod::stripe,
                              .destination = "acct_1",
                              .currency = "USD",
                              .transfers = move(ana, Account::available, ana, Account::payout, 5'000, Processor::stripe)}}});
  log.append(0, {{first, payout::PayoutApproved{.payout_id = paid_out, .approved_by = bo}}});
  log.append(0, {{first, payout::PayoutOverdue{.payout_id = paid_out}}});
  log.append(0, {{first, payout::PayoutCompleted{
                             .payout_id = paid_out,
                             .external_id = "batch_9",
                             .currency = "USD",
                             .transfers = move(ana, Account::payout, {}, Account::processor, 6'000, Processor::paypal)}}});
  log.append(0, {{second, payout::PayoutCancelled{
                              .payout_id = given_up,
                              .currency = "USD",
                              .transfers = move(ana, Account::payout, ana, Account::available, 5'000, Processor::stripe)}}});
}

class WalletRows : public RowsAsRead {
 protected:
  WalletRows() : RowsAsRead(producers_avenue_projection(), producers_avenue_sql()) { write_wallets(written_); }
};

TEST_F(WalletRows, balances_and_totals_are_sums_of_transfers) {  // PA-92, PA-94, A-PA-16
  EXPECT_EQ(as(ana,
               "SELECT balance_available, balance_pending, balance_in_payout, total_withdrawn_stripe, total_withdrawn_paypal, "
               "total_withdrawn, total_earned, total_adjusted, payouts_enabled FROM producers_avenue.wallets"),
            Lines{"14000 0 0 0 6000 6000 0 20000 t"});
  EXPECT_EQ(as(bo, "SELECT balance_available, payouts_enabled, stripe_account_status FROM producers_avenue.wallets"),
            Lines{"0 f -"});
}

TEST_F(WalletRows, payouts_and_their_transactions) {  // PA-98, PA-99, A-PA-17, A-PA-22
  EXPECT_EQ(as(ana,
               "SELECT amount, payout_method, stripe_payout_id, paypal_batch_id, status, approved_at IS NOT NULL, "
               "completed_at IS NOT NULL FROM producers_avenue.payouts ORDER BY requested_at"),
            (Lines{"6000 paypal - batch_9 completed t t", "5000 stripe - - cancelled f f"}));
  EXPECT_EQ(
      as(ana,
         "SELECT buyer_id, transaction_type, amount_total, amount_fees, amount_commission, amount_seller, payment_processor, "
         "status FROM producers_avenue.transactions ORDER BY created_at"),
      (Lines{"- payout 6000 0 0 6000 paypal completed", "- payout 5000 0 0 5000 stripe failed"}));
}

TEST_F(WalletRows, an_overdue_payout_says_since_when) {  // PY-7: operators look for those that still process
  const std::string query =
      "SELECT status, overdue_at IS NOT NULL FROM producers_avenue.payouts WHERE id = '" + to_string(paid_out) + "'";
  EXPECT_EQ(as({}, query, "service_role"), Lines{"completed t"});
  const Uuid stuck = test_id(2003);
  const StreamId stream{StreamKind::payout, stuck};
  payout::PayoutRequested asked;
  asked.payout_id = stuck;
  asked.wallet_id = ana;
  asked.amount_cents = 5'000;
  asked.currency = "USD";
  written_.append(0, {{stream, asked}, {stream, payout::PayoutApproved{.payout_id = stuck}}});
  written_.append(0, {{stream, payout::PayoutOverdue{.payout_id = stuck}}});
  project_into(rows_, written_.log, 3, producers_avenue_projection());
  const std::string overdue =
      "SELECT id FROM producers_avenue.payouts WHERE status = 'processing' AND overdue_at IS NOT NULL";
  EXPECT_EQ(as({}, overdue, "service_role"), Lines{to_string(stuck)});
  EXPECT_EQ(as(bo, overdue), Lines{});
}

TEST_F(WalletRows, a_wallets_transactions_are_its_sales_and_what_it_paid) {  // A-PA-59: there is no wallet_id
  const auto pay = [&](const Uuid& id, const Uuid& buyer, const Uuid& seller, std::int64_t amount, bool by_wallet) {
    const StreamId stream{StreamKind::payment, id};
    payment::PaymentInitiated e;
    e.payment_id = id;
    e.subject_id = e.related_id = test_id(3000);
    e.payer_id = buyer;
    e.payee_id = seller;
    e.purpose = ::payment::v1::Purpose::purchase;
    e.amount_cents = amount;
    e.currency = "USD";
    e.processor = by_wallet ? "wallet" : "stripe";
    e.method = by_wallet ? ::ledger::v1::Method::wallet_balance : ::ledger::v1::Method::card;
    e.commission_cents = amount / 10;
    e.seller_cents = amount - amount / 10;
    written_.append(0, {{stream, e}});
    const Account from = by_wallet ? Account::transit : Account::processor;
    const Processor processor = by_wallet ? Processor::wallet : Processor::stripe;
    if (by_wallet)
      written_.append(0, {{{StreamKind::wallet, buyer},
                           wallet::WalletSpent{.wallet_id = buyer,
                                               .payment_id = id,
                                               .amount_cents = amount,
                                               .currency = "USD",
                                               .transfers = move(buyer, Account::available, id, Account::transit, amount)}}});
    Transfers arrived = move({}, from, seller, Account::pending, e.seller_cents, processor);
    arrived.push_back(move({}, from, {}, Account::commission, e.commission_cents, processor)[0]);
    written_.append(0, {{stream, payment::PaymentCaptured{
                                     .payment_id = id, .amount_cents = amount, .currency = "USD", .transfers = arrived}}});
  };
  pay(test_id(3001), bo, ana, 2'000, false);
  pay(test_id(3002), bo, ana, 1'000, false);
  pay(test_id(3003), ana, bo, 3'000, true);
  project_into(rows_, written_.log, 3, producers_avenue_projection());
  const std::string sales =
      "SELECT count(t.id), sum(t.amount_seller), min(w.total_earned) FROM producers_avenue.wallets w JOIN "
      "producers_avenue.transactions t ON t.seller_id = w.id AND t.transaction_type = 'product_purchase' GROUP BY w.id";
  const std::string spending =
      "SELECT count(t.id), sum(t.amount_total), min(w.total_spent_on_platform) FROM producers_avenue.wallets w JOIN "
      "producers_avenue.transactions t ON t.buyer_id = w.id AND t.payment_method = 'wallet_balance' GROUP BY w.id";
  EXPECT_EQ(as(ana, sales), Lines{"2 2700 2700"});
  EXPECT_EQ(as(bo, sales), Lines{"1 2700 2700"});
  EXPECT_EQ(as(ana, spending), Lines{"1 3000 3000"});
  EXPECT_EQ(as(bo, spending), Lines{}) << "by card";
  EXPECT_EQ(as({}, sales + " ORDER BY count(t.id)", "service_role"), (Lines{"1 2700 2700", "2 2700 2700"}));
}

TEST_F(WalletRows, everyone_reads_their_own_and_nobody_writes) {  // PA-39, PA-91, PA-96, PA-99
  for (const std::string view : {"payouts", "transactions"}) {
    const std::string count = "SELECT count(*) FROM producers_avenue." + view;
    EXPECT_EQ(as(ana, count), Lines{"2"}) << view;
    EXPECT_EQ(as(bo, count), Lines{"0"}) << view;
    EXPECT_EQ(as(bo, count, "anon"), Lines{"0"}) << view;
    EXPECT_EQ(as(bo, count, "service_role"), Lines{"2"}) << view;
  }
  for (const std::string view : {"wallets", "subscriptions"}) {
    EXPECT_EQ(as(bo, "SELECT user_id FROM producers_avenue." + view), Lines{to_string(bo)}) << view;
    EXPECT_EQ(as(test_id(9), "SELECT user_id FROM producers_avenue." + view), Lines{}) << view;
  }
  EXPECT_EQ(as(bo, "SELECT tier, interval, status FROM producers_avenue.subscriptions"), Lines{"basic - active"});  // PA-15
  EXPECT_THROW(as(ana, "UPDATE producers_avenue_rm.wallets SET balance_available = 1"), pqxx::insufficient_privilege);
  EXPECT_THROW(as(ana, "DELETE FROM producers_avenue_rm.payouts"), pqxx::insufficient_privilege);
}

TEST_F(WalletRows, the_twin_has_the_same_rows) { expect_same_twin(); }

}  // namespace
}  // namespace guildhall
