// A host with webinars and people who register, as the tests of webinars, registrations and reviews need them.
#pragma once

#include <algorithm>
#include <set>
#include <tuple>

#include "aggregates/registration.h"
#include "aggregates/webinar.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {

struct Webinars : Given {
  using WebinarStatus = ::webinar::v1::Status;
  using RegistrationStatus = ::registration::v1::Status;
  using PaymentStatus = ::registration::v1::PaymentStatus;
  using Tier = ::subscription::v1::Tier;
  using Method = ::ledger::v1::Method;

  static constexpr std::int64_t price = 2'000;
  const Uuid host = id_of("host");
  const Uuid ana = guest(0), bo = guest(1), cy = guest(2);

  Webinars() {
    policy.platform = "producers_avenue";
    policy.aggregates = {"account", "claim", "subscription", "wallet", "payout", "payment", "webinar", "registration", "review"};
    policy.roles = {"member", "author", "admin", "super_admin"};
    policy.currencies = {"USD"};
    policy.default_currency = "USD";
    for (const Uuid& id : {host, ana, bo, cy}) join(id);
  }

  // Of another entity group than the host's.
  static Uuid guest(int i) { return id_of("guest " + std::to_string(i), 0x111); }

  void join(const Uuid& id) {
    account::RegisterAccount c;
    c.id = id;
    c.email = to_string(id) + "@example.com";
    c.display_name = "Somebody";
    c.role = ::account::v1::Role::member;
    c.timezone = "UTC";
    as(service()).when(c).then_accepted();
  }
  void ban(const Uuid& id) {
    account::BanAccount c;
    c.account_id = id;
    as(service()).when(c).then_accepted();
  }
  void give(const Uuid& account, Tier tier) { given({subscription::SubscriptionStarted{.account_id = account, .tier = tier}}); }

  // ---- webinars: tomorrow, for an hour

  webinar::ScheduleWebinar plan(std::int64_t price_cents = price, std::optional<std::int32_t> max_attendees = {}) const {
    return {.host_id = host,
            .title = "Mixing drums",
            .scheduled_at = now + day_us,
            .duration_minutes = 60,
            .price_cents = price_cents,
            .max_attendees = max_attendees,
            .tags = {"drums"}};
  }
  webinar::UpdateWebinar change(const Uuid& id) const {
    const auto& s = webinar_of(id);
    return {.webinar_id = id,
            .title = s.title,
            .description = s.description,
            .thumbnail_url = s.thumbnail_url,
            .cover_image_url = s.cover_image_url,
            .scheduled_at = s.scheduled_at,
            .duration_minutes = s.duration_minutes,
            .price_cents = s.price_cents,
            .max_attendees = s.max_attendees,
            .co_hosts = s.co_hosts,
            .category_id = s.category_id,
            .tags = s.tags};
  }
  Uuid schedule(const webinar::ScheduleWebinar& c) { return as(user(host)).when(c).then_accepted().subject.stream.id; }
  Uuid schedule(std::int64_t price_cents = price, std::optional<std::int32_t> max_attendees = {}) {
    return schedule(plan(price_cents, max_attendees));
  }
  Outcome start(const Uuid& id) { return as(user(host)).when(webinar::StartWebinar{.webinar_id = id, .room_id = "room"}); }
  Outcome end(const Uuid& id) { return as(user(host)).when(webinar::EndWebinar{.webinar_id = id}); }
  Outcome cancel(const Uuid& id) { return as(user(host)).when(webinar::CancelWebinar{.webinar_id = id, .reason = "ill"}); }
  const WebinarState& webinar_of(const Uuid& id) const { return state<WebinarState>(id); }

  // ---- registrations

  registration::RegisterForWebinar wish(const Uuid& webinar, const Uuid& who, Method method = Method::card) const {
    return {.webinar_id = webinar, .user_id = who, .payment_method = method};
  }
  Outcome enlist(const Uuid& webinar, const Uuid& who) { return as(user(who)).when(wish(webinar, who)); }
  Uuid paid(const Uuid& webinar, const Uuid& who) {
    enlist(webinar, who).then_accepted();
    pay(registration_of(webinar, who).payment_id).then_accepted();
    return registration_id_of(webinar, who);
  }
  Outcome leave(const Uuid& webinar, const Uuid& who) {
    return as(user(who)).when(registration::CancelRegistration{.registration_id = registration_id_of(webinar, who)});
  }
  Outcome attend(const Uuid& webinar, const Uuid& who) {
    return as(user(who)).when(registration::JoinWebinar{.registration_id = registration_id_of(webinar, who)});
  }
  const RegistrationState& registration_of(const Uuid& webinar, const Uuid& who) const {
    return state<RegistrationState>(registration_id_of(webinar, who));
  }

  // ---- money, as the processor tells

  const PaymentState& payment_of(const Uuid& webinar, const Uuid& who) const {
    return state<PaymentState>(registration_of(webinar, who).payment_id);
  }
  Outcome pay(const Uuid& payment) {
    return as(the_system()).when(payment::RecordCaptured{.payment_id = payment, .external_id = "pi_1"});
  }
  Outcome refuse(const Uuid& payment) {
    return as(the_system()).when(payment::RecordFailed{.payment_id = payment, .reason = "declined"});
  }
  // Every refund under way.
  void confirm_refunds(const Uuid& payment) {
    while (state<PaymentState>(payment).call == ::payment::v1::Call::refund) {
      const auto wanted = effect(state<PaymentState>(payment));
      ASSERT_TRUE(wanted);
      as(the_system()).when(payment::RecordRefunded{.payment_id = payment, .refund_id = wanted->id}).then_accepted();
    }
  }

  // ---- time

  // Lets time pass, and sends the timers of webinars and registrations when they are due: as a shard does, once for a stream, a
  // name and a time.
  void wait_until(Micros then) {
    for (;;) {
      std::optional<std::pair<StreamId, Timer>> next;
      for (const StreamId& stream : timed_streams()) {
        for (Timer& t : timers(world.load(stream).state)) {
          if (t.due > then || fired_.contains(key(stream, t))) continue;
          if (!next || t.due < next->second.due) next = {stream, std::move(t)};
        }
      }
      if (!next) break;
      fired_.insert(key(next->first, next->second));
      now = std::max(now, next->second.due);
      as(the_system()).when(next->second.command);
    }
    now = std::max(now, then);
  }
  void wait(Micros for_us) { wait_until(now + for_us); }
  void settle() { wait(second_us); }  // What is due at once.

  std::int32_t live_registrations(const Uuid& webinar) const {
    std::int32_t live = 0;
    for (const StreamId& stream : timed_streams()) {
      if (stream.kind != StreamKind::registration) continue;
      const auto& s = state<RegistrationState>(stream.id);
      if (s.webinar_id != webinar) continue;
      if (s.status == RegistrationStatus::pending || s.status == RegistrationStatus::registered) ++live;
    }
    return live;
  }

 private:
  static std::tuple<std::string, std::string, Micros> key(const StreamId& stream, const Timer& t) {
    return {to_string(stream), std::string(t.name), t.due};
  }
  const std::vector<StreamId>& timed_streams() const {
    const auto& history = world.history();
    for (; seen_ < history.size(); ++seen_) {
      const StreamId& stream = history[seen_].stream;
      const bool timed = stream.kind == StreamKind::webinar || stream.kind == StreamKind::registration;
      if (timed && std::ranges::find(timed_, stream) == timed_.end()) timed_.push_back(stream);
    }
    return timed_;
  }
  std::set<std::tuple<std::string, std::string, Micros>> fired_;
  mutable std::vector<StreamId> timed_;
  mutable std::size_t seen_ = 0;
};

}  // namespace guildhall::testing
