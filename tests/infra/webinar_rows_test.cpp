// Webinars with their registrations, reviews, subscriptions and profiles as clients of producers_avenue read them (PA-3..14,
// PA-35, PA-77..82): the seed's columns, who reads which row, and what becomes of a row over its life.
#include <gtest/gtest.h>

#include <map>
#include <pqxx/pqxx>

#include "projectors/producers_avenue.h"
#include "tests/projectors/rows_as_read.h"

namespace guildhall {
namespace {

using ::account::v1::LocationVisibility;
using ::account::v1::ProfileVisibility;
using ::review::v1::TargetType;
using ::subscription::v1::Interval;
using ::subscription::v1::Tier;

// Ana hosts with Cy, Bo and Di take part, Eve has nothing to do with it.
const Uuid ana = test_id(1001), bo = test_id(1002), cy = test_id(1003), di = test_id(1004), eve = test_id(1005);
const Uuid mixing = test_id(2001), beats = test_id(2002), product_id = test_id(2003), service_id = test_id(2004);
const Uuid bos = test_id(3001), dis = test_id(3002), review_id = test_id(4001);

class MarketplaceRows : public RowsAsRead {
 protected:
  MarketplaceRows() : RowsAsRead(producers_avenue_projection(), producers_avenue_sql()) {
    for (const auto& [who, name] :
         {std::pair(ana, "Ana"), std::pair(bo, "Bo"), std::pair(cy, "Cy"), std::pair(di, "Di"), std::pair(eve, "Eve")}) {
      account::AccountRegistered e;
      e.account_id = who;
      e.display_name = name;
      e.first_name = "Secret";
      e.role = ::account::v1::Role::member;
      e.timezone = "UTC";
      e.username = std::string("user_") + name;
      written_.append(0, {{{StreamKind::account, who}, e},
                          {{StreamKind::subscription, who}, subscription::SubscriptionStarted{.account_id = who}}});
    }
  }
};

// ---- webinars

class WebinarRows : public MarketplaceRows {
 protected:
  template <class E>
  void on_webinar(E e, const Uuid& id = mixing) {
    e.webinar_id = id;
    happen(StreamKind::webinar, id, std::move(e));
  }
  template <class E>
  void on_registration(const Uuid& id, const Uuid& who, E e) {
    e.registration_id = id;
    e.webinar_id = mixing;
    e.user_id = who;
    happen(StreamKind::registration, id, std::move(e));
  }
  void schedule(std::int64_t price_cents = 2'500) {
    on_webinar(webinar::WebinarScheduled{.host_id = ana,
                                         .title = "Mixing",
                                         .slug = "mixing-abcdefghij",
                                         .scheduled_at = written_.now + day_us,
                                         .duration_minutes = 90,
                                         .price_cents = price_cents,
                                         .currency = "USD",
                                         .max_attendees = 10,
                                         .co_hosts = {cy},
                                         .tags = {"mixing", "live"}});
  }
  // Free without a payment.
  void add(const Uuid& id, const Uuid& who, const Uuid& payment_id) {
    registration::RegistrationAdded e{.host_id = ana, .payment_id = payment_id, .amount_cents = is_nil(payment_id) ? 0 : 2'500};
    on_registration(id, who, std::move(e));
  }
  void register_paid(const Uuid& id, const Uuid& who) {
    add(id, who, test_id(5001));
    on_registration(id, who, registration::RegistrationPaid{.payment_id = test_id(5001)});
  }
  void start() { on_webinar(webinar::WebinarStarted{.room_id = "room-7"}); }
  void end() { on_webinar(webinar::WebinarEnded{.ended_at = written_.now}); }

  const std::string registrations_ =
      "SELECT payment_status, status, attended FROM producers_avenue.webinar_registrations ORDER BY user_id";
};

TEST_F(WebinarRows, a_row_has_the_seeds_columns) {  // PA-77, X-4, X-14
  schedule();
  register_paid(bos, bo);
  register_paid(dis, di);
  on_registration(dis, di, registration::RegistrationRefunded{.frees_seat = true});
  EXPECT_EQ(as(eve,
               "SELECT host_id, co_hosts, title, slug, description, duration_minutes, price, max_attendees, status, tags, "
               "registrations_count, attendees_count, is_recorded, recording_available, rating_average, currency "
               "FROM producers_avenue.webinars"),
            Lines{to_string(ana) + " {" + to_string(cy) +
                  "} Mixing mixing-abcdefghij - 90 25.00 10 upcoming {mixing,live} 1 0 f f 0.00 USD"});
  on_webinar(webinar::WebinarUpdated{.title = "Mixing again", .duration_minutes = 30, .price_cents = 0});
  EXPECT_EQ(as(eve,
               "SELECT co_hosts, title, slug, duration_minutes, price, max_attendees, tags, registrations_count, "
               "updated_at > created_at FROM producers_avenue.webinars"),
            Lines{"{} Mixing again mixing-abcdefghij 30 0.00 - {} 1 t"});
}

TEST_F(WebinarRows, everyone_reads_a_webinar_until_it_is_over) {  // PA-78
  schedule();
  register_paid(bos, bo);
  const std::string statuses = "SELECT status FROM producers_avenue.webinars";
  EXPECT_EQ(as_anyone(statuses), Lines{"upcoming"});
  start();
  EXPECT_EQ(as_anyone(statuses), Lines{"live"});
  EXPECT_EQ(as(eve, statuses), Lines{"live"});
  end();
  EXPECT_EQ(as_anyone(statuses), Lines{});
  EXPECT_EQ(as(eve, statuses), Lines{});
  for (const Uuid& who : {ana, cy, bo}) EXPECT_EQ(as(who, statuses), Lines{"ended"});
  EXPECT_EQ(as_service(statuses), Lines{"ended"});
}

TEST_F(WebinarRows, a_cancelled_one_is_its_hosts_and_theirs_who_registered) {  // PA-78, A-PA-54
  schedule();
  register_paid(bos, bo);
  on_webinar(webinar::WebinarCancelled{});
  on_registration(bos, bo, registration::RegistrationCancelled{.payment_status = ::registration::v1::PaymentStatus::paid});
  on_webinar(webinar::RegistrationsSettled{});
  const std::string query = "SELECT status, registrations_count FROM producers_avenue.webinars";
  EXPECT_EQ(as(eve, query), Lines{});
  EXPECT_EQ(as(ana, query), Lines{"cancelled 0"});
  EXPECT_EQ(as(bo, query), Lines{"cancelled 0"});
}

TEST_F(WebinarRows, room_and_recording_are_for_who_takes_part) {  // PA-77, A-DR-30
  schedule();
  register_paid(bos, bo);
  register_paid(dis, di);
  start();
  const std::string query = "SELECT room_id, recording_url, recording_available FROM producers_avenue.webinars";
  for (const Uuid& who : {ana, cy, bo, di}) EXPECT_EQ(as(who, query), Lines{"room-7 - f"});
  EXPECT_EQ(as(eve, query), Lines{"- - f"});
  EXPECT_EQ(as_anyone(query), Lines{"- - f"});
  end();
  on_webinar(webinar::RecordingAttached{.recording_url = "https://video.example/1"});
  on_webinar(webinar::RecordingConverted{.product_id = product_id});  // PA-62: who took part goes on seeing it.
  on_registration(dis, di, registration::RegistrationRefunded{});
  for (const Uuid& who : {ana, cy, bo}) EXPECT_EQ(as(who, query), Lines{"room-7 https://video.example/1 t"});
  EXPECT_EQ(as(di, query), Lines{"- - t"});
  EXPECT_EQ(as_service("SELECT recording_url FROM producers_avenue.webinars"), Lines{"https://video.example/1"});
}

TEST_F(WebinarRows, registrations_are_their_users_and_the_hosts) {  // PA-79, PA-80
  schedule();
  register_paid(bos, bo);
  add(dis, di, test_id(5002));
  start();
  on_registration(bos, bo, registration::ParticipantJoined{.attended_at = written_.now, .first_time = true});
  EXPECT_EQ(as(bo, registrations_), Lines{"paid registered t"});
  EXPECT_EQ(as(di, registrations_), Lines{"pending pending f"});
  EXPECT_EQ(as(ana, registrations_), (Lines{"paid registered t", "pending pending f"}));
  EXPECT_EQ(as(cy, registrations_), Lines{});
  EXPECT_EQ(as(eve, registrations_), Lines{});
  EXPECT_EQ(as_anyone(registrations_), Lines{});
  EXPECT_EQ(as_service(registrations_).size(), 2u);
  const std::string counts = "SELECT registrations_count, attendees_count FROM producers_avenue.webinars";
  EXPECT_EQ(as(eve, counts), Lines{"2 1"});
  // Refunded, she comes back: another registration, and nobody new (PA-77).
  on_registration(bos, bo, registration::RegistrationRefunded{.frees_seat = true});
  EXPECT_EQ(as(eve, counts), Lines{"1 1"});
  register_paid(bos, bo);
  on_registration(bos, bo, registration::ParticipantJoined{.attended_at = written_.now});
  EXPECT_EQ(as(bo, registrations_), Lines{"paid registered t"});
  EXPECT_EQ(as(eve, counts), Lines{"2 1"});
}

TEST_F(WebinarRows, what_ended_without_money_is_gone) {  // PA-80, §9
  schedule();
  add(bos, bo, {});
  EXPECT_EQ(as(bo, registrations_), Lines{"free registered f"});
  on_registration(bos, bo, registration::RegistrationCancelled{.payment_status = ::registration::v1::PaymentStatus::free});
  EXPECT_EQ(as(bo, registrations_), Lines{});
  add(dis, di, test_id(5002));
  on_registration(dis, di, registration::RegistrationFailed{});
  EXPECT_EQ(as(ana, registrations_), Lines{});
}

TEST_F(WebinarRows, late_money_brings_an_expired_one_back) {  // M-2
  schedule();
  const std::string seats = "SELECT registrations_count FROM producers_avenue.webinars";
  add(dis, di, test_id(5002));
  EXPECT_EQ(as(eve, seats), Lines{"1"});
  on_registration(dis, di, registration::RegistrationExpired{});
  EXPECT_EQ(as(eve, seats), Lines{"0"});
  EXPECT_EQ(as(di, registrations_), Lines{});
  on_registration(dis, di, registration::RegistrationReinstated{.payment_id = test_id(5002)});
  EXPECT_EQ(as(eve, seats), Lines{"1"});
  EXPECT_EQ(as(di, registrations_), Lines{"paid registered f"});
  EXPECT_EQ(as(ana, registrations_), Lines{"paid registered f"});
}

TEST_F(WebinarRows, a_paid_one_stays_as_refunded_until_its_user_registers_again) {  // PA-80, §9
  schedule();
  register_paid(bos, bo);
  on_registration(bos, bo, registration::RegistrationCancelled{.payment_status = ::registration::v1::PaymentStatus::paid});
  EXPECT_EQ(as(bo, registrations_), Lines{"paid cancelled f"});
  on_registration(bos, bo, registration::RegistrationRefunded{});
  EXPECT_EQ(as(bo, registrations_), Lines{"refunded refunded f"});
  register_paid(bos, bo);
  EXPECT_EQ(as(bo, registrations_), Lines{"paid registered f"});
  expect_same_twin();
}

// ---- reviews

class ReviewRows : public MarketplaceRows {
 protected:
  void submit(TargetType type, const Uuid& target, const Uuid& reviewer, int rating, const Uuid& id = review_id) {
    happen(StreamKind::review, id,
           review::ReviewSubmitted{.review_id = id,
                                   .target_type = type,
                                   .target_id = target,
                                   .seller_id = ana,
                                   .reviewer_id = reviewer,
                                   .rating = rating,
                                   .review_text = "Good"});
  }
  void edit(TargetType type, const Uuid& target, int from, int to) {
    happen(StreamKind::review, review_id,
           review::ReviewEdited{.review_id = review_id,
                                .target_type = type,
                                .target_id = target,
                                .seller_id = ana,
                                .reviewer_id = bo,
                                .old_rating = from,
                                .rating = to});
  }
  void remove(TargetType type, const Uuid& target, int rating) {
    happen(StreamKind::review, review_id,
           review::ReviewRemoved{.review_id = review_id,
                                 .target_type = type,
                                 .target_id = target,
                                 .seller_id = ana,
                                 .reviewer_id = bo,
                                 .old_rating = rating});
  }
  void offer_product() {
    product::ProductCreated e;
    e.product_id = product_id;
    e.seller_id = ana;
    e.title = "Loops";
    e.slug = "loops";
    e.price_cents = 1'000;
    e.currency = "USD";
    happen(StreamKind::product, product_id, e);
    happen(StreamKind::product, product_id, product::ProductPublished{.product_id = product_id});
  }
  void offer_service() {
    service::ServiceCreated e;
    e.service_id = service_id;
    e.seller_id = ana;
    e.title = "Mastering";
    e.slug = "mastering";
    happen(StreamKind::service, service_id, e);
    happen(StreamKind::service, service_id, service::ServicePublished{.service_id = service_id});
  }
};

TEST_F(ReviewRows, anyone_reads_them) {  // PA-81, PA-82, A-PA-39
  submit(TargetType::webinar, mixing, bo, 4);
  happen(StreamKind::review, review_id,
         review::ReviewResponded{
             .review_id = review_id, .seller_id = ana, .reviewer_id = bo, .response = "Thanks", .responded_at = written_.now});
  const std::string query =
      "SELECT reviewer_id, reviewable_type, reviewable_id, seller_id, rating, review_text, seller_response, "
      "seller_responded_at IS NOT NULL, is_verified_purchase, helpful_count FROM producers_avenue.reviews";
  const Lines row{to_string(bo) + " webinar " + to_string(mixing) + " " + to_string(ana) + " 4 Good Thanks t t 0"};
  EXPECT_EQ(as_anyone(query), row);
  EXPECT_EQ(as(eve, query), row);
  EXPECT_EQ(as_service(query), row);
}

TEST_F(ReviewRows, an_edit_keeps_the_response_and_a_removal_forgets_it) {  // PA-82
  submit(TargetType::webinar, mixing, bo, 4);
  happen(StreamKind::review, review_id,
         review::ReviewResponded{
             .review_id = review_id, .seller_id = ana, .reviewer_id = bo, .response = "Thanks", .responded_at = written_.now});
  edit(TargetType::webinar, mixing, 4, 1);
  const std::string query = "SELECT rating, review_text, seller_response FROM producers_avenue.reviews";
  EXPECT_EQ(as(bo, query), Lines{"1 - Thanks"});
  remove(TargetType::webinar, mixing, 1);
  EXPECT_EQ(as(bo, query), Lines{});
  submit(TargetType::webinar, mixing, bo, 5);
  EXPECT_EQ(as(bo, query), Lines{"5 Good -"});
  expect_same_twin();
}

TEST_F(ReviewRows, a_webinars_rating_is_its_sum_by_its_count) {  // X-14, A-PA-39
  submit(TargetType::webinar, mixing, bo, 4);
  submit(TargetType::webinar, mixing, di, 5, test_id(4002));
  submit(TargetType::webinar, mixing, cy, 5, test_id(4003));
  submit(TargetType::webinar, beats, di, 3, test_id(4004));
  const std::string query =
      "SELECT host_id, rating_average, reviews_count FROM producers_avenue.webinar_ratings ORDER BY webinar_id";
  EXPECT_EQ(as_anyone(query), (Lines{to_string(ana) + " 4.67 3", to_string(ana) + " 3.00 1"}));
  edit(TargetType::webinar, mixing, 4, 1);
  EXPECT_EQ(as(eve, query).front(), to_string(ana) + " 3.67 3");
  remove(TargetType::webinar, mixing, 1);
  EXPECT_EQ(as(eve, query).front(), to_string(ana) + " 5.00 2");
}

TEST_F(ReviewRows, products_and_services_carry_theirs) {  // PA-58, PA-67, X-14
  offer_product();
  offer_service();
  submit(TargetType::product, product_id, bo, 4);
  submit(TargetType::product, product_id, di, 5, test_id(4002));
  submit(TargetType::service, service_id, di, 2, test_id(4003));
  edit(TargetType::product, product_id, 4, 2);
  EXPECT_EQ(as_anyone("SELECT rating_average, reviews_count FROM producers_avenue.products"), Lines{"3.50 2"});
  EXPECT_EQ(as_anyone("SELECT rating_average, reviews_count FROM producers_avenue.services"), Lines{"2.00 1"});
  remove(TargetType::product, product_id, 2);
  EXPECT_EQ(as_anyone("SELECT rating_average, reviews_count FROM producers_avenue.products"), Lines{"5.00 1"});
  expect_same_twin();
}

// ---- subscriptions

class SubscriptionRows : public MarketplaceRows {
 protected:
  template <class E>
  void on_subscription(E e) {
    e.account_id = ana;
    happen(StreamKind::subscription, ana, std::move(e));
  }
  void activate(Tier tier = Tier::premium) {
    on_subscription(subscription::SubscriptionActivated{.tier = tier,
                                                        .interval = Interval::monthly,
                                                        .price_cents = 1'999,
                                                        .period_start = written_.now,
                                                        .period_end = written_.now + 30 * day_us});
    on_subscription(subscription::SubscriptionLinked{
        .stripe_subscription_id = "sub_1", .stripe_customer_id = "cus_1", .stripe_price_id = "price_1"});
  }
  void start_basic() { on_subscription(subscription::SubscriptionStarted{}); }
  Lines plan() { return as(ana, "SELECT tier, interval, status, next_tier, next_interval FROM producers_avenue.subscriptions"); }
  Lines stripe() {
    return as(ana, "SELECT stripe_subscription_id, stripe_customer_id, stripe_price_id FROM producers_avenue.subscriptions");
  }
  Lines dates() {
    return as(ana,
              "SELECT current_period_end - current_period_start, trial_end = current_period_end, cancel_at = current_period_end, "
              "cancelled_at IS NOT NULL FROM producers_avenue.subscriptions");
  }
};

TEST_F(SubscriptionRows, everyone_reads_their_own) {  // PA-15, PA-36, PA-39
  const std::string query = "SELECT user_id, tier, interval, status FROM producers_avenue.subscriptions";
  EXPECT_EQ(as(bo, query), Lines{to_string(bo) + " basic - active"});
  EXPECT_EQ(as(test_id(9), query), Lines{});
  EXPECT_EQ(as_anyone(query), Lines{});
  EXPECT_EQ(as_service(query).size(), 5u);
  EXPECT_EQ(plan(), Lines{"basic - active - -"});
  EXPECT_EQ(dates(), Lines{"- - - f"});
}

TEST_F(SubscriptionRows, a_plan_has_its_period_and_the_providers_ids) {  // PA-35, PA-36
  on_subscription(subscription::CheckoutStarted{.payment_id = test_id(5001), .tier = Tier::premium});
  EXPECT_EQ(plan(), Lines{"basic - active - -"});
  activate();
  EXPECT_EQ(plan(), Lines{"premium monthly active - -"});
  EXPECT_EQ(stripe(), Lines{"sub_1 cus_1 price_1"});
  EXPECT_EQ(dates(), Lines{"30 days - - f"});
  on_subscription(subscription::PlanChangeScheduled{.tier = Tier::standard, .interval = Interval::annual});
  EXPECT_EQ(plan(), Lines{"premium monthly active standard annual"});
  on_subscription(subscription::PlanChanged{.tier = Tier::standard, .interval = Interval::annual});
  on_subscription(subscription::SubscriptionRenewed{.period_start = written_.now, .period_end = written_.now + 365 * day_us});
  EXPECT_EQ(plan(), Lines{"standard annual active - -"});
  EXPECT_EQ(dates(), Lines{"365 days - - f"});
  on_subscription(subscription::PlanChangeScheduled{.tier = Tier::standard, .interval = Interval::monthly});
  on_subscription(subscription::PlanChangeWithdrawn{});
  EXPECT_EQ(plan(), Lines{"standard annual active - -"});
}

TEST_F(SubscriptionRows, a_trial_is_active_and_says_when_it_ends) {  // PA-37
  on_subscription(subscription::TrialStarted{.tier = Tier::standard,
                                             .interval = Interval::monthly,
                                             .period_start = written_.now,
                                             .period_end = written_.now + 14 * day_us});
  EXPECT_EQ(plan(), Lines{"standard monthly active - -"});
  EXPECT_EQ(dates(), Lines{"14 days t - f"});
  on_subscription(subscription::SubscriptionRenewed{.period_start = written_.now, .period_end = written_.now + 30 * day_us});
  EXPECT_EQ(dates(), Lines{"30 days - - f"});
}

TEST_F(SubscriptionRows, unpaid_ones_keep_their_plan_until_they_end) {  // PA-37, A-PA-50
  activate();
  on_subscription(subscription::SubscriptionPastDue{.reason = "declined"});
  EXPECT_EQ(plan(), Lines{"premium monthly past_due - -"});
  on_subscription(subscription::SubscriptionUnpaid{});
  EXPECT_EQ(plan(), Lines{"premium monthly unpaid - -"});
  on_subscription(subscription::SubscriptionRenewed{.period_start = written_.now, .period_end = written_.now + 30 * day_us});
  EXPECT_EQ(plan(), Lines{"premium monthly active - -"});
}

TEST_F(SubscriptionRows, a_cancelled_one_ends_basic_and_says_when) {  // A-PA-51
  const std::string times = "SELECT created_at, updated_at > created_at FROM producers_avenue.subscriptions";
  const std::string created = as(ana, times).front();
  activate();
  on_subscription(subscription::CancelScheduled{.cancel_at = written_.now + 30 * day_us});
  EXPECT_NE(as(ana, "SELECT cancel_at FROM producers_avenue.subscriptions"), Lines{"-"});
  on_subscription(subscription::CancelUndone{});
  EXPECT_EQ(as(ana, "SELECT cancel_at FROM producers_avenue.subscriptions"), Lines{"-"});
  on_subscription(subscription::CancelScheduled{.cancel_at = written_.now + 30 * day_us});
  on_subscription(subscription::SubscriptionCancelled{.cancelled_at = written_.now, .stripe_subscription_id = "sub_1"});
  start_basic();
  EXPECT_EQ(plan(), Lines{"basic - active - -"});
  EXPECT_EQ(stripe(), Lines{"- cus_1 -"});
  EXPECT_EQ(dates(), Lines{"- - - t"});
  EXPECT_EQ(as(ana, times).front(), created.substr(0, created.rfind(' ')) + " t");
  activate(Tier::standard);
  EXPECT_EQ(dates(), Lines{"30 days - - f"});
  expect_same_twin();
}

TEST_F(SubscriptionRows, a_partner_is_ultimate_without_the_provider) {  // PA-9, A-PA-8
  on_subscription(subscription::SubscriptionLinked{.stripe_customer_id = "cus_1"});
  on_subscription(subscription::PartnerGranted{});
  EXPECT_EQ(plan(), Lines{"ultimate - active - -"});
  EXPECT_EQ(stripe(), Lines{"- - -"});
  const std::string query = "SELECT is_partner_account FROM producers_avenue.user_profiles ORDER BY user_id LIMIT 2";
  EXPECT_EQ(as_anyone(query), (Lines{"t", "f"}));
  on_subscription(subscription::PartnerRevoked{});
  start_basic();
  EXPECT_EQ(plan(), Lines{"basic - active - -"});
  EXPECT_EQ(as_anyone(query), (Lines{"f", "f"}));
}

TEST_F(SubscriptionRows, a_renewal_is_a_transaction) {  // PA-84, A-PA-22
  activate();
  on_subscription(subscription::SubscriptionPaid{
      .payment_id = test_id(5001), .amount_cents = 1'999, .fee_cents = 88, .currency = "USD", .external_id = "in_1"});
  const std::string query =
      "SELECT buyer_id, seller_id, transaction_type, amount_total, amount_fees, amount_commission, amount_seller, status "
      "FROM producers_avenue.transactions";
  EXPECT_EQ(as_service(query), Lines{to_string(ana) + " - subscription_payment 1999 88 1911 0 completed"});
  EXPECT_EQ(as(ana, query), Lines{to_string(ana) + " - subscription_payment 1999 - - - completed"});
  EXPECT_EQ(as(bo, query), Lines{});
}

// ---- profiles

class ProfileRows : public ReviewRows {
 protected:
  void show(ProfileVisibility profile, LocationVisibility location) {
    account::MemberProfileUpdated e;
    e.account_id = ana;
    e.bio = "Beats and more.";
    e.banner_url = "https://pictures.example/banner";
    e.smart_link = "https://rolink.me/ana";
    e.website_url = "https://ana.example";
    e.experience_level = ::account::v1::MemberLevel::veteran;
    e.profile_visibility = profile;
    e.location_visibility = location;
    happen(StreamKind::account, ana, e);
  }
  void locate() {
    account::LocationSet e;
    e.account_id = ana;
    e.location_city = "Aarhus";
    e.location_country = "Denmark";
    e.longitude_microdegrees = 10'203'921;
    e.latitude_microdegrees = 56'162'939;
    e.location_source = ::account::v1::LocationSource::gps;
    happen(StreamKind::account, ana, e);
  }
  // A query of Ana's profile.
  static std::string of_ana(const std::string& columns) {
    return "SELECT " + columns + " FROM producers_avenue.user_profiles WHERE user_id = '" + to_string(ana) + "'";
  }
};

TEST_F(ProfileRows, everyone_reads_profiles) {  // PA-3, PA-14
  const std::string query =
      "SELECT display_name, role, profile_visibility, is_partner_account, followers_count, is_banned FROM "
      "producers_avenue.user_profiles WHERE user_id = '" +
      to_string(ana) + "'";
  const Lines row{"Ana member public f 0 f"};
  EXPECT_EQ(as_anyone(query), row);
  EXPECT_EQ(as(eve, query), row);
  EXPECT_EQ(as_service(query), row);
  account::AccountUpdated e;
  e.account_id = ana;
  e.display_name = "Anna";
  e.timezone = "UTC";
  e.avatar_url = "https://pictures.example/ana";
  happen(StreamKind::account, ana, e);
  EXPECT_EQ(as(eve, "SELECT avatar_url FROM producers_avenue.user_profiles WHERE display_name = 'Anna'"),
            Lines{"https://pictures.example/ana"});
  // The private half stays private.
  EXPECT_EQ(as(eve, "SELECT account_id FROM producers_avenue_rm.accounts"), Lines{to_string(eve)});
}

TEST_F(ProfileRows, a_profile_is_what_its_member_shows) {  // PA-3, PA-5, PA-10
  const std::string query = of_ana("username, bio, banner_url, smart_link, website_url, experience_level");
  EXPECT_EQ(as_anyone(query), Lines{"user_Ana - - - - -"});
  show(ProfileVisibility::public_, LocationVisibility::hidden);
  account::UsernameChanged renamed;
  renamed.account_id = ana;
  renamed.username = "Ana.Beats";
  happen(StreamKind::account, ana, renamed);
  EXPECT_EQ(as_anyone(query),
            Lines{"Ana.Beats Beats and more. https://pictures.example/banner https://rolink.me/ana https://ana.example veteran"});
  account::MemberProfileUpdated emptied;
  emptied.account_id = ana;
  happen(StreamKind::account, ana, emptied);
  EXPECT_EQ(as_anyone(query), Lines{"Ana.Beats - - - - -"});
  expect_same_twin();
}

TEST_F(ProfileRows, profiles_are_for_whom_they_are_shown_to) {  // PA-7, PA-14
  struct Case {
    ProfileVisibility visibility;
    const char* text;
    bool anyone, signed_in;
  };
  for (const auto& c : {Case{ProfileVisibility::public_, "public", true, true},
                        Case{ProfileVisibility::members_only, "members_only", false, true},
                        Case{ProfileVisibility::private_, "private", false, false}}) {
    SCOPED_TRACE(c.text);
    show(c.visibility, LocationVisibility::exact);
    locate();
    const Lines row{std::string(c.text) + " Aarhus"};
    const std::string query = of_ana("profile_visibility, location_city");
    EXPECT_EQ(as_anyone(query), c.anyone ? row : Lines{});
    EXPECT_EQ(as(eve, query), c.signed_in ? row : Lines{});
    EXPECT_EQ(as(ana, query), row);
    EXPECT_EQ(as_service(query), row);
    // Nor is there a way around it, by the tables of which the view is made.
    for (const char* table : {"member_countries", "member_cities", "member_positions"}) {
      const std::string all = std::string("SELECT count(*) FROM producers_avenue_rm.") + table;
      EXPECT_EQ(as_anyone(all), Lines{c.anyone ? "1" : "0"}) << table;
      EXPECT_EQ(as(eve, all), Lines{c.signed_in ? "1" : "0"}) << table;
    }
  }
}

TEST_F(ProfileRows, as_much_of_a_place_is_read_as_is_shown) {  // PA-8, PA-12, A-PA-41
  const std::string query = of_ana("location_visibility, location_country, location_city, location_coords, location_source");
  EXPECT_EQ(as(ana, query), Lines{"hidden - - - -"});
  locate();  // Not shown until its member says so.
  EXPECT_EQ(as_anyone(query), Lines{"hidden - - - -"});
  struct Case {
    LocationVisibility visibility;
    std::string others, own;
  };
  for (const auto& c : {Case{LocationVisibility::exact, "exact Denmark Aarhus (10.203921,56.162939) gps",
                             "exact Denmark Aarhus (10.203921,56.162939) gps"},
                        Case{LocationVisibility::city, "city Denmark Aarhus - gps", "city Denmark Aarhus - gps"},
                        Case{LocationVisibility::country, "country Denmark - - gps", "country Denmark Aarhus - gps"},
                        Case{LocationVisibility::hidden, "hidden - - - -", "hidden Denmark Aarhus - gps"}}) {
    SCOPED_TRACE(c.others);
    show(ProfileVisibility::public_, c.visibility);
    EXPECT_EQ(as_anyone(query), Lines{c.others});
    EXPECT_EQ(as(eve, query), Lines{c.others});
    EXPECT_EQ(as(ana, query), Lines{c.own});
    EXPECT_EQ(as_service(query), Lines{c.own});
    const bool is_exact = c.visibility == LocationVisibility::exact;
    for (const Uuid& who : {ana, eve})
      EXPECT_EQ(as(who, "SELECT count(*) FROM producers_avenue_rm.member_positions"), Lines{is_exact ? "1" : "0"});
  }
  expect_same_twin();
}

TEST_F(ProfileRows, a_location_says_when_it_changed_in_utc) {  // A-PA-60
  const std::string query = of_ana("location_last_updated = updated_at AT TIME ZONE 'UTC', location_source");
  locate();
  EXPECT_EQ(as(ana, query), Lines{"t gps"});
  show(ProfileVisibility::public_, LocationVisibility::exact);
  EXPECT_EQ(as(ana, query), Lines{"f gps"});  // The profile changed, not the location.
  account::LocationSet gone;
  gone.account_id = ana;
  happen(StreamKind::account, ana, gone);
  EXPECT_EQ(as(ana, query), Lines{"- -"});
}

TEST_F(ProfileRows, why_somebody_is_banned_is_theirs_to_read) {  // PA-13
  happen(StreamKind::account, ana, account::AccountBanned{.account_id = ana, .reason = "spam"});
  const std::string query =
      "SELECT is_banned, ban_reason, banned_at IS NOT NULL FROM producers_avenue.user_profiles WHERE user_id = '" +
      to_string(ana) + "'";
  EXPECT_EQ(as(eve, query), Lines{"t - f"});
  EXPECT_EQ(as(ana, query), Lines{"t spam t"});
  EXPECT_EQ(as_service(query), Lines{"t spam t"});
  happen(StreamKind::account, ana, account::AccountUnbanned{.account_id = ana});
  EXPECT_EQ(as(ana, query), Lines{"f - f"});
  expect_same_twin();
}

TEST_F(ProfileRows, live_products_are_counted_the_same_for_all) {  // PA-66
  const std::string query = "SELECT products_count FROM producers_avenue.user_profiles WHERE user_id = '" + to_string(ana) + "'";
  offer_product();
  product::ProductCreated draft;
  draft.product_id = test_id(2010);
  draft.seller_id = ana;
  draft.title = "Draft";
  draft.slug = "draft";
  draft.currency = "USD";
  happen(StreamKind::product, draft.product_id, draft);
  for (const Uuid& who : {ana, eve}) EXPECT_EQ(as(who, query), Lines{"1"});
  EXPECT_EQ(as_anyone(query), Lines{"1"});
  EXPECT_EQ(as_service(query), Lines{"1"});
  happen(StreamKind::product, product_id, product::ProductPaused{.product_id = product_id});
  for (const Uuid& who : {ana, eve}) EXPECT_EQ(as(who, query), Lines{"0"});
}

// ---- all

// The seed's tables: every column, in its order, with its type; ours come after. user_profiles has an id and times by PA-1.
TEST_F(MarketplaceRows, columns_are_the_seeds) {
  const std::string times = ", created_at timestamp with time zone, updated_at timestamp with time zone";
  const std::map<std::string, std::string> seed{
      {"user_profiles",
       "id uuid, user_id uuid, username text, display_name text, bio text, avatar_url text, banner_url text, smart_link text, "
       "location_city text, location_country text, location_coords point, location_source text, location_visibility text, "
       "location_last_updated timestamp without time zone, experience_level text, website_url text, role text, "
       "profile_visibility text, is_partner_account boolean, followers_count integer, following_count integer, "
       "products_count integer, is_banned boolean, ban_reason text, banned_at timestamp with time zone, banned_by uuid" +
           times + ", last_event_position bigint"},
      {"subscriptions",
       "id uuid, user_id uuid, tier text, interval text, status text, stripe_subscription_id text, stripe_customer_id text, "
       "stripe_price_id text, current_period_start timestamp with time zone, current_period_end timestamp with time zone, "
       "cancel_at timestamp with time zone, cancelled_at timestamp with time zone" +
           times + ", last_event_position bigint, trial_end timestamp with time zone, next_tier text, next_interval text"},
      {"webinars",
       "id uuid, host_id uuid, co_hosts uuid[], title text, slug text, description text, thumbnail_url text, "
       "cover_image_url text, scheduled_at timestamp with time zone, duration_minutes integer, price numeric(10,2), "
       "max_attendees integer, room_id text, recording_url text, status text, category_id uuid, tags text[], "
       "registrations_count integer, attendees_count integer, is_recorded boolean, recording_available boolean" +
           times + ", last_event_position bigint, currency text, rating_average numeric(3,2), reviews_count integer"},
      {"webinar_registrations",
       "id uuid, webinar_id uuid, user_id uuid, payment_status text, attended boolean, attended_at timestamp with time zone, "
       "created_at timestamp with time zone, last_event_position bigint, status text"},
      {"reviews",
       "id uuid, reviewer_id uuid, reviewable_type text, reviewable_id uuid, seller_id uuid, rating integer, review_text text, "
       "seller_response text, seller_responded_at timestamp with time zone, is_verified_purchase boolean, helpful_count integer" +
           times + ", last_event_position bigint"},
  };
  pqxx::connection connection(url_);
  pqxx::work tx(connection);
  for (const auto& [view, columns] : seed)
    EXPECT_EQ(tx.exec_params1("SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) "
                              "FROM pg_attribute WHERE attrelid = ('producers_avenue.' || $1)::regclass AND attnum > 0",
                              view)[0]
                  .as<std::string>(),
              columns)
        << view;
}

}  // namespace
}  // namespace guildhall
