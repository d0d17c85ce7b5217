#include "aggregates/claim.h"

#include "aggregates/account.h"

namespace guildhall {
namespace {

using ::claim::v1::Status;

StreamId stream_of(const Uuid& claim) { return {StreamKind::claim, claim}; }

Decision nothing_new(const Uuid& claim) { return Accepted{{}, {stream_of(claim)}}; }

Decision accept(const Uuid& claim, AnyEvent event, bool created = false) {
  Accepted out{{}, {stream_of(claim)}, created};
  out.events.push_back({stream_of(claim), std::move(event)});
  return out;
}

}  // namespace

// ---- decide: all but HoldClaim are sent by reactions and timers, and never reject (design: reactions).

Decision decide(const claim::HoldClaim& c, const Context& at, const View& view) {
  if (!may_act_for(at.actor, c.account_id)) return reject(Code::account_not_found);
  const auto& s = view.get<ClaimState>(c.claim_id);
  const bool is_username = c.kind == claim::username_kind;
  if (s.status != Status::free) {
    if (s.account_id != c.account_id) return reject(is_username ? Code::username_taken : Code::email_taken);
    if (s.hold_id == c.hold_id) return nothing_new(c.claim_id);
    // An email is taken once; but the release of a confirmed username may be on its way.
    if (s.status == Status::confirmed && !is_username) return nothing_new(c.claim_id);
    // The account's next attempt takes the hold over, so that the end of the one before does not take it away.
  }
  claim::ClaimHeld e;
  e.claim_id = c.claim_id;
  e.kind = c.kind;
  e.account_id = c.account_id;
  e.resolve_at = at.now + at.policy.claim_resolve_us;
  e.hold_id = c.hold_id;
  return accept(c.claim_id, std::move(e), true);
}

Decision decide(const claim::ConfirmClaim& c, const Context&, const View& view) {
  const auto& s = view.get<ClaimState>(c.claim_id);
  if (s.status != Status::held || s.account_id != c.account_id) return nothing_new(c.claim_id);
  if (!is_nil(c.hold_id) && s.hold_id != c.hold_id) return nothing_new(c.claim_id);  // A later attempt asks for itself.
  claim::ClaimConfirmed e;
  e.claim_id = c.claim_id;
  e.account_id = c.account_id;
  return accept(c.claim_id, std::move(e));
}

Decision decide(const claim::ReleaseClaim& c, const Context&, const View& view) {
  const auto& s = view.get<ClaimState>(c.claim_id);
  if (s.status == Status::free || s.account_id != c.account_id || s.hold_id != c.hold_id) return nothing_new(c.claim_id);
  claim::ClaimReleased e;
  e.claim_id = c.claim_id;
  e.account_id = c.account_id;
  return accept(c.claim_id, std::move(e));
}

// An unanswered question is asked again: every one of them sets the next timer.
Decision decide(const claim::ResolveClaim& c, const Context& at, const View& view) {
  const auto& s = view.get<ClaimState>(c.claim_id);
  if (s.status != Status::held || s.account_id != c.account_id) return nothing_new(c.claim_id);
  claim::ClaimQueried e;
  e.claim_id = c.claim_id;
  e.account_id = c.account_id;
  e.resolve_at = at.now + at.policy.claim_resolve_us;
  e.hold_id = s.hold_id;
  return accept(c.claim_id, std::move(e));
}

std::optional<StreamId> target(const claim::HoldClaim&) { return std::nullopt; }
std::optional<StreamId> target(const claim::ConfirmClaim& c) { return stream_of(c.claim_id); }
std::optional<StreamId> target(const claim::ReleaseClaim& c) { return stream_of(c.claim_id); }
std::optional<StreamId> target(const claim::ResolveClaim& c) { return stream_of(c.claim_id); }

// ---- apply

void apply(ClaimState& s, const claim::ClaimHeld& e) {
  s.claim_id = e.claim_id;
  s.kind = e.kind;
  s.account_id = e.account_id;
  s.status = Status::held;
  s.resolve_at = e.resolve_at;
  s.hold_id = e.hold_id;
}

void apply(ClaimState& s, const claim::ClaimConfirmed&) {
  s.status = Status::confirmed;
  s.resolve_at = 0;
}

void apply(ClaimState& s, const claim::ClaimReleased&) {
  s.account_id = {};
  s.hold_id = {};
  s.status = Status::free;
  s.resolve_at = 0;
}

void apply(ClaimState& s, const claim::ClaimQueried& e) { s.resolve_at = e.resolve_at; }

AnyResource represent(const ClaimState& s, std::uint64_t version, const Uuid&) {
  claim::ClaimView v;
  v.id = s.claim_id;
  v.version = version;
  v.account_id = s.account_id;
  v.status = s.status;
  return v;
}

std::vector<Timer> timers(const ClaimState& s) {
  if (s.status != Status::held) return {};
  claim::ResolveClaim c;
  c.claim_id = s.claim_id;
  c.account_id = s.account_id;
  return {{"resolve", s.resolve_at, c}};
}

}  // namespace guildhall
