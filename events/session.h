// What happens to a session, and what may be asked of it. Declared once, in events/session.fbs.
#pragma once

#include <variant>

#include "session_generated.h"

namespace guildhall::session {

using CreateSession = ::session::v1::CreateSessionT;
using UpdateSession = ::session::v1::UpdateSessionT;
using ActivateSession = ::session::v1::ActivateSessionT;
using DeactivateSession = ::session::v1::DeactivateSessionT;

using SessionCreated = ::session::v1::SessionCreatedT;
using SessionUpdated = ::session::v1::SessionUpdatedT;
using SessionActivated = ::session::v1::SessionActivatedT;
using SessionDeactivated = ::session::v1::SessionDeactivatedT;
using SessionFirstBooked = ::session::v1::SessionFirstBookedT;

using SessionView = ::session::v1::SessionViewT;

using Command = std::variant<CreateSession, UpdateSession, ActivateSession, DeactivateSession>;
using Event = std::variant<SessionCreated, SessionUpdated, SessionActivated, SessionDeactivated, SessionFirstBooked>;
using Resource = std::variant<SessionView>;

}  // namespace guildhall::session
