// What happens to a registration, and what may be asked of it. Declared once, in events/registration.fbs.
#pragma once

#include <variant>

#include "registration_generated.h"

namespace guildhall::registration {

using RegisterForWebinar = ::registration::v1::RegisterForWebinarT;
using CancelRegistration = ::registration::v1::CancelRegistrationT;
using JoinWebinar = ::registration::v1::JoinWebinarT;
using ExpireRegistration = ::registration::v1::ExpireRegistrationT;

using RegistrationAdded = ::registration::v1::RegistrationAddedT;
using RegistrationPaid = ::registration::v1::RegistrationPaidT;
using RegistrationExpired = ::registration::v1::RegistrationExpiredT;
using RegistrationFailed = ::registration::v1::RegistrationFailedT;
using RegistrationReinstated = ::registration::v1::RegistrationReinstatedT;
using RegistrationCancelled = ::registration::v1::RegistrationCancelledT;
using RegistrationRefunded = ::registration::v1::RegistrationRefundedT;
using ParticipantJoined = ::registration::v1::ParticipantJoinedT;

using RegistrationView = ::registration::v1::RegistrationViewT;

using Command = std::variant<RegisterForWebinar, CancelRegistration, JoinWebinar, ExpireRegistration>;
using Event = std::variant<RegistrationAdded, RegistrationPaid, RegistrationExpired, RegistrationFailed, RegistrationReinstated,
                           RegistrationCancelled, RegistrationRefunded, ParticipantJoined>;
using Resource = std::variant<RegistrationView>;

}  // namespace guildhall::registration
