// A process of shards over the in-memory log and stores, driven by hand, and a small marketplace in it.
#pragma once

#include "aggregates/shard/shard.h"

#include <gtest/gtest.h>

#include <map>

#include "aggregates/calendar.h"
#include "events/codec.h"
#include "infra/memory_log.h"
#include "infra/memory_state_store.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {

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

inline constexpr std::uint32_t shard_count = 2;

// All shards of one process, driven by hand; one that is closed may be opened again.
struct Process {
  using Adjust = std::function<void(ShardEnvironment&)>;
  using Opened = std::function<void(Shard&)>;

  Process(EventLog& log, std::vector<MemoryStateStore>& stores, SetClock& clock, Adjust adjust = {}, Opened opened = {})
      : log_(log), stores_(stores), clock_(clock), adjust_(std::move(adjust)), opened_(std::move(opened)) {
    shards.resize(shard_count);
    for (ShardNo n = 0; n < shard_count; ++n) open(n);
    pump();
  }

  void open(ShardNo n) {
    shards[n] = std::make_unique<Shard>(n, environment(n));
    if (opened_) opened_(*shards[n]);
  }
  void close(ShardNo n) { shards[n].reset(); }

  ShardEnvironment environment(ShardNo n) {
    ShardEnvironment env{log_,
                         stores_[n],
                         clock_,
                         format,
                         policy,
                         zones,
                         directory,
                         "test",
                         [this](ShardNo target, InboxEntry entry) {
                           if (shards[target]) shards[target]->deliver(std::move(entry));
                         },
                         [this](ShardNo source) { return shards[source] ? shards[source]->delivered() : 0; },
                         [this](const Effect& e, bool wanted) {
                           if (wanted) effects[e.id] = e;
                           else effects.erase(e.id);
                         },
                         [this](ShardEnd how, const std::string& why) {
                           end = how;
                           failure = why;
                         }};
    if (adjust_) adjust_(env);
    return env;
  }

  void pump() {
    for (bool worked = true; worked;) {
      worked = false;
      for (auto& s : shards) worked = (s && s->pump()) || worked;
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

  EventLog& log_;
  std::vector<MemoryStateStore>& stores_;
  SetClock& clock_;
  const Adjust adjust_;
  const Opened opened_;
  PlainReplies format;
  PlatformPolicy policy;
  TzdbTimeZones zones;
  ProcessDirectory directory;
  std::map<Uuid, Effect, UuidLess> effects;
  std::string failure;
  std::optional<ShardEnd> end;
  std::vector<std::unique_ptr<Shard>> shards;
};

class ShardTest : public ::testing::Test {
 public:
  MemoryLog log{"tutoring", id_of("log"), shard_count};
  std::vector<MemoryStateStore> stores = std::vector<MemoryStateStore>(shard_count);
  SetClock clock;
  std::unique_ptr<Process> process = std::make_unique<Process>(log, stores, clock);

  // Of every shard's environment that is opened from here on.
  Process::Adjust adjust;
  void restart() {
    process.reset();
    process = std::make_unique<Process>(log, stores, clock, adjust);
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

}  // namespace guildhall::testing
