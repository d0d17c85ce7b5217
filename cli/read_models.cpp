#include "cli/read_models.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "infra/json_log.h"
#include "infra/pause.h"

namespace guildhall {
namespace {

constexpr std::size_t read_connections = 4;
constexpr std::size_t service_connections = 2;

// The read pool's session gives up the login's rights: it can only become the roles of requests. It carries what row policies ask
// of the platform's settings, so that they stand in one place and a changed one needs no new policies.
std::string as_authenticator(std::string url, const PlatformPolicy& policy) {
  url += url.contains('?') ? '&' : '?';
  return url + fmt::format("options=-c%20role%3Dauthenticator%20-c%20guildhall.free_level_access%3D{}", policy.free_level_access);
}

WaitOutcome outcome_of(WaitResult result) {
  switch (result) {
    case WaitResult::reached: return WaitOutcome::reached;
    // A shard that moved away meanwhile: asked again, its new process is found.
    case WaitResult::not_here:
    case WaitResult::timed_out: return WaitOutcome::timed_out;
    case WaitResult::failed: break;
  }
  return WaitOutcome::stopped;
}

}  // namespace

struct ReadModels::Projector {
  Projector(EventLog& log, const PlatformReadModels& models, const std::string& url, std::vector<ShardNo> numbers)
      : shards(numbers),
        rows(url, models.projection, models.sql),
        runner(log, rows, models.projection, std::move(numbers), pause_for) {}
  const std::vector<ShardNo> shards;
  PostgresRowStore rows;
  Runner runner;
  std::jthread thread;  // Last: it uses the runner.
};

struct ReadModels::Closer {
  Closer(EventLog& log, const PlatformReadModels& models, const std::string& url, const Clock& clock)
      : rows(url, models.projection, models.sql), boards(log, rows, clock, pause_for, [&clock](const std::string& why) {
          log_line(LogLevel::warning, clock.now(), "ranks of closed leaderboards could not be stored",
                   {{"reason", std::string_view(why)}});
        }) {}
  PostgresRowStore rows;
  BoardCloser boards;
  std::jthread thread;  // Last: it uses the boards.
};

ReadModels::ReadModels(EventLog& log, PlatformReadModels models, const PlatformPolicy& policy, const Clock& clock,
                       std::string postgres_url, std::function<void(const std::string& why)> failed)
    : log_(log),
      models_(models),
      policy_(policy),
      clock_(clock),
      url_(std::move(postgres_url)),
      failed_(std::move(failed)),
      watched_(url_, models_.projection, models_.sql),
      watch_(watched_) {
  watched_.prepare(log_.identity());
  watch_thread_ = std::jthread([this](std::stop_token stop) {
    ::pthread_setname_np(::pthread_self(), "offsets");
    watch_.run(stop);
  });
}

ReadModels::~ReadModels() { stop(); }

void ReadModels::stop() {
  std::map<ShardNo, std::shared_ptr<Projector>> all;
  std::unique_ptr<Closer> closer;
  {
    const std::lock_guard lock(mutex_);
    all.swap(projectors_);
    closer.swap(closer_);
  }
  for (const auto& [shard, projector] : all) projector->thread.request_stop();
  watch_thread_ = {};
}

void ReadModels::follow(const std::vector<ShardNo>& shards) {
  const auto projector = std::make_shared<Projector>(log_, models_, url_, shards);
  {
    const std::lock_guard lock(mutex_);
    for (const ShardNo shard : shards) projectors_[shard] = projector;
    if (!closer_ && !models_.projection.derived.empty()) {
      closer_ = std::make_unique<Closer>(log_, models_, url_, clock_);
      closer_->thread = std::jthread([boards = &closer_->boards](std::stop_token stop) {
        ::pthread_setname_np(::pthread_self(), "closing");
        boards->run(stop);
      });
    }
  }
  projector->thread = std::jthread([this, first = shards.front(), p = projector.get()](std::stop_token stop) {
    ::pthread_setname_np(::pthread_self(), fmt::format("projector-{}", first).c_str());
    try {
      p->runner.run(stop);
    } catch (const std::exception& e) {
      failed_(std::string("projections: ") + e.what());
    }
  });
}

void ReadModels::unfollow(ShardNo shard) {
  std::shared_ptr<Projector> projector;
  {
    const std::lock_guard lock(mutex_);
    const auto found = projectors_.find(shard);
    if (found == projectors_.end()) return;
    projector = found->second;
    for (const ShardNo n : projector->shards) projectors_.erase(n);
  }
  projector->thread.request_stop();
  projector->thread.join();
}

std::shared_ptr<ReadModels::Projector> ReadModels::projector_of(ShardNo shard) const {
  const std::lock_guard lock(mutex_);
  const auto found = projectors_.find(shard);
  return found == projectors_.end() ? nullptr : found->second;
}

void ReadModels::notify(ShardNo shard) {
  if (const auto projector = projector_of(shard)) projector->runner.notify();
}

void ReadModels::open_reads(const std::string& platform, const ConsistencyTokens& tokens) {
  const std::string url = as_authenticator(url_, policy_);
  user_reads_ = std::make_unique<PostgresPool>(PostgresPoolOptions{.url = url, .connections = read_connections});
  service_reads_ = std::make_unique<PostgresPool>(PostgresPoolOptions{.url = url, .connections = service_connections});
  RelationCatalogue catalogue = load_catalogue(*service_reads_, platform, "service_role");
  for (const auto& [name, relation] : catalogue.relations) relations_.insert(name);
  reads_ = std::make_unique<ReadHandler>(
      ReadHandlerOptions{
          *user_reads_, *service_reads_,
          [this, &tokens](std::string text, std::chrono::milliseconds timeout, std::move_only_function<void(TokenWait)> done) {
            const auto token = tokens.decode(text);
            if (!token) return done({TokenWait::End::not_applicable, std::string(name_of(token.error()))});
            std::vector<Target> targets;
            for (const auto& p : token->positions) {
              if (p.shard >= log_.identity().shards) return done({TokenWait::End::not_applicable, "unknown shard"});
              targets.push_back({p.shard, p.sequence});
            }
            wait_for(std::move(targets), timeout / std::chrono::microseconds(1),
                     [done = std::make_shared<decltype(done)>(std::move(done))](PositionWait wait) {
                       switch (wait.outcome) {
                         case WaitOutcome::reached: return (*done)({TokenWait::End::reached, {}});
                         case WaitOutcome::timed_out: return (*done)({TokenWait::End::timed_out, lag_text(wait)});
                         case WaitOutcome::stopped:
                           return (*done)({TokenWait::End::stopped, "the projection stands at a record that it can't apply"});
                       }
                     });
          }},
      std::move(catalogue));
}

void ReadModels::query(ReadQuery query, ReadCallback callback) {
  PostgresPool& pool = query.role == name_of(TokenRole::service_role) ? *service_reads_ : *user_reads_;
  pool.submit(std::move(query), std::move(callback));
}

void ReadModels::stop_reads() {
  if (user_reads_) user_reads_->stop();
  if (service_reads_) service_reads_->stop();
}

// Each projector is asked for its own shards, the database for those of other processes; the last answer tells.
void ReadModels::wait_for(std::vector<Target> targets, Micros timeout_us, std::function<void(PositionWait)> done) {
  struct Waiting {
    std::mutex mutex;
    std::size_t left = 0;
    WaitOutcome outcome = WaitOutcome::reached;
    Micros began = 0;
    std::vector<Target> targets;
    std::function<void(PositionWait)> done;
  };
  std::vector<std::pair<std::shared_ptr<Projector>, std::vector<Target>>> shares;  // nullptr: of other processes.
  for (const Target& t : targets) {
    const auto projector = projector_of(t.shard);
    auto share = std::ranges::find(shares, projector, &std::pair<std::shared_ptr<Projector>, std::vector<Target>>::first);
    if (share == shares.end()) share = shares.insert(share, {projector, {}});
    share->second.push_back(t);
  }
  const auto waiting = std::make_shared<Waiting>();
  waiting->left = shares.size();
  waiting->began = clock_.now();
  waiting->targets = std::move(targets);
  waiting->done = std::move(done);
  if (waiting->left == 0) return waiting->done({});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(timeout_us);
  for (auto& [projector, share] : shares) {
    auto answer = [this, waiting](WaitResult result) {
      {
        const std::lock_guard lock(waiting->mutex);
        const WaitOutcome outcome = outcome_of(result);
        if (outcome != WaitOutcome::reached && waiting->outcome != WaitOutcome::stopped) waiting->outcome = outcome;
        if (--waiting->left > 0) return;
      }
      PositionWait wait;
      wait.waited_us = clock_.now() - waiting->began;
      wait.outcome = waiting->outcome;
      if (wait.outcome != WaitOutcome::reached)
        for (const auto& p : progress())
          for (const auto& t : waiting->targets)
            if (t.shard == p.shard && t.sequence > p.applied) wait.events_behind += t.sequence - p.applied;
      waiting->done(wait);
    };
    if (projector) projector->runner.when_reached(std::move(share), deadline, std::move(answer));
    else watch_.when_reached(std::move(share), deadline, std::move(answer));
  }
}

std::vector<ShardProgress> ReadModels::progress() const {
  std::vector<std::shared_ptr<Projector>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [shard, projector] : projectors_)
      if (std::ranges::find(all, projector) == all.end()) all.push_back(projector);
  }
  std::vector<ShardProgress> out;
  for (const auto& projector : all)
    for (ShardProgress& shard : projector->runner.progress()) out.push_back(std::move(shard));
  std::ranges::sort(out, {}, &ShardProgress::shard);
  return out;
}

const BoardCloser* ReadModels::closer() const {
  const std::lock_guard lock(mutex_);
  return closer_ ? &closer_->boards : nullptr;
}

}  // namespace guildhall
