// What an account that everybody follows costs the others: follows arrive at a steady rate, of one account, of many on its shard,
// or of many on all shards, in turns, while commands go to the shards on which that account does not lie. Of the two to compare
// with the first is the stricter: what a follow costs the side of who is followed is then on the account's shard, too. Each run
// has another account, so that no pair comes twice; the runs differ in nothing but whom the followers follow.
#pragma once

#include <cstddef>

#include "bench/json_object.h"
#include "bench/server.h"

namespace guildhall {

struct CelebrityOptions {
  std::size_t follows_per_s = 1'667;
  std::size_t commands_per_s = 500;  // To the other shards.
  std::size_t runs = 5;              // Of each kind.
  int warmup_s = 2;
  int seconds = 10;  // Of a run.
};

// The server is of producers_avenue and has this many shards, two at least. Throws std::runtime_error.
JsonObject measure_celebrity(const Server& server, std::uint32_t shards, const CelebrityOptions& options);

}  // namespace guildhall
