// A long command's progress on stderr: records so far, rate and time left; every second on a terminal, in one line, else a line
// every ten. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>

#include "events/clock.h"

namespace guildhall {

class Progress {
 public:
  explicit Progress(const Clock& clock);
  void report(std::uint64_t done, std::uint64_t total);
  double seconds() const;  // Since it was made.

 private:
  const Clock& clock_;
  const bool terminal_;
  const Micros began_;
  std::mutex mutex_;
  Micros told_;
};

}  // namespace guildhall
