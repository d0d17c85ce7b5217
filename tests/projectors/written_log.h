// A log in memory with events in it, as aggregates would have written them.
#pragma once

#include <map>

#include "events/check.h"
#include "events/codec.h"
#include "infra/memory_log.h"

namespace guildhall {

inline Uuid test_id(std::uint64_t n) { return Uuid(0x1111111111118000ULL, 0x8000000000000000ULL | n); }

class WrittenLog {
 public:
  explicit WrittenLog(std::uint32_t shards = 2, std::string platform = "tutoring")
      : log(platform, Uuid(7, 7), shards), platform_(std::move(platform)) {
    for (ShardNo shard = 0; shard < shards; ++shard) {
      writers_.push_back(log.open(shard));
      ends_.push_back({});
    }
  }

  // One batch with these events, in streams of their own aggregate; a decision record closes it, as it does every command's
  // batch.
  void append(ShardNo shard, const std::vector<std::pair<StreamId, AnyEvent>>& events) {
    BatchBuilder builder;
    for (const auto& [stream, event] : events) add(builder, shard, stream, type_name(event), encode(event));
    add(builder, shard, {StreamKind::decision, test_id(1)}, "decision.v1.DecisionMade", "");
    Batch batch = builder.close(ends_[shard].sequence, ends_[shard].head);
    ends_[shard] = {batch.last(), batch.head};
    writers_[shard]->submit(std::move(batch), [](AppendOutcome outcome) { CHECK(outcome == AppendOutcome::committed); });
  }
  // A record that no version of ours wrote.
  void append_raw(ShardNo shard, StreamId stream, std::string_view type, std::string payload) {
    BatchBuilder builder;
    add(builder, shard, stream, type, std::move(payload));
    Batch batch = builder.close(ends_[shard].sequence, ends_[shard].head);
    ends_[shard] = {batch.last(), batch.head};
    writers_[shard]->submit(std::move(batch), [](AppendOutcome outcome) { CHECK(outcome == AppendOutcome::committed); });
  }

  Sequence end(ShardNo shard) const { return ends_[shard].sequence; }

  MemoryLog log;
  Micros now = 1'700'000'000'000'000;  // Of the next record; each takes a second.

 private:
  void add(BatchBuilder& builder, ShardNo shard, StreamId stream, std::string_view type, const std::string& payload) {
    RecordHeader h;
    h.platform = platform_;
    h.log_id = log.identity().log_id;
    h.shard = shard;
    h.epoch = writers_[shard]->epoch();
    h.stream = stream;
    h.stream_version = ++versions_[to_string(stream)];
    h.event_id = test_id(static_cast<std::uint64_t>(now));
    h.type = type;
    h.time = now;
    now += second_us;
    builder.add(h, payload);
  }

  const std::string platform_;
  std::vector<std::unique_ptr<LogWriter>> writers_;
  std::vector<LogEnd> ends_;
  std::map<std::string, std::uint64_t> versions_;
};

// A marketplace in events: accounts, an expert's session with slots, and bookings with their payments.
class Marketplace {
 public:
  explicit Marketplace(WrittenLog& log, ShardNo shard = 0) : log_(log), shard_(shard) {}

  void register_account(const Uuid& id, std::string name, ::account::v1::Role role = ::account::v1::Role::learner) {
    account::AccountRegistered e;
    e.account_id = id;
    e.email = "someone@example.org";
    e.display_name = std::move(name);
    e.timezone = "Europe/Copenhagen";
    e.role = role;
    log_.append(shard_, {{account_stream(id), e}});
  }
  void rename(const Uuid& id, std::string name) {
    account::AccountUpdated e;
    e.account_id = id;
    e.display_name = std::move(name);
    e.timezone = "Europe/Copenhagen";
    log_.append(shard_, {{account_stream(id), e}});
  }
  void make_expert(const Uuid& id, std::string bio) {
    account::ExpertProfileCreated created;
    created.account_id = id;
    created.currency = "DKK";
    account::ExpertProfileUpdated updated;
    updated.account_id = id;
    updated.bio = std::move(bio);
    updated.currency = "DKK";
    updated.expertise_areas = {"C++", "event \"sourcing\", logs", ""};
    updated.hourly_rate_cents = 60'000;
    log_.append(shard_, {{account_stream(id), created}, {account_stream(id), updated}});
  }
  void make_learner(const Uuid& id) {
    account::LearnerProfileCreated created;
    created.account_id = id;
    account::LearnerProfileUpdated updated;
    updated.account_id = id;
    updated.learning_goals = {"NULL", "back\\slash"};
    updated.experience_level = ::account::v1::ExperienceLevel::advanced;
    updated.preferred_session_duration = 45;
    log_.append(shard_, {{account_stream(id), created}, {account_stream(id), updated}});
  }
  void offer(const Uuid& session_id, const Uuid& expert_id, std::string title, int max_participants = 1) {
    session::SessionCreated e;
    e.session_id = session_id;
    e.expert_id = expert_id;
    e.title = std::move(title);
    e.description = "Line one\nline\ttwo";
    e.duration_minutes = 60;
    e.price_cents = 50'000;
    e.currency = "DKK";
    e.topic_tags = {"python", "basics"};
    e.max_participants = max_participants;
    log_.append(shard_, {{{StreamKind::session, session_id}, e}});
  }
  void add_window(const Uuid& window_id, const Uuid& expert_id) {
    schedule::WindowAdded e;
    e.window_id = window_id;
    e.expert_id = expert_id;
    e.day_of_week = 1;
    e.start_time = 9 * 60;
    e.end_time = 24 * 60;
    e.timezone = "Europe/Copenhagen";
    log_.append(shard_, {{{StreamKind::schedule, expert_id}, e}});
  }
  void generate_slots(const Uuid& expert_id, const Uuid& session_id, const Uuid& window_id, const std::vector<Uuid>& slots,
                      int max = 1) {
    calendar::SlotsGenerated e;
    e.expert_id = expert_id;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const Micros start = log_.now + day_us + static_cast<Micros>(i) * hour_us;
      e.added.emplace_back(slots[i], session_id, window_id, start, start + hour_us, max, false);
    }
    log_.append(shard_, {{{StreamKind::calendar, expert_id}, e}});
  }
  void remove_slot(const Uuid& expert_id, const Uuid& slot_id) {
    calendar::SlotsGenerated e;
    e.expert_id = expert_id;
    e.removed.push_back(slot_id);
    log_.append(shard_, {{{StreamKind::calendar, expert_id}, e}});
  }
  struct Booking {
    Uuid id;
    Uuid learner;
    Uuid expert;
    Uuid session;
    Uuid slot;
    Uuid payment;
  };
  // Seat, booking and payment are one decision.
  void book(const Booking& b, int taken = 1, int max = 1) {
    calendar::SeatHeld held;
    held.expert_id = b.expert;
    held.slot_id = b.slot;
    held.booking_id = b.id;
    held.learner_id = b.learner;
    held.changed.emplace_back(b.slot, taken, max, false, false);
    booking::BookingCreated created;
    created.booking_id = b.id;
    created.learner_id = b.learner;
    created.expert_id = b.expert;
    created.session_id = b.session;
    created.slot_id = b.slot;
    created.payment_id = b.payment;
    created.start_at = log_.now + day_us;
    created.end_at = created.start_at + hour_us;
    created.amount_cents = 50'000;
    created.currency = "DKK";
    created.notes = "Looking forward";
    std::vector<std::pair<StreamId, AnyEvent>> events{{{StreamKind::calendar, b.expert}, held}, {booking_stream(b.id), created}};
    if (!is_nil(b.payment)) {
      payment::PaymentInitiated initiated;
      initiated.payment_id = b.payment;
      initiated.subject_id = initiated.related_id = b.id;
      initiated.payer_id = b.learner;
      initiated.payee_id = b.expert;
      initiated.amount_cents = 50'000;
      initiated.currency = "DKK";
      events.emplace_back(StreamId{StreamKind::payment, b.payment}, initiated);
    }
    log_.append(shard_, events);
  }
  template <class E>
  void on_booking(const Uuid& id, E e) {
    e.booking_id = id;
    log_.append(shard_, {{booking_stream(id), e}});
  }
  template <class E>
  void on_payment(const Uuid& id, E e) {
    e.payment_id = id;
    log_.append(shard_, {{{StreamKind::payment, id}, e}});
  }
  void authorize(const Uuid& payment_id) {
    payment::PaymentAuthorized e;
    e.external_id = "pi_123";
    on_payment(payment_id, e);
  }
  void capture(const Uuid& payment_id, std::int64_t cents) {
    payment::PaymentCaptured e;
    e.amount_cents = cents;
    on_payment(payment_id, e);
  }
  void refund(const Uuid& payment_id, std::int64_t cents) {
    payment::PaymentRefunded e;
    e.amount_cents = cents;
    on_payment(payment_id, e);
  }

  static StreamId account_stream(const Uuid& id) { return {StreamKind::account, id}; }
  static StreamId booking_stream(const Uuid& id) { return {StreamKind::booking, id}; }

 private:
  WrittenLog& log_;
  ShardNo shard_;
};

// Two learners, an expert with a session, a window and three slots; one booking that was captured and partly refunded, one
// expired, one free of charge that was completed; a slot that came and went.
inline constexpr std::uint64_t ann = 0xa1, bob = 0xb1, eve = 0xe1, expert_xi = 0xf1, session_cpp = 0x51, window_mon = 0x61,
                               slot_1 = 0x71, slot_2 = 0x72, slot_3 = 0x73, slot_4 = 0x74, booking_1 = 0x81, booking_2 = 0x82,
                               booking_3 = 0x83, payment_1 = 0x91, payment_2 = 0x92;

inline void write_marketplace(WrittenLog& log, ShardNo shard = 0) {
  Marketplace m(log, shard);
  m.register_account(test_id(ann), "Ann");
  m.register_account(test_id(bob), "Bob");
  m.register_account(test_id(eve), "Eve");
  m.register_account(test_id(expert_xi), "Xi", ::account::v1::Role::expert);
  m.make_expert(test_id(expert_xi), "Twenty years of it");
  m.make_learner(test_id(ann));
  m.make_learner(test_id(bob));
  m.offer(test_id(session_cpp), test_id(expert_xi), "C++ basics");
  m.add_window(test_id(window_mon), test_id(expert_xi));
  m.generate_slots(test_id(expert_xi), test_id(session_cpp), test_id(window_mon),
                   {test_id(slot_1), test_id(slot_2), test_id(slot_3), test_id(slot_4)});
  m.remove_slot(test_id(expert_xi), test_id(slot_4));
  m.book({test_id(booking_1), test_id(ann), test_id(expert_xi), test_id(session_cpp), test_id(slot_1), test_id(payment_1)});
  m.authorize(test_id(payment_1));
  m.on_booking(test_id(booking_1), booking::BookingConfirmed{});
  m.capture(test_id(payment_1), 50'000);
  m.refund(test_id(payment_1), 20'000);
  m.book({test_id(booking_2), test_id(bob), test_id(expert_xi), test_id(session_cpp), test_id(slot_2), test_id(payment_2)});
  m.on_booking(test_id(booking_2), booking::BookingExpired{});
  m.on_payment(test_id(payment_2), payment::PaymentCancelled{});
  m.book({test_id(booking_3), test_id(bob), test_id(expert_xi), test_id(session_cpp), test_id(slot_2), Uuid{}});
  m.on_booking(test_id(booking_3), booking::BookingConfirmed{});
  m.on_booking(test_id(booking_3), booking::BookingCompleted{});
}

}  // namespace guildhall
