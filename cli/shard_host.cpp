#include "cli/shard_host.h"

#include <fmt/format.h>
#include <pthread.h>

#include "cli/platform.h"
#include "infra/json_log.h"

namespace guildhall {

ShardEnvironment environment_of(const ShardParts& parts, EventLog& log, StateStore& store) {
  return {.log = log,
          .store = store,
          .clock = parts.clock,
          .format = parts.format,
          .policy = parts.policy,
          .zones = parts.zones,
          .directory = parts.directory,
          .software = "guildhall " + std::string(software_version),
          .on_effect = parts.on_effect,
          .on_failure = [failed = parts.failed](ShardEnd, const std::string& why) { failed(why); },
          .accept_loss = parts.accept_loss};
}

Shard::Progress replay_progress(const Clock& clock, ShardNo shard) {
  return [&clock, shard, told = clock.now()](Sequence done, Sequence total) mutable {
    if (clock.now() - told < second_us) return;
    told = clock.now();
    log_line(LogLevel::info, told, "replaying",
             {{"shard", static_cast<std::int64_t>(shard)},
              {"sequence", static_cast<std::int64_t>(done)},
              {"of", static_cast<std::int64_t>(total)}});
  };
}

void discard_state(const ShardParts& parts, ShardNo shard, const std::string& why) {
  log_line(LogLevel::warning, parts.clock.now(), "the state is damaged and is rebuilt from the log",
           {{"shard", static_cast<std::int64_t>(shard)}, {"error", std::string_view(why)}});
  std::filesystem::remove_all(parts.state / std::to_string(shard));
}

std::unique_ptr<RocksDbStateStore> open_state(const ShardParts& parts, ShardNo shard, RocksDbBudget& budget) {
  const std::string folder = (parts.state / std::to_string(shard)).string();
  try {
    return std::make_unique<RocksDbStateStore>(folder, budget);
  } catch (const StateStoreError& e) {
    discard_state(parts, shard, e.what());
    return std::make_unique<RocksDbStateStore>(folder, budget);
  }
}

LocalShards::LocalShards(SegmentLog& log, ShardParts parts) : log_(log), parts_(std::move(parts)) {
  for (ShardNo n = 0; n < log_.identity().shards; ++n) {
    stores_.push_back(open_state(parts_, n, budget_));
    try {
      open(n);
    } catch (const StateStoreError& e) {
      stores_[n].reset();
      discard_state(parts_, n, e.what());
      stores_[n] = open_state(parts_, n, budget_);
      open(n);
    }
  }
}

void LocalShards::open(ShardNo n) {
  ShardEnvironment env = environment_of(parts_, log_, *stores_[n]);
  env.deliver = [this](ShardNo target, InboxEntry entry) { shards_[target]->deliver(std::move(entry)); };
  env.delivered_by = [this](ShardNo source) { return source < shards_.size() ? shards_[source]->delivered() : 0; };
  env.on_checkpoint = [this] { log_.move_anchor(); };
  shards_.push_back(std::make_shared<Shard>(n, std::move(env), ShardLimits{}, true, replay_progress(parts_.clock, n)));
}

void LocalShards::start(const std::string&) {
  // The names are what `top -H` shows; at most 15 bytes.
  for (const auto& shard : shards_)
    threads_.emplace_back([s = shard.get()](std::stop_token stop) {
      ::pthread_setname_np(::pthread_self(), fmt::format("shard-{}", s->number()).c_str());
      s->run(stop);
    });
}

void LocalShards::stop() {
  for (auto& t : threads_) t.request_stop();
  for (auto& t : threads_) t.join();
  threads_.clear();
  shards_.clear();  // Idle shards have nothing in the log; their writers go before it does.
}

}  // namespace guildhall
