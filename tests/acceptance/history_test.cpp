// The checker of histories finds every kind of wrong history, and nothing in right ones.
#include "tests/acceptance/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace guildhall {
namespace {

// Of one shard, one second apart: a booking, the same key again, a refusal, a cancellation, and a booking of another client at
// the same time.
struct Example {
  std::vector<Operation> operations;
  std::vector<LoggedRecord> log;
  Rows rows;
};

constexpr const char* slot = "00000000-0000-8000-8000-00000000000a";
constexpr const char* seated = "00000000-0000-8000-8000-0000000000b1";
constexpr const char* other = "00000000-0000-8000-8000-0000000000b2";

Instant at(int seconds) { return Instant(std::chrono::seconds(1000 + seconds)); }

Answer answer(int status, const std::string& id) { return {status, std::to_string(status) + " " + id, id}; }

Operation operation(const std::string& key, const char* type, const std::string& group, int second, Answer told) {
  Operation o;
  o.key = key;
  o.type = type;
  o.group = group;
  o.command_id = command_id_of(type, key, group);
  o.invoked = o.sent = at(second);
  o.answered = at(second) + std::chrono::milliseconds(10);
  o.answers.push_back(std::move(told));
  return o;
}

class Log {
 public:
  void event(const std::string& stream, const std::string& type, const std::string& command, const std::string& booking = {},
             const std::string& its_slot = {}) {
    LoggedRecord r;
    r.sequence = records.size() + 1;
    r.epoch = 1;
    r.stream = stream;
    r.type = type;
    r.version = 1 + static_cast<std::uint64_t>(std::ranges::count(records, stream, &LoggedRecord::stream));
    r.event_id = "event " + std::to_string(r.sequence);
    r.command_id = command;
    r.booking_id = booking;
    r.slot_id = its_slot;
    records.push_back(std::move(r));
  }
  void decision(const Operation& o, const std::string& outcome) {
    event("decision/" + o.command_id, "decision.v1.DecisionMade", o.command_id);
    records.back().decided = {outcome, "client", o.type, o.answers.front().identity};
  }
  std::vector<LoggedRecord> records;
};

Example right() {
  Example e;
  e.operations = {operation("one", "booking.v1.CreateBooking", slot, 0, answer(201, seated)),
                  operation("full", "booking.v1.CreateBooking", slot, 1, answer(409, "")),
                  operation("end", "booking.v1.CancelBooking", seated, 2, answer(200, seated)),
                  operation("two", "booking.v1.CreateBooking", slot, 3, answer(201, other))};
  e.operations[0].answers.push_back(e.operations[0].answers[0]);
  Log log;
  log.event("writer/1", "decision.v1.WriterOpened", "opening");
  log.event(std::string("booking/") + seated, "booking.v1.BookingCreated", e.operations[0].command_id, seated, slot);
  log.event("calendar/1", "calendar.v1.SeatHeld", e.operations[0].command_id, seated, slot);
  log.decision(e.operations[0], "accepted");
  log.decision(e.operations[1], "rejected");
  log.event(std::string("booking/") + seated, "booking.v1.BookingCancelled", e.operations[2].command_id, seated);
  log.event("calendar/1", "calendar.v1.SeatReleased", e.operations[2].command_id, seated, slot);
  log.decision(e.operations[2], "accepted");
  log.event(std::string("booking/") + other, "booking.v1.BookingCreated", e.operations[3].command_id, other, slot);
  log.event("calendar/1", "calendar.v1.SeatHeld", e.operations[3].command_id, other, slot);
  log.decision(e.operations[3], "accepted");
  e.log = log.records;
  e.rows = fold(e.log);
  return e;
}

// As if the record had never been: what follows moves up, so that only the loss is wrong.
void drop(Example& e, std::size_t first, std::size_t count) {
  e.log.erase(e.log.begin() + static_cast<std::ptrdiff_t>(first), e.log.begin() + static_cast<std::ptrdiff_t>(first + count));
  std::map<std::string, std::uint64_t> versions;
  for (std::size_t i = 0; i < e.log.size(); ++i) {
    e.log[i].sequence = i + 1;
    e.log[i].version = ++versions[e.log[i].stream];
  }
  e.rows = fold(e.log);
}

TEST(History, finds_nothing_in_a_right_one) {
  const Example e = right();
  for (const Finding& f : check(e.operations, e.log, e.rows)) ADD_FAILURE() << name_of(f.anomaly) << ": " << f.what;
}

TEST(History, a_lost_reply_that_was_resolved_later_is_right) {
  Example e = right();
  e.operations[0].answered = at(30);
  for (const Finding& f : check(e.operations, e.log, e.rows)) ADD_FAILURE() << name_of(f.anomaly) << ": " << f.what;
}

TEST(History, finds_every_kind_of_wrong) {
  struct Case {
    const char* name;
    Anomaly anomaly;
    std::function<void(Example&)> spoil;
  };
  const Case cases[] = {
      {"an accepted command and its events are gone", Anomaly::lost, [](Example& e) { drop(e, 8, 3); }},
      {"a refusal is nowhere", Anomaly::lost, [](Example& e) { drop(e, 4, 1); }},
      {"a command without its decision", Anomaly::lost, [](Example& e) { drop(e, 10, 1); }},
      {"a command was decided twice", Anomaly::doubled,
       [](Example& e) {
         e.log.push_back(e.log.back());
         e.log.back().sequence = e.log.size();
         e.log.back().event_id = "another";
         e.log.back().version = 2;
       }},
      {"one event is there twice", Anomaly::doubled, [](Example& e) { e.log[2].event_id = e.log[1].event_id; }},
      {"a command made two bookings", Anomaly::doubled, [](Example& e) { e.log[8].command_id = e.log[1].command_id; }},
      {"a booking is there twice", Anomaly::doubled, [](Example& e) { e.log[8].booking_id = seated; }},
      {"a booking that nobody asked for", Anomaly::invented, [](Example& e) { e.operations.pop_back(); }},
      {"a decision of a command that nobody sent", Anomaly::invented,
       [](Example& e) { e.operations.erase(e.operations.begin() + 1); }},
      {"accepted, but refused in the log", Anomaly::wrong_outcome, [](Example& e) { e.log[3].decided.outcome = "rejected"; }},
      {"refused, but accepted in the log", Anomaly::wrong_outcome, [](Example& e) { e.log[4].decided.outcome = "accepted"; }},
      {"told another reply than the stored one", Anomaly::wrong_reply,
       [](Example& e) { e.log[7].decided.identity = "200 something else"; }},
      {"told another booking than was made", Anomaly::wrong_id, [](Example& e) { e.operations[3].answers[0].id = seated; }},
      {"the key gave another reply when it was sent again", Anomaly::changing_reply,
       [](Example& e) { e.operations[0].answers[1] = answer(409, ""); }},
      {"a refused command had an effect", Anomaly::effect_of_refusal,
       [](Example& e) { e.log[9].command_id = e.operations[1].command_id; }},
      {"an effect that was refused and is not decided", Anomaly::effect_of_refusal,
       [](Example& e) {
         e.log[9].command_id = e.operations[1].command_id;
         drop(e, 4, 1);
       }},
      {"accepted, and nothing happened", Anomaly::no_effect, [](Example& e) { drop(e, 5, 2); }},
      {"nobody knows the outcome", Anomaly::unresolved, [](Example& e) { e.operations[2].answers.clear(); }},
      {"answered before the other was sent, and after it in the log", Anomaly::reordered,
       [](Example& e) {
         e.operations[0].invoked = e.operations[0].sent = at(10);
         e.operations[0].answered = at(11);
       }},
      {"a sequence is missing", Anomaly::gap, [](Example& e) { e.log.erase(e.log.begin() + 4); }},
      {"a shard begins late", Anomaly::gap, [](Example& e) { e.log.erase(e.log.begin()); }},
      {"two records changed places", Anomaly::gap, [](Example& e) { std::swap(e.log[4], e.log[5]); }},
      {"a stream misses a version", Anomaly::stream_gap, [](Example& e) { e.log[5].version = 3; }},
      {"an older writer writes after a newer one", Anomaly::zombie, [](Example& e) { e.log[5].epoch = 2; }},
      {"a row is missing", Anomaly::row_missing, [](Example& e) { e.rows.bookings.erase(other); }},
      {"a row of no booking", Anomaly::row_invented,
       [](Example& e) {
         e.rows.bookings["nobody's"] = {"pending", 1};
       }},
      {"a row with another status", Anomaly::row_differs, [](Example& e) { e.rows.bookings[seated].status = "pending"; }},
      {"a row of another place in the log", Anomaly::row_differs, [](Example& e) { e.rows.bookings[seated].position = 2; }},
      {"a seat too many", Anomaly::seats_differ, [](Example& e) { e.rows.seats[slot] = 2; }},
      {"a seat of an unknown slot", Anomaly::seats_differ, [](Example& e) { e.rows.seats["nobody's"] = 1; }},
      {"a seat too few", Anomaly::seats_differ, [](Example& e) { e.rows.seats.clear(); }},
  };
  for (const Case& c : cases) {
    Example e = right();
    c.spoil(e);
    std::string found;
    bool named = false;
    for (const Finding& f : check(e.operations, e.log, e.rows)) {
      named = named || f.anomaly == c.anomaly;
      found += std::string(name_of(f.anomaly)) + " ";
    }
    EXPECT_TRUE(named) << c.name << ": wanted " << name_of(c.anomaly) << ", found " << found;
  }
}

TEST(History, reads_records_as_log_show_prints_them) {
  const LoggedRecord r = parse_record(boost::json::parse(R"({"shard":2,"sequence":7,"time":"2026-01-01T00:00:00Z",
      "stream":"decision/00000000-0000-8000-8000-000000000001","version":1,"type":"decision.v1.DecisionMade",
      "event_id":"00000000-0000-8000-8000-000000000002","command_id":"00000000-0000-8000-8000-000000000001",
      "command_type":"booking.v1.CreateBooking","actor":"service","epoch":3,"chain":"ab",
      "data":{"outcome":"rejected","source":"client","command_type":"booking.v1.CreateBooking","status":409,
      "content_type":"application/problem+json","body":"{}"}})")
                                          .as_object());
  EXPECT_EQ(r.shard, 2U);
  EXPECT_EQ(r.sequence, 7U);
  EXPECT_EQ(r.epoch, 3U);
  EXPECT_EQ(r.decided.outcome, "rejected");
  EXPECT_EQ(r.decided.identity, (Reply{409, {{"content-type", "application/problem+json"}}, "{}"}.identity()));
}

}  // namespace
}  // namespace guildhall
