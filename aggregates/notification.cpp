#include "aggregates/notification.h"

#include "aggregates/account.h"

namespace guildhall {
namespace {

using namespace notification;
using ::notification::v1::Topic;
using ::notification::v1::Type;
using ::order::v1::By;

StreamId stream_of(const Uuid& notification_id) { return {StreamKind::notification, notification_id}; }

Accepted nothing_new(const Uuid& notification_id) { return {.subject = {stream_of(notification_id)}}; }

Accepted accept(const Uuid& notification_id, AnyEvent event) {
  Accepted out = nothing_new(notification_id);
  out.events.push_back({stream_of(notification_id), std::move(event)});
  return out;
}

Type type_of(Topic topic) {
  switch (topic) {
    case Topic::followed: return Type::follow;
    case Topic::order_paid:
    case Topic::order_started:
    case Topic::order_delivered:
    case Topic::revision_requested:
    case Topic::order_overdue:
    case Topic::order_completed:
    case Topic::order_cancelled:
    case Topic::order_refunded:
    case Topic::order_disputed:
    case Topic::dispute_answered:
    case Topic::dispute_resolved: return Type::order;
    case Topic::payout_completed:
    case Topic::payout_failed:
    case Topic::payout_returned: return Type::payout;
    case Topic::review_submitted:
    case Topic::review_responded: return Type::review;
    case Topic::webinar_live:
    case Topic::webinar_cancelled: return Type::webinar;
  }
  std::unreachable();
}

}  // namespace

Uuid notification_id_of(const Uuid& recipient, Topic topic, const Uuid& source) {
  std::string of;
  append_bytes(of, recipient);
  of.push_back(static_cast<char>(topic));
  append_bytes(of, source);
  return with_bucket(derive_root("notification", of), bucket_of(recipient));
}

// ---- decide

Decision decide(const RaiseNotification& c, const Context&, const View& view) {
  const Uuid id = notification_id_of(c.user_id, c.topic, c.source_id);
  if (view.exists<NotificationState>(id)) return nothing_new(id);
  return accept(id, NotificationRaised{.notification_id = id,
                                       .user_id = c.user_id,
                                       .sequence = view.get<NotificationInboxState>(c.user_id).last_sequence + 1,
                                       .type = type_of(c.topic),
                                       .topic = c.topic,
                                       .source_id = c.source_id,
                                       .actor_id = c.actor_id,
                                       .related_id = c.related_id});
}

Decision decide(const MarkNotificationRead& c, const Context& at, const View& view) {
  const auto& s = view.get<NotificationState>(c.notification_id);
  if (!view.exists<NotificationState>(c.notification_id) || !may_act_for(at.actor, s.user_id))
    return reject(Code::notification_not_found);
  if (s.read_at > 0) return nothing_new(c.notification_id);
  return accept(c.notification_id,
                NotificationRead{.notification_id = c.notification_id, .user_id = s.user_id, .read_at = at.now});
}

std::optional<StreamId> target(const RaiseNotification&) { return std::nullopt; }
std::optional<StreamId> target(const MarkNotificationRead& c) { return stream_of(c.notification_id); }

// ---- apply

void apply(NotificationState& s, const NotificationRaised& e) {
  s.notification_id = e.notification_id;
  s.user_id = e.user_id;
  s.sequence = e.sequence;
  s.type = e.type;
  s.topic = e.topic;
  s.actor_id = e.actor_id;
  s.related_id = e.related_id;
}

void apply(NotificationState& s, const NotificationRead& e) { s.read_at = e.read_at; }

// ---- reply

AnyResource represent(const NotificationState& s, std::uint64_t version, const Uuid&) {
  NotificationView view{.id = s.notification_id,
                        .version = version,
                        .user_id = s.user_id,
                        .sequence = s.sequence,
                        .type = s.type,
                        .topic = s.topic,
                        .actor_id = s.actor_id,
                        .related_id = s.related_id,
                        .is_read = s.read_at > 0};
  if (s.read_at > 0) view.read_at = s.read_at;
  return view;
}

// ---- who is told what

namespace {

struct Notices {
  const Uuid& event_id;
  const View& view;
  std::vector<Reaction> out;

  void tell(const Uuid& user, Topic topic, const Uuid& source, const Uuid& actor, const Uuid& related) {
    out.push_back({user, RaiseNotification{.user_id = user,
                                           .topic = topic,
                                           .source_id = source,
                                           .actor_id = actor,
                                           .related_id = related}});
  }

  const OrderState& order(const Uuid& id) const { return view.get<OrderState>(id); }
  // The parties of an order, but for the one who did it.
  void tell_parties(const OrderState& s, Topic topic, By by) {
    if (by != By::buyer) tell_buyer(s, topic, by);
    if (by != By::seller) tell_seller(s, topic, by);
  }
  void tell_buyer(const OrderState& s, Topic topic, By by) { tell(s.buyer_id, topic, event_id, actor(s, by), s.order_id); }
  void tell_seller(const OrderState& s, Topic topic, By by) { tell(s.seller_id, topic, event_id, actor(s, by), s.order_id); }
  static Uuid actor(const OrderState& s, By by) {
    return by == By::buyer ? s.buyer_id : by == By::seller ? s.seller_id : Uuid{};
  }
  void tell_owner(const Uuid& payout, Topic topic) {
    tell(view.get<PayoutState>(payout).wallet_id, topic, event_id, {}, payout);
  }
};

// What is not listed here is told to nobody.

// Once ever: the follow is the source.
void note(const relation::Followed& e, Notices& n) {
  n.tell(e.following_id, Topic::followed, e.follow_id, e.follower_id, e.follow_id);
}

// The seller hears of an order when its money is there.
void note(const order::OrderPaid& e, Notices& n) { n.tell_seller(n.order(e.order_id), Topic::order_paid, By::buyer); }
void note(const order::OrderStarted& e, Notices& n) { n.tell_buyer(n.order(e.order_id), Topic::order_started, By::seller); }
void note(const order::OrderDelivered& e, Notices& n) { n.tell_buyer(n.order(e.order_id), Topic::order_delivered, By::seller); }
void note(const order::RevisionRequested& e, Notices& n) {
  n.tell_seller(n.order(e.order_id), Topic::revision_requested, By::buyer);
}
void note(const order::OrderOverdue& e, Notices& n) {
  n.tell_parties(n.order(e.order_id), Topic::order_overdue, By::system);
}
void note(const order::OrderCompleted& e, Notices& n) {
  n.tell_parties(n.order(e.order_id), Topic::order_completed, e.completed_by);
}
void note(const order::OrderCancelled& e, Notices& n) {
  const OrderState& s = n.order(e.order_id);
  if (s.is_paid) return n.tell_parties(s, Topic::order_cancelled, e.cancelled_by);
  if (e.cancelled_by != By::buyer) n.tell_buyer(s, Topic::order_cancelled, e.cancelled_by);
}
void note(const order::OrderRefunded& e, Notices& n) {
  n.tell_parties(n.order(e.order_id), Topic::order_refunded, e.refunded_by);
}
void note(const order::OrderDisputed& e, Notices& n) { n.tell_seller(n.order(e.order_id), Topic::order_disputed, By::buyer); }
void note(const order::OrderDisputeAnswered& e, Notices& n) {
  n.tell_buyer(n.order(e.order_id), Topic::dispute_answered, By::seller);
}
void note(const order::OrderDisputeResolved& e, Notices& n) {
  n.tell_parties(n.order(e.order_id), Topic::dispute_resolved, e.resolved_by);
}

void note(const payout::PayoutCompleted& e, Notices& n) { n.tell_owner(e.payout_id, Topic::payout_completed); }
void note(const payout::PayoutFailed& e, Notices& n) { n.tell_owner(e.payout_id, Topic::payout_failed); }
void note(const payout::PayoutReturned& e, Notices& n) { n.tell_owner(e.payout_id, Topic::payout_returned); }

void note(const review::ReviewSubmitted& e, Notices& n) {
  n.tell(e.seller_id, Topic::review_submitted, n.event_id, e.reviewer_id, e.review_id);
}
void note(const review::ReviewResponded& e, Notices& n) {
  n.tell(e.reviewer_id, Topic::review_responded, n.event_id, e.seller_id, e.review_id);
}

// A webinar goes live once, and ends once.
void note(const webinar::GuestsTold& e, Notices& n) {
  const Uuid host = n.view.get<WebinarState>(e.webinar_id).host_id;
  for (const Uuid& user : e.user_ids) n.tell(user, Topic::webinar_live, e.webinar_id, host, e.webinar_id);
}
void note(const registration::RegistrationCancelled& e, Notices& n) {
  if (e.cancelled_by != ::registration::v1::CancelledBy::webinar) return;
  const Uuid host = n.view.get<WebinarState>(e.webinar_id).host_id;
  n.tell(e.user_id, Topic::webinar_cancelled, e.webinar_id, host, e.webinar_id);
}

}  // namespace

std::vector<Reaction> notices(const AnyEvent& event, const Uuid& event_id, const View& view) {
  Notices n{event_id, view, {}};
  visit(
      [&](const auto& e) {
        if constexpr (requires { note(e, n); }) note(e, n);
      },
      event);
  return std::move(n.out);
}

}  // namespace guildhall
