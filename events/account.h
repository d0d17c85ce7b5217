// What happens to an account, and what may be asked of it. Declared once, in events/account.fbs.
#pragma once

#include <variant>

#include "account_generated.h"

namespace guildhall::account {

using RegisterAccount = ::account::v1::RegisterAccountT;
using UpdateAccount = ::account::v1::UpdateAccountT;
using CreateExpertProfile = ::account::v1::CreateExpertProfileT;
using UpdateExpertProfile = ::account::v1::UpdateExpertProfileT;
using SetAccepting = ::account::v1::SetAcceptingT;
using VerifyExpert = ::account::v1::VerifyExpertT;
using RejectExpert = ::account::v1::RejectExpertT;
using SubmitVerification = ::account::v1::SubmitVerificationT;
using CreateLearnerProfile = ::account::v1::CreateLearnerProfileT;
using UpdateLearnerProfile = ::account::v1::UpdateLearnerProfileT;
using UpdateTradingProfile = ::account::v1::UpdateTradingProfileT;
using BanAccount = ::account::v1::BanAccountT;
using UnbanAccount = ::account::v1::UnbanAccountT;
using AnswerClaim = ::account::v1::AnswerClaimT;

using AccountRegistered = ::account::v1::AccountRegisteredT;
using AccountUpdated = ::account::v1::AccountUpdatedT;
using ExpertProfileCreated = ::account::v1::ExpertProfileCreatedT;
using ExpertProfileUpdated = ::account::v1::ExpertProfileUpdatedT;
using AcceptingSet = ::account::v1::AcceptingSetT;
using ExpertVerified = ::account::v1::ExpertVerifiedT;
using ExpertRejected = ::account::v1::ExpertRejectedT;
using VerificationSubmitted = ::account::v1::VerificationSubmittedT;
using LearnerProfileCreated = ::account::v1::LearnerProfileCreatedT;
using LearnerProfileUpdated = ::account::v1::LearnerProfileUpdatedT;
using TradingProfileUpdated = ::account::v1::TradingProfileUpdatedT;
using AccountBanned = ::account::v1::AccountBannedT;
using AccountUnbanned = ::account::v1::AccountUnbannedT;
using ClaimAbandoned = ::account::v1::ClaimAbandonedT;

using AccountView = ::account::v1::AccountViewT;

using Command = std::variant<RegisterAccount, UpdateAccount, CreateExpertProfile, UpdateExpertProfile, SetAccepting, VerifyExpert,
                             RejectExpert, SubmitVerification, CreateLearnerProfile, UpdateLearnerProfile,
                             UpdateTradingProfile, BanAccount, UnbanAccount, AnswerClaim>;
using Event = std::variant<AccountRegistered, AccountUpdated, ExpertProfileCreated, ExpertProfileUpdated, AcceptingSet,
                           ExpertVerified, ExpertRejected, VerificationSubmitted, LearnerProfileCreated, LearnerProfileUpdated,
                           TradingProfileUpdated, AccountBanned, AccountUnbanned, ClaimAbandoned>;
using Resource = std::variant<AccountView>;

}  // namespace guildhall::account
