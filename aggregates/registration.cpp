#include "aggregates/registration.h"

#include <algorithm>

#include "aggregates/account.h"
#include "aggregates/webinar.h"

namespace guildhall {
namespace {

using namespace registration;
using ::registration::v1::CancelledBy;
using ::registration::v1::PaymentStatus;
using ::registration::v1::Status;
using WebinarStatus = ::webinar::v1::Status;

StreamId stream_of(const Uuid& registration_id) { return {StreamKind::registration, registration_id}; }

Accepted nothing_new(const Uuid& registration_id) { return {.subject = {stream_of(registration_id)}}; }

Accepted accept(const Uuid& registration_id, AnyEvent event) {
  Accepted out = nothing_new(registration_id);
  out.events.push_back({stream_of(registration_id), std::move(event)});
  return out;
}

void append(std::vector<NewEvent>& events, std::vector<NewEvent>&& more) { std::ranges::move(more, std::back_inserter(events)); }

const WebinarState& webinar_of(const RegistrationState& s, const View& view) { return view.get<WebinarState>(s.webinar_id); }

// An event with whose registration for what it is.
template <class Event>
Event of(const RegistrationState& s) {
  return {.registration_id = s.registration_id, .webinar_id = s.webinar_id, .user_id = s.user_id};
}

RegistrationCancelled cancelled(const RegistrationState& s, CancelledBy by, std::string_view reason) {
  auto e = of<RegistrationCancelled>(s);
  e.cancelled_by = by;
  e.reason = reason;
  e.payment_status = s.payment_status;
  return e;
}

bool is_live(const RegistrationState& s) { return s.status == Status::pending || s.status == Status::registered; }

// Strangers learn nothing of a registration (PA-80); its host sees it, and may not do the attendee's part.
std::optional<Code> attendee_refusal(const Uuid& registration_id, const Context& at, const View& view) {
  const auto& s = view.get<RegistrationState>(registration_id);
  if (!view.exists<RegistrationState>(registration_id) || !shows_to(s, at.actor)) return Code::registration_not_found;
  if (!may_act_for(at.actor, s.user_id)) return Code::attendee_only;
  return std::nullopt;
}

// Who may take part at all, for money that comes late too (M-2).
std::optional<Code> person_refusal(const WebinarState& webinar, const Uuid& user, const Context& at, const View& view) {
  if (const auto code = buyer_refusal(user, webinar.host_id, at, view)) return code;
  if (is_host_or_co_host(webinar, user)) return Code::own_offer;
  return std::nullopt;
}

std::optional<Code> seat_refusal(const WebinarState& webinar) {
  if (!takes_registrations(webinar)) return Code::webinar_over;
  if (!has_seat(webinar)) return Code::webinar_full;
  return std::nullopt;
}

}  // namespace

Uuid registration_id_of(const Uuid& webinar, const Uuid& user) {
  std::string pair;
  append_bytes(pair, webinar);
  append_bytes(pair, user);
  return with_bucket(derive_root("registration", pair), bucket_of(webinar));
}

// ---- decide

Decision decide(const RegisterForWebinar& c, const Context& at, const View& view) {
  if (!may_act_for(at.actor, c.user_id)) return reject(Code::account_not_found);
  if (!view.exists<WebinarState>(c.webinar_id)) return reject(Code::webinar_not_found);
  const auto& webinar = view.get<WebinarState>(c.webinar_id);
  if (const auto code = person_refusal(webinar, c.user_id, at, view)) return reject(*code);
  const Uuid id = registration_id_of(c.webinar_id, c.user_id);
  const auto& s = view.get<RegistrationState>(id);
  if (s.status == Status::registered) return nothing_new(id);
  if (s.status == Status::pending) {
    if (view.get<PaymentState>(s.payment_id).method == c.payment_method) return nothing_new(id);
    return reject(Code::registration_pending);
  }
  if (const auto code = seat_refusal(webinar)) return reject(*code);
  if (c.expected_price_cents && *c.expected_price_cents != webinar.price_cents) return reject(Code::price_changed);

  const bool first_time = !view.exists<RegistrationState>(id);
  RegistrationAdded added{.registration_id = id,
                          .webinar_id = c.webinar_id,
                          .host_id = webinar.host_id,
                          .user_id = c.user_id,
                          .amount_cents = webinar.price_cents,
                          .currency = webinar.currency,
                          .earlier_id = first_time ? webinar.newest_registration_id : s.earlier_id};
  if (webinar.price_cents > 0) {
    added.payment_id = at.mint("payment");
    added.expires_at = at.now + at.policy.checkout_us;
  }
  Accepted accepted = accept(id, added);
  accepted.created = true;
  if (webinar.price_cents > 0) {
    auto initiated = initiate({.payment_id = added.payment_id,
                               .subject_id = id,
                               .related_id = c.webinar_id,
                               .payer_id = c.user_id,
                               .payee_id = webinar.host_id,
                               .purpose = ::payment::v1::Purpose::registration,
                               .amount_cents = webinar.price_cents,
                               .method = c.payment_method},
                              at, view);
    if (!initiated) return std::unexpected(std::move(initiated.error()));
    accepted.events.push_back(std::move(*initiated));
  }
  return accepted;
}

Decision decide(const CancelRegistration& c, const Context& at, const View& view) {
  if (const auto code = attendee_refusal(c.registration_id, at, view)) return reject(*code);
  const auto& s = view.get<RegistrationState>(c.registration_id);
  if (s.status == Status::cancelled) return nothing_new(c.registration_id);
  if (!is_live(s)) return reject(Code::registration_ended);
  const auto& webinar = webinar_of(s, view);
  if (webinar.status != WebinarStatus::upcoming) return reject(Code::webinar_not_upcoming);
  const auto by = at.actor.is(s.user_id) ? CancelledBy::attendee : CancelledBy::system;
  Accepted accepted = accept(c.registration_id, cancelled(s, by, c.reason));
  if (!is_nil(s.payment_id))
    append(accepted.events, return_money(s.payment_id, "registration cancelled", FeeBearer::platform, at, view));
  return accepted;
}

Decision decide(const JoinWebinar& c, const Context& at, const View& view) {
  if (const auto code = attendee_refusal(c.registration_id, at, view)) return reject(*code);
  const auto& s = view.get<RegistrationState>(c.registration_id);
  if (s.status == Status::registered && s.attended_at > 0) return nothing_new(c.registration_id);
  if (s.status == Status::pending) return reject(Code::registration_not_paid);
  if (s.status != Status::registered) return reject(Code::registration_ended);
  if (webinar_of(s, view).status != WebinarStatus::live) return reject(Code::webinar_not_live);
  auto joined = of<ParticipantJoined>(s);
  joined.attended_at = at.now;
  joined.first_time = !s.attended_before;
  return accept(c.registration_id, std::move(joined));
}

Decision decide(const ExpireRegistration& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<RegistrationState>(c.registration_id)) return reject(Code::registration_not_found);
  const auto& s = view.get<RegistrationState>(c.registration_id);
  // It was paid, or made anew, while its timer was on its way.
  if (s.status != Status::pending || at.now < s.expires_at) return nothing_new(c.registration_id);
  Accepted accepted = accept(c.registration_id, of<RegistrationExpired>(s));
  append(accepted.events, return_money(s.payment_id, "registration expired", FeeBearer::platform, at, view));
  return accepted;
}

// ---- money

MoneyTaken take_registration_money(const PaymentState& payment, bool captured, const Context& at, const View& view) {
  const auto& s = view.get<RegistrationState>(payment.subject_id);
  if (s.payment_id != payment.payment_id) return {};  // Of an earlier time that the user registered.
  const auto& webinar = webinar_of(s, view);
  MoneyTaken taken;
  switch (s.status) {
    case Status::pending: {
      taken.wanted = webinar.status != WebinarStatus::cancelled;  // Not yet settled.
      if (!taken.wanted || !captured) break;
      auto paid = of<RegistrationPaid>(s);
      paid.payment_id = s.payment_id;
      taken.events.push_back({stream_of(s.registration_id), std::move(paid)});
      if (webinar.status == WebinarStatus::ended) append(taken.events, start_hold(s.payment_id, at, view));
      break;
    }
    case Status::registered: taken.wanted = true; break;
    case Status::expired: {
      taken.wanted = !seat_refusal(webinar) && !person_refusal(webinar, s.user_id, at, view);
      if (!taken.wanted || !captured) break;
      auto reinstated = of<RegistrationReinstated>(s);
      reinstated.payment_id = s.payment_id;
      taken.events.push_back({stream_of(s.registration_id), std::move(reinstated)});
      break;
    }
    case Status::none:
    case Status::cancelled:
    case Status::failed:
    case Status::refunded: break;
  }
  return taken;
}

std::vector<NewEvent> lose_registration_money(const PaymentState& payment, std::string_view reason, const Context&,
                                              const View& view) {
  const auto& s = view.get<RegistrationState>(payment.subject_id);
  if (s.payment_id != payment.payment_id || s.status != Status::pending) return {};
  auto failed = of<RegistrationFailed>(s);
  failed.reason = reason;
  return {{stream_of(s.registration_id), std::move(failed)}};
}

std::vector<NewEvent> registration_refunded(const PaymentState& payment, const Context&, const View& view) {
  const auto& s = view.get<RegistrationState>(payment.subject_id);
  if (s.payment_id != payment.payment_id || s.payment_status != PaymentStatus::paid) return {};
  auto refunded = of<RegistrationRefunded>(s);
  refunded.payment_id = s.payment_id;
  refunded.frees_seat = is_live(s);
  return {{stream_of(s.registration_id), std::move(refunded)}};
}

std::vector<NewEvent> settle_registration(const RegistrationState& s, bool webinar_cancelled, const Context& at,
                                          const View& view) {
  if (!is_live(s)) return {};
  if (!webinar_cancelled)
    return s.payment_status == PaymentStatus::paid ? start_hold(s.payment_id, at, view) : std::vector<NewEvent>{};
  std::vector<NewEvent> events{
      {stream_of(s.registration_id), cancelled(s, CancelledBy::webinar, "the webinar was cancelled")}};
  if (!is_nil(s.payment_id))
    append(events, return_money(s.payment_id, "the webinar was cancelled", FeeBearer::seller, at, view));
  return events;
}

bool is_participant(const RegistrationState& s) {
  return s.status == Status::registered && (s.payment_status == PaymentStatus::paid || s.attended_at > 0);
}

std::optional<StreamId> target(const RegisterForWebinar&) { return std::nullopt; }
std::optional<StreamId> target(const CancelRegistration& c) { return stream_of(c.registration_id); }
std::optional<StreamId> target(const JoinWebinar& c) { return stream_of(c.registration_id); }
std::optional<StreamId> target(const ExpireRegistration& c) { return stream_of(c.registration_id); }

// ---- apply

void apply(RegistrationState& s, const RegistrationAdded& e) {
  const bool free = is_nil(e.payment_id);
  s.registration_id = e.registration_id;
  s.webinar_id = e.webinar_id;
  s.host_id = e.host_id;
  s.user_id = e.user_id;
  s.payment_id = e.payment_id;
  s.amount_cents = e.amount_cents;
  s.currency = e.currency;
  s.status = free ? Status::registered : Status::pending;
  s.payment_status = free ? PaymentStatus::free : PaymentStatus::pending;
  s.expires_at = e.expires_at.value_or(0);
  s.attended_before = s.attended_before || s.attended_at > 0;
  s.attended_at = 0;
  s.earlier_id = e.earlier_id;
}

namespace {

void make_paid(RegistrationState& s) {
  s.status = Status::registered;
  s.payment_status = PaymentStatus::paid;
}

}  // namespace

void apply(RegistrationState& s, const RegistrationPaid&) { make_paid(s); }
void apply(RegistrationState& s, const RegistrationReinstated&) { make_paid(s); }
void apply(RegistrationState& s, const RegistrationExpired&) { s.status = Status::expired; }
void apply(RegistrationState& s, const RegistrationFailed&) { s.status = Status::failed; }
void apply(RegistrationState& s, const RegistrationCancelled&) { s.status = Status::cancelled; }

void apply(RegistrationState& s, const RegistrationRefunded&) {
  s.status = Status::refunded;
  s.payment_status = PaymentStatus::refunded;
}

void apply(RegistrationState& s, const ParticipantJoined& e) { s.attended_at = e.attended_at; }

// ---- reply, timers

AnyResource represent(const RegistrationState& s, std::uint64_t version, const Uuid&) {
  RegistrationView view{.id = s.registration_id,
                        .version = version,
                        .webinar_id = s.webinar_id,
                        .user_id = s.user_id,
                        .payment_id = s.payment_id,
                        .status = s.status,
                        .payment_status = s.payment_status,
                        .amount_cents = s.amount_cents,
                        .currency = s.currency,
                        .attended = s.attended_at > 0};
  if (s.attended_at > 0) view.attended_at = s.attended_at;
  if (s.status == Status::pending) view.expires_at = s.expires_at;
  return view;
}

// PA-80: its user, and the host.
bool shows_to(const RegistrationState& s, const Actor& actor) {
  return actor.trusted() || actor.is(s.user_id) || actor.is(s.host_id);
}

std::vector<Timer> timers(const RegistrationState& s) {
  if (s.status != Status::pending) return {};
  return {{"expire", s.expires_at, ExpireRegistration{.registration_id = s.registration_id}}};
}

}  // namespace guildhall
