// The directory's facts: how they travel, and what a shard does about one that it lacks (design: the directory).
#include "aggregates/directory.h"

#include <thread>

#include "aggregates/lesson.h"
#include "events/curriculum.h"
#include "tests/aggregates/shard_process.h"

namespace guildhall::testing {
namespace {

using ::account::v1::Role;
using ::account::v1::Status;

// What a directory makes of an account's bytes.
std::optional<AccountFact> told(const std::string& bytes) {
  ProcessDirectory directory;
  directory.set({StreamKind::account, id_of("anna")}, 1, bytes);
  return directory.account(id_of("anna"));
}

TEST(AccountFactCodec, gives_back_what_it_was_given_and_takes_nothing_else) {
  for (const Role role : ::account::v1::EnumValuesRole())
    for (const Status status : ::account::v1::EnumValuesStatus())
      for (const bool expert : {false, true})
        for (const bool learner : {false, true}) {
          const AccountFact fact{role, status, expert, learner};
          EXPECT_EQ(told(encode(fact)), fact);
        }
  EXPECT_EQ(encode(AccountFact{Role::admin, Status::banned, true, true}), std::string("\x01\x02\x01\x03", 4)) << "released";
  for (const std::string& bytes :
       {std::string(), std::string("\x01\x00\x00", 3), std::string("\x01\x00\x00\x00\x00", 5), std::string("\x02\x00\x00\x00", 4),
        std::string("\x01\x06\x00\x00", 4), std::string("\x01\x00\x03\x00", 4), std::string("\x01\x00\x00\x04", 4),
        std::string(4, '\xff')})
    EXPECT_FALSE(is_fact(StreamKind::account, bytes)) << to_hex(bytes);
}

TEST(FactCodec, takes_no_fact_of_another_kind_of_stream) {
  const LessonFact lesson{.level_id = 1, .gate_id = 2, .is_active = true, .answer_key = {"a", "b"}};
  EXPECT_TRUE(is_fact(StreamKind::lesson, encode(lesson)));
  EXPECT_TRUE(is_fact(StreamKind::achievement, encode(AchievementFact{})));
  for (const std::string& bytes : {std::string(), std::string("\x01\x00\x00", 3), std::string(40, '\xff')})
    for (const StreamKind kind : {StreamKind::lesson, StreamKind::achievement})
      EXPECT_FALSE(is_fact(kind, bytes)) << to_hex(bytes);
  EXPECT_FALSE(is_fact(StreamKind::account, encode(lesson)));
  EXPECT_FALSE(is_fact(StreamKind::booking, encode(AccountFact{}))) << "a kind that has none";
}

TEST(ProcessDirectory, keeps_the_newest) {
  ProcessDirectory directory;
  const AccountFact old{Role::learner, Status::active, false, true}, newer{Role::learner, Status::banned, false, true};
  const StreamId anna{StreamKind::account, id_of("anna")};
  directory.set(anna, 3, encode(newer));
  directory.set(anna, 2, encode(old));
  EXPECT_EQ(directory.account(anna.id), newer);
  directory.set(anna, 4, encode(old));
  EXPECT_EQ(directory.account(anna.id), old);
  EXPECT_FALSE(directory.account(id_of("ida")));
  EXPECT_FALSE(directory.lesson(anna.id)) << "a stream of another kind has facts of its own";
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
  EXPECT_EQ(to_string(fact_log.facts[0].stream), to_string(StreamId{StreamKind::account, lars}));
  EXPECT_EQ(fact_log.facts[0].version, 2u) << "registered, with a learner's profile";
  EXPECT_EQ(told(fact_log.facts[0].value), process->directory.account(lars));

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
  EXPECT_EQ(told(fact_log.facts[1].value).value().status, Status::banned);
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
    process->directory.set(fact.stream, fact.version, fact.value);
  EXPECT_EQ(process->directory.account(lars)->status, Status::banned);
  process.reset();
  process = std::make_unique<Process>(fact_log, stores, clock);
  EXPECT_EQ(process->directory.account(lars)->status, Status::banned) << "from the state, at open";
}

// ---- lessons are decided in the learner's group by the directory's fact

class LessonFactTest : public FactTest {
 public:
  const Uuid curriculum = curriculum_id_of("tutoring");
  const Uuid lesson = lesson_id_of(curriculum, 1, 1);
  // In the shard that the curriculum is not in.
  const Uuid ada = id_of("ada", bucket_of(curriculum) < bucket_count / shard_count ? 0xd01 : 0x101);

  CommandResult create() {
    lesson::CreateLesson c;
    c.curriculum_id = curriculum;
    c.level_id = 1;
    c.gate_id = 1;
    c.title = "Candles";
    c.content_data = "{}";
    c.assessment_data = "[]";
    c.answer_key = {"yes"};
    c.xp_reward = 100;
    return process->call(c, command_id(curriculum));
  }
  CommandResult hand_in(const Uuid& id, std::string answer = "yes") {
    progress::CompleteLesson c;
    c.lesson_id = lesson;
    c.learner_id = ada;
    c.answers = {std::move(answer)};
    return process->call(c, id);
  }
  LessonFactTest() { process->call(registration(ada, Role::learner, "ada"), command_id(ada)); }
};

TEST_F(LessonFactTest, travels_with_each_change_and_is_there_after_a_restart) {
  ASSERT_NE(shard_of(lesson, shard_count), shard_of(ada, shard_count));
  fact_log.facts.clear();
  EXPECT_EQ(create().reply.status, 201);
  ASSERT_EQ(fact_log.facts.size(), 1u);
  EXPECT_EQ(to_string(fact_log.facts[0].stream), to_string(StreamId{StreamKind::lesson, lesson}));
  EXPECT_TRUE(is_fact(StreamKind::lesson, fact_log.facts[0].value));
  EXPECT_EQ(hand_in(command_id(ada), "no").reply.status, 201);
  lesson::RetireLesson retire;
  retire.lesson_id = lesson;
  EXPECT_EQ(process->call(retire, command_id(lesson)).reply.status, 200);
  EXPECT_EQ(fact_log.facts.size(), 2u);
  EXPECT_EQ(hand_in(command_id(ada)).reply.body, "lesson_not_found");
  process.reset();
  process = std::make_unique<Process>(fact_log, stores, clock);
  EXPECT_FALSE(process->directory.lesson(lesson)->is_active);
  lesson::PublishLesson publish;
  publish.lesson_id = lesson;
  process->call(publish, command_id(lesson));
  EXPECT_EQ(hand_in(command_id(ada)).reply.status, 200);
}

TEST_F(LessonFactTest, one_that_is_not_here_yet_is_waited_for) {
  std::vector<std::pair<StreamId, std::move_only_function<void(bool)>>> asked;
  adjust = [&](ShardEnvironment& env) {
    env.directory_catch_up = [&](const StreamId& absent, std::move_only_function<void(bool)> done) {
      asked.emplace_back(absent, std::move(done));
    };
  };
  restart();
  progress::CompleteLesson c;
  c.lesson_id = lesson;
  c.learner_id = ada;
  c.answers = {"yes"};
  std::optional<CommandResult> result;
  process->send(c, command_id(ada), result);
  process->pump();
  EXPECT_FALSE(result);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(to_string(asked[0].first), to_string(StreamId{StreamKind::lesson, lesson}));
  EXPECT_EQ(create().reply.status, 201);
  asked[0].second(true);
  process->pump();
  EXPECT_EQ(result.value().reply.status, 201);
  EXPECT_EQ(count("learner.v1.XpGranted"), 1u);
}

TEST_F(LessonFactTest, xp_is_given_once_under_retries_retakes_and_replays) {  // XP-1
  create();
  const Uuid id = command_id(ada);
  const CommandResult first = hand_in(id);
  EXPECT_EQ(first.reply.status, 201);
  for (int i = 0; i < 3; ++i) {
    const CommandResult again = hand_in(id);
    EXPECT_TRUE(again.replayed);
    EXPECT_EQ(again.reply, first.reply);
  }
  log.fail_next(AppendOutcome::aborted);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(hand_in(command_id(ada)).reply.status, 200);
  EXPECT_EQ(count("learner.v1.XpGranted"), 1u);
  EXPECT_EQ(count("progress.v1.LessonAttempted"), 101u);
  std::vector<std::map<std::string, std::string>> live;
  for (const auto& store : stores) live.push_back(dump(store));
  EXPECT_EQ(replayed(), live);
  process.reset();
  stores = std::vector<MemoryStateStore>(shard_count);
  restart();
  EXPECT_TRUE(hand_in(id).replayed);
  EXPECT_EQ(count("learner.v1.XpGranted"), 1u) << "a replay is no new grant";
}

// ---- an absent fact is an answer only once the directory has caught up

class ParkedTest : public ShardTest {
 public:
  ParkedTest() {
    adjust = [this](ShardEnvironment& env) {
      env.surrenders = true;
      env.directory_catch_up = [this](const StreamId& absent, std::move_only_function<void(bool)> done) {
        asked.push_back({absent.id, std::move(done)});
      };
    };
    restart();
    o = offer("eva");
    end = log.durable_end(n).sequence;
  }

  Offer o;
  const ShardNo n = shard_of(test_bucket, shard_count);
  const Uuid stranger = id_of("lars", 0xd01);  // Of the other shard; registered elsewhere, or not at all.
  struct Asked {
    Uuid account;
    std::move_only_function<void(bool)> done;
  };
  std::vector<Asked> asked;
  Sequence end = 0;

  bool nothing_recorded() const { return log.durable_end(n).sequence == end; }
  CommandRequest book(int slot = 0) {
    return process->request(booking(o.slots.at(static_cast<std::size_t>(slot)), stranger), command_id(o.expert));
  }
  std::optional<CommandResult> result;
  void send(const CommandRequest& request) {
    result.reset();
    process->send(request, result);
    process->pump();
  }
  void the_stranger_is_known() { 
    process->directory.set({StreamKind::account, stranger}, 2, encode(AccountFact{Role::learner, Status::active, false, true}));
  }
  void say(bool caught_up) {
    auto done = std::move(asked.back().done);
    done(caught_up);
    process->pump();
  }
};

TEST_F(ParkedTest, and_then_accepted) {
  send(book());
  EXPECT_FALSE(result);
  EXPECT_TRUE(nothing_recorded());
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].account, stranger);
  clock.at += second_us;
  const Micros then = clock.at;
  the_stranger_is_known();
  say(true);
  EXPECT_EQ(result.value().reply.status, 201);
  const auto reader = log.read(n, result->sequence);
  EXPECT_EQ(reader->next()->header.time, then) << "decided then, not before";
}

TEST_F(ParkedTest, and_then_refused_for_good) {
  const CommandRequest request = book();
  send(request);
  say(true);
  EXPECT_EQ(result.value().reply.body, "learner_not_found");
  EXPECT_FALSE(result->replayed);
  EXPECT_EQ(asked.size(), 1u) << "once for each command";
  the_stranger_is_known();
  send(request);
  EXPECT_EQ(result.value().reply.body, "learner_not_found");
  EXPECT_TRUE(result->replayed);
}

TEST_F(ParkedTest, and_then_told_that_the_directory_is_behind) {
  const CommandRequest request = book();
  send(request);
  say(false);
  EXPECT_EQ(result.value().kind, CommandResult::Kind::behind);
  EXPECT_TRUE(nothing_recorded());
  the_stranger_is_known();
  send(request);
  EXPECT_EQ(result.value().reply.status, 201);
  EXPECT_FALSE(result->replayed);
}

TEST_F(ParkedTest, repeats_wait_with_the_first) {
  const CommandRequest request = book();
  std::optional<CommandResult> first, second, other;
  process->send(request, first);
  process->pump();
  process->send(request, second);
  CommandRequest reused = request;
  reused.payload = encode(AnyCommand(booking(o.slots[1], stranger)));
  reused.fingerprint = sha256(reused.payload);
  process->send(reused, other);
  process->pump();
  EXPECT_FALSE(first || second || other);
  EXPECT_EQ(asked.size(), 1u);
  the_stranger_is_known();
  say(true);
  EXPECT_EQ(first.value().reply.status, 201);
  EXPECT_EQ(second.value().reply, first->reply);
  EXPECT_TRUE(second->replayed);
  EXPECT_EQ(other.value().reply.status, 422);
  EXPECT_EQ(count("booking.v1.BookingCreated"), 1u);
}

TEST_F(ParkedTest, is_decided_again_after_an_aborted_batch_without_asking_again) {
  send(book());
  log.fail_next(AppendOutcome::aborted);
  say(true);
  EXPECT_EQ(result.value().reply.body, "learner_not_found");
  EXPECT_EQ(asked.size(), 1u);
}

TEST_F(ParkedTest, is_left_by_a_shard_that_ends) {
  const CommandRequest first = book(0), second = book(1);
  std::optional<CommandResult> a, again, b;
  process->send(first, a);
  process->send(second, b);
  process->pump();
  process->send(first, again);
  process->pump();
  ASSERT_EQ(asked.size(), 2u);
  const auto other = log.open(n);
  std::optional<CommandResult> fenced;
  const auto last = process->request(registration(id_of("ida"), Role::learner), command_id(id_of("ida")));
  process->send(last, fenced);
  process->pump();
  ASSERT_TRUE(process->shards[n]->failed());
  asked[0].done(true);  // Too late for this shard.
  auto pending = process->shards[n]->surrender();
  process->close(n);
  ASSERT_EQ(pending.size(), 4u);
  EXPECT_EQ(pending[0].request.command_id, last.command_id) << "decided, the others not";
  EXPECT_EQ(pending[1].request.command_id, first.command_id);
  EXPECT_EQ(pending[2].request.command_id, first.command_id);
  EXPECT_EQ(pending[3].request.command_id, second.command_id);
  the_stranger_is_known();
  process->open(n);
  for (PendingCommand& p : pending) ASSERT_TRUE(process->shards[n]->submit(p.request, p.done));
  process->pump();
  EXPECT_EQ(fenced.value().reply.status, 201);
  EXPECT_EQ(a.value().reply.status, 201);
  EXPECT_EQ(again.value().reply, a->reply);
  EXPECT_EQ(b.value().reply.status, 201);
}

TEST_F(ParkedTest, only_what_an_absent_account_of_another_shard_may_explain) {
  send(process->request(booking(o.slots[0], id_of("nobody", test_bucket)), command_id(o.expert)));
  EXPECT_EQ(result.value().reply.body, "learner_not_found") << "an account of this shard";
  booking::CancelBooking cancel;
  cancel.booking_id = id_of("no booking");
  send(process->request(cancel, command_id(o.expert)));
  EXPECT_EQ(result.value().reply.body, "booking_not_found");
  EXPECT_TRUE(asked.empty());
  // The sender may be an admin that is not known here.
  send(process->request(cancel, command_id(o.expert), user(stranger)));
  EXPECT_FALSE(result);
  EXPECT_EQ(asked.size(), 1u);
  say(true);
  EXPECT_EQ(result.value().reply.body, "booking_not_found");
}

TEST_F(ParkedTest, only_what_clients_send) {
  process->shards[n]->submit_system(book(), ::decision::v1::Source::effect, {}, [&](CommandResult r) { result = std::move(r); });
  process->pump();
  EXPECT_EQ(result.value().reply.body, "learner_not_found");
  EXPECT_TRUE(asked.empty());
}

TEST_F(ParkedTest, no_more_than_there_is_room_for) {
  std::vector<std::optional<CommandResult>> results(ShardLimits{}.parked_commands + 1);
  for (auto& r : results) process->send(book(), r);
  process->pump();
  EXPECT_FALSE(results.front());
  EXPECT_EQ(results.back().value().kind, CommandResult::Kind::behind);
  for (auto& a : asked) a.done(true);
  process->pump();
  EXPECT_EQ(results.front().value().reply.body, "learner_not_found");
  send(book());
  EXPECT_FALSE(result) << "there is room again";
}

// From another thread, while the shard sleeps; a planned close waits for the answer.
TEST_F(ParkedTest, is_woken_by_the_directory) {
  send(book());
  ASSERT_EQ(asked.size(), 1u);
  the_stranger_is_known();
  std::stop_source stop;
  stop.request_stop();
  std::jthread directory([&] { asked[0].done(true); });
  process->shards[n]->run(stop.get_token());
  EXPECT_EQ(result.value().reply.status, 201);
}

}  // namespace
}  // namespace guildhall::testing
