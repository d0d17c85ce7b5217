// What one shard's reactions tell another arrives exactly once, whatever carries them and whoever dies meanwhile (design:
// reactions). For every log, with what brings its inbox entries to the shards. `Made` owns a log of two shards, empty at first:
//   EventLog& log();
//   static constexpr bool searches_inboxes;  // As ShardEnvironment has it.
//   static constexpr int steps;              // Of the random history; fewer where opening a shard takes long.
//   void deliver(ShardNo target, InboxEntry entry);  // ShardEnvironment::deliver of every shard; nothing to do for a feed.
//   // The target is open: its entries go to `sink`, from any thread, in order; a feed begins behind `position`.
//   void attach(ShardNo target, std::uint64_t position, std::function<void(InboxEntry)> sink);
//   void restart();  // All shards are closed, no reader is left: their process begins anew.
//   void detach(ShardNo target);  // When it returns, `sink` is called no more. The shard closes after it.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <random>
#include <thread>

#include "tests/aggregates/shard_process.h"

namespace guildhall::testing {

template <class Made>
class InboxContract : public ::testing::Test {
 protected:
  static constexpr std::chrono::seconds patience{60};

  InboxContract() { start(); }
  ~InboxContract() override { stop(); }

  void start() {
    process = std::make_unique<Process>(
        made.log(), stores, clock,
        [this](ShardEnvironment& env) {
          env.searches_inboxes = Made::searches_inboxes;
          env.surrenders = true;
          env.deliver = [this](ShardNo target, InboxEntry entry) { made.deliver(target, std::move(entry)); };
        },
        [this](Shard& shard) {
          made.attach(shard.number(), shard.inbox_position(), [this, &shard](InboxEntry entry) {
            {
              const std::lock_guard lock(mutex);
              arrived[shard.number()].push_back(entry);
            }
            for (int i = 1; i < copies; ++i) shard.deliver(entry);
            shard.deliver(std::move(entry));
          });
        });
  }
  void stop() {
    for (ShardNo n = 0; n < shard_count; ++n) close(n);
    process.reset();
    readers = {};
    sent_entries.clear();
    executed.clear();
    confirmed.clear();
    made.restart();
  }
  bool is_open(ShardNo n) const { return process->shards[n] != nullptr; }
  void open(ShardNo n) {
    if (!is_open(n)) process->open(n);
  }
  // As when the process dies: what the log had not said by now is not seen.
  void close(ShardNo n) {
    if (!process || !is_open(n)) return;
    made.detach(n);
    process->close(n);
  }
  // The same in a random history, with only `left` of its state. Where shards search, all die with it, as their process does:
  // they would not search again for what this one had not delivered.
  void die(ShardNo n, const MemoryStateStore& left) {
    MemoryStateStore state = left;
    if (Made::searches_inboxes) stop();
    else close(n);
    stores[n] = std::move(state);
    if (Made::searches_inboxes) start();
  }
  // A planned close: everything taken is answered, the state is kept.
  void finish(ShardNo n) {
    if (!is_open(n)) return;
    made.detach(n);
    std::stop_source stop;
    stop.request_stop();
    process->shards[n]->run(stop.get_token());
    process->close(n);
  }
  // An earlier feed is read again, from its beginning.
  void deliver_again(ShardNo n) {
    std::vector<InboxEntry> again;
    {
      const std::lock_guard lock(mutex);
      again = arrived[n];
    }
    for (InboxEntry& entry : again) process->shards[n]->deliver(std::move(entry));
  }

  // Accounts of even numbers are in shard 0 and their claims in shard 1, and the other way round.
  static Bucket bucket_in(ShardNo n) { return n == 0 ? 0x100 : 0xf00; }
  static Uuid account(int i) { return id_of("account " + std::to_string(i), bucket_in(static_cast<ShardNo>(i % 2))); }
  static Uuid claim(int i) { return id_of("claim " + std::to_string(i), bucket_in(static_cast<ShardNo>(1 - i % 2))); }
  Uuid command_id(const Uuid& group) { return derive_in_group("test command", id_of("inbox"), ++sent, bucket_of(group)); }
  std::shared_ptr<std::optional<CommandResult>> submit(const AnyCommand& command, const Uuid& group) {
    auto out = std::make_shared<std::optional<CommandResult>>();
    CommandRequest request = process->request(command, command_id(group));
    CommandDone done = [out](CommandResult result) { *out = std::move(result); };
    EXPECT_TRUE(process->shards[shard_of(group, shard_count)]->submit(request, done));
    return out;
  }
  auto hold_claim(int i) {
    claim::HoldClaim c;
    c.claim_id = claim(i);
    c.kind = "email";
    c.account_id = account(i);
    return submit(c, c.claim_id);
  }
  auto register_account(int i) {
    account::RegisterAccount c;
    c.id = account(i);
    c.email = std::to_string(i) + "@example.org";
    c.display_name = "Somebody";
    c.role = ::account::v1::Role::learner;
    c.timezone = "UTC";
    c.email_claim_id = claim(i);
    return submit(c, c.id);
  }

  // Lets the shards that are open work until it holds.
  [[nodiscard]] bool eventually(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      process->pump();
      std::this_thread::yield();
    }
    return true;
  }
  template <class Result>
  void wait_for(const Result& result, int status) {
    ASSERT_TRUE(eventually([&] { return result->has_value(); }));
    ASSERT_EQ((*result)->reply.status, status) << (*result)->reply.body;
  }

  // What the log has by now of entries sent, and of decisions made of them.
  void observe() {
    for (ShardNo n = 0; n < shard_count; ++n) {
      if (!readers[n]) readers[n] = made.log().read(n, 1);
      while (const Record* r = readers[n]->next()) {
        if (r->header.stream.kind == StreamKind::inbox) sent_entries.insert(to_string(r->header.stream.id));
        else if (r->header.type == "claim.v1.ClaimConfirmed") ++confirmed[to_string(r->header.stream.id)];
        else if (const auto* d = r->header.stream.kind == StreamKind::decision ? verified<DecisionTable>(r->payload) : nullptr)
          if (d->source() == ::decision::v1::Source::inbox) ++executed[to_string(*d->command_id())];
      }
    }
  }
  bool all_executed(std::size_t entries) {
    observe();
    return executed.size() == entries && sent_entries.size() == entries;
  }
  int confirmations(int i) { return confirmed[to_string(claim(i))]; }
  // Entries come in order: when one more of each direction was executed, no earlier one is still on its way.
  void check_each_once(int next_account) {
    for (ShardNo n = 0; n < shard_count; ++n) open(n);
    for (const int i : {next_account, next_account + 1}) wait_for(register_account(i), 201);
    const bool came = eventually([&] {
      observe();
      return executed.size() == sent_entries.size() && executed_from(next_account) && executed_from(next_account + 1);
    });
    std::string missing;
    for (const auto& id : sent_entries)
      if (!executed.contains(id)) missing += " " + id;
    ASSERT_TRUE(came) << "missing:" << missing;
    for (const auto& [id, times] : executed) {
      EXPECT_EQ(times, 1) << id;
      EXPECT_TRUE(sent_entries.contains(id)) << id;
    }
    for (const auto& [id, times] : confirmed) EXPECT_EQ(times, 1) << id;
  }

  Made made;
  std::vector<MemoryStateStore> stores = std::vector<MemoryStateStore>(shard_count);
  SetClock clock;
  std::uint64_t sent = 0;
  std::array<std::unique_ptr<LogReader>, shard_count> readers;
  std::set<std::string> sent_entries;
  std::map<std::string, int> executed, confirmed;
  std::atomic<int> copies = 1;  // Of each entry that arrives.
  std::mutex mutex;
  std::array<std::vector<InboxEntry>, shard_count> arrived;
  std::unique_ptr<Process> process;

 private:
  // Without a hold the claim says "nothing new", in a decision all the same.
  bool executed_from(int i) const {
    for (const auto& id : sent_entries)
      if (const auto uuid = parse_uuid(id); uuid && bucket_of(*uuid) == bucket_of(claim(i)) && !executed.contains(id))
        return false;
    return true;
  }
};
TYPED_TEST_SUITE_P(InboxContract);

TYPED_TEST_P(InboxContract, a_reaction_reaches_another_shard) {
  for (const int i : {0, 1}) this->wait_for(this->hold_claim(i), 201);
  for (const int i : {0, 1}) this->wait_for(this->register_account(i), 201);
  ASSERT_TRUE(this->eventually([&] { return this->all_executed(2); }));
  EXPECT_EQ(this->confirmations(0), 1);
  EXPECT_EQ(this->confirmations(1), 1);
  this->check_each_once(2);
}

TYPED_TEST_P(InboxContract, the_target_is_closed_meanwhile) {
  for (int i = 0; i < 6; i += 2) this->wait_for(this->hold_claim(i), 201);
  this->finish(1);
  for (int i = 0; i < 6; i += 2) this->wait_for(this->register_account(i), 201);
  this->observe();
  EXPECT_EQ(this->sent_entries.size(), 3u);
  EXPECT_TRUE(this->executed.empty());
  this->open(1);
  ASSERT_TRUE(this->eventually([&] { return this->all_executed(3); }));
  for (int i = 0; i < 6; i += 2) EXPECT_EQ(this->confirmations(i), 1);
  this->check_each_once(6);
}

// The log has the target's batch, its state does not know of it yet.
TYPED_TEST_P(InboxContract, the_target_dies_after_its_batch) {
  this->wait_for(this->hold_claim(0), 201);
  const auto registered = this->register_account(0);
  ASSERT_TRUE(this->eventually([&] { return registered->has_value(); }));
  ASSERT_TRUE(this->eventually([&] {
    this->observe();
    return this->confirmations(0) == 1;
  }));
  this->close(1);
  this->open(1);
  this->check_each_once(2);
}

// The source's batch is durable, its process dies before it knows.
TYPED_TEST_P(InboxContract, the_source_dies_after_its_batch) {
  this->wait_for(this->hold_claim(0), 201);
  this->register_account(0);
  ASSERT_TRUE(this->eventually([&] {
    this->observe();
    return this->sent_entries.size() == 1;
  }));
  this->stop();
  this->start();
  ASSERT_TRUE(this->eventually([&] { return this->all_executed(1); }));
  EXPECT_EQ(this->confirmations(0), 1);
  this->check_each_once(2);
}

TYPED_TEST_P(InboxContract, state_is_made_anew_from_the_log) {
  for (const int i : {0, 1}) this->wait_for(this->hold_claim(i), 201);
  for (const int i : {0, 1}) this->wait_for(this->register_account(i), 201);
  ASSERT_TRUE(this->eventually([&] { return this->all_executed(2); }));
  this->stop();
  for (auto& store : this->stores) store.clear();
  this->start();
  this->check_each_once(2);
}

TYPED_TEST_P(InboxContract, entries_come_twice_at_once_and_again_later) {
  this->copies = 2;
  for (const int i : {0, 1}) this->wait_for(this->hold_claim(i), 201);
  for (const int i : {0, 1}) this->wait_for(this->register_account(i), 201);
  ASSERT_TRUE(this->eventually([&] { return this->all_executed(2); }));
  for (ShardNo n = 0; n < shard_count; ++n) this->deliver_again(n);
  this->check_each_once(2);
  this->stop();
  this->start();
  for (ShardNo n = 0; n < shard_count; ++n) this->deliver_again(n);
  this->check_each_once(4);
}

TYPED_TEST_P(InboxContract, a_random_history) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  this->RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  std::vector<MemoryStateStore> snapshot = this->stores;
  int next = 0;
  for (int step = 0; step < TypeParam::steps; ++step) {
    const auto n = static_cast<ShardNo>(pick(shard_count));
    switch (pick(12)) {
      case 0: this->finish(n); break;
      case 1: this->die(n, this->stores[n]); break;
      case 2: this->die(n, snapshot[n]); break;
      case 3:
        this->stop();
        this->start();
        break;
      case 4: snapshot = this->stores; break;
      case 5: this->copies = 1 + static_cast<int>(pick(3)); break;
      case 6:
        if (this->is_open(n)) this->deliver_again(n);
        break;
      case 7: this->open(n); break;
      case 8:
        if (this->is_open(n)) this->process->shards[n]->pump();
        break;
      default: {
        const int i = next++;
        this->open(shard_of(this->account(i), shard_count));
        if (this->is_open(shard_of(this->claim(i), shard_count))) this->hold_claim(i);
        this->register_account(i);
        if (pick(2) == 0) this->process->pump();
      }
    }
  }
  this->copies = 1;
  this->check_each_once(next + next % 2);
}

REGISTER_TYPED_TEST_SUITE_P(InboxContract, a_reaction_reaches_another_shard, the_target_is_closed_meanwhile,
                            the_target_dies_after_its_batch, the_source_dies_after_its_batch, state_is_made_anew_from_the_log,
                            entries_come_twice_at_once_and_again_later, a_random_history);

}  // namespace guildhall::testing
