#include "projectors/reviews.h"

#include "projectors/orders.h"
#include "projectors/products.h"

namespace guildhall {
namespace {

using ::review::v1::TargetType;

// What is reviewed and whose it is: every event that moves a rating says so.
template <class Event>
void rate(const RecordHeader& at, const Event& e, std::int64_t rating, std::int64_t reviews, Writes& out) {
  switch (e.target_type) {
    case TargetType::product:
      out.update(Products::table(), {e.target_id}).add(Products::rating_sum, rating).add(Products::reviews_count, reviews);
      return;
    case TargetType::service:
      out.update(Services::table(), {e.target_id}).add(Services::rating_sum, rating).add(Services::reviews_count, reviews);
      return;
    case TargetType::webinar:
      out.upsert(WebinarRatings::table(), {e.target_id})
          .set(WebinarRatings::host_id, e.seller_id)
          .add(WebinarRatings::rating_sum, rating)
          .add(WebinarRatings::reviews_count, reviews)
          .set(WebinarRatings::updated_at, at.time)
          .set(WebinarRatings::last_event_position, position_of(at));
      return;
  }
}

Write& touch(Write& row, const RecordHeader& at) {
  return row.set(Reviews::updated_at, at.time).set(Reviews::last_event_position, position_of(at));
}

}  // namespace

const Table& Reviews::table() {
  static const Table table{"reviews",
                           {{"review_id", ColumnType::uuid}},
                           {{"reviewer_id", ColumnType::uuid},
                            {"reviewable_type", ColumnType::text},
                            {"reviewable_id", ColumnType::uuid},
                            {"seller_id", ColumnType::uuid},
                            {"rating", ColumnType::int4},
                            {"review_text", ColumnType::text},
                            {"seller_response", ColumnType::text},
                            {"seller_responded_at", ColumnType::timestamptz},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& WebinarRatings::table() {
  static const Table table{"webinar_ratings",
                           {{"webinar_id", ColumnType::uuid}},
                           {{"host_id", ColumnType::uuid},
                            {"rating_sum", ColumnType::int8, std::int64_t{0}},
                            {"reviews_count", ColumnType::int4, std::int64_t{0}},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

// The row is new also when the reviewer had removed an earlier one.
void project(const RecordHeader& at, const review::ReviewSubmitted& e, Writes& out) {
  touch(out.insert(Reviews::table(), {e.review_id}), at)
      .set(Reviews::reviewer_id, e.reviewer_id)
      .set(Reviews::reviewable_type, ::review::v1::EnumNameTargetType(e.target_type))
      .set(Reviews::reviewable_id, e.target_id)
      .set(Reviews::seller_id, e.seller_id)
      .set(Reviews::rating, std::int64_t{e.rating})
      .set(Reviews::review_text, text_or_null(e.review_text))
      .set(Reviews::created_at, at.time);
  rate(at, e, e.rating, 1, out);
}

void project(const RecordHeader& at, const review::ReviewEdited& e, Writes& out) {
  touch(out.update(Reviews::table(), {e.review_id}), at)
      .set(Reviews::rating, std::int64_t{e.rating})
      .set(Reviews::review_text, text_or_null(e.review_text));
  rate(at, e, std::int64_t{e.rating} - e.old_rating, 0, out);
}

void project(const RecordHeader& at, const review::ReviewRemoved& e, Writes& out) {
  out.erase(Reviews::table(), {e.review_id});
  rate(at, e, -std::int64_t{e.old_rating}, -1, out);
}

void project(const RecordHeader& at, const review::ReviewResponded& e, Writes& out) {
  touch(out.update(Reviews::table(), {e.review_id}), at)
      .set(Reviews::seller_response, storable(e.response))
      .set(Reviews::seller_responded_at, e.responded_at);
}

}  // namespace guildhall
