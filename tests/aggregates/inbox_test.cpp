// The inbox over the logs of this process, and where its transport goes on.
#include "tests/aggregates/inbox_contract.h"
#include "tests/infra/segment_folder.h"

namespace guildhall::testing {
namespace {

// Entries go from shard to shard in the process; what a closed one missed it finds in the sources' logs.
class InProcess {
 public:
  static constexpr bool searches_inboxes = true;
  static constexpr int steps = 200;
  void deliver(ShardNo target, InboxEntry entry) {
    if (sinks_[target]) sinks_[target](std::move(entry));
  }
  void attach(ShardNo target, std::uint64_t, std::function<void(InboxEntry)> sink) { sinks_[target] = std::move(sink); }
  void detach(ShardNo target) { sinks_[target] = nullptr; }

 private:
  std::array<std::function<void(InboxEntry)>, shard_count> sinks_;
};

class MadeMemoryLog : public InProcess {
 public:
  EventLog& log() { return log_; }
  void restart() {}  // It lives as long as the test.

 private:
  MemoryLog log_{"tutoring", id_of("log"), shard_count};
};

class MadeSegmentLog : public InProcess {
 public:
  MadeSegmentLog() {
    test::create_log(folder_, test::small_options(), shard_count);
    restart();
  }
  EventLog& log() { return *log_; }
  void restart() {
    log_.reset();
    log_ = test::open_log(folder_, test::small_options(), shard_count);
  }

 private:
  test::Folder folder_;
  std::unique_ptr<SegmentLog> log_;
};

// A transport with positions, which has an entry as soon as its batch is durable, whether or not its source lives to know.
class MadeTopics {
 public:
  static constexpr bool searches_inboxes = false;
  static constexpr int steps = 200;

  MadeTopics() {
    log_.on_durable([this](ShardNo source, Sequence) {
      while (const Record* r = readers_[source]->next()) {
        InboxCommand c;
        if (r->header.stream.kind != StreamKind::inbox || !unpack(r->payload, c)) continue;
        auto& topic = topics_.at(c.target_shard);
        topic.push_back({source, r->header.sequence, c.command_id, c.command_type,
                         std::string(c.command.begin(), c.command.end()), r->header.correlation_id, topic.size() + 1});
        if (sinks_[c.target_shard]) sinks_[c.target_shard](topic.back());
      }
    });
    for (ShardNo n = 0; n < shard_count; ++n) readers_[n] = log_.read(n, 1);
  }
  EventLog& log() { return log_; }
  void restart() {}
  void deliver(ShardNo, InboxEntry) {}
  void attach(ShardNo target, std::uint64_t position, std::function<void(InboxEntry)> sink) {
    sinks_[target] = std::move(sink);
    const auto& topic = topics_[target];
    ASSERT_LE(position, topic.size());
    for (std::size_t i = position; i < topic.size(); ++i) sinks_[target](topic[i]);
  }
  void detach(ShardNo target) { sinks_[target] = nullptr; }

 private:
  MemoryLog log_{"tutoring", id_of("log"), shard_count};
  std::array<std::unique_ptr<LogReader>, shard_count> readers_;
  std::array<std::vector<InboxEntry>, shard_count> topics_;
  std::array<std::function<void(InboxEntry)>, shard_count> sinks_;
};

using Logs = ::testing::Types<MadeMemoryLog, MadeSegmentLog, MadeTopics>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, InboxContract, Logs);

// ---- where the transport goes on

class InboxPositionTest : public ShardTest {
 public:
  InboxPositionTest() {
    adjust = [](ShardEnvironment& env) {
      env.searches_inboxes = false;
      env.delivered_by = nullptr;
    };
    restart();
  }
  const ShardNo n = shard_of(test_bucket, shard_count);
  Shard& shard() { return *process->shards[n]; }
  InboxEntry entry(Sequence source_sequence, std::uint64_t position) {
    claim::ConfirmClaim c;
    c.claim_id = id_of("claim");
    c.account_id = id_of("anna");
    const Uuid id = derive_in_group("reaction", id_of("anna"), source_sequence, test_bucket);
    return {1 - n, source_sequence, id, "claim.v1.ConfirmClaim", encode(AnyCommand(c)), {}, position};
  }
  std::size_t executed() {
    std::size_t count = 0;
    const auto reader = log.read(n, 1);
    while (const Record* r = reader->next())
      count += r->header.stream.kind == StreamKind::decision && r->header.command_type == "claim.v1.ConfirmClaim";
    return count;
  }
  std::uint64_t stored() const {
    const auto value = stores[n].get(keys::searched(n));
    return value ? decode_sequence(*value) : 0;
  }
};

TEST_F(InboxPositionTest, is_stored_with_the_batch_and_told_at_the_next_open) {
  EXPECT_EQ(shard().inbox_position(), 0u);
  log.hold();
  shard().deliver(entry(10, 3));
  shard().deliver(entry(11, 5));
  process->pump();
  EXPECT_EQ(stored(), 0u) << "not durable yet";
  log.release();
  process->pump();
  EXPECT_EQ(shard().inbox_position(), 5u);
  restart();
  EXPECT_EQ(shard().inbox_position(), 5u);
  EXPECT_EQ(executed(), 2u);
}

TEST_F(InboxPositionTest, entries_that_were_done_move_it_with_the_next_write) {
  shard().deliver(entry(10, 3));
  process->pump();
  shard().deliver(entry(10, 7));
  process->pump();
  EXPECT_EQ(stored(), 3u);
  process->call(registration(id_of("ida"), ::account::v1::Role::learner), command_id(id_of("ida")));
  EXPECT_EQ(stored(), 7u);
  EXPECT_EQ(shard().inbox_position(), 7u);
  EXPECT_EQ(executed(), 1u);
}

TEST_F(InboxPositionTest, a_checkpoint_writes_it_and_no_hints) {
  shard().deliver(entry(10, 3));
  process->pump();
  shard().deliver(entry(10, 7));
  process->pump();
  clock.at += minute_us;
  process->pump();
  EXPECT_EQ(stored(), 7u);
  EXPECT_FALSE(stores[n].get(keys::searched(1 - n)));
}

TEST_F(InboxPositionTest, stays_behind_what_an_aborted_batch_had_taken) {
  log.hold();
  shard().deliver(entry(10, 3));
  process->pump();
  shard().deliver(entry(10, 4));  // The same again, while it is in flight,
  shard().deliver(entry(11, 5));
  shard().deliver(entry(11, 6));  // and one in the same batch.
  process->pump();
  log.fail_next(AppendOutcome::aborted);
  log.release();
  process->pump();
  EXPECT_EQ(executed(), 2u);
  EXPECT_GE(stored(), 5u);
  EXPECT_LE(stored(), 6u);
  shard().deliver(entry(10, 4));
  shard().deliver(entry(12, 7));
  process->pump();
  EXPECT_EQ(executed(), 3u);
  EXPECT_EQ(stored(), 7u);
}

TEST_F(InboxPositionTest, is_not_moved_by_a_batch_that_never_was) {
  log.hold();
  shard().deliver(entry(10, 3));
  process->pump();
  const auto other = log.open(n);
  log.release();
  process->pump();
  EXPECT_TRUE(shard().failed());
  shard().deliver(entry(11, 4));  // Nobody's any more.
  process->close(n);
  process->open(n);
  EXPECT_EQ(shard().inbox_position(), 0u);
  shard().deliver(entry(10, 3));
  process->pump();
  EXPECT_EQ(executed(), 1u);
}

TEST_F(InboxPositionTest, is_told_of_a_batch_that_the_state_knows) {
  shard().deliver(entry(10, 3));
  process->pump();
  const MemoryStateStore before = stores[n];
  shard().deliver(entry(11, 4));
  process->pump();
  process.reset();
  stores[n] = before;  // The last write was lost: the log brings the mark back, the transport the entry.
  restart();
  EXPECT_EQ(shard().inbox_position(), 3u);
  shard().deliver(entry(11, 4));
  process->pump();
  EXPECT_EQ(executed(), 2u);
}

}  // namespace
}  // namespace guildhall::testing
