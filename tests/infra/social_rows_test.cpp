// Follows, blocks and notifications as clients of producers_avenue read them (PA-40..44, PA-102, PA-103, M-13): the seed's
// columns, who reads which row, and counters that are the count of the rows.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "projectors/producers_avenue.h"
#include "tests/projectors/rows_as_read.h"

namespace guildhall {
namespace {

using ::notification::v1::Topic;
using ::notification::v1::Type;

const Uuid ana = test_id(1001), bo = test_id(1002), cy = test_id(1003), eve = test_id(1005);
constexpr ShardNo shards = 2;

class SocialRows : public RowsAsRead {
 protected:
  SocialRows() : RowsAsRead(producers_avenue_projection(), producers_avenue_sql(), shards) {
    for (const auto& [who, name] : {std::pair(ana, "Ana"), std::pair(bo, "Bo"), std::pair(cy, "Cy"), std::pair(eve, "Eve")}) {
      account::AccountRegistered e;
      e.account_id = who;
      e.display_name = name;
      e.role = ::account::v1::Role::member;
      e.timezone = "UTC";
      happen(0, StreamKind::account, who, e);
    }
  }

  void happen(ShardNo shard, StreamKind kind, const Uuid& id, AnyEvent e) {
    written_.append(shard, {{{kind, id}, std::move(e)}});
  }
  // A pair is decided in one shard, whichever that is.
  template <class Event>
  void on_pair(const Uuid& one, const Uuid& other, Event e) {
    e.relation_id = pair_id(one, other);
    happen(bucket_of(e.relation_id) % shards, StreamKind::relation, e.relation_id, std::move(e));
  }
  template <class Event>
  static Event edge(const Uuid& who, const Uuid& whom) {
    Event e;
    e.follow_id = derive_root("edge", to_string(who) + to_string(whom));
    e.follower_id = who;
    e.following_id = whom;
    return e;
  }
  void follow(const Uuid& who, const Uuid& whom) { on_pair(who, whom, edge<relation::Followed>(who, whom)); }
  void unfollow(const Uuid& who, const Uuid& whom) { on_pair(who, whom, edge<relation::Unfollowed>(who, whom)); }
  void block(const Uuid& who, const Uuid& whom) {
    on_pair(who, whom, relation::Blocked{.blocker_id = who, .blocked_id = whom});
  }

  static Uuid note_id(const Uuid& who, std::int64_t sequence) {
    return derive_root("note", to_string(who) + std::to_string(sequence));
  }
  void raise(const Uuid& who, std::int64_t sequence, Type type, Topic topic, const Uuid& actor, const Uuid& related) {
    const Uuid id = note_id(who, sequence);
    happen(0, StreamKind::notification, id,
           notification::NotificationRaised{.notification_id = id,
                                            .user_id = who,
                                            .sequence = sequence,
                                            .type = type,
                                            .topic = topic,
                                            .actor_id = actor,
                                            .related_id = related});
  }
  void read_one(const Uuid& who, std::int64_t sequence) {
    const Uuid id = note_id(who, sequence);
    happen(0, StreamKind::notification, id,
           notification::NotificationRead{.notification_id = id, .user_id = who, .read_at = written_.now});
  }
  void read_all(const Uuid& who, std::int64_t up_to) {
    happen(0, StreamKind::notification_inbox, who,
           notification_inbox::AllNotificationsRead{.user_id = who, .read_up_to = up_to, .read_at = written_.now});
  }

  const std::string edges_ =
      "SELECT follower_name, following_name, is_connected FROM producers_avenue.followers ORDER BY 1, 2";
  const std::string counts_ =
      "SELECT display_name, followers_count, following_count FROM producers_avenue.user_profiles ORDER BY 1";
};

TEST_F(SocialRows, anyone_reads_who_follows_whom_and_how_many_do) {  // PA-40, PA-42..44
  follow(ana, bo);
  follow(cy, bo);
  EXPECT_EQ(as_anyone(edges_), (Lines{"Ana Bo f", "Cy Bo f"}));
  follow(bo, ana);
  EXPECT_EQ(as_anyone(edges_), (Lines{"Ana Bo t", "Bo Ana t", "Cy Bo f"}));
  EXPECT_EQ(as(eve, counts_), (Lines{"Ana 1 1", "Bo 2 1", "Cy 0 1", "Eve 0 0"}));
  unfollow(ana, bo);
  EXPECT_EQ(as_anyone(edges_), (Lines{"Bo Ana f", "Cy Bo f"}));
  EXPECT_EQ(as_anyone(counts_), (Lines{"Ana 1 0", "Bo 1 1", "Cy 0 1", "Eve 0 0"}));
  EXPECT_EQ(as_anyone("SELECT id, follower_id, following_id, created_at IS NOT NULL FROM producers_avenue.followers "
                      "WHERE follower_id = '" + to_string(bo) + "'"),
            Lines{to_string(edge<relation::Followed>(bo, ana).follow_id) + " " + to_string(bo) + " " + to_string(ana) + " t"});
  expect_same_twin();
}

TEST_F(SocialRows, a_block_is_seen_by_who_made_it) {  // M-13
  follow(ana, bo);
  unfollow(ana, bo);
  block(bo, ana);
  const std::string blocks = "SELECT blocker_id, blocked_id FROM producers_avenue.blocks";
  EXPECT_EQ(as(bo, blocks), Lines{to_string(bo) + " " + to_string(ana)});
  for (const Uuid& who : {ana, cy}) EXPECT_EQ(as(who, blocks), Lines{});
  EXPECT_EQ(as_anyone(blocks), Lines{});
  on_pair(ana, bo, relation::Unblocked{.blocker_id = bo, .blocked_id = ana});
  EXPECT_EQ(as(bo, blocks), Lines{});
  expect_same_twin();
}

TEST_F(SocialRows, counters_are_the_count_of_the_rows_at_every_cut) {  // PA-44, SO-1, SO-4
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<Uuid> all{ana, bo, cy, eve};
  std::set<std::pair<std::size_t, std::size_t>> edges;
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 60; ++i) {
      const std::size_t a = random() % 4, b = (a + 1 + random() % 3) % 4;
      if (edges.insert({a, b}).second) follow(all[a], all[b]);
      else if (edges.erase({a, b}) == 1) unfollow(all[a], all[b]);
    }
    EXPECT_EQ(as_anyone("SELECT p.display_name FROM producers_avenue.user_profiles p WHERE "
                        "followers_count <> (SELECT count(*) FROM producers_avenue.followers f WHERE f.following_id = p.id) OR "
                        "following_count <> (SELECT count(*) FROM producers_avenue.followers f WHERE f.follower_id = p.id)"),
              Lines{});
    EXPECT_EQ(as_anyone("SELECT count(*) FROM producers_avenue.followers"), Lines{std::to_string(edges.size())});
    EXPECT_EQ(as_anyone("SELECT count(*) FROM producers_avenue.user_profiles WHERE followers_count < 0 OR following_count < 0"),
              Lines{"0"});
  }
  expect_same_twin();
}

TEST_F(SocialRows, a_notification_has_the_seeds_columns_and_the_names_of_now) {  // PA-102, PA-103
  raise(bo, 1, Type::follow, Topic::followed, ana, test_id(77));
  const std::string columns =
      "SELECT user_id, type, title, message, link_url, actor_id, related_id, is_read, read_at, created_at IS NOT NULL "
      "FROM producers_avenue.notifications";
  const std::string tail = " /profiles/" + to_string(ana) + " " + to_string(ana) + " " + to_string(test_id(77)) + " f - t";
  EXPECT_EQ(as(bo, columns), Lines{to_string(bo) + " follow New follower Ana follows you" + tail});
  account::AccountUpdated renamed;
  renamed.account_id = ana;
  renamed.display_name = "Anna";
  renamed.timezone = "UTC";
  happen(0, StreamKind::account, ana, renamed);
  EXPECT_EQ(as(bo, columns), Lines{to_string(bo) + " follow New follower Anna follows you" + tail});
  for (const Uuid& who : {ana, eve}) EXPECT_EQ(as(who, columns), Lines{});
  EXPECT_EQ(as_anyone(columns), Lines{});
  EXPECT_EQ(as({}, "SELECT count(*) FROM producers_avenue.notifications", "service_role"), Lines{"1"});
}

TEST_F(SocialRows, every_topic_has_a_title_a_message_and_a_link) {  // PA-103
  std::int64_t sequence = 0;
  for (const Topic topic : ::notification::v1::EnumValuesTopic()) {
    for (const Type type : ::notification::v1::EnumValuesType()) {
      // An order, a payout or a webinar that the recipient may not read must not make the words vanish.
      ++sequence;
      raise(bo, sequence, type, topic, ana, test_id(500));
    }
  }
  EXPECT_EQ(as(bo, "SELECT topic, type FROM producers_avenue.notifications "
                   "WHERE title IS NULL OR link_url IS NULL OR message IS NULL"),
            Lines{});
}

TEST_F(SocialRows, is_read_singly_or_by_the_first_cursor_that_reached_it) {  // PA-102
  for (std::int64_t i = 1; i <= 4; ++i) raise(bo, i, Type::payout, Topic::payout_failed, {}, test_id(500));
  const Micros first = written_.now;
  read_one(bo, 2);
  const std::string query =
      "SELECT sequence, is_read, (extract(epoch FROM read_at) * 1000000)::bigint FROM producers_avenue.notifications ORDER BY 1";
  EXPECT_EQ(as(bo, query), (Lines{"1 f -", "2 t " + std::to_string(first), "3 f -", "4 f -"}));
  written_.now += minute_us;
  const Micros second = written_.now;
  read_all(bo, 3);
  written_.now += minute_us;
  const Micros third = written_.now;
  read_all(bo, 4);
  EXPECT_EQ(as(bo, query), (Lines{"1 t " + std::to_string(second), "2 t " + std::to_string(first),
                                  "3 t " + std::to_string(second), "4 t " + std::to_string(third)}));
  EXPECT_EQ(as(bo, "SELECT count(*) FROM producers_avenue.notifications WHERE NOT is_read"), Lines{"0"});
  expect_same_twin();
}

}  // namespace
}  // namespace guildhall
