// How long a shard of a Kafka log is not served when it goes from one process to another, by how many bookings the log holds and
// by what the new owner has of its state. At each size, with two shards:
//
//   empty       a second process joins with an empty folder: the shard it is given is replayed from the log's first record
//   standby     the first process is stopped (SIGTERM): its other shard goes to the second, which has followed it meanwhile
//   checkpoint  some bookings later the first process joins again: its state is from its stop, it replays what came since
//
// One client for each shard books through the process that stays, all the time; its longest wait for an accepted answer is what
// the hand-over cost.
#pragma once

#include <filesystem>
#include <vector>

#include "bench/json_object.h"
#include "bench/scenario.h"

namespace guildhall {

struct TakeOverOptions {
  Installation installation;   // On a Kafka log of its own, where nothing was written yet.
  std::filesystem::path work;  // For the processes' folders and their log lines.
  std::filesystem::path platform_file;
  StageOptions stage;
  std::vector<std::size_t> sizes;  // Bookings, ascending.
};

// One object for each size. Throws std::runtime_error.
std::vector<JsonObject> measure_take_overs(const TakeOverOptions& options);

}  // namespace guildhall
