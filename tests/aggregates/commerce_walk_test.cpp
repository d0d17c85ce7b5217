// A random walk over the music marketplace (ledger.md, M-4, M-7, M-11): sellers and buyers trade, the processors say
// yes, no, twice and late, buyers complain, banks charge back, subscriptions are billed, the clock jumps. After every
// event the books hold (bazaar.h); every rows_every events, and at the end, the rows in PostgreSQL are the fold of the
// log, and say what the states say. CI walks a part, GUILDHALL_LONG=1 all of it; GUILDHALL_SEED repeats a walk.
#include <cstdlib>
#include <random>
#include <sstream>

#include "infra/memory_row_store.h"
#include "infra/postgres_row_store.h"
#include "projectors/producers_avenue.h"
#include "projectors/wallets.h"
#include "projectors/webinars.h"
#include "tests/aggregates/bazaar.h"
#include "tests/postgres_cluster.h"
#include "tests/projectors/projected.h"

namespace guildhall::testing {
namespace {

constexpr int ci_commands = 10'000, long_commands = 200'000;
constexpr std::size_t sellers = 200, buyers = 2'000;
constexpr std::size_t rows_every = 10'000;  // Events.
constexpr std::size_t under_way = 12;       // Calls and messages between groups; beyond it they are answered first.
constexpr std::size_t recent = 60;          // Things of one kind that the walk still remembers to act on.

std::uint64_t seed_of_walk() {
  const char* text = std::getenv("GUILDHALL_SEED");
  return text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, 10);
}

class CommerceWalk : public Bazaar {
 public:
  const int commands = std::getenv("GUILDHALL_LONG") != nullptr ? long_commands : ci_commands;
  const std::uint64_t seed = seed_of_walk();
  std::mt19937_64 random{seed};

  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random() % n); }
  bool one_in(std::size_t n) { return pick(n) == 0; }

  struct Things {
    std::vector<Uuid> ids;
    void add(const Uuid& id) {
      if (ids.size() == recent) ids.erase(ids.begin());
      ids.push_back(id);
    }
  };
  const Uuid* any(const Things& of) { return of.ids.empty() ? nullptr : &of.ids[pick(of.ids.size())]; }
  const Uuid& seller() { return sellers_[pick(sellers_.size())]; }
  const Uuid& buyer() { return buyers_[pick(buyers_.size())]; }
  Method method() {
    constexpr std::array all{Method::card, Method::card, Method::paypal, Method::wallet_balance};
    return all[pick(all.size())];
  }
  std::int64_t price() {
    return one_in(12) ? 0 : one_in(8) ? 100 + static_cast<std::int64_t>(pick(60)) : 100 + static_cast<std::int64_t>(pick(30'000));
  }

  void set_the_stage() {
    policy.sandbox_bills = true;
    boss_ = id_of("boss");
    for (std::size_t i = 0; i < sellers; ++i) sellers_.push_back(member("seller" + std::to_string(i)));
    for (std::size_t i = 0; i < buyers; ++i) buyers_.push_back(member("buyer" + std::to_string(i)));
    for (const Uuid& who : sellers_) {
      send(service(), wallet::SetPayoutMethod{.wallet_id = who, .stripe_account_id = "acct_1", .paypal_email = "a@example.com"});
      send(service(),
           wallet::RecordPayoutMethod{
               .wallet_id = who, .stripe_account_status = ::wallet::v1::StripeStatus::enabled, .paypal_verified = true});
    }
    for (const Uuid& who : sellers_) give(who, 6'000);
    for (const Uuid& who : buyers_)
      if (one_in(3)) give(who, 1 + static_cast<std::int64_t>(pick(80'000)));
  }

  // ---- what is offered

  void offer_product() {
    product::CreateProduct c;
    c.seller_id = seller();
    c.title = "Loops " + std::to_string(pick(1000));
    c.file_urls = {"https://files.example/1"};
    c.price_cents = price();
    c.license_type =
        c.price_cents > 0 && one_in(3) ? ::product::v1::LicenseType::exclusive : ::product::v1::LicenseType::personal;
    const auto made = send(user(c.seller_id), c);
    if (!made.decision()) return;
    const Uuid id = made.decision()->subject.stream.id;
    products_.add(id);
    send(user(c.seller_id), product::PublishProduct{.product_id = id});
  }
  void offer_service() {
    service::CreateService c;
    c.seller_id = seller();
    c.title = "Mixing " + std::to_string(pick(1000));
    c.service_type = ::service::v1::ServiceType::mixing;
    if (one_in(2)) c.buyer_requirements = "Stems, please";
    const auto made = send(user(c.seller_id), c);
    if (!made.decision()) return;
    const Uuid id = made.decision()->subject.stream.id;
    for (const std::string name : {"small", "big"}) {
      service::SetPackage p;
      p.service_id = id;
      p.name = name;
      p.price_cents = price();
      p.delivery_days = 1 + static_cast<std::int32_t>(pick(10));
      p.revisions = static_cast<std::int32_t>(pick(3));
      send(user(c.seller_id), p);
    }
    send(user(c.seller_id), service::PublishService{.service_id = id});
    services_.add(id);
  }
  void offer_webinar() {
    webinar::ScheduleWebinar c;
    c.host_id = seller();
    c.title = "Mastering";
    c.scheduled_at = now + hour_us + static_cast<Micros>(pick(5)) * day_us;
    c.duration_minutes = 60;
    c.price_cents = price();
    if (one_in(2)) c.max_attendees = 1 + static_cast<std::int32_t>(pick(5));
    const auto made = send(user(c.host_id), c);
    if (made.decision()) webinars_.add(made.decision()->subject.stream.id);
  }

  // ---- what is bought

  void buy() {
    const Uuid* id = any(products_);
    if (id == nullptr) return offer_product();
    const Uuid who = buyer();
    send(user(who), purchase::PurchaseProduct{.product_id = *id, .buyer_id = who, .payment_method = method()});
  }
  void place() {
    const Uuid* id = any(services_);
    if (id == nullptr) return offer_service();
    order::PlaceOrder c;
    c.service_id = *id;
    c.buyer_id = buyer();
    c.package_name = one_in(2) ? "small" : "big";
    if (one_in(2)) c.requirements = "120 bpm";
    c.payment_method = method();
    const auto placed = send(user(c.buyer_id), c);
    if (placed.decision() && placed.decision()->created) orders_.add(placed.decision()->subject.stream.id);
  }
  void enroll() {
    const Uuid* id = any(webinars_);
    if (id == nullptr) return offer_webinar();
    const Uuid who = buyer();
    const auto done =
        send(user(who), registration::RegisterForWebinar{.webinar_id = *id, .user_id = who, .payment_method = method()});
    if (done.decision()) registrations_.add(done.decision()->subject.stream.id);
  }

  // ---- what goes on

  void move_an_order() {
    const Uuid* id = any(orders_);
    if (id == nullptr) return place();
    const auto& o = state<OrderState>(*id);
    const Actor buys = user(o.buyer_id), sells = user(o.seller_id), rules = admin(boss_);
    // Mostly what comes next, at times anything.
    using enum ::order::v1::Status;
    if (!one_in(3)) {
      if (o.status == pending && one_in(2)) send(buys, order::SubmitRequirements{.order_id = *id, .requirements = "96 bpm"});
      else if (o.status == pending) send(sells, order::StartOrder{.order_id = *id});
      else if (o.is_disputed)
        send(rules, order::ResolveDispute{
                        .order_id = *id,
                        .outcome = one_in(2) ? ::order::v1::DisputeOutcome::buyer : ::order::v1::DisputeOutcome::seller});
      else if (o.status == in_progress || o.status == revision_requested)
        send(sells, order::DeliverOrder{.order_id = *id, .delivery_notes = "take " + std::to_string(pick(100))});
      else if (o.status == delivered && one_in(3)) send(buys, order::RequestRevision{.order_id = *id, .reason = "louder"});
      else if (o.status == delivered) send(buys, order::ApproveDelivery{.order_id = *id});
      else if (one_in(4)) place();
      return;
    }
    switch (pick(16)) {
      case 0:
      case 1: send(buys, order::SubmitRequirements{.order_id = *id, .requirements = "128 bpm"}); break;
      case 2:
      case 3:
      case 4: send(sells, order::StartOrder{.order_id = *id}); break;
      case 5:
      case 6:
      case 7: send(sells, order::DeliverOrder{.order_id = *id, .delivery_notes = "done"}); break;
      case 8: send(buys, order::RequestRevision{.order_id = *id, .reason = "louder"}); break;
      case 9:
      case 10: send(buys, order::ApproveDelivery{.order_id = *id}); break;
      case 11: send(one_in(2) ? buys : sells, order::CancelOrder{.order_id = *id, .reason = "no"}); break;
      case 12: send(one_in(2) ? sells : rules, order::RefundOrder{.order_id = *id, .reason = "sorry"}); break;
      case 13: send(buys, order::OpenDispute{.order_id = *id, .reason = "not what was agreed"}); break;
      case 14: send(sells, order::AnswerDispute{.order_id = *id, .answer = "it is"}); break;
      default:
        send(rules, order::ResolveDispute{
                        .order_id = *id,
                        .outcome = one_in(2) ? ::order::v1::DisputeOutcome::buyer : ::order::v1::DisputeOutcome::seller});
    }
  }
  void move_a_webinar() {
    if (const Uuid* id = any(registrations_); id != nullptr && one_in(2)) {
      const Uuid who = state<RegistrationState>(*id).user_id;
      if (one_in(2)) send(user(who), registration::CancelRegistration{.registration_id = *id});
      else send(user(who), registration::JoinWebinar{.registration_id = *id});
      return;
    }
    const Uuid* id = any(webinars_);
    if (id == nullptr) return offer_webinar();
    const Actor host = user(state<WebinarState>(*id).host_id);
    switch (pick(4)) {
      case 0: send(host, webinar::StartWebinar{.webinar_id = *id, .room_id = "room"}); break;
      case 1:
        if (state<WebinarState>(*id).status == ::webinar::v1::Status::ended) sell_the_recording(*id, host);
        else send(host, webinar::EndWebinar{.webinar_id = *id});
        break;
      case 2: send(host, webinar::CancelWebinar{.webinar_id = *id, .reason = "ill"}); break;
      default: offer_webinar();
    }
  }
  void sell_the_recording(const Uuid& webinar, const Actor& host) {
    send(host, webinar::AttachRecording{.webinar_id = webinar, .recording_url = "https://files.example/r"});
    product::ConvertWebinarRecording c;
    c.webinar_id = webinar;
    c.title = "Mastering, recorded";
    c.price_cents = price();
    const auto made = send(host, c);
    if (!made.decision()) return;
    const Uuid id = made.decision()->subject.stream.id;
    EXPECT_TRUE(recorded_.insert(webinar).second) << "two products of one recording";
    products_.add(id);
    send(host, product::PublishProduct{.product_id = id});
  }
  void trouble() {
    const bool decide = one_in(2) && !disputed_.ids.empty();
    const Uuid* found = any(decide ? disputed_ : payments_);
    if (found == nullptr) return;
    const Uuid id = *found;
    const auto& p = payment(id);
    const std::string name = "dp_" + to_string(id);
    if (decide) {
      std::erase(disputed_.ids, id);
      if (one_in(2)) send(service(), payment::RecordDisputeWon{.payment_id = id, .external_id = name});
      else send(service(), payment::RecordDisputeLost{.payment_id = id, .external_id = name});
      return;
    }
    switch (pick(5)) {
      case 0:
        if (send(service(), payment::RecordDisputeOpened{.payment_id = id, .external_id = name}).decision()) disputed_.add(id);
        break;
      case 1:
        send(admin(boss_), payment::RequestRefund{.payment_id = id, .amount_cents = p.amount_cents, .reason = "all of it"});
        break;
      case 2: {  // A refund that was confirmed comes back (PY-9).
        const auto done =
            std::ranges::find(p.refunds, ::payment::state::RefundStatus::refunded, [](const auto& r) { return r.status(); });
        if (done != p.refunds.end() && p.method != Method::wallet_balance)
          send(service(),
               payment::RecordRefundFailed{.payment_id = id, .refund_id = done->refund_id(), .reason = "account closed"});
        break;
      }
      case 3:
        if (one_in(4)) send(admin(boss_), payment::WriteOffPayment{.payment_id = id, .reason = "the card is closed"});
        break;
      default: {
        const auto part = 1 + static_cast<std::int64_t>(pick(static_cast<std::size_t>(p.amount_cents) + 50));
        send(one_in(2) ? user(p.payee_id) : admin(boss_),
             payment::RequestRefund{.payment_id = id, .amount_cents = part, .reason = "sorry"});
      }
    }
  }
  void withdraw() {
    const Uuid who = seller();
    if (const Uuid* id = any(payouts_); id != nullptr && one_in(2)) {
      switch (pick(3)) {
        case 0: send(user(state<PayoutState>(*id).wallet_id), payout::CancelPayout{.payout_id = *id}); break;
        case 1: send(admin(boss_), payout::ApprovePayout{.payout_id = *id}); break;
        default: send(service(), payout::RecordPayoutReturned{.payout_id = *id, .reason = "closed"});
      }
      return;
    }
    const std::int64_t has = wallet_of(who).available;
    const auto asked = send(user(who), payout::RequestPayout{.wallet_id = who,
                                                             .amount_cents = std::max<std::int64_t>(has, 5000),
                                                             .payout_method = one_in(2) ? ::wallet::v1::PayoutMethod::stripe
                                                                                        : ::wallet::v1::PayoutMethod::paypal});
    if (asked.decision()) payouts_.add(asked.decision()->subject.stream.id);
  }
  void subscribe() {
    const Uuid who = seller();
    subscription::Subscribe c;
    c.account_id = who;
    c.tier = static_cast<::subscription::v1::Tier>(1 + pick(3));
    c.interval = one_in(2) ? ::subscription::v1::Interval::monthly : ::subscription::v1::Interval::annual;
    switch (pick(4)) {
      case 0: send(user(who), c); break;
      case 1: send(user(who), subscription::ChangePlan{.account_id = who, .tier = c.tier, .interval = c.interval}); break;
      case 2: send(user(who), subscription::CancelSubscription{.account_id = who}); break;
      default: send(admin(boss_), product::FeatureProduct{.product_id = products_.ids.empty() ? who : *any(products_)});
    }
  }
  // Processors say yes mostly, sometimes no; some tell it twice, and none keeps an order.
  void answer_a_call() {
    if (calls.empty()) return;
    auto at = calls.begin();
    std::advance(at, pick(std::min<std::size_t>(calls.size(), 8)));
    const Effect call = at->second;
    const bool yes = !one_in(9);
    answer(call, yes);
    if (one_in(10)) answer(call, yes);
  }

  void walk(int from, int to) {
    for (int n = from; n < to; ++n) {
      // What was asked is answered sooner than the clock moves, mostly, or nothing would ever be sold.
      const std::size_t dice = calls.size() + inbox.size() > under_way ? 63 + pick(32) : pick(100);
      if (dice < 2) offer_product();
      else if (dice < 3) offer_service();
      else if (dice < 11) buy();
      else if (dice < 19) place();
      else if (dice < 23) enroll();
      else if (dice < 48) move_an_order();
      else if (dice < 52) move_a_webinar();
      else if (dice < 57) trouble();
      else if (dice < 61) withdraw();
      else if (dice < 63) subscribe();
      else if (dice < 80) answer_a_call();
      else if (dice < 95) {
        if (inbox.empty()) answer_a_call();
        else deliver();
      } else {
        pass(one_in(4) ? static_cast<Micros>(pick(30)) * hour_us : static_cast<Micros>(pick(10)) * minute_us);
      }
      follow();
      if (HasFailure()) {
        ADD_FAILURE() << "command " << n;
        return;
      }
    }
  }

  // ---- what must never happen

  void follow() {
    const auto& history = world.history();
    for (; followed_ < history.size(); ++followed_) {
      const NewEvent& e = history[followed_];
      if (const auto* begun = get_if<payment::PaymentInitiated>(&e.event)) {
        payments_.add(begun->payment_id);
      } else if (const auto* released = get_if<payment::HoldReleased>(&e.event)) {
        // Nothing is released twice: a payment's releases stay within its seller's share.
        auto& sum = released_[released->payment_id];
        sum += released->amount_cents;
        const auto& p = payment(released->payment_id);
        EXPECT_LE(sum, p.amount_cents - p.fee_cents - p.commission_cents);
      } else if (const auto* sold = get_if<product::LicenseSold>(&e.event)) {
        EXPECT_TRUE(licenses_.insert(sold->product_id).second) << "an exclusive licence was sold twice";
      } else if (const auto* owned = get_if<purchase::ProductPurchased>(&e.event)) {
        const bool exclusive = owned->license_type == ::product::v1::LicenseType::exclusive;
        EXPECT_TRUE(!exclusive || owners_.emplace(owned->product_id, owned->buyer_id).second) << "two own an exclusive licence";
      } else if (const auto* returned = get_if<product::LicenseReturned>(&e.event)) {
        EXPECT_EQ(licenses_.erase(returned->product_id), 1u);
        EXPECT_EQ(owners_.erase(returned->product_id), 1u);
      }
      if (const auto* disputed = get_if<payment::DisputeOpened>(&e.event)) charged_back_.insert(disputed->payment_id);
      if (const auto* asked = get_if<payout::PayoutRequested>(&e.event)) all_payouts_.insert(asked->payout_id);
      ++seen_types_[std::string(type_name(e.event))];
      log_.push_back({e.stream, e.event});
    }
  }

  // All that was begun comes to its end: banks and admins decide, what was promised happens, and an admin sees to the money that
  // its processor takes back no more.
  void finish() {
    settle();
    for (const Uuid& id : all_payouts_) send(admin(boss_), payout::ApprovePayout{.payout_id = id});
    for (const Uuid& id : charged_back_)
      if (payment(id).chargeback)
        send(service(), payment::RecordDisputeWon{.payment_id = id, .external_id = payment(id).dispute_id}).then_accepted();
    run_out(400 * day_us);
    for (const Uuid& id : books.owners(Account::suspense))
      send(admin(boss_), payment::WriteOffPayment{.payment_id = id, .reason = "it can't be returned"}).then_accepted();
    follow();
  }

  // The rows say of every wallet what its state says.
  void compare_wallets(RowStore& rows) {
    std::map<std::string, std::string> lines;
    rows.dump(Generation::live, Wallets::table(), [&](std::string_view line) {
      const auto tab = line.find('\t');
      lines.emplace(line.substr(0, tab), line.substr(tab + 1));
    });
    for (const auto& all : {sellers_, buyers_}) {
      for (const Uuid& id : all) {
        const auto& w = wallet_of(id);
        std::string expected;
        for (const std::int64_t cents :
             {w.available, w.pending, w.frozen, w.payout, w.earned_stripe, w.earned_paypal, w.earned_wallet, w.clawed_back,
              w.withdrawn_stripe, w.withdrawn_paypal, w.spent, w.adjusted})
          expected += std::to_string(cents) + '\t';
        EXPECT_TRUE(lines[to_string(id)].starts_with(expected))
            << to_string(id) << " has " << expected << " but the row says " << lines[to_string(id)];
      }
    }
  }

  // And of every webinar how many seats are taken.
  void compare_seats(RowStore& rows) {
    std::size_t seen = 0;
    rows.dump(Generation::live, Webinars::table(), [&](std::string_view line) {
      std::vector<std::string> fields;
      std::istringstream in{std::string(line)};
      for (std::string field; std::getline(in, field, '\t');) fields.push_back(field);
      const Uuid id = *parse_uuid(fields.at(0));
      EXPECT_EQ(fields.at(1 + Webinars::registrations_count), std::to_string(state<WebinarState>(id).registrations_count));
      ++seen;
    });
    EXPECT_GT(seen, 0u);
  }

  // The events since last time into a log, as one shard would have written them.
  void write_log(WrittenLog& log) {
    constexpr std::size_t batch = 200;
    for (std::size_t at = 0; at < log_.size(); at += batch)
      log.append(0, {log_.begin() + static_cast<std::ptrdiff_t>(at),
                     log_.begin() + static_cast<std::ptrdiff_t>(std::min(at + batch, log_.size()))});
    log_.clear();
  }
  std::size_t unwritten() const { return log_.size(); }
  std::size_t seen(const std::string& type) { return seen_types_[type]; }
  const std::map<std::string, std::size_t>& all_seen() const { return seen_types_; }

 private:
  Uuid boss_{};
  std::vector<Uuid> sellers_, buyers_;
  Things products_, services_, webinars_, orders_, registrations_, payments_, payouts_, disputed_;
  std::size_t followed_ = 0;
  std::map<Uuid, std::int64_t, UuidLess> released_;
  std::set<Uuid, UuidLess> licenses_, recorded_;
  std::map<Uuid, Uuid, UuidLess> owners_;
  std::set<Uuid, UuidLess> charged_back_, all_payouts_;
  std::map<std::string, std::size_t> seen_types_;
  std::vector<std::pair<StreamId, AnyEvent>> log_;
};

TEST_F(CommerceWalk, the_books_hold_after_every_event_and_the_rows_are_the_fold_of_the_log) {
  SCOPED_TRACE("GUILDHALL_SEED=" + std::to_string(seed));
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  RecordProperty("seed", std::to_string(seed));
  WrittenLog log(2, "producers_avenue");
  PostgresRowStore rows(PostgresCluster::shared().new_database(), producers_avenue_projection(), producers_avenue_sql());
  rows.prepare(log.log.identity());
  // One twin goes along: a walk's time stays in proportion to its length. At the end another folds the log from its beginning.
  MemoryRowStore twin(producers_avenue_projection().tables);
  twin.prepare(log.log.identity());
  const auto compare = [&] {
    write_log(log);
    project_into(rows, log.log, 5'000, producers_avenue_projection());
    project_into(twin, log.log, 100'000, producers_avenue_projection());
    EXPECT_TRUE(all_rows(rows) == all_rows(twin)) << "rows in PostgreSQL differ from the fold of the log";
    compare_wallets(rows);
    compare_seats(rows);
  };

  set_the_stage();
  follow();
  constexpr int stride = 100;
  for (int n = 0; n < commands && !HasFailure(); n += stride) {
    walk(n, n + stride);
    if (unwritten() >= rows_every) compare();
  }
  ASSERT_FALSE(HasFailure());

  finish();
  compare();
  MemoryRowStore afresh(producers_avenue_projection().tables);
  afresh.prepare(log.log.identity());
  project_into(afresh, log.log, 100'000, producers_avenue_projection());
  EXPECT_TRUE(all_rows(twin) == all_rows(afresh)) << "a fold from the beginning gives other rows";
  if (std::getenv("GUILDHALL_VERBOSE") != nullptr)
    for (const auto& [type, count] : all_seen()) std::printf("%8zu %s\n", count, type.c_str());
  EXPECT_TRUE(inbox.empty());
  EXPECT_TRUE(calls.empty());
  EXPECT_EQ(books.sum(), 0);
  // Nothing stays under way, to whomever it belongs.
  for (const Account account :
       {Account::transit, Account::suspense, Account::refunds, Account::disputes, Account::frozen, Account::payout})
    EXPECT_TRUE(books.is_clear(account)) << ::ledger::v1::EnumNameAccount(account);
  EXPECT_GT(books.sum(Account::commission), 0);
  // A walk that never took a way shows nothing of it. Rare ones are met in a long walk only.
  const auto met = [&](std::initializer_list<const char*> types) {
    for (const char* type : types) EXPECT_GT(seen(type), 0u) << type;
  };
  met({"payment.v1.PaymentCaptured", "payment.v1.PaymentFailed", "payment.v1.LatePaymentReceived", "payment.v1.HoldReleased",
       "payment.v1.RefundRequested", "payment.v1.RefundFailed", "payment.v1.DisputeOpened", "wallet.v1.WalletSpent",
       "wallet.v1.WalletSpendRefused", "wallet.v1.WalletRefunded", "order.v1.OrderCompleted", "order.v1.OrderCancelled",
       "order.v1.OrderRefunded", "product.v1.LicenseSold", "purchase.v1.PurchaseExpired", "webinar.v1.WebinarCancelled",
       "payout.v1.PayoutRequested", "subscription.v1.SubscriptionPaid", "subscription.v1.SubscriptionCancelled"});
  if (commands == long_commands)
    met({"payment.v1.DisputeWon", "payment.v1.DisputeLost", "order.v1.OrderDisputed", "order.v1.OrderDisputeResolved",
         "product.v1.LicenseReturned", "purchase.v1.EntitlementRevoked", "webinar.v1.WebinarEnded",
         "registration.v1.RegistrationRefunded", "payout.v1.PayoutCompleted", "payout.v1.PayoutFailed",
         "payout.v1.PayoutReturned", "wallet.v1.WalletSpendReversed", "payment.v1.RefundPostponed"});
}

}  // namespace
}  // namespace guildhall::testing
