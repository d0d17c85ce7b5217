// What a payment processor says that it moved, as the CSV that operators make of its reports: the sandbox writes it, and
// `guildhall money reconcile` compares it with the log. Columns, in this order and by these names in the first line:
//   processor, external_id, type, amount_cents, fee_cents, currency, time
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "events/clock.h"

namespace guildhall {

struct ExportRow {
  std::string processor;          // "stripe", "paypal".
  std::string external_id;        // The processor's name for the movement.
  std::string type;               // "charge", "refund", "payout", "payout_return", "dispute", "dispute_won", …
  std::int64_t amount_cents = 0;  // ≥ 0 before fees; the type gives the direction.
  std::int64_t fee_cents = 0;     // ≥ 0, kept by the processor.
  std::string currency;           // ISO 4217.
  Micros time = 0;
  friend bool operator==(const ExportRow&, const ExportRow&) = default;
};

// The text is no such export; `what()` begins with the line.
class ExportError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::string export_header();  // With its line end; so has a line.
std::string export_line(const ExportRow& row);
// Throws ExportError for the first thing that is not as above: nothing is skipped, corrected or guessed.
std::vector<ExportRow> parse_export(std::string_view text);

}  // namespace guildhall
