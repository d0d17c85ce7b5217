#include "projectors/followers.h"

namespace guildhall {
namespace {

void count(const RecordHeader& at, const Uuid& account, ColumnNo column, std::int64_t delta, Writes& out) {
  out.upsert(FollowTotals::table(), {account}).add(column, delta).greatest(FollowTotals::updated_at, at.time);
}

template <class Event>
void count_edge(const RecordHeader& at, const Event& e, std::int64_t delta, Writes& out) {
  count(at, e.following_id, FollowTotals::followers_count, delta, out);
  count(at, e.follower_id, FollowTotals::following_count, delta, out);
}

}  // namespace

const Table& Followers::table() {
  static const Table table{"followers",
                           {{"follow_id", ColumnType::uuid}},
                           {{"follower_id", ColumnType::uuid},
                            {"following_id", ColumnType::uuid},
                            {"created_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& FollowTotals::table() {
  static const Table table{"follow_totals",
                           {{"account_id", ColumnType::uuid}},
                           {{"followers_count", ColumnType::int8, std::int64_t{0}},
                            {"following_count", ColumnType::int8, std::int64_t{0}},
                            {"updated_at", ColumnType::timestamptz}}};
  return table;
}

const Table& Blocks::table() {
  static const Table table{"blocks",
                           {{"blocker_id", ColumnType::uuid}, {"blocked_id", ColumnType::uuid}},
                           {{"created_at", ColumnType::timestamptz}, {"last_event_position", ColumnType::int8}}};
  return table;
}

void project(const RecordHeader& at, const relation::Followed& e, Writes& out) {
  out.insert(Followers::table(), {e.follow_id})
      .set(Followers::follower_id, e.follower_id)
      .set(Followers::following_id, e.following_id)
      .set(Followers::created_at, at.time)
      .set(Followers::last_event_position, position_of(at));
  count_edge(at, e, 1, out);
}

void project(const RecordHeader& at, const relation::Unfollowed& e, Writes& out) {
  out.erase(Followers::table(), {e.follow_id});
  count_edge(at, e, -1, out);
}

void project(const RecordHeader& at, const relation::Blocked& e, Writes& out) {
  out.insert(Blocks::table(), {e.blocker_id, e.blocked_id})
      .set(Blocks::created_at, at.time)
      .set(Blocks::last_event_position, position_of(at));
}

void project(const RecordHeader&, const relation::Unblocked& e, Writes& out) {
  out.erase(Blocks::table(), {e.blocker_id, e.blocked_id});
}

}  // namespace guildhall
