// One platform of a process: its log, shards, payments, read models and HTTP listener, started in order and stopped in reverse.
// Nothing is shared between platforms but the machine.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "cli/settings.h"

namespace guildhall {

inline constexpr std::string_view software_version = "0.1.0";

struct PlatformFolders {
  explicit PlatformFolders(const std::filesystem::path& data, const std::string& platform)
      : root(data / "platforms" / platform), state(root / "state"), secrets(data / "secrets") {}
  explicit PlatformFolders(const Settings& settings) : PlatformFolders(settings.text("data"), settings.text("platform")) {
    if (!settings.text("secrets").empty()) secrets = settings.text("secrets");
  }
  std::filesystem::path root;     // Holds log/.
  std::filesystem::path state;    // state/<shard>: rebuilt from the log when it is lost.
  std::filesystem::path secrets;  // jwt_secret, claim_key, token_key, cluster_key: backed up apart, the same for all processes.
};

class Platform {
 public:
  // Opens everything and serves. `on_owned` is called when the folder is certainly no other process's. `on_failure` is called
  // once, from any thread, when the process must end. Throws what the parts throw.
  Platform(const Settings& settings, bool accept_loss, const std::function<void()>& on_owned,
           std::function<void(const std::string& why)> on_failure);
  // Readiness drops, nothing new is accepted, everything accepted is answered and durable. After a failure it only lets answers
  // go out: the process must end by std::_Exit then, since threads may hang in the disk.
  ~Platform();

  std::uint16_t port() const;
  // What dev.json says.
  std::string description(const std::string& postgres_url) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace guildhall
