// The peers: the same booking done by what a user might pick instead, run by the peers' own scripts on the same PostgreSQL in the
// same run. Their folder may be read-only, so a copy of it is run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bench/database.h"

namespace guildhall {

enum class PeerSet : unsigned char { none, seed, all, kstreams };

struct PeerOptions {
  std::filesystem::path folder;  // With seed/run.sh and the like.
  std::filesystem::path work;    // For the copy and the output.
  PeerSet set = PeerSet::seed;
  std::string clients = "1 8 64";
  int warmup_s = 3;
  int seconds = 10;
  int repeats = 1;
  std::filesystem::path kafka_script;  // script/kafka: Kafka Streams gets a broker for its run,
  std::string bootstrap;               // unless there is one.
};

// One line that a peer's script printed.
struct PeerFigure {
  std::string peer;
  int clients = 0;
  double accepted_per_s = 0;
  double refused_per_s = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

struct PeerReport {
  std::vector<PeerFigure> figures;   // Medians by accepted_per_s, where there are repeats.
  std::vector<std::string> missing;  // What could not be run, and why.
};

// Kafka Streams alone needs no database.
PeerReport run_peers(const PeerOptions& options, const Database* database);

}  // namespace guildhall
