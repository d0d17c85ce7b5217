// What happens to a webinar, and what may be asked of it. Declared once, in events/webinar.fbs.
#pragma once

#include <variant>

#include "webinar_generated.h"

namespace guildhall::webinar {

using ScheduleWebinar = ::webinar::v1::ScheduleWebinarT;
using UpdateWebinar = ::webinar::v1::UpdateWebinarT;
using StartWebinar = ::webinar::v1::StartWebinarT;
using EndWebinar = ::webinar::v1::EndWebinarT;
using CancelWebinar = ::webinar::v1::CancelWebinarT;
using AttachRecording = ::webinar::v1::AttachRecordingT;
using CloseWebinar = ::webinar::v1::CloseWebinarT;
using SettleWebinar = ::webinar::v1::SettleWebinarT;
using TellGuests = ::webinar::v1::TellGuestsT;

using WebinarScheduled = ::webinar::v1::WebinarScheduledT;
using WebinarUpdated = ::webinar::v1::WebinarUpdatedT;
using WebinarStarted = ::webinar::v1::WebinarStartedT;
using WebinarEnded = ::webinar::v1::WebinarEndedT;
using WebinarCancelled = ::webinar::v1::WebinarCancelledT;
using RecordingAttached = ::webinar::v1::RecordingAttachedT;
using RecordingConverted = ::webinar::v1::RecordingConvertedT;
using RegistrationsSettled = ::webinar::v1::RegistrationsSettledT;
using GuestsTold = ::webinar::v1::GuestsToldT;

using WebinarView = ::webinar::v1::WebinarViewT;

using Command = std::variant<ScheduleWebinar, UpdateWebinar, StartWebinar, EndWebinar, CancelWebinar, AttachRecording,
                             CloseWebinar, SettleWebinar, TellGuests>;
using Event = std::variant<WebinarScheduled, WebinarUpdated, WebinarStarted, WebinarEnded, WebinarCancelled, RecordingAttached,
                           RecordingConverted, RegistrationsSettled, GuestsTold>;
using Resource = std::variant<WebinarView>;

}  // namespace guildhall::webinar
