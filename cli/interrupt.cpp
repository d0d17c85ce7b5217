#include "cli/interrupt.h"

#include <atomic>
#include <csignal>

namespace guildhall {
namespace {

std::atomic<bool> seen{false};
void interrupt(int) {
  seen = true;
  std::signal(SIGINT, SIG_DFL);
}

}  // namespace

void watch_for_interrupt() { std::signal(SIGINT, interrupt); }
bool interrupted() { return seen; }

}  // namespace guildhall
