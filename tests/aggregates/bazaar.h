// The music marketplace with the world around its decisions: the reactions between groups, the payment processors and the timers.
// After every event the books hold: each transfer is entered in a ledger of the test's own; each wallet that it names is folded a
// second time, and agrees with that ledger and with its identity W; what the event touched keeps the rules of its accounts
// (ledger.md).
#pragma once

#include <deque>
#include <map>
#include <set>

#include "aggregates/effects.h"
#include "aggregates/payment.h"
#include "events/wallet_identity.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {

class Books {
 public:
  using Account = ::ledger::v1::Account;
  using Processor = ::ledger::v1::Processor;

  void enter(const ::ledger::v1::Transfer& t) {
    EXPECT_GT(t.amount_cents(), 0);
    add({t.debit(), t.debit_owner(), processor_of(t.debit(), t)}, -t.amount_cents());
    add({t.credit(), t.credit_owner(), processor_of(t.credit(), t)}, t.amount_cents());
  }
  std::int64_t of(Account account, const Uuid& owner = {}, Processor processor = Processor::none) const {
    const auto found = balances_.find({account, owner, processor});
    return found == balances_.end() ? 0 : found->second;
  }
  // Over all owners and processors.
  std::int64_t sum(Account account) const {
    std::int64_t out = 0;
    for (const auto& [key, balance] : balances_)
      if (key.account == account) out += balance;
    return out;
  }
  std::int64_t sum() const { return sum_; }  // Of everything.
  // Who has something there.
  std::vector<Uuid> owners(Account account) const {
    std::vector<Uuid> out;
    for (const Key& key : not_zero_)
      if (key.account == account) out.push_back(key.owner);
    return out;
  }
  bool is_clear(Account account) const {
    const auto first = not_zero_.lower_bound({account, {}, {}});
    return first == not_zero_.end() || first->account != account;
  }

 private:
  struct Key {
    Account account;
    Uuid owner;
    Processor processor;
    friend bool operator<(const Key& a, const Key& b) {
      if (a.account != b.account) return a.account < b.account;
      if (!(a.owner == b.owner)) return UuidLess{}(a.owner, b.owner);
      return a.processor < b.processor;
    }
  };
  // Only these are kept a processor apart.
  static Processor processor_of(Account account, const ::ledger::v1::Transfer& t) {
    using enum Account;
    const bool apart = account == refunds || account == disputes || account == processor || account == fees;
    return apart ? t.processor() : Processor::none;
  }
  void add(const Key& key, std::int64_t cents) {
    std::int64_t& balance = balances_[key];
    sum_ += cents;
    balance += cents;
    if (balance == 0) not_zero_.erase(key);
    else not_zero_.insert(key);
  }
  std::map<Key, std::int64_t> balances_;
  std::set<Key> not_zero_;
  std::int64_t sum_ = 0;
};

class Bazaar : public Given {
 public:
  using Account = ::ledger::v1::Account;
  using Method = ::ledger::v1::Method;

  Bazaar() {
    policy.platform = "producers_avenue";
    policy.aggregates = {"account",      "claim",   "subscription", "wallet",   "payout",       "payment",
                         "product",      "storefront", "purchase",  "service",  "order",        "webinar",
                         "registration", "review",  "relation",     "notification", "notification_inbox"};
    policy.roles = {"member", "author", "admin", "super_admin"};
    policy.currencies = {"USD"};
    policy.default_currency = "USD";
  }

  Books books;
  // What the world has not answered yet.
  std::deque<Reaction> inbox;
  std::map<Uuid, Effect, UuidLess> calls;
  // Notifications that are asked for; tests that look at them deliver them.
  std::deque<Reaction> told;

  // As `when`, and enters what happened.
  Outcome send(const AnyCommand& command) {
    Outcome out = when(command);
    observe();
    return out;
  }
  Outcome send(const Actor& who, const AnyCommand& command) {
    actor = who;
    return send(command);
  }

  Uuid member(const std::string& name) {
    const Uuid id = id_of(name);
    account::RegisterAccount c;
    c.id = id;
    c.email = name + "@example.com";
    c.display_name = name;
    c.role = ::account::v1::Role::member;
    c.timezone = "UTC";
    send(service(), c).then_accepted();
    return id;
  }
  // Money to spend or withdraw.
  void give(const Uuid& who, std::int64_t cents) {
    send(service(), wallet::AdjustWallet{.wallet_id = who, .amount_cents = cents, .reason = "a gift"}).then_accepted();
  }
  const WalletState& wallet_of(const Uuid& who) const { return state<WalletState>(who); }
  const PaymentState& payment(const Uuid& id) const { return state<PaymentState>(id); }

  // Delivers what other groups were told, and lets the processors say yes, until all is quiet.
  void settle() {
    for (;;) {
      if (!inbox.empty()) deliver();
      else if (!calls.empty()) answer(calls.begin()->second, true);
      else return;
    }
  }
  // The next command between groups: it is never rejected.
  void deliver() {
    const Reaction next = std::move(inbox.front());
    inbox.pop_front();
    EXPECT_TRUE(send(the_system(), next.command).decision().has_value()) << type_name(next.command);
  }
  Outcome answer(const Effect call, bool yes) {
    ProcessorAnswer said;
    said.kind = yes ? ProcessorAnswer::Kind::succeeded : ProcessorAnswer::Kind::declined;
    said.external_id = "ext_" + to_string(call.id).substr(0, 8);
    said.reason = yes ? "" : "declined";
    calls.erase(call.id);
    return send(the_system(), outcome_command(call, said));
  }

  // Lets time pass: timers that become due fire in their order, at their time.
  void pass(Micros duration) {
    const Micros until = now + duration;
    while (!due_.empty() && due_.begin()->first <= until) fire();
    now = until;
  }
  // All that was promised happens, as far as it lies within the horizon.
  void run_out(Micros horizon) {
    const Micros until = now + horizon;
    settle();
    while (!due_.empty() && due_.begin()->first <= until) {
      fire();
      settle();
    }
  }

 private:
  using Named = std::pair<StreamId, std::string>;

  void fire() {
    const auto [due, name] = *due_.begin();
    due_.erase(due_.begin());
    const auto& waiting = timers_[name.first];
    const auto found = std::ranges::find(waiting, name.second, [](const Timer& t) { return std::string(t.name); });
    ASSERT_NE(found, waiting.end());
    const Timer timer = *found;
    now = std::max(now, due);
    EXPECT_TRUE(send(the_system(), timer.command).decision().has_value()) << type_name(timer.command);
  }

  void observe() {
    std::set<Uuid, UuidLess> wallets, payments;
    for (; seen_ < world.history().size(); ++seen_) {
      const NewEvent e = world.history()[seen_];
      last_ = type_name(e.event);
      enter(e, payments);
      for (Reaction& r : react(e.event)) inbox.push_back(std::move(r));
      for (Reaction& r : notices(e.event, derive_in_group("event", id_of("history"), seen_, test_bucket), world))
        told.push_back(std::move(r));
      for (const StreamId& stream : also_folds(e.event)) {
        look_at(stream);
        if (stream.kind != StreamKind::wallet) continue;
        const auto [at, added] = twins_.try_emplace(stream.id, empty_state(StreamKind::wallet));
        AnyState& twin = at->second;
        if (added) get<WalletState>(twin).wallet_id = stream.id;
        fold_also(twin, e.event);
        check_wallet(stream.id, get<WalletState>(twin));
        wallets.insert(stream.id);
      }
      look_at(e.stream);
    }
    for (const Uuid& owner : wallets) compare(wallet_of(owner), get<WalletState>(twins_.at(owner)));
    for (const Uuid& id : payments) check_suspense(payment(id));
    // What moves between two groups is under way only while one of them has still to hear of it.
    EXPECT_TRUE(!inbox.empty() || books.is_clear(Account::transit)) << last_;
  }

  // Timers and calls as the state wants them now, as the shard keeps them.
  void look_at(const StreamId& stream) {
    const AnyState& state = world.load(stream).state;
    auto& before = timers_[stream];
    auto wanted = timers(state);
    for (const Timer& t : before)
      if (std::ranges::find(wanted, t) == wanted.end()) {
        const auto [first, last] = due_.equal_range(t.due);
        const Named name{stream, std::string(t.name)};
        const auto found = std::find_if(first, last, [&](const auto& d) { return d.second == name; });
        if (found != last) due_.erase(found);  // Unless it has fired.
      }
    for (const Timer& t : wanted)
      if (std::ranges::find(before, t) == before.end()) due_.emplace(t.due, Named{stream, std::string(t.name)});
    before = std::move(wanted);
    if (const auto call = effect(state); call && asked_.insert(call->id).second) calls.emplace(call->id, *call);
  }

  void enter(const NewEvent& e, std::set<Uuid, UuidLess>& payments) {
    visit(
        [&]<class E>(const E& event) {
          if constexpr (requires { event.transfers; }) {
            // Never more than is there (PA-96).
            if constexpr (std::is_same_v<E, payout::PayoutRequested>) {
              EXPECT_LE(event.amount_cents, books.of(Account::available, event.wallet_id)) << "more than is available";
            }
            for (const auto& t : event.transfers) {
              books.enter(t);
              check_platform(t);
              for (const auto& [account, owner] : sides(t))
                if (account == Account::suspense) payments.insert(owner);
              if constexpr (requires { event.payment_id; }) {
                // A sale's escrow is its own: what is released, refunded or frozen twice would be another sale's.
                std::int64_t& escrow = escrow_[event.payment_id];
                if (t.credit() == Account::pending) escrow += t.amount_cents();
                if (t.debit() == Account::pending) escrow -= t.amount_cents();
                EXPECT_GE(escrow, 0) << to_string(event.payment_id) << ", after " << last_;
              } else {
                EXPECT_TRUE(t.credit() != Account::pending && t.debit() != Account::pending) << last_;
              }
            }
            EXPECT_EQ(books.sum(), 0) << last_;
            if constexpr (std::is_same_v<E, payment::RefundFailed> || std::is_same_v<E, payment::PaymentWrittenOff>)
              payments.insert(event.payment_id);
          }
        },
        e.event);
  }

  static std::array<std::pair<Account, Uuid>, 2> sides(const ::ledger::v1::Transfer& t) {
    return {{{t.debit(), t.debit_owner()}, {t.credit(), t.credit_owner()}}};
  }

  void check_platform(const ::ledger::v1::Transfer& t) {
    EXPECT_GE(books.of(Account::refunds, {}, t.processor()), 0) << last_;
    EXPECT_LE(books.of(Account::disputes, {}, t.processor()), 0) << last_;
    for (const auto& [account, owner] : sides(t))
      if (account == Account::transit || account == Account::suspense) {
        EXPECT_GE(books.of(account, owner), 0) << last_;
      }
  }

  // Money stays in suspense only while its flow goes on: it is asked back again, or a bank or an admin has to decide.
  void check_suspense(const PaymentState& p) {
    const bool goes_on = p.retry_at != 0 || p.chargeback || p.refusals > max_refund_retries;
    EXPECT_TRUE(goes_on || books.of(Account::suspense, p.payment_id) == 0) << to_string(p.payment_id) << ", after " << last_;
  }

  void check_wallet(const Uuid& owner, const WalletState& w) {
    EXPECT_EQ(w.pending, books.of(Account::pending, owner)) << last_;
    EXPECT_EQ(w.available, books.of(Account::available, owner)) << last_;
    EXPECT_EQ(w.frozen, books.of(Account::frozen, owner)) << last_;
    EXPECT_EQ(w.payout, books.of(Account::payout, owner)) << last_;
    EXPECT_GE(w.pending, 0) << last_;
    EXPECT_GE(w.frozen, 0) << last_;
    EXPECT_GE(w.payout, 0) << last_;
    const std::int64_t earned = w.earned_stripe + w.earned_paypal + w.earned_wallet;
    EXPECT_EQ(w.pending + w.available + w.frozen + w.payout,
              earned - w.clawed_back - w.withdrawn_stripe - w.withdrawn_paypal - w.spent + w.adjusted)
        << "W, after " << last_;
  }
  // The group's own state says the same.
  void compare(const WalletState& real, const WalletState& twin) {
    const auto figures = [](const WalletState& w) {
      return std::array{w.available,     w.pending,     w.frozen,           w.payout,           w.earned_stripe, w.earned_paypal,
                        w.earned_wallet, w.clawed_back, w.withdrawn_stripe, w.withdrawn_paypal, w.spent,         w.adjusted};
    };
    EXPECT_EQ(figures(real), figures(twin)) << last_;
  }

  std::size_t seen_ = 0;
  std::string_view last_;
  std::unordered_map<StreamId, std::vector<Timer>, StreamHash> timers_;
  std::multimap<Micros, Named> due_;
  std::set<Uuid, UuidLess> asked_;
  std::map<Uuid, AnyState, UuidLess> twins_;       // Of wallets.
  std::map<Uuid, std::int64_t, UuidLess> escrow_;  // Of payments.
};

}  // namespace guildhall::testing
