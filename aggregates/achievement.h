// The achievements of the platform's curriculum (DR-18, DR-19): one stream, whose id is the curriculum's, in the order in which
// they were defined, which is the order in which they are unlocked (M-8). An achievement's id follows from its code. Learners'
// groups decide by the directory's fact of the whole set.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Uuid achievement_id_of(const Uuid& curriculum_id, std::string_view code);

Decision decide(const achievement::DefineAchievement& c, const Context& at, const View& view);
Decision decide(const achievement::RetireAchievement& c, const Context& at, const View& view);

std::optional<StreamId> target(const achievement::DefineAchievement& c);
std::optional<StreamId> target(const achievement::RetireAchievement& c);

void apply(AchievementState& s, const achievement::AchievementDefined& e);
void apply(AchievementState& s, const achievement::AchievementRetired& e);

std::optional<AchievementFact> fact_of(const AchievementState& s);
// `part` is an achievement's id.
AnyResource represent(const AchievementState& s, std::uint64_t version, const Uuid& part);

}  // namespace guildhall
