// A lesson of the platform's curriculum (DR-12..17, A-DR-14, A-DR-15): draft ⇄ active, as RetireLesson and PublishLesson have it.
//
// Its id follows from its level and gate, so there is one for the two by construction (DR-13). Prerequisites exist and never lead
// back to the lesson. Learners' groups decide by the directory's fact of a lesson; only the admins' commands are decided here.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Uuid lesson_id_of(const Uuid& curriculum_id, std::int32_t level_id, std::int32_t gate_id);

Decision decide(const lesson::CreateLesson& c, const Context& at, const View& view);
Decision decide(const lesson::UpdateLesson& c, const Context& at, const View& view);
Decision decide(const lesson::PublishLesson& c, const Context& at, const View& view);
Decision decide(const lesson::RetireLesson& c, const Context& at, const View& view);

std::optional<StreamId> target(const lesson::CreateLesson& c);
std::optional<StreamId> target(const lesson::UpdateLesson& c);
std::optional<StreamId> target(const lesson::PublishLesson& c);
std::optional<StreamId> target(const lesson::RetireLesson& c);

void apply(LessonState& s, const lesson::LessonCreated& e);
void apply(LessonState& s, const lesson::LessonUpdated& e);
void apply(LessonState& s, const lesson::LessonPublished& e);
void apply(LessonState& s, const lesson::LessonRetired& e);

std::optional<LessonFact> fact_of(const LessonState& s);
AnyResource represent(const LessonState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const LessonState& s, const Actor& actor);

}  // namespace guildhall
