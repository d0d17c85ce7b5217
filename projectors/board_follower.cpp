#include "projectors/board_follower.h"

#include <algorithm>

namespace guildhall {
namespace {

constexpr std::string_view snapshot_magic = "GHBOARD1";
constexpr std::size_t hash_bytes = sizeof(Hash);

void append_number(std::string& out, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

std::optional<std::uint64_t> take_number(std::string_view& rest) {
  if (rest.size() < sizeof(std::uint64_t)) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest[i])) << (8 * i);
  rest.remove_prefix(sizeof value);
  return value;
}

}  // namespace

BoardFollower::BoardFollower(EventLog& log, const Clock& clock, GainOf gain_of, SnapshotStore* snapshots, Pause pause,
                             BoardFollowerLimits limits)
    : log_(log),
      clock_(clock),
      gain_of_(gain_of),
      snapshots_(snapshots),
      pause_(std::move(pause)),
      limits_(limits),
      shards_(log.identity().shards),
      positions_(log.identity().shards, 0) {}

void BoardFollower::run(std::stop_token stop) {
  // However run() ends, nobody is left waiting.
  struct AtEnd {
    BoardFollower& follower;
    ~AtEnd() {
      {
        const std::lock_guard lock(follower.waits_mutex_);
        follower.ended_ = true;
      }
      follower.answer_waits(true);
    }
  } at_end{*this};
  auto backoff = limits_.first_backoff;
  while (!stop.stop_requested()) {
    {
      const std::lock_guard lock(waits_mutex_);
      work_ = false;
    }
    bool moved = false;
    try {
      moved = step();
      if (applied_gains_ - saved_at_gains_ >= limits_.snapshot_gains && !moved) keep();
      backoff = limits_.first_backoff;
    } catch (const LogError& e) {
      if (!e.retryable()) throw;
      pause_(stop, backoff);
      backoff = std::min(limits_.max_backoff, backoff * 2);
      continue;
    }
    answer_waits(false);
    std::unique_lock lock(waits_mutex_);
    if (moved) {
      if (ready_) wake_.wait_for(lock, stop, limits_.rest, [&] { return !waits_.empty(); });
      continue;
    }
    auto wake_at = std::chrono::steady_clock::now() + limits_.tick;
    for (const Wait& wait : waits_) wake_at = std::min(wake_at, wait.deadline);
    const std::size_t waits = waits_.size();
    wake_.wait_until(lock, stop, wake_at, [&] { return work_ || waits_.size() != waits; });
  }
  keep();
}

// A snapshot spares time and nothing else: without one the next start reads more.
void BoardFollower::keep() {
  try {
    save();
  } catch (const LogError&) {
    saved_at_gains_ = applied_gains_;  // Tried again after as many more.
  }
}

bool BoardFollower::step() {
  if (!started_) start();
  {
    const std::lock_guard lock(boards_mutex_);
    boards_.roll(clock_.now());
  }
  bool moved = false;
  for (ShardNo shard = 0; shard < shards_.size(); ++shard) moved = follow(shard) || moved;
  if (!moved && !ready_) {
    const std::lock_guard lock(boards_mutex_);
    ready_ = true;
  }
  return moved;
}

void BoardFollower::start() {
  const auto bytes = snapshots_ != nullptr ? snapshots_->load() : std::nullopt;
  from_snapshot_ = bytes && restore(*bytes);
  if (!from_snapshot_) {
    boards_ = {};
    positions_.assign(shards_.size(), 0);
    shards_ = std::vector<Shard>(shards_.size());
  }
  saved_positions_ = positions_;
  started_ = true;
}

// A snapshot of another log, or of records that the log does not have, is none.
bool BoardFollower::restore(std::string_view bytes) {
  const LogIdentity& identity = log_.identity();
  if (!bytes.starts_with(snapshot_magic)) return false;
  bytes.remove_prefix(snapshot_magic.size());
  for (const std::uint64_t expected : {identity.log_id.hi(), identity.log_id.lo(), std::uint64_t{identity.shards}})
    if (take_number(bytes) != expected) return false;
  for (ShardNo shard = 0; shard < shards_.size(); ++shard) {
    const auto position = take_number(bytes);
    if (!position || bytes.size() < hash_bytes) return false;
    std::copy_n(bytes.begin(), hash_bytes, reinterpret_cast<char*>(shards_[shard].head.data()));
    bytes.remove_prefix(hash_bytes);
    positions_[shard] = *position;
    if (*position == 0) continue;
    try {
      shards_[shard].reader = log_.read(shard, *position);
      const Record* at = shards_[shard].reader->next();
      if (at == nullptr || at->chain != shards_[shard].head) return false;
    } catch (const LogError& e) {
      if (e.retryable()) throw;
      return false;  // The log ends before it.
    }
  }
  return boards_.load(bytes);
}

bool BoardFollower::follow(ShardNo number) {
  Shard& shard = shards_[number];
  const Sequence before = positions_[number];
  Sequence read = before;
  std::vector<XpGain> gains;
  try {
    if (!shard.reader) shard.reader = log_.read(number, before + 1);
    for (std::size_t records = 0; records < limits_.records_per_turn; ++records) {
      const Record* record = shard.reader->next();
      if (record == nullptr) break;
      if (auto gain = gain_of_(*record)) gains.push_back(*gain);
      read = record->header.sequence;
      shard.head = record->chain;
      if (gains.size() < limits_.gains_per_turn) continue;
      apply(number, read, gains);
      gains.clear();
    }
  } catch (...) {
    shard.reader.reset();
    if (read > positions_[number]) apply(number, read, gains);
    throw;
  }
  if (read > positions_[number]) apply(number, read, gains);
  return positions_[number] > before;
}

void BoardFollower::apply(ShardNo shard, Sequence upto, const std::vector<XpGain>& gains) {
  const std::lock_guard lock(boards_mutex_);
  for (const XpGain& gain : gains) boards_.apply(gain);
  positions_[shard] = upto;
  applied_gains_ += gains.size();
}

void BoardFollower::save() {
  if (snapshots_ == nullptr || positions_ == saved_positions_) return;
  snapshots_->save([&](const ByteSink& sink) {
    std::string head(snapshot_magic);
    const LogIdentity& identity = log_.identity();
    for (const std::uint64_t number : {identity.log_id.hi(), identity.log_id.lo(), std::uint64_t{identity.shards}})
      append_number(head, number);
    for (ShardNo shard = 0; shard < shards_.size(); ++shard) {
      append_number(head, positions_[shard]);
      head.append(reinterpret_cast<const char*>(shards_[shard].head.data()), hash_bytes);
    }
    sink(head);
    boards_.save(sink);
  });
  saved_positions_ = positions_;
  saved_at_gains_ = applied_gains_;
}

void BoardFollower::notify() {
  {
    const std::lock_guard lock(waits_mutex_);
    work_ = true;
  }
  wake_.notify_all();
}

bool BoardFollower::reached(const std::vector<Target>& targets) const {
  const std::shared_lock lock(boards_mutex_);
  return ready_ && std::ranges::all_of(targets, [&](const Target& t) { return positions_.at(t.shard) >= t.sequence; });
}

void BoardFollower::when_reached(std::vector<Target> targets, std::chrono::steady_clock::time_point deadline,
                                 std::move_only_function<void(WaitResult)> done) {
  if (reached(targets)) return done(WaitResult::reached);
  {
    std::unique_lock lock(waits_mutex_);
    if (ended_) {
      lock.unlock();
      return done(WaitResult::timed_out);
    }
    waits_.push_back({std::move(targets), deadline, std::move(done)});
    work_ = true;  // What was reached meanwhile is answered in the next round.
  }
  wake_.notify_all();
}

// Answers the waits whose end is known or whose time is over, or `all`.
void BoardFollower::answer_waits(bool all) {
  std::vector<std::pair<Wait, WaitResult>> answered;
  {
    const std::lock_guard lock(waits_mutex_);
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(waits_, [&](Wait& wait) {
      const bool is_reached = reached(wait.targets);
      if (!is_reached && !all && wait.deadline > now) return false;
      answered.emplace_back(std::move(wait), is_reached ? WaitResult::reached : WaitResult::timed_out);
      return true;
    });
  }
  for (auto& [wait, result] : answered) wait.done(result);
}

std::vector<Sequence> BoardFollower::positions() const {
  const std::shared_lock lock(boards_mutex_);
  return positions_;
}

std::uint64_t BoardFollower::applied_gains() const {
  const std::shared_lock lock(boards_mutex_);
  return applied_gains_;
}

std::size_t BoardFollower::memory_bytes() const {
  const std::shared_lock lock(boards_mutex_);
  return boards_.memory_bytes();
}

}  // namespace guildhall
