// The real binary, for tests of its commands.
#pragma once

#include <string>
#include <vector>

namespace guildhall::test {

struct CommandResult {
  int exit_code = -1;  // Minus the signal's number when one ended it.
  std::string out;
  std::string err;
};

// Runs it to its end, without settings of whoever runs the test.
CommandResult run_guildhall(const std::vector<std::string>& arguments);

}  // namespace guildhall::test
