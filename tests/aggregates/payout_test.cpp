// Wallets and payouts: PA-15, PA-92, PA-95..99, A-PA-16, A-PA-17, and the wallet identity W over random histories.
#include "aggregates/payout.h"

#include <random>

#include "aggregates/wallet.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {
namespace {

using namespace payout;
using namespace wallet;
using ::payout::v1::Status;
using ::wallet::v1::StripeStatus;
using Method = ::wallet::v1::PayoutMethod;
using Ledger = ::ledger::v1::Account;

struct Payout : Given {
  Payout() {
    policy.platform = "producers_avenue";
    policy.aggregates = {"account", "claim", "subscription", "wallet", "payout"};
    policy.roles = {"member", "author", "admin", "super_admin"};
    policy.currencies = {"USD"};
    policy.default_currency = "USD";
  }
  const Uuid ana = id_of("ana");

  AnyCommand registration(::account::v1::Role role = ::account::v1::Role::member) const {
    account::RegisterAccount c;
    c.id = ana;
    c.email = "ana@example.com";
    c.display_name = "Ana";
    c.role = role;
    c.timezone = "UTC";
    return c;
  }
  // A member with money, whom Stripe and PayPal pay.
  void open(std::int64_t available) {
    as(service()).when(registration());
    when(SetPayoutMethod{.wallet_id = ana, .stripe_account_id = "acct_1", .paypal_email = "ana@example.com"});
    when(RecordPayoutMethod{.wallet_id = ana, .stripe_account_status = StripeStatus::enabled, .paypal_verified = true});
    if (available != 0) when(AdjustWallet{.wallet_id = ana, .amount_cents = available, .reason = "a gift"});
    as(user(ana));
  }
  Uuid request(std::int64_t amount, Method method = Method::stripe) {
    return when(RequestPayout{.wallet_id = ana, .amount_cents = amount, .payout_method = method})
        .then_accepted()
        .subject.stream.id;
  }
  const WalletState& wallet() const { return state<WalletState>(ana); }
  Status status(const Uuid& payout) const { return state<PayoutState>(payout).status; }
};

TEST_F(Payout, registration_opens_a_wallet_and_a_basic_subscription) {  // PA-15, M-12
  const auto accepted = as(user(ana)).when(registration()).then_accepted();
  EXPECT_EQ(only<WalletOpened>(accepted.events).size(), 1u);
  ASSERT_EQ(only<subscription::SubscriptionStarted>(accepted.events).size(), 1u);
  EXPECT_EQ(only<subscription::SubscriptionStarted>(accepted.events)[0].tier, ::subscription::v1::Tier::basic);
  EXPECT_EQ(wallet().currency, "USD");
  when(registration()).then_nothing();
}

TEST_F(Payout, roles_are_the_platforms) {  // PA-6, X-24
  as(user(ana)).when(registration(::account::v1::Role::learner)).then_rejected(Code::role_not_allowed);
  when(registration(::account::v1::Role::super_admin)).then_rejected(Code::role_not_allowed);
  when(registration(::account::v1::Role::author)).then_rejected(Code::role_not_allowed);
  as(service()).when(registration(::account::v1::Role::author)).then_accepted();
}

TEST_F(Payout, the_smallest_is_5000_cents) {  // PA-96, §11
  open(20'000);
  when(RequestPayout{.wallet_id = ana, .amount_cents = 4999, .payout_method = Method::stripe})
      .then_rejected(Code::payout_below_minimum);
  request(5000);
}

TEST_F(Payout, money_leaves_available_at_the_request_and_comes_back_once) {  // A-PA-16
  open(12'000);
  const Uuid id = request(5000);
  EXPECT_EQ(wallet().available, 7000);
  EXPECT_EQ(wallet().payout, 5000);
  when(CancelPayout{.payout_id = id}).then_accepted();
  when(CancelPayout{.payout_id = id}).then_nothing();
  EXPECT_EQ(wallet().available, 12'000);
  EXPECT_EQ(wallet().payout, 0);
  EXPECT_EQ(wallet().withdrawn_stripe, 0) << "withdrawn counts what was completed";
}

TEST_F(Payout, never_more_than_is_available) {  // PA-97, A-PA-19
  open(9'999);
  request(5000);
  when(RequestPayout{.wallet_id = ana, .amount_cents = 5000, .payout_method = Method::paypal})
      .then_rejected(Code::insufficient_balance);
}

TEST_F(Payout, an_admin_approves_and_the_processor_is_asked) {  // PA-99, A-PA-17
  open(5'000);
  const Uuid id = request(5000, Method::paypal);
  EXPECT_FALSE(effect(state<PayoutState>(id)));
  when(ApprovePayout{.payout_id = id}).then_rejected(Code::admin_only);
  const Uuid boss = id_of("boss");
  as(admin(boss)).when(ApprovePayout{.payout_id = id}).then(
      {PayoutApproved{.payout_id = id, .approved_by = boss, .overdue_at = now + 24 * hour_us}});
  when(ApprovePayout{.payout_id = id}).then_nothing();
  const auto wanted = effect(state<PayoutState>(id));
  ASSERT_TRUE(wanted);
  EXPECT_EQ(wanted->processor, "paypal");
  EXPECT_EQ(wanted->external_id, "ana@example.com");
  EXPECT_EQ(wanted->amount_cents, 5000);
  as(user(ana)).when(CancelPayout{.payout_id = id}).then_rejected(Code::payout_not_pending);
  as(the_system()).when(RecordPayoutCompleted{.payout_id = id, .external_id = "batch_1"}).then_accepted();
  when(RecordPayoutCompleted{.payout_id = id, .external_id = "batch_1"}).then_nothing();
  when(RecordPayoutFailed{.payout_id = id}).then_rejected(Code::payout_not_processing);
  EXPECT_FALSE(effect(state<PayoutState>(id)));
  EXPECT_EQ(wallet().withdrawn_paypal, 5000);
  EXPECT_EQ(wallet().payout, 0);
}

TEST_F(Payout, a_failure_gives_the_money_back) {  // PA-99
  open(5'000);
  const Uuid id = request(5000);
  as(service()).when(RecordPayoutFailed{.payout_id = id}).then_rejected(Code::payout_not_processing);
  when(ApprovePayout{.payout_id = id}).then_accepted();
  when(RecordPayoutFailed{.payout_id = id, .reason = "closed account"}).then_accepted();
  when(RecordPayoutFailed{.payout_id = id, .reason = "closed account"}).then_nothing();
  EXPECT_EQ(status(id), Status::failed);
  EXPECT_EQ(wallet().available, 5000);
}

TEST_F(Payout, processing_for_a_day_is_told_once_and_decides_nothing) {  // PY-7, ledger.md: poll and alarm
  open(5'000);
  const Uuid id = request(5000);
  EXPECT_TRUE(timers(state<PayoutState>(id)).empty()) << "an admin may take longer than a processor";
  as(service()).when(ApprovePayout{.payout_id = id}).then_accepted();
  const auto due = timers(state<PayoutState>(id));
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].due, now + 24 * hour_us);
  const auto asked = effect(state<PayoutState>(id));
  at(due[0].due - 1).as(the_system()).when(due[0].command).then_nothing();
  at(due[0].due).when(due[0].command).then({PayoutOverdue{.payout_id = id}});
  when(due[0].command).then_nothing();
  EXPECT_TRUE(timers(state<PayoutState>(id)).empty());
  EXPECT_TRUE(resource<PayoutView>({{StreamKind::payout, id}}).is_overdue);
  EXPECT_EQ(status(id), Status::processing);
  EXPECT_EQ(effect(state<PayoutState>(id)), asked) << "the processor goes on being asked, by the same id";
  EXPECT_EQ(wallet().payout, 5000);
  EXPECT_EQ(wallet().available, 0);
  as(user(ana)).when(due[0].command).then_rejected(Code::payout_not_found);
  as(service()).when(RecordPayoutCompleted{.payout_id = id, .external_id = "po_1"}).then_accepted();
  EXPECT_FALSE(resource<PayoutView>({{StreamKind::payout, id}}).is_overdue);
  EXPECT_EQ(wallet().withdrawn_stripe, 5000);
}

TEST_F(Payout, an_outcome_in_time_is_not_overdue) {  // PY-7
  open(10'000);
  for (const bool made : {true, false}) {
    const Uuid id = request(5000);
    as(service()).when(ApprovePayout{.payout_id = id}).then_accepted();
    const auto due = timers(state<PayoutState>(id));
    ASSERT_EQ(due.size(), 1u);
    if (made) when(RecordPayoutCompleted{.payout_id = id, .external_id = "po_1"}).then_accepted();
    else when(RecordPayoutFailed{.payout_id = id, .reason = "closed account"}).then_accepted();
    EXPECT_TRUE(timers(state<PayoutState>(id)).empty());
    at(due[0].due).as(the_system()).when(due[0].command).then_nothing();
    as(user(ana));
  }
}

TEST_F(Payout, the_bank_may_send_a_completed_one_back_once) {  // ledger.md: PayoutReturned
  open(5'000);
  const Uuid id = request(5000);
  as(service()).when(RecordPayoutReturned{.payout_id = id}).then_rejected(Code::payout_not_completed);
  when(ApprovePayout{.payout_id = id}).then_accepted();
  when(RecordPayoutCompleted{.payout_id = id, .external_id = "po_1"}).then_accepted();
  when(RecordPayoutReturned{.payout_id = id, .reason = "unknown account"}).then_accepted();
  when(RecordPayoutReturned{.payout_id = id, .reason = "unknown account"}).then_nothing();
  when(RecordPayoutCompleted{.payout_id = id, .external_id = "po_1"}).then_nothing();  // Late, and older.
  EXPECT_EQ(status(id), Status::failed);
  EXPECT_EQ(wallet().available, 5000);
  EXPECT_EQ(wallet().withdrawn_stripe, 0);
}

TEST_F(Payout, needs_a_confirmed_method) {  // PA-95
  as(service()).when(registration());
  when(AdjustWallet{.wallet_id = ana, .amount_cents = 9000, .reason = "a gift"});
  const RequestPayout wanted{.wallet_id = ana, .amount_cents = 5000, .payout_method = Method::stripe};
  when(wanted).then_rejected(Code::payouts_not_enabled);
  when(RecordPayoutMethod{.wallet_id = ana, .stripe_account_status = StripeStatus::enabled})
      .then_rejected(Code::payout_method_missing);
  when(SetPayoutMethod{.wallet_id = ana, .stripe_account_id = "acct_1"}).then_accepted();
  when(wanted).then_rejected(Code::payouts_not_enabled);
  when(RecordPayoutMethod{.wallet_id = ana, .stripe_account_status = StripeStatus::enabled}).then_accepted();
  when(wanted).then_accepted();
  // Another account is another place: confirmed anew.
  when(SetPayoutMethod{.wallet_id = ana, .stripe_account_id = "acct_2"}).then_accepted();
  EXPECT_EQ(wallet().stripe_account_status, StripeStatus::pending);
}

TEST_F(Payout, strangers_and_the_banned) {  // PA-96, PA-99
  open(5'000);
  const Uuid id = request(5000);
  as(user(id_of("eve")));
  when(RequestPayout{.wallet_id = ana, .amount_cents = 5000, .payout_method = Method::stripe})
      .then_rejected(Code::wallet_not_found);
  when(CancelPayout{.payout_id = id}).then_rejected(Code::payout_not_found);
  when(ApprovePayout{.payout_id = id}).then_rejected(Code::payout_not_found);
  when(AdjustWallet{.wallet_id = ana, .amount_cents = 5000, .reason = "me"}).then_rejected(Code::wallet_not_found);
  as(user(ana)).when(AdjustWallet{.wallet_id = ana, .amount_cents = 5000, .reason = "me"}).then_rejected(Code::admin_only);
  account::BanAccount ban;
  ban.account_id = ana;
  as(service()).when(ban);
  as(user(ana))
      .when(RequestPayout{.wallet_id = ana, .amount_cents = 5000, .payout_method = Method::stripe})
      .then_rejected(Code::account_banned);
}

TEST_F(Payout, corrections_never_take_a_wallet_below_zero) {  // ledger.md: available < 0 only by claw-back or freeze
  open(100);
  as(service())
      .when(AdjustWallet{.wallet_id = ana, .amount_cents = -101, .reason = "x"})
      .then_rejected(Code::insufficient_balance);
  when(AdjustWallet{.wallet_id = ana, .amount_cents = -100, .reason = "x"}).then_accepted();
  EXPECT_EQ(wallet().available, 0);
  EXPECT_EQ(wallet().adjusted, 0);
}

// Any order of commands, repeats among them: after every one the books balance.
TEST_F(Payout, random_histories_keep_the_wallet_identity) {  // W, PA-94
  std::mt19937_64 random(20260107);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  open(0);
  std::vector<Uuid> payouts;
  std::size_t seen = world.history().size();
  std::map<Ledger, std::int64_t> platform;  // Balances of the accounts that are not Ana's.
  for (int i = 0; i < 5'000; ++i) {
    as(below(3) == 0 ? user(ana) : service());
    const Uuid one = payouts.empty() ? id_of("none") : payouts[below(payouts.size())];
    switch (below(8)) {
      case 0:
        when(AdjustWallet{.wallet_id = ana, .amount_cents = static_cast<std::int64_t>(below(30'000)) - 9'000, .reason = "r"});
        break;
      case 1:
      case 2: {
        const auto asked = when(RequestPayout{.wallet_id = ana,
                                              .amount_cents = static_cast<std::int64_t>(4'000 + below(9'000)),
                                              .payout_method = below(2) == 0 ? Method::stripe : Method::paypal});
        if (asked.decision()) payouts.push_back(asked.decision()->subject.stream.id);
        break;
      }
      case 3: when(ApprovePayout{.payout_id = one}); break;
      case 4: when(CancelPayout{.payout_id = one}); break;
      case 5: when(RecordPayoutCompleted{.payout_id = one, .external_id = "x"}); break;
      case 6: when(RecordPayoutFailed{.payout_id = one}); break;
      case 7: when(RecordPayoutReturned{.payout_id = one}); break;
      default: break;
    }
    const WalletState& w = wallet();
    ASSERT_EQ(w.pending + w.available + w.frozen + w.payout, w.earned_stripe + w.earned_paypal + w.earned_wallet - w.clawed_back -
                                                                 w.withdrawn_stripe - w.withdrawn_paypal - w.spent + w.adjusted);
    ASSERT_GE(w.available, 0);
    ASSERT_GE(w.payout, 0);
    for (; seen < world.history().size(); ++seen)
      visit(
          [&](const auto& e) {
            if constexpr (requires { e.transfers; })
              for (const auto& t : e.transfers) {
                ASSERT_GT(t.amount_cents(), 0);
                if (is_nil(t.debit_owner())) platform[t.debit()] -= t.amount_cents();
                if (is_nil(t.credit_owner())) platform[t.credit()] += t.amount_cents();
              }
          },
          world.history()[seen].event);
    std::int64_t sum = w.pending + w.available + w.frozen + w.payout;
    for (const auto& [account, balance] : platform) sum += balance;
    ASSERT_EQ(sum, 0);
  }
  std::int64_t in_flight = 0;
  for (const Uuid& id : payouts)
    if (const auto& p = state<PayoutState>(id); p.status == Status::pending || p.status == Status::processing)
      in_flight += p.amount_cents;
  EXPECT_EQ(wallet().payout, in_flight);
  EXPECT_GT(wallet().withdrawn_stripe + wallet().withdrawn_paypal, 0);
}

}  // namespace
}  // namespace guildhall::testing
