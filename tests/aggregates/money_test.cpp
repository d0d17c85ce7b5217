// The money of a sale, from the charge to the seller's wallet and back: escrow (PA-93, A-PA-14), refunds before and after release
// (A-PA-19, A-PA-20), late money (M-2), chargebacks (A-PA-18), wallets that pay (PA-97, A-PA-15). Each posting is ledger.md's;
// the fixture checks W and the books after every event.
#include "aggregates/payment.h"

#include "aggregates/purchase.h"
#include "tests/aggregates/bazaar.h"

namespace guildhall::testing {
namespace {

using namespace payment;
using ::payment::v1::Status;
using Processor = Books::Processor;
using Buy = purchase::PurchaseProduct;

class Money : public Bazaar {
 public:
  const Uuid sid = member("sid"), bob = member("bob");

  Uuid product(std::int64_t price_cents) {
    product::CreateProduct c;
    c.seller_id = sid;
    c.title = "Drum loops";
    c.file_urls = {"https://files.example/loops.zip"};
    c.price_cents = price_cents;
    const Uuid id = send(user(sid), c).then_accepted().subject.stream.id;
    send(user(sid), product::PublishProduct{.product_id = id}).then_accepted();
    return id;
  }
  // Asks for it; nothing is answered yet.
  Uuid order(std::int64_t price_cents, Method method = Method::card) {
    const auto accepted =
        send(user(bob), Buy{.product_id = product(price_cents), .buyer_id = bob, .payment_method = method}).then_accepted();
    return only<PaymentInitiated>(accepted.events).at(0).payment_id;
  }
  Uuid sold(std::int64_t price_cents, Method method = Method::card) {
    const Uuid id = order(price_cents, method);
    settle();
    EXPECT_EQ(payment(id).status, Status::captured);
    return id;
  }
  // Money that came when the checkout was over; its refund is asked for.
  Uuid late(std::int64_t price_cents) {
    const Uuid id = order(price_cents);
    pass(16 * minute_us);
    send(service(), RecordCaptured{.payment_id = id, .external_id = "pi_late"}).then_accepted();
    return id;
  }
  std::vector<Effect> refund_calls() const {
    std::vector<Effect> out;
    for (const auto& [id, call] : calls)
      if (call.call == ::payment::v1::Call::refund) out.push_back(call);
    return out;
  }
  Outcome refund_of(const Uuid& id, std::int64_t cents, const Actor& who) {
    return send(who, RequestRefund{.payment_id = id, .amount_cents = cents, .reason = "sorry"});
  }
  Outcome dispute(const Uuid& id, const std::string& name = "dp_1") {
    return send(service(), RecordDisputeOpened{.payment_id = id, .external_id = name, .reason = "fraudulent"});
  }
  Outcome won(const Uuid& id) { return send(service(), RecordDisputeWon{.payment_id = id, .external_id = "dp_1"}); }
  Outcome lost(const Uuid& id) { return send(service(), RecordDisputeLost{.payment_id = id, .external_id = "dp_1"}); }
  std::int64_t at_processor() const { return books.of(Account::processor, {}, Processor::stripe); }
  std::int64_t refunds() const { return books.of(Account::refunds, {}, Processor::stripe); }
};

TEST_F(Money, a_card_sale_is_split_and_waits_seven_days) {  // PA-87..90, PA-93, A-PA-14, §11
  const Uuid id = sold(5000);
  EXPECT_EQ(books.of(Account::fees, {}, Processor::stripe), 175);
  EXPECT_EQ(books.of(Account::commission), 2000);
  EXPECT_EQ(wallet_of(sid).pending, 2825) << "p = 5000, Stripe, 40% (§11)";
  EXPECT_EQ(wallet_of(sid).earned_stripe, 2825);
  EXPECT_EQ(at_processor(), -5000);
  const Micros captured_at = now;
  pass(7 * day_us - 1);
  EXPECT_EQ(wallet_of(sid).available, 0);
  pass(1);
  EXPECT_EQ(payment(id).release_at, captured_at + 7 * day_us);
  EXPECT_EQ(wallet_of(sid).available, 2825);
  EXPECT_EQ(wallet_of(sid).pending, 0);
  send(the_system(), ReleaseHold{.payment_id = id}).then_nothing();
}

TEST_F(Money, paypal_has_its_own_fee) {  // PA-89, A-PA-10, §11: p = 5000, PayPal, 40%
  sold(5000, Method::paypal);
  EXPECT_EQ(books.of(Account::fees, {}, Processor::paypal), 224);
  EXPECT_EQ(wallet_of(sid).earned_paypal, 2776);
}

TEST_F(Money, the_tier_counts_when_the_payment_begins) {  // PA-90, A-PA-8
  const Uuid before = order(5000);
  send(admin(id_of("boss")), subscription::GrantPartner{.account_id = sid}).then_accepted();
  settle();
  EXPECT_EQ(payment(before).commission_cents, 2000);
  EXPECT_EQ(payment(sold(5000)).commission_cents, 500);
}

TEST_F(Money, each_tier_has_its_commission_and_a_partner_that_of_ultimate) {  // A-PA-9, PA-90
  using ::subscription::v1::Tier;
  const struct {
    Tier tier;
    std::int32_t basis_points;
    std::int64_t commission;
  } rows[] = {{Tier::basic, 4000, 2000}, {Tier::standard, 3000, 1500}, {Tier::premium, 2000, 1000}, {Tier::ultimate, 1000, 500}};
  const auto initiated = [&] { return only<PaymentInitiated>(world.history()).back(); };
  for (const auto& row : rows) {
    given({subscription::SubscriptionStarted{.account_id = sid, .tier = row.tier}});
    const auto& p = payment(sold(5000));
    EXPECT_EQ(initiated().commission_bp, row.basis_points);
    EXPECT_EQ(initiated().seller_tier, row.tier);
    EXPECT_EQ(p.commission_cents, row.commission);
  }
  given({subscription::SubscriptionStarted{.account_id = sid, .tier = Tier::basic}});
  send(admin(id_of("boss")), subscription::GrantPartner{.account_id = sid}).then_accepted();
  sold(5000);
  EXPECT_EQ(initiated().commission_bp, 1000);
  EXPECT_EQ(initiated().seller_tier, Tier::ultimate);
}

TEST_F(Money, a_refund_reverses_commission_and_the_seller_bears_the_fee) {  // A-PA-20
  const Uuid id = sold(5000);
  refund_of(id, 5000, user(sid)).then_accepted();
  EXPECT_EQ(wallet_of(sid).pending, 0);
  EXPECT_EQ(wallet_of(sid).available, -175) << "the fee is not returned";
  EXPECT_EQ(wallet_of(sid).clawed_back, 3000);
  EXPECT_EQ(books.of(Account::commission), 0);
  EXPECT_EQ(refunds(), 5000);
  settle();
  EXPECT_EQ(refunds(), 0);
  EXPECT_EQ(at_processor(), 0);
  EXPECT_EQ(payment(id).status, Status::refunded);
  pass(8 * day_us);
  EXPECT_EQ(wallet_of(sid).available, -175) << "nothing is released of a refunded sale";
}

TEST_F(Money, partial_refunds_sum_to_the_whole) {  // §11: cumulative
  const Uuid id = sold(4999);
  std::int64_t given = 0;
  for (const std::int64_t part : {1, 1666, 1666, 1666}) {
    refund_of(id, part, user(sid)).then_accepted();
    given += part;
    settle();
    EXPECT_EQ(payment(id).status, given == 4999 ? Status::refunded : Status::partially_refunded);
  }
  EXPECT_EQ(books.of(Account::commission), 0);
  EXPECT_EQ(wallet_of(sid).pending + wallet_of(sid).available, -payment(id).fee_cents);
  refund_of(id, 1, user(sid)).then_rejected(Code::amount_exceeds_captured);
}

TEST_F(Money, a_failed_refund_is_reversed_exactly) {  // ledger.md: RefundFailed
  const Uuid id = sold(5000);
  refund_of(id, 2000, user(sid)).then_accepted();
  answer(calls.begin()->second, false).then_accepted();
  EXPECT_EQ(wallet_of(sid).pending, 2825);
  EXPECT_EQ(wallet_of(sid).available, 0);
  EXPECT_EQ(wallet_of(sid).clawed_back, 0);
  EXPECT_EQ(refunds(), 0);
  EXPECT_EQ(books.of(Account::commission), 2000);
  refund_of(id, 5000, user(sid)).then_accepted();
}

TEST_F(Money, a_refund_that_fails_after_its_confirmation_comes_back_from_the_processor) {  // PY-9
  const Uuid id = sold(5000);
  refund_of(id, 5000, user(sid)).then_accepted();
  settle();
  const Uuid refund_id = payment(id).refunds.back().refund_id();
  send(service(), RecordRefundFailed{.payment_id = id, .refund_id = refund_id, .reason = "account closed"}).then_accepted();
  EXPECT_EQ(at_processor(), -5000);
  EXPECT_EQ(refunds(), 0);
  EXPECT_EQ(wallet_of(sid).pending, 2825);
  EXPECT_EQ(payment(id).status, Status::captured);
}

TEST_F(Money, after_the_hold_only_an_admin_refunds_and_the_wallet_may_go_negative) {  // A-PA-19, ledger.md
  const Uuid id = sold(10'000);
  pass(7 * day_us);
  refund_of(id, 100, user(sid)).then_rejected(Code::admin_only);
  send(service(), wallet::SetPayoutMethod{.wallet_id = sid, .stripe_account_id = "acct_1"});
  send(service(), wallet::RecordPayoutMethod{.wallet_id = sid, .stripe_account_status = ::wallet::v1::StripeStatus::enabled});
  EXPECT_EQ(wallet_of(sid).available, 5680);
  send(user(sid),
       payout::RequestPayout{.wallet_id = sid, .amount_cents = 5680, .payout_method = ::wallet::v1::PayoutMethod::stripe})
      .then_accepted();
  refund_of(id, 10'000, admin(id_of("boss"))).then_accepted();
  EXPECT_EQ(wallet_of(sid).available, -6000);
  settle();
  sold(20'000);  // Future earnings repay it, when they are released.
  EXPECT_EQ(wallet_of(sid).available, -6000);
  pass(7 * day_us);
  EXPECT_EQ(wallet_of(sid).available, -6000 + 11'390);
}

TEST_F(Money, strangers_and_buyers_ask_for_no_refund) {  // A-PA-55
  const Uuid id = sold(5000);
  refund_of(id, 100, user(bob)).then_rejected(Code::seller_only);
  refund_of(id, 100, user(member("eve"))).then_rejected(Code::payment_not_found);
}

TEST_F(Money, what_comes_after_the_sale_is_off_waits_in_suspense_and_goes_back) {  // M-2, ledger.md: LatePaymentReceived
  const Uuid id = order(5000);
  pass(16 * minute_us);  // The checkout is over.
  send(service(), RecordCaptured{.payment_id = id, .external_id = "pi_late"}).then_accepted();
  EXPECT_EQ(books.of(Account::fees, {}, Processor::stripe), 175);
  EXPECT_EQ(books.of(Account::costs), -175) << "the platform bears the fee";
  EXPECT_EQ(books.of(Account::suspense, id), 0);
  EXPECT_EQ(refunds(), 5000);
  EXPECT_EQ(wallet_of(sid).pending, 0);
  EXPECT_TRUE(payment(id).late);
  // A refund of late money that fails is back in suspense; an admin sends it off anew, in parts if need be.
  answer(calls.begin()->second, false).then_accepted();
  EXPECT_EQ(books.of(Account::suspense, id), 4825);
  refund_of(id, 4900, admin(id_of("boss"))).then_accepted();
  EXPECT_EQ(books.of(Account::suspense, id), 0);
  refund_of(id, 100, admin(id_of("boss"))).then_accepted();
  settle();
  EXPECT_EQ(at_processor(), 0);
  EXPECT_EQ(refunds(), 0);
}

TEST_F(Money, late_money_whose_refund_is_refused_is_asked_back_again) {  // M-2, ledger.md: suspense is 0 once the flow has ended
  const Uuid id = late(5000);
  Micros wait = refund_retry_us;
  for (std::uint32_t n = 0; n < max_refund_retries; ++n, wait *= 2) {
    answer(refund_calls().at(0), false).then_accepted();
    EXPECT_EQ(books.of(Account::suspense, id), 4825);
    pass(wait - 1);
    EXPECT_TRUE(refund_calls().empty());
    pass(1);
    ASSERT_EQ(refund_calls().size(), 1u) << n;
    EXPECT_EQ(refund_calls()[0].amount_cents, 5000);
    EXPECT_EQ(books.of(Account::suspense, id), 0);
    send(the_system(), RetryRefund{.payment_id = id}).then_nothing();
  }
  answer(refund_calls().at(0), false).then_accepted();
  pass(365 * day_us);
  EXPECT_TRUE(refund_calls().empty()) << "now an admin sees to it";
  EXPECT_EQ(books.of(Account::suspense, id), 4825);
  refund_of(id, 5000, admin(id_of("boss"))).then_accepted();
  settle();
  EXPECT_EQ(payment(id).status, Status::refunded);
  EXPECT_EQ(payment(id).refusals, 0u);
  EXPECT_EQ(at_processor(), 0);
}

TEST_F(Money, a_refund_of_late_money_that_comes_back_is_sent_off_again) {  // PY-9, M-2
  const Uuid id = late(5000);
  const Effect first = refund_calls().at(0);
  answer(first, true).then_accepted();
  send(service(), RecordRefundFailed{.payment_id = id, .refund_id = first.id, .reason = "account closed"}).then_accepted();
  EXPECT_EQ(books.of(Account::suspense, id), 4825);
  pass(refund_retry_us);
  answer(refund_calls().at(0), true).then_accepted();
  EXPECT_EQ(books.of(Account::suspense, id), 0);
  EXPECT_EQ(at_processor(), 0);
}

TEST_F(Money, a_sales_refund_that_is_refused_is_not_asked_for_again) {  // ledger.md: refund failed
  const Uuid id = sold(5000);
  refund_of(id, 5000, user(sid)).then_accepted();
  answer(refund_calls().at(0), false).then_accepted();
  EXPECT_EQ(payment(id).retry_at, 0);
  EXPECT_EQ(wallet_of(sid).pending, 2825);
}

TEST_F(Money, an_admin_writes_off_what_can_not_be_returned) {  // M-2, ledger.md: correction, write-off
  const auto write_off = [&](const Uuid& id, const Actor& who) {
    return send(who, WriteOffPayment{.payment_id = id, .reason = "the card is closed"});
  };
  write_off(sold(5000), admin(id_of("boss"))).then_rejected(Code::payment_not_late);
  const Uuid id = late(5000);
  write_off(id, user(member("eve"))).then_rejected(Code::payment_not_found);
  write_off(id, user(bob)).then_rejected(Code::admin_only);
  write_off(id, admin(id_of("boss"))).then_nothing();  // Its refund is under way.
  answer(refund_calls().at(0), false).then_accepted();
  write_off(id, admin(id_of("boss"))).then_accepted();
  EXPECT_EQ(books.of(Account::suspense, id), 0);
  EXPECT_EQ(books.of(Account::adjustments), 4825);
  write_off(id, admin(id_of("boss"))).then_nothing();
  refund_of(id, 1, admin(id_of("boss"))).then_rejected(Code::amount_exceeds_captured);
  pass(30 * day_us);
  EXPECT_TRUE(refund_calls().empty());
}

TEST_F(Money, part_of_late_money_is_returned_and_the_rest_written_off) {
  const Uuid id = late(5000);
  answer(refund_calls().at(0), false).then_accepted();
  refund_of(id, 3000, admin(id_of("boss"))).then_accepted();
  const auto accepted =
      send(admin(id_of("boss")), WriteOffPayment{.payment_id = id, .reason = "the rest is theirs"}).then_accepted();
  EXPECT_EQ(only<PaymentWrittenOff>(accepted.events).at(0).amount_cents, 1825);
  // The open part is refused too: it is in suspense again, and asked back again.
  answer(refund_calls().at(0), false).then_accepted();
  EXPECT_EQ(books.of(Account::suspense, id), 3000);
  pass(2 * refund_retry_us);
  answer(refund_calls().at(0), true).then_accepted();
  EXPECT_EQ(books.of(Account::suspense, id), 0);
  EXPECT_EQ(refunds(), 0);
}

TEST_F(Money, a_chargeback_holds_the_return_of_late_money_up) {  // A-PA-18
  const Uuid id = late(5000);
  answer(refund_calls().at(0), false).then_accepted();
  dispute(id).then_accepted();
  pass(day_us);
  EXPECT_TRUE(refund_calls().empty());
  send(admin(id_of("boss")), WriteOffPayment{.payment_id = id, .reason = "x"}).then_rejected(Code::payment_disputed);
  won(id).then_accepted();
  pass(0);  // The time is over.
  ASSERT_EQ(refund_calls().size(), 1u);
  settle();
  EXPECT_EQ(books.of(Account::suspense, id), 0);

  const Uuid other = late(5000);
  answer(refund_calls().at(0), false).then_accepted();
  dispute(other).then_accepted();
  lost(other).then_accepted();
  pass(day_us);
  EXPECT_TRUE(refund_calls().empty()) << "the bank has it";
  EXPECT_EQ(books.of(Account::suspense, other), 0);
}

TEST_F(Money, a_lost_chargeback_takes_no_late_money_whose_refund_was_under_way) {  // A-PA-18, M-2
  for (const std::int64_t part : {5000, 3000}) {
    const Uuid id = late(5000);
    if (part < 5000) {
      answer(refund_calls().at(0), false).then_accepted();
      refund_of(id, part, admin(id_of("boss"))).then_accepted();
    }
    const Effect under_way = refund_calls().at(0);
    dispute(id).then_accepted();
    answer(under_way, false).then_accepted();
    EXPECT_EQ(books.of(Account::suspense, id), 4825);
    lost(id).then_accepted();
    EXPECT_EQ(books.of(Account::suspense, id), 4825 - (5000 - part));
    pass(day_us);
    answer(refund_calls().at(0), true).then_accepted();
    EXPECT_EQ(books.of(Account::suspense, id), 0);
    EXPECT_EQ(payment(id).status, Status::refunded);
  }
}

// ---- chargebacks (A-PA-18)

TEST_F(Money, a_chargeback_freezes_the_sellers_part_and_a_won_one_gives_it_back) {
  const Uuid id = sold(5000);
  dispute(id).then_accepted();
  dispute(id).then_nothing();
  dispute(id, "dp_2").then_rejected(Code::payment_disputed);
  EXPECT_EQ(payment(id).status, Status::disputed);
  EXPECT_EQ(wallet_of(sid).frozen, 3000) << "K is the seller's share and the fee's";
  EXPECT_EQ(wallet_of(sid).pending, 0);
  EXPECT_EQ(wallet_of(sid).available, -175);
  EXPECT_EQ(books.of(Account::disputes, {}, Processor::stripe), -5000);
  EXPECT_EQ(books.of(Account::costs), -1500);
  refund_of(id, 100, admin(id_of("boss"))).then_rejected(Code::payment_disputed);
  won(id).then_accepted();
  won(id).then_nothing();
  EXPECT_EQ(books.of(Account::disputes, {}, Processor::stripe), 0);
  EXPECT_EQ(wallet_of(sid).pending, 2825);
  EXPECT_EQ(wallet_of(sid).available, 0);
  EXPECT_EQ(wallet_of(sid).frozen, 0);
  pass(7 * day_us);
  EXPECT_EQ(wallet_of(sid).available, 2825);
}

TEST_F(Money, what_is_won_after_the_release_time_goes_to_available) {  // ledger.md: one freeze per payment
  const Uuid id = sold(5000);
  dispute(id);
  pass(8 * day_us);
  EXPECT_EQ(wallet_of(sid).frozen, 3000);
  won(id).then_accepted();
  EXPECT_EQ(wallet_of(sid).available, 2825);
  EXPECT_EQ(wallet_of(sid).pending, 0);
}

TEST_F(Money, a_lost_chargeback_takes_the_sellers_part_and_the_entitlement) {  // PA-86, ledger.md: DisputeLost
  const Uuid id = sold(5000);
  dispute(id);
  EXPECT_FALSE(only<purchase::EntitlementRevoked>(lost(id).then_accepted().events).empty());
  lost(id).then_nothing();
  EXPECT_EQ(payment(id).status, Status::refunded);
  EXPECT_EQ(wallet_of(sid).frozen, 0);
  EXPECT_EQ(wallet_of(sid).available, -175);
  EXPECT_EQ(wallet_of(sid).clawed_back, 3000);
  EXPECT_EQ(books.of(Account::commission), 0);
  EXPECT_EQ(books.of(Account::disputes, {}, Processor::stripe), 0);
  won(id).then_nothing();
  send(service(), RecordDisputeWon{.payment_id = id, .external_id = "dp_9"}).then_rejected(Code::dispute_not_found);
}

TEST_F(Money, the_seller_may_have_to_bear_the_fee_of_a_lost_one) {  // ledger.md: by policy
  policy.seller_bears_dispute_fee = true;
  const Uuid id = sold(5000);
  dispute(id);
  lost(id).then_accepted();
  EXPECT_EQ(wallet_of(sid).available, -175 - 1500);
  EXPECT_EQ(books.of(Account::costs), 0);
}

TEST_F(Money, a_chargeback_after_a_partial_refund_is_about_the_rest) {
  const Uuid id = sold(5000);
  refund_of(id, 1000, user(sid));
  settle();
  EXPECT_EQ(only<DisputeOpened>(dispute(id).then_accepted().events).at(0).amount_cents, 4000);
  lost(id).then_accepted();
  EXPECT_EQ(books.of(Account::commission), 0);
  EXPECT_EQ(payment(id).status, Status::refunded);
}

// ---- wallets that pay (PA-97)

TEST_F(Money, a_wallet_pays_without_a_fee) {  // A-PA-15
  give(bob, 6000);
  const Uuid id = order(5000, Method::wallet_balance);
  EXPECT_EQ(payment(id).status, Status::processing);
  EXPECT_TRUE(calls.empty()) << "no processor is asked";
  deliver();
  EXPECT_EQ(books.of(Account::transit, id), 5000);
  EXPECT_EQ(wallet_of(bob).spent, 5000);
  deliver();
  EXPECT_EQ(books.of(Account::transit, id), 0);
  EXPECT_EQ(wallet_of(bob).available, 1000);
  EXPECT_EQ(wallet_of(sid).pending, 3000);
  EXPECT_EQ(wallet_of(sid).earned_wallet, 3000);
  EXPECT_EQ(books.of(Account::commission), 2000);
}

TEST_F(Money, a_wallet_with_too_little_refuses_and_the_purchase_fails) {
  give(bob, 4999);
  const Uuid id = order(5000, Method::wallet_balance);
  settle();
  EXPECT_EQ(payment(id).status, Status::failed);
  EXPECT_EQ(wallet_of(bob).available, 4999);
  EXPECT_EQ(wallet_of(sid).pending, 0);
}

TEST_F(Money, what_a_wallet_pays_too_late_is_given_back) {  // ledger.md: WalletSpendReversed
  give(bob, 5000);
  const Uuid id = order(5000, Method::wallet_balance);
  pass(16 * minute_us);
  settle();
  EXPECT_EQ(payment(id).status, Status::cancelled);
  EXPECT_EQ(books.of(Account::transit, id), 0);
  EXPECT_EQ(wallet_of(bob).available, 5000);
  EXPECT_EQ(wallet_of(bob).spent, 0);
}

TEST_F(Money, a_refund_of_what_a_wallet_paid_goes_back_to_the_wallet) {  // ledger.md: WalletRefunded
  give(bob, 5000);
  const Uuid id = sold(5000, Method::wallet_balance);
  refund_of(id, 2000, user(sid)).then_accepted();
  EXPECT_EQ(books.of(Account::transit, id), 2000);
  settle();
  EXPECT_EQ(books.of(Account::transit, id), 0);
  EXPECT_EQ(wallet_of(bob).available, 2000);
  EXPECT_EQ(wallet_of(bob).spent, 3000);
  EXPECT_EQ(payment(id).status, Status::partially_refunded);
}

TEST_F(Money, no_processor_answers_for_a_wallet) {
  give(bob, 5000);
  const Uuid id = order(5000, Method::wallet_balance);
  send(service(), RecordCaptured{.payment_id = id, .external_id = "pi"}).then_rejected(Code::wallet_payment);
  send(service(), RecordFailed{.payment_id = id, .reason = "no"}).then_rejected(Code::wallet_payment);
  send(user(bob), RecordWalletPaid{.payment_id = id}).then_rejected(Code::payment_not_found);
}

TEST_F(Money, the_smallest_prices_leave_the_seller_something) {  // A-PA-13, §11
  EXPECT_EQ(payment(order(100)).amount_cents, 100);
  settle();
  EXPECT_EQ(wallet_of(sid).pending, 27);
}

TEST_F(Money, every_balance_sums_to_nothing) {
  give(bob, 5000);
  sold(5000, Method::wallet_balance);
  const Uuid id = sold(7000);
  refund_of(id, 7000, user(sid));
  settle();
  EXPECT_EQ(books.sum(), 0);
}

}  // namespace
}  // namespace guildhall::testing
