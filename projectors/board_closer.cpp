#include "projectors/board_closer.h"

#include "events/board_period.h"

namespace guildhall {

BoardCloser::BoardCloser(EventLog& log, RowStore& store, const Clock& clock, Pause pause,
                         std::function<void(const std::string& why)> failed, BoardCloserLimits limits)
    : log_(log), store_(store), clock_(clock), pause_(std::move(pause)), failed_(std::move(failed)), limits_(limits) {}

void BoardCloser::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      look(stop);
    } catch (const std::exception& e) {
      ++failures_;
      failed_(e.what());
    }
    pause_(stop, limits_.look_every);
  }
}

std::size_t BoardCloser::look(std::stop_token stop) {
  if (!caught_up()) return 0;
  const Day today = day_of(clock_.now() - limits_.grace);
  std::size_t stored = 0;
  while (!stop.stop_requested() && store_.derive(today)) {
    ++stored;
    ++closed_;
  }
  return stored;
}

// The rows hold what the logs held at the last look. Under load they never hold all that is there now.
bool BoardCloser::caught_up() {
  std::vector<Sequence> ends;
  for (ShardNo shard = 0; shard < log_.identity().shards; ++shard) ends.push_back(log_.durable_end(shard).sequence);
  const std::vector<Sequence> wanted = ends_.empty() ? ends : ends_;
  ends_ = std::move(ends);
  const std::vector<Sequence> offsets = store_.offsets(Generation::live);
  for (ShardNo shard = 0; shard < wanted.size(); ++shard)
    if (shard >= offsets.size() || offsets[shard] < wanted[shard]) return false;
  return true;
}

}  // namespace guildhall
