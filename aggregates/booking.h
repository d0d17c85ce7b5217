// A booking: hold, authorization, confirm, decline, cancel, expiry (TU-29..36, TU-40, A-TU-5..7, M-2).
//
//   pending (unsecured: the hold runs) -> pending (secured: the expert has to answer) -> confirmed -> completed | no_show
//   pending -> declined | expired | cancelled; confirmed -> cancelled; expired (never secured) -> pending, when late money finds
//   the seat free; no_show -> completed, by an admin.
// A live booking (pending, confirmed) and one that took place hold their seat; every other end has given it back once.
#pragma once

#include "aggregates/aggregates.h"
#include "aggregates/payment.h"

namespace guildhall {

Decision decide(const booking::CreateBooking& c, const Context& at, const View& view);
Decision decide(const booking::ConfirmBooking& c, const Context& at, const View& view);
Decision decide(const booking::DeclineBooking& c, const Context& at, const View& view);
Decision decide(const booking::CancelBooking& c, const Context& at, const View& view);
Decision decide(const booking::SetExpertNotes& c, const Context& at, const View& view);
Decision decide(const booking::MarkNoShow& c, const Context& at, const View& view);
Decision decide(const booking::CompleteBooking& c, const Context& at, const View& view);
Decision decide(const booking::ExpireBooking& c, const Context& at, const View& view);

// The money is there, authorized or captured: it secures a pending booking, and brings back one that expired before it came, if
// its seat can be had.
MoneyTaken take_booking_money(const PaymentState& payment, bool captured, const Context& at, const View& view);
// The money will not come: a live booking ends (A-TU-7). No events for one that has ended.
std::vector<NewEvent> lose_booking_money(const PaymentState& payment, std::string_view reason, const Context& at,
                                         const View& view);

std::optional<StreamId> target(const booking::CreateBooking& c);
std::optional<StreamId> target(const booking::ConfirmBooking& c);
std::optional<StreamId> target(const booking::DeclineBooking& c);
std::optional<StreamId> target(const booking::CancelBooking& c);
std::optional<StreamId> target(const booking::SetExpertNotes& c);
std::optional<StreamId> target(const booking::MarkNoShow& c);
std::optional<StreamId> target(const booking::CompleteBooking& c);
std::optional<StreamId> target(const booking::ExpireBooking& c);

void apply(BookingState& s, const booking::BookingCreated& e);
void apply(BookingState& s, const booking::BookingSecured& e);
void apply(BookingState& s, const booking::BookingConfirmed& e);
void apply(BookingState& s, const booking::BookingDeclined& e);
void apply(BookingState& s, const booking::BookingCancelled& e);
void apply(BookingState& s, const booking::BookingExpired& e);
void apply(BookingState& s, const booking::BookingReinstated& e);
void apply(BookingState& s, const booking::BookingCompleted& e);
void apply(BookingState& s, const booking::BookingNoShow& e);
void apply(BookingState& s, const booking::ExpertNotesSet& e);

AnyResource represent(const BookingState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const BookingState& s, const Actor& actor);
std::vector<Timer> timers(const BookingState& s);

}  // namespace guildhall
