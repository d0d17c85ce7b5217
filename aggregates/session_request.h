// A learner's wish to take part in a live session (DR-48), in the learner's group: whether they may is decided here, by their
// own level and lessons; whether there is a seat says the host's group (participant.h).
//
//   none | refused | cancelled -> requested -> waitlisted -> registered -> cancelled; requested -> registered | refused; any of
//   the middle ones -> cancelled, by the learner's withdrawal or with the session.
// Each registration is an attempt, by number; the host's group answers each, and each withdrawal, so nobody waits for ever.
// Answers may come in any order: one of an older attempt, or that says less than is known, says nothing new. Level and lessons
// are asked for when the learner registers, and not again when a seat frees.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Uuid session_request_id_of(const Uuid& learner, const Uuid& session);  // In the learner's group.

Decision decide(const session_request::RegisterForLiveSession& c, const Context& at, const View& view);
Decision decide(const session_request::CancelLiveRegistration& c, const Context& at, const View& view);
Decision decide(const session_request::AnswerRequest& c, const Context& at, const View& view);
Decision decide(const session_request::KeepSeat& c, const Context& at, const View& view);

std::optional<StreamId> target(const session_request::RegisterForLiveSession& c);
std::optional<StreamId> target(const session_request::CancelLiveRegistration& c);
std::optional<StreamId> target(const session_request::AnswerRequest& c);
std::optional<StreamId> target(const session_request::KeepSeat& c);

void apply(SessionRequestState& s, const session_request::RegistrationRequested& e);
void apply(SessionRequestState& s, const session_request::RequestAnswered& e);
void apply(SessionRequestState& s, const session_request::WithdrawalRequested& e);
void apply(SessionRequestState& s, const session_request::SeatKept& e);

AnyResource represent(const SessionRequestState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const SessionRequestState& s, const Actor& actor);

// What the host's group tells the learner's of an event; nullopt: nothing. The other way, and the activity of who joins, too.
std::optional<Reaction> session_reaction(const AnyEvent& event);

}  // namespace guildhall
