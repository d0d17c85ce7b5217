#include "aggregates/relation.h"

#include "aggregates/account.h"

namespace guildhall {
namespace {

using namespace relation;
using ::relation::v1::EndedBy;

StreamId stream_of(const Uuid& one, const Uuid& other) { return {StreamKind::relation, pair_id(one, other)}; }

// The reply shows the pair as `who` sees it.
Accepted nothing_new(const Uuid& who, const Uuid& other) { return {.subject = {stream_of(who, other), who}}; }

Accepted accept(const Uuid& who, const Uuid& other, AnyEvent event) {
  Accepted out = nothing_new(who, other);
  out.events.push_back({out.subject.stream, std::move(event)});
  return out;
}

bool follows(const RelationState& s, const Uuid& who) { return who == s.low_id ? s.low_follows : s.high_follows; }
bool blocks(const RelationState& s, const Uuid& who) { return who == s.low_id ? s.low_blocks : s.high_blocks; }

template <class Event>
Event of(const Uuid& follower, const Uuid& following) {
  Event e;
  e.relation_id = pair_id(follower, following);
  e.follow_id = follow_id_of(follower, following);
  e.follower_id = follower;
  e.following_id = following;
  return e;
}

Unfollowed ended(const Uuid& follower, const Uuid& following, EndedBy by) {
  auto e = of<Unfollowed>(follower, following);
  e.ended_by = by;
  return e;
}

// Both are registered, and are two. Neither need be of this group: the directory says what is known of them.
std::optional<Code> party_refusal(const Uuid& who, const Uuid& other, const Context& at, const View& view) {
  if (!may_act_for(at.actor, who) || !view.directory().account(who) || !view.directory().account(other))
    return Code::account_not_found;
  if (who == other) return Code::own_account;
  return std::nullopt;
}

bool is_banned(const Uuid& who, const View& view) {
  const auto fact = view.directory().account(who);
  return fact && fact->status == ::account::v1::Status::banned;
}
bool is_held_back(const Uuid& who, const Context& at, const View& view) { return !at.actor.trusted() && is_banned(who, view); }

// `who` ends a follow of theirs, or one of them.
Decision end_follow(const Uuid& who, const Uuid& other, const Uuid& follower, EndedBy by, const Context& at, const View& view) {
  if (const auto code = party_refusal(who, other, at, view)) return reject(*code);
  const auto& s = view.get<RelationState>(pair_id(who, other));
  if (!follows(s, follower)) return nothing_new(who, other);
  if (is_held_back(who, at, view)) return reject(Code::account_banned);
  return accept(who, other, ended(follower, follower == who ? other : who, by));
}

}  // namespace

Uuid follow_id_of(const Uuid& follower, const Uuid& following) {
  std::string edge;
  append_bytes(edge, follower);
  append_bytes(edge, following);
  return with_bucket(derive_root("follow", edge), bucket_of(pair_id(follower, following)));
}

// ---- decide

Decision decide(const Follow& c, const Context& at, const View& view) {
  if (const auto code = party_refusal(c.follower_id, c.following_id, at, view)) return reject(*code);
  const auto& s = view.get<RelationState>(pair_id(c.follower_id, c.following_id));
  if (follows(s, c.follower_id)) return nothing_new(c.follower_id, c.following_id);
  if (is_held_back(c.follower_id, at, view)) return reject(Code::account_banned);
  if (s.low_blocks || s.high_blocks) return reject(Code::pair_blocked);
  if (is_banned(c.following_id, view)) return reject(Code::account_not_active);
  return accept(c.follower_id, c.following_id, of<Followed>(c.follower_id, c.following_id));
}

Decision decide(const Unfollow& c, const Context& at, const View& view) {
  return end_follow(c.follower_id, c.following_id, c.follower_id, EndedBy::follower, at, view);
}

Decision decide(const RemoveFollower& c, const Context& at, const View& view) {
  return end_follow(c.following_id, c.follower_id, c.follower_id, EndedBy::followed, at, view);
}

Decision decide(const Block& c, const Context& at, const View& view) {
  if (const auto code = party_refusal(c.blocker_id, c.blocked_id, at, view)) return reject(*code);
  const Uuid id = pair_id(c.blocker_id, c.blocked_id);
  const auto& s = view.get<RelationState>(id);
  if (blocks(s, c.blocker_id)) return nothing_new(c.blocker_id, c.blocked_id);
  if (is_held_back(c.blocker_id, at, view)) return reject(Code::account_banned);
  Accepted out = nothing_new(c.blocker_id, c.blocked_id);
  const auto end = [&](const Uuid& follower, const Uuid& following) {
    if (follows(s, follower)) out.events.push_back({out.subject.stream, ended(follower, following, EndedBy::block)});
  };
  end(c.blocker_id, c.blocked_id);
  end(c.blocked_id, c.blocker_id);
  out.events.push_back(
      {out.subject.stream, Blocked{.relation_id = id, .blocker_id = c.blocker_id, .blocked_id = c.blocked_id}});
  return out;
}

Decision decide(const Unblock& c, const Context& at, const View& view) {
  if (const auto code = party_refusal(c.blocker_id, c.blocked_id, at, view)) return reject(*code);
  const Uuid id = pair_id(c.blocker_id, c.blocked_id);
  if (!blocks(view.get<RelationState>(id), c.blocker_id)) return nothing_new(c.blocker_id, c.blocked_id);
  if (is_held_back(c.blocker_id, at, view)) return reject(Code::account_banned);
  return accept(c.blocker_id, c.blocked_id,
                Unblocked{.relation_id = id, .blocker_id = c.blocker_id, .blocked_id = c.blocked_id});
}

std::optional<StreamId> target(const Follow& c) { return stream_of(c.follower_id, c.following_id); }
std::optional<StreamId> target(const Unfollow& c) { return stream_of(c.follower_id, c.following_id); }
std::optional<StreamId> target(const RemoveFollower& c) { return stream_of(c.follower_id, c.following_id); }
std::optional<StreamId> target(const Block& c) { return stream_of(c.blocker_id, c.blocked_id); }
std::optional<StreamId> target(const Unblock& c) { return stream_of(c.blocker_id, c.blocked_id); }

// ---- apply

namespace {

void name_pair(RelationState& s, const Uuid& id, const Uuid& one, const Uuid& other) {
  const bool ordered = UuidLess{}(one, other);
  s.relation_id = id;
  s.low_id = ordered ? one : other;
  s.high_id = ordered ? other : one;
}

void set_follows(RelationState& s, const Uuid& who, bool now) { (who == s.low_id ? s.low_follows : s.high_follows) = now; }
void set_blocks(RelationState& s, const Uuid& who, bool now) { (who == s.low_id ? s.low_blocks : s.high_blocks) = now; }

}  // namespace

void apply(RelationState& s, const Followed& e) {
  name_pair(s, e.relation_id, e.follower_id, e.following_id);
  set_follows(s, e.follower_id, true);
}
void apply(RelationState& s, const Unfollowed& e) { set_follows(s, e.follower_id, false); }

void apply(RelationState& s, const Blocked& e) {
  name_pair(s, e.relation_id, e.blocker_id, e.blocked_id);
  set_blocks(s, e.blocker_id, true);
}
void apply(RelationState& s, const Unblocked& e) { set_blocks(s, e.blocker_id, false); }

// ---- reply

AnyResource represent(const RelationState& s, std::uint64_t version, const Uuid& part) {
  const Uuid& other = part == s.low_id ? s.high_id : s.low_id;
  return RelationView{.id = s.relation_id,
                      .version = version,
                      .account_id = part,
                      .other_id = other,
                      .is_following = follows(s, part),
                      .is_followed = follows(s, other),
                      .is_connected = s.low_follows && s.high_follows,
                      .is_blocking = blocks(s, part)};
}

}  // namespace guildhall
