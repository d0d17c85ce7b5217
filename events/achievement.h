// What happens to achievement definitions, and what may be asked of them. Declared once, in events/achievement.fbs.
#pragma once

#include <variant>

#include "achievement_generated.h"

namespace guildhall::achievement {

using DefineAchievement = ::achievement::v1::DefineAchievementT;
using RetireAchievement = ::achievement::v1::RetireAchievementT;

using AchievementDefined = ::achievement::v1::AchievementDefinedT;
using AchievementRetired = ::achievement::v1::AchievementRetiredT;

using AchievementView = ::achievement::v1::AchievementViewT;

using Command = std::variant<DefineAchievement, RetireAchievement>;
using Event = std::variant<AchievementDefined, AchievementRetired>;
using Resource = std::variant<AchievementView>;

}  // namespace guildhall::achievement
