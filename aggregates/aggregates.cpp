#include "aggregates/aggregates.h"

#include <algorithm>
#include <tuple>

#include "aggregates/account.h"
#include "aggregates/booking.h"
#include "aggregates/calendar.h"
#include "aggregates/claim.h"
#include "aggregates/ledger.h"
#include "aggregates/payment.h"
#include "aggregates/payout.h"
#include "aggregates/schedule.h"
#include "aggregates/session.h"
#include "aggregates/subscription.h"
#include "aggregates/wallet.h"
#include "events/check.h"

namespace guildhall {
namespace {

// Which events fold into which state: one line an aggregate.
template <class S, class E>
struct Folds {
  using State = S;
  using Event = E;
};
using Aggregates =
    std::tuple<Folds<AccountState, account::Event>, Folds<ClaimState, claim::Event>, Folds<SessionState, session::Event>,
               Folds<ScheduleState, schedule::Event>, Folds<DayState, calendar::Event>, Folds<BookingState, booking::Event>,
               Folds<PaymentState, payment::Event>, Folds<SubscriptionState, subscription::Event>,
               Folds<WalletState, wallet::Event>, Folds<PayoutState, payout::Event>>;

template <class Event, class Variant>
inline constexpr bool is_one_of = false;
template <class Event, class... E>
inline constexpr bool is_one_of<Event, std::variant<E...>> = (std::is_same_v<Event, E> || ...);

template <class E, std::size_t I = 0>
auto state_of() {
  using At = std::tuple_element_t<I, Aggregates>;
  if constexpr (is_one_of<E, typename At::Event>) return std::type_identity<typename At::State>{};
  else return state_of<E, I + 1>();
}

// The total of W that an event's change of a wallet belongs to; none: it moves money inside the wallet only.
template <class E>
constexpr WalletTotal total_of() {
  if constexpr (std::is_same_v<E, wallet::LedgerAdjusted>) return WalletTotal::adjusted;
  else if constexpr (std::is_same_v<E, payout::PayoutCompleted> || std::is_same_v<E, payout::PayoutReturned>)
    return WalletTotal::withdrawn;
  else return WalletTotal::none;
}

bool is_in_wallet(ledger::Account account) {
  using enum ledger::Account;
  return account == pending || account == available || account == frozen || account == payout;
}

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

std::vector<StreamId> also_folds(const AnyEvent& event) {
  std::vector<StreamId> out;
  const auto add = [&](const Uuid& owner, ledger::Account account) {
    const StreamId wallet{StreamKind::wallet, owner};
    if (is_in_wallet(account) && std::ranges::find(out, wallet) == out.end()) out.push_back(wallet);
  };
  std::visit(
      [&](const auto& e) {
        if constexpr (requires { e.transfers; }) {
          for (const auto& t : e.transfers) {
            add(t.debit_owner(), t.debit());
            add(t.credit_owner(), t.credit());
          }
        }
      },
      event);
  return out;
}

void fold_also(AnyState& state, const AnyEvent& event) {
  auto* wallet = std::get_if<WalletState>(&state);
  CHECK(wallet != nullptr);
  std::visit(
      [&]<class E>(const E& e) {
        if constexpr (requires { e.transfers; }) post(*wallet, e.transfers, total_of<E>());
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

// The three below are asked of the aggregates that declare them; the others' states have none.

template <>
bool shows_to(const AnyState& state, const Actor& actor) {
  return std::visit(
      [&](const auto& s) {
        if constexpr (requires { shows_to(s, actor); }) return shows_to(s, actor);
        else return false;
      },
      state);
}

template <>
std::vector<Timer> timers(const AnyState& state) {
  return std::visit(
      [](const auto& s) {
        if constexpr (requires { timers(s); }) return timers(s);
        else return std::vector<Timer>{};
      },
      state);
}

template <>
std::optional<Effect> effect(const AnyState& state) {
  return std::visit(
      [](const auto& s) -> std::optional<Effect> {
        if constexpr (requires { effect(s); }) return effect(s);
        else return std::nullopt;
      },
      state);
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
  std::optional<AnyState> out;
  const auto try_one = [&]<class S>(std::type_identity<S>) {
    if (kind == kind_of<S>()) out = S{};
  };
  [&]<class... S>(const std::variant<S...>*) { (try_one(std::type_identity<S>{}), ...); }(static_cast<const AnyState*>(nullptr));
  CHECK(out);  // Decisions, inbox entries and writers have no state.
  return std::move(*out);
}

}  // namespace guildhall
