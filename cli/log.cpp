// guildhall log: the list of its subcommands.
#include "cli/log_commands.h"

namespace guildhall {

void add_log(CLI::App& app, CommandLine& line, Run& run) {
  auto* log = app.add_subcommand("log", "Read, check and move the log");
  log->require_subcommand(1);
  add_log_show(*log, line, run);
  add_log_export(*log, line, run);
  add_log_verify(*log, line, run);
  add_log_copy(*log, line, run);
}

}  // namespace guildhall
