// Who takes part in a live session: seat, waitlist, attendance, feedback (DR-50..53, A-DR-29, §9 Registration), in the host's
// group.
//
//   none -> registered | waitlisted | refused; waitlisted -> registered, when a seat frees; registered -> attended | missed;
//   registered | waitlisted -> cancelled. After refused or cancelled the learner may ask again.
// Its id follows from session and user, so that one user has one place (DR-51). Learners ask, and withdraw, through their own
// group (session_request.h); every question is answered by an event, which a reaction carries back.
//
// Questions may overtake each other: each carries the number of its attempt, and what is older than the newest attempt that is
// known of, or as old, is settled already. A withdrawal that comes before its question cancels it in advance.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Uuid participant_id_of(const Uuid& session, const Uuid& user);  // In the session's group.

Decision decide(const participant::AskForSeat& c, const Context& at, const View& view);
Decision decide(const participant::WithdrawFromSession& c, const Context& at, const View& view);
Decision decide(const participant::JoinLiveSession& c, const Context& at, const View& view);
Decision decide(const participant::LeaveLiveSession& c, const Context& at, const View& view);
Decision decide(const participant::GiveFeedback& c, const Context& at, const View& view);

NewEvent promoted(const ParticipantState& s);

// The session is over, cancelled or not: what becomes of one of its participants.
struct SettledParticipant {
  std::vector<NewEvent> events;
  bool frees_seat = false;  // The caller counts.
};
SettledParticipant settle_participant(const ParticipantState& s, bool session_cancelled);

std::optional<StreamId> target(const participant::AskForSeat& c);
std::optional<StreamId> target(const participant::WithdrawFromSession& c);
std::optional<StreamId> target(const participant::JoinLiveSession& c);
std::optional<StreamId> target(const participant::LeaveLiveSession& c);
std::optional<StreamId> target(const participant::GiveFeedback& c);

void apply(ParticipantState& s, const participant::RegistrationAdded& e);
void apply(ParticipantState& s, const participant::RegistrationWaitlisted& e);
void apply(ParticipantState& s, const participant::RegistrationRefused& e);
void apply(ParticipantState& s, const participant::WaitlistPromoted& e);
void apply(ParticipantState& s, const participant::RegistrationCancelled& e);
void apply(ParticipantState& s, const participant::WithdrawalRefused& e);
void apply(ParticipantState& s, const participant::ParticipantJoined& e);
void apply(ParticipantState& s, const participant::ParticipantLeft& e);
void apply(ParticipantState& s, const participant::AttendanceMissed& e);
void apply(ParticipantState& s, const participant::FeedbackGiven& e);

AnyResource represent(const ParticipantState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const ParticipantState& s, const Actor& actor);

}  // namespace guildhall
