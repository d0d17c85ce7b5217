// Writers of one shard against each other and against brokers that fail: whatever they are told, no committed batch is missing,
// no fenced or aborted one is there, and the shard stays dense. On real brokers.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <random>
#include <set>

#include "infra/kafka_log.h"
#include "tests/infra/kafka_platform.h"
#include "tests/infra/raw_writer.h"

namespace guildhall::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Strings = std::vector<std::string>;

// What writers were told of their batches, and whether the log agrees.
class Told {
 public:
  void note(const std::string& payload, AppendOutcome outcome) {
    const std::lock_guard lock(mutex_);
    outcomes_[payload] = outcome;
  }
  std::size_t count(AppendOutcome outcome) const {
    return static_cast<std::size_t>(std::ranges::count(outcomes_, outcome, [](const auto& o) { return o.second; }));
  }
  // Every record of a verified read; each batch is two records, its payload and once more.
  void check(EventLog& log, ShardNo shard) const {
    std::map<std::string, int> found;
    const auto reader = log.read(shard, 1);
    Sequence n = 0;
    while (const Record* record = reader->next()) {
      ASSERT_EQ(record->header.sequence, ++n);
      ++found[std::string(record->payload)];
    }
    EXPECT_EQ(n, log.durable_end(shard).sequence);
    for (const auto& [payload, outcome] : outcomes_) {
      const int times = found.contains(payload) ? found[payload] : 0;
      switch (outcome) {
        case AppendOutcome::committed: EXPECT_EQ(times, 2) << payload << " was committed"; break;
        case AppendOutcome::aborted:
        case AppendOutcome::fenced: EXPECT_EQ(times, 0) << payload << " was not committed"; break;
        case AppendOutcome::unknown: EXPECT_TRUE(times == 0 || times == 2) << payload; break;
      }
      found.erase(payload);
    }
    EXPECT_TRUE(found.empty()) << found.begin()->first << " was never told of";
  }

 private:
  std::mutex mutex_;
  std::map<std::string, AppendOutcome> outcomes_;
};

AppendOutcome append(Appender& a, Told& told, const std::string& payload) {
  const AppendOutcome outcome = a.append({payload, payload});
  told.note(payload, outcome);
  return outcome;
}

TEST(KafkaFencing, a_writer_of_another_process_fences) {
  const OwnPlatform platform;
  const auto first = KafkaLog::open_or_create(kafka_options(), identity_of(1));
  const auto second = KafkaLog::open_or_create(kafka_options(), identity_of(1));
  Told told;
  Appender a(*first, 0);
  EXPECT_EQ(append(a, told, "a1"), AppendOutcome::committed);
  const auto began = steady_clock::now();
  Appender b(*second, 0);
  RecordProperty("take_over_ms", static_cast<int>((steady_clock::now() - began) / milliseconds(1)));
  EXPECT_EQ(b.end().sequence, 2u);
  EXPECT_GT(b.writer().epoch(), a.writer().epoch());
  EXPECT_EQ(append(a, told, "a2"), AppendOutcome::fenced);
  EXPECT_EQ(append(b, told, "b1"), AppendOutcome::committed);
  EXPECT_EQ(append(b, told, "b2"), AppendOutcome::committed);
  EXPECT_EQ(append(a, told, "a3"), AppendOutcome::fenced);
  EXPECT_EQ(first->counters().fenced, 1u);
  told.check(*second, 0);
  first->refresh_end(0);
  told.check(*first, 0);
}

// It died with records in the log and no end of its transaction.
TEST(KafkaFencing, what_a_dead_writer_left_open_is_aborted_by_the_next) {
  const OwnPlatform platform;
  const auto log = KafkaLog::open_or_create(kafka_options(), identity_of(1));
  LogEnd end;
  {
    Appender a(*log, 0);
    ASSERT_EQ(a.append({"one"}), AppendOutcome::committed);
    end = a.end();
  }
  RawWriter dead(kafka_options(), log->topics().events, log_platform + "-shard-0-b");
  BatchBuilder builder;
  builder.add(record_header(0, 1, 2), "never");
  dead.begin();
  dead.send(builder.close(end.sequence, end.head));
  dead.flush();
  Appender b(*log, 0);
  EXPECT_EQ(b.end().sequence, 1u);
  EXPECT_EQ(b.append({"two"}), AppendOutcome::committed);
  EXPECT_EQ(read_payloads(*log, 0), (Strings{"one", "two"}));
}

TEST(KafkaFencing, two_processes_that_race_lose_nothing_and_make_nothing_up) {
  const OwnPlatform platform;
  constexpr int rounds = 20;
  const auto first = KafkaLog::open_or_create(kafka_options(), identity_of(1));
  const auto second = KafkaLog::open_or_create(kafka_options(), identity_of(1));
  Told told;
  std::atomic<std::int64_t> opens{0}, open_ms{0};
  std::array<std::atomic<int>, 2> commits{};
  std::atomic<bool> over{false};
  const auto process = [&](std::size_t self, KafkaLog& log) {
    std::atomic<int>& others = commits[1 - self];
    for (int round = 0; round < rounds && !over; ++round) {
      try {
        const auto began = steady_clock::now();
        Appender a(log, 0);
        open_ms += (steady_clock::now() - began) / milliseconds(1);
        ++opens;
        // Until the other one takes over.
        for (int n = 0; n < 500 && !over; ++n) {
          const std::string payload = fmt::format("{}/{}/{}", self, round, n);
          if (append(a, told, payload) != AppendOutcome::committed) break;
          ++commits[self];
        }
      } catch (const LogError& e) {
        EXPECT_TRUE(e.retryable()) << e.what();  // Fenced while it took over.
      }
      const int seen = others;
      eventually([&] { return others > seen + round % 4 || over; }, milliseconds(500));
    }
    over = true;
  };
  std::thread other([&] { process(1, *second); });
  process(0, *first);
  other.join();
  const auto last = KafkaLog::open_or_create(kafka_options(), identity_of(1));
  told.check(*last, 0);
  EXPECT_GT(told.count(AppendOutcome::committed), 0u);
  EXPECT_GT(told.count(AppendOutcome::fenced), 0u);
  EXPECT_EQ(last->zombie_records(), 0u);
  RecordProperty("opens", static_cast<int>(opens));
  RecordProperty("mean_open_ms", static_cast<int>(open_ms / std::max<std::int64_t>(opens, 1)));
  RecordProperty("committed", static_cast<int>(told.count(AppendOutcome::committed)));
  RecordProperty("fenced", static_cast<int>(told.count(AppendOutcome::fenced)));
  RecordProperty("unknown", static_cast<int>(told.count(AppendOutcome::unknown)));
}

// ---- brokers that fail

class KafkaBrokerFailure : public testing::Test {
 protected:
  static constexpr TransactionTimes short_times{milliseconds(4000), milliseconds(2000), milliseconds(2000)};

  KafkaBrokerFailure() {
    options_.times = short_times;
    log_ = KafkaLog::open_or_create(options_, identity_of(1));
  }
  // As a process that starts anew.
  void reopen() {
    log_.reset();
    ASSERT_TRUE(eventually(
        [&] {
          try {
            log_ = KafkaLog::open_existing(options_, log_platform);
            appender_ = std::make_unique<Appender>(*log_, 0);
            return true;
          } catch (const LogError& e) {
            EXPECT_TRUE(e.retryable()) << e.what();
            return false;
          }
        },
        std::chrono::seconds(60)));
  }

  OwnPlatform platform_;
  KafkaCluster cluster_{1};
  KafkaOptions options_ = kafka_options(cluster_);
  std::unique_ptr<KafkaLog> log_;
  std::unique_ptr<Appender> appender_;
  Told told_;
};

TEST_F(KafkaBrokerFailure, a_broker_that_is_killed_loses_nothing_that_was_told) {
  std::mt19937 random(7);
  reopen();
  for (int round = 0; round < 3; ++round) {
    std::atomic<int> committed{0};
    std::atomic<bool> over{false};
    std::jthread writing([&](std::stop_token stop) {
      for (int n = 0; !over && !stop.stop_requested(); ++n) {
        const auto outcome = append(*appender_, told_, std::to_string(round) + "." + std::to_string(n));
        if (outcome == AppendOutcome::committed) ++committed;
        over = outcome == AppendOutcome::fenced || outcome == AppendOutcome::unknown;
      }
    });
    // In the middle of some commit.
    EXPECT_TRUE(eventually([&] { return committed > 20 + static_cast<int>(random() % 20) || over; }));
    cluster_.kill(1);
    cluster_.start(1);
    // A short outage may go by unnoticed.
    const int before = committed;
    EXPECT_TRUE(eventually([&] { return committed > before + 5 || over; }, std::chrono::seconds(60)));
    writing.request_stop();
    writing.join();
    appender_.reset();
    reopen();
    told_.check(*log_, 0);
  }
  EXPECT_EQ(append(*appender_, told_, "after"), AppendOutcome::committed);
  told_.check(*log_, 0);
  RecordProperty("committed", static_cast<int>(told_.count(AppendOutcome::committed)));
  RecordProperty("aborted", static_cast<int>(told_.count(AppendOutcome::aborted)));
  RecordProperty("unknown", static_cast<int>(told_.count(AppendOutcome::unknown)));
  RecordProperty("fenced", static_cast<int>(told_.count(AppendOutcome::fenced)));
}

TEST_F(KafkaBrokerFailure, a_broker_that_falls_silent_leaves_the_outcome_open) {
  reopen();
  EXPECT_EQ(append(*appender_, told_, "before"), AppendOutcome::committed);
  cluster_.pause(1);
  const auto began = steady_clock::now();
  const AppendOutcome outcome = append(*appender_, told_, "during");
  const auto answered = steady_clock::now();
  EXPECT_EQ(outcome, AppendOutcome::unknown);
  EXPECT_EQ(append(*appender_, told_, "too late"), AppendOutcome::fenced);
  appender_.reset();
  const auto ended = steady_clock::now();
  EXPECT_LT(ended - answered, std::chrono::seconds(2));
  cluster_.resume(1);
  reopen();
  told_.check(*log_, 0);
  EXPECT_EQ(append(*appender_, told_, "after"), AppendOutcome::committed);
  told_.check(*log_, 0);
  RecordProperty("answered_ms", static_cast<int>((answered - began) / milliseconds(1)));
  RecordProperty("ended_ms", static_cast<int>((ended - answered) / milliseconds(1)));
}

}  // namespace
}  // namespace guildhall::test
