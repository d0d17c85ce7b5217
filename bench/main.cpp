// guildhall_bench: what Guildhall does on this machine, beside its peers, in one run (docs/performance.md reads the figures).
//
// A stage is set once on a data folder. Every series of measurements gets a copy of that folder, so that it begins with all seats
// free; the series are: projections off at each number of connections and with refusals mixed in, with the sandbox payment
// processor, projections on, then both rebuilds, then the peers. Progress goes to stderr, one JSON object to stdout.
//
// On Kafka (--log kafka) there is no copy of a log: all series sell seats of one stage, projections on first, while the log is
// short.
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <span>
#include <stdexcept>
#include <thread>

#include "bench/broker.h"
#include "bench/celebrity.h"
#include "bench/conditions.h"
#include "bench/database.h"
#include "bench/follow_flow.h"
#include "bench/json_object.h"
#include "bench/lesson_flow.h"
#include "bench/load_generator.h"
#include "bench/order_flow.h"
#include "bench/peers.h"
#include "bench/scenario.h"
#include "bench/server.h"
#include "bench/take_over.h"

namespace guildhall {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view usage =
    "guildhall_bench: measures bookings over HTTP, replay and rebuild, beside the peers; prints one JSON object.\n"
    "\n"
    "  --seconds N          measured, for each figure [10]\n"
    "  --warmup N           seconds before it [2]\n"
    "  --repeats N          of every series; the median is reported [1]\n"
    "  --connections LIST   [1,8,64,256; on Kafka 512 too]\n"
    "  --log WHICH          embedded, or kafka: a broker of its own is started [embedded]\n"
    "  --phases LIST        of off, mix, sandbox, orders, follows, lessons, celebrity, on, replay, rebuild and, on Kafka,\n"
    "                       take-over [all; on Kafka: off, on, replay, rebuild, take-over]\n"
    "  --take-over LIST     bookings in the log [10000,100000,500000]\n"
    "  --compression NAME   on Kafka: none, lz4, zstd, snappy or gzip [none]\n"
    "  --experts N          each offers some 470 seats [2000]\n"
    "  --learners N         [20000]\n"
    "  --refused SHARE      of the requests in the mix [0.3]\n"
    "  --lag-bound N        events; the load is held back while the read models are further behind [20000]\n"
    "  --shards N           of the log [4; on Kafka 2]\n"
    "  --http-threads N     [1]\n"
    "  --peers WHICH        none, seed (the seed's SQL function, untouched, repaired, over HTTP), kstreams (Kafka Streams,\n"
    "                       exactly-once, as it comes and tuned) or all: Pekko and Kafka Streams too, which need JDK 17\n"
    "                       and Maven [seed; on Kafka kstreams]\n"
    "  --peers-folder DIR   [../shared/peers]\n"
    "  --postgres URL       a superuser's; else a private cluster is started\n"
    "  --guildhall FILE     the program to measure [beside this one]\n"
    "  --folder DIR         where the data goes, on a real disk [$TMPDIR or /tmp]\n"
    "  --keep               leave the data there\n"
    "  --out FILE           write the JSON there too\n";

constexpr std::chrono::milliseconds lag_pause{25};  // Between looks at the projections' lag.
constexpr std::chrono::minutes catch_up_patience{20};
constexpr std::size_t headline_connections = 64;
constexpr std::size_t order_sellers = 500, order_buyers = 5'000;
constexpr std::size_t follow_members = 5'000;
constexpr std::size_t lesson_learners = 20'000, most_lessons = 999, most_lessons_per_s = 50'000;
constexpr const char* main_topics = "bench";
constexpr long tmpfs_magic = 0x01021994;

struct Flags {
  int seconds = 10;
  int warmup = 2;
  int repeats = 1;
  std::vector<std::size_t> connections{1, 8, 64, 256};
  bool kafka = false;
  std::vector<std::string> phases{"off",     "mix",       "sandbox", "orders", "follows",
                                  "lessons", "celebrity", "on",      "replay", "rebuild"};
  std::vector<std::size_t> take_over{10'000, 100'000, 500'000};
  std::string compression = "none";
  StageOptions stage;
  double refused = 0.3;
  std::uint64_t lag_bound = 20'000;
  std::uint32_t shards = 4;
  std::uint32_t http_threads = 1;
  PeerSet peers = PeerSet::seed;
  std::filesystem::path peers_folder = GUILDHALL_SOURCE_DIR "/../shared/peers";
  std::string postgres;
  std::filesystem::path guildhall;
  std::filesystem::path folder = std::filesystem::temp_directory_path();
  bool keep = false;
  std::filesystem::path out;
  std::string given;  // The command line, for the record; a URL's password is left out.

  bool wants(std::string_view phase) const { return std::ranges::find(phases, phase) != phases.end(); }
};

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What is measured on Kafka unless flags say otherwise: the dearest figures only.
void choose_kafka(Flags& f) {
  f.kafka = true;
  f.connections = {1, 8, 64, 256, 512};
  f.phases = {"off", "on", "replay", "rebuild", "take-over"};
  f.shards = 2;
  f.peers = PeerSet::kstreams;
}

template <class Number>
Number number_of(std::string_view text, std::string_view flag, Number least, Number most) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || out < least || out > most)
    throw UsageError(std::string(flag) + " " + std::string(text) + " is not a number in its range");
  return out;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    out.emplace_back(text.substr(0, text.find(',')));
    text.remove_prefix(std::min(out.back().size() + 1, text.size()));
  }
  return out;
}

std::vector<std::size_t> numbers_of(std::string_view list, std::string_view flag, std::size_t most) {
  std::vector<std::size_t> out;
  for (const std::string& one : split(list)) out.push_back(number_of<std::size_t>(one, flag, 1, most));
  if (out.empty()) throw UsageError(std::string(flag) + " is empty");
  return out;
}

Flags read_flags(std::span<char*> arguments) {
  Flags f;
  f.guildhall = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "guildhall";
  for (std::size_t i = 1; i + 1 < arguments.size(); ++i)
    if (std::string_view(arguments[i]) == "--log" && std::string_view(arguments[i + 1]) == "kafka") choose_kafka(f);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view flag = arguments[i];
    if (flag == "--keep") {
      f.keep = true;
      f.given += " --keep";
      continue;
    }
    if (i + 1 == arguments.size()) throw UsageError(std::string(flag) + " needs a value");
    const std::string_view value = arguments[++i];
    f.given.append(" ").append(flag).append(" ").append(flag == "--postgres" ? "..." : value);
    if (flag == "--seconds") f.seconds = number_of(value, flag, 1, 600);
    else if (flag == "--warmup") f.warmup = number_of(value, flag, 0, 600);
    else if (flag == "--repeats") f.repeats = number_of(value, flag, 1, 100);
    else if (flag == "--experts") f.stage.experts = number_of<std::size_t>(value, flag, 1, 100'000);
    else if (flag == "--learners") f.stage.learners = number_of<std::size_t>(value, flag, 1, 10'000'000);
    else if (flag == "--refused") f.refused = number_of(value, flag, 0.0, 1.0);
    else if (flag == "--lag-bound") f.lag_bound = number_of<std::uint64_t>(value, flag, 1, 1'000'000'000);
    else if (flag == "--shards") f.shards = number_of<std::uint32_t>(value, flag, 1, 256);
    else if (flag == "--http-threads") f.http_threads = number_of<std::uint32_t>(value, flag, 1, 64);
    else if (flag == "--peers-folder") f.peers_folder = value;
    else if (flag == "--postgres") f.postgres = value;
    else if (flag == "--guildhall") f.guildhall = value;
    else if (flag == "--folder") f.folder = value;
    else if (flag == "--out") f.out = value;
    else if (flag == "--compression") f.compression = value;
    else if (flag == "--log") {
      if (value != "embedded" && value != "kafka") throw UsageError("--log is embedded or kafka");
    } else if (flag == "--take-over") f.take_over = numbers_of(value, flag, 10'000'000);
    else if (flag == "--connections") {
      f.connections = numbers_of(value, flag, 4'000);
    } else if (flag == "--phases") {
      auto known = Flags{}.phases;
      if (f.kafka) known.emplace_back("take-over");
      f.phases = split(value);
      for (const std::string& one : f.phases)
        if (std::ranges::find(known, one) == known.end()) throw UsageError("there is no phase " + one);
    } else if (flag == "--peers") {
      if (value == "none") f.peers = PeerSet::none;
      else if (value == "seed") f.peers = PeerSet::seed;
      else if (value == "all") f.peers = PeerSet::all;
      else if (value == "kstreams") f.peers = PeerSet::kstreams;
      else throw UsageError("--peers is none, seed, kstreams or all");
    } else {
      throw UsageError("there is no flag " + std::string(flag));
    }
  }
  if (f.shards < 2 && f.wants("celebrity")) {
    if (f.phases != Flags{}.phases) throw UsageError("celebrity needs two --shards: it is about the others");
    std::erase(f.phases, "celebrity");
  }
  return f;
}

__attribute__((format(printf, 1, 2))) void say(const char* format, ...) {
  std::fputs("bench: ", stderr);
  std::va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
}

// A folder of our own that goes with us.
class WorkFolder {
 public:
  WorkFolder(const std::filesystem::path& parent, bool keep) : keep_(keep) {
    struct statfs disk {};
    if (::statfs(parent.c_str(), &disk) == 0 && disk.f_type == tmpfs_magic)
      throw UsageError(parent.string() + " is in memory: nothing there is durable; give --folder on a disk");
    std::string pattern = std::filesystem::absolute(parent) / "guildhall_bench_XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder in " + parent.string());
    path_ = pattern;
    // The private PostgreSQL is to lie on the same disk, and its user must be able to get there.
    std::filesystem::permissions(path_, std::filesystem::perms::others_exec | std::filesystem::perms::group_exec,
                                 std::filesystem::perm_options::add);
    ::setenv("TMPDIR", path_.c_str(), 1);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    if (keep_) say("the data stays in %s", path_.c_str());
    else std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool keep_;
};

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

JsonObject latencies(const Histogram& h) {
  const auto ms = [](std::uint64_t us) { return static_cast<double>(us) / 1000; };
  return JsonObject()
      .add("p50", ms(h.percentile_us(0.5)))
      .add("p90", ms(h.percentile_us(0.9)))
      .add("p99", ms(h.percentile_us(0.99)))
      .add("p999", ms(h.percentile_us(0.999)))
      .add("max", ms(h.largest_us()));
}

// How far the read models are behind while load is on; holds it back when that is too far.
class LagWatch {
 public:
  LagWatch(const Server& server, std::uint64_t bound) : server_(server), bound_(static_cast<double>(bound)) {
    thread_ = std::jthread([this](std::stop_token stop) {
      while (!stop.stop_requested()) {
        try {
          const double lag = server_.metric("guildhall_projection_lag_events");
          if (lag > largest_) largest_ = lag;
          if (lag > bound_) hold_ = true;
          else if (lag < bound_ / 2) hold_ = false;
        } catch (const std::exception&) {
          hold_ = false;  // The server is gone: the load will say so.
          return;
        }
        std::this_thread::sleep_for(lag_pause);
      }
    });
  }
  const std::atomic<bool>* hold() const { return &hold_; }
  double largest() const { return largest_; }
  // Stops watching and waits until the read models are at the log's end; the seconds that took.
  double drain() {
    thread_.request_stop();
    thread_.join();
    const auto began = std::chrono::steady_clock::now();
    while (server_.metric("guildhall_projection_lag_events") > 0) {
      if (server_.metric("guildhall_projection_failed") > 0) throw std::runtime_error("the projection has stopped at a record");
      if (std::chrono::steady_clock::now() - began > catch_up_patience)
        throw std::runtime_error("the read models don't catch up");
      std::this_thread::sleep_for(lag_pause);
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }

 private:
  const Server& server_;
  double bound_;
  std::atomic<double> largest_{0};
  std::atomic<bool> hold_{false};
  std::jthread thread_;
};

// One figure: a series' load at one number of connections.
struct Figure {
  double accepted_per_s = 0;
  JsonObject json;
};

class Bench {
 public:
  explicit Bench(Flags flags) : flags_(std::move(flags)), work_(flags_.folder, flags_.keep) {
    installation_ = {flags_.guildhall, work_.path() / "guildhall.log", flags_.shards, flags_.http_threads, {}, {}};
    if (!std::filesystem::exists(installation_.program)) throw UsageError("there is no " + installation_.program.string());
    headline_ = std::ranges::find(flags_.connections, headline_connections) != flags_.connections.end()
                    ? headline_connections
                    : *std::ranges::max_element(flags_.connections);
  }

  JsonObject run() {
    const auto began = std::chrono::steady_clock::now();
    describe();
    const bool needs_postgres =
        flags_.wants("on") || flags_.wants("rebuild") || flags_.peers == PeerSet::seed || flags_.peers == PeerSet::all;
    if (needs_postgres) {
      say("starting PostgreSQL");
      database_.emplace(flags_.postgres, work_.path() / "postgres.log");
      conditions_.add("postgres", database_->sql("postgres", "SHOW server_version"));
    }
    report_.add("conditions", conditions_);
    if (flags_.kafka) start_broker();
    if (flags_.wants("off") || flags_.wants("mix") || flags_.wants("replay") || flags_.wants("sandbox") || flags_.wants("on") ||
        flags_.wants("rebuild"))
      set_the_stage();
    if (flags_.kafka && (flags_.wants("on") || flags_.wants("rebuild"))) measure_on();
    if (flags_.wants("off") || flags_.wants("mix") || flags_.wants("replay")) measure_off();
    if (flags_.wants("sandbox")) measure_sandbox();
    if (flags_.wants("orders")) measure_orders();
    if (flags_.wants("follows")) measure_follows();
    if (flags_.wants("lessons")) measure_lessons();
    if (flags_.wants("celebrity")) measure_celebrities();
    if (!flags_.kafka && (flags_.wants("on") || flags_.wants("rebuild"))) measure_on();
    if (flags_.wants("take-over")) measure_take_over();
    measure_peers();
    report_.add("total_seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    return report_;
  }

 private:
  std::filesystem::path platform_file(const std::string& processor) const {
    const auto path = work_.path() / ("tutoring-" + processor + ".toml");
    std::ofstream(path) << "name = \"tutoring\"\n\n[payments]\nprocessor = \"" << processor << "\"\n";
    return path;
  }

  void describe() {
    const Machine machine = describe_machine();
    const Histogram sync = measure_sync(work_.path());
    say("%u cores, load %.2f; a sync takes %.2f ms", machine.cores, machine.load_average,
        static_cast<double>(sync.percentile_us(0.5)) / 1000);
    std::string version = run_program({installation_.program.string(), "--version"}, {}, installation_.output);
    while (version.ends_with('\n')) version.pop_back();
    conditions_.add("date", utc_now())
        .add("flags", flags_.given.empty() ? "" : flags_.given.substr(1))
        .add("version", version)
        .add("cores", machine.cores)
        .add("processor", machine.processor)
        .add("memory_mb", machine.memory_bytes >> 20)
        .add("kernel", machine.kernel)
        .add("load_average_before", machine.load_average)
        .add("disk_sync_ms", latencies(sync))
        .add("log", flags_.kafka ? "kafka, one broker, exactly-once, compression " + flags_.compression : "embedded")
        .add("shards", flags_.shards)
        .add("http_threads", flags_.http_threads)
        .add("seconds", flags_.seconds)
        .add("warmup", flags_.warmup)
        .add("repeats", flags_.repeats)
        .add("loop", "closed, keep-alive, generator, server and PostgreSQL on this machine")
        .add("unit",
             "201 for a session with a price, payment pending, processor off; durable before the answer; one service key");
    if (flags_.kafka) conditions_.add("durable", "in the page cache of the one broker: it survives kill -9, not power loss");
  }

  void start_broker() {
    say("starting Kafka");
    broker_.emplace(kafka_script(), work_.path() / "kafka", work_.path() / "kafka.log");
    installation_.log = log_flags(main_topics);
    installation_.serve = {"--kafka-compression", flags_.compression};
  }
  static std::filesystem::path kafka_script() { return std::filesystem::path(GUILDHALL_SOURCE_DIR) / "script" / "kafka"; }
  std::vector<std::string> log_flags(const char* topics) const {
    return {"--log", "kafka", "--brokers", broker_->bootstrap(), "--kafka-topics", topics};
  }
  double broker_cpu_seconds() const { return broker_ ? broker_->usage().cpu_seconds : 0; }

  void set_the_stage() {
    say("setting the stage: %zu experts, %zu learners", flags_.stage.experts, flags_.stage.learners);
    {
      Server server(installation_, stage_folder(), platform_file("off"), {});
      stage_ = set_stage(server, flags_.stage);
      server.stop();
    }
    read_slots(installation_, stage_folder(), flags_.stage, stage_);
    say("  %llu commands in %.1f s, %zu seats", static_cast<unsigned long long>(stage_.commands), stage_.seconds,
        stage_.slots.size());
    if (stage_.slots.empty()) throw std::runtime_error("the stage has no slots");
    report_.add("stage", JsonObject()
                             .add("experts", flags_.stage.experts)
                             .add("learners", flags_.stage.learners)
                             .add("seats", stage_.slots.size())
                             .add("commands", stage_.commands)
                             .add("seconds", stage_.seconds)
                             .add("log_bytes", log_bytes(stage_folder())));
  }

  std::filesystem::path stage_folder() const { return work_.path() / "stage"; }
  std::filesystem::path run_folder() const { return flags_.kafka ? stage_folder() : work_.path() / "run"; }
  std::uint64_t log_bytes(const std::filesystem::path& data) const {
    return broker_ ? broker_->stored_bytes(std::string(main_topics) + ".events-")
                   : written_bytes(data / "platforms" / "tutoring" / "log");
  }
  static std::filesystem::path state_folder(const std::filesystem::path& data) {
    return data / "platforms" / "tutoring" / "state";
  }

  // A fresh copy of the stage: all seats free. On Kafka the stage itself, whose seats go from series to series.
  std::filesystem::path fresh_copy() {
    if (flags_.kafka) return stage_folder();
    std::filesystem::remove_all(run_folder());
    std::filesystem::copy(stage_folder(), run_folder(), std::filesystem::copy_options::recursive);
    ::sync();
    sold_ = 0;
    return run_folder();
  }

  Figure measure(const std::string& series, const Server& server, std::size_t connections, double refused, LagWatch* lag) {
    BookingSource source(server, stage_, sold_, refused, ++loads_);
    return measure(series, server, connections, source, lag);
  }

  Figure measure(const std::string& series, const Server& server, std::size_t connections, RequestSource& source, LagWatch* lag) {
    LoadOptions load;
    load.port = server.port();
    load.connections = connections;
    load.warmup = std::chrono::seconds(flags_.warmup);
    load.measured = std::chrono::seconds(flags_.seconds);
    if (lag != nullptr) load.hold_back = lag->hold();
    double server_cpu = 0, broker_cpu = 0, own_cpu = 0, all_cpu = 0, stolen_cpu = 0;
    ProcessUsage after;
    load.on_begin = [&] {
      server_cpu = -server.usage().cpu_seconds;
      broker_cpu = -broker_cpu_seconds();
      own_cpu = -own_cpu_seconds();
      const MachineCpu machine = machine_cpu();
      all_cpu = -machine.busy;
      stolen_cpu = -machine.stolen;
    };
    load.on_end = [&] {
      after = server.usage();
      server_cpu += after.cpu_seconds;
      broker_cpu += broker_cpu_seconds();
      own_cpu += own_cpu_seconds();
      const MachineCpu machine = machine_cpu();
      all_cpu += machine.busy;
      stolen_cpu += machine.stolen;
    };
    const LoadResult r = run_load(load, source);
    if (r.seconds == 0) throw std::runtime_error("all seats were sold before the measurement began: give more --experts");
    const double answers = static_cast<double>(std::max<std::uint64_t>(r.accepted.count() + r.refused.count(), 1));
    // PostgreSQL where it is on, the kernel's own work, and whoever else used the machine.
    const double other_cores = std::max(0.0, all_cpu - server_cpu - broker_cpu - own_cpu) / r.seconds;
    Figure out{r.accepted_per_s(), {}};
    out.json.add("connections", connections)
        .add("accepted_per_s", r.accepted_per_s())
        .add("refused_per_s", r.refused_per_s())
        .add("accepted_ms", latencies(r.accepted));
    if (r.refused.count() > 0) out.json.add("refused_ms", latencies(r.refused));
    out.json.add("unavailable", r.unavailable)
        .add("other", r.other)
        .add("broken_connections", r.broken_connections)
        .add("seconds", r.seconds)
        .add("server_cores", server_cpu / r.seconds)
        .add("other_cores", other_cores)
        // What a virtual machine wanted and did not get: figures with more than a trace of it say nothing.
        .add("stolen_cores", stolen_cpu / r.seconds)
        .add("server_cpu_us_per_command", server_cpu * 1e6 / answers)
        .add("generator_cpu_us_per_request", own_cpu * 1e6 / answers)
        .add("rss_mb", after.resident_bytes >> 20);
    if (broker_)
      out.json.add("broker_cores", broker_cpu / r.seconds).add("broker_cpu_us_per_command", broker_cpu * 1e6 / answers);
    if (r.source_ended) out.json.add("sold_out", true);
    if (!r.first_other.empty()) out.json.add("first_unexpected", r.first_other);
    say("  %s, %zu connections: %.0f accepted/s (p50 %.2f, p99 %.2f ms), %.0f refused/s, server %.2f cores, broker %.2f, others "
        "%.2f, "
        "stolen %.2f%s",
        series.c_str(), connections, r.accepted_per_s(), static_cast<double>(r.accepted.percentile_us(0.5)) / 1000,
        static_cast<double>(r.accepted.percentile_us(0.99)) / 1000, r.refused_per_s(), server_cpu / r.seconds,
        broker_cpu / r.seconds, other_cores, stolen_cpu / r.seconds, r.source_ended ? " -- SOLD OUT, give more --experts" : "");
    if (!r.first_other.empty()) say("    unexpected: %s", r.first_other.c_str());
    if (lag != nullptr) {
      const double drained = lag->drain();
      out.json.add("lag_events_max", lag->largest())
          .add("held_back_share", r.held_back_seconds / r.seconds)
          .add("drain_seconds", drained);
      say("    lag at most %.0f events, held back %.0f%% of the time, drained in %.2f s", lag->largest(),
          100 * r.held_back_seconds / r.seconds, drained);
    }
    return out;
  }

  // The run whose rate is the middle one, with the rates of all.
  static JsonObject median(std::vector<Figure> runs) {
    std::vector<double> rates;
    for (const Figure& f : runs) rates.push_back(std::round(f.accepted_per_s));
    std::ranges::sort(runs, {}, &Figure::accepted_per_s);
    JsonObject out = runs[runs.size() / 2].json;
    if (runs.size() > 1) out.add("accepted_per_s_of_all", rates);
    return out;
  }
  static double median_rate(const std::vector<Figure>& runs) {
    std::vector<double> rates;
    for (const Figure& f : runs) rates.push_back(f.accepted_per_s);
    std::ranges::sort(rates);
    return rates[rates.size() / 2];
  }

  using Series = std::vector<std::vector<Figure>>;  // For each number of connections, its runs.
  std::vector<JsonObject> medians(const Series& series) const {
    std::vector<JsonObject> out;
    for (const auto& runs : series) out.push_back(median(runs));
    return out;
  }

  void measure_off() {
    Series off(flags_.connections.size());
    std::vector<Figure> mix;
    JsonObject disk;
    say("projections off");
    for (int repeat = 0; repeat < flags_.repeats; ++repeat) {
      const auto data = fresh_copy();
      const std::size_t sold_before = sold_;
      const auto log_before = log_bytes(data), state_before = written_bytes(state_folder(data));
      std::uint64_t peak = 0;
      {
        Server server(installation_, data, platform_file("off"), {});
        if (flags_.wants("off") || flags_.wants("replay"))
          for (std::size_t i = 0; i < flags_.connections.size(); ++i)
            off[i].push_back(measure("off", server, flags_.connections[i], 0, nullptr));
        if (flags_.wants("mix")) mix.push_back(measure("mix", server, headline_, flags_.refused, nullptr));
        peak = server.usage().peak_resident_bytes;
        server.stop();
      }
      const double sold = static_cast<double>(std::max<std::size_t>(sold_ - sold_before, 1));
      const auto grown = [](std::uint64_t after, std::uint64_t before) {
        return static_cast<double>(after) - static_cast<double>(before);
      };
      disk = JsonObject()
                 .add("bookings", sold_ - sold_before)
                 .add("log_bytes_per_booking", grown(log_bytes(data), log_before) / sold)
                 .add("state_bytes_per_booking", grown(written_bytes(state_folder(data)), state_before) / sold)
                 .add("peak_rss_mb", peak >> 20);
    }
    if (!off.front().empty()) {
      report_.add("projections_off", medians(off));
      for (std::size_t i = 0; i < off.size(); ++i) rates_off_.emplace_back(flags_.connections[i], median_rate(off[i]));
    }
    if (!mix.empty()) report_.add("mix", median(mix).add("refused_share_sent", flags_.refused));
    report_.add("disk", disk);
    if (flags_.wants("replay")) {
      const std::string replay = run_guildhall(installation_, run_folder(), {"state", "rebuild", "--json"});
      say("  replay into state: %.0f records/s", number_member(replay, "records_per_second"));
      report_.add("replay", JsonObject()
                                .add("records", number_member(replay, "records"))
                                .add("seconds", number_member(replay, "seconds"))
                                .add("records_per_s", number_member(replay, "records_per_second")));
    }
  }

  void measure_sandbox() {
    say("with the sandbox payment processor");
    std::vector<Figure> runs;
    for (int repeat = 0; repeat < flags_.repeats; ++repeat) {
      Server server(installation_, fresh_copy(), platform_file("sandbox"), {});
      runs.push_back(measure("sandbox", server, headline_, 0, nullptr));
      runs.back().json.add("effects_pending_after", server.metric("guildhall_effects_pending"));
      server.stop();
    }
    report_.add("sandbox_authorization", median(runs));
  }

  // Another platform's server on a folder of its own.
  Server serve(const std::string& platform, const std::filesystem::path& policy, const std::string& folder) const {
    Installation other = installation_;
    other.serve.insert(other.serve.end(), {"--platform", platform});
    return {other, work_.path() / folder, policy, {}};
  }
  static std::filesystem::path policy_of(const std::string& platform) {
    return std::filesystem::path(GUILDHALL_SOURCE_DIR) / "platforms" / (platform + ".toml");
  }

  // Orders, with and without a price: one folder, so that both meet the same log.
  void measure_orders() {
    say("orders of the music marketplace");
    const auto policy = write_shop_policy(policy_of("producers_avenue"), work_.path());
    Server server = serve("producers_avenue", policy, "shop");
    const OrderStage stage = set_order_stage(server, order_sellers, order_buyers);
    constexpr double steps_paid = 5, steps_free = 4;
    std::vector<Figure> paid, free;
    for (int repeat = 0; repeat < flags_.repeats; ++repeat) {
      const auto flow = [&](const char* series, bool with_price, double steps) {
        OrderFlows flows(server, stage, with_price, ++loads_);
        Figure out = measure(series, server, headline_, flows, nullptr);
        out.json.add("flows_per_s", out.accepted_per_s / steps);
        say("    %.0f flows/s", out.accepted_per_s / steps);
        return out;
      };
      paid.push_back(flow("orders", true, steps_paid));
      free.push_back(flow("free orders", false, steps_free));
    }
    server.stop();
    report_.add("orders", median(paid)).add("free_orders", median(free));
  }

  // Commands of one kind on one server, one run after the other.
  void measure_flow(const std::string& series, Server& server, RequestSource& source, std::string_view rate) {
    std::vector<Figure> runs;
    for (int repeat = 0; repeat < flags_.repeats; ++repeat)
      runs.push_back(measure(series, server, headline_, source, nullptr));
    server.stop();
    report_.add(series, median(runs).add(rate, median_rate(runs)));
  }

  void measure_follows() {
    say("follows");
    Server server = serve("producers_avenue", policy_of("producers_avenue"), "follows");
    const std::vector<std::string> members = set_members(server, follow_members);
    FollowFlow flow(server, members, members);
    measure_flow("follows", server, flow, "follows_per_s");
  }

  void measure_lessons() {
    say("lessons: each is an XP event");
    Server server = serve("dracarys", policy_of("dracarys"), "lessons");
    const auto seconds = static_cast<std::size_t>(flags_.repeats * (flags_.warmup + flags_.seconds));
    const std::size_t lessons = std::min(most_lessons, seconds * most_lessons_per_s / lesson_learners + 1);
    const LessonStage stage = set_lesson_stage(server, lessons, lesson_learners);
    LessonFlow flow(server, stage);
    measure_flow("lessons", server, flow, "xp_events_per_s");
  }

  void measure_celebrities() {
    say("an account that everybody follows");
    Server server = serve("producers_avenue", policy_of("producers_avenue"), "celebrity");
    report_.add("celebrity", measure_celebrity(server, flags_.shards,
                                               {.warmup_s = flags_.warmup, .seconds = flags_.seconds}));
    server.stop();
  }

  void measure_on() {
    say("projections on");
    database_->create("guildhall_stage");
    {
      // The stage's own rows, once; on the stage itself, because every start of a server leaves a record that rows are told of.
      const auto began = std::chrono::steady_clock::now();
      Server server(installation_, stage_folder(), platform_file("off"), database_->url("guildhall_stage"));
      LagWatch(server, flags_.lag_bound).drain();
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
      const double records = server.metric("guildhall_log_end_sequence");
      server.stop();
      say("  the stage's rows took %.1f s, %.0f records/s", seconds, records / seconds);
      report_.add("stage_projected",
                  JsonObject().add("records", records).add("seconds", seconds).add("records_per_s", records / seconds));
    }
    // On Kafka one figure: the seats are to last.
    const std::vector<std::size_t> connections = flags_.kafka ? std::vector{headline_} : flags_.connections;
    Series on(connections.size());
    const std::string name = "guildhall_run";
    double row_bytes = 0;
    for (int repeat = 0; repeat < flags_.repeats; ++repeat) {
      database_->create(name, "guildhall_stage");
      const auto before = database_->bytes_of(name);
      Server server(installation_, fresh_copy(), platform_file("off"), database_->url(name));
      LagWatch(server, flags_.lag_bound).drain();  // It looks far behind until the runner has read where it stands.
      if (flags_.wants("on"))
        for (std::size_t i = 0; i < connections.size(); ++i) {
          LagWatch lag(server, flags_.lag_bound);
          on[i].push_back(measure("on", server, connections[i], 0, &lag));
        }
      server.stop();
      row_bytes = (static_cast<double>(database_->bytes_of(name)) - static_cast<double>(before)) /
                  static_cast<double>(std::max<std::size_t>(sold_, 1));
    }
    if (!on.front().empty()) {
      report_.add("projections_on", medians(on))
          .add("lag_bound_events", flags_.lag_bound)
          .add("postgres_bytes_per_booking", row_bytes);
      for (std::size_t i = 0; i < on.size(); ++i) rates_on_.emplace_back(connections[i], median_rate(on[i]));
    }
    if (flags_.wants("rebuild")) {
      const std::string rebuilt =
          run_guildhall(installation_, run_folder(), {"projection", "rebuild", "--json"}, database_->url(name));
      say("  projection rebuild: %.0f records/s", number_member(rebuilt, "records_per_second"));
      report_.add("projection_rebuild", JsonObject()
                                            .add("records", number_member(rebuilt, "records"))
                                            .add("seconds", number_member(rebuilt, "seconds"))
                                            .add("records_per_s", number_member(rebuilt, "records_per_second")));
    }
    database_->drop(name);
    database_->drop("guildhall_stage");
  }

  void measure_take_over() {
    say("take-over");
    TakeOverOptions options{installation_, work_.path() / "take_over", platform_file("off"), flags_.stage, flags_.take_over};
    options.installation.log = log_flags("moved");
    report_.add("take_over", measure_take_overs(options));
  }

  void measure_peers() {
    if (flags_.peers == PeerSet::none) return;
    PeerOptions options;
    options.folder = flags_.peers_folder;
    options.work = work_.path();
    options.set = flags_.peers;
    options.warmup_s = flags_.warmup;
    options.seconds = flags_.seconds;
    options.repeats = flags_.repeats;
    options.kafka_script = kafka_script();
    if (flags_.kafka) options.clients = "64 512";
    if (broker_) options.bootstrap = broker_->bootstrap();
    const PeerReport peers = run_peers(options, database_ ? &*database_ : nullptr);
    std::vector<JsonObject> figures, ratios;
    for (const PeerFigure& f : peers.figures) {
      figures.push_back(JsonObject()
                            .add("peer", f.peer)
                            .add("clients", f.clients)
                            .add("accepted_per_s", f.accepted_per_s)
                            .add("refused_per_s", f.refused_per_s)
                            .add("p50_ms", f.p50_ms)
                            .add("p99_ms", f.p99_ms));
      JsonObject ratio;
      ratio.add("peer", f.peer).add("clients", f.clients);
      for (const auto& [name, rates] : {std::pair{"off", &rates_off_}, std::pair{"on", &rates_on_}})
        for (const auto& [connections, rate] : *rates)
          if (connections == static_cast<std::size_t>(f.clients) && f.accepted_per_s > 0)
            ratio.add(name, rate / f.accepted_per_s);
      ratios.push_back(std::move(ratio));
    }
    report_.add("peers", figures).add("ours_over_peer", ratios);
    if (!peers.missing.empty()) {
      std::string missing;
      for (const std::string& one : peers.missing) missing += (missing.empty() ? "" : "; ") + one;
      report_.add("peers_missing", missing);
    }
  }

  Flags flags_;
  WorkFolder work_;
  Installation installation_;
  std::size_t headline_ = 0;
  std::optional<Database> database_;
  std::optional<Broker> broker_;
  JsonObject conditions_, report_;
  Stage stage_;
  std::size_t sold_ = 0;     // Of the copy in use.
  std::uint64_t loads_ = 0;  // So that no two use the same keys.
  std::vector<std::pair<std::size_t, double>> rates_off_, rates_on_;
};

}  // namespace
}  // namespace guildhall

int main(int argc, char** argv) {
  using namespace guildhall;
  if (argc > 1 && (std::string_view(argv[1]) == "--help" || std::string_view(argv[1]) == "-h")) {
    std::fputs(usage.data(), stdout);
    return 0;
  }
  try {
    const Flags flags = read_flags({argv, static_cast<std::size_t>(argc)});
    const auto out = flags.out;
    const std::string json = Bench(flags).run().text() + "\n";
    std::fputs(json.c_str(), stdout);
    if (!out.empty() && !(std::ofstream(out) << json).flush()) throw std::runtime_error("cannot write " + out.string());
    return 0;
  } catch (const UsageError& e) {
    say("%s", e.what());
    std::fputs(usage.data(), stderr);
    return 2;
  } catch (const std::exception& e) {
    say("%s", e.what());
    return 1;
  }
}
