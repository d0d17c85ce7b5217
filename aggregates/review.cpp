#include "aggregates/review.h"

#include "aggregates/account.h"
#include "aggregates/purchase.h"
#include "aggregates/registration.h"
#include "aggregates/webinar.h"

namespace guildhall {
namespace {

using namespace review;
using ::review::v1::TargetType;

StreamId stream_of(const Uuid& review_id) { return {StreamKind::review, review_id}; }

Accepted nothing_new(const Uuid& review_id) { return {.subject = {stream_of(review_id)}}; }

Accepted accept(const Uuid& review_id, AnyEvent event, bool created = false) {
  Accepted out = nothing_new(review_id);
  out.events.push_back({stream_of(review_id), std::move(event)});
  out.created = created;
  return out;
}

// The seller of what is reviewed.
std::expected<Uuid, Code> seller_of(TargetType type, const Uuid& target, const View& view) {
  switch (type) {
    case TargetType::product:
      if (!view.exists<ProductState>(target)) return std::unexpected(Code::product_not_found);
      return view.get<ProductState>(target).seller_id;
    case TargetType::service:
      if (!view.exists<ServiceState>(target)) return std::unexpected(Code::service_not_found);
      return view.get<ServiceState>(target).seller_id;
    case TargetType::webinar:
      if (!view.exists<WebinarState>(target)) return std::unexpected(Code::webinar_not_found);
      return view.get<WebinarState>(target).host_id;
  }
  std::unreachable();
}

// Why the reviewer has no purchase to speak of (A-PA-39).
std::optional<Code> purchase_refusal(const SubmitReview& c, const Context& at, const View& view) {
  switch (c.target_type) {
    case TargetType::product: {
      const Uuid id = purchase_id_of(c.target_id, c.reviewer_id);
      const bool owns = view.exists<PurchaseState>(id) && view.get<PurchaseState>(id).status == ::purchase::v1::Status::completed;
      return owns ? std::nullopt : std::optional(Code::purchase_required);
    }
    case TargetType::service: {
      if (is_nil(c.order_id)) return Code::order_required;
      // Orders live with their service: an id of another group names none of it.
      if (bucket_of(c.order_id) != at.bucket || !view.exists<OrderState>(c.order_id)) return Code::order_not_found;
      const auto& order = view.get<OrderState>(c.order_id);
      if (order.buyer_id != c.reviewer_id || order.service_id != c.target_id) return Code::order_not_found;
      if (order.status != ::order::v1::Status::completed) return Code::order_not_completed;
      return std::nullopt;
    }
    case TargetType::webinar: {
      const auto& registration = view.get<RegistrationState>(registration_id_of(c.target_id, c.reviewer_id));
      if (!is_participant(registration)) return Code::purchase_required;
      if (view.get<WebinarState>(c.target_id).status != ::webinar::v1::Status::ended) return Code::webinar_not_ended;
      return std::nullopt;
    }
  }
  std::unreachable();
}

bool is_own_offer(const SubmitReview& c, const Uuid& seller, const View& view) {
  if (c.target_type == TargetType::webinar) return is_host_or_co_host(view.get<WebinarState>(c.target_id), c.reviewer_id);
  return c.reviewer_id == seller;
}

// The reviewer's account may be of another group: the directory says what is known of it.
std::optional<Code> reviewer_refusal(const Uuid& reviewer, const Context& at, const View& view) {
  const auto fact = view.directory().account(reviewer);
  if (!fact) return Code::account_not_found;
  if (fact->status == ::account::v1::Status::banned && !at.actor.trusted()) return Code::account_banned;
  return std::nullopt;
}

// Everybody sees a live review, only its reviewer changes it. A removed one is there for its reviewer alone.
std::optional<Code> change_refusal(const Uuid& review_id, const Context& at, const View& view) {
  const auto& s = view.get<ReviewState>(review_id);
  if (!view.exists<ReviewState>(review_id) || !shows_to(s, at.actor)) return Code::review_not_found;
  if (!may_act_for(at.actor, s.reviewer_id)) return Code::reviewer_only;
  return std::nullopt;
}

}  // namespace

Uuid review_id_of(const Uuid& target, const Uuid& reviewer) {
  std::string pair;
  append_bytes(pair, target);
  append_bytes(pair, reviewer);
  return with_bucket(derive_root("review", pair), bucket_of(target));
}

// ---- decide

Decision decide(const SubmitReview& c, const Context& at, const View& view) {
  if (!may_act_for(at.actor, c.reviewer_id)) return reject(Code::account_not_found);
  const auto seller = seller_of(c.target_type, c.target_id, view);
  if (!seller) return reject(seller.error());
  if (const auto code = reviewer_refusal(c.reviewer_id, at, view)) return reject(*code);
  const Uuid id = review_id_of(c.target_id, c.reviewer_id);
  const auto& s = view.get<ReviewState>(id);
  if (view.exists<ReviewState>(id) && !s.removed) {
    if (s.rating == c.rating && s.review_text == c.review_text) return nothing_new(id);
    return reject(Code::already_reviewed);
  }
  if (is_own_offer(c, *seller, view)) return reject(Code::own_offer);
  if (const auto code = purchase_refusal(c, at, view)) return reject(*code);
  return accept(id,
                ReviewSubmitted{.review_id = id,
                                .target_type = c.target_type,
                                .target_id = c.target_id,
                                .seller_id = *seller,
                                .reviewer_id = c.reviewer_id,
                                .rating = c.rating,
                                .review_text = c.review_text,
                                .order_id = c.target_type == TargetType::service ? c.order_id : Uuid{}},
                true);
}

Decision decide(const EditReview& c, const Context& at, const View& view) {
  if (const auto code = change_refusal(c.review_id, at, view)) return reject(*code);
  const auto& s = view.get<ReviewState>(c.review_id);
  if (s.removed) return reject(Code::review_not_found);
  if (s.rating == c.rating && s.review_text == c.review_text) return nothing_new(c.review_id);
  if (const auto code = reviewer_refusal(s.reviewer_id, at, view)) return reject(*code);
  return accept(c.review_id, ReviewEdited{.review_id = c.review_id,
                                          .target_type = s.target_type,
                                          .target_id = s.target_id,
                                          .seller_id = s.seller_id,
                                          .reviewer_id = s.reviewer_id,
                                          .old_rating = s.rating,
                                          .rating = c.rating,
                                          .review_text = c.review_text});
}

Decision decide(const RemoveReview& c, const Context& at, const View& view) {
  if (const auto code = change_refusal(c.review_id, at, view)) return reject(*code);
  const auto& s = view.get<ReviewState>(c.review_id);
  if (s.removed) return nothing_new(c.review_id);
  if (const auto code = reviewer_refusal(s.reviewer_id, at, view)) return reject(*code);
  return accept(c.review_id, ReviewRemoved{.review_id = c.review_id,
                                           .target_type = s.target_type,
                                           .target_id = s.target_id,
                                           .seller_id = s.seller_id,
                                           .reviewer_id = s.reviewer_id,
                                           .old_rating = s.rating});
}

Decision decide(const RespondToReview& c, const Context& at, const View& view) {
  const auto& s = view.get<ReviewState>(c.review_id);
  if (!view.exists<ReviewState>(c.review_id) || s.removed) return reject(Code::review_not_found);
  if (!may_act_for(at.actor, s.seller_id)) return reject(Code::seller_only);
  if (s.responded_at > 0 && s.seller_response == c.response) return nothing_new(c.review_id);
  if (is_held_back(at.actor, view.get<AccountState>(s.seller_id))) return reject(Code::account_banned);
  if (s.responded_at > 0) return reject(Code::already_responded);
  return accept(c.review_id, ReviewResponded{.review_id = c.review_id,
                                             .seller_id = s.seller_id,
                                             .reviewer_id = s.reviewer_id,
                                             .response = c.response,
                                             .responded_at = at.now});
}

std::optional<StreamId> target(const SubmitReview&) { return std::nullopt; }
std::optional<StreamId> target(const EditReview& c) { return stream_of(c.review_id); }
std::optional<StreamId> target(const RemoveReview& c) { return stream_of(c.review_id); }
std::optional<StreamId> target(const RespondToReview& c) { return stream_of(c.review_id); }

// ---- apply

void apply(ReviewState& s, const ReviewSubmitted& e) {
  s = ReviewState{.review_id = e.review_id,
                  .target_type = e.target_type,
                  .target_id = e.target_id,
                  .seller_id = e.seller_id,
                  .reviewer_id = e.reviewer_id,
                  .rating = e.rating,
                  .review_text = e.review_text};
}

void apply(ReviewState& s, const ReviewEdited& e) {
  s.rating = e.rating;
  s.review_text = e.review_text;
}

void apply(ReviewState& s, const ReviewRemoved&) {
  s.removed = true;
  s.review_text.clear();  // No decision reads it any more.
  s.seller_response.clear();
}

void apply(ReviewState& s, const ReviewResponded& e) {
  s.seller_response = e.response;
  s.responded_at = e.responded_at;
}

// ---- reply

AnyResource represent(const ReviewState& s, std::uint64_t version, const Uuid&) {
  ReviewView view{.id = s.review_id,
                  .version = version,
                  .target_type = s.target_type,
                  .target_id = s.target_id,
                  .seller_id = s.seller_id,
                  .reviewer_id = s.reviewer_id,
                  .rating = s.rating,
                  .review_text = s.review_text,
                  .seller_response = s.seller_response,
                  .removed = s.removed};
  if (s.responded_at > 0) view.seller_responded_at = s.responded_at;
  return view;
}

// PA-82: anyone who is signed in reads a review.
bool shows_to(const ReviewState& s, const Actor& actor) {
  return may_act_for(actor, s.reviewer_id) || (!s.removed && actor.kind == ActorKind::user);
}

}  // namespace guildhall
