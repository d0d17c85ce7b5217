// guildhall config show: every setting, and where its value came from.
#include <cstdio>

#include "cli/commands.h"

namespace guildhall {

void add_config(CLI::App& app, CommandLine& line, Run& run) {
  auto* config = app.add_subcommand("config", "Settings");
  config->require_subcommand(1);
  auto* show = config->add_subcommand("show", "Print every setting");
  auto origin = std::make_shared<bool>(false);
  show->add_flag("--origin", *origin, "Say where each value came from");
  for (const auto& entry : setting_entries())
    if (!entry.secret) line.add_setting(*show, std::string(entry.name));
  show->callback([&run, &line, origin] {
    run = [&line, origin] {
      const Settings settings = line.settings();
      for (const auto& entry : setting_entries()) {
        const SettingValue& v = settings[entry.name];
        const std::string shown = entry.secret && !v.value.empty() ? "********" : v.value;
        if (*origin) std::printf("%-20s %-24s %s\n", std::string(entry.name).c_str(), shown.c_str(), v.origin.c_str());
        else std::printf("%s = \"%s\"\n", std::string(entry.name).c_str(), shown.c_str());
      }
      return exit_ok;
    };
  });
}

}  // namespace guildhall
