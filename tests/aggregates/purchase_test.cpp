#include "aggregates/purchase.h"

#include <random>
#include <set>

#include "tests/aggregates/shop.h"

namespace guildhall::testing {
namespace {

using namespace ::guildhall::purchase;
using product::LicenseReleased;
using product::LicenseReserved;
using product::LicenseReturned;
using product::LicenseSold;
using product::ProductFirstSold;
using product::ProductPaused;
using ::purchase::v1::Status;

class Purchase : public Shop {
 public:
  Status status(const Uuid& id) const { return purchase(id).status; }
  Outcome buy_for(const Uuid& product, const Uuid& buyer, std::optional<std::int64_t> amount_cents,
                  std::optional<std::int64_t> expected_cents = {}) {
    auto c = purchase_by(product, buyer);
    c.amount_cents = amount_cents;
    c.expected_price_cents = expected_cents;
    return as(user(buyer)).when(c);
  }
};

// ---- the life of a purchase

TEST_F(Purchase, what_is_free_is_owned_at_once) {  // A-PA-24, A-PA-25, PA-66
  const Uuid kit = on_sale(offer(0));
  const Uuid id = purchase_id_of(kit, ann);
  const Outcome outcome = as(user(ann)).when(PurchaseProduct{.product_id = kit, .buyer_id = ann});
  outcome.then({ProductPurchased{.purchase_id = id,
                                 .product_id = kit,
                                 .buyer_id = ann,
                                 .seller_id = seller,
                                 .title = "Drum Kit",
                                 .license_type = License::personal,
                                 .currency = "USD"},
                ProductFirstSold{.product_id = kit}});
  EXPECT_TRUE(outcome.decision()->created);
  EXPECT_TRUE(timers(purchase(id)).empty());
  buy(kit, ann).then_rejected(Code::already_owned);
  const auto second = buy(kit, bob).then_accepted();
  EXPECT_EQ(second.events.size(), 1u) << "only the first sale is the product's news";
  EXPECT_EQ(bucket_of(id), bucket_of(kit));
  EXPECT_NE(id, second.subject.stream.id);
}

TEST_F(Purchase, what_costs_something_waits_for_its_money) {  // M-4, A-PA-14, PA-90
  const Uuid kit = on_sale(offer(2000, License::custom));
  const Uuid command = next_command_id();
  const Uuid id = purchase_id_of(kit, ann), money = derive_in_group("payment", command, 0, test_bucket);
  const auto started = as(user(ann)).when(purchase_by(kit, ann), command).then_accepted();
  EXPECT_EQ(types_of(started), (std::vector<std::string>{"purchase.v1.PurchaseStarted", "payment.v1.PaymentInitiated"}));
  EXPECT_TRUE(started.events[0].event == AnyEvent(PurchaseStarted{.purchase_id = id,
                                                                  .product_id = kit,
                                                                  .buyer_id = ann,
                                                                  .seller_id = seller,
                                                                  .payment_id = money,
                                                                  .title = "Drum Kit",
                                                                  .license_type = License::custom,
                                                                  .license_text = "Not for films.",
                                                                  .amount_cents = 2000,
                                                                  .currency = "USD",
                                                                  .payment_method = ledger::Method::card,
                                                                  .expires_at = now + 15 * minute_us}));
  EXPECT_EQ(payment(money).related_id, kit);
  EXPECT_EQ(payment(money).payee_id, seller);
  ASSERT_EQ(timers(purchase(id)).size(), 1u);
  EXPECT_EQ(timers(purchase(id))[0].due, now + 15 * minute_us);
  const auto view = resource<PurchaseView>(started.subject);
  EXPECT_EQ(view.status, Status::pending);
  EXPECT_EQ(view.expires_at, now + 15 * minute_us);
  buy(kit, ann).then_rejected(Code::purchase_pending);

  // The seller's later words do not touch it.
  auto other = offer(5000);
  other.title = "Drum Kit II";
  as(user(seller)).when(update(kit, other)).then_accepted();
  pause(kit).then_accepted();
  EXPECT_EQ(types_of(authorized(money).then_accepted()),
            (std::vector<std::string>{"payment.v1.PaymentAuthorized", "payment.v1.CaptureRequested"}));
  const auto sold = captured(money).then_accepted();
  EXPECT_EQ(types_of(sold), (std::vector<std::string>{"payment.v1.PaymentCaptured", "purchase.v1.ProductPurchased",
                                                      "product.v1.ProductFirstSold", "payment.v1.HoldStarted"}));
  const auto& e = get<ProductPurchased>(sold.events[1].event);
  EXPECT_EQ(e.title, "Drum Kit");
  EXPECT_EQ(e.license_text, "Not for films.");
  EXPECT_EQ(e.amount_cents, 2000);
  EXPECT_EQ(e.payment_id, money);
  EXPECT_EQ(status(id), Status::completed);
  EXPECT_EQ(payment(money).release_at, now + 7 * day_us);
  EXPECT_EQ(state<WalletState>(seller).pending, 2000 - 88 - 800);  // Stripe 88, basic tier 40%.
  EXPECT_TRUE(timers(purchase(id)).empty());
  expire(id).then_nothing();
  captured(money).then_nothing();
  EXPECT_FALSE(resource<PurchaseView>({{StreamKind::purchase, id}, {}}).expires_at);
}

TEST_F(Purchase, a_declined_card_ends_it_and_the_buyer_tries_again) {  // A-PA-24
  const Uuid kit = on_sale(offer(2000));
  const Uuid id = bought(kit, ann), first = payment_of(id);
  EXPECT_EQ(types_of(failed(first).then_accepted()),
            (std::vector<std::string>{"payment.v1.PaymentFailed", "purchase.v1.PurchaseFailed"}));
  EXPECT_EQ(status(id), Status::failed);
  EXPECT_EQ(bought(kit, ann), id);
  EXPECT_NE(payment_of(id), first);
  failed(first).then_nothing();
  EXPECT_EQ(status(id), Status::pending) << "the first payment is another's by now";
  // The processor changes its mind: that money goes back, and the second attempt stands.
  authorized(first).then_accepted();
  EXPECT_EQ(payment(first).call, ::payment::v1::Call::cancel);
  voided(first).then_accepted();
  EXPECT_EQ(status(id), Status::pending);
  pay(id);
  EXPECT_EQ(status(id), Status::completed);
}

TEST_F(Purchase, expires_when_its_money_does_not_come) {  // M-7, ledger.md: 15 minutes
  const Uuid kit = on_sale(offer(2000));
  const Uuid id = bought(kit, ann), money = payment_of(id);
  at(now + 15 * minute_us - 1);
  expire(id).then_nothing();
  at(now + 1);
  as(user(ann)).when(ExpirePurchase{.purchase_id = id}).then_rejected(Code::purchase_not_found);
  expire(id).then(
      {PurchaseExpired{.purchase_id = id, .product_id = kit}});  // The processor is being asked: its answer finds it ended.
  expire(id).then_nothing();
  authorized(money).then_accepted();
  EXPECT_EQ(payment(money).call, ::payment::v1::Call::cancel) << "unwanted by now";
  voided(money).then_accepted();
  EXPECT_EQ(status(id), Status::expired);
  bought(kit, ann);
  EXPECT_EQ(status(id), Status::pending);
}

TEST_F(Purchase, money_captured_too_late_goes_back_at_the_platforms_cost) {  // M-2, ledger.md: late success
  const Uuid kit = on_sale(offer(2000));
  const Uuid id = bought(kit, ann), money = payment_of(id);
  authorized(money).then_accepted();
  at(now + 16 * minute_us);
  expire(id).then_accepted();
  const auto late = captured(money).then_accepted();
  EXPECT_EQ(types_of(late), (std::vector<std::string>{"payment.v1.LatePaymentReceived", "payment.v1.RefundRequested"}));
  EXPECT_EQ(state<WalletState>(seller).pending, 0);
  refunded(money).then_accepted();
  EXPECT_EQ(status(id), Status::expired) << "what never was a sale has nothing to end";
}

TEST_F(Purchase, a_full_refund_takes_the_product_back_and_a_partial_one_does_not) {  // A-PA-20, A-PA-24
  const Uuid kit = on_sale(offer(2000));
  const Uuid id = bought(kit, ann), money = payment_of(id);
  pay(id);
  as(user(seller)).ask_back(money, 500).then_accepted();
  refunded(money).then_accepted();
  EXPECT_EQ(status(id), Status::completed);
  as(user(seller)).ask_back(money, 1500).then_accepted();
  EXPECT_EQ(status(id), Status::completed) << "asked for, not confirmed";
  buy(kit, ann).then_rejected(Code::already_owned);
  EXPECT_EQ(types_of(refunded(money).then_accepted()),
            (std::vector<std::string>{"payment.v1.PaymentRefunded", "purchase.v1.EntitlementRevoked"}));
  EXPECT_EQ(status(id), Status::refunded);
  EXPECT_EQ(bought(kit, ann), id);
  pay(id);
  EXPECT_EQ(status(id), Status::completed);
}

TEST_F(Purchase, a_lost_chargeback_takes_the_product_back) {  // A-PA-18
  const Uuid kit = on_sale(offer(500, License::exclusive));
  const Uuid id = bought(kit, ann), money = payment_of(id);
  pay(id);
  as(service()).when(payment::RecordDisputeOpened{.payment_id = money, .external_id = "dp_1"}).then_accepted();
  EXPECT_EQ(status(id), Status::completed);
  when(payment::RecordDisputeLost{.payment_id = money, .external_id = "dp_1"}).then_accepted();
  EXPECT_EQ(status(id), Status::refunded);
  EXPECT_TRUE(is_nil(product(kit).sold_to));
}

TEST_F(Purchase, a_wallet_pays_like_a_card) {  // PA-97
  const Uuid kit = on_sale(offer(500, License::exclusive));
  auto c = purchase_by(kit, ann);
  c.payment_method = ledger::Method::wallet_balance;
  const Uuid id = as(user(ann)).when(c).then_accepted().subject.stream.id;
  EXPECT_EQ(product(kit).reserved_by, id);
  as(the_system()).when(payment::RecordWalletPaid{.payment_id = payment_of(id)}).then_accepted();
  EXPECT_EQ(status(id), Status::completed);
  EXPECT_EQ(state<WalletState>(seller).pending, 300);  // No processing fee (A-PA-15).
}

// ---- who may buy what

TEST_F(Purchase, refuses_what_the_rules_refuse_in_their_order) {  // A-PA-24, A-PA-26, PA-13, PA-75, PA-88
  const Uuid kit = draft(offer(2000));
  buy(kit, ann).then_rejected(Code::product_not_found);  // A draft is its seller's alone.
  buy(id_of("none"), ann).then_rejected(Code::product_not_found);
  buy(kit, seller).then_rejected(Code::own_offer);
  as(user(seller)).publish(kit).then_accepted();
  buy(kit, seller).then_rejected(Code::own_offer);
  buy(kit, id_of("nobody")).then_rejected(Code::account_not_found);
  as(user(bob)).when(purchase_by(kit, ann)).then_rejected(Code::account_not_found);  // Nobody buys for somebody else.
  buy_for(kit, ann, {}, 1900).then_rejected(Code::price_changed);
  buy_for(kit, ann, 1900).then_rejected(Code::price_changed);
  auto unpaid = purchase_by(kit, ann);
  unpaid.payment_method = ledger::Method::none;
  as(user(ann)).when(unpaid).then_rejected(Code::payment_method_not_allowed);

  const Uuid owned = bought(kit, ann);
  pay(owned);
  as(user(seller)).pause(kit).then_accepted();
  buy(kit, bob).then_rejected(Code::product_not_active);
  buy(kit, ann).then_rejected(Code::already_owned);  // And keeps it.
  as(user(seller)).publish(kit).then_accepted();
  as(admin(root)).moderate(kit, false).then_accepted();
  buy(kit, bob).then_rejected(Code::product_not_active);
  as(admin(root)).moderate(kit, true).then_accepted();
  as(user(seller)).remove(kit).then_accepted();
  buy(kit, bob).then_rejected(Code::product_not_active);
  EXPECT_EQ(status(owned), Status::completed) << "owners keep what they have";
  ban(seller);
  buy(kit, bob).then_rejected(Code::seller_unavailable);
  ban(bob);
  buy(kit, bob).then_rejected(Code::account_banned);
}

TEST_F(Purchase, buyers_name_a_price_of_at_least_the_minimum) {  // PA-60, A-PA-13, A-PA-25
  const struct {
    std::int64_t suggested, minimum;
    std::optional<std::int64_t> given;
    std::optional<std::int64_t> paid;  // Absent: refused.
  } rows[] = {
      {500, 0, {}, 500},    {500, 0, 0, 0},           {500, 0, 1, {}},     {500, 0, 99, {}},
      {500, 0, 100, 100},   {500, 0, 90'000, 90'000}, {500, 300, 299, {}}, {500, 300, 0, {}},
      {500, 300, 300, 300}, {500, 300, {}, 500},      {0, 0, {}, 0},       {0, 300, {}, 300},
      {200, 300, {}, 300},  {200, 300, 200, {}},
  };
  int n = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(n++);
    const Uuid kit = on_sale(name_your_price(row.suggested, row.minimum));
    const Outcome outcome = buy_for(kit, ann, row.given, row.suggested);
    if (!row.paid) {
      outcome.then_rejected(Code::amount_below_minimum);
      continue;
    }
    const auto& p = purchase(outcome.then_accepted().subject.stream.id);
    EXPECT_EQ(p.amount_cents, *row.paid);
    EXPECT_EQ(p.status, *row.paid == 0 ? Status::completed : Status::pending);
    EXPECT_EQ(is_nil(p.payment_id), *row.paid == 0);
  }
}

TEST_F(Purchase, shows_to_its_two_sides) {  // PA-112
  const Uuid id = bought(on_sale(offer(0)), ann);
  EXPECT_TRUE(shows_to(purchase(id), user(ann)) && shows_to(purchase(id), user(seller)) && shows_to(purchase(id), service()));
  EXPECT_FALSE(shows_to(purchase(id), user(bob)));
}

TEST_F(Purchase, what_was_taken_down_meanwhile_is_not_sold) {  // A-PA-27
  const Uuid kit = on_sale(offer(2000));
  const Uuid id = bought(kit, ann), money = payment_of(id);
  as(admin(root)).moderate(kit, false).then_accepted();
  authorized(money).then_accepted();
  EXPECT_EQ(payment(money).call, ::payment::v1::Call::cancel);
  voided(money).then_accepted();
  EXPECT_EQ(status(id), Status::failed);
}

// ---- exclusive licences

TEST_F(Purchase, an_exclusive_licence_is_reserved_then_sold_and_the_product_paused) {  // M-7, A-PA-53, PA-61
  const Uuid kit = on_sale(offer(500, License::exclusive));
  const auto started = buy(kit, ann).then_accepted();
  const Uuid id = started.subject.stream.id;
  EXPECT_EQ(only<LicenseReserved>(started.events),
            (std::vector{LicenseReserved{.product_id = kit, .purchase_id = id, .reserved_until = now + 15 * minute_us}}));
  at(now + 5 * minute_us);
  const Outcome other = buy(kit, bob);
  other.then_rejected(Code::license_reserved);
  EXPECT_EQ(other.decision().error().detail, "Reserved for another 600 seconds at most.");
  EXPECT_EQ(other.decision().error().retry_after_s, 600u);
  at(now + 10 * minute_us - second_us + 1);
  EXPECT_EQ(buy(kit, bob).decision().error().retry_after_s, 1u);
  at(now + minute_us);
  EXPECT_EQ(buy(kit, bob).decision().error().retry_after_s, 1u) << "its timer is on its way";
  buy(kit, ann).then_rejected(Code::purchase_pending);
  authorized(payment_of(id)).then_accepted();
  const auto sold = captured(payment_of(id)).then_accepted();
  EXPECT_EQ(types_of(sold),
            (std::vector<std::string>{"payment.v1.PaymentCaptured", "purchase.v1.ProductPurchased", "product.v1.LicenseSold",
                                      "product.v1.ProductPaused", "payment.v1.HoldStarted"}));
  EXPECT_EQ(product(kit).sold_to, id);
  buy(kit, bob).then_rejected(Code::license_sold);
  buy(kit, ann).then_rejected(Code::already_owned);
  as(user(seller)).publish(kit).then_rejected(Code::license_sold);
}

TEST_F(Purchase, a_reservation_ends_with_its_purchase) {  // M-7
  const Uuid kit = on_sale(offer(500, License::exclusive));
  const Uuid declined = bought(kit, ann);
  EXPECT_EQ(only<LicenseReleased>(failed(payment_of(declined)).then_accepted().events),
            (std::vector{LicenseReleased{.product_id = kit, .purchase_id = declined}}));
  const Uuid expired = bought(kit, bob);
  at(now + 15 * minute_us);
  EXPECT_EQ(only<LicenseReleased>(expire(expired).then_accepted().events),
            (std::vector{LicenseReleased{.product_id = kit, .purchase_id = expired}}));
  EXPECT_EQ(bought(kit, ann), declined);
  // Bob's money comes after all: the licence is another's.
  captured(payment_of(expired)).then_accepted();
  EXPECT_EQ(status(expired), Status::expired);
  EXPECT_EQ(product(kit).reserved_by, declined);
}

TEST_F(Purchase, a_full_refund_frees_the_licence_and_leaves_the_product_paused) {  // PA-61, ledger.md
  const Uuid kit = on_sale(offer(500, License::exclusive));
  const Uuid id = bought(kit, ann), money = payment_of(id);
  pay(id);
  as(user(seller)).ask_back(money, 500).then_accepted();
  EXPECT_EQ(only<LicenseReturned>(refunded(money).then_accepted().events),
            (std::vector{LicenseReturned{.product_id = kit, .purchase_id = id}}));
  buy(kit, bob).then_rejected(Code::product_not_active);
  as(user(seller)).publish(kit).then_accepted();
  pay(bought(kit, bob));
  EXPECT_EQ(product(kit).sold_to, purchase_id_of(kit, bob));
}

TEST_F(Purchase, a_product_that_was_deleted_meanwhile_is_sold_and_stays_deleted) {  // A-PA-26, M-7
  const Uuid kit = on_sale(offer(500, License::exclusive));
  const Uuid id = bought(kit, ann);
  as(user(seller)).remove(kit).then_accepted();
  authorized(payment_of(id)).then_accepted();
  EXPECT_TRUE(only<ProductPaused>(captured(payment_of(id)).then_accepted().events).empty());
  EXPECT_EQ(status(id), Status::completed);
  EXPECT_EQ(product(kit).status, ::product::v1::Status::deleted);
}

TEST_F(Purchase, one_begun_before_the_product_became_exclusive_takes_nothing) {  // PA-61
  const Uuid kit = on_sale(offer(500));
  const Uuid early = bought(kit, ann);
  as(user(seller)).when(update(kit, offer(900, License::exclusive))).then_accepted();
  const Uuid exclusive = bought(kit, bob);
  captured(payment_of(early)).then_accepted();
  EXPECT_EQ(status(early), Status::pending);
  pay(exclusive);
  EXPECT_EQ(product(kit).sold_to, exclusive);
  at(now + 15 * minute_us);
  expire(early).then_accepted();
  refunded(payment_of(early)).then_accepted();
  EXPECT_EQ(status(early), Status::expired);
}

// Thirty buyers race for one exclusive licence while cards are declined, purchases expire, money comes late and goes back, and
// the seller and an admin change the offer: at any time at most one has it, and between two sales lies a full refund.
TEST_F(Purchase, an_exclusive_licence_is_never_two_peoples) {  // PA-61, A-PA-53, M-7
  constexpr std::size_t buyers = 30;
  std::mt19937_64 random(20260109);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  std::vector<Uuid> people;
  for (std::size_t i = 0; i < buyers; ++i) {
    people.push_back(id_of("buyer " + std::to_string(i), static_cast<Bucket>(100 + i)));
    open(people.back());
  }
  const Uuid kit = on_sale(offer(500, License::exclusive));
  std::vector<Uuid> payments, purchases;
  for (const Uuid& buyer : people) purchases.push_back(purchase_id_of(kit, buyer));
  std::size_t seen = world.history().size();
  std::set<Uuid, UuidLess> owners;
  bool sold = false;
  int sales = 0, returns = 0, expiries = 0, failures = 0, refusals = 0;
  for (int i = 0; i < 30'000; ++i) {
    // Mostly the latest, now and then one of an attempt long over.
    const std::size_t back = std::min(payments.size(), below(4) == 0 ? buyers : 2);
    const Uuid one = payments.empty() ? id_of("none") : payments[payments.size() - 1 - below(back)];
    const std::size_t dice = below(100);
    if (dice < 40) {
      const auto outcome = buy(kit, people[below(buyers)]);
      if (outcome.decision()) payments.push_back(payment_of(outcome.decision()->subject.stream.id));
      else ++refusals;
    } else if (dice < 53) {
      authorized(one);
    } else if (dice < 63) {
      captured(one);
    } else if (dice < 66) {
      failed(one);
    } else if (dice < 69) {
      voided(one);
    } else if (dice < 82) {
      at(now + static_cast<Micros>(below(20)) * minute_us);
      for (const Uuid& id : purchases)
        if (below(4) != 0) expire(id);
    } else if (dice < 87) {
      const std::int64_t left = payment(one).captured_cents - payment(one).returned_cents;
      const std::int64_t part = below(3) == 0 ? left / 3 : left;
      if (part > 0) as(below(2) == 0 ? user(seller) : service()).ask_back(one, part);
    } else if (dice < 92) {
      const auto& asked = payment(one).refunds;
      if (!asked.empty())
        as(service()).when(payment::RecordRefunded{.payment_id = one, .refund_id = asked[below(asked.size())].refund_id()});
    } else if (dice < 97) {
      as(user(seller)).publish(kit);
    } else if (dice < 98) {
      as(user(seller)).pause(kit);
    } else if (dice < 99) {
      as(admin(root)).moderate(kit, below(3) != 0);
    } else {
      as(user(seller)).when(update(kit, offer(500 + static_cast<std::int64_t>(below(3)), License::exclusive)));
    }
    for (; seen < world.history().size(); ++seen) {
      const AnyEvent& event = world.history()[seen].event;
      if (const auto* e = get_if<ProductPurchased>(&event)) {
        ASSERT_TRUE(owners.insert(e->purchase_id).second);
      } else if (const auto* revoked = get_if<EntitlementRevoked>(&event)) {
        ASSERT_EQ(owners.erase(revoked->purchase_id), 1u);
      } else if (holds_alternative<LicenseSold>(event)) {
        ASSERT_FALSE(sold) << "sold twice without a refund between";
        sold = true;
        ++sales;
      } else if (holds_alternative<LicenseReturned>(event)) {
        ASSERT_TRUE(sold);
        sold = false;
        ++returns;
      }
      expiries += holds_alternative<PurchaseExpired>(event);
      failures += holds_alternative<PurchaseFailed>(event);
    }
    ASSERT_LE(owners.size(), 1u);
    ASSERT_EQ(owners.size() == 1, sold);
    const ProductState& p = product(kit);
    ASSERT_EQ(sold, !is_nil(p.sold_to));
    ASSERT_TRUE(is_nil(p.sold_to) || is_nil(p.reserved_by));
    ASSERT_TRUE(!sold || p.status != ::product::v1::Status::active);
    int holders = 0;
    for (const Uuid& id : purchases) holders += p.reserved_by == id && status(id) == Status::pending;
    ASSERT_EQ(holders, is_nil(p.reserved_by) ? 0 : 1);
  }
  EXPECT_GT(sales, 30);
  EXPECT_GT(returns, 30);
  EXPECT_GT(expiries, 30);
  EXPECT_GT(failures, 30);
  EXPECT_GT(refusals, 1'000);
}

}  // namespace
}  // namespace guildhall::testing
