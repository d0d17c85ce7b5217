#include "aggregates/booking.h"

#include <functional>
#include <random>

#include "tests/aggregates/offering.h"

namespace guildhall::testing {
namespace {

using namespace booking;
using ::booking::v1::CancelledBy;
using ::booking::v1::Status;
using ::calendar::v1::SlotSeats;

class Booking : public Offering {};

// ---- create

TEST_F(Booking, seat_booking_and_payment_are_one_decision) {  // TU-34, TU-39, TU-40, A-TU-12
  const Uuid id = open(hour, on_day(9));
  const Uuid command = next_command_id();
  const Uuid booking = derive_in_group("booking", command, 0, test_bucket);
  const Uuid payment = derive_in_group("payment", command, 0, test_bucket);
  const CreateBooking create{.slot_id = id, .learner_id = ann, .notes = "Hello"};
  const Outcome outcome = as(user(ann)).when(create, command);
  outcome.then({BookingCreated{.booking_id = booking,
                               .learner_id = ann,
                               .expert_id = expert,
                               .session_id = hour,
                               .slot_id = id,
                               .payment_id = payment,
                               .start_at = on_day(9),
                               .end_at = on_day(10),
                               .amount_cents = 5000,
                               .currency = "DKK",
                               .notes = "Hello",
                               .expires_at = now + 15 * minute_us},
                session::SessionFirstBooked{.session_id = hour},
                calendar::SeatHeld{.expert_id = expert,
                                   .day = day,
                                   .slot_id = id,
                                   .booking_id = booking,
                                   .learner_id = ann,
                                   .changed = {SlotSeats(id, 1, 1, false, false)}},
                payment::PaymentInitiated{.payment_id = payment,
                                          .subject_id = booking,
                                          .related_id = booking,
                                          .payer_id = ann,
                                          .payee_id = expert,
                                          .amount_cents = 5000,
                                          .currency = "DKK",
                                          .processor = "sandbox",
                                          .auto_authorize = true}});
  EXPECT_TRUE(outcome.decision()->created);
  const auto view = resource<BookingView>(outcome.decision()->subject);
  EXPECT_EQ(view.id, booking);
  EXPECT_EQ(view.status, Status::pending);
  EXPECT_EQ(view.amount_cents, 5000);
  EXPECT_EQ(view.expires_at, now + 15 * minute_us);
}

TEST_F(Booking, a_free_session_is_secured_at_once) {  // M-2, M-3
  const Uuid booking = booked(open(talk, on_day(9)), ann);
  EXPECT_EQ(count<payment::PaymentInitiated>(), 0u);
  EXPECT_TRUE(is_nil(payment_of(booking)));
  EXPECT_TRUE(state<BookingState>(booking).secured);
  EXPECT_EQ(state<BookingState>(booking).expires_at, now + 6 * day_us);
  as(user(expert)).confirm(booking).then({BookingConfirmed{.booking_id = booking}});
}

TEST_F(Booking, a_hold_ends_at_the_start_at_the_latest) {  // M-2
  const Uuid id = open(hour, on_day(9));
  at(on_day(8, 50));
  const Uuid booking = booked(id, ann);
  EXPECT_EQ(state<BookingState>(booking).expires_at, on_day(9));
  authorize(booking).then_accepted();
  EXPECT_EQ(state<BookingState>(booking).expires_at, on_day(9));
}

TEST_F(Booking, refuses_what_the_rules_refuse_in_their_order) {  // A-TU-3..6, TU-10, TU-19, TU-27, TU-40, A-TU-21, BK-6
  open({wanted(hour, on_day(9)), wanted(talk, on_day(9))});
  const Uuid id = slot_id_of(expert, hour, on_day(9));
  const Uuid beside = slot_id_of(expert, talk, on_day(9));
  as(user(ann)).book(id_of("forged"), ann).then_rejected(Code::slot_not_found);
  book(slot_id_of(expert, hour, on_day(9, 15)), ann).then_rejected(Code::slot_not_found);
  book(id, bob).then_rejected(Code::learner_not_found);  // Nobody books for somebody else.
  as(service()).book(id, id_of("nobody")).then_rejected(Code::learner_not_found);
  book(id, expert).then_rejected(Code::learner_not_found);  // No learner profile.
  given({account::LearnerProfileCreated{.account_id = expert}}).book(id, expert).then_rejected(Code::own_session);

  // Each fault in turn, latest rule first: an earlier rule answers before it.
  booked(id, ann);
  book(id, bob).then_rejected(Code::slot_full);
  book(beside, bob).then_rejected(Code::slot_overlaps);
  when(calendar::BlockSlot{.slot_id = beside}).then_accepted();
  book(beside, bob).then_rejected(Code::slot_blocked);
  when(calendar::BlockSlot{.slot_id = id}).then_accepted();
  book(id, ann).then_rejected(Code::already_booked);
  at(on_day(9)).book(id, ann).then_rejected(Code::slot_in_past);
  given({session::SessionDeactivated{.session_id = hour}}).book(id, ann).then_rejected(Code::session_inactive);
  book(id, expert).then_rejected(Code::own_session);
  given({account::AcceptingSet{.account_id = expert, .accepting = false}});
  book(id, ann).then_rejected(Code::expert_not_accepting);
  given({account::AcceptingSet{.account_id = expert, .accepting = true}, account::AccountBanned{.account_id = expert}});
  book(id, ann).then_rejected(Code::expert_not_accepting);
  given({account::AccountBanned{.account_id = ann}}).book(id, ann).then_rejected(Code::account_banned);
  book(id_of("forged"), ann).then_rejected(Code::slot_not_found);
}

TEST_F(Booking, a_learner_may_book_a_slot_again_after_cancelling) {  // A-TU-6
  const Uuid id = open(group, on_day(9));
  const Uuid first = booked(id, ann);
  book(id, ann).then_rejected(Code::already_booked);
  cancel(first).then_accepted();
  booked(id, ann);
  EXPECT_EQ(slot(id).taken(), 1);
  EXPECT_EQ(count<session::SessionFirstBooked>(), 1u) << "A-TU-11";
}

TEST_F(Booking, sixty_four_clients_get_as_many_seats_as_there_are) {  // BK-1, TU-27
  for (const Uuid& session : {hour, group}) {
    start_over();
    const Uuid id = open(session, on_day(9));
    std::int32_t won = 0;
    for (int i = 0; i < 64; ++i) {
      const Uuid learner = id_of("client " + std::to_string(i));
      open_learner(learner);
      const Outcome outcome = book(id, learner);
      if (outcome.decision()) ++won;
      else outcome.then_rejected(Code::slot_full);
    }
    EXPECT_EQ(won, slot(id).max());
    expect_consistent();
  }
}

TEST_F(Booking, of_overlapping_sessions_one_wins) {  // BK-2, A-TU-3
  open({wanted(hour, on_day(9)), wanted(talk, on_day(9, 30)), wanted(group, on_day(8))});
  booked(slot_id_of(expert, talk, on_day(9, 30)), ann);
  book(slot_id_of(expert, hour, on_day(9)), bob).then_rejected(Code::slot_overlaps);
  book(slot_id_of(expert, group, on_day(8)), bob).then_rejected(Code::slot_overlaps);
  expect_consistent();
}

TEST_F(Booking, a_pending_booking_owns_its_seat_and_is_confirmed_once) {  // BK-3
  const Uuid id = open(hour, on_day(9));
  const Uuid booking = booked(id, ann);
  book(id, bob).then_rejected(Code::slot_full);
  authorize(booking).then_accepted();
  as(user(expert))
      .confirm(booking)
      .then({BookingConfirmed{.booking_id = booking}, payment::CaptureRequested{.payment_id = payment_of(booking)}});
  confirm(booking).then_nothing();
  EXPECT_EQ(count<BookingConfirmed>(), 1u);
}

TEST_F(Booking, keeps_the_price_it_was_made_at) {  // BK-6, TU-34, A-TU-11
  const Uuid id = open(hour, on_day(9));
  const Uuid booking = booked(id, ann);
  session::SessionUpdated dearer{.session_id = hour, .title = "A session"};
  dearer.duration_minutes = 60;
  dearer.price_cents = 9900;
  dearer.currency = "DKK";
  dearer.max_participants = 1;
  given({dearer}).authorize(booking).then_accepted();
  EXPECT_EQ(payment(booking).authorized_cents, 5000);
  EXPECT_EQ(state<BookingState>(booking).amount_cents, 5000);
}

// ---- state x command x actor

struct Row {
  Status status;
  bool secured;
  // One letter each for the learner, the expert, an admin, service_role, the system and a stranger:
  // + events · = nothing new · n booking_not_found · e expert_only · p booking_not_pending · a payment_not_authorized
  // s booking_started · c booking_not_cancellable · f booking_not_confirmed · o booking_not_over
  std::string_view confirm, decline, cancel, notes, no_show, complete, expire;
};

constexpr Row before_start[] = {
    {Status::pending, false, "eaaaan", "e++++n", "+++++n", "e++++n", "fffffn", "efff=n", "nn===n"},
    {Status::pending, true, "e++++n", "e++++n", "+++++n", "e++++n", "fffffn", "efff=n", "nn===n"},
    {Status::confirmed, true, "e====n", "eppppn", "+++++n", "e++++n", "ooooon", "eoooon", "nn===n"},
    {Status::completed, true, "eppppn", "eppppn", "cccccn", "e++++n", "fffffn", "e====n", "nn===n"},
    {Status::cancelled, true, "eppppn", "eppppn", "=ccccn", "e++++n", "fffffn", "efff=n", "nn===n"},  // By the learner.
    {Status::declined, true, "eppppn", "e====n", "cccccn", "e++++n", "fffffn", "efff=n", "nn===n"},
    {Status::expired, true, "eppppn", "eppppn", "cccccn", "e++++n", "fffffn", "efff=n", "nn===n"},
    {Status::no_show, true, "eppppn", "eppppn", "cccccn", "e++++n", "=====n", "efoo=n", "nn===n"},
};
constexpr Row after_end[] = {
    {Status::pending, false, "eaaaan", "e++++n", "sssssn", "e++++n", "fffffn", "efff=n", "nn+++n"},
    {Status::pending, true, "essssn", "e++++n", "sssssn", "e++++n", "fffffn", "efff=n", "nn+++n"},
    {Status::confirmed, true, "e====n", "eppppn", "sssssn", "e++++n", "+++++n", "e++++n", "nn===n"},
    {Status::completed, true, "eppppn", "eppppn", "cccccn", "e++++n", "fffffn", "e====n", "nn===n"},
    {Status::cancelled, true, "eppppn", "eppppn", "=ccccn", "e++++n", "fffffn", "efff=n", "nn===n"},
    {Status::declined, true, "eppppn", "e====n", "cccccn", "e++++n", "fffffn", "efff=n", "nn===n"},
    {Status::expired, true, "eppppn", "eppppn", "cccccn", "e++++n", "fffffn", "efff=n", "nn===n"},
    {Status::no_show, true, "eppppn", "eppppn", "cccccn", "e++++n", "=====n", "ef++=n", "nn===n"},
};

char letter(const Decision& decision) {
  if (decision) return decision->events.empty() ? '=' : '+';
  switch (decision.error().code) {
    case Code::booking_not_found: return 'n';
    case Code::expert_only: return 'e';
    case Code::booking_not_pending: return 'p';
    case Code::payment_not_authorized: return 'a';
    case Code::booking_started: return 's';
    case Code::booking_not_cancellable: return 'c';
    case Code::booking_not_confirmed: return 'f';
    case Code::booking_not_over: return 'o';
    default: return '?';
  }
}

class BookingTable : public Booking {
 public:
  // A booking that got to this status by commands.
  Uuid in(Status status, bool secured) {
    start_over();
    const Uuid booking = booked(open(hour, on_day(9)), ann);
    if (secured) authorize(booking).then_accepted();
    if (status == Status::confirmed || status == Status::completed || status == Status::no_show) {
      confirm(booking).then_accepted();
      capture(booking).then_accepted();
    }
    if (status == Status::cancelled) as(user(ann)).cancel(booking).then_accepted();
    if (status == Status::declined) as(user(expert)).decline(booking).then_accepted();
    if (status == Status::expired) as(the_system()).at(state<BookingState>(booking).expires_at).expire(booking).then_accepted();
    if (status == Status::completed) as(the_system()).at(on_day(10)).when(CompleteBooking{.booking_id = booking}).then_accepted();
    if (status == Status::no_show) as(user(ann)).at(on_day(9)).when(MarkNoShow{.booking_id = booking}).then_accepted();
    EXPECT_EQ(this->status(booking), status);
    return booking;
  }

  void expect(const Row& row, Micros when_sent) {
    const std::pair<std::string_view, Actor> actors[] = {{"learner", user(ann)},   {"expert", user(expert)},
                                                         {"admin", admin(root)},   {"service", service()},
                                                         {"system", the_system()}, {"stranger", user(stranger)}};
    for (std::size_t i = 0; i < std::size(actors); ++i) {
      Uuid booking{};
      const auto check = [&](std::string_view expected, auto command) {
        booking = in(row.status, row.secured);
        command.booking_id = booking;
        const char got = letter(as(actors[i].second).at(when_sent).when(command).decision());
        EXPECT_EQ(got, expected[i]) << type_name<decltype(command)>() << " by the " << actors[i].first << ", status "
                                    << ::booking::v1::EnumNameStatus(row.status) << (row.secured ? "" : ", unsecured");
        expect_consistent();
      };
      check(row.confirm, ConfirmBooking{});
      check(row.decline, DeclineBooking{});
      check(row.cancel, CancelBooking{});
      check(row.notes, SetExpertNotes{});
      check(row.no_show, MarkNoShow{});
      check(row.complete, CompleteBooking{});
      check(row.expire, ExpireBooking{});
    }
  }
};

TEST_F(BookingTable, before_the_start) {  // TU-30, TU-35, BK-13, A-TU-13
  for (const Row& row : before_start) expect(row, utc(2026, 1, 5, 8));
}

TEST_F(BookingTable, after_the_end) {  // TU-30, TU-35, BK-13, A-TU-13
  for (const Row& row : after_end) expect(row, on_day(10));
}

TEST_F(BookingTable, unknown_bookings_are_not_found) {  // TU-48
  as(admin(root)).confirm(id_of("no booking")).then_rejected(Code::booking_not_found);
  cancel(id_of("no booking")).then_rejected(Code::booking_not_found);
  when(MarkNoShow{.booking_id = id_of("no booking")}).then_rejected(Code::booking_not_found);
  as(the_system()).expire(id_of("no booking")).then_rejected(Code::booking_not_found);
}

TEST_F(BookingTable, a_no_show_is_reported_from_the_start_on) {  // BK-13
  const Uuid booking = in(Status::confirmed, true);
  as(user(expert)).at(on_day(9) - 1).when(MarkNoShow{.booking_id = booking}).then_rejected(Code::booking_not_over);
  at(on_day(9))
      .when(MarkNoShow{.booking_id = booking})
      .then({BookingNoShow{.booking_id = booking, .reported_by = CancelledBy::expert}});
}

TEST_F(BookingTable, says_who_cancelled) {  // TU-32, A-TU-13
  const std::pair<Actor, CancelledBy> sides[] = {{user(ann), CancelledBy::learner},
                                                 {user(expert), CancelledBy::expert},
                                                 {admin(root), CancelledBy::system},
                                                 {service(), CancelledBy::system}};
  for (const auto& [who, side] : sides) {
    const Uuid booking = in(Status::pending, false);
    as(who).cancel(booking).then_accepted();
    EXPECT_EQ(only<BookingCancelled>(world.history()).at(0).cancelled_by, side);
    cancel(booking).then_nothing();
  }
}

TEST_F(BookingTable, wants_the_timer_of_its_status) {  // M-2, M-3, BK-4
  const auto only_timer = [&](const Uuid& id) {
    const auto all = timers(state<BookingState>(id));
    EXPECT_EQ(all.size(), 1u);
    return all.at(0);
  };
  Uuid booking = in(Status::pending, false);
  EXPECT_EQ(only_timer(booking), (Timer{"expire", utc(2026, 1, 5, 8, 15), ExpireBooking{.booking_id = booking}}));
  booking = in(Status::pending, true);
  EXPECT_EQ(only_timer(booking), (Timer{"expire", utc(2026, 1, 11, 8), ExpireBooking{.booking_id = booking}}));
  booking = in(Status::confirmed, true);
  EXPECT_EQ(only_timer(booking), (Timer{"complete", on_day(10), CompleteBooking{.booking_id = booking}}));
  for (const Status status : {Status::completed, Status::cancelled, Status::declined, Status::expired, Status::no_show})
    EXPECT_TRUE(timers(state<BookingState>(in(status, true))).empty());
}

TEST_F(BookingTable, if_match_speaks_of_the_booking) {  // TU-54
  const Uuid booking = id_of("booking");
  EXPECT_EQ(target(AnyCommand(CancelBooking{.booking_id = booking})), (StreamId{StreamKind::booking, booking}));
  EXPECT_EQ(target(AnyCommand(CreateBooking{.slot_id = booking})), std::nullopt);
}

// ---- the hold

TEST_F(Booking, a_hold_expires_and_gives_its_seat_back) {  // M-2, BK-4, A-TU-7
  const Uuid id = open(hour, on_day(9));
  policy.auto_authorize = false;
  const Uuid booking = booked(id, ann);
  as(the_system()).at(now + 15 * minute_us - 1).expire(booking).then_nothing();
  at(now + 1).expire(booking).then(
      {BookingExpired{.booking_id = booking},
       calendar::SeatReleased{
           .expert_id = expert, .day = day, .slot_id = id, .booking_id = booking, .changed = {SlotSeats(id, 0, 1, false, false)}},
       payment::PaymentCancelled{.payment_id = payment_of(booking)}});
  expire(booking).then_nothing();
  as(service()).booked(id, bob);
}

TEST_F(Booking, a_timer_that_crosses_the_authorization_does_nothing) {  // BK-4
  const Uuid booking = booked(open(hour, on_day(9)), ann);
  const Micros due = state<BookingState>(booking).expires_at;
  at(due).authorize(booking).then({payment::PaymentAuthorized{.payment_id = payment_of(booking), .external_id = "pi_1"},
                                   BookingSecured{.booking_id = booking, .expires_at = due + 6 * day_us}});
  as(the_system()).expire(booking).then_nothing();
}

TEST_F(Booking, expires_when_the_expert_never_answers) {  // M-3
  const Uuid booking = booked(open(hour, on_day(9)), ann);
  authorize(booking).then_accepted();
  as(the_system()).at(now + 6 * day_us).expire(booking).then_accepted();
  EXPECT_EQ(status(booking), Status::expired);
  EXPECT_EQ(payment(booking).call, ::payment::v1::Call::cancel);
  expect_consistent();
}

TEST_F(Booking, confirm_release_and_expiry_have_one_outcome) {  // BK-4, A-TU-7
  std::string order = "cdrx";  // Confirm, decline, release (the learner cancels), expire: all at one instant, in any order.
  do {
    for (const bool secured : {false, true}) {
      start_over();
      const Uuid id = open(hour, on_day(9));
      const Uuid booking = booked(id, ann);
      if (secured) authorize(booking).then_accepted();
      at(state<BookingState>(booking).expires_at);
      for (const char step : order) {
        if (step == 'c') as(user(expert)).confirm(booking);
        if (step == 'd') as(user(expert)).decline(booking);
        if (step == 'r') as(user(ann)).cancel(booking);
        if (step == 'x') as(the_system()).expire(booking);
        expect_consistent();
      }
      const auto ends = count<BookingDeclined>() + count<BookingCancelled>() + count<BookingExpired>();
      EXPECT_EQ(ends, 1u) << order;
      EXPECT_EQ(count<calendar::SeatReleased>(), 1u) << order;
      EXPECT_EQ(slot(id).taken(), 0) << order;
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(Booking, late_money_takes_a_free_seat_again) {  // BK-5, M-2
  const Uuid id = open(hour, on_day(9));
  for (const bool auto_authorize : {true, false}) {
    policy.auto_authorize = auto_authorize;
    const Uuid booking = booked(id, ann);
    as(the_system()).at(now + hour_us).expire(booking).then_accepted();
    as(service()).authorize(booking).then({payment::PaymentAuthorized{.payment_id = payment_of(booking), .external_id = "pi_1"},
                                           BookingReinstated{.booking_id = booking, .expires_at = now + 6 * day_us},
                                           calendar::SeatHeld{.expert_id = expert,
                                                              .day = day,
                                                              .slot_id = id,
                                                              .booking_id = booking,
                                                              .learner_id = ann,
                                                              .changed = {SlotSeats(id, 1, 1, false, false)}}});
    authorize(booking).then_nothing();
    confirm(booking).then_accepted();
    expect_consistent();
    cancel(booking).then_accepted();
  }
}

TEST_F(Booking, late_money_goes_back_when_the_seat_is_gone) {  // BK-5, M-2
  const std::pair<std::string_view, std::function<void(const Uuid&)>> obstacles[] = {
      {"taken by another", [&](const Uuid& id) { booked(id, bob); }},
      {"taken by the same learner", [&](const Uuid& id) { booked(id, ann); }},
      {"hidden by another", [&](const Uuid&) { booked(slot_id_of(expert, talk, on_day(9)), bob); }},
      {"blocked", [&](const Uuid& id) { when(calendar::BlockSlot{.slot_id = id}).then_accepted(); }},
      {"removed", [&](const Uuid&) { regenerate(expert, day, {}); }},
      {"started", [&](const Uuid&) { at(on_day(9)); }},
      {"inactive", [&](const Uuid&) { given({session::SessionDeactivated{.session_id = hour}}); }},
      {"banned", [&](const Uuid&) { given({account::AccountBanned{.account_id = ann}}); }},
  };
  for (const auto& [name, happens] : obstacles) {
    SCOPED_TRACE(name);
    start_over();
    open({wanted(hour, on_day(9)), wanted(talk, on_day(9))});
    const Uuid id = slot_id_of(expert, hour, on_day(9));
    const Uuid booking = booked(id, ann);
    at(now + hour_us).expire(booking).then_accepted();
    happens(id);
    authorize(booking).then({payment::PaymentAuthorized{.payment_id = payment_of(booking), .external_id = "pi_1"},
                             payment::CancelRequested{.payment_id = payment_of(booking)}});
    when(payment::RecordCancelled{.payment_id = payment_of(booking)})
        .then({payment::PaymentCancelled{.payment_id = payment_of(booking)}});
    EXPECT_EQ(status(booking), Status::expired);
    expect_consistent();
  }
}

TEST_F(Booking, late_money_does_not_bring_back_what_people_ended) {  // M-2
  for (const bool declined : {true, false}) {
    start_over();
    const Uuid booking = booked(open(hour, on_day(9)), ann);
    (declined ? decline(booking) : cancel(booking)).then_accepted();
    authorize(booking).then({payment::PaymentAuthorized{.payment_id = payment_of(booking), .external_id = "pi_1"},
                             payment::CancelRequested{.payment_id = payment_of(booking)}});
    expect_consistent();
  }
}

// ---- a random walk

class RandomWalk : public Booking, public ::testing::WithParamInterface<std::uint64_t> {
 public:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  template <class T>
  const T& pick(const std::vector<T>& of) {
    return of[below(of.size())];
  }

  // Two experts, three sessions each, over three days whose slots overlap each other and midnight.
  void prepare() {
    experts_ = {expert, id_of("second expert")};
    open_expert(experts_[1]);
    sessions_ = {{hour, talk, group}, {id_of("hour 2"), id_of("talk 2"), id_of("group 2")}};
    given({session_created(experts_[1], sessions_[1][0], 60, 5000, 1), session_created(experts_[1], sessions_[1][1], 60, 0, 1),
           session_created(experts_[1], sessions_[1][2], 120, 2000, 3)});
    learners_ = {ann, bob};
    for (int i = 0; i < 4; ++i) open_learner(learners_.emplace_back(id_of("walker " + std::to_string(i))));
    for (std::size_t e = 0; e < experts_.size(); ++e)
      for (std::int32_t d = 0; d < 3; ++d) generate(e, d);
  }
  void generate(std::size_t e, std::int32_t d) {
    std::vector<WantedSlot> slots;
    for (int i = 0; i < 8; ++i) {
      const Uuid& session = pick(sessions_[e]);
      const auto half_hours = pick<Micros>({0, 1, 2, 3, 18, 19, 20, 21, 45, 46, 47});
      slots.push_back(wanted(session, (day + d) * day_us + half_hours * 30 * minute_us));
      known_.insert(slot_id_of(experts_[e], session, slots.back().start_at));
    }
    regenerate(experts_[e], day + d, slots);
  }

  void step() {
    actor = pick<Actor>(
        {service(), service(), admin(root), the_system(), user(pick(experts_)), user(pick(learners_)), user(stranger)});
    switch (below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: create(); return;
      case 5: now += static_cast<Micros>(below(40)) * minute_us; return;
      case 6: generate(below(2), static_cast<std::int32_t>(below(3))); return;
      case 7: when(calendar::BlockSlot{.slot_id = any_slot()}); return;
      case 8: when(calendar::UnblockSlot{.slot_id = any_slot()}); return;
      default: break;
    }
    if (bookings_.empty()) return;
    const Uuid& id = bookings_[bookings_.size() - 1 - below(std::min<std::size_t>(bookings_.size(), 12))];
    const Uuid money = payment_of(id);
    const auto& refunds = state<PaymentState>(money).refunds;
    const Uuid refund = refunds.empty() ? id_of("no refund") : pick(refunds).refund_id();
    switch (below(14)) {
      case 0: confirm(id); return;
      case 1: decline(id); return;
      case 2: cancel(id); return;
      case 3: when(MarkNoShow{.booking_id = id}); return;
      case 4: when(CompleteBooking{.booking_id = id}); return;
      case 5:  // Days pass now and then only, or the walk would soon be over.
        if (!state<BookingState>(id).secured || below(12) == 0) now = std::max(now, state<BookingState>(id).expires_at);
        [[fallthrough]];
      case 6: expire(id); return;
      case 7: fail(id); return;
      case 8: when(payment::RecordCancelled{.payment_id = money}); return;
      case 9: when(payment::RecordRefunded{.payment_id = money, .refund_id = refund}); return;
      case 10: when(payment::RecordRefundFailed{.payment_id = money, .refund_id = refund}); return;
      case 11:
        when(payment::RequestRefund{.payment_id = money, .amount_cents = static_cast<std::int64_t>(1 + below(3000))});
        return;
      case 12: capture(id); return;
      default: authorize(id); return;
    }
  }

 private:
  Uuid any_slot() { return *std::next(known_.begin(), static_cast<std::ptrdiff_t>(below(known_.size()))); }
  void create() {
    const Outcome outcome = book(any_slot(), pick(learners_));
    if (outcome.decision()) bookings_.push_back(outcome.decision()->subject.stream.id);
  }
  std::mt19937_64 random_{GetParam()};
  std::vector<Uuid> experts_, learners_, bookings_;
  std::vector<std::vector<Uuid>> sessions_;
  std::set<Uuid, UuidLess> known_;
};

TEST_P(RandomWalk, keeps_seats_overlaps_and_money_consistent) {  // A-TU-3, A-TU-6, A-TU-7, TU-27, TU-33, BK-2, BK-4
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  prepare();
  for (int i = 0; i < 700 && !HasFailure(); ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    step();
    expect_consistent();
  }
  EXPECT_GT(count<BookingCreated>(), 20u) << "the walk has to get somewhere";
  EXPECT_GT(count<calendar::SeatReleased>(), 10u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomWalk, ::testing::Values(1, 2, 3, 4, 5, 6));

}  // namespace
}  // namespace guildhall::testing
