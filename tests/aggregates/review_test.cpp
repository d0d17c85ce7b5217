// Reviews: PA-81, PA-82, A-PA-39, X-14, X-15.
#include "aggregates/review.h"

#include <random>

#include "aggregates/purchase.h"
#include "tests/aggregates/webinars.h"

namespace guildhall::testing {
namespace {

using namespace review;
using ::review::v1::TargetType;

class Review : public Webinars {
 public:
  const Uuid product = id_of("product"), service_id = id_of("service"), order_id = id_of("order");

  void offer_product() {
    product::ProductCreated e;
    e.product_id = product;
    e.seller_id = host;
    given({e});
  }
  void offer_service() {
    service::ServiceCreated e;
    e.service_id = service_id;
    e.seller_id = host;
    given({e});
  }
  void buys(const Uuid& who) {
    purchase::ProductPurchased e;
    e.purchase_id = purchase_id_of(product, who);
    e.product_id = product;
    e.buyer_id = who;
    e.seller_id = host;
    given({e});
  }
  void orders(const Uuid& who, const Uuid& service) {
    order::OrderPlaced e;
    e.order_id = order_id;
    e.service_id = service;
    e.buyer_id = who;
    e.seller_id = host;
    given({e});
  }
  void complete_order() {
    order::OrderCompleted e;
    e.order_id = order_id;
    given({e});
  }

  SubmitReview of_product(const Uuid& who, std::int32_t rating = 4) const {
    return {.target_type = TargetType::product,
            .target_id = product,
            .reviewer_id = who,
            .rating = rating,
            .review_text = "Good drums."};
  }
  SubmitReview of_service(const Uuid& who, const Uuid& order) const {
    return {.target_type = TargetType::service, .target_id = service_id, .reviewer_id = who, .rating = 5, .order_id = order};
  }
  SubmitReview of_webinar(const Uuid& webinar, const Uuid& who) const {
    return {.target_type = TargetType::webinar, .target_id = webinar, .reviewer_id = who, .rating = 3};
  }
  Outcome submit(const SubmitReview& c) { return as(user(c.reviewer_id)).when(c); }
  Uuid reviewed_product(const Uuid& who) {
    offer_product();
    buys(who);
    submit(of_product(who)).then_accepted();
    return review_id_of(product, who);
  }
};

TEST_F(Review, an_owner_reviews_the_product) {  // A-PA-39, PA-82
  offer_product();
  submit(of_product(ana)).then_rejected(Code::purchase_required);
  buys(ana);
  submit(of_product(ana))
      .then({ReviewSubmitted{.review_id = review_id_of(product, ana),
                             .target_type = TargetType::product,
                             .target_id = product,
                             .seller_id = host,
                             .reviewer_id = ana,
                             .rating = 4,
                             .review_text = "Good drums."}});
  EXPECT_EQ(bucket_of(review_id_of(product, ana)), test_bucket) << "in the seller's group";
}

TEST_F(Review, who_owns_the_product_no_more_does_not) {  // A-PA-39, ledger.md: a full refund revokes the entitlement
  offer_product();
  buys(ana);
  purchase::EntitlementRevoked revoked;
  revoked.purchase_id = purchase_id_of(product, ana);
  revoked.product_id = product;
  revoked.buyer_id = ana;
  given({revoked});
  submit(of_product(ana)).then_rejected(Code::purchase_required);
}

TEST_F(Review, a_completed_order_reviews_the_service) {  // A-PA-39
  offer_service();
  submit(of_service(ana, {})).then_rejected(Code::order_required);
  submit(of_service(ana, order_id)).then_rejected(Code::order_not_found);
  orders(ana, service_id);
  submit(of_service(ana, order_id)).then_rejected(Code::order_not_completed);
  complete_order();
  submit(of_service(bo, order_id)).then_rejected(Code::order_not_found);
  submit(of_service(ana, with_bucket(order_id, test_bucket + 1))).then_rejected(Code::order_not_found);
  submit(of_service(ana, order_id)).then_accepted();
}

TEST_F(Review, an_order_of_another_service_does_not_count) {  // A-PA-39
  offer_service();
  orders(ana, id_of("another service"));
  complete_order();
  submit(of_service(ana, order_id)).then_rejected(Code::order_not_found);
}

TEST_F(Review, participants_review_the_webinar_after_its_end) {  // A-PA-39
  const Uuid id = schedule();
  paid(id, ana);
  enlist(id, bo).then_accepted();
  submit(of_webinar(id, ana)).then_rejected(Code::webinar_not_ended);
  submit(of_webinar(id, cy)).then_rejected(Code::purchase_required);
  start(id).then_accepted();
  end(id).then_accepted();
  submit(of_webinar(id, ana)).then_accepted();
  submit(of_webinar(id, bo)).then_rejected(Code::purchase_required);
}

TEST_F(Review, of_a_free_webinar_those_who_came) {  // A-PA-39
  const Uuid id = schedule(0);
  enlist(id, ana).then_accepted();
  enlist(id, bo).then_accepted();
  start(id).then_accepted();
  attend(id, ana).then_accepted();
  end(id).then_accepted();
  submit(of_webinar(id, ana)).then_accepted();
  submit(of_webinar(id, bo)).then_rejected(Code::purchase_required);
}

TEST_F(Review, nobody_reviews_their_own_offer) {  // A-PA-39
  offer_product();
  buys(host);
  submit(of_product(host)).then_rejected(Code::own_offer);
  give(host, Tier::premium);
  auto c = plan();
  c.co_hosts = {bo};
  submit(of_webinar(schedule(c), bo)).then_rejected(Code::own_offer);
}

TEST_F(Review, is_of_something_by_somebody) {  // PA-81
  submit(of_product(ana)).then_rejected(Code::product_not_found);
  submit(of_service(ana, order_id)).then_rejected(Code::service_not_found);
  submit(of_webinar(id_of("no webinar"), ana)).then_rejected(Code::webinar_not_found);
  offer_product();
  buys(ana);
  as(user(bo)).when(of_product(ana)).then_rejected(Code::account_not_found);
  ban(ana);
  submit(of_product(ana)).then_rejected(Code::account_banned);
}

TEST_F(Review, one_for_a_target_and_a_reviewer) {  // A-PA-39, X-15
  reviewed_product(ana);
  submit(of_product(ana)).then_nothing();
  submit(of_product(ana, 1)).then_rejected(Code::already_reviewed);
}

TEST_F(Review, its_reviewer_edits_it) {  // PA-82, X-14
  const Uuid id = reviewed_product(ana);
  const EditReview c{.review_id = id, .rating = 2, .review_text = "Less good."};
  as(user(bo)).when(c).then_rejected(Code::reviewer_only);
  as(user(host)).when(c).then_rejected(Code::reviewer_only);
  as(user(ana)).when(c).then({ReviewEdited{.review_id = id,
                                           .target_type = TargetType::product,
                                           .target_id = product,
                                           .seller_id = host,
                                           .reviewer_id = ana,
                                           .old_rating = 4,
                                           .rating = 2,
                                           .review_text = "Less good."}});
  when(c).then_nothing();
  as(user(ana)).when(EditReview{.review_id = id_of("no review"), .rating = 1}).then_rejected(Code::review_not_found);
}

TEST_F(Review, its_reviewer_removes_it_and_may_review_anew) {  // PA-82, A-PA-39
  const Uuid id = reviewed_product(ana);
  as(user(bo)).when(RemoveReview{.review_id = id}).then_rejected(Code::reviewer_only);
  as(user(ana))
      .when(RemoveReview{.review_id = id})
      .then({ReviewRemoved{.review_id = id,
                           .target_type = TargetType::product,
                           .target_id = product,
                           .seller_id = host,
                           .reviewer_id = ana,
                           .old_rating = 4}});
  when(RemoveReview{.review_id = id}).then_nothing();
  when(EditReview{.review_id = id, .rating = 1}).then_rejected(Code::review_not_found);
  as(user(bo)).when(RemoveReview{.review_id = id}).then_rejected(Code::review_not_found);
  as(user(host)).when(RespondToReview{.review_id = id, .response = "Why?"}).then_rejected(Code::review_not_found);
  EXPECT_FALSE(shows_to(state<ReviewState>(id), user(bo)));
  submit(of_product(ana, 1)).then_accepted();
  EXPECT_EQ(state<ReviewState>(id).rating, 1);
  EXPECT_TRUE(shows_to(state<ReviewState>(id), user(bo)));
}

TEST_F(Review, an_admin_removes_it_too) {  // PA-112
  const Uuid id = reviewed_product(ana);
  as(admin(id_of("boss"))).when(RemoveReview{.review_id = id}).then_accepted();
}

TEST_F(Review, its_seller_responds_once) {  // PA-82
  const Uuid id = reviewed_product(ana);
  const RespondToReview c{.review_id = id, .response = "Thank you."};
  as(user(ana)).when(c).then_rejected(Code::seller_only);
  as(user(host))
      .when(c)
      .then({ReviewResponded{
          .review_id = id, .seller_id = host, .reviewer_id = ana, .response = "Thank you.", .responded_at = now}});
  when(c).then_nothing();
  when(RespondToReview{.review_id = id, .response = "Thanks!"}).then_rejected(Code::already_responded);
  as(user(ana)).when(EditReview{.review_id = id, .rating = 5}).then_accepted();
  as(user(host)).when(RespondToReview{.review_id = id, .response = "Thanks!"}).then_rejected(Code::already_responded);
}

TEST_F(Review, a_new_one_may_be_responded_to_anew) {  // PA-82
  const Uuid id = reviewed_product(ana);
  as(user(host)).when(RespondToReview{.review_id = id, .response = "Thank you."}).then_accepted();
  as(user(ana)).when(RemoveReview{.review_id = id}).then_accepted();
  submit(of_product(ana)).then_accepted();
  as(user(host)).when(RespondToReview{.review_id = id, .response = "Thanks again."}).then_accepted();
}

TEST_F(Review, a_later_refund_leaves_it) {  // A-PA-39
  const Uuid id = reviewed_product(ana);
  purchase::EntitlementRevoked revoked;
  revoked.purchase_id = purchase_id_of(product, ana);
  given({revoked});
  as(user(ana)).when(EditReview{.review_id = id, .rating = 1}).then_accepted();
}

TEST_F(Review, the_ratings_that_come_and_go_add_up) {  // sums and counts are kept by adding what events say
  offer_product();
  std::vector<Uuid> people;
  for (int i = 10; i < 16; ++i) {
    join(guest(i));
    buys(guest(i));
    people.push_back(guest(i));
  }
  std::mt19937_64 random(7);
  for (int step = 0; step < 300; ++step) {
    const Uuid who = people[random() % people.size()];
    const auto rating = static_cast<std::int32_t>(1 + random() % 5);
    const Uuid id = review_id_of(product, who);
    switch (random() % 3) {
      case 0: submit(of_product(who, rating)); break;
      case 1: as(user(who)).when(EditReview{.review_id = id, .rating = rating}); break;
      default: as(user(who)).when(RemoveReview{.review_id = id});
    }
    std::int64_t sum = 0, count = 0;
    for (const auto& e : world.history()) {
      if (const auto* submitted = get_if<ReviewSubmitted>(&e.event)) sum += submitted->rating, ++count;
      if (const auto* edited = get_if<ReviewEdited>(&e.event)) sum += edited->rating - edited->old_rating;
      if (const auto* removed = get_if<ReviewRemoved>(&e.event)) sum -= removed->old_rating, --count;
    }
    std::int64_t live_sum = 0, live_count = 0;
    for (const Uuid& one : people) {
      const auto& s = state<ReviewState>(review_id_of(product, one));
      if (is_nil(s.review_id) || s.removed) continue;
      live_sum += s.rating;
      ++live_count;
    }
    ASSERT_EQ(sum, live_sum) << "step " << step;
    ASSERT_EQ(count, live_count) << "step " << step;
  }
}

}  // namespace
}  // namespace guildhall::testing
