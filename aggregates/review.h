// What a buyer says of a product, a service or a webinar (PA-81, PA-82, A-PA-39, X-14, X-15).
//
//   none -> live -> removed -> live …
// One review for a target and a reviewer: its id follows from the two. Only who bought may submit one: who owns the product,
// had an order of the service completed, or took part in (or paid for) the webinar, which has ended. That is asked when it is
// submitted: a later refund leaves the review. The seller responds once; a review that is submitted anew may be responded to
// anew.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Uuid review_id_of(const Uuid& target, const Uuid& reviewer);  // In the target's group.

Decision decide(const review::SubmitReview& c, const Context& at, const View& view);
Decision decide(const review::EditReview& c, const Context& at, const View& view);
Decision decide(const review::RemoveReview& c, const Context& at, const View& view);
Decision decide(const review::RespondToReview& c, const Context& at, const View& view);

std::optional<StreamId> target(const review::SubmitReview& c);
std::optional<StreamId> target(const review::EditReview& c);
std::optional<StreamId> target(const review::RemoveReview& c);
std::optional<StreamId> target(const review::RespondToReview& c);

void apply(ReviewState& s, const review::ReviewSubmitted& e);
void apply(ReviewState& s, const review::ReviewEdited& e);
void apply(ReviewState& s, const review::ReviewRemoved& e);
void apply(ReviewState& s, const review::ReviewResponded& e);

AnyResource represent(const ReviewState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const ReviewState& s, const Actor& actor);

}  // namespace guildhall
