// `guildhall log copy` between small logs: what it refuses, and what stands in a copy beside the records.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "aggregates/shard/shard.h"
#include "infra/kafka_follower.h"
#include "infra/kafka_log.h"
#include "tests/analytics/example_log.h"
#include "tests/cli/binary.h"
#include "tests/infra/segment_folder.h"
#include "tests/kafka_cluster.h"

namespace guildhall::test {
namespace {

constexpr std::chrono::seconds patience{30};

std::string embedded(const std::filesystem::path& data) { return "embedded:" + data.string(); }

// Topics of its own for a test: others use the broker at the same time.
std::string fresh_platform() {
  static std::atomic<int> number{0};
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count() % 1'000'000'000;
  return "copy" + std::to_string(::getpid()) + "x" + std::to_string(now) + "n" + std::to_string(++number);
}

struct Copying {
  std::string platform;
  std::string brokers;

  CommandResult run(const std::string& from, const std::string& to, const std::vector<std::string>& flags = {}) const {
    std::vector<std::string> arguments{"log", "copy", "--from", from, "--to", to, "--platform", platform, "--brokers", brokers};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return run_guildhall(arguments);
  }
  // What it printed.
  std::string copied(const std::string& from, const std::string& to) const {
    const CommandResult result = run(from, to);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    return result.out;
  }
  // What `log verify` says: sequences and chain heads.
  std::string verified(std::vector<std::string> place) const {
    place.insert(place.begin(), {"log", "verify", "--json", "--platform", platform});
    const CommandResult result = run_guildhall(place);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    return result.out;
  }
};

KafkaOptions kafka_options(const std::string& brokers) {
  KafkaOptions options;
  options.brokers = brokers;
  return options;
}

TEST(LogCopy, refuses_a_target_that_is_not_an_earlier_copy) {
  const Copying copy{"tutoring", ""};
  const Folder folder;
  const auto at = [&](const char* name) { return folder.path() / name; };
  write_example_log(at("source"), "tutoring", 5);
  write_example_log(at("shorter"), "tutoring", 3);
  write_example_log(at("forked"), "tutoring", 3, 1);
  write_example_log(at("longer"), "tutoring", 6);
  write_example_log(at("stranger"), "tutoring", 1, 0, Uuid{0x0123456789ab8cdeULL, 0x8011223344556678ULL});

  const struct {
    const char* target;
    int exit_code;
    const char* says;
  } cases[] = {{"forked", 4, "diverged"}, {"longer", 4, "ahead"}, {"stranger", 4, "another log"}, {"source", 2, "same log"}};
  for (const auto& c : cases) {
    const CommandResult result = copy.run(embedded(at("source")), embedded(at(c.target)));
    EXPECT_EQ(result.exit_code, c.exit_code) << c.target << ": " << result.out << result.err;
    EXPECT_TRUE(result.err.contains(c.says)) << c.target << ": " << result.err;
  }
  EXPECT_EQ(copy.run(embedded(at("nowhere")), embedded(at("new"))).exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(at("new")));
  const CommandResult plan = copy.run(embedded(at("source")), embedded(at("shorter")), {"--dry-run"});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_TRUE(plan.out.contains("shard 1: 4 records to copy, 6 are there")) << plan.out;
  EXPECT_TRUE(copy.copied(embedded(at("source")), embedded(at("shorter"))).contains("8 records in"));
  EXPECT_TRUE(copy.copied(embedded(at("source")), embedded(at("shorter"))).contains("0 records in")) << "nothing is left";
  EXPECT_EQ(copy.verified({"--data", at("shorter")}), copy.verified({"--data", at("source")}));
}

TEST(LogCopy, an_embedded_copy_gives_its_next_writers_higher_epochs) {
  const Folder folder;
  write_example_log(folder.path() / "source", "tutoring");
  const Copying copy{"tutoring", ""};
  copy.copied(embedded(folder.path() / "source"), embedded(folder.path() / "target"));
  const auto log = SegmentLog::open(folder.path() / "target" / "platforms" / "tutoring", "tutoring", example_shards);
  for (ShardNo n = 0; n < example_shards; ++n) EXPECT_GT(log->open(n)->epoch(), example_epoch);
}

TEST(LogCopy, kafka_gets_inbox_commands_generation_and_higher_epochs) {
  const Folder folder;
  const std::string platform = fresh_platform();
  const std::string brokers = KafkaCluster::shared().bootstrap();
  write_example_log(folder.path(), platform, 3);
  const Copying copy{platform, brokers};
  copy.copied(embedded(folder.path()), "kafka");
  EXPECT_EQ(copy.verified({"--log", "kafka", "--brokers", brokers}), copy.verified({"--data", folder.path()}));

  const auto log = KafkaLog::open_existing(kafka_options(brokers), platform);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->identity().generation, 2u);
  EXPECT_EQ(log->identity().log_id, example_log_id);
  for (ShardNo n = 0; n < example_shards; ++n) EXPECT_GT(log->open(n)->epoch(), example_epoch);

  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<InboxEntry> sent;
  const auto inbox = follow_inbox(
      *log, 1, 0,
      [&](InboxEntry entry) {
        const std::lock_guard lock(mutex);
        sent.push_back(std::move(entry));
        arrived.notify_all();
      },
      [](const std::string& why) { ADD_FAILURE() << why; });
  std::unique_lock lock(mutex);
  arrived.wait_for(lock, patience, [&] { return !sent.empty(); });
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].source, 0u);
  EXPECT_EQ(sent[0].source_sequence, 3u);
  EXPECT_EQ(sent[0].type, "account.v1.AnswerClaim");
}

}  // namespace
}  // namespace guildhall::test
