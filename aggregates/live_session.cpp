#include "aggregates/live_session.h"

#include <algorithm>
#include <tuple>

#include "aggregates/account.h"
#include "aggregates/participant.h"

namespace guildhall {
namespace {

using namespace live_session;
using ::live_session::v1::Status;

StreamId stream_of(const Uuid& session_id) { return {StreamKind::live_session, session_id}; }

Accepted nothing_new(const Uuid& session_id) { return {.subject = {stream_of(session_id)}}; }

Accepted accept(const Uuid& session_id, AnyEvent event, bool created = false) {
  Accepted out = nothing_new(session_id);
  out.events.push_back({stream_of(session_id), std::move(event)});
  out.created = created;
  return out;
}

void append(std::vector<NewEvent>& events, std::vector<NewEvent>&& more) { std::ranges::move(more, std::back_inserter(events)); }

// The host's part is nobody else's.
std::optional<Code> host_refusal(const Uuid& session_id, const Context& at, const View& view) {
  const auto& s = view.get<LiveSessionState>(session_id);
  if (!view.exists<LiveSessionState>(session_id) || !shows_to(s, at.actor)) return Code::session_not_found;
  if (!may_act_for(at.actor, s.host_id)) return Code::host_only;
  return std::nullopt;
}

bool is_host_held_back(const LiveSessionState& s, const Context& at, const View& view) {
  return is_held_back(at.actor, view.get<AccountState>(s.host_id));
}

// What everybody sees of the offer; commands, events, state and view have it in common.
template <class T>
auto shown(T& t) {
  return std::tie(t.title, t.description, t.session_type, t.scheduled_at, t.duration_minutes, t.max_participants, t.is_recorded,
                  t.min_level, t.required_lessons, t.tags);
}
template <class T>
auto offer(T& t) {
  return std::tuple_cat(shown(t), std::tie(t.meeting_url));
}

template <class Command>
std::optional<Code> lesson_refusal(const Command& c, const View& view) {
  for (const Uuid& id : c.required_lessons)
    if (!view.directory().lesson(id)) return Code::prerequisite_not_found;
  return std::nullopt;
}

template <class Offer>
Micros latest_start(const Offer& o, const PlatformPolicy& policy) {
  return o.scheduled_at + o.duration_minutes * minute_us + policy.webinar_start_us;
}

// Whoever waits moves up, as far as there are seats.
std::vector<NewEvent> promote(LiveSessionState s, const View& view) {
  std::vector<NewEvent> events;
  while (!s.waiting.empty() && has_seat(s)) {
    const Uuid next = s.waiting.front();
    events.push_back(promoted(view.get<ParticipantState>(next)));
    events.push_back(take_seat(s, next, false));
    apply(s, get<SeatTaken>(events.back().event));
  }
  return events;
}

}  // namespace

// ---- decide

Decision decide(const ScheduleLiveSession& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  const auto& host = view.get<AccountState>(c.host_id);
  if (!is_registered(host)) return reject(Code::account_not_found);
  if (host.status == ::account::v1::Status::banned) return reject(Code::account_banned);
  if (c.scheduled_at <= at.now) return reject(Code::scheduled_in_past);
  if (const auto code = lesson_refusal(c, view)) return reject(*code);
  const Uuid id = at.mint("live_session");
  LiveSessionScheduled e{.session_id = id, .host_id = c.host_id};
  offer(e) = offer(c);
  e.closes_at = latest_start(c, at.policy);
  return accept(id, std::move(e), true);
}

Decision decide(const UpdateLiveSession& c, const Context& at, const View& view) {
  if (const auto code = host_refusal(c.session_id, at, view)) return reject(*code);
  const auto& s = view.get<LiveSessionState>(c.session_id);
  if (offer(s) == offer(c)) return nothing_new(c.session_id);
  if (is_host_held_back(s, at, view)) return reject(Code::account_banned);
  if (s.status != Status::scheduled) return reject(Code::session_not_scheduled);
  // One that is late may still be changed in other ways.
  if (c.scheduled_at != s.scheduled_at && c.scheduled_at <= at.now) return reject(Code::scheduled_in_past);
  if (c.max_participants && *c.max_participants < s.current_participants) return reject(Code::max_attendees_too_low);
  if (const auto code = lesson_refusal(c, view)) return reject(*code);
  LiveSessionUpdated e{.session_id = c.session_id};
  offer(e) = offer(c);
  e.closes_at = latest_start(c, at.policy);
  LiveSessionState after = s;
  apply(after, e);
  Accepted accepted = accept(c.session_id, std::move(e));
  append(accepted.events, promote(std::move(after), view));
  return accepted;
}

Decision decide(const StartLiveSession& c, const Context& at, const View& view) {
  if (const auto code = host_refusal(c.session_id, at, view)) return reject(*code);
  const auto& s = view.get<LiveSessionState>(c.session_id);
  const std::string& url = c.meeting_url.empty() ? s.meeting_url : c.meeting_url;
  if (s.status == Status::live && s.meeting_url == url) return nothing_new(c.session_id);
  if (is_host_held_back(s, at, view)) return reject(Code::account_banned);
  if (s.status != Status::scheduled) return reject(Code::session_not_scheduled);
  return accept(c.session_id,
                LiveSessionStarted{.session_id = c.session_id,
                                   .meeting_url = url,
                                   .closes_at = at.now + s.duration_minutes * minute_us + at.policy.webinar_live_us});
}

Decision decide(const EndLiveSession& c, const Context& at, const View& view) {
  if (const auto code = host_refusal(c.session_id, at, view)) return reject(*code);
  const auto& s = view.get<LiveSessionState>(c.session_id);
  if (s.status == Status::ended) return nothing_new(c.session_id);
  if (is_host_held_back(s, at, view)) return reject(Code::account_banned);
  if (s.status != Status::live) return reject(Code::session_not_live);
  return accept(c.session_id, LiveSessionEnded{.session_id = c.session_id, .ended_at = at.now});
}

Decision decide(const CancelLiveSession& c, const Context& at, const View& view) {
  if (const auto code = host_refusal(c.session_id, at, view)) return reject(*code);
  const auto& s = view.get<LiveSessionState>(c.session_id);
  if (s.status == Status::cancelled) return nothing_new(c.session_id);
  if (is_host_held_back(s, at, view)) return reject(Code::account_banned);
  if (s.status != Status::scheduled) return reject(Code::session_not_scheduled);
  return accept(c.session_id, LiveSessionCancelled{.session_id = c.session_id, .reason = c.reason, .cancelled_at = at.now});
}

Decision decide(const AttachLiveRecording& c, const Context& at, const View& view) {
  if (const auto code = host_refusal(c.session_id, at, view)) return reject(*code);
  const auto& s = view.get<LiveSessionState>(c.session_id);
  if (s.recording_url == c.recording_url) return nothing_new(c.session_id);
  if (is_host_held_back(s, at, view)) return reject(Code::account_banned);
  if (s.status != Status::ended) return reject(Code::session_not_ended);
  return accept(c.session_id, LiveRecordingAttached{.session_id = c.session_id, .recording_url = c.recording_url});
}

Decision decide(const CloseLiveSession& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<LiveSessionState>(c.session_id)) return reject(Code::session_not_found);
  const auto& s = view.get<LiveSessionState>(c.session_id);
  // It went on, or was moved, while its timer was on its way.
  if (is_over(s.status) || at.now < s.closes_at) return nothing_new(c.session_id);
  if (s.status == Status::live)
    return accept(c.session_id, LiveSessionEnded{.session_id = c.session_id, .ended_at = at.now});
  return accept(c.session_id, LiveSessionCancelled{.session_id = c.session_id,
                                                   .reason = "it was not started in time",
                                                   .cancelled_at = at.now});
}

Decision decide(const SettleLiveSession& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<LiveSessionState>(c.session_id)) return reject(Code::session_not_found);
  const auto& s = view.get<LiveSessionState>(c.session_id);
  if (is_nil(s.settle_id) || at.now < s.settle_at) return nothing_new(c.session_id);
  Accepted accepted = nothing_new(c.session_id);
  ParticipantsSettled settled{.session_id = c.session_id,
                              .next_id = s.settle_id,
                              .next_at = at.now + 1,  // A timer fires once for a time: the next step needs another.
                              .current_participants = s.current_participants};
  for (std::size_t i = 0; i < participants_settled_per_step && !is_nil(settled.next_id); ++i) {
    const auto& participant = view.get<ParticipantState>(settled.next_id);
    SettledParticipant one = settle_participant(participant, s.status == Status::cancelled);
    append(accepted.events, std::move(one.events));
    if (one.frees_seat) --settled.current_participants;
    settled.next_id = participant.earlier_id;
  }
  accepted.events.push_back({stream_of(c.session_id), std::move(settled)});
  return accepted;
}

// ---- for the participants' decisions

bool is_over(Status status) { return status == Status::ended || status == Status::cancelled; }
bool has_seat(const LiveSessionState& s) { return !s.max_participants || s.current_participants < *s.max_participants; }
bool has_place(const LiveSessionState& s) { return s.waiting.size() < max_waiting; }

NewEvent take_seat(const LiveSessionState& s, const Uuid& participant, bool first_time) {
  return {stream_of(s.session_id), SeatTaken{.session_id = s.session_id,
                                             .participant_id = participant,
                                             .current_participants = s.current_participants + 1,
                                             .newest_participant_id = first_time ? participant : s.newest_participant_id}};
}

NewEvent take_place(const LiveSessionState& s, const Uuid& participant, bool first_time) {
  return {stream_of(s.session_id), PlaceTaken{.session_id = s.session_id,
                                              .participant_id = participant,
                                              .newest_participant_id = first_time ? participant : s.newest_participant_id}};
}

NewEvent release_place(const LiveSessionState& s, const Uuid& participant) {
  return {stream_of(s.session_id), PlaceReleased{.session_id = s.session_id, .participant_id = participant}};
}

std::vector<NewEvent> release_seat(const LiveSessionState& s, const Uuid& participant, const View& view) {
  SeatReleased e{
      .session_id = s.session_id, .participant_id = participant, .current_participants = s.current_participants - 1};
  LiveSessionState after = s;
  apply(after, e);
  std::vector<NewEvent> events{{stream_of(s.session_id), std::move(e)}};
  append(events, promote(std::move(after), view));
  return events;
}

std::optional<StreamId> target(const ScheduleLiveSession&) { return std::nullopt; }
std::optional<StreamId> target(const UpdateLiveSession& c) { return stream_of(c.session_id); }
std::optional<StreamId> target(const StartLiveSession& c) { return stream_of(c.session_id); }
std::optional<StreamId> target(const EndLiveSession& c) { return stream_of(c.session_id); }
std::optional<StreamId> target(const CancelLiveSession& c) { return stream_of(c.session_id); }
std::optional<StreamId> target(const AttachLiveRecording& c) { return stream_of(c.session_id); }
std::optional<StreamId> target(const CloseLiveSession& c) { return stream_of(c.session_id); }
std::optional<StreamId> target(const SettleLiveSession& c) { return stream_of(c.session_id); }

// ---- apply

namespace {

// Nobody waits any more; settling begins with the participant who came last.
void finish(LiveSessionState& s, Status status, Micros now) {
  s.status = status;
  s.waiting.clear();
  s.settle_id = s.newest_participant_id;
  s.settle_at = now;
}

}  // namespace

void apply(LiveSessionState& s, const LiveSessionScheduled& e) {
  s.session_id = e.session_id;
  s.host_id = e.host_id;
  offer(s) = offer(e);
  s.status = Status::scheduled;
  s.closes_at = e.closes_at;
}

void apply(LiveSessionState& s, const LiveSessionUpdated& e) {
  offer(s) = offer(e);
  s.closes_at = e.closes_at;
}

void apply(LiveSessionState& s, const LiveSessionStarted& e) {
  s.status = Status::live;
  s.meeting_url = e.meeting_url;
  s.closes_at = e.closes_at;
}

void apply(LiveSessionState& s, const LiveSessionEnded& e) { finish(s, Status::ended, e.ended_at); }
void apply(LiveSessionState& s, const LiveSessionCancelled& e) { finish(s, Status::cancelled, e.cancelled_at); }
void apply(LiveSessionState& s, const LiveRecordingAttached& e) { s.recording_url = e.recording_url; }

void apply(LiveSessionState& s, const SeatTaken& e) {
  std::erase(s.waiting, e.participant_id);
  s.current_participants = e.current_participants;
  s.newest_participant_id = e.newest_participant_id;
}

void apply(LiveSessionState& s, const SeatReleased& e) { s.current_participants = e.current_participants; }

void apply(LiveSessionState& s, const PlaceTaken& e) {
  s.waiting.push_back(e.participant_id);
  s.newest_participant_id = e.newest_participant_id;
}

void apply(LiveSessionState& s, const PlaceReleased& e) { std::erase(s.waiting, e.participant_id); }

void apply(LiveSessionState& s, const ParticipantsSettled& e) {
  s.settle_id = e.next_id;
  s.settle_at = e.next_at;
  s.current_participants = e.current_participants;
}

// ---- for others, reply, timers

std::optional<LiveSessionFact> fact_of(const LiveSessionState& s) {
  return LiveSessionFact{.status = s.status,
                         .host_id = s.host_id,
                         .scheduled_at = s.scheduled_at,
                         .min_level = s.min_level,
                         .required_lessons = s.required_lessons};
}

AnyResource represent(const LiveSessionState& s, std::uint64_t version, const Uuid&) {
  LiveSessionView view{.id = s.session_id,
                       .version = version,
                       .host_id = s.host_id,
                       .status = s.status,
                       .current_participants = s.current_participants,
                       .waiting_participants = static_cast<std::int32_t>(s.waiting.size()),
                       .recording_url = s.recording_url};
  shown(view) = shown(s);
  return view;
}

bool shows_to(const LiveSessionState&, const Actor& actor) {  // A-DR-30
  return actor.trusted() || actor.kind == ActorKind::user;
}

std::vector<Timer> timers(const LiveSessionState& s) {
  if (!is_over(s.status)) return {{"close", s.closes_at, CloseLiveSession{.session_id = s.session_id}}};
  if (!is_nil(s.settle_id)) return {{"settle", s.settle_at, SettleLiveSession{.session_id = s.session_id}}};
  return {};
}

}  // namespace guildhall
