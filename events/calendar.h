// What happens to a calendar, and what may be asked of it. Declared once, in events/calendar.fbs.
#pragma once

#include <variant>

#include "calendar_generated.h"

namespace guildhall::calendar {

using BlockSlot = ::calendar::v1::BlockSlotT;
using UnblockSlot = ::calendar::v1::UnblockSlotT;

using SlotsGenerated = ::calendar::v1::SlotsGeneratedT;
using SeatHeld = ::calendar::v1::SeatHeldT;
using SeatReleased = ::calendar::v1::SeatReleasedT;
using OverlapChanged = ::calendar::v1::OverlapChangedT;
using SlotBlocked = ::calendar::v1::SlotBlockedT;
using SlotUnblocked = ::calendar::v1::SlotUnblockedT;

using SlotView = ::calendar::v1::SlotViewT;

using Command = std::variant<BlockSlot, UnblockSlot>;
using Event = std::variant<SlotsGenerated, SeatHeld, SeatReleased, OverlapChanged, SlotBlocked, SlotUnblocked>;
using Resource = std::variant<SlotView>;

}  // namespace guildhall::calendar
