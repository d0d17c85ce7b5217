#include "projectors/tutoring.h"

#include <array>

#include "projectors/bookings.h"
#include "projectors/offerings.h"
#include "projectors/profiles.h"

// Defined in sql.S.
extern "C" {
extern const char guildhall_sql_roles[], guildhall_sql_roles_end[];
extern const char guildhall_sql_auth[], guildhall_sql_auth_end[];
extern const char guildhall_sql_control[], guildhall_sql_control_end[];
extern const char guildhall_tutoring_tables[], guildhall_tutoring_tables_end[];
extern const char guildhall_tutoring_indexes[], guildhall_tutoring_indexes_end[];
extern const char guildhall_tutoring_policies[], guildhall_tutoring_policies_end[];
extern const char guildhall_tutoring_views[], guildhall_tutoring_views_end[];
}

namespace guildhall {
// Not claims: who holds an email nobody reads but the account.
const Projection& tutoring_projection() {
  static const std::array<const Table*, 13> tables{
      &Accounts::table(), &People::table(),         &Counterparts::table(),  &Experts::table(),  &ExpertTotals::table(),
      &Learners::table(), &ExpertEarnings::table(), &LearnerTotals::table(), &Sessions::table(), &Windows::table(),
      &Slots::table(),    &Bookings::table(),       &Payments::table()};
  static const Projection projection{
      "tutoring", tables,
      project_events<account::Event, session::Event, schedule::Event, calendar::Event, booking::Event, payment::Event>};
  return projection;
}

const ProjectionSql& tutoring_sql() {
  static const ProjectionSql sql{{guildhall_sql_roles, guildhall_sql_roles_end},
                                 {guildhall_sql_auth, guildhall_sql_auth_end},
                                 {guildhall_sql_control, guildhall_sql_control_end},
                                 {guildhall_tutoring_tables, guildhall_tutoring_tables_end},
                                 {guildhall_tutoring_indexes, guildhall_tutoring_indexes_end},
                                 {guildhall_tutoring_policies, guildhall_tutoring_policies_end},
                                 {guildhall_tutoring_views, guildhall_tutoring_views_end}};
  return sql;
}

}  // namespace guildhall
