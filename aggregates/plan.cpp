#include "aggregates/plan.h"

#include <tuple>

#include "aggregates/ledger.h"

namespace guildhall {
namespace {

using namespace plan;
using ::plan::v1::PlanType;

StreamId stream_of(const Uuid& plan_id) { return {StreamKind::plan, plan_id}; }

Accepted nothing_new(const Uuid& plan_id) { return {.subject = {stream_of(plan_id)}}; }

Accepted accept(const Uuid& plan_id, AnyEvent event, bool created = false) {
  Accepted out = nothing_new(plan_id);
  out.events.push_back({stream_of(plan_id), std::move(event)});
  out.created = created;
  return out;
}

// What command, event and state have in common: copied and compared as one.
template <class T>
auto terms(T& t) {
  return std::tie(t.name, t.description, t.plan_type, t.price_cents, t.stripe_price_id, t.features, t.trial_days,
                  t.level_access_limit);
}

Uuid plan_id_of(const CreatePlan& c, const Context& at) {
  if (c.stripe_price_id.empty()) return at.mint("plan");
  return with_bucket(derive_root("plan", c.stripe_price_id), bucket_of(c.curriculum_id));
}

}  // namespace

// ---- decide

Decision decide(const CreatePlan& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  const Uuid id = plan_id_of(c, at);
  if (view.exists<PlanState>(id)) {
    const auto& s = view.get<PlanState>(id);
    if (terms(s) == terms(c) && s.is_active) return nothing_new(id);
    return reject(Code::plan_exists);
  }
  if (c.max_users.value_or(1) > 1) return reject(Code::team_plan);
  if (!ledger::is_price(c.price_cents, at.policy.min_price_cents)) return reject(Code::price_below_minimum);
  if (c.trial_days > 0 && (c.plan_type == PlanType::lifetime || c.price_cents == 0)) return reject(Code::trial_without_periods);
  PlanCreated e{.plan_id = id, .currency = at.policy.default_currency, .max_users = c.max_users};
  terms(e) = terms(c);
  return accept(id, std::move(e), true);
}

Decision decide(const RetirePlan& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  if (!view.exists<PlanState>(c.plan_id)) return reject(Code::plan_not_found);
  if (!view.get<PlanState>(c.plan_id).is_active) return nothing_new(c.plan_id);
  return accept(c.plan_id, PlanRetired{.plan_id = c.plan_id});
}

std::optional<StreamId> target(const CreatePlan&) { return std::nullopt; }
std::optional<StreamId> target(const RetirePlan& c) { return stream_of(c.plan_id); }

// ---- apply

void apply(PlanState& s, const PlanCreated& e) {
  s.plan_id = e.plan_id;
  terms(s) = terms(e);
  s.currency = e.currency;
  s.is_active = true;
}

void apply(PlanState& s, const PlanRetired&) { s.is_active = false; }

// ---- for others

std::optional<PlanFact> fact_of(const PlanState& s) {
  return PlanFact{.is_active = s.is_active,
                  .plan_type = s.plan_type,
                  .price_cents = s.price_cents,
                  .currency = s.currency,
                  .trial_days = s.trial_days,
                  .level_access_limit = s.level_access_limit};
}

AnyResource represent(const PlanState& s, std::uint64_t version, const Uuid&) {
  return PlanView{.id = s.plan_id,
                  .version = version,
                  .name = s.name,
                  .description = s.description,
                  .plan_type = s.plan_type,
                  .price_cents = s.price_cents,
                  .currency = s.currency,
                  .features = s.features,
                  .trial_days = s.trial_days,
                  .level_access_limit = s.level_access_limit,
                  .is_active = s.is_active};
}

bool shows_to(const PlanState& s, const Actor& actor) { return s.is_active || actor.trusted(); }  // A-DR-30

}  // namespace guildhall
