#include "infra/pause.h"

#include <condition_variable>
#include <mutex>

namespace guildhall {

void pause_for(std::stop_token stop, std::chrono::milliseconds duration) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, duration, [] { return false; });
}

}  // namespace guildhall
