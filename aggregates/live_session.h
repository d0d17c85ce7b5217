// A live session of a host (DR-45..49, X-19, §9 LiveEvent). Admins schedule it and name its host, who holds it: starts, ends,
// changes and cancels it.
//
//   scheduled -> live -> ended; scheduled -> cancelled. What its host forgets, a timer does: not started an hour after its
//   planned end it is cancelled, live four hours beyond its duration it is ended (policy.webinar_start_us, webinar_live_us).
// Seats: registered participants never exceed max_participants. Who finds none waits, first come, first served: whatever frees
// a seat gives it to whom has waited longest, in the same decision, so that nobody waits beside a free seat. The waitlist is
// part of this state, hence its bound.
//
// Settlement as of webinars (webinar.h): a session that is over settles its participants a hundred a decision, along a chain
// that begins with the one who came last. Ended, those who never joined have missed it (A-DR-29); cancelled, nobody is
// registered; in both cases nobody waits any more.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

inline constexpr std::size_t max_waiting = 200;                    // Participants of a waitlist: 16 bytes each.
inline constexpr std::size_t participants_settled_per_step = 100;  // A decision: about 100 records and as many answers.

Decision decide(const live_session::ScheduleLiveSession& c, const Context& at, const View& view);
Decision decide(const live_session::UpdateLiveSession& c, const Context& at, const View& view);
Decision decide(const live_session::StartLiveSession& c, const Context& at, const View& view);
Decision decide(const live_session::EndLiveSession& c, const Context& at, const View& view);
Decision decide(const live_session::CancelLiveSession& c, const Context& at, const View& view);
Decision decide(const live_session::AttachLiveRecording& c, const Context& at, const View& view);
Decision decide(const live_session::CloseLiveSession& c, const Context& at, const View& view);
Decision decide(const live_session::SettleLiveSession& c, const Context& at, const View& view);

// For the participants' decisions.
bool is_over(::live_session::v1::Status status);
bool has_seat(const LiveSessionState& s);   // One more.
bool has_place(const LiveSessionState& s);  // One more on the waitlist.
NewEvent take_seat(const LiveSessionState& s, const Uuid& participant, bool first_time);
NewEvent take_place(const LiveSessionState& s, const Uuid& participant, bool first_time);
NewEvent release_place(const LiveSessionState& s, const Uuid& participant);
// The seat goes to whom has waited longest, unless the session is over.
std::vector<NewEvent> release_seat(const LiveSessionState& s, const Uuid& participant, const View& view);

std::optional<StreamId> target(const live_session::ScheduleLiveSession& c);
std::optional<StreamId> target(const live_session::UpdateLiveSession& c);
std::optional<StreamId> target(const live_session::StartLiveSession& c);
std::optional<StreamId> target(const live_session::EndLiveSession& c);
std::optional<StreamId> target(const live_session::CancelLiveSession& c);
std::optional<StreamId> target(const live_session::AttachLiveRecording& c);
std::optional<StreamId> target(const live_session::CloseLiveSession& c);
std::optional<StreamId> target(const live_session::SettleLiveSession& c);

void apply(LiveSessionState& s, const live_session::LiveSessionScheduled& e);
void apply(LiveSessionState& s, const live_session::LiveSessionUpdated& e);
void apply(LiveSessionState& s, const live_session::LiveSessionStarted& e);
void apply(LiveSessionState& s, const live_session::LiveSessionEnded& e);
void apply(LiveSessionState& s, const live_session::LiveSessionCancelled& e);
void apply(LiveSessionState& s, const live_session::LiveRecordingAttached& e);
void apply(LiveSessionState& s, const live_session::SeatTaken& e);
void apply(LiveSessionState& s, const live_session::SeatReleased& e);
void apply(LiveSessionState& s, const live_session::PlaceTaken& e);
void apply(LiveSessionState& s, const live_session::PlaceReleased& e);
void apply(LiveSessionState& s, const live_session::ParticipantsSettled& e);

std::optional<LiveSessionFact> fact_of(const LiveSessionState& s);
AnyResource represent(const LiveSessionState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const LiveSessionState& s, const Actor& actor);
std::vector<Timer> timers(const LiveSessionState& s);

}  // namespace guildhall
