// Wallets, payouts and subscriptions as clients of producers_avenue read them (PA-35, PA-39, PA-91..99, A-PA-22): the seed's
// columns, the sums of the transfers, and nobody else's rows.
#include <gtest/gtest.h>

#include <pqxx/pqxx>

#include "infra/memory_row_store.h"
#include "infra/postgres_row_store.h"
#include "projectors/producers_avenue.h"
#include "tests/postgres_cluster.h"
#include "tests/projectors/projected.h"

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

// Ana has 20,000 cents, is paid 6,000 by PayPal, and gives up asking for 5,000 by Stripe. Bo has nothing.
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

class WalletRows : public testing::Test {
 protected:
  WalletRows() {
    write_wallets(written_);
    rows_.prepare(written_.log.identity());
    project_into(rows_, written_.log, 3, producers_avenue_projection());
  }
  // Each row's fields joined by spaces.
  std::vector<std::string> as(const Uuid& who, const std::string& query, const char* role = "authenticated") {
    pqxx::connection connection(url_);
    pqxx::work tx(connection);
    tx.exec0(std::string("SET LOCAL ROLE ") + role);
    tx.exec_params("SELECT set_config('request.jwt.claims', $1, true)",
                   R"({"role":")" + std::string(role) + R"(","sub":")" + to_string(who) + "\"}");
    std::vector<std::string> out;
    for (const auto& row : tx.exec(query)) {
      std::string line;
      for (const auto& field : row) line += (line.empty() ? "" : " ") + std::string(field.is_null() ? "-" : field.c_str());
      out.push_back(std::move(line));
    }
    return out;
  }

  using Lines = std::vector<std::string>;
  WrittenLog written_{2, "producers_avenue"};
  const std::string url_ = PostgresCluster::shared().new_database();
  PostgresRowStore rows_{url_, producers_avenue_projection(), producers_avenue_sql()};
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

TEST_F(WalletRows, the_twin_has_the_same_rows) {
  MemoryRowStore twin(producers_avenue_projection().tables);
  twin.prepare(written_.log.identity());
  project_into(twin, written_.log, 1, producers_avenue_projection());
  EXPECT_EQ(all_rows(rows_), all_rows(twin));
}

}  // namespace
}  // namespace guildhall
