#include "aggregates/lesson.h"

#include <unordered_set>

namespace guildhall {
namespace {

using namespace lesson;

StreamId stream_of(const Uuid& lesson_id) { return {StreamKind::lesson, lesson_id}; }

Accepted nothing_new(const Uuid& lesson_id) { return {.subject = {stream_of(lesson_id)}}; }

Accepted accept(const Uuid& lesson_id, AnyEvent event, bool created = false) {
  Accepted out = nothing_new(lesson_id);
  out.events.push_back({stream_of(lesson_id), std::move(event)});
  out.created = created;
  return out;
}

template <class A, class B>
bool has_same_content(const A& a, const B& b) {
  return a.content_data == b.content_data && a.assessment_data == b.assessment_data && a.answer_key == b.answer_key;
}

// DR-12: interactive is the default.
std::string content_type_of(const std::string& given) { return given.empty() ? "interactive" : given; }

// What an update replaces.
template <class Command>
bool says(const LessonState& s, const Command& c) {
  return has_same_content(s, c) && s.title == c.title && s.subtitle == c.subtitle && s.description == c.description &&
         s.content_type == content_type_of(c.content_type) && s.xp_reward == c.xp_reward &&
         s.estimated_seconds == c.estimated_seconds && s.difficulty == c.difficulty && s.prerequisites == c.prerequisites &&
         s.order_index == c.order_index;
}

template <class To, class From>
void copy(To& to, const From& from) {
  to.title = from.title;
  to.subtitle = from.subtitle;
  to.description = from.description;
  to.content_type = content_type_of(from.content_type);
  to.content_data = from.content_data;
  to.assessment_data = from.assessment_data;
  to.answer_key = from.answer_key;
  to.xp_reward = from.xp_reward;
  to.estimated_seconds = from.estimated_seconds;
  to.difficulty = from.difficulty;
  to.prerequisites = from.prerequisites;
  to.order_index = from.order_index;
}

// Whether the lesson is among `from` or what they build on. Visits each lesson of the curriculum once at most.
bool is_behind(const Uuid& lesson_id, const std::vector<Uuid>& from, const View& view) {
  std::unordered_set<Uuid, UuidHash> seen;
  std::vector<Uuid> next = from;
  while (!next.empty()) {
    const Uuid id = next.back();
    next.pop_back();
    if (id == lesson_id) return true;
    if (!seen.insert(id).second) continue;
    std::ranges::copy(view.get<LessonState>(id).prerequisites, std::back_inserter(next));
  }
  return false;
}

template <class Command>
std::optional<Code> content_refusal(const Uuid& lesson_id, const Command& c, const View& view) {
  if (c.assessment_data.empty() != c.answer_key.empty()) return Code::assessment_incomplete;
  if (std::ranges::find(c.answer_key, std::string()) != c.answer_key.end()) return Code::assessment_incomplete;
  for (const Uuid& id : c.prerequisites)
    if (id != lesson_id && !view.exists<LessonState>(id)) return Code::prerequisite_not_found;
  if (is_behind(lesson_id, c.prerequisites, view)) return Code::prerequisite_cycle;
  return std::nullopt;
}

std::optional<Code> change_refusal(const Uuid& lesson_id, const Context& at, const View& view) {
  if (!at.actor.trusted()) return Code::admin_only;
  if (!view.exists<LessonState>(lesson_id)) return Code::lesson_not_found;
  return std::nullopt;
}

}  // namespace

Uuid lesson_id_of(const Uuid& curriculum_id, std::int32_t level_id, std::int32_t gate_id) {
  const auto index = static_cast<std::uint64_t>(level_id) << 32 | static_cast<std::uint32_t>(gate_id);
  return derive_in_group("lesson", curriculum_id, index, bucket_of(curriculum_id));
}

// ---- decide

Decision decide(const CreateLesson& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  const Uuid id = lesson_id_of(c.curriculum_id, c.level_id, c.gate_id);
  if (view.exists<LessonState>(id)) {
    const auto& s = view.get<LessonState>(id);
    if (says(s, c) && s.is_active == c.is_active) return nothing_new(id);
    return reject(Code::lesson_exists);
  }
  if (const auto code = content_refusal(id, c, view)) return reject(*code);
  LessonCreated e{.lesson_id = id, .level_id = c.level_id, .gate_id = c.gate_id};
  copy(e, c);
  e.is_active = c.is_active;
  e.created_by = at.actor.account;
  return accept(id, std::move(e), true);
}

Decision decide(const UpdateLesson& c, const Context& at, const View& view) {
  if (const auto code = change_refusal(c.lesson_id, at, view)) return reject(*code);
  const auto& s = view.get<LessonState>(c.lesson_id);
  if (says(s, c)) return nothing_new(c.lesson_id);
  if (const auto code = content_refusal(c.lesson_id, c, view)) return reject(*code);
  LessonUpdated e{.lesson_id = c.lesson_id};
  copy(e, c);
  e.content_version = s.content_version + (has_same_content(s, c) ? 0 : 1);
  return accept(c.lesson_id, std::move(e));
}

Decision decide(const PublishLesson& c, const Context& at, const View& view) {
  if (const auto code = change_refusal(c.lesson_id, at, view)) return reject(*code);
  if (view.get<LessonState>(c.lesson_id).is_active) return nothing_new(c.lesson_id);
  return accept(c.lesson_id, LessonPublished{.lesson_id = c.lesson_id});
}

Decision decide(const RetireLesson& c, const Context& at, const View& view) {
  if (const auto code = change_refusal(c.lesson_id, at, view)) return reject(*code);
  if (!view.get<LessonState>(c.lesson_id).is_active) return nothing_new(c.lesson_id);
  return accept(c.lesson_id, LessonRetired{.lesson_id = c.lesson_id});
}

std::optional<StreamId> target(const CreateLesson&) { return std::nullopt; }
std::optional<StreamId> target(const UpdateLesson& c) { return stream_of(c.lesson_id); }
std::optional<StreamId> target(const PublishLesson& c) { return stream_of(c.lesson_id); }
std::optional<StreamId> target(const RetireLesson& c) { return stream_of(c.lesson_id); }

// ---- apply

void apply(LessonState& s, const LessonCreated& e) {
  s.lesson_id = e.lesson_id;
  s.level_id = e.level_id;
  s.gate_id = e.gate_id;
  s.content_version = 1;
  s.is_active = e.is_active;
  copy(s, e);
}

void apply(LessonState& s, const LessonUpdated& e) {
  s.content_version = e.content_version;
  copy(s, e);
}

void apply(LessonState& s, const LessonPublished&) { s.is_active = true; }
void apply(LessonState& s, const LessonRetired&) { s.is_active = false; }

// ---- for others

std::optional<LessonFact> fact_of(const LessonState& s) {
  return LessonFact{.level_id = s.level_id,
                    .gate_id = s.gate_id,
                    .is_active = s.is_active,
                    .content_version = s.content_version,
                    .xp_reward = s.xp_reward,
                    .prerequisites = s.prerequisites,
                    .answer_key = s.answer_key};
}

AnyResource represent(const LessonState& s, std::uint64_t version, const Uuid&) {
  return LessonView{.id = s.lesson_id,
                    .version = version,
                    .level_id = s.level_id,
                    .gate_id = s.gate_id,
                    .title = s.title,
                    .subtitle = s.subtitle,
                    .description = s.description,
                    .content_type = s.content_type,
                    .content_version = s.content_version,
                    .question_count = static_cast<std::int32_t>(s.answer_key.size()),
                    .xp_reward = s.xp_reward,
                    .estimated_seconds = s.estimated_seconds,
                    .difficulty = s.difficulty,
                    .prerequisites = s.prerequisites,
                    .order_index = s.order_index,
                    .is_active = s.is_active};
}

// DR-65: anyone sees an active lesson; its content is the read model's to give (A-DR-19).
bool shows_to(const LessonState& s, const Actor& actor) { return s.is_active || actor.trusted(); }

}  // namespace guildhall
