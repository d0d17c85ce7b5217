// `guildhall serve` on a data folder, as a child process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "bench/process.h"

namespace guildhall {

// The program and how it is run; the same for every server of one benchmark.
struct Installation {
  std::filesystem::path program;
  std::filesystem::path output;  // The servers' and the commands' log lines, appended.
  std::uint32_t shards = 4;
  std::uint32_t http_threads = 1;
  std::vector<std::string> log;    // Flags that name the log, where it is not the embedded one.
  std::vector<std::string> serve;  // More flags of the server.
};

class Server {
 public:
  // Returns when it is ready. Throws std::runtime_error with the end of its output when it ends before or takes minutes.
  Server(const Installation& installation, const std::filesystem::path& data, const std::filesystem::path& platform_file,
         const std::string& postgres_url);

  std::uint16_t port() const { return port_; }
  const std::string& service_key() const { return service_key_; }
  ProcessUsage usage() const { return process_.usage(); }
  pid_t pid() const { return process_.pid(); }
  // The sum over all label values of a family of /metrics; 0 when it is not there.
  double metric(std::string_view family) const;
  // Clean: everything accepted is durable and the state is on disk. Throws std::runtime_error when it did not exit with 0.
  void stop();

 private:
  Process process_;
  std::filesystem::path output_;
  std::uint16_t port_ = 0;
  std::string service_key_;
};

// A command that prints a JSON object, such as `state rebuild --json`, on a data folder.
std::string run_guildhall(const Installation& installation, const std::filesystem::path& data, std::vector<std::string> arguments,
                          const std::string& postgres_url = {});

// The value of a member in JSON that our own programs print: an unescaped string or a number. Throws std::runtime_error when it
// is not there.
std::string text_member(std::string_view json, std::string_view name);
double number_member(std::string_view json, std::string_view name);

}  // namespace guildhall
