// An account as a person: registration, profiles, verification, bans (TU-2..14).
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

// Claims that one account may have let lapse and is still held to. Older ones are forgotten: a registration would have to be
// hours late.
inline constexpr std::size_t max_abandoned_holds = 64;

// Registered, and not just known by a claim that it let lapse.
inline bool is_registered(const AccountState& s) { return !is_nil(s.account_id); }

// A user acts for itself only; to everybody else its things look absent.
inline bool may_act_for(const Actor& actor, const Uuid& account) { return actor.trusted() || actor.is(account); }

// A banned account changes nothing; the service and admins still may on its behalf.
inline bool is_held_back(const Actor& actor, const AccountState& s) {
  return s.status == ::account::v1::Status::banned && !actor.trusted();
}

// Why somebody may not buy from a seller of this group, or register with one; nullopt: they may. The buyer's account may be of
// another group: the directory says what is known of it.
std::optional<Code> buyer_refusal(const Uuid& buyer, const Uuid& seller, const Context& at, const View& view);

Decision decide(const account::RegisterAccount& c, const Context& at, const View& view);
Decision decide(const account::UpdateAccount& c, const Context& at, const View& view);
Decision decide(const account::CreateExpertProfile& c, const Context& at, const View& view);
Decision decide(const account::UpdateExpertProfile& c, const Context& at, const View& view);
Decision decide(const account::SetAccepting& c, const Context& at, const View& view);
Decision decide(const account::VerifyExpert& c, const Context& at, const View& view);
Decision decide(const account::RejectExpert& c, const Context& at, const View& view);
Decision decide(const account::SubmitVerification& c, const Context& at, const View& view);
Decision decide(const account::CreateLearnerProfile& c, const Context& at, const View& view);
Decision decide(const account::UpdateLearnerProfile& c, const Context& at, const View& view);
Decision decide(const account::UpdateTradingProfile& c, const Context& at, const View& view);
Decision decide(const account::BanAccount& c, const Context& at, const View& view);
Decision decide(const account::UnbanAccount& c, const Context& at, const View& view);
Decision decide(const account::AnswerClaim& c, const Context& at, const View& view);

std::optional<StreamId> target(const account::RegisterAccount& c);
std::optional<StreamId> target(const account::UpdateAccount& c);
std::optional<StreamId> target(const account::CreateExpertProfile& c);
std::optional<StreamId> target(const account::UpdateExpertProfile& c);
std::optional<StreamId> target(const account::SetAccepting& c);
std::optional<StreamId> target(const account::VerifyExpert& c);
std::optional<StreamId> target(const account::RejectExpert& c);
std::optional<StreamId> target(const account::SubmitVerification& c);
std::optional<StreamId> target(const account::CreateLearnerProfile& c);
std::optional<StreamId> target(const account::UpdateLearnerProfile& c);
std::optional<StreamId> target(const account::UpdateTradingProfile& c);
std::optional<StreamId> target(const account::BanAccount& c);
std::optional<StreamId> target(const account::UnbanAccount& c);
std::optional<StreamId> target(const account::AnswerClaim& c);

void apply(AccountState& s, const account::AccountRegistered& e);
void apply(AccountState& s, const account::AccountUpdated& e);
void apply(AccountState& s, const account::ExpertProfileCreated& e);
void apply(AccountState& s, const account::ExpertProfileUpdated& e);
void apply(AccountState& s, const account::AcceptingSet& e);
void apply(AccountState& s, const account::ExpertVerified& e);
void apply(AccountState& s, const account::ExpertRejected& e);
void apply(AccountState& s, const account::VerificationSubmitted& e);
void apply(AccountState& s, const account::LearnerProfileCreated& e);
void apply(AccountState& s, const account::LearnerProfileUpdated& e);
void apply(AccountState& s, const account::TradingProfileUpdated& e);
void apply(AccountState& s, const account::AccountBanned& e);
void apply(AccountState& s, const account::AccountUnbanned& e);
void apply(AccountState& s, const account::ClaimAbandoned& e);

// None of an account that is not registered: a lapsed claim leaves a stream too.
std::optional<AccountFact> fact_of(const AccountState& s);
AnyResource represent(const AccountState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const AccountState& s, const Actor& actor);

}  // namespace guildhall
