// What happens to a learner, and what may be asked of one. Declared once, in events/learner.fbs.
#pragma once

#include <variant>

#include "learner_generated.h"

namespace guildhall::learner {

using RecordActivity = ::learner::v1::RecordActivityT;
using AdjustXp = ::learner::v1::AdjustXpT;
using RepairStreak = ::learner::v1::RepairStreakT;

using ActivityRecorded = ::learner::v1::ActivityRecordedT;
using StreakExtended = ::learner::v1::StreakExtendedT;
using StreakReset = ::learner::v1::StreakResetT;
using StreakFrozen = ::learner::v1::StreakFrozenT;
using StreakRepaired = ::learner::v1::StreakRepairedT;
using XpGranted = ::learner::v1::XpGrantedT;
using LevelReached = ::learner::v1::LevelReachedT;
using AchievementUnlocked = ::learner::v1::AchievementUnlockedT;

using LearnerView = ::learner::v1::LearnerViewT;

using Command = std::variant<RecordActivity, AdjustXp, RepairStreak>;
using Event = std::variant<ActivityRecorded, StreakExtended, StreakReset, StreakFrozen, StreakRepaired, XpGranted, LevelReached,
                           AchievementUnlocked>;
using Resource = std::variant<LearnerView>;

}  // namespace guildhall::learner
