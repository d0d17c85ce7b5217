// Stores the ranks of leaderboards whose period is over (DR-24), beside the projection and not in it: out of the rows, once they
// hold the logs. Whatever fails here is tried again; the view is exact with the stored ranks and without them.
#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <vector>

#include "events/event_log.h"
#include "projectors/row_store.h"
#include "projectors/runner.h"

namespace guildhall {

struct BoardCloserLimits {
  // After a period's end, for shards that lag and clocks that differ. What comes later yet is stored anew: this only spares that.
  Micros grace = 5 * minute_us;
  std::chrono::milliseconds look_every{30'000};
};

// run() and look() belong to one thread.
class BoardCloser {
 public:
  // All references outlive it; the store is used by nobody else. `failed` is told what went wrong, once a look.
  BoardCloser(EventLog& log, RowStore& store, const Clock& clock, Pause pause, std::function<void(const std::string& why)> failed,
              BoardCloserLimits limits = {});

  // Looks at once and from time to time, until a stop is asked for. Never throws.
  void run(std::stop_token stop);
  // Stores the boards that are over, newest first; returns how many. None while the rows are behind. Throws RowStoreError and
  // what the log throws.
  std::size_t look(std::stop_token stop = {});

  std::uint64_t closed() const { return closed_; }  // Any thread; so is the next.
  std::uint64_t failures() const { return failures_; }

 private:
  bool caught_up();

  EventLog& log_;
  RowStore& store_;
  const Clock& clock_;
  const Pause pause_;
  const std::function<void(const std::string&)> failed_;
  const BoardCloserLimits limits_;
  std::vector<Sequence> ends_;  // Of the logs, at the last look.
  std::atomic<std::uint64_t> closed_{0}, failures_{0};
};

}  // namespace guildhall
