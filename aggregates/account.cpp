#include "aggregates/account.h"

#include <algorithm>
#include <optional>

namespace guildhall {
namespace {

using ::account::v1::Role;
using ::account::v1::Status;
using ::account::v1::Verification;

StreamId stream_of(const Uuid& account) { return {StreamKind::account, account}; }

Decision nothing_new(const Uuid& account) { return Accepted{{}, {stream_of(account)}}; }

Decision accept(const Uuid& account, std::vector<AnyEvent> events, bool created = false) {
  Accepted out{{}, {stream_of(account)}, created};
  for (auto& e : events) out.events.push_back({stream_of(account), std::move(e)});
  return out;
}

// The account that a command names, unless it is absent or another's.
const AccountState* own(const Uuid& account, const Context& at, const View& view) {
  const auto& s = view.get<AccountState>(account);
  return is_registered(s) && may_act_for(at.actor, account) ? &s : nullptr;
}

bool is_abandoned(const AccountState& s, const Uuid& hold) {
  return std::ranges::find(s.abandoned_holds, hold) != s.abandoned_holds.end();
}

bool is_supported(const std::string& currency, const PlatformPolicy& policy) {
  return std::ranges::find(policy.currencies, currency) != policy.currencies.end();
}

template <class Profile>  // A command or an event: both carry the profile that every account has.
bool has_profile(const AccountState& s, const Profile& p) {
  return s.display_name == p.display_name && s.timezone == p.timezone && s.first_name == p.first_name &&
         s.last_name == p.last_name && s.avatar_url == p.avatar_url;
}

template <class To, class From>
void copy_profile(To& to, const From& from) {
  to.display_name = from.display_name;
  to.timezone = from.timezone;
  to.first_name = from.first_name;
  to.last_name = from.last_name;
  to.avatar_url = from.avatar_url;
}

template <class To, class From>
void copy_expert_profile(To& to, const From& from) {
  to.bio = from.bio;
  to.expertise_areas = from.expertise_areas;
  to.hourly_rate_cents = from.hourly_rate_cents;
}

template <class To, class From>
void copy_learner_profile(To& to, const From& from) {
  to.learning_goals = from.learning_goals;
  to.interests = from.interests;
  to.experience_level = from.experience_level;
  to.preferred_session_duration = from.preferred_session_duration;
}

template <class To, class From>
void copy_trading_profile(To& to, const From& from) {
  to.bio = from.bio;
  to.preferred_language = from.preferred_language;
  to.trading_experience = from.trading_experience;
  to.trading_goals = from.trading_goals;
}

account::ExpertProfileCreated new_expert_profile(const Uuid& account, const PlatformPolicy& policy) {
  account::ExpertProfileCreated e;
  e.account_id = account;
  e.currency = policy.default_currency;
  return e;
}

account::LearnerProfileCreated new_learner_profile(const Uuid& account) {
  account::LearnerProfileCreated e;
  e.account_id = account;
  return e;
}

}  // namespace

std::optional<Code> buyer_refusal(const Uuid& buyer, const Uuid& seller, const Context& at, const View& view) {
  const auto fact = view.directory().account(buyer);
  if (!fact || !may_act_for(at.actor, buyer)) return Code::account_not_found;
  if (fact->status != ::account::v1::Status::active) return Code::account_banned;
  if (buyer == seller) return Code::own_offer;
  if (view.get<AccountState>(seller).status != ::account::v1::Status::active) return Code::seller_unavailable;
  return std::nullopt;
}

// ---- decide

Decision decide(const account::RegisterAccount& c, const Context& at, const View& view) {
  const Uuid id = is_nil(c.id) ? at.mint("account") : c.id;
  if (!may_act_for(at.actor, id)) return reject(Code::account_not_found);
  const auto& s = view.get<AccountState>(id);
  if (is_registered(s)) {
    if (s.email == c.email && s.role == c.role && has_profile(s, c)) return nothing_new(id);
    return reject(Code::already_registered);
  }
  if (std::ranges::find(at.policy.roles, ::account::v1::EnumNameRole(c.role)) == at.policy.roles.end())
    return reject(Code::role_not_allowed);
  const bool privileged = c.role == Role::admin || c.role == Role::super_admin || c.role == Role::author;  // PA-104
  if (privileged && !at.actor.trusted()) return reject(Code::role_not_allowed);
  if (is_abandoned(s, c.email_hold_id)) return reject(Code::claim_abandoned);
  if (!at.zones.known(c.timezone)) return reject(Code::unknown_time_zone, c.timezone);

  account::AccountRegistered registered;
  registered.account_id = id;
  registered.email = c.email;
  registered.email_claim_id = c.email_claim_id;
  registered.role = c.role;
  copy_profile(registered, c);
  std::vector<AnyEvent> events;
  events.reserve(2);
  events.emplace_back(std::move(registered));
  if (c.role == Role::expert) events.emplace_back(new_expert_profile(id, at.policy));
  if (c.role == Role::learner) events.emplace_back(new_learner_profile(id));
  Accepted accepted = accept(id, std::move(events), true).value();
  // PA-15, M-12: in the same decision, so that no account is ever without them.
  if (at.policy.has("subscription"))
    accepted.events.push_back({{StreamKind::subscription, id}, subscription::SubscriptionStarted{.account_id = id}});
  if (at.policy.has("wallet"))
    accepted.events.push_back(
        {{StreamKind::wallet, id}, wallet::WalletOpened{.wallet_id = id, .currency = at.policy.default_currency}});
  return accepted;
}

Decision decide(const account::UpdateAccount& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::account_not_found);
  if (has_profile(*s, c)) return nothing_new(c.account_id);
  if (is_held_back(at.actor, *s)) return reject(Code::account_banned);
  if (!at.zones.known(c.timezone)) return reject(Code::unknown_time_zone, c.timezone);
  account::AccountUpdated e;
  e.account_id = c.account_id;
  copy_profile(e, c);
  return accept(c.account_id, {std::move(e)});
}

Decision decide(const account::CreateExpertProfile& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::account_not_found);
  if (s->is_expert) return nothing_new(c.account_id);
  if (is_held_back(at.actor, *s)) return reject(Code::account_banned);
  return accept(c.account_id, {new_expert_profile(c.account_id, at.policy)}, true);
}

Decision decide(const account::UpdateExpertProfile& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s || !s->is_expert) return reject(Code::expert_not_found);
  account::ExpertProfileUpdated e;
  e.account_id = c.account_id;
  copy_expert_profile(e, c);
  e.currency = c.currency.empty() ? s->currency : c.currency;
  if (s->bio == e.bio && s->expertise_areas == e.expertise_areas && s->hourly_rate_cents == e.hourly_rate_cents &&
      s->currency == e.currency)
    return nothing_new(c.account_id);
  if (is_held_back(at.actor, *s)) return reject(Code::account_banned);
  if (e.currency != s->currency && !is_supported(e.currency, at.policy)) return reject(Code::currency_not_supported, e.currency);
  return accept(c.account_id, {std::move(e)});
}

Decision decide(const account::SetAccepting& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s || !s->is_expert) return reject(Code::expert_not_found);
  if (s->accepting == c.accepting) return nothing_new(c.account_id);
  if (is_held_back(at.actor, *s)) return reject(Code::account_banned);
  account::AcceptingSet e;
  e.account_id = c.account_id;
  e.accepting = c.accepting;
  return accept(c.account_id, {std::move(e)});
}

Decision decide(const account::VerifyExpert& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  const auto* s = own(c.account_id, at, view);
  if (!s || !s->is_expert) return reject(Code::expert_not_found);
  if (s->verification == Verification::verified) return nothing_new(c.account_id);
  if (s->verification != Verification::pending) return reject(Code::verification_decided);
  account::ExpertVerified e;
  e.account_id = c.account_id;
  return accept(c.account_id, {std::move(e)});
}

Decision decide(const account::RejectExpert& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  const auto* s = own(c.account_id, at, view);
  if (!s || !s->is_expert) return reject(Code::expert_not_found);
  if (s->verification == Verification::rejected) return nothing_new(c.account_id);
  if (s->verification != Verification::pending) return reject(Code::verification_decided);
  account::ExpertRejected e;
  e.account_id = c.account_id;
  e.reason = c.reason;
  return accept(c.account_id, {std::move(e)});
}

Decision decide(const account::SubmitVerification& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s || !s->is_expert) return reject(Code::expert_not_found);
  if (s->verification == Verification::pending) return nothing_new(c.account_id);
  if (is_held_back(at.actor, *s)) return reject(Code::account_banned);
  if (s->verification != Verification::rejected) return reject(Code::verification_decided);
  account::VerificationSubmitted e;
  e.account_id = c.account_id;
  return accept(c.account_id, {std::move(e)});
}

Decision decide(const account::CreateLearnerProfile& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::account_not_found);
  if (s->is_learner) return nothing_new(c.account_id);
  if (is_held_back(at.actor, *s)) return reject(Code::account_banned);
  return accept(c.account_id, {new_learner_profile(c.account_id)}, true);
}

Decision decide(const account::UpdateLearnerProfile& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s || !s->is_learner) return reject(Code::learner_not_found);
  if (s->learning_goals == c.learning_goals && s->interests == c.interests && s->experience_level == c.experience_level &&
      s->preferred_session_duration == c.preferred_session_duration)
    return nothing_new(c.account_id);
  if (is_held_back(at.actor, *s)) return reject(Code::account_banned);
  account::LearnerProfileUpdated e;
  e.account_id = c.account_id;
  copy_learner_profile(e, c);
  return accept(c.account_id, {std::move(e)});
}

Decision decide(const account::UpdateTradingProfile& c, const Context& at, const View& view) {
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::account_not_found);
  if (s->bio == c.bio && s->preferred_language == c.preferred_language && s->trading_experience == c.trading_experience &&
      s->trading_goals == c.trading_goals)
    return nothing_new(c.account_id);
  if (is_held_back(at.actor, *s)) return reject(Code::account_banned);
  account::TradingProfileUpdated e;
  e.account_id = c.account_id;
  copy_trading_profile(e, c);
  return accept(c.account_id, {std::move(e)});
}

Decision decide(const account::BanAccount& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::account_not_found);
  if (s->status == Status::banned) return nothing_new(c.account_id);
  account::AccountBanned e;
  e.account_id = c.account_id;
  e.reason = c.reason;
  return accept(c.account_id, {std::move(e)});
}

Decision decide(const account::UnbanAccount& c, const Context& at, const View& view) {
  if (!at.actor.trusted()) return reject(Code::admin_only);
  const auto* s = own(c.account_id, at, view);
  if (!s) return reject(Code::account_not_found);
  if (s->status != Status::banned) return nothing_new(c.account_id);
  account::AccountUnbanned e;
  e.account_id = c.account_id;
  return accept(c.account_id, {std::move(e)});
}

// Sent by the claim's reaction, so it never rejects (design: reactions).
Decision decide(const account::AnswerClaim& c, const Context&, const View& view) {
  const auto& s = view.get<AccountState>(c.account_id);
  // The registration told the claim in its own append, and that message arrives exactly once: it is under way, no second one is
  // due.
  if (is_registered(s) && s.email_claim_id == c.claim_id) return nothing_new(c.account_id);
  if (is_abandoned(s, c.hold_id)) return nothing_new(c.account_id);
  account::ClaimAbandoned e;
  e.account_id = c.account_id;
  e.claim_id = c.claim_id;
  e.hold_id = c.hold_id;
  return accept(c.account_id, {std::move(e)});
}

std::optional<StreamId> target(const account::RegisterAccount&) { return std::nullopt; }
std::optional<StreamId> target(const account::UpdateAccount& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::CreateExpertProfile& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::UpdateExpertProfile& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::SetAccepting& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::VerifyExpert& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::RejectExpert& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::SubmitVerification& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::CreateLearnerProfile& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::UpdateLearnerProfile& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::UpdateTradingProfile& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::BanAccount& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::UnbanAccount& c) { return stream_of(c.account_id); }
std::optional<StreamId> target(const account::AnswerClaim& c) { return stream_of(c.account_id); }

// ---- apply

void apply(AccountState& s, const account::AccountRegistered& e) {
  s.account_id = e.account_id;
  s.email = e.email;
  s.email_claim_id = e.email_claim_id;
  s.role = e.role;
  s.status = Status::active;
  copy_profile(s, e);
}

void apply(AccountState& s, const account::AccountUpdated& e) { copy_profile(s, e); }

void apply(AccountState& s, const account::ExpertProfileCreated& e) {
  s.is_expert = true;
  s.accepting = true;
  s.verification = Verification::pending;
  s.currency = e.currency;
}

void apply(AccountState& s, const account::ExpertProfileUpdated& e) {
  copy_expert_profile(s, e);
  s.currency = e.currency;
}

void apply(AccountState& s, const account::AcceptingSet& e) { s.accepting = e.accepting; }
void apply(AccountState& s, const account::ExpertVerified&) { s.verification = Verification::verified; }
void apply(AccountState& s, const account::ExpertRejected&) { s.verification = Verification::rejected; }
void apply(AccountState& s, const account::VerificationSubmitted&) { s.verification = Verification::pending; }
void apply(AccountState& s, const account::LearnerProfileCreated&) { s.is_learner = true; }
void apply(AccountState& s, const account::LearnerProfileUpdated& e) { copy_learner_profile(s, e); }
void apply(AccountState& s, const account::TradingProfileUpdated& e) { copy_trading_profile(s, e); }
void apply(AccountState& s, const account::AccountBanned&) { s.status = Status::banned; }
void apply(AccountState& s, const account::AccountUnbanned&) { s.status = Status::active; }

void apply(AccountState& s, const account::ClaimAbandoned& e) {
  if (s.abandoned_holds.size() == max_abandoned_holds) s.abandoned_holds.erase(s.abandoned_holds.begin());
  s.abandoned_holds.push_back(e.hold_id);
}

std::optional<AccountFact> fact_of(const AccountState& s) {
  if (!is_registered(s)) return std::nullopt;
  return AccountFact{s.role, s.status, s.is_expert, s.is_learner};
}

// An account whose registration lapsed has a stream, but is none.
bool shows_to(const AccountState& s, const Actor& actor) { return is_registered(s) && may_act_for(actor, s.account_id); }

AnyResource represent(const AccountState& s, std::uint64_t version, const Uuid&) {
  account::AccountView v;
  v.id = s.account_id;
  v.version = version;
  v.email = s.email;
  copy_profile(v, s);
  v.role = s.role;
  v.status = s.status;
  v.is_expert = s.is_expert;
  v.is_learner = s.is_learner;
  v.accepting = s.accepting;
  if (s.is_expert) v.verification_status = s.verification;
  return v;
}

}  // namespace guildhall
