// Every reason to say no, once: the code clients branch on, its HTTP meaning, the rule it comes from and what to say.
// C++, OpenAPI and the error documents are made from this table.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace guildhall {

enum class Kind : std::uint8_t { invalid, forbidden, not_found, conflict, precondition };

enum class Code : std::uint8_t {
  account_banned,
  account_not_found,
  admin_only,
  already_booked,
  already_registered,
  amount_exceeds_captured,
  booking_not_cancellable,
  booking_not_confirmed,
  booking_not_found,
  booking_not_over,
  booking_not_pending,
  booking_started,
  claim_abandoned,
  currency_immutable,
  currency_not_supported,
  duration_not_multiple,
  email_taken,
  expert_not_accepting,
  expert_not_found,
  expert_only,
  insufficient_balance,
  learner_not_found,
  own_session,
  payment_not_authorized,
  payment_not_captured,
  payment_not_found,
  payout_below_minimum,
  payout_method_missing,
  payout_not_completed,
  payout_not_found,
  payout_not_pending,
  payout_not_processing,
  payouts_not_enabled,
  refund_not_found,
  role_not_allowed,
  session_inactive,
  session_limit_reached,
  session_not_found,
  slot_blocked,
  slot_full,
  slot_in_past,
  slot_not_found,
  slot_overlaps,
  too_many_slots,
  unknown_time_zone,
  verification_decided,
  version_conflict,
  wallet_not_found,
  window_crosses_midnight,
  window_limit_reached,
  window_not_found,
};

struct RejectionEntry {
  Code code;
  std::string_view name;  // snake_case, stable for ever.
  Kind kind;
  std::string_view rule;  // Its number in the domain's rules.
  std::string_view title;
  std::string_view hint;
};

std::span<const RejectionEntry> rejections();  // In the order of Code.
const RejectionEntry& entry(Code code);
inline std::string_view name_of(Code code) { return entry(code).name; }

}  // namespace guildhall
