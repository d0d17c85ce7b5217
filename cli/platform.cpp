#include "cli/platform.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

#include "aggregates/shard/shard.h"
#include "cli/platform_policy.h"
#include "events/check.h"
#include "events/codec.h"
#include "gateway/api.h"
#include "gateway/http_server.h"
#include "gateway/openapi.h"
#include "gateway/problem.h"
#include "gateway/reads.h"
#include "infra/effect_worker.h"
#include "infra/json_log.h"
#include "infra/metrics.h"
#include "infra/pause.h"
#include "infra/postgres_pool.h"
#include "infra/postgres_row_store.h"
#include "infra/rocksdb_state_store.h"
#include "infra/sandbox_processor.h"
#include "infra/secrets.h"
#include "infra/segment_log.h"
#include "infra/system_clock.h"
#include "infra/time_zones.h"
#include "projectors/runner.h"
#include "projectors/tutoring.h"

namespace guildhall {
namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::chrono::seconds drain_patience{10};
constexpr std::chrono::milliseconds failed_patience{500};  // For unknown answers to go out before a failed process ends.
constexpr Micros local_key_life_us = 365 * day_us;
constexpr std::size_t read_connections = 4;
constexpr std::size_t service_connections = 2;
constexpr std::uint64_t ready_lag_events = 100'000;  // Of a projection; beyond it the process is not ready.
constexpr std::string_view anon_kid = "anon", service_kid = "service";

// The read pool's session gives up the login's rights: it can only become the roles of requests.
std::string as_authenticator(std::string url) {
  url += url.contains('?') ? '&' : '?';
  return url + "options=-c%20role%3Dauthenticator";
}

KeySettings key_settings(const Settings& settings, const PlatformFolders& folders) {
  KeySettings keys;
  keys.platform = settings.text("platform");
  keys.issuers = settings.list("jwt_issuers");
  for (const std::string& path : settings.list("jwt_public_keys")) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw SettingsError(path + ": can't be read");
    keys.public_keys.push_back({std::filesystem::path(path).stem().string(), {std::istreambuf_iterator<char>(in), {}}});
  }
  keys.hs256_secret = settings.text("jwt_secret");
  if (keys.public_keys.empty()) {
    if (keys.hs256_secret.empty()) keys.hs256_secret = secret_file(folders.secrets / "jwt_secret", secret_bytes);
    keys.hs256_kids = {std::string(anon_kid), std::string(service_kid)};
  }
  return keys;
}

// The embedded log's process owns every shard, for as long as it serves.
class AllLocal final : public ShardRoutes {
 public:
  explicit AllLocal(const std::vector<std::unique_ptr<Shard>>& shards) : shards_(shards) {}
  // Of no owner: the shards outlive whoever asks.
  std::shared_ptr<Shard> local(ShardNo shard) const override { return {std::shared_ptr<void>(), shards_[shard].get()}; }
  std::string owner(ShardNo) const override { return {}; }

 private:
  const std::vector<std::unique_ptr<Shard>>& shards_;
};

std::vector<ErrorEntry> error_catalogue() {
  std::vector<ErrorEntry> out;
  for (const auto& c : gateway_codes()) out.push_back({c.name, c.status, c.title, c.hint});
  for (const auto& r : rejections()) out.push_back({r.name, http_status(r.kind), r.title, r.hint});
  return out;
}

}  // namespace

// In the order of construction; destruction runs backwards after stop().
struct Platform::Parts {
  Parts(const Settings& settings, std::function<void(const std::string&)> failed)
      : folders(settings.text("data"), settings.text("platform")),
        on_failure(std::move(failed)),
        policy(load_policy(settings.text("platform"), settings.text("platform_file"))),
        keys(key_settings(settings, folders)),
        schemas(guildhall::schemas()),
        format(schemas),
        metrics(std::string(software_version)) {}

  PlatformFolders folders;
  std::function<void(const std::string&)> on_failure;
  std::atomic<bool> failing{false};
  bool accept_loss = false;
  std::atomic<bool> ready{false};
  SystemClock clock;
  PlatformPolicy policy;
  KeySettings keys;
  TzdbTimeZones zones;
  SchemaCatalogue schemas;
  HttpReplies format;
  Metrics metrics;
  AccountDirectory directory;
  std::string claim_key;

  std::unique_ptr<SegmentLog> log;
  RocksDbBudget budget;
  std::vector<std::unique_ptr<RocksDbStateStore>> stores;
  SandboxProcessor processor;
  std::unique_ptr<EffectWorker> effects;
  std::vector<std::unique_ptr<Shard>> shards;
  AllLocal routes{shards};

  // Shard n belongs to projector n modulo their number. Made before the first record is written and gone after the last.
  struct Projector {
    std::unique_ptr<PostgresRowStore> rows;
    std::unique_ptr<Runner> runner;
    std::jthread thread;
  };
  std::vector<Projector> projectors;
  std::unique_ptr<PostgresPool> user_reads;
  std::unique_ptr<PostgresPool> service_reads;
  std::unique_ptr<ReadHandler> reads;

  std::unique_ptr<TokenVerifier> verifier;
  std::unique_ptr<ConsistencyTokens> tokens;
  std::unique_ptr<Quota> quota;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<Commands> commands;
  std::unique_ptr<Api> api;
  std::unique_ptr<HttpServer> server;

  std::vector<std::jthread> shard_threads;
  std::jthread effect_thread;

  void fail(const std::string& why) {
    ready = false;
    if (failing.exchange(true)) return;
    log_line(LogLevel::error, clock.now(), "the process must end", {{"reason", std::string_view(why)}});
    on_failure(why);
  }

  void open_log(const Settings& settings);
  void open_shards();
  void open_shard(ShardNo n, const std::filesystem::path& folder);
  void open_read_models(const Settings& settings);
  void open_gateway(const Settings& settings);
  void start_threads();
  void stop();
  void record_outcome(const Effect& effect, const ProcessorAnswer& answer, int nth);
  void wait_for(std::vector<Target> targets, Micros timeout_us, std::function<void(PositionWait)> done);
  std::vector<ShardProgress> progress() const;  // By shard.
  Response readiness() const;
  std::vector<MetricFamily> collect() const;
};

void Platform::Parts::open_log(const Settings& settings) {
  if (settings.text("log") != "embedded") throw SettingsError("log must be embedded");
  std::filesystem::create_directories(folders.root);
  std::filesystem::create_directories(folders.state);
  claim_key = secret_file(folders.secrets / "claim_key", secret_bytes);
  const auto shard_count = static_cast<std::uint32_t>(settings.integer("shards", 1, 256));
  if (!SegmentLog::exists(folders.root)) {
    const std::string id = random_bytes(16);
    SegmentLog::create(folders.root, {policy.platform, derive_root("log", id), shard_count, 1});
  }
  // The number of shards belongs to the log: a setting that differs is refused unless it is only the default.
  std::uint32_t expected = shard_count;
  if (settings["shards"].origin == "default") expected = SegmentLog::open_read_only(folders.root)->identity().shards;
  log = SegmentLog::open(folders.root, policy.platform, expected, {.accept_loss = accept_loss});
  const RecoveryReport& recovery = log->recovery();
  if (!recovery.clean)
    log_line(recovery.accepted_loss ? LogLevel::warning : LogLevel::info, clock.now(), "the log was not closed cleanly",
             {{"frames_rewritten", static_cast<std::int64_t>(recovery.frames_rewritten)},
              {"bytes_cut", static_cast<std::int64_t>(recovery.bytes_cut)},
              {"cut_at", std::string_view(recovery.cut_at)},
              {"accepted_loss", static_cast<std::int64_t>(recovery.accepted_loss)}});
  log->on_durable([this](ShardNo shard, Sequence) {
    if (!projectors.empty()) projectors[shard % projectors.size()].runner->notify();
  });
  log->on_failure([this](const std::string& why) { fail(why); });
}

void Platform::Parts::open_shards() {
  effects = std::make_unique<EffectWorker>(
      processor, clock, [this](const Effect& e, const ProcessorAnswer& a, int nth) { record_outcome(e, a, nth); });
  const std::uint32_t count = log->identity().shards;
  for (ShardNo n = 0; n < count; ++n) {
    const auto folder = folders.state / std::to_string(n);
    try {
      open_shard(n, folder);
    } catch (const StateStoreError& e) {
      // The log is the truth: a state that can't be opened, or read where the shard begins, is made anew from it.
      log_line(LogLevel::warning, clock.now(), "the state is damaged and is rebuilt from the log",
               {{"shard", static_cast<std::int64_t>(n)}, {"error", std::string_view(e.what())}});
      stores.resize(n);
      std::filesystem::remove_all(folder);
      open_shard(n, folder);
    }
  }
}

void Platform::Parts::open_shard(ShardNo n, const std::filesystem::path& folder) {
  stores.push_back(std::make_unique<RocksDbStateStore>(folder.string(), budget));
  ShardEnvironment env{*log,
                       *stores.back(),
                       clock,
                       format,
                       policy,
                       zones,
                       directory,
                       "guildhall " + std::string(software_version),
                       [this](ShardNo target, InboxEntry entry) { shards[target]->deliver(std::move(entry)); },
                       [this](ShardNo source) { return source < shards.size() ? shards[source]->delivered() : 0; },
                       [this](const Effect& effect, bool wanted) {
                         if (policy.processor != "off") effects->want(effect, wanted);
                       },
                       [this](ShardEnd, const std::string& why) { fail(why); },
                       [this] { log->move_anchor(); },
                       accept_loss};
  Micros told = clock.now();
  shards.push_back(std::make_unique<Shard>(n, std::move(env), ShardLimits{}, true, [&](Sequence done, Sequence total) {
    if (clock.now() - told < second_us) return;
    told = clock.now();
    log_line(LogLevel::info, told, "replaying",
             {{"shard", static_cast<std::int64_t>(n)},
              {"sequence", static_cast<std::int64_t>(done)},
              {"of", static_cast<std::int64_t>(total)}});
  }));
}

void Platform::Parts::open_read_models(const Settings& settings) {
  const std::string& url = settings.text("postgres_url");
  if (url.empty()) {
    log_line(LogLevel::warning, clock.now(), "no postgres_url: commands are served, read models are not kept");
    return;
  }
  const std::uint32_t shard_count = log->identity().shards;
  const auto count = std::min<std::size_t>(static_cast<std::size_t>(settings.integer("projectors", 1, 64)), shard_count);
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<ShardNo> share;
    for (auto n = static_cast<ShardNo>(i); n < shard_count; n += static_cast<ShardNo>(count)) share.push_back(n);
    auto rows = std::make_unique<PostgresRowStore>(url, tutoring_projection(), tutoring_sql());
    if (i == 0) rows->prepare(log->identity());
    auto runner = std::make_unique<Runner>(*log, *rows, tutoring_projection(), std::move(share), pause_for);
    projectors.push_back({std::move(rows), std::move(runner), {}});
  }
  user_reads = std::make_unique<PostgresPool>(PostgresPoolOptions{.url = as_authenticator(url), .connections = read_connections});
  service_reads =
      std::make_unique<PostgresPool>(PostgresPoolOptions{.url = as_authenticator(url), .connections = service_connections});
  reads = std::make_unique<ReadHandler>(
      ReadHandlerOptions{
          *user_reads, *service_reads,
          [this](std::string text, std::chrono::milliseconds timeout, std::move_only_function<void(TokenWait)> done) {
            const auto token = tokens->decode(text);
            if (!token) return done({TokenWait::End::not_applicable, std::string(name_of(token.error()))});
            std::vector<Target> targets;
            for (const auto& p : token->positions) {
              if (p.shard >= log->identity().shards) return done({TokenWait::End::not_applicable, "unknown shard"});
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
      load_catalogue(*service_reads, policy.platform, "service_role"));
}

void Platform::Parts::open_gateway(const Settings& settings) {
  auto made = TokenVerifier::create(keys);
  if (!made) throw SettingsError("token keys: " + std::string(name_of(made.error().reason)) + ": " + made.error().detail);
  verifier = std::make_unique<TokenVerifier>(std::move(*made));
  tokens = std::make_unique<ConsistencyTokens>(secret_file(folders.secrets / "token_key", secret_bytes), log->identity().log_id);
  if (const auto per_minute = settings.integer("quota_per_minute", 0, 10'000'000); per_minute > 0)
    quota = std::make_unique<Quota>(QuotaPolicy{"commands", static_cast<std::uint32_t>(per_minute), 60});
  dispatcher = std::make_unique<Dispatcher>(DispatcherEnvironment{*log, schemas, routes});
  CommandsEnvironment env{policy.platform,          schemas, *log, *dispatcher, *tokens, quota.get(), claim_key,
                          to_hex(random_bytes(16)), {}};
  if (!projectors.empty())
    env.wait = [this](ShardNo shard, Sequence sequence, Micros timeout_us, std::function<void(PositionWait)> done) {
      wait_for({{shard, sequence}}, timeout_us, std::move(done));
    };
  commands = std::make_unique<Commands>(std::move(env));
  const auto errors = error_catalogue();
  api = std::make_unique<Api>(
      ApiEnvironment{clock, *verifier, schemas, *commands, *dispatcher, reads.get(),
                     openapi_document(schemas, errors, {.version = software_version}), settings.list("cors_origins"),
                     [this] { return readiness(); },
                     [this] {
                       return Response{200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, metrics.text()};
                     }});
  metrics.add([this] { return collect(); });

  const std::string& access = settings.text("access_log");
  if (access != "none" && access != "errors" && access != "all") throw SettingsError("access_log must be none, errors or all");
  HttpServerOptions options{.clock = clock};
  options.address = settings.text("address");
  options.port = static_cast<std::uint16_t>(settings.integer("port", 0, 65535));
  options.threads = static_cast<std::size_t>(settings.integer("http_threads", 1, 64));
  options.gate.allowed_hosts = settings.list("allowed_hosts");
  options.trusted_addresses = settings.list("trusted_addresses");
  const std::string seed = random_bytes(8);
  for (const char c : seed) options.request_id_seed = options.request_id_seed << 8 | static_cast<unsigned char>(c);
  options.on_access = [this, all = access == "all", none = access == "none"](const AccessRecord& a) {
    metrics.observe_request(a.status, static_cast<double>(a.duration_us) / 1e6);
    if (none || (!all && a.status < 500 && a.problem.empty())) return;
    log_line(a.status >= 500 ? LogLevel::warning : LogLevel::info, clock.now(), "request",
             {{"method", a.method},
              {"path", a.path},
              {"status", static_cast<std::int64_t>(a.status)},
              {"duration_us", a.duration_us},
              {"request_id", a.request_id},
              {"problem", a.problem}});
  };
  server = std::make_unique<HttpServer>(
      std::move(options), [this](Request request, Respond respond) { api->handle(std::move(request), std::move(respond)); });
}

void Platform::Parts::start_threads() {
  // The names are what `top -H` shows; at most 15 bytes.
  for (auto& shard : shards)
    shard_threads.emplace_back([s = shard.get()](std::stop_token stop) {
      ::pthread_setname_np(::pthread_self(), fmt::format("shard-{}", s->number()).c_str());
      s->run(stop);
    });
  effect_thread = std::jthread([this](std::stop_token stop) {
    ::pthread_setname_np(::pthread_self(), "effects");
    effects->run(stop);
  });
  for (std::size_t i = 0; i < projectors.size(); ++i)
    projectors[i].thread = std::jthread([this, i, runner = projectors[i].runner.get()](std::stop_token stop) {
      ::pthread_setname_np(::pthread_self(), fmt::format("projector-{}", i).c_str());
      try {
        runner->run(stop);
      } catch (const std::exception& e) {
        fail(std::string("projections: ") + e.what());
      }
    });
  server->start();
  ready = true;
}

void Platform::Parts::stop() {
  ready = false;
  if (server) {
    server->begin_drain();
    server->stop(failing ? failed_patience : std::chrono::duration_cast<std::chrono::milliseconds>(drain_patience));
  }
  if (failing) return;  // A batch may hang in the log: the process ends without waiting for it.
  if (user_reads) user_reads->stop();
  if (service_reads) service_reads->stop();
  if (effect_thread.joinable()) {
    effect_thread.request_stop();
    effect_thread.join();
  }
  for (auto& t : shard_threads) t.request_stop();
  for (auto& t : shard_threads) t.join();
  for (Projector& p : projectors) p.thread.request_stop();
  for (Projector& p : projectors)
    if (p.thread.joinable()) p.thread.join();
  // Idle shards have nothing in the log; their writers go before it does.
  projectors.clear();
  shards.clear();
  log.reset();
}

void Platform::Parts::record_outcome(const Effect& effect, const ProcessorAnswer& answer, int nth) {
  const AnyCommand command = outcome_command(effect, answer);
  CommandRequest request;
  request.command_id =
      derive_in_group("effect-outcome", effect.id, static_cast<std::uint64_t>(nth), bucket_of(effect.payment_id));
  request.type = type_name(command);
  request.payload = encode(command);
  request.fingerprint = sha256(request.payload);
  request.actor_kind = ActorKind::system;
  shards[shard_of(effect.payment_id, log->identity().shards)]->submit_system(std::move(request), ::decision::v1::Source::effect,
                                                                             effect.id, {});
}

// Each projector is asked for its own shards; the last answer tells.
void Platform::Parts::wait_for(std::vector<Target> targets, Micros timeout_us, std::function<void(PositionWait)> done) {
  struct Waiting {
    std::mutex mutex;
    std::size_t left = 0;
    WaitOutcome outcome = WaitOutcome::reached;
    Micros began = 0;
    std::vector<Target> targets;
    std::function<void(PositionWait)> done;
  };
  std::vector<std::vector<Target>> shares(projectors.size());
  for (const Target& t : targets) shares[t.shard % projectors.size()].push_back(t);
  const auto waiting = std::make_shared<Waiting>();
  waiting->left = static_cast<std::size_t>(std::ranges::count_if(shares, [](const auto& share) { return !share.empty(); }));
  waiting->began = clock.now();
  waiting->targets = std::move(targets);
  waiting->done = std::move(done);
  if (waiting->left == 0) return waiting->done({});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(timeout_us);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i].empty()) continue;
    projectors[i].runner->when_reached(std::move(shares[i]), deadline, [this, waiting](WaitResult result) {
      {
        const std::lock_guard lock(waiting->mutex);
        const auto outcome = result == WaitResult::reached     ? WaitOutcome::reached
                             : result == WaitResult::timed_out ? WaitOutcome::timed_out
                                                               : WaitOutcome::stopped;
        if (outcome != WaitOutcome::reached && waiting->outcome != WaitOutcome::stopped) waiting->outcome = outcome;
        if (--waiting->left > 0) return;
      }
      PositionWait wait;
      wait.waited_us = clock.now() - waiting->began;
      wait.outcome = waiting->outcome;
      if (wait.outcome != WaitOutcome::reached)
        for (const auto& p : progress())
          for (const auto& t : waiting->targets)
            if (t.shard == p.shard && t.sequence > p.applied) wait.events_behind += t.sequence - p.applied;
      waiting->done(wait);
    });
  }
}

std::vector<ShardProgress> Platform::Parts::progress() const {
  std::vector<ShardProgress> out;
  for (const Projector& p : projectors)
    for (ShardProgress& shard : p.runner->progress()) out.push_back(std::move(shard));
  std::ranges::sort(out, {}, &ShardProgress::shard);
  return out;
}

Response Platform::Parts::readiness() const {
  std::string body = "{\"ready\":";
  bool ok = ready && log->admits();
  std::uint64_t behind = 0;
  bool failed_projection = false;
  for (const auto& p : progress()) {
    behind += p.durable_end - p.applied;
    failed_projection = failed_projection || p.failure.has_value();
  }
  ok = ok && behind <= ready_lag_events && !failed_projection;
  body += ok ? "true" : "false";
  body += fmt::format(",\"accepting\":{},\"log_admits\":{},\"projection_lag_events\":{},\"projection_failed\":{}}}", ready.load(),
                      log->admits(), behind, failed_projection);
  Response r{ok ? 200 : 503, {{"Content-Type", "application/json"}}, std::move(body)};
  if (!ok) r.headers.emplace_back("Retry-After", "1");
  return r;
}

std::vector<MetricFamily> Platform::Parts::collect() const {
  std::vector<MetricFamily> out;
  MetricFamily commands_total{"guildhall_commands_total", "Commands decided, by outcome.", MetricType::counter, {}};
  MetricFamily batches{"guildhall_batches_total", "Batches made durable.", MetricType::counter, {}};
  MetricFamily records{"guildhall_events_appended_total", "Records made durable, decisions included.", MetricType::counter, {}};
  MetricFamily queue{"guildhall_shard_queue_commands", "Commands that wait for their shard.", MetricType::gauge, {}};
  MetricFamily ends{"guildhall_log_end_sequence", "The shard's last durable sequence.", MetricType::gauge, {}};
  for (const auto& s : shards) {
    const std::string n = std::to_string(s->number());
    const auto& c = s->counters();
    const std::array outcomes{std::pair{"accepted", c.accepted.load()}, std::pair{"nothing_new", c.nothing_new.load()},
                              std::pair{"rejected", c.rejected.load()}, std::pair{"replayed", c.replayed.load()}};
    for (const auto& [outcome, value] : outcomes)
      commands_total.samples.push_back({{{"shard", n}, {"outcome", outcome}}, static_cast<double>(value)});
    batches.samples.push_back({{{"shard", n}}, static_cast<double>(c.batches.load())});
    records.samples.push_back({{{"shard", n}}, static_cast<double>(c.records.load())});
    queue.samples.push_back({{{"shard", n}}, static_cast<double>(s->queue_length())});
    ends.samples.push_back({{{"shard", n}}, static_cast<double>(log->durable_end(s->number()).sequence)});
  }
  out.insert(out.end(), {std::move(commands_total), std::move(batches), std::move(records), std::move(queue), std::move(ends)});
  out.push_back({"guildhall_effects_pending",
                 "Calls to the payment processor under way.",
                 MetricType::gauge,
                 {{{}, static_cast<double>(effects->pending())}}});
  if (!projectors.empty()) {
    MetricFamily lag{"guildhall_projection_lag_events", "Records that the read models have yet to take.", MetricType::gauge, {}};
    MetricFamily state{
        "guildhall_projection_failed", "1 where the projection stands at a record that it can't apply.", MetricType::gauge, {}};
    for (const auto& p : progress()) {
      const std::string n = std::to_string(p.shard);
      lag.samples.push_back({{{"shard", n}}, static_cast<double>(p.durable_end - p.applied)});
      state.samples.push_back({{{"shard", n}}, p.failure ? 1.0 : 0.0});
    }
    out.push_back(std::move(lag));
    out.push_back(std::move(state));
  }
  return out;
}

Platform::Platform(const Settings& settings, bool accept_loss, const std::function<void()>& on_owned,
                   std::function<void(const std::string& why)> on_failure)
    : parts_(std::make_unique<Parts>(settings, std::move(on_failure))) {
  try {
    parts_->accept_loss = accept_loss;
    parts_->open_log(settings);
    on_owned();
    parts_->open_shards();
    parts_->open_read_models(settings);
    parts_->open_gateway(settings);
    parts_->start_threads();
  } catch (...) {
    parts_->stop();
    throw;
  }
}

Platform::~Platform() {
  parts_->stop();
  if (parts_->failing) static_cast<void>(parts_.release());
}

std::uint16_t Platform::port() const { return parts_->server->port(); }

std::string Platform::description(const std::string& postgres_url) const {
  const Parts& p = *parts_;
  const Micros now = p.clock.now();
  std::string out = "{\n";
  const auto member = [&](std::string_view name, std::string_view value) {
    out += "  ";
    append_json_string(out, name);
    out += ": ";
    append_json_string(out, value);
    out += ",\n";
  };
  member("url", "http://127.0.0.1:" + std::to_string(port()));
  if (!p.keys.hs256_secret.empty()) {
    const auto key = [&](TokenRole role, std::string_view kid) {
      TokenGrant grant;
      grant.role = role;
      grant.kid = kid;
      grant.life_us = local_key_life_us;
      grant.platform = p.policy.platform;
      return issue_hs256(p.keys.hs256_secret, grant, now);
    };
    member("anon_key", key(TokenRole::anon, anon_kid));
    member("service_key", key(TokenRole::service_role, service_kid));
    member("jwt_secret", p.keys.hs256_secret);
  }
  member("postgres_url", postgres_url);
  member("platform", p.policy.platform);
  out += "  \"pid\": " + std::to_string(::getpid()) + "\n}\n";
  return out;
}

}  // namespace guildhall
