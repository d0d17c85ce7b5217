// Orders: what §9 allows whom (docs/orders.md has all of it), the money behind it, complaints and timers.
#include "aggregates/order.h"

#include <map>
#include <random>
#include <set>

#include "tests/aggregates/ordering.h"

namespace guildhall::testing {
namespace {

using namespace order;
using enum ::order::v1::Status;
using PaymentStatus = ::payment::v1::Status;

// Of 100.00 USD by card at 40%: fee 3.20, commission 40.00 (§11).
constexpr std::int64_t price = 10'000, fee = 320, commission = 4'000, share = price - fee - commission;

class Order : public Ordering {
 public:
  OrderView view(const Uuid& id) const { return resource<OrderView>({{StreamKind::order, id}, {}}); }
  std::int64_t costs() const { return books.of(Account::costs); }
  std::int64_t refunds() const { return books.sum(Account::refunds); }
  // The last event of a type.
  template <class E>
  E last() const {
    const auto all = only<E>(world.history());
    EXPECT_FALSE(all.empty()) << type_name<E>();
    return all.empty() ? E{} : all.back();
  }
  template <class E>
  std::size_t count() const {
    return only<E>(world.history()).size();
  }
  std::vector<std::string> timer_names(const Uuid& id) const {
    std::vector<std::string> out;
    for (const Timer& t : timers(the_order(id))) out.emplace_back(t.name);
    return out;
  }
  using Names = std::vector<std::string>;
};

// ---- placing

TEST_F(Order, keeps_what_was_agreed) {  // PA-71, PA-74
  const auto accepted = send(user(bea), place()).then_accepted();
  EXPECT_TRUE(accepted.created);
  const Uuid id = accepted.subject.stream.id;
  EXPECT_EQ(bucket_of(id), test_bucket) << "the seller's group";
  EXPECT_EQ(last<OrderPlaced>(), (OrderPlaced{.order_id = id,
                                              .service_id = mixing,
                                              .service_title = "Mixing",
                                              .buyer_id = bea,
                                              .seller_id = sid,
                                              .package_name = "basic",
                                              .price_cents = price,
                                              .currency = "USD",
                                              .delivery_days = 3,
                                              .revisions_included = 2,
                                              .features = {"stems"},
                                              .asks_requirements = true,
                                              .payment_id = payment_of(id),
                                              .pay_by = now + 15 * minute_us}));
  EXPECT_EQ(last<RequirementsSubmitted>().requirements, "120 bpm");
  EXPECT_EQ(last<payment::PaymentInitiated>().related_id, id) << "A-PA-21";
  set_package(mixing, "basic", 99'000, 30, 0).then_accepted();
  EXPECT_EQ(the_order(id).price_cents, price);
  EXPECT_EQ(the_order(id).delivery_days, 3);
  EXPECT_EQ(the_order(id).revisions_included, 2);
}

TEST_F(Order, is_of_what_is_offered_now) {  // PA-68, PA-88
  auto c = place();
  c.package_name = "deluxe";
  send(user(bea), c).then_rejected(Code::package_not_found);
  c = place();
  c.expected_price_cents = price - 1;
  send(user(bea), c).then_rejected(Code::price_changed);
  c.expected_price_cents = price;
  send(user(bea), c).then_accepted();
  c.service_id = drafted("");
  send(user(bea), c).then_rejected(Code::service_not_found);
  c.service_id = id_of("nothing");
  send(user(bea), c).then_rejected(Code::service_not_found);
  send(user(sid), service::PauseService{.service_id = mixing});
  send(user(bea), place()).then_rejected(Code::service_not_active);
  send(user(sid), service::DeleteService{.service_id = mixing});
  send(user(bea), place()).then_rejected(Code::service_not_found);
}

TEST_F(Order, buyer_is_not_seller_and_both_are_in_good_standing) {  // PA-75, PA-13
  auto c = place();
  c.buyer_id = sid;
  send(user(sid), c).then_rejected(Code::own_offer);
  c.buyer_id = bea;
  send(user(eve), c).then_rejected(Code::account_not_found);
  c.buyer_id = id_of("nobody");
  send(service(), c).then_rejected(Code::account_not_found);
  given({account::AccountBanned{.account_id = bea}});
  send(user(bea), place()).then_rejected(Code::account_banned);
  given({account::AccountUnbanned{.account_id = bea}, account::AccountBanned{.account_id = sid}});
  send(user(bea), place()).then_rejected(Code::seller_unavailable);
}

TEST_F(Order, of_something_with_a_price_names_how_it_is_paid) {  // PA-85
  send(user(bea), place("basic", Method::none)).then_rejected(Code::payment_method_not_allowed);
}

TEST_F(Order, for_nothing_has_no_payment_and_is_paid_at_once) {  // ledger.md: price 0
  const Uuid id = placed(place("taste", Method::none));
  EXPECT_EQ(last<OrderPaid>(), (OrderPaid{.order_id = id, .start_by = now + 7 * day_us}));
  EXPECT_TRUE(is_nil(payment_of(id)));
  EXPECT_EQ(count<payment::PaymentInitiated>(), 0u);
  start(id).then_accepted();
  deliver(id).then_accepted();
  complain(id).then_accepted();
  resolve(id, DisputeOutcome::seller).then_accepted();
  approve(id).then_accepted();
  EXPECT_EQ(status(id), completed);
  refund(id, user(sid)).then_accepted();
  EXPECT_EQ(status(id), refunded);
  EXPECT_EQ(books.sum(Account::pending), 0);
}

// ---- paying

TEST_F(Order, is_paid_when_the_money_is_captured) {  // PA-72
  const Uuid id = unpaid_order();
  start(id).then_rejected(Code::order_not_paid);
  settle();
  EXPECT_EQ(last<OrderPaid>(), (OrderPaid{.order_id = id, .start_by = now + 7 * day_us}));
  EXPECT_EQ(wallet_of(sid).pending, share);
  pass(30 * minute_us);
  EXPECT_EQ(status(id), pending) << "the fifteen minutes are of unpaid orders";
}

TEST_F(Order, can_be_paid_from_a_wallet) {  // PA-97, A-PA-15
  give(bea, 15'000);
  const Uuid id = placed(place("basic", Method::wallet_balance));
  settle();
  EXPECT_TRUE(the_order(id).is_paid);
  EXPECT_EQ(wallet_of(bea).available, 5'000);
  EXPECT_EQ(wallet_of(sid).pending, price - commission);
  const Uuid second = placed(place("basic", Method::wallet_balance));
  settle();
  EXPECT_EQ(status(second), cancelled) << "the wallet has too little";
  cancel(id, user(bea)).then_accepted();
  settle();
  EXPECT_EQ(wallet_of(bea).available, 15'000);
}

TEST_F(Order, ends_unpaid_after_fifteen_minutes) {  // ledger.md: timers
  const Uuid id = unpaid_order();
  pass(15 * minute_us - 1);
  EXPECT_EQ(status(id), pending);
  pass(1);
  EXPECT_EQ(last<OrderCancelled>(),
            (OrderCancelled{.order_id = id, .cancelled_by = By::system, .reason = "it was not paid in time"}))
      << "PA-67: price_paid is false";
  // The money comes all the same: it goes back, and the platform bears the fee (ledger.md: late success).
  send(service(), payment::RecordCaptured{.payment_id = payment_of(id), .external_id = "pi_1"}).then_accepted();
  settle();
  EXPECT_EQ(costs(), -fee);
  EXPECT_EQ(status(id), cancelled);
  EXPECT_FALSE(the_order(id).is_paid);
  EXPECT_EQ(wallet_of(sid).pending + wallet_of(sid).available, 0);
  EXPECT_EQ(refunds(), 0);
}

TEST_F(Order, ends_when_its_payment_fails) {  // PA-72
  const Uuid id = unpaid_order();
  answer(calls.begin()->second, false).then_accepted();
  EXPECT_EQ(last<OrderCancelled>(), (OrderCancelled{.order_id = id, .cancelled_by = By::system, .reason = "payment failed"}));
}

// ---- working

TEST_F(Order, starts_with_what_the_service_asks_for) {  // PA-72, §9
  auto c = place();
  c.requirements.clear();
  const Uuid id = placed(c);
  settle();
  start(id).then_rejected(Code::requirements_missing);
  const SubmitRequirements told{.order_id = id, .requirements = "90 bpm", .requirement_files = {"https://files.example/ref.wav"}};
  send(user(sid), told).then_rejected(Code::buyer_only);
  send(user(bea), told)
      .then({RequirementsSubmitted{
          .order_id = id, .requirements = "90 bpm", .requirement_files = {"https://files.example/ref.wav"}}});
  send(user(bea), told).then_nothing();
  send(user(bea), SubmitRequirements{.order_id = id, .requirements = "95 bpm"}).then_accepted();
  start(id).then({OrderStarted{.order_id = id, .due_at = now + 3 * day_us}});
  start(id).then_nothing();
  send(user(bea), SubmitRequirements{.order_id = id, .requirements = "95 bpm"}).then_nothing();
  send(user(bea), SubmitRequirements{.order_id = id, .requirements = "100 bpm"}).then_rejected(Code::order_not_pending);
}

TEST_F(Order, of_a_service_that_asks_for_nothing_starts_without) {  // §9
  mixing = published("");
  auto c = place();
  c.requirements.clear();
  const Uuid id = placed(c);
  settle();
  start(id).then_accepted();
}

TEST_F(Order, is_due_its_delivery_days_after_the_start) {  // PA-75
  const Uuid id = paid_order();
  pass(2 * day_us);
  start(id).then_accepted();
  EXPECT_EQ(view(id).due_at, now + 3 * day_us);
}

TEST_F(Order, goes_the_way_of_its_status) {  // PA-72, PA-74
  const Uuid id = paid_order();
  deliver(id).then_rejected(Code::order_not_under_way);
  approve(id).then_rejected(Code::order_not_delivered);
  revise(id).then_rejected(Code::order_not_delivered);
  start(id).then_accepted();
  approve(id).then_rejected(Code::order_not_delivered);
  deliver(id, "").then_rejected(Code::delivery_empty);
  deliver(id).then({OrderDelivered{.order_id = id, .delivery_notes = "Here it is.", .approve_by = now + 72 * hour_us}});
  deliver(id).then_nothing();
  deliver(id, "Or rather this.").then_rejected(Code::order_not_under_way);
  start(id).then_rejected(Code::order_not_pending);
  const auto done = approve(id).then_accepted();
  EXPECT_EQ(only<OrderCompleted>(done.events).at(0),
            (OrderCompleted{.order_id = id, .completed_by = By::buyer, .hold_until = now + 7 * day_us}));
  approve(id).then_nothing();
  deliver(id).then_rejected(Code::order_not_under_way);
  revise(id).then_rejected(Code::order_not_delivered);
  EXPECT_EQ(view(id).hold_until, now + 7 * day_us);
}

TEST_F(Order, each_party_does_its_own_part_and_strangers_learn_nothing) {  // A-PA-55, PA-76
  const Uuid id = delivered_order();
  send(user(sid), ApproveDelivery{.order_id = id}).then_rejected(Code::buyer_only);
  send(user(bea), DeliverOrder{.order_id = id, .delivery_notes = "x"}).then_rejected(Code::seller_only);
  send(user(eve), ApproveDelivery{.order_id = id}).then_rejected(Code::order_not_found);
  send(user(eve), ApproveDelivery{.order_id = id_of("nothing")}).then_rejected(Code::order_not_found);
  send(admin(boss), ApproveDelivery{.order_id = id}).then_rejected(Code::buyer_only);
  send(service(), ApproveDelivery{.order_id = id}).then_accepted();
  EXPECT_EQ(last<OrderCompleted>().completed_by, By::buyer) << "on the buyer's behalf";
  for (const Actor& who : {user(sid), user(bea), admin(boss), service()}) EXPECT_TRUE(shows_to(the_order(id), who));
  EXPECT_FALSE(shows_to(the_order(id), user(eve)));
}

TEST_F(Order, revisions_are_counted_and_end) {  // PA-73, A-PA-57
  const Uuid id = delivered_order();
  for (std::int32_t used = 1; used <= 2; ++used) {
    pass(day_us);
    revise(id).then({RevisionRequested{.order_id = id, .reason = "Louder.", .revisions_used = used, .due_at = now + 3 * day_us}});
    revise(id).then_nothing();
    deliver(id, "Version " + std::to_string(used)).then_accepted();
  }
  revise(id).then_rejected(Code::revisions_used_up);
  EXPECT_EQ(view(id).revisions_used, 2);
  const Uuid plain = delivered_order("plain");
  revise(plain).then_rejected(Code::revisions_used_up);
}

TEST_F(Order, a_late_one_may_be_cancelled_by_its_buyer_in_full) {  // ledger.md: due date passed
  const Uuid id = started_order();
  cancel(id, user(bea)).then_rejected(Code::order_not_cancellable);
  pass(3 * day_us);
  EXPECT_EQ(last<OrderOverdue>(), (OrderOverdue{.order_id = id}));
  EXPECT_TRUE(view(id).is_overdue);
  EXPECT_EQ(timer_names(id), Names{});
  cancel(id, user(bea)).then_accepted();
  EXPECT_EQ(last<OrderCancelled>().cancelled_by, By::buyer);
  EXPECT_EQ(last<payment::RefundRequested>().amount_cents, price);
  EXPECT_FALSE(last<payment::RefundRequested>().platform_bears_fee) << "A-PA-20: after the start the seller does";
  EXPECT_FALSE(view(id).is_overdue);
}

TEST_F(Order, a_revision_gets_the_delivery_days_anew) {  // ledger.md: due date passed
  const Uuid id = overdue_order();
  deliver(id).then_accepted();
  EXPECT_FALSE(the_order(id).is_overdue);
  revise(id).then_accepted();
  cancel(id, user(bea)).then_rejected(Code::order_not_cancellable);
  EXPECT_EQ(timer_names(id), Names{"overdue"});
  pass(3 * day_us);
  EXPECT_TRUE(view(id).is_overdue);
  cancel(id, user(bea)).then_accepted();
}

// ---- completing

TEST_F(Order, its_money_is_released_once_seven_days_after_it_is_completed) {  // A-PA-14, PA-93
  const Uuid id = delivered_order();
  pass(2 * day_us);
  approve(id).then_accepted();
  EXPECT_EQ(last<payment::HoldStarted>().release_at, now + 7 * day_us);
  EXPECT_EQ(the_order(id).hold_until, last<payment::HoldStarted>().release_at) << "one instant for both";
  pass(7 * day_us - 1);
  EXPECT_EQ(wallet_of(sid).available, 0);
  pass(1);
  EXPECT_EQ(wallet_of(sid).available, share);
  EXPECT_EQ(wallet_of(sid).pending, 0);
  pass(30 * day_us);
  EXPECT_EQ(count<payment::HoldReleased>(), 1u);
}

TEST_F(Order, is_completed_by_itself_72_hours_after_the_delivery) {  // A-PA-56
  const Uuid id = delivered_order();
  EXPECT_EQ(timer_names(id), Names{"complete"});
  pass(72 * hour_us - 1);
  EXPECT_EQ(status(id), delivered);
  pass(1);
  EXPECT_EQ(last<OrderCompleted>(), (OrderCompleted{.order_id = id, .completed_by = By::system, .hold_until = now + 7 * day_us}));
  approve(id).then_rejected(Code::order_not_delivered);
}

TEST_F(Order, timers_that_come_too_late_do_nothing) {  // design: timers
  const Uuid id = completed_order();
  send(the_system(), AutoCompleteOrder{.order_id = id}).then_nothing();
  send(the_system(), ExpireOrder{.order_id = id}).then_nothing();
  send(the_system(), MarkOverdue{.order_id = id}).then_nothing();
  send(the_system(), SettleDispute{.order_id = id}).then_nothing();
  const Uuid fresh = paid_order();
  send(the_system(), ExpireOrder{.order_id = fresh}).then_nothing();
  for (const Actor& who : {user(sid), user(bea), admin(boss), service()})
    send(who, ExpireOrder{.order_id = fresh}).then_rejected(Code::order_not_found);
}

// ---- cancelling: who may, and who bears the fee

TEST_F(Order, cancelled_by_its_buyer_before_the_start_costs_the_platform_the_fee) {  // A-PA-20, ledger.md
  const Uuid id = paid_order();
  const auto done = cancel(id, user(bea)).then_accepted();
  EXPECT_EQ(only<OrderCancelled>(done.events).at(0),
            (OrderCancelled{.order_id = id, .cancelled_by = By::buyer, .reason = "I changed my mind.", .price_paid = true}));
  EXPECT_TRUE(last<payment::RefundRequested>().platform_bears_fee);
  EXPECT_EQ(costs(), -fee);
  EXPECT_EQ(wallet_of(sid).pending, 0);
  EXPECT_EQ(wallet_of(sid).available, 0);
  settle();
  EXPECT_EQ(status(id), cancelled) << "the order ends cancelled, its transaction refunded (§9)";
  EXPECT_EQ(money_of(id).status, PaymentStatus::refunded);
  cancel(id, user(bea)).then_nothing();
  cancel(id, user(sid)).then_rejected(Code::order_not_cancellable);
}

TEST_F(Order, cancelled_by_its_seller_costs_the_seller_the_fee) {  // A-PA-20
  for (const Uuid& id : {paid_order(), started_order()}) {
    const std::int64_t before = wallet_of(sid).available;
    cancel(id, user(sid)).then_accepted();
    EXPECT_FALSE(last<payment::RefundRequested>().platform_bears_fee);
    EXPECT_EQ(wallet_of(sid).available, before - fee);
    EXPECT_EQ(costs(), 0);
  }
}

TEST_F(Order, cancelled_unpaid_lets_nothing_of_the_money_in) {  // M-2
  const Uuid id = unpaid_order();
  cancel(id, user(bea)).then_accepted();
  settle();
  EXPECT_EQ(status(id), cancelled);
  EXPECT_EQ(wallet_of(sid).pending, 0);
  EXPECT_EQ(refunds(), 0);
}

TEST_F(Order, paid_but_not_started_in_seven_days_is_cancelled_at_the_platforms_cost) {  // ledger.md: timers
  const Uuid id = paid_order();
  pass(7 * day_us);
  EXPECT_EQ(last<OrderCancelled>(), (OrderCancelled{.order_id = id,
                                                    .cancelled_by = By::system,
                                                    .reason = "the seller did not start it in time",
                                                    .price_paid = true}));
  EXPECT_EQ(costs(), -fee);
}

TEST_F(Order, is_cancelled_by_whom_section_9_says) {  // §9
  const Uuid at_work = started_order();
  cancel(at_work, user(bea)).then_rejected(Code::order_not_cancellable);
  cancel(at_work, user(eve)).then_rejected(Code::order_not_found);
  const Uuid there = delivered_order();
  cancel(there, user(bea)).then_rejected(Code::order_not_cancellable);
  cancel(there, user(sid)).then_rejected(Code::order_not_cancellable);
  cancel(there, admin(boss)).then_accepted();
  EXPECT_EQ(last<OrderCancelled>().cancelled_by, By::admin);
  const Uuid again = delivered_order();
  revise(again).then_accepted();
  cancel(again, user(sid)).then_rejected(Code::order_not_cancellable);
  cancel(again, service()).then_accepted();
  EXPECT_EQ(last<OrderCancelled>().status_before, ::order::v1::Status::revision_requested);
  const Uuid done = completed_order();
  for (const Actor& who : {user(bea), user(sid), admin(boss)}) cancel(done, who).then_rejected(Code::order_not_cancellable);
}

// ---- refunds

TEST_F(Order, is_refunded_by_its_seller_within_the_hold_and_by_admins_ever) {  // §9, ledger.md: after the hold only an admin
  const Uuid id = completed_order();
  refund(id, user(bea)).then_rejected(Code::seller_only);
  refund(id, user(eve)).then_rejected(Code::order_not_found);
  const Uuid at_work = started_order();
  refund(at_work, user(sid)).then_rejected(Code::order_not_completed);
  refund(at_work, admin(boss)).then_accepted();
  EXPECT_EQ(status(at_work), refunded);
  const Uuid late = completed_order();
  const auto done = refund(id, user(sid)).then_accepted();
  EXPECT_EQ(only<OrderRefunded>(done.events).at(0),
            (OrderRefunded{
                .order_id = id, .refunded_by = By::seller, .reason = "Sorry.", .status_before = ::order::v1::Status::completed}));
  EXPECT_EQ(only<payment::RefundRequested>(done.events).at(0).amount_cents, price);
  refund(id, user(sid)).then_nothing();
  refund(id, admin(boss)).then_nothing();
  pass(7 * day_us);
  refund(late, user(sid)).then_rejected(Code::admin_only);
  refund(late, admin(boss)).then_accepted();
  settle();
  EXPECT_EQ(wallet_of(sid).pending, 0);
  EXPECT_EQ(wallet_of(sid).available, -3 * fee) << "A-PA-19, A-PA-20: the seller bears three fees";
  refund(unpaid_order(), admin(boss)).then_rejected(Code::order_not_paid);
}

TEST_F(Order, ends_refunded_when_all_of_its_money_has_gone_back) {  // PA-72, PA-86
  const Uuid id = delivered_order();
  send(admin(boss), payment::RequestRefund{.payment_id = payment_of(id), .amount_cents = 4'000});
  settle();
  EXPECT_EQ(status(id), delivered) << "a partial refund ends nothing";
  send(admin(boss), payment::RequestRefund{.payment_id = payment_of(id), .amount_cents = 6'000});
  EXPECT_EQ(status(id), delivered) << "not before it is confirmed";
  settle();
  EXPECT_EQ(status(id), refunded);
  EXPECT_EQ(last<OrderRefunded>().refunded_by, By::system);
  EXPECT_EQ(last<OrderRefunded>().status_before, ::order::v1::Status::delivered);
  EXPECT_EQ(timer_names(id), Names{});
}

TEST_F(Order, no_money_goes_back_while_a_chargeback_has_it) {  // A-PA-18, ledger.md
  const Uuid id = started_order();
  charge_back(id);
  cancel(id, user(sid)).then_rejected(Code::payment_disputed);
  refund(id, admin(boss)).then_rejected(Code::payment_disputed);
  send(service(), payment::RecordDisputeWon{.payment_id = payment_of(id), .external_id = "dp_1"}).then_accepted();
  cancel(id, user(sid)).then_accepted();
}

TEST_F(Order, a_lost_chargeback_refunds_it_and_closes_its_complaint) {  // A-PA-18
  const Uuid id = delivered_order();
  complain(id).then_accepted();
  charge_back(id);
  const auto lost =
      send(service(), payment::RecordDisputeLost{.payment_id = payment_of(id), .external_id = "dp_1"}).then_accepted();
  const auto closed = only<OrderDisputeResolved>(lost.events);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].outcome, DisputeOutcome::buyer);
  EXPECT_TRUE(closed[0].transfers.empty());
  EXPECT_EQ(status(id), refunded);
  EXPECT_FALSE(the_order(id).is_disputed);
  EXPECT_EQ(wallet_of(sid).frozen, 0);
  const Uuid unstarted = paid_order();
  charge_back(unstarted);
  pass(7 * day_us);
  EXPECT_EQ(status(unstarted), cancelled) << "the timer does not wait; the refund does";
  EXPECT_EQ(count<payment::RefundRequested>(), 0u);
  send(service(), payment::RecordDisputeLost{.payment_id = payment_of(unstarted), .external_id = "dp_1"}).then_accepted();
  EXPECT_EQ(status(unstarted), cancelled);
}

// ---- complaints

TEST_F(Order, a_complaint_freezes_the_sellers_money_and_keeps_the_status) {  // A-PA-18
  const Uuid id = delivered_order();
  const auto opened = complain(id).then_accepted();
  const auto e = only<OrderDisputed>(opened.events).at(0);
  EXPECT_EQ(e.payment_id, payment_of(id));
  EXPECT_EQ(e.answer_by, now + 3 * day_us);
  EXPECT_EQ(e.decide_by, now + 14 * day_us);
  EXPECT_EQ(e.currency, "USD");
  complain(id).then_nothing();
  EXPECT_EQ(status(id), delivered);
  EXPECT_TRUE(view(id).is_disputed);
  EXPECT_EQ(wallet_of(sid).frozen, price - commission) << "K of ledger.md: what a full refund would take";
  EXPECT_EQ(wallet_of(sid).pending, 0);
  revise(id).then_rejected(Code::order_disputed);
}

TEST_F(Order, is_complained_about_by_its_buyer_from_the_start_to_the_end_of_the_hold) {  // A-PA-18
  complain(paid_order()).then_rejected(Code::order_not_disputable);
  const Uuid id = started_order();
  send(user(sid), OpenDispute{.order_id = id, .reason = "x"}).then_rejected(Code::buyer_only);
  complain(id).then_accepted();
  const Uuid revised = delivered_order();
  revise(revised).then_accepted();
  complain(revised).then_accepted();
  const Uuid early = completed_order(), late = completed_order();
  pass(7 * day_us - 1);
  complain(early).then_accepted();
  pass(1);
  complain(late).then_rejected(Code::hold_over);
  refund(late, admin(boss)).then_accepted();
  complain(late).then_rejected(Code::order_not_disputable);
}

TEST_F(Order, an_unanswered_complaint_is_won_by_the_buyer_after_three_days) {  // ledger.md: timers
  const Uuid id = delivered_order();
  complain(id).then_accepted();
  pass(3 * day_us - 1);
  EXPECT_TRUE(the_order(id).is_disputed);
  pass(1);
  EXPECT_EQ(last<OrderDisputeResolved>().outcome, DisputeOutcome::buyer);
  EXPECT_EQ(last<OrderDisputeResolved>().resolved_by, By::system);
  EXPECT_EQ(last<OrderRefunded>().refunded_by, By::system);
  EXPECT_EQ(status(id), refunded);
  settle();
  EXPECT_EQ(money_of(id).status, PaymentStatus::refunded);
  EXPECT_EQ(wallet_of(sid).frozen, 0);
  EXPECT_EQ(wallet_of(sid).pending + wallet_of(sid).available, -fee);
}

TEST_F(Order, an_answered_complaint_waits_14_days_for_an_admin) {  // ledger.md: timers
  const Uuid at_work = started_order(), there = delivered_order(), done = completed_order();
  for (const Uuid& id : {at_work, there, done}) {
    complain(id).then_accepted();
    reply(id).then({OrderDisputeAnswered{.order_id = id, .answer = "It is."}});
    reply(id).then_nothing();
    send(user(bea), AnswerDispute{.order_id = id, .answer = "x"}).then_rejected(Code::seller_only);
  }
  pass(14 * day_us - 1);
  for (const Uuid& id : {at_work, there, done}) EXPECT_TRUE(the_order(id).is_disputed);
  pass(1);
  EXPECT_EQ(status(at_work), refunded) << "nothing was delivered";
  EXPECT_EQ(status(there), completed) << "the seller wins, and it is completed by its timer at once";
  EXPECT_EQ(status(done), completed);
  EXPECT_EQ(the_order(done).dispute_outcome, DisputeOutcome::seller);
}

TEST_F(Order, delivering_during_the_complaint_counts) {  // ledger.md: the seller wins if delivered
  const Uuid id = started_order();
  complain(id).then_accepted();
  reply(id).then_accepted();
  deliver(id).then_accepted();
  EXPECT_EQ(timer_names(id), Names{"settle"});
  pass(14 * day_us);
  EXPECT_EQ(the_order(id).dispute_outcome, DisputeOutcome::seller);
}

TEST_F(Order, an_admin_decides_a_complaint) {  // §8 ResolveDispute
  const Uuid id = delivered_order();
  resolve(id, DisputeOutcome::buyer).then_rejected(Code::order_not_disputed);
  complain(id).then_accepted();
  for (const Actor& who : {user(bea), user(sid), the_system()})
    send(who, ResolveDispute{.order_id = id, .outcome = DisputeOutcome::buyer}).then_rejected(Code::admin_only);
  send(admin(sid), ResolveDispute{.order_id = id, .outcome = DisputeOutcome::seller}).then_rejected(Code::admin_only);
  const auto decided = resolve(id, DisputeOutcome::buyer).then_accepted();
  ASSERT_EQ(decided.events.size(), 3u);
  EXPECT_TRUE(holds_alternative<OrderDisputeResolved>(decided.events[0].event));
  EXPECT_TRUE(holds_alternative<OrderRefunded>(decided.events[1].event));
  EXPECT_TRUE(holds_alternative<payment::RefundRequested>(decided.events[2].event)) << "in the same decision";
  resolve(id, DisputeOutcome::buyer).then_nothing();
  resolve(id, DisputeOutcome::seller).then_rejected(Code::order_not_disputed);
  reply(id).then_rejected(Code::order_not_disputed);
  settle();
  EXPECT_EQ(wallet_of(sid).pending + wallet_of(sid).available, -fee);
}

TEST_F(Order, a_complaint_suspends_the_completion) {  // A-PA-56, ledger.md
  const Uuid id = delivered_order();
  pass(71 * hour_us);
  complain(id).then_accepted();
  reply(id).then_accepted();
  EXPECT_EQ(timer_names(id), Names{"settle"});
  pass(5 * day_us);
  EXPECT_EQ(status(id), delivered);
  resolve(id, DisputeOutcome::seller).then_accepted();
  EXPECT_EQ(wallet_of(sid).frozen, 0);
  EXPECT_EQ(wallet_of(sid).pending, share);
  EXPECT_EQ(view(id).approve_by, now) << "its time has passed: at once, and never at an instant that may have fired before";
  pass(0);
  EXPECT_EQ(status(id), completed);
  EXPECT_EQ(last<OrderCompleted>().completed_by, By::system);
  // Before its time it keeps it.
  const Uuid other = delivered_order();
  const Micros approve_by = the_order(other).approve_by;
  complain(other).then_accepted();
  resolve(other, DisputeOutcome::seller).then_accepted();
  EXPECT_EQ(the_order(other).approve_by, approve_by);
}

TEST_F(Order, what_a_party_gives_up_ends_the_complaint) {  // A-PA-18
  const Uuid approved = delivered_order();
  complain(approved).then_accepted();
  approve(approved).then_accepted();
  EXPECT_EQ(the_order(approved).dispute_outcome, DisputeOutcome::seller);
  EXPECT_EQ(status(approved), completed);
  EXPECT_EQ(wallet_of(sid).pending, share);

  const Uuid dropped = started_order();
  complain(dropped).then_accepted();
  cancel(dropped, user(sid)).then_accepted();
  EXPECT_EQ(the_order(dropped).dispute_outcome, DisputeOutcome::buyer);
  EXPECT_EQ(last<OrderDisputeResolved>().resolved_by, By::seller);
  EXPECT_EQ(status(dropped), cancelled);

  const Uuid paid_back = completed_order();
  complain(paid_back).then_accepted();
  refund(paid_back, user(sid)).then_accepted();
  EXPECT_EQ(status(paid_back), refunded);

  const Uuid late = started_order();
  complain(late).then_accepted();
  reply(late).then_accepted();
  pass(3 * day_us);
  cancel(late, user(bea)).then_accepted();
  EXPECT_EQ(status(late), cancelled) << "overdue, the buyer may leave with or without a complaint";
  settle();
  EXPECT_EQ(wallet_of(sid).frozen, 0);
  for (const Uuid& id : {dropped, paid_back, late}) EXPECT_EQ(money_of(id).status, PaymentStatus::refunded);
}

TEST_F(Order, a_complaint_waits_for_a_chargeback_before_the_buyer_can_win) {  // A-PA-18, ledger.md: no refund while one is open
  const Uuid id = delivered_order();
  complain(id).then_accepted();
  const Micros decide_by = the_order(id).decide_by;
  charge_back(id);
  resolve(id, DisputeOutcome::buyer).then_rejected(Code::payment_disputed);
  pass(3 * day_us);
  EXPECT_EQ(last<OrderDisputeExtended>(),
            (OrderDisputeExtended{.order_id = id, .answer_by = now + 3 * day_us, .decide_by = decide_by}));
  pass(3 * day_us);
  EXPECT_EQ(count<OrderDisputeExtended>(), 2u);
  send(service(), payment::RecordDisputeWon{.payment_id = payment_of(id), .external_id = "dp_1"}).then_accepted();
  EXPECT_EQ(wallet_of(sid).frozen, price - commission) << "the complaint still holds it";
  pass(3 * day_us);
  EXPECT_EQ(status(id), refunded);
  settle();
  EXPECT_EQ(money_of(id).status, PaymentStatus::refunded);
}

TEST_F(Order, a_complaint_after_the_release_time_frees_the_money_at_once) {  // ledger.md: what leaves frozen
  const Uuid id = completed_order();
  pass(6 * day_us);
  complain(id).then_accepted();
  reply(id).then_accepted();
  pass(2 * day_us);
  EXPECT_EQ(wallet_of(sid).available, -fee) << "a full refund takes more than the credit";
  resolve(id, DisputeOutcome::seller).then_accepted();
  EXPECT_EQ(wallet_of(sid).frozen, 0);
  EXPECT_EQ(wallet_of(sid).available, share);
}

// ---- laws

// Any order of commands by anybody, timers and processors among them: the status moves along its transitions only, the counts
// hold, an end is one end, and the books balance (the fixture checks them after every event).
TEST_F(Order, random_histories_keep_the_laws) {  // PA-72, PA-73, W
  const std::set<std::pair<OrderStatus, OrderStatus>> allowed{{pending, in_progress},
                                                              {pending, cancelled},
                                                              {pending, refunded},
                                                              {in_progress, delivered},
                                                              {in_progress, cancelled},
                                                              {in_progress, refunded},
                                                              {delivered, revision_requested},
                                                              {delivered, completed},
                                                              {delivered, cancelled},
                                                              {delivered, refunded},
                                                              {revision_requested, delivered},
                                                              {revision_requested, cancelled},
                                                              {revision_requested, refunded},
                                                              {completed, refunded}};
  std::set<std::pair<OrderStatus, OrderStatus>> seen;
  std::map<Uuid, OrderState, UuidLess> states;  // Folded once more, event by event.
  std::size_t checked = 0;
  const auto check = [&] {
    for (; checked < world.history().size(); ++checked) {
      const NewEvent& e = world.history()[checked];
      if (e.stream.kind != StreamKind::order) continue;
      OrderState& s = states[e.stream.id];
      const OrderStatus was = s.status;
      AnyState folded = s;
      apply(folded, e.event);
      s = get<OrderState>(folded);
      if (s.status != was) {
        ASSERT_TRUE(allowed.contains({was, s.status})) << static_cast<int>(was) << " -> " << static_cast<int>(s.status);
        seen.insert({was, s.status});
      }
      ASSERT_LE(s.revisions_used, s.revisions_included) << "PA-73";
      ASSERT_FALSE(s.is_disputed && (s.status == pending || s.status == cancelled || s.status == refunded));
      ASSERT_FALSE(s.status != pending && s.status != cancelled && !s.is_paid);
    }
  };
  std::mt19937_64 random(20261122);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  give(bea, 1'000'000);
  std::vector<Uuid> orders;
  const std::vector<Actor> actors{user(sid), user(bea), user(eve), admin(boss), service(), the_system()};
  for (int i = 0; i < 20'000; ++i) {
    if (orders.size() < 2 || below(25) == 0) {
      auto c = place(std::vector<std::string>{"basic", "basic", "plain", "taste"}[below(4)],
                     below(2) == 0 ? Method::card : Method::wallet_balance);
      if (below(2) == 0) c.requirements.clear();
      const auto accepted = send(user(bea), c);
      if (accepted.decision()) orders.push_back(accepted.decision()->subject.stream.id);
    }
    // Mostly of late orders, so that some get far; mostly by whom it is for.
    const Uuid id = orders[orders.size() - 1 - std::min(below(4) * below(3), orders.size() - 1)];
    const auto mostly = [&](const Actor& usual) { return below(5) == 0 ? actors[below(actors.size())] : usual; };
    const Uuid money = payment_of(id);
    switch (below(24)) {
      case 0:
      case 1: send(mostly(user(bea)), SubmitRequirements{.order_id = id, .requirements = "v" + std::to_string(below(2))}); break;
      case 2:
      case 3: send(mostly(user(sid)), StartOrder{.order_id = id}); break;
      case 4:
      case 5:
      case 6: send(mostly(user(sid)), DeliverOrder{.order_id = id, .delivery_notes = "v" + std::to_string(below(3))}); break;
      case 7:
      case 8:
      case 20:
      case 21:
      case 22:
      case 23: send(mostly(user(bea)), RequestRevision{.order_id = id, .reason = "r"}); break;
      case 9:
        if (below(3) == 0) send(mostly(user(bea)), ApproveDelivery{.order_id = id});
        break;
      case 10:
        if (below(3) == 0) send(mostly(admin(boss)), CancelOrder{.order_id = id});
        break;
      case 11:
        if (below(5) == 0) send(mostly(below(2) == 0 ? user(sid) : admin(boss)), RefundOrder{.order_id = id});
        break;
      case 12:
        if (below(2) == 0) send(mostly(user(bea)), OpenDispute{.order_id = id, .reason = "r"});
        break;
      case 13: send(mostly(user(sid)), AnswerDispute{.order_id = id, .answer = "a"}); break;
      case 14: {
        const auto outcome = below(3) == 0 ? DisputeOutcome::buyer : DisputeOutcome::seller;
        send(mostly(admin(boss)), ResolveDispute{.order_id = id, .outcome = outcome});
        break;
      }
      case 15: {
        if (is_nil(money) || below(4) != 0) break;
        const std::string name = "dp_" + std::to_string(below(2));
        switch (below(4)) {
          case 0: send(service(), payment::RecordDisputeOpened{.payment_id = money, .external_id = name}); break;
          case 1: send(service(), payment::RecordDisputeLost{.payment_id = money, .external_id = name}); break;
          default: send(service(), payment::RecordDisputeWon{.payment_id = money, .external_id = name}); break;
        }
        break;
      }
      case 16:
        if (is_nil(money) || below(6) != 0) break;
        send(admin(boss),
             payment::RequestRefund{.payment_id = money, .amount_cents = static_cast<std::int64_t>(1 + below(10'000))});
        break;
      case 17: pass(static_cast<Micros>(below(20)) * hour_us); break;
      case 18: settle(); break;
      case 19:
        if (below(4) == 0 && !calls.empty()) answer(calls.begin()->second, false);
        break;
      default: break;
    }
    check();
    if (HasFailure()) FAIL() << "at step " << i;
  }
  // What was promised happens: nothing waits for ever but an order whose buyer may leave.
  for (const Uuid& id : orders)
    if (!is_nil(payment_of(id)) && money_of(id).chargeback)
      send(service(), payment::RecordDisputeWon{.payment_id = payment_of(id), .external_id = money_of(id).dispute_id});
  run_out(90 * day_us);
  check();
  for (const Uuid& id : orders) {
    const auto& s = the_order(id);
    EXPECT_FALSE(s.is_disputed) << to_string(id);
    EXPECT_TRUE(s.status != pending && s.status != delivered) << to_string(id);
    EXPECT_TRUE((s.status != in_progress && s.status != revision_requested) || s.is_overdue) << to_string(id);
  }
  EXPECT_EQ(books.sum(Account::frozen), 0);
  EXPECT_EQ(books.sum(Account::transit), 0);
  EXPECT_EQ(books.sum(Account::suspense), 0);
  std::map<Uuid, std::vector<std::string>, UuidLess> ends;
  for (const auto& e : world.history()) {
    if (holds_alternative<OrderCompleted>(e.event)) ends[e.stream.id].push_back("completed");
    if (holds_alternative<OrderCancelled>(e.event)) ends[e.stream.id].push_back("cancelled");
    if (holds_alternative<OrderRefunded>(e.event)) ends[e.stream.id].push_back("refunded");
  }
  for (const auto& [id, of] : ends) {
    const bool one_end = of == Names{"completed"} || of == Names{"cancelled"} || of == Names{"refunded"};
    EXPECT_TRUE(one_end || of == (Names{"completed", "refunded"})) << to_string(id);
  }
  EXPECT_EQ(seen.size(), allowed.size()) << "a way that the history did not take";
  EXPECT_EQ(books.sum(), 0);
}

}  // namespace
}  // namespace guildhall::testing
