// What differs between platforms, as values given to decide (design: aggregates). Read from platforms/<name>.toml.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "aggregates/ledger.h"
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
  // Of those aggregates, commands that it has not.
  std::vector<std::string> commands_off{"account.v1.UpdateMemberProfile", "account.v1.SetLocation", "account.v1.ChangeUsername"};
  std::vector<std::string> roles{"learner", "expert", "admin"};  // That an account may have (TU-3, PA-6).
  std::int64_t min_payout_cents = 5000;                          // PA-96
  Micros payout_overdue_us = day_us;                             // Processing for longer: people look.
  std::int64_t min_price_cents = 100;                            // A-PA-13: of what is not free.
  ledger::FeeRate stripe_fee{290, 30}, paypal_fee{349, 49};      // PA-89, A-PA-10
  std::int64_t dispute_fee_cents = 1500;                         // What a processor takes for a chargeback.
  bool seller_bears_dispute_fee = false;                         // Of one that is lost.
  // By tier: basic, standard, premium, ultimate.
  std::array<std::int32_t, 4> commission_bp{4000, 3000, 2000, 1000};  // A-PA-9
  std::array<std::int32_t, 4> featured_limit{0, 1, 3, 10};            // PA-64
  // By tier and interval: monthly, annual, in cents. ASSUMPTION: the seed gives none.
  std::array<std::array<std::int64_t, 2>, 4> subscription_prices{{{0, 0}, {999, 9900}, {1999, 19900}, {4999, 49900}}};
  Micros escrow_us = 7 * day_us;            // PA-93, A-PA-14
  Micros checkout_us = 15 * minute_us;      // Until a purchase, an order or a registration is paid.
  Micros order_start_us = 7 * day_us;       // A paid order that its seller does not start is cancelled.
  Micros order_approve_us = 72 * hour_us;   // A-PA-56: a delivered order that nobody answers is completed.
  Micros complaint_answer_us = 3 * day_us;  // Unanswered, the buyer wins.
  Micros complaint_decide_us = 14 * day_us;
  Micros webinar_start_us = hour_us;     // Beyond its end: a webinar that was never started is cancelled.
  Micros webinar_live_us = 4 * hour_us;  // Beyond its duration: one that was never ended is ended.
  Micros past_due_us = 7 * day_us;       // A-PA-50: the tier is kept.
  Micros unpaid_us = 23 * day_us;        // After it: basic rights, then the end.
  Micros trial_us = 14 * day_us;
  bool sandbox_bills = false;  // The sandbox pays subscriptions' later periods; else a provider's word is waited for.
  std::int32_t pass_percent = 70;           // DR-16: of the questions of a lesson's assessment.
  std::int32_t free_level_access = 1;       // DR-57: the highest level of lessons that is open without a plan.
  std::int32_t max_achievements = 200;      // Of the curriculum.
  std::int32_t max_freezes = 2;             // XP-8: that a learner may hold.
  std::int32_t days_for_freeze = 7;         // Of a streak, each time.
  bool boards_count_achievements = false;   // A-DR-13: the XP of lessons counts on leaderboards.
  std::string processor = "sandbox";
  bool auto_authorize = true;                // False: the client pays, and the authorization is recorded from outside.
  Micros claim_resolve_us = 10 * minute_us;  // Until an unconfirmed claim's account is asked.

  bool has(std::string_view aggregate) const { return std::ranges::find(aggregates, aggregate) != aggregates.end(); }
  bool has_command(std::string_view type) const { return std::ranges::find(commands_off, type) == commands_off.end(); }
};

}  // namespace guildhall
