// A learner's XP, level, streak and achievements, in the group of the account whose id it has (DR-6, DR-20..22, DR-28..30).
//
// XP is given once for a lesson and once for an achievement (A-DR-16, DR-22). What follows from XP, a completed lesson or a
// longer streak follows in the same decision: XpGranted, LevelReached, AchievementUnlocked, XpGranted …, until nothing more is
// unlocked (M-8).
//
// A streak counts the learner's local days on which they completed a lesson or joined a session (DR-30, A-DR-25). Days are dates:
// how long one lasts does not matter, and a date that comes again, or that a journey skips, neither adds nor breaks anything. The
// date is of the profile's zone, which the streak follows at most once in 24 hours. What was missed shows at the next activity:
// freezes that the learner holds cover it, or the streak starts anew.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

inline constexpr std::int32_t max_xp = 2'147'483'647;
inline constexpr Micros streak_zone_change_us = 24 * hour_us;

// DR-71, domain.md 11.
std::int32_t level_of(std::int32_t total_xp);
std::int64_t first_xp_of(std::int32_t level);

// The highest level of lessons that is open to a learner (DR-57).
std::int32_t level_access(const View& view, const Uuid& learner_id, const PlatformPolicy& policy);

inline constexpr std::string_view lesson_complete = "lesson_complete", session_join = "session_join";

struct Activity {
  std::string_view type;
  std::string_view entity_type;
  Uuid entity_id{};
};
// What an activity of a learner leads to: the record of it, the streak, and what that unlocks.
std::vector<NewEvent> activity_events(const Uuid& learner_id, const Activity& activity, const Context& at, const View& view);

// What a lesson that is completed for the first time leads to, its activity included. xp_limit_reached: its XP has no room.
std::expected<std::vector<NewEvent>, Code> completion_events(const Uuid& learner_id, const Uuid& lesson_id,
                                                             std::int32_t xp_reward, const Context& at, const View& view);

Decision decide(const learner::RecordActivity& c, const Context& at, const View& view);
Decision decide(const learner::AdjustXp& c, const Context& at, const View& view);
Decision decide(const learner::RepairStreak& c, const Context& at, const View& view);

std::optional<StreamId> target(const learner::RecordActivity& c);
std::optional<StreamId> target(const learner::AdjustXp& c);
std::optional<StreamId> target(const learner::RepairStreak& c);

void apply(LearnerState& s, const learner::ActivityRecorded& e);
void apply(LearnerState& s, const learner::StreakExtended& e);
void apply(LearnerState& s, const learner::StreakReset& e);
void apply(LearnerState& s, const learner::StreakFrozen& e);
void apply(LearnerState& s, const learner::StreakRepaired& e);
void apply(LearnerState& s, const learner::XpGranted& e);
void apply(LearnerState& s, const learner::LevelReached& e);
void apply(LearnerState& s, const learner::AchievementUnlocked& e);

AnyResource represent(const LearnerState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const LearnerState& s, const Actor& actor);

}  // namespace guildhall
