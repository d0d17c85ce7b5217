// Learning as clients of dracarys read it (DR-5..34, DR-63..71, A-DR-4, A-DR-12, A-DR-19, A-DR-26, A-DR-30): the seed's columns,
// who reads which row, and what becomes of a row.
#include <gtest/gtest.h>

#include <map>
#include <pqxx/pqxx>

#include "events/curriculum.h"
#include "infra/system_clock.h"
#include "projectors/dracarys.h"
#include "tests/projectors/rows_as_read.h"

namespace guildhall {
namespace {

const Uuid ada = test_id(1001), bo = test_id(1002), root = test_id(1003);
const Uuid candles = test_id(2001), volumes = test_id(2002), badge = test_id(3001);
const Uuid adas = test_id(4001), bos = test_id(4002);
const Uuid curriculum = test_id(5001);

class LearningRows : public RowsAsRead {
 protected:
  LearningRows() : RowsAsRead(dracarys_projection(), dracarys_sql()) {
    for (const auto& [who, name] : {std::pair(ada, "Ada"), std::pair(bo, "Bo"), std::pair(root, "Root")}) {
      account::AccountRegistered e;
      e.account_id = who;
      e.display_name = name;
      e.role = who == root ? ::account::v1::Role::admin : ::account::v1::Role::member;
      e.timezone = "Europe/Copenhagen";
      happen(StreamKind::account, who, e);
    }
  }

  void create(const Uuid& id, std::int32_t gate, std::int32_t level = 1, bool active = true) {
    happen(StreamKind::lesson, id,
           lesson::LessonCreated{.lesson_id = id,
                                 .level_id = level,
                                 .gate_id = gate,
                                 .title = "Candles",
                                 .content_type = "interactive",
                                 .content_data = R"({"steps": [1]})",
                                 .assessment_data = R"([{"question": "Up?"}])",
                                 .answer_key = {"yes"},
                                 .xp_reward = 100,
                                 .estimated_seconds = 90,
                                 .difficulty = ::lesson::v1::Difficulty::beginner,
                                 .prerequisites = {volumes},
                                 .is_active = active,
                                 .created_by = root},
           1);
  }
  progress::LessonAttempted attempt(const Uuid& who, std::int32_t n, std::int32_t score, std::int32_t best) const {
    return {.progress_id = who == ada ? adas : bos,
            .learner_id = who,
            .lesson_id = candles,
            .level_id = 1,
            .gate_id = 1,
            .content_version = 1,
            .attempt = n,
            .passed = score >= 70,
            .score = score,
            .best_score = best,
            .time_spent_seconds = 60,
            .total_time_spent_seconds = 60 * n};
  }
  void complete(const Uuid& who, std::int32_t score) {
    const Uuid id = who == ada ? adas : bos;
    happen(StreamKind::progress, id, attempt(who, 1, score, score));
    happen(StreamKind::progress, id,
           progress::LessonCompleted{.progress_id = id,
                                     .learner_id = who,
                                     .lesson_id = candles,
                                     .level_id = 1,
                                     .gate_id = 1,
                                     .content_version = 1,
                                     .score = score,
                                     .xp_earned = 100});
  }
  void grant(::learner::v1::XpSource source, std::int32_t amount, std::int32_t total, std::int32_t of_lessons) {
    happen(StreamKind::learner, ada,
           learner::XpGranted{.learner_id = ada,
                              .grant_id = test_id(6000 + static_cast<std::uint64_t>(total)),
                              .source = source,
                              .source_id = candles,
                              .amount = amount,
                              .total_xp = total,
                              .lesson_xp = of_lessons,
                              .achievement_xp = total - of_lessons,
                              .lessons_completed = 1,
                              .streak_days = 1});
  }
};

TEST_F(LearningRows, a_profile_is_its_owners) {  // DR-5, DR-6
  const std::string query =
      "SELECT full_name, bio, timezone, preferred_language, trading_experience, trading_goals, current_level, total_xp "
      "FROM dracarys.user_profiles";
  EXPECT_EQ(as(ada, query), Lines{"Ada - Europe/Copenhagen en beginner - 1 0"});
  account::TradingProfileUpdated e;
  e.account_id = ada;
  e.bio = "Curious";
  e.preferred_language = "da";
  e.trading_experience = ::account::v1::ExperienceLevel::advanced;
  e.trading_goals = {"learn", "earn"};
  happen(StreamKind::account, ada, e);
  grant(::learner::v1::XpSource::lesson, 3000, 3000, 3000);
  happen(StreamKind::learner, ada, learner::LevelReached{.learner_id = ada, .level = 2});
  EXPECT_EQ(as(ada, query), Lines{"Ada Curious Europe/Copenhagen da advanced {learn,earn} 2 3000"});
  EXPECT_EQ(as(ada, "SELECT current_level = dracarys.calculate_user_level(total_xp) FROM dracarys.user_profiles"), Lines{"t"});
  EXPECT_TRUE(as_anyone(query).empty());
  EXPECT_EQ(as_service(query).size(), 3u);
  expect_same_twin();
}

TEST_F(LearningRows, the_catalogue_is_everybodys_and_the_content_is_not) {  // DR-65, A-DR-19, DR-57
  create(candles, 1);
  create(volumes, 1, 2);
  const std::string catalogue =
      "SELECT level_id, gate_id, title, content_type, xp_reward, estimated_time, difficulty, prerequisites, is_active, "
      "created_by, content_version, question_count FROM dracarys.lessons ORDER BY level_id";
  const std::string rest =
      " 1 Candles interactive 100 00:01:30 beginner {" + to_string(volumes) + "} t " + to_string(root) + " 1 1";
  EXPECT_EQ(as_anyone(catalogue), (Lines{"1" + rest, "2" + rest}));
  // As the server's sessions have it: free_level_access of the platform's file.
  const auto free_levels = [](const std::string& n) { return "SET LOCAL guildhall.free_level_access = '" + n + "'; "; };
  const std::string contents =
      "SELECT content_data -> 'steps' -> 0, assessment_data -> 0 ->> 'question' FROM dracarys.lessons ORDER BY level_id";
  const std::string content = free_levels("1") + contents;
  EXPECT_EQ(as_anyone(content), (Lines{"- -", "- -"}));
  EXPECT_EQ(as(ada, content), (Lines{"1 Up?", "- -"})) << "level 2 wants a plan";
  EXPECT_EQ(as(ada, free_levels("2") + contents), (Lines{"1 Up?", "1 Up?"}));
  EXPECT_EQ(as(ada, free_levels("0") + contents), (Lines{"- -", "- -"}));
  for (const std::string& none : {contents, free_levels("") + contents}) EXPECT_EQ(as(ada, none), (Lines{"- -", "- -"}));
  EXPECT_EQ(as(root, content), (Lines{"1 Up?", "1 Up?"}));
  EXPECT_EQ(as_service(content), (Lines{"1 Up?", "1 Up?"}));
  happen(StreamKind::lesson, candles, lesson::LessonRetired{.lesson_id = candles}, 1);
  EXPECT_EQ(as(ada, content), Lines{"- -"});
  EXPECT_EQ(as(root, content).size(), 2u);
  happen(StreamKind::lesson, candles, lesson::LessonPublished{.lesson_id = candles}, 1);
  EXPECT_EQ(as(ada, content), (Lines{"1 Up?", "- -"}));
  happen(StreamKind::lesson, candles,
         lesson::LessonUpdated{
             .lesson_id = candles, .title = "Candlesticks", .content_type = "video", .content_data = "[]", .content_version = 2},
         1);
  EXPECT_EQ(as(ada, free_levels("1") + "SELECT title, content_data, assessment_data, content_version, question_count "
                                       "FROM dracarys.lessons WHERE level_id = 1"),
            Lines{"Candlesticks [] - 2 0"});
  expect_same_twin();
}

TEST_F(LearningRows, no_learner_reads_an_answer) {  // A-DR-19
  create(candles, 1);
  const std::string query = "SELECT answer_key FROM dracarys.lesson_answers";
  EXPECT_TRUE(as(ada, query).empty());
  EXPECT_TRUE(as_anyone(query).empty());
  EXPECT_TRUE(as(ada, "SELECT answer_key FROM dracarys_rm.lesson_answers").empty());
  EXPECT_EQ(as(root, query), Lines{"{yes}"});
  EXPECT_EQ(as_service(query), Lines{"{yes}"});
}

TEST_F(LearningRows, progress_has_the_seeds_columns_and_one_reader) {  // DR-7..11, DR-63, DR-64
  create(candles, 1);
  happen(StreamKind::progress, adas,
         progress::LessonStarted{
             .progress_id = adas, .learner_id = ada, .lesson_id = candles, .level_id = 1, .gate_id = 1, .attempt = 1});
  const std::string query =
      "SELECT level_id, gate_id, lesson_id = '" + to_string(candles) +
      "', completed, score, xp_earned, time_spent, attempts_count, completed_at IS NOT NULL, updated_at > created_at, "
      "last_attempt_at >= created_at FROM dracarys.user_progress";
  EXPECT_EQ(as(ada, query), Lines{"1 1 t f - 0 00:00:00 1 f f t"});
  happen(StreamKind::progress, adas, attempt(ada, 1, 50, 50));
  EXPECT_EQ(as(ada, query), Lines{"1 1 t f 50 0 00:01:00 1 f t t"});
  complete(ada, 80);
  EXPECT_EQ(as(ada, query), Lines{"1 1 t t 80 100 00:01:00 1 t t t"});
  EXPECT_TRUE(as(bo, query).empty());
  EXPECT_TRUE(as_anyone(query).empty());
  EXPECT_EQ(as_service(query).size(), 1u);
  expect_same_twin();
}

TEST_F(LearningRows, nobody_writes_them) {  // A-DR-4, A-DR-5
  complete(ada, 80);
  for (const std::string statement :
       {"UPDATE dracarys.user_progress SET xp_earned = 999999", "DELETE FROM dracarys_rm.lesson_progress",
        "INSERT INTO dracarys_rm.xp_grants (grant_id, amount) VALUES (gen_random_uuid(), 999999)"})
    EXPECT_THROW(as(ada, statement), pqxx::insufficient_privilege) << statement;
  EXPECT_EQ(as_service("SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                       "WHERE c.relnamespace = 'dracarys_rm'::regnamespace AND NOT t.tgisinternal"),
            Lines{"0"})
      << "X-30, DR-73";
}

TEST_F(LearningRows, are_kept_as_the_seed_wants_its_database) {
  EXPECT_EQ(as_service("SHOW server_encoding"), Lines{"UTF8"}) << "DR-1";
  EXPECT_EQ(as_service("SELECT current_setting('server_version_num')::integer >= 150000"), Lines{"t"}) << "DR-1";
  EXPECT_TRUE(as_service("SELECT conname FROM pg_constraint WHERE connamespace = 'dracarys_rm'::regnamespace AND "
                         "(contype = 'f' AND conname !~ '^fk_' OR contype = 'c' AND conname !~ '^ck_')")
                  .empty())
      << "DR-2, A-DR-28";
  EXPECT_TRUE(as_service("SELECT relname FROM pg_class WHERE relnamespace = 'dracarys_rm'::regnamespace AND "
                         "relname <> lower(relname)")
                  .empty())
      << "DR-2";
}

TEST_F(LearningRows, popularity_is_the_same_for_all_who_ask) {  // DR-70, DR-69
  create(candles, 1);
  create(volumes, 1, 2);
  create(test_id(2003), 2);
  complete(ada, 80);
  complete(bo, 90);
  const std::string query =
      "SELECT completions, round(avg_score, 2), popularity_rank FROM dracarys.lesson_popularity ORDER BY popularity_rank, id";
  for (const Lines& seen : {as(ada, query), as_anyone(query), as_service(query)})
    EXPECT_EQ(seen, (Lines{"2 85.00 1", "0 - 2", "0 - 2"}));
  progress::LessonAttempted better = attempt(ada, 2, 100, 100);
  better.was_completed = true;
  better.previous_best_score = 80;
  happen(StreamKind::progress, adas, better);
  progress::LessonAttempted worse = attempt(ada, 3, 70, 100);
  worse.was_completed = true;
  worse.previous_best_score = 100;
  happen(StreamKind::progress, adas, worse);
  EXPECT_EQ(as_anyone(query).at(0), "2 95.00 1") << "the best scores";
  // As the seed's view says it over the rows.
  EXPECT_EQ(as_service("SELECT count(*), round(avg(score), 2) FROM dracarys.user_progress WHERE completed"), Lines{"2 95.00"});
  happen(StreamKind::lesson, candles, lesson::LessonRetired{.lesson_id = candles}, 1);
  EXPECT_EQ(as_anyone(query), (Lines{"0 - 1", "0 - 1"}));
  expect_same_twin();
}

TEST_F(LearningRows, statistics_tell_lesson_xp_from_the_rest) {  // DR-69, A-DR-12, XP-7
  complete(ada, 80);
  grant(::learner::v1::XpSource::lesson, 100, 100, 100);
  grant(::learner::v1::XpSource::achievement, 50, 150, 100);
  const std::string stats =
      "SELECT completed_lessons, total_xp, lesson_xp, achievement_xp, last_activity IS NOT NULL "
      "FROM dracarys.user_learning_stats";
  EXPECT_EQ(as(ada, stats), Lines{"1 100 100 50 t"});
  EXPECT_TRUE(as(bo, stats).empty());
  const std::string history = "SELECT source, amount, total_xp FROM dracarys.xp_history ORDER BY granted_at";
  EXPECT_EQ(as(ada, history), (Lines{"lesson 100 100", "achievement 50 150"}));
  EXPECT_TRUE(as(bo, history).empty());
  EXPECT_EQ(as(ada,
               "SELECT sum(h.amount) = max(p.total_xp) FROM dracarys.xp_history h JOIN dracarys.user_profiles p "
               "ON p.id = h.user_id"),
            Lines{"t"});
}

TEST_F(LearningRows, achievements_are_everybodys_and_unlocked_ones_their_owners) {  // DR-18, DR-20, A-DR-27
  happen(StreamKind::achievement, curriculum,
         achievement::AchievementDefined{.curriculum_id = curriculum,
                                         .achievement_id = badge,
                                         .code = "first",
                                         .title = "First",
                                         .description = "One lesson",
                                         .category = "general",
                                         .xp_reward = 50,
                                         .rarity = ::achievement::v1::Rarity::epic,
                                         .lessons_completed = 1,
                                         .lesson_ids = {candles}});
  EXPECT_EQ(as_anyone("SELECT code, xp_reward, rarity, is_active, icon_url, requirements FROM dracarys.achievements"),
            Lines{"first 50 epic t - {\"lesson_ids\": [\"" + to_string(candles) + "\"], \"lessons_completed\": 1}"});
  happen(StreamKind::learner, ada,
         learner::AchievementUnlocked{.learner_id = ada, .achievement_id = badge, .code = "first", .xp_reward = 50});
  const std::string unlocked =
      "SELECT achievement_id, progress_value, metadata ->> 'unit', unlocked_at IS NOT NULL FROM dracarys.user_achievements";
  EXPECT_EQ(as(ada, unlocked), Lines{to_string(badge) + " 100 percent t"});
  EXPECT_TRUE(as(bo, unlocked).empty());
  EXPECT_EQ(as(ada, "SELECT activity_type, entity_type, entity_id FROM dracarys.user_activity_log"),
            Lines{"achievement_gain achievement " + to_string(badge)});
  happen(StreamKind::achievement, curriculum,
         achievement::AchievementRetired{.curriculum_id = curriculum, .achievement_id = badge});
  EXPECT_EQ(as_anyone("SELECT is_active FROM dracarys.achievements"), Lines{"f"});
  expect_same_twin();
}

TEST_F(LearningRows, a_streak_that_is_over_reads_zero) {  // DR-28, DR-30, A-DR-26, XP-8
  const auto today = static_cast<std::int32_t>(SystemClock().now() / day_us);
  const auto active_on = [&](std::int32_t day, std::int32_t streak, std::int32_t freezes) {
    happen(StreamKind::learner, ada,
           learner::ActivityRecorded{.learner_id = ada,
                                     .activity_type = "session_join",
                                     .entity_type = "live_session",
                                     .entity_id = test_id(7001),
                                     .local_date = day,
                                     .zone = "UTC",
                                     .first_activity_at = 1'700'000'000'000'000});
    happen(StreamKind::learner, ada,
           learner::StreakExtended{
               .learner_id = ada, .streak_days = streak, .longest_streak = 9, .freezes_held = freezes, .local_date = day});
  };
  const std::string query =
      "SELECT current_streak, longest_streak, freezes_held, last_streak_reset IS NOT NULL FROM dracarys.user_streaks";
  active_on(today, 5, 0);
  EXPECT_EQ(as(ada, query), Lines{"5 9 0 f"});
  // Of days ago, whichever side of midnight this runs on: no freeze covers the days since, or two do.
  active_on(today - 4, 6, 0);
  EXPECT_EQ(as(ada, query), Lines{"0 9 0 f"});
  active_on(today - 2, 7, 2);
  EXPECT_EQ(as(ada, query), Lines{"7 9 2 f"});
  happen(StreamKind::learner, ada, learner::StreakReset{.learner_id = ada, .lost_days = 7, .missed_date = today - 1});
  EXPECT_EQ(as(ada, query), Lines{"0 9 2 t"});
  happen(StreamKind::learner, ada,
         learner::StreakRepaired{.learner_id = ada, .streak_days = 8, .longest_streak = 9, .local_date = today});
  happen(StreamKind::learner, ada,
         learner::StreakFrozen{.learner_id = ada, .missed_days = 1, .missed_date = today, .freezes_held = 1});
  EXPECT_EQ(as(ada, query), Lines{"8 9 1 t"});
  EXPECT_TRUE(as(bo, query).empty());
  active_on(20'458, 9, 1);
  EXPECT_EQ(as(ada, "SELECT last_activity_date, streak_streak_data -> 'daily' -> '2026-01-05', "
                    "extract(epoch FROM created_at)::bigint, timezone FROM dracarys.user_streaks"),
            Lines{"2026-01-05 1 1700000000 UTC"});
  EXPECT_EQ(as(ada, "SELECT count(*), min(metadata ->> 'local_date'), max(session_id::text) FROM dracarys.user_activity_log"),
            Lines{"4 2026-01-05 " + to_string(test_id(7001))});
  EXPECT_TRUE(as(bo, "SELECT id FROM dracarys.user_activity_log").empty());
  expect_same_twin();
}

TEST_F(LearningRows, a_level_is_the_seeds_formula) {  // DR-71, domain.md 11
  EXPECT_EQ(as_anyone("SELECT string_agg(dracarys.calculate_user_level(x)::text, ' ' ORDER BY i) FROM unnest(ARRAY[-5000, 0, "
                      "1999, 2999, 3000, 6999, 7000, 14999, 15000, 30999, 31000, 63000, 1022999, 1023000, 2147483647]) "
                      "WITH ORDINALITY AS v (x, i)"),
            Lines{"1 1 1 1 2 2 3 3 4 4 5 6 9 10 21"});
  // Every value but those that its thousand already stands for.
  EXPECT_EQ(as_service("SELECT count(*) FROM generate_series(0, 2147483) k WHERE dracarys.calculate_user_level(k * 1000) <> "
                       "floor(log(2, greatest(k + 1, 2)))"),
            Lines{"0"});
}

// The seed's tables: every column, in its order, with its type; ours come after.
TEST_F(LearningRows, columns_are_the_seeds) {
  const std::string times = ", created_at timestamp with time zone, updated_at timestamp with time zone";
  const std::map<std::string, std::string> seed{
      {"user_profiles",
       "id uuid, full_name text, avatar_url text, bio text, timezone text, preferred_language text, trading_experience text, "
       "trading_goals text[], current_level integer, total_xp integer" +
           times + ", last_event_position bigint"},
      {"user_progress",
       "id uuid, user_id uuid, level_id integer, gate_id integer, lesson_id uuid, completed boolean, score integer, "
       "xp_earned integer, time_spent interval, attempts_count integer, last_attempt_at timestamp with time zone, "
       "completed_at timestamp with time zone" +
           times + ", last_event_position bigint"},
      {"lessons",
       "id uuid, level_id integer, gate_id integer, title text, subtitle text, description text, content_type text, "
       "content_data jsonb, assessment_data jsonb, xp_reward integer, estimated_time interval, difficulty text, "
       "prerequisites uuid[], is_active boolean, order_index integer, created_by uuid" +
           times + ", last_event_position bigint, content_version integer, question_count integer"},
      {"achievements",
       "id uuid, code text, title text, description text, icon_url text, category text, xp_reward integer, requirements jsonb, "
       "rarity text, is_active boolean, created_at timestamp with time zone, last_event_position bigint"},
      {"user_achievements",
       "id uuid, user_id uuid, achievement_id uuid, unlocked_at timestamp with time zone, progress_value integer, "
       "metadata jsonb, last_event_position bigint"},
      {"user_streaks",
       "id uuid, user_id uuid, current_streak integer, longest_streak integer, last_activity_date date, "
       "last_streak_reset timestamp with time zone, streak_streak_data jsonb" +
           times + ", last_event_position bigint, freezes_held integer, timezone text"},
      {"user_activity_log",
       "id uuid, user_id uuid, activity_type text, entity_type text, entity_id uuid, metadata jsonb, session_id uuid, "
       "ip_address inet, user_agent text, created_at timestamp with time zone, last_event_position bigint"},
      {"user_learning_stats",
       "user_id uuid, completed_lessons bigint, total_xp bigint, last_activity timestamp with time zone, lesson_xp integer, "
       "achievement_xp integer"},
      {"lesson_popularity", "id uuid, title text, completions bigint, avg_score numeric, popularity_rank bigint"},
  };
  pqxx::connection connection(url_);
  pqxx::work tx(connection);
  for (const auto& [view, columns] : seed)
    EXPECT_EQ(tx.exec_params1("SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) "
                              "FROM pg_attribute WHERE attrelid = ('dracarys.' || $1)::regclass AND attnum > 0",
                              view)[0]
                  .as<std::string>(),
              columns)
        << view;
}

}  // namespace
}  // namespace guildhall
