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

#include "aggregates/ledger.h"
#include "aggregates/shard/shard.h"
#include "cli/leaderboard_host.h"
#include "cli/log_source.h"
#include "cli/moving_shards.h"
#include "cli/platform_policy.h"
#include "cli/read_models.h"
#include "cli/shard_host.h"
#include "events/check.h"
#include "events/codec.h"
#include "gateway/api.h"
#include "gateway/http_server.h"
#include "gateway/openapi.h"
#include "gateway/problem.h"
#include "infra/effect_worker.h"
#include "infra/folder_lock.h"
#include "infra/json_log.h"
#include "infra/kafka_log.h"
#include "infra/metrics.h"
#include "infra/sandbox_processor.h"
#include "infra/secrets.h"
#include "infra/segment_log.h"
#include "infra/system_clock.h"
#include "infra/time_zones.h"
#include "projectors/platforms.h"

namespace guildhall {
namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::chrono::seconds drain_patience{10};
constexpr std::chrono::milliseconds failed_patience{500};  // For unknown answers to go out before a failed process ends.
constexpr Micros local_key_life_us = 365 * day_us;
constexpr std::chrono::seconds settle_patience{120};          // For a process of a Kafka log to serve its first shards.
constexpr std::chrono::milliseconds directory_patience{500};  // For a fact that may just have been made elsewhere.
constexpr std::chrono::seconds directory_start_patience{60};
constexpr std::int64_t shortest_session_ms = 1'000, longest_session_ms = 300'000;
constexpr std::uint64_t ready_lag_events = 100'000;  // Of a projection; beyond it the process is not ready.
constexpr std::string_view anon_kid = "anon", service_kid = "service";

// What this process does. An embedded log is one process's, so there it does everything.
struct Roles {
  bool gateway = false, shards = false, projectors = false;
};
Roles roles_of(const Settings& settings) {
  Roles out;
  for (const std::string& role : settings.list("roles")) {
    if (role == "gateway") out.gateway = true;
    else if (role == "shards") out.shards = true;
    else if (role == "projectors") out.projectors = true;
    else throw SettingsError("roles must be of gateway, shards and projectors, not " + role);
  }
  if (!out.gateway && !out.shards && !out.projectors) throw SettingsError("roles: at least one is needed");
  if (log_kind(settings) == LogKind::embedded && !(out.gateway && out.shards && out.projectors))
    throw SettingsError("roles can be divided on log kafka only");
  return out;
}

// Of "http://host:port".
std::string host_of(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme) || url.rfind(':') < scheme.size()) throw SettingsError("advertise must be http://HOST:PORT");
  return std::string(url.substr(scheme.size(), url.rfind(':') - scheme.size()));
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

// The schemas of the platform's aggregates, and those that speak of none.
std::vector<Schema> schemas_of(const PlatformPolicy& policy) {
  std::vector<Schema> out;
  for (const std::string& name : policy.aggregates)
    if (!stream_kind(name) || schema_of_type(name) == nullptr)
      throw SettingsError("platforms/" + policy.platform + ".toml: there is no aggregate " + name);
  for (const Schema& schema : guildhall::schemas()) {
    const bool of_aggregate = stream_kind(schema.name) && schema.name != name_of(StreamKind::decision);
    if (!of_aggregate || policy.has(schema.name)) out.push_back(schema);
  }
  return out;
}

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
      : folders(settings),
        roles(roles_of(settings)),
        on_failure(std::move(failed)),
        policy(load_policy(settings.text("platform"), settings.text("platform_file"))),
        keys(key_settings(settings, folders)),
        declared(schemas_of(policy)),
        schemas(declared, policy.commands_off),
        format(schemas),
        metrics(std::string(software_version)) {}

  PlatformFolders folders;
  Roles roles;
  std::function<void(const std::string&)> on_failure;
  std::atomic<bool> failing{false};
  bool accept_loss = false;
  std::atomic<bool> ready{false};
  SystemClock clock;
  PlatformPolicy policy;
  KeySettings keys;
  TzdbTimeZones zones;
  std::vector<Schema> declared;  // What the platform has of them.
  SchemaCatalogue schemas;
  HttpReplies format;
  Metrics metrics;
  ProcessDirectory directory;
  std::string claim_key;

  std::optional<FolderLock> folder_lock;  // An embedded log has its own.
  std::unique_ptr<EventLog> log;
  KafkaLog* kafka = nullptr;  // The log, when it is Kafka's.
  std::unique_ptr<TopicFollower> directory_follower;
  SandboxProcessor processor;
  std::unique_ptr<EffectWorker> effects;
  std::unique_ptr<ReadModels> read_models;  // nullptr: none are kept or read here.
  std::unique_ptr<LeaderboardHost> boards;  // nullptr: the platform has none, or they are not read here.
  std::unique_ptr<ShardHost> shards;
  MovingShards* moving = nullptr;  // The shards, when the log is Kafka's.

  std::unique_ptr<TokenVerifier> verifier;
  std::unique_ptr<ConsistencyTokens> tokens;
  std::unique_ptr<Quota> quota;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<Commands> commands;
  std::unique_ptr<Api> api;
  std::unique_ptr<HttpServer> server;

  std::jthread effect_thread;

  void fail(const std::string& why) {
    ready = false;
    if (failing.exchange(true)) return;
    log_line(LogLevel::error, clock.now(), "the process must end", {{"reason", std::string_view(why)}});
    on_failure(why);
  }

  void open_segment_log(const Settings& settings);
  void open_kafka_log(const Settings& settings);
  void keep_sandbox_journal(const Settings& settings);
  ShardParts shard_parts();
  void open_local_shards();
  void open_moving_shards(const Settings& settings);
  void open_leaderboards();
  void open_read_models(const Settings& settings);
  void open_gateway(const Settings& settings);
  void start(const Settings& settings);
  void stop();
  void record_outcome(const Effect& effect, const ProcessorAnswer& answer, int nth);
  Response readiness() const;
  std::vector<MetricFamily> collect() const;
};

void Platform::Parts::open_segment_log(const Settings& settings) {
  std::filesystem::create_directories(folders.root);
  const auto shard_count = static_cast<std::uint32_t>(settings.integer("shards", 1, 256));
  if (!SegmentLog::exists(folders.root)) {
    const std::string id = random_bytes(16);
    SegmentLog::create(folders.root, {policy.platform, derive_root("log", id), shard_count, 1});
  }
  // The number of shards belongs to the log: a setting that differs is refused unless it is only the default.
  std::uint32_t expected = shard_count;
  if (settings["shards"].origin == "default") expected = SegmentLog::open_read_only(folders.root)->identity().shards;
  auto segments = SegmentLog::open(folders.root, policy.platform, expected, {.accept_loss = accept_loss});
  const RecoveryReport& recovery = segments->recovery();
  if (!recovery.clean)
    log_line(recovery.accepted_loss ? LogLevel::warning : LogLevel::info, clock.now(), "the log was not closed cleanly",
             {{"frames_rewritten", static_cast<std::int64_t>(recovery.frames_rewritten)},
              {"bytes_cut", static_cast<std::int64_t>(recovery.bytes_cut)},
              {"cut_at", std::string_view(recovery.cut_at)},
              {"accepted_loss", static_cast<std::int64_t>(recovery.accepted_loss)}});
  segments->on_failure([this](const std::string& why) { fail(why); });
  log = std::move(segments);
}

void Platform::Parts::open_kafka_log(const Settings& settings) {
  const auto shard_count = static_cast<std::uint32_t>(settings.integer("shards", 1, 256));
  const std::string id = random_bytes(16);
  auto made = KafkaLog::open_or_create(kafka_options(settings), {policy.platform, derive_root("log", id), shard_count, 1});
  if (settings["shards"].origin != "default" && made->identity().shards != shard_count)
    throw LogError("the log has " + std::to_string(made->identity().shards) + " shards, not " + std::to_string(shard_count),
                   "setting shards: it is fixed when the log is made", false);
  kafka = made.get();
  log = std::move(made);
}

// For platforms that keep books: without them there is nothing to compare it with.
void Platform::Parts::keep_sandbox_journal(const Settings& settings) {
  const bool keeps_books = policy.has("wallet") || policy.has("plan_subscription");
  if (policy.processor != "sandbox" || !keeps_books) return;
  const std::string& named = settings.text("sandbox_export");
  const std::filesystem::path file = named.empty() ? folders.root / "sandbox-processor.csv" : std::filesystem::path(named);
  std::vector<JournalFault> faults;
  for (const std::string& text : settings.list("sandbox_faults")) {
    const auto fault = parse_journal_fault(text);
    if (!fault) throw SettingsError("sandbox_faults must be of drop:N, duplicate:N and alter:N, not " + text);
    faults.push_back(*fault);
  }
  try {
    processor.keep(std::make_unique<SandboxJournal>(file, std::move(faults)), clock,
                   [this](std::string_view name, std::int64_t amount_cents) {
                     if (name == "stripe") return ledger::fee_of(policy.stripe_fee, amount_cents);
                     if (name == "paypal") return ledger::fee_of(policy.paypal_fee, amount_cents);
                     return ledger::Cents{0};
                   });
  } catch (const ExportError& e) {
    throw SettingsError("sandbox_export: " + file.string() + ": " + e.what());
  }
}

ShardParts Platform::Parts::shard_parts() {
  std::filesystem::create_directories(folders.state);
  effects = std::make_unique<EffectWorker>(
      processor, clock, [this](const Effect& e, const ProcessorAnswer& a, int nth) { record_outcome(e, a, nth); });
  return {clock,
          format,
          policy,
          zones,
          directory,
          folders.state,
          [this](const Effect& effect, bool wanted) {
            if (policy.processor != "off") effects->want(effect, wanted);
          },
          [this](const std::string& why) { fail(why); },
          accept_loss};
}

void Platform::Parts::open_local_shards() {
  shards = std::make_unique<LocalShards>(dynamic_cast<SegmentLog&>(*log), shard_parts());
}

void Platform::Parts::open_moving_shards(const Settings& settings) {
  directory_follower = follow_directory(*kafka, directory, [this](const std::string& why) { fail(why); });
  if (!directory_follower->wait_until_caught_up(directory_start_patience))
    throw LogError("kafka: " + kafka->topics().directory + " can't be read in time", "the brokers", true);
  MovingShardsOptions options;
  options.node = settings.text("node");
  options.session = std::chrono::milliseconds(settings.integer("session_ms", shortest_session_ms, longest_session_ms));
  options.standby = settings.boolean("standby");
  options.serves = roles.shards;
  MovingShardsHooks hooks;
  hooks.on_served = [this](ShardNo shard, bool served) {
    if (!read_models || !roles.projectors) return;
    if (served) read_models->follow({shard});
    else read_models->unfollow(shard);
  };
  hooks.resume = [this](CommandRequest request, CommandDone done) { dispatcher->resume(std::move(request), std::move(done)); };
  hooks.directory_catch_up = [this](const StreamId& absent, std::move_only_function<void(bool)> done) {
    directory_follower->when_caught_up(static_cast<std::int32_t>(shard_of(absent.id, log->identity().shards)), directory_patience,
                                       std::move(done));
  };
  auto made = std::make_unique<MovingShards>(*kafka, shard_parts(), std::move(options), std::move(hooks));
  moving = made.get();
  shards = std::move(made);
}

void Platform::Parts::open_leaderboards() {
  if (!roles.gateway || !policy.has("learner")) return;
  boards = std::make_unique<LeaderboardHost>(*log, clock, folders.root, [this](const std::string& why) { fail(why); });
}

void Platform::Parts::open_read_models(const Settings& settings) {
  const std::string& url = settings.text("postgres_url");
  if (!url.empty())
    read_models = std::make_unique<ReadModels>(*log, read_models_of(policy.platform), policy, clock, url,
                                               [this](const std::string& why) { fail(why); });
  log->on_durable([this](ShardNo shard, Sequence) {
    if (read_models) read_models->notify(shard);
    if (boards) boards->notify();
  });
  if (boards) boards->start();
  if (!read_models) {
    log_line(LogLevel::warning, clock.now(), "no postgres_url: commands are served, read models are not kept");
    return;
  }
  const std::uint32_t shard_count = log->identity().shards;
  if (kafka != nullptr && (roles.shards || !roles.projectors)) return;  // Those of the shards that come and go, or none.
  const auto count = std::min<std::uint32_t>(static_cast<std::uint32_t>(settings.integer("projectors", 1, 64)), shard_count);
  for (ShardNo first = 0; first < count; ++first) {
    std::vector<ShardNo> share;
    for (ShardNo n = first; n < shard_count; n += count) share.push_back(n);
    read_models->follow(share);
  }
}

void Platform::Parts::open_gateway(const Settings& settings) {
  auto made = TokenVerifier::create(keys);
  if (!made) throw SettingsError("token keys: " + std::string(name_of(made.error().reason)) + ": " + made.error().detail);
  verifier = std::make_unique<TokenVerifier>(std::move(*made));
  tokens = std::make_unique<ConsistencyTokens>(secret_file(folders.secrets / "token_key", secret_bytes), log->identity().log_id);
  if (const auto per_minute = settings.integer("quota_per_minute", 0, 10'000'000); per_minute > 0)
    quota = std::make_unique<Quota>(QuotaPolicy{"commands", static_cast<std::uint32_t>(per_minute), 60});
  claim_key = secret_file(folders.secrets / "claim_key", secret_bytes);
  dispatcher = std::make_unique<Dispatcher>(DispatcherEnvironment{
      *log, schemas, *shards, kafka != nullptr ? secret_file(folders.secrets / "cluster_key", secret_bytes) : std::string()});
  if (read_models && roles.gateway) read_models->open_reads(policy.platform, *tokens);
  if (boards) boards->open_reads(policy.platform, *tokens, read_models.get());
  CommandsEnvironment env{policy.platform,          schemas, *log, *dispatcher, *tokens, quota.get(), claim_key,
                          to_hex(random_bytes(16)), {}};
  if (read_models)
    env.wait = [this](ShardNo shard, Sequence sequence, Micros timeout_us, std::function<void(PositionWait)> done) {
      read_models->wait_for({{shard, sequence}}, timeout_us, std::move(done));
    };
  commands = std::make_unique<Commands>(std::move(env));
  const auto errors = error_catalogue();
  api = std::make_unique<Api>(
      ApiEnvironment{clock, *verifier, schemas, *commands, *dispatcher, read_models ? read_models->reads() : nullptr,
                     openapi_document(schemas, errors, {.version = software_version}), settings.list("cors_origins"),
                     [this] { return readiness(); },
                     [this] {
                       return Response{200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, metrics.text()};
                     },
                     boards ? boards->reads() : nullptr});
  metrics.add([this] { return collect(); });

  const std::string& access = settings.text("access_log");
  if (access != "none" && access != "errors" && access != "all") throw SettingsError("access_log must be none, errors or all");
  HttpServerOptions options{.clock = clock};
  options.address = settings.text("address");
  options.port = static_cast<std::uint16_t>(settings.integer("port", 0, 65535));
  options.threads = static_cast<std::size_t>(settings.integer("http_threads", 1, 64));
  options.gate.allowed_hosts = settings.list("allowed_hosts");
  // Other processes name this one as it told them.
  if (const std::string& told = settings.text("advertise"); !told.empty()) options.gate.allowed_hosts.push_back(host_of(told));
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

void Platform::Parts::start(const Settings& settings) {
  effect_thread = std::jthread([this](std::stop_token stop) {
    ::pthread_setname_np(::pthread_self(), "effects");
    effects->run(stop);
  });
  if (moving == nullptr) {
    shards->start({});
    server->start();
  } else {
    // The others must reach it from the moment on when it takes a shard.
    server->start();
    const std::string& told = settings.text("advertise");
    shards->start(!told.empty() ? told : fmt::format("http://127.0.0.1:{}", server->port()));
    if (roles.shards && !moving->wait_until_settled(settle_patience))
      log_line(LogLevel::warning, clock.now(), "the group's shards are not all served yet");
  }
  ready = !failing;
}

void Platform::Parts::stop() {
  ready = false;
  // Hands over while requests are still taken and sent on.
  if (moving != nullptr && !failing) moving->stop();
  if (server) {
    server->begin_drain();
    server->stop(failing ? failed_patience : std::chrono::duration_cast<std::chrono::milliseconds>(drain_patience));
  }
  if (failing) return;  // A batch may hang in the log: the process ends without waiting for it.
  if (read_models) read_models->stop_reads();
  if (effect_thread.joinable()) {
    effect_thread.request_stop();
    effect_thread.join();
  }
  if (shards) shards->stop();
  if (dispatcher) dispatcher->stop();
  directory_follower.reset();
  if (log) log->on_durable({});
  if (read_models) read_models->stop();  // Reads of leaderboards wait for rows, too: answered while the boards are there.
  boards.reset();
  read_models.reset();
  shards.reset();
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
  // A shard that went away wants the effect at its new owner's, who asks the processor by the same id.
  if (const auto shard = shards->local(shard_of(effect.payment_id, log->identity().shards)))
    shard->submit_system(std::move(request), ::decision::v1::Source::effect, effect.id, {});
}

Response Platform::Parts::readiness() const {
  bool ok = ready && log->admits();
  std::uint64_t behind = 0;
  bool failed_projection = false;
  if (read_models)
    for (const auto& p : read_models->progress()) {
      behind += p.durable_end - std::min(p.durable_end, p.applied);
      failed_projection = failed_projection || p.failure.has_value();
    }
  ok = ok && behind <= ready_lag_events && !failed_projection && (moving == nullptr || moving->in_group());
  std::string served;
  for (const auto& shard : shards->serving()) served += (served.empty() ? "" : ",") + std::to_string(shard->number());
  std::string body = fmt::format(
      "{{\"ready\":{},\"accepting\":{},\"log_admits\":{},\"owned_shards\":[{}],\"projection_lag_events\":{},\"projection_"
      "failed\":{}",
      ok, ready.load(), log->admits(), served, behind, failed_projection);
  if (kafka != nullptr) {
    const KafkaLogCounters& c = kafka->counters();
    const auto commits = std::max<std::uint64_t>(c.commits.load(), 1);
    body +=
        fmt::format(",\"in_group\":{},\"rebalances\":{},\"fenced_writers\":{},\"unknown_commits\":{},\"mean_commit_us\":{}",
                    moving->in_group(), moving->rebalances(), c.fenced.load(), c.unknown.load(), c.commit_us.load() / commits);
  }
  Response r{ok ? 200 : 503, {{"Content-Type", "application/json"}}, body + "}"};
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
  for (const auto& s : shards->serving()) {
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
  out.push_back({"guildhall_effects_longest_wait_seconds",
                 "How long this process has waited for the outcome of the call that it has asked for longest.",
                 MetricType::gauge,
                 {{{}, static_cast<double>(effects->longest_wait()) / second_us}}});
  if (kafka != nullptr) {
    const KafkaLogCounters& c = kafka->counters();
    const auto one = [&](const char* name, const char* help, double value) {
      out.push_back({name, help, MetricType::counter, {{{}, value}}});
    };
    one("guildhall_log_commits_total", "Transactions committed.", static_cast<double>(c.commits));
    one("guildhall_log_commit_seconds_total", "Time that committed transactions took, together.",
        static_cast<double>(c.commit_us) / 1e6);
    one("guildhall_log_aborted_total", "Transactions aborted; their commands were decided again.",
        static_cast<double>(c.aborted));
    one("guildhall_log_fenced_writers_total", "Writers that another one fenced.", static_cast<double>(c.fenced));
    one("guildhall_log_unknown_commits_total", "Transactions whose outcome only the log told.", static_cast<double>(c.unknown));
    one("guildhall_log_opens_total", "Shards taken over.", static_cast<double>(c.opens));
    one("guildhall_log_open_seconds_total", "Time that fencing and finding the end took, together.",
        static_cast<double>(c.open_us) / 1e6);
    one("guildhall_log_zombie_records_total", "Records of fenced writers that readers dropped.",
        static_cast<double>(kafka->zombie_records()));
    one("guildhall_group_rebalances_total", "Times the group gave shards out.", static_cast<double>(moving->rebalances()));
    const DispatcherCounters& d = dispatcher->counters();
    one("guildhall_peer_forwarded_total", "Commands and questions sent to the shard's owner.", static_cast<double>(d.forwarded));
    one("guildhall_peer_misdirected_total", "Of those, answered that the shard is another's.",
        static_cast<double>(d.misdirected));
    one("guildhall_peer_lost_total", "Of those, without an answer.", static_cast<double>(d.lost));
    one("guildhall_commands_resumed_total", "Commands that went on to a shard's next owner.", static_cast<double>(d.resumed));
  }
  out.push_back({"guildhall_shards_served",
                 "Shards that this process serves.",
                 MetricType::gauge,
                 {{{}, static_cast<double>(shards->serving().size())}}});
  if (boards) {
    out.push_back({"guildhall_leaderboards_lag_events",
                   "Records that the leaderboards have yet to take.",
                   MetricType::gauge,
                   {{{}, static_cast<double>(boards->lag_events())}}});
    out.push_back({"guildhall_leaderboards_bytes",
                   "Memory of the leaderboards.",
                   MetricType::gauge,
                   {{{}, static_cast<double>(boards->memory_bytes())}}});
  }
  if (read_models) {
    MetricFamily lag{"guildhall_projection_lag_events", "Records that the read models have yet to take.", MetricType::gauge, {}};
    MetricFamily state{
        "guildhall_projection_failed", "1 where the projection stands at a record that it can't apply.", MetricType::gauge, {}};
    for (const auto& p : read_models->progress()) {
      const std::string n = std::to_string(p.shard);
      lag.samples.push_back({{{"shard", n}}, static_cast<double>(p.durable_end - std::min(p.durable_end, p.applied))});
      state.samples.push_back({{{"shard", n}}, p.failure ? 1.0 : 0.0});
    }
    out.push_back(std::move(lag));
    out.push_back(std::move(state));
    if (const BoardCloser* closer = read_models->closer()) {
      out.push_back({"guildhall_leaderboards_closed_total",
                     "Leaderboards of a period that is over whose ranks this process has stored.",
                     MetricType::counter,
                     {{{}, static_cast<double>(closer->closed())}}});
      out.push_back({"guildhall_leaderboards_close_failures_total",
                     "Times that storing them failed; it is tried again.",
                     MetricType::counter,
                     {{{}, static_cast<double>(closer->failures())}}});
    }
  }
  return out;
}

Platform::Platform(const Settings& settings, bool accept_loss, const std::function<void()>& on_owned,
                   std::function<void(const std::string& why)> on_failure)
    : parts_(std::make_unique<Parts>(settings, std::move(on_failure))) {
  try {
    parts_->accept_loss = accept_loss;
    if (log_kind(settings) == LogKind::embedded) {
      parts_->open_segment_log(settings);
      on_owned();
      parts_->keep_sandbox_journal(settings);
      parts_->open_local_shards();
    } else {
      parts_->folder_lock.emplace(parts_->folders.root);
      on_owned();
      parts_->open_kafka_log(settings);
      parts_->keep_sandbox_journal(settings);
      parts_->open_moving_shards(settings);
    }
    parts_->open_leaderboards();
    parts_->open_read_models(settings);
    parts_->open_gateway(settings);
    parts_->start(settings);
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
