// What clients sent and were told, the whole log, and the rows, compared with each other after a run with faults
// (reliability.md §15, H3): every accepted command is there once with the ids of its reply, none is invented, no order is
// broken, a refusal has no effect, every unknown outcome is resolved, a key always has one reply, and the rows are the fold of
// the log.
//
// The log gives the order, so that no search for one is needed: a command's place is the sequence of its decision.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "tests/acceptance/server.h"

namespace guildhall {

using Instant = std::chrono::steady_clock::time_point;

// A definite reply, as far as it must be the same whenever the key is sent.
struct Answer {
  explicit Answer(const Reply& reply);
  Answer(int its_status, std::string its_identity, std::string its_id)
      : status(its_status), identity(std::move(its_identity)), id(std::move(its_id)) {}

  bool accepted() const { return status / 100 == 2; }

  int status = 0;
  std::string identity;  // See Reply::identity().
  std::string id;        // Of the resource that it shows; empty: none.
};

// One command of a client: invoked, then ok or fail (answers), or info (none).
struct Operation {
  std::string key;
  std::string type;  // Of the command.
  std::string target;
  std::string body;
  std::string group;       // The id whose bucket says the shard: of the slot, or of the booking.
  std::string command_id;  // What key and group make of it.
  std::uint32_t shard = 0;
  Instant invoked;
  Instant sent;                 // The attempt that was answered first.
  Instant answered;             // That answer.
  std::vector<Answer> answers;  // The first, and those that the key gave when it was sent again.

  bool accepted() const { return !answers.empty() && answers.front().accepted(); }
};

// What a command of the service role is called in the log, however often and wherever it is sent.
std::string command_id_of(std::string_view type, std::string_view key, std::string_view group);
std::uint32_t shard_of_text(std::string_view id, std::uint32_t shards);

struct Decided {
  std::string outcome;   // accepted, nothing_new or rejected
  std::string source;    // client, timer, inbox or effect
  std::string type;      // Of the command.
  std::string identity;  // Of the stored reply, as Answer has it.
};

struct LoggedRecord {
  std::uint32_t shard = 0;
  std::uint64_t sequence = 0;
  std::uint64_t epoch = 0;
  std::uint64_t version = 0;
  std::string stream;
  std::string type;
  std::string event_id;
  std::string command_id;
  std::string booking_id;  // Of events that name one.
  std::string slot_id;     // The same.
  Decided decided;         // Of a decision record.
};
// A line of `log show --show-pii`.
LoggedRecord parse_record(const boost::json::object& line);

struct BookingRow {
  std::string status;
  std::uint64_t position = 0;  // Of the booking's last event: shard << 48 | sequence.
  friend bool operator==(const BookingRow&, const BookingRow&) = default;
};
struct Rows {
  std::map<std::string, BookingRow> bookings;
  std::map<std::string, int> seats;  // By slot, of those with a seat that is taken.
};
Rows rows_of(const Server& server);
Rows fold(const std::vector<LoggedRecord>& log);

enum class Anomaly : std::uint8_t {
  lost,            // Told, and not in the log.
  doubled,         // Two decisions of a command, or an event or a booking twice.
  invented,        // Nobody sent it.
  wrong_outcome,   // Told as accepted and decided as refused, or the reverse.
  wrong_reply,     // Told otherwise than the log's stored reply.
  wrong_id,        // The reply names a booking that the command did not make.
  changing_reply,  // The key sent again gave another one.
  effect_of_refusal,
  no_effect,   // Accepted, and nothing happened.
  unresolved,  // Nobody knows what became of it.
  reordered,   // Answered before another one was sent, but after it in the log.
  gap,         // A shard's sequences are not dense.
  stream_gap,  // A stream's versions are not.
  zombie,      // A record of an older writer after one of a newer.
  row_missing,
  row_invented,
  row_differs,
  seats_differ,
};
std::string_view name_of(Anomaly anomaly);

struct Finding {
  Anomaly anomaly;
  std::string what;
};
// In any order of the operations; `log` shard by shard, each as its reader gave it.
std::vector<Finding> check(const std::vector<Operation>& operations, const std::vector<LoggedRecord>& log, const Rows& rows);

}  // namespace guildhall
