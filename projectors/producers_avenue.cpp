#include "projectors/producers_avenue.h"

#include <array>

#include "projectors/profiles.h"
#include "projectors/wallets.h"

// Defined in sql.S.
extern "C" {
extern const char guildhall_sql_roles[], guildhall_sql_roles_end[];
extern const char guildhall_sql_auth[], guildhall_sql_auth_end[];
extern const char guildhall_sql_control[], guildhall_sql_control_end[];
extern const char guildhall_producers_avenue_tables[], guildhall_producers_avenue_tables_end[];
extern const char guildhall_producers_avenue_indexes[], guildhall_producers_avenue_indexes_end[];
extern const char guildhall_producers_avenue_policies[], guildhall_producers_avenue_policies_end[];
extern const char guildhall_producers_avenue_views[], guildhall_producers_avenue_views_end[];
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
        if constexpr (!is_of<session::Event, E> && !is_of<schedule::Event, E> && !is_of<calendar::Event, E> &&
                      !is_of<booking::Event, E> && !is_of<payment::Event, E>)
          project(at, e, out);
      },
      event);
}

}  // namespace

const Projection& producers_avenue_projection() {
  static const std::array<const Table*, 5> tables{&Accounts::table(), &People::table(), &Subscriptions::table(),
                                                  &Wallets::table(), &Payouts::table()};
  static const Projection projection{"producers_avenue", tables, project_any};
  return projection;
}

const ProjectionSql& producers_avenue_sql() {
  static const ProjectionSql sql{{guildhall_sql_roles, guildhall_sql_roles_end},
                                 {guildhall_sql_auth, guildhall_sql_auth_end},
                                 {guildhall_sql_control, guildhall_sql_control_end},
                                 {guildhall_producers_avenue_tables, guildhall_producers_avenue_tables_end},
                                 {guildhall_producers_avenue_indexes, guildhall_producers_avenue_indexes_end},
                                 {guildhall_producers_avenue_policies, guildhall_producers_avenue_policies_end},
                                 {guildhall_producers_avenue_views, guildhall_producers_avenue_views_end}};
  return sql;
}

}  // namespace guildhall
