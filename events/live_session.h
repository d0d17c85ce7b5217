// What happens to a live session, and what may be asked of it. Declared once, in events/live_session.fbs.
#pragma once

#include <variant>

#include "live_session_generated.h"

namespace guildhall::live_session {

using ScheduleLiveSession = ::live_session::v1::ScheduleLiveSessionT;
using UpdateLiveSession = ::live_session::v1::UpdateLiveSessionT;
using StartLiveSession = ::live_session::v1::StartLiveSessionT;
using EndLiveSession = ::live_session::v1::EndLiveSessionT;
using CancelLiveSession = ::live_session::v1::CancelLiveSessionT;
using AttachLiveRecording = ::live_session::v1::AttachLiveRecordingT;
using CloseLiveSession = ::live_session::v1::CloseLiveSessionT;
using SettleLiveSession = ::live_session::v1::SettleLiveSessionT;

using LiveSessionScheduled = ::live_session::v1::LiveSessionScheduledT;
using LiveSessionUpdated = ::live_session::v1::LiveSessionUpdatedT;
using LiveSessionStarted = ::live_session::v1::LiveSessionStartedT;
using LiveSessionEnded = ::live_session::v1::LiveSessionEndedT;
using LiveSessionCancelled = ::live_session::v1::LiveSessionCancelledT;
using LiveRecordingAttached = ::live_session::v1::LiveRecordingAttachedT;
using SeatTaken = ::live_session::v1::SeatTakenT;
using SeatReleased = ::live_session::v1::SeatReleasedT;
using PlaceTaken = ::live_session::v1::PlaceTakenT;
using PlaceReleased = ::live_session::v1::PlaceReleasedT;
using ParticipantsSettled = ::live_session::v1::ParticipantsSettledT;

using LiveSessionView = ::live_session::v1::LiveSessionViewT;

using Command = std::variant<ScheduleLiveSession, UpdateLiveSession, StartLiveSession, EndLiveSession, CancelLiveSession,
                             AttachLiveRecording, CloseLiveSession, SettleLiveSession>;
using Event = std::variant<LiveSessionScheduled, LiveSessionUpdated, LiveSessionStarted, LiveSessionEnded, LiveSessionCancelled,
                           LiveRecordingAttached, SeatTaken, SeatReleased, PlaceTaken, PlaceReleased, ParticipantsSettled>;
using Resource = std::variant<LiveSessionView>;

}  // namespace guildhall::live_session
