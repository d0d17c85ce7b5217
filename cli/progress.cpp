#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>

namespace guildhall {
namespace {

constexpr Micros every_on_a_terminal = second_us, every_elsewhere = 10 * second_us;

}  // namespace

Progress::Progress(const Clock& clock)
    : clock_(clock), terminal_(::isatty(STDERR_FILENO) == 1), began_(clock.now()), told_(began_) {}

void Progress::report(std::uint64_t done, std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  const Micros now = clock_.now();
  if (now - told_ < (terminal_ ? every_on_a_terminal : every_elsewhere)) return;
  told_ = now;
  const double rate = static_cast<double>(done) / (static_cast<double>(now - began_) / 1e6);
  std::fprintf(stderr, "%s%llu of %llu records, %.0f/s, %.0f s left%s", terminal_ ? "\r" : "",
               static_cast<unsigned long long>(done), static_cast<unsigned long long>(total), rate,
               static_cast<double>(total - done) / rate, terminal_ ? "   " : "\n");
  if (terminal_ && done >= total) std::fputc('\r', stderr);
}

double Progress::seconds() const { return static_cast<double>(clock_.now() - began_) / 1e6; }

}  // namespace guildhall
