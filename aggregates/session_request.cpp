#include "aggregates/session_request.h"

#include "aggregates/account.h"
#include "aggregates/learner.h"
#include "aggregates/live_session.h"
#include "aggregates/progress.h"

namespace guildhall {
namespace {

using namespace session_request;
using ::session_request::v1::Status;

StreamId stream_of(const Uuid& request_id) { return {StreamKind::session_request, request_id}; }

Accepted nothing_new(const Uuid& request_id) { return {.subject = {stream_of(request_id)}}; }

Accepted accept(const Uuid& request_id, AnyEvent event) {
  Accepted out = nothing_new(request_id);
  out.events.push_back({stream_of(request_id), std::move(event)});
  return out;
}

template <class Event>
Event of(const SessionRequestState& s) {
  return {.request_id = s.request_id, .learner_id = s.learner_id, .session_id = s.session_id, .attempt = s.attempt};
}

// How much an answer says: a later one of the same attempt says more.
int rank_of(Status status) {
  switch (status) {
    case Status::none: return 0;
    case Status::requested: return 1;
    case Status::waitlisted: return 2;
    case Status::registered: return 3;
    case Status::refused:
    case Status::cancelled: return 4;
  }
  std::unreachable();
}
bool is_end(Status status) { return rank_of(status) == rank_of(Status::cancelled); }

// Why the learner may not register now.
std::optional<Code> refusal(const Uuid& learner_id, const LiveSessionFact& session, const View& view) {
  if (session.host_id == learner_id) return Code::own_session;
  if (is_over(session.status)) return Code::session_over;
  if (view.get<LearnerState>(learner_id).level < session.min_level.value_or(1)) return Code::level_too_low;
  for (const Uuid& id : session.required_lessons)
    if (!has_completed_lesson(learner_id, id, view)) return Code::prerequisites_missing;
  return std::nullopt;
}

}  // namespace

Uuid session_request_id_of(const Uuid& learner, const Uuid& session) {
  std::string pair;
  append_bytes(pair, learner);
  append_bytes(pair, session);
  return with_bucket(derive_root("session_request", pair), bucket_of(learner));
}

// ---- decide

Decision decide(const RegisterForLiveSession& c, const Context& at, const View& view) {
  const auto& account = view.get<AccountState>(c.learner_id);
  if (!is_registered(account) || !may_act_for(at.actor, c.learner_id)) return reject(Code::learner_not_found);
  const auto session = view.directory().live_session(c.session_id);
  if (!session) return reject(Code::session_not_found);
  const Uuid id = session_request_id_of(c.learner_id, c.session_id);
  const auto& s = view.get<SessionRequestState>(id);
  if (s.cancelling) return reject(Code::registration_cancelling);
  if (s.status != Status::none && !is_end(s.status)) return nothing_new(id);
  if (is_held_back(at.actor, account)) return reject(Code::account_banned);
  if (const auto code = refusal(c.learner_id, *session, view)) return reject(*code);
  Accepted accepted = accept(id, RegistrationRequested{.request_id = id,
                                                       .learner_id = c.learner_id,
                                                       .session_id = c.session_id,
                                                       .attempt = s.attempt + 1});
  accepted.created = true;
  return accepted;
}

Decision decide(const CancelLiveRegistration& c, const Context& at, const View& view) {
  const auto& s = view.get<SessionRequestState>(c.request_id);
  if (!view.exists<SessionRequestState>(c.request_id) || !shows_to(s, at.actor)) return reject(Code::registration_not_found);
  if (s.status == Status::cancelled || s.cancelling) return nothing_new(c.request_id);
  if (s.status == Status::refused) return reject(Code::registration_ended);
  if (s.kept) return reject(Code::seat_kept);
  return accept(c.request_id, of<WithdrawalRequested>(s));
}

Decision decide(const AnswerRequest& c, const Context& at, const View& view) {
  if (at.actor.kind != ActorKind::system || !view.exists<SessionRequestState>(c.request_id))
    return reject(Code::registration_not_found);
  const auto& s = view.get<SessionRequestState>(c.request_id);
  if (c.attempt != s.attempt || rank_of(c.status) <= rank_of(s.status)) return nothing_new(c.request_id);
  auto e = of<RequestAnswered>(s);
  e.status = c.status;
  e.reason = c.reason;
  return accept(c.request_id, std::move(e));
}

Decision decide(const KeepSeat& c, const Context& at, const View& view) {
  if (at.actor.kind != ActorKind::system || !view.exists<SessionRequestState>(c.request_id))
    return reject(Code::registration_not_found);
  const auto& s = view.get<SessionRequestState>(c.request_id);
  if (c.attempt != s.attempt || !s.cancelling) return nothing_new(c.request_id);
  return accept(c.request_id, of<SeatKept>(s));
}

std::optional<StreamId> target(const RegisterForLiveSession& c) {
  return stream_of(session_request_id_of(c.learner_id, c.session_id));
}
std::optional<StreamId> target(const CancelLiveRegistration& c) { return stream_of(c.request_id); }
std::optional<StreamId> target(const AnswerRequest& c) { return stream_of(c.request_id); }
std::optional<StreamId> target(const KeepSeat& c) { return stream_of(c.request_id); }

// ---- apply

void apply(SessionRequestState& s, const RegistrationRequested& e) {
  s.request_id = e.request_id;
  s.learner_id = e.learner_id;
  s.session_id = e.session_id;
  s.attempt = e.attempt;
  s.status = Status::requested;
  s.cancelling = false;
  s.kept = false;
  s.reason.clear();
}

void apply(SessionRequestState& s, const RequestAnswered& e) {
  s.status = e.status;
  s.reason = e.reason;
  if (is_end(e.status)) s.cancelling = false;
}

void apply(SessionRequestState& s, const WithdrawalRequested&) { s.cancelling = true; }

void apply(SessionRequestState& s, const SeatKept&) {
  s.cancelling = false;
  s.kept = true;
}

// ---- reply

AnyResource represent(const SessionRequestState& s, std::uint64_t version, const Uuid&) {
  return SessionRequestView{.id = s.request_id,
                            .version = version,
                            .learner_id = s.learner_id,
                            .session_id = s.session_id,
                            .status = s.status,
                            .cancelling = s.cancelling,
                            .reason = s.reason};
}

bool shows_to(const SessionRequestState& s, const Actor& actor) { return may_act_for(actor, s.learner_id); }

// ---- reactions

std::optional<Reaction> session_reaction(const AnyEvent& event) {
  const auto to_learner = [](const auto& e, Status status, std::string_view reason = {}) {
    AnswerRequest c{.request_id = session_request_id_of(e.user_id, e.session_id),
                    .attempt = e.attempt,
                    .status = status,
                    .reason = std::string(reason)};
    return Reaction{e.user_id, std::move(c)};
  };
  if (const auto* requested = get_if<RegistrationRequested>(&event)) {
    return Reaction{requested->session_id, participant::AskForSeat{.session_id = requested->session_id,
                                                                   .user_id = requested->learner_id,
                                                                   .attempt = requested->attempt}};
  } else if (const auto* withdrawn = get_if<WithdrawalRequested>(&event)) {
    return Reaction{withdrawn->session_id, participant::WithdrawFromSession{.session_id = withdrawn->session_id,
                                                                            .user_id = withdrawn->learner_id,
                                                                            .attempt = withdrawn->attempt}};
  } else if (const auto* added = get_if<participant::RegistrationAdded>(&event)) {
    return to_learner(*added, Status::registered);
  } else if (const auto* waitlisted = get_if<participant::RegistrationWaitlisted>(&event)) {
    return to_learner(*waitlisted, Status::waitlisted);
  } else if (const auto* promoted = get_if<participant::WaitlistPromoted>(&event)) {
    return to_learner(*promoted, Status::registered);
  } else if (const auto* refused = get_if<participant::RegistrationRefused>(&event)) {
    return to_learner(*refused, Status::refused, ::participant::v1::EnumNameRefusal(refused->reason));
  } else if (const auto* cancelled = get_if<participant::RegistrationCancelled>(&event)) {
    return to_learner(*cancelled, Status::cancelled);
  } else if (const auto* kept = get_if<participant::WithdrawalRefused>(&event)) {
    return Reaction{kept->user_id, KeepSeat{.request_id = session_request_id_of(kept->user_id, kept->session_id),
                                            .attempt = kept->attempt}};
  } else if (const auto* joined = get_if<participant::ParticipantJoined>(&event)) {
    if (joined->first_time)
      return Reaction{joined->user_id, learner::RecordActivity{.learner_id = joined->user_id,
                                                               .activity_type = std::string(session_join),
                                                               .entity_type = "live_session",
                                                               .entity_id = joined->session_id}};
  }
  return std::nullopt;
}

}  // namespace guildhall
