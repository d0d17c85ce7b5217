#include "aggregates/achievement.h"

#include <algorithm>

#include "events/check.h"
#include "events/curriculum.h"

namespace guildhall {
namespace {

using namespace achievement;
using Definition = ::achievement::state::DefinitionT;
using Rule = ::achievement::state::RuleT;

StreamId stream_of(const Uuid& curriculum_id) { return {StreamKind::achievement, curriculum_id}; }

Accepted nothing_new(const Uuid& curriculum_id, const Uuid& achievement_id) {
  return {.subject = {stream_of(curriculum_id), achievement_id}};
}

Accepted accept(const Uuid& curriculum_id, const Uuid& achievement_id, AnyEvent event, bool created = false) {
  Accepted out = nothing_new(curriculum_id, achievement_id);
  out.events.push_back({stream_of(curriculum_id), std::move(event)});
  out.created = created;
  return out;
}

const Definition* find(const AchievementState& s, const Uuid& achievement_id) {
  for (const auto& d : s.definitions)
    if (d->rule->achievement_id == achievement_id) return d.get();
  return nullptr;
}

std::string category_of(const std::string& given) { return given.empty() ? "general" : given; }  // DR-18

bool says(const Definition& d, const DefineAchievement& c) {
  const Rule& r = *d.rule;
  return d.title == c.title && d.description == c.description && d.icon_url == c.icon_url &&
         d.category == category_of(c.category) && d.rarity == c.rarity && r.xp_reward == c.xp_reward &&
         r.lessons_completed == c.lessons_completed && r.total_xp == c.total_xp && r.level == c.level &&
         r.streak_days == c.streak_days && r.lesson_ids == c.lesson_ids;
}

template <class To, class From>
void copy_requirements(To& to, const From& from) {
  to.lessons_completed = from.lessons_completed;
  to.total_xp = from.total_xp;
  to.level = from.level;
  to.streak_days = from.streak_days;
  to.lesson_ids = from.lesson_ids;
}

bool requires_nothing(const DefineAchievement& c) {
  return !c.lessons_completed && !c.total_xp && !c.level && !c.streak_days && c.lesson_ids.empty();
}

}  // namespace

Uuid achievement_id_of(const Uuid& curriculum_id, std::string_view code) {
  return with_bucket(derive_root("achievement", code), bucket_of(curriculum_id));
}

// ---- decide

Decision decide(const DefineAchievement& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  const auto& s = view.get<AchievementState>(c.curriculum_id);
  const Uuid id = achievement_id_of(c.curriculum_id, c.code);
  if (const Definition* known = find(s, id)) {
    if (known->rule->is_active && says(*known, c)) return nothing_new(c.curriculum_id, id);
    return reject(Code::achievement_exists);
  }
  if (s.definitions.size() >= static_cast<std::size_t>(at.policy.max_achievements))
    return reject(Code::achievement_limit_reached);
  if (requires_nothing(c)) return reject(Code::requirement_missing);
  for (const Uuid& lesson : c.lesson_ids)
    if (!view.exists<LessonState>(lesson)) return reject(Code::lesson_not_found);
  AchievementDefined e{.curriculum_id = c.curriculum_id,
                       .achievement_id = id,
                       .code = c.code,
                       .title = c.title,
                       .description = c.description,
                       .icon_url = c.icon_url,
                       .category = category_of(c.category),
                       .xp_reward = c.xp_reward,
                       .rarity = c.rarity};
  copy_requirements(e, c);
  return accept(c.curriculum_id, id, std::move(e), true);
}

Decision decide(const RetireAchievement& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  const Uuid curriculum = curriculum_id_of(at.policy.platform);
  const Definition* known = find(view.get<AchievementState>(curriculum), c.achievement_id);
  if (!known) return reject(Code::achievement_not_found);
  if (!known->rule->is_active) return nothing_new(curriculum, c.achievement_id);
  return accept(curriculum, c.achievement_id,
                AchievementRetired{.curriculum_id = curriculum, .achievement_id = c.achievement_id});
}

// Neither changes the set as a whole that somebody has read.
std::optional<StreamId> target(const DefineAchievement&) { return std::nullopt; }
std::optional<StreamId> target(const RetireAchievement&) { return std::nullopt; }

// ---- apply

void apply(AchievementState& s, const AchievementDefined& e) {
  s.curriculum_id = e.curriculum_id;
  auto rule = std::make_unique<Rule>();
  rule->achievement_id = e.achievement_id;
  rule->code = e.code;
  rule->is_active = true;
  rule->xp_reward = e.xp_reward;
  copy_requirements(*rule, e);
  auto d = std::make_unique<Definition>();
  d->rule = std::move(rule);
  d->title = e.title;
  d->description = e.description;
  d->icon_url = e.icon_url;
  d->category = e.category;
  d->rarity = e.rarity;
  s.definitions.push_back(std::move(d));
}

void apply(AchievementState& s, const AchievementRetired& e) {
  for (auto& d : s.definitions)
    if (d->rule->achievement_id == e.achievement_id) d->rule->is_active = false;
}

// ---- for others

std::optional<AchievementFact> fact_of(const AchievementState& s) {
  AchievementFact out;
  for (const auto& d : s.definitions) out.rules.push_back(std::make_unique<Rule>(*d->rule));
  return out;
}

AnyResource represent(const AchievementState& s, std::uint64_t version, const Uuid& part) {
  const Definition* d = find(s, part);
  CHECK(d != nullptr);
  AchievementView out{.id = part,
                      .version = version,
                      .code = d->rule->code,
                      .title = d->title,
                      .description = d->description,
                      .icon_url = d->icon_url,
                      .category = d->category,
                      .xp_reward = d->rule->xp_reward,
                      .rarity = d->rarity,
                      .is_active = d->rule->is_active};
  copy_requirements(out, *d->rule);
  return out;
}

}  // namespace guildhall
