#include "aggregates/session.h"

#include <algorithm>

#include "aggregates/account.h"
#include "aggregates/schedule.h"

namespace guildhall {
namespace {

StreamId stream_of(const Uuid& session) { return {StreamKind::session, session}; }

Decision nothing_new(const Uuid& session) { return Accepted{{}, {stream_of(session)}}; }

// The session that a command names, unless it is absent or another's.
const SessionState* own(const Uuid& session, const Context& at, const View& view) {
  const auto& s = view.get<SessionState>(session);
  return !is_nil(s.session_id) && may_act_for(at.actor, s.expert_id) ? &s : nullptr;
}

bool is_expert_held_back(const Uuid& expert, const Context& at, const View& view) {
  return is_held_back(at.actor, view.get<AccountState>(expert));
}

bool is_limit_reached(const Uuid& expert, const Context& at, const View& view) {
  return std::ssize(view.get<ScheduleState>(expert).sessions) >= at.policy.max_sessions;
}

bool is_allowed_duration(std::int32_t minutes, const PlatformPolicy& policy) {
  return minutes > 0 && minutes % policy.duration_step_minutes == 0;
}

bool is_supported(const std::string& currency, const PlatformPolicy& policy) {
  return std::ranges::find(policy.currencies, currency) != policy.currencies.end();
}

// ---- the short description (A-TU-9)

constexpr std::size_t max_short_description = 500;  // Unicode scalars, the ellipsis included (TU-16).

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The byte offset of the n-th scalar (from 0) of well-formed UTF-8; the size when there are not so many.
std::size_t offset_of_scalar(std::string_view text, std::size_t n) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool starts_scalar = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (starts_scalar && n-- == 0) break;
  }
  return at;
}

std::string shortened(std::string_view text) {
  if (offset_of_scalar(text, max_short_description) == text.size()) return std::string(text);
  const std::size_t limit = offset_of_scalar(text, max_short_description - 1);
  std::size_t end = limit;
  if (!is_space(text[limit])) {  // In the middle of a word: go back to its start, unless the word is all there is.
    while (end > 0 && !is_space(text[end - 1])) --end;
  }
  while (end > 0 && is_space(text[end - 1])) --end;
  if (end == 0) end = limit;
  return std::string(text.substr(0, end)) + "…";
}

// ---- what commands, events, state and view have in common

template <class To, class From>
void copy_offer(To& to, const From& from) {
  to.title = from.title;
  to.description = from.description;
  to.duration_minutes = from.duration_minutes;
  to.price_cents = from.price_cents;
  to.currency = from.currency;
  to.topic_tags = from.topic_tags;
  to.level = from.level;
  to.prerequisites = from.prerequisites;
  to.materials_url = from.materials_url;
  to.max_participants = from.max_participants;
}

bool offers(const SessionState& s, const session::SessionUpdated& e) {
  return s.title == e.title && s.description == e.description && s.short_description == e.short_description &&
         s.duration_minutes == e.duration_minutes && s.price_cents == e.price_cents && s.currency == e.currency &&
         s.topic_tags == e.topic_tags && s.level == e.level && s.prerequisites == e.prerequisites &&
         s.materials_url == e.materials_url && s.max_participants == e.max_participants;
}

// What the schedule notes of a session, and the slots that follow from it.
Replan reschedule(const Uuid& expert, const Uuid& session, std::int32_t duration_minutes, std::int32_t max_participants,
                  bool is_active, const Context& at, const View& view) {
  schedule::SessionScheduled e;
  e.expert_id = expert;
  e.session_id = session;
  e.duration_minutes = duration_minutes;
  e.max_participants = max_participants;
  e.is_active = is_active;
  return replan(expert, e, at, view);
}

Decision accept(const Uuid& session, AnyEvent event, Replan following = {}, bool created = false) {
  Accepted out{{}, {stream_of(session)}, created};
  out.events.push_back({stream_of(session), std::move(event)});
  std::ranges::move(following.events, std::back_inserter(out.events));
  return out;
}

}  // namespace

// ---- decide

Decision decide(const session::CreateSession& c, const Context& at, const View& view) {
  if (!may_act_for(at.actor, c.expert_id) || !view.get<AccountState>(c.expert_id).is_expert)
    return reject(Code::expert_not_found);
  if (is_expert_held_back(c.expert_id, at, view)) return reject(Code::account_banned);
  if (is_limit_reached(c.expert_id, at, view)) return reject(Code::session_limit_reached);
  if (!is_allowed_duration(c.duration_minutes, at.policy)) return reject(Code::duration_not_multiple);
  session::SessionCreated e;
  e.session_id = at.mint("session");
  e.expert_id = c.expert_id;
  copy_offer(e, c);
  e.short_description = shortened(c.description);
  if (e.currency.empty()) e.currency = at.policy.default_currency;
  if (!is_supported(e.currency, at.policy)) return reject(Code::currency_not_supported, e.currency);
  auto following = reschedule(c.expert_id, e.session_id, c.duration_minutes, c.max_participants, true, at, view);
  if (following.crowded) return reject(Code::too_many_slots);
  const Uuid id = e.session_id;
  return accept(id, std::move(e), std::move(following), true);
}

Decision decide(const session::UpdateSession& c, const Context& at, const View& view) {
  const auto* s = own(c.session_id, at, view);
  if (!s) return reject(Code::session_not_found);
  session::SessionUpdated e;
  e.session_id = c.session_id;
  copy_offer(e, c);
  e.short_description = c.short_description.empty() ? shortened(c.description) : c.short_description;
  if (offers(*s, e)) return nothing_new(c.session_id);
  if (is_expert_held_back(s->expert_id, at, view)) return reject(Code::account_banned);
  if (s->booked_before && e.currency != s->currency) return reject(Code::currency_immutable);
  if (!is_allowed_duration(c.duration_minutes, at.policy)) return reject(Code::duration_not_multiple);
  // A currency that the platform took when the session was made stays allowed: after a booking it could not be changed.
  if (e.currency != s->currency && !is_supported(e.currency, at.policy)) return reject(Code::currency_not_supported, e.currency);
  Replan following;
  if (s->is_active && (c.duration_minutes != s->duration_minutes || c.max_participants != s->max_participants))
    following = reschedule(s->expert_id, c.session_id, c.duration_minutes, c.max_participants, true, at, view);
  if (following.crowded) return reject(Code::too_many_slots);
  return accept(c.session_id, std::move(e), std::move(following));
}

Decision decide(const session::ActivateSession& c, const Context& at, const View& view) {
  const auto* s = own(c.session_id, at, view);
  if (!s) return reject(Code::session_not_found);
  if (s->is_active) return nothing_new(c.session_id);
  if (is_expert_held_back(s->expert_id, at, view)) return reject(Code::account_banned);
  if (is_limit_reached(s->expert_id, at, view)) return reject(Code::session_limit_reached);
  auto following = reschedule(s->expert_id, c.session_id, s->duration_minutes, s->max_participants, true, at, view);
  if (following.crowded) return reject(Code::too_many_slots);
  session::SessionActivated e;
  e.session_id = c.session_id;
  return accept(c.session_id, std::move(e), std::move(following));
}

Decision decide(const session::DeactivateSession& c, const Context& at, const View& view) {
  const auto* s = own(c.session_id, at, view);
  if (!s) return reject(Code::session_not_found);
  if (!s->is_active) return nothing_new(c.session_id);
  if (is_expert_held_back(s->expert_id, at, view)) return reject(Code::account_banned);
  session::SessionDeactivated e;
  e.session_id = c.session_id;
  return accept(c.session_id, std::move(e),
                reschedule(s->expert_id, c.session_id, s->duration_minutes, s->max_participants, false, at, view));
}

std::optional<StreamId> target(const session::CreateSession&) { return std::nullopt; }
std::optional<StreamId> target(const session::UpdateSession& c) { return stream_of(c.session_id); }
std::optional<StreamId> target(const session::ActivateSession& c) { return stream_of(c.session_id); }
std::optional<StreamId> target(const session::DeactivateSession& c) { return stream_of(c.session_id); }

// ---- apply

void apply(SessionState& s, const session::SessionCreated& e) {
  s.session_id = e.session_id;
  s.expert_id = e.expert_id;
  copy_offer(s, e);
  s.short_description = e.short_description;
  s.is_active = true;
}

void apply(SessionState& s, const session::SessionUpdated& e) {
  copy_offer(s, e);
  s.short_description = e.short_description;
}

void apply(SessionState& s, const session::SessionActivated&) { s.is_active = true; }
void apply(SessionState& s, const session::SessionDeactivated&) { s.is_active = false; }
void apply(SessionState& s, const session::SessionFirstBooked&) { s.booked_before = true; }

// A-TU-19: what is offered is for everybody who is signed in, the rest for its expert.
bool shows_to(const SessionState& s, const Actor& actor) {
  return may_act_for(actor, s.expert_id) || (s.is_active && actor.kind == ActorKind::user);
}

AnyResource represent(const SessionState& s, std::uint64_t version, const Uuid&) {
  session::SessionView v;
  v.id = s.session_id;
  v.version = version;
  v.expert_id = s.expert_id;
  copy_offer(v, s);
  v.short_description = s.short_description;
  v.is_active = s.is_active;
  return v;
}

}  // namespace guildhall
