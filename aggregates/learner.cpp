#include "aggregates/learner.h"

#include <algorithm>
#include <bit>

#include "aggregates/account.h"
#include "aggregates/plan_subscription.h"
#include "aggregates/progress.h"
#include "events/curriculum.h"

namespace guildhall {
namespace {

using namespace learner;
using ::learner::v1::XpSource;
using Rule = ::achievement::state::RuleT;

StreamId stream_of(const Uuid& learner_id) { return {StreamKind::learner, learner_id}; }

Accepted nothing_new(const Uuid& learner_id) { return {.subject = {stream_of(learner_id)}}; }

Accepted accept(const Uuid& learner_id, std::vector<NewEvent> events) {
  Accepted out = nothing_new(learner_id);
  out.events = std::move(events);
  return out;
}

// The learner as the events that are being decided leave them.
class Learning {
 public:
  Learning(const Uuid& learner_id, const Context& at, const View& view)
      : id_(learner_id), at_(at), view_(view), state_(view.get<LearnerState>(learner_id)) {}

  const LearnerState& state() const { return state_; }

  void record(const Activity& activity);
  void complete(const Uuid& lesson_id) { completed_now_ = lesson_id; }
  void grant(XpSource source, const Uuid& source_id, std::int32_t amount, const std::string& reason = {});
  // To its fixpoint: what one unlocks may unlock another, before or after it.
  void unlock();
  void add(auto event) {
    event.learner_id = id_;
    apply(state_, event);
    events_.push_back({stream_of(id_), std::move(event)});
  }
  std::vector<NewEvent> take() { return std::move(events_); }

  // The local date that the streak goes by, and that of the zone before where this moment changes it.
  struct Today {
    std::string zone;
    std::int32_t day = 0;
    std::int32_t day_before = 0;
    bool changes = false;
  };
  Today today() const;

 private:
  void extend(const Today& today);
  bool has_completed(const Uuid& lesson_id) const;
  bool is_met(const Rule& rule) const;

  const Uuid id_;
  const Context& at_;
  const View& view_;
  LearnerState state_;
  Uuid completed_now_{};
  std::vector<NewEvent> events_;
};

Learning::Today Learning::today() const {
  // A zone that the data no longer know can't be asked.
  const auto usable = [&](const std::string& zone) { return at_.zones.known(zone) ? zone : std::string("UTC"); };
  const std::string profile = usable(view_.get<AccountState>(id_).timezone);
  Today out{.zone = state_.zone.empty() ? profile : usable(state_.zone)};
  out.day_before = at_.zones.local(out.zone, at_.now).day;
  const bool may = !state_.zone_since || at_.now - *state_.zone_since >= streak_zone_change_us;
  if (profile != out.zone && may) {
    out.changes = true;
    out.zone = profile;
  }
  out.day = out.changes ? at_.zones.local(out.zone, at_.now).day : out.day_before;
  return out;
}

void Learning::record(const Activity& activity) {
  const Today now = today();
  ActivityRecorded e{.activity_type = std::string(activity.type),
                     .entity_type = std::string(activity.entity_type),
                     .entity_id = activity.entity_id,
                     .local_date = now.day,
                     .zone = now.zone,
                     .first_activity_at = state_.first_activity_at.value_or(at_.now)};
  if (now.changes) e.zone_since = at_.now;
  else e.zone_since = state_.zone_since;
  add(std::move(e));
  if (activity.type == lesson_complete || activity.type == session_join) extend(now);
}

void Learning::extend(const Today& now) {
  if (state_.last_day && now.day <= *state_.last_day) return;
  if (state_.last_day && state_.current_streak > 0) {
    // Across the date line a date passes that no clock of the learner's has shown: it is not missed.
    const std::int32_t missed = std::min(now.day, now.day_before) - *state_.last_day - 1;
    const std::int32_t missed_date = *state_.last_day + 1;
    if (missed > state_.freezes_held) {
      add(StreakReset{.lost_days = state_.current_streak, .missed_date = missed_date});
    } else if (missed > 0) {
      add(StreakFrozen{
          .missed_days = missed, .missed_date = missed_date, .freezes_held = state_.freezes_held - missed});
    }
  }
  const std::int32_t days = state_.current_streak + 1;
  const bool earns = days % at_.policy.days_for_freeze == 0 && state_.freezes_held < at_.policy.max_freezes;
  add(StreakExtended{.streak_days = days,
                     .longest_streak = std::max(state_.longest_streak, days),
                     .freezes_held = state_.freezes_held + (earns ? 1 : 0),
                     .local_date = now.day});
}

void Learning::grant(XpSource source, const Uuid& source_id, std::int32_t amount, const std::string& reason) {
  const auto add_if = [&](XpSource counted, std::int32_t before) { return before + (source == counted ? amount : 0); };
  const std::string_view label = source == XpSource::lesson        ? "xp/lesson"
                                 : source == XpSource::achievement ? "xp/achievement"
                                                                   : "xp/adjustment";
  std::string pair;
  append_bytes(pair, id_);
  append_bytes(pair, source_id);
  add(XpGranted{.grant_id = with_bucket(derive_root(label, pair), bucket_of(id_)),  // XP-1
                .source = source,
                .source_id = source_id,
                .amount = amount,
                .total_xp = state_.total_xp + amount,
                .lesson_xp = add_if(XpSource::lesson, state_.lesson_xp),
                .achievement_xp = add_if(XpSource::achievement, state_.achievement_xp),
                .lessons_completed = state_.lessons_completed + (source == XpSource::lesson ? 1 : 0),
                .streak_days = state_.current_streak,
                .reason = reason});
  if (const std::int32_t level = level_of(state_.total_xp); level > state_.level) add(LevelReached{.level = level});
}

bool Learning::has_completed(const Uuid& lesson_id) const {
  return lesson_id == completed_now_ || has_completed_lesson(id_, lesson_id, view_);
}

bool Learning::is_met(const Rule& rule) const {
  const auto reaches = [](std::int32_t value, const auto& wanted) { return !wanted || value >= *wanted; };
  return reaches(state_.lessons_completed, rule.lessons_completed) && reaches(state_.total_xp, rule.total_xp) &&
         reaches(state_.level, rule.level) && reaches(state_.current_streak, rule.streak_days) &&
         std::ranges::all_of(rule.lesson_ids, [&](const Uuid& id) { return has_completed(id); });
}

void Learning::unlock() {
  const auto achievements = view_.directory().achievements(curriculum_id_of(at_.policy.platform));
  if (!achievements) return;
  for (bool again = true; again;) {
    again = false;
    for (const auto& rule : achievements->rules) {
      if (!rule->is_active || std::ranges::find(state_.unlocked, rule->achievement_id) != state_.unlocked.end()) continue;
      // One whose XP has no room stays locked: nobody's lesson is refused for it.
      if (rule->xp_reward > max_xp - state_.total_xp || !is_met(*rule)) continue;
      add(AchievementUnlocked{.achievement_id = rule->achievement_id, .code = rule->code, .xp_reward = rule->xp_reward});
      grant(XpSource::achievement, rule->achievement_id, rule->xp_reward);
      again = true;
    }
  }
}

}  // namespace

std::int32_t level_of(std::int32_t total_xp) {
  const auto thousands = static_cast<std::uint32_t>(std::max(total_xp, 0) / 1000 + 1);
  return std::max(1, static_cast<std::int32_t>(std::bit_width(thousands)) - 1);
}

std::int64_t first_xp_of(std::int32_t level) { return level <= 1 ? 0 : ((std::int64_t{1} << level) - 1) * 1000; }

std::int32_t level_access(const View& view, const Uuid& learner_id, const PlatformPolicy& policy) {
  return plan_level_access(view.get<PlanSubscriptionState>(learner_id)).value_or(policy.free_level_access);
}

std::vector<NewEvent> activity_events(const Uuid& learner_id, const Activity& activity, const Context& at, const View& view) {
  Learning learning(learner_id, at, view);
  learning.record(activity);
  learning.unlock();
  return learning.take();
}

std::expected<std::vector<NewEvent>, Code> completion_events(const Uuid& learner_id, const Uuid& lesson_id,
                                                             std::int32_t xp_reward, const Context& at, const View& view) {
  Learning learning(learner_id, at, view);
  if (xp_reward > max_xp - learning.state().total_xp) return std::unexpected(Code::xp_limit_reached);
  learning.record({lesson_complete, "lesson", lesson_id});
  learning.complete(lesson_id);
  learning.grant(XpSource::lesson, lesson_id, xp_reward);
  learning.unlock();
  return learning.take();
}

// ---- decide

// Live sessions send it to a learner's group, so it does not reject there (design: reactions).
Decision decide(const RecordActivity& c, const Context& at, const View& view) {
  if (!is_registered(view.get<AccountState>(c.learner_id))) {
    if (at.actor.kind == ActorKind::system) return nothing_new(c.learner_id);
    return reject(Code::learner_not_found);
  }
  return accept(c.learner_id, activity_events(c.learner_id, {c.activity_type, c.entity_type, c.entity_id}, at, view));
}

Decision decide(const AdjustXp& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  if (!is_registered(view.get<AccountState>(c.learner_id))) return reject(Code::learner_not_found);
  if (c.amount == 0) return nothing_new(c.learner_id);
  Learning learning(c.learner_id, at, view);
  const std::int64_t total = std::int64_t{learning.state().total_xp} + c.amount;
  if (total > max_xp) return reject(Code::xp_limit_reached);
  if (total < first_xp_of(learning.state().level)) return reject(Code::level_would_drop);
  learning.grant(XpSource::adjustment, at.command_id, c.amount, c.reason);
  learning.unlock();
  return accept(c.learner_id, learning.take());
}

Decision decide(const RepairStreak& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  if (!is_registered(view.get<AccountState>(c.learner_id))) return reject(Code::learner_not_found);
  Learning learning(c.learner_id, at, view);
  const LearnerState& s = learning.state();
  const std::int32_t yesterday = learning.today().day - 1;
  const bool stands = s.last_day && *s.last_day >= yesterday;
  if (stands && s.current_streak >= c.streak_days) return nothing_new(c.learner_id);
  learning.add(StreakRepaired{.streak_days = c.streak_days,
                              .longest_streak = std::max(s.longest_streak, c.streak_days),
                              .local_date = stands ? *s.last_day : yesterday,
                              .reason = c.reason});
  learning.unlock();
  return accept(c.learner_id, learning.take());
}

std::optional<StreamId> target(const RecordActivity& c) { return stream_of(c.learner_id); }
std::optional<StreamId> target(const AdjustXp& c) { return stream_of(c.learner_id); }
std::optional<StreamId> target(const RepairStreak& c) { return stream_of(c.learner_id); }

// ---- apply

void apply(LearnerState& s, const ActivityRecorded& e) {
  s.learner_id = e.learner_id;
  s.zone = e.zone;
  s.zone_since = e.zone_since;
  s.first_activity_at = e.first_activity_at;
}

void apply(LearnerState& s, const StreakExtended& e) {
  s.current_streak = e.streak_days;
  s.longest_streak = e.longest_streak;
  s.freezes_held = e.freezes_held;
  s.last_day = e.local_date;
}

void apply(LearnerState& s, const StreakReset&) { s.current_streak = 0; }
void apply(LearnerState& s, const StreakFrozen& e) { s.freezes_held = e.freezes_held; }

void apply(LearnerState& s, const StreakRepaired& e) {
  s.learner_id = e.learner_id;
  s.current_streak = e.streak_days;
  s.longest_streak = e.longest_streak;
  s.last_day = e.local_date;
}

void apply(LearnerState& s, const XpGranted& e) {
  s.learner_id = e.learner_id;
  s.total_xp = e.total_xp;
  s.lesson_xp = e.lesson_xp;
  s.achievement_xp = e.achievement_xp;
  s.lessons_completed = e.lessons_completed;
}

void apply(LearnerState& s, const LevelReached& e) { s.level = e.level; }
void apply(LearnerState& s, const AchievementUnlocked& e) {
  s.learner_id = e.learner_id;
  s.unlocked.push_back(e.achievement_id);
}

// ---- reply

AnyResource represent(const LearnerState& s, std::uint64_t version, const Uuid&) {
  return LearnerView{.id = s.learner_id,
                     .version = version,
                     .total_xp = s.total_xp,
                     .lesson_xp = s.lesson_xp,
                     .achievement_xp = s.achievement_xp,
                     .level = s.level,
                     .lessons_completed = s.lessons_completed,
                     .current_streak = s.current_streak,
                     .longest_streak = s.longest_streak,
                     .freezes_held = s.freezes_held,
                     .last_activity_date = s.last_day,
                     .achievement_ids = s.unlocked};
}

bool shows_to(const LearnerState& s, const Actor& actor) { return may_act_for(actor, s.learner_id); }

}  // namespace guildhall
