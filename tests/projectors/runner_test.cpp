#include "projectors/runner.h"

#include <gtest/gtest.h>

#include <thread>

#include "infra/memory_row_store.h"
#include "projectors/bookings.h"
#include "projectors/profiles.h"
#include "projectors/rebuild.h"
#include "projectors/tutoring.h"
#include "tests/forwarded_log.h"
#include "tests/projectors/written_log.h"

namespace guildhall {
namespace {

using Kind = RowStoreError::Kind;
constexpr auto at_once = std::chrono::steady_clock::time_point::min();
constexpr auto never = std::chrono::steady_clock::time_point::max();

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() { store.prepare(written.log.identity()); }
  void run_to_end() {
    while (runner.step({})) {
    }
  }
  std::string all_rows(RowStore& rows) {
    std::string out;
    for (const Table* table : rows.tables())
      rows.dump(Generation::live, *table,
                [&](std::string_view line) { out.append(table->name).append(" ").append(line).append("\n"); });
    return out;
  }
  // What a fresh fold of the whole log gives (I8).
  std::string fold_of_log() {
    MemoryRowStore fresh(tutoring_projection().tables);
    rebuild(written.log, fresh, tutoring_projection());
    return all_rows(fresh);
  }

  WrittenLog written;
  Marketplace given{written};
  MemoryRowStore store{tutoring_projection().tables};
  std::vector<std::int64_t> pauses_ms;
  Pause pause = [this](std::stop_token, std::chrono::milliseconds ms) { pauses_ms.push_back(ms.count()); };
  RunnerLimits limits{.records_per_transaction = 8};
  Runner runner{written.log, store, tutoring_projection(), {0, 1}, pause, limits};
};

TEST_F(RunnerTest, rows_are_the_fold_of_the_log) {
  write_marketplace(written);
  Marketplace(written, 1).register_account(test_id(0xaaa), "Other shard");
  run_to_end();
  EXPECT_EQ(all_rows(store), fold_of_log());
  EXPECT_EQ(store.offsets(Generation::live), (std::vector<Sequence>{written.end(0), written.end(1)}));
  EXPECT_TRUE(pauses_ms.empty());
  for (const ShardProgress& p : runner.progress()) EXPECT_EQ(p.applied, p.durable_end);
}

TEST_F(RunnerTest, an_empty_log_is_nothing_to_do) {
  EXPECT_FALSE(runner.step({}));
  EXPECT_EQ(runner.wait_for({}, at_once), WaitResult::reached);
}

TEST_F(RunnerTest, backs_off_while_the_store_is_away_and_goes_on) {
  write_marketplace(written);
  for (int i = 0; i < 9; ++i) store.fail_next(Kind::unavailable);
  run_to_end();
  EXPECT_EQ(pauses_ms, (std::vector<std::int64_t>{50, 100, 200, 400, 800, 1600, 3200, 5000, 5000}));
  EXPECT_EQ(all_rows(store), fold_of_log());
}

// The commit's answer was lost: whether it happened or not, every record counts once.
TEST_F(RunnerTest, an_answer_in_doubt_is_settled_by_the_stored_offset) {
  write_marketplace(written);
  store.fail_next(Kind::in_doubt, true);
  store.fail_next(Kind::in_doubt, false);
  store.fail_next(Kind::in_doubt, true);
  run_to_end();
  EXPECT_EQ(all_rows(store), fold_of_log());
}

TEST_F(RunnerTest, two_runners_never_both_apply) {
  write_marketplace(written);
  Runner second(written.log, store, tutoring_projection(), {0, 1}, pause, limits);
  for (bool more = true; more;) {
    more = runner.step({});
    more = second.step({}) || more;
  }
  EXPECT_EQ(all_rows(store), fold_of_log());
}

// I14: what lies before is applied, the shard stands with its reason, the other one goes on.
TEST_F(RunnerTest, a_poison_record_stops_its_shard_only) {
  const struct {
    FailureKind kind;
    std::function<void(WrittenLog&)> poison;
  } cases[] = {
      {FailureKind::unknown_type,
       [](WrittenLog& l) {
         l.append_raw(0, {StreamKind::booking, test_id(1)}, "booking.v9.BookingTeleported", "x");
       }},
      {FailureKind::decode,
       [](WrittenLog& l) {
         l.append_raw(0, {StreamKind::booking, test_id(1)}, "booking.v1.BookingConfirmed", "garbage!garbage!");
       }},
      {FailureKind::order, [](WrittenLog& l) { Marketplace(l).on_booking(test_id(0xdead), booking::BookingExpired{}); }},
      {FailureKind::order, [](WrittenLog& l) { Marketplace(l).on_booking(test_id(0xdead), booking::BookingConfirmed{}); }},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(name_of(c.kind));
    WrittenLog l;
    write_marketplace(l);
    const Sequence good = l.end(0);
    c.poison(l);
    Marketplace(l).register_account(test_id(0xbbb), "Behind the poison");
    Marketplace(l, 1).register_account(test_id(0xaaa), "Other shard");
    MemoryRowStore rows(tutoring_projection().tables);
    rows.prepare(l.log.identity());
    Runner r(l.log, rows, tutoring_projection(), {0, 1}, pause, {.records_per_transaction = 1'000});
    while (r.step({})) {
    }
    EXPECT_EQ(rows.offsets(Generation::live), (std::vector<Sequence>{good, l.end(1)}));
    ASSERT_EQ(rows.failures().size(), 1u);
    EXPECT_EQ(rows.failures()[0].kind, c.kind);
    EXPECT_EQ(rows.failures()[0].shard, 0u);
    EXPECT_EQ(rows.failures()[0].sequence, good + 1);
    const Target behind[] = {{0, good + 1}};
    EXPECT_EQ(r.wait_for(behind, never), WaitResult::failed);
    const Target before[] = {{0, good}, {1, l.end(1)}};
    EXPECT_EQ(r.wait_for(before, at_once), WaitResult::reached);
    Marketplace(l, 1).rename(test_id(0xaaa), "Still moving");
    r.notify();
    while (r.step({})) {
    }
    EXPECT_EQ(rows.offsets(Generation::live)[1], l.end(1));
  }
}

TEST_F(RunnerTest, a_refused_row_is_found_among_thousands) {
  for (std::uint64_t i = 0; i < 300; ++i) given.register_account(test_id(0x1000 + i), "n");
  store.refuse(Accounts::table(), {test_id(0x1000 + 217)});
  Runner r(written.log, store, tutoring_projection(), {0, 1}, pause);
  while (r.step({})) {
  }
  ASSERT_EQ(store.failures().size(), 1u);
  EXPECT_EQ(store.failures()[0].kind, FailureKind::apply);
  EXPECT_EQ(store.failures()[0].sequence, 217u * 2 + 1);
  EXPECT_EQ(store.failures()[0].type, "account.v1.AccountRegistered");
}

// I8: never ahead of the log.
TEST_F(RunnerTest, rows_ahead_of_the_log_are_refused) {
  const Advance ahead[] = {{0, 0, 17}};
  store.apply(Generation::live, RowBatch{}, ahead);
  try {
    runner.step({});
    FAIL();
  } catch (const RowStoreError& e) {
    EXPECT_EQ(e.kind(), Kind::schema);
    EXPECT_EQ(e.hint(), "projection rebuild");
  }
}

// A log of several processes: this one knows of what others wrote only when it asks.
class LogOfOthers final : public ForwardedLog {
 public:
  using ForwardedLog::ForwardedLog;
  std::unique_ptr<LogReader> read(ShardNo shard, Sequence from) override {
    asked_ = true;
    return ForwardedLog::read(shard, from);
  }
  LogEnd durable_end(ShardNo shard) const override { return asked_ ? ForwardedLog::durable_end(shard) : LogEnd{}; }

 private:
  bool asked_ = false;
};

TEST_F(RunnerTest, rows_that_another_process_wrote_are_not_ahead_of_the_log) {
  write_marketplace(written);
  run_to_end();
  const Sequence before = written.end(0);
  given.rename(test_id(ann), "Anna");
  LogOfOthers log(written.log);
  Runner late(log, store, tutoring_projection(), {0, 1}, pause, limits);
  while (late.step({})) {
  }
  EXPECT_GT(written.end(0), before);
  EXPECT_EQ(store.offsets(Generation::live), (std::vector<Sequence>{written.end(0), written.end(1)}));
  EXPECT_EQ(all_rows(store), fold_of_log());
}

// conventions.md §1: a projection that never started is not current, a shard of another process is not here.
TEST_F(RunnerTest, waits_ask_the_running_projection) {
  write_marketplace(written);
  const Target end[] = {{0, written.end(0)}};
  EXPECT_EQ(runner.wait_for(end, at_once), WaitResult::timed_out);
  const Target foreign[] = {{9, 1}};
  EXPECT_EQ(runner.wait_for(foreign, at_once), WaitResult::not_here);
}

TEST_F(RunnerTest, a_waiting_reader_sees_its_write) {
  write_marketplace(written);
  std::jthread thread([&](std::stop_token stop) { runner.run(stop); });
  const Target first[] = {{0, written.end(0)}};
  EXPECT_EQ(runner.wait_for(first, never), WaitResult::reached);
  given.rename(test_id(ann), "Anna");
  runner.notify();
  const Target second[] = {{0, written.end(0)}};
  EXPECT_EQ(runner.wait_for(second, never), WaitResult::reached);
  thread.request_stop();
  thread.join();
  EXPECT_EQ(all_rows(store), fold_of_log());
}

TEST_F(RunnerTest, a_rebuild_gives_the_same_rows_and_the_runner_goes_on) {
  write_marketplace(written);
  run_to_end();
  std::uint64_t last = 0;
  const RebuildReport report =
      rebuild(written.log, store, tutoring_projection(),
              {.records_per_transaction = 5, .compare = true, .progress = [&](std::uint64_t n, std::uint64_t) { last = n; }});
  EXPECT_EQ(last, written.end(0));
  EXPECT_TRUE(report.compared);
  for (const auto& table : report.tables) EXPECT_TRUE(table.same) << table.table;
  given.rename(test_id(ann), "Anna");
  run_to_end();
  EXPECT_EQ(all_rows(store), fold_of_log());
  store.roll_back();
  EXPECT_LT(store.offsets(Generation::live)[0], written.end(0));
  given.rename(test_id(ann), "Anne");
  run_to_end();
  EXPECT_EQ(all_rows(store), fold_of_log());
}

TEST_F(RunnerTest, a_rebuild_that_fails_changes_nothing) {
  write_marketplace(written);
  run_to_end();
  const std::string before = all_rows(store);
  written.append_raw(0, {StreamKind::booking, test_id(1)}, "booking.v9.BookingTeleported", "x");
  EXPECT_THROW(rebuild(written.log, store, tutoring_projection()), RowStoreError);
  EXPECT_EQ(all_rows(store), before);
}

TEST(RecentRows, forgets_the_oldest_half) {
  RecentRows rows(4);
  for (const char* row : {"a", "b", "c"}) rows.add(row);
  EXPECT_TRUE(rows.contains("a"));
  for (const char* row : {"d", "e"}) rows.add(row);
  EXPECT_FALSE(rows.contains("a"));
  EXPECT_TRUE(rows.contains("e"));
}

}  // namespace
}  // namespace guildhall
