#include "bench/peers.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>

#include "bench/broker.h"
#include "bench/process.h"

namespace guildhall {
namespace {

constexpr int least_seconds = 10;  // The scripts sample the CPU for up to six seconds less than they measure.

constexpr int attempts = 2;  // They give their server one second to start, which a cold disk does not always keep.

// Seats are opened anew before each figure, some 100,000 a second.
constexpr const char* tuned_streams_seats = "500000";

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

std::vector<PeerFigure> run_script(const Script& script, const PeerOptions& options, const Database* database,
                                   const std::filesystem::path& folder) {
  Environment environment;
  if (database != nullptr) environment = database->environment();
  environment.insert(environment.end(), {{"CLIENTS", options.clients},
                                         {"WARM", std::to_string(options.warmup_s)},
                                         {"SECS", std::to_string(std::max(options.seconds, least_seconds))},
                                         {"REPEATS", std::to_string(options.repeats)}});
  std::ranges::copy(script.environment, std::back_inserter(environment));
  std::optional<Broker> broker;
  if (std::string_view(script.path).starts_with("kstreams")) {
    if (options.bootstrap.empty()) broker.emplace(options.kafka_script, options.work / "kafka", options.work / "kafka.log");
    environment.emplace_back("BOOTSTRAP", broker ? broker->bootstrap() : options.bootstrap);
  }
  auto out = figures_in(run_program({"bash", script.path}, environment, options.work / "peers.log", folder));
  for (const auto& f : out)
    std::fprintf(stderr, "bench:   %s, %d clients: %.0f accepted/s, p50 %.2f ms, p99 %.2f ms\n", f.peer.c_str(), f.clients,
                 f.accepted_per_s, f.p50_ms, f.p99_ms);
  return out;
}

}  // namespace

PeerReport run_peers(const PeerOptions& options, const Database* database) {
  PeerReport report;
  if (options.set == PeerSet::none) return report;
  if (!std::filesystem::exists(options.folder / "kstreams" / "run.sh")) {
    report.missing.push_back("no peers in " + options.folder.string());
    return report;
  }
  const auto copy = options.work / "peers";
  std::filesystem::copy(options.folder, copy, std::filesystem::copy_options::recursive);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(copy))
    std::filesystem::permissions(entry, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);

  // With their own number of seats some sell out within seconds, and count refusals from memory.
  const std::string many_seats = "2000000";
  std::vector<Script> scripts;
  if (options.set != PeerSet::kstreams)
    scripts = {{"seed/run.sh", {{"VARIANT", "asis"}}}, {"seed/run.sh", {{"VARIANT", "matched"}}}, {"http/run.sh", {}}};
  if (options.set == PeerSet::all) {
    scripts.push_back({"pekko/run.sh", {{"SLOTS", many_seats}}});
    scripts.push_back({"kstreams/run.sh", {}});
  }
  if (options.set == PeerSet::kstreams) {
    scripts.push_back({"kstreams/run.sh", {{"COMMITS", "100"}, {"POLL", "100"}}});  // Its own defaults.
    scripts.push_back({"kstreams/run.sh", {{"COMMITS", "10"}, {"POLL", "10"}, {"SLOTS", tuned_streams_seats}}});
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
