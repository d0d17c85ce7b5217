// What a learner does with one lesson (DR-7..11, A-DR-10..16), in the learner's group: attempts, the best score, and once its
// completion with what follows from it (learner.h).
//
//   attempts: StartLesson opens one, CompleteLesson hands it in; without an open one it is an attempt of its own.
// The server grades: the share of right answers in percent, rounded down, against the pass mark. A lesson without an assessment
// is passed by handing it in, and has no score. A retake counts as an attempt and may better the score; it gives no XP again,
// also when the lesson has changed since. Every attempt asks for the plan's level and the prerequisites, as the directory has
// them; a prerequisite that is retired by now is not asked for, since nobody could complete it any more.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Uuid progress_id_of(const Uuid& learner_id, const Uuid& lesson_id);  // In the learner's group.
// The learner's group is the view's.
bool has_completed_lesson(const Uuid& learner_id, const Uuid& lesson_id, const View& view);

Decision decide(const progress::StartLesson& c, const Context& at, const View& view);
Decision decide(const progress::CompleteLesson& c, const Context& at, const View& view);

std::optional<StreamId> target(const progress::StartLesson& c);
std::optional<StreamId> target(const progress::CompleteLesson& c);

void apply(ProgressState& s, const progress::LessonStarted& e);
void apply(ProgressState& s, const progress::LessonAttempted& e);
void apply(ProgressState& s, const progress::LessonCompleted& e);

AnyResource represent(const ProgressState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const ProgressState& s, const Actor& actor);

}  // namespace guildhall
