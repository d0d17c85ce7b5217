// What buyers say of what they bought (PA-81, PA-82), and the ratings that come of it: sums and counts on the rows of products
// and services, for webinars in a table of its own (A-PA-39, X-14).
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Reviews {
  enum : ColumnNo {
    reviewer_id,
    reviewable_type,
    reviewable_id,
    seller_id,
    rating,
    review_text,
    seller_response,
    seller_responded_at,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
// Of webinars that were ever reviewed. Apart from the webinar, which few may read once it has ended.
struct WebinarRatings {
  enum : ColumnNo { host_id, rating_sum, reviews_count, updated_at, last_event_position };
  static const Table& table();
};

void project(const RecordHeader& at, const review::ReviewSubmitted& e, Writes& out);
void project(const RecordHeader& at, const review::ReviewEdited& e, Writes& out);
void project(const RecordHeader& at, const review::ReviewRemoved& e, Writes& out);
void project(const RecordHeader& at, const review::ReviewResponded& e, Writes& out);

}  // namespace guildhall
