// An expert's weekly windows, and the slots that come of them (TU-21..28, A-TU-14..17).
#pragma once

#include "aggregates/aggregates.h"
#include "aggregates/calendar.h"

namespace guildhall {

// What a schedule wants to offer on the UTC days [from, to), after `now`; by start, then session. One start of one session is one
// slot, of the first window that gives it. Windows of a zone that the data no longer know give none.
std::vector<WantedSlot> wanted_slots(const ScheduleState& s, std::int32_t from, std::int32_t to, Micros now,
                                     const TimeZones& zones);

// What follows from a change of an expert's schedule: the change, the horizon when it is behind, and the days whose slots differ.
struct Replan {
  std::vector<NewEvent> events;
  bool crowded = false;  // A day grew beyond the policy's limit. Its slots after the limit are left out.
};
// Without a change: the horizon alone.
Replan replan(const Uuid& expert, const std::optional<schedule::Event>& change, const Context& at, const View& view);

Decision decide(const schedule::AddWindow& c, const Context& at, const View& view);
Decision decide(const schedule::UpdateWindow& c, const Context& at, const View& view);
Decision decide(const schedule::RemoveWindow& c, const Context& at, const View& view);
Decision decide(const schedule::ExtendHorizon& c, const Context& at, const View& view);

std::optional<StreamId> target(const schedule::AddWindow& c);
std::optional<StreamId> target(const schedule::UpdateWindow& c);
std::optional<StreamId> target(const schedule::RemoveWindow& c);
std::optional<StreamId> target(const schedule::ExtendHorizon& c);

void apply(ScheduleState& s, const schedule::WindowAdded& e);
void apply(ScheduleState& s, const schedule::WindowUpdated& e);
void apply(ScheduleState& s, const schedule::WindowRemoved& e);
void apply(ScheduleState& s, const schedule::SessionScheduled& e);
void apply(ScheduleState& s, const schedule::HorizonExtended& e);

// `part` is a window (a removed one shows as inactive, without its times); nil means the schedule itself.
AnyResource represent(const ScheduleState& s, std::uint64_t version, const Uuid& part);
std::vector<Timer> timers(const ScheduleState& s);

}  // namespace guildhall
