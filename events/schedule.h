// What happens to a schedule, and what may be asked of it. Declared once, in events/schedule.fbs.
#pragma once

#include <variant>

#include "schedule_generated.h"

namespace guildhall::schedule {

using AddWindow = ::schedule::v1::AddWindowT;
using UpdateWindow = ::schedule::v1::UpdateWindowT;
using RemoveWindow = ::schedule::v1::RemoveWindowT;
using ExtendHorizon = ::schedule::v1::ExtendHorizonT;

using WindowAdded = ::schedule::v1::WindowAddedT;
using WindowUpdated = ::schedule::v1::WindowUpdatedT;
using WindowRemoved = ::schedule::v1::WindowRemovedT;
using SessionScheduled = ::schedule::v1::SessionScheduledT;
using HorizonExtended = ::schedule::v1::HorizonExtendedT;

using WindowView = ::schedule::v1::WindowViewT;
using ScheduleView = ::schedule::v1::ScheduleViewT;

using Command = std::variant<AddWindow, UpdateWindow, RemoveWindow, ExtendHorizon>;
using Event = std::variant<WindowAdded, WindowUpdated, WindowRemoved, SessionScheduled, HorizonExtended>;
using Resource = std::variant<WindowView, ScheduleView>;

}  // namespace guildhall::schedule
