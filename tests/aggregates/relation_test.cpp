// Follows and blocks: PA-40..44, M-13, SO-1, SO-5.
#include "aggregates/relation.h"

#include <random>
#include <set>

#include "tests/aggregates/given.h"

namespace guildhall::testing {
namespace {

using namespace relation;
using ::relation::v1::EndedBy;

class Relation : public Given {
 public:
  // Each in a group of its own, as accounts are.
  const Uuid ana = id_of("ana", 11), bo = id_of("bo", 22), cy = id_of("cy", 33), eve = id_of("eve", 44);

  Relation() {
    for (const Uuid& who : {ana, bo, cy}) {
      account::AccountRegistered e;
      e.account_id = who;
      e.role = ::account::v1::Role::member;
      given({e});
    }
  }

  static Follow follow(const Uuid& who, const Uuid& whom) { return {.follower_id = who, .following_id = whom}; }
  static Unfollow unfollow(const Uuid& who, const Uuid& whom) { return {.follower_id = who, .following_id = whom}; }
  static RemoveFollower remove(const Uuid& who, const Uuid& follower) { return {.following_id = who, .follower_id = follower}; }
  static Block block(const Uuid& who, const Uuid& whom) { return {.blocker_id = who, .blocked_id = whom}; }
  static Unblock unblock(const Uuid& who, const Uuid& whom) { return {.blocker_id = who, .blocked_id = whom}; }

  static Followed followed(const Uuid& who, const Uuid& whom) {
    return {.relation_id = pair_id(who, whom), .follow_id = follow_id_of(who, whom), .follower_id = who, .following_id = whom};
  }
  static Unfollowed unfollowed(const Uuid& who, const Uuid& whom, EndedBy by) {
    return {.relation_id = pair_id(who, whom),
            .follow_id = follow_id_of(who, whom),
            .follower_id = who,
            .following_id = whom,
            .ended_by = by};
  }
  static Blocked blocked(const Uuid& who, const Uuid& whom) {
    return {.relation_id = pair_id(who, whom), .blocker_id = who, .blocked_id = whom};
  }
  static Unblocked unblocked(const Uuid& who, const Uuid& whom) {
    return {.relation_id = pair_id(who, whom), .blocker_id = who, .blocked_id = whom};
  }

  Outcome send(const Uuid& who, const AnyCommand& c) { return as(user(who)).when(c); }
  RelationView seen_by(const Uuid& who, const Uuid& other) const {
    return resource<RelationView>({{StreamKind::relation, pair_id(who, other)}, who});
  }
  void ban(const Uuid& who) {
    account::AccountBanned e;
    e.account_id = who;
    given({e});
  }
};

TEST_F(Relation, the_pair_is_the_root_whoever_is_named_first) {  // design: identity
  EXPECT_EQ(pair_id(ana, bo), pair_id(bo, ana));
  EXPECT_FALSE(pair_id(ana, bo) == pair_id(ana, cy));
  EXPECT_FALSE(follow_id_of(ana, bo) == follow_id_of(bo, ana));
  EXPECT_EQ(bucket_of(follow_id_of(ana, bo)), bucket_of(pair_id(ana, bo)));
  EXPECT_EQ(to_string(pair_id(Uuid(1, 2), Uuid(3, 4))), to_string(pair_id(Uuid(3, 4), Uuid(1, 2))));
}

TEST_F(Relation, follows_once_and_again_after_an_end) {  // PA-40, PA-41
  send(ana, follow(ana, bo)).then({followed(ana, bo)});
  send(ana, follow(ana, bo)).then_nothing();
  send(ana, unfollow(ana, bo)).then({unfollowed(ana, bo, EndedBy::follower)});
  send(ana, unfollow(ana, bo)).then_nothing();
  send(ana, follow(ana, bo)).then({followed(ana, bo)});
}

TEST_F(Relation, both_ways_is_connected) {  // PA-42
  send(ana, follow(ana, bo)).then({followed(ana, bo)});
  EXPECT_TRUE(seen_by(ana, bo).is_following);
  EXPECT_TRUE(seen_by(bo, ana).is_followed);
  EXPECT_FALSE(seen_by(bo, ana).is_connected);
  send(bo, follow(bo, ana)).then({followed(bo, ana)});
  for (const auto& [who, other] : {std::pair(ana, bo), std::pair(bo, ana)}) {
    EXPECT_TRUE(seen_by(who, other).is_connected);
    EXPECT_EQ(seen_by(who, other).account_id, who);
    EXPECT_EQ(seen_by(who, other).other_id, other);
  }
}

TEST_F(Relation, nobody_follows_themselves_for_others_or_who_is_not_there) {  // PA-41, PA-43
  send(ana, follow(ana, ana)).then_rejected(Code::own_account);
  send(ana, block(ana, ana)).then_rejected(Code::own_account);
  send(bo, follow(ana, bo)).then_rejected(Code::account_not_found);
  send(ana, follow(ana, eve)).then_rejected(Code::account_not_found);
  send(eve, follow(eve, ana)).then_rejected(Code::account_not_found);
  send(bo, block(ana, bo)).then_rejected(Code::account_not_found);
  as(service()).when(follow(ana, bo)).then({followed(ana, bo)});
}

TEST_F(Relation, a_follower_is_removed_by_the_followed_only) {  // SO-5
  given({followed(bo, ana)});
  send(bo, remove(ana, bo)).then_rejected(Code::account_not_found);
  send(ana, remove(ana, bo)).then({unfollowed(bo, ana, EndedBy::followed)});
  send(ana, remove(ana, bo)).then_nothing();
  send(bo, follow(bo, ana)).then({followed(bo, ana)});
}

TEST_F(Relation, a_block_ends_both_follows_and_refuses_new_ones) {  // M-13, SO-5
  given({followed(ana, bo), followed(bo, ana)});
  send(ana, block(ana, bo))
      .then({unfollowed(ana, bo, EndedBy::block), unfollowed(bo, ana, EndedBy::block), blocked(ana, bo)});
  send(ana, block(ana, bo)).then_nothing();
  // The same both ways: nobody is told who blocks.
  send(ana, follow(ana, bo)).then_rejected(Code::pair_blocked);
  send(bo, follow(bo, ana)).then_rejected(Code::pair_blocked);
  send(bo, block(bo, ana)).then({blocked(bo, ana)});
  send(ana, unblock(ana, bo)).then({unblocked(ana, bo)});
  send(ana, unblock(ana, bo)).then_nothing();
  send(ana, follow(ana, bo)).then_rejected(Code::pair_blocked);
  send(bo, unblock(bo, ana)).then({unblocked(bo, ana)});
  EXPECT_FALSE(seen_by(ana, bo).is_following);  // An unblock brings nothing back.
  send(ana, follow(ana, bo)).then({followed(ana, bo)});
}

TEST_F(Relation, the_blocked_does_not_see_the_block) {  // M-13
  send(ana, block(ana, bo)).then({blocked(ana, bo)});
  EXPECT_TRUE(seen_by(ana, bo).is_blocking);
  const RelationView seen = seen_by(bo, ana);
  EXPECT_FALSE(seen.is_blocking || seen.is_followed || seen.is_following);
  EXPECT_FALSE(shows_to(AnyState(state<RelationState>(pair_id(ana, bo))), user(bo)));
}

TEST_F(Relation, a_banned_account_neither_follows_nor_is_followed_anew) {  // A-TU-5, PA-43
  given({followed(ana, bo), followed(cy, ana)});
  ban(ana);
  send(ana, follow(ana, cy)).then_rejected(Code::account_banned);
  send(ana, unfollow(ana, bo)).then_rejected(Code::account_banned);
  send(ana, block(ana, bo)).then_rejected(Code::account_banned);
  send(bo, follow(bo, ana)).then_rejected(Code::account_not_active);
  send(cy, follow(cy, ana)).then_nothing();
  send(cy, unfollow(cy, ana)).then({unfollowed(cy, ana, EndedBy::follower)});
  send(bo, block(bo, ana)).then({unfollowed(ana, bo, EndedBy::block), blocked(bo, ana)});
}

TEST_F(Relation, if_match_speaks_of_the_pair) {
  for (const AnyCommand& c :
       {AnyCommand(follow(ana, bo)), AnyCommand(unfollow(bo, ana)), AnyCommand(remove(ana, bo)), AnyCommand(block(bo, ana)),
        AnyCommand(unblock(ana, bo))})
    EXPECT_EQ(target(c), (StreamId{StreamKind::relation, pair_id(ana, bo)}));
}

// ---- laws

// What the rules say, in sets.
struct Model {
  using Edge = std::pair<int, int>;
  std::set<Edge> edges, blocks;

  bool blocked(int a, int b) const { return blocks.contains({a, b}) || blocks.contains({b, a}); }
  // False: refused.
  bool follow(int a, int b) {
    if (edges.contains({a, b})) return true;
    if (blocked(a, b)) return false;
    edges.insert({a, b});
    return true;
  }
  void block(int a, int b) {
    blocks.insert({a, b});
    edges.erase({a, b});
    edges.erase({b, a});
  }
};

class RelationLaws : public Relation {
 public:
  const std::vector<Uuid> accounts{ana, bo, cy};
  static constexpr int kinds = 5;

  AnyCommand command(int kind, int a, int b) const {
    const Uuid &who = accounts[static_cast<std::size_t>(a)], &other = accounts[static_cast<std::size_t>(b)];
    switch (kind) {
      case 0: return follow(who, other);
      case 1: return unfollow(who, other);
      case 2: return remove(who, other);
      case 3: return block(who, other);
      default: return unblock(who, other);
    }
  }
  // True: accepted.
  static bool tell(Model& model, int kind, int a, int b) {
    switch (kind) {
      case 0: return model.follow(a, b);
      case 1: return model.edges.erase({a, b}), true;
      case 2: return model.edges.erase({b, a}), true;
      case 3: return model.block(a, b), true;
      default: return model.blocks.erase({a, b}), true;
    }
  }
  void step(Model& model, int kind, int a, int b) {
    const bool accepted = send(accounts[static_cast<std::size_t>(a)], command(kind, a, b)).decision().has_value();
    EXPECT_EQ(accepted, tell(model, kind, a, b)) << "command " << kind << " of " << a << " to " << b;
  }
  void expect_same(const Model& model) {
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) {
        if (a == b) continue;
        const RelationView seen = seen_by(accounts[static_cast<std::size_t>(a)], accounts[static_cast<std::size_t>(b)]);
        EXPECT_EQ(seen.is_following, model.edges.contains({a, b}));
        EXPECT_EQ(seen.is_followed, model.edges.contains({b, a}));
        EXPECT_EQ(seen.is_blocking, model.blocks.contains({a, b}));
        EXPECT_FALSE(seen.is_following && model.blocked(a, b)) << "an edge across a block";
      }
  }
};

// A race is one order or the other. From every state of a pair, every two commands of either side, in that order.
TEST_F(RelationLaws, any_two_commands_from_any_state_leave_no_edge_across_a_block) {  // SO-5, M-13
  for (int from = 0; from < 16; ++from) {
    const bool low_follows = from & 1, high_follows = from & 2, low_blocks = from & 4, high_blocks = from & 8;
    if ((low_follows || high_follows) && (low_blocks || high_blocks)) continue;  // No state.
    for (int both = 0; both < 4 * kinds * kinds; ++both) {
      world = World();
      for (const Uuid& who : accounts) {
        account::AccountRegistered e;
        e.account_id = who;
        given({e});
      }
      Model model;
      if (low_follows) given({followed(ana, bo)}), model.edges.insert({0, 1});
      if (high_follows) given({followed(bo, ana)}), model.edges.insert({1, 0});
      if (low_blocks) given({blocked(ana, bo)}), model.blocks.insert({0, 1});
      if (high_blocks) given({blocked(bo, ana)}), model.blocks.insert({1, 0});
      const int first = both / 4 % kinds, second = both / 4 / kinds, a = both & 1, b = both >> 1 & 1;
      step(model, first, a, 1 - a);
      expect_same(model);
      step(model, second, b, 1 - b);
      expect_same(model);
      if (HasFailure()) return;
    }
  }
}

TEST_F(RelationLaws, random_commands_of_three_equal_the_model_and_the_counters) {  // SO-1, PA-44
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Model model;
  std::size_t seen = 0;
  std::map<Uuid, int, UuidLess> followers, following;
  for (int i = 0; i < 20'000 && !HasFailure(); ++i) {
    const int a = static_cast<int>(random() % 3), b = (a + 1 + static_cast<int>(random() % 2)) % 3;
    step(model, static_cast<int>(random() % kinds), a, b);
    if (i % 50 == 0) expect_same(model);
    // The counters are folds of the events: at no time below zero.
    for (; seen < world.history().size(); ++seen) {
      const auto move = [&](const auto& e, int by) {
        EXPECT_GE(followers[e.following_id] += by, 0);
        EXPECT_GE(following[e.follower_id] += by, 0);
      };
      if (const auto* e = get_if<Followed>(&world.history()[seen].event)) move(*e, 1);
      if (const auto* e = get_if<Unfollowed>(&world.history()[seen].event)) move(*e, -1);
    }
  }
  expect_same(model);
  for (int a = 0; a < 3; ++a) {
    const Uuid& who = accounts[static_cast<std::size_t>(a)];
    EXPECT_EQ(followers[who], std::ranges::count(model.edges, a, &Model::Edge::second));
    EXPECT_EQ(following[who], std::ranges::count(model.edges, a, &Model::Edge::first));
  }
}

}  // namespace
}  // namespace guildhall::testing
