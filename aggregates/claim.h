// Who holds a unique value (M-1, design: claims).
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Decision decide(const claim::HoldClaim& c, const Context& at, const View& view);
Decision decide(const claim::ConfirmClaim& c, const Context& at, const View& view);
Decision decide(const claim::ReleaseClaim& c, const Context& at, const View& view);
Decision decide(const claim::ResolveClaim& c, const Context& at, const View& view);

std::optional<StreamId> target(const claim::HoldClaim& c);
std::optional<StreamId> target(const claim::ConfirmClaim& c);
std::optional<StreamId> target(const claim::ReleaseClaim& c);
std::optional<StreamId> target(const claim::ResolveClaim& c);

void apply(ClaimState& s, const claim::ClaimHeld& e);
void apply(ClaimState& s, const claim::ClaimConfirmed& e);
void apply(ClaimState& s, const claim::ClaimReleased& e);
void apply(ClaimState& s, const claim::ClaimQueried& e);

AnyResource represent(const ClaimState& s, std::uint64_t version, const Uuid& part);
std::vector<Timer> timers(const ClaimState& s);

}  // namespace guildhall
