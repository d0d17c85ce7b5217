// Webinars: PA-77, PA-78, A-PA-14, A-PA-54, §9 LiveEvent, M-11, and the timers of ledger.md.
#include "aggregates/product.h"
#include "aggregates/slug.h"
#include "tests/aggregates/webinars.h"

namespace guildhall::testing {
namespace {

using namespace webinar;

class Webinar : public Webinars {};

TEST_F(Webinar, is_scheduled_by_its_host) {  // PA-77
  auto c = plan(2'000, 40);
  c.description = "All of it.";
  const Uuid id = schedule(c);
  const auto& s = webinar_of(id);
  EXPECT_EQ(s.status, WebinarStatus::upcoming);
  EXPECT_EQ(s.host_id, host);
  EXPECT_EQ(s.price_cents, 2'000);
  EXPECT_EQ(s.currency, "USD");
  EXPECT_EQ(s.max_attendees, 40);
  EXPECT_EQ(bucket_of(id), test_bucket);
  EXPECT_TRUE(s.slug.starts_with("mixing-drums-")) << s.slug;
  as(user(ana)).when(plan()).then_rejected(Code::account_not_found);
  ban(host);
  as(user(host)).when(plan()).then_rejected(Code::account_banned);
}

TEST_F(Webinar, is_scheduled_for_later) {  // PA-77
  auto c = plan();
  c.scheduled_at = now;
  as(user(host)).when(c).then_rejected(Code::scheduled_in_past);
  c.scheduled_at = now + 1;
  when(c).then_accepted();
}

TEST_F(Webinar, costs_nothing_or_the_smallest_price_at_least) {  // A-PA-13
  as(user(host)).when(plan(99)).then_rejected(Code::price_below_minimum);
  when(plan(100)).then_accepted();
  when(plan(0)).then_accepted();
}

TEST_F(Webinar, co_hosts_are_for_premium_hosts) {  // PA-78, M-5
  auto c = plan();
  c.co_hosts = {ana, bo};
  as(user(host)).when(c).then_rejected(Code::co_hosts_need_premium);
  give(host, Tier::standard);
  when(c).then_rejected(Code::co_hosts_need_premium);
  give(host, Tier::premium);
  when(c).then_accepted();
  give(host, Tier::ultimate);
  when(c).then_accepted();
}

TEST_F(Webinar, co_hosts_are_other_people_each_once) {  // PA-77
  give(host, Tier::premium);
  auto c = plan();
  c.co_hosts = {host};
  as(user(host)).when(c).then_rejected(Code::co_host_listed_twice);
  c.co_hosts = {ana, ana};
  when(c).then_rejected(Code::co_host_listed_twice);
  c.co_hosts = {id_of("nobody")};
  when(c).then_rejected(Code::account_not_found);
  ban(bo);
  c.co_hosts = {bo};
  as(user(host)).when(c).then_rejected(Code::account_banned);
}

TEST_F(Webinar, co_hosts_of_a_downgraded_host_stay) {  // A-PA-54
  give(host, Tier::premium);
  auto c = plan();
  c.co_hosts = {ana, bo};
  const Uuid id = schedule(c);
  give(host, Tier::basic);
  auto e = change(id);
  e.title = "Mixing more drums";
  when(e).then_accepted();
  e.co_hosts = {bo, cy};
  when(e).then_rejected(Code::co_hosts_need_premium);
  e.co_hosts = {bo};
  when(e).then_accepted();
  EXPECT_EQ(webinar_of(id).co_hosts, std::vector{bo});
}

TEST_F(Webinar, is_replaced_while_upcoming) {  // PA-78
  const Uuid id = schedule();
  const std::string slug = webinar_of(id).slug;
  auto e = change(id);
  when(e).then_nothing();
  e.title = "Recording drums";
  e.duration_minutes = 90;
  when(e).then_accepted();
  EXPECT_EQ(webinar_of(id).title, "Recording drums");
  EXPECT_EQ(webinar_of(id).slug, slug) << "links that people keep";
  as(user(ana)).when(e).then_rejected(Code::host_only);
  start(id).then_accepted();
  e.title = "Too late";
  when(e).then_rejected(Code::webinar_not_upcoming);
}

TEST_F(Webinar, has_at_least_the_seats_that_are_taken) {  // PA-77
  const Uuid id = schedule(0, 5);
  enlist(id, ana).then_accepted();
  enlist(id, bo).then_accepted();
  auto e = change(id);
  e.max_attendees = 1;
  as(user(host)).when(e).then_rejected(Code::max_attendees_too_low);
  e.max_attendees = 2;
  when(e).then_accepted();
  enlist(id, cy).then_rejected(Code::webinar_full);
  e.max_attendees = std::nullopt;
  as(user(host)).when(e).then_accepted();
  enlist(id, cy).then_accepted();
}

TEST_F(Webinar, its_version_does_not_count_registrations) {  // PA-77: a host's If-Match during a rush
  const Uuid id = schedule(price, 3);
  const auto version = [&] { return resource<WebinarView>({{StreamKind::webinar, id}}).version; };
  const std::uint64_t before = version();
  paid(id, ana);
  enlist(id, bo).then_accepted();
  leave(id, bo).then_accepted();
  EXPECT_EQ(version(), before);
  EXPECT_EQ(resource<WebinarView>({{StreamKind::webinar, id}}).registrations_count, 1) << "but they are counted";
  auto e = change(id);
  e.title = "Mixing more drums";
  as(user(host)).when(e).then_accepted();
  EXPECT_EQ(version(), before + 1);
}

TEST_F(Webinar, a_new_price_does_not_touch_registrations) {  // PA-74 in spirit, PA-79
  const Uuid id = schedule(2'000);
  enlist(id, ana).then_accepted();
  auto e = change(id);
  e.price_cents = 3'000;
  as(user(host)).when(e).then_accepted();
  EXPECT_EQ(registration_of(id, ana).amount_cents, 2'000);
  EXPECT_EQ(payment_of(id, ana).amount_cents, 2'000);
  enlist(id, bo).then_accepted();
  EXPECT_EQ(payment_of(id, bo).amount_cents, 3'000);
}

TEST_F(Webinar, goes_from_upcoming_to_live_to_ended) {  // PA-78, §9
  const Uuid id = schedule();
  end(id).then_rejected(Code::webinar_not_live);
  as(user(ana)).when(StartWebinar{.webinar_id = id, .room_id = "room"}).then_rejected(Code::host_only);
  start(id).then_accepted();
  start(id).then_nothing();
  EXPECT_EQ(webinar_of(id).status, WebinarStatus::live);
  cancel(id).then_rejected(Code::webinar_not_upcoming);
  end(id).then({WebinarEnded{.webinar_id = id, .ended_at = now}});
  end(id).then_nothing();
  start(id).then_rejected(Code::webinar_not_upcoming);
}

TEST_F(Webinar, is_seen_by_others_until_it_is_over) {  // PA-78
  give(host, Tier::premium);
  auto c = plan();
  c.co_hosts = {bo};
  const Uuid id = schedule(c);
  EXPECT_TRUE(shows_to(webinar_of(id), user(ana)));
  start(id).then_accepted();
  EXPECT_TRUE(shows_to(webinar_of(id), user(ana)));
  end(id).then_accepted();
  EXPECT_FALSE(shows_to(webinar_of(id), user(ana)));
  EXPECT_TRUE(shows_to(webinar_of(id), user(bo)));
  EXPECT_TRUE(shows_to(webinar_of(id), user(host)));
  as(user(ana)).when(EndWebinar{.webinar_id = id}).then_rejected(Code::webinar_not_found);
}

TEST_F(Webinar, the_recording_comes_after_the_end) {  // PA-77
  const Uuid id = schedule();
  const AttachRecording c{.webinar_id = id, .recording_url = "https://example.com/r.mp4"};
  as(user(host)).when(c).then_rejected(Code::webinar_not_ended);
  start(id).then_accepted();
  when(c).then_rejected(Code::webinar_not_ended);
  end(id).then_accepted();
  when(c).then({RecordingAttached{.webinar_id = id, .recording_url = "https://example.com/r.mp4"}});
  when(c).then_nothing();
}

// ---- its recording as a product

// An ended webinar with a recording.
struct Recorded : Webinar {
  Uuid recorded() {
    const Uuid id = schedule();
    start(id).then_accepted();
    end(id).then_accepted();
    as(user(host)).when(AttachRecording{.webinar_id = id, .recording_url = "https://cdn.example/r.mp4"}).then_accepted();
    return id;
  }
  static product::ConvertWebinarRecording sale_of(const Uuid& webinar, std::int64_t price_cents = 1'500) {
    product::ConvertWebinarRecording c;
    c.webinar_id = webinar;
    c.title = "Mixing drums, recorded";
    c.description = "All of it.";
    c.price_cents = price_cents;
    c.file_types = {"mp4"};
    c.tags = {"drums"};
    return c;
  }
};

TEST_F(Recorded, becomes_a_draft_of_its_host) {  // PA-62, PA-59
  const Uuid id = recorded();
  auto c = sale_of(id);
  const Uuid command = next_command_id();
  const Uuid product_id = derive_in_group("product", command, 0, test_bucket);
  product::ProductCreated created;
  created.product_id = product_id;
  created.seller_id = host;
  created.slug = slug_of(c.title, product_id);
  created.product_type = ::product::v1::ProductType::recorded_webinar;
  created.source_webinar_id = id;
  created.title = c.title;
  created.description = c.description;
  created.file_urls = {"https://cdn.example/r.mp4"};
  created.file_types = {"mp4"};
  created.price_cents = 1'500;
  created.currency = "USD";
  created.tags = {"drums"};
  const Outcome outcome = as(user(host)).when(c, command);
  outcome.then({created, RecordingConverted{.webinar_id = id, .product_id = product_id}});
  EXPECT_TRUE(outcome.decision()->created);
  EXPECT_EQ(state<ProductState>(product_id).status, ::product::v1::Status::draft) << "never on sale by itself";
  EXPECT_EQ(resource<WebinarView>({{StreamKind::webinar, id}}).product_id, product_id);
  EXPECT_EQ(resource<product::ProductView>({{StreamKind::product, product_id}}).source_webinar_id, id);
  when(product::PublishProduct{.product_id = product_id}).then_accepted();
}

TEST_F(Recorded, is_not_shown_by_its_product) {  // PA-62, A-PA-24: files are for who owns it
  const Uuid id = recorded();
  const Uuid product_id = as(user(host)).when(sale_of(id)).then_accepted().subject.stream.id;
  const auto view = resource<product::ProductView>({{StreamKind::product, product_id}});
  EXPECT_EQ(encode(AnyResource(view)).find("cdn.example"), std::string::npos);
  EXPECT_FALSE(shows_to(state<ProductState>(product_id), user(ana)));
}

TEST_F(Recorded, becomes_a_product_once_for_ever) {  // PA-62: 1:1
  const Uuid id = recorded();
  const Uuid product_id = as(user(host)).when(sale_of(id)).then_accepted().subject.stream.id;
  when(sale_of(id)).then_rejected(Code::recording_converted);
  when(product::DeleteProduct{.product_id = product_id}).then_accepted();
  when(sale_of(id)).then_rejected(Code::recording_converted);
  as(admin(id_of("boss"))).when(sale_of(id)).then_rejected(Code::recording_converted);
  as(user(host)).when(AttachRecording{.webinar_id = id, .recording_url = "https://cdn.example/cut.mp4"}).then_accepted();
  when(sale_of(id)).then_rejected(Code::recording_converted);
  EXPECT_EQ(state<ProductState>(product_id).file_urls, std::vector<std::string>{"https://cdn.example/r.mp4"});
}

TEST_F(Recorded, is_converted_by_its_host_after_the_end) {  // PA-62, PA-78
  give(host, Tier::premium);
  auto planned = plan();
  planned.co_hosts = {bo};
  const Uuid id = schedule(planned);
  const auto c = sale_of(id);
  as(user(ana)).when(c).then_rejected(Code::host_only);  // Everybody knows an upcoming one.
  as(user(host)).when(c).then_rejected(Code::webinar_not_ended);
  start(id).then_accepted();
  when(c).then_rejected(Code::webinar_not_ended);
  end(id).then_accepted();
  when(c).then_rejected(Code::webinar_without_recording);
  when(AttachRecording{.webinar_id = id, .recording_url = "https://cdn.example/r.mp4"}).then_accepted();
  as(user(ana)).when(c).then_rejected(Code::webinar_not_found);
  as(user(bo)).when(c).then_rejected(Code::host_only);
  as(user(host)).when(sale_of(id_of("none"))).then_rejected(Code::webinar_not_found);
  ban(host);
  as(user(host)).when(c).then_rejected(Code::account_banned);
  as(admin(id_of("boss"))).when(c).then_accepted();
}

TEST_F(Recorded, is_offered_like_any_product) {  // PA-62, PA-60, A-PA-13, A-PA-25
  const Uuid id = recorded();
  as(user(host)).when(sale_of(id, 99)).then_rejected(Code::price_below_minimum);
  auto c = sale_of(id);
  c.minimum_price_cents = 300;
  when(c).then_rejected(Code::minimum_price_unused);
  c = sale_of(id, 0);
  c.license_type = ::product::v1::LicenseType::exclusive;
  when(c).then_rejected(Code::exclusive_not_free);
  c = sale_of(id);
  c.license_type = ::product::v1::LicenseType::custom;
  when(c).then_rejected(Code::license_text_mismatch);
  c = sale_of(id, 0);
  const auto accepted = when(c).then_accepted();
  EXPECT_TRUE(state<ProductState>(accepted.subject.stream.id).is_free);
}

TEST_F(Recorded, of_a_cancelled_webinar_there_is_nothing) {  // PA-62
  const Uuid id = schedule();
  cancel(id).then_accepted();
  when(sale_of(id)).then_rejected(Code::webinar_not_ended);
}

// ---- timers

TEST_F(Webinar, not_started_an_hour_after_its_end_is_cancelled_and_refunded) {  // ledger.md: timers
  const Uuid id = schedule();
  const Uuid registration = paid(id, ana);
  wait_until(webinar_of(id).scheduled_at + 2 * hour_us - 1);
  EXPECT_EQ(webinar_of(id).status, WebinarStatus::upcoming);
  wait(second_us);
  EXPECT_EQ(webinar_of(id).status, WebinarStatus::cancelled);
  confirm_refunds(payment_of(id, ana).payment_id);
  EXPECT_EQ(state<RegistrationState>(registration).payment_status, PaymentStatus::refunded);
}

TEST_F(Webinar, a_moved_one_has_its_timer_moved) {  // ledger.md: timers
  const Uuid id = schedule();
  auto e = change(id);
  e.scheduled_at += 7 * day_us;
  when(e).then_accepted();
  wait(6 * day_us);
  EXPECT_EQ(webinar_of(id).status, WebinarStatus::upcoming);
  as(the_system()).when(CloseWebinar{.webinar_id = id}).then_nothing();
  wait(3 * day_us);
  EXPECT_EQ(webinar_of(id).status, WebinarStatus::cancelled);
}

TEST_F(Webinar, live_four_hours_beyond_its_duration_is_ended) {  // ledger.md: timers
  const Uuid id = schedule();
  start(id).then_accepted();
  wait(5 * hour_us - 1);
  EXPECT_EQ(webinar_of(id).status, WebinarStatus::live);
  wait(1);
  EXPECT_EQ(webinar_of(id).status, WebinarStatus::ended);
}

TEST_F(Webinar, one_that_is_late_may_still_be_changed_and_started) {  // PA-78
  const Uuid id = schedule();
  wait(day_us + 30 * minute_us);
  auto e = change(id);
  e.title = "Mixing drums, a bit later";
  as(user(host)).when(e).then_accepted();
  e.scheduled_at -= hour_us;
  when(e).then_rejected(Code::scheduled_in_past);
  start(id).then_accepted();
}

TEST_F(Webinar, its_end_starts_the_hold_of_every_paid_registration) {  // A-PA-14
  const Uuid id = schedule();
  paid(id, ana);
  paid(id, bo);
  enlist(id, cy).then_accepted();
  start(id).then_accepted();
  EXPECT_EQ(payment_of(id, ana).release_at, 0);
  end(id).then_accepted();
  const Micros ended_at = now;
  settle();
  for (const Uuid& who : {ana, bo}) {
    EXPECT_GE(payment_of(id, who).release_at, ended_at + 7 * 24 * hour_us);
    EXPECT_LT(payment_of(id, who).release_at, ended_at + 7 * 24 * hour_us + second_us);
  }
  EXPECT_EQ(payment_of(id, cy).release_at, 0) << "nothing has come yet";
  EXPECT_EQ(webinar_of(id).registrations_count, 3);
}

TEST_F(Webinar, its_cancellation_ends_every_registration_and_refunds_the_paid_ones) {  // M-11, A-PA-54
  const Uuid id = schedule();
  paid(id, ana);
  enlist(id, bo).then_accepted();
  paid(id, cy);
  leave(id, cy).then_accepted();
  cancel(id).then({WebinarCancelled{.webinar_id = id, .reason = "ill", .cancelled_at = now}});
  cancel(id).then_nothing();
  settle();
  EXPECT_EQ(webinar_of(id).registrations_count, 0);
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::cancelled);
  EXPECT_EQ(registration_of(id, bo).status, RegistrationStatus::cancelled);
  const auto refunds = only<payment::RefundRequested>(world.history());
  ASSERT_EQ(refunds.size(), 2u);
  EXPECT_TRUE(refunds[0].platform_bears_fee) << "cy cancelled before the start";
  EXPECT_EQ(refunds[1].payment_id, payment_of(id, ana).payment_id);
  EXPECT_FALSE(refunds[1].platform_bears_fee) << "ledger.md: the host's cancellation is the seller's";
  EXPECT_EQ(refunds[1].amount_cents, price);
  confirm_refunds(payment_of(id, ana).payment_id);
  EXPECT_EQ(registration_of(id, ana).payment_status, PaymentStatus::refunded);
  EXPECT_TRUE(timers(webinar_of(id)).empty());
}

TEST_F(Webinar, a_free_one_that_is_over_moves_no_money) {  // PA-77
  const Uuid id = schedule(0);
  enlist(id, ana).then_accepted();
  cancel(id).then_accepted();
  settle();
  EXPECT_EQ(registration_of(id, ana).status, RegistrationStatus::cancelled);
  EXPECT_TRUE(only<payment::PaymentInitiated>(world.history()).empty());
}

TEST_F(Webinar, without_registrations_settles_nothing) {  // M-11
  const Uuid id = schedule();
  cancel(id).then_accepted();
  EXPECT_TRUE(timers(webinar_of(id)).empty());
  as(the_system()).when(SettleWebinar{.webinar_id = id}).then_nothing();
}

TEST_F(Webinar, a_step_settles_a_hundred_registrations) {  // M-11
  constexpr int people = 2 * settled_per_step + 50;
  const Uuid id = schedule();
  for (int i = 10; i < 10 + people; ++i) {
    join(guest(i));
    paid(id, guest(i));
  }
  cancel(id).then_accepted();
  std::size_t steps = 0;
  while (!is_nil(webinar_of(id).settle_id)) {
    ++now;
    const auto accepted = as(the_system()).when(SettleWebinar{.webinar_id = id}).then_accepted();
    EXPECT_LE(only<payment::RefundRequested>(accepted.events).size(), settled_per_step);
    EXPECT_EQ(webinar_of(id).registrations_count, live_registrations(id));
    ASSERT_LE(++steps, 3u);
  }
  EXPECT_EQ(steps, 3u);
  when(SettleWebinar{.webinar_id = id}).then_nothing();
  std::set<Uuid, UuidLess> refunded;
  for (const auto& e : only<payment::RefundRequested>(world.history())) EXPECT_TRUE(refunded.insert(e.payment_id).second);
  EXPECT_EQ(refunded.size(), static_cast<std::size_t>(people));
}

TEST_F(Webinar, steps_follow_each_other_by_timers) {  // M-11: a timer fires once for a time
  constexpr int people = settled_per_step + 1;
  const Uuid id = schedule();
  for (int i = 10; i < 10 + people; ++i) {
    join(guest(i));
    paid(id, guest(i));
  }
  start(id).then_accepted();
  end(id).then_accepted();
  settle();
  EXPECT_TRUE(is_nil(webinar_of(id).settle_id));
  EXPECT_EQ(only<payment::HoldStarted>(world.history()).size(), static_cast<std::size_t>(people));
}

TEST_F(Webinar, only_timers_close_and_settle) {  // design: timers
  const Uuid id = schedule();
  as(user(host)).when(CloseWebinar{.webinar_id = id}).then_rejected(Code::webinar_not_found);
  when(SettleWebinar{.webinar_id = id}).then_rejected(Code::webinar_not_found);
}

}  // namespace
}  // namespace guildhall::testing
