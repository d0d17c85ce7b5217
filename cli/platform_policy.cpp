#include "cli/platform_policy.h"

#include <toml++/toml.h>

#include <array>
#include <set>

#include "cli/settings.h"

// Defined in platform_files.S.
extern "C" const char guildhall_platform_tutoring[], guildhall_platform_tutoring_end[];
extern "C" const char guildhall_platform_dracarys[], guildhall_platform_dracarys_end[];
extern "C" const char guildhall_platform_producers_avenue[], guildhall_platform_producers_avenue_end[];

namespace guildhall {
namespace {

struct BuiltIn {
  std::string_view name, text;
};
const std::array built_in{
    BuiltIn{"tutoring", {guildhall_platform_tutoring, guildhall_platform_tutoring_end}},
    BuiltIn{"producers_avenue", {guildhall_platform_producers_avenue, guildhall_platform_producers_avenue_end}},
    BuiltIn{"dracarys", {guildhall_platform_dracarys, guildhall_platform_dracarys_end}},
};

std::string_view built_in_policy(const std::string& platform) {
  std::string names;
  for (const BuiltIn& b : built_in) {
    if (b.name == platform) return b.text;
    names += (names.empty() ? "" : ", ") + std::string(b.name);
  }
  throw SettingsError("there is no platform " + platform + "; there are: " + names);
}

// Reads known keys and remembers them, so that a mistyped one is refused rather than ignored.
class Reader {
 public:
  Reader(const toml::table& table, std::string where) : table_(table), where_(std::move(where)) {}
  std::string text(std::string_view path, std::string fallback) { return value<std::string>(path).value_or(std::move(fallback)); }
  bool boolean(std::string_view path, bool fallback) { return value<bool>(path).value_or(fallback); }
  std::int64_t integer(std::string_view path, std::int64_t fallback, std::int64_t min, std::int64_t max) {
    const auto found = value<std::int64_t>(path).value_or(fallback);
    if (found < min || found > max) fail(path, "must lie between " + std::to_string(min) + " and " + std::to_string(max));
    return found;
  }
  std::vector<std::string> texts(std::string_view path, std::vector<std::string> fallback) {
    known_.insert(std::string(path));
    const auto node = table_.at_path(path);
    if (!node) return fallback;
    const auto* array = node.as_array();
    if (array == nullptr) fail(path, "must be a list of strings");
    std::vector<std::string> out;
    for (const auto& element : *array) {
      const auto one = element.value<std::string>();
      if (!one) fail(path, "must be a list of strings");
      out.push_back(*one);
    }
    return out;
  }
  void refuse_unknown() const {
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (const auto* inner = node.as_table()) {
        for (const auto& [key2, _] : *inner)
          if (const std::string path = name + "." + std::string(key2.str()); !known_.contains(path))
            fail(path, "is no policy value");
      } else if (!known_.contains(name)) {
        fail(name, "is no policy value");
      }
    }
  }

 private:
  template <class T>
  std::optional<T> value(std::string_view path) {
    known_.insert(std::string(path));
    const auto node = table_.at_path(path);
    if (!node) return std::nullopt;
    const auto found = node.value_exact<T>();
    if (!found) fail(path, "has the wrong type");
    return found;
  }
  [[noreturn]] void fail(std::string_view path, const std::string& what) const {
    throw SettingsError(where_ + ": " + std::string(path) + " " + what);
  }

  const toml::table& table_;
  std::string where_;
  std::set<std::string> known_;
};

}  // namespace

PlatformPolicy load_policy(const std::string& platform, const std::string& file) {
  const std::string where = file.empty() ? "platforms/" + platform + ".toml" : file;
  toml::table table;
  try {
    if (!file.empty()) table = toml::parse_file(file);
    else table = toml::parse(built_in_policy(platform));
  } catch (const toml::parse_error& e) {
    throw SettingsError(where + ": " + std::string(e.description()));
  }
  Reader in(table, where);
  PlatformPolicy p;
  p.platform = in.text("name", platform);
  if (p.platform != platform) throw SettingsError(where + ": is the policy of " + p.platform + ", not of " + platform);
  p.version = in.text("version", p.version);
  p.aggregates = in.texts("aggregates", p.aggregates);
  p.commands_off = in.texts("commands_off", p.commands_off);
  p.roles = in.texts("roles", p.roles);
  p.currencies = in.texts("currencies", p.currencies);
  p.default_currency = in.text("default_currency", p.default_currency);
  p.duration_step_minutes =
      static_cast<std::int32_t>(in.integer("bookings.duration_step_minutes", p.duration_step_minutes, 1, 480));
  p.hold_us = in.integer("bookings.hold_minutes", p.hold_us / minute_us, 1, 1440) * minute_us;
  p.answer_us = in.integer("bookings.answer_hours", p.answer_us / hour_us, 1, 720) * hour_us;
  p.horizon_days = static_cast<std::int32_t>(in.integer("schedule.horizon_days", p.horizon_days, 1, 366));
  p.max_slots_per_day = static_cast<std::int32_t>(in.integer("schedule.max_slots_per_day", p.max_slots_per_day, 1, 192));
  p.max_windows = static_cast<std::int32_t>(in.integer("schedule.max_windows", p.max_windows, 1, 200));
  p.max_sessions = static_cast<std::int32_t>(in.integer("schedule.max_sessions", p.max_sessions, 1, 500));
  p.min_payout_cents = in.integer("wallets.min_payout_cents", p.min_payout_cents, 1, 2'147'483'647);
  const auto duration = [&](std::string_view path, Micros fallback, Micros unit, std::int64_t max) {
    return in.integer(path, fallback / unit, 1, max) * unit;
  };
  const auto by_tier = [&](std::string_view table, auto& values, std::int64_t min, std::int64_t max) {
    static constexpr std::array tiers{"basic", "standard", "premium", "ultimate"};
    for (std::size_t i = 0; i < tiers.size(); ++i)
      values[i] = static_cast<std::int32_t>(in.integer(std::string(table) + "." + tiers[i], values[i], min, max));
  };
  const auto fee = [&](const std::string& name, ledger::FeeRate& rate) {
    rate.rate_bp = static_cast<std::int32_t>(in.integer("payments." + name + "_fee_bp", rate.rate_bp, 0, 2000));
    rate.fixed_cents = in.integer("payments." + name + "_fee_cents", rate.fixed_cents, 0, 10'000);
  };
  fee("stripe", p.stripe_fee);
  fee("paypal", p.paypal_fee);
  p.min_price_cents = in.integer("payments.min_price_cents", p.min_price_cents, 1, ledger::max_amount_cents);
  p.dispute_fee_cents = in.integer("payments.dispute_fee_cents", p.dispute_fee_cents, 0, 100'000);
  p.seller_bears_dispute_fee = in.boolean("payments.seller_bears_dispute_fee", p.seller_bears_dispute_fee);
  p.checkout_us = duration("payments.checkout_minutes", p.checkout_us, minute_us, 1440);
  p.payout_overdue_us = duration("wallets.payout_overdue_hours", p.payout_overdue_us, hour_us, 8760);
  p.escrow_us = duration("wallets.escrow_hours", p.escrow_us, hour_us, 8760);
  by_tier("commission_bp", p.commission_bp, 1000, 4000);  // PA-90
  by_tier("featured", p.featured_limit, 0, 1000);
  p.order_start_us = duration("orders.start_days", p.order_start_us, day_us, 365);
  p.order_approve_us = duration("orders.approve_hours", p.order_approve_us, hour_us, 8760);
  p.complaint_answer_us = duration("orders.complaint_answer_days", p.complaint_answer_us, day_us, 365);
  p.complaint_decide_us = duration("orders.complaint_decide_days", p.complaint_decide_us, day_us, 365);
  p.webinar_start_us = duration("webinars.start_minutes", p.webinar_start_us, minute_us, 1440);
  p.webinar_live_us = duration("webinars.live_minutes", p.webinar_live_us, minute_us, 1440);
  p.past_due_us = duration("subscriptions.past_due_days", p.past_due_us, day_us, 365);
  p.unpaid_us = duration("subscriptions.unpaid_days", p.unpaid_us, day_us, 365);
  p.trial_us = duration("subscriptions.trial_days", p.trial_us, day_us, 365);
  static constexpr std::array paid_tiers{"standard", "premium", "ultimate"};
  for (std::size_t i = 0; i < paid_tiers.size(); ++i) {
    auto& prices = p.subscription_prices[i + 1];
    const std::string path = std::string("subscriptions.") + paid_tiers[i];
    prices[0] = in.integer(path + "_monthly_cents", prices[0], 100, ledger::max_amount_cents);
    prices[1] = in.integer(path + "_annual_cents", prices[1], 100, ledger::max_amount_cents);
  }
  p.pass_percent = static_cast<std::int32_t>(in.integer("learning.pass_percent", p.pass_percent, 1, 100));
  p.free_level_access = static_cast<std::int32_t>(in.integer("learning.free_level_access", p.free_level_access, 0, 99));
  p.max_achievements = static_cast<std::int32_t>(in.integer("learning.max_achievements", p.max_achievements, 1, 500));
  p.max_freezes = static_cast<std::int32_t>(in.integer("learning.max_freezes", p.max_freezes, 0, 30));
  p.days_for_freeze = static_cast<std::int32_t>(in.integer("learning.days_for_freeze", p.days_for_freeze, 1, 365));
  p.boards_count_achievements = in.boolean("learning.boards_count_achievements", p.boards_count_achievements);
  p.processor = in.text("payments.processor", p.processor);
  if (p.processor != "sandbox" && p.processor != "off")
    throw SettingsError(where + ": payments.processor must be sandbox or off");
  p.auto_authorize = in.boolean("payments.auto_authorize", p.auto_authorize) && p.processor != "off";
  p.sandbox_bills = in.boolean("subscriptions.sandbox_bills", p.sandbox_bills) && p.processor == "sandbox";
  p.claim_resolve_us = in.integer("claims.resolve_minutes", p.claim_resolve_us / minute_us, 1, 1440) * minute_us;
  in.refuse_unknown();
  return p;
}

}  // namespace guildhall
