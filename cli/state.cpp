// guildhall state rebuild|hash: the shards' state, made anew from the log, or told by its hash. Both take the folder's lock: stop
// the server first.
#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>

#include "aggregates/shard/shard.h"
#include "cli/commands.h"
#include "cli/platform.h"
#include "cli/platform_policy.h"
#include "cli/progress.h"
#include "gateway/problem.h"
#include "infra/rocksdb_state_store.h"
#include "infra/segment_log.h"
#include "infra/system_clock.h"
#include "infra/time_zones.h"

namespace guildhall {
namespace {

// The shards of a stopped platform, opened one by one.
class OfflineShards {
 public:
  explicit OfflineShards(const Settings& settings)
      : folders_(settings),
        policy_(load_policy(settings.text("platform"), settings.text("platform_file"))),
        schemas_(guildhall::schemas()),
        format_(schemas_) {
    if (!SegmentLog::exists(folders_.root))
      throw LogError("there is no log in " + folders_.root.string(), "--data and --platform name the folder", false);
    log_ = SegmentLog::open(folders_.root, policy_.platform, SegmentLog::open_read_only(folders_.root)->identity().shards);
  }

  const EventLog& log() const { return *log_; }
  const Clock& clock() const { return clock_; }

  // Replays the shard (from nothing when `rebuild`), then visits its store. Any thread, one a shard.
  void open(ShardNo n, bool rebuild, const Shard::Progress& progress, const std::function<void(StateStore&)>& visit) {
    const auto folder = folders_.state / std::to_string(n);
    if (rebuild) std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folders_.state);
    RocksDbStateStore store(folder.string(), budget_);
    const auto nothing = [](auto&&...) {};
    const Shard shard(n,
                      {*log_, store, clock_, format_, policy_, zones_, directory_, "guildhall " + std::string(software_version),
                       nothing, [](ShardNo) { return Sequence{0}; }, nothing, nothing},
                      {}, false, progress);
    store.checkpoint(true);
    visit(store);
  }

 private:
  PlatformFolders folders_;
  SystemClock clock_;
  PlatformPolicy policy_;
  TzdbTimeZones zones_;
  SchemaCatalogue schemas_;
  HttpReplies format_;
  AccountDirectory directory_;
  RocksDbBudget budget_;
  std::unique_ptr<SegmentLog> log_;
};

int rebuild(const CommandLine& line, bool json) {
  OfflineShards shards(line.settings());
  Progress progress(shards.clock());
  const std::uint32_t count = shards.log().identity().shards;
  std::uint64_t finished = 0;
  for (ShardNo n = 0; n < count; ++n) finished += shards.log().durable_end(n).sequence;
  const std::uint64_t total = finished;

  // Shards share nothing, so each core takes the next one that is left.
  std::vector<std::atomic<Sequence>> done(count);
  std::atomic<ShardNo> next{0};
  std::mutex failure_mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (ShardNo n = next++; n < count; n = next++)
        shards.open(
            n, true,
            [&](Sequence sequence, Sequence) {
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
  OfflineShards shards(line.settings());
  for (ShardNo n = 0; n < shards.log().identity().shards; ++n) {
    shards.open(n, false, {}, [&](StateStore& store) {
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
                  static_cast<unsigned long long>(shards.log().durable_end(n).sequence),
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
    line.add_setting(*sub, "data");
    line.add_setting(*sub, "platform");
    line.add_setting(*sub, "platform_file");
  }
  rebuild_app->callback([&run, &line, json] { run = [&line, json] { return rebuild(line, *json); }; });
  hash_app->callback([&run, &line] { run = [&line] { return hash(line); }; });
}

}  // namespace guildhall
