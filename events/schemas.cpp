#include "events/schemas.h"

#include <array>

// Defined in schemas.S.
extern "C" {
extern const char guildhall_ids_bfbs[], guildhall_ids_bfbs_end[], guildhall_ids_plain[], guildhall_ids_plain_end[],
    guildhall_ids_fbs[], guildhall_ids_fbs_end[];
extern const char guildhall_account_bfbs[], guildhall_account_bfbs_end[], guildhall_account_plain[],
    guildhall_account_plain_end[], guildhall_account_fbs[], guildhall_account_fbs_end[];
extern const char guildhall_claim_bfbs[], guildhall_claim_bfbs_end[], guildhall_claim_plain[], guildhall_claim_plain_end[],
    guildhall_claim_fbs[], guildhall_claim_fbs_end[];
extern const char guildhall_session_bfbs[], guildhall_session_bfbs_end[], guildhall_session_plain[],
    guildhall_session_plain_end[], guildhall_session_fbs[], guildhall_session_fbs_end[];
extern const char guildhall_schedule_bfbs[], guildhall_schedule_bfbs_end[], guildhall_schedule_plain[],
    guildhall_schedule_plain_end[], guildhall_schedule_fbs[], guildhall_schedule_fbs_end[];
extern const char guildhall_calendar_bfbs[], guildhall_calendar_bfbs_end[], guildhall_calendar_plain[],
    guildhall_calendar_plain_end[], guildhall_calendar_fbs[], guildhall_calendar_fbs_end[];
extern const char guildhall_booking_bfbs[], guildhall_booking_bfbs_end[], guildhall_booking_plain[],
    guildhall_booking_plain_end[], guildhall_booking_fbs[], guildhall_booking_fbs_end[];
extern const char guildhall_payment_bfbs[], guildhall_payment_bfbs_end[], guildhall_payment_plain[],
    guildhall_payment_plain_end[], guildhall_payment_fbs[], guildhall_payment_fbs_end[];
extern const char guildhall_decision_bfbs[], guildhall_decision_bfbs_end[], guildhall_decision_plain[],
    guildhall_decision_plain_end[], guildhall_decision_fbs[], guildhall_decision_fbs_end[];
}

namespace guildhall {
namespace {

Schema schema(std::string_view name, const char* bfbs, const char* bfbs_end, const char* plain, const char* plain_end,
              const char* fbs, const char* fbs_end) {
  const std::string_view plain_bytes(plain, plain_end);
  return {name, {bfbs, bfbs_end}, plain_bytes, {fbs, fbs_end}, sha256(plain_bytes)};
}

}  // namespace

std::span<const Schema> schemas() {
  static const std::array all{
      schema("ids", guildhall_ids_bfbs, guildhall_ids_bfbs_end, guildhall_ids_plain, guildhall_ids_plain_end, guildhall_ids_fbs,
             guildhall_ids_fbs_end),
      schema("account", guildhall_account_bfbs, guildhall_account_bfbs_end, guildhall_account_plain, guildhall_account_plain_end,
             guildhall_account_fbs, guildhall_account_fbs_end),
      schema("claim", guildhall_claim_bfbs, guildhall_claim_bfbs_end, guildhall_claim_plain, guildhall_claim_plain_end,
             guildhall_claim_fbs, guildhall_claim_fbs_end),
      schema("session", guildhall_session_bfbs, guildhall_session_bfbs_end, guildhall_session_plain, guildhall_session_plain_end,
             guildhall_session_fbs, guildhall_session_fbs_end),
      schema("schedule", guildhall_schedule_bfbs, guildhall_schedule_bfbs_end, guildhall_schedule_plain,
             guildhall_schedule_plain_end, guildhall_schedule_fbs, guildhall_schedule_fbs_end),
      schema("calendar", guildhall_calendar_bfbs, guildhall_calendar_bfbs_end, guildhall_calendar_plain,
             guildhall_calendar_plain_end, guildhall_calendar_fbs, guildhall_calendar_fbs_end),
      schema("booking", guildhall_booking_bfbs, guildhall_booking_bfbs_end, guildhall_booking_plain, guildhall_booking_plain_end,
             guildhall_booking_fbs, guildhall_booking_fbs_end),
      schema("payment", guildhall_payment_bfbs, guildhall_payment_bfbs_end, guildhall_payment_plain, guildhall_payment_plain_end,
             guildhall_payment_fbs, guildhall_payment_fbs_end),
      schema("decision", guildhall_decision_bfbs, guildhall_decision_bfbs_end, guildhall_decision_plain,
             guildhall_decision_plain_end, guildhall_decision_fbs, guildhall_decision_fbs_end),
  };
  return all;
}

const Schema* schema_of_type(std::string_view qualified_name) {
  const auto name = qualified_name.substr(0, qualified_name.find('.'));
  for (const Schema& s : schemas())
    if (s.name == name) return &s;
  return nullptr;
}

}  // namespace guildhall
