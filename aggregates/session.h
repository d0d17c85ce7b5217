// What an expert offers (TU-15..20, TU-38).
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Decision decide(const session::CreateSession& c, const Context& at, const View& view);
Decision decide(const session::UpdateSession& c, const Context& at, const View& view);
Decision decide(const session::ActivateSession& c, const Context& at, const View& view);
Decision decide(const session::DeactivateSession& c, const Context& at, const View& view);

std::optional<StreamId> target(const session::CreateSession& c);
std::optional<StreamId> target(const session::UpdateSession& c);
std::optional<StreamId> target(const session::ActivateSession& c);
std::optional<StreamId> target(const session::DeactivateSession& c);

void apply(SessionState& s, const session::SessionCreated& e);
void apply(SessionState& s, const session::SessionUpdated& e);
void apply(SessionState& s, const session::SessionActivated& e);
void apply(SessionState& s, const session::SessionDeactivated& e);
void apply(SessionState& s, const session::SessionFirstBooked& e);

AnyResource represent(const SessionState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const SessionState& s, const Actor& actor);

}  // namespace guildhall
