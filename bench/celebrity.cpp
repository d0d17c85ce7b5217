#include "bench/celebrity.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/follow_flow.h"
#include "bench/load_generator.h"
#include "bench/requests.h"
#include "events/ids.h"

namespace guildhall {
namespace {

constexpr ShardNo celebrities_shard = 0;
constexpr std::size_t many = 20'000;        // Whom the followers follow else.
constexpr std::size_t spare_percent = 120;  // Followers, of those that a run needs.
constexpr std::size_t follow_connections = 64, command_connections = 32;
constexpr std::chrono::milliseconds settle_pause{200};
constexpr std::chrono::minutes settle_patience{5};

ShardNo shard_of_account(const std::string& id, std::uint32_t shards) { return shard_of(parse_uuid(id).value(), shards); }

// Services of sellers on the other shards.
class OtherCommands : public RequestSource {
 public:
  OtherCommands(const Server& server, const std::vector<std::string>& sellers, std::size_t& sent)
      : server_(server), sellers_(sellers), sent_(sent) {}
  bool next(std::string& out) override {
    ++sent_;
    const std::string& seller = sellers_[sent_ % sellers_.size()];
    out = post_request(server_, "/v1/services", "other" + hex(sent_),
                       R"({"seller_id":")" + seller + R"(","title":"Mixing","service_type":"mixing"})");
    return true;
  }
  void answered(int status, std::string_view body) override {
    if (status != 201) throw std::runtime_error("a service was answered " + std::to_string(status) + ": " + std::string(body));
  }

 private:
  const Server& server_;
  const std::vector<std::string>& sellers_;
  std::size_t& sent_;
};

// Until nothing more is written: counters and notifications follow the follows.
double settle(const Server& server) {
  const auto began = std::chrono::steady_clock::now();
  for (double end = -1;;) {
    const double now = server.metric("guildhall_log_end_sequence");
    if (now == end) return std::chrono::duration<double>(std::chrono::steady_clock::now() - began - settle_pause).count();
    if (std::chrono::steady_clock::now() - began > settle_patience) throw std::runtime_error("the log goes on growing");
    end = now;
    std::this_thread::sleep_for(settle_pause);
  }
}

struct Run {
  double p50_ms, p99_ms, follow_p99_ms, follows_per_s, commands_per_s, settled_s;
};

double median(const std::vector<Run>& runs, double Run::* figure) {
  std::vector<double> all;
  for (const Run& r : runs) all.push_back(r.*figure);
  std::ranges::sort(all);
  return all[all.size() / 2];
}

JsonObject report(const std::vector<Run>& runs) {
  std::vector<double> p99s;
  for (const Run& r : runs) p99s.push_back(r.p99_ms);
  return JsonObject()
      .add("p50_ms", median(runs, &Run::p50_ms))
      .add("p99_ms", median(runs, &Run::p99_ms))
      .add("p99_ms_of_all", p99s)
      .add("commands_per_s", median(runs, &Run::commands_per_s))
      .add("follows_per_s", median(runs, &Run::follows_per_s))
      .add("follow_p99_ms", median(runs, &Run::follow_p99_ms))
      .add("settled_seconds", median(runs, &Run::settled_s));
}

}  // namespace

JsonObject measure_celebrity(const Server& server, std::uint32_t shards, const CelebrityOptions& options) {
  if (shards < 2) throw std::runtime_error("with one shard there are no others");
  const std::size_t needed = options.follows_per_s * static_cast<std::size_t>(options.warmup_s + options.seconds);
  const std::size_t followers = needed * spare_percent / 100;
  std::vector<std::string> members = set_members(server, followers + many);
  std::vector<std::string> others(members.begin() + static_cast<std::ptrdiff_t>(followers), members.end());
  members.resize(followers);
  std::vector<std::string> celebrities, sellers;
  const auto is_celebrity = [&](const std::string& id) {
    if (shard_of_account(id, shards) != celebrities_shard || celebrities.size() == options.runs) return false;
    celebrities.push_back(id);
    return true;
  };
  std::erase_if(others, is_celebrity);
  std::vector<std::string> neighbours;
  for (const std::string& id : others)
    (shard_of_account(id, shards) == celebrities_shard ? neighbours : sellers).push_back(id);

  std::size_t sent = 0;
  const auto run = [&](const std::vector<std::string>& followed) {
    LoadOptions load;
    load.port = server.port();
    load.warmup = std::chrono::seconds(options.warmup_s);
    load.measured = std::chrono::seconds(options.seconds);
    LoadResult follows, commands;
    std::exception_ptr failure;
    std::jthread following([&] {
      try {
        LoadOptions l = load;
        l.connections = follow_connections;
        l.per_second = options.follows_per_s;
        FollowFlow flow(server, members, followed);
        follows = run_load(l, flow);
      } catch (...) {
        failure = std::current_exception();
      }
    });
    LoadOptions l = load;
    l.connections = command_connections;
    l.per_second = options.commands_per_s;
    OtherCommands source(server, sellers, sent);
    commands = run_load(l, source);
    following.join();
    if (failure) std::rethrow_exception(failure);
    const auto ms = [](const Histogram& h, double share) { return static_cast<double>(h.percentile_us(share)) / 1000; };
    return Run{ms(commands.accepted, 0.5),  ms(commands.accepted, 0.99), ms(follows.accepted, 0.99), follows.accepted_per_s(),
               commands.accepted_per_s(), settle(server)};
  };

  struct Kind {
    const char* name;
    std::vector<std::string> followed;  // A slice of it each time.
    std::vector<Run> runs = {};
  };
  std::array kinds{Kind{"one_account", celebrities}, Kind{"many_of_its_shard", neighbours}, Kind{"many_of_all_shards", others}};
  for (std::size_t i = 0; i < options.runs; ++i) {
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      Kind& kind = kinds[(i + k) % kinds.size()];
      std::vector<std::string> slice;
      for (std::size_t j = i; j < kind.followed.size(); j += options.runs) slice.push_back(kind.followed[j]);
      const Run r = run(slice);
      std::fprintf(stderr, "bench:   %s: %.0f follows/s; others' %.0f commands/s p50 %.2f, p99 %.2f ms; settled in %.1f s\n",
                   kind.name, r.follows_per_s, r.commands_per_s, r.p50_ms, r.p99_ms, r.settled_s);
      kind.runs.push_back(r);
    }
  }
  JsonObject out;
  out.add("follows_per_s_wanted", options.follows_per_s).add("commands_per_s_wanted", options.commands_per_s);
  for (const Kind& kind : kinds) out.add(kind.name, report(kind.runs));
  for (std::size_t k = 1; k < kinds.size(); ++k) {
    const double ratio = median(kinds[0].runs, &Run::p99_ms) / median(kinds[k].runs, &Run::p99_ms);
    std::fprintf(stderr, "bench:   other shards' p99, of one account over %s: %.2f\n", kinds[k].name, ratio);
    out.add(std::string("p99_over_") + kinds[k].name, ratio);
  }
  return out;
}

}  // namespace guildhall
