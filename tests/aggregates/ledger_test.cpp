// The arithmetic of money: the golden vectors of domain.md §11, and laws over random sales and refunds.
#include "aggregates/ledger.h"

#include <gtest/gtest.h>

#include <random>

namespace guildhall::ledger {
namespace {

constexpr FeeRate stripe{290, 30}, paypal{349, 49}, none{};  // PA-89, A-PA-10

TEST(Ledger, fees_round_half_up) {  // §11, PA-89
  EXPECT_EQ(fee_of(stripe, 500), 45) << "14.5 up; banker's rounding would say 44";
  EXPECT_EQ(fee_of(paypal, 5000), 224) << "174.5 up";
  for (Cents p = 0; p <= 1'000'000; ++p) {
    ASSERT_EQ(fee_of(stripe, p), (29 * p + 500) / 1000 + 30) << p;
    ASSERT_EQ(fee_of(paypal, p), (349 * p + 5000) / 10000 + 49) << p;
  }
}

TEST(Ledger, golden_splits) {  // §11
  EXPECT_EQ(split_of(5000, stripe, 1000)->seller, 4325);
  EXPECT_EQ(split_of(5000, stripe, 4000)->seller, 2825);
  EXPECT_EQ(split_of(5000, paypal, 1000)->seller, 4276);
  EXPECT_EQ(split_of(5000, paypal, 4000)->seller, 2776);
  EXPECT_EQ(split_of(100, stripe, 4000)->seller, 27);
  EXPECT_EQ(split_of(100, paypal, 4000)->seller, 8);
  EXPECT_EQ(split_of(5000, none, 4000), (Split{0, 2000, 3000})) << "a wallet payment has no fee (A-PA-15)";
}

TEST(Ledger, commission_gives_way_before_the_seller_pays) {  // A-PA-13
  EXPECT_EQ(split_of(50, stripe, 4000), (Split{31, 19, 0})) << "-1 before the rule";
  EXPECT_EQ(split_of(31, stripe, 4000), (Split{31, 0, 0}));
  EXPECT_EQ(split_of(30, stripe, 4000), std::nullopt) << "the fee alone is more";
  const auto left = [](const FeeRate& rate, Cents p) { return p - fee_of(rate, p) - commission_of(4000, p); };
  EXPECT_EQ(left(stripe, 52), -1);
  EXPECT_EQ(left(stripe, 53), 0);
  EXPECT_EQ(left(paypal, 85), -1);
  EXPECT_EQ(left(paypal, 86), 0);
  EXPECT_EQ(commission_of(4000, 100) + fee_of(stripe, 100) + 27, 100) << "above it the rate is the rate";
}

TEST(Ledger, every_split_sums_to_its_amount) {  // PA-87
  std::mt19937_64 random(20260105);
  for (int i = 0; i < 200'000; ++i) {
    const Cents amount = std::uniform_int_distribution<Cents>(1, i % 2 == 0 ? 500 : max_amount_cents)(random);
    const auto bp = std::uniform_int_distribution<std::int32_t>(1000, 4000)(random);
    const FeeRate& rate = i % 3 == 0 ? none : i % 3 == 1 ? stripe : paypal;
    const auto s = split_of(amount, rate, bp);
    if (!s) {
      ASSERT_GT(fee_of(rate, amount), amount);
      continue;
    }
    ASSERT_EQ(s->fee + s->commission + s->seller, amount);
    ASSERT_GE(s->seller, 0);
    ASSERT_GE(s->commission, 0);
  }
}

// Refunds in parts, some of which fail and are taken back in any order, until all is refunded.
TEST(Ledger, refunds_in_parts_sum_to_the_whole_and_never_charge_the_buyer) {  // A-PA-20, ledger.md
  std::mt19937_64 random(20260106);
  const auto up_to = [&](Cents most) { return std::uniform_int_distribution<Cents>(1, most)(random); };
  for (int i = 0; i < 20'000; ++i) {
    Sale sale{.total = up_to(i % 2 == 0 ? 300 : 1'000'000)};
    const auto split = split_of(sale.total, i % 3 == 0 ? none : stripe, static_cast<std::int32_t>(999 + up_to(3001)));
    if (!split) continue;
    sale.fee = split->fee;
    sale.commission = split->commission;
    std::vector<std::pair<Cents, RefundParts>> asked;
    for (int part = 0; sale.refunded < sale.total && part < 40; ++part) {
      const Cents left = sale.total - sale.refunded;
      const Cents amount = part < 30 ? up_to(left) : left;
      const RefundParts r = refund_parts(sale, amount);
      ASSERT_EQ(r.commission + r.seller, amount);
      ASSERT_GE(r.fee, 0);
      ASSERT_GE(r.seller, r.fee);
      ASSERT_GE(r.commission, 0);
      sale.refunded += amount;
      sale.commission_returned += r.commission;
      sale.fee_borne += r.fee;
      asked.emplace_back(amount, r);
      if (part < 30 && up_to(4) == 1) {  // One fails: the exact reverse.
        const auto at = static_cast<std::size_t>(up_to(static_cast<Cents>(asked.size())) - 1);
        sale.refunded -= asked[at].first;
        sale.commission_returned -= asked[at].second.commission;
        sale.fee_borne -= asked[at].second.fee;
        asked.erase(asked.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
    ASSERT_EQ(sale.refunded, sale.total);
    ASSERT_EQ(sale.commission_returned, sale.commission) << "of " << sale.total;
    ASSERT_EQ(sale.fee_borne, sale.fee) << "of " << sale.total;
  }
}

// 15% of every hundredth: rounded part by part it would differ from the whole.
TEST(Ledger, thirds_reverse_the_commission_exactly) {  // §11
  for (Cents total = 100; total < 5000; ++total) {
    Sale sale{.total = total, .fee = 0, .commission = commission_of(1500, total)};
    for (const Cents part : {total / 3, total / 3, total - 2 * (total / 3)}) {
      const RefundParts r = refund_parts(sale, part);
      sale.refunded += part;
      sale.commission_returned += r.commission;
    }
    ASSERT_EQ(sale.commission_returned, sale.commission) << total;
  }
}

TEST(Ledger, transfers_reverse_and_zero_is_left_out) {
  const Uuid seller(7, 8);
  const Transfers all = Posting(Processor::stripe)
                            .move({Account::processor}, {Account::pending, seller}, 2825)
                            .move({Account::processor}, {Account::commission}, 0)
                            .move_held(seller, held_of(100, 250), {Account::refunds})
                            .done();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].amount_cents(), 100);
  EXPECT_EQ(all[1].debit(), Account::pending);
  EXPECT_EQ(all[2].amount_cents(), 150);
  EXPECT_EQ(all[2].debit(), Account::available);
  const Transfers back = reversed(all);
  EXPECT_EQ(back[0].credit(), Account::processor);
  EXPECT_EQ(back[0].debit_owner(), seller);
  EXPECT_TRUE(reversed(back) == all);
}

}  // namespace
}  // namespace guildhall::ledger
