#include "bench/peers.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "bench/load_generator.h"
#include "bench/process.h"

namespace guildhall {
namespace {

constexpr int least_seconds = 10;  // The scripts sample the CPU for up to six seconds less than they measure.

constexpr int attempts = 2;  // They give their server one second to start, which a cold disk does not always keep.
constexpr std::uint16_t broker_port = 19'092;
constexpr std::chrono::minutes broker_patience{5};  // Its jars may have to come from far away.

struct Script {
  const char* path;
  Environment environment;
};

std::vector<PeerFigure> figures_in(const std::string& output) {
  std::vector<PeerFigure> out;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    PeerFigure f;
    if (words >> f.peer >> f.clients >> f.accepted_per_s >> f.refused_per_s >> f.p50_ms >> f.p99_ms) out.push_back(std::move(f));
  }
  return out;
}

// The middle one of each peer and number of clients, in the order of first appearance.
std::vector<PeerFigure> medians_of(std::vector<PeerFigure> all) {
  std::vector<PeerFigure> out;
  while (!all.empty()) {
    const std::string peer = all.front().peer;
    const int clients = all.front().clients;
    const auto rest =
        std::ranges::stable_partition(all, [&](const PeerFigure& f) { return f.peer == peer && f.clients == clients; });
    const std::span same(all.begin(), rest.begin());
    std::ranges::sort(same, {}, &PeerFigure::accepted_per_s);
    out.push_back(same[same.size() / 2]);
    all.erase(all.begin(), rest.begin());
  }
  return out;
}

void start_broker(std::optional<Process>& broker, const PeerOptions& options) {
  const auto output = options.work / "kafka.log";
  const auto data = options.work / "kafka";
  const auto ready = data / "bootstrap";
  std::filesystem::remove(ready);
  broker.emplace(std::vector<std::string>{options.kafka_script.string(), "start", "--foreground", "--data", data.string(),
                                          "--port", std::to_string(broker_port)},
                 Environment{}, output);
  const auto deadline = std::chrono::steady_clock::now() + broker_patience;
  while (!std::filesystem::exists(ready)) {
    if (!broker->running() || std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("no Kafka broker:\n" + tail_of_file(output));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

std::vector<PeerFigure> run_script(const Script& script, const PeerOptions& options, const Database& database,
                                   const std::filesystem::path& folder) {
  Environment environment = database.environment();
  environment.insert(environment.end(), {{"CLIENTS", options.clients},
                                         {"WARM", std::to_string(options.warmup_s)},
                                         {"SECS", std::to_string(std::max(options.seconds, least_seconds))},
                                         {"REPEATS", std::to_string(options.repeats)}});
  std::ranges::copy(script.environment, std::back_inserter(environment));
  std::optional<Process> broker;
  if (std::string_view(script.path).starts_with("kstreams")) start_broker(broker, options);
  auto out = figures_in(run_program({"bash", script.path}, environment, options.work / "peers.log", folder));
  for (const auto& f : out)
    std::fprintf(stderr, "bench:   %s, %d clients: %.0f accepted/s, p50 %.2f ms, p99 %.2f ms\n", f.peer.c_str(), f.clients,
                 f.accepted_per_s, f.p50_ms, f.p99_ms);
  return out;
}

}  // namespace

PeerReport run_peers(const PeerOptions& options, const Database& database) {
  PeerReport report;
  if (options.set == PeerSet::none) return report;
  if (!std::filesystem::exists(options.folder / "seed" / "run.sh")) {
    report.missing.push_back("no peers in " + options.folder.string());
    return report;
  }
  const auto copy = options.work / "peers";
  std::filesystem::copy(options.folder, copy, std::filesystem::copy_options::recursive);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(copy))
    std::filesystem::permissions(entry, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);

  std::vector<Script> scripts{
      {"seed/run.sh", {{"VARIANT", "asis"}}}, {"seed/run.sh", {{"VARIANT", "matched"}}}, {"http/run.sh", {}}};
  if (options.set == PeerSet::all) {
    // With its own number of seats it sells out within seconds, and counts refusals from memory.
    scripts.push_back({"pekko/run.sh", {{"SLOTS", "2000000"}}});
    scripts.push_back({"kstreams/run.sh", {{"BOOTSTRAP", "127.0.0.1:" + std::to_string(broker_port)}}});
  }
  std::vector<PeerFigure> all;
  for (const Script& script : scripts) {
    std::fprintf(stderr, "bench: peer %s\n", script.path);
    for (int attempt = 1; attempt <= attempts; ++attempt) {
      try {
        std::ranges::copy(run_script(script, options, database, copy), std::back_inserter(all));
        break;
      } catch (const std::runtime_error& e) {
        std::fprintf(stderr, "bench:   %s\n", e.what());
        // A peer that can't be run here takes nothing from our own figures.
        if (attempt == attempts) report.missing.push_back(std::string(script.path) + ": " + e.what());
      }
    }
  }
  report.figures = medians_of(std::move(all));
  return report;
}

}  // namespace guildhall
