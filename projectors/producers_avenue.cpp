#include "projectors/producers_avenue.h"

#include <array>

#include "projectors/counterparties.h"
#include "projectors/followers.h"
#include "projectors/members.h"
#include "projectors/notifications.h"
#include "projectors/orders.h"
#include "projectors/products.h"
#include "projectors/profiles.h"
#include "projectors/reviews.h"
#include "projectors/subscriptions.h"
#include "projectors/transactions.h"
#include "projectors/wallets.h"
#include "projectors/webinars.h"

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

// Not claims: who holds an email or a username nobody reads. Payments and transfers are read whatever the event is called.
void project_marketplace(const RecordHeader& at, const AnyEvent& event, Writes& out) {
  project_events<account::Event, subscription::Event, wallet::Event, payout::Event, product::Event, storefront::Event,
                 purchase::Event, service::Event, order::Event, webinar::Event, registration::Event, review::Event,
                 relation::Event, notification::Event, notification_inbox::Event>(at, event, out);
  project_member(at, event, out);
  project_transaction(at, event, out);
  project_transfers(at, event, out);
}

}  // namespace

const Projection& producers_avenue_projection() {
  static const std::array<const Table*, 36> tables{&Accounts::table(),
                                                   &People::table(),
                                                   &Counterparties::table(),
                                                   &Members::table(),
                                                   &MemberCountries::table(),
                                                   &MemberCities::table(),
                                                   &MemberPositions::table(),
                                                   &Bans::table(),
                                                   &Subscriptions::table(),
                                                   &Wallets::table(),
                                                   &Payouts::table(),
                                                   &Transactions::table(),
                                                   &TransactionShares::table(),
                                                   &Refunds::table(),
                                                   &RefundShares::table(),
                                                   &Products::table(),
                                                   &ProductDetails::table(),
                                                   &ProductFiles::table(),
                                                   &ProductModerations::table(),
                                                   &Purchases::table(),
                                                   &Services::table(),
                                                   &ServicePackages::table(),
                                                   &ServiceTotals::table(),
                                                   &Orders::table(),
                                                   &OrderContents::table(),
                                                   &Webinars::table(),
                                                   &WebinarRooms::table(),
                                                   &WebinarRegistrations::table(),
                                                   &Reviews::table(),
                                                   &WebinarRatings::table(),
                                                   &Followers::table(),
                                                   &FollowTotals::table(),
                                                   &Blocks::table(),
                                                   &Notifications::table(),
                                                   &NotificationInboxes::table(),
                                                   &NotificationCursors::table()};
  static const Projection projection{"producers_avenue", tables, project_marketplace};
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
