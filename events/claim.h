// What happens to a claim, and what may be asked of it. Declared once, in events/claim.fbs.
#pragma once

#include <string_view>
#include <variant>

#include "claim_generated.h"

namespace guildhall::claim {

// Kinds of values. Frozen, because claim ids are made from them.
inline constexpr std::string_view email_kind = "email";
inline constexpr std::string_view username_kind = "username";

using HoldClaim = ::claim::v1::HoldClaimT;
using ConfirmClaim = ::claim::v1::ConfirmClaimT;
using ReleaseClaim = ::claim::v1::ReleaseClaimT;
using ResolveClaim = ::claim::v1::ResolveClaimT;

using ClaimHeld = ::claim::v1::ClaimHeldT;
using ClaimConfirmed = ::claim::v1::ClaimConfirmedT;
using ClaimReleased = ::claim::v1::ClaimReleasedT;
using ClaimQueried = ::claim::v1::ClaimQueriedT;

using ClaimView = ::claim::v1::ClaimViewT;

using Command = std::variant<HoldClaim, ConfirmClaim, ReleaseClaim, ResolveClaim>;
using Event = std::variant<ClaimHeld, ClaimConfirmed, ClaimReleased, ClaimQueried>;
using Resource = std::variant<ClaimView>;

}  // namespace guildhall::claim
