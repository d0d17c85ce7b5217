#include "cli/leaderboard_host.h"

#include <pthread.h>

#include <algorithm>

#include "gateway/problem.h"
#include "infra/pause.h"
#include "projectors/xp_gains.h"

namespace guildhall {
namespace {

// Follows and names, as the read models show them to the caller.
class PeopleOfReadModels final : public BoardPeople {
 public:
  PeopleOfReadModels(ReadModels& models, std::string platform) : models_(models), platform_(std::move(platform)) {}

  void followed(const Claims& caller, const Uuid& follower, BoardQuery<std::vector<Uuid>> done) override {
    if (!models_.has_relation("followers")) return done(std::unexpected(problem("not_found", "nobody follows anybody here")));
    ask(caller,
        "SELECT following_id::text FROM " + platform_ + ".followers WHERE follower_id = $1::uuid ORDER BY created_at LIMIT " +
            std::to_string(leaderboard_max_followed),
        {to_string(follower)}, [done = std::move(done)](std::expected<PostgresRows, Response> found) mutable {
          if (!found) return done(std::unexpected(std::move(found.error())));
          std::vector<Uuid> out;
          for (const auto& row : found->rows)
            if (const auto id = row[0] ? parse_uuid(*row[0]) : std::nullopt) out.push_back(*id);
          done(std::move(out));
        });
  }

  void profiles(const Claims& caller, std::vector<Uuid> ids, BoardQuery<std::vector<BoardProfile>> done) override {
    std::string list = "{";
    for (const Uuid& id : ids) list += (list.size() == 1 ? "" : ",") + to_string(id);
    ask(caller,
        "SELECT account_id::text, display_name FROM " + platform_ + "_rm.people WHERE account_id = ANY ($1::uuid[])",
        {list + "}"},
        [done = std::move(done)](std::expected<PostgresRows, Response> found) mutable {
          if (!found) return done(std::unexpected(std::move(found.error())));
          std::vector<BoardProfile> out;
          for (const auto& row : found->rows)
            if (const auto id = row[0] ? parse_uuid(*row[0]) : std::nullopt) out.push_back({*id, row[1].value_or("")});
          done(std::move(out));
        });
  }

  void wait_for(std::vector<Target> targets, Micros timeout_us, std::function<void(PositionWait)> done) override {
    models_.wait_for(std::move(targets), timeout_us, std::move(done));
  }

 private:
  void ask(const Claims& caller, std::string sql, std::vector<std::string> parameters, BoardQuery<PostgresRows> done) {
    ReadQuery query{std::string(name_of(caller.role)), caller.json, "GET", std::string(leaderboards_path), std::move(sql),
                    std::move(parameters)};
    models_.query(std::move(query), [done = std::move(done)](ReadOutcome outcome) mutable {
      if (outcome) return done(std::move(*outcome));
      done(std::unexpected(problem("projection_behind", "the read models can't be asked now")));
    });
  }

  ReadModels& models_;
  const std::string platform_;
};

}  // namespace

LeaderboardHost::LeaderboardHost(EventLog& log, const Clock& clock, const std::filesystem::path& folder,
                                 std::function<void(const std::string& why)> failed)
    : log_(log),
      clock_(clock),
      failed_(std::move(failed)),
      snapshots_(folder / "leaderboards"),
      follower_(log, clock, xp_gain, &snapshots_, pause_for) {}

LeaderboardHost::~LeaderboardHost() = default;

void LeaderboardHost::start() {
  thread_ = std::jthread([this](std::stop_token stop) {
    ::pthread_setname_np(::pthread_self(), "leaderboards");
    try {
      follower_.run(stop);
    } catch (const std::exception& e) {
      failed_(std::string("leaderboards: ") + e.what());
    }
  });
}

void LeaderboardHost::open_reads(const std::string& platform, const ConsistencyTokens& tokens, ReadModels* read_models) {
  if (read_models != nullptr) people_ = std::make_unique<PeopleOfReadModels>(*read_models, platform);
  reads_ = std::make_unique<LeaderboardReads>(
      LeaderboardsEnvironment{clock_, log_.identity(), tokens, follower_, people_.get()});
}

std::uint64_t LeaderboardHost::lag_events() const {
  std::vector<Sequence> positions = follower_.positions();
  std::uint64_t out = 0;
  for (ShardNo shard = 0; shard < positions.size(); ++shard) {
    const Sequence end = log_.durable_end(shard).sequence;
    out += end - std::min(end, positions[shard]);
  }
  return out;
}

}  // namespace guildhall
