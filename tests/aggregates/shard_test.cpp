// The shard over the in-memory log and store: one effect and one reply a command, batches, failures of the log, timers, reactions
// between shards. That states are the fold of the log is shown by history_test.cpp.
#include "tests/aggregates/shard_process.h"

namespace guildhall::testing {
namespace {

TEST_F(ShardTest, seat_booking_and_payment_are_one_batch) {  // TU-40, A-TU-12
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  const auto id = command_id(o.expert);
  EXPECT_EQ(process->call(booking(o.slots[0], lars), id).reply.status, 201);
  const auto reader = log.read(shard_of(id, shard_count), 1);
  std::vector<std::string> types;
  std::uint32_t batch_size = 0;
  while (const Record* r = reader->next())
    if (r->header.command_id == id) {
      types.emplace_back(r->header.type);
      batch_size = r->header.batch_size;
    }
  EXPECT_EQ(types, (std::vector<std::string>{"booking.v1.BookingCreated", "session.v1.SessionFirstBooked", "calendar.v1.SeatHeld",
                                             "payment.v1.PaymentInitiated", "decision.v1.DecisionMade"}));
  EXPECT_EQ(batch_size, types.size());
}

TEST_F(ShardTest, a_repeat_gets_the_first_reply_also_after_a_restart) {  // I3
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  const auto id = command_id(o.expert);
  const auto first = process->call(booking(o.slots[0], lars), id);
  const auto again = process->call(booking(o.slots[0], lars), id);
  EXPECT_EQ(again.reply, first.reply);
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.sequence, first.sequence);
  EXPECT_EQ(process->call(booking(o.slots[0], lars, "other notes"), id).reply.status, 422);
  restart();
  EXPECT_EQ(process->call(booking(o.slots[0], lars), id).reply, first.reply);
  EXPECT_EQ(count("booking.v1.BookingCreated"), 1u);
}

TEST_F(ShardTest, a_repeated_refusal_says_when_to_come_again_as_the_first_did) {  // I3, M-7
  const Uuid sid = id_of("sid"), ann = id_of("ann", 0xd01), bob = id_of("bob", 0xd01);
  process->policy.roles = {"member"};
  for (const Uuid& who : {sid, ann, bob}) process->call(registration(who, ::account::v1::Role::member), command_id(who));
  product::CreateProduct offered;
  offered.seller_id = sid;
  offered.title = "Drum loops";
  offered.file_urls = {"https://files.example/loops.zip"};
  offered.price_cents = 5000;
  offered.license_type = ::product::v1::LicenseType::exclusive;
  const Uuid made = command_id(sid), kit = derive_in_group("product", made, 0, test_bucket);
  ASSERT_EQ(process->call(offered, made).reply.status, 201);
  ASSERT_EQ(process->call(product::PublishProduct{.product_id = kit}, command_id(kit)).reply.status, 200);
  const auto buy = [&](const Uuid& who, const Uuid& command) {
    return process->call(
        purchase::PurchaseProduct{.product_id = kit, .buyer_id = who, .payment_method = ::ledger::v1::Method::card}, command,
        user(who));
  };
  ASSERT_EQ(buy(ann, command_id(kit)).reply.status, 201);
  clock.at += 5 * minute_us;
  const Uuid second = command_id(kit);
  const auto refused = buy(bob, second);
  EXPECT_EQ(refused.reply.body, "license_reserved");
  EXPECT_EQ(refused.reply.retry_after_s, 600u);
  clock.at += minute_us;
  EXPECT_EQ(buy(bob, second).reply, refused.reply);
  restart();
  EXPECT_EQ(buy(bob, second).reply, refused.reply);
}

TEST_F(ShardTest, a_repeat_while_the_first_is_under_way_joins_it) {  // I3
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  const auto id = command_id(o.expert);
  log.hold();
  std::optional<CommandResult> first, second, third;
  process->send(booking(o.slots[0], lars), id, first);
  process->pump();
  process->send(booking(o.slots[0], lars), id, second);
  process->send(booking(o.slots[0], lars, "other"), id, third);
  process->pump();
  EXPECT_FALSE(first || second) << "told before it was durable";
  EXPECT_EQ(third.value().reply.status, 422);
  log.release();
  process->pump();
  EXPECT_EQ(first.value().reply, second.value().reply);
  EXPECT_EQ(first->sequence, second->sequence);
  EXPECT_EQ(count("booking.v1.BookingCreated"), 1u);
}

TEST_F(ShardTest, refusals_are_durable_before_they_are_told_too) {
  const auto o = offer("eva");
  log.hold();
  std::optional<CommandResult> refused;
  process->send(booking(o.slots[0], id_of("nobody", 0xd01)), command_id(o.expert), refused);
  process->pump();
  EXPECT_FALSE(refused);
  log.release();
  process->pump();
  EXPECT_EQ(refused.value().reply.body, "learner_not_found");
}

// Two want one seat; the second is decided while the log still has the first one's batch.
struct TwoOfOneSeat : ShardTest {
  void SetUp() override {
    const auto o = offer("eva");
    const Uuid lars = learner("lars"), mia = learner("mia");
    log.hold();
    process->send(booking(o.slots[0], lars), command_id(o.expert), first);
    process->pump();
    process->send(booking(o.slots[0], mia), command_id(o.expert), second);
    process->pump();
  }
  std::optional<CommandResult> first, second;
};

TEST_F(TwoOfOneSeat, commands_are_decided_over_what_is_not_yet_durable) {  // TU-27
  log.release();
  process->pump();
  EXPECT_EQ(first.value().reply.status, 201);
  EXPECT_EQ(second.value().reply.body, "slot_full");
}

TEST_F(TwoOfOneSeat, an_aborted_batch_is_decided_again_in_order) {
  log.fail_next(AppendOutcome::aborted);
  log.release();
  process->pump();
  EXPECT_EQ(first.value().reply.status, 201);
  EXPECT_EQ(second.value().reply.body, "slot_full");
  EXPECT_EQ(count("booking.v1.BookingCreated"), 1u);
  EXPECT_TRUE(process->failure.empty());
}

// I4: an unknown outcome ends the process, and a restart tells which it was.
TEST_F(ShardTest, an_unknown_batch_ends_the_process_and_resolves_after_it) {
  for (const bool stored : {false, true}) {
    const auto o = offer(stored ? "eva" : "ida");
    const Uuid lars = learner(stored ? "lars" : "bo");
    const auto id = command_id(o.expert);
    log.fail_next(AppendOutcome::unknown, stored);
    EXPECT_EQ(process->call(booking(o.slots[0], lars), id).kind, CommandResult::Kind::unknown);
    EXPECT_FALSE(process->failure.empty());
    const std::size_t before = count("booking.v1.BookingCreated");
    restart();
    const auto again = process->call(booking(o.slots[0], lars), id);
    EXPECT_EQ(again.reply.status, 201);
    EXPECT_EQ(again.replayed, stored);
    EXPECT_EQ(count("booking.v1.BookingCreated"), before + (stored ? 0 : 1));
  }
}

TEST_F(ShardTest, a_log_that_does_not_answer_is_told_as_unknown_and_never_as_no) {
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  const auto id = command_id(o.expert);
  log.hold();
  std::optional<CommandResult> first;
  process->send(booking(o.slots[0], lars), id, first);
  process->pump();
  clock.at += ShardLimits{}.unknown_after_us + second_us;
  process->pump();
  EXPECT_EQ(first.value().kind, CommandResult::Kind::unknown);
  log.release();
  process->pump();
  const auto again = process->call(booking(o.slots[0], lars), id);
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.reply.status, 201);
}

// Two clients in turn, where a commit costs milliseconds.
TEST_F(ShardTest, a_batch_waits_a_moment_for_who_was_just_answered_and_nobody_waits_alone) {
  const auto o = offer("eva");
  const ShardNo n = shard_of(o.expert, shard_count);
  constexpr Micros gather_us = 2'000, commit_us = 9'000;
  process->close(n);
  process->shards[n] = std::make_unique<Shard>(n, process->environment(n), ShardLimits{.gather_us = gather_us});
  process->pump();
  const std::vector<Uuid> learners = {learner("lars"), learner("mia"), learner("bo"), learner("ida"), learner("ole")};
  std::vector<std::optional<CommandResult>> results(learners.size());
  const auto send = [&](std::size_t i) {
    process->send(booking(o.slots[i], learners[i]), command_id(o.expert), results[i]);
    process->pump();
  };
  send(0);
  EXPECT_TRUE(results[0]) << "one client waited for nobody";
  log.hold();
  send(1);
  send(2);
  clock.at += commit_us;
  log.release();
  process->pump();
  EXPECT_TRUE(results[1]);
  EXPECT_FALSE(results[2]) << "a half batch went out";
  const auto batches = process->shards[n]->counters().batches.load();
  log.hold();
  send(3);  // The one who was answered comes again.
  clock.at += commit_us;
  log.release();
  process->pump();
  EXPECT_TRUE(results[2] && results[3]);
  EXPECT_EQ(process->shards[n]->counters().batches.load(), batches + 1);
  send(4);  // And alone: the other left.
  EXPECT_FALSE(results[4]);
  clock.at += gather_us;
  process->pump();
  EXPECT_TRUE(results[4]);
}

TEST_F(ShardTest, a_full_queue_refuses_without_taking_anything) {
  auto request = process->request(registration(id_of("x"), ::account::v1::Role::learner), command_id(id_of("x")));
  Shard& shard = *process->shards[shard_of(id_of("x"), shard_count)];
  for (std::size_t i = 0; i < ShardLimits{}.queue_commands; ++i) {
    auto copy = request;
    CommandDone done = [](CommandResult) {};
    ASSERT_TRUE(shard.submit(copy, done));
  }
  bool called = false;
  CommandDone done = [&](CommandResult) { called = true; };
  EXPECT_FALSE(shard.submit(request, done));
  EXPECT_TRUE(static_cast<bool>(done));
  EXPECT_FALSE(called);
  EXPECT_FALSE(request.payload.empty());
}

TEST_F(ShardTest, a_hold_expires_once_by_its_timer_also_over_a_restart) {  // M-2, OR-2
  const auto o = offer("eva");
  const Uuid lars = learner("lars"), mia = learner("mia");
  process->policy.auto_authorize = false;
  process->call(booking(o.slots[0], lars), command_id(o.expert));
  clock.at += process->policy.hold_us - second_us;
  process->pump();
  EXPECT_EQ(count("booking.v1.BookingExpired"), 0u);
  restart();
  clock.at += 2 * second_us;
  process->pump();
  process->pump();
  EXPECT_EQ(count("booking.v1.BookingExpired"), 1u);
  EXPECT_EQ(process->call(booking(o.slots[0], mia), command_id(o.expert)).reply.status, 201);
  clock.at += hour_us;
  process->pump();
  EXPECT_EQ(count("decision.v1.InboxCommand"), 0u);
}

TEST_F(ShardTest, effects_are_wanted_until_their_outcome_also_over_a_restart) {  // I15
  const auto o = offer("eva");
  const Uuid lars = learner("lars");
  process->call(booking(o.slots[0], lars), command_id(o.expert));
  ASSERT_EQ(process->effects.size(), 1u);
  const Effect wanted = process->effects.begin()->second;
  EXPECT_EQ(wanted.call, ::payment::v1::Call::authorize);
  EXPECT_EQ(wanted.amount_cents, 50'000);
  restart();
  ASSERT_EQ(process->effects.size(), 1u);
  EXPECT_EQ(process->effects.begin()->second, wanted);
  payment::RecordAuthorized done;
  done.payment_id = wanted.payment_id;
  done.external_id = "pi_1";
  process->call(done, command_id(o.expert));
  EXPECT_TRUE(process->effects.empty());
  restart();
  EXPECT_TRUE(process->effects.empty());
}

// M-1 across shards: the registration confirms its claim exactly once, whether or not the target dies in between.
TEST_F(ShardTest, a_reaction_reaches_another_shard_exactly_once) {
  const Uuid account = id_of("anna", 0x100), claim = id_of("anna@example.org", 0xf00);
  ASSERT_NE(shard_of(account, shard_count), shard_of(claim, shard_count));
  claim::HoldClaim hold;
  hold.claim_id = claim;
  hold.kind = "email";
  hold.account_id = account;
  process->call(hold, command_id(claim));
  auto registered = registration(account, ::account::v1::Role::learner);
  registered.email_claim_id = claim;
  std::optional<CommandResult> out;
  process->send(registered, command_id(account), out);
  process->shards[shard_of(account, shard_count)]->pump();  // The other shard does not get to run.
  process->shards[shard_of(account, shard_count)]->pump();
  EXPECT_EQ(count("account.v1.AccountRegistered"), 1u);
  EXPECT_EQ(count("claim.v1.ClaimConfirmed"), 0u);
  for (int i = 0; i < 3; ++i) restart();
  EXPECT_EQ(count("claim.v1.ClaimConfirmed"), 1u);
  EXPECT_EQ(count("decision.v1.InboxCommand"), 1u);
}

TEST_F(ShardTest, a_follow_is_told_once_ever_and_a_replay_tells_nothing) {  // M-6, SO-10
  policy.aggregates.insert(policy.aggregates.end(), {"relation", "notification", "notification_inbox"});
  restart();
  // Of different shards: one of the two is told through the inbox.
  const Uuid anna = id_of("anna", 0x100), ben = id_of("ben", 0xf00);
  ASSERT_NE(shard_of(anna, shard_count), shard_of(ben, shard_count));
  for (const Uuid& who : {anna, ben}) process->call(registration(who, ::account::v1::Role::learner), command_id(who));
  const Uuid pair = pair_id(anna, ben);
  for (int i = 0; i < 100; ++i) {
    process->call(relation::Follow{.follower_id = anna, .following_id = ben}, command_id(pair), user(anna));
    process->call(relation::Unfollow{.follower_id = anna, .following_id = ben}, command_id(pair), user(anna));
    if (i % 10 == 0) restart();
  }
  process->call(relation::Follow{.follower_id = ben, .following_id = anna}, command_id(pair), user(ben));
  const auto expect_told_once = [&] {
    EXPECT_EQ(count("relation.v1.Followed"), 101u);
    EXPECT_EQ(count("notification.v1.NotificationRaised"), 2u);
  };
  expect_told_once();
  EXPECT_GE(count("decision.v1.InboxCommand"), 1u);
  // All state is lost, and made anew from the log.
  stores = std::vector<MemoryStateStore>(shard_count);
  restart();
  process->pump();
  expect_told_once();
  const auto anew = replayed();
  for (ShardNo n = 0; n < shard_count; ++n) EXPECT_TRUE(dump(stores[n]) == anew[n]) << "shard " << n;
}

TEST_F(ShardTest, if_match_is_checked_against_the_streams_version) {
  const auto o = offer("eva");
  session::DeactivateSession c;
  c.session_id = o.session;
  auto request = process->request(c, command_id(o.expert));
  request.expected_version = 7;
  std::optional<CommandResult> out;
  process->send(request, out);
  process->pump();
  EXPECT_EQ(out.value().reply.body, "version_conflict");
  request = process->request(c, command_id(o.expert));
  request.expected_version = 1;
  process->send(request, out);
  process->pump();
  EXPECT_EQ(out.value().reply.status, 200);
  EXPECT_EQ(out->reply.etag, "2");
}

// State is written after the log has it: a log that ends before lost something, and a start must not hide it.
TEST_F(ShardTest, a_state_ahead_of_the_log_is_refused_unless_the_loss_is_accepted) {
  offer("eva");
  process.reset();
  MemoryLog shorter("tutoring", id_of("log"), shard_count);
  EXPECT_THROW(Process(shorter, stores, clock), CorruptLog);
  Process after(shorter, stores, clock, [](ShardEnvironment& env) { env.accept_loss = true; });
  EXPECT_EQ(after.call(registration(id_of("ida"), ::account::v1::Role::learner, "ida"), command_id(id_of("ida"))).reply.status,
            201);
}

// The resource at its Location, for those who may see it (A-TU-19); everybody else gets what they get where there is nothing.
TEST_F(ShardTest, a_resource_is_shown_to_whom_it_concerns_and_only_once_it_is_durable) {
  const auto o = offer("eva");
  const Uuid lars = learner("lars"), mia = learner("mia");
  const auto id = command_id(o.expert);
  const Uuid seat = derive_in_group("booking", id, 0, bucket_of(id));
  const auto show = [&](const StreamId& stream, const Asker& asker) {
    std::optional<CommandResult> out;
    CommandDone done = [&out](CommandResult result) { out = std::move(result); };
    EXPECT_TRUE(process->shards[shard_of(stream.id, shard_count)]->show(stream, asker, done));
    process->pump();
    return out.value_or(CommandResult{});
  };
  const Asker services{ActorKind::service, {}}, nobody{};
  log.hold();
  std::optional<CommandResult> booked;
  process->send(booking(o.slots[0], lars), id, booked);
  process->pump();
  EXPECT_EQ(show({StreamKind::booking, seat}, services).kind, CommandResult::Kind::not_found);
  log.release();
  process->pump();
  for (const Asker& asker : {services, Asker{ActorKind::user, lars}, Asker{ActorKind::user, o.expert}}) {
    const auto shown = show({StreamKind::booking, seat}, asker);
    EXPECT_EQ(shown.kind, CommandResult::Kind::replied);
    EXPECT_EQ(shown.reply.body, booked.value().reply.body);
    EXPECT_EQ(shown.reply.etag, booked->reply.etag);
    EXPECT_EQ(shown.reply.status, 200);
  }
  for (const Asker& asker : {nobody, Asker{ActorKind::user, mia}}) {
    EXPECT_EQ(show({StreamKind::booking, seat}, asker).kind, CommandResult::Kind::not_found);
    EXPECT_EQ(show({StreamKind::account, lars}, asker).kind, CommandResult::Kind::not_found);
  }
  EXPECT_EQ(show({StreamKind::account, lars}, {ActorKind::user, lars}).kind, CommandResult::Kind::replied);
  EXPECT_EQ(show({StreamKind::session, o.session}, {ActorKind::user, mia}).kind, CommandResult::Kind::replied);
  EXPECT_EQ(show({StreamKind::session, o.session}, nobody).kind, CommandResult::Kind::not_found);
  session::DeactivateSession closed;
  closed.session_id = o.session;
  process->call(closed, command_id(o.expert));
  EXPECT_EQ(show({StreamKind::session, o.session}, {ActorKind::user, mia}).kind, CommandResult::Kind::not_found);
  EXPECT_EQ(show({StreamKind::session, o.session}, {ActorKind::user, o.expert}).kind, CommandResult::Kind::replied);
  EXPECT_EQ(show({StreamKind::calendar, o.expert}, services).kind, CommandResult::Kind::not_found);
}

TEST_F(ShardTest, a_stored_reply_is_told_to_its_sender_and_to_services) {
  const auto o = offer("eva");
  const Uuid lars = learner("lars"), mia = learner("mia");
  const auto id = command_id(o.expert);
  const auto look_up = [&](const Asker& asker) {
    std::optional<CommandResult> out;
    CommandDone done = [&out](CommandResult result) { out = std::move(result); };
    EXPECT_TRUE(process->shards[shard_of(id, shard_count)]->look_up(id, asker, done));
    process->pump();
    return out.value_or(CommandResult{}).kind;
  };
  log.hold();
  std::optional<CommandResult> booked;
  process->send(booking(o.slots[0], lars), id, booked, user(lars));
  process->pump();
  EXPECT_EQ(look_up({ActorKind::user, mia}), CommandResult::Kind::not_found) << "while it is under way";
  log.release();
  process->pump();
  EXPECT_EQ(look_up({ActorKind::user, lars}), CommandResult::Kind::replied);
  EXPECT_EQ(look_up({ActorKind::service, {}}), CommandResult::Kind::replied);
  EXPECT_EQ(look_up({ActorKind::user, mia}), CommandResult::Kind::not_found);
  EXPECT_EQ(look_up({}), CommandResult::Kind::not_found);
}

// What a new stream writes is what it wants; it takes nothing back that it never asked for.
TEST_F(ShardTest, a_first_event_erases_nothing) {
  booking::BookingCreated created;
  created.booking_id = id_of("booking");
  created.expires_at = clock.at + minute_us;
  Changes changes([](const StreamId&) { return nullptr; });
  changes.fold_event({StreamKind::booking, created.booking_id}, created);
  for (const auto& operation : changes.writes({}).operations) EXPECT_TRUE(operation.value) << "erases " << operation.key;
  EXPECT_EQ(changes.earliest_new_timer(), created.expires_at);
}

}  // namespace
}  // namespace guildhall::testing
