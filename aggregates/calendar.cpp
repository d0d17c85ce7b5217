#include "aggregates/calendar.h"

#include <algorithm>
#include <array>

#include "events/check.h"

namespace guildhall {
namespace {

using namespace calendar;
using ::calendar::state::Seat;
using DaySlot = ::calendar::state::Slot;
using GeneratedSlot = ::calendar::v1::Slot;
using ::calendar::v1::SlotSeats;

constexpr int hash_bits = 46;
constexpr std::uint64_t hash_mask = (1ULL << hash_bits) - 1;
constexpr std::int32_t last_day = 0xffff;

std::int32_t utc_day_of(Micros instant) { return static_cast<std::int32_t>(instant / day_us); }

StreamId stream_of(const DayState& day) { return {StreamKind::calendar, calendar_day_id(day.expert_id, day.day)}; }

// A day's id, from any id of the same expert's calendar.
Uuid day_beside(const Uuid& calendar_id, std::int32_t utc_day) {
  return Uuid(calendar_id.hi(), 2ULL << 62 | static_cast<std::uint64_t>(utc_day) << hash_bits);
}

// The days of one expert whose slots may overlap the slot `id`, [start, end): the start's own; the one before, when a slot of it
// may reach so far; the one after, when the interval passes midnight. Null where there is none.
std::array<const DayState*, 3> days_touching(const View& view, const Uuid& expert, const Uuid& id, Micros start, Micros end) {
  const auto load = [&](std::int32_t day) -> const DayState* {
    const Uuid day_id = day_beside(id, day);
    if (!view.exists<DayState>(day_id)) return nullptr;
    const auto& state = view.get<DayState>(day_id);
    CHECK(state.expert_id == expert);
    return &state;
  };
  const std::int32_t day = utc_day_of(start);
  const Micros midnight = day * day_us;
  std::array<const DayState*, 3> days{};
  if (day > 0 && start - midnight < max_slot_us) days[0] = load(day - 1);
  days[1] = load(day);
  if (day < last_day && end > midnight + day_us) days[2] = load(day + 1);
  return days;
}

bool overlap(const DaySlot& s, Micros start, Micros end) { return s.start_at() < end && start < s.end_at(); }

// Whether a slot other than `id` overlaps [start, end) and is taken; `released` counts as free.
bool taken_nearby(const View& view, const Uuid& expert, const Uuid& id, Micros start, Micros end, const Uuid& released = {}) {
  for (const auto* day : days_touching(view, expert, id, start, end))
    if (day != nullptr && std::ranges::any_of(day->slots, [&](const DaySlot& s) {
          return s.taken() > 0 && s.slot_id() != id && s.slot_id() != released && overlap(s, start, end);
        }))
      return true;
  return false;
}

// The event `own` on the slot's day, with the seats of the slot itself and of every overlapping slot whose hidden flag turns with
// it; the overlapping slots of other days follow on their own streams.
template <class Own>
std::vector<NewEvent> with_overlaps(const View& view, const FoundSlot& found, Own own, std::int32_t taken) {
  const DaySlot& slot = *found.slot;
  std::vector<NewEvent> others;
  own.expert_id = found.day->expert_id;
  own.day = found.day->day;
  own.slot_id = slot.slot_id();
  own.changed.emplace_back(slot.slot_id(), taken, slot.max(), slot.blocked(), slot.hidden());
  for (const auto* day : days_touching(view, own.expert_id, own.slot_id, slot.start_at(), slot.end_at())) {
    if (day == nullptr) continue;
    std::vector<SlotSeats> changed;
    for (const DaySlot& s : day->slots) {
      if (s.slot_id() == slot.slot_id() || !overlap(s, slot.start_at(), slot.end_at())) continue;
      const bool hidden = taken > 0 || taken_nearby(view, own.expert_id, s.slot_id(), s.start_at(), s.end_at(), slot.slot_id());
      if (hidden != s.hidden()) changed.emplace_back(s.slot_id(), s.taken(), s.max(), s.blocked(), hidden);
    }
    if (day == found.day) {
      own.changed.insert(own.changed.end(), changed.begin(), changed.end());
    } else if (!changed.empty()) {
      others.push_back(
          {stream_of(*day), OverlapChanged{.expert_id = day->expert_id, .day = day->day, .changed = std::move(changed)}});
    }
  }
  std::vector<NewEvent> events{{stream_of(*found.day), std::move(own)}};
  std::ranges::move(others, std::back_inserter(events));
  return events;
}

// Guards and outcome that blocking and unblocking share.
template <class Event>
Decision set_blocked(const Uuid& slot_id, bool blocked, const Context& at, const View& view) {
  const FoundSlot found = find_slot(view, slot_id);
  if (!found || !(at.actor.trusted() || at.actor.is(found.day->expert_id))) return reject(Code::slot_not_found);
  Accepted accepted{.subject = {stream_of(*found.day), slot_id}};
  if (found.slot->blocked() == blocked) return accepted;  // A retry.
  const DaySlot& s = *found.slot;
  accepted.events.push_back({stream_of(*found.day), Event{.expert_id = found.day->expert_id,
                                                          .day = found.day->day,
                                                          .slot_id = slot_id,
                                                          .changed = {{slot_id, s.taken(), s.max(), blocked, s.hidden()}}}});
  return accepted;
}

void copy_seats(DayState& day, const std::vector<SlotSeats>& changed) {
  for (const SlotSeats& c : changed)
    for (DaySlot& s : day.slots)
      if (s.slot_id() == c.slot_id())
        s = DaySlot(s.slot_id(), s.session_id(), s.window_id(), s.start_at(), s.end_at(), c.max(), c.taken(), c.blocked(),
                    c.hidden());
}

}  // namespace

Uuid calendar_day_id(const Uuid& expert, std::int32_t utc_day) {
  CHECK(utc_day >= 0 && utc_day <= last_day);
  return day_beside(derive_in_group("calendar", expert, 0, bucket_of(expert)), utc_day);
}

Uuid slot_id_of(const Uuid& expert, const Uuid& session, Micros start) {
  CHECK(start >= 0);
  const Uuid day = calendar_day_id(expert, utc_day_of(start));
  const Uuid hash = derive_in_group("slot", session, static_cast<std::uint64_t>(start), bucket_of(expert));
  return Uuid(day.hi(), day.lo() | (hash.lo() & hash_mask));
}

Uuid calendar_day_of_slot(const Uuid& slot_id) { return Uuid(slot_id.hi(), slot_id.lo() & ~hash_mask); }

// ---- decide

FoundSlot find_slot(const View& view, const Uuid& slot_id) {
  const auto& day = view.get<DayState>(calendar_day_of_slot(slot_id));
  const auto slot = std::ranges::find_if(day.slots, [&](const DaySlot& s) { return s.slot_id() == slot_id; });
  return slot == day.slots.end() ? FoundSlot{} : FoundSlot{&day, &*slot};
}

std::optional<Code> seat_refusal(const FoundSlot& found, const Uuid& learner, Micros now) {
  const DaySlot& s = *found.slot;
  if (s.start_at() <= now) return Code::slot_in_past;
  for (const Seat& seat : found.day->seats)
    if (seat.slot_id() == s.slot_id() && seat.learner_id() == learner) return Code::already_booked;
  if (s.blocked()) return Code::slot_blocked;
  if (s.hidden()) return Code::slot_overlaps;
  if (s.taken() >= s.max()) return Code::slot_full;
  return std::nullopt;
}

std::vector<NewEvent> hold_seat(const View& view, const FoundSlot& found, const Uuid& booking, const Uuid& learner) {
  return with_overlaps(view, found, SeatHeld{.booking_id = booking, .learner_id = learner}, found.slot->taken() + 1);
}

std::vector<NewEvent> release_seat(const View& view, const Uuid& slot_id, const Uuid& booking) {
  const FoundSlot found = find_slot(view, slot_id);
  if (!found || std::ranges::none_of(found.day->seats, [&](const Seat& s) { return s.booking_id() == booking; })) return {};
  return with_overlaps(view, found, SeatReleased{.booking_id = booking}, found.slot->taken() - 1);
}

Decision decide(const BlockSlot& c, const Context& at, const View& view) {
  return set_blocked<SlotBlocked>(c.slot_id, true, at, view);
}

Decision decide(const UnblockSlot& c, const Context& at, const View& view) {
  return set_blocked<SlotUnblocked>(c.slot_id, false, at, view);
}

std::vector<NewEvent> regenerate_day(const View& view, const Uuid& expert, std::int32_t utc_day,
                                     std::span<const WantedSlot> wanted, Micros now, std::string_view tzdb_version) {
  const StreamId stream{StreamKind::calendar, calendar_day_id(expert, utc_day)};
  const auto& day = view.get<DayState>(stream.id);
  CHECK(!view.exists<DayState>(stream.id) || day.expert_id == expert);

  SlotsGenerated e{.expert_id = expert, .day = utc_day, .tzdb_version = std::string(tzdb_version)};
  const auto add = [&](const Uuid& id, const WantedSlot& w) {
    const bool hidden = taken_nearby(view, expert, id, w.start_at, w.end_at);
    e.added.emplace_back(id, w.session_id, w.window_id, w.start_at, w.end_at, w.max, hidden);
  };

  std::vector<std::pair<Uuid, const WantedSlot*>> missing;
  for (const WantedSlot& w : wanted) {
    CHECK(utc_day_of(w.start_at) == utc_day && w.start_at < w.end_at && w.end_at - w.start_at <= max_slot_us && w.max > 0);
    const Uuid id = slot_id_of(expert, w.session_id, w.start_at);
    const bool named = std::ranges::any_of(missing, [&](const auto& m) { return m.first == id; });
    if (w.start_at > now && !named) missing.emplace_back(id, &w);
  }
  for (const DaySlot& s : day.slots) {
    const auto found = std::ranges::find_if(missing, [&](const auto& m) { return m.first == s.slot_id(); });
    const WantedSlot* w = found == missing.end() ? nullptr : found->second;
    if (w != nullptr) missing.erase(found);
    if (s.start_at() <= now || s.taken() > 0) continue;
    if (w == nullptr) {
      e.removed.push_back(s.slot_id());
    } else if (w->end_at != s.end_at() || !(w->window_id == s.window_id())) {
      // The same session at the same start, yet another slot: it is made anew and stays blocked if it was.
      e.removed.push_back(s.slot_id());
      add(s.slot_id(), *w);
      if (s.blocked()) e.changed.emplace_back(s.slot_id(), 0, w->max, true, e.added.back().hidden());
    } else if (w->max != s.max()) {
      e.changed.emplace_back(s.slot_id(), 0, w->max, s.blocked(), s.hidden());
    }
  }
  for (const auto& [id, w] : missing) add(id, *w);
  if (e.added.empty() && e.removed.empty() && e.changed.empty()) return {};
  return {{stream, std::move(e)}};
}

std::optional<StreamId> target(const BlockSlot& c) { return StreamId{StreamKind::calendar, calendar_day_of_slot(c.slot_id)}; }
std::optional<StreamId> target(const UnblockSlot& c) { return StreamId{StreamKind::calendar, calendar_day_of_slot(c.slot_id)}; }

// ---- apply

void apply(DayState& s, const SlotsGenerated& e) {
  s.expert_id = e.expert_id;
  s.day = e.day;
  std::erase_if(s.slots, [&](const DaySlot& slot) { return std::ranges::find(e.removed, slot.slot_id()) != e.removed.end(); });
  for (const GeneratedSlot& a : e.added)
    s.slots.emplace_back(a.slot_id(), a.session_id(), a.window_id(), a.start_at(), a.end_at(), a.max(), 0, false, a.hidden());
  std::ranges::sort(s.slots, [](const DaySlot& a, const DaySlot& b) {
    return a.start_at() != b.start_at() ? a.start_at() < b.start_at() : UuidLess{}(a.slot_id(), b.slot_id());
  });
  copy_seats(s, e.changed);
}

void apply(DayState& s, const SeatHeld& e) {
  s.seats.emplace_back(e.slot_id, e.booking_id, e.learner_id);
  copy_seats(s, e.changed);
}

void apply(DayState& s, const SeatReleased& e) {
  std::erase_if(s.seats, [&](const Seat& seat) { return seat.booking_id() == e.booking_id; });
  copy_seats(s, e.changed);
}

void apply(DayState& s, const OverlapChanged& e) { copy_seats(s, e.changed); }
void apply(DayState& s, const SlotBlocked& e) { copy_seats(s, e.changed); }
void apply(DayState& s, const SlotUnblocked& e) { copy_seats(s, e.changed); }

// ---- reply

AnyResource represent(const DayState& s, std::uint64_t version, const Uuid& part) {
  const auto slot = std::ranges::find_if(s.slots, [&](const DaySlot& d) { return d.slot_id() == part; });
  CHECK(slot != s.slots.end());
  return SlotView{.id = part,
                  .version = version,
                  .expert_id = s.expert_id,
                  .session_id = slot->session_id(),
                  .start_at = slot->start_at(),
                  .end_at = slot->end_at(),
                  .taken = slot->taken(),
                  .max = slot->max(),
                  .blocked = slot->blocked(),
                  .hidden = slot->hidden()};
}

}  // namespace guildhall
