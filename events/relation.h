// What happens between two accounts, and what may be asked of them. Declared once, in events/relation.fbs.
#pragma once

#include <variant>

#include "relation_generated.h"

namespace guildhall::relation {

using Follow = ::relation::v1::FollowT;
using Unfollow = ::relation::v1::UnfollowT;
using RemoveFollower = ::relation::v1::RemoveFollowerT;
using Block = ::relation::v1::BlockT;
using Unblock = ::relation::v1::UnblockT;

using Followed = ::relation::v1::FollowedT;
using Unfollowed = ::relation::v1::UnfollowedT;
using Blocked = ::relation::v1::BlockedT;
using Unblocked = ::relation::v1::UnblockedT;

using RelationView = ::relation::v1::RelationViewT;

using Command = std::variant<Follow, Unfollow, RemoveFollower, Block, Unblock>;
using Event = std::variant<Followed, Unfollowed, Blocked, Unblocked>;
using Resource = std::variant<RelationView>;

}  // namespace guildhall::relation
