// XP, levels and streaks: DR-6, DR-28..33, DR-71, A-DR-10, A-DR-17, A-DR-25, X-33, XP-2..4, XP-7, XP-8, domain.md 11.
#include <algorithm>
#include <random>

#include "tests/aggregates/classroom.h"

namespace guildhall::testing {
namespace {

using namespace learner;
using ::learner::v1::XpSource;

// ---- levels

TEST(Level, is_the_formula) {  // DR-71, A-DR-10, XP-4, domain.md 11
  struct Vector {
    std::int32_t xp, level;
  };
  for (const Vector& v :
       {Vector{-5000, 1}, Vector{0, 1}, Vector{1999, 1}, Vector{2999, 1}, Vector{3000, 2}, Vector{6999, 2}, Vector{7000, 3},
        Vector{14999, 3}, Vector{15000, 4}, Vector{30999, 4}, Vector{31000, 5}, Vector{63000, 6}, Vector{1022999, 9},
        Vector{1023000, 10}, Vector{2147483647, 21}})
    EXPECT_EQ(level_of(v.xp), v.level) << v.xp;
}

TEST(Level, begins_where_it_says) {  // XP-4
  for (std::int32_t level = 2; level <= 20; ++level) {
    const auto first = static_cast<std::int32_t>(first_xp_of(level));
    EXPECT_EQ(level_of(first - 1), level - 1) << level;
    EXPECT_EQ(level_of(first), level) << level;
    EXPECT_EQ(level_of(first + 1), level) << level;
  }
  EXPECT_EQ(first_xp_of(1), 0);
  EXPECT_EQ(level_of(static_cast<std::int32_t>(first_xp_of(20) + 1)), 20);
}

class Learners : public Classroom {
 public:
  RecordActivity activity(std::string_view type = session_join) const {
    return {.learner_id = ada,
            .activity_type = std::string(type),
            .entity_type = "live_session",
            .entity_id = id_of("session")};
  }
  Accepted acts(std::string_view type = session_join) { return as(the_system()).when(activity(type)).then_accepted(); }
  // Of the wall clock in a zone; one that does not exist is a mistake of the test.
  static Micros local(const std::string& zone, std::int32_t day, int hour, int minute = 0) {
    return zones().instant(zone, {day, hour * 3600 + minute * 60}).value();
  }
  Accepted acts_when(Micros instant) {
    at(instant);
    return acts();
  }
  Accepted acts_at(const std::string& zone, std::int32_t day, int hour, int minute = 0) {
    return acts_when(local(zone, day, hour, minute));
  }
  void acts_on_days(std::int32_t first, std::int32_t count) {
    for (std::int32_t i = 0; i < count; ++i) acts_at("UTC", first + i, 12);
  }
  std::int32_t streak() const { return learner().current_streak; }

  const std::int32_t monday = day_of(2026, 1, 5);
};

// One of several lives in a test.
class Life final : public Learners {
  void TestBody() override {}
};

// ---- streaks

TEST_F(Learners, a_day_extends_the_streak_once) {  // DR-30
  acts_at("UTC", monday, 0, 1);
  EXPECT_EQ(streak(), 1);
  EXPECT_TRUE(only<StreakExtended>(acts_at("UTC", monday, 23, 59).events).empty());
  const Accepted next = acts_at("UTC", monday + 1, 0);
  const auto e = only<StreakExtended>(next.events).at(0);
  EXPECT_EQ(e.streak_days, 2);
  EXPECT_EQ(e.local_date, monday + 1);
  EXPECT_EQ(only<ActivityRecorded>(next.events).at(0).local_date, monday + 1) << "stored in the event (XP-2)";
}

TEST_F(Learners, a_missed_day_resets_it_with_the_next_activity) {  // DR-29, DR-30
  acts_on_days(monday, 3);
  const Accepted after = acts_at("UTC", monday + 4, 9);
  const auto reset = only<StreakReset>(after.events).at(0);
  EXPECT_EQ(reset.lost_days, 3);
  EXPECT_EQ(reset.missed_date, monday + 3);
  EXPECT_EQ(streak(), 1);
  EXPECT_EQ(learner().longest_streak, 3);
  acts_on_days(monday + 5, 3);
  EXPECT_EQ(streak(), 4);
  EXPECT_EQ(learner().longest_streak, 4);
}

TEST_F(Learners, lessons_and_sessions_count_and_other_things_do_not) {  // DR-33, A-DR-17
  at(utc(2026, 1, 5, 8));
  for (const std::string_view type : {"login", "post_create", "achievement_gain", "something_else"}) {
    const Accepted done = acts(type);
    EXPECT_EQ(only<ActivityRecorded>(done.events).at(0).activity_type, type);
    EXPECT_EQ(streak(), 0) << type;
  }
  acts(session_join);
  EXPECT_EQ(streak(), 1);
  at(now + day_us).as(user(ada)).when(hand_in(offered(1))).then_accepted();
  EXPECT_EQ(streak(), 2);
  at(now + day_us).when(hand_in(lesson(1))).then_accepted();
  EXPECT_EQ(streak(), 3) << "a lesson that is passed again";
  const Uuid quiz = with_quiz(2, {"a"});
  at(now + day_us).when(hand_in(quiz, {"x"})).then_accepted();
  EXPECT_EQ(streak(), 3) << "a lesson that is not passed";
}

TEST_F(Learners, half_past_eleven_in_the_evening_is_today_everywhere) {  // XP-2
  int n = 0;
  for (const std::string zone : {"Pacific/Auckland", "Pacific/Honolulu", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York",
                                 "Europe/Copenhagen", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe", "UTC"}) {
    Life one;
    one.lives_in(zone);
    const std::int32_t day = day_of(2026, 6, 10) + n++;
    const Accepted evening = one.acts_at(zone, day, 23, 30);
    EXPECT_EQ(only<ActivityRecorded>(evening.events).at(0).local_date, day) << zone;
    EXPECT_EQ(only<ActivityRecorded>(evening.events).at(0).zone, zone);
    one.acts_at(zone, day + 1, 0, 30);
    EXPECT_EQ(one.streak(), 2) << zone << ": an hour later is tomorrow";
    one.acts_at(zone, day + 1, 23, 30);
    EXPECT_EQ(one.streak(), 2) << zone;
  }
}

TEST_F(Learners, a_day_may_last_23_or_25_hours) {  // XP-3, domain.md 11
  for (const std::int32_t changes : {day_of(2026, 3, 29), day_of(2026, 10, 25)}) {
    for (const bool on_it : {true, false}) {
      Life one;
      const std::string zone = "Europe/Copenhagen";
      one.lives_in(zone);
      one.acts_at(zone, changes - 1, 23, 59);
      if (on_it) {
        one.acts_at(zone, changes, 0, 1);
        one.acts_at(zone, changes, 23, 59);
      }
      one.acts_at(zone, changes + 1, 0, 1);
      EXPECT_EQ(one.streak(), on_it ? 3 : 1);
    }
  }
  // The hour that comes twice is one day's.
  Life one;
  one.lives_in("Europe/Copenhagen");
  one.acts_when(utc(2026, 10, 25, 0, 30));  // 02:30, then 02:30 again.
  one.acts_when(utc(2026, 10, 25, 1, 30));
  EXPECT_EQ(one.streak(), 1);
}

TEST_F(Learners, a_day_may_begin_at_one) {  // XP-3, domain.md 11: there is no 00:00 to 00:59.
  struct Gap {
    std::string zone;
    std::int32_t day;
  };
  for (const Gap& g : {Gap{"Asia/Beirut", day_of(2026, 3, 29)}, Gap{"Africa/Cairo", day_of(2026, 4, 24)},
                       Gap{"America/Santiago", day_of(2026, 9, 6)}}) {
    ASSERT_FALSE(zones().instant(g.zone, {g.day, 1800})) << g.zone;
    Life one;
    one.lives_in(g.zone);
    const Micros before = local(g.zone, g.day - 1, 23, 59);
    one.acts_when(before);
    const Accepted after = one.acts_when(before + minute_us);
    EXPECT_EQ(only<ActivityRecorded>(after.events).at(0).local_date, g.day) << g.zone;
    EXPECT_EQ(one.streak(), 2) << g.zone;
    one.acts_at(g.zone, g.day + 1, 0, 0);
    EXPECT_EQ(one.streak(), 3) << g.zone;
  }
}

// ---- zones

TEST_F(Learners, a_journey_adds_no_day_and_breaks_no_streak) {  // XP-3, A-DR-25: Auckland to Honolulu and back
  lives_in("Pacific/Auckland");
  const std::int32_t tenth = day_of(2026, 1, 10);
  acts_at("Pacific/Auckland", tenth, 10);
  lives_in("Pacific/Honolulu");
  at(now + 5 * hour_us);
  const Accepted arrived = acts();
  EXPECT_EQ(only<ActivityRecorded>(arrived.events).at(0).local_date, tenth - 1) << "the day before, once more";
  EXPECT_EQ(streak(), 1);
  acts_at("Pacific/Honolulu", tenth, 18);
  EXPECT_EQ(streak(), 1) << "that date has counted";
  acts_at("Pacific/Honolulu", tenth + 1, 23);
  EXPECT_EQ(streak(), 2);
  lives_in("Pacific/Auckland");
  at(now + 150 * minute_us);  // 00:30 on the thirteenth: no clock of the learner's showed the twelfth at noon.
  const Accepted back = acts();
  EXPECT_EQ(only<ActivityRecorded>(back.events).at(0).local_date, tenth + 3);
  EXPECT_TRUE(only<StreakReset>(back.events).empty());
  EXPECT_EQ(streak(), 3);
  acts_at("Pacific/Auckland", tenth + 4, 12);
  EXPECT_EQ(streak(), 4);
}

TEST_F(Learners, the_streaks_zone_changes_once_in_24_hours) {  // A-DR-25
  lives_in("Europe/Copenhagen");
  acts_when(utc(2026, 1, 5, 8));
  lives_in("America/New_York");
  at(utc(2026, 1, 6, 8));
  const auto first = only<ActivityRecorded>(acts().events).at(0);
  EXPECT_EQ(first.zone, "America/New_York");
  EXPECT_EQ(first.zone_since, now);
  lives_in("Asia/Tokyo");
  at(now + 24 * hour_us - 1);
  EXPECT_EQ(only<ActivityRecorded>(acts().events).at(0).zone, "America/New_York");
  at(now + 1);
  const auto second = only<ActivityRecorded>(acts().events).at(0);
  EXPECT_EQ(second.zone, "Asia/Tokyo");
  EXPECT_EQ(second.first_activity_at, utc(2026, 1, 5, 8));
}

// Whatever the learner's journeys: no more days than dates have passed, and none lost to who acts every few hours.
TEST_F(Learners, no_journey_cheats) {  // XP-3
  const std::uint64_t seed = 20'261'129;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> everywhere{"Pacific/Auckland", "Pacific/Honolulu", "Pacific/Kiritimati", "Pacific/Pago_Pago",
                                            "Europe/Copenhagen", "Asia/Kolkata"};
  for (int round = 0; round < 10; ++round) {
    Life one;
    const Micros begin = utc(2026, 3, 1);
    one.acts_when(begin);
    while (one.now < begin + 60 * day_us) {
      if (random() % 4 == 0) one.lives_in(everywhere[random() % everywhere.size()]);
      one.at(one.now + static_cast<Micros>(random() % 6 + 1) * hour_us);
      for (const auto& e : one.acts().events) EXPECT_FALSE(holds_alternative<StreakReset>(e.event));
      const auto days = static_cast<std::int32_t>((one.now - begin) / day_us);
      EXPECT_LE(one.streak(), days + 3);
      EXPECT_GE(one.learner().longest_streak, one.streak());
    }
    EXPECT_GE(one.streak(), 30) << "a date that a journey repeats counts once";
  }
}

// ---- freezes (XP-8)

TEST_F(Learners, seven_days_earn_a_freeze_and_two_can_be_held) {
  acts_on_days(monday, 6);
  EXPECT_EQ(learner().freezes_held, 0);
  acts_on_days(monday + 6, 1);
  EXPECT_EQ(learner().freezes_held, 1);
  acts_on_days(monday + 7, 14);
  EXPECT_EQ(streak(), 21);
  EXPECT_EQ(learner().freezes_held, 2);
}

TEST_F(Learners, a_freeze_covers_a_missed_day_and_adds_none) {
  acts_on_days(monday, 7);
  const Accepted after = acts_at("UTC", monday + 8, 12);
  EXPECT_TRUE(only<StreakReset>(after.events).empty());
  const auto frozen = only<StreakFrozen>(after.events).at(0);
  EXPECT_EQ(frozen.missed_days, 1);
  EXPECT_EQ(frozen.missed_date, monday + 7);
  EXPECT_EQ(streak(), 8);
  EXPECT_EQ(learner().freezes_held, 0);
  acts_at("UTC", monday + 10, 12);
  EXPECT_EQ(streak(), 1) << "without one";
}

TEST_F(Learners, freezes_that_can_not_save_the_streak_are_kept) {
  acts_on_days(monday, 14);
  acts_at("UTC", monday + 17, 12);  // Three missed, two held.
  EXPECT_EQ(streak(), 1);
  EXPECT_EQ(learner().freezes_held, 2);
  acts_at("UTC", monday + 20, 12);
  EXPECT_EQ(streak(), 2);
  EXPECT_EQ(learner().freezes_held, 0);
}

TEST_F(Learners, support_gives_a_lost_streak_back) {
  acts_on_days(monday, 5);
  at(utc(2026, 1, 12, 12));
  const RepairStreak repair{.learner_id = ada, .streak_days = 5, .reason = "An outage of ours"};
  as(user(ada)).when(repair).then_rejected(Code::admin_only);
  const Accepted done = as(admin(root)).when(repair).then_accepted();
  EXPECT_EQ(only<StreakRepaired>(done.events).at(0).local_date, monday + 6) << "as of yesterday";
  when(repair).then_nothing();
  acts();
  EXPECT_EQ(streak(), 6);
  EXPECT_EQ(learner().longest_streak, 6);
}

// ---- XP

TEST_F(Learners, an_adjustment_keeps_the_level_that_was_reached) {  // DR-6, X-33
  const auto adjust = [&](std::int32_t amount) { return AdjustXp{.learner_id = ada, .amount = amount, .reason = "A mistake"}; };
  as(user(ada)).when(adjust(1)).then_rejected(Code::admin_only);
  as(admin(root));
  when(adjust(-1)).then_rejected(Code::level_would_drop);
  const Accepted up = when(adjust(3100)).then_accepted();
  EXPECT_EQ(only<LevelReached>(up.events).at(0).level, 2);
  const auto e = only<XpGranted>(up.events).at(0);
  EXPECT_EQ(e.source, XpSource::adjustment);
  EXPECT_EQ(e.reason, "A mistake");
  when(adjust(-101)).then_rejected(Code::level_would_drop);
  when(adjust(-100)).then_accepted();
  EXPECT_EQ(learner().total_xp, 3000);
  EXPECT_EQ(learner().level, 2);
  when(adjust(max_xp)).then_rejected(Code::xp_limit_reached);
  when(adjust(max_xp - 3000)).then_accepted();
  EXPECT_EQ(learner().level, 21);
  EXPECT_EQ(learner().lesson_xp, 0);
  when(AdjustXp{.learner_id = id_of("nobody"), .amount = 1, .reason = "?"}).then_rejected(Code::learner_not_found);
}

TEST_F(Learners, what_is_told_of_nobody_is_let_go_of) {
  RecordActivity c = activity();
  c.learner_id = id_of("nobody");
  as(the_system()).when(c).then_nothing();  // A reaction's command never rejects.
  as(service()).when(c).then_rejected(Code::learner_not_found);
}

// The history is the total, whatever happens in between (XP-7); and a streak is within its longest (DR-29).
TEST_F(Learners, laws_hold_over_random_learning) {
  const std::uint64_t seed = 20'261'130;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int gate = 1; gate <= 12; ++gate) {
    if (gate % 3 == 0) with_quiz(gate, {"a", "b"});
    else offered(gate, gate * 400);
  }
  for (const std::int32_t threshold : {1, 3, 6, 9}) {
    auto lessons = definition("lessons_" + std::string(1, static_cast<char>('a' + threshold)), threshold * 100);
    lessons.lessons_completed = threshold;
    defined(lessons);
    auto xp = definition("xp_" + std::string(1, static_cast<char>('a' + threshold)), threshold * 300);
    xp.total_xp = threshold * 1000;
    defined(xp);
  }
  auto week = definition("week", 70);
  week.streak_days = 7;
  defined(week);
  for (int i = 0; i < 400; ++i) {
    at(now + static_cast<Micros>(random() % 30) * hour_us);
    const auto gate = static_cast<std::int32_t>(random() % 12 + 1);
    std::vector<std::string> answers;
    if (gate % 3 == 0) answers = {"a", random() % 2 == 0 ? "b" : "x"};
    switch (random() % 4) {
      case 0: as(user(ada)).when(start(lesson(gate))); break;
      case 1: as(the_system()).when(activity()); break;
      case 2:
        as(admin(root));
        when(AdjustXp{.learner_id = ada, .amount = static_cast<std::int32_t>(random() % 400) - 200, .reason = "x"});
        break;
      default: as(user(ada)).when(hand_in(lesson(gate), answers)); break;
    }
    const LearnerState& s = learner();
    ASSERT_GE(s.longest_streak, s.current_streak);
    ASSERT_GE(s.current_streak, 0);
    ASSERT_LE(s.freezes_held, 2);
    ASSERT_GE(s.level, level_of(s.total_xp));
  }
  std::int64_t sum = 0;
  std::map<std::string, int> grants, unlocks;
  for (const auto& e : world.history()) {
    if (const auto* g = get_if<XpGranted>(&e.event)) {
      sum += g->amount;
      if (g->source != XpSource::adjustment) ++grants[to_string(g->source_id)];
      EXPECT_EQ(g->total_xp, sum);
    }
    if (const auto* u = get_if<AchievementUnlocked>(&e.event)) ++unlocks[to_string(u->achievement_id)];
  }
  EXPECT_EQ(sum, learner().total_xp);
  EXPECT_TRUE(std::ranges::all_of(grants, [](const auto& g) { return g.second == 1; }));
  EXPECT_TRUE(std::ranges::all_of(unlocks, [](const auto& u) { return u.second == 1; }));
  EXPECT_GT(unlocks.size(), 4u);
  // A replay of the same events is the same learner.
  World again;
  for (const auto& e : world.history()) again.fold(e);
  EXPECT_TRUE(again.get<LearnerState>(ada) == learner());
}

}  // namespace
}  // namespace guildhall::testing
