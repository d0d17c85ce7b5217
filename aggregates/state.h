// The state of a stream: what `apply` folds its events into.
#pragma once

#include <optional>
#include <variant>

#include "account_state_generated.h"
#include "booking_state_generated.h"
#include "calendar_state_generated.h"
#include "claim_state_generated.h"
#include "events/ids.h"
#include "payment_state_generated.h"
#include "schedule_state_generated.h"
#include "session_state_generated.h"

namespace guildhall {

using AccountState = ::account::state::AccountStateT;
using ClaimState = ::claim::state::ClaimStateT;
using SessionState = ::session::state::SessionStateT;
using ScheduleState = ::schedule::state::ScheduleStateT;
using DayState = ::calendar::state::DayStateT;
using BookingState = ::booking::state::BookingStateT;
using PaymentState = ::payment::state::PaymentStateT;

using AnyState = std::variant<AccountState, ClaimState, SessionState, ScheduleState, DayState, BookingState, PaymentState>;

template <class State>
constexpr StreamKind kind_of();
template <>
constexpr StreamKind kind_of<AccountState>() {
  return StreamKind::account;
}
template <>
constexpr StreamKind kind_of<ClaimState>() {
  return StreamKind::claim;
}
template <>
constexpr StreamKind kind_of<SessionState>() {
  return StreamKind::session;
}
template <>
constexpr StreamKind kind_of<ScheduleState>() {
  return StreamKind::schedule;
}
template <>
constexpr StreamKind kind_of<DayState>() {
  return StreamKind::calendar;
}
template <>
constexpr StreamKind kind_of<BookingState>() {
  return StreamKind::booking;
}
template <>
constexpr StreamKind kind_of<PaymentState>() {
  return StreamKind::payment;
}

AnyState empty_state(StreamKind kind);  // Of a stream without events. CHECKs that the kind has states.

struct VersionedState {
  AnyState state;
  std::uint64_t version = 0;  // Events applied so far.
};

}  // namespace guildhall
