// What happens to a booking, and what may be asked of it. Declared once, in events/booking.fbs.
#pragma once

#include <variant>

#include "booking_generated.h"

namespace guildhall::booking {

using CreateBooking = ::booking::v1::CreateBookingT;
using ConfirmBooking = ::booking::v1::ConfirmBookingT;
using DeclineBooking = ::booking::v1::DeclineBookingT;
using CancelBooking = ::booking::v1::CancelBookingT;
using SetExpertNotes = ::booking::v1::SetExpertNotesT;
using MarkNoShow = ::booking::v1::MarkNoShowT;
using CompleteBooking = ::booking::v1::CompleteBookingT;
using ExpireBooking = ::booking::v1::ExpireBookingT;

using BookingCreated = ::booking::v1::BookingCreatedT;
using BookingSecured = ::booking::v1::BookingSecuredT;
using BookingConfirmed = ::booking::v1::BookingConfirmedT;
using BookingDeclined = ::booking::v1::BookingDeclinedT;
using BookingCancelled = ::booking::v1::BookingCancelledT;
using BookingExpired = ::booking::v1::BookingExpiredT;
using BookingReinstated = ::booking::v1::BookingReinstatedT;
using BookingCompleted = ::booking::v1::BookingCompletedT;
using BookingNoShow = ::booking::v1::BookingNoShowT;
using ExpertNotesSet = ::booking::v1::ExpertNotesSetT;

using BookingView = ::booking::v1::BookingViewT;

using Command = std::variant<CreateBooking, ConfirmBooking, DeclineBooking, CancelBooking, SetExpertNotes, MarkNoShow,
                             CompleteBooking, ExpireBooking>;
using Event = std::variant<BookingCreated, BookingSecured, BookingConfirmed, BookingDeclined, BookingCancelled, BookingExpired,
                           BookingReinstated, BookingCompleted, BookingNoShow, ExpertNotesSet>;
using Resource = std::variant<BookingView>;

}  // namespace guildhall::booking
