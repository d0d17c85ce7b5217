// What differs between platforms, as values given to decide (design: aggregates). Read from platforms/<name>.toml.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "events/clock.h"

namespace guildhall {

struct PlatformPolicy {
  std::string platform = "tutoring";
  std::string version = "1";                                 // Goes into every decision record.
  std::vector<std::string> currencies{"DKK", "USD", "EUR"};  // TU-8
  std::string default_currency = "DKK";                      // TU-38
  std::int32_t duration_step_minutes = 15;                   // TU-17
  Micros hold_us = 15 * minute_us;                           // M-2: until the payment is authorized.
  Micros answer_us = 6 * day_us;                             // M-3: until the expert answers, from the authorization.
  std::int32_t horizon_days = 60;                            // A-TU-16
  std::int32_t max_slots_per_day = 192;                      // Of one expert.
  std::int32_t max_windows = 50;                             // Of one expert.
  std::int32_t max_sessions = 100;                           // Active ones of one expert.
  // The aggregates that the platform has; commands and events of the others are unknown to it.
  std::vector<std::string> aggregates{"account", "claim", "session", "schedule", "calendar", "booking", "payment"};
  std::vector<std::string> commands_off;                         // Of those aggregates, commands that it has not.
  std::vector<std::string> roles{"learner", "expert", "admin"};  // That an account may have (TU-3, PA-6).
  std::int64_t min_payout_cents = 5000;                          // PA-96
  std::string processor = "sandbox";
  bool auto_authorize = true;                // False: the client pays, and the authorization is recorded from outside.
  Micros claim_resolve_us = 10 * minute_us;  // Until an unconfirmed claim's account is asked.

  bool has(std::string_view aggregate) const { return std::ranges::find(aggregates, aggregate) != aggregates.end(); }
};

}  // namespace guildhall
