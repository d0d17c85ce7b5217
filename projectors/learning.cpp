#include "projectors/learning.h"

namespace guildhall {
namespace {

Value number_or_null(const auto& number) { return number ? Value{std::int64_t{*number}} : Value{}; }

Value ids_as_texts(const std::vector<Uuid>& ids) {
  std::vector<std::string> out;
  for (const Uuid& id : ids) out.push_back(to_string(id));
  return out;
}

template <class Rows>
Write& touch(Write& row, const RecordHeader& at) {
  return row.set(Rows::updated_at, at.time).set(Rows::last_event_position, position_of(at));
}

Write& change_lesson(const RecordHeader& at, const Uuid& lesson_id, Writes& out) {
  return touch<Lessons>(out.update(Lessons::table(), {lesson_id}), at);
}

template <class Event>
void set_lesson(Write& row, const Event& e) {
  row.set(Lessons::title, storable(e.title))
      .set(Lessons::subtitle, text_or_null(e.subtitle))
      .set(Lessons::description, text_or_null(e.description))
      .set(Lessons::content_type, storable(e.content_type))
      .set(Lessons::xp_reward, std::int64_t{e.xp_reward})
      .set(Lessons::estimated_seconds, number_or_null(e.estimated_seconds))
      .set(Lessons::difficulty, ::lesson::v1::EnumNameDifficulty(e.difficulty))
      .set(Lessons::prerequisites, ids_as_texts(e.prerequisites))
      .set(Lessons::order_index, std::int64_t{e.order_index})
      .set(Lessons::question_count, static_cast<std::int64_t>(e.answer_key.size()));
}

template <class Event>
Write& set_content(const Event& e, Writes& out) {
  out.upsert(LessonAnswers::table(), {e.lesson_id}).set(LessonAnswers::answer_key, texts(e.answer_key));
  return out.upsert(LessonContents::table(), {e.lesson_id})
      .set(LessonContents::content_data, storable(e.content_data))
      .set(LessonContents::assessment_data, text_or_null(e.assessment_data));
}

void set_active(const RecordHeader& at, const Uuid& lesson_id, bool active, Writes& out) {
  change_lesson(at, lesson_id, out).set(Lessons::is_active, active);
  out.update(LessonContents::table(), {lesson_id}).set(LessonContents::is_active, active);
}

// Made by whatever comes first, a start or an attempt.
template <class Event>
Write& set_progress(const RecordHeader& at, const Event& e, Writes& out) {
  Write& row = touch<LessonProgress>(out.upsert(LessonProgress::table(), {e.progress_id}), at)
                   .set(LessonProgress::learner_id, e.learner_id)
                   .set(LessonProgress::level_id, std::int64_t{e.level_id})
                   .set(LessonProgress::gate_id, std::int64_t{e.gate_id})
                   .set(LessonProgress::lesson_id, e.lesson_id)
                   .set(LessonProgress::attempts_count, std::int64_t{e.attempt})
                   .set(LessonProgress::last_attempt_at, at.time);
  if (at.stream_version == 1) row.set(LessonProgress::created_at, at.time);
  return row;
}

Write& change_streak(const RecordHeader& at, const Uuid& learner_id, Writes& out) {
  return touch<Streaks>(out.upsert(Streaks::table(), {learner_id}), at);
}

Write& add_activity(const RecordHeader& at, const Uuid& learner_id, const std::string& type, Writes& out) {
  return out.upsert(Activities::table(), {at.event_id})
      .set(Activities::learner_id, learner_id)
      .set(Activities::activity_type, storable(type))
      .set(Activities::created_at, at.time)
      .set(Activities::last_event_position, position_of(at));
}

}  // namespace

// ---- tables

const Table& Lessons::table() {
  static const Table table{"lessons",
                           {{"lesson_id", ColumnType::uuid}},
                           {{"level_id", ColumnType::int4},
                            {"gate_id", ColumnType::int4},
                            {"title", ColumnType::text},
                            {"subtitle", ColumnType::text},
                            {"description", ColumnType::text},
                            {"content_type", ColumnType::text},
                            {"xp_reward", ColumnType::int4},
                            {"estimated_seconds", ColumnType::int4},
                            {"difficulty", ColumnType::text},
                            {"prerequisites", ColumnType::text_array},
                            {"is_active", ColumnType::boolean},
                            {"order_index", ColumnType::int4},
                            {"created_by", ColumnType::uuid},
                            {"content_version", ColumnType::int4},
                            {"question_count", ColumnType::int4},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& LessonContents::table() {
  static const Table table{"lesson_contents",
                           {{"lesson_id", ColumnType::uuid}},
                           {{"level_id", ColumnType::int4},
                            {"is_active", ColumnType::boolean},
                            {"content_data", ColumnType::text},
                            {"assessment_data", ColumnType::text}}};
  return table;
}

const Table& LessonAnswers::table() {
  static const Table table{"lesson_answers", {{"lesson_id", ColumnType::uuid}}, {{"answer_key", ColumnType::text_array}}};
  return table;
}

const Table& LessonTotals::table() {
  static const Table table{"lesson_totals",
                           {{"lesson_id", ColumnType::uuid}},
                           {{"completions", ColumnType::int8, std::int64_t{0}},
                            {"scored", ColumnType::int8, std::int64_t{0}},
                            {"score_sum", ColumnType::int8, std::int64_t{0}}}};
  return table;
}

const Table& Achievements::table() {
  static const Table table{"achievements",
                           {{"achievement_id", ColumnType::uuid}},
                           {{"code", ColumnType::text},
                            {"title", ColumnType::text},
                            {"description", ColumnType::text},
                            {"icon_url", ColumnType::text},
                            {"category", ColumnType::text},
                            {"xp_reward", ColumnType::int4},
                            {"lessons_completed", ColumnType::int4},
                            {"total_xp", ColumnType::int4},
                            {"level", ColumnType::int4},
                            {"streak_days", ColumnType::int4},
                            {"lesson_ids", ColumnType::text_array},
                            {"rarity", ColumnType::text},
                            {"is_active", ColumnType::boolean},
                            {"created_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& LessonProgress::table() {
  static const Table table{"lesson_progress",
                           {{"progress_id", ColumnType::uuid}},
                           {{"learner_id", ColumnType::uuid},
                            {"level_id", ColumnType::int4},
                            {"gate_id", ColumnType::int4},
                            {"lesson_id", ColumnType::uuid},
                            {"completed", ColumnType::boolean, false},
                            {"score", ColumnType::int4},
                            {"xp_earned", ColumnType::int4, std::int64_t{0}},
                            {"time_spent_seconds", ColumnType::int8, std::int64_t{0}},
                            {"attempts_count", ColumnType::int4},
                            {"last_attempt_at", ColumnType::timestamptz},
                            {"completed_at", ColumnType::timestamptz},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& LearnerXp::table() {
  static const Table table{"learner_xp",
                           {{"learner_id", ColumnType::uuid}},
                           {{"total_xp", ColumnType::int4},
                            {"lesson_xp", ColumnType::int4},
                            {"achievement_xp", ColumnType::int4},
                            {"level", ColumnType::int4, std::int64_t{1}},
                            {"lessons_completed", ColumnType::int4},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& XpGrants::table() {
  static const Table table{"xp_grants",
                           {{"grant_id", ColumnType::uuid}},
                           {{"learner_id", ColumnType::uuid},
                            {"source", ColumnType::text},
                            {"source_id", ColumnType::uuid},
                            {"amount", ColumnType::int4},
                            {"total_xp", ColumnType::int4},
                            {"reason", ColumnType::text},
                            {"granted_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& Streaks::table() {
  static const Table table{"streaks",
                           {{"learner_id", ColumnType::uuid}},
                           {{"current_streak", ColumnType::int4, std::int64_t{0}},
                            {"longest_streak", ColumnType::int4, std::int64_t{0}},
                            {"freezes_held", ColumnType::int4, std::int64_t{0}},
                            {"last_day", ColumnType::int4},
                            {"zone", ColumnType::text},
                            {"last_streak_reset", ColumnType::timestamptz},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& ActivityDays::table() {
  static const Table table{"activity_days",
                           {{"learner_id", ColumnType::uuid}, {"local_day", ColumnType::int4}},
                           {{"activities", ColumnType::int4, std::int64_t{0}}}};
  return table;
}

const Table& UnlockedAchievements::table() {
  static const Table table{
      "unlocked_achievements",
      {{"learner_id", ColumnType::uuid}, {"achievement_id", ColumnType::uuid}},
      {{"unlock_id", ColumnType::uuid}, {"unlocked_at", ColumnType::timestamptz}, {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& Activities::table() {
  static const Table table{"activities",
                           {{"activity_id", ColumnType::uuid}},
                           {{"learner_id", ColumnType::uuid},
                            {"activity_type", ColumnType::text},
                            {"entity_type", ColumnType::text},
                            {"entity_id", ColumnType::uuid},
                            {"session_id", ColumnType::uuid},
                            {"local_day", ColumnType::int4},
                            {"zone", ColumnType::text},
                            {"created_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

// ---- lessons and achievements

void project(const RecordHeader& at, const lesson::LessonCreated& e, Writes& out) {
  Write& row = touch<Lessons>(out.upsert(Lessons::table(), {e.lesson_id}), at)
                   .set(Lessons::level_id, std::int64_t{e.level_id})
                   .set(Lessons::gate_id, std::int64_t{e.gate_id})
                   .set(Lessons::is_active, e.is_active)
                   .set(Lessons::created_by, id_or_null(e.created_by))
                   .set(Lessons::content_version, std::int64_t{1})
                   .set(Lessons::created_at, at.time);
  set_lesson(row, e);
  set_content(e, out)
      .set(LessonContents::level_id, std::int64_t{e.level_id})
      .set(LessonContents::is_active, e.is_active);
}

void project(const RecordHeader& at, const lesson::LessonUpdated& e, Writes& out) {
  set_lesson(change_lesson(at, e.lesson_id, out).set(Lessons::content_version, std::int64_t{e.content_version}), e);
  set_content(e, out);
}

void project(const RecordHeader& at, const lesson::LessonPublished& e, Writes& out) { set_active(at, e.lesson_id, true, out); }
void project(const RecordHeader& at, const lesson::LessonRetired& e, Writes& out) { set_active(at, e.lesson_id, false, out); }

void project(const RecordHeader& at, const achievement::AchievementDefined& e, Writes& out) {
  out.upsert(Achievements::table(), {e.achievement_id})
      .set(Achievements::code, storable(e.code))
      .set(Achievements::title, storable(e.title))
      .set(Achievements::description, storable(e.description))
      .set(Achievements::icon_url, text_or_null(e.icon_url))
      .set(Achievements::category, storable(e.category))
      .set(Achievements::xp_reward, std::int64_t{e.xp_reward})
      .set(Achievements::lessons_completed, number_or_null(e.lessons_completed))
      .set(Achievements::total_xp, number_or_null(e.total_xp))
      .set(Achievements::level, number_or_null(e.level))
      .set(Achievements::streak_days, number_or_null(e.streak_days))
      .set(Achievements::lesson_ids, e.lesson_ids.empty() ? Value{} : ids_as_texts(e.lesson_ids))
      .set(Achievements::rarity, ::achievement::v1::EnumNameRarity(e.rarity))
      .set(Achievements::is_active, true)
      .set(Achievements::created_at, at.time)
      .set(Achievements::last_event_position, position_of(at));
}

void project(const RecordHeader& at, const achievement::AchievementRetired& e, Writes& out) {
  out.update(Achievements::table(), {e.achievement_id})
      .set(Achievements::is_active, false)
      .set(Achievements::last_event_position, position_of(at));
}

// ---- progress

void project(const RecordHeader& at, const progress::LessonStarted& e, Writes& out) { set_progress(at, e, out); }

void project(const RecordHeader& at, const progress::LessonAttempted& e, Writes& out) {
  set_progress(at, e, out)
      .set(LessonProgress::score, number_or_null(e.best_score))
      .set(LessonProgress::time_spent_seconds, e.total_time_spent_seconds);
  if (!e.was_completed || e.best_score == e.previous_best_score) return;
  out.upsert(LessonTotals::table(), {e.lesson_id})
      .add(LessonTotals::scored, e.previous_best_score ? 0 : 1)
      .add(LessonTotals::score_sum, std::int64_t{*e.best_score} - e.previous_best_score.value_or(0));
}

// A score that passes is the best so far: all before it failed.
void project(const RecordHeader& at, const progress::LessonCompleted& e, Writes& out) {
  touch<LessonProgress>(out.update(LessonProgress::table(), {e.progress_id}), at)
      .set(LessonProgress::completed, true)
      .set(LessonProgress::xp_earned, std::int64_t{e.xp_earned})
      .set(LessonProgress::completed_at, at.time);
  out.upsert(LessonTotals::table(), {e.lesson_id})
      .add(LessonTotals::completions, 1)
      .add(LessonTotals::scored, e.score ? 1 : 0)
      .add(LessonTotals::score_sum, e.score.value_or(0));
}

// ---- learners

void project(const RecordHeader& at, const learner::ActivityRecorded& e, Writes& out) {
  change_streak(at, e.learner_id, out).set(Streaks::zone, storable(e.zone)).set(Streaks::created_at, e.first_activity_at);
  out.upsert(ActivityDays::table(), {e.learner_id, std::int64_t{e.local_date}}).add(ActivityDays::activities, 1);
  Write& row = add_activity(at, e.learner_id, e.activity_type, out)
                   .set(Activities::entity_type, text_or_null(e.entity_type))
                   .set(Activities::entity_id, id_or_null(e.entity_id))
                   .set(Activities::local_day, std::int64_t{e.local_date})
                   .set(Activities::zone, storable(e.zone));
  if (e.activity_type == "session_join") row.set(Activities::session_id, id_or_null(e.entity_id));
}

void project(const RecordHeader& at, const learner::StreakExtended& e, Writes& out) {
  change_streak(at, e.learner_id, out)
      .set(Streaks::current_streak, std::int64_t{e.streak_days})
      .set(Streaks::longest_streak, std::int64_t{e.longest_streak})
      .set(Streaks::freezes_held, std::int64_t{e.freezes_held})
      .set(Streaks::last_day, std::int64_t{e.local_date});
}

void project(const RecordHeader& at, const learner::StreakReset& e, Writes& out) {
  change_streak(at, e.learner_id, out).set(Streaks::current_streak, std::int64_t{0}).set(Streaks::last_streak_reset, at.time);
}

void project(const RecordHeader& at, const learner::StreakFrozen& e, Writes& out) {
  change_streak(at, e.learner_id, out).set(Streaks::freezes_held, std::int64_t{e.freezes_held});
}

void project(const RecordHeader& at, const learner::StreakRepaired& e, Writes& out) {
  change_streak(at, e.learner_id, out)
      .set(Streaks::current_streak, std::int64_t{e.streak_days})
      .set(Streaks::longest_streak, std::int64_t{e.longest_streak})
      .set(Streaks::last_day, std::int64_t{e.local_date});
}

void project(const RecordHeader& at, const learner::XpGranted& e, Writes& out) {
  touch<LearnerXp>(out.upsert(LearnerXp::table(), {e.learner_id}), at)
      .set(LearnerXp::total_xp, std::int64_t{e.total_xp})
      .set(LearnerXp::lesson_xp, std::int64_t{e.lesson_xp})
      .set(LearnerXp::achievement_xp, std::int64_t{e.achievement_xp})
      .set(LearnerXp::lessons_completed, std::int64_t{e.lessons_completed});
  out.upsert(XpGrants::table(), {e.grant_id})
      .set(XpGrants::learner_id, e.learner_id)
      .set(XpGrants::source, ::learner::v1::EnumNameXpSource(e.source))
      .set(XpGrants::source_id, e.source_id)
      .set(XpGrants::amount, std::int64_t{e.amount})
      .set(XpGrants::total_xp, std::int64_t{e.total_xp})
      .set(XpGrants::reason, text_or_null(e.reason))
      .set(XpGrants::granted_at, at.time)
      .set(XpGrants::last_event_position, position_of(at));
}

void project(const RecordHeader& at, const learner::LevelReached& e, Writes& out) {
  touch<LearnerXp>(out.update(LearnerXp::table(), {e.learner_id}), at).set(LearnerXp::level, std::int64_t{e.level});
}

void project(const RecordHeader& at, const learner::AchievementUnlocked& e, Writes& out) {
  out.upsert(UnlockedAchievements::table(), {e.learner_id, e.achievement_id})
      .set(UnlockedAchievements::unlock_id, at.event_id)
      .set(UnlockedAchievements::unlocked_at, at.time)
      .set(UnlockedAchievements::last_event_position, position_of(at));
  add_activity(at, e.learner_id, "achievement_gain", out)
      .set(Activities::entity_type, "achievement")
      .set(Activities::entity_id, e.achievement_id);
}

}  // namespace guildhall
