// The topics of a platform: made on first use, and checked at every start, because a wrong setting loses events quietly.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "infra/kafka_client.h"

namespace guildhall {

struct KafkaTopicPlan {
  std::string name;
  std::uint32_t partitions = 1;
  bool compacted = false;
};
// `shards` partitions each, but for the owners' one.
std::vector<KafkaTopicPlan> plan_topics(const KafkaTopics& topics, std::uint32_t shards);

// The partitions of a topic; 0 when there is none. Throws LogError.
std::uint32_t count_partitions(rd_kafka_s* client, const std::string& topic, std::chrono::milliseconds timeout);

// Makes those that are missing. Two processes may do it at once. Throws LogError.
void create_topics(rd_kafka_s* client, const std::vector<KafkaTopicPlan>& plans, int replication,
                   std::chrono::milliseconds timeout);

// Refuses, with the setting's name, what it has and what it must have: partitions, retention, cleanup policy, unclean elections,
// the replicas that must have a record. Throws LogError.
void check_topics(rd_kafka_s* client, const std::vector<KafkaTopicPlan>& plans, std::chrono::milliseconds timeout);

}  // namespace guildhall
