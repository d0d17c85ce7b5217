#include "bench/take_over.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

#include "bench/process.h"

namespace guildhall {
namespace {

using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;

constexpr std::uint32_t shards = 2;
constexpr std::size_t fill_connections = 256;
constexpr std::size_t probe_seats = 400'000;  // Kept back for the clients that wait, of all hand-overs.
constexpr std::size_t tail_bookings = 5'000;  // Between a checkpoint and its use.
constexpr std::chrono::minutes patience{5};   // For a shard to be served by its new owner.
constexpr std::chrono::milliseconds look_pause{1};
constexpr std::chrono::milliseconds refused_pause{2};
constexpr std::chrono::milliseconds settled{500};  // The clients go on after a hand-over.
constexpr double idle_cores = 0.1;                 // A process that has caught up does no more than this.
constexpr std::chrono::milliseconds idle_window{500};

double ms_between(Instant a, Instant b) { return std::chrono::duration<double, std::milli>(b - a).count(); }

// The three digits after the version are the bucket.
std::size_t shard_of_slot(const std::string& slot) {
  constexpr std::size_t bucket_at = 15, digits = 3, buckets = 4096;
  return std::stoul(slot.substr(bucket_at, digits), nullptr, 16) * shards / buckets;
}

// Books seats of one shard, one after the other, and remembers when answers were accepted.
class Probe : public RequestSource {
 public:
  Probe(const Server& server, const Stage& seats, std::size_t& sold, std::uint64_t seed)
      : bookings_(server, seats, sold, 0, seed), last_accepted_(Clock::now()) {
    load_.port = server.port();
    thread_ = std::thread([this] {
      try {
        run_load(load_, *this);
      } catch (const std::exception& e) {
        failure_ = e.what();
      }
    });
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() override { finish(); }

  bool next(std::string& out) override {
    if (over_) return false;
    // Clients come again after a while, too.
    if (refused_) std::this_thread::sleep_for(refused_pause);
    const bool more = bookings_.next(out);
    if (!more) failure_ = "its seats are sold out: nothing is measured";
    return more;
  }
  void answered(int status, std::string_view) override {
    refused_ = status < 200 || status >= 300;
    if (refused_) {
      ++unavailable_;
      return;
    }
    const Instant now = Clock::now();
    if (now - last_accepted_.load() > longest_) {
      longest_ = now - last_accepted_.load();
      longest_end_ = now;
    }
    last_accepted_ = now;
  }

  Instant last_accepted() const { return last_accepted_; }

  void finish() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // After finish().
  const std::string& failure() const { return failure_; }
  double longest_wait_ms() const { return std::chrono::duration<double, std::milli>(longest_).count(); }
  Instant longest_wait_end() const { return longest_end_; }
  std::uint64_t unavailable() const { return unavailable_; }

 private:
  LoadOptions load_;
  BookingSource bookings_;
  std::atomic<bool> over_{false};
  bool refused_ = false;
  std::uint64_t unavailable_ = 0;
  std::atomic<Instant> last_accepted_;
  Instant longest_end_;
  Clock::duration longest_{};
  std::string failure_;
  std::thread thread_;
};

// What a server's log lines say of the shards that it opened.
struct Opened {
  std::size_t shard = 0;
  double opened_in_ms = 0;
};
std::vector<Opened> opened_by(const std::filesystem::path& output) {
  std::vector<Opened> out;
  const std::string text = text_of_file(output);
  constexpr std::string_view message = R"("message":"serving a shard")";
  for (auto at = text.find(message); at != std::string::npos; at = text.find(message, at + 1)) {
    const std::string_view line = std::string_view(text).substr(at, text.find('\n', at) - at);
    if (!line.ends_with('}')) break;  // Still being written.
    out.push_back({static_cast<std::size_t>(number_member(line, "shard")), number_member(line, "opened_in_ms")});
  }
  return out;
}

class TakeOvers {
 public:
  explicit TakeOvers(const TakeOverOptions& options) : options_(options) {
    options_.installation.shards = shards;
    std::filesystem::create_directories(options_.work);
  }

  std::vector<JsonObject> measure() {
    Node first = start("first");
    stage_ = set_stage(*first.server, options_.stage);
    read_slots(options_.installation, first.folder, options_.stage, stage_);
    keep_seats_back();
    std::vector<JsonObject> out;
    for (const std::size_t size : options_.sizes) {
      fill(*first.server, size);
      const double records = first.server->metric("guildhall_log_end_sequence");
      JsonObject json;
      json.add("bookings", fill_sold_).add("records", records);
      std::fprintf(stderr, "bench:   %zu bookings, %.0f records\n", fill_sold_, records);

      std::filesystem::remove_all(options_.work / "second");
      Node second;
      json.add("empty", hand_over(*first.server, "empty", [&] {
                 second = start("second");
                 return Taken{second.output, opened_by(second.output).size()};
               }));
      wait_until_idle(*second.server);
      const std::size_t opened_before = opened_by(second.output).size();
      json.add("standby", hand_over(*second.server, "standby", [&] {
                 stopping_ = std::async(std::launch::async, [&] { first.server->stop(); });
                 return Taken{second.output, opened_before + 1};
               }));
      stopping_.get();
      first = {};

      fill(*second.server, fill_sold_ + tail_bookings);
      json.add("checkpoint", hand_over(*second.server, "checkpoint", [&] {
                               first = start("first");
                               return Taken{first.output, opened_by(first.output).size()};
                             }).add("tail_bookings", tail_bookings));
      wait_until_idle(*first.server);
      second.server->stop();
      out.push_back(std::move(json));
    }
    first.server->stop();
    return out;
  }

 private:
  struct Node {
    std::filesystem::path folder, output;
    std::unique_ptr<Server> server;
  };
  // Whose log lines tell of the hand-over, and how many shards it has opened then.
  struct Taken {
    std::filesystem::path output;
    std::size_t opened = 0;
  };

  Node start(const std::string& name) {
    Node out{options_.work / name, options_.work / (name + "-" + std::to_string(++started_) + ".log"), nullptr};
    Installation installation = options_.installation;
    installation.output = out.output;
    // All processes of a platform have the same keys.
    installation.serve.insert(installation.serve.end(), {"--secrets", (options_.work / "secrets").string()});
    out.server = std::make_unique<Server>(installation, out.folder, options_.platform_file, "");
    return out;
  }

  void keep_seats_back() {
    const auto count = static_cast<std::ptrdiff_t>(std::min(probe_seats, stage_.slots.size() / 2));
    for (Stage& seats : probed_) seats.learners = stage_.learners;
    for (const std::string& slot : std::vector<std::string>(stage_.slots.end() - count, stage_.slots.end()))
      probed_[shard_of_slot(slot)].slots.push_back(slot);
    stage_.slots.resize(stage_.slots.size() - static_cast<std::size_t>(count));
  }

  void fill(const Server& server, std::size_t wanted) {
    if (wanted <= fill_sold_) return;
    Stage part;
    part.learners = stage_.learners;
    if (wanted > stage_.slots.size()) throw std::runtime_error("the stage has too few seats: give more --experts");
    part.slots.assign(stage_.slots.begin() + static_cast<std::ptrdiff_t>(fill_sold_),
                      stage_.slots.begin() + static_cast<std::ptrdiff_t>(wanted));
    std::size_t sold = 0;
    BookingSource source(server, part, sold, 0, ++loads_);
    LoadOptions load;
    load.port = server.port();
    load.connections = fill_connections;
    const LoadResult r = run_load(load, source);
    if (r.accepted.count() != part.slots.size()) throw std::runtime_error("a booking was not accepted: " + r.first_other);
    fill_sold_ = wanted;
  }

  template <class Trigger>
  JsonObject hand_over(const Server& stays, const char* what, Trigger trigger) {
    std::vector<std::unique_ptr<Probe>> probes;
    for (std::size_t n = 0; n < shards; ++n)
      probes.push_back(std::make_unique<Probe>(stays, probed_[n], probed_sold_[n], ++loads_));
    std::this_thread::sleep_for(settled);
    const Instant began = Clock::now();
    const Taken taken = trigger();
    std::vector<Opened> opened;
    while ((opened = opened_by(taken.output)).size() < taken.opened || opened.empty()) {
      if (Clock::now() - began > patience) throw std::runtime_error(std::string(what) + ": the shard is not taken over");
      std::this_thread::sleep_for(look_pause);
    }
    const Instant served = Clock::now();
    // The client may be told to come again for a while yet.
    while (probes[opened.back().shard]->last_accepted() <= served && Clock::now() - served < patience)
      std::this_thread::sleep_for(look_pause);
    std::this_thread::sleep_for(settled);
    for (const auto& probe : probes) {
      probe->finish();
      if (!probe->failure().empty()) throw std::runtime_error(std::string(what) + ": " + probe->failure());
    }
    const Probe& probe = *probes[opened.back().shard];
    std::fprintf(stderr,
                 "bench:     %s: opened in %.0f ms, longest wait for an accepted answer %.0f ms, %.0f ms after the trigger\n",
                 what, opened.back().opened_in_ms, probe.longest_wait_ms(), ms_between(began, probe.longest_wait_end()));
    return JsonObject()
        .add("opened_in_ms", opened.back().opened_in_ms)
        .add("longest_wait_ms", probe.longest_wait_ms())
        .add("trigger_to_accepted_ms", ms_between(began, probe.longest_wait_end()))
        .add("trigger_to_served_ms", ms_between(began, served))
        .add("answers_503", probe.unavailable());
  }

  // A standby that has caught up only looks for more.
  static void wait_until_idle(const Server& server) {
    const Instant deadline = Clock::now() + patience;
    for (double before = server.usage().cpu_seconds;;) {
      std::this_thread::sleep_for(idle_window);
      const double now = server.usage().cpu_seconds;
      if ((now - before) / std::chrono::duration<double>(idle_window).count() < idle_cores) return;
      if (Clock::now() > deadline) throw std::runtime_error("a standby does not catch up");
      before = now;
    }
  }

  TakeOverOptions options_;
  Stage stage_;
  Stage probed_[shards];
  std::size_t probed_sold_[shards] = {};
  std::size_t fill_sold_ = 0;
  std::uint64_t loads_ = 1'000'000;  // Keys apart from other loads'.
  int started_ = 0;
  std::future<void> stopping_;
};

}  // namespace

std::vector<JsonObject> measure_take_overs(const TakeOverOptions& options) { return TakeOvers(options).measure(); }

}  // namespace guildhall
