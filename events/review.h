// What happens to a review, and what may be asked of it. Declared once, in events/review.fbs.
#pragma once

#include <variant>

#include "review_generated.h"

namespace guildhall::review {

using SubmitReview = ::review::v1::SubmitReviewT;
using EditReview = ::review::v1::EditReviewT;
using RemoveReview = ::review::v1::RemoveReviewT;
using RespondToReview = ::review::v1::RespondToReviewT;

using ReviewSubmitted = ::review::v1::ReviewSubmittedT;
using ReviewEdited = ::review::v1::ReviewEditedT;
using ReviewRemoved = ::review::v1::ReviewRemovedT;
using ReviewResponded = ::review::v1::ReviewRespondedT;

using ReviewView = ::review::v1::ReviewViewT;

using Command = std::variant<SubmitReview, EditReview, RemoveReview, RespondToReview>;
using Event = std::variant<ReviewSubmitted, ReviewEdited, ReviewRemoved, ReviewResponded>;
using Resource = std::variant<ReviewView>;

}  // namespace guildhall::review
