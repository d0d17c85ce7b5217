// An expert with sessions, learners with accounts, days full of slots: where the tests of calendars, bookings and payments begin.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "aggregates/booking.h"
#include "aggregates/calendar.h"
#include "aggregates/payment.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {

class Offering : public Given {
 public:
  const Uuid expert = id_of("expert");
  const Uuid ann = id_of("ann");
  const Uuid bob = id_of("bob");
  const Uuid stranger = id_of("stranger");
  const Uuid root = id_of("root");

  const Uuid hour = id_of("hour");    // 60 minutes, 50.00 DKK, one seat.
  const Uuid talk = id_of("talk");    // 60 minutes, free, one seat.
  const Uuid group = id_of("group");  // 120 minutes, 20.00 DKK, three seats.
  const Uuid window = id_of("window");

  const std::int32_t day = day_of(2026, 1, 19);  // Two weeks ahead: the expert's six days end before it.
  Micros on_day(int hour_of_day, int minute = 0) const { return day * day_us + hour_of_day * hour_us + minute * minute_us; }

  // As in Given, so that what this class adds may follow.
  Offering& given(const std::vector<AnyEvent>& events) { return Given::given(events), *this; }
  Offering& as(const Actor& who) { return Given::as(who), *this; }
  Offering& at(Micros instant) { return Given::at(instant), *this; }

  void SetUp() override { start_over(); }
  void start_over() {
    world = World();
    now = utc(2026, 1, 5, 8);
    actor = service();
    open_expert(expert);
    for (const Uuid& learner : {ann, bob, stranger}) open_learner(learner);
    given({session_created(expert, hour, 60, 5000, 1), session_created(expert, talk, 60, 0, 1),
           session_created(expert, group, 120, 2000, 3)});
  }

  void open_expert(const Uuid& id) {
    given({account::AccountRegistered{.account_id = id, .display_name = "An expert", .timezone = "Europe/Copenhagen"},
           account::ExpertProfileCreated{.account_id = id, .currency = "DKK"}});
  }
  void open_learner(const Uuid& id) {
    given({account::AccountRegistered{.account_id = id, .display_name = "A learner", .timezone = "Europe/Copenhagen"},
           account::LearnerProfileCreated{.account_id = id}});
  }
  static session::SessionCreated session_created(const Uuid& expert, const Uuid& id, std::int32_t minutes,
                                                 std::int64_t price_cents, std::int32_t seats) {
    session::SessionCreated e{.session_id = id, .expert_id = expert, .title = "A session"};
    e.duration_minutes = minutes;
    e.price_cents = price_cents;
    e.currency = "DKK";
    e.max_participants = seats;
    return e;
  }

  WantedSlot wanted(const Uuid& session, Micros start) const {
    const auto& s = state<SessionState>(session);
    return {session, window, start, start + s.duration_minutes * minute_us, s.max_participants};
  }
  // Makes the slots of one day the wanted ones, and returns the events.
  std::vector<NewEvent> regenerate(const Uuid& of, std::int32_t utc_day, const std::vector<WantedSlot>& slots) {
    auto events = regenerate_day(world, of, utc_day, slots, now, "2026a");
    for (const auto& e : events) world.fold(e);
    return events;
  }
  // Opens these slots of the expert, each on its day.
  void open(const std::vector<WantedSlot>& slots) {
    std::set<std::int32_t> days;
    for (const auto& w : slots) days.insert(static_cast<std::int32_t>(w.start_at / day_us));
    for (const std::int32_t d : days) {
      std::vector<WantedSlot> of_day;
      std::ranges::copy_if(slots, std::back_inserter(of_day), [&](const WantedSlot& w) { return w.start_at / day_us == d; });
      regenerate(expert, d, of_day);
    }
  }
  Uuid open(const Uuid& session, Micros start) {
    open({wanted(session, start)});
    return slot_id_of(expert, session, start);
  }

  const ::calendar::state::Slot& slot(const Uuid& slot_id) const {
    const FoundSlot found = find_slot(world, slot_id);
    CHECK(found);
    return *found.slot;
  }
  std::vector<bool> hidden(const std::vector<Uuid>& slots) const {
    std::vector<bool> out;
    for (const Uuid& id : slots) out.push_back(slot(id).hidden());
    return out;
  }

  Outcome book(const Uuid& slot_id, const Uuid& learner) {
    return when(booking::CreateBooking{.slot_id = slot_id, .learner_id = learner, .notes = "Hello"});
  }
  Uuid booked(const Uuid& slot_id, const Uuid& learner) {
    const Outcome outcome = book(slot_id, learner);
    EXPECT_TRUE(outcome.decision().has_value()) << name_of(outcome.decision().error().code);
    return outcome.decision() ? outcome.decision()->subject.stream.id : Uuid{};
  }
  Uuid payment_of(const Uuid& booking_id) const { return state<BookingState>(booking_id).payment_id; }
  Outcome authorize(const Uuid& booking_id) {
    return when(payment::RecordAuthorized{.payment_id = payment_of(booking_id), .external_id = "pi_1"});
  }
  Outcome capture(const Uuid& booking_id) {
    return when(payment::RecordCaptured{.payment_id = payment_of(booking_id), .external_id = "pi_1"});
  }
  Outcome fail(const Uuid& booking_id) {
    return when(payment::RecordFailed{.payment_id = payment_of(booking_id), .reason = "declined"});
  }
  Outcome confirm(const Uuid& booking_id) { return when(booking::ConfirmBooking{.booking_id = booking_id}); }
  Outcome decline(const Uuid& booking_id) { return when(booking::DeclineBooking{.booking_id = booking_id}); }
  Outcome cancel(const Uuid& booking_id) { return when(booking::CancelBooking{.booking_id = booking_id}); }
  Outcome expire(const Uuid& booking_id) { return when(booking::ExpireBooking{.booking_id = booking_id}); }

  ::booking::v1::Status status(const Uuid& booking_id) const { return state<BookingState>(booking_id).status; }
  const PaymentState& payment(const Uuid& booking_id) const { return state<PaymentState>(payment_of(booking_id)); }

  template <class E>
  std::size_t count() const {
    return only<E>(world.history()).size();
  }

  // What always holds, of all calendars, bookings and payments that the history names.
  void expect_consistent() const {
    using enum ::booking::v1::Status;
    std::vector<const BookingState*> bookings;
    std::set<Uuid, UuidLess> day_ids;
    for (const NewEvent& e : world.history()) {
      if (e.stream.kind == StreamKind::calendar) day_ids.insert(e.stream.id);
      if (holds_alternative<booking::BookingCreated>(e.event)) bookings.push_back(&state<BookingState>(e.stream.id));
    }
    struct Of {
      Uuid expert;
      const ::calendar::state::Slot* slot;
    };
    std::vector<Of> slots;
    for (const Uuid& id : day_ids) {
      const auto& of_day = state<DayState>(id);
      EXPECT_TRUE(std::ranges::is_sorted(of_day.slots, {}, [](const auto& s) { return s.start_at(); }));
      for (const auto& s : of_day.slots) slots.push_back({of_day.expert_id, &s});
    }
    for (const auto& [of, s] : slots) {
      const auto live = std::ranges::count_if(bookings, [&](const BookingState* b) {
        return b->slot_id == s->slot_id() &&
               (b->status == pending || b->status == confirmed || b->status == completed || b->status == no_show);
      });
      EXPECT_EQ(s->taken(), live) << "A-TU-7";
      EXPECT_GE(s->taken(), 0) << "TU-27";
      EXPECT_LE(s->taken(), s->max()) << "TU-27";
      bool hidden = false;
      for (const auto& [other_of, other] : slots)
        hidden = hidden || (other_of == of && !(other->slot_id() == s->slot_id()) && other->taken() > 0 &&
                            other->start_at() < s->end_at() && s->start_at() < other->end_at());
      EXPECT_EQ(s->hidden(), hidden) << "A-TU-3";
      EXPECT_FALSE(hidden && s->taken() > 0) << "A-TU-3: two overlapping slots are taken";
    }
    for (const BookingState* b : bookings) {
      if (is_nil(b->payment_id)) continue;
      expect_consistent(*b, state<PaymentState>(b->payment_id));
    }
  }

  static void expect_consistent(const BookingState& b, const PaymentState& p) {
    using enum ::payment::v1::Status;
    using ::payment::v1::Call;
    std::int64_t open = 0;
    for (const auto& r : p.refunds)
      if (r.status() == ::payment::state::RefundStatus::open) open += r.amount_cents();
    EXPECT_EQ(p.amount_cents, b.amount_cents) << "TU-34";
    EXPECT_LE(p.authorized_cents, p.amount_cents) << "TU-33";
    EXPECT_LE(p.captured_cents, p.authorized_cents) << "TU-33";
    EXPECT_LE(p.refunded_cents + open, p.captured_cents) << "TU-33";
    EXPECT_GE(p.refunded_cents, 0) << "TU-33";
    EXPECT_EQ(p.status == refunded, p.captured_cents > 0 && p.refunded_cents == p.captured_cents) << "A-TU-10";
    EXPECT_EQ(p.status == partially_refunded, p.refunded_cents > 0 && p.refunded_cents < p.captured_cents) << "A-TU-10";
    EXPECT_EQ(p.call == Call::refund, open > 0);
    EXPECT_EQ(p.call == Call::authorize, p.status == processing);
    EXPECT_EQ(effect(p).has_value(), p.call != Call::none);
    const bool ended = b.status == ::booking::v1::Status::cancelled || b.status == ::booking::v1::Status::declined ||
                       b.status == ::booking::v1::Status::expired;
    const bool refund_failed =
        std::ranges::any_of(p.refunds, [](const auto& r) { return r.status() == ::payment::state::RefundStatus::failed; });
    EXPECT_FALSE(ended && p.status == authorized && p.call == Call::none) << "M-2: money is held for a booking that has ended";
    EXPECT_FALSE(ended && p.captured_cents > p.refunded_cents + open && !refund_failed) << "M-2: money is kept for nothing";
  }
};

}  // namespace guildhall::testing
