// Who is told what, once: PA-102, PA-103, M-6, SO-10.
#include "aggregates/notification.h"

#include <set>

#include "aggregates/notification_inbox.h"
#include "aggregates/relation.h"
#include "aggregates/review.h"
#include "tests/aggregates/ordering.h"
#include "tests/aggregates/webinars.h"

namespace guildhall::testing {
namespace {

using namespace notification;
using notification_inbox::AllNotificationsRead;
using notification_inbox::MarkAllRead;
using notification_inbox::NotificationInboxView;
using ::notification::v1::Topic;
using ::notification::v1::Type;

using Topics = std::vector<Topic>;

// What somebody was told, in the order of its numbers. Checks that these are 1, 2, 3 …, and that no two say the same.
std::vector<NotificationRaised> told_to(const World& world, const Uuid& who) {
  std::vector<NotificationRaised> out;
  std::set<Uuid, UuidLess> ids;
  for (const auto& e : only<NotificationRaised>(world.history())) {
    if (e.user_id != who) continue;
    out.push_back(e);
    EXPECT_EQ(e.sequence, static_cast<std::int64_t>(out.size()));
    EXPECT_TRUE(ids.insert(e.notification_id).second);
    EXPECT_EQ(bucket_of(e.notification_id), bucket_of(who));
  }
  return out;
}
Topics topics(const std::vector<NotificationRaised>& told) {
  Topics out;
  for (const auto& e : told) out.push_back(e.topic);
  return out;
}

class Notification : public Ordering {
 public:
  const Uuid ana = member("ana"), bo = member("bo");

  // Delivers what was asked for since: never refused.
  void tell() {
    for (; !told.empty(); told.pop_front())
      EXPECT_TRUE(send(the_system(), told.front().command).decision().has_value());
  }
  Topics told_of(const Uuid& who) {
    tell();
    return topics(told_to(world, who));
  }
  // What these two were told since they were asked last.
  void expect_told(const Topics& buyer, const Topics& seller, std::source_location where = std::source_location::current()) {
    const ::testing::ScopedTrace trace(where.file_name(), static_cast<int>(where.line()), "expect_told");
    const Topics bought = told_of(bea), sold = told_of(sid);
    EXPECT_EQ(Topics(bought.begin() + static_cast<std::ptrdiff_t>(buyer_knew_), bought.end()), buyer);
    EXPECT_EQ(Topics(sold.begin() + static_cast<std::ptrdiff_t>(seller_knew_), sold.end()), seller);
    buyer_knew_ = bought.size();
    seller_knew_ = sold.size();
  }
  void follow(const Uuid& who, const Uuid& whom) {
    send(user(who), relation::Follow{.follower_id = who, .following_id = whom});
  }
  void unfollow(const Uuid& who, const Uuid& whom) {
    send(user(who), relation::Unfollow{.follower_id = who, .following_id = whom});
  }
  RaiseNotification raise(const Uuid& who, const Uuid& source) const {
    return {.user_id = who, .topic = Topic::order_paid, .source_id = source, .actor_id = bo, .related_id = source};
  }
  Outcome mark(const Uuid& who, std::optional<std::int64_t> up_to = {}) {
    return send(user(who), MarkAllRead{.user_id = who, .read_up_to = up_to});
  }

 private:
  std::size_t buyer_knew_ = 0, seller_knew_ = 0;
};

TEST_F(Notification, one_for_a_recipient_a_source_and_a_topic) {  // M-6, SO-10
  const Uuid source = id_of("source");
  const Uuid id = notification_id_of(ana, Topic::order_paid, source);
  send(the_system(), raise(ana, source))
      .then({NotificationRaised{.notification_id = id,
                                .user_id = ana,
                                .sequence = 1,
                                .type = Type::order,
                                .topic = Topic::order_paid,
                                .source_id = source,
                                .actor_id = bo,
                                .related_id = source}});
  send(the_system(), raise(ana, source)).then_nothing();
  auto other_topic = raise(ana, source);
  other_topic.topic = Topic::order_completed;
  send(the_system(), other_topic).then_accepted();
  send(the_system(), raise(ana, id_of("other source"))).then_accepted();
  send(the_system(), raise(bo, source)).then_accepted();
  EXPECT_EQ(told_to(world, ana).size(), 3u);
  EXPECT_EQ(told_to(world, bo).size(), 1u);
}

TEST_F(Notification, a_follow_once_ever_however_often_it_begins_anew) {  // SO-10, PA-103
  for (int i = 0; i < 100; ++i) {
    follow(ana, bo);
    unfollow(ana, bo);
  }
  follow(bo, ana);
  EXPECT_EQ(told_of(bo), Topics{Topic::followed});
  EXPECT_EQ(told_of(ana), Topics{Topic::followed});
  const auto told = told_to(world, bo)[0];
  EXPECT_EQ(told.type, Type::follow);
  EXPECT_EQ(told.actor_id, ana);
  EXPECT_EQ(told.related_id, follow_id_of(ana, bo));
}

TEST_F(Notification, a_refused_follow_and_a_block_tell_nobody) {  // M-13
  send(user(bo), relation::Block{.blocker_id = bo, .blocked_id = ana});
  follow(ana, bo);
  EXPECT_EQ(told_of(bo), Topics{});
  EXPECT_EQ(told_of(ana), Topics{});
}

TEST_F(Notification, an_order_tells_the_party_that_did_not_do_it) {  // M-6: orders
  const Uuid unpaid = unpaid_order();
  expect_told({}, {});
  settle();
  expect_told({}, {Topic::order_paid});
  const auto first = told_to(world, sid)[0];
  EXPECT_EQ(first.actor_id, bea);
  EXPECT_EQ(first.related_id, unpaid);
  start(unpaid);
  expect_told({Topic::order_started}, {});
  deliver(unpaid, "One");
  expect_told({Topic::order_delivered}, {});
  revise(unpaid);
  expect_told({}, {Topic::revision_requested});
  deliver(unpaid, "Two");  // Another event, another notification.
  expect_told({Topic::order_delivered}, {});
  approve(unpaid);
  expect_told({}, {Topic::order_completed});
}

TEST_F(Notification, both_are_told_what_time_or_the_platform_did) {  // M-6
  const Uuid late = overdue_order();
  expect_told({Topic::order_started, Topic::order_overdue}, {Topic::order_paid, Topic::order_overdue});
  cancel(late, user(bea)).then_accepted();
  expect_told({}, {Topic::order_cancelled});
  const Uuid disputed = delivered_order();
  complain(disputed).then_accepted();
  reply(disputed).then_accepted();
  expect_told({Topic::order_started, Topic::order_delivered, Topic::dispute_answered},
              {Topic::order_paid, Topic::order_disputed});
  resolve(disputed, DisputeOutcome::seller).then_accepted();
  expect_told({Topic::dispute_resolved}, {Topic::dispute_resolved});
  EXPECT_TRUE(is_nil(told_to(world, bea).back().actor_id));
}

TEST_F(Notification, of_an_order_that_is_never_paid_its_seller_hears_nothing) {
  policy.auto_authorize = false;
  const Uuid id = unpaid_order();
  cancel(id, user(bea)).then_accepted();
  expect_told({}, {});
  unpaid_order();
  pass(hour_us);
  expect_told({Topic::order_cancelled}, {});
}

TEST_F(Notification, payouts_tell_their_owner) {  // M-6: payouts
  payout::PayoutRequested e;
  e.payout_id = id_of("payout");
  e.wallet_id = sid;
  given({e});
  const auto tell_of = [&](AnyEvent event) {
    for (Reaction& r : notices(event, id_of(type_name(event)), world)) send(the_system(), r.command).then_accepted();
  };
  tell_of(payout::PayoutCompleted{.payout_id = e.payout_id});
  tell_of(payout::PayoutReturned{.payout_id = e.payout_id});
  tell_of(payout::PayoutFailed{.payout_id = e.payout_id});
  EXPECT_EQ(topics(told_to(world, sid)), (Topics{Topic::payout_completed, Topic::payout_returned, Topic::payout_failed}));
  EXPECT_EQ(told_to(world, sid)[0].related_id, e.payout_id);
}

TEST_F(Notification, a_review_tells_the_seller_and_its_response_the_reviewer) {  // M-6: reviews
  const Uuid order = completed_order();
  expect_told({Topic::order_started, Topic::order_delivered}, {Topic::order_paid, Topic::order_completed});
  const Uuid id = review_id_of(mixing, bea);
  const auto review = [&] {
    send(user(bea), review::SubmitReview{.target_type = ::review::v1::TargetType::service,
                                         .target_id = mixing,
                                         .reviewer_id = bea,
                                         .rating = 5,
                                         .order_id = order})
        .then_accepted();
  };
  review();
  expect_told({}, {Topic::review_submitted});
  send(user(sid), review::RespondToReview{.review_id = id, .response = "Thank you"}).then_accepted();
  expect_told({Topic::review_responded}, {});
  EXPECT_EQ(told_to(world, bea).back().related_id, id);
  send(user(bea), review::RemoveReview{.review_id = id}).then_accepted();
  expect_told({}, {});
}

TEST_F(Notification, is_marked_read_by_its_recipient_once) {  // PA-102
  const Uuid id = notification_id_of(ana, Topic::order_paid, id_of("source"));
  const MarkNotificationRead mark_it{.notification_id = id};
  send(user(ana), mark_it).then_rejected(Code::notification_not_found);
  send(the_system(), raise(ana, id_of("source"))).then_accepted();
  send(user(bo), mark_it).then_rejected(Code::notification_not_found);
  send(user(ana), mark_it).then({NotificationRead{.notification_id = id, .user_id = ana, .read_at = now}});
  pass(minute_us);
  send(user(ana), mark_it).then_nothing();
  EXPECT_TRUE(resource<NotificationView>({{StreamKind::notification, id}}).is_read);
}

TEST_F(Notification, all_are_marked_read_by_one_event) {  // PA-102
  const auto inbox_of = [&](const Uuid& who) {
    return resource<NotificationInboxView>({{StreamKind::notification_inbox, who}, who});
  };
  mark(ana).then_nothing();
  EXPECT_EQ(inbox_of(ana).id, ana);
  for (int i = 0; i < 5; ++i) send(the_system(), raise(ana, id_of(std::to_string(i)))).then_accepted();
  mark(ana, 6).then_rejected(Code::notification_not_found);
  mark(ana, 3).then({AllNotificationsRead{.user_id = ana, .read_up_to = 3, .read_at = now}});
  mark(ana, 3).then_nothing();
  mark(ana, 2).then_nothing();  // It never goes back.
  mark(ana).then({AllNotificationsRead{.user_id = ana, .read_up_to = 5, .read_at = now}});
  mark(ana).then_nothing();
  EXPECT_EQ(inbox_of(ana).read_up_to, 5);
  EXPECT_EQ(inbox_of(ana).last_sequence, 5);
  send(user(bo), MarkAllRead{.user_id = ana}).then_rejected(Code::account_not_found);
  EXPECT_TRUE(shows_to(AnyState(state<NotificationInboxState>(ana)), user(ana)));
  EXPECT_FALSE(shows_to(AnyState(state<NotificationInboxState>(ana)), user(bo)));
}

TEST_F(Notification, the_inbox_stays_small_however_many_there_are) {
  for (std::int64_t i = 1; i <= 10'000; ++i) {
    NotificationRaised e{.user_id = ana, .sequence = i};
    e.notification_id = notification_id_of(ana, Topic::followed, Uuid(1, static_cast<std::uint64_t>(i)));
    given({e});
  }
  EXPECT_EQ(state<NotificationInboxState>(ana).last_sequence, 10'000);
  EXPECT_LT(pack(state<NotificationInboxState>(ana)).size(), 100u);
}

// ---- webinars

class WebinarNotices : public Webinars {
 public:
  void tell() {
    for (; seen_ < world.history().size(); ++seen_) {
      const NewEvent e = world.history()[seen_];
      for (Reaction& r : notices(e.event, derive_in_group("event", id_of("history"), seen_, test_bucket), world))
        EXPECT_TRUE(as(the_system()).when(r.command).decision().has_value());
    }
  }
  Topics told_of(const Uuid& who) {
    tell();
    return topics(told_to(world, who));
  }

 private:
  std::size_t seen_ = 0;
};

TEST_F(WebinarNotices, guests_are_told_that_it_is_live) {  // M-6: live events
  const Uuid id = schedule(0);
  enlist(id, ana).then_accepted();
  enlist(id, bo).then_accepted();
  leave(id, bo).then_accepted();
  start(id).then_accepted();
  EXPECT_EQ(told_of(ana), Topics{Topic::webinar_live});
  EXPECT_EQ(told_of(bo), Topics{});
  EXPECT_EQ(told_to(world, ana)[0].actor_id, host);
  EXPECT_EQ(told_to(world, ana)[0].related_id, id);
  enlist(id, cy).then_accepted();  // Knows it.
  end(id).then_accepted();
  settle();
  EXPECT_EQ(told_of(ana), Topics{Topic::webinar_live});
  EXPECT_EQ(told_of(cy), Topics{});
}

TEST_F(WebinarNotices, a_crowd_is_told_step_by_step_each_once) {
  const Uuid id = schedule(0);
  constexpr int guests = 250;
  for (int i = 0; i < guests; ++i) {
    if (i > 2) join(guest(i));
    enlist(id, guest(i)).then_accepted();
  }
  const auto started = start(id).then_accepted();
  ASSERT_EQ(only<webinar::GuestsTold>(started.events).size(), 1u);
  EXPECT_EQ(only<webinar::GuestsTold>(started.events)[0].user_ids.size(), told_per_step);
  settle();
  EXPECT_EQ(only<webinar::GuestsTold>(world.history()).size(), 3u);
  for (int i = 0; i < guests; ++i) EXPECT_EQ(told_of(guest(i)), Topics{Topic::webinar_live});
}

TEST_F(WebinarNotices, a_webinar_that_ends_first_tells_nobody_any_more) {
  const Uuid id = schedule(0);
  for (int i = 0; i < 150; ++i) {
    if (i > 2) join(guest(i));
    enlist(id, guest(i)).then_accepted();
  }
  start(id).then_accepted();
  end(id).then_accepted();
  settle();
  EXPECT_EQ(only<webinar::GuestsTold>(world.history()).size(), 1u);
}

TEST_F(WebinarNotices, guests_are_told_that_it_is_cancelled) {  // A-PA-54
  const Uuid id = schedule();
  paid(id, ana);
  paid(id, bo);
  leave(id, bo).then_accepted();
  cancel(id).then_accepted();
  settle();
  EXPECT_EQ(told_of(ana), Topics{Topic::webinar_cancelled});
  EXPECT_EQ(told_of(bo), Topics{});
}

}  // namespace
}  // namespace guildhall::testing
