// What a shard is asked and answers, as bytes between the processes of one platform (peer.fbs).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "aggregates/shard/shard.h"

namespace guildhall {

struct ShardQuestion {
  Uuid command_id{};               // What became of it,
  std::optional<StreamId> stream;  // or what stands there.
  Asker asker;
};
using ShardRequest = std::variant<CommandRequest, ShardQuestion>;

// The id whose bucket names the shard.
const Uuid& place_of(const ShardRequest& request);

std::string encode_peer_request(const ShardRequest& request);
std::string encode_peer_result(const CommandResult& result);

// Nothing for bytes that do not verify, hold not exactly one of the two, or name a kind that there is not. A command's own bytes
// are not looked at.
std::optional<ShardRequest> decode_peer_request(std::string_view bytes);
std::optional<CommandResult> decode_peer_result(std::string_view bytes);

}  // namespace guildhall
