// An expert's UTC day: slots and their seats; no overlap across one expert's sessions (A-TU-3, A-TU-4).
//
// Ids. A slot's id names its day, so that a decision finds the stream from the id alone:
//   48 bits  hash of the expert      \  the same for all days and slots of one expert
//   16 bits  version 8, bucket       /
//    2 bits  variant
//   16 bits  the UTC day of the start, since 1970-01-01 (until 2149)
//   46 bits  zero in a day's id; hash of (session, start) in a slot's
// Two experts of one bucket whose hashes collide would share days: the expert that each day names is CHECKed.
#pragma once

#include <span>

#include "aggregates/aggregates.h"

namespace guildhall {

inline constexpr Micros max_slot_us = 480 * minute_us;  // The longest session (session.v1): a slot touches two days at most.

Uuid calendar_day_id(const Uuid& expert, std::int32_t utc_day);
Uuid slot_id_of(const Uuid& expert, const Uuid& session, Micros start);
Uuid calendar_day_of_slot(const Uuid& slot_id);

Decision decide(const calendar::BlockSlot& c, const Context& at, const View& view);
Decision decide(const calendar::UnblockSlot& c, const Context& at, const View& view);

// A slot and the day that holds it. The pointers stay valid for the decision.
struct FoundSlot {
  const DayState* day = nullptr;
  const ::calendar::state::Slot* slot = nullptr;
  explicit operator bool() const { return slot != nullptr; }
};
FoundSlot find_slot(const View& view, const Uuid& slot_id);

// Why this learner cannot have a seat of this slot now: past, already seated, blocked, hidden by an overlap, full (A-TU-3..6).
std::optional<Code> seat_refusal(const FoundSlot& found, const Uuid& learner, Micros now);

// The events that seat a booking, on the slot's day and on every neighbouring day with a slot that it hides. The caller has
// asked seat_refusal.
std::vector<NewEvent> hold_seat(const View& view, const FoundSlot& found, const Uuid& booking, const Uuid& learner);
// The events that give a booking's seat back, once: none when it holds no seat (A-TU-7).
std::vector<NewEvent> release_seat(const View& view, const Uuid& slot_id, const Uuid& booking);

// What an expert's windows and sessions want of a day.
struct WantedSlot {
  Uuid session_id{};
  Uuid window_id{};
  Micros start_at = 0;
  Micros end_at = 0;
  std::int32_t max = 0;
};
// The event that makes a day's future slots the wanted ones, or none. Booked slots stay as they are, wanted or not (A-TU-16,
// A-TU-17); `wanted` may name a slot twice (two windows over the same hours): the first counts.
std::vector<NewEvent> regenerate_day(const View& view, const Uuid& expert, std::int32_t utc_day,
                                     std::span<const WantedSlot> wanted, Micros now, std::string_view tzdb_version);

std::optional<StreamId> target(const calendar::BlockSlot& c);
std::optional<StreamId> target(const calendar::UnblockSlot& c);

void apply(DayState& s, const calendar::SlotsGenerated& e);
void apply(DayState& s, const calendar::SeatHeld& e);
void apply(DayState& s, const calendar::SeatReleased& e);
void apply(DayState& s, const calendar::OverlapChanged& e);
void apply(DayState& s, const calendar::SlotBlocked& e);
void apply(DayState& s, const calendar::SlotUnblocked& e);

AnyResource represent(const DayState& s, std::uint64_t version, const Uuid& part);

}  // namespace guildhall
