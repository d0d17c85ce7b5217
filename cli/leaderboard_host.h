// The leaderboards of one platform in this process: the thread that keeps them up with the log, their snapshot in the data
// folder, and what the read models add to them over HTTP.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "cli/read_models.h"
#include "gateway/leaderboards.h"
#include "infra/snapshot_file.h"
#include "projectors/board_follower.h"

namespace guildhall {

class LeaderboardHost {
 public:
  // `folder` is the platform's. `failed` is called from the thread when it can't go on.
  LeaderboardHost(EventLog& log, const Clock& clock, const std::filesystem::path& folder,
                  std::function<void(const std::string& why)> failed);
  // The thread ends after it has saved the boards.
  ~LeaderboardHost();

  void start();
  void notify() { follower_.notify(); }
  // `read_models` may be nullptr; else it outlives the reads.
  void open_reads(const std::string& platform, const ConsistencyTokens& tokens, ReadModels* read_models);
  LeaderboardReads* reads() { return reads_.get(); }

  std::uint64_t lag_events() const;
  std::size_t memory_bytes() const { return follower_.memory_bytes(); }

 private:
  EventLog& log_;
  const Clock& clock_;
  const std::function<void(const std::string&)> failed_;
  SnapshotFile snapshots_;
  BoardFollower follower_;
  std::unique_ptr<BoardPeople> people_;
  std::unique_ptr<LeaderboardReads> reads_;
  std::jthread thread_;  // Last: it uses the follower.
};

}  // namespace guildhall
