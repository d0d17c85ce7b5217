// What the inbox carries between shards.
#pragma once

#include <string>

#include "events/record.h"

namespace guildhall {

// A command that another shard's reaction sent: `source_sequence` is the InboxCommand record's place in the source's log.
struct InboxEntry {
  ShardNo source = 0;
  Sequence source_sequence = 0;
  Uuid command_id{};
  std::string type;
  std::string payload;
  Uuid correlation_id{};
  std::uint64_t position = 0;  // In the inbox's transport, where it goes on after a restart; 0: the transport keeps none.
};

}  // namespace guildhall
