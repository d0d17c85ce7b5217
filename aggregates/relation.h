// What two accounts are to each other (PA-40..44, M-13, SO-5): either may follow the other, and either may block the other.
//
// The pair has one stream, in an entity group of its own, with both follows and both blocks: a follow and a block that race are
// decided one after the other, and never leave both. A block ends the follows of both; new ones are refused until both blocks are
// taken back, by one code that does not say who blocks. Everything may be repeated: what holds already is nothing new.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

// Of one account's following another: the same however often it ends and begins anew.
Uuid follow_id_of(const Uuid& follower, const Uuid& following);

Decision decide(const relation::Follow& c, const Context& at, const View& view);
Decision decide(const relation::Unfollow& c, const Context& at, const View& view);
Decision decide(const relation::RemoveFollower& c, const Context& at, const View& view);
Decision decide(const relation::Block& c, const Context& at, const View& view);
Decision decide(const relation::Unblock& c, const Context& at, const View& view);

std::optional<StreamId> target(const relation::Follow& c);
std::optional<StreamId> target(const relation::Unfollow& c);
std::optional<StreamId> target(const relation::RemoveFollower& c);
std::optional<StreamId> target(const relation::Block& c);
std::optional<StreamId> target(const relation::Unblock& c);

void apply(RelationState& s, const relation::Followed& e);
void apply(RelationState& s, const relation::Unfollowed& e);
void apply(RelationState& s, const relation::Blocked& e);
void apply(RelationState& s, const relation::Unblocked& e);

// As the account `part` sees it. The pair has no Location: what is shown there is the same for whoever asks.
AnyResource represent(const RelationState& s, std::uint64_t version, const Uuid& part);

}  // namespace guildhall
