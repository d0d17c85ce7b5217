// The state of a stream: what `apply` folds its events into.
#pragma once

#include <optional>
#include <variant>

#include "account_state_generated.h"
#include "achievement_state_generated.h"
#include "booking_state_generated.h"
#include "calendar_state_generated.h"
#include "claim_state_generated.h"
#include "events/ids.h"
#include "events/one_of.h"
#include "learner_state_generated.h"
#include "lesson_state_generated.h"
#include "order_state_generated.h"
#include "payment_state_generated.h"
#include "payout_state_generated.h"
#include "product_state_generated.h"
#include "progress_state_generated.h"
#include "purchase_state_generated.h"
#include "registration_state_generated.h"
#include "review_state_generated.h"
#include "schedule_state_generated.h"
#include "service_state_generated.h"
#include "session_state_generated.h"
#include "storefront_state_generated.h"
#include "subscription_state_generated.h"
#include "wallet_state_generated.h"
#include "webinar_state_generated.h"

namespace guildhall {

using AccountState = ::account::state::AccountStateT;
using ClaimState = ::claim::state::ClaimStateT;
using SessionState = ::session::state::SessionStateT;
using ScheduleState = ::schedule::state::ScheduleStateT;
using DayState = ::calendar::state::DayStateT;
using BookingState = ::booking::state::BookingStateT;
using PaymentState = ::payment::state::PaymentStateT;
using SubscriptionState = ::subscription::state::SubscriptionStateT;
using WalletState = ::wallet::state::WalletStateT;
using PayoutState = ::payout::state::PayoutStateT;
using ProductState = ::product::state::ProductStateT;
using StorefrontState = ::storefront::state::StorefrontStateT;
using PurchaseState = ::purchase::state::PurchaseStateT;
using ServiceState = ::service::state::ServiceStateT;
using OrderState = ::order::state::OrderStateT;
using WebinarState = ::webinar::state::WebinarStateT;
using RegistrationState = ::registration::state::RegistrationStateT;
using ReviewState = ::review::state::ReviewStateT;
using LessonState = ::lesson::state::LessonStateT;
using AchievementState = ::achievement::state::AchievementStateT;
using LearnerState = ::learner::state::LearnerStateT;
using ProgressState = ::progress::state::ProgressStateT;

struct StateTypes {
  using Types = std::variant<AccountState, ClaimState, SessionState, ScheduleState, DayState, BookingState, PaymentState,
                             SubscriptionState, WalletState, PayoutState, ProductState, StorefrontState, PurchaseState,
                             ServiceState, OrderState, WebinarState, RegistrationState, ReviewState, LessonState,
                             AchievementState, LearnerState, ProgressState>;
};
using AnyState = OneOf<StateTypes>;
extern template class OneOf<StateTypes>;

namespace detail {
template <class State>
inline constexpr StreamKind kind{};
template <>
inline constexpr StreamKind kind<AccountState> = StreamKind::account;
template <>
inline constexpr StreamKind kind<ClaimState> = StreamKind::claim;
template <>
inline constexpr StreamKind kind<SessionState> = StreamKind::session;
template <>
inline constexpr StreamKind kind<ScheduleState> = StreamKind::schedule;
template <>
inline constexpr StreamKind kind<DayState> = StreamKind::calendar;
template <>
inline constexpr StreamKind kind<BookingState> = StreamKind::booking;
template <>
inline constexpr StreamKind kind<PaymentState> = StreamKind::payment;
template <>
inline constexpr StreamKind kind<SubscriptionState> = StreamKind::subscription;
template <>
inline constexpr StreamKind kind<WalletState> = StreamKind::wallet;
template <>
inline constexpr StreamKind kind<PayoutState> = StreamKind::payout;
template <>
inline constexpr StreamKind kind<ProductState> = StreamKind::product;
template <>
inline constexpr StreamKind kind<StorefrontState> = StreamKind::storefront;
template <>
inline constexpr StreamKind kind<PurchaseState> = StreamKind::purchase;
template <>
inline constexpr StreamKind kind<ServiceState> = StreamKind::service;
template <>
inline constexpr StreamKind kind<OrderState> = StreamKind::order;
template <>
inline constexpr StreamKind kind<WebinarState> = StreamKind::webinar;
template <>
inline constexpr StreamKind kind<RegistrationState> = StreamKind::registration;
template <>
inline constexpr StreamKind kind<ReviewState> = StreamKind::review;
template <>
inline constexpr StreamKind kind<LessonState> = StreamKind::lesson;
template <>
inline constexpr StreamKind kind<AchievementState> = StreamKind::achievement;
template <>
inline constexpr StreamKind kind<LearnerState> = StreamKind::learner;
template <>
inline constexpr StreamKind kind<ProgressState> = StreamKind::progress;
}  // namespace detail

template <class State>
constexpr StreamKind kind_of() {
  static_assert(detail::kind<State> != StreamKind{}, "name its stream kind above");
  return detail::kind<State>;
}

AnyState empty_state(StreamKind kind);  // Of a stream without events. CHECKs that the kind has states.

struct VersionedState {
  AnyState state;
  std::uint64_t version = 0;  // Events applied so far.
};

}  // namespace guildhall
