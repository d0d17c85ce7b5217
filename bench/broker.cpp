#include "bench/broker.h"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace guildhall {
namespace {

constexpr std::chrono::minutes patience{5};  // Its jars may have to come from far away.
constexpr std::chrono::milliseconds pause{100};

}  // namespace

Broker::Broker(const std::filesystem::path& script, const std::filesystem::path& folder, const std::filesystem::path& output)
    : folder_(folder),
      // CI runs it with a small heap and half a compiler.
      process_({script.string(), "start", "--foreground", "--data", folder.string(), "--port", "0"}, {{"CI", "false"}}, output) {
  const auto ready = folder_ / "bootstrap";
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!std::filesystem::exists(ready)) {
    if (!process_.running() || std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("no Kafka broker:\n" + tail_of_file(output));
    std::this_thread::sleep_for(pause);
  }
  bootstrap_ = text_of_file(ready);
  bootstrap_.resize(bootstrap_.find_last_not_of('\n') + 1);
  pid_ = static_cast<pid_t>(std::stol(text_of_file(folder_ / "broker-1.pid")));
}

std::uint64_t Broker::stored_bytes(const std::string& topics) const {
  std::uint64_t out = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "broker-1"))
    if (entry.path().filename().string().starts_with(topics)) out += written_bytes(entry);
  return out;
}

}  // namespace guildhall
