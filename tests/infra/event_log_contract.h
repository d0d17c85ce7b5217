// The contract of events/event_log.h, for every implementation. `Made` owns a log of log_platform with four shards:
//   EventLog& log();  void reopen();   // after reopen() earlier writers and readers are gone
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "tests/infra/log_driver.h"

namespace guildhall::test {

using Strings = std::vector<std::string>;

template <class Made>
class EventLogContract : public testing::Test {
 protected:
  Made made;
  EventLog& log() { return made.log(); }
};
TYPED_TEST_SUITE_P(EventLogContract);

TYPED_TEST_P(EventLogContract, starts_empty_and_says_who_it_is) {
  EXPECT_EQ(this->log().identity().platform, log_platform);
  EXPECT_EQ(this->log().identity().log_id, log_id);
  EXPECT_EQ(this->log().identity().shards, 4u);
  EXPECT_EQ(this->log().durable_end(3).sequence, 0u);
  EXPECT_EQ(this->log().durable_end(3).head, Hash{});
  EXPECT_EQ(this->log().read(0, 1)->next(), nullptr);
  EXPECT_TRUE(this->log().admits());
}

TYPED_TEST_P(EventLogContract, gives_back_what_was_committed) {
  Appender a(this->log(), 1);
  EXPECT_EQ(a.append({"one", "", std::string(5000, 'x')}), AppendOutcome::committed);
  EXPECT_EQ(a.append({"four"}), AppendOutcome::committed);
  EXPECT_EQ(read_payloads(this->log(), 1), (Strings{"one", "", std::string(5000, 'x'), "four"}));
  EXPECT_EQ(this->log().durable_end(1).sequence, 4u);
  EXPECT_EQ(this->log().durable_end(1).head, a.end().head);
}

TYPED_TEST_P(EventLogContract, keeps_shards_apart) {
  Appender a(this->log(), 0), b(this->log(), 2);
  a.append({"a1"});
  b.append({"b1", "b2"});
  a.append({"a2"});
  EXPECT_EQ(read_payloads(this->log(), 0), (Strings{"a1", "a2"}));
  EXPECT_EQ(read_payloads(this->log(), 1), Strings{});
  EXPECT_EQ(read_payloads(this->log(), 2), (Strings{"b1", "b2"}));
}

TYPED_TEST_P(EventLogContract, calls_back_once_and_in_order_of_submission) {
  Appender a(this->log(), 0);
  std::vector<int> order;
  LogEnd end;
  std::promise<void> last;
  std::function<void(int)> go = [&](int n) {
    if (n == 50) return last.set_value();
    BatchBuilder builder;
    builder.add(record_header(0, a.writer().epoch(), end.sequence + 1), std::to_string(n));
    Batch batch = builder.close(end.sequence, end.head);
    end = {batch.last(), batch.head};
    a.writer().submit(std::move(batch), [&, n](AppendOutcome outcome) {
      EXPECT_EQ(outcome, AppendOutcome::committed);
      order.push_back(n);
      go(n + 1);  // A callback may submit.
    });
  };
  go(0);
  last.get_future().get();
  EXPECT_EQ(order.size(), 50u);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TYPED_TEST_P(EventLogContract, a_committed_batch_is_visible_when_its_outcome_comes) {
  std::atomic<Sequence> told = 0;
  this->log().on_durable([&](ShardNo shard, Sequence sequence) {
    EXPECT_EQ(shard, 3u);
    told = sequence;
  });
  Appender a(this->log(), 3);
  for (Sequence n = 1; n <= 20; ++n) {
    Batch batch = a.batch({"x"});
    std::promise<void> done;
    a.writer().submit(std::move(batch), [&](AppendOutcome) {
      EXPECT_EQ(this->log().durable_end(3).sequence, n);
      EXPECT_EQ(told, n);
      EXPECT_NE(this->log().read(3, n)->next(), nullptr);
      done.set_value();
    });
    done.get_future().get();
    a = Appender(this->log(), 3);
  }
}

TYPED_TEST_P(EventLogContract, a_newer_writer_fences_the_older) {
  Appender old(this->log(), 0);
  EXPECT_EQ(old.append({"before"}), AppendOutcome::committed);
  Appender fresh(this->log(), 0);
  EXPECT_GT(fresh.writer().epoch(), old.writer().epoch());
  EXPECT_EQ(fresh.end().sequence, 1u);
  EXPECT_EQ(old.append({"zombie"}), AppendOutcome::fenced);
  EXPECT_EQ(fresh.append({"after"}), AppendOutcome::committed);
  EXPECT_EQ(old.append({"zombie"}), AppendOutcome::fenced);
  EXPECT_EQ(read_payloads(this->log(), 0), (Strings{"before", "after"}));
}

TYPED_TEST_P(EventLogContract, reads_from_any_sequence) {
  Appender a(this->log(), 2);
  Strings all;
  for (int n = 0; n < 60; ++n) {
    Strings payloads;
    for (int i = 0; i <= n % 3; ++i) payloads.push_back(std::to_string(n) + std::string(static_cast<std::size_t>(n) * 10, 'p'));
    ASSERT_EQ(a.append(payloads), AppendOutcome::committed);
    all.insert(all.end(), payloads.begin(), payloads.end());
  }
  for (std::size_t from = 1; from <= all.size() + 1; ++from)
    EXPECT_EQ(read_payloads(this->log(), 2, from), Strings(all.begin() + static_cast<std::ptrdiff_t>(from) - 1, all.end()))
        << from;
}

TYPED_TEST_P(EventLogContract, a_reader_at_the_end_goes_on_when_there_is_more) {
  Appender a(this->log(), 0);
  a.append({"one"});
  const auto from_start = this->log().read(0, 1);
  const auto from_end = this->log().read(0, 2);
  EXPECT_EQ(read_payloads(*from_start), Strings{"one"});
  EXPECT_EQ(from_start->next(), nullptr);
  EXPECT_EQ(from_end->next(), nullptr);
  a.append({"two", "three"});
  EXPECT_EQ(read_payloads(*from_start), (Strings{"two", "three"}));
  EXPECT_EQ(read_payloads(*from_end), (Strings{"two", "three"}));
}

TYPED_TEST_P(EventLogContract, readers_follow_in_other_threads) {
  constexpr Sequence records = 600;
  std::vector<std::thread> readers;
  for (ShardNo shard : {0u, 1u, 1u})
    readers.emplace_back([&, shard] {
      const auto reader = this->log().read(shard, 1);
      for (Sequence n = 1; n <= records;) {
        const Record* r = reader->next();
        if (r == nullptr) {
          std::this_thread::yield();
          continue;
        }
        ASSERT_EQ(r->header.sequence, n);
        ASSERT_EQ(r->payload, std::to_string(n));
        ++n;
      }
    });
  std::vector<std::thread> writers;
  for (ShardNo shard : {0u, 1u})
    writers.emplace_back([&, shard] {
      Appender a(this->log(), shard);
      for (Sequence n = 1; n <= records; n += 3)
        ASSERT_EQ(a.append({std::to_string(n), std::to_string(n + 1), std::to_string(n + 2)}), AppendOutcome::committed);
    });
  for (auto& t : writers) t.join();
  for (auto& t : readers) t.join();
}

TYPED_TEST_P(EventLogContract, refuses_to_read_beyond_the_end) {
  Appender a(this->log(), 0);
  a.append({"one"});
  EXPECT_NO_THROW(this->log().read(0, 2));
  EXPECT_THROW(this->log().read(0, 3), LogError);
  EXPECT_THROW(this->log().read(0, 0), LogError);
}

TYPED_TEST_P(EventLogContract, a_gap_or_a_wrong_head_is_our_bug) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto append_at = [&](LogEnd end) {
    Appender a(this->log(), 0);
    BatchBuilder builder;
    builder.add(record_header(0, a.writer().epoch(), 1), "x");
    std::promise<void> done;
    a.writer().submit(builder.close(end.sequence, end.head), [&](AppendOutcome) { done.set_value(); });
    done.get_future().get();
  };
  EXPECT_DEATH(append_at({1, {}}), "check");
  Hash wrong{};
  wrong[0] = 1;
  EXPECT_DEATH(append_at({0, wrong}), "check");
}

TYPED_TEST_P(EventLogContract, goes_on_after_a_reopen) {
  Epoch before = 0;
  {
    Appender a(this->log(), 1);
    before = a.writer().epoch();
    a.append({"one", "two"});
  }
  this->made.reopen();
  EXPECT_EQ(this->log().durable_end(1).sequence, 2u);
  Appender a(this->log(), 1);
  EXPECT_GT(a.writer().epoch(), before);
  EXPECT_EQ(a.append({"three"}), AppendOutcome::committed);
  EXPECT_EQ(read_payloads(this->log(), 1), (Strings{"one", "two", "three"}));
}

REGISTER_TYPED_TEST_SUITE_P(EventLogContract, starts_empty_and_says_who_it_is, gives_back_what_was_committed, keeps_shards_apart,
                            calls_back_once_and_in_order_of_submission, a_committed_batch_is_visible_when_its_outcome_comes,
                            a_newer_writer_fences_the_older, reads_from_any_sequence,
                            a_reader_at_the_end_goes_on_when_there_is_more, readers_follow_in_other_threads,
                            refuses_to_read_beyond_the_end, a_gap_or_a_wrong_head_is_our_bug, goes_on_after_a_reopen);

}  // namespace guildhall::test
