// What faults cost: by shard the longest time between two accepted commands around a fault, and the time from the fault to the
// first command that was sent and accepted after it.
#pragma once

#include <string>
#include <vector>

#include <boost/json.hpp>

#include "tests/acceptance/history.h"

namespace guildhall {

struct Fault {
  std::string kind;
  std::string target;
  Instant at;
  Instant over;                       // Everything is whole and answers again.
  std::vector<std::uint32_t> shards;  // Those that it takes away; what happens to the others is told apart.
};

struct FaultCost {
  std::string kind;
  bool hit = false;  // The shard is one of the fault's.
  std::uint32_t shard = 0;
  std::chrono::milliseconds gap{0};
  std::chrono::milliseconds take_over{0};
};

std::vector<FaultCost> costs(const std::vector<Fault>& faults, const std::vector<Operation>& operations, std::uint32_t shards);
// The longest gap of each shard, fault by fault.
boost::json::array each(const std::vector<Fault>& faults, const std::vector<FaultCost>& costs);
// By kind: how often, and median and worst of the costs, of the shards that were hit and of the others.
boost::json::object summary(const std::vector<Fault>& faults, const std::vector<FaultCost>& costs);

}  // namespace guildhall
