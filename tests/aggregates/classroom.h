// What tests of learning share: the platform, its curriculum with an admin, a learner, and words for what they do.
#pragma once

#include "aggregates/achievement.h"
#include "aggregates/learner.h"
#include "aggregates/lesson.h"
#include "aggregates/progress.h"
#include "events/curriculum.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {

class Classroom : public Given {
 public:
  Classroom() {
    policy.platform = "dracarys";
    policy.aggregates = {"account", "claim", "lesson", "achievement", "learner", "progress"};
    policy.roles = {"member", "admin"};
    policy.free_level_access = 99;
    registered(ada);
  }

  const Uuid ada = id_of("ada"), root = id_of("root");
  const Uuid curriculum = curriculum_id_of("dracarys");

  void registered(const Uuid& who, const std::string& zone = "UTC") {
    account::AccountRegistered e;
    e.account_id = who;
    e.display_name = "Somebody";
    e.role = ::account::v1::Role::member;
    e.timezone = zone;
    given({e});
  }
  void lives_in(const std::string& zone, const Uuid& who = Uuid{}) {
    account::AccountUpdated e;
    e.account_id = is_nil(who) ? ada : who;
    e.display_name = "Somebody";
    e.timezone = zone;
    given({e});
  }

  Uuid lesson(std::int32_t gate, std::int32_t level = 1) const { return lesson_id_of(curriculum, level, gate); }
  lesson::CreateLesson creation(std::int32_t gate, std::int32_t level = 1) const {
    return {.curriculum_id = curriculum,
            .level_id = level,
            .gate_id = gate,
            .title = "Candles",
            .content_data = R"({"steps":[]})",
            .xp_reward = 100};
  }
  // A lesson that is passed by handing it in, for 100 XP unless it says otherwise.
  Uuid offered(std::int32_t gate, std::int32_t xp = 100, std::int32_t level = 1) {
    lesson::CreateLesson c = creation(gate, level);
    c.xp_reward = xp;
    const Actor before = actor;
    as(service()).when(c).then_accepted();
    as(before);
    return lesson(gate, level);
  }
  Uuid with_quiz(std::int32_t gate, std::vector<std::string> key) {
    lesson::CreateLesson c = creation(gate);
    c.assessment_data = R"([{"question":"?"}])";
    c.answer_key = std::move(key);
    const Actor before = actor;
    as(service()).when(c).then_accepted();
    as(before);
    return lesson(gate);
  }

  achievement::DefineAchievement definition(const std::string& code, std::int32_t xp = 50) const {
    return {.curriculum_id = curriculum, .code = code, .title = code, .description = "Well done", .xp_reward = xp};
  }
  Uuid defined(const achievement::DefineAchievement& c) {
    const Actor before = actor;
    as(service()).when(c).then_accepted();
    as(before);
    return achievement_id_of(curriculum, c.code);
  }

  progress::StartLesson start(const Uuid& lesson_id, const Uuid& who = Uuid{}) const {
    return {.lesson_id = lesson_id, .learner_id = is_nil(who) ? ada : who};
  }
  progress::CompleteLesson hand_in(const Uuid& lesson_id, std::vector<std::string> answers = {}) const {
    return {.lesson_id = lesson_id, .learner_id = ada, .answers = std::move(answers), .time_spent_seconds = 60};
  }
  const LearnerState& learner() const { return state<LearnerState>(ada); }
  const ProgressState& progress_at(const Uuid& lesson_id) const { return state<ProgressState>(progress_id_of(ada, lesson_id)); }
};

}  // namespace guildhall::testing
