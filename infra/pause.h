// A real wait that a stop request ends. Tests pass their own.
#pragma once

#include <chrono>
#include <stop_token>

namespace guildhall {

void pause_for(std::stop_token stop, std::chrono::milliseconds duration);

}  // namespace guildhall
