// Lessons, achievements, and what learners make of them (DR-7..23, DR-28..34, DR-69..71): the seed's user_progress, lessons,
// achievements, user_achievements, user_streaks and user_activity_log. The right answers and the content of a lesson are tables
// of their own, since row-level security hides rows, not columns (A-DR-19).
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Lessons {
  enum : ColumnNo {
    level_id,
    gate_id,
    title,
    subtitle,
    description,
    content_type,
    xp_reward,
    estimated_seconds,
    difficulty,
    prerequisites,
    is_active,
    order_index,
    created_by,
    content_version,
    question_count,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
// Of whoever may work on the lesson: level and activity are the policy's.
struct LessonContents {
  enum : ColumnNo { level_id, is_active, content_data, assessment_data };
  static const Table& table();
};
// No learner's.
struct LessonAnswers {
  enum : ColumnNo { answer_key };
  static const Table& table();
};
// Sums over learners of all shards (DR-70). Scores are the learners' best.
struct LessonTotals {
  enum : ColumnNo { completions, scored, score_sum };
  static const Table& table();
};
struct Achievements {
  enum : ColumnNo {
    code,
    title,
    description,
    icon_url,
    category,
    xp_reward,
    lessons_completed,
    total_xp,
    level,
    streak_days,
    lesson_ids,
    rarity,
    is_active,
    created_at,
    last_event_position
  };
  static const Table& table();
};
struct LessonProgress {
  enum : ColumnNo {
    learner_id,
    level_id,
    gate_id,
    lesson_id,
    completed,
    score,
    xp_earned,
    time_spent_seconds,
    attempts_count,
    last_attempt_at,
    completed_at,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct LearnerXp {
  enum : ColumnNo { total_xp, lesson_xp, achievement_xp, level, lessons_completed, updated_at, last_event_position };
  static const Table& table();
};
// XP-7: each grant with its source and time.
struct XpGrants {
  enum : ColumnNo { learner_id, source, source_id, amount, total_xp, reason, granted_at, last_event_position };
  static const Table& table();
};
// Days are counted since 1970-01-01. Whether a streak is over by now is the view's to say, in the learner's zone.
struct Streaks {
  enum : ColumnNo {
    current_streak,
    longest_streak,
    freezes_held,
    last_day,
    zone,
    last_streak_reset,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
// How many activities a learner's local day saw.
struct ActivityDays {
  enum : ColumnNo { activities };
  static const Table& table();
};
struct UnlockedAchievements {
  enum : ColumnNo { unlock_id, unlocked_at, last_event_position };
  static const Table& table();
};
struct Activities {
  enum : ColumnNo {
    learner_id,
    activity_type,
    entity_type,
    entity_id,
    session_id,
    local_day,
    zone,
    created_at,
    last_event_position
  };
  static const Table& table();
};

void project(const RecordHeader& at, const lesson::LessonCreated& e, Writes& out);
void project(const RecordHeader& at, const lesson::LessonUpdated& e, Writes& out);
void project(const RecordHeader& at, const lesson::LessonPublished& e, Writes& out);
void project(const RecordHeader& at, const lesson::LessonRetired& e, Writes& out);

void project(const RecordHeader& at, const achievement::AchievementDefined& e, Writes& out);
void project(const RecordHeader& at, const achievement::AchievementRetired& e, Writes& out);

void project(const RecordHeader& at, const progress::LessonStarted& e, Writes& out);
void project(const RecordHeader& at, const progress::LessonAttempted& e, Writes& out);
void project(const RecordHeader& at, const progress::LessonCompleted& e, Writes& out);

void project(const RecordHeader& at, const learner::ActivityRecorded& e, Writes& out);
void project(const RecordHeader& at, const learner::StreakExtended& e, Writes& out);
void project(const RecordHeader& at, const learner::StreakReset& e, Writes& out);
void project(const RecordHeader& at, const learner::StreakFrozen& e, Writes& out);
void project(const RecordHeader& at, const learner::StreakRepaired& e, Writes& out);
void project(const RecordHeader& at, const learner::XpGranted& e, Writes& out);
void project(const RecordHeader& at, const learner::LevelReached& e, Writes& out);
void project(const RecordHeader& at, const learner::AchievementUnlocked& e, Writes& out);

}  // namespace guildhall
