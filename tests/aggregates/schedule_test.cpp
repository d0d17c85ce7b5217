#include "aggregates/schedule.h"

#include <cstdlib>
#include <ctime>
#include <random>
#include <set>

#include "tests/aggregates/given.h"

namespace guildhall::testing {
namespace {

const Uuid expert = id_of("expert");
const Uuid stranger = id_of("stranger");
const Uuid learner = id_of("learner");

constexpr std::int16_t hm(int hour, int minute = 0) { return static_cast<std::int16_t>(hour * 60 + minute); }
std::int32_t weekday(std::int32_t day) { return (day + 4) % 7; }

schedule::AddWindow add(std::int32_t day_of_week, std::int16_t start, std::int16_t end, std::string zone = "UTC") {
  schedule::AddWindow c;
  c.expert_id = expert;
  c.day_of_week = day_of_week;
  c.start_time = start;
  c.end_time = end;
  c.timezone = std::move(zone);
  return c;
}

schedule::UpdateWindow update(const Uuid& window, const schedule::AddWindow& to, bool is_active = true) {
  schedule::UpdateWindow c;
  c.window_id = window;
  c.expert_id = to.expert_id;
  c.day_of_week = to.day_of_week;
  c.start_time = to.start_time;
  c.end_time = to.end_time;
  c.timezone = to.timezone;
  c.is_active = is_active;
  return c;
}

schedule::RemoveWindow remove(const Uuid& window) {
  schedule::RemoveWindow c;
  c.window_id = window;
  c.expert_id = expert;
  return c;
}

using Slot = ::calendar::state::Slot;

class Schedule : public Given {
 public:
  Schedule() { begin(); }

  // A fresh world with an expert who has neither windows nor sessions.
  void begin() {
    World fresh;
    std::swap(world, fresh);
    account::AccountRegistered registered;
    registered.account_id = expert;
    registered.role = ::account::v1::Role::expert;
    account::ExpertProfileCreated profile;
    profile.account_id = expert;
    given({registered, profile}).as(user(expert));
  }
  Uuid given_session(std::int32_t minutes, std::int32_t max = 1) {
    session::CreateSession c;
    c.expert_id = expert;
    c.title = "Statistics";
    c.duration_minutes = minutes;
    c.max_participants = max;
    return when(c).then_accepted().subject.stream.id;
  }
  Uuid given_window(const schedule::AddWindow& c) { return when(c).then_accepted().subject.part; }
  const ScheduleState& schedule() const { return state<ScheduleState>(expert); }

  // The slots of the UTC days [from, to), as the calendar has them.
  std::vector<Slot> slots(std::int32_t from, std::int32_t to) const {
    std::vector<Slot> out;
    for (std::int32_t day = from; day < to; ++day) {
      const auto& of_day = state<DayState>(calendar_day_id(expert, day)).slots;
      out.insert(out.end(), of_day.begin(), of_day.end());
    }
    return out;
  }
  std::vector<Slot> all_slots() const { return slots(day_of(2026, 1, 1), day_of(2028, 1, 1)); }
  std::vector<Micros> starts(std::int32_t from, std::int32_t to) const {
    std::vector<Micros> out;
    for (const auto& slot : slots(from, to)) out.push_back(slot.start_at());
    return out;
  }
  void book(const Uuid& slot) {
    const auto events = hold_seat(world, find_slot(world, slot), id_of("booking of " + to_string(slot)), learner);
    for (const auto& e : events) world.fold(e);
  }
};

// ---- windows

TEST_F(Schedule, the_first_window_starts_the_horizon) {  // TU-21, A-TU-16
  const auto out = when(add(1, hm(9), hm(17), "Europe/Copenhagen"));
  const auto& accepted = out.then_accepted();
  EXPECT_TRUE(accepted.created);
  schedule::WindowAdded added;
  added.window_id = accepted.subject.part;
  added.expert_id = expert;
  added.day_of_week = 1;
  added.start_time = hm(9);
  added.end_time = hm(17);
  added.timezone = "Europe/Copenhagen";
  schedule::HorizonExtended horizon;
  horizon.expert_id = expert;
  horizon.until_day = day_of(2026, 1, 5) + 60;
  horizon.next_at = utc(2026, 1, 6) + test_bucket * day_us / bucket_count;
  out.then({added, horizon});

  const auto window = resource<schedule::WindowView>(accepted.subject);
  EXPECT_EQ(window.id, accepted.subject.part);
  EXPECT_EQ(window.version, 2u);
  EXPECT_EQ(window.expert_id, expert);
  EXPECT_EQ(window.start_time, hm(9));
  EXPECT_EQ(window.timezone, "Europe/Copenhagen");
  EXPECT_TRUE(window.is_active);
  const auto whole = resource<schedule::ScheduleView>({accepted.subject.stream, {}});
  EXPECT_EQ(whole.id, expert);
  EXPECT_EQ(whole.until_day, horizon.until_day);
}

TEST_F(Schedule, a_window_starts_before_it_ends_on_one_day) {  // TU-23, A-TU-14
  struct Case {
    std::int16_t start, end;
    bool allowed;
  };
  for (const auto& c : {Case{hm(22), hm(2), false},
                        {hm(9), hm(9), false},
                        {hm(0), hm(0), false},
                        {hm(24), hm(24), false},
                        {hm(23), 1441, false},
                        {-1, hm(1), false},
                        {hm(22), hm(24), true},
                        {hm(0), hm(24), true},
                        {hm(0), 1, true}}) {
    SCOPED_TRACE(std::to_string(c.start) + " to " + std::to_string(c.end));
    const auto out = when(add(1, c.start, c.end));
    if (c.allowed) out.then_accepted();
    else out.then_rejected(Code::window_crosses_midnight);
  }
  const Uuid window = given_window(add(1, hm(9), hm(10)));
  when(update(window, add(1, hm(22), hm(2)))).then_rejected(Code::window_crosses_midnight);
}

TEST_F(Schedule, a_window_has_an_iana_zone) {  // TU-21
  when(add(1, hm(9), hm(17), "Europe/Atlantis")).then_rejected(Code::unknown_time_zone);
  when(add(1, hm(9), hm(17), "")).then_rejected(Code::unknown_time_zone);
  const Uuid window = given_window(add(1, hm(9), hm(10)));
  when(update(window, add(1, hm(9), hm(10), "CEST"))).then_rejected(Code::unknown_time_zone);
}

TEST_F(Schedule, windows_are_limited) {  // A-TU-16
  policy.max_windows = 2;
  const Uuid first = given_window(add(1, hm(9), hm(10)));
  given_window(add(1, hm(9), hm(10)));  // The same hours again are no mistake of form.
  when(add(2, hm(9), hm(10))).then_rejected(Code::window_limit_reached);
  when(remove(first)).then_accepted();
  when(add(2, hm(9), hm(10))).then_accepted();
}

TEST_F(Schedule, belongs_to_its_expert) {  // TU-46, TU-48
  const Uuid window = given_window(add(1, hm(9), hm(10)));
  as(user(stranger));
  when(add(1, hm(9), hm(10))).then_rejected(Code::expert_not_found);
  when(update(window, add(2, hm(9), hm(10)))).then_rejected(Code::window_not_found);
  when(remove(window)).then_rejected(Code::window_not_found);
  as(service()).when(update(window, add(2, hm(9), hm(10)))).then_accepted();
  auto nobodys = add(1, hm(9), hm(10));
  nobodys.expert_id = stranger;
  when(nobodys).then_rejected(Code::expert_not_found);
}

TEST_F(Schedule, of_a_banned_expert_stands_still) {  // A-TU-5
  const Uuid window = given_window(add(1, hm(9), hm(10)));
  account::AccountBanned banned;
  banned.account_id = expert;
  given({banned});
  when(add(1, hm(9), hm(10))).then_rejected(Code::account_banned);
  when(update(window, add(2, hm(9), hm(10)))).then_rejected(Code::account_banned);
  when(remove(window)).then_rejected(Code::account_banned);
  as(admin(stranger)).when(remove(window)).then_accepted();
}

TEST_F(Schedule, a_window_is_replaced_once) {
  const Uuid window = given_window(add(1, hm(9), hm(10)));
  when(update(window, add(1, hm(9), hm(10)))).then_nothing();
  schedule::WindowUpdated e;
  e.window_id = window;
  e.expert_id = expert;
  e.day_of_week = 2;
  e.start_time = hm(9);
  e.end_time = hm(10);
  e.timezone = "UTC";
  e.is_active = true;
  when(update(window, add(2, hm(9), hm(10)))).then({e});
  when(update(window, add(2, hm(9), hm(10)))).then_nothing();
  when(update(id_of("no window"), add(2, hm(9), hm(10)))).then_rejected(Code::window_not_found);
}

TEST_F(Schedule, a_removed_window_is_gone) {
  const Uuid window = given_window(add(1, hm(9), hm(10)));
  const auto out = when(remove(window));
  schedule::WindowRemoved e;
  e.window_id = window;
  e.expert_id = expert;
  out.then({e});
  const auto view = resource<schedule::WindowView>(out.then_accepted().subject);
  EXPECT_EQ(view.id, window);
  EXPECT_FALSE(view.is_active);
  when(remove(window)).then_rejected(Code::window_not_found);
}

TEST_F(Schedule, if_match_speaks_of_the_schedule_except_for_a_new_window) {
  EXPECT_EQ(target(AnyCommand(add(1, 0, 1))), std::nullopt);
  EXPECT_EQ(target(AnyCommand(remove(expert))), (StreamId{StreamKind::schedule, expert}));
  EXPECT_EQ(target(AnyCommand(update(expert, add(1, 0, 1)))), (StreamId{StreamKind::schedule, expert}));
}

// ---- slots

TEST_F(Schedule, a_window_gives_slots_of_every_active_session) {  // TU-26, TU-28, A-TU-3, A-TU-16
  const Uuid hour = given_session(60, 3);
  const Uuid half = given_session(30);
  const Uuid closed = given_session(15);
  session::DeactivateSession close;
  close.session_id = closed;
  when(close).then_accepted();
  const Uuid window = given_window(add(1, hm(9), hm(10, 45)));
  const auto monday = slots(day_of(2026, 1, 12), day_of(2026, 1, 13));
  ASSERT_EQ(monday.size(), 4u);  // 09:00 hour; 09:00, 09:30, 10:00 half.
  std::size_t hours = 0;
  for (const auto& slot : monday) {
    EXPECT_EQ(slot.window_id(), window);
    EXPECT_EQ(slot.slot_id(), slot_id_of(expert, slot.session_id(), slot.start_at()));
    if (slot.session_id() == hour) {
      ++hours;
      EXPECT_EQ(slot.end_at() - slot.start_at(), hour_us);
      EXPECT_EQ(slot.max(), 3);
    } else {
      EXPECT_EQ(slot.session_id(), half);
      EXPECT_EQ(slot.end_at() - slot.start_at(), 30 * minute_us);
      EXPECT_EQ(slot.max(), 1);
    }
  }
  EXPECT_EQ(hours, 1u);
}

TEST_F(Schedule, nothing_starts_at_or_before_now) {  // A-TU-5
  at(utc(2026, 1, 5, 10));
  given_session(60);
  given_window(add(1, hm(9), hm(13)));
  EXPECT_EQ(starts(day_of(2026, 1, 5), day_of(2026, 1, 6)), (std::vector{utc(2026, 1, 5, 11), utc(2026, 1, 5, 12)}));
}

TEST_F(Schedule, past_slots_stay_when_the_window_goes) {  // A-TU-17
  given_session(60);
  const Uuid window = given_window(add(1, hm(9), hm(13)));
  at(utc(2026, 1, 5, 10)).when(remove(window)).then_accepted();
  std::vector<Micros> left;
  for (const auto& slot : all_slots()) left.push_back(slot.start_at());
  EXPECT_EQ(left, (std::vector{utc(2026, 1, 5, 9), utc(2026, 1, 5, 10)}));
}

TEST_F(Schedule, an_inactive_window_gives_nothing) {  // TU-24
  given_session(60);
  const Uuid window = given_window(add(1, hm(9), hm(13)));
  EXPECT_EQ(all_slots().size(), 9u * 4u);
  when(update(window, add(1, hm(9), hm(13)), false)).then_accepted();
  EXPECT_TRUE(all_slots().empty());
  when(update(window, add(1, hm(9), hm(13)), true)).then_accepted();
  EXPECT_EQ(all_slots().size(), 9u * 4u);
}

TEST_F(Schedule, two_windows_over_the_same_hours_give_one_slot_of_the_first) {
  given_session(60);
  const Uuid first = given_window(add(1, hm(9), hm(11), "Europe/Copenhagen"));
  const Uuid second = given_window(add(1, hm(8), hm(11)));
  std::map<Micros, Uuid> windows;
  for (const auto& slot : slots(day_of(2026, 1, 12), day_of(2026, 1, 13)))
    EXPECT_TRUE(windows.emplace(slot.start_at(), slot.window_id()).second);
  EXPECT_EQ(windows.size(), 3u);
  EXPECT_EQ(windows.at(utc(2026, 1, 12, 8)), first);
  EXPECT_EQ(windows.at(utc(2026, 1, 12, 9)), first);
  EXPECT_EQ(windows.at(utc(2026, 1, 12, 10)), second);
  when(remove(first)).then_accepted();
  for (const auto& slot : slots(day_of(2026, 1, 12), day_of(2026, 1, 13))) EXPECT_EQ(slot.window_id(), second);
}

TEST_F(Schedule, a_change_looks_only_at_the_days_it_changes) {
  given_session(60);
  given_window(add(1, hm(9), hm(11)));
  const auto events = when(add(3, hm(9), hm(11))).then_accepted().events;
  const auto days = only<calendar::SlotsGenerated>(events);
  EXPECT_EQ(days.size(), 9u);
  for (const auto& day : days) {
    EXPECT_EQ(weekday(day.day), 3);
    EXPECT_EQ(day.tzdb_version, zones().version());
  }
  EXPECT_TRUE(std::ranges::is_sorted(days, {}, [](const auto& d) { return d.day; }));
}

TEST_F(Schedule, booked_slots_outlive_every_change_of_their_window) {  // A-TU-17, BK-11
  const Uuid session = given_session(60);
  const Uuid window = given_window(add(1, hm(9), hm(12)));
  const Uuid booked = slot_id_of(expert, session, utc(2026, 1, 12, 9));
  book(booked);
  const AnyCommand changes[] = {update(window, add(1, hm(14), hm(17))), update(window, add(2, hm(9), hm(12), "Asia/Tokyo")),
                                update(window, add(2, hm(9), hm(12), "Asia/Tokyo"), false), remove(window)};
  for (const auto& change : changes) {
    when(change).then_accepted();
    ASSERT_TRUE(find_slot(world, booked));
    EXPECT_EQ(find_slot(world, booked).slot->taken(), 1);
  }
  EXPECT_EQ(all_slots().size(), 1u);
}

TEST_F(Schedule, days_have_a_limited_number_of_slots) {  // A-TU-16
  policy.max_slots_per_day = 4;
  given_session(60);
  when(add(1, hm(9), hm(14))).then_rejected(Code::too_many_slots);
  const Uuid window = given_window(add(1, hm(9), hm(13)));
  when(add(1, hm(13), hm(14))).then_rejected(Code::too_many_slots);
  when(update(window, add(1, hm(8), hm(13)))).then_rejected(Code::too_many_slots);
  const Uuid other = given_window(add(2, hm(9), hm(13)));
  policy.max_slots_per_day = 3;  // A lower limit refuses growth, not shrinking.
  when(update(window, add(1, hm(9), hm(12)))).then_accepted();
  when(remove(other)).then_accepted();
}

// ---- time zones

struct Vector {
  const char* name;
  const char* zone;
  std::int32_t date;
  std::int16_t start, end;
  std::int32_t minutes;
  std::vector<Micros> expected;
};

std::vector<Vector> vectors() {
  const auto spring = day_of(2026, 3, 29);
  const auto autumn = day_of(2026, 10, 25);
  return {
      {"spring, hours", "Europe/Copenhagen", spring, hm(1), hm(4), 60, {utc(2026, 3, 29, 0), utc(2026, 3, 29, 1)}},
      {"spring, half hours",
       "Europe/Copenhagen",
       spring,
       hm(0, 30),
       hm(4),
       30,
       {utc(2026, 3, 28, 23, 30), utc(2026, 3, 29, 0), utc(2026, 3, 29, 0, 30), utc(2026, 3, 29, 1), utc(2026, 3, 29, 1, 30)}},
      {"spring, the slot would end after the window", "Europe/Copenhagen", spring, hm(1), hm(3), 90, {}},
      {"a week before, it does not", "Europe/Copenhagen", spring - 7, hm(1), hm(3), 90, {utc(2026, 3, 22, 0)}},
      {"spring, the slot ends where the gap begins", "Europe/Copenhagen", spring, hm(1), hm(2), 60, {utc(2026, 3, 29, 0)}},
      {"spring, all of the window is gap", "Europe/Copenhagen", spring, hm(2), hm(3), 60, {}},
      {"spring, the day", "Europe/Copenhagen", spring, hm(9), hm(11), 60, {utc(2026, 3, 29, 7), utc(2026, 3, 29, 8)}},
      {"the day before", "Europe/Copenhagen", spring - 1, hm(9), hm(11), 60, {utc(2026, 3, 28, 8), utc(2026, 3, 28, 9)}},
      {"autumn, hours",
       "Europe/Copenhagen",
       autumn,
       hm(1),
       hm(4),
       60,
       {utc(2026, 10, 24, 23), utc(2026, 10, 25, 0), utc(2026, 10, 25, 2)}},
      {"autumn, half hours",
       "Europe/Copenhagen",
       autumn,
       hm(2),
       hm(3, 30),
       30,
       {utc(2026, 10, 25, 0), utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 2)}},
      {"autumn, the day", "Europe/Copenhagen", autumn, hm(9), hm(10), 60, {utc(2026, 10, 25, 8)}},
      {"Beirut has no midnight",
       "Asia/Beirut",
       day_of(2026, 3, 29),
       hm(0),
       hm(3),
       60,
       {utc(2026, 3, 28, 22), utc(2026, 3, 28, 23)}},
      {"Beirut, the evening before",
       "Asia/Beirut",
       day_of(2026, 3, 28),
       hm(22),
       hm(24),
       60,
       {utc(2026, 3, 28, 20), utc(2026, 3, 28, 21)}},
      {"Cairo has no midnight",
       "Africa/Cairo",
       day_of(2026, 4, 24),
       hm(0),
       hm(3),
       60,
       {utc(2026, 4, 23, 22), utc(2026, 4, 23, 23)}},
      {"Santiago has no midnight",
       "America/Santiago",
       day_of(2026, 9, 6),
       hm(0),
       hm(3),
       60,
       {utc(2026, 9, 6, 4), utc(2026, 9, 6, 5)}},
      {"Lord Howe shifts by half an hour",
       "Australia/Lord_Howe",
       day_of(2026, 10, 4),
       hm(1),
       hm(4),
       30,
       {utc(2026, 10, 3, 14, 30), utc(2026, 10, 3, 15), utc(2026, 10, 3, 15, 30), utc(2026, 10, 3, 16),
        utc(2026, 10, 3, 16, 30)}},
      {"Lord Howe, hours",
       "Australia/Lord_Howe",
       day_of(2026, 10, 4),
       hm(1),
       hm(4),
       60,
       {utc(2026, 10, 3, 14, 30), utc(2026, 10, 3, 16)}},
      {"a date that lies on two UTC days",
       "America/New_York",
       day_of(2026, 1, 20),
       hm(18),
       hm(21),
       60,
       {utc(2026, 1, 20, 23), utc(2026, 1, 21, 0), utc(2026, 1, 21, 1)}},
      {"fourteen hours ahead", "Pacific/Kiritimati", day_of(2026, 1, 20), hm(0), hm(1), 60, {utc(2026, 1, 19, 10)}},
      {"twelve hours behind", "Etc/GMT+12", day_of(2026, 1, 20), hm(23), hm(24), 60, {utc(2026, 1, 21, 11)}},
  };
}

TEST_F(Schedule, golden_days_of_clock_changes) {  // A-TU-15, domain §11
  for (const auto& v : vectors()) {
    SCOPED_TRACE(v.name);
    begin();
    at((v.date - 5) * day_us);  // So that no other week's date is near.
    given_session(v.minutes);
    given_window(add(weekday(v.date), v.start, v.end, v.zone));
    EXPECT_EQ(starts(v.date - 2, v.date + 3), v.expected);
  }
}

TEST_F(Schedule, starts_keep_the_rules_hours_all_year) {  // BK-9
  policy.horizon_days = 366;
  for (const auto zone : {"Europe/Copenhagen", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut"}) {
    SCOPED_TRACE(zone);
    begin();
    given_session(120);
    for (std::int32_t day = 0; day < 7; ++day) given_window(add(day, hm(9), hm(17), zone));
    std::map<std::int32_t, std::vector<std::int32_t>> by_date;
    for (const auto& slot : all_slots()) {
      const auto local = zones().local(zone, slot.start_at());
      by_date[local.day].push_back(local.seconds);
    }
    const auto first = day_of(2026, 1, 7);
    for (std::int32_t date = first; date < first + 360; ++date)
      EXPECT_EQ(by_date[date], (std::vector{9 * 3600, 11 * 3600, 13 * 3600, 15 * 3600})) << "date " << date;
  }
}

TEST_F(Schedule, the_processes_own_zone_changes_nothing) {  // BK-9
  const char* before = std::getenv("TZ");
  const std::string restore = before ? before : "";
  std::vector<std::string> seen;
  for (const auto own : {"UTC", "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe"}) {
    setenv("TZ", own, 1);
    tzset();
    begin();
    at(utc(2026, 3, 1));
    session::CreateSession c;
    c.expert_id = expert;
    c.duration_minutes = 30;
    when(c, id_of("first command")).then_accepted();
    std::string bytes;
    for (const auto& e : when(add(0, hm(0), hm(24), "Europe/Copenhagen"), id_of("second command")).then_accepted().events)
      bytes += encode(e.event);
    seen.push_back(std::move(bytes));
  }
  if (before) setenv("TZ", restore.c_str(), 1);
  else unsetenv("TZ");
  tzset();
  for (const auto& bytes : seen) EXPECT_EQ(bytes, seen.front());
  EXPECT_GT(seen.front().size(), 1000u);
}

TEST(TimeZones, know_zones_and_aliases) {  // TU-6
  const auto& zones = Given::zones();
  for (const auto zone : {"UTC", "Europe/Copenhagen", "US/Eastern", "America/Argentina/Buenos_Aires", "Etc/GMT+5"})
    EXPECT_TRUE(zones.known(zone)) << zone;
  for (const auto zone : {"", "Europe", "Europe/", "Europe/copenhagen", "CEST", "+02:00", "localtime", "posixrules", "Factory",
                          "right/UTC", "posix/Europe/Paris", "tzdata.zi", "../UTC"})
    EXPECT_FALSE(zones.known(zone)) << zone;
  EXPECT_TRUE(zones.version().starts_with("20")) << zones.version();
}

TEST(TimeZones, instants_and_wall_clocks_are_inverse_outside_of_changes) {  // A-TU-1, A-TU-15
  const auto& zones = Given::zones();
  std::mt19937_64 random(20260105);
  for (const auto zone : {"Europe/Copenhagen", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"}) {
    for (int i = 0; i < 500; ++i) {
      const Micros instant = utc(2025, 1, 1) + static_cast<Micros>(random() % (3 * 365 * 24 * 60)) * minute_us;
      const auto again = zones.instant(zone, zones.local(zone, instant));
      ASSERT_TRUE(again.has_value()) << zone << " " << instant;
      EXPECT_LE(*again, instant) << zone;  // Earlier only in the second pass of an hour that happens twice.
      EXPECT_LE(instant - *again, hour_us) << zone;
    }
  }
  const auto date = day_of(2026, 10, 25);
  EXPECT_EQ(zones.instant("Europe/Copenhagen", {date, 2 * 3600 + 1800}), utc(2026, 10, 25, 0, 30));
  EXPECT_EQ(zones.instant("Europe/Copenhagen", {date, 3 * 3600}), utc(2026, 10, 25, 2));
  EXPECT_EQ(zones.instant("Europe/Copenhagen", {day_of(2026, 3, 29), 2 * 3600}), std::nullopt);
  EXPECT_EQ(zones.instant("Europe/Copenhagen", {day_of(2026, 3, 29), 2 * 3600 + 3599}), std::nullopt);
  EXPECT_EQ(zones.instant("Europe/Copenhagen", {day_of(2026, 3, 29), 3 * 3600}), utc(2026, 3, 29, 1));
}

// ---- the horizon

Timer extension(const ScheduleState& s) {
  const auto all = timers(AnyState(s));
  CHECK(all.size() == 1);
  return all[0];
}

TEST_F(Schedule, the_horizon_moves_on_by_a_day_every_day) {  // A-TU-16
  given_session(60);
  for (std::int32_t day = 0; day < 7; ++day) given_window(add(day, hm(9), hm(11)));
  for (int i = 1; i <= 5; ++i) {
    const auto timer = extension(schedule());
    EXPECT_EQ(timer.name, "extend");
    EXPECT_EQ(timer.due, utc(2026, 1, 5) + i * day_us + test_bucket * day_us / bucket_count);
    at(timer.due);
    const auto events = when(timer.command).then_accepted().events;
    ASSERT_EQ(events.size(), 2u);
    const auto last_day = day_of(2026, 1, 5) + 59 + i;
    EXPECT_EQ(only<schedule::HorizonExtended>(events).at(0).until_day, last_day + 1);
    EXPECT_EQ(only<calendar::SlotsGenerated>(events).at(0).day, last_day);
    EXPECT_EQ(only<calendar::SlotsGenerated>(events).at(0).added.size(), 2u);
    when(timer.command).then_nothing();
  }
}

TEST_F(Schedule, the_horizon_catches_up_after_a_long_stop) {  // A-TU-16
  given_session(60);
  given_window(add(1, hm(9), hm(11)));
  const auto timer = extension(schedule());
  at(utc(2026, 6, 1, 12)).when(timer.command).then_accepted();
  EXPECT_EQ(schedule().until_day, day_of(2026, 6, 1) + 60);
  EXPECT_TRUE(starts(day_of(2026, 3, 6), day_of(2026, 6, 8)).empty());  // Nothing for the days that went by.
  EXPECT_EQ(starts(day_of(2026, 6, 8), day_of(2026, 7, 31)).size(), 8u * 2u);
  when(timer.command).then_nothing();
}

TEST_F(Schedule, a_change_before_the_daily_turn_moves_the_horizon_too) {  // A-TU-16
  given_session(60);
  const Uuid window = given_window(add(1, hm(9), hm(11)));
  const auto timer = extension(schedule());
  at(utc(2026, 1, 6, 0, 1));
  const auto events = when(update(window, add(1, hm(9), hm(12)))).then_accepted().events;
  ASSERT_EQ(only<schedule::HorizonExtended>(events).size(), 1u);
  EXPECT_EQ(schedule().until_day, day_of(2026, 1, 6) + 60);
  EXPECT_GT(extension(schedule()).due, timer.due);
  at(timer.due).when(timer.command).then_nothing();
}

TEST_F(Schedule, experts_take_their_turns_all_over_the_day) {
  std::set<Micros> turns;
  for (const Bucket bucket : std::initializer_list<Bucket>{0, 1, 2048, 4095}) {
    schedule::AddWindow c = add(1, hm(9), hm(11));
    c.expert_id = id_of("expert", bucket);
    account::AccountRegistered registered;
    registered.account_id = c.expert_id;
    account::ExpertProfileCreated profile;
    profile.account_id = c.expert_id;
    given({registered, profile}).as(service()).when(c).then_accepted();
    const auto due = state<ScheduleState>(c.expert_id).next_at;
    EXPECT_GE(due, utc(2026, 1, 6));
    EXPECT_LT(due, utc(2026, 1, 7));
    turns.insert(due);
  }
  EXPECT_EQ(turns.size(), 4u);
}

TEST_F(Schedule, extension_never_refuses_and_keeps_to_the_limit) {  // A-TU-16
  given_session(60);
  given_window(add(6, hm(9), hm(17)));
  policy.max_slots_per_day = 3;
  at(utc(2026, 1, 5));
  while (schedule().until_day <= day_of(2026, 3, 7)) {
    const auto timer = extension(schedule());
    at(timer.due).when(timer.command).then_accepted();
  }
  EXPECT_EQ(starts(day_of(2026, 3, 7), day_of(2026, 3, 8)),
            (std::vector{utc(2026, 3, 7, 9), utc(2026, 3, 7, 10), utc(2026, 3, 7, 11)}));
}

TEST_F(Schedule, without_a_schedule_there_is_no_turn) {
  schedule::ExtendHorizon c;
  c.expert_id = expert;
  as(the_system()).when(c).then_nothing();
  EXPECT_TRUE(timers(AnyState(schedule())).empty());
}

// ---- any schedule

TEST_F(Schedule, any_history_leaves_slots_that_its_windows_want) {
  constexpr std::uint64_t seed = 20260329;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto pick = [&](int from, int to) {
    return from + static_cast<int>(random() % static_cast<std::uint64_t>(to - from + 1));
  };
  const char* zone_names[] = {"Europe/Copenhagen", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut",
                              "Africa/Cairo",      "America/Santiago", "Pacific/Kiritimati",  "UTC"};
  policy.horizon_days = 14;
  policy.max_slots_per_day = 10'000;
  for (int round = 0; round < 12; ++round) {
    begin();
    at(utc(2026, 3, 20) + pick(0, 10 * 24 * 60) * minute_us);
    std::vector<Uuid> windows, sessions;
    const auto a_window = [&] {
      const int start = pick(0, 1380);
      return add(pick(0, 6), static_cast<std::int16_t>(start), static_cast<std::int16_t>(pick(start + 1, 1440)),
                 zone_names[random() % std::size(zone_names)]);
    };
    for (int step = 0; step < 10; ++step) {
      now += pick(0, 12 * 60) * minute_us;
      if (sessions.empty() || pick(0, 3) == 0) sessions.push_back(given_session(15 * pick(1, 8), pick(1, 3)));
      if (windows.empty() || pick(0, 2) == 0) windows.push_back(given_window(a_window()));
      else if (pick(0, 3) == 0) {
        when(remove(windows.back())).then_accepted();
        windows.pop_back();
      } else {
        EXPECT_TRUE(when(update(windows[random() % windows.size()], a_window(), pick(0, 4) > 0)).decision().has_value());
      }

      const auto today = static_cast<std::int32_t>(now / day_us);
      const auto wanted = wanted_slots(schedule(), today, schedule().until_day, now, zones());
      std::size_t found = 0;
      for (std::int32_t day = today; day < schedule().until_day; ++day) {
        const auto& of_day = state<DayState>(calendar_day_id(expert, day)).slots;
        EXPECT_TRUE(std::ranges::is_sorted(of_day, {}, [](const Slot& s) { return s.start_at(); }));
        for (const auto& slot : of_day) {
          EXPECT_EQ(slot.start_at() / day_us, day);
          if (slot.start_at() > now) ++found;
        }
      }
      EXPECT_EQ(found, wanted.size());
      for (const auto& w : wanted) {
        EXPECT_GT(w.start_at, now);
        const auto slot = find_slot(world, slot_id_of(expert, w.session_id, w.start_at));
        ASSERT_TRUE(slot);
        EXPECT_EQ(slot.slot->end_at(), w.end_at);
        const auto session = std::ranges::find(schedule().sessions, w.session_id, [](const auto& s) { return s.session_id(); });
        ASSERT_NE(session, schedule().sessions.end());
        EXPECT_EQ(w.end_at - w.start_at, session->duration_minutes() * minute_us);
        EXPECT_EQ(w.max, session->max_participants());
        // Inside its window, by the clock's face of the window's zone.
        const auto window = std::ranges::find(schedule().windows, w.window_id, [](const auto& s) { return s->window_id; });
        ASSERT_NE(window, schedule().windows.end());
        const auto start = zones().local((*window)->timezone, w.start_at);
        const auto last = zones().local((*window)->timezone, w.end_at - second_us);
        EXPECT_TRUE((*window)->is_active);
        EXPECT_EQ(weekday(start.day), (*window)->day_of_week);
        EXPECT_GE(start.seconds, (*window)->start_time * 60);
        EXPECT_EQ((start.seconds / 60 - (*window)->start_time) % session->duration_minutes(), 0);
        EXPECT_EQ(last.day, start.day);
        EXPECT_LT(last.seconds, (*window)->end_time * 60);
      }
      // Made once more, every day stays as it is.
      std::span<const WantedSlot> rest = wanted;
      for (std::int32_t day = today; day < schedule().until_day; ++day) {
        std::size_t n = 0;
        while (n < rest.size() && rest[n].start_at / day_us == day) ++n;
        EXPECT_TRUE(regenerate_day(world, expert, day, rest.first(n), now, zones().version()).empty());
        rest = rest.subspan(n);
      }
    }
  }
}

}  // namespace
}  // namespace guildhall::testing
