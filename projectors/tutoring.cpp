#include "projectors/tutoring.h"

#include <array>

#include "projectors/bookings.h"
#include "projectors/offerings.h"
#include "projectors/profiles.h"

// Defined in sql.S.
extern "C" {
extern const char guildhall_tutoring_roles[], guildhall_tutoring_roles_end[];
extern const char guildhall_tutoring_auth[], guildhall_tutoring_auth_end[];
extern const char guildhall_tutoring_control[], guildhall_tutoring_control_end[];
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

void project_any(const RecordHeader& at, const AnyEvent& event, Writes& out) {
  std::visit([&](const auto& e) { project(at, e, out); }, event);
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
  static const ProjectionSql sql{{guildhall_tutoring_roles, guildhall_tutoring_roles_end},
                                 {guildhall_tutoring_auth, guildhall_tutoring_auth_end},
                                 {guildhall_tutoring_control, guildhall_tutoring_control_end},
                                 {guildhall_tutoring_tables, guildhall_tutoring_tables_end},
                                 {guildhall_tutoring_indexes, guildhall_tutoring_indexes_end},
                                 {guildhall_tutoring_policies, guildhall_tutoring_policies_end},
                                 {guildhall_tutoring_views, guildhall_tutoring_views_end}};
  return sql;
}

}  // namespace guildhall
