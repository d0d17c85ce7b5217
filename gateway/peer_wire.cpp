#include "gateway/peer_wire.h"

#include <algorithm>

#include "events/codec.h"
#include "peer_generated.h"

namespace guildhall {
namespace {

template <class Enum>
std::optional<Enum> known(std::uint8_t number, Enum first, Enum last) {
  if (number < static_cast<std::uint8_t>(first) || number > static_cast<std::uint8_t>(last)) return std::nullopt;
  return static_cast<Enum>(number);
}

std::optional<ActorKind> actor_kind(std::uint8_t number) { return known(number, ActorKind::anonymous, ActorKind::system); }

std::optional<ShardRequest> read(peer::v1::PeerCommandT& command) {
  CommandRequest out;
  const auto kind = actor_kind(command.actor_kind);
  if (!kind || command.fingerprint.size() != out.fingerprint.size()) return std::nullopt;
  out.command_id = command.command_id;
  out.type = std::move(command.type);
  out.payload.assign(command.payload.begin(), command.payload.end());
  std::ranges::copy(command.fingerprint, out.fingerprint.begin());
  out.actor_kind = *kind;
  out.actor_id = command.actor_id;
  if (command.expected_version) out.expected_version = *command.expected_version;
  out.correlation_id = command.correlation_id;
  return out;
}

std::optional<ShardRequest> read(const peer::v1::PeerQuestionT& question) {
  const auto kind = actor_kind(question.asker_kind);
  const auto stream = known(question.stream_kind, StreamKind::account, StreamKind::writer);
  if (!kind || (!stream && question.stream_kind != 0)) return std::nullopt;
  if (is_nil(question.command_id) != stream.has_value()) return std::nullopt;
  ShardQuestion out{question.command_id, {}, {*kind, question.asker_account}};
  if (stream) out.stream = StreamId{*stream, question.stream_id};
  return out;
}

}  // namespace

const Uuid& place_of(const ShardRequest& request) {
  if (const auto* command = std::get_if<CommandRequest>(&request)) return command->command_id;
  const auto& question = std::get<ShardQuestion>(request);
  return question.stream ? question.stream->id : question.command_id;
}

std::string encode_peer_request(const ShardRequest& request) {
  peer::v1::PeerRequestT out;
  if (const auto* from = std::get_if<CommandRequest>(&request)) {
    out.command = std::make_unique<peer::v1::PeerCommandT>();
    peer::v1::PeerCommandT& to = *out.command;
    to.command_id = from->command_id;
    to.type = from->type;
    to.payload.assign(from->payload.begin(), from->payload.end());
    to.fingerprint.assign(from->fingerprint.begin(), from->fingerprint.end());
    to.actor_kind = static_cast<std::uint8_t>(from->actor_kind);
    to.actor_id = from->actor_id;
    if (from->expected_version) to.expected_version = *from->expected_version;
    to.correlation_id = from->correlation_id;
  } else {
    const auto& question = std::get<ShardQuestion>(request);
    out.question = std::make_unique<peer::v1::PeerQuestionT>();
    out.question->command_id = question.command_id;
    if (question.stream) {
      out.question->stream_kind = static_cast<std::uint8_t>(question.stream->kind);
      out.question->stream_id = question.stream->id;
    }
    out.question->asker_kind = static_cast<std::uint8_t>(question.asker.kind);
    out.question->asker_account = question.asker.account;
  }
  return pack(out);
}

std::optional<ShardRequest> decode_peer_request(std::string_view bytes) {
  peer::v1::PeerRequestT in;
  if (!unpack(bytes, in) || (in.command == nullptr) == (in.question == nullptr)) return std::nullopt;
  return in.command ? read(*in.command) : read(*in.question);
}

std::string encode_peer_result(const CommandResult& result) {
  peer::v1::PeerResultT out;
  out.kind = static_cast<std::uint8_t>(result.kind);
  out.status = result.reply.status;
  out.etag = result.reply.etag;
  out.location = result.reply.location;
  out.content_type = result.reply.content_type;
  out.body = result.reply.body;
  out.replayed = result.replayed;
  out.shard = result.shard;
  out.sequence = result.sequence;
  out.retry_after_s = result.reply.retry_after_s;
  return pack(out);
}

std::optional<CommandResult> decode_peer_result(std::string_view bytes) {
  using Kind = CommandResult::Kind;
  peer::v1::PeerResultT in;
  if (!unpack(bytes, in)) return std::nullopt;
  const auto kind = known(in.kind, Kind::replied, Kind::behind);
  if (!kind) return std::nullopt;
  Reply reply{in.status,
              std::move(in.etag),
              std::move(in.location),
              std::move(in.content_type),
              std::move(in.body),
              in.retry_after_s};
  return CommandResult{*kind, std::move(reply), in.replayed, in.shard, in.sequence};
}

}  // namespace guildhall
