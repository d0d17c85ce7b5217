#include "aggregates/aggregates.h"

#include <algorithm>
#include <tuple>

#include "aggregates/account.h"
#include "aggregates/achievement.h"
#include "aggregates/booking.h"
#include "aggregates/calendar.h"
#include "aggregates/claim.h"
#include "aggregates/learner.h"
#include "aggregates/ledger.h"
#include "aggregates/lesson.h"
#include "aggregates/live_session.h"
#include "aggregates/order.h"
#include "aggregates/participant.h"
#include "aggregates/payment.h"
#include "aggregates/payout.h"
#include "aggregates/plan.h"
#include "aggregates/plan_subscription.h"
#include "aggregates/product.h"
#include "aggregates/progress.h"
#include "aggregates/purchase.h"
#include "aggregates/registration.h"
#include "aggregates/review.h"
#include "aggregates/schedule.h"
#include "aggregates/service.h"
#include "aggregates/session.h"
#include "aggregates/session_request.h"
#include "aggregates/storefront.h"
#include "aggregates/subscription.h"
#include "aggregates/wallet.h"
#include "aggregates/webinar.h"
#include "events/check.h"
#include "events/wallet_identity.h"

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
               Folds<WalletState, wallet::Event>, Folds<PayoutState, payout::Event>, Folds<ProductState, product::Event>,
               Folds<StorefrontState, storefront::Event>, Folds<PurchaseState, purchase::Event>,
               Folds<ServiceState, service::Event>, Folds<OrderState, order::Event>, Folds<WebinarState, webinar::Event>,
               Folds<RegistrationState, registration::Event>, Folds<ReviewState, review::Event>,
               Folds<LessonState, lesson::Event>, Folds<AchievementState, achievement::Event>,
               Folds<LearnerState, learner::Event>, Folds<ProgressState, progress::Event>,
               Folds<PlanState, plan::Event>, Folds<PlanSubscriptionState, plan_subscription::Event>,
               Folds<LiveSessionState, live_session::Event>, Folds<ParticipantState, participant::Event>,
               Folds<SessionRequestState, session_request::Event>>;

template <class E, std::size_t I = 0>
auto state_of() {
  using At = std::tuple_element_t<I, Aggregates>;
  if constexpr (is_one_of<E, typename At::Event>) return std::type_identity<typename At::State>{};
  else return state_of<E, I + 1>();
}

// A complaint about an order freezes its payment, and its end thaws it.
template <class E>
inline constexpr bool is_complaint = is_one_of<E, std::variant<order::OrderDisputed, order::OrderDisputeResolved>>;

}  // namespace

template <>
Decision decide(const AnyCommand& command, const Context& at, const View& view) {
  return visit([&](const auto& c) { return decide(c, at, view); }, command);
}

template <>
void apply(AnyState& state, const AnyEvent& event) {
  visit(
      [&]<class E>(const E& e) {
        using State = typename decltype(state_of<E>())::type;
        auto* s = get_if<State>(&state);
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
  visit(
      [&]<class E>(const E& e) {
        if constexpr (requires { e.transfers; }) {
          for (const auto& t : e.transfers) {
            add(t.debit_owner(), t.debit());
            add(t.credit_owner(), t.credit());
          }
        }
        if constexpr (is_complaint<E>)
          if (!is_nil(e.payment_id)) out.push_back({StreamKind::payment, e.payment_id});
      },
      event);
  return out;
}

void fold_also(AnyState& state, const AnyEvent& event) {
  visit(
      [&]<class E>(const E& e) {
        if constexpr (requires { e.transfers; }) {
          if (auto* wallet = get_if<WalletState>(&state)) return post(*wallet, e.transfers, wallet_total_of<E>());
        }
        if constexpr (is_complaint<E>) {
          if (auto* payment = get_if<PaymentState>(&state))
            return fold_complaint(*payment, std::is_same_v<E, order::OrderDisputed>, e.transfers);
        }
        CHECK(!"also_folds names wallets and payments only");
      },
      event);
}

template <>
std::optional<StreamId> target(const AnyCommand& command) {
  return visit([](const auto& c) { return target(c); }, command);
}

template <>
AnyResource represent(const AnyState& state, std::uint64_t version, const Uuid& part) {
  return visit([&](const auto& s) { return represent(s, version, part); }, state);
}

// Those below are asked of the aggregates that declare them; the others' states have none.

template <>
bool shows_to(const AnyState& state, const Actor& actor) {
  return visit(
      [&](const auto& s) {
        if constexpr (requires { shows_to(s, actor); }) return shows_to(s, actor);
        else return false;
      },
      state);
}

template <>
std::vector<Timer> timers(const AnyState& state) {
  return visit(
      [](const auto& s) {
        if constexpr (requires { timers(s); }) return timers(s);
        else return std::vector<Timer>{};
      },
      state);
}

template <>
std::optional<std::string> fact_of(const AnyState& state) {
  return visit(
      [](const auto& s) -> std::optional<std::string> {
        if constexpr (requires { fact_of(s); }) {
          if (const auto fact = fact_of(s)) return encode(*fact);
        }
        return std::nullopt;
      },
      state);
}

template <>
std::optional<Effect> effect(const AnyState& state) {
  return visit(
      [](const auto& s) -> std::optional<Effect> {
        if constexpr (requires { effect(s); }) return effect(s);
        else return std::nullopt;
      },
      state);
}

std::vector<Reaction> react(const AnyEvent& event) {
  std::vector<Reaction> out;
  // A claim and its account live in different groups: each tells the other of the step that it waits for.
  if (const auto* registered = get_if<account::AccountRegistered>(&event)) {
    if (!is_nil(registered->email_claim_id)) {
      claim::ConfirmClaim c;
      c.claim_id = registered->email_claim_id;
      c.account_id = registered->account_id;
      out.push_back({c.claim_id, std::move(c)});
    }
  } else if (const auto* abandoned = get_if<account::ClaimAbandoned>(&event)) {
    claim::ReleaseClaim c;
    c.claim_id = abandoned->claim_id;
    c.account_id = abandoned->account_id;
    c.hold_id = abandoned->hold_id;
    out.push_back({c.claim_id, std::move(c)});
  } else if (const auto* queried = get_if<claim::ClaimQueried>(&event)) {
    account::AnswerClaim c;
    c.account_id = queried->account_id;
    c.claim_id = queried->claim_id;
    c.hold_id = queried->hold_id;
    out.push_back({c.account_id, std::move(c)});
  }
  // A wallet pays in its owner's group what is sold in the seller's: each step tells the other group (ledger.md).
  if (const auto* initiated = get_if<payment::PaymentInitiated>(&event)) {
    if (initiated->method == ledger::Method::wallet_balance)
      out.push_back({initiated->payer_id, wallet::SpendFromWallet{.wallet_id = initiated->payer_id,
                                                                  .payment_id = initiated->payment_id,
                                                                  .amount_cents = initiated->amount_cents}});
  } else if (const auto* spent = get_if<wallet::WalletSpent>(&event)) {
    out.push_back({spent->payment_id, payment::RecordWalletPaid{.payment_id = spent->payment_id}});
  } else if (const auto* refused = get_if<wallet::WalletSpendRefused>(&event)) {
    out.push_back(
        {refused->payment_id, payment::RecordWalletRefused{.payment_id = refused->payment_id, .reason = refused->reason}});
  } else if (const auto* returned = get_if<payment::WalletPaymentReturned>(&event)) {
    out.push_back({returned->payer_id, wallet::ReverseWalletSpend{.wallet_id = returned->payer_id,
                                                                  .payment_id = returned->payment_id,
                                                                  .amount_cents = returned->amount_cents}});
  } else if (const auto* asked = get_if<payment::RefundRequested>(&event)) {
    if (!is_nil(asked->wallet_id))
      out.push_back({asked->wallet_id, wallet::RefundToWallet{.wallet_id = asked->wallet_id,
                                                              .payment_id = asked->payment_id,
                                                              .refund_id = asked->refund_id,
                                                              .amount_cents = asked->amount_cents}});
  } else if (const auto* refunded = get_if<wallet::WalletRefunded>(&event)) {
    out.push_back(
        {refunded->payment_id, payment::RecordRefunded{.payment_id = refunded->payment_id, .refund_id = refunded->refund_id}});
  }
  // A learner's group and the host's, about a live session.
  if (auto reaction = session_reaction(event)) out.push_back(std::move(*reaction));
  return out;
}

std::span<const StreamKind> fact_kinds() {
  static const auto kinds = []<class... S>(const std::variant<S...>*) {
    std::vector<StreamKind> out;
    const auto add = [&]<class State>(std::type_identity<State>) {
      if constexpr (requires(const State& s) { fact_of(s); }) out.push_back(kind_of<State>());
    };
    (add(std::type_identity<S>{}), ...);
    return out;
  }(static_cast<const AnyState::Types*>(nullptr));
  return kinds;
}

AnyState empty_state(StreamKind kind) {
  std::optional<AnyState> out;
  const auto try_one = [&]<class S>(std::type_identity<S>) {
    if (kind == kind_of<S>()) out = S{};
  };
  [&]<class... S>(const std::variant<S...>*) {
    (try_one(std::type_identity<S>{}), ...);
  }(static_cast<const AnyState::Types*>(nullptr));
  CHECK(out);  // Decisions, inbox entries and writers have no state.
  return std::move(*out);
}

}  // namespace guildhall
