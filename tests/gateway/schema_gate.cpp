// schema_gate <released.bfbs> <present.bfbs>: prints what the present schema breaks of the released one; exit code 1 when it
// does, 2 when a file cannot be read. script/schema-gate runs it.
#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "gateway/schema_lint.h"

namespace {

std::string file_bytes(const char* path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(std::string("cannot read ") + path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: schema_gate <released.bfbs> <present.bfbs>\n");
    return 2;
  }
  try {
    const auto breaks = guildhall::lint_schema(file_bytes(argv[1]), file_bytes(argv[2]));
    for (const auto& found : breaks)
      std::printf("%s: %.*s: %s\n", found.place.c_str(), static_cast<int>(found.code.size()), found.code.data(),
                  found.detail.c_str());
    return breaks.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "schema_gate: %s\n", error.what());
    return 2;
  }
}
