#include "cli/settings.h"

#include <toml++/toml.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "events/check.h"

namespace guildhall {
namespace {

constexpr std::array entries{
    SettingEntry{"data", "./data", "Folder of the log, the state and the secrets"},
    SettingEntry{"platform", "tutoring", "Which platform to serve"},
    SettingEntry{"platform_file", "", "TOML file with the platform's policy, in place of the built-in one"},
    SettingEntry{"address", "127.0.0.1", "Address to listen on"},
    SettingEntry{"port", "8080", "Port to listen on; 0 takes a free one"},
    SettingEntry{"http_threads", "1", "Threads that serve HTTP"},
    SettingEntry{"allowed_hosts", "localhost,127.0.0.1", "Host names that requests may name, comma-separated"},
    SettingEntry{"trusted_addresses", "127.0.0.1", "Peers without the limit of connections per address, comma-separated"},
    SettingEntry{"cors_origins", "", "Origins that browsers may call from, comma-separated"},
    SettingEntry{"log", "embedded", "Where the log lives: embedded (in the data folder) or kafka"},
    SettingEntry{"brokers", "", "Of log kafka: host:port of its brokers, comma-separated"},
    SettingEntry{"kafka_topics", "",
                 "Of log kafka: what the names of its topics, transactional ids and groups begin with [the platform]"},
    SettingEntry{
        "kafka_properties", "",
        "Of log kafka: NAME=VALUE, comma-separated: security.protocol, sasl.*, ssl.*, client.rack, broker.address.family"},
    SettingEntry{"kafka_sasl_password", "", "Of log kafka: sasl.password", true},
    SettingEntry{"kafka_compression", "none", "Of log kafka: none, lz4, zstd, snappy or gzip"},
    SettingEntry{"kafka_replication", "0",
                 "Of log kafka: replicas of topics that are made; 0: 3, or 1 with fewer than three brokers"},
    SettingEntry{"roles", "gateway,shards,projectors", "What this process does; on log kafka several processes may divide it"},
    SettingEntry{"advertise", "", "Of log kafka: http://HOST:PORT where other processes reach this one [http://127.0.0.1:PORT]"},
    SettingEntry{"node", "", "Of log kafka: this process's name, the same after a restart; empty: its host name and port"},
    SettingEntry{"session_ms", "6000", "Of log kafka: after so long without a word its shards go to another process"},
    SettingEntry{"standby", "true", "Of log kafka: keep the state of other processes' shards warm"},
    SettingEntry{"secrets", "", "Folder of the keys, the same for all processes of a platform; empty: DATA/secrets"},
    SettingEntry{"shards", "4", "Shards of a new log; fixed from then on"},
    SettingEntry{"projectors", "2", "Threads that write the read models, each its share of the shards"},
    SettingEntry{"postgres_url", "", "PostgreSQL for the read models; empty: none are kept", true},
    SettingEntry{"jwt_secret", "", "HS256 secret of at least 32 bytes; empty: one is made in the data folder", true},
    SettingEntry{"jwt_public_keys", "",
                 "Files with RS256 or ES256 public keys (name is the kid), comma-separated; no secret then"},
    SettingEntry{"jwt_issuers", "guildhall", "Accepted token issuers, comma-separated"},
    SettingEntry{"quota_per_minute", "6000", "Commands a minute of one user; 0: no limit"},
    SettingEntry{"access_log", "errors", "Which requests are logged: none, errors or all"},
    SettingEntry{"sandbox_export", "",
                 "CSV of what the sandbox processor did; a platform's processes may share it "
                 "[DATA/platforms/PLATFORM/sandbox-processor.csv]"},
    SettingEntry{"sandbox_faults", "", "For tests: drop:N, duplicate:N or alter:N, comma-separated: its N-th row is wrong"},
    SettingEntry{"crash_at", "", "Test builds: die at a named place, NAME:N"},
};

std::string upper(std::string_view name) {
  std::string out = "GUILDHALL_";
  for (const char c : name) out += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return out;
}

std::string read_secret(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw SettingsError(path + ": can't be read");
  std::string out{std::istreambuf_iterator<char>(in), {}};
  while (!out.empty() && (out.back() == '\n' || out.back() == '\r')) out.pop_back();
  return out;
}

const SettingEntry* find(std::string_view name) {
  for (const auto& e : entries)
    if (e.name == name) return &e;
  return nullptr;
}

void read_file(const std::filesystem::path& path, std::map<std::string, SettingValue, std::less<>>& values) {
  toml::table table;
  try {
    table = toml::parse_file(path.string());
  } catch (const toml::parse_error& e) {
    throw SettingsError(path.string() + ": " + std::string(e.description()));
  }
  const std::string origin = "file " + path.string();
  for (const auto& [key, node] : table) {
    std::string name(key.str());
    std::string value;
    if (const auto text = node.value<std::string>()) value = *text;
    else if (const auto number = node.value<std::int64_t>(); number && node.is_integer()) value = std::to_string(*number);
    else if (const auto yes = node.value<bool>(); yes && node.is_boolean()) value = *yes ? "true" : "false";
    else throw SettingsError(path.string() + ": " + name + " must be a string, an integer or a boolean");
    constexpr std::string_view file_suffix = "_file";
    if (const auto* e = find(name); e == nullptr && name.ends_with(file_suffix)) {
      name.resize(name.size() - file_suffix.size());
      if (const auto* secret = find(name); secret != nullptr && secret->secret) value = read_secret(value);
      else throw SettingsError(path.string() + ": " + name + "_file is no setting");
    } else if (e == nullptr) {
      throw SettingsError(path.string() + ": " + name + " is no setting; `guildhall config show` lists them");
    }
    values[name] = {value, origin};
  }
}

}  // namespace

std::span<const SettingEntry> setting_entries() { return entries; }

Settings Settings::load(const std::map<std::string, std::string>& flags, const std::optional<std::string>& config_file,
                        const Environment& environment) {
  Settings out;
  for (const auto& e : entries) out.values_[std::string(e.name)] = {std::string(e.fallback), "default"};

  // From the weakest to the strongest.
  std::vector<std::filesystem::path> files{"/etc/guildhall/config.toml"};
  if (const char* xdg = environment("XDG_CONFIG_HOME")) files.push_back(std::filesystem::path(xdg) / "guildhall/config.toml");
  else if (const char* home = environment("HOME")) files.push_back(std::filesystem::path(home) / ".config/guildhall/config.toml");
  files.emplace_back("guildhall.toml");
  for (const auto& path : files) {
    std::error_code error;
    if (std::filesystem::exists(path, error)) read_file(path, out.values_);
  }
  if (config_file) {
    if (!std::filesystem::exists(*config_file)) throw SettingsError(*config_file + ": no such file");
    read_file(*config_file, out.values_);
  }
  for (const auto& e : entries) {
    const std::string variable = upper(e.name);
    if (const char* value = environment(variable.c_str())) out.values_[std::string(e.name)] = {value, "environment " + variable};
    if (e.secret)
      if (const char* path = environment((variable + "_FILE").c_str()))
        out.values_[std::string(e.name)] = {read_secret(path), "environment " + variable + "_FILE"};
  }
  for (const auto& [name, value] : flags) {
    CHECK(find(name) != nullptr);
    out.values_[name] = {value, "flag"};
  }
  return out;
}

const SettingValue& Settings::operator[](std::string_view name) const {
  const auto found = values_.find(name);
  CHECK(found != values_.end());
  return found->second;
}

std::int64_t Settings::integer(std::string_view name, std::int64_t min, std::int64_t max) const {
  const SettingValue& v = (*this)[name];
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(v.value.data(), v.value.data() + v.value.size(), number);
  if (error != std::errc{} || end != v.value.data() + v.value.size() || number < min || number > max)
    throw SettingsError(std::string(name) + " (" + v.origin + ") must be an integer from " + std::to_string(min) + " to " +
                        std::to_string(max));
  return number;
}

bool Settings::boolean(std::string_view name) const {
  const SettingValue& v = (*this)[name];
  if (v.value == "true" || v.value == "1" || v.value == "yes") return true;
  if (v.value == "false" || v.value == "0" || v.value == "no") return false;
  throw SettingsError(std::string(name) + " (" + v.origin + ") must be true or false");
}

std::vector<std::string> Settings::list(std::string_view name) const {
  std::vector<std::string> out;
  std::string_view rest = text(name);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    std::string_view one = rest.substr(0, comma);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (!one.empty()) out.emplace_back(one);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return out;
}

}  // namespace guildhall
