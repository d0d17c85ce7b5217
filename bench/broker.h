// A Kafka broker of the benchmark's own: one, by script/kafka, as in production whatever the tests of this machine use.
#pragma once

#include <filesystem>
#include <string>

#include "bench/process.h"

namespace guildhall {

class Broker {
 public:
  // Returns when it serves. `folder` is made, and holds what it stores. Throws std::runtime_error with the end of its output.
  Broker(const std::filesystem::path& script, const std::filesystem::path& folder, const std::filesystem::path& output);

  const std::string& bootstrap() const { return bootstrap_; }
  ProcessUsage usage() const { return usage_of(pid_); }
  // What the partitions hold of the topics whose names begin so.
  std::uint64_t stored_bytes(const std::string& topics) const;

 private:
  std::filesystem::path folder_;
  Process process_;
  std::string bootstrap_;
  pid_t pid_ = 0;  // Of the JVM.
};

}  // namespace guildhall
