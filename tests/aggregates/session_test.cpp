#include "aggregates/session.h"

#include "aggregates/schedule.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {
namespace {

using ::session::v1::Level;

const Uuid expert = id_of("expert");
const Uuid stranger = id_of("stranger");

session::CreateSession create() {
  session::CreateSession c;
  c.expert_id = expert;
  c.title = "Statistics";
  c.description = "From means to models.";
  c.duration_minutes = 60;
  c.price_cents = 50000;
  return c;
}

session::UpdateSession update(const Uuid& id) {
  session::UpdateSession c;
  c.session_id = id;
  c.title = "Statistics II";
  c.description = "Models.";
  c.short_description = "Short.";
  c.duration_minutes = 60;
  c.price_cents = 60000;
  c.currency = "DKK";
  c.topic_tags = {"statistics"};
  c.level = Level::advanced;
  c.prerequisites = "Statistics I";
  c.materials_url = "https://example.org/book";
  return c;
}

template <class Command>
Command named(const Uuid& id) {
  Command c;
  c.session_id = id;
  return c;
}

class Session : public Given {
 public:
  Session() {
    account::AccountRegistered registered;
    registered.account_id = expert;
    registered.role = ::account::v1::Role::expert;
    account::ExpertProfileCreated profile;
    profile.account_id = expert;
    given({registered, profile}).as(user(expert));
  }
  // Mondays from 09:00 to 17:00 UTC.
  void given_window() {
    schedule::AddWindow c;
    c.expert_id = expert;
    c.day_of_week = 1;
    c.start_time = 9 * 60;
    c.end_time = 17 * 60;
    c.timezone = "UTC";
    when(c).then_accepted();
  }
  Uuid given_session() { return when(create()).then_accepted().subject.stream.id; }
  void ban() {
    account::AccountBanned e;
    e.account_id = expert;
    given({e});
  }
  session::SessionView view(const Uuid& id) const { return resource<session::SessionView>({{StreamKind::session, id}, {}}); }
  std::string short_description(const std::string& description) {
    auto c = create();
    c.description = description;
    return view(when(c).then_accepted().subject.stream.id).short_description;
  }
};

std::size_t added(const std::vector<NewEvent>& events) {
  std::size_t n = 0;
  for (const auto& e : only<calendar::SlotsGenerated>(events)) n += e.added.size();
  return n;
}
std::size_t removed(const std::vector<NewEvent>& events) {
  std::size_t n = 0;
  for (const auto& e : only<calendar::SlotsGenerated>(events)) n += e.removed.size();
  return n;
}

// ---- creation

TEST_F(Session, is_created_with_the_seeds_defaults) {  // TU-15, TU-18, TU-38, A-TU-8
  const auto out = when(create());
  const auto& accepted = out.then_accepted();
  EXPECT_TRUE(accepted.created);
  const Uuid id = accepted.subject.stream.id;
  EXPECT_EQ(bucket_of(id), test_bucket);

  session::SessionCreated created;
  created.session_id = id;
  created.expert_id = expert;
  created.title = "Statistics";
  created.description = "From means to models.";
  created.short_description = "From means to models.";
  created.duration_minutes = 60;
  created.price_cents = 50000;
  created.currency = "DKK";
  created.level = Level::beginner;
  created.max_participants = 1;
  schedule::SessionScheduled scheduled;
  scheduled.expert_id = expert;
  scheduled.session_id = id;
  scheduled.duration_minutes = 60;
  scheduled.max_participants = 1;
  scheduled.is_active = true;
  schedule::HorizonExtended horizon;
  horizon.expert_id = expert;
  horizon.until_day = day_of(2026, 1, 5) + 60;
  horizon.next_at = utc(2026, 1, 6) + test_bucket * day_us / bucket_count;
  out.then({created, scheduled, horizon});

  EXPECT_TRUE(view(id).is_active);
  EXPECT_EQ(view(id).currency, "DKK");
  EXPECT_EQ(view(id).version, 1u);
}

TEST_F(Session, needs_an_expert) {  // TU-38, A-TU-21
  auto c = create();
  c.expert_id = stranger;
  when(c).then_rejected(Code::expert_not_found);
  as(service()).when(c).then_rejected(Code::expert_not_found);
  account::AccountRegistered learner;
  learner.account_id = stranger;
  given({learner}).when(c).then_rejected(Code::expert_not_found);
  as(user(stranger)).when(create()).then_rejected(Code::expert_not_found);
  as(service()).when(create()).then_accepted();
}

TEST_F(Session, duration_is_a_multiple_of_the_platforms_step) {  // TU-17
  for (const auto& [minutes, allowed] :
       {std::pair{15, true}, {30, true}, {480, true}, {20, false}, {1, false}, {0, false}, {-15, false}}) {
    SCOPED_TRACE(minutes);
    auto c = create();
    c.duration_minutes = minutes;
    const auto out = when(c);
    if (allowed) out.then_accepted();
    else out.then_rejected(Code::duration_not_multiple);
  }
}

TEST_F(Session, currency_is_one_of_the_platforms) {  // TU-8
  auto c = create();
  for (const auto currency : {"DKK", "USD", "EUR"}) {
    c.currency = currency;
    EXPECT_EQ(view(when(c).then_accepted().subject.stream.id).currency, currency);
  }
  c.currency = "SEK";
  when(c).then_rejected(Code::currency_not_supported);
}

TEST_F(Session, active_ones_are_limited) {  // A-TU-16
  policy.max_sessions = 2;
  const Uuid first = given_session();
  given_session();
  when(create()).then_rejected(Code::session_limit_reached);
  when(named<session::DeactivateSession>(first)).then_accepted();
  given_session();
  when(named<session::ActivateSession>(first)).then_rejected(Code::session_limit_reached);
}

// ---- short description

TEST_F(Session, short_description_is_the_description_when_it_fits) {  // TU-16, A-TU-9
  EXPECT_EQ(short_description(""), "");
  EXPECT_EQ(short_description(std::string(500, 'x')), std::string(500, 'x'));
  std::string letters;
  for (int i = 0; i < 500; ++i) letters += "ø";
  EXPECT_EQ(short_description(letters), letters);
}

TEST_F(Session, short_description_is_cut_at_a_word) {  // A-TU-9
  // 498 letters, a space, a word: the word does not fit, and the space goes with it.
  EXPECT_EQ(short_description(std::string(498, 'x') + " word"), std::string(498, 'x') + "…");
  // The word ends exactly where the ellipsis begins.
  EXPECT_EQ(short_description(std::string(494, 'x') + " word next"), std::string(494, 'x') + " word…");
  EXPECT_EQ(short_description(std::string(495, 'x') + " word next"), std::string(495, 'x') + "…");
  EXPECT_EQ(short_description(std::string(490, 'x') + "\n\t " + std::string(100, 'y')), std::string(490, 'x') + "…");
}

TEST_F(Session, short_description_of_one_endless_word_is_cut_anywhere_between_scalars) {  // A-TU-9
  std::string long_text, expected;
  for (int i = 0; i < 600; ++i) long_text += "語";
  for (int i = 0; i < 499; ++i) expected += "語";
  EXPECT_EQ(short_description(long_text), expected + "…");
  EXPECT_EQ(short_description(" " + long_text).size(), 1 + 498 * 3 + std::string("…").size());
}

// ---- changes

TEST_F(Session, is_replaced_once) {  // TU-46
  const Uuid id = given_session();
  session::SessionUpdated e;
  e.session_id = id;
  e.title = "Statistics II";
  e.description = "Models.";
  e.short_description = "Short.";
  e.duration_minutes = 60;
  e.price_cents = 60000;
  e.currency = "DKK";
  e.topic_tags = {"statistics"};
  e.level = Level::advanced;
  e.prerequisites = "Statistics I";
  e.materials_url = "https://example.org/book";
  e.max_participants = 1;
  when(update(id)).then({e});
  when(update(id)).then_nothing();
  auto generated = update(id);
  generated.short_description = "";
  e.short_description = "Models.";
  when(generated).then({e});
  when(generated).then_nothing();
}

TEST_F(Session, currency_is_fixed_by_the_first_booking) {  // A-TU-11
  const Uuid id = given_session();
  auto c = update(id);
  c.currency = "EUR";
  when(c).then_accepted();
  session::SessionFirstBooked booked;
  booked.session_id = id;
  given({booked});
  c.currency = "USD";
  when(c).then_rejected(Code::currency_immutable);
  c.currency = "EUR";
  c.price_cents = 1;
  when(c).then_accepted();
  policy.currencies = {"DKK"};  // No longer taken for new sessions; this one cannot change it any more.
  c.price_cents = 2;
  when(c).then_accepted();
}

TEST_F(Session, changes_keep_to_the_rules_of_creation) {  // TU-8, TU-17
  const Uuid id = given_session();
  auto c = update(id);
  c.duration_minutes = 50;
  when(c).then_rejected(Code::duration_not_multiple);
  c = update(id);
  c.currency = "SEK";
  when(c).then_rejected(Code::currency_not_supported);
}

TEST_F(Session, opens_and_closes_once) {  // TU-19
  const Uuid id = given_session();
  when(named<session::ActivateSession>(id)).then_nothing();
  when(named<session::DeactivateSession>(id)).then_accepted();
  EXPECT_FALSE(view(id).is_active);
  when(named<session::DeactivateSession>(id)).then_nothing();
  when(named<session::ActivateSession>(id)).then_accepted();
  EXPECT_TRUE(view(id).is_active);
}

TEST_F(Session, of_another_expert_looks_absent) {  // TU-46, TU-48
  const Uuid id = given_session();
  as(user(stranger));
  for (const Uuid& which : {id, id_of("no session")}) {
    when(update(which)).then_rejected(Code::session_not_found);
    when(named<session::ActivateSession>(which)).then_rejected(Code::session_not_found);
    when(named<session::DeactivateSession>(which)).then_rejected(Code::session_not_found);
  }
  as(service()).when(update(id)).then_accepted();
}

TEST_F(Session, of_a_banned_expert_stands_still) {  // A-TU-5
  const Uuid open = given_session();
  const Uuid closed = given_session();
  when(named<session::DeactivateSession>(closed)).then_accepted();
  ban();
  when(create()).then_rejected(Code::account_banned);
  when(update(open)).then_rejected(Code::account_banned);
  when(named<session::DeactivateSession>(open)).then_rejected(Code::account_banned);
  when(named<session::ActivateSession>(closed)).then_rejected(Code::account_banned);
  as(admin(stranger)).when(named<session::DeactivateSession>(open)).then_accepted();
}

TEST_F(Session, if_match_speaks_of_the_session_except_for_a_creation) {
  const Uuid id = given_session();
  EXPECT_EQ(target(AnyCommand(create())), std::nullopt);
  EXPECT_EQ(target(AnyCommand(update(id))), (StreamId{StreamKind::session, id}));
  EXPECT_EQ(target(AnyCommand(named<session::ActivateSession>(id))), (StreamId{StreamKind::session, id}));
  EXPECT_EQ(target(AnyCommand(named<session::DeactivateSession>(id))), (StreamId{StreamKind::session, id}));
}

// ---- slots that follow

TEST_F(Session, new_one_gets_slots_in_every_window) {  // TU-26, TU-28, A-TU-16
  given_window();
  auto c = create();
  c.max_participants = 4;
  const auto events = when(c).then_accepted().events;
  // 60 days from Monday 5 January 08:00: nine Mondays, eight slots each.
  EXPECT_EQ(added(events), 9u * 8u);
  EXPECT_EQ(only<schedule::HorizonExtended>(events).size(), 0u);  // The window has set it.
  for (const auto& day : only<calendar::SlotsGenerated>(events)) {
    for (const auto& slot : day.added) {
      EXPECT_EQ(slot.max(), 4);
      EXPECT_EQ(slot.end_at() - slot.start_at(), 60 * minute_us);
    }
  }
}

TEST_F(Session, its_texts_and_price_touch_no_slot) {
  given_window();
  const Uuid id = given_session();
  EXPECT_EQ(when(update(id)).then_accepted().events.size(), 1u);
}

TEST_F(Session, another_duration_makes_free_slots_anew) {  // A-TU-17
  given_window();
  const Uuid id = given_session();
  auto c = update(id);
  c.duration_minutes = 120;
  const auto events = when(c).then_accepted().events;
  EXPECT_EQ(only<schedule::SessionScheduled>(events).size(), 1u);
  for (const auto& slot : wanted_slots(state<ScheduleState>(expert), day_of(2026, 1, 5), day_of(2026, 3, 6), now, zones())) {
    const auto found = find_slot(world, slot_id_of(expert, id, slot.start_at));
    ASSERT_TRUE(found);
    EXPECT_EQ(found.slot->end_at(), slot.end_at);
  }
  EXPECT_FALSE(find_slot(world, slot_id_of(expert, id, utc(2026, 1, 12, 10))));
}

TEST_F(Session, booked_slots_keep_their_seats_when_it_grows) {  // TU-26, A-TU-17
  given_window();
  const Uuid id = given_session();
  const Uuid booked = slot_id_of(expert, id, utc(2026, 1, 12, 9));
  const Uuid free = slot_id_of(expert, id, utc(2026, 1, 12, 10));
  for (const auto& e : hold_seat(world, find_slot(world, booked), id_of("booking"), stranger)) world.fold(e);
  auto c = update(id);
  c.max_participants = 5;
  when(c).then_accepted();
  EXPECT_EQ(find_slot(world, booked).slot->max(), 1);
  EXPECT_EQ(find_slot(world, booked).slot->taken(), 1);
  EXPECT_EQ(find_slot(world, free).slot->max(), 5);
}

TEST_F(Session, closing_takes_free_slots_away_and_opening_brings_them_back) {  // TU-19, A-TU-17
  given_window();
  const Uuid id = given_session();
  const Uuid booked = slot_id_of(expert, id, utc(2026, 1, 12, 9));
  for (const auto& e : hold_seat(world, find_slot(world, booked), id_of("booking"), stranger)) world.fold(e);
  EXPECT_EQ(removed(when(named<session::DeactivateSession>(id)).then_accepted().events), 9u * 8u - 1u);
  EXPECT_TRUE(find_slot(world, booked));
  auto longer = update(id);
  longer.duration_minutes = 90;
  EXPECT_EQ(when(longer).then_accepted().events.size(), 1u);  // Closed: nothing to schedule.
  when(named<session::ActivateSession>(id)).then_accepted();
  EXPECT_TRUE(find_slot(world, booked));
  EXPECT_EQ(find_slot(world, slot_id_of(expert, id, utc(2026, 1, 12, 10, 30))).slot->end_at(), utc(2026, 1, 12, 12));
}

TEST_F(Session, days_have_a_limited_number_of_slots) {  // A-TU-16
  policy.max_slots_per_day = 10;
  given_window();
  given_session();
  when(create()).then_rejected(Code::too_many_slots);
  auto c = create();
  c.duration_minutes = 240;
  const Uuid id = when(c).then_accepted().subject.stream.id;
  auto shorter = update(id);
  shorter.duration_minutes = 30;
  when(shorter).then_rejected(Code::too_many_slots);
  when(named<session::DeactivateSession>(id)).then_accepted();
  when(shorter).then_accepted();
  when(named<session::ActivateSession>(id)).then_rejected(Code::too_many_slots);
}

}  // namespace
}  // namespace guildhall::testing
