#include "infra/segment_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "events/check.h"
#include "infra/crash_point.h"
#include "infra/segment_reader.h"

namespace guildhall {
namespace {

constexpr const char* folder_name = "log";
constexpr const char* unfinished_folder_name = "log.unfinished";
constexpr const char* anchor_name = "anchor";
constexpr const char* lock_name = "lock";
constexpr const char* mark_name = "durable";

SegmentHeader new_segment(const LogIdentity& identity, std::uint32_t index, std::uint32_t bytes, Disk& disk) {
  return {identity.platform, identity.log_id, identity.shards, index, bytes, disk.nonce()};
}

std::filesystem::path existing_folder(const std::filesystem::path& dir) {
  const auto folder = dir / folder_name;
  if (!SegmentLog::exists(dir)) throw LogError("there is no log in " + folder.string(), "data folder", false);
  return folder;
}

// Reading commands: everything from files, nothing from a writer's memory.
class ReadOnlyLog final : public EventLog {
 public:
  explicit ReadOnlyLog(std::filesystem::path folder) : ReadOnlyLog(folder, HeadAnchor(folder / anchor_name, O_RDONLY)) {}

  const LogIdentity& identity() const override { return identity_; }
  std::unique_ptr<LogWriter> open(ShardNo) override {
    throw LogError("the log is open for reading only", "start the server", false);
  }
  std::unique_ptr<LogReader> read(ShardNo shard, Sequence from) override {
    if (shard >= identity_.shards || from == 0 || from > durable_end(shard).sequence + 1)
      throw LogError("read starts beyond the log's end", "position of the reader", false);
    return std::make_unique<SegmentReader>(FrameWalker(folder_, identity_, directory_.find(shard, from)), identity_, shard, from,
                                           mark_);
  }
  LogEnd durable_end(ShardNo shard) const override {
    const std::lock_guard lock(mutex_);
    while (walker_->next(mark_.position())) {
      for (const FrameEntry& e : walker_->entries()) ends_.at(e.shard) = {e.last(), e.head};
    }
    return ends_.at(shard);
  }
  bool admits() const override { return false; }
  void on_durable(std::function<void(ShardNo, Sequence)>) override { CHECK(false); }

 private:
  ReadOnlyLog(std::filesystem::path folder, const HeadAnchor& anchor)
      : folder_(std::move(folder)),
        identity_(anchor.identity()),
        mark_(DurableMark::follow(folder_ / mark_name, anchor.state().tip.position)),
        ends_(anchor.state().tip.ends),
        walker_(FrameWalker(folder_, identity_, anchor.state().tip.position)) {
    std::vector<LogEnd> before(identity_.shards);
    directory_.add_segment(before);
    for (std::uint32_t index = 1; index < mark_.position().segment; ++index) {
      const auto footer = SegmentFile::open(folder_, index, identity_, O_RDONLY).read_footer();
      if (!footer) throw CorruptLog(segment_path(folder_, index).string() + ": the footer is damaged or missing");
      directory_.add_segment(footer->tip.ends);
    }
  }

  const std::filesystem::path folder_;
  const LogIdentity identity_;
  const DurableMark mark_;
  SegmentDirectory directory_;  // As of the open; a reader that starts in a newer segment walks there.
  mutable std::mutex mutex_;
  mutable std::vector<LogEnd> ends_;
  mutable std::optional<FrameWalker> walker_;  // Behind it the ends are known.
};

}  // namespace

class SegmentLog::Writer final : public LogWriter {
 public:
  Writer(SegmentLog& log, ShardNo shard, Epoch epoch, LogEnd end) : log_(log), shard_(shard), epoch_(epoch), end_(end) {}
  Epoch epoch() const override { return epoch_; }
  LogEnd end() const override { return end_; }
  void submit(Batch batch, std::move_only_function<void(AppendOutcome)> done) override {
    log_.submit({shard_, epoch_, std::move(batch), std::move(done)});
  }

 private:
  SegmentLog& log_;
  const ShardNo shard_;
  const Epoch epoch_;
  const LogEnd end_;
};

// ---- creating and opening

bool SegmentLog::exists(const std::filesystem::path& dir) { return std::filesystem::exists(dir / folder_name); }

void SegmentLog::create(const std::filesystem::path& dir, const LogIdentity& identity, const SegmentLogOptions& options) {
  Disk& disk = options.disk != nullptr ? *options.disk : system_disk();
  const auto folder = dir / folder_name;
  if (identity.platform.empty() || identity.platform.size() > 64 || is_nil(identity.log_id))
    throw LogError("a log needs a platform and an id", "platform", false);
  if (identity.shards == 0 || identity.shards > max_shards)
    throw LogError(fmt::format("{} shards", identity.shards), "shards (1 to 4096)", false);
  if (options.segment_bytes < min_segment_bytes || options.segment_bytes % block_bytes != 0 ||
      options.segment_bytes < segment_header_bytes + 2 * footer_bytes(identity.shards))
    throw LogError(fmt::format("segments of {} bytes", options.segment_bytes),
                   "segment size: a multiple of 4096 that holds its footer", false);
  try {
    if (std::filesystem::exists(folder)) throw LogError("there is a log already in " + folder.string(), "data folder", false);
    // Built aside and renamed: a crash leaves a whole log or none.
    const auto unfinished = dir / unfinished_folder_name;
    std::filesystem::create_directories(dir);
    std::filesystem::remove_all(unfinished);
    std::filesystem::create_directory(unfinished);
    create_segment(unfinished, new_segment(identity, 1, options.segment_bytes, disk), disk);
    HeadAnchor::create(unfinished / anchor_name, identity, options.segment_bytes, disk);
    sync_folder_or_throw(disk, unfinished);
    std::filesystem::rename(unfinished, folder);
    sync_folder_or_throw(disk, dir);
  } catch (const std::filesystem::filesystem_error& e) {
    throw LogError(e.what(), "data folder", false);
  }
}

std::unique_ptr<SegmentLog> SegmentLog::open(const std::filesystem::path& dir, const std::string& platform, std::uint32_t shards,
                                             const SegmentLogOptions& options) try {
  const auto folder = existing_folder(dir);
  File lock(folder / lock_name, O_RDWR | O_CREAT);
  if (::flock(lock.fd(), LOCK_EX | LOCK_NB) != 0)
    throw LogError("another process writes the log in " + folder.string(), "data folder: one server each", false);
  HeadAnchor anchor(folder / anchor_name, O_RDWR);
  const LogIdentity& found = anchor.identity();
  if (found.platform != platform)
    throw LogError(fmt::format("the log in {} is of platform {}, not {}", folder.string(), found.platform, platform),
                   "platform, data folder", false);
  if (found.shards != shards)
    throw LogError(fmt::format("the log in {} has {} shards, not {}", folder.string(), found.shards, shards),
                   "shards: fixed at creation", false);
  return std::unique_ptr<SegmentLog>(new SegmentLog(folder, std::move(lock), std::move(anchor), options));
} catch (const std::filesystem::filesystem_error& e) {
  throw LogError(e.what(), "data folder", false);
}

std::unique_ptr<EventLog> SegmentLog::open_read_only(const std::filesystem::path& dir) {
  return std::make_unique<ReadOnlyLog>(existing_folder(dir));
}

SegmentLog::SegmentLog(std::filesystem::path folder, File lock, HeadAnchor anchor, const SegmentLogOptions& options)
    : folder_(std::move(folder)),
      options_(options),
      disk_(options.disk != nullptr ? *options.disk : system_disk()),
      lock_(std::move(lock)),
      identity_(anchor.identity()),
      segment_bytes_(anchor.segment_bytes()),
      anchor_(std::move(anchor)),
      shards_(identity_.shards) {
  remove_unfinished_segments(folder_);
  RecoveredLog recovered = recover_log(folder_, anchor_, options_.accept_loss, directory_, disk_);
  recovery_ = std::move(recovered.report);
  active_ = std::move(recovered.active);
  active_begin_ = std::move(recovered.begin);
  for (ShardNo shard = 0; shard < identity_.shards; ++shard)
    active_records_ += recovered.tip.ends[shard].sequence - active_begin_[shard].sequence;
  tip_ = std::move(recovered.tip);
  used_bytes_ = tip_.position.offset;
  prepared_index_ = wanted_index_ = active_.header.index + (recovered.next_prepared ? 1 : 0);
  next_ready_ = recovered.next_prepared;

  // A damaged slot may have been the newest: it can have known one epoch more.
  const Epoch epoch = std::max(recovered.last_epoch, anchor_.state().epoch) + (anchor_.slot_damaged() ? 2 : 1);
  AnchorState state{.epoch = epoch, .clean = false, .tip = tip_};
  if (const int error = anchor_.move(state, disk_)) throw_disk_error("cannot move the anchor in", folder_, error);
  mark_.emplace(DurableMark::own(folder_ / mark_name, tip_.position, disk_));
  sync_folder_or_throw(disk_, folder_);
  space_left_ = disk_.free_bytes(folder_) >= needed_free_bytes();

  if (room_is_low() && !next_ready_) wanted_index_ = active_.header.index + 1;
  preparation_thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "log-segments");
    run_preparation();
  });
  commit_thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "log-commit");
    run_commits();
  });
}

SegmentLog::~SegmentLog() {
  {
    const std::lock_guard lock(queue_mutex_);
    stopping_ = true;
  }
  {
    const std::lock_guard lock(preparation_mutex_);
    preparation_stopping_ = true;
  }
  work_.notify_all();
  prepare_.notify_all();
  prepared_.notify_all();
  commit_thread_.join();
  preparation_thread_.join();
  // An error here only makes the next open slower: it finds no clean stop.
  if (!failed_) anchor_tip(Anchoring::clean_stop);
}

// ---- the seam

std::unique_ptr<LogWriter> SegmentLog::open(ShardNo shard) {
  CHECK(shard < identity_.shards);
  // Durable before any record carries it, so that no later writer gets the same.
  const auto epoch = anchor_tip(Anchoring::new_epoch);
  if (!epoch) throw LogError("the log failed: " + failure().value_or(""), "disk", false);
  std::unique_lock lock(queue_mutex_);
  ShardState& state = shards_[shard];
  state.epoch = std::max(state.epoch, *epoch);
  settled_.wait(lock, [&] { return !state.in_flight; });
  return std::make_unique<Writer>(*this, shard, *epoch, durable_end(shard));
}

std::unique_ptr<LogReader> SegmentLog::read(ShardNo shard, Sequence from) {
  if (shard >= identity_.shards || from == 0 || from > durable_end(shard).sequence + 1)
    throw LogError("read starts beyond the log's end", "position of the reader", false);
  return std::make_unique<SegmentReader>(FrameWalker(folder_, identity_, directory_.find(shard, from)), identity_, shard, from,
                                         *mark_);
}

LogEnd SegmentLog::durable_end(ShardNo shard) const {
  const std::lock_guard lock(tip_mutex_);
  return tip_.ends.at(shard);
}

bool SegmentLog::admits() const {
  // The next segment is wanted from the half on; from three quarters on its absence means that the disk does not keep up.
  return !failed_ && space_left_ && (next_ready_ || used_bytes_ < segment_bytes_ / 4 * 3);
}

std::optional<std::string> SegmentLog::failure() const {
  const std::lock_guard lock(queue_mutex_);
  if (failure_.empty()) return std::nullopt;
  return failure_;
}

void SegmentLog::move_anchor() {
  if (!anchor_tip(Anchoring::end)) throw LogError("cannot move the anchor: " + failure().value_or(""), "disk", false);
}

void SegmentLog::raise_epoch(Epoch epoch) {
  if (!anchor_tip(Anchoring::end, epoch)) throw LogError("cannot move the anchor: " + failure().value_or(""), "disk", false);
}

// ---- committing

void SegmentLog::submit(Waiting waiting) {
  CHECK(waiting.batch.count > 0 && !waiting.batch.bytes.empty() && waiting.batch.bytes.size() % 8 == 0);
  bool wake = false;
  {
    const std::lock_guard lock(queue_mutex_);
    waiting_.push_back(std::move(waiting));
    wake = std::exchange(idle_, false);
  }
  if (wake) work_.notify_one();
}

void SegmentLog::run_commits() {
  for (;;) {
    {
      std::unique_lock lock(queue_mutex_);
      while (waiting_.empty() && !stopping_) {
        idle_ = true;
        work_.wait(lock);
      }
      idle_ = false;
      if (waiting_.empty()) return;
      take_group();
    }
    for (auto& [w, outcome] : refused_) w.done(outcome);
    refused_.clear();
    if (!group_.empty()) commit_group();
  }
}

// As many batches as a frame holds, one a shard, ascending; the rest wait for the next.
void SegmentLog::take_group() {
  const std::size_t largest =
      std::min<std::size_t>(max_frame_bytes, segment_bytes_ - segment_header_bytes - footer_bytes(identity_.shards));
  std::size_t bytes = frame_header_bytes + frame_trailer_bytes;
  std::size_t kept = 0;
  for (Waiting& w : waiting_) {
    const std::size_t own_bytes = frame_entry_bytes + w.batch.bytes.size();
    ShardState& shard = shards_[w.shard];
    if (w.epoch != shard.epoch) {
      refused_.emplace_back(std::move(w), AppendOutcome::fenced);
    } else if (frame_header_bytes + frame_trailer_bytes + own_bytes > largest) {
      refused_.emplace_back(std::move(w), AppendOutcome::aborted);  // Larger than a segment.
    } else if (bytes + own_bytes <= largest && !shard.in_flight) {
      bytes += own_bytes;
      shard.in_flight = true;
      group_.push_back(std::move(w));
    } else {
      if (&waiting_[kept] != &w) waiting_[kept] = std::move(w);
      ++kept;
    }
  }
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(kept), waiting_.end());
  std::ranges::sort(group_, {}, &Waiting::shard);
}

void SegmentLog::commit_group() {
  const AppendOutcome outcome = failed_ ? AppendOutcome::unknown : write_frame();
  {
    const std::lock_guard lock(queue_mutex_);
    for (const Waiting& w : group_) shards_[w.shard].in_flight = false;
  }
  settled_.notify_all();
  for (Waiting& w : group_) {
    if (outcome == AppendOutcome::committed && durable_listener_) durable_listener_(w.shard, w.batch.last());
    w.done(outcome);
  }
  group_.clear();
  crash_at("log_after_outcome");
}

AppendOutcome SegmentLog::write_frame() {
  group_batches_.clear();
  for (const Waiting& w : group_) {
    // Only this thread changes the tip, so it reads without the lock.
    const LogEnd& end = tip_.ends[w.shard];
    CHECK(w.batch.first == end.sequence + 1 && w.batch.head_before == end.head);
    group_batches_.push_back({w.shard, &w.batch});
  }
  if (!make_room(frame_bytes(group_batches_))) return failed_ ? AppendOutcome::unknown : AppendOutcome::aborted;
  const std::uint32_t offset = tip_.position.offset;
  const std::string_view frame =
      encoder_.encode(active_.header.nonce, tip_.frame_number + 1, tip_.frame_hash, offset, group_batches_);
  crash_at("log_before_write");
  if (const int error = disk_.write(active_.file.fd(), offset, frame)) {
    fail(fmt::format("write to {}: {}", active_.file.path().string(), std::generic_category().message(error)));
    return AppendOutcome::unknown;
  }
  crash_at("log_after_write");
  if (const int error = disk_.sync_data(active_.file.fd())) {
    fail(fmt::format("sync of {}: {}", active_.file.path().string(), std::generic_category().message(error)));
    return AppendOutcome::unknown;
  }
  crash_at("log_after_sync");
  directory_.add_frame(offset, tip_.ends);
  {
    const std::lock_guard lock(tip_mutex_);
    for (const Waiting& w : group_) {
      tip_.ends[w.shard] = {w.batch.last(), w.batch.head};
      active_records_ += w.batch.count;
    }
    tip_.position.offset += static_cast<std::uint32_t>(frame.size());
    ++tip_.frame_number;
    tip_.frame_hash = encoder_.hash();
  }
  mark_->publish(tip_.position);
  used_bytes_ = tip_.position.offset;
  if (room_is_low() && !next_ready_) {
    const std::lock_guard lock(preparation_mutex_);
    if (wanted_index_ == active_.header.index) {
      wanted_index_ = active_.header.index + 1;
      prepare_.notify_one();
    }
  }
  return AppendOutcome::committed;
}

// Seals the active segment when the frame does not fit. Waits for the next one: a full disk stops commits, it does not tear them.
// False when the log failed or stops meanwhile; nothing was written then.
bool SegmentLog::make_room(std::size_t frame_length) {
  if (tip_.position.offset + frame_length <= data_limit(active_.header)) return true;
  const std::uint32_t next = active_.header.index + 1;
  {
    std::unique_lock lock(preparation_mutex_);
    wanted_index_ = next;
    prepare_.notify_one();
    prepared_.wait(lock, [&] { return prepared_index_ >= next || preparation_stopping_ || failed_; });
    if (prepared_index_ < next || failed_) return false;
  }
  try {
    seal();
    active_ = SegmentFile::open(folder_, next, identity_, O_RDWR);
  } catch (const std::exception& e) {
    fail(e.what());
    return false;
  }
  active_begin_ = tip_.ends;
  active_records_ = 0;
  directory_.add_segment(tip_.ends);
  {
    const std::lock_guard lock(tip_mutex_);
    tip_.position = {next, segment_header_bytes};
  }
  used_bytes_ = segment_header_bytes;
  next_ready_ = false;
  return true;
}

void SegmentLog::seal() {
  crash_at("seal_before_footer");
  const SegmentFooter footer{.records = active_records_, .begin = active_begin_, .tip = tip_};
  write_or_throw(disk_, active_.file, data_limit(active_.header), encode(footer, active_.header));
  crash_at("seal_after_footer");
  sync_or_throw(disk_, active_.file);
  crash_at("seal_after_sync");
  if (!anchor_tip(Anchoring::end)) throw LogError(failure().value_or(""), "disk", false);
}

// The epoch that the anchor now holds, or nullopt after a failure.
std::optional<Epoch> SegmentLog::anchor_tip(Anchoring what, Epoch at_least) {
  const std::lock_guard lock(anchor_mutex_);
  if (failed_) return std::nullopt;
  AnchorState state;
  state.epoch = std::max(anchor_.state().epoch + (what == Anchoring::new_epoch ? 1 : 0), at_least);
  state.clean = what == Anchoring::clean_stop;
  {
    const std::lock_guard tip_lock(tip_mutex_);
    state.tip = tip_;
  }
  if (const int error = anchor_.move(std::move(state), disk_)) {
    fail(fmt::format("anchor in {}: {}", folder_.string(), std::generic_category().message(error)));
    return std::nullopt;
  }
  return anchor_.state().epoch;
}

void SegmentLog::fail(const std::string& what) {
  {
    const std::lock_guard lock(queue_mutex_);
    if (!failure_.empty()) return;
    failure_ = what;
  }
  failed_ = true;
  {
    const std::lock_guard lock(preparation_mutex_);  // So that a waiting commit thread sees it.
  }
  prepared_.notify_all();
  if (failure_listener_) failure_listener_(what);
}

// ---- preparing segments, watching space

bool SegmentLog::room_is_low() const { return used_bytes_ >= segment_bytes_ / 2; }

std::uint64_t SegmentLog::needed_free_bytes() const {
  return options_.min_free_bytes + std::uint64_t{options_.min_free_segments} * segment_bytes_;
}

void SegmentLog::run_preparation() {
  std::unique_lock lock(preparation_mutex_);
  while (!preparation_stopping_) {
    const std::uint32_t wanted = wanted_index_;
    lock.unlock();
    if (prepared_index_ < wanted && !failed_) prepare_next();
    space_left_ = disk_.free_bytes(folder_) >= needed_free_bytes();
    lock.lock();
    // Woken for a segment; else space is looked at now and then, and a segment that could not be made is tried again.
    prepare_.wait_for(lock, options_.space_check_interval, [&] { return preparation_stopping_ || wanted_index_ != wanted; });
  }
}

void SegmentLog::prepare_next() {
  const std::uint32_t next = prepared_index_ + 1;  // Only this thread changes it.
  try {
    create_segment(folder_, new_segment(identity_, next, segment_bytes_, disk_), disk_);
  } catch (const LogError& e) {
    // A full disk may get room again; admits() is false meanwhile, and what is committed stays so. Anything else comes back at
    // every try, and a commit that waits for this segment would wait for ever. Neither may a segment stay that has its name but
    // perhaps not for good, because its folder could not be synced.
    if (e.retryable() && !std::filesystem::exists(segment_path(folder_, next))) return;
    fail(e.what());
    return;
  }
  {
    const std::lock_guard lock(preparation_mutex_);
    prepared_index_ = next;
    next_ready_ = true;
  }
  prepared_.notify_all();
}

}  // namespace guildhall
