// Under what conditions figures were measured: without them they mean nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "bench/histogram.h"

namespace guildhall {

struct Machine {
  unsigned cores = 0;
  std::string processor;
  std::uint64_t memory_bytes = 0;
  std::string kernel;
  double load_average = 0;  // Of the last minute: what else ran here.
};
Machine describe_machine();
// Of the whole machine since it started, in CPU seconds.
struct MachineCpu {
  double busy = 0;    // Whoever used them here.
  double stolen = 0;  // Wanted, but the host gave them to other machines.
};
MachineCpu machine_cpu();
std::string utc_now();  // RFC 3339

// How long the disk of a folder takes to make 4 KB at a file's end durable. About a second of work.
Histogram measure_sync(const std::filesystem::path& folder);

}  // namespace guildhall
