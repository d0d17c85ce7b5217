// The embedded log of one platform: append-only segment files in DIR/log, group commit over all shards, one sync a group.
// What it promises about crashes, torn writes, errors and full disks: docs/log-format.md.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "events/event_log.h"
#include "infra/disk.h"
#include "infra/durable_mark.h"
#include "infra/head_anchor.h"
#include "infra/segment_directory.h"
#include "infra/segment_recovery.h"

namespace guildhall {

struct SegmentLogOptions {
  std::uint32_t segment_bytes = 64 << 20;    // At creation; later the log's own. Tests make it small.
  std::uint64_t min_free_bytes = 512 << 20;  // Below this plus min_free_segments nothing is admitted.
  std::uint32_t min_free_segments = 3;
  std::chrono::milliseconds space_check_interval{1'000};
  bool accept_loss = false;  // The operator's word that what is damaged or missing at the end may be cut.
  Disk* disk = nullptr;      // Outlives the log; nullptr: the system's.
};

// Thread-safe. Outlives its writers and readers; nothing is submitted once the destructor runs. It commits what was submitted
// (aborted only where that would need a next segment that is not there) and marks a clean stop.
class SegmentLog final : public EventLog {
 public:
  // Makes DIR/log. Throws LogError, also when there is a log already.
  static void create(const std::filesystem::path& dir, const LogIdentity& identity, const SegmentLogOptions& options = {});
  static bool exists(const std::filesystem::path& dir);
  // The one writer. Recovers, and only then returns. Throws LogError (in use, another platform or number of shards, disk), or
  // CorruptLog.
  static std::unique_ptr<SegmentLog> open(const std::filesystem::path& dir, const std::string& platform, std::uint32_t shards,
                                          const SegmentLogOptions& options = {});
  // For reading commands beside a live or stopped writer: takes no lock, changes nothing, ends at the durable mark.
  static std::unique_ptr<EventLog> open_read_only(const std::filesystem::path& dir);

  ~SegmentLog() override;

  const LogIdentity& identity() const override { return identity_; }
  std::unique_ptr<LogWriter> open(ShardNo shard) override;
  std::unique_ptr<LogReader> read(ShardNo shard, Sequence from) override;
  LogEnd durable_end(ShardNo shard) const override;
  bool admits() const override;
  void on_durable(std::function<void(ShardNo, Sequence)> listener) override { durable_listener_ = std::move(listener); }

  const RecoveryReport& recovery() const { return recovery_; }
  // Anchors the durable end, as after a state checkpoint. Any thread. Throws LogError; the log has failed then.
  void move_anchor();
  // Writers opened from now on have epochs above `epoch`. Before records are appended that carry epochs of another log's writers:
  // the next writer's must be higher than theirs. Durable when it returns. Throws LogError.
  void raise_epoch(Epoch epoch);
  // After a failed write or sync every outcome is unknown and the process must end; a restart tells what is in the log.
  std::optional<std::string> failure() const;
  // Called once, from the thread that met the error, before the first unknown outcome. Set before the first open.
  void on_failure(std::function<void(const std::string&)> listener) { failure_listener_ = std::move(listener); }

 private:
  class Writer;
  struct Waiting {
    ShardNo shard;
    Epoch epoch;
    Batch batch;
    std::move_only_function<void(AppendOutcome)> done;
  };
  struct ShardState {
    Epoch epoch = 0;  // Of the newest writer.
    bool in_flight = false;
  };

  SegmentLog(std::filesystem::path folder, File lock, HeadAnchor anchor, const SegmentLogOptions& options);
  void submit(Waiting waiting);
  void run_commits();
  void take_group();
  void commit_group();
  AppendOutcome write_frame();
  bool make_room(std::size_t frame_length);
  void seal();
  void run_preparation();
  void prepare_next();
  bool room_is_low() const;
  enum class Anchoring { end, clean_stop, new_epoch };
  std::optional<Epoch> anchor_tip(Anchoring what, Epoch at_least = 0);
  void fail(const std::string& what);
  std::uint64_t needed_free_bytes() const;

  const std::filesystem::path folder_;
  const SegmentLogOptions options_;
  Disk& disk_;
  File lock_;
  LogIdentity identity_;
  std::uint32_t segment_bytes_;
  RecoveryReport recovery_;
  SegmentDirectory directory_;
  std::optional<DurableMark> mark_;
  std::function<void(ShardNo, Sequence)> durable_listener_;
  std::function<void(const std::string&)> failure_listener_;

  // The commit thread's own: no lock.
  SegmentFile active_;
  std::vector<LogEnd> active_begin_;
  std::uint64_t active_records_ = 0;
  FrameEncoder encoder_;
  std::vector<Waiting> group_;
  std::vector<std::pair<Waiting, AppendOutcome>> refused_;
  std::vector<ShardBatch> group_batches_;

  // The durable end. Written by the commit thread only.
  mutable std::mutex tip_mutex_;
  LogTip tip_;

  std::mutex anchor_mutex_;  // Taken before tip_mutex_.
  HeadAnchor anchor_;

  mutable std::mutex queue_mutex_;
  std::condition_variable work_;     // To the commit thread.
  std::condition_variable settled_;  // To open(): a batch in flight has its outcome.
  std::vector<Waiting> waiting_;
  std::vector<ShardState> shards_;
  bool idle_ = false;
  bool stopping_ = false;
  std::string failure_;

  std::mutex preparation_mutex_;
  std::condition_variable prepare_;   // To the preparing thread.
  std::condition_variable prepared_;  // To the commit thread.
  bool preparation_stopping_ = false;
  std::uint32_t prepared_index_ = 0;  // The newest segment that exists.
  std::uint32_t wanted_index_ = 0;    // The newest that should.

  std::atomic<bool> failed_{false};
  std::atomic<bool> space_left_{false};
  std::atomic<bool> next_ready_{false};
  std::atomic<std::uint32_t> used_bytes_{0};  // Of the active segment.

  std::thread preparation_thread_;
  std::thread commit_thread_;
};

}  // namespace guildhall
