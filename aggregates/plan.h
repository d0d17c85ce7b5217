// A plan of the platform's curriculum (DR-55..57, DR-61, A-DR-24): offered, then retired; never changed, never deleted.
//
// Learners' groups decide by the directory's fact of a plan, and keep its terms (plan_subscription.h). One with a provider's
// price has its id from that, so there is one for it by construction.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Decision decide(const plan::CreatePlan& c, const Context& at, const View& view);
Decision decide(const plan::RetirePlan& c, const Context& at, const View& view);

std::optional<StreamId> target(const plan::CreatePlan& c);
std::optional<StreamId> target(const plan::RetirePlan& c);

void apply(PlanState& s, const plan::PlanCreated& e);
void apply(PlanState& s, const plan::PlanRetired& e);

std::optional<PlanFact> fact_of(const PlanState& s);
AnyResource represent(const PlanState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const PlanState& s, const Actor& actor);

}  // namespace guildhall
