// Ctrl-C in a long command: the first one stops it gently, at its next look here; the second one at once.
#pragma once

namespace guildhall {

void watch_for_interrupt();
bool interrupted();

}  // namespace guildhall
