// Who gets which shards, on a real broker: sharing, leaving, dying, and two processes of one name.
#include "infra/kafka_membership.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "infra/kafka_topics.h"
#include "tests/infra/kafka_platform.h"

namespace guildhall::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr milliseconds limit{20'000};
constexpr milliseconds session{6'000};        // The least that brokers allow if they are not told otherwise.
constexpr milliseconds short_session{1'000};  // The least that those of script/kafka do.
constexpr std::uint32_t shards = 5;

// What one process was told.
class Member {
 public:
  Member(const KafkaOptions& options, const std::string& topic, const std::string& node, milliseconds session_time = session)
      : membership_(std::make_unique<KafkaMembership>(
            options, KafkaMembershipOptions{topic + ".group", node, topic, session_time},
            [this](std::set<ShardNo> set) { tell([&] { shards_ = std::move(set); }); },
            [this](const std::string& why) { tell([&] { shut_out_ = why; }); })) {}

  bool waits_for(const std::function<bool(const Member&)>& holds, milliseconds within = limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, within, [&] { return holds(*this); });
  }
  bool gets(std::size_t count, milliseconds within = limit) {
    return waits_for([&](const Member& m) { return m.shards_.size() == count; }, within);
  }
  std::set<ShardNo> shards() {
    const std::lock_guard lock(mutex_);
    return shards_;
  }
  std::string shut_out() {
    const std::lock_guard lock(mutex_);
    return shut_out_;
  }
  bool shut_out_within(milliseconds within) {
    return waits_for([](const Member& m) { return !m.shut_out_.empty(); }, within);
  }
  KafkaMembership& membership() { return *membership_; }
  void die() { membership_.reset(); }

 private:
  void tell(const std::function<void()>& change) {
    {
      const std::lock_guard lock(mutex_);
      change();
    }
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<ShardNo> shards_;
  std::string shut_out_;
  std::unique_ptr<KafkaMembership> membership_;
};

class KafkaMembers : public testing::Test {
 protected:
  explicit KafkaMembers(const KafkaCluster& cluster = KafkaCluster::shared()) : options_(kafka_options(cluster)) {
    const KafkaClient client = make_kafka_consumer(options_);
    create_topics(client.get(), {{topic_, shards, false}}, 1, limit);
    count_partitions(client.get(), topic_, limit);
  }
  // Both have their share, and no shard has two owners or none.
  static void expect_shared(Member& a, Member& b) {
    EXPECT_TRUE(a.waits_for([](const Member&) { return true; }));
    EXPECT_TRUE(eventually([&] {
      std::set<ShardNo> all = a.shards(), of_b = b.shards();
      const std::size_t sum = all.size() + of_b.size();
      all.merge(of_b);
      return all.size() == shards && sum == shards && !b.shards().empty() && !a.shards().empty();
    }));
  }

  OwnPlatform platform_;
  KafkaOptions options_;
  std::string topic_ = log_platform + ".inbox";
};

int ms_since(steady_clock::time_point began) { return static_cast<int>((steady_clock::now() - began) / milliseconds(1)); }

TEST_F(KafkaMembers, one_alone_gets_all) {
  const auto began = steady_clock::now();
  Member a(options_, topic_, "a");
  EXPECT_TRUE(a.gets(shards));
  RecordProperty("first_assignment_ms", ms_since(began));
  EXPECT_TRUE(a.membership().alive());
}

TEST_F(KafkaMembers, one_that_leaves_gives_everything_to_the_other_at_once) {
  const milliseconds long_session{30'000};
  Member a(options_, topic_, "a", long_session), b(options_, topic_, "b", long_session);
  expect_shared(a, b);
  const auto began = steady_clock::now();
  b.membership().leave();
  RecordProperty("leave_ms", ms_since(began));
  EXPECT_TRUE(a.gets(shards, milliseconds(5'000)));
  RecordProperty("leave_to_reassignment_ms", ms_since(began));
  EXPECT_LT(ms_since(began), 2'000);
  EXPECT_FALSE(b.membership().alive());
  EXPECT_TRUE(a.membership().alive());
  b.membership().leave();  // Nothing more to leave.
  // Under the same name it comes back.
  b.die();
  Member again(options_, topic_, "b", long_session);
  expect_shared(a, again);
}

TEST_F(KafkaMembers, a_quick_restart_moves_nothing) {
  Member a(options_, topic_, "a", milliseconds(30'000));
  auto b = std::make_unique<Member>(options_, topic_, "b", milliseconds(30'000));
  expect_shared(a, *b);
  const std::set<ShardNo> of_a = a.shards(), of_b = b->shards();
  const std::uint64_t rebalances = a.membership().rebalances();
  b.reset();
  const auto began = steady_clock::now();
  Member again(options_, topic_, "b", milliseconds(30'000));
  EXPECT_TRUE(again.gets(of_b.size()));
  RecordProperty("restart_to_assignment_ms", ms_since(began));
  EXPECT_EQ(again.shards(), of_b);
  EXPECT_EQ(a.shards(), of_a);
  EXPECT_EQ(a.membership().rebalances(), rebalances);
}

// As after a join that a paused coordinator answered and its successor never heard of: the group took us for an older process.
TEST_F(KafkaMembers, one_that_was_fenced_joins_anew) {
  Member a(options_, topic_, "same");
  EXPECT_TRUE(a.gets(shards));
  const std::uint64_t rebalances = a.membership().rebalances();
  {
    Member brief(options_, topic_, "same");
    EXPECT_TRUE(brief.gets(shards));
  }
  EXPECT_TRUE(eventually([&] { return a.membership().rebalances() > rebalances; }));
  EXPECT_EQ(a.shut_out(), "");
  EXPECT_TRUE(a.membership().alive());
  EXPECT_EQ(a.shards().size(), shards);
}

TEST_F(KafkaMembers, the_older_of_two_with_one_name_is_shut_out) {
  Member older(options_, topic_, "same");
  EXPECT_TRUE(older.gets(shards));
  Member newer(options_, topic_, "same");
  EXPECT_TRUE(newer.gets(shards));
  EXPECT_TRUE(older.shut_out_within(limit));
  EXPECT_EQ(newer.shut_out(), "");
  EXPECT_FALSE(older.membership().alive());
  older.membership().leave();  // Returns, and disturbs nobody.
  EXPECT_TRUE(newer.membership().alive());
  EXPECT_EQ(newer.shards().size(), shards);
}

class KafkaMembersOwnBroker : public KafkaMembers {
 protected:
  explicit KafkaMembersOwnBroker(std::unique_ptr<KafkaCluster> cluster = std::make_unique<KafkaCluster>(1))
      : KafkaMembers(*cluster), cluster_(std::move(cluster)) {}
  std::unique_ptr<KafkaCluster> cluster_;
};

TEST_F(KafkaMembersOwnBroker, one_that_dies_is_followed_when_its_session_is_over) {
  Member a(options_, topic_, "a", short_session), b(options_, topic_, "b", short_session);
  expect_shared(a, b);
  const auto began = steady_clock::now();
  b.die();
  EXPECT_TRUE(a.gets(shards));
  RecordProperty("death_to_reassignment_ms", ms_since(began));
  EXPECT_LT(ms_since(began), 4'000);
}

TEST_F(KafkaMembersOwnBroker, knows_when_the_group_has_not_answered_for_a_session) {
  Member a(options_, topic_, "a", short_session);
  ASSERT_TRUE(a.gets(shards));
  EXPECT_TRUE(a.membership().alive());
  cluster_->pause(1);
  EXPECT_TRUE(eventually([&] { return !a.membership().alive(); }, short_session * 4));
  const auto began = steady_clock::now();
  a.membership().leave();
  EXPECT_LT(ms_since(began), 8'000);
  cluster_->resume(1);
}

}  // namespace
}  // namespace guildhall::test
