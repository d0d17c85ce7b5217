// Registrations: PA-79, PA-80, §9 Registration, M-2, M-11, ledger.md (holds, refunds), and their laws over random histories.
#include <random>

#include "tests/aggregates/webinars.h"

namespace guildhall::testing {
namespace {

using namespace registration;
using ::registration::v1::CancelledBy;

class Registration : public Webinars {
 public:
  std::vector<payment::RefundRequested> refunds() const { return only<payment::RefundRequested>(world.history()); }
};

TEST_F(Registration, a_free_one_is_made_at_once) {  // PA-77, PA-80
  const Uuid id = schedule(0);
  const auto accepted = enlist(id, ana).then_accepted();
  EXPECT_TRUE(accepted.created);
  const auto view = resource<RegistrationView>(accepted.subject);
  EXPECT_EQ(view.id, registration_id_of(id, ana));
  EXPECT_EQ(view.status, RegistrationStatus::registered);
  EXPECT_EQ(view.payment_status, PaymentStatus::free);
  EXPECT_TRUE(is_nil(view.payment_id));
  EXPECT_FALSE(view.expires_at);
  EXPECT_EQ(bucket_of(view.id), bucket_of(id));
  EXPECT_TRUE(timers(registration_of(id, ana)).empty());
}

TEST_F(Registration, a_paid_one_holds_its_seat_until_the_money_is_there) {  // M-2, PA-80
  const Uuid id = schedule(price, 1);
  const auto accepted = enlist(id, ana).then_accepted();
  const auto initiated = only<payment::PaymentInitiated>(accepted.events);
  ASSERT_EQ(initiated.size(), 1u);
  EXPECT_EQ(initiated[0].purpose, ::payment::v1::Purpose::registration);
  EXPECT_EQ(initiated[0].subject_id, registration_id_of(id, ana));
  EXPECT_EQ(initiated[0].related_id, id) << "PA-83: transactions name the webinar";
  EXPECT_EQ(initiated[0].payer_id, ana);
  EXPECT_EQ(initiated[0].payee_id, host);
  EXPECT_EQ(initiated[0].amount_cents, price);
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::pending);
  EXPECT_EQ(registration_of(id, ana).expires_at, now + 15 * minute_us);
  enlist(id, bo).then_rejected(Code::webinar_full);
  pay(payment_of(id, ana).payment_id).then_accepted();
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::registered);
  EXPECT_EQ(registration_of(id, ana).payment_status, PaymentStatus::paid);
  EXPECT_EQ(payment_of(id, ana).release_at, 0) << "A-PA-14: the hold starts when the webinar has ended";
}

TEST_F(Registration, an_authorization_is_captured_at_once) {  // M-2
  const Uuid id = schedule();
  enlist(id, ana).then_accepted();
  const Uuid payment = payment_of(id, ana).payment_id;
  const auto accepted =
      as(the_system()).when(payment::RecordAuthorized{.payment_id = payment, .external_id = "pi_1"}).then_accepted();
  EXPECT_EQ(only<payment::CaptureRequested>(accepted.events).size(), 1u);
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::pending);
}

TEST_F(Registration, one_for_a_user_and_a_webinar) {  // PA-79
  const Uuid id = schedule();
  enlist(id, ana).then_accepted();
  enlist(id, ana).then_nothing();
  when(wish(id, ana, Method::paypal)).then_rejected(Code::registration_pending);
  pay(payment_of(id, ana).payment_id).then_accepted();
  enlist(id, ana).then_nothing();
  EXPECT_EQ(webinar_of(id).registrations_count, 1);
}

TEST_F(Registration, is_for_oneself) {  // PA-79, PA-13, A-PA-55
  const Uuid id = schedule();
  as(user(bo)).when(wish(id, ana)).then_rejected(Code::account_not_found);
  as(user(host)).when(wish(id, host)).then_rejected(Code::own_offer);
  as(user(ana)).when(wish(id_of("no webinar"), ana)).then_rejected(Code::webinar_not_found);
  const Uuid stranger = id_of("stranger");
  as(user(stranger)).when(wish(id, stranger)).then_rejected(Code::account_not_found);
  ban(ana);
  enlist(id, ana).then_rejected(Code::account_banned);
  as(service()).when(wish(id, bo)).then_accepted();
  ban(host);
  enlist(id, cy).then_rejected(Code::seller_unavailable);
}

TEST_F(Registration, co_hosts_need_none) {  // PA-77
  give(host, Tier::premium);
  auto c = plan();
  c.co_hosts = {bo};
  const Uuid id = schedule(c);
  enlist(id, bo).then_rejected(Code::own_offer);
}

TEST_F(Registration, the_price_is_the_one_that_was_seen) {  // ledger.md: expected_price_cents
  const Uuid id = schedule(price);
  auto c = wish(id, ana);
  c.expected_price_cents = price - 1;
  as(user(ana)).when(c).then_rejected(Code::price_changed);
  c.expected_price_cents = price;
  when(c).then_accepted();
}

TEST_F(Registration, something_to_pay_needs_a_way_to_pay) {  // PA-85
  const Uuid id = schedule();
  as(user(ana)).when(wish(id, ana, Method::none)).then_rejected(Code::payment_method_not_allowed);
  const Uuid free = schedule(0);
  as(user(ana)).when(wish(free, ana, Method::none)).then_accepted();
}

TEST_F(Registration, is_open_until_the_webinar_is_over) {  // PA-78
  const Uuid id = schedule(0);
  start(id).then_accepted();
  enlist(id, ana).then_accepted();
  end(id).then_accepted();
  enlist(id, bo).then_rejected(Code::webinar_over);
  const Uuid other = schedule(0);
  cancel(other).then_accepted();
  enlist(other, bo).then_rejected(Code::webinar_over);
}

TEST_F(Registration, expires_without_money_and_gives_the_seat_back) {  // M-2
  const Uuid id = schedule(price, 1);
  enlist(id, ana).then_accepted();
  const Uuid payment = payment_of(id, ana).payment_id;
  wait(15 * minute_us - 1);
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::pending);
  as(the_system()).when(ExpireRegistration{.registration_id = registration_id_of(id, ana)}).then_nothing();
  wait(1);
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::expired);
  EXPECT_EQ(webinar_of(id).registrations_count, 0);
  enlist(id, bo).then_accepted();
  pay(payment).then_accepted();
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::expired) << "the seat is gone";
  ASSERT_EQ(refunds().size(), 1u);
  EXPECT_EQ(refunds()[0].payment_id, payment);
  EXPECT_TRUE(refunds()[0].platform_bears_fee) << "ledger.md: late success";
}

TEST_F(Registration, late_money_takes_a_free_seat_again) {  // M-2
  const Uuid id = schedule(price, 1);
  enlist(id, ana).then_accepted();
  wait(hour_us);
  pay(payment_of(id, ana).payment_id).then_accepted();
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::registered);
  EXPECT_EQ(registration_of(id, ana).payment_status, PaymentStatus::paid);
  EXPECT_EQ(webinar_of(id).registrations_count, 1);
  EXPECT_TRUE(refunds().empty());
}

TEST_F(Registration, late_money_of_a_webinar_that_is_over_goes_back) {  // M-2, M-11
  const Uuid ended = schedule(), cancelled = schedule();
  enlist(ended, ana).then_accepted();
  enlist(cancelled, ana).then_accepted();
  wait(hour_us);
  start(ended).then_accepted();
  end(ended).then_accepted();
  cancel(cancelled).then_accepted();
  for (const Uuid& id : {ended, cancelled}) {
    pay(payment_of(id, ana).payment_id).then_accepted();
    EXPECT_TRUE(state<PaymentState>(payment_of(id, ana).payment_id).late);
    EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::expired);
  }
  EXPECT_EQ(refunds().size(), 2u);
}

TEST_F(Registration, money_between_a_cancellation_and_its_settlement_goes_back_once) {  // M-11
  const Uuid id = schedule();
  enlist(id, ana).then_accepted();
  cancel(id).then_accepted();
  pay(payment_of(id, ana).payment_id).then_accepted();
  settle();
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::cancelled);
  EXPECT_EQ(refunds().size(), 1u);
}

TEST_F(Registration, money_after_the_end_starts_its_hold_at_once) {  // A-PA-14
  const Uuid id = schedule();
  start(id).then_accepted();
  enlist(id, ana).then_accepted();
  end(id).then_accepted();
  settle();
  pay(payment_of(id, ana).payment_id).then_accepted();
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::registered);
  EXPECT_EQ(payment_of(id, ana).release_at, now + 7 * 24 * hour_us);
}

TEST_F(Registration, money_between_an_end_and_its_settlement_starts_one_hold) {  // A-PA-14
  const Uuid id = schedule();
  start(id).then_accepted();
  enlist(id, ana).then_accepted();
  end(id).then_accepted();
  pay(payment_of(id, ana).payment_id).then_accepted();
  settle();
  EXPECT_EQ(only<payment::HoldStarted>(world.history()).size(), 1u);
}

TEST_F(Registration, a_refused_payment_ends_it) {  // ledger.md: pending → failed
  const Uuid id = schedule(price, 1);
  enlist(id, ana).then_accepted();
  refuse(payment_of(id, ana).payment_id).then_accepted();
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::failed);
  EXPECT_EQ(webinar_of(id).registrations_count, 0);
  enlist(id, bo).then_accepted();
}

TEST_F(Registration, a_user_may_register_again) {  // PA-79
  const Uuid id = schedule(price, 1);
  enlist(id, ana).then_accepted();
  const Uuid first = payment_of(id, ana).payment_id;
  refuse(first).then_accepted();
  enlist(id, ana).then_accepted();
  const Uuid second = payment_of(id, ana).payment_id;
  EXPECT_NE(first, second);
  pay(second).then_accepted();
  EXPECT_EQ(webinar_of(id).registrations_count, 1);
  pay(first).then_accepted();
  ASSERT_EQ(refunds().size(), 1u) << "money of an earlier time goes back";
  EXPECT_EQ(refunds()[0].payment_id, first);
  confirm_refunds(first);
  EXPECT_EQ(registration_of(id, ana).payment_status, PaymentStatus::paid);
}

TEST_F(Registration, cancelled_before_the_start_is_refunded_in_full) {  // §9, ledger.md: the platform bears the fee
  const Uuid id = schedule(price, 1);
  paid(id, ana);
  leave(id, ana).then_accepted();
  leave(id, ana).then_nothing();
  EXPECT_EQ(webinar_of(id).registrations_count, 0);
  ASSERT_EQ(refunds().size(), 1u);
  EXPECT_EQ(refunds()[0].amount_cents, price);
  EXPECT_TRUE(refunds()[0].platform_bears_fee);
  EXPECT_EQ(registration_of(id, ana).payment_status, PaymentStatus::paid) << "until the money is back";
  confirm_refunds(payment_of(id, ana).payment_id);
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::refunded);
  EXPECT_EQ(registration_of(id, ana).payment_status, PaymentStatus::refunded);
  enlist(id, bo).then_accepted();
}

TEST_F(Registration, a_pending_one_is_cancelled_with_its_payment) {  // §9
  const Uuid id = schedule();
  enlist(id, ana).then_accepted();
  const Uuid payment = payment_of(id, ana).payment_id;
  const auto accepted = leave(id, ana).then_accepted();
  const auto events = only<RegistrationCancelled>(accepted.events);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].cancelled_by, CancelledBy::attendee);
  EXPECT_EQ(events[0].payment_status, PaymentStatus::pending);
  pay(payment).then_accepted();
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::cancelled);
  EXPECT_EQ(refunds().size(), 1u);
}

TEST_F(Registration, is_cancelled_by_its_user_before_the_start_only) {  // §9, PA-80
  const Uuid id = schedule();
  paid(id, ana);
  const CancelRegistration c{.registration_id = registration_id_of(id, ana)};
  as(user(bo)).when(c).then_rejected(Code::registration_not_found);
  as(user(host)).when(c).then_rejected(Code::attendee_only);
  start(id).then_accepted();
  leave(id, ana).then_rejected(Code::webinar_not_upcoming);
  end(id).then_accepted();
  leave(id, ana).then_rejected(Code::webinar_not_upcoming);
}

TEST_F(Registration, one_that_ended_is_not_cancelled) {  // §9
  const Uuid id = schedule();
  enlist(id, ana).then_accepted();
  wait(hour_us);
  leave(id, ana).then_rejected(Code::registration_ended);
  attend(id, ana).then_rejected(Code::registration_ended);
}

TEST_F(Registration, who_joins_the_live_webinar_has_attended) {  // PA-79, §9
  const Uuid id = schedule();
  paid(id, ana);
  enlist(id, bo).then_accepted();
  attend(id, ana).then_rejected(Code::webinar_not_live);
  start(id).then_accepted();
  attend(id, bo).then_rejected(Code::registration_not_paid);
  as(user(host)).when(JoinWebinar{.registration_id = registration_id_of(id, ana)}).then_rejected(Code::attendee_only);
  attend(id, cy).then_rejected(Code::registration_not_found);
  attend(id, ana).then({ParticipantJoined{.registration_id = registration_id_of(id, ana),
                                          .webinar_id = id,
                                          .user_id = ana,
                                          .attended_at = now,
                                          .first_time = true}});
  attend(id, ana).then_nothing();
  end(id).then_accepted();
  attend(id, ana).then_nothing();
  EXPECT_TRUE(resource<RegistrationView>({{StreamKind::registration, registration_id_of(id, ana)}}).attended);
}

TEST_F(Registration, a_full_refund_revokes_it) {  // ledger.md: a full refund revokes the entitlement, a partial one does not
  const Uuid id = schedule(price, 1);
  paid(id, ana);
  const Uuid payment = payment_of(id, ana).payment_id;
  as(user(host)).when(payment::RequestRefund{.payment_id = payment, .amount_cents = price / 2}).then_accepted();
  confirm_refunds(payment);
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::registered);
  as(user(host)).when(payment::RequestRefund{.payment_id = payment, .amount_cents = price / 2}).then_accepted();
  confirm_refunds(payment);
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::refunded);
  EXPECT_EQ(webinar_of(id).registrations_count, 0);
  cancel(id).then_accepted();
  settle();
  EXPECT_EQ(refunds().size(), 2u) << "nothing is left to refund";
}

TEST_F(Registration, who_is_refunded_and_comes_back_has_attended_once) {  // PA-77: attendees_count counts people
  const Uuid id = schedule();
  const auto first_times = [&] {
    return std::ranges::count_if(only<ParticipantJoined>(world.history()), [](const auto& e) { return e.first_time; });
  };
  paid(id, ana);
  start(id).then_accepted();
  attend(id, ana).then_accepted();
  for (int again = 0; again < 2; ++again) {
    const Uuid payment = payment_of(id, ana).payment_id;
    as(user(host)).when(payment::RequestRefund{.payment_id = payment, .amount_cents = price}).then_accepted();
    confirm_refunds(payment);
    paid(id, ana);
    EXPECT_EQ(registration_of(id, ana).attended_at, 0) << "this time not yet";
    if (again == 1) attend(id, ana).then_accepted();
  }
  EXPECT_EQ(only<ParticipantJoined>(world.history()).size(), 2u);
  EXPECT_EQ(first_times(), 1);
  paid(id, bo);
  attend(id, bo).then_accepted();
  EXPECT_EQ(first_times(), 2);
}

TEST_F(Registration, is_seen_by_its_user_and_the_host) {  // PA-80
  const Uuid id = schedule(0);
  enlist(id, ana).then_accepted();
  EXPECT_TRUE(shows_to(registration_of(id, ana), user(ana)));
  EXPECT_TRUE(shows_to(registration_of(id, ana), user(host)));
  EXPECT_FALSE(shows_to(registration_of(id, ana), user(bo)));
}

// ---- laws

// People register, pay, change their minds, and come late; money comes when it wants, or not at all; the webinar is started,
// ended, cancelled or forgotten. Whatever happens: seats are the live registrations and never too many, and all money finds its
// place once.
class RegistrationLaws : public Webinars, public ::testing::WithParamInterface<unsigned> {
 public:
  static constexpr int people = 9;
  static constexpr std::int32_t seats = 5;
  static constexpr int steps = 250;

  std::mt19937_64 random{GetParam()};
  Uuid webinar;
  std::vector<Uuid> payments;

  int pick(int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); }

  void do_something() {
    const Uuid who = guest(10 + pick(people));
    const Uuid some_payment =
        payments.empty() ? Uuid{} : payments[static_cast<std::size_t>(pick(static_cast<int>(payments.size())))];
    const int dice = pick(100);
    if (dice < 40) enlist(webinar, who);
    else if (dice < 52) leave(webinar, who);
    else if (dice < 57) attend(webinar, who);
    else if (dice < 60) wait(pick(20) * minute_us);
    else if (dice < 61) start(webinar);
    else if (dice < 62 && pick(3) == 0) end(webinar);
    else if (dice < 63 && pick(4) == 0) cancel(webinar);
    else if (is_nil(some_payment)) return;
    else if (dice < 85) pay(some_payment);
    else if (dice < 90) refuse(some_payment);
    else if (dice < 93) as(the_system()).when(payment::RecordAuthorized{.payment_id = some_payment, .external_id = "pi_1"});
    else if (dice < 98) confirm_refunds(some_payment);
    else
      as(user(host)).when(payment::RequestRefund{.payment_id = some_payment, .amount_cents = pick(2) == 0 ? price : price / 2});
  }

  void check() {
    payments.clear();
    for (const auto& e : only<payment::PaymentInitiated>(world.history())) payments.push_back(e.payment_id);
    const auto& s = webinar_of(webinar);
    ASSERT_EQ(s.registrations_count, live_registrations(webinar));
    ASSERT_LE(s.registrations_count, seats);
  }
};

TEST_P(RegistrationLaws, seats_are_the_live_registrations_and_money_finds_its_place_once) {  // PA-79, M-2, M-11, A-PA-14
  for (int i = 10; i < 10 + people; ++i) join(guest(i));
  webinar = schedule(price, seats);
  for (int i = 0; i < steps; ++i) {
    do_something();
    check();
    if (HasFatalFailure()) return;
  }
  wait(30 * day_us);  // Forgotten, it closes by itself.
  for (const Uuid& payment : payments) {
    if (pick(2) == 0) pay(payment);  // Late.
    confirm_refunds(payment);
  }
  check();
  const auto& s = webinar_of(webinar);
  ASSERT_TRUE(s.status == WebinarStatus::ended || s.status == WebinarStatus::cancelled);
  EXPECT_TRUE(timers(s).empty());

  std::map<Uuid, std::int64_t, UuidLess> returned;
  for (const auto& e : only<payment::PaymentRefunded>(world.history())) returned[e.payment_id] += e.amount_cents;
  std::map<Uuid, int, UuidLess> holds;
  for (const auto& e : only<payment::HoldStarted>(world.history())) ++holds[e.payment_id];
  for (const Uuid& id : payments) {
    const auto& p = state<PaymentState>(id);
    const auto& r = state<RegistrationState>(p.subject_id);
    const bool live = r.payment_id == id && r.status == RegistrationStatus::registered;
    EXPECT_TRUE(!live || s.status == WebinarStatus::ended);
    EXPECT_LE(holds[id], s.status == WebinarStatus::ended ? 1 : 0);
    if (live) {
      EXPECT_EQ(holds[id], 1);
      EXPECT_LT(returned[id], p.captured_cents) << "who paid and was not refunded has the seat";
    } else {
      EXPECT_EQ(returned[id], p.captured_cents) << "who has no seat has the money";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Histories, RegistrationLaws, ::testing::Range(1u, 61u));

}  // namespace
}  // namespace guildhall::testing
