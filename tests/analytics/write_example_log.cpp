// Writes the example log into a data folder: `write_example_log DATA PLATFORM`. examples_test.sh has its program here.
#include <cstdio>

#include "tests/analytics/example_log.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: write_example_log DATA PLATFORM\n", stderr);
    return 2;
  }
  guildhall::test::write_example_log(argv[1], argv[2]);
  return 0;
}
