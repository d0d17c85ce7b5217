#include "projectors/dracarys.h"

#include <array>

#include "projectors/followers.h"
#include "projectors/leaderboard_rows.h"
#include "projectors/learning.h"
#include "projectors/live_sessions.h"
#include "projectors/notifications.h"
#include "projectors/plans.h"
#include "projectors/profiles.h"

// Defined in sql.S.
extern "C" {
extern const char guildhall_sql_roles[], guildhall_sql_roles_end[];
extern const char guildhall_sql_auth[], guildhall_sql_auth_end[];
extern const char guildhall_sql_control[], guildhall_sql_control_end[];
extern const char guildhall_dracarys_tables[], guildhall_dracarys_tables_end[];
extern const char guildhall_dracarys_indexes[], guildhall_dracarys_indexes_end[];
extern const char guildhall_dracarys_policies[], guildhall_dracarys_policies_end[];
extern const char guildhall_dracarys_views[], guildhall_dracarys_views_end[];
}

namespace guildhall {
namespace {

void project_learning(const RecordHeader& at, const AnyEvent& event, Writes& out) {
  project_events<account::Event, lesson::Event, achievement::Event, learner::Event, progress::Event, plan::Event,
                 plan_subscription::Event, live_session::Event, participant::Event, relation::Event,
                 notification::Event, notification_inbox::Event>(at, event, out);
  project_leaderboards(at, event, out);
}

}  // namespace

// Not claims: who holds an email nobody reads but the account.
const Projection& dracarys_projection() {
  static const std::array<const Table*, 29> tables{&Accounts::table(),
                                                   &People::table(),
                                                   &TradingProfiles::table(),
                                                   &Lessons::table(),
                                                   &LessonContents::table(),
                                                   &LessonAnswers::table(),
                                                   &LessonTotals::table(),
                                                   &Achievements::table(),
                                                   &LessonProgress::table(),
                                                   &LearnerXp::table(),
                                                   &XpGrants::table(),
                                                   &Streaks::table(),
                                                   &ActivityDays::table(),
                                                   &UnlockedAchievements::table(),
                                                   &Activities::table(),
                                                   &Plans::table(),
                                                   &PlanSubscriptions::table(),
                                                   &LiveSessions::table(),
                                                   &LiveSessionRooms::table(),
                                                   &SessionParticipants::table(),
                                                   &LeaderboardScores::table(),
                                                   &LeaderboardCounts::table(),
                                                   &LeaderboardSizes::table(),
                                                   &Followers::table(),
                                                   &FollowTotals::table(),
                                                   &Blocks::table(),
                                                   &Notifications::table(),
                                                   &NotificationInboxes::table(),
                                                   &NotificationCursors::table()};
  static constexpr std::array<std::string_view, 2> derived{"leaderboard_closed", "leaderboard_ranks"};
  static const Projection projection{"dracarys", tables, project_learning, derived};
  return projection;
}

const ProjectionSql& dracarys_sql() {
  static const ProjectionSql sql{{guildhall_sql_roles, guildhall_sql_roles_end},
                                 {guildhall_sql_auth, guildhall_sql_auth_end},
                                 {guildhall_sql_control, guildhall_sql_control_end},
                                 {guildhall_dracarys_tables, guildhall_dracarys_tables_end},
                                 {guildhall_dracarys_indexes, guildhall_dracarys_indexes_end},
                                 {guildhall_dracarys_policies, guildhall_dracarys_policies_end},
                                 {guildhall_dracarys_views, guildhall_dracarys_views_end}};
  return sql;
}

}  // namespace guildhall
