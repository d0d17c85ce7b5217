#include "aggregates/schedule.h"

#include <algorithm>
#include <span>

#include "aggregates/account.h"

namespace guildhall {
namespace {

using ::schedule::state::OfferedSession;
using ::schedule::state::WindowT;

constexpr std::int32_t minutes_per_day = 24 * 60;

StreamId stream_of(const Uuid& expert) { return {StreamKind::schedule, expert}; }

std::int32_t utc_day(Micros instant) { return static_cast<std::int32_t>(instant / day_us); }

// 0 = Sunday (TU-22). 1970-01-01 was a Thursday.
std::int32_t day_of_week(std::int32_t day) { return (day + 4) % 7; }

const WindowT* find_window(const ScheduleState& s, const Uuid& window) {
  const auto at = std::ranges::find(s.windows, window, [](const auto& w) { return w->window_id; });
  return at == s.windows.end() ? nullptr : at->get();
}

// The window that a command names, unless it is absent or another expert's.
const WindowT* own(const Uuid& expert, const Uuid& window, const Context& at, const View& view) {
  return may_act_for(at.actor, expert) ? find_window(view.get<ScheduleState>(expert), window) : nullptr;
}

template <class To, class From>
void copy_times(To& to, const From& from) {
  to.day_of_week = from.day_of_week;
  to.start_time = from.start_time;
  to.end_time = from.end_time;
  to.timezone = from.timezone;
}

template <class Command>
std::optional<Rejection> wrong_times(const Command& c, const Context& at) {
  if (c.start_time < 0 || c.start_time >= c.end_time || c.end_time > minutes_per_day)
    return Rejection{Code::window_crosses_midnight, {}};
  if (!at.zones.known(c.timezone)) return Rejection{Code::unknown_time_zone, c.timezone};
  return std::nullopt;
}

Decision accept(const Uuid& expert, const Uuid& window, Replan plan, bool created = false) {
  return Accepted{std::move(plan.events), {stream_of(expert), window}, created};
}

// ---- slot generation (A-TU-15, A-TU-16)

// The slots of one window and session on one local date. Starts go by the clock's face; the whole slot must lie in the window on
// that face, also when the clock is changed inside it.
void append_slots(std::vector<WantedSlot>& out, const WindowT& w, const OfferedSession& session, std::int32_t date,
                  const TimeZones& zones) {
  const std::int32_t minutes = session.duration_minutes();
  for (std::int32_t start = w.start_time; start + minutes <= w.end_time; start += minutes) {
    const auto start_at = zones.instant(w.timezone, {date, start * 60});
    if (!start_at) continue;  // In a gap.
    const Micros end_at = *start_at + minutes * minute_us;
    // The slot's last second: the end itself already reads later when a gap begins there.
    const auto last = zones.local(w.timezone, end_at - second_us);
    if (last.day != date || last.seconds >= w.end_time * 60) continue;
    out.push_back({session.session_id(), w.window_id, *start_at, end_at, session.max_participants()});
  }
}

// The next day's turn comes at its own time for every expert, or all would wake at midnight.
Micros next_extension(const Uuid& expert, std::int32_t today) {
  return (today + 1) * day_us + bucket_of(expert) * day_us / bucket_count;
}

bool same_slots(std::span<const WantedSlot> a, std::span<const WantedSlot> b) {
  return std::ranges::equal(a, b, [](const WantedSlot& x, const WantedSlot& y) {
    return x.session_id == y.session_id && x.window_id == y.window_id && x.start_at == y.start_at && x.end_at == y.end_at &&
           x.max == y.max;
  });
}

// Takes the slots of one day off the front of `rest`.
std::span<const WantedSlot> take_day(std::span<const WantedSlot>& rest, std::int32_t day) {
  const auto end = std::ranges::find_if(rest, [&](const WantedSlot& slot) { return utc_day(slot.start_at) != day; });
  const auto taken = rest.first(static_cast<std::size_t>(end - rest.begin()));
  rest = rest.subspan(taken.size());
  return taken;
}

}  // namespace

std::vector<WantedSlot> wanted_slots(const ScheduleState& s, std::int32_t from, std::int32_t to, Micros now,
                                     const TimeZones& zones) {
  std::vector<WantedSlot> out;
  for (const auto& w : s.windows) {
    if (!w->is_active || !zones.known(w->timezone)) continue;
    // A local date's instants lie on the UTC day before it, its own and the one after.
    for (std::int32_t date = from - 1; date <= to; ++date) {
      if (day_of_week(date) != w->day_of_week) continue;
      for (const auto& session : s.sessions) append_slots(out, *w, session, date, zones);
    }
  }
  std::erase_if(out, [&](const WantedSlot& slot) {
    return slot.start_at <= now || slot.start_at < from * day_us || slot.start_at >= to * day_us;
  });
  std::ranges::stable_sort(out, [](const WantedSlot& a, const WantedSlot& b) {
    return a.start_at != b.start_at ? a.start_at < b.start_at : UuidLess{}(a.session_id, b.session_id);
  });
  const auto repeated = std::ranges::unique(
      out, [](const WantedSlot& a, const WantedSlot& b) { return a.start_at == b.start_at && a.session_id == b.session_id; });
  out.erase(repeated.begin(), repeated.end());
  return out;
}

Replan replan(const Uuid& expert, const std::optional<schedule::Event>& change, const Context& at, const View& view) {
  Replan out;
  const auto& before = view.get<ScheduleState>(expert);
  ScheduleState after = before;
  const auto add = [&](const auto& e) {
    apply(after, e);
    out.events.push_back({stream_of(expert), e});
  };
  if (change) std::visit(add, *change);

  const std::int32_t today = utc_day(at.now);
  const std::int32_t until = today + at.policy.horizon_days;
  if (before.until_day < until || before.next_at <= at.now) {
    schedule::HorizonExtended e;
    e.expert_id = expert;
    e.until_day = std::max(until, before.until_day);
    e.next_at = next_extension(expert, today);
    add(e);
  }

  // Only days that the change touches are looked at: reading a day costs more than planning it.
  const auto old_slots = wanted_slots(before, today, before.until_day, at.now, at.zones);
  const auto new_slots = wanted_slots(after, today, after.until_day, at.now, at.zones);
  const auto limit = static_cast<std::size_t>(at.policy.max_slots_per_day);
  std::span<const WantedSlot> old_rest = old_slots;
  std::span<const WantedSlot> new_rest = new_slots;
  for (std::int32_t day = today; day < after.until_day; ++day) {
    const auto was = take_day(old_rest, day);
    auto wanted = take_day(new_rest, day);
    if (same_slots(was, wanted)) continue;
    if (wanted.size() > limit) {
      out.crowded |= wanted.size() > was.size();
      wanted = wanted.first(limit);
    }
    std::ranges::move(regenerate_day(view, expert, day, wanted, at.now, at.zones.version()), std::back_inserter(out.events));
  }
  return out;
}

// ---- decide

Decision decide(const schedule::AddWindow& c, const Context& at, const View& view) {
  const auto& account = view.get<AccountState>(c.expert_id);
  if (!may_act_for(at.actor, c.expert_id) || !account.is_expert) return reject(Code::expert_not_found);
  if (is_held_back(at.actor, account)) return reject(Code::account_banned);
  if (std::ssize(view.get<ScheduleState>(c.expert_id).windows) >= at.policy.max_windows)
    return reject(Code::window_limit_reached);
  if (auto wrong = wrong_times(c, at)) return std::unexpected(std::move(*wrong));
  schedule::WindowAdded e;
  e.window_id = at.mint("window");
  e.expert_id = c.expert_id;
  copy_times(e, c);
  auto plan = replan(c.expert_id, e, at, view);
  if (plan.crowded) return reject(Code::too_many_slots);
  return accept(c.expert_id, e.window_id, std::move(plan), true);
}

Decision decide(const schedule::UpdateWindow& c, const Context& at, const View& view) {
  const auto* w = own(c.expert_id, c.window_id, at, view);
  if (!w) return reject(Code::window_not_found);
  if (w->day_of_week == c.day_of_week && w->start_time == c.start_time && w->end_time == c.end_time &&
      w->timezone == c.timezone && w->is_active == c.is_active)
    return accept(c.expert_id, c.window_id, {});
  if (is_held_back(at.actor, view.get<AccountState>(c.expert_id))) return reject(Code::account_banned);
  if (auto wrong = wrong_times(c, at)) return std::unexpected(std::move(*wrong));
  schedule::WindowUpdated e;
  e.window_id = c.window_id;
  e.expert_id = c.expert_id;
  copy_times(e, c);
  e.is_active = c.is_active;
  auto plan = replan(c.expert_id, e, at, view);
  if (plan.crowded) return reject(Code::too_many_slots);
  return accept(c.expert_id, c.window_id, std::move(plan));
}

Decision decide(const schedule::RemoveWindow& c, const Context& at, const View& view) {
  if (!own(c.expert_id, c.window_id, at, view)) return reject(Code::window_not_found);
  if (is_held_back(at.actor, view.get<AccountState>(c.expert_id))) return reject(Code::account_banned);
  schedule::WindowRemoved e;
  e.window_id = c.window_id;
  e.expert_id = c.expert_id;
  return accept(c.expert_id, c.window_id, replan(c.expert_id, e, at, view));
}

Decision decide(const schedule::ExtendHorizon& c, const Context& at, const View& view) {
  const auto& s = view.get<ScheduleState>(c.expert_id);
  if (s.next_at == 0 || s.next_at > at.now) return accept(c.expert_id, {}, {});
  return accept(c.expert_id, {}, replan(c.expert_id, std::nullopt, at, view));
}

std::optional<StreamId> target(const schedule::AddWindow&) { return std::nullopt; }
std::optional<StreamId> target(const schedule::UpdateWindow& c) { return stream_of(c.expert_id); }
std::optional<StreamId> target(const schedule::RemoveWindow& c) { return stream_of(c.expert_id); }
std::optional<StreamId> target(const schedule::ExtendHorizon& c) { return stream_of(c.expert_id); }

// ---- apply

void apply(ScheduleState& s, const schedule::WindowAdded& e) {
  s.expert_id = e.expert_id;
  auto w = std::make_unique<WindowT>();
  w->window_id = e.window_id;
  copy_times(*w, e);
  w->is_active = true;
  s.windows.push_back(std::move(w));
}

void apply(ScheduleState& s, const schedule::WindowUpdated& e) {
  for (auto& w : s.windows) {
    if (w->window_id != e.window_id) continue;
    copy_times(*w, e);
    w->is_active = e.is_active;
  }
}

void apply(ScheduleState& s, const schedule::WindowRemoved& e) {
  std::erase_if(s.windows, [&](const auto& w) { return w->window_id == e.window_id; });
}

// Only active sessions are kept: no others give slots, and the state stays as small as the limit on them.
void apply(ScheduleState& s, const schedule::SessionScheduled& e) {
  s.expert_id = e.expert_id;
  std::erase_if(s.sessions, [&](const OfferedSession& o) { return o.session_id() == e.session_id; });
  if (e.is_active) s.sessions.emplace_back(e.session_id, e.duration_minutes, e.max_participants, true);
}

void apply(ScheduleState& s, const schedule::HorizonExtended& e) {
  s.expert_id = e.expert_id;
  s.until_day = e.until_day;
  s.next_at = e.next_at;
}

AnyResource represent(const ScheduleState& s, std::uint64_t version, const Uuid& part) {
  if (is_nil(part)) {
    schedule::ScheduleView v;
    v.id = s.expert_id;
    v.version = version;
    v.until_day = s.until_day;
    return v;
  }
  schedule::WindowView v;
  v.id = part;
  v.version = version;
  v.expert_id = s.expert_id;
  if (const auto* w = find_window(s, part)) {
    copy_times(v, *w);
    v.is_active = w->is_active;
  }
  return v;
}

std::vector<Timer> timers(const ScheduleState& s) {
  if (s.next_at == 0) return {};
  schedule::ExtendHorizon c;
  c.expert_id = s.expert_id;
  return {{"extend", s.next_at, c}};
}

}  // namespace guildhall
