// The directory's facts: how they travel, and what a shard does about one that it lacks (design: the directory).
#include "aggregates/directory.h"

#include "tests/aggregates/shard_process.h"

namespace guildhall::testing {
namespace {

using ::account::v1::Role;
using ::account::v1::Status;

TEST(AccountFactCodec, gives_back_what_it_was_given_and_takes_nothing_else) {
  for (const Role role : ::account::v1::EnumValuesRole())
    for (const Status status : ::account::v1::EnumValuesStatus())
      for (const bool expert : {false, true})
        for (const bool learner : {false, true}) {
          const AccountFact fact{role, status, expert, learner};
          EXPECT_EQ(decode_account_fact(encode(fact)), fact);
        }
  EXPECT_EQ(encode(AccountFact{Role::admin, Status::banned, true, true}), std::string("\x01\x02\x01\x03", 4)) << "released";
  for (const std::string& bytes :
       {std::string(), std::string("\x01\x00\x00", 3), std::string("\x01\x00\x00\x00\x00", 5), std::string("\x02\x00\x00\x00", 4),
        std::string("\x01\x03\x00\x00", 4), std::string("\x01\x00\x03\x00", 4), std::string("\x01\x00\x00\x04", 4),
        std::string(4, '\xff')})
    EXPECT_FALSE(decode_account_fact(bytes)) << to_hex(bytes);
}

TEST(AccountDirectory, keeps_the_newest) {
  AccountDirectory directory;
  const AccountFact old{Role::learner, Status::active, false, true}, newer{Role::learner, Status::banned, false, true};
  directory.set(id_of("anna"), 3, newer);
  directory.set(id_of("anna"), 2, old);
  EXPECT_EQ(directory.account(id_of("anna")), newer);
  directory.set(id_of("anna"), 4, old);
  EXPECT_EQ(directory.account(id_of("anna")), old);
  EXPECT_FALSE(directory.account(id_of("ida")));
}

// Keeps the facts of what is submitted.
class FactLog final : public EventLog {
 public:
  explicit FactLog(EventLog& log) : log_(log) {}
  const LogIdentity& identity() const override { return log_.identity(); }
  std::unique_ptr<LogWriter> open(ShardNo shard) override { return std::make_unique<Writer>(*this, log_.open(shard)); }
  std::unique_ptr<LogReader> read(ShardNo shard, Sequence from) override { return log_.read(shard, from); }
  LogEnd durable_end(ShardNo shard) const override { return log_.durable_end(shard); }
  bool admits() const override { return log_.admits(); }
  void on_durable(std::function<void(ShardNo, Sequence)> listener) override { log_.on_durable(std::move(listener)); }

  std::vector<DirectoryFact> facts;

 private:
  class Writer final : public LogWriter {
   public:
    Writer(FactLog& log, std::unique_ptr<LogWriter> writer) : log_(log), writer_(std::move(writer)) {}
    Epoch epoch() const override { return writer_->epoch(); }
    LogEnd end() const override { return writer_->end(); }
    void submit(Batch batch, std::move_only_function<void(AppendOutcome)> done) override {
      for (const DirectoryFact& fact : batch.facts) log_.facts.push_back(fact);
      writer_->submit(std::move(batch), std::move(done));
    }

   private:
    FactLog& log_;
    std::unique_ptr<LogWriter> writer_;
  };
  EventLog& log_;
};

class FactTest : public ShardTest {
 public:
  FactTest() {
    process.reset();
    process = std::make_unique<Process>(fact_log, stores, clock);
    fact_log.facts.clear();
  }
  FactLog fact_log{log};
};

TEST_F(FactTest, travel_with_the_batch_that_changed_them) {
  const Uuid lars = learner("lars");
  ASSERT_EQ(fact_log.facts.size(), 1u);
  EXPECT_EQ(fact_log.facts[0].account, lars);
  EXPECT_EQ(fact_log.facts[0].version, 2u) << "registered, with a learner's profile";
  EXPECT_EQ(decode_account_fact(fact_log.facts[0].value), process->directory.account(lars));

  account::UpdateAccount renamed;
  renamed.account_id = lars;
  renamed.display_name = "Somebody else";
  renamed.timezone = "UTC";
  EXPECT_EQ(process->call(renamed, command_id(lars)).reply.status, 200);
  EXPECT_EQ(fact_log.facts.size(), 1u) << "a name is none of it";

  account::BanAccount ban;
  ban.account_id = lars;
  ban.reason = "spam";
  EXPECT_EQ(process->call(ban, command_id(lars)).reply.status, 200);
  ASSERT_EQ(fact_log.facts.size(), 2u);
  EXPECT_EQ(fact_log.facts[1].version, 4u);
  EXPECT_EQ(decode_account_fact(fact_log.facts[1].value).value().status, Status::banned);
}

TEST_F(FactTest, travel_again_with_a_batch_that_is_decided_again) {
  log.fail_next(AppendOutcome::aborted);
  const Uuid lars = learner("lars");
  ASSERT_EQ(fact_log.facts.size(), 2u);
  EXPECT_EQ(fact_log.facts[0].value, fact_log.facts[1].value);
  EXPECT_TRUE(process->directory.account(lars));
}

TEST_F(FactTest, an_own_fact_is_not_replaced_when_it_comes_round_late) {
  const Uuid lars = learner("lars");
  account::BanAccount ban;
  ban.account_id = lars;
  ban.reason = "spam";
  process->call(ban, command_id(lars));
  for (const DirectoryFact& fact : fact_log.facts)
    process->directory.set(fact.account, fact.version, *decode_account_fact(fact.value));
  EXPECT_EQ(process->directory.account(lars)->status, Status::banned);
  process.reset();
  process = std::make_unique<Process>(fact_log, stores, clock);
  EXPECT_EQ(process->directory.account(lars)->status, Status::banned) << "from the state, at open";
}

}  // namespace
}  // namespace guildhall::testing
