// guildhall_board_bench: the leaderboards among a million learners while XP arrives, beside PostgreSQL's window function and a
// Redis sorted set in the same run (docs/performance.md reads the figures). Progress goes to stderr, one JSON object to stdout.
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <stdexcept>

#include "bench/conditions.h"
#include "bench/database.h"
#include "bench/json_object.h"
#include "bench/load_generator.h"
#include "bench/redis.h"
#include "bench/xp_stage.h"
#include "gateway/http_server.h"
#include "gateway/leaderboards.h"
#include "gateway/preferences.h"
#include "infra/pause.h"
#include "infra/postgres_row_store.h"
#include "infra/snapshot_file.h"
#include "projectors/dracarys.h"
#include "projectors/runner.h"
#include "projectors/xp_gains.h"

namespace guildhall {
namespace {

using namespace std::chrono_literals;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::string_view usage =
    "guildhall_board_bench: leaderboards while XP arrives; prints one JSON object.\n"
    "\n"
    "  --learners N      with XP [1000000]\n"
    "  --seconds N       measured, for each figure [20]\n"
    "  --xp N            XP events a second while the read models are off [5000]\n"
    "  --xp-projected N  while they are on [1000]\n"
    "  --shards N        of the log [4]\n"
    "  --phases LIST     of structure, handler, http, projected, postgres, redis [all]\n"
    "  --postgres URL    a superuser's; else a private cluster is started\n"
    "  --folder DIR      where the data goes, on a real disk [$TMPDIR or /tmp]\n"
    "  --out FILE        write the JSON there too\n";

constexpr std::size_t top_rows = 100, neighbours = 5;
constexpr std::size_t structure_changes = 200'000;
constexpr std::size_t generated_a_flush = 1'000;  // Of commands to Redis.
constexpr int window_queries = 5, point_queries = 200;
constexpr std::chrono::milliseconds lag_pause{20};
constexpr std::chrono::minutes catch_up_patience{60};

struct Flags {
  std::size_t learners = 1'000'000;
  std::size_t seconds = 20;
  std::size_t xp = 5'000;
  std::size_t xp_projected = 1'000;
  std::uint32_t shards = 4;
  std::set<std::string, std::less<>> phases{"structure", "handler", "http", "projected", "postgres", "redis"};
  std::string postgres;
  std::filesystem::path folder = std::filesystem::temp_directory_path();
  std::filesystem::path out;
};

template <class Number>
Number number_of(std::string_view text, std::string_view flag, Number least, Number most) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || out < least || out > most)
    throw std::invalid_argument(std::string(flag) + " " + std::string(text) + " is not a number in its range");
  return out;
}

Flags read_flags(std::span<char*> arguments) {
  Flags f;
  for (std::size_t i = 1; i < arguments.size(); i += 2) {
    const std::string_view flag = arguments[i];
    if (i + 1 == arguments.size()) throw std::invalid_argument(std::string(flag) + " needs a value");
    const std::string_view value = arguments[i + 1];
    if (flag == "--learners") f.learners = number_of<std::size_t>(value, flag, 1'000, 100'000'000);
    else if (flag == "--seconds") f.seconds = number_of<std::size_t>(value, flag, 1, 3'600);
    else if (flag == "--xp") f.xp = number_of<std::size_t>(value, flag, 0, 1'000'000);
    else if (flag == "--xp-projected") f.xp_projected = number_of<std::size_t>(value, flag, 0, 1'000'000);
    else if (flag == "--shards") f.shards = number_of<std::uint32_t>(value, flag, 1, 256);
    else if (flag == "--postgres") f.postgres = value;
    else if (flag == "--folder") f.folder = value;
    else if (flag == "--out") f.out = value;
    else if (flag == "--phases") {
      const auto known = Flags{}.phases;
      f.phases.clear();
      for (std::string_view rest = value; !rest.empty();) {
        const std::string one(rest.substr(0, rest.find(',')));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        if (!known.contains(one)) throw std::invalid_argument("there is no phase " + one);
        f.phases.insert(one);
      }
    } else {
      throw std::invalid_argument("there is no flag " + std::string(flag));
    }
  }
  return f;
}

double seconds_since(SteadyTime began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

std::uint64_t timed_us(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began).count());
}

JsonObject latencies(const Histogram& h) {
  const auto ms = [](std::uint64_t us) { return static_cast<double>(us) / 1000; };
  return JsonObject()
      .add("count", h.count())
      .add("p50_ms", ms(h.percentile_us(0.5)))
      .add("p99_ms", ms(h.percentile_us(0.99)))
      .add("p999_ms", ms(h.percentile_us(0.999)))
      .add("max_ms", ms(h.largest_us()));
}

void say_latency(const char* what, const Histogram& h) {
  std::fprintf(stderr, "bench:   %s: p50 %.3f, p99 %.3f, p99.9 %.3f ms (%llu)\n", what,
               static_cast<double>(h.percentile_us(0.5)) / 1000, static_cast<double>(h.percentile_us(0.99)) / 1000,
               static_cast<double>(h.percentile_us(0.999)) / 1000, static_cast<unsigned long long>(h.count()));
}

// ---- the structure by itself: the cost of a change must not grow with the board (LB-3)

// Of this thread: what else runs on the machine costs time, but less of this.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

JsonObject measure_structure(std::size_t learners) {
  std::mt19937_64 random(3);
  Learners people;
  Ranking ranking(people);
  const auto score = [&] { return BoardScore{static_cast<std::int64_t>(random() % 2'000 + 1) * 10, 1, 1, 1}; };
  for (std::size_t n = 0; n < learners; ++n) {
    BoardScore s = score();
    s.reached_at = static_cast<Micros>(n);
    ranking.set(people.find_or_add(Uuid(random(), random())), s);
  }
  const auto each_ns = [&](const std::function<void(LearnerNo)>& work) {
    const double began = cpu_seconds();
    for (std::size_t i = 0; i < structure_changes; ++i) work(static_cast<LearnerNo>(random() % learners));
    return (cpu_seconds() - began) * 1e9 / structure_changes;
  };
  Micros now = static_cast<Micros>(learners);
  const double change = each_ns([&](LearnerNo learner) {
    BoardScore s = *ranking.find(learner);
    s.xp += 10;
    s.reached_at = ++now;
    ranking.set(learner, s);
  });
  std::size_t sum = 0;
  const double rank = each_ns([&](LearnerNo learner) { sum += ranking.higher_than(ranking.find(learner)->xp); });
  const double around = each_ns([&](LearnerNo learner) {
    const std::size_t place = ranking.place_of(learner);
    sum += ranking.slice(place - std::min(place, neighbours), 2 * neighbours + 1).size();
  });
  const double top = each_ns([&](LearnerNo) { sum += ranking.slice(0, top_rows).size(); });
  const double bytes = static_cast<double>(ranking.memory_bytes() + people.memory_bytes()) / static_cast<double>(learners);
  std::fprintf(stderr,
               "bench:   %zu learners: a change %.0f ns, rank %.0f, neighbours %.0f, top 100 %.0f ns; %.0f bytes each%s\n",
               learners, change, rank, around, top, bytes, sum == 0 ? " " : "");
  return JsonObject()
      .add("learners", learners)
      .add("change_ns", change)
      .add("rank_ns", rank)
      .add("neighbours_ns", around)
      .add("top_ns", top)
      .add("bytes_per_learner", bytes);
}

// ---- what is asked

enum class Ask : std::uint8_t { rank, neighbours, top };
constexpr std::array asks{Ask::rank, Ask::neighbours, Ask::top};
const char* name_of(Ask ask) {
  switch (ask) {
    case Ask::rank: return "rank_and_percentile";
    case Ask::neighbours: return "neighbours";
    case Ask::top: return "top_100";
  }
  return "";
}
std::string query_of(Ask ask) {
  switch (ask) {
    case Ask::rank: return "around=me&neighbours=0";
    case Ask::neighbours: return "around=me&neighbours=" + std::to_string(neighbours);
    case Ask::top: return "limit=" + std::to_string(top_rows);
  }
  return "";
}

Claims claims_of(const Uuid& learner) {
  Claims out;
  out.role = TokenRole::authenticated;
  out.sub = learner;
  return out;
}

class Bench {
 public:
  explicit Bench(Flags flags) : flags_(std::move(flags)) {
    std::string pattern = std::filesystem::absolute(flags_.folder) / "guildhall_boards_XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder in " + flags_.folder.string());
    work_ = pattern;
    std::filesystem::permissions(work_, std::filesystem::perms::others_exec | std::filesystem::perms::group_exec,
                                 std::filesystem::perm_options::add);
    ::setenv("TMPDIR", work_.c_str(), 1);
  }
  ~Bench() {
    database_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(work_, ignored);
  }

  JsonObject run() {
    const Machine machine = describe_machine();
    report_.add("conditions", JsonObject()
                                  .add("date", utc_now())
                                  .add("cores", machine.cores)
                                  .add("processor", machine.processor)
                                  .add("load_average_before", machine.load_average)
                                  .add("learners", flags_.learners)
                                  .add("xp_per_s", flags_.xp)
                                  .add("seconds", flags_.seconds)
                                  .add("shards", flags_.shards));
    if (wants("structure")) {
      std::fprintf(stderr, "bench: the structure\n");
      std::vector<JsonObject> sizes;
      for (const std::size_t learners : {std::size_t{10'000}, std::size_t{100'000}, std::size_t{1'000'000}})
        sizes.push_back(measure_structure(learners));
      report_.add("structure", sizes);
    }
    if (wants("handler") || wants("http") || wants("projected")) measure_boards();
    if (wants("postgres")) measure_postgres();
    if (wants("redis")) measure_redis();
    return report_;
  }

 private:
  bool wants(std::string_view phase) const { return flags_.phases.contains(phase); }

  Database& database() {
    if (!database_) database_.emplace(flags_.postgres, work_ / "postgres.log");
    return *database_;
  }

  // Asks in turns until the time is over; `ask` is timed.
  JsonObject measure(const std::function<void(Ask, std::size_t learner)>& ask) {
    std::mt19937_64 random(4);
    std::array<Histogram, asks.size()> times;
    const auto began = std::chrono::steady_clock::now();
    for (std::size_t i = 0; seconds_since(began) < static_cast<double>(flags_.seconds); ++i) {
      const Ask what = asks[i % asks.size()];
      const std::size_t learner = random() % flags_.learners;
      times[i % asks.size()].record(timed_us([&] { ask(what, learner); }));
    }
    JsonObject out;
    for (const Ask what : asks) {
      say_latency(name_of(what), times[std::to_underlying(what)]);
      out.add(name_of(what), latencies(times[std::to_underlying(what)]));
    }
    return out;
  }

  void measure_boards() {
    std::fprintf(stderr, "bench: a log of %zu learners\n", flags_.learners);
    const NoonClock clock;
    auto began = std::chrono::steady_clock::now();
    XpStage stage(work_ / "log", flags_.learners, flags_.shards, clock);
    std::fprintf(stderr, "bench:   written in %.1f s\n", seconds_since(began));

    SnapshotFile snapshots(work_ / "leaderboards");
    auto boards = std::make_unique<BoardFollower>(stage.log(), clock, xp_gain, &snapshots, pause_for);
    began = std::chrono::steady_clock::now();
    while (boards->step()) {
    }
    const double built = seconds_since(began);
    began = std::chrono::steady_clock::now();
    boards->save();
    const double saved = seconds_since(began);
    boards = std::make_unique<BoardFollower>(stage.log(), clock, xp_gain, &snapshots, pause_for);
    began = std::chrono::steady_clock::now();
    while (boards->step()) {
    }
    const double restored = seconds_since(began);
    const double bytes = static_cast<double>(boards->memory_bytes()) / static_cast<double>(flags_.learners);
    std::fprintf(stderr,
                 "bench:   boards from the log in %.1f s, saved in %.1f s, from the snapshot in %.1f s%s; %.0f bytes a learner\n",
                 built, saved, restored, boards->from_snapshot() ? "" : " (NOT taken)", bytes);
    report_.add("boards", JsonObject()
                              .add("records", stage.records())
                              .add("seconds_from_log", built)
                              .add("seconds_to_save", saved)
                              .add("snapshot_bytes", std::filesystem::file_size(work_ / "leaderboards"))
                              .add("seconds_from_snapshot", restored)
                              .add("bytes_per_learner_four_boards", bytes));

    std::jthread following([&](std::stop_token stop) { boards->run(stop); });
    std::optional<Runner> runner;
    stage.log().on_durable([&](ShardNo, Sequence) {
      boards->notify();
      if (runner) runner->notify();
    });
    const ConsistencyTokens tokens("the key of consistency tokens", stage.log().identity().log_id);
    LeaderboardReads reads({clock, stage.log().identity(), tokens, *boards, nullptr});
    const auto ask = [&](Ask what, std::size_t learner) {
      Request request;
      request.path = std::string(leaderboards_path) + "weekly";
      request.query = query_of(what);
      reads.handle(request, claims_of(stage.learner(learner)), [](Response r) {
        if (r.status != 200) throw std::runtime_error("the board answers " + r.body);
      });
    };
    const auto lag = [&] {
      std::uint64_t out = 0;
      const auto positions = boards->positions();
      for (ShardNo shard = 0; shard < positions.size(); ++shard)
        out += stage.log().durable_end(shard).sequence - positions[shard];
      return out;
    };
    // While XP arrives at this rate: how it came, and how far behind it the board was at most.
    const auto under_flow = [&](std::size_t xp, const std::function<JsonObject()>& work) {
      XpFlow flow(stage, xp);
      std::uint64_t largest = 0;
      std::jthread watch([&](std::stop_token stop) {
        while (!stop.stop_requested()) {
          largest = std::max(largest, lag());
          std::this_thread::sleep_for(lag_pause);
        }
      });
      JsonObject out = work();
      const double came = flow.per_second();
      watch.request_stop();
      watch.join();
      std::fprintf(stderr, "bench:   %.0f XP events/s reached it, at most %llu behind\n", came,
                   static_cast<unsigned long long>(largest));
      return out.add("xp_per_s", came).add("lag_events_max", largest);
    };

    if (wants("handler")) {
      std::fprintf(stderr, "bench: at the handler\n");
      report_.add("handler", under_flow(flags_.xp, [&] { return measure(ask); }));
    }
    if (wants("http")) {
      std::fprintf(stderr, "bench: over HTTP\n");
      report_.add("http", under_flow(flags_.xp, [&] { return measure_http(clock, stage, reads); }));
    }
    if (wants("projected")) {
      std::fprintf(stderr, "bench: with the read models kept up\n");
      database().create("guildhall_boards");
      const std::string url = database().url("guildhall_boards");
      PostgresRowStore rows(url, dracarys_projection(), dracarys_sql());
      rows.prepare(stage.log().identity());
      std::vector<ShardNo> all;
      for (ShardNo shard = 0; shard < flags_.shards; ++shard) all.push_back(shard);
      runner.emplace(stage.log(), rows, dracarys_projection(), all, pause_for);
      began = std::chrono::steady_clock::now();
      std::jthread projecting([&](std::stop_token stop) { runner->run(stop); });
      const auto behind = [&] {
        std::uint64_t out = 0;
        for (const ShardProgress& p : runner->progress()) {
          if (p.failure) throw std::runtime_error("the projection fails: " + p.failure->detail);
          out += p.durable_end - std::min(p.durable_end, p.applied);
        }
        return out;
      };
      while (behind() > 0) {
        if (std::chrono::steady_clock::now() - began > catch_up_patience) throw std::runtime_error("the rows don't catch up");
        std::this_thread::sleep_for(lag_pause);
      }
      const double projected = seconds_since(began);
      std::fprintf(stderr, "bench:   %llu records projected in %.1f s\n", static_cast<unsigned long long>(stage.records()),
                   projected);
      JsonObject figures = under_flow(flags_.xp_projected, [&] {
        JsonObject out = measure(ask);
        return out.add("rows_behind_events", behind());
      });
      report_.add("projected", figures.add("seconds_to_project", projected));
      report_.add("leaderboard_view", measure_view(stage));
      projecting.request_stop();
      projecting.join();
      stage.log().on_durable({});
      runner.reset();
    }
    stage.log().on_durable({});
  }

  JsonObject measure_http(const Clock& clock, const XpStage& stage, LeaderboardReads& reads) {
    std::mt19937_64 random(5);
    HttpServerOptions options{.clock = clock};
    options.gate.allowed_hosts = {"127.0.0.1"};
    options.trusted_addresses = {"127.0.0.1"};
    HttpServer server(std::move(options), [&](Request request, Respond respond) {
      // Whose token it would be: tokens are verified from a cache, as elsewhere.
      reads.handle(request, claims_of(stage.learner(random() % flags_.learners)), std::move(respond));
    });
    server.start();
    JsonObject out;
    for (const Ask what : asks) {
      struct Source final : RequestSource {
        std::string text;
        bool next(std::string& out) override {
          out = text;
          return true;
        }
        void answered(int, std::string_view) override {}
      } source;
      source.text = "GET " + std::string(leaderboards_path) + "weekly?" + query_of(what) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
      LoadOptions load;
      load.port = server.port();
      load.connections = 4;
      load.warmup = 500ms;
      load.measured = std::chrono::seconds(std::max<std::size_t>(1, flags_.seconds / asks.size()));
      const LoadResult r = run_load(load, source);
      if (r.other > 0 || r.refused.count() > 0) throw std::runtime_error("over HTTP: " + r.first_other);
      say_latency(name_of(what), r.accepted);
      out.add(name_of(what), latencies(r.accepted).add("per_s", r.accepted_per_s()));
    }
    server.stop(1s);
    return out;
  }

  // The relation as SQL readers meet it: one's own row, and the best hundred in the order of rank.
  JsonObject measure_view(const XpStage& stage) {
    std::mt19937_64 random(6);
    database().sql("guildhall_boards", "ANALYZE");
    const auto timed = [&](const std::function<std::string()>& query) {
      Histogram h;
      for (int i = 0; i < point_queries; ++i) h.record(execution_us(query()));
      return h;
    };
    const std::string board = " FROM dracarys.leaderboard WHERE period = 'weekly' AND period_start_date = '2026-11-09'";
    const Histogram own = timed([&] {
      return "SELECT rank, percentile" + board + " AND user_id = '" + to_string(stage.learner(random() % flags_.learners)) + "'";
    });
    const Histogram top =
        timed([&] { return "SELECT user_id, rank" + board + " ORDER BY xp_points DESC, reached_at LIMIT 100"; });
    say_latency("own rank of the view", own);
    say_latency("top 100 of the view", top);
    return JsonObject().add("own_rank", latencies(own)).add("top_100", latencies(top));
  }
  // As PostgreSQL has it, without the connection.
  std::uint64_t execution_us(const std::string& query) {
    const std::string plan = database().sql("guildhall_boards", "EXPLAIN (ANALYZE, TIMING OFF) " + query);
    constexpr std::string_view label = "Execution Time: ";
    const auto at = plan.find(label);
    if (at == std::string::npos) throw std::runtime_error("no execution time in " + plan);
    return static_cast<std::uint64_t>(std::stod(plan.substr(at + label.size())) * 1000);
  }

  void measure_postgres() {
    std::fprintf(stderr, "bench: PostgreSQL's window function\n");
    database().create("guildhall_boards");
    database().sql("guildhall_boards",
                   "CREATE TABLE board AS SELECT gen_random_uuid() AS learner_id, "
                   "(1 + floor(random() * 2000)::integer) * 10 AS xp FROM generate_series(1, " + std::to_string(flags_.learners) +
                       "); ALTER TABLE board ADD PRIMARY KEY (learner_id); CREATE INDEX ON board (xp DESC); ANALYZE board");
    Histogram window, count;
    for (int i = 0; i < window_queries; ++i)
      window.record(execution_us("SELECT rank, percent FROM (SELECT learner_id, rank() OVER (ORDER BY xp DESC), "
                                 "percent_rank() OVER (ORDER BY xp) AS percent FROM board) b "
                                 "WHERE learner_id = (SELECT learner_id FROM board OFFSET 471 LIMIT 1)"));
    for (int i = 0; i < window_queries; ++i)
      count.record(execution_us("SELECT count(*) + 1 FROM board WHERE xp > (SELECT xp FROM board OFFSET 471 LIMIT 1)"));
    say_latency("own rank by the window", window);
    say_latency("own rank by counting", count);
    report_.add("postgres", JsonObject().add("window", latencies(window)).add("count", latencies(count)));
  }

  void measure_redis() {
    std::fprintf(stderr, "bench: a Redis sorted set\n");
    const RedisServer server(work_);
    RedisClient client(server.socket());
    std::mt19937_64 random(7);
    std::vector<std::string> learners;
    const auto used = [&] {
      const std::string info = client.ask({"INFO", "memory"});
      return std::stod(info.substr(info.find("used_memory:") + std::string_view("used_memory:").size()));
    };
    const double before = used();
    for (std::size_t n = 0; n < flags_.learners; ++n) {
      learners.push_back(to_string(Uuid(random(), random())));
      client.queue({"ZADD", "board", std::to_string((1 + random() % 2'000) * 10), learners.back()});
      if (n % generated_a_flush == 0) client.flush();
    }
    client.flush();
    const double bytes = (used() - before) / static_cast<double>(flags_.learners);
    std::atomic<std::uint64_t> came{0};
    const auto began = std::chrono::steady_clock::now();
    std::jthread flow([&](std::stop_token stop) {
      RedisClient writer(server.socket());
      std::mt19937_64 chance(8);
      while (!stop.stop_requested()) {
        const auto due = static_cast<std::uint64_t>(seconds_since(began) * static_cast<double>(flags_.xp));
        for (; came < due; ++came) writer.queue({"ZINCRBY", "board", "10", learners[chance() % learners.size()]});
        writer.flush();
        std::this_thread::sleep_for(2ms);
      }
    });
    JsonObject out = measure([&](Ask what, std::size_t learner) {
      switch (what) {
        case Ask::rank: client.ask({"ZREVRANK", "board", learners[learner]}); break;
        case Ask::neighbours: {
          const auto place = std::stoull(client.ask({"ZREVRANK", "board", learners[learner]}).substr(1));
          const auto first = place - std::min<unsigned long long>(place, neighbours);
          client.ask({"ZREVRANGE", "board", std::to_string(first), std::to_string(place + neighbours), "WITHSCORES"});
          break;
        }
        case Ask::top: client.ask({"ZREVRANGE", "board", "0", std::to_string(top_rows - 1), "WITHSCORES"}); break;
      }
    });
    out.add("xp_per_s", static_cast<double>(came) / seconds_since(began)).add("bytes_per_learner_one_board", bytes);
    std::fprintf(stderr, "bench:   %.0f bytes a learner and board\n", bytes);
    report_.add("redis", out);
  }

  const Flags flags_;
  std::filesystem::path work_;
  std::optional<Database> database_;
  JsonObject report_;
};

}  // namespace
}  // namespace guildhall

int main(int argc, char** argv) {
  using namespace guildhall;
  if (argc > 1 && std::string_view(argv[1]) == "--help") {
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
  } catch (const std::invalid_argument& e) {
    std::fprintf(stderr, "bench: %s\n%s", e.what(), usage.data());
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench: %s\n", e.what());
    return 1;
  }
}
