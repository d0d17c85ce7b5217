// Read-your-writes where another process projects: the offsets that stand beside the rows tell how far it is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <vector>

#include "projectors/row_store.h"
#include "projectors/runner.h"

namespace guildhall {

// run() belongs to one thread; when_reached() may be called from any.
class OffsetWatch {
 public:
  static constexpr std::chrono::milliseconds look_every{10};  // While somebody waits.

  // The store is used by run() only, and outlives it.
  explicit OffsetWatch(RowStore& store) : store_(store) {}
  void run(std::stop_token stop);
  // `done` is called once, on the thread of run(), at the latest soon after the deadline; it must not block. What waits when
  // run() ends is answered timed_out.
  void when_reached(std::vector<Target> targets, std::chrono::steady_clock::time_point deadline,
                    std::move_only_function<void(WaitResult)> done);

 private:
  struct Wait {
    std::vector<Target> targets;
    std::chrono::steady_clock::time_point deadline;
    std::move_only_function<void(WaitResult)> done;
  };
  void settle(const std::vector<Sequence>& offsets, bool all);

  RowStore& store_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<Wait> waits_;
  bool ended_ = false;
};

}  // namespace guildhall
