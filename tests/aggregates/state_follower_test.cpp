// The follower of a log: a standby's state is the live one's, and whoever takes the shard over folds the last records only.
#include "aggregates/shard/state_follower.h"

#include "tests/aggregates/shard_process.h"
#include "tests/forwarded_log.h"

namespace guildhall::testing {
namespace {

// Counts what is read, and can fail once.
class WatchedLog final : public ForwardedLog {
 public:
  using ForwardedLog::ForwardedLog;
  std::unique_ptr<LogReader> read(ShardNo shard, Sequence from) override {
    ++readers;
    return std::make_unique<Reader>(*this, ForwardedLog::read(shard, from));
  }

  int readers = 0;
  std::uint64_t records = 0;
  std::optional<std::uint64_t> fail_after;  // Records.

 private:
  class Reader final : public LogReader {
   public:
    Reader(WatchedLog& log, std::unique_ptr<LogReader> reader) : log_(log), reader_(std::move(reader)) {}
    const Record* next() override {
      if (log_.fail_after && log_.records >= *log_.fail_after) {
        log_.fail_after.reset();
        throw LogError("the broker is away", "brokers", true);
      }
      const Record* record = reader_->next();
      log_.records += record != nullptr;
      return record;
    }

   private:
    WatchedLog& log_;
    std::unique_ptr<LogReader> reader_;
  };
};

class StateFollowerTest : public ShardTest {
 public:
  static constexpr std::size_t all = 1'000'000;
  WatchedLog watched{log};
  MemoryStateStore standby;
  const ShardNo shard = shard_of(test_bucket, shard_count);  // Of the offers.

  Sequence end() const { return log.durable_end(shard).sequence; }
};

TEST_F(StateFollowerTest, a_standby_holds_what_the_live_state_holds) {  // I9
  StateFollower follower(watched, shard, standby);
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  EXPECT_FALSE(follower.advance(all));
  EXPECT_EQ(follower.position().sequence, end());
  EXPECT_EQ(dump(standby), dump(stores[shard]));

  process->call(booking(o.slots[0], lars), command_id(o.expert));
  EXPECT_NE(dump(standby), dump(stores[shard]));
  EXPECT_FALSE(follower.advance(all));
  EXPECT_EQ(dump(standby), dump(stores[shard]));
  EXPECT_EQ(follower.position().head, log.durable_end(shard).head);
  EXPECT_EQ(watched.readers, 1) << "a reader is expensive";
}

TEST_F(StateFollowerTest, folds_whole_batches_and_says_where_the_log_ends) {
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  process->call(booking(o.slots[0], lars), command_id(o.expert));
  StateFollower follower(watched, shard, standby);
  Sequence batches = 0;
  while (follower.advance(1)) {
    const auto reader = log.read(shard, follower.position().sequence);
    const RecordHeader last = reader->next()->header;
    EXPECT_EQ(last.batch_index + 1, last.batch_size);
    ++batches;
  }
  EXPECT_EQ(follower.position().sequence, end());
  EXPECT_GT(batches, 4u);
  EXPECT_FALSE(follower.advance(1));
  EXPECT_EQ(dump(standby), dump(stores[shard]));
}

TEST_F(StateFollowerTest, goes_on_after_a_failure_of_the_log) {
  offer("eva");
  StateFollower follower(watched, shard, standby);
  ASSERT_TRUE(follower.advance(1));
  const Position before = follower.position();
  watched.fail_after = watched.records + 5;
  EXPECT_THROW(follower.advance(all), LogError);
  EXPECT_EQ(follower.position().sequence, before.sequence);
  EXPECT_FALSE(follower.advance(all));
  EXPECT_EQ(dump(standby), dump(stores[shard]));
}

TEST_F(StateFollowerTest, a_promoted_standby_folds_only_the_last_records) {
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  const auto id = command_id(o.expert);
  StateFollower(watched, shard, standby).advance(all);
  const auto first = process->call(booking(o.slots[0], lars), id);
  stores[shard] = standby;
  process = std::make_unique<Process>(watched, stores, clock);
  EXPECT_EQ(process->call(booking(o.slots[0], lars), id).reply, first.reply);
  EXPECT_EQ(count("booking.v1.BookingCreated"), 1u);

  stores[shard] = standby;
  const Sequence left = end() - decode_position(*standby.get(keys::position))->sequence;
  watched.records = 0;
  const Shard promoted(shard, process->environment(shard), {}, false);
  EXPECT_EQ(watched.records, 1 + left) << "the record at the position, and those behind it";
}

TEST_F(StateFollowerTest, state_that_the_log_does_not_know_is_made_anew) {
  offer("eva");
  StateFollower(watched, shard, standby).advance(all);
  Position other = *decode_position(*standby.get(keys::position));
  other.head[0] ^= 1;
  WriteSet forged;
  forged.put(std::string(keys::position), encode(other));
  forged.put("Sstray", "");
  standby.write(forged);
  StateFollower follower(watched, shard, standby);
  EXPECT_EQ(follower.position().sequence, 0u);
  follower.advance(all);
  EXPECT_EQ(dump(standby), dump(stores[shard]));
}

TEST_F(StateFollowerTest, state_ahead_of_the_log_is_refused_unless_the_loss_is_accepted) {
  offer("eva");
  StateFollower(watched, shard, standby).advance(all);
  MemoryLog shorter("tutoring", id_of("log"), shard_count);
  EXPECT_THROW(StateFollower(shorter, shard, standby), CorruptLog);
  StateFollower follower(shorter, shard, standby, true);
  EXPECT_EQ(follower.position().sequence, 0u);
  EXPECT_TRUE(dump(standby).empty());
}

}  // namespace
}  // namespace guildhall::testing
