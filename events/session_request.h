// What happens to a learner's wish to take part in a live session, and what may be asked of it. Declared once, in
// events/session_request.fbs.
#pragma once

#include <variant>

#include "session_request_generated.h"

namespace guildhall::session_request {

using RegisterForLiveSession = ::session_request::v1::RegisterForLiveSessionT;
using CancelLiveRegistration = ::session_request::v1::CancelLiveRegistrationT;
using AnswerRequest = ::session_request::v1::AnswerRequestT;
using KeepSeat = ::session_request::v1::KeepSeatT;

using RegistrationRequested = ::session_request::v1::RegistrationRequestedT;
using RequestAnswered = ::session_request::v1::RequestAnsweredT;
using WithdrawalRequested = ::session_request::v1::WithdrawalRequestedT;
using SeatKept = ::session_request::v1::SeatKeptT;

using SessionRequestView = ::session_request::v1::SessionRequestViewT;

using Command = std::variant<RegisterForLiveSession, CancelLiveRegistration, AnswerRequest, KeepSeat>;
using Event = std::variant<RegistrationRequested, RequestAnswered, WithdrawalRequested, SeatKept>;
using Resource = std::variant<SessionRequestView>;

}  // namespace guildhall::session_request
