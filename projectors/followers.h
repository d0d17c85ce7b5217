// Who follows whom and how many do (PA-40..44), and who blocks whom (M-13).
#pragma once

#include "projectors/projection.h"

namespace guildhall {

// Of follows that hold.
struct Followers {
  enum : ColumnNo { follower_id, following_id, created_at, last_event_position };
  static const Table& table();
};
// Of accounts that ever followed or were followed. Pairs are of all shards, hence a table of commutative writes: an edge's end
// comes after its beginning, in one shard, so no cut of the log has a negative count (SO-1).
struct FollowTotals {
  enum : ColumnNo { followers_count, following_count, updated_at };
  static const Table& table();
};
struct Blocks {
  enum : ColumnNo { created_at, last_event_position };
  static const Table& table();
};

void project(const RecordHeader& at, const relation::Followed& e, Writes& out);
void project(const RecordHeader& at, const relation::Unfollowed& e, Writes& out);
void project(const RecordHeader& at, const relation::Blocked& e, Writes& out);
void project(const RecordHeader& at, const relation::Unblocked& e, Writes& out);

}  // namespace guildhall
