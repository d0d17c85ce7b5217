// Compares the money that the log says moved through payment processors with what these say: two lists of movements, matched by
// processor, type and the processor's own id.
//
// A movement is read off an event's transfers, whatever event carries them: what faces `processor` says which type it is. Its
// amount is before the fees, which are those that `fees` got of a charge, and `costs` gave for a dispute.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "events/catalogue.h"
#include "events/record.h"

namespace guildhall {

struct Movement {
  std::string processor;  // "stripe", "paypal".
  std::string type;  // "charge", "refund", "refund_failed", "payout", "payout_return", "dispute", "dispute_won"; else "other".
  std::string external_id;
  std::int64_t amount_cents = 0;
  std::int64_t fee_cents = 0;
  std::string currency;
  Micros time = 0;
  friend bool operator==(const Movement&, const Movement&) = default;
};

// What an event moved, by the processors' ids. A payout that comes back and a refund that fails afterwards have the id that
// they were made with. Where no event has one: our own, of the refund, payment or payout.
class ProcessorMovements {
 public:
  // Of one shard, in order; shards may follow each other in any.
  std::vector<Movement> of(const RecordHeader& at, const AnyEvent& event);

 private:
  std::unordered_map<Uuid, std::string, UuidHash> made_;  // Refunds and payouts, by our ids; the processors' ids of them.
};

struct Period {
  Micros since = std::numeric_limits<Micros>::min();
  Micros until = std::numeric_limits<Micros>::max();  // Not in it.
  bool has(Micros time) const { return since <= time && time < until; }
};

struct Mismatch {
  std::optional<Movement> in_log;   // Absent: only the processor knows of it.
  std::optional<Movement> in_file;  // Absent: only the log does. Both: they differ.
  // Of both: amount_cents, fee_cents, currency.
  std::vector<std::string_view> fields;
};

struct Reconciliation {
  std::vector<Mismatch> mismatches;  // By time.
  std::size_t agreeing = 0;          // Pairs.
};

// Judges what lies in the period; counterparts are looked for in all that is given, so both lists should reach beyond it as far
// as the two may tell different times of one movement. The same movement told twice is one too many.
Reconciliation reconcile(const std::vector<Movement>& log, const std::vector<Movement>& file, const Period& period);

}  // namespace guildhall
