// A shard that ends while the process goes on: what it has not answered is left for whoever has the shard next, and each command
// still has one effect and one reply (I3, I4).
#include "tests/aggregates/shard_process.h"

namespace guildhall::testing {
namespace {

class ShardEndTest : public ShardTest {
 public:
  ShardEndTest() {
    adjust = [](ShardEnvironment& env) { env.surrenders = true; };
    restart();
    o = offer("eva");
    lars = learner("lars");
    mia = learner("mia");
  }

  Offer o;
  Uuid lars, mia;
  const ShardNo n = shard_of(test_bucket, shard_count);
  Shard& shard() { return *process->shards[n]; }

  // One who waits for an answer.
  struct Client {
    CommandRequest request;
    std::optional<CommandResult> result;
  };
  // In flight: first, and a repeat of it that joined. Building: second, and a repeat. Not decided yet: third.
  Client first, first_again, second, second_again, third;
  void send(Client& client, const CommandRequest& request) {
    client.request = request;
    process->send(request, client.result);
  }
  void fill() {
    const Uuid id = command_id(o.expert);
    log.hold();
    send(first, process->request(booking(o.slots[0], lars), id));
    process->pump();
    send(first_again, first.request);
    send(second, process->request(booking(o.slots[0], mia), command_id(o.expert)));
    process->pump();
    send(second_again, second.request);
    process->pump();
    send(third, process->request(booking(o.slots[1], mia), command_id(o.expert)));
  }
  bool anything_told() const {
    return first.result || first_again.result || second.result || second_again.result || third.result;
  }
  // The log's word for the batch in flight, and the end of the shard.
  void end() {
    log.release();
    process->pump();
    ASSERT_TRUE(shard().failed());
  }
  std::vector<PendingCommand> surrendered() {
    auto out = shard().surrender();
    process->close(n);
    return out;
  }
  void submit_again(std::vector<PendingCommand> pending) {
    process->open(n);
    for (PendingCommand& p : pending) ASSERT_TRUE(shard().submit(p.request, p.done));
    process->pump();
  }
  static std::vector<std::string> ids(const std::vector<PendingCommand>& pending) {
    std::vector<std::string> out;
    for (const auto& p : pending) out.push_back(to_string(p.request.command_id));
    return out;
  }
  static std::string id(const Client& client) { return to_string(client.request.command_id); }
  std::optional<CommandResult> ask(const Uuid& command) {
    std::optional<CommandResult> out;
    CommandDone done = [&out](CommandResult result) { out = std::move(result); };
    EXPECT_TRUE(shard().look_up(command, {ActorKind::service, {}}, done));
    process->pump();
    return out;
  }
};

TEST_F(ShardEndTest, a_fenced_shard_leaves_what_it_has_not_answered_in_its_order) {
  fill();
  const auto other = log.open(n);
  end();
  EXPECT_EQ(process->end, ShardEnd::fenced);
  EXPECT_FALSE(anything_told());
  auto pending = surrendered();
  EXPECT_EQ(ids(pending), (std::vector<std::string>{id(first), id(first_again), id(second), id(second_again), id(third)}));
  for (const auto& p : pending) EXPECT_EQ(p.request.fingerprint, sha256(p.request.payload));

  submit_again(std::move(pending));
  EXPECT_EQ(first.result.value().reply.status, 201);
  EXPECT_FALSE(first.result->replayed) << "nothing of the fenced batch is in the log";
  EXPECT_EQ(first_again.result.value().reply, first.result->reply);
  EXPECT_TRUE(first_again.result->replayed);
  EXPECT_EQ(second.result.value().reply.body, "slot_full");
  EXPECT_EQ(second_again.result.value().reply, second.result->reply);
  EXPECT_EQ(third.result.value().reply.status, 201);
  EXPECT_EQ(count("booking.v1.BookingCreated"), 2u);
}

TEST_F(ShardEndTest, an_unknown_batch_is_resolved_by_the_next_open) {  // I4
  for (const bool stored : {false, true}) {
    SCOPED_TRACE(stored);
    fill();
    log.fail_next(AppendOutcome::unknown, stored);
    end();
    EXPECT_EQ(process->end, ShardEnd::unknown);
    EXPECT_FALSE(anything_told());
    const std::size_t before = count("booking.v1.BookingCreated");
    submit_again(surrendered());
    EXPECT_EQ(first.result.value().reply.status, 201);
    EXPECT_EQ(first.result->replayed, stored);
    EXPECT_EQ(first.result->reply, ask(first.request.command_id).value().reply);
    EXPECT_EQ(first_again.result.value().reply, first.result->reply);
    EXPECT_EQ(second.result.value().reply.body, "slot_full");
    EXPECT_EQ(third.result.value().reply.status, 201);
    EXPECT_EQ(count("booking.v1.BookingCreated"), before + (stored ? 1 : 2));
    // The other case, with another offer.
    o = offer("ida");
    first = first_again = second = second_again = third = {};
  }
}

TEST_F(ShardEndTest, without_surrender_everything_is_told_unknown) {
  adjust = {};
  restart();
  fill();
  const auto other = log.open(n);
  end();
  for (const Client* c : {&first, &first_again, &second, &second_again, &third})
    EXPECT_EQ(c->result.value().kind, CommandResult::Kind::unknown);
  EXPECT_TRUE(surrendered().empty());
}

TEST_F(ShardEndTest, what_was_told_unknown_is_not_left_too) {
  fill();
  clock.at += ShardLimits{}.unknown_after_us + second_us;
  process->pump();  // Decides the third, too: it is told like those that it waits with.
  Client late;
  send(late, process->request(booking(o.slots[2], lars), command_id(o.expert)));
  for (const Client* c : {&first, &first_again, &second, &second_again, &third})
    EXPECT_EQ(c->result.value().kind, CommandResult::Kind::unknown);
  const auto other = log.open(n);
  end();
  EXPECT_EQ(ids(surrendered()), std::vector<std::string>{id(late)});
}

TEST_F(ShardEndTest, questions_are_sent_on) {
  fill();
  const auto ask = [&](const Uuid& command, std::optional<CommandResult>& out) {
    CommandDone done = [&out](CommandResult result) { out = std::move(result); };
    EXPECT_TRUE(shard().look_up(command, {ActorKind::service, {}}, done));
  };
  std::optional<CommandResult> in_flight, building, waiting, after, shown;
  ask(first.request.command_id, in_flight);
  ask(second.request.command_id, building);
  process->pump();
  EXPECT_FALSE(in_flight || building);
  const auto other = log.open(n);
  end();
  ask(first.request.command_id, after);
  CommandDone done = [&shown](CommandResult result) { shown = std::move(result); };
  EXPECT_TRUE(shard().show({StreamKind::account, o.expert}, {ActorKind::service, {}}, done));
  for (const auto* result : {&in_flight, &building, &after, &shown}) EXPECT_EQ(result->value().kind, CommandResult::Kind::moved);
  EXPECT_EQ(surrendered().size(), 5u) << "questions are none of the commands";
}

TEST_F(ShardEndTest, what_the_log_brings_back_is_not_left) {
  log.hold();
  Client held;
  send(held, process->request(booking(o.slots[0], lars), command_id(o.expert)));
  process->pump();
  claim::ConfirmClaim confirm;
  confirm.claim_id = o.expert;
  shard().deliver({1 - n, 1'000, command_id(o.expert), "claim.v1.ConfirmClaim", encode(AnyCommand(confirm)), {}});
  payment::RecordAuthorized outcome;
  outcome.payment_id = o.expert;
  shard().submit_system(process->request(outcome, command_id(o.expert), the_system()), ::decision::v1::Source::effect,
                        id_of("effect"), {});
  process->pump();
  shard().deliver({1 - n, 1'001, command_id(o.expert), "claim.v1.ConfirmClaim", encode(AnyCommand(confirm)), {}});
  const auto other = log.open(n);
  end();
  EXPECT_EQ(ids(surrendered()), std::vector<std::string>{id(held)});
}

TEST_F(ShardEndTest, an_ended_shard_takes_nothing) {
  const auto other = log.open(n);
  Client lost;
  send(lost, process->request(booking(o.slots[0], lars), command_id(o.expert)));
  process->pump();
  ASSERT_TRUE(shard().ended());
  CommandRequest request = lost.request;
  CommandDone done = [](CommandResult) { ADD_FAILURE() << "answered"; };
  EXPECT_FALSE(shard().submit(request, done));
  EXPECT_TRUE(static_cast<bool>(done));
  EXPECT_EQ(request.command_id, lost.request.command_id);
  std::optional<CommandResult> system;
  shard().submit_system(lost.request, ::decision::v1::Source::effect, {}, [&](CommandResult r) { system = std::move(r); });
  EXPECT_EQ(system.value().kind, CommandResult::Kind::moved);
  EXPECT_EQ(surrendered().size(), 1u);
}

TEST_F(ShardEndTest, another_failure_is_told_unknown_also_of_what_the_log_still_has) {
  adjust = [](ShardEnvironment& env) {
    env.surrenders = true;
    env.on_checkpoint = [] { throw LogError("the disk is full", "disk", false); };
  };
  restart();
  fill();
  clock.at += minute_us;
  process->pump();
  EXPECT_EQ(process->end, ShardEnd::failed);
  for (const Client* c : {&first, &first_again, &second, &second_again, &third})
    EXPECT_EQ(c->result.value().kind, CommandResult::Kind::unknown);
}

TEST_F(ShardEndTest, a_planned_close_answers_all_and_then_takes_no_more) {
  Client last;
  send(last, process->request(booking(o.slots[0], lars), command_id(o.expert)));
  std::stop_source stop;
  stop.request_stop();
  shard().run(stop.get_token());
  EXPECT_EQ(last.result.value().reply.status, 201);
  EXPECT_FALSE(shard().failed());
  EXPECT_TRUE(shard().ended());
  CommandRequest request = last.request;
  CommandDone done = [](CommandResult) { ADD_FAILURE() << "answered"; };
  EXPECT_FALSE(shard().submit(request, done));
  EXPECT_TRUE(surrendered().empty());
}

// The log's word for a batch may come after its shard has gone.
TEST_F(ShardEndTest, a_shard_may_go_before_its_outcome_comes) {
  fill();
  process->close(n);
  log.release();
  process->open(n);
  process->pump();
  EXPECT_EQ(ask(first.request.command_id).value().reply.status, 201);
  EXPECT_EQ(ask(second.request.command_id).value().kind, CommandResult::Kind::not_found);
}

}  // namespace
}  // namespace guildhall::testing
