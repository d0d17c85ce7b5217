// What happens to a participant of a live session, and what may be asked of it. Declared once, in events/participant.fbs.
#pragma once

#include <variant>

#include "participant_generated.h"

namespace guildhall::participant {

using AskForSeat = ::participant::v1::AskForSeatT;
using WithdrawFromSession = ::participant::v1::WithdrawFromSessionT;
using JoinLiveSession = ::participant::v1::JoinLiveSessionT;
using LeaveLiveSession = ::participant::v1::LeaveLiveSessionT;
using GiveFeedback = ::participant::v1::GiveFeedbackT;

using RegistrationAdded = ::participant::v1::RegistrationAddedT;
using RegistrationWaitlisted = ::participant::v1::RegistrationWaitlistedT;
using RegistrationRefused = ::participant::v1::RegistrationRefusedT;
using WaitlistPromoted = ::participant::v1::WaitlistPromotedT;
using RegistrationCancelled = ::participant::v1::RegistrationCancelledT;
using WithdrawalRefused = ::participant::v1::WithdrawalRefusedT;
using ParticipantJoined = ::participant::v1::ParticipantJoinedT;
using ParticipantLeft = ::participant::v1::ParticipantLeftT;
using AttendanceMissed = ::participant::v1::AttendanceMissedT;
using FeedbackGiven = ::participant::v1::FeedbackGivenT;

using ParticipantView = ::participant::v1::ParticipantViewT;

using Command = std::variant<AskForSeat, WithdrawFromSession, JoinLiveSession, LeaveLiveSession, GiveFeedback>;
using Event = std::variant<RegistrationAdded, RegistrationWaitlisted, RegistrationRefused, WaitlistPromoted,
                           RegistrationCancelled, WithdrawalRefused, ParticipantJoined, ParticipantLeft, AttendanceMissed,
                           FeedbackGiven>;
using Resource = std::variant<ParticipantView>;

}  // namespace guildhall::participant
