// An expert's weekly windows, and the slots that come of them (TU-21..28, A-TU-14..17).
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

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

AnyResource represent(const ScheduleState& s, std::uint64_t version, const Uuid& part);
std::vector<Timer> timers(const ScheduleState& s);

}  // namespace guildhall
