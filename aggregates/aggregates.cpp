#include "aggregates/aggregates.h"

#include "aggregates/account.h"
#include "aggregates/booking.h"
#include "aggregates/calendar.h"
#include "aggregates/claim.h"
#include "aggregates/payment.h"
#include "aggregates/schedule.h"
#include "aggregates/session.h"
#include "events/check.h"

namespace guildhall {
namespace {

// The state an event folds into, by the aggregate that declares it.
template <class Event, class Variant>
inline constexpr bool is_one_of = false;
template <class Event, class... E>
inline constexpr bool is_one_of<Event, std::variant<E...>> = (std::is_same_v<Event, E> || ...);

template <class E>
auto state_of() {
  if constexpr (is_one_of<E, account::Event>) return std::type_identity<AccountState>{};
  else if constexpr (is_one_of<E, claim::Event>) return std::type_identity<ClaimState>{};
  else if constexpr (is_one_of<E, session::Event>) return std::type_identity<SessionState>{};
  else if constexpr (is_one_of<E, schedule::Event>) return std::type_identity<ScheduleState>{};
  else if constexpr (is_one_of<E, calendar::Event>) return std::type_identity<DayState>{};
  else if constexpr (is_one_of<E, booking::Event>) return std::type_identity<BookingState>{};
  else if constexpr (is_one_of<E, payment::Event>) return std::type_identity<PaymentState>{};
}

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

}  // namespace

template <>
Decision decide(const AnyCommand& command, const Context& at, const View& view) {
  return std::visit([&](const auto& c) { return decide(c, at, view); }, command);
}

template <>
void apply(AnyState& state, const AnyEvent& event) {
  std::visit(
      [&]<class E>(const E& e) {
        using State = typename decltype(state_of<E>())::type;
        auto* s = std::get_if<State>(&state);
        CHECK(s != nullptr);
        apply(*s, e);
      },
      event);
}

template <>
std::optional<StreamId> target(const AnyCommand& command) {
  return std::visit([](const auto& c) { return target(c); }, command);
}

template <>
AnyResource represent(const AnyState& state, std::uint64_t version, const Uuid& part) {
  return std::visit([&](const auto& s) { return represent(s, version, part); }, state);
}

template <>
bool shows_to(const AnyState& state, const Actor& actor) {
  return std::visit(Overloaded{[&](const AccountState& s) { return shows_to(s, actor); },
                               [&](const SessionState& s) { return shows_to(s, actor); },
                               [&](const BookingState& s) { return shows_to(s, actor); }, [](const auto&) { return false; }},
                    state);
}

template <>
std::vector<Timer> timers(const AnyState& state) {
  using None = std::vector<Timer>;
  return std::visit(Overloaded{[](const ClaimState& s) { return timers(s); }, [](const ScheduleState& s) { return timers(s); },
                               [](const BookingState& s) { return timers(s); }, [](const AccountState&) { return None{}; },
                               [](const SessionState&) { return None{}; }, [](const DayState&) { return None{}; },
                               [](const PaymentState&) { return None{}; }},
                    state);
}

template <>
std::optional<Effect> effect(const AnyState& state) {
  const auto* payment = std::get_if<PaymentState>(&state);
  return payment ? effect(*payment) : std::nullopt;
}

std::vector<Reaction> react(const AnyEvent& event) {
  std::vector<Reaction> out;
  // A claim and its account live in different groups: each tells the other of the step that it waits for.
  if (const auto* registered = std::get_if<account::AccountRegistered>(&event)) {
    if (!is_nil(registered->email_claim_id)) {
      claim::ConfirmClaim c;
      c.claim_id = registered->email_claim_id;
      c.account_id = registered->account_id;
      out.push_back({c.claim_id, std::move(c)});
    }
  } else if (const auto* abandoned = std::get_if<account::ClaimAbandoned>(&event)) {
    claim::ReleaseClaim c;
    c.claim_id = abandoned->claim_id;
    c.account_id = abandoned->account_id;
    c.hold_id = abandoned->hold_id;
    out.push_back({c.claim_id, std::move(c)});
  } else if (const auto* queried = std::get_if<claim::ClaimQueried>(&event)) {
    account::AnswerClaim c;
    c.account_id = queried->account_id;
    c.claim_id = queried->claim_id;
    c.hold_id = queried->hold_id;
    out.push_back({c.account_id, std::move(c)});
  }
  return out;
}

std::optional<AccountFact> fact_of(const AccountState& s) {
  if (!is_registered(s)) return std::nullopt;
  return AccountFact{s.role, s.status, s.is_expert, s.is_learner};
}

AnyState empty_state(StreamKind kind) {
  switch (kind) {
    case StreamKind::account: return AccountState{};
    case StreamKind::claim: return ClaimState{};
    case StreamKind::session: return SessionState{};
    case StreamKind::schedule: return ScheduleState{};
    case StreamKind::calendar: return DayState{};
    case StreamKind::booking: return BookingState{};
    case StreamKind::payment: return PaymentState{};
    case StreamKind::decision:
    case StreamKind::inbox:
    case StreamKind::writer: break;
  }
  CHECK(!"streams of this kind have no state");
  std::unreachable();
}

}  // namespace guildhall
