// A learner and a lesson: DR-7..11, DR-15, DR-16, DR-57, A-DR-2..4, A-DR-10..16, X-33, XP-1, XP-5, XP-6.
#include "tests/aggregates/classroom.h"

namespace guildhall::testing {
namespace {

using namespace progress;
using learner::AchievementUnlocked;
using learner::LevelReached;
using learner::XpGranted;
using ::learner::v1::XpSource;

class Progress : public Classroom {
 public:
  Progress() { as(user(ada)); }

  std::vector<std::string> names(const Accepted& a) const {
    std::vector<std::string> out;
    for (const auto& e : a.events) out.emplace_back(type_name(e.event));
    return out;
  }
};

TEST_F(Progress, a_lesson_is_started_handed_in_and_completed) {  // DR-7, DR-11
  const Uuid id = offered(1);
  const Accepted started = when(start(id)).then_accepted();
  EXPECT_TRUE(started.created);
  EXPECT_EQ(only<LessonStarted>(started.events).at(0).attempt, 1);
  when(start(id)).then_nothing();
  const Accepted done = when(hand_in(id)).then_accepted();
  EXPECT_EQ(names(done), (std::vector<std::string>{"progress.v1.LessonAttempted", "progress.v1.LessonCompleted",
                                                   "learner.v1.ActivityRecorded", "learner.v1.StreakExtended",
                                                   "learner.v1.XpGranted"}));
  const auto e = only<LessonCompleted>(done.events).at(0);
  EXPECT_EQ(e.xp_earned, 100);
  EXPECT_EQ(e.content_version, 1);
  EXPECT_EQ(e.score, flatbuffers::nullopt) << "nothing was asked";
  EXPECT_EQ(progress_at(id).attempts, 1) << "DR-10: the one that was started";
  const auto shown = resource<ProgressView>(done.subject);
  EXPECT_TRUE(shown.completed && !shown.is_open);
  EXPECT_EQ(shown.time_spent_seconds, 60);
}

TEST_F(Progress, each_attempt_counts) {  // DR-10
  const Uuid id = with_quiz(1, {"a", "b"});
  when(hand_in(id, {"x", "x"})).then_accepted();
  EXPECT_EQ(progress_at(id).attempts, 1);
  when(start(id)).then_accepted();
  EXPECT_EQ(progress_at(id).attempts, 2);
  when(hand_in(id, {"a", "x"})).then_accepted();
  EXPECT_EQ(progress_at(id).attempts, 2);
  when(hand_in(id, {"a", "b"})).then_accepted();
  EXPECT_EQ(progress_at(id).attempts, 3);
  EXPECT_EQ(progress_at(id).time_spent_seconds, 180);
}

TEST_F(Progress, the_server_grades) {  // DR-16
  const std::vector<std::string> key{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
  struct Case {
    int right;
    std::int32_t score;
    bool passed;
  };
  std::int32_t gate = 0;
  for (const Case& c : {Case{0, 0, false}, Case{6, 60, false}, Case{7, 70, true}, Case{10, 100, true}}) {
    const Uuid id = with_quiz(++gate, key);
    std::vector<std::string> answers = key;
    for (std::size_t i = static_cast<std::size_t>(c.right); i < answers.size(); ++i) answers[i] = "wrong";
    const Accepted done = when(hand_in(id, answers)).then_accepted();
    const auto e = only<LessonAttempted>(done.events).at(0);
    EXPECT_EQ(e.score, c.score);
    EXPECT_EQ(e.passed, c.passed);
    EXPECT_EQ(progress_at(id).completed, c.passed);
    EXPECT_EQ(only<XpGranted>(done.events).size(), c.passed ? 1u : 0u);
  }
  const Uuid thirds = with_quiz(90, {"a", "b", "c"});
  when(hand_in(thirds, {"a", "b", "x"})).then_accepted();
  EXPECT_EQ(progress_at(thirds).best_score, 66) << "rounded down: 100 is all right";
  EXPECT_FALSE(progress_at(thirds).completed);
  policy.pass_percent = 66;
  when(hand_in(thirds, {"a", "b", "x"})).then_accepted();
  EXPECT_TRUE(progress_at(thirds).completed);
}

TEST_F(Progress, answers_are_as_many_as_questions) {
  const Uuid id = with_quiz(1, {"a", "b"});
  when(hand_in(id, {"a"})).then_rejected(Code::answer_count_mismatch);
  when(hand_in(id)).then_rejected(Code::answer_count_mismatch);
  when(hand_in(offered(2), {"a"})).then_rejected(Code::answer_count_mismatch);
}

TEST_F(Progress, xp_is_given_once_however_often_it_is_passed) {  // A-DR-2, A-DR-16, DR-11, XP-1
  const Uuid id = with_quiz(1, {"a", "b", "c", "d"});
  when(hand_in(id, {"a", "b", "c", "x"})).then_accepted();
  for (int i = 0; i < 100; ++i) {
    const Accepted again = when(hand_in(id, i == 7 ? std::vector<std::string>{"a", "b", "c", "d"}
                                                   : std::vector<std::string>{"a", "b", "c", "x"}))
                               .then_accepted();
    EXPECT_TRUE(only<XpGranted>(again.events).empty());
    EXPECT_TRUE(only<LessonCompleted>(again.events).empty());
  }
  EXPECT_EQ(learner().total_xp, 100);
  EXPECT_EQ(learner().lessons_completed, 1);
  EXPECT_EQ(progress_at(id).best_score, 100) << "the best";
  EXPECT_EQ(progress_at(id).last_score, 75);
  EXPECT_EQ(progress_at(id).attempts, 101);
  std::size_t grants = 0;
  for (const auto& e : world.history()) grants += holds_alternative<XpGranted>(e.event) ? 1u : 0u;
  EXPECT_EQ(grants, 1u);
}

TEST_F(Progress, a_changed_lesson_pays_nothing_again) {  // XP-1
  const Uuid id = offered(1);
  when(hand_in(id)).then_accepted();
  as(service())
      .when(lesson::UpdateLesson{.lesson_id = id, .title = "New", .content_data = "[2]", .xp_reward = 900})
      .then_accepted();
  const Accepted again = as(user(ada)).when(hand_in(id)).then_accepted();
  EXPECT_EQ(only<LessonAttempted>(again.events).at(0).content_version, 2);
  EXPECT_EQ(learner().total_xp, 100);
  EXPECT_EQ(progress_at(id).xp_earned, 100);
}

TEST_F(Progress, the_same_grant_has_the_same_id) {  // XP-1
  const Uuid id = offered(1);
  const auto first = only<XpGranted>(when(hand_in(id)).then_accepted().events).at(0);
  const auto second = only<XpGranted>(when(hand_in(offered(2))).then_accepted().events).at(0);
  std::string pair;
  append_bytes(pair, ada);
  append_bytes(pair, id);
  EXPECT_EQ(first.grant_id, with_bucket(derive_root("xp/lesson", pair), test_bucket)) << "of the learner and the lesson only";
  EXPECT_NE(first.grant_id, second.grant_id);
}

TEST_F(Progress, prerequisites_come_first) {  // DR-15
  const Uuid first = offered(1), second = offered(2);
  lesson::CreateLesson c = creation(3);
  c.prerequisites = {first, second};
  as(service()).when(c).then_accepted();
  as(user(ada));
  when(start(lesson(3))).then_rejected(Code::prerequisites_missing);
  when(hand_in(first)).then_accepted();
  when(hand_in(lesson(3))).then_rejected(Code::prerequisites_missing);
  as(service()).when(lesson::RetireLesson{.lesson_id = second}).then_accepted();
  as(user(ada)).when(start(lesson(3))).then_accepted();  // Nobody could complete a retired one any more.
}

TEST_F(Progress, levels_are_open_as_the_plan_has_it) {  // DR-57, A-DR-11
  policy.free_level_access = 1;
  const Uuid closed = offered(1, 100, 2);
  when(start(closed)).then_rejected(Code::level_closed);
  when(hand_in(closed)).then_rejected(Code::level_closed);
  when(start(offered(1))).then_accepted();
}

TEST_F(Progress, is_of_lessons_that_are_there) {
  when(start(lesson(1))).then_rejected(Code::lesson_not_found);
  const Uuid id = offered(1);
  as(service()).when(lesson::RetireLesson{.lesson_id = id}).then_accepted();
  as(user(ada)).when(start(id)).then_rejected(Code::lesson_not_found);
  when(hand_in(id)).then_rejected(Code::lesson_not_found);
}

TEST_F(Progress, is_the_learners_own) {  // A-DR-4
  const Uuid id = offered(1);
  as(user(id_of("bo"))).when(start(id)).then_rejected(Code::learner_not_found);
  when(hand_in(id)).then_rejected(Code::learner_not_found);
  when(start(id, id_of("nobody"))).then_rejected(Code::learner_not_found);
  account::AccountBanned banned;
  banned.account_id = ada;
  given({banned}).as(user(ada)).when(start(id)).then_rejected(Code::account_banned);
  // XP-6: an admin completes for a learner, who gets the XP.
  const Accepted done = as(admin(root)).when(hand_in(id)).then_accepted();
  EXPECT_EQ(only<XpGranted>(done.events).at(0).learner_id, ada);
  EXPECT_FALSE(shows_to(AnyState(progress_at(id)), user(root)));
  EXPECT_TRUE(shows_to(AnyState(progress_at(id)), user(ada)));
}

TEST_F(Progress, xp_beyond_what_its_column_holds_is_refused) {
  given({XpGranted{.learner_id = ada, .source = XpSource::adjustment, .amount = max_xp - 99, .total_xp = max_xp - 99}});
  const Uuid big = offered(1), small = offered(2, 99);
  when(hand_in(big)).then_rejected(Code::xp_limit_reached);
  when(hand_in(small)).then_accepted();
  EXPECT_EQ(learner().total_xp, max_xp);
  EXPECT_EQ(learner().level, 21);
}

// ---- achievements, in the same decision (M-8)

TEST_F(Progress, achievements_unlock_to_their_fixpoint) {  // M-8, DR-21, DR-22
  auto later = definition("later", 1);  // Defined first, met last.
  later.total_xp = 2600;
  auto thousand = definition("thousand", 1500);
  thousand.total_xp = 1000;
  auto level_two = definition("level_two", 0);
  level_two.level = 2;
  const Uuid a = defined(later), b = defined(thousand), c = defined(level_two);
  const Accepted done = when(hand_in(offered(1, 1100))).then_accepted();
  std::vector<Uuid> unlocked;
  for (const auto& e : only<AchievementUnlocked>(done.events)) unlocked.push_back(e.achievement_id);
  EXPECT_EQ(unlocked, (std::vector{b, a})) << "thousand gives what later asks for";
  EXPECT_EQ(learner().total_xp, 2601);
  EXPECT_EQ(learner().lesson_xp, 1100);
  EXPECT_EQ(learner().achievement_xp, 1501);
  const Accepted next = when(hand_in(offered(2, 399))).then_accepted();
  EXPECT_EQ(only<LevelReached>(next.events).at(0).level, 2);
  EXPECT_EQ(only<AchievementUnlocked>(next.events).at(0).achievement_id, c);
  EXPECT_EQ(learner().total_xp, 3000);
  EXPECT_EQ(learner().unlocked, (std::vector{b, a, c}));
}

TEST_F(Progress, two_requirements_met_at_once_unlock_once) {  // XP-5
  auto both = definition("both");
  const Uuid first = offered(1), second = offered(2);
  both.lesson_ids = {first, second};
  both.lessons_completed = 2;
  both.streak_days = 1;
  defined(both);
  when(hand_in(first)).then_accepted();
  EXPECT_TRUE(learner().unlocked.empty());
  const Accepted done = when(hand_in(second)).then_accepted();
  EXPECT_EQ(only<AchievementUnlocked>(done.events).size(), 1u);
  when(hand_in(second)).then_accepted();
  EXPECT_EQ(learner().unlocked.size(), 1u);
}

TEST_F(Progress, a_retired_achievement_is_unlocked_by_nobody) {
  auto one = definition("one");
  one.lessons_completed = 1;
  const Uuid id = defined(one);
  as(service()).when(achievement::RetireAchievement{.achievement_id = id}).then_accepted();
  as(user(ada)).when(hand_in(offered(1))).then_accepted();
  EXPECT_TRUE(learner().unlocked.empty());
}

TEST_F(Progress, one_defined_late_is_unlocked_with_what_comes_next) {
  when(hand_in(offered(1))).then_accepted();
  auto one = definition("one");
  one.lessons_completed = 1;
  defined(one);
  when(hand_in(lesson(1))).then_accepted();
  EXPECT_EQ(learner().unlocked.size(), 1u);
}

TEST_F(Progress, an_achievement_whose_xp_has_no_room_stays_locked) {
  given({XpGranted{.learner_id = ada, .source = XpSource::adjustment, .amount = max_xp - 120, .total_xp = max_xp - 120}});
  auto one = definition("one", 50);
  one.lessons_completed = 1;
  defined(one);
  when(hand_in(offered(1))).then_accepted();
  EXPECT_EQ(learner().total_xp, max_xp - 20);
  EXPECT_TRUE(learner().unlocked.empty());
}

}  // namespace
}  // namespace guildhall::testing
