// The subcommands: each adds itself to the command line and returns its exit code when it was chosen. The list stands in
// main.cpp.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/settings.h"

namespace guildhall {

// Exit codes: stable, for scripts.
inline constexpr int exit_ok = 0;
inline constexpr int exit_error = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_not_found = 3;
inline constexpr int exit_conflict = 4;
inline constexpr int exit_mismatch = 5;
inline constexpr int exit_unavailable = 6;
inline constexpr int exit_partial = 7;
inline constexpr int exit_interrupted = 130;

// What all subcommands share: the flags that are settings.
struct CommandLine {
  std::map<std::string, std::string> flags;  // By setting name; only those that were given.
  std::optional<std::string> config_file;
  Settings settings() const;
  // Adds --<name> for a setting.
  void add_setting(CLI::App& app, const std::string& name);
};

// The setting crash_at, for test builds. Throws SettingsError.
void arm_crash_point(const Settings& settings);

using Run = std::function<int()>;
void add_serve(CLI::App& app, CommandLine& line, Run& run);
void add_log(CLI::App& app, CommandLine& line, Run& run);         // log show|tail|export|verify|copy
void add_stream(CLI::App& app, CommandLine& line, Run& run);      // stream show
void add_projection(CLI::App& app, CommandLine& line, Run& run);  // projection ls|show|rebuild
void add_state(CLI::App& app, CommandLine& line, Run& run);       // state rebuild|hash
void add_money(CLI::App& app, CommandLine& line, Run& run);       // money trial-balance|reconcile
void add_token(CLI::App& app, CommandLine& line, Run& run);
void add_config(CLI::App& app, CommandLine& line, Run& run);  // config show

}  // namespace guildhall
