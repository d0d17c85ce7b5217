// A seller with a service and a buyer: where the tests of orders begin.
#pragma once

#include <string>
#include <vector>

#include "aggregates/order.h"
#include "aggregates/service.h"
#include "tests/aggregates/bazaar.h"

namespace guildhall::testing {

class Ordering : public Bazaar {
 public:
  using OrderStatus = ::order::v1::Status;
  using By = ::order::v1::By;
  using DisputeOutcome = ::order::v1::DisputeOutcome;

  const Uuid sid = member("sid"), bea = member("bea"), eve = member("eve"), boss = member("boss");
  // Mixing: basic 100.00 USD (3 days, 2 revisions), plain 100.00 USD (2 days, none), taste for nothing (1 day, none). Asks for
  // requirements.
  Uuid mixing;

  void SetUp() override { mixing = published("Tell me the tempo."); }

  // ---- the service

  Uuid drafted(const std::string& buyer_requirements) {
    return send(user(sid), service::CreateService{.seller_id = sid,
                                                  .title = "Mixing",
                                                  .service_type = ::service::v1::ServiceType::mixing,
                                                  .buyer_requirements = buyer_requirements})
        .then_accepted()
        .subject.stream.id;
  }
  Uuid published(const std::string& buyer_requirements) {
    const Uuid id = drafted(buyer_requirements);
    set_package(id, "basic", 10'000, 3, 2).then_accepted();
    set_package(id, "plain", 10'000, 2, 0).then_accepted();
    set_package(id, "taste", 0, 1, 0).then_accepted();
    send(user(sid), service::PublishService{.service_id = id}).then_accepted();
    return id;
  }
  Outcome set_package(const Uuid& id, const std::string& name, std::int64_t price_cents, std::int32_t days,
                      std::int32_t revisions) {
    return send(user(sid), service::SetPackage{.service_id = id,
                                               .name = name,
                                               .price_cents = price_cents,
                                               .delivery_days = days,
                                               .revisions = revisions,
                                               .features = {"stems"}});
  }

  // ---- the order, one step after the other

  order::PlaceOrder place(const std::string& package = "basic", Method method = Method::card) const {
    return {.service_id = mixing, .buyer_id = bea, .package_name = package, .requirements = "120 bpm", .payment_method = method};
  }
  Uuid placed(const order::PlaceOrder& c) { return send(user(bea), c).then_accepted().subject.stream.id; }
  Uuid unpaid_order() { return placed(place()); }
  Uuid paid_order(const std::string& package = "basic") {
    const Uuid id = placed(place(package));
    settle();
    EXPECT_TRUE(state<OrderState>(id).is_paid);
    return id;
  }
  Uuid started_order(const std::string& package = "basic") {
    const Uuid id = paid_order(package);
    start(id).then_accepted();
    return id;
  }
  Uuid delivered_order(const std::string& package = "basic") {
    const Uuid id = started_order(package);
    deliver(id).then_accepted();
    return id;
  }
  Uuid completed_order() {
    const Uuid id = delivered_order();
    approve(id).then_accepted();
    return id;
  }
  Uuid overdue_order() {
    const Uuid id = started_order();
    pass(3 * day_us);
    EXPECT_TRUE(state<OrderState>(id).is_overdue);
    return id;
  }

  // Each as whoever may, unless a test says otherwise.
  Outcome start(const Uuid& id) { return send(user(sid), order::StartOrder{.order_id = id}); }
  Outcome deliver(const Uuid& id, const std::string& notes = "Here it is.") {
    return send(user(sid), order::DeliverOrder{.order_id = id, .delivery_notes = notes});
  }
  Outcome revise(const Uuid& id) { return send(user(bea), order::RequestRevision{.order_id = id, .reason = "Louder."}); }
  Outcome approve(const Uuid& id) { return send(user(bea), order::ApproveDelivery{.order_id = id}); }
  Outcome cancel(const Uuid& id, const Actor& who) {
    return send(who, order::CancelOrder{.order_id = id, .reason = "I changed my mind."});
  }
  Outcome refund(const Uuid& id, const Actor& who) { return send(who, order::RefundOrder{.order_id = id, .reason = "Sorry."}); }
  Outcome complain(const Uuid& id) {
    return send(user(bea), order::OpenDispute{.order_id = id, .reason = "Not what I ordered."});
  }
  Outcome reply(const Uuid& id, const std::string& answer = "It is.") {
    return send(user(sid), order::AnswerDispute{.order_id = id, .answer = answer});
  }
  Outcome resolve(const Uuid& id, DisputeOutcome outcome) {
    return send(admin(boss), order::ResolveDispute{.order_id = id, .outcome = outcome});
  }
  void charge_back(const Uuid& id) {
    send(service(), payment::RecordDisputeOpened{.payment_id = payment_of(id), .external_id = "dp_1"}).then_accepted();
  }

  const OrderState& the_order(const Uuid& id) const { return state<OrderState>(id); }
  OrderStatus status(const Uuid& id) const { return the_order(id).status; }
  Uuid payment_of(const Uuid& id) const { return the_order(id).payment_id; }
  const PaymentState& money_of(const Uuid& id) const { return state<PaymentState>(payment_of(id)); }
};

}  // namespace guildhall::testing
