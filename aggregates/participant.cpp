#include "aggregates/participant.h"

#include <algorithm>

#include "aggregates/account.h"
#include "aggregates/live_session.h"

namespace guildhall {
namespace {

using namespace participant;
using ::participant::v1::CancelledBy;
using ::participant::v1::Refusal;
using ::participant::v1::Status;
using SessionStatus = ::live_session::v1::Status;

StreamId stream_of(const Uuid& participant_id) { return {StreamKind::participant, participant_id}; }

Accepted nothing_new(const Uuid& participant_id) { return {.subject = {stream_of(participant_id)}}; }

Accepted accept(const Uuid& participant_id, AnyEvent event) {
  Accepted out = nothing_new(participant_id);
  out.events.push_back({stream_of(participant_id), std::move(event)});
  return out;
}

const LiveSessionState& session_of(const ParticipantState& s, const View& view) {
  return view.get<LiveSessionState>(s.session_id);
}

// An event with whose participation for what it is; of an attempt.
template <class Event>
Event of(const ParticipantState& s) {
  return {.participant_id = s.participant_id, .session_id = s.session_id, .user_id = s.user_id};
}
template <class Event>
Event answer(const ParticipantState& s) {
  auto e = of<Event>(s);
  e.attempt = s.attempt;
  return e;
}
template <class Event, class Question>
Event answer_to(const Question& c) {
  return {.participant_id = participant_id_of(c.session_id, c.user_id),
          .session_id = c.session_id,
          .user_id = c.user_id,
          .attempt = c.attempt};
}

// What both of a seat and of a place on the waitlist are told.
template <class Event>
Event added(const AskForSeat& c, const ParticipantState& s, const LiveSessionState& session) {
  auto e = answer_to<Event>(c);
  e.host_id = session.host_id;
  e.earlier_id = s.is_chained ? s.earlier_id : session.newest_participant_id;
  return e;
}

RegistrationCancelled cancelled(const ParticipantState& s, CancelledBy by) {
  auto e = answer<RegistrationCancelled>(s);
  e.cancelled_by = by;
  return e;
}

// Strangers learn nothing of who takes part.
template <class Command>
std::optional<Code> user_refusal(const Command& c, const View& view) {
  if (!view.exists<LiveSessionState>(c.session_id)) return Code::session_not_found;
  if (!view.exists<ParticipantState>(participant_id_of(c.session_id, c.user_id))) return Code::registration_not_found;
  return std::nullopt;
}

}  // namespace

Uuid participant_id_of(const Uuid& session, const Uuid& user) {
  std::string pair;
  append_bytes(pair, session);
  append_bytes(pair, user);
  return with_bucket(derive_root("participant", pair), bucket_of(session));
}

// ---- decide

Decision decide(const AskForSeat& c, const Context& at, const View& view) {
  if (at.actor.kind != ActorKind::system || !view.exists<LiveSessionState>(c.session_id)) return reject(Code::session_not_found);
  const Uuid id = participant_id_of(c.session_id, c.user_id);
  const auto& s = view.get<ParticipantState>(id);
  if (c.attempt <= s.attempt) return nothing_new(id);
  const auto& session = view.get<LiveSessionState>(c.session_id);
  const auto refused = [&](Refusal reason) {
    auto e = answer_to<RegistrationRefused>(c);
    e.reason = reason;
    return accept(id, std::move(e));
  };
  if (is_over(session.status)) return refused(Refusal::session_over);
  if (has_seat(session)) {
    Accepted accepted = accept(id, added<RegistrationAdded>(c, s, session));
    accepted.events.push_back(take_seat(session, id, !s.is_chained));
    return accepted;
  }
  if (!has_place(session)) return refused(Refusal::waitlist_full);
  Accepted accepted = accept(id, added<RegistrationWaitlisted>(c, s, session));
  accepted.events.push_back(take_place(session, id, !s.is_chained));
  return accepted;
}

Decision decide(const WithdrawFromSession& c, const Context& at, const View& view) {
  if (at.actor.kind != ActorKind::system || !view.exists<LiveSessionState>(c.session_id)) return reject(Code::session_not_found);
  const Uuid id = participant_id_of(c.session_id, c.user_id);
  const auto& s = view.get<ParticipantState>(id);
  if (c.attempt < s.attempt) return nothing_new(id);
  if (c.attempt > s.attempt) return accept(id, answer_to<RegistrationCancelled>(c));
  const auto& session = session_of(s, view);
  switch (s.status) {
    case Status::registered: {
      if (session.status == SessionStatus::ended) return accept(id, answer<WithdrawalRefused>(s));
      Accepted accepted = accept(id, cancelled(s, CancelledBy::learner));
      std::ranges::move(release_seat(session, id, view), std::back_inserter(accepted.events));
      return accepted;
    }
    case Status::waitlisted: {
      Accepted accepted = accept(id, cancelled(s, CancelledBy::learner));
      if (!is_over(session.status)) accepted.events.push_back(release_place(session, id));
      return accepted;
    }
    case Status::attended:
    case Status::missed: return accept(id, answer<WithdrawalRefused>(s));
    case Status::none:
    case Status::refused:
    case Status::cancelled: return nothing_new(id);  // The answer is on its way.
  }
  std::unreachable();
}

Decision decide(const JoinLiveSession& c, const Context& at, const View& view) {
  if (!may_act_for(at.actor, c.user_id)) return reject(Code::account_not_found);
  if (const auto code = user_refusal(c, view)) return reject(*code);
  const Uuid id = participant_id_of(c.session_id, c.user_id);
  const auto& s = view.get<ParticipantState>(id);
  if (s.status == Status::attended && s.left_at == 0) return nothing_new(id);
  if (session_of(s, view).status != SessionStatus::live) return reject(Code::session_not_live);
  if (s.status == Status::waitlisted) return reject(Code::seat_not_free);
  if (s.status != Status::registered && s.status != Status::attended) return reject(Code::registration_ended);
  auto joined = of<ParticipantJoined>(s);
  joined.first_time = s.status == Status::registered;
  joined.joined_at = joined.first_time ? at.now : s.joined_at;
  return accept(id, std::move(joined));
}

Decision decide(const LeaveLiveSession& c, const Context& at, const View& view) {
  if (!may_act_for(at.actor, c.user_id)) return reject(Code::account_not_found);
  if (const auto code = user_refusal(c, view)) return reject(*code);
  const Uuid id = participant_id_of(c.session_id, c.user_id);
  const auto& s = view.get<ParticipantState>(id);
  if (s.status == Status::attended && s.left_at != 0) return nothing_new(id);
  if (s.status != Status::attended) return reject(Code::attendance_required);
  if (session_of(s, view).status != SessionStatus::live) return reject(Code::session_not_live);
  auto left = of<ParticipantLeft>(s);
  left.left_at = at.now;
  return accept(id, std::move(left));
}

Decision decide(const GiveFeedback& c, const Context& at, const View& view) {
  if (!may_act_for(at.actor, c.user_id)) return reject(Code::account_not_found);
  if (const auto code = user_refusal(c, view)) return reject(*code);
  const Uuid id = participant_id_of(c.session_id, c.user_id);
  const auto& s = view.get<ParticipantState>(id);
  if (s.feedback_rating == c.rating && s.feedback_text == c.text) return nothing_new(id);
  if (s.feedback_rating) return reject(Code::feedback_given);
  if (s.status != Status::attended) return reject(Code::attendance_required);
  auto given = of<FeedbackGiven>(s);
  given.rating = c.rating;
  given.text = c.text;
  return accept(id, std::move(given));
}

// ---- for the session's decisions

NewEvent promoted(const ParticipantState& s) { return {stream_of(s.participant_id), answer<WaitlistPromoted>(s)}; }

SettledParticipant settle_participant(const ParticipantState& s, bool session_cancelled) {
  SettledParticipant settled;
  if (s.status == Status::waitlisted || (s.status == Status::registered && session_cancelled)) {
    settled.events.push_back({stream_of(s.participant_id), cancelled(s, CancelledBy::session)});
    settled.frees_seat = s.status == Status::registered;
  } else if (s.status == Status::registered) {
    settled.events.push_back({stream_of(s.participant_id), of<AttendanceMissed>(s)});
  }
  return settled;
}

std::optional<StreamId> target(const AskForSeat& c) { return stream_of(participant_id_of(c.session_id, c.user_id)); }
std::optional<StreamId> target(const WithdrawFromSession& c) { return stream_of(participant_id_of(c.session_id, c.user_id)); }
std::optional<StreamId> target(const JoinLiveSession& c) { return stream_of(participant_id_of(c.session_id, c.user_id)); }
std::optional<StreamId> target(const LeaveLiveSession& c) { return stream_of(participant_id_of(c.session_id, c.user_id)); }
std::optional<StreamId> target(const GiveFeedback& c) { return stream_of(participant_id_of(c.session_id, c.user_id)); }

// ---- apply

namespace {

template <class Event>
void identify(ParticipantState& s, const Event& e, Status status) {
  s.participant_id = e.participant_id;
  s.session_id = e.session_id;
  s.user_id = e.user_id;
  s.attempt = e.attempt;
  s.status = status;
}

template <class Event>
void add(ParticipantState& s, const Event& e, Status status) {
  identify(s, e, status);
  s.host_id = e.host_id;
  s.is_chained = true;
  s.earlier_id = e.earlier_id;
}

}  // namespace

void apply(ParticipantState& s, const RegistrationAdded& e) { add(s, e, Status::registered); }
void apply(ParticipantState& s, const RegistrationWaitlisted& e) { add(s, e, Status::waitlisted); }
void apply(ParticipantState& s, const RegistrationRefused& e) { identify(s, e, Status::refused); }
void apply(ParticipantState& s, const WaitlistPromoted&) { s.status = Status::registered; }
void apply(ParticipantState& s, const RegistrationCancelled& e) { identify(s, e, Status::cancelled); }
void apply(ParticipantState&, const WithdrawalRefused&) {}

void apply(ParticipantState& s, const ParticipantJoined& e) {
  s.status = Status::attended;
  s.joined_at = e.joined_at;
  s.left_at = 0;
}

void apply(ParticipantState& s, const ParticipantLeft& e) { s.left_at = e.left_at; }
void apply(ParticipantState& s, const AttendanceMissed&) { s.status = Status::missed; }

void apply(ParticipantState& s, const FeedbackGiven& e) {
  s.feedback_rating = e.rating;
  s.feedback_text = e.text;
}

// ---- reply

AnyResource represent(const ParticipantState& s, std::uint64_t version, const Uuid&) {
  ParticipantView view{.id = s.participant_id,
                       .version = version,
                       .session_id = s.session_id,
                       .user_id = s.user_id,
                       .status = s.status,
                       .feedback_rating = s.feedback_rating};
  if (s.joined_at != 0) view.joined_at = s.joined_at;
  if (s.left_at != 0) view.left_at = s.left_at;
  return view;
}

// A-DR-30: its user, and the host.
bool shows_to(const ParticipantState& s, const Actor& actor) {
  return actor.trusted() || actor.is(s.user_id) || actor.is(s.host_id);
}

}  // namespace guildhall
