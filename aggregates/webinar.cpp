#include "aggregates/webinar.h"

#include <algorithm>
#include <span>
#include <tuple>

#include "aggregates/account.h"
#include "aggregates/ledger.h"
#include "aggregates/registration.h"
#include "aggregates/slug.h"
#include "aggregates/subscription.h"

namespace guildhall {
namespace {

using namespace webinar;
using ::subscription::v1::Tier;
using ::webinar::v1::Status;

StreamId stream_of(const Uuid& webinar_id) { return {StreamKind::webinar, webinar_id}; }

Accepted nothing_new(const Uuid& webinar_id) { return {.subject = {stream_of(webinar_id)}}; }

Accepted accept(const Uuid& webinar_id, AnyEvent event, bool created = false) {
  Accepted out = nothing_new(webinar_id);
  out.events.push_back({stream_of(webinar_id), std::move(event)});
  out.created = created;
  return out;
}

// The host's part is nobody else's; of a webinar that is over, strangers learn nothing.
std::optional<Code> host_refusal(const Uuid& webinar_id, const Context& at, const View& view) {
  const auto& s = view.get<WebinarState>(webinar_id);
  if (!view.exists<WebinarState>(webinar_id) || !shows_to(s, at.actor)) return Code::webinar_not_found;
  if (!may_act_for(at.actor, s.host_id)) return Code::host_only;
  return std::nullopt;
}

bool is_host_held_back(const WebinarState& s, const Context& at, const View& view) {
  return is_held_back(at.actor, view.get<AccountState>(s.host_id));
}

bool is_over(const WebinarState& s) { return s.status == Status::ended || s.status == Status::cancelled; }

bool contains(std::span<const Uuid> ids, const Uuid& id) { return std::ranges::find(ids, id) != ids.end(); }

// Whether a host may have these co-hosts. Those that it has may stay, whatever its tier is now (A-PA-54).
std::optional<Code> co_host_refusal(const Uuid& host, std::span<const Uuid> wanted, std::span<const Uuid> present,
                                    const View& view) {
  const Tier tier = effective_tier(view.get<SubscriptionState>(host));
  const bool may_add = tier == Tier::premium || tier == Tier::ultimate;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Uuid& id = wanted[i];
    if (id == host || contains(wanted.first(i), id)) return Code::co_host_listed_twice;
    if (contains(present, id)) continue;
    if (!may_add) return Code::co_hosts_need_premium;
    const auto fact = view.directory().account(id);
    if (!fact) return Code::account_not_found;
    if (fact->status != ::account::v1::Status::active) return Code::account_banned;
  }
  return std::nullopt;
}

// What commands, events, state and view have in common: copied and compared as one.
template <class T>
auto offer(T& t) {
  return std::tie(t.title, t.description, t.thumbnail_url, t.cover_image_url, t.scheduled_at, t.duration_minutes, t.price_cents,
                  t.max_attendees, t.co_hosts, t.category_id, t.tags);
}

// The next of the guests, from this registration on.
NewEvent tell_guests(const Uuid& webinar_id, const Uuid& from, const Context& at, const View& view) {
  GuestsTold told{.webinar_id = webinar_id, .next_id = from, .next_at = at.now + 1};  // A timer fires once for a time.
  for (std::size_t i = 0; i < told_per_step && !is_nil(told.next_id); ++i) {
    const auto& registration = view.get<RegistrationState>(told.next_id);
    if (registration.status == ::registration::v1::Status::registered) told.user_ids.push_back(registration.user_id);
    told.next_id = registration.earlier_id;
  }
  return {stream_of(webinar_id), std::move(told)};
}

template <class Offer>
Micros latest_start(const Offer& o, const PlatformPolicy& policy) {
  return o.scheduled_at + o.duration_minutes * minute_us + policy.webinar_start_us;
}

}  // namespace

// ---- decide

Decision decide(const ScheduleWebinar& c, const Context& at, const View& view) {
  const auto& host = view.get<AccountState>(c.host_id);
  if (!is_registered(host) || !may_act_for(at.actor, c.host_id)) return reject(Code::account_not_found);
  if (is_held_back(at.actor, host)) return reject(Code::account_banned);
  if (const auto code = co_host_refusal(c.host_id, c.co_hosts, {}, view)) return reject(*code);
  if (c.scheduled_at <= at.now) return reject(Code::scheduled_in_past);
  if (!ledger::is_price(c.price_cents, at.policy.min_price_cents)) return reject(Code::price_below_minimum);
  const Uuid id = at.mint("webinar");
  WebinarScheduled e{
      .webinar_id = id, .host_id = c.host_id, .slug = slug_of(c.title, id), .currency = at.policy.default_currency};
  offer(e) = offer(c);
  e.closes_at = latest_start(c, at.policy);
  return accept(id, std::move(e), true);
}

Decision decide(const UpdateWebinar& c, const Context& at, const View& view) {
  if (const auto code = host_refusal(c.webinar_id, at, view)) return reject(*code);
  const auto& s = view.get<WebinarState>(c.webinar_id);
  if (offer(s) == offer(c)) return nothing_new(c.webinar_id);
  if (is_host_held_back(s, at, view)) return reject(Code::account_banned);
  if (s.status != Status::upcoming) return reject(Code::webinar_not_upcoming);
  if (const auto code = co_host_refusal(s.host_id, c.co_hosts, s.co_hosts, view)) return reject(*code);
  // One that is late may still be changed in other ways.
  if (c.scheduled_at != s.scheduled_at && c.scheduled_at <= at.now) return reject(Code::scheduled_in_past);
  if (c.max_attendees && *c.max_attendees < s.registrations_count) return reject(Code::max_attendees_too_low);
  if (!ledger::is_price(c.price_cents, at.policy.min_price_cents)) return reject(Code::price_below_minimum);
  WebinarUpdated e{.webinar_id = c.webinar_id};
  offer(e) = offer(c);
  e.closes_at = latest_start(c, at.policy);
  return accept(c.webinar_id, std::move(e));
}

Decision decide(const StartWebinar& c, const Context& at, const View& view) {
  if (const auto code = host_refusal(c.webinar_id, at, view)) return reject(*code);
  const auto& s = view.get<WebinarState>(c.webinar_id);
  if (s.status == Status::live && s.room_id == c.room_id) return nothing_new(c.webinar_id);
  if (is_host_held_back(s, at, view)) return reject(Code::account_banned);
  if (s.status != Status::upcoming) return reject(Code::webinar_not_upcoming);
  Accepted started =
      accept(c.webinar_id, WebinarStarted{.webinar_id = c.webinar_id,
                                          .room_id = c.room_id,
                                          .closes_at = at.now + s.duration_minutes * minute_us + at.policy.webinar_live_us});
  if (!is_nil(s.newest_registration_id))
    started.events.push_back(tell_guests(c.webinar_id, s.newest_registration_id, at, view));
  return started;
}

Decision decide(const EndWebinar& c, const Context& at, const View& view) {
  if (const auto code = host_refusal(c.webinar_id, at, view)) return reject(*code);
  const auto& s = view.get<WebinarState>(c.webinar_id);
  if (s.status == Status::ended) return nothing_new(c.webinar_id);
  if (is_host_held_back(s, at, view)) return reject(Code::account_banned);
  if (s.status != Status::live) return reject(Code::webinar_not_live);
  return accept(c.webinar_id, WebinarEnded{.webinar_id = c.webinar_id, .ended_at = at.now});
}

Decision decide(const CancelWebinar& c, const Context& at, const View& view) {
  if (const auto code = host_refusal(c.webinar_id, at, view)) return reject(*code);
  const auto& s = view.get<WebinarState>(c.webinar_id);
  if (s.status == Status::cancelled) return nothing_new(c.webinar_id);
  if (is_host_held_back(s, at, view)) return reject(Code::account_banned);
  if (s.status != Status::upcoming) return reject(Code::webinar_not_upcoming);
  return accept(c.webinar_id, WebinarCancelled{.webinar_id = c.webinar_id, .reason = c.reason, .cancelled_at = at.now});
}

Decision decide(const AttachRecording& c, const Context& at, const View& view) {
  if (const auto code = host_refusal(c.webinar_id, at, view)) return reject(*code);
  const auto& s = view.get<WebinarState>(c.webinar_id);
  if (s.recording_url == c.recording_url) return nothing_new(c.webinar_id);
  if (is_host_held_back(s, at, view)) return reject(Code::account_banned);
  if (s.status != Status::ended) return reject(Code::webinar_not_ended);
  return accept(c.webinar_id, RecordingAttached{.webinar_id = c.webinar_id, .recording_url = c.recording_url});
}

Decision decide(const CloseWebinar& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<WebinarState>(c.webinar_id)) return reject(Code::webinar_not_found);
  const auto& s = view.get<WebinarState>(c.webinar_id);
  // It went on, or was moved, while its timer was on its way.
  if (is_over(s) || at.now < s.closes_at) return nothing_new(c.webinar_id);
  if (s.status == Status::live) return accept(c.webinar_id, WebinarEnded{.webinar_id = c.webinar_id, .ended_at = at.now});
  return accept(c.webinar_id,
                WebinarCancelled{.webinar_id = c.webinar_id, .reason = "it was not started in time", .cancelled_at = at.now});
}

Decision decide(const SettleWebinar& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<WebinarState>(c.webinar_id)) return reject(Code::webinar_not_found);
  const auto& s = view.get<WebinarState>(c.webinar_id);
  if (is_nil(s.settle_id) || at.now < s.settle_at) return nothing_new(c.webinar_id);
  Accepted accepted = nothing_new(c.webinar_id);
  RegistrationsSettled settled{.webinar_id = c.webinar_id,
                               .next_id = s.settle_id,
                               .next_at = at.now + 1};  // A timer fires once for a time: the next step needs another.
  for (std::size_t i = 0; i < settled_per_step && !is_nil(settled.next_id); ++i) {
    const auto& registration = view.get<RegistrationState>(settled.next_id);
    std::ranges::move(settle_registration(registration, s.status == Status::cancelled, at, view),
                      std::back_inserter(accepted.events));
    settled.next_id = registration.earlier_id;
  }
  accepted.events.push_back({stream_of(c.webinar_id), std::move(settled)});
  return accepted;
}

Decision decide(const TellGuests& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<WebinarState>(c.webinar_id)) return reject(Code::webinar_not_found);
  const auto& s = view.get<WebinarState>(c.webinar_id);
  if (is_nil(s.tell_id) || at.now < s.tell_at) return nothing_new(c.webinar_id);
  Accepted accepted = nothing_new(c.webinar_id);
  accepted.events.push_back(tell_guests(c.webinar_id, s.tell_id, at, view));
  return accepted;
}

// ---- for the registrations' decisions

bool takes_registrations(const WebinarState& s) { return !is_over(s); }
bool has_seat(const WebinarState& s) { return s.registrations_count < s.max_attendees.value_or(max_seats); }
bool is_host_or_co_host(const WebinarState& s, const Uuid& account) {
  return s.host_id == account || contains(s.co_hosts, account);
}

// Who registers for the first time is the new end of the chain, which names the end before; who does so again keeps the place.
void fold_seat(WebinarState& s, const registration::RegistrationAdded& e) {
  ++s.registrations_count;
  if (e.earlier_id == s.newest_registration_id) s.newest_registration_id = e.registration_id;
}

void fold_seat(WebinarState& s, const registration::RegistrationExpired&) { --s.registrations_count; }
void fold_seat(WebinarState& s, const registration::RegistrationFailed&) { --s.registrations_count; }
void fold_seat(WebinarState& s, const registration::RegistrationReinstated&) { ++s.registrations_count; }
void fold_seat(WebinarState& s, const registration::RegistrationCancelled&) { --s.registrations_count; }

void fold_seat(WebinarState& s, const registration::RegistrationRefunded& e) {
  if (e.frees_seat) --s.registrations_count;
}

// ---- for the product of a recording

std::optional<Code> conversion_refusal(const Uuid& webinar_id, const Context& at, const View& view) {
  if (const auto code = host_refusal(webinar_id, at, view)) return code;
  const auto& s = view.get<WebinarState>(webinar_id);
  if (is_host_held_back(s, at, view)) return Code::account_banned;
  if (s.status != Status::ended) return Code::webinar_not_ended;
  if (s.recording_url.empty()) return Code::webinar_without_recording;
  if (!is_nil(s.product_id)) return Code::recording_converted;
  return std::nullopt;
}

NewEvent recording_converted(const Uuid& webinar_id, const Uuid& product_id) {
  return {stream_of(webinar_id), RecordingConverted{.webinar_id = webinar_id, .product_id = product_id}};
}

std::optional<StreamId> target(const ScheduleWebinar&) { return std::nullopt; }
std::optional<StreamId> target(const UpdateWebinar& c) { return stream_of(c.webinar_id); }
std::optional<StreamId> target(const StartWebinar& c) { return stream_of(c.webinar_id); }
std::optional<StreamId> target(const EndWebinar& c) { return stream_of(c.webinar_id); }
std::optional<StreamId> target(const CancelWebinar& c) { return stream_of(c.webinar_id); }
std::optional<StreamId> target(const AttachRecording& c) { return stream_of(c.webinar_id); }
std::optional<StreamId> target(const CloseWebinar& c) { return stream_of(c.webinar_id); }
std::optional<StreamId> target(const SettleWebinar& c) { return stream_of(c.webinar_id); }
std::optional<StreamId> target(const TellGuests& c) { return stream_of(c.webinar_id); }

// ---- apply

namespace {

// Settling begins with the registration that came last. Who was not told that it is live need not be.
void finish(WebinarState& s, Status status, Micros now) {
  s.status = status;
  s.tell_id = {};
  s.settle_id = s.newest_registration_id;
  s.settle_at = now;
}

}  // namespace

void apply(WebinarState& s, const WebinarScheduled& e) {
  s.webinar_id = e.webinar_id;
  s.host_id = e.host_id;
  s.slug = e.slug;
  offer(s) = offer(e);
  s.currency = e.currency;
  s.status = Status::upcoming;
  s.closes_at = e.closes_at;
}

void apply(WebinarState& s, const WebinarUpdated& e) {
  offer(s) = offer(e);
  s.closes_at = e.closes_at;
}

void apply(WebinarState& s, const WebinarStarted& e) {
  s.status = Status::live;
  s.room_id = e.room_id;
  s.closes_at = e.closes_at;
}

void apply(WebinarState& s, const WebinarEnded& e) { finish(s, Status::ended, e.ended_at); }
void apply(WebinarState& s, const WebinarCancelled& e) { finish(s, Status::cancelled, e.cancelled_at); }
void apply(WebinarState& s, const RecordingAttached& e) { s.recording_url = e.recording_url; }

void apply(WebinarState& s, const RecordingConverted& e) { s.product_id = e.product_id; }

void apply(WebinarState& s, const RegistrationsSettled& e) {
  s.settle_id = e.next_id;
  s.settle_at = e.next_at;
}

void apply(WebinarState& s, const GuestsTold& e) {
  s.tell_id = e.next_id;
  s.tell_at = e.next_at;
}

// ---- reply, timers

AnyResource represent(const WebinarState& s, std::uint64_t version, const Uuid&) {
  WebinarView view{.id = s.webinar_id,
                   .version = version,
                   .host_id = s.host_id,
                   .slug = s.slug,
                   .currency = s.currency,
                   .status = s.status,
                   .registrations_count = s.registrations_count,
                   .recording_available = !s.recording_url.empty(),
                   .product_id = s.product_id};
  offer(view) = offer(s);
  return view;
}

// PA-78: until it is over it is for everybody who is signed in, then for those who hold it.
bool shows_to(const WebinarState& s, const Actor& actor) {
  const bool holds_it = actor.trusted() || (actor.kind == ActorKind::user && is_host_or_co_host(s, actor.account));
  return holds_it || (!is_over(s) && actor.kind == ActorKind::user);
}

std::vector<Timer> timers(const WebinarState& s) {
  if (!is_over(s)) {
    std::vector<Timer> out{{"close", s.closes_at, CloseWebinar{.webinar_id = s.webinar_id}}};
    if (!is_nil(s.tell_id)) out.push_back({"tell", s.tell_at, TellGuests{.webinar_id = s.webinar_id}});
    return out;
  }
  if (!is_nil(s.settle_id)) return {{"settle", s.settle_at, SettleWebinar{.webinar_id = s.webinar_id}}};
  return {};
}

}  // namespace guildhall
