// Following topics on a real broker: from their beginning to whatever end they have, and an answer in time when the broker has
// none.
#include "infra/kafka_follower.h"

#include <gtest/gtest.h>

#include <future>

#include "infra/kafka_topics.h"
#include "tests/infra/kafka_platform.h"
#include "tests/infra/raw_writer.h"

namespace guildhall::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr milliseconds limit{20'000};

class KafkaFollowing : public testing::Test {
 protected:
  explicit KafkaFollowing(const KafkaCluster& cluster = KafkaCluster::shared()) : options_(kafka_options(cluster)) {
    const KafkaClient client = make_kafka_consumer(options_);
    create_topics(client.get(), {{topic_, 3, false}}, 1, limit);
    count_partitions(client.get(), topic_, limit);
  }

  std::unique_ptr<TopicFollower> follow(std::vector<TopicFollower::Start> starts) {
    return std::make_unique<TopicFollower>(
        options_, topic_, std::move(starts),
        [this](const FollowedMessage& m) {
          const std::lock_guard lock(mutex_);
          if (m.value == refused_) throw CorruptLog("refused");
          taken_.emplace_back(m.value);
        },
        [this](const std::string& why) { failed_.set_value(why); });
  }
  std::vector<std::string> taken() {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  static bool caught_up(TopicFollower& follower, std::int32_t partition, milliseconds within = limit) {
    std::promise<bool> answer;
    follower.when_caught_up(partition, within, [&](bool reached) { answer.set_value(reached); });
    return answer.get_future().get();
  }

  OwnPlatform platform_;
  KafkaOptions options_;
  std::string topic_ = log_platform + ".followed";
  std::string refused_ = "refused";
  std::promise<std::string> failed_;
  std::mutex mutex_;
  std::vector<std::string> taken_;
};

TEST_F(KafkaFollowing, catches_up_with_empty_partitions_and_trailing_markers) {
  RawWriter w(options_, topic_, log_platform + "-raw");
  const auto follower = follow({{0, 0}, {1, 0}, {2, 0}});
  EXPECT_TRUE(follower->wait_until_caught_up(limit));
  EXPECT_TRUE(taken().empty());
  // A marker ends the partition.
  w.begin();
  w.send(0, "k", "one");
  w.commit();
  EXPECT_TRUE(caught_up(*follower, 0));
  EXPECT_EQ(taken(), std::vector<std::string>{"one"});
  // So do records that were aborted, and markers behind an end that was reached before.
  for (int i = 0; i < 3; ++i) {
    w.begin();
    w.send(0, "k", "never");
    w.abort();
    EXPECT_TRUE(caught_up(*follower, 0));
  }
  EXPECT_TRUE(caught_up(*follower, 1));
  w.begin();
  w.send(0, "k", "two");
  w.send(2, "k", "three");
  w.commit();
  EXPECT_TRUE(follower->wait_until_caught_up(limit));
  EXPECT_EQ(taken().size(), 3u);
}

TEST_F(KafkaFollowing, starts_where_it_is_told) {
  RawWriter w(options_, topic_, log_platform + "-raw");
  for (const char* value : {"one", "two", "three"}) {
    w.begin();
    w.send(1, "k", value);
    w.commit();
  }
  const auto follower = follow({{1, 2}});  // 0: one, 1: its marker.
  EXPECT_TRUE(follower->wait_until_caught_up(limit));
  EXPECT_EQ(taken(), (std::vector<std::string>{"two", "three"}));
}

// Every round asks as soon as the transaction is committed: the answer covers it.
TEST_F(KafkaFollowing, caught_up_means_what_was_committed_before_the_question) {
  RawWriter w(options_, topic_, log_platform + "-raw");
  const auto follower = follow({{0, 0}});
  for (std::size_t n = 1; n <= 30; ++n) {
    w.begin();
    w.send(0, "k", std::to_string(n));
    w.commit();
    ASSERT_TRUE(caught_up(*follower, 0));
    ASSERT_GE(taken().size(), n);
  }
}

TEST_F(KafkaFollowing, an_open_transaction_holds_nobody_up) {
  RawWriter w(options_, topic_, log_platform + "-raw"), open(options_, topic_, log_platform + "-open");
  w.begin();
  w.send(0, "k", "one");
  w.commit();
  open.begin();
  open.send(0, "k", "not yet");
  open.flush();
  const auto follower = follow({{0, 0}});
  EXPECT_TRUE(follower->wait_until_caught_up(limit));
  EXPECT_EQ(taken(), std::vector<std::string>{"one"});
  open.commit();
  EXPECT_TRUE(follower->wait_until_caught_up(limit));
  EXPECT_EQ(taken().size(), 2u);
}

TEST_F(KafkaFollowing, one_that_cannot_go_on_says_so_and_leaves_nobody_waiting) {
  RawWriter w(options_, topic_, log_platform + "-raw");
  w.begin();
  w.send(0, "k", "fine");
  w.send(0, "k", refused_);
  w.send(0, "k", "never reached");
  w.commit();
  const auto follower = follow({{0, 0}});
  EXPECT_EQ(failed_.get_future().get(), "refused");
  const auto began = steady_clock::now();
  EXPECT_FALSE(caught_up(*follower, 0));
  EXPECT_FALSE(follower->wait_until_caught_up(limit));
  EXPECT_LT(steady_clock::now() - began, limit / 4);
  EXPECT_EQ(taken(), std::vector<std::string>{"fine"});
}

TEST_F(KafkaFollowing, a_position_that_is_gone_stops_it) {
  const auto follower = follow({{0, 1000}});
  EXPECT_NE(failed_.get_future().get().find(topic_), std::string::npos);
  EXPECT_FALSE(caught_up(*follower, 0));
}

TEST_F(KafkaFollowing, its_end_answers_who_waits) {
  RawWriter open(options_, topic_, log_platform + "-open");
  auto follower = follow({{0, 0}});
  std::promise<bool> answer;
  follower->when_caught_up(0, std::chrono::hours(1), [&](bool reached) { answer.set_value(reached); });
  follower.reset();
  answer.get_future().wait();
}

class KafkaFollowingOwnBroker : public KafkaFollowing {
 protected:
  explicit KafkaFollowingOwnBroker(std::unique_ptr<KafkaCluster> cluster = std::make_unique<KafkaCluster>(1))
      : KafkaFollowing(*cluster), cluster_(std::move(cluster)) {}
  std::unique_ptr<KafkaCluster> cluster_;
};

TEST_F(KafkaFollowingOwnBroker, is_not_caught_up_while_the_broker_is_silent) {
  RawWriter w(options_, topic_, log_platform + "-raw");
  w.begin();
  w.send(0, "k", "one");
  w.commit();
  auto follower = follow({{0, 0}, {1, 0}});
  ASSERT_TRUE(follower->wait_until_caught_up(limit));
  cluster_->pause(1);
  auto began = steady_clock::now();
  EXPECT_FALSE(caught_up(*follower, 0, milliseconds(300)));
  EXPECT_LT(steady_clock::now() - began, milliseconds(1500));
  // Somebody who is more patient holds nobody up.
  std::promise<bool> patient;
  follower->when_caught_up(1, limit, [&](bool reached) { patient.set_value(reached); });
  began = steady_clock::now();
  EXPECT_FALSE(caught_up(*follower, 0, milliseconds(300)));
  EXPECT_LT(steady_clock::now() - began, milliseconds(2500));
  cluster_->resume(1);
  EXPECT_TRUE(patient.get_future().get());
  EXPECT_TRUE(caught_up(*follower, 0));
  cluster_->pause(1);
  follower->when_caught_up(0, std::chrono::hours(1), [](bool reached) { EXPECT_FALSE(reached); });
  began = steady_clock::now();
  follower.reset();
  EXPECT_LT(steady_clock::now() - began, milliseconds(3000));
  cluster_->resume(1);
}

}  // namespace
}  // namespace guildhall::test
