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
namespace {

// A claim says who holds an email: nobody reads that but the account.
void project(const RecordHeader&, const claim::ClaimHeld&, Writes&) {}
void project(const RecordHeader&, const claim::ClaimConfirmed&, Writes&) {}
void project(const RecordHeader&, const claim::ClaimReleased&, Writes&) {}
void project(const RecordHeader&, const claim::ClaimQueried&, Writes&) {}

// Of aggregates that the platform does not have: its log holds none.
template <class Event, class E>
inline constexpr bool is_of = false;
template <class... Events, class E>
inline constexpr bool is_of<std::variant<Events...>, E> = (std::is_same_v<Events, E> || ...);

void project_any(const RecordHeader& at, const AnyEvent& event, Writes& out) {
  std::visit(
      [&]<class E>(const E& e) {
        if constexpr (!is_of<subscription::Event, E> && !is_of<wallet::Event, E> && !is_of<payout::Event, E>) project(at, e, out);
      },
      event);
}

}  // namespace

const Projection& tutoring_projection() {
  static const std::array<const Table*, 13> tables{
      &Accounts::table(), &People::table(),         &Counterparts::table(),  &Experts::table(),  &ExpertTotals::table(),
      &Learners::table(), &ExpertEarnings::table(), &LearnerTotals::table(), &Sessions::table(), &Windows::table(),
      &Slots::table(),    &Bookings::table(),       &Payments::table()};
  static const Projection projection{"tutoring", tables, project_any};
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
