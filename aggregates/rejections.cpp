#include "aggregates/rejections.h"

#include <array>

namespace guildhall {
namespace {

using enum Code;
using enum Kind;

constexpr std::array table{
    RejectionEntry{account_banned, "account_banned", forbidden, "A-TU-5", "The account is banned", "Ask the platform's support."},
    RejectionEntry{account_not_found, "account_not_found", not_found, "TU-4", "There is no such account",
                   "Register the account first."},
    RejectionEntry{admin_only, "admin_only", forbidden, "TU-3", "Only an admin may do this", ""},
    RejectionEntry{already_booked, "already_booked", conflict, "A-TU-6", "The learner already holds a seat of this slot",
                   "Cancel the other booking first."},
    RejectionEntry{already_registered, "already_registered", conflict, "TU-4", "The account is already registered", ""},
    RejectionEntry{amount_exceeds_captured, "amount_exceeds_captured", invalid, "TU-33",
                   "More would be refunded than is left of the captured amount", ""},
    RejectionEntry{booking_not_cancellable, "booking_not_cancellable", conflict, "TU-30", "The booking has already ended", ""},
    RejectionEntry{booking_not_confirmed, "booking_not_confirmed", conflict, "TU-30", "The booking is not confirmed", ""},
    RejectionEntry{booking_not_found, "booking_not_found", not_found, "TU-48", "There is no such booking", ""},
    RejectionEntry{booking_not_over, "booking_not_over", conflict, "TU-30", "The booking is not over yet", ""},
    RejectionEntry{booking_not_pending, "booking_not_pending", conflict, "TU-30", "The booking is not pending", ""},
    RejectionEntry{booking_started, "booking_started", conflict, "TU-30", "The booking has already started", ""},
    RejectionEntry{claim_abandoned, "claim_abandoned", conflict, "M-1",
                   "The registration took too long and its email was released", "Send it again with a new Idempotency-Key."},
    RejectionEntry{currency_immutable, "currency_immutable", conflict, "A-TU-11", "The currency is fixed after the first booking",
                   ""},
    RejectionEntry{currency_not_supported, "currency_not_supported", invalid, "TU-8", "The platform does not take this currency",
                   ""},
    RejectionEntry{duration_not_multiple, "duration_not_multiple", invalid, "TU-17",
                   "The duration must be a multiple of the platform's step", "15 minutes on this platform."},
    RejectionEntry{email_taken, "email_taken", conflict, "M-1", "Another account holds this email", ""},
    RejectionEntry{expert_not_accepting, "expert_not_accepting", conflict, "TU-10", "The expert takes no new bookings", ""},
    RejectionEntry{expert_not_found, "expert_not_found", not_found, "TU-38", "There is no such expert", ""},
    RejectionEntry{expert_only, "expert_only", forbidden, "TU-35", "Only the booking's expert may do this", ""},
    RejectionEntry{insufficient_balance, "insufficient_balance", conflict, "PA-97", "The wallet has less than that available",
                   "Pending and frozen money can not be used yet."},
    RejectionEntry{learner_not_found, "learner_not_found", not_found, "TU-40", "There is no such learner", ""},
    RejectionEntry{own_session, "own_session", invalid, "A-TU-5", "Nobody books their own session", ""},
    RejectionEntry{payment_not_authorized, "payment_not_authorized", conflict, "TU-36", "The payment is not authorized yet",
                   "Wait for the payment, then confirm."},
    RejectionEntry{payment_not_captured, "payment_not_captured", conflict, "TU-31", "The payment is not captured", ""},
    RejectionEntry{payment_not_found, "payment_not_found", not_found, "TU-48", "There is no such payment", ""},
    RejectionEntry{payout_below_minimum, "payout_below_minimum", invalid, "PA-96", "The amount is below the smallest payout", ""},
    RejectionEntry{payout_method_missing, "payout_method_missing", conflict, "PA-95", "The wallet has no such payout method",
                   "Set it first."},
    RejectionEntry{payout_not_completed, "payout_not_completed", conflict, "PA-99", "The payout is not completed", ""},
    RejectionEntry{payout_not_found, "payout_not_found", not_found, "PA-99", "There is no such payout", ""},
    RejectionEntry{payout_not_pending, "payout_not_pending", conflict, "PA-99", "The payout is not pending any more", ""},
    RejectionEntry{payout_not_processing, "payout_not_processing", conflict, "PA-99", "The payout is not with the processor", ""},
    RejectionEntry{payouts_not_enabled, "payouts_not_enabled", conflict, "PA-95",
                   "The processor has not confirmed this payout method", "Wait until it is confirmed."},
    RejectionEntry{refund_not_found, "refund_not_found", not_found, "TU-31", "There is no such refund under way", ""},
    RejectionEntry{role_not_allowed, "role_not_allowed", forbidden, "X-24", "Nobody gives this role to themselves", ""},
    RejectionEntry{session_inactive, "session_inactive", conflict, "TU-19", "The session takes no bookings", ""},
    RejectionEntry{session_limit_reached, "session_limit_reached", invalid, "A-TU-16", "The expert has too many sessions",
                   "Deactivate one first."},
    RejectionEntry{session_not_found, "session_not_found", not_found, "TU-15", "There is no such session", ""},
    RejectionEntry{slot_blocked, "slot_blocked", conflict, "A-TU-4", "The expert blocked this slot", ""},
    RejectionEntry{slot_full, "slot_full", conflict, "TU-27", "All seats of this slot are taken", "Choose another slot."},
    RejectionEntry{slot_in_past, "slot_in_past", invalid, "A-TU-5", "The slot has already started", ""},
    RejectionEntry{slot_not_found, "slot_not_found", not_found, "TU-25", "There is no such slot", ""},
    RejectionEntry{slot_overlaps, "slot_overlaps", conflict, "A-TU-3", "The expert is busy with an overlapping slot",
                   "Choose another slot."},
    RejectionEntry{too_many_slots, "too_many_slots", invalid, "A-TU-16", "A day would have more slots than the platform allows",
                   "Shorten the windows or deactivate sessions."},
    RejectionEntry{unknown_time_zone, "unknown_time_zone", invalid, "TU-6", "There is no such IANA time zone", ""},
    RejectionEntry{verification_decided, "verification_decided", conflict, "TU-9",
                   "The verification was already decided otherwise", ""},
    RejectionEntry{version_conflict, "version_conflict", precondition, "TU-54",
                   "The resource has another version than If-Match says", "Read it again and decide anew."},
    RejectionEntry{wallet_not_found, "wallet_not_found", not_found, "PA-92", "There is no such wallet", ""},
    RejectionEntry{window_crosses_midnight, "window_crosses_midnight", invalid, "A-TU-14",
                   "A window must start before it ends, on one day", "Split it in two windows."},
    RejectionEntry{window_limit_reached, "window_limit_reached", invalid, "A-TU-16", "The expert has too many windows", ""},
    RejectionEntry{window_not_found, "window_not_found", not_found, "TU-21", "There is no such window", ""},
};

consteval bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].code) != i) return false;
  return table.size() == static_cast<std::size_t>(window_not_found) + 1;
}
static_assert(in_order());

}  // namespace

std::span<const RejectionEntry> rejections() { return table; }
const RejectionEntry& entry(Code code) { return table[static_cast<std::size_t>(code)]; }

}  // namespace guildhall
