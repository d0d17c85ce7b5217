// An expert's UTC day: slots and their seats; no overlap across one expert's sessions (A-TU-3, A-TU-4).
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Decision decide(const calendar::BlockSlot& c, const Context& at, const View& view);
Decision decide(const calendar::UnblockSlot& c, const Context& at, const View& view);

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
