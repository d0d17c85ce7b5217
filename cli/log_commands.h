// guildhall log …: each subcommand adds itself below `log` (log.cpp has the list).
#pragma once

#include "cli/commands.h"

namespace guildhall {

void add_log_show(CLI::App& log, CommandLine& line, Run& run);  // show, tail
void add_log_export(CLI::App& log, CommandLine& line, Run& run);
void add_log_verify(CLI::App& log, CommandLine& line, Run& run);
void add_log_copy(CLI::App& log, CommandLine& line, Run& run);

}  // namespace guildhall
