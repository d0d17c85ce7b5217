// What happens to a plan, and what may be asked of it. Declared once, in events/plan.fbs.
#pragma once

#include <variant>

#include "plan_generated.h"

namespace guildhall::plan {

using CreatePlan = ::plan::v1::CreatePlanT;
using RetirePlan = ::plan::v1::RetirePlanT;

using PlanCreated = ::plan::v1::PlanCreatedT;
using PlanRetired = ::plan::v1::PlanRetiredT;

using PlanView = ::plan::v1::PlanViewT;

using Command = std::variant<CreatePlan, RetirePlan>;
using Event = std::variant<PlanCreated, PlanRetired>;
using Resource = std::variant<PlanView>;

}  // namespace guildhall::plan
