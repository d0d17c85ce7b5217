// A webinar: a live workshop of a host, with registrations (PA-77, PA-78, §9 LiveEvent, M-11, A-PA-54).
//
//   upcoming -> live -> ended; upcoming -> cancelled. What its host forgets, a timer does: not started an hour after its planned
//   end it is cancelled, live four hours beyond its duration it is ended (policy.webinar_start_us, webinar_live_us).
// Seats: pending and registered registrations together never exceed max_attendees. The count is a fold of the registrations' own
// events (aggregates.h: also_folds), and so is the end of their chain. The webinar's version counts its own events only: a host's
// If-Match speaks of the webinar, and not of who registered in between.
//
// Settlement. When a webinar is over its registrations follow: ended, the hold of each paid one starts (A-PA-14); cancelled,
// each registration ends, and a paid one is refunded once. There may be thousands, so the end is one event on the webinar's
// stream, and a timer that is due at once settles settled_per_step registrations a decision, until none is left. They are found
// by a chain: a webinar names the registration that came last, and each names the one before it. So no state grows with the
// registrations, their ids follow from webinar and user alone (registration.h), and who registers again keeps the place in the
// chain. Nobody registers once it is over: the chain stands still while it is walked. What happens to a registration meanwhile
// (late money, an expiry) finds the webinar over and does its own part; the step that comes later finds that done.
//
// Guests are told that a webinar has gone live along the same chain, the first of them when it starts. Who registers later knows.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

// Seats of a webinar that names no maximum, and the most that one may name: more than a room of the seed's provider holds, and a
// hundred steps to settle. events/webinar.fbs repeats it.
inline constexpr std::int32_t max_seats = 10'000;
inline constexpr std::size_t settled_per_step = 100;  // Registrations a decision: about 200 records.
inline constexpr std::size_t told_per_step = 100;     // Likewise.

Decision decide(const webinar::ScheduleWebinar& c, const Context& at, const View& view);
Decision decide(const webinar::UpdateWebinar& c, const Context& at, const View& view);
Decision decide(const webinar::StartWebinar& c, const Context& at, const View& view);
Decision decide(const webinar::EndWebinar& c, const Context& at, const View& view);
Decision decide(const webinar::CancelWebinar& c, const Context& at, const View& view);
Decision decide(const webinar::AttachRecording& c, const Context& at, const View& view);
Decision decide(const webinar::CloseWebinar& c, const Context& at, const View& view);
Decision decide(const webinar::SettleWebinar& c, const Context& at, const View& view);
Decision decide(const webinar::TellGuests& c, const Context& at, const View& view);

// For the registrations' decisions.
bool takes_registrations(const WebinarState& s);                      // Until it is over: one may come late.
bool has_seat(const WebinarState& s);                                 // One more.
bool is_host_or_co_host(const WebinarState& s, const Uuid& account);  // Takes part without a registration.

// What a registration's event does to the seats of its webinar; of the others nothing.
void fold_seat(WebinarState& s, const registration::RegistrationAdded& e);
void fold_seat(WebinarState& s, const registration::RegistrationExpired& e);
void fold_seat(WebinarState& s, const registration::RegistrationFailed& e);
void fold_seat(WebinarState& s, const registration::RegistrationReinstated& e);
void fold_seat(WebinarState& s, const registration::RegistrationCancelled& e);
void fold_seat(WebinarState& s, const registration::RegistrationRefunded& e);

// For the product of a recording (PA-62): why the actor may not make one now.
std::optional<Code> conversion_refusal(const Uuid& webinar_id, const Context& at, const View& view);
NewEvent recording_converted(const Uuid& webinar_id, const Uuid& product_id);

std::optional<StreamId> target(const webinar::ScheduleWebinar& c);
std::optional<StreamId> target(const webinar::UpdateWebinar& c);
std::optional<StreamId> target(const webinar::StartWebinar& c);
std::optional<StreamId> target(const webinar::EndWebinar& c);
std::optional<StreamId> target(const webinar::CancelWebinar& c);
std::optional<StreamId> target(const webinar::AttachRecording& c);
std::optional<StreamId> target(const webinar::CloseWebinar& c);
std::optional<StreamId> target(const webinar::SettleWebinar& c);
std::optional<StreamId> target(const webinar::TellGuests& c);

void apply(WebinarState& s, const webinar::WebinarScheduled& e);
void apply(WebinarState& s, const webinar::WebinarUpdated& e);
void apply(WebinarState& s, const webinar::WebinarStarted& e);
void apply(WebinarState& s, const webinar::WebinarEnded& e);
void apply(WebinarState& s, const webinar::WebinarCancelled& e);
void apply(WebinarState& s, const webinar::RecordingAttached& e);
void apply(WebinarState& s, const webinar::RecordingConverted& e);
void apply(WebinarState& s, const webinar::RegistrationsSettled& e);
void apply(WebinarState& s, const webinar::GuestsTold& e);

AnyResource represent(const WebinarState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const WebinarState& s, const Actor& actor);
std::vector<Timer> timers(const WebinarState& s);

}  // namespace guildhall
