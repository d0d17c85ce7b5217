// Lessons and achievement definitions: DR-12..19, A-DR-14, A-DR-15.
#include "tests/aggregates/classroom.h"

namespace guildhall::testing {
namespace {

using namespace lesson;
using namespace achievement;

class Lessons : public Classroom {
 public:
  UpdateLesson update(std::int32_t gate) const {
    return {.lesson_id = lesson(gate), .title = "Candles", .content_data = R"({"steps":[]})", .xp_reward = 100};
  }
};

TEST_F(Lessons, are_one_for_a_level_and_a_gate) {  // DR-13, A-DR-14
  const Accepted made = as(service()).when(creation(1)).then_accepted();
  EXPECT_TRUE(made.created);
  const auto e = only<LessonCreated>(made.events).at(0);
  EXPECT_EQ(e.lesson_id, lesson(1));
  EXPECT_EQ(e.content_type, "interactive");
  EXPECT_EQ(e.difficulty, ::lesson::v1::Difficulty::intermediate);
  EXPECT_EQ(bucket_of(e.lesson_id), bucket_of(curriculum)) << "a child of the curriculum";
  when(creation(1)).then_nothing();
  CreateLesson other = creation(1);
  other.title = "Volumes";
  when(other).then_rejected(Code::lesson_exists);
  when(creation(2)).then_accepted();
  when(creation(1, 2)).then_accepted();
  EXPECT_NE(lesson(1, 2), lesson(2, 1));
}

TEST_F(Lessons, are_the_admins) {
  as(user(ada)).when(creation(1)).then_rejected(Code::admin_only);
  as(admin(root)).when(creation(1)).then_accepted();
  as(user(ada)).when(update(1)).then_rejected(Code::admin_only);
  when(RetireLesson{.lesson_id = lesson(1)}).then_rejected(Code::admin_only);
  when(PublishLesson{.lesson_id = lesson(1)}).then_rejected(Code::admin_only);
  when(definition("first")).then_rejected(Code::admin_only);
  as(service()).when(update(9)).then_rejected(Code::lesson_not_found);
}

TEST_F(Lessons, count_the_changes_of_what_they_teach) {
  offered(1);
  as(service());
  UpdateLesson c = update(1);
  when(c).then_nothing();
  c.title = "Candlesticks";
  EXPECT_EQ(only<LessonUpdated>(when(c).then_accepted().events).at(0).content_version, 1);
  c.content_data = "[1]";
  EXPECT_EQ(only<LessonUpdated>(when(c).then_accepted().events).at(0).content_version, 2);
  c.assessment_data = "[2]";
  c.answer_key = {"b"};
  EXPECT_EQ(only<LessonUpdated>(when(c).then_accepted().events).at(0).content_version, 3);
  EXPECT_EQ(world.directory().lesson(lesson(1))->content_version, 3);
}

TEST_F(Lessons, have_an_answer_for_each_question_or_neither) {  // DR-16
  as(service());
  CreateLesson c = creation(1);
  c.assessment_data = "[]";
  when(c).then_rejected(Code::assessment_incomplete);
  c.answer_key = {"a", ""};
  when(c).then_rejected(Code::assessment_incomplete);
  c.assessment_data.clear();
  when(c).then_rejected(Code::assessment_incomplete);
}

TEST_F(Lessons, never_come_before_themselves) {  // DR-15
  for (const std::int32_t gate : {1, 2, 3}) offered(gate);
  as(service());
  CreateLesson lost = creation(4);
  lost.prerequisites = {lesson(8)};
  when(lost).then_rejected(Code::prerequisite_not_found);
  lost.prerequisites = {lesson(4)};
  when(lost).then_rejected(Code::prerequisite_cycle);
  UpdateLesson second = update(2), third = update(3), first = update(1);
  second.prerequisites = {lesson(1)};
  third.prerequisites = {lesson(1), lesson(2)};
  when(second).then_accepted();
  when(third).then_accepted();
  first.prerequisites = {lesson(3)};
  when(first).then_rejected(Code::prerequisite_cycle);
  first.prerequisites = {lesson(1)};
  when(first).then_rejected(Code::prerequisite_cycle);
}

TEST_F(Lessons, close_and_open) {
  offered(1);
  as(service()).when(RetireLesson{.lesson_id = lesson(1)}).then({LessonRetired{.lesson_id = lesson(1)}});
  when(RetireLesson{.lesson_id = lesson(1)}).then_nothing();
  EXPECT_FALSE(shows_to(AnyState(state<LessonState>(lesson(1))), user(ada)));
  EXPECT_TRUE(shows_to(AnyState(state<LessonState>(lesson(1))), service()));
  when(PublishLesson{.lesson_id = lesson(1)}).then({LessonPublished{.lesson_id = lesson(1)}});
  when(PublishLesson{.lesson_id = lesson(1)}).then_nothing();
  EXPECT_TRUE(shows_to(AnyState(state<LessonState>(lesson(1))), Actor{}));
  CreateLesson draft = creation(2);
  draft.is_active = false;
  when(draft).then_accepted();
  EXPECT_FALSE(world.directory().lesson(lesson(2))->is_active);
}

TEST_F(Lessons, say_nothing_of_their_answers) {  // A-DR-19
  const Uuid id = with_quiz(1, {"secret-answer", "b"});
  const std::string shown = encode(represent(AnyState(state<LessonState>(id)), 1, {}));
  EXPECT_EQ(shown.find("secret-answer"), std::string::npos);
  EXPECT_EQ(resource<LessonView>({{StreamKind::lesson, id}}).question_count, 2);
}

// ---- achievements

TEST_F(Lessons, achievements_have_codes_of_their_own) {  // DR-18, DR-19
  as(service());
  DefineAchievement c = definition("first_lesson");
  when(c).then_rejected(Code::requirement_missing);
  c.lesson_ids = {lesson(1)};
  when(c).then_rejected(Code::lesson_not_found);
  offered(1);
  c.lessons_completed = 1;
  const auto e = only<AchievementDefined>(when(c).then_accepted().events).at(0);
  EXPECT_EQ(e.achievement_id, achievement_id_of(curriculum, "first_lesson"));
  EXPECT_EQ(e.category, "general");
  EXPECT_EQ(e.rarity, ::achievement::v1::Rarity::common);
  when(c).then_nothing();
  c.xp_reward = 51;
  when(c).then_rejected(Code::achievement_exists);
  const Accepted other = when([&] {
                           DefineAchievement d = definition("xp");
                           d.total_xp = 10;
                           return d;
                         }()).then_accepted();
  EXPECT_EQ(resource<AchievementView>(other.subject).code, "xp");
}

TEST_F(Lessons, achievements_are_no_more_than_the_policy_says) {
  policy.max_achievements = 1;
  DefineAchievement c = definition("one");
  c.level = 2;
  defined(c);
  c.code = "two";
  as(service()).when(c).then_rejected(Code::achievement_limit_reached);
}

TEST_F(Lessons, a_retired_achievement_stays_so) {
  DefineAchievement c = definition("one");
  c.level = 2;
  const Uuid id = defined(c);
  as(service()).when(RetireAchievement{.achievement_id = id}).then_accepted();
  when(RetireAchievement{.achievement_id = id}).then_nothing();
  when(c).then_rejected(Code::achievement_exists);
  when(RetireAchievement{.achievement_id = achievement_id_of(curriculum, "none")}).then_rejected(Code::achievement_not_found);
  EXPECT_FALSE(world.directory().achievements(curriculum)->rules.at(0)->is_active);
}

}  // namespace
}  // namespace guildhall::testing
