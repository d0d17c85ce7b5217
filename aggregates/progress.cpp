#include "aggregates/progress.h"

#include <algorithm>

#include "aggregates/account.h"
#include "aggregates/learner.h"

namespace guildhall {
namespace {

using namespace progress;

StreamId stream_of(const Uuid& progress_id) { return {StreamKind::progress, progress_id}; }

Accepted accept(const Uuid& progress_id, std::vector<NewEvent> events, bool created = false) {
  return {std::move(events), {stream_of(progress_id)}, created};
}

// The lesson that a learner may look at.
template <class Command>
std::expected<LessonFact, Code> lesson_of(const Command& c, const Context& at, const View& view) {
  if (!is_registered(view.get<AccountState>(c.learner_id)) || !may_act_for(at.actor, c.learner_id))
    return std::unexpected(Code::learner_not_found);
  auto lesson = view.directory().lesson(c.lesson_id);
  if (!lesson || !lesson->is_active) return std::unexpected(Code::lesson_not_found);
  return std::move(*lesson);
}

// Why the learner may not work on it now.
std::optional<Code> refusal(const Uuid& learner_id, const LessonFact& lesson, const Context& at, const View& view) {
  if (is_held_back(at.actor, view.get<AccountState>(learner_id))) return Code::account_banned;
  if (lesson.level_id > level_access(view, learner_id, at.policy)) return Code::level_closed;
  for (const Uuid& id : lesson.prerequisites) {
    if (has_completed_lesson(learner_id, id, view)) continue;
    const auto fact = view.directory().lesson(id);
    if (!fact || fact->is_active) return Code::prerequisites_missing;
  }
  return std::nullopt;
}

// In percent, rounded down: 100 is all right, and a pass mark is reached exactly when so many of a hundred are.
std::int32_t grade(const std::vector<std::string>& answers, const std::vector<std::string>& key) {
  std::int32_t right = 0;
  for (std::size_t i = 0; i < key.size(); ++i) right += answers[i] == key[i] ? 1 : 0;
  return right * 100 / static_cast<std::int32_t>(key.size());
}

}  // namespace

Uuid progress_id_of(const Uuid& learner_id, const Uuid& lesson_id) {
  std::string pair;
  append_bytes(pair, learner_id);
  append_bytes(pair, lesson_id);
  return with_bucket(derive_root("progress", pair), bucket_of(learner_id));
}

bool has_completed_lesson(const Uuid& learner_id, const Uuid& lesson_id, const View& view) {
  return view.get<ProgressState>(progress_id_of(learner_id, lesson_id)).completed;
}

// ---- decide

Decision decide(const StartLesson& c, const Context& at, const View& view) {
  const auto lesson = lesson_of(c, at, view);
  if (!lesson) return reject(lesson.error());
  const Uuid id = progress_id_of(c.learner_id, c.lesson_id);
  const auto& s = view.get<ProgressState>(id);
  if (s.is_open) return accept(id, {});
  if (const auto code = refusal(c.learner_id, *lesson, at, view)) return reject(*code);
  return accept(id,
                {{stream_of(id), LessonStarted{.progress_id = id,
                                               .learner_id = c.learner_id,
                                               .lesson_id = c.lesson_id,
                                               .level_id = lesson->level_id,
                                               .gate_id = lesson->gate_id,
                                               .content_version = lesson->content_version,
                                               .attempt = s.attempts + 1}}},
                s.attempts == 0);
}

Decision decide(const CompleteLesson& c, const Context& at, const View& view) {
  const auto lesson = lesson_of(c, at, view);
  if (!lesson) return reject(lesson.error());
  if (const auto code = refusal(c.learner_id, *lesson, at, view)) return reject(*code);
  if (c.answers.size() != lesson->answer_key.size()) return reject(Code::answer_count_mismatch);

  const Uuid id = progress_id_of(c.learner_id, c.lesson_id);
  const auto& s = view.get<ProgressState>(id);
  LessonAttempted attempted{.progress_id = id,
                            .learner_id = c.learner_id,
                            .lesson_id = c.lesson_id,
                            .level_id = lesson->level_id,
                            .gate_id = lesson->gate_id,
                            .content_version = lesson->content_version,
                            .attempt = s.attempts + (s.is_open ? 0 : 1),
                            .passed = true,
                            .best_score = s.best_score,
                            .was_completed = s.completed,
                            .previous_best_score = s.best_score,
                            .time_spent_seconds = c.time_spent_seconds,
                            .total_time_spent_seconds = s.time_spent_seconds + c.time_spent_seconds};
  if (!lesson->answer_key.empty()) {
    attempted.score = grade(c.answers, lesson->answer_key);
    attempted.best_score = std::max(s.best_score.value_or(0), *attempted.score);
    attempted.passed = *attempted.score >= at.policy.pass_percent;
  }
  const auto score = attempted.score;
  const bool passed = attempted.passed;
  std::vector<NewEvent> events{{stream_of(id), std::move(attempted)}};
  const auto append = [&](std::vector<NewEvent> more) { std::ranges::move(more, std::back_inserter(events)); };
  if (passed && !s.completed) {
    auto follows = completion_events(c.learner_id, c.lesson_id, lesson->xp_reward, at, view);
    if (!follows) return reject(follows.error());
    events.push_back({stream_of(id), LessonCompleted{.progress_id = id,
                                                     .learner_id = c.learner_id,
                                                     .lesson_id = c.lesson_id,
                                                     .level_id = lesson->level_id,
                                                     .gate_id = lesson->gate_id,
                                                     .content_version = lesson->content_version,
                                                     .score = score,
                                                     .xp_earned = lesson->xp_reward}});
    append(std::move(*follows));
  } else if (passed) {
    append(activity_events(c.learner_id, {lesson_complete, "lesson", c.lesson_id}, at, view));
  }
  return accept(id, std::move(events), s.attempts == 0);
}

std::optional<StreamId> target(const StartLesson& c) { return stream_of(progress_id_of(c.learner_id, c.lesson_id)); }
std::optional<StreamId> target(const CompleteLesson& c) { return stream_of(progress_id_of(c.learner_id, c.lesson_id)); }

// ---- apply

void apply(ProgressState& s, const LessonStarted& e) {
  s.progress_id = e.progress_id;
  s.learner_id = e.learner_id;
  s.lesson_id = e.lesson_id;
  s.level_id = e.level_id;
  s.gate_id = e.gate_id;
  s.attempts = e.attempt;
  s.is_open = true;
}

void apply(ProgressState& s, const LessonAttempted& e) {
  s.progress_id = e.progress_id;
  s.learner_id = e.learner_id;
  s.lesson_id = e.lesson_id;
  s.level_id = e.level_id;
  s.gate_id = e.gate_id;
  s.attempts = e.attempt;
  s.is_open = false;
  s.best_score = e.best_score;
  s.last_score = e.score;
  s.time_spent_seconds = e.total_time_spent_seconds;
}

void apply(ProgressState& s, const LessonCompleted& e) {
  s.completed = true;
  s.xp_earned = e.xp_earned;
}

// ---- reply

AnyResource represent(const ProgressState& s, std::uint64_t version, const Uuid&) {
  return ProgressView{.id = s.progress_id,
                      .version = version,
                      .learner_id = s.learner_id,
                      .lesson_id = s.lesson_id,
                      .level_id = s.level_id,
                      .gate_id = s.gate_id,
                      .is_open = s.is_open,
                      .completed = s.completed,
                      .score = s.best_score,
                      .last_score = s.last_score,
                      .xp_earned = s.xp_earned,
                      .attempts_count = s.attempts,
                      .time_spent_seconds = s.time_spent_seconds};
}

bool shows_to(const ProgressState& s, const Actor& actor) { return may_act_for(actor, s.learner_id); }

}  // namespace guildhall
