// guildhall log show|tail, stream show. They take no lock and stop at the durable mark, so they run beside a serving process.
#include <chrono>
#include <cstdio>
#include <thread>

#include "cli/interrupt.h"
#include "cli/log_commands.h"
#include "cli/log_filter.h"
#include "cli/log_source.h"
#include "cli/record_text.h"

namespace guildhall {
namespace {

constexpr std::chrono::milliseconds tail_pause{100};

int show(const CommandLine& line, const LogFlags& flags, bool follow) {
  const auto log = open_log_to_read(line.settings());
  const SchemaCatalogue catalogue(schemas());
  const LogFilter filter(flags, log->identity(), catalogue);
  std::vector<std::unique_ptr<LogReader>> readers;
  for (const ShardNo n : filter.shards()) {
    const Sequence from = follow && flags.from == 1 ? log->durable_end(n).sequence + 1 : flags.from;
    if (from <= log->durable_end(n).sequence + 1) readers.push_back(log->read(n, from));
  }
  std::uint64_t printed = 0;
  watch_for_interrupt();
  for (;;) {
    bool any = false;
    for (const auto& reader : readers) {
      while (const Record* record = reader->next()) {
        any = true;
        if (interrupted()) return exit_interrupted;
        if (!filter.wants(record->header)) continue;
        if (std::puts(json_line(catalogue, *record, flags.show_pii).c_str()) < 0) return exit_error;
        if (++printed == flags.limit) return exit_ok;
        if (follow) break;  // Shards take turns, so that one busy shard does not hide the others.
      }
    }
    if (any) continue;
    if (!follow) return filter.of_one_stream() && printed == 0 ? exit_not_found : exit_ok;
    std::fflush(stdout);
    if (interrupted()) return exit_interrupted;
    std::this_thread::sleep_for(tail_pause);
  }
}

}  // namespace

void add_log_show(CLI::App& log, CommandLine& line, Run& run) {
  auto* show_app = log.add_subcommand("show", "Print records as JSON lines");
  const auto shown = std::make_shared<LogFlags>();
  add_log_filters(*show_app, *shown);
  show_app->add_option("--from", shown->from, "First sequence of each shard")->check(CLI::PositiveNumber);
  show_app->add_option("--limit", shown->limit, "Stop after so many");
  add_log_source(*show_app, line);
  show_app->callback([&run, &line, shown] { run = [&line, shown] { return show(line, *shown, false); }; });

  auto* tail = log.add_subcommand("tail", "Follow new records as JSON lines");
  const auto followed = std::make_shared<LogFlags>();
  add_log_filters(*tail, *followed);
  tail->add_option("--from", followed->from, "Start here instead of at the end")->check(CLI::PositiveNumber);
  add_log_source(*tail, line);
  tail->callback([&run, &line, followed] { run = [&line, followed] { return show(line, *followed, true); }; });
}

void add_stream(CLI::App& app, CommandLine& line, Run& run) {
  auto* stream = app.add_subcommand("stream", "Read one stream");
  stream->require_subcommand(1);
  auto* show_app = stream->add_subcommand("show", "Print a stream's events as JSON lines");
  const auto flags = std::make_shared<LogFlags>();
  show_app->add_option("stream", flags->stream, "KIND/UUID, such as booking/…")->required();
  show_app->add_flag("--show-pii", flags->show_pii, "Print personal values");
  add_log_source(*show_app, line);
  show_app->callback([&run, &line, flags] { run = [&line, flags] { return show(line, *flags, false); }; });
}

}  // namespace guildhall
