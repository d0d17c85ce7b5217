#include "infra/kafka_inbox.h"

#include "decision_generated.h"
#include "events/codec.h"
#include "infra/kafka_record.h"

namespace guildhall {

std::unique_ptr<TopicFollower> follow_inbox(const KafkaLog& log, ShardNo shard, std::uint64_t position,
                                            std::function<void(InboxEntry)> deliver,
                                            std::function<void(const std::string& why)> failed) {
  return std::make_unique<TopicFollower>(
      log.options(), log.topics().inbox,
      std::vector<TopicFollower::Start>{{static_cast<std::int32_t>(shard), static_cast<std::int64_t>(position)}},
      [shard, deliver = std::move(deliver)](const FollowedMessage& m) {
        const RecordHeader source = source_header_of(*m.message);
        ::decision::v1::InboxCommandT command;
        if (!unpack(m.value, command) || command.target_shard != shard) throw CorruptLog("an inbox command does not verify");
        InboxEntry entry;
        entry.source = source.shard;
        entry.source_sequence = source.sequence;
        entry.command_id = command.command_id;
        entry.type = command.command_type;
        entry.payload.assign(command.command.begin(), command.command.end());
        entry.correlation_id = source.correlation_id;
        entry.position = static_cast<std::uint64_t>(m.offset) + 1;
        deliver(std::move(entry));
      },
      std::move(failed));
}

}  // namespace guildhall
