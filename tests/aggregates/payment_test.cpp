#include "aggregates/payment.h"

#include "tests/aggregates/offering.h"

namespace guildhall::testing {
namespace {

using namespace payment;
using ::payment::v1::Call;
using ::payment::v1::Status;

class Payment : public Offering {
 public:
  Uuid pending() { return booked(open(hour, on_day(9)), ann); }
  Uuid authorized() {
    const Uuid booking = pending();
    authorize(booking).then_accepted();
    return booking;
  }
  Uuid captured() {
    const Uuid booking = authorized();
    confirm(booking).then_accepted();
    capture(booking).then_accepted();
    return booking;
  }
  Uuid refund_requested(const Uuid& booking, std::int64_t amount_cents) {
    when(RequestRefund{.payment_id = payment_of(booking), .amount_cents = amount_cents, .reason = "Sorry"}).then_accepted();
    return payment(booking).refunds.back().refund_id();
  }
  Outcome refunded(const Uuid& booking, const Uuid& refund) {
    return when(RecordRefunded{.payment_id = payment_of(booking), .refund_id = refund});
  }
  Outcome refund_failed(const Uuid& booking, const Uuid& refund) {
    return when(RecordRefundFailed{.payment_id = payment_of(booking), .refund_id = refund, .reason = "account closed"});
  }
  Outcome voided(const Uuid& booking) { return when(RecordCancelled{.payment_id = payment_of(booking)}); }
};

TEST_F(Payment, is_authorized_then_captured) {  // TU-31, TU-36, M-2
  const Uuid booking = pending();
  const Uuid id = payment_of(booking);
  EXPECT_EQ(payment(booking).status, Status::processing);
  const auto asked = effect(payment(booking));
  ASSERT_TRUE(asked);
  const Uuid key = derive_in_group("effect/authorize", id, 0, test_bucket);
  EXPECT_EQ(*asked, (Effect{key, Call::authorize, id, 5000, "DKK", "sandbox", ""}));

  authorize(booking).then({PaymentAuthorized{.payment_id = id, .external_id = "pi_1"},
                           booking::BookingSecured{.booking_id = booking, .expires_at = now + 6 * day_us}});
  EXPECT_FALSE(effect(payment(booking)));
  confirm(booking).then_accepted();
  EXPECT_EQ(effect(payment(booking)),
            (Effect{derive_in_group("effect/capture", id, 0, test_bucket), Call::capture, id, 5000, "DKK", "sandbox", "pi_1"}));
  capture(booking).then({PaymentCaptured{.payment_id = id, .amount_cents = 5000, .external_id = "pi_1", .currency = "DKK"}});
  EXPECT_FALSE(effect(payment(booking)));
  const auto view = resource<PaymentView>({{StreamKind::payment, id}, {}});
  EXPECT_EQ(view.status, Status::captured);
  EXPECT_EQ(view.amount_authorized, 5000);
  EXPECT_EQ(view.amount_captured, 5000);
  EXPECT_EQ(view.amount_refunded, 0);
}

TEST_F(Payment, waits_for_the_client_where_the_platform_does_not_authorize) {  // TU-31
  policy.auto_authorize = false;
  const Uuid booking = pending();
  EXPECT_EQ(payment(booking).status, Status::pending);
  EXPECT_FALSE(effect(payment(booking)));
  authorize(booking).then_accepted();
  EXPECT_TRUE(state<BookingState>(booking).secured);
}

TEST_F(Payment, only_the_processor_side_records) {  // TU-48
  const Uuid booking = captured();
  const Uuid refund = refund_requested(booking, 100);
  for (const Actor& who : {user(ann), user(expert), user(stranger)}) {
    as(who);
    authorize(booking).then_rejected(Code::payment_not_found);
    capture(booking).then_rejected(Code::payment_not_found);
    fail(booking).then_rejected(Code::payment_not_found);
    voided(booking).then_rejected(Code::payment_not_found);
    refunded(booking, refund).then_rejected(Code::payment_not_found);
    refund_failed(booking, refund).then_rejected(Code::payment_not_found);
  }
  as(service()).when(RecordCaptured{.payment_id = id_of("no payment")}).then_rejected(Code::payment_not_found);
}

TEST_F(Payment, a_refused_authorization_ends_the_booking) {  // A-TU-7
  for (const bool auto_authorize : {true, false}) {
    policy.auto_authorize = auto_authorize;
    start_over();
    const Uuid booking = pending();
    const Uuid slot_id = state<BookingState>(booking).slot_id;
    fail(booking).then(
        {PaymentFailed{.payment_id = payment_of(booking), .reason = "declined"},
         booking::BookingCancelled{
             .booking_id = booking, .cancelled_by = ::booking::v1::CancelledBy::system, .reason = "payment failed"},
         calendar::SeatReleased{.expert_id = expert,
                                .day = day,
                                .slot_id = slot_id,
                                .booking_id = booking,
                                .changed = {::calendar::v1::SlotSeats(slot_id, 0, 1, false, false)}}});
    fail(booking).then_nothing();
    booked(slot_id, bob);
  }
}

TEST_F(Payment, a_refused_capture_ends_the_booking) {  // A-TU-7, TU-36
  const Uuid booking = authorized();
  confirm(booking).then_accepted();
  fail(booking).then_accepted();
  EXPECT_EQ(status(booking), ::booking::v1::Status::cancelled);
  EXPECT_EQ(payment(booking).status, Status::failed);
  expect_consistent();
}

TEST_F(Payment, a_lapsed_authorization_ends_the_booking) {  // M-3
  for (const bool confirmed : {false, true}) {
    start_over();
    const Uuid booking = authorized();
    if (confirmed) confirm(booking).then_accepted();
    voided(booking).then_accepted();
    EXPECT_EQ(payment(booking).status, Status::cancelled);
    EXPECT_EQ(status(booking), ::booking::v1::Status::cancelled);
    expect_consistent();
  }
}

TEST_F(Payment, a_decline_voids_the_authorization) {  // TU-31, TU-35
  const Uuid booking = authorized();
  const Uuid id = payment_of(booking);
  decline(booking).then_accepted();
  EXPECT_EQ(effect(payment(booking)),
            (Effect{derive_in_group("effect/cancel", id, 0, test_bucket), Call::cancel, id, 5000, "DKK", "sandbox", "pi_1"}));
  fail(booking).then_nothing();  // Older than the authorization: the void goes on.
  voided(booking).then({PaymentCancelled{.payment_id = id}});
  voided(booking).then_nothing();
  EXPECT_FALSE(effect(payment(booking)));
}

TEST_F(Payment, a_cancelled_booking_is_refunded_in_full) {  // M-2, A-TU-10
  const Uuid booking = captured();
  cancel(booking).then_accepted();
  const auto asked = only<RefundRequested>(world.history());
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].amount_cents, 5000);
  EXPECT_EQ(effect(payment(booking))->id, asked[0].refund_id);
  EXPECT_EQ(payment(booking).status, Status::captured);
  refunded(booking, asked[0].refund_id).then_accepted();
  EXPECT_EQ(payment(booking).status, Status::refunded);
}

TEST_F(Payment, a_cancelled_booking_is_refunded_what_is_left) {  // TU-33
  const Uuid booking = captured();
  refunded(booking, refund_requested(booking, 1000)).then_accepted();
  refund_requested(booking, 500);
  cancel(booking).then_accepted();
  EXPECT_EQ(only<RefundRequested>(world.history()).back().amount_cents, 3500);
  expect_consistent();
}

TEST_F(Payment, a_capture_that_crosses_the_cancellation_is_refunded) {  // M-2
  const Uuid booking = authorized();
  confirm(booking).then_accepted();
  cancel(booking).then_accepted();
  EXPECT_EQ(payment(booking).call, Call::capture) << "it may have happened: only its answer tells";
  capture(booking).then_accepted();
  EXPECT_EQ(only<RefundRequested>(world.history()).at(0).amount_cents, 5000);
  capture(booking).then_nothing();
  expect_consistent();
}

TEST_F(Payment, a_void_that_came_too_late_is_refunded) {  // M-2
  const Uuid booking = authorized();
  cancel(booking).then_accepted();
  capture(booking).then_accepted();
  EXPECT_EQ(payment(booking).call, Call::refund);
  voided(booking).then_nothing();
  expect_consistent();
}

TEST_F(Payment, an_authorization_after_a_failure_is_voided) {  // M-2: the client paid with a second card.
  const Uuid booking = pending();
  fail(booking).then_accepted();
  authorize(booking).then({PaymentAuthorized{.payment_id = payment_of(booking), .external_id = "pi_1"},
                           CancelRequested{.payment_id = payment_of(booking)}});
  fail(booking).then_nothing();
  expect_consistent();
}

TEST_F(Payment, a_late_failure_does_not_undo_an_authorization) {  // PY-4
  const Uuid booking = authorized();
  fail(booking).then_nothing();
  EXPECT_EQ(status(booking), ::booking::v1::Status::pending);
}

TEST_F(Payment, money_captured_in_one_step_secures_the_booking) {  // Domain 9: one-step checkout.
  const Uuid booking = pending();
  capture(booking).then(
      {PaymentAuthorized{.payment_id = payment_of(booking), .external_id = "pi_1"},
       PaymentCaptured{.payment_id = payment_of(booking), .amount_cents = 5000, .external_id = "pi_1", .currency = "DKK"},
       booking::BookingSecured{.booking_id = booking, .expires_at = now + 6 * day_us}});
  as(user(expert)).confirm(booking).then({booking::BookingConfirmed{.booking_id = booking}});
}

// ---- refunds

TEST_F(Payment, refunds_part_by_part_up_to_what_was_captured) {  // TU-33, A-TU-10
  const Uuid booking = captured();
  as(user(expert));
  const Uuid first = refund_requested(booking, 2000);
  const Uuid second = refund_requested(booking, 2999);
  const RequestRefund more{.payment_id = payment_of(booking), .amount_cents = 2};
  when(more).then_rejected(Code::amount_exceeds_captured);
  EXPECT_EQ(effect(payment(booking))->id, first) << "one call at a time, oldest first";
  as(service());
  refunded(booking, first)
      .then({PaymentRefunded{.payment_id = payment_of(booking), .refund_id = first, .amount_cents = 2000, .currency = "DKK"}});
  EXPECT_EQ(payment(booking).status, Status::partially_refunded);
  EXPECT_EQ(effect(payment(booking))->id, second);
  EXPECT_EQ(effect(payment(booking))->amount_cents, 2999);
  refunded(booking, second).then_accepted();
  EXPECT_EQ(payment(booking).status, Status::partially_refunded);
  when(more).then_rejected(Code::amount_exceeds_captured);
  refunded(booking, refund_requested(booking, 1)).then_accepted();
  EXPECT_EQ(payment(booking).status, Status::refunded);
  when(more).then_rejected(Code::amount_exceeds_captured);
  EXPECT_EQ(status(booking), ::booking::v1::Status::confirmed);
}

TEST_F(Payment, refunds_are_asked_by_the_expert_of_captured_money) {  // TU-31, TU-48
  const Uuid booking = authorized();
  const RequestRefund refund{.payment_id = payment_of(booking), .amount_cents = 100};
  as(user(expert)).when(refund).then_rejected(Code::payment_not_captured);
  as(service()).confirm(booking).then_accepted();
  capture(booking).then_accepted();
  as(user(ann)).when(refund).then_rejected(Code::expert_only);
  as(user(stranger)).when(refund).then_rejected(Code::payment_not_found);
  when(RequestRefund{.payment_id = id_of("no payment"), .amount_cents = 1}).then_rejected(Code::payment_not_found);
  for (const Actor& who : {user(expert), admin(root), service()}) as(who).when(refund).then_accepted();
}

TEST_F(Payment, answers_find_their_refund_by_its_id) {  // PY-6
  const Uuid booking = captured();
  const Uuid first = refund_requested(booking, 1000);
  const Uuid second = refund_requested(booking, 1000);
  refunded(booking, id_of("somebody else's")).then_rejected(Code::refund_not_found);
  refund_failed(booking, id_of("somebody else's")).then_rejected(Code::refund_not_found);
  refunded(booking, second).then_accepted();  // Two equal refunds, their answers swapped.
  EXPECT_EQ(effect(payment(booking))->id, first);
  refunded(booking, second).then_nothing();
  refund_failed(booking, first).then_accepted();
  EXPECT_EQ(payment(booking).refunded_cents, 1000);
  EXPECT_FALSE(effect(payment(booking)));
}

TEST_F(Payment, a_refund_that_fails_later_is_reversed) {  // PY-9
  const Uuid booking = captured();
  const Uuid refund = refund_requested(booking, 5000);
  refunded(booking, refund).then_accepted();
  EXPECT_EQ(payment(booking).status, Status::refunded);
  refund_failed(booking, refund)
      .then({RefundFailed{.payment_id = payment_of(booking),
                          .refund_id = refund,
                          .amount_cents = 5000,
                          .reason = "account closed",
                          .was_refunded = true,
                          .currency = "DKK"}});
  EXPECT_EQ(payment(booking).status, Status::captured);
  EXPECT_EQ(payment(booking).refunded_cents, 0);
  refund_failed(booking, refund).then_nothing();
  refunded(booking, refund).then_nothing();
  refund_requested(booking, 5000);  // It may be tried again.
  expect_consistent();
}

TEST_F(Payment, remembers_a_bounded_number_of_answered_refunds) {  // PY-4, PY-6
  const Uuid booking = captured();
  std::vector<Uuid> refunds;
  for (std::size_t i = 0; i < remembered_refunds + 1; ++i) {
    refunds.push_back(refund_requested(booking, 1));
    refunded(booking, refunds.back()).then_accepted();
  }
  EXPECT_EQ(payment(booking).refunds.size(), remembered_refunds);
  refunded(booking, refunds[0]).then_rejected(Code::refund_not_found);
  refunded(booking, refunds[1]).then_nothing();
  EXPECT_EQ(payment(booking).refunded_cents, static_cast<std::int64_t>(remembered_refunds) + 1);
}

// ---- PY-4: duplicates in any order

// Delivers every order of the messages; one that is refused waits and comes again after the others. Each message keeps its
// command id.
class PaymentOrders : public Payment {
 public:
  template <class Prepare, class Deliver>
  void expect_one_end(std::string messages, Prepare prepare, Deliver deliver) {
    std::ranges::sort(messages);
    std::optional<std::pair<PaymentState, BookingState>> end;
    std::size_t orders = 0;
    do {
      SCOPED_TRACE(messages);
      start_over();
      const Uuid booking = prepare();
      std::string waiting;
      for (const char m : messages)
        if (!deliver(booking, m).decision()) waiting.push_back(m);
      for (const char m : waiting) EXPECT_TRUE(deliver(booking, m).decision()) << m;
      std::pair<PaymentState, BookingState> got{payment(booking), state<BookingState>(booking)};
      expect_consistent(got.second, got.first);
      // The bookings of two worlds differ in their ids only.
      got.first.subject_id = got.first.related_id = got.first.payment_id = got.second.booking_id = got.second.payment_id = Uuid{};
      for (auto& r : got.first.refunds)
        r = {Uuid{},        r.amount_cents(),       r.commission_cents(),
             r.fee_cents(), r.from_pending_cents(), r.from_available_cents(),
             r.status(),    r.platform_bears_fee()};
      if (!end) end = got;
      EXPECT_TRUE(got == *end) << ::payment::v1::EnumNameStatus(got.first.status) << ", not "
                               << ::payment::v1::EnumNameStatus(end->first.status);
      ++orders;
    } while (std::ranges::next_permutation(messages).found && !HasFailure());
    RecordProperty("orders", static_cast<int>(orders));
  }

  Outcome deliver(const Uuid& booking, char message) {
    const Uuid id = payment_of(booking);
    const Uuid command = id_of(std::string("message ") + message);
    const Uuid refund = derive_in_group("refund", id, 0, test_bucket);  // The payment's first.
    switch (message) {
      case 'A': return when(RecordAuthorized{.payment_id = id, .external_id = "pi_1"}, command);
      case 'C': return when(RecordCaptured{.payment_id = id, .external_id = "pi_1"}, command);
      case 'R': return when(RecordRefunded{.payment_id = id, .refund_id = refund}, command);
      case 'F': return when(RecordRefundFailed{.payment_id = id, .refund_id = refund, .reason = "account closed"}, command);
      default: CHECK(message == 'V'); return when(RecordCancelled{.payment_id = id}, command);
    }
  }
};

TEST_F(PaymentOrders, authorized_and_captured_end_captured) {  // PY-4
  for (const bool auto_authorize : {true, false}) {
    policy.auto_authorize = auto_authorize;
    expect_one_end(
        "AAACCC", [&] { return pending(); }, [&](const Uuid& b, char m) { return deliver(b, m); });
  }
}

TEST_F(PaymentOrders, authorized_captured_and_refunded_end_refunded) {  // PY-4: cancelled while the authorization was under way.
  const auto cancelled = [&] {
    const Uuid booking = pending();
    cancel(booking).then_accepted();
    return booking;
  };
  expect_one_end("AAACCCRRR", cancelled, [&](const Uuid& b, char m) { return deliver(b, m); });
}

TEST_F(PaymentOrders, a_refund_that_fails_ends_captured) {  // PY-4, PY-9
  const auto cancelled = [&] {
    const Uuid booking = pending();
    cancel(booking).then_accepted();
    return booking;
  };
  expect_one_end("ACCRRFF", cancelled, [&](const Uuid& b, char m) { return deliver(b, m); });
}

TEST_F(PaymentOrders, authorized_and_voided_end_cancelled) {  // PY-4: a void is only sent once the authorization is known.
  const auto declined = [&] {
    const Uuid booking = authorized();
    decline(booking).then_accepted();
    return booking;
  };
  expect_one_end("AAAVVV", declined, [&](const Uuid& b, char m) { return deliver(b, m); });
}

}  // namespace
}  // namespace guildhall::testing
