// The books: ledger.md's accounts and rules (PA-87, PA-92..99).
#include "projectors/trial_balance.h"

#include <gtest/gtest.h>

#include "tests/projectors/money_events.h"

namespace guildhall::test {
namespace {

const RecordHeader here{.shard = 3, .sequence = 17, .type = "payment.v1.PaymentCaptured"};

class Books : public testing::Test {
 public:
  void given(const auto&... events) { (books.add(here, AnyEvent(events)), ...); }
  std::string rows() const {
    std::string out;
    for (const auto& [account, sums] : books.rows())
      out += name_of(account) + " " + account.currency + " " + std::to_string(sums.debits) + " " + std::to_string(sums.credits) +
             "\n";
    return out;
  }
  std::string owners() const {
    std::string out;
    for (const auto& [account, owner, balance] : books.owners())
      out += name_of(account) + " " + to_string(owner).substr(34) + " " + std::to_string(balance) + " " + account.currency + "\n";
    return out;
  }
  std::string broken() const {
    std::string out;
    for (const auto& [row, rule] : books.broken_rules())
      out += name_of(row.account) + " " + std::to_string(row.balance) + " " + std::string(rule) + "\n";
    return out;
  }
  std::int64_t total() const {
    std::int64_t out = 0;
    for (const auto& t : books.totals()) out += t.sums.balance();
    return out;
  }

  TrialBalance books;
  const Uuid payment = money_id(1), refund = money_id(2), payout = money_id(3);
};

TEST_F(Books, a_sale_a_refund_and_a_payout) {
  given(captured(payment, "ch_1"), refund_requested(payment, refund), refunded(payment, refund, "re_1"));
  given(released(payment, 2'680), payout_requested(payout, 2'680), payout_completed(payout, "po_1", 2'680));
  EXPECT_EQ(rows(),
            "pending USD 5680 5680\n"
            "available USD 2680 2680\n"
            "payout USD 2680 2680\n"
            "refunds:stripe USD 5000 5000\n"
            "processor:stripe USD 10000 5000\n"
            "processor:paypal USD 0 2680\n"
            "fees:stripe USD 0 320\n"
            "commission USD 2000 4000\n");
  EXPECT_EQ(owners(), "") << "nobody is left with anything";
  EXPECT_EQ(broken(), "");
  EXPECT_EQ(total(), 0);
  EXPECT_EQ(books.events(), 6u);
}

TEST_F(Books, currencies_have_totals_of_their_own) {
  given(adjusted(seller, 700), adjusted(seller, 300, "EUR"));
  EXPECT_EQ(rows(), "available EUR 0 300\navailable USD 0 700\nadjustments EUR 300 0\nadjustments USD 700 0\n");
  ASSERT_EQ(books.totals().size(), 2u);
  EXPECT_EQ(books.totals()[0].currency, "EUR");
  EXPECT_EQ(books.totals()[0].sums, (LedgerSums{300, 300}));
  EXPECT_EQ(owners(), "available a1 300 EUR\navailable a1 700 USD\n");
}

TEST_F(Books, what_is_under_way_is_told_by_payment) {
  given(adjusted(buyer, 900), spent(payment, 500), spent(money_id(4), 400), spend_reversed(payment, 500));
  given(came_late(money_id(5), "ch_5"));
  EXPECT_EQ(owners(), "available b1 500 USD\ntransit 04 400 USD\nsuspense 05 9680 USD\n");
  EXPECT_EQ(books.payments_in(Ledger::transit), 1u);
  EXPECT_EQ(books.payments_in(Ledger::suspense), 1u);
  EXPECT_EQ(broken(), "");
}

TEST_F(Books, each_rule_of_the_table_is_looked_at) {
  const struct {
    Transfers transfers;
    const char* broken;
  } cases[] = {
      {moved({Ledger::pending, seller}, {Ledger::commission}, 1), "pending -1 must not be below 0\n"},
      {moved({Ledger::frozen, seller}, {Ledger::commission}, 1), "frozen -1 must not be below 0\n"},
      {moved({Ledger::payout, seller}, {Ledger::commission}, 1), "payout -1 must not be below 0\n"},
      {moved({Ledger::available, seller}, {Ledger::commission}, 1), ""},  // A claw-back.
      {moved({Ledger::transit, seller}, {Ledger::commission}, 1), ""},    // The other group's half is beyond the cut.
      {moved({Ledger::refunds}, {Ledger::commission}, 1, Processor::paypal), "refunds:paypal -1 must not be below 0\n"},
      {moved({Ledger::commission}, {Ledger::disputes}, 1, Processor::stripe), "disputes:stripe 1 must not be above 0\n"},
      {moved({Ledger::disputes}, {Ledger::refunds}, 1, Processor::stripe), ""},
      {moved({Ledger::processor}, {Ledger::costs}, 1, Processor::stripe), ""},
  };
  for (const auto& c : cases) {
    books = {};
    given(payment::HoldReleased{.payment_id = payment, .currency = "USD", .transfers = c.transfers});
    EXPECT_EQ(broken(), c.broken);
    EXPECT_EQ(total(), 0);
  }
}

TEST_F(Books, one_owner_does_not_make_up_for_another) {
  given(payment::HoldReleased{.currency = "USD", .transfers = moved({Ledger::pending, seller}, {Ledger::pending, buyer}, 5)});
  EXPECT_EQ(owners(), "pending a1 -5 USD\npending b1 5 USD\n");
  EXPECT_EQ(broken(), "pending -5 must not be below 0\n");
}

TEST_F(Books, a_chargeback_won_leaves_its_fee) {
  given(captured(payment, "ch_1"), dispute_opened(payment, "dp_1"));
  EXPECT_EQ(owners(), "frozen a1 5680 USD\n");
  given(dispute_won(payment, "dp_1"));
  EXPECT_EQ(owners(), "pending a1 5680 USD\n");
  EXPECT_EQ(broken(), "");
  EXPECT_TRUE(rows().contains("costs USD 1500 0\n")) << rows();
}

TEST_F(Books, what_no_writer_of_ours_writes_is_refused_with_its_place) {
  const auto refused = [&](const AnyEvent& event) {
    try {
      given(event);
    } catch (const CorruptLog& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const auto with = [&](Transfers transfers, std::string currency = "USD") {
    return payment::HoldReleased{.currency = std::move(currency), .transfers = std::move(transfers)};
  };
  const Side from{Ledger::pending, seller}, to{Ledger::available, seller};
  EXPECT_EQ(refused(with(moved(from, to, 0))), "shard 3, sequence 17, payment.v1.PaymentCaptured: a transfer of 0 cents");
  EXPECT_NE(refused(with(moved(from, to, -1))), "");
  EXPECT_NE(refused(with(moved(from, to, 2'147'483'648))), "");
  EXPECT_NE(refused(with(moved(from, to, 1), "")), "");
  EXPECT_NE(refused(with(moved({static_cast<Ledger>(200)}, to, 1))), "");
  EXPECT_EQ(refused(with({}, "")), "") << "an event that moves nothing needs no currency";
}

TEST_F(Books, only_types_with_transfers_are_decoded) {
  for (const char* type : {"payment.v1.PaymentCaptured", "wallet.v1.LedgerAdjusted", "payout.v1.PayoutReturned"})
    EXPECT_TRUE(carries_transfers(type)) << type;
  for (const char* type : {"payment.v1.PaymentInitiated", "account.v1.AccountRegistered", "decision.v1.DecisionMade", ""})
    EXPECT_FALSE(carries_transfers(type)) << type;
}

TEST_F(Books, any_choice_of_events_balances) {
  const std::vector<AnyEvent> events{captured(payment, "ch_1"),
                                     refund_requested(payment, refund),
                                     refunded(payment, refund, "re"),
                                     released(payment, 2'680),
                                     payout_requested(payout, 2'680),
                                     payout_completed(payout, "po", 2'680),
                                     payout_returned(payout, 2'680),
                                     dispute_opened(payment, "dp"),
                                     dispute_won(payment, "dp"),
                                     adjusted(buyer, 900),
                                     spent(payment, 500),
                                     came_late(payment, "ch_2")};
  for (unsigned chosen = 0; chosen < 1u << events.size(); chosen += 7) {
    books = {};
    for (std::size_t i = 0; i < events.size(); ++i)
      if ((chosen >> i & 1) != 0) given(events[i]);
    ASSERT_EQ(total(), 0) << chosen;
  }
}

}  // namespace
}  // namespace guildhall::test
