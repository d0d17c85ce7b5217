// The inbox topic: what other shards' transactions brought for one shard.
#pragma once

#include <functional>
#include <memory>

#include "aggregates/shard/inbox_entry.h"
#include "infra/kafka_follower.h"
#include "infra/kafka_log.h"

namespace guildhall {

// From a position on (0: the beginning), in the topic's order, until it is destroyed; from a thread of its own. An entry's
// position is the one behind it.
std::unique_ptr<TopicFollower> follow_inbox(const KafkaLog& log, ShardNo shard, std::uint64_t position,
                                            std::function<void(InboxEntry)> deliver,
                                            std::function<void(const std::string& why)> failed);

}  // namespace guildhall
