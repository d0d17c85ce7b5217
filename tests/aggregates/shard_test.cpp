// The shard over the in-memory log and store: one effect and one reply a command, batches, failures of the log, timers, reactions
// between shards, and states that are the fold of the log byte for byte.
#include "aggregates/shard/shard.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "aggregates/calendar.h"
#include "events/codec.h"
#include "infra/memory_log.h"
#include "infra/memory_state_store.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {
namespace {

class SetClock final : public Clock {
 public:
  Micros now() const override { return at; }
  Micros at = utc(2026, 1, 5, 8);  // A Monday.
};

class PlainReplies final : public ReplyFormat {
 public:
  Reply accepted(const AnyResource& resource, std::uint64_t version, bool created) const override {
    return {static_cast<std::uint16_t>(created ? 201 : 200), std::to_string(version), {}, "bytes", encode(resource)};
  }
  Reply rejected(const Rejection& rejection, const Uuid&) const override {
    return {409, {}, {}, "code", std::string(name_of(rejection.code))};
  }
  Reply key_reused(const Uuid&) const override { return {422, {}, {}, "code", "idempotency_key_reused"}; }
};

constexpr std::uint32_t shard_count = 2;

// All shards of one process, driven by hand.
struct Process {
  Process(MemoryLog& log, std::vector<MemoryStateStore>& stores, SetClock& clock) : log_(log) {
    for (ShardNo n = 0; n < shard_count; ++n) {
      ShardEnvironment env{log,
                           stores[n],
                           clock,
                           format,
                           policy,
                           zones,
                           directory,
                           "test",
                           [this](ShardNo target, InboxEntry entry) { shards[target]->deliver(std::move(entry)); },
                           [this](ShardNo source) { return source < shards.size() ? shards[source]->delivered() : 0; },
                           [this](const Effect& e, bool wanted) {
                             if (wanted) effects[e.id] = e;
                             else effects.erase(e.id);
                           },
                           [this](const std::string& why) { failure = why; }};
      shards.push_back(std::make_unique<Shard>(n, std::move(env)));
    }
    pump();
  }

  void pump() {
    for (bool worked = true; worked;) {
      worked = false;
      for (auto& s : shards) worked = s->pump() || worked;
    }
  }

  CommandRequest request(const AnyCommand& command, const Uuid& id, const Actor& actor = service()) const {
    CommandRequest r;
    r.command_id = id;
    r.type = type_name(command);
    r.payload = encode(command);
    r.fingerprint = sha256(r.payload);
    r.actor_kind = actor.kind;
    r.actor_id = actor.account;
    return r;
  }
  // The result arrives in `out` once it is durable.
  void send(const AnyCommand& command, const Uuid& id, std::optional<CommandResult>& out, const Actor& actor = service()) {
    send(request(command, id, actor), out);
  }
  void send(CommandRequest r, std::optional<CommandResult>& out) {
    const ShardNo n = shard_of(r.command_id, shard_count);
    CommandDone done = [&out](CommandResult result) { out = std::move(result); };
    ASSERT_TRUE(shards[n]->submit(r, done));
  }
  CommandResult call(const AnyCommand& command, const Uuid& id, const Actor& actor = service()) {
    std::optional<CommandResult> out;
    send(command, id, out, actor);
    pump();
    EXPECT_TRUE(out.has_value());
    return out.value_or(CommandResult{});
  }

  MemoryLog& log_;
  PlainReplies format;
  PlatformPolicy policy;
  TzdbTimeZones zones;
  AccountDirectory directory;
  std::map<Uuid, Effect, UuidLess> effects;
  std::string failure;
  std::vector<std::unique_ptr<Shard>> shards;
};

class ShardTest : public ::testing::Test {
 public:
  MemoryLog log{"tutoring", id_of("log"), shard_count};
  std::vector<MemoryStateStore> stores = std::vector<MemoryStateStore>(shard_count);
  SetClock clock;
  std::unique_ptr<Process> process = std::make_unique<Process>(log, stores, clock);

  void restart() {
    process.reset();
    process = std::make_unique<Process>(log, stores, clock);
  }

  std::uint64_t next = 0;
  Uuid command_id(const Uuid& group) { return derive_in_group("test command", id_of("n"), ++next, bucket_of(group)); }

  account::RegisterAccount registration(const Uuid& id, ::account::v1::Role role, const std::string& name = "Somebody") {
    account::RegisterAccount c;
    c.id = id;
    c.email = name + "@example.org";
    c.display_name = name;
    c.role = role;
    c.timezone = "UTC";
    return c;
  }
  // An expert with a session, a Monday window and its slots.
  struct Offer {
    Uuid expert;
    Uuid session;
    std::vector<Uuid> slots;
  };
  Offer offer(const std::string& name, std::int32_t seats = 1, std::int64_t price_cents = 50'000) {
    Offer o{id_of(name, test_bucket), {}, {}};
    process->call(registration(o.expert, ::account::v1::Role::expert, name), command_id(o.expert));
    session::CreateSession s;
    s.expert_id = o.expert;
    s.title = "Python";
    s.duration_minutes = 60;
    s.price_cents = price_cents;
    s.max_participants = seats;
    const Uuid session_command = command_id(o.expert);
    process->call(s, session_command);
    o.session = derive_in_group("session", session_command, 0, test_bucket);
    schedule::AddWindow w;
    w.expert_id = o.expert;
    w.day_of_week = 1;
    w.start_time = 9 * 60;
    w.end_time = 17 * 60;
    w.timezone = "UTC";
    process->call(w, command_id(o.expert));
    for (int hour = 9; hour < 17; ++hour) o.slots.push_back(slot_id_of(o.expert, o.session, utc(2026, 1, 12, hour)));
    return o;
  }
  Uuid learner(const std::string& name) {
    const Uuid id = id_of(name, 0xd01);
    process->call(registration(id, ::account::v1::Role::learner, name), command_id(id));
    return id;
  }
  booking::CreateBooking booking(const Uuid& slot, const Uuid& learner_id, const std::string& notes = "hi") {
    booking::CreateBooking c;
    c.slot_id = slot;
    c.learner_id = learner_id;
    c.notes = notes;
    return c;
  }

  // What replays must reproduce; not the hint how far inboxes were searched.
  static std::map<std::string, std::string> dump(const StateStore& store) {
    std::map<std::string, std::string> out;
    store.scan({}, {}, [&](std::string_view key, std::string_view value) {
      if (key[0] != keys::searched_prefix) out.emplace(key, value);
      return true;
    });
    return out;
  }
  // The states after replay from nothing.
  std::vector<std::map<std::string, std::string>> replayed() {
    std::vector<std::map<std::string, std::string>> out;
    for (ShardNo n = 0; n < shard_count; ++n) {
      Position position;
      MemoryStateStore store;
      std::map<StreamId, StatePtr, decltype([](const StreamId& a, const StreamId& b) { return to_string(a) < to_string(b); })>
          states;
      const auto reader = log.read(n, 1);
      while (const Record* r = reader->next()) {
        Changes changes([&](const StreamId& s) { return states.contains(s) ? states.at(s) : nullptr; });
        changes.fold_record(*r);
        position = {r->header.sequence, r->chain, std::max(position.clock, r->header.time)};
        store.write(changes.writes(position));
        for (const auto& [stream, state] : changes.states()) states[stream] = state;
      }
      out.push_back(dump(store));
    }
    return out;
  }
  std::size_t count(std::string_view type) {
    std::size_t n = 0;
    for (ShardNo shard = 0; shard < shard_count; ++shard) {
      const auto reader = log.read(shard, 1);
      while (const Record* r = reader->next()) n += r->header.type == type;
    }
    return n;
  }
};

TEST_F(ShardTest, seat_booking_and_payment_are_one_batch) {  // TU-40, A-TU-12
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  const auto id = command_id(o.expert);
  EXPECT_EQ(process->call(booking(o.slots[0], lars), id).reply.status, 201);
  const auto reader = log.read(shard_of(id, shard_count), 1);
  std::vector<std::string> types;
  std::uint32_t batch_size = 0;
  while (const Record* r = reader->next())
    if (r->header.command_id == id) {
      types.emplace_back(r->header.type);
      batch_size = r->header.batch_size;
    }
  EXPECT_EQ(types, (std::vector<std::string>{"booking.v1.BookingCreated", "session.v1.SessionFirstBooked", "calendar.v1.SeatHeld",
                                             "payment.v1.PaymentInitiated", "decision.v1.DecisionMade"}));
  EXPECT_EQ(batch_size, types.size());
}

TEST_F(ShardTest, a_repeat_gets_the_first_reply_also_after_a_restart) {  // I3
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  const auto id = command_id(o.expert);
  const auto first = process->call(booking(o.slots[0], lars), id);
  const auto again = process->call(booking(o.slots[0], lars), id);
  EXPECT_EQ(again.reply, first.reply);
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.sequence, first.sequence);
  EXPECT_EQ(process->call(booking(o.slots[0], lars, "other notes"), id).reply.status, 422);
  restart();
  EXPECT_EQ(process->call(booking(o.slots[0], lars), id).reply, first.reply);
  EXPECT_EQ(count("booking.v1.BookingCreated"), 1u);
}

TEST_F(ShardTest, a_repeat_while_the_first_is_under_way_joins_it) {  // I3
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  const auto id = command_id(o.expert);
  log.hold();
  std::optional<CommandResult> first, second, third;
  process->send(booking(o.slots[0], lars), id, first);
  process->pump();
  process->send(booking(o.slots[0], lars), id, second);
  process->send(booking(o.slots[0], lars, "other"), id, third);
  process->pump();
  EXPECT_FALSE(first || second) << "told before it was durable";
  EXPECT_EQ(third.value().reply.status, 422);
  log.release();
  process->pump();
  EXPECT_EQ(first.value().reply, second.value().reply);
  EXPECT_EQ(first->sequence, second->sequence);
  EXPECT_EQ(count("booking.v1.BookingCreated"), 1u);
}

TEST_F(ShardTest, refusals_are_durable_before_they_are_told_too) {
  const auto o = offer("eva");
  log.hold();
  std::optional<CommandResult> refused;
  process->send(booking(o.slots[0], id_of("nobody", 0xd01)), command_id(o.expert), refused);
  process->pump();
  EXPECT_FALSE(refused);
  log.release();
  process->pump();
  EXPECT_EQ(refused.value().reply.body, "learner_not_found");
}

TEST_F(ShardTest, commands_are_decided_over_what_is_not_yet_durable) {  // TU-27
  const auto o = offer("eva");
  const Uuid lars = learner("lars"), mia = learner("mia");
  log.hold();
  std::optional<CommandResult> first, second;
  process->send(booking(o.slots[0], lars), command_id(o.expert), first);
  process->pump();
  process->send(booking(o.slots[0], mia), command_id(o.expert), second);
  process->pump();
  log.release();
  process->pump();
  EXPECT_EQ(first.value().reply.status, 201);
  EXPECT_EQ(second.value().reply.body, "slot_full");
}

TEST_F(ShardTest, an_aborted_batch_is_decided_again_in_order) {
  const auto o = offer("eva");
  const Uuid lars = learner("lars"), mia = learner("mia");
  log.hold();
  std::optional<CommandResult> first, second;
  process->send(booking(o.slots[0], lars), command_id(o.expert), first);
  process->pump();
  process->send(booking(o.slots[0], mia), command_id(o.expert), second);
  process->pump();
  log.fail_next(AppendOutcome::aborted);
  log.release();
  process->pump();
  EXPECT_EQ(first.value().reply.status, 201);
  EXPECT_EQ(second.value().reply.body, "slot_full");
  EXPECT_EQ(count("booking.v1.BookingCreated"), 1u);
  EXPECT_TRUE(process->failure.empty());
}

// I4: an unknown outcome ends the process, and a restart tells which it was.
TEST_F(ShardTest, an_unknown_batch_ends_the_process_and_resolves_after_it) {
  for (const bool stored : {false, true}) {
    const auto o = offer(stored ? "eva" : "ida");
    const Uuid lars = learner(stored ? "lars" : "bo");
    const auto id = command_id(o.expert);
    log.fail_next(AppendOutcome::unknown, stored);
    EXPECT_EQ(process->call(booking(o.slots[0], lars), id).kind, CommandResult::Kind::unknown);
    EXPECT_FALSE(process->failure.empty());
    const std::size_t before = count("booking.v1.BookingCreated");
    restart();
    const auto again = process->call(booking(o.slots[0], lars), id);
    EXPECT_EQ(again.reply.status, 201);
    EXPECT_EQ(again.replayed, stored);
    EXPECT_EQ(count("booking.v1.BookingCreated"), before + (stored ? 0 : 1));
  }
}

TEST_F(ShardTest, a_log_that_does_not_answer_is_told_as_unknown_and_never_as_no) {
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  const auto id = command_id(o.expert);
  log.hold();
  std::optional<CommandResult> first;
  process->send(booking(o.slots[0], lars), id, first);
  process->pump();
  clock.at += ShardLimits{}.unknown_after_us + second_us;
  process->pump();
  EXPECT_EQ(first.value().kind, CommandResult::Kind::unknown);
  log.release();
  process->pump();
  const auto again = process->call(booking(o.slots[0], lars), id);
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.reply.status, 201);
}

TEST_F(ShardTest, a_full_queue_refuses_without_taking_anything) {
  auto request = process->request(registration(id_of("x"), ::account::v1::Role::learner), command_id(id_of("x")));
  Shard& shard = *process->shards[shard_of(id_of("x"), shard_count)];
  for (std::size_t i = 0; i < ShardLimits{}.queue_commands; ++i) {
    auto copy = request;
    CommandDone done = [](CommandResult) {};
    ASSERT_TRUE(shard.submit(copy, done));
  }
  bool called = false;
  CommandDone done = [&](CommandResult) { called = true; };
  EXPECT_FALSE(shard.submit(request, done));
  EXPECT_TRUE(static_cast<bool>(done));
  EXPECT_FALSE(called);
  EXPECT_FALSE(request.payload.empty());
}

TEST_F(ShardTest, a_hold_expires_once_by_its_timer_also_over_a_restart) {  // M-2, OR-2
  const auto o = offer("eva");
  const Uuid lars = learner("lars"), mia = learner("mia");
  process->policy.auto_authorize = false;
  process->call(booking(o.slots[0], lars), command_id(o.expert));
  clock.at += process->policy.hold_us - second_us;
  process->pump();
  EXPECT_EQ(count("booking.v1.BookingExpired"), 0u);
  restart();
  clock.at += 2 * second_us;
  process->pump();
  process->pump();
  EXPECT_EQ(count("booking.v1.BookingExpired"), 1u);
  EXPECT_EQ(process->call(booking(o.slots[0], mia), command_id(o.expert)).reply.status, 201);
  clock.at += hour_us;
  process->pump();
  EXPECT_EQ(count("decision.v1.InboxCommand"), 0u);
}

TEST_F(ShardTest, effects_are_wanted_until_their_outcome_also_over_a_restart) {  // I15
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  process->call(booking(o.slots[0], lars), command_id(o.expert));
  ASSERT_EQ(process->effects.size(), 1u);
  const Effect wanted = process->effects.begin()->second;
  EXPECT_EQ(wanted.call, ::payment::v1::Call::authorize);
  EXPECT_EQ(wanted.amount_cents, 50'000);
  restart();
  ASSERT_EQ(process->effects.size(), 1u);
  EXPECT_EQ(process->effects.begin()->second, wanted);
  payment::RecordAuthorized done;
  done.payment_id = wanted.payment_id;
  done.external_id = "pi_1";
  process->call(done, command_id(o.expert));
  EXPECT_TRUE(process->effects.empty());
  restart();
  EXPECT_TRUE(process->effects.empty());
}

// M-1 across shards: the registration confirms its claim exactly once, whether or not the target dies in between.
TEST_F(ShardTest, a_reaction_reaches_another_shard_exactly_once) {
  const Uuid account = id_of("anna", 0x100), claim = id_of("anna@example.org", 0xf00);
  ASSERT_NE(shard_of(account, shard_count), shard_of(claim, shard_count));
  claim::HoldClaim hold;
  hold.claim_id = claim;
  hold.kind = "email";
  hold.account_id = account;
  process->call(hold, command_id(claim));
  auto registered = registration(account, ::account::v1::Role::learner);
  registered.email_claim_id = claim;
  std::optional<CommandResult> out;
  process->send(registered, command_id(account), out);
  process->shards[shard_of(account, shard_count)]->pump();  // The other shard does not get to run.
  process->shards[shard_of(account, shard_count)]->pump();
  EXPECT_EQ(count("account.v1.AccountRegistered"), 1u);
  EXPECT_EQ(count("claim.v1.ClaimConfirmed"), 0u);
  for (int i = 0; i < 3; ++i) restart();
  EXPECT_EQ(count("claim.v1.ClaimConfirmed"), 1u);
  EXPECT_EQ(count("decision.v1.InboxCommand"), 1u);
}

TEST_F(ShardTest, if_match_is_checked_against_the_streams_version) {
  const auto o = offer("eva");
  session::DeactivateSession c;
  c.session_id = o.session;
  auto request = process->request(c, command_id(o.expert));
  request.expected_version = 7;
  std::optional<CommandResult> out;
  process->send(request, out);
  process->pump();
  EXPECT_EQ(out.value().reply.body, "version_conflict");
  request = process->request(c, command_id(o.expert));
  request.expected_version = 1;
  process->send(request, out);
  process->pump();
  EXPECT_EQ(out.value().reply.status, 200);
  EXPECT_EQ(out->reply.etag, "2");
}

// I9: live = replay from nothing = snapshot and tail, byte for byte, on a random history with restarts, lost snapshots and
// aborted batches.
TEST_F(ShardTest, states_are_the_fold_of_the_log) {
  const std::uint64_t seed = 20261121;
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  std::vector<Offer> offers;
  for (const char* name : {"eva", "ida", "ole"}) offers.push_back(offer(name, 1 + static_cast<std::int32_t>(pick(2))));
  std::vector<Uuid> learners;
  for (int i = 0; i < 6; ++i) learners.push_back(learner("learner " + std::to_string(i)));
  std::vector<Uuid> bookings;
  std::vector<MemoryStateStore> snapshot = stores;
  for (int step = 0; step < 1500; ++step) {
    const Offer& o = offers[pick(offers.size())];
    switch (pick(12)) {
      case 0: clock.at += static_cast<Micros>(pick(40)) * minute_us; break;
      case 1:
        if (pick(10) == 0) snapshot = stores;
        break;
      case 2:
        if (pick(20) == 0) {
          stores = snapshot;  // The process died: only what was flushed is left.
          restart();
        }
        break;
      case 3: log.fail_next(AppendOutcome::aborted); break;
      case 4:
        if (!process->effects.empty()) {
          const Effect e = process->effects.begin()->second;
          payment::RecordAuthorized done;
          done.payment_id = e.payment_id;
          done.external_id = "pi";
          payment::RecordFailed failed;
          failed.payment_id = e.payment_id;
          failed.reason = "declined";
          if (pick(4) != 0) process->call(done, command_id(e.payment_id));
          else process->call(failed, command_id(e.payment_id));
        }
        break;
      case 5:
      case 6:
        if (!bookings.empty()) {
          booking::ConfirmBooking confirm;
          confirm.booking_id = bookings[pick(bookings.size())];
          booking::CancelBooking cancel;
          cancel.booking_id = confirm.booking_id;
          if (pick(2) == 0) process->call(confirm, command_id(confirm.booking_id));
          else process->call(cancel, command_id(cancel.booking_id));
        }
        break;
      default: {
        const Uuid id = command_id(o.expert);
        const auto result = process->call(booking(o.slots[pick(o.slots.size())], learners[pick(learners.size())]), id);
        if (result.reply.status == 201) bookings.push_back(derive_in_group("booking", id, 0, bucket_of(id)));
      }
    }
    process->pump();
  }
  EXPECT_GT(bookings.size(), 50u);
  EXPECT_TRUE(process->failure.empty()) << process->failure;
  process.reset();
  const auto from_nothing = replayed();
  for (ShardNo n = 0; n < shard_count; ++n) {
    EXPECT_EQ(dump(stores[n]), from_nothing[n]) << "live differs from replay, shard " << n;
  }
  stores = snapshot;
  process = std::make_unique<Process>(log, stores, clock);
  // The restart appended its epoch records; fold again.
  const auto with_epochs = replayed();
  for (ShardNo n = 0; n < shard_count; ++n) EXPECT_EQ(dump(stores[n]), with_epochs[n]) << "snapshot + tail differs, shard " << n;
}

}  // namespace
}  // namespace guildhall::testing
