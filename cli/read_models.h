// The read models of one platform in this process: the projectors of the shards that it projects, the reads over HTTP, and
// waiting for rows wherever they are projected.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "aggregates/policy.h"
#include "gateway/commands.h"
#include "gateway/consistency_token.h"
#include "gateway/reads.h"
#include "infra/postgres_pool.h"
#include "infra/postgres_row_store.h"
#include "projectors/board_closer.h"
#include "projectors/offset_watch.h"
#include "projectors/platforms.h"
#include "projectors/runner.h"

namespace guildhall {

class ReadModels {
 public:
  // Connects, and makes the tables or checks them. Row policies find the platform's settings as those of the sessions that read.
  // `failed` is called from any thread when a projector can't go on. Throws RowStoreError.
  ReadModels(EventLog& log, PlatformReadModels models, const PlatformPolicy& policy, const Clock& clock, std::string postgres_url,
             std::function<void(const std::string& why)> failed);
  // stop().
  ~ReadModels();

  // Projects these shards by one thread, until unfollow() of any of them. Who projects at all also closes leaderboards, by a
  // thread of its own. Any thread.
  void follow(const std::vector<ShardNo>& shards);
  void unfollow(ShardNo shard);
  void notify(ShardNo shard);  // There may be more in the log.

  // Reads over HTTP; once.
  void open_reads(const std::string& platform, const ConsistencyTokens& tokens);
  ReadHandler* reads() { return reads_.get(); }
  // For what is read beside a relation's rows, through the pool of the query's role. After open_reads().
  void query(ReadQuery query, ReadCallback callback);
  bool has_relation(std::string_view name) const { return relations_.contains(name); }
  void stop_reads();
  // Every projector ends after its transaction; who waits for rows is told so, before it returns. Repeatable.
  void stop();

  // Calls back once, from any thread, when the rows hold all of it, whoever projects them.
  void wait_for(std::vector<Target> targets, Micros timeout_us, std::function<void(PositionWait)> done);
  std::vector<ShardProgress> progress() const;  // Of the shards that this process projects, by number.
  const BoardCloser* closer() const;            // nullptr: it closes no leaderboards.

 private:
  struct Projector;
  struct Closer;
  std::shared_ptr<Projector> projector_of(ShardNo shard) const;

  EventLog& log_;
  const PlatformReadModels models_;
  const PlatformPolicy& policy_;
  const Clock& clock_;
  const std::string url_;
  const std::function<void(const std::string&)> failed_;
  mutable std::mutex mutex_;
  std::map<ShardNo, std::shared_ptr<Projector>> projectors_;
  std::unique_ptr<Closer> closer_;  // Made by the first follow(), for good.
  PostgresRowStore watched_;
  OffsetWatch watch_;
  std::unique_ptr<PostgresPool> user_reads_;
  std::unique_ptr<PostgresPool> service_reads_;
  std::unique_ptr<ReadHandler> reads_;
  std::set<std::string, std::less<>> relations_;  // That clients may name.
  std::jthread watch_thread_;
};

}  // namespace guildhall
