// Child processes of the benchmark, and what the kernel says of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace guildhall {

using Environment = std::vector<std::pair<std::string, std::string>>;  // Set on top of our own variables.

struct ProcessUsage {
  double cpu_seconds = 0;  // User and system, all threads.
  std::uint64_t resident_bytes = 0;
  std::uint64_t peak_resident_bytes = 0;
};

ProcessUsage usage_of(pid_t pid);

// A child that is sent SIGTERM when this process dies, and when the object goes.
class Process {
 public:
  // Standard output and error go to `output`. Throws std::system_error.
  Process(std::vector<std::string> arguments, const Environment& environment, const std::filesystem::path& output);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  bool running();
  // SIGTERM, then its exit status; 128 + signal when that ended it.
  int stop();
  ProcessUsage usage() const { return usage_of(pid_); }

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// Runs a program to its end and returns its standard output; its standard error goes to `errors`. Throws std::runtime_error with
// the end of that file when it does not exit with 0.
std::string run_program(std::vector<std::string> arguments, const Environment& environment, const std::filesystem::path& errors,
                        const std::filesystem::path& folder = {});

// The same, line by line while it runs: for output that is too long to keep.
class LineConsumer {
 public:
  virtual ~LineConsumer() = default;
  virtual void line(std::string_view text) = 0;
};
void run_program(std::vector<std::string> arguments, const Environment& environment, const std::filesystem::path& errors,
                 LineConsumer& consumer, const std::filesystem::path& folder = {});

std::string text_of_file(const std::filesystem::path& path);
// The last lines of a file, for messages.
std::string tail_of_file(const std::filesystem::path& path);
// What the files of a folder hold, each without the zeros at its end: a log's last segment is allocated before it is written.
std::uint64_t written_bytes(const std::filesystem::path& folder);

}  // namespace guildhall
