// Commands over HTTP: a request becomes a command by its schema, goes to the shard of its entity group, and the shard's reply
// goes out when it is durable.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "aggregates/shard/shard.h"
#include "gateway/consistency_token.h"
#include "gateway/dispatcher.h"
#include "gateway/http.h"
#include "gateway/jwt.h"
#include "gateway/preferences.h"
#include "gateway/quota.h"
#include "gateway/schema.h"
#include "gateway/transcoder.h"

namespace guildhall {

inline constexpr std::size_t max_idempotency_key_bytes = 255;

// Calls back once, from any thread: when the read models hold the position, or after the time.
using WaitForPosition = std::function<void(ShardNo, Sequence, Micros timeout_us, std::function<void(PositionWait)>)>;

struct CommandsEnvironment {
  std::string platform;
  const SchemaCatalogue& schemas;
  const EventLog& log;
  Dispatcher& dispatcher;
  const ConsistencyTokens& tokens;
  Quota* quota;           // nullptr: no limit.
  std::string claim_key;  // Secret; makes claim ids (design: claims).
  std::string id_seed;    // From the random source at start: makes the ids of commands without a key.
  WaitForPosition wait;   // Empty: this process has no projections.
};

struct CommandIdentity {
  Uuid id{};           // The command id, but for the bucket: that is its group's, which only the payload tells.
  bool keyed = false;  // A repeat of the request has the same id.
};

class Commands {
 public:
  explicit Commands(CommandsEnvironment environment) : env_(std::move(environment)) {}

  // Any thread. `match` is what schemas.match_route found for the request's path.
  void handle(const Request& request, const Claims& claims, const RouteFound& match, Respond respond);
  // GET /v1/commands/{id}: the stored reply. A stranger's command is as absent as one that never was.
  void look_up(const Request& request, const Claims& claims, const Uuid& command_id, Respond respond);
  // GET of a resource at its Location: as the log has it, not a read model. 304 when If-None-Match names its version.
  void show(const Request& request, const Claims& claims, const TableSchema& resource, const Uuid& id, Respond respond);

  // What rpc functions send: a command whose members were renamed. The result reaches `done` once it is durable; a problem before
  // that is a response in problem form.
  using Done = Dispatcher::Done;
  void send(const Request& request, const Claims& claims, const CommandSchema& command, const CommandIdentity& identity,
            std::string payload, Done done);
  // What the Idempotency-Key says, or why it can't be taken.
  std::expected<CommandIdentity, Response> identify(const Request& request, const Claims& claims, const CommandSchema& command);

  std::string token_of(ShardNo shard, Sequence sequence) const;
  // Calls back at once where there is nothing to wait for.
  void wait_for(ShardNo shard, Sequence sequence, Micros timeout_us, std::function<void(PositionWait)> done) const;
  // Refused before anything is read: role, quota, media type.
  std::optional<Response> refuse(const Request& request, const Claims& claims, const CommandSchema& command) const;
  // The fields that the gateway fills: an account's own id.
  std::vector<ServerField> server_fields(const CommandSchema& command, const Claims& claims, const Uuid& free_id) const;

 private:
  void register_account(CommandRequest request, std::string request_id, Done done);
  void change_username(CommandRequest request, std::string request_id, Done done);
  // A unique value (M-1) and the command that wants it: its claim's group first, so that two accounts never hold one. `fill` puts
  // into the command how it is held, and by which version of the claim; a refusal to hold it is the answer.
  struct Wanted {
    std::string_view kind;
    std::string normalized;
    Uuid account_id{};
    std::function<void(std::string& payload, const claim::HoldClaim& held, std::uint64_t version)> fill;
  };
  void hold_first(Wanted wanted, CommandRequest request, std::string request_id, Done done);
  Response response_of(CommandResult result) const;

  CommandsEnvironment env_;
  std::atomic<std::uint64_t> keyless_{0};
};

}  // namespace guildhall
