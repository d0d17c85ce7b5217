// Who takes part in a webinar: seat, money, attendance (PA-79, PA-80, §9 Registration, M-2, M-11).
//
//   none -> registered (free) | pending (the seat is held until the money is there, policy.checkout_us) -> registered | expired |
//   failed | cancelled; registered -> cancelled | refunded; cancelled (paid) -> refunded, when the money is back;
//   expired -> registered, when late money finds a seat. Every end but the webinar's own lets the user register again.
// pending and registered are live, and hold a seat of the webinar; every other end has given it back once.
// payment_status is the seed's column: free, or pending -> paid -> refunded.
//
// Its id follows from webinar and user, so that one user has one registration (PA-79). webinar.h says how the registrations of a
// webinar that is over are settled.
#pragma once

#include "aggregates/aggregates.h"
#include "aggregates/payment.h"

namespace guildhall {

Uuid registration_id_of(const Uuid& webinar, const Uuid& user);  // In the webinar's group.

Decision decide(const registration::RegisterForWebinar& c, const Context& at, const View& view);
Decision decide(const registration::CancelRegistration& c, const Context& at, const View& view);
Decision decide(const registration::JoinWebinar& c, const Context& at, const View& view);
Decision decide(const registration::ExpireRegistration& c, const Context& at, const View& view);

// The money is there: it makes a pending registration, and brings back one that expired before it came, if a seat can be had.
// After the webinar's end its hold starts at once.
MoneyTaken take_registration_money(const PaymentState& payment, bool captured, const Context& at, const View& view);
// It will not come: a registration that waits for it has failed.
std::vector<NewEvent> lose_registration_money(const PaymentState& payment, std::string_view reason, const Context& at,
                                              const View& view);
// All of it has gone back.
std::vector<NewEvent> registration_refunded(const PaymentState& payment, const Context& at, const View& view);

// The webinar is over, cancelled or not: what becomes of one of its registrations.
std::vector<NewEvent> settle_registration(const RegistrationState& s, bool cancelled, const Context& at, const View& view);

// Took part, or paid to (A-PA-39): live, and paid or attended.
bool is_participant(const RegistrationState& s);

std::optional<StreamId> target(const registration::RegisterForWebinar& c);
std::optional<StreamId> target(const registration::CancelRegistration& c);
std::optional<StreamId> target(const registration::JoinWebinar& c);
std::optional<StreamId> target(const registration::ExpireRegistration& c);

void apply(RegistrationState& s, const registration::RegistrationAdded& e);
void apply(RegistrationState& s, const registration::RegistrationPaid& e);
void apply(RegistrationState& s, const registration::RegistrationExpired& e);
void apply(RegistrationState& s, const registration::RegistrationFailed& e);
void apply(RegistrationState& s, const registration::RegistrationReinstated& e);
void apply(RegistrationState& s, const registration::RegistrationCancelled& e);
void apply(RegistrationState& s, const registration::RegistrationRefunded& e);
void apply(RegistrationState& s, const registration::ParticipantJoined& e);

AnyResource represent(const RegistrationState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const RegistrationState& s, const Actor& actor);
std::vector<Timer> timers(const RegistrationState& s);

}  // namespace guildhall
