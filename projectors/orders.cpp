#include "projectors/orders.h"

#include "projectors/counterparties.h"

namespace guildhall {
namespace {

using ::order::v1::By;
using ::order::v1::Status;

Write& touch_service(Write& row, const RecordHeader& at) {
  return row.set(Services::updated_at, at.time).set(Services::last_event_position, position_of(at));
}

Write& change_service(const RecordHeader& at, const Uuid& service_id, Writes& out) {
  return touch_service(out.update(Services::table(), {service_id}), at);
}

// What ServiceCreated and ServiceUpdated have in common.
void offer(Write& row, const auto& e) {
  row.set(Services::title, storable(e.title))
      .set(Services::description, text_or_null(e.description))
      .set(Services::service_type, ::service::v1::EnumNameServiceType(e.service_type))
      .set(Services::is_mentoring, e.is_mentoring)
      .set(Services::thumbnail_url, text_or_null(e.thumbnail_url))
      .set(Services::portfolio_urls, texts(e.portfolio_urls))
      .set(Services::buyer_requirements, text_or_null(e.buyer_requirements))
      .set(Services::category_id, id_or_null(e.category_id))
      .set(Services::tags, texts(e.tags))
      .set(Services::genre_tags, texts(e.genre_tags));
}

Write& change_order(const RecordHeader& at, const Uuid& order_id, Writes& out) {
  return out.update(Orders::table(), {order_id})
      .set(Orders::updated_at, at.time)
      .set(Orders::last_event_position, position_of(at));
}

Write& change_contents(const Uuid& order_id, Writes& out) { return out.update(OrderContents::table(), {order_id}); }

// Events of an order don't name its service: the order's row does.
Write& totals_of(const Uuid& order_id, Writes& out) {
  return out.upsert_via(ServiceTotals::table(), {&Orders::table(), Orders::service_id}, {order_id});
}

bool is_sellers_failure(const order::OrderCancelled& e) {
  const bool sellers = e.cancelled_by == By::seller || e.cancelled_by == By::system;
  return e.status_before != Status::pending || (e.price_paid && sellers);
}

Write& end(const RecordHeader& at, const Uuid& order_id, const char* status, By by, Writes& out) {
  return change_order(at, order_id, out)
      .set(Orders::status, status)
      .set(Orders::is_overdue, false)
      .set(Orders::ended_at, at.time)
      .set(Orders::ended_by, ::order::v1::EnumNameBy(by));
}

}  // namespace

const Table& Services::table() {
  static const Table table{"services",
                           {{"service_id", ColumnType::uuid}},
                           {{"seller_id", ColumnType::uuid},
                            {"title", ColumnType::text},
                            {"slug", ColumnType::text},
                            {"description", ColumnType::text},
                            {"service_type", ColumnType::text},
                            {"is_mentoring", ColumnType::boolean},
                            {"thumbnail_url", ColumnType::text},
                            {"portfolio_urls", ColumnType::text_array, std::vector<std::string>{}},
                            {"buyer_requirements", ColumnType::text},
                            {"category_id", ColumnType::uuid},
                            {"tags", ColumnType::text_array, std::vector<std::string>{}},
                            {"genre_tags", ColumnType::text_array, std::vector<std::string>{}},
                            {"currency", ColumnType::text},
                            {"rating_sum", ColumnType::int8, std::int64_t{0}},
                            {"reviews_count", ColumnType::int8, std::int64_t{0}},
                            {"status", ColumnType::text},
                            {"is_featured", ColumnType::boolean, false},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& ServicePackages::table() {
  static const Table table{"service_packages",
                           {{"service_id", ColumnType::uuid}, {"name", ColumnType::text}},
                           {{"position", ColumnType::int4},
                            {"price", ColumnType::int8},
                            {"delivery_days", ColumnType::int4},
                            {"revisions", ColumnType::int4},
                            {"features", ColumnType::text_array, std::vector<std::string>{}}}};
  return table;
}

const Table& ServiceTotals::table() {
  static const Table table{"service_totals",
                           {{"service_id", ColumnType::uuid}},
                           {{"orders", ColumnType::int4, std::int64_t{0}},
                            {"completed", ColumnType::int4, std::int64_t{0}},
                            {"failed", ColumnType::int4, std::int64_t{0}}}};
  return table;
}

const Table& Orders::table() {
  static const Table table{"orders",
                           {{"order_id", ColumnType::uuid}},
                           {{"service_id", ColumnType::uuid},
                            {"buyer_id", ColumnType::uuid},
                            {"seller_id", ColumnType::uuid},
                            {"payment_id", ColumnType::uuid},
                            {"service_title", ColumnType::text},
                            {"package_name", ColumnType::text},
                            {"package_price", ColumnType::int8},
                            {"currency", ColumnType::text},
                            {"delivery_days", ColumnType::int4},
                            {"revisions_included", ColumnType::int4},
                            {"features", ColumnType::text_array, std::vector<std::string>{}},
                            {"status", ColumnType::text},
                            {"is_paid", ColumnType::boolean, false},
                            {"revisions_used", ColumnType::int4, std::int64_t{0}},
                            {"is_overdue", ColumnType::boolean, false},
                            {"expires_at", ColumnType::timestamptz},
                            {"due_at", ColumnType::timestamptz},
                            {"delivered_at", ColumnType::timestamptz},
                            {"approve_by", ColumnType::timestamptz},
                            {"buyer_approved", ColumnType::boolean, false},
                            {"completed_at", ColumnType::timestamptz},
                            {"hold_until", ColumnType::timestamptz},
                            {"ended_at", ColumnType::timestamptz},
                            {"ended_by", ColumnType::text},
                            {"is_disputed", ColumnType::boolean, false},
                            {"answer_by", ColumnType::timestamptz},
                            {"decide_by", ColumnType::timestamptz},
                            {"dispute_outcome", ColumnType::text},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& OrderContents::table() {
  static const Table table{"order_contents",
                           {{"order_id", ColumnType::uuid}},
                           {{"requirements", ColumnType::text},
                            {"requirement_files", ColumnType::text_array, std::vector<std::string>{}},
                            {"delivery_files", ColumnType::text_array, std::vector<std::string>{}},
                            {"delivery_notes", ColumnType::text},
                            {"revision_reason", ColumnType::text},
                            {"end_reason", ColumnType::text},
                            {"dispute_reason", ColumnType::text},
                            {"dispute_answer", ColumnType::text}}};
  return table;
}

// The row of totals is made here, so that a service without orders reads 0.
void project(const RecordHeader& at, const service::ServiceCreated& e, Writes& out) {
  Write& row = touch_service(out.insert(Services::table(), {e.service_id}), at)
                   .set(Services::seller_id, e.seller_id)
                   .set(Services::slug, storable(e.slug))
                   .set(Services::currency, storable(e.currency))
                   .set(Services::status, "draft")
                   .set(Services::created_at, at.time);
  offer(row, e);
  out.upsert(ServiceTotals::table(), {e.service_id}).add(ServiceTotals::orders, 0);
}

void project(const RecordHeader& at, const service::ServiceUpdated& e, Writes& out) {
  offer(change_service(at, e.service_id, out), e);
}

void project(const RecordHeader& at, const service::PackageSet& e, Writes& out) {
  change_service(at, e.service_id, out);
  out.upsert(ServicePackages::table(), {e.service_id, storable(e.name)})
      .set(ServicePackages::position, std::int64_t{e.position})
      .set(ServicePackages::price, e.price_cents)
      .set(ServicePackages::delivery_days, std::int64_t{e.delivery_days})
      .set(ServicePackages::revisions, std::int64_t{e.revisions})
      .set(ServicePackages::features, texts(e.features));
}
void project(const RecordHeader& at, const service::PackageRemoved& e, Writes& out) {
  change_service(at, e.service_id, out);
  out.erase(ServicePackages::table(), {e.service_id, storable(e.name)});
}

void project(const RecordHeader& at, const service::ServicePublished& e, Writes& out) {
  change_service(at, e.service_id, out).set(Services::status, "active");
}
void project(const RecordHeader& at, const service::ServicePaused& e, Writes& out) {
  change_service(at, e.service_id, out).set(Services::status, "paused");
}
void project(const RecordHeader& at, const service::ServiceDeleted& e, Writes& out) {
  change_service(at, e.service_id, out).set(Services::status, "deleted");
}
void project(const RecordHeader& at, const service::ServiceFeaturedSet& e, Writes& out) {
  change_service(at, e.service_id, out).set(Services::is_featured, e.is_featured);
}

void project(const RecordHeader& at, const order::OrderPlaced& e, Writes& out) {
  out.insert(Orders::table(), {e.order_id})
      .set(Orders::service_id, e.service_id)
      .set(Orders::buyer_id, e.buyer_id)
      .set(Orders::seller_id, e.seller_id)
      .set(Orders::payment_id, id_or_null(e.payment_id))
      .set(Orders::service_title, storable(e.service_title))
      .set(Orders::package_name, storable(e.package_name))
      .set(Orders::package_price, e.price_cents)
      .set(Orders::currency, storable(e.currency))
      .set(Orders::delivery_days, std::int64_t{e.delivery_days})
      .set(Orders::revisions_included, std::int64_t{e.revisions_included})
      .set(Orders::features, texts(e.features))
      .set(Orders::status, "pending")
      .set(Orders::expires_at, e.pay_by)
      .set(Orders::created_at, at.time)
      .set(Orders::updated_at, at.time)
      .set(Orders::last_event_position, position_of(at));
  out.insert(OrderContents::table(), {e.order_id});
  acquaint(e.buyer_id, e.seller_id, out);
}

void project(const RecordHeader& at, const order::RequirementsSubmitted& e, Writes& out) {
  change_order(at, e.order_id, out);
  change_contents(e.order_id, out)
      .set(OrderContents::requirements, text_or_null(e.requirements))
      .set(OrderContents::requirement_files, texts(e.requirement_files));
}

void project(const RecordHeader& at, const order::OrderPaid& e, Writes& out) {
  change_order(at, e.order_id, out).set(Orders::is_paid, true).set(Orders::expires_at, e.start_by);
  totals_of(e.order_id, out).add(ServiceTotals::orders, 1);
}

void project(const RecordHeader& at, const order::OrderStarted& e, Writes& out) {
  change_order(at, e.order_id, out).set(Orders::status, "in_progress").set(Orders::due_at, e.due_at);
}

void project(const RecordHeader& at, const order::OrderDelivered& e, Writes& out) {
  change_order(at, e.order_id, out)
      .set(Orders::status, "delivered")
      .set(Orders::is_overdue, false)
      .set(Orders::delivered_at, at.time)
      .set(Orders::approve_by, e.approve_by);
  change_contents(e.order_id, out)
      .set(OrderContents::delivery_files, texts(e.delivery_files))
      .set(OrderContents::delivery_notes, text_or_null(e.delivery_notes));
}

void project(const RecordHeader& at, const order::RevisionRequested& e, Writes& out) {
  change_order(at, e.order_id, out)
      .set(Orders::status, "revision_requested")
      .set(Orders::revisions_used, std::int64_t{e.revisions_used})
      .set(Orders::due_at, e.due_at);
  change_contents(e.order_id, out).set(OrderContents::revision_reason, text_or_null(e.reason));
}

void project(const RecordHeader& at, const order::OrderOverdue& e, Writes& out) {
  change_order(at, e.order_id, out).set(Orders::is_overdue, true);
}

// PA-74: what its buyer said nothing against is completed too, but not approved.
void project(const RecordHeader& at, const order::OrderCompleted& e, Writes& out) {
  end(at, e.order_id, "completed", e.completed_by, out)
      .set(Orders::buyer_approved, e.completed_by == By::buyer)
      .set(Orders::completed_at, at.time)
      .set(Orders::hold_until, e.hold_until);
  totals_of(e.order_id, out).add(ServiceTotals::completed, 1);
}

void project(const RecordHeader& at, const order::OrderCancelled& e, Writes& out) {
  end(at, e.order_id, "cancelled", e.cancelled_by, out);
  change_contents(e.order_id, out).set(OrderContents::end_reason, text_or_null(e.reason));
  if (is_sellers_failure(e)) totals_of(e.order_id, out).add(ServiceTotals::failed, 1);
}

void project(const RecordHeader& at, const order::OrderRefunded& e, Writes& out) {
  end(at, e.order_id, "refunded", e.refunded_by, out);
  change_contents(e.order_id, out).set(OrderContents::end_reason, text_or_null(e.reason));
  if (e.status_before == Status::pending) return;
  Write& totals = totals_of(e.order_id, out).add(ServiceTotals::failed, 1);
  if (e.status_before == Status::completed) totals.add(ServiceTotals::completed, -1);
}

// A complaint begins anew: nothing of the one before it is left.
void project(const RecordHeader& at, const order::OrderDisputed& e, Writes& out) {
  change_order(at, e.order_id, out)
      .set(Orders::is_disputed, true)
      .set(Orders::answer_by, e.answer_by)
      .set(Orders::decide_by, e.decide_by)
      .set(Orders::dispute_outcome, {});
  change_contents(e.order_id, out)
      .set(OrderContents::dispute_reason, text_or_null(e.reason))
      .set(OrderContents::dispute_answer, {});
}

void project(const RecordHeader& at, const order::OrderDisputeAnswered& e, Writes& out) {
  change_order(at, e.order_id, out);
  change_contents(e.order_id, out).set(OrderContents::dispute_answer, text_or_null(e.answer));
}

void project(const RecordHeader& at, const order::OrderDisputeExtended& e, Writes& out) {
  change_order(at, e.order_id, out).set(Orders::answer_by, e.answer_by).set(Orders::decide_by, e.decide_by);
}

void project(const RecordHeader& at, const order::OrderDisputeResolved& e, Writes& out) {
  Write& row = change_order(at, e.order_id, out)
                   .set(Orders::is_disputed, false)
                   .set(Orders::dispute_outcome, ::order::v1::EnumNameDisputeOutcome(e.outcome));
  if (e.approve_by) row.set(Orders::approve_by, *e.approve_by);
}

}  // namespace guildhall
