// given(events).when(command).then(events): the words in which aggregates are tested.
//
//   class Account : public Given {};
//   TEST_F(Account, bans_once) {  // A-TU-5
//     given({registered(alice)}).as(admin(root)).when(ban(alice)).then({banned(alice)});
//     when(ban(alice)).then_nothing();
//   }
//
// What is accepted is folded into the world, so commands follow each other as they do in a shard. Every decision is made twice,
// to show that it is pure, and every event passes through the codec.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <unordered_map>
#include <vector>

#include "aggregates/aggregates.h"
#include "aggregates/calendar.h"
#include "events/check.h"
#include "events/codec.h"
#include "infra/time_zones.h"

namespace guildhall::testing {

// ---- values

// Days since 1970 of a date; the instant of a UTC date and time.
inline std::int32_t day_of(int year, unsigned month, unsigned day) {
  const std::chrono::sys_days days = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return static_cast<std::int32_t>(days.time_since_epoch().count());
}
inline Micros utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  return day_of(year, month, day) * day_us + hour * hour_us + minute * minute_us;
}

// The one entity group that a test's ids belong to, unless it says otherwise.
inline constexpr Bucket test_bucket = 0x2a7;
inline Uuid id_of(std::string_view name, Bucket bucket = test_bucket) { return with_bucket(derive_root("test", name), bucket); }

inline Actor user(const Uuid& account) { return {ActorKind::user, account, false}; }
inline Actor admin(const Uuid& account) { return {ActorKind::user, account, true}; }
inline Actor service() { return {ActorKind::service, {}, false}; }
inline Actor the_system() { return {ActorKind::system, {}, false}; }

// The stream that an event belongs to.
inline StreamId stream_of(const AnyEvent& event) {
  return visit(
      []<class E>(const E& e) -> StreamId {
        const auto among = []<class... T>(const std::variant<T...>*) { return (std::is_same_v<E, T> || ...); };
        if constexpr (among(static_cast<const account::Event*>(nullptr))) return {StreamKind::account, e.account_id};
        else if constexpr (among(static_cast<const claim::Event*>(nullptr))) return {StreamKind::claim, e.claim_id};
        else if constexpr (among(static_cast<const session::Event*>(nullptr))) return {StreamKind::session, e.session_id};
        else if constexpr (among(static_cast<const schedule::Event*>(nullptr))) return {StreamKind::schedule, e.expert_id};
        else if constexpr (among(static_cast<const calendar::Event*>(nullptr)))
          return {StreamKind::calendar, calendar_day_id(e.expert_id, e.day)};
        else if constexpr (among(static_cast<const booking::Event*>(nullptr))) return {StreamKind::booking, e.booking_id};
        else if constexpr (among(static_cast<const subscription::Event*>(nullptr)))
          return {StreamKind::subscription, e.account_id};
        else if constexpr (among(static_cast<const wallet::Event*>(nullptr))) return {StreamKind::wallet, e.wallet_id};
        else if constexpr (among(static_cast<const payout::Event*>(nullptr))) return {StreamKind::payout, e.payout_id};
        else if constexpr (among(static_cast<const product::Event*>(nullptr))) return {StreamKind::product, e.product_id};
        else if constexpr (among(static_cast<const storefront::Event*>(nullptr))) return {StreamKind::storefront, e.seller_id};
        else if constexpr (among(static_cast<const purchase::Event*>(nullptr))) return {StreamKind::purchase, e.purchase_id};
        else if constexpr (among(static_cast<const service::Event*>(nullptr))) return {StreamKind::service, e.service_id};
        else if constexpr (among(static_cast<const order::Event*>(nullptr))) return {StreamKind::order, e.order_id};
        else if constexpr (among(static_cast<const webinar::Event*>(nullptr))) return {StreamKind::webinar, e.webinar_id};
        else if constexpr (among(static_cast<const registration::Event*>(nullptr)))
          return {StreamKind::registration, e.registration_id};
        else if constexpr (among(static_cast<const lesson::Event*>(nullptr))) return {StreamKind::lesson, e.lesson_id};
        else if constexpr (among(static_cast<const achievement::Event*>(nullptr)))
          return {StreamKind::achievement, e.curriculum_id};
        else if constexpr (among(static_cast<const learner::Event*>(nullptr))) return {StreamKind::learner, e.learner_id};
        else if constexpr (among(static_cast<const progress::Event*>(nullptr))) return {StreamKind::progress, e.progress_id};
        else if constexpr (among(static_cast<const review::Event*>(nullptr))) return {StreamKind::review, e.review_id};
        else return {StreamKind::payment, e.payment_id};
      },
      event);
}

// The events of one type, in their order.
template <class E>
std::vector<E> only(const std::vector<NewEvent>& events) {
  std::vector<E> out;
  for (const auto& e : events)
    if (const auto* found = get_if<E>(&e.event)) out.push_back(*found);
  return out;
}

// ---- the world

class FixedDirectory final : public Directory {
 public:
  std::optional<std::string> fact(const StreamId& stream) const override {
    const auto found = facts.find(stream);
    return found == facts.end() ? std::nullopt : std::optional(found->second);
  }
  std::unordered_map<StreamId, std::string, StreamHash> facts;
};

// The states of one process, folded with the real `apply`; also keeps the directory.
class World final : public View {
 public:
  const VersionedState& load(const StreamId& stream) const override {
    const auto [at, added] = states_.try_emplace(stream);
    if (added) at->second.state = empty_state(stream.kind);
    return at->second;
  }
  const Directory& directory() const override { return directory_; }

  void fold(const NewEvent& e) {
    CHECK(e.stream == stream_of(e.event));
    auto& entry = const_cast<VersionedState&>(load(e.stream));
    apply(entry.state, e.event);
    ++entry.version;
    for (const StreamId& other : also_folds(e.event)) fold_also(const_cast<VersionedState&>(load(other)).state, e.event);
    if (auto fact = fact_of(entry.state)) directory_.facts[e.stream] = std::move(*fact);
    history_.push_back(e);
  }
  const std::vector<NewEvent>& history() const { return history_; }

  FixedDirectory directory_;

 private:
  mutable std::unordered_map<StreamId, VersionedState, StreamHash> states_;
  std::vector<NewEvent> history_;
};

// ---- then

// What a command led to. The checks name the line of the test that made them.
class Outcome {
 public:
  using Where = std::source_location;
  explicit Outcome(Decision decision) : decision_(std::move(decision)) {}

  // Exactly these events, in this order, each on its own stream.
  void then(const std::vector<AnyEvent>& expected, Where where = Where::current()) const {
    const ::testing::ScopedTrace trace(where.file_name(), static_cast<int>(where.line()), "then");
    ASSERT_TRUE(decision_.has_value()) << "rejected: " << said();
    const auto& events = decision_->events;
    for (std::size_t i = 0; i < std::min(events.size(), expected.size()); ++i) {
      EXPECT_EQ(type_name(events[i].event), type_name(expected[i])) << "event " << i;
      EXPECT_EQ(to_string(events[i].stream), to_string(stream_of(expected[i]))) << "event " << i;
      EXPECT_TRUE(events[i].event == expected[i]) << "event " << i << ", " << type_name(expected[i]) << ", differs in its fields";
    }
    EXPECT_EQ(events.size(), expected.size()) << said();
  }
  void then_rejected(Code code, Where where = Where::current()) const {
    const ::testing::ScopedTrace trace(where.file_name(), static_cast<int>(where.line()), "then_rejected");
    EXPECT_EQ(said(), std::string(name_of(code)));
  }
  // Accepted, because its outcome already holds.
  void then_nothing(Where where = Where::current()) const {
    const ::testing::ScopedTrace trace(where.file_name(), static_cast<int>(where.line()), "then_nothing");
    EXPECT_EQ(said(), "accepted:");
  }
  // Accepted with events; for tests that look into them. By value: a loop over `when(c).then_accepted().events` keeps it alive.
  Accepted then_accepted(Where where = Where::current()) const {
    const ::testing::ScopedTrace trace(where.file_name(), static_cast<int>(where.line()), "then_accepted");
    if (!decision_) {
      ADD_FAILURE() << "rejected: " << said();
      return {};
    }
    EXPECT_FALSE(decision_->events.empty()) << "nothing new";
    return *decision_;
  }
  const Decision& decision() const { return decision_; }

 private:
  // The rejection's code, or "accepted:" and the types of the events.
  std::string said() const {
    if (!decision_) return std::string(name_of(decision_.error().code));
    std::string out = "accepted:";
    for (const auto& e : decision_->events) out.append(" ").append(type_name(e.event));
    return out;
  }
  Decision decision_;
};

// ---- given, when

class Given : public ::testing::Test {
 public:
  World world;
  PlatformPolicy policy;
  Micros now = utc(2026, 1, 5, 8);  // A Monday.
  Actor actor = service();

  Given& given(const std::vector<AnyEvent>& events) {
    for (const auto& e : events) world.fold({stream_of(e), e});
    return *this;
  }
  Given& as(const Actor& who) {
    actor = who;
    return *this;
  }
  Given& at(Micros instant) {
    now = instant;
    return *this;
  }

  // Decides with a fresh command id, and folds what is accepted.
  Outcome when(const AnyCommand& command) { return when(command, next_command_id()); }
  Outcome when(const AnyCommand& command, const Uuid& command_id) {
    Decision decision = decide_only(command, command_id);
    const Decision again = decide_only(command, command_id);
    EXPECT_EQ(decision.has_value(), again.has_value()) << "decide is not pure";
    if (decision) {
      EXPECT_EQ(decision->events.size(), again->events.size()) << "decide is not pure";
      for (std::size_t i = 0; i < std::min(decision->events.size(), again->events.size()); ++i) {
        const auto& e = decision->events[i];
        EXPECT_TRUE(e.event == again->events[i].event && e.stream == again->events[i].stream) << "decide is not pure";
        const auto read = decode_event(type_name(e.event), encode(e.event));
        EXPECT_TRUE(read && *read == e.event) << type_name(e.event) << " changes on its way through the codec";
      }
      for (const auto& e : decision->events) world.fold(e);
    }
    return Outcome(std::move(decision));
  }
  Uuid next_command_id() { return derive_in_group("command", id_of("commands"), ++commands_, test_bucket); }

  template <class State>
  const State& state(const Uuid& id) const {
    return world.get<State>(id);
  }
  // The resource that a reply would carry.
  template <class Resource>
  Resource resource(const Subject& subject) const {
    const auto& entry = world.load(subject.stream);
    return get<Resource>(represent(entry.state, entry.version, subject.part));
  }

  static const TimeZones& zones() {
    static const TzdbTimeZones zones;  // Of the system: one for all tests, since it caches what it has parsed.
    return zones;
  }

 private:
  Decision decide_only(const AnyCommand& command, const Uuid& command_id) const {
    return decide(command, Context{now, actor, command_id, test_bucket, policy, zones()}, world);
  }
  std::uint64_t commands_ = 0;
};

}  // namespace guildhall::testing
