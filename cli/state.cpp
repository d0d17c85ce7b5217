// guildhall state rebuild|hash: the shards' state, made anew from the log, or told by its hash. Both take the folder's lock: stop
// the server first.
#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>

#include "aggregates/shard/fold.h"
#include "aggregates/shard/state_follower.h"
#include "cli/commands.h"
#include "cli/log_source.h"
#include "cli/platform.h"
#include "cli/progress.h"
#include "infra/folder_lock.h"
#include "infra/rocksdb_state_store.h"
#include "infra/segment_log.h"
#include "infra/system_clock.h"

namespace guildhall {
namespace {

// The states of a platform, folded from its log without a shard: nobody is fenced. The folder is locked meanwhile.
class OfflineStates {
 public:
  explicit OfflineStates(const Settings& settings) : folders_(settings) {
    if (log_kind(settings) == LogKind::kafka) {
      lock_.emplace(folders_.root);
      log_ = open_log_to_read(settings);
      return;
    }
    const std::uint32_t shards = open_log_to_read(settings)->identity().shards;
    log_ = SegmentLog::open(folders_.root, settings.text("platform"), shards);
  }

  const EventLog& log() const { return *log_; }
  const Clock& clock() const { return clock_; }

  // Follows the log to its end (from nothing when `rebuild`), then visits the store. Any thread, one a shard.
  void open(ShardNo n, bool rebuild, const std::function<void(Sequence done)>& progress,
            const std::function<void(StateStore&)>& visit) {
    const auto folder = folders_.state / std::to_string(n);
    if (rebuild) std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folders_.state);
    RocksDbStateStore store(folder.string(), budget_);
    StateFollower follower(*log_, n, store);
    const Sequence end = log_->durable_end(n).sequence;
    while (follower.position().sequence < end && follower.advance(records_a_write))
      if (progress) progress(follower.position().sequence);
    if (follower.position().sequence < end)
      throw CorruptLog("shard " + std::to_string(n) + ": the log ends before its durable end");
    store.checkpoint(true);
    visit(store);
  }

 private:
  static constexpr std::size_t records_a_write = 8192;
  PlatformFolders folders_;
  SystemClock clock_;
  RocksDbBudget budget_;
  std::optional<FolderLock> lock_;
  std::unique_ptr<EventLog> log_;
};

int rebuild(const CommandLine& line, bool json) {
  OfflineStates states(line.settings());
  Progress progress(states.clock());
  const std::uint32_t count = states.log().identity().shards;
  std::uint64_t finished = 0;
  for (ShardNo n = 0; n < count; ++n) finished += states.log().durable_end(n).sequence;
  const std::uint64_t total = finished;

  // Shards share nothing, so each core takes the next one that is left.
  std::vector<std::atomic<Sequence>> done(count);
  std::atomic<ShardNo> next{0};
  std::mutex failure_mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (ShardNo n = next++; n < count; n = next++)
        states.open(
            n, true,
            [&](Sequence sequence) {
              done[n] = sequence;
              std::uint64_t sum = 0;
              for (const auto& d : done) sum += d;
              progress.report(sum, total);
            },
            [](StateStore&) {});
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work);
  }
  if (failure) std::rethrow_exception(failure);
  const double seconds = progress.seconds();
  const double rate = static_cast<double>(finished) / std::max(seconds, 1e-6);
  if (json)
    std::printf("{\"records\":%llu,\"seconds\":%.3f,\"records_per_second\":%.0f}\n", static_cast<unsigned long long>(finished),
                seconds, rate);
  else std::printf("%llu records in %.1f s, %.0f/s\n", static_cast<unsigned long long>(finished), seconds, rate);
  return exit_ok;
}

int hash(const CommandLine& line) {
  OfflineStates states(line.settings());
  for (ShardNo n = 0; n < states.log().identity().shards; ++n) {
    states.open(n, false, {}, [&](StateStore& store) {
      Sha256 sha;
      std::uint64_t keys_seen = 0;
      store.scan("", "", [&](std::string_view key, std::string_view value) {
        if (key[0] == keys::searched_prefix) return true;  // A hint, not a fold.
        for (const std::string_view part : {key, value}) {
          const std::string length = std::to_string(part.size()) + ":";
          sha.add(length);
          sha.add(part);
        }
        ++keys_seen;
        return true;
      });
      std::printf("{\"shard\":%u,\"sequence\":%llu,\"keys\":%llu,\"sha256\":\"%s\"}\n", n,
                  static_cast<unsigned long long>(states.log().durable_end(n).sequence),
                  static_cast<unsigned long long>(keys_seen), to_hex(view(sha.finish())).c_str());
    });
  }
  return exit_ok;
}

}  // namespace

void add_state(CLI::App& app, CommandLine& line, Run& run) {
  auto* state = app.add_subcommand("state", "The shards' state (stop the server first)");
  state->require_subcommand(1);
  auto* rebuild_app = state->add_subcommand("rebuild", "Make the state anew from the log");
  auto* hash_app = state->add_subcommand("hash", "Print a hash of each shard's state: equal states have equal hashes");
  auto json = std::make_shared<bool>(false);
  rebuild_app->add_flag("--json", *json, "Print the result as JSON");
  for (auto* sub : {rebuild_app, hash_app}) {
    for (const char* name : log_settings) line.add_setting(*sub, name);
  }
  rebuild_app->callback([&run, &line, json] { run = [&line, json] { return rebuild(line, *json); }; });
  hash_app->callback([&run, &line] { run = [&line] { return hash(line); }; });
}

}  // namespace guildhall
