// Configuration: flags > GUILDHALL_* > project file > user's file > the machine's file > defaults (CLI11's own precedence puts a
// file named by a flag before the environment, so files are read here). Every value knows where it came from.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace guildhall {

struct SettingEntry {
  std::string_view name;  // "http_threads": flag --http-threads, GUILDHALL_HTTP_THREADS, http_threads in a file.
  std::string_view fallback;
  std::string_view help;
  bool secret = false;  // Never a flag, and masked when shown. A file may give it by <name>_file.
};
std::span<const SettingEntry> setting_entries();

// A value that can't be used, or a file that can't be read. Exit code 2.
class SettingsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct SettingValue {
  std::string value;
  std::string origin;  // "flag", "environment GUILDHALL_PORT", "file ./guildhall.toml", "default".
};

class Settings {
 public:
  using Environment = std::function<const char*(const char*)>;
  // `flags` by setting name. Throws SettingsError, also for a name in a file that is no setting.
  static Settings load(const std::map<std::string, std::string>& flags, const std::optional<std::string>& config_file,
                       const Environment& environment);

  const SettingValue& operator[](std::string_view name) const;
  const std::string& text(std::string_view name) const { return (*this)[name].value; }
  std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max) const;
  bool boolean(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;  // Comma-separated.
  const std::map<std::string, SettingValue, std::less<>>& all() const { return values_; }

 private:
  std::map<std::string, SettingValue, std::less<>> values_;
};

}  // namespace guildhall
