// guildhall log export: a platform's records for analysts, up to the durable end as of its start. Takes no lock.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cli/interrupt.h"
#include "cli/log_commands.h"
#include "cli/log_filter.h"
#include "cli/log_source.h"
#include "cli/progress.h"
#include "cli/record_text.h"
#include "infra/disk.h"
#include "infra/system_clock.h"

namespace guildhall {
namespace {

constexpr std::size_t buffer_bytes = 1 << 20;
constexpr std::uint64_t report_every_records = 4096;

// Standard output, or a file that has its name only when it is whole and on disk.
class Output {
 public:
  explicit Output(std::filesystem::path path) : path_(std::move(path)) {
    if (path_.empty()) return;
    unfinished_ = path_;
    unfinished_ += ".unfinished";
    file_ = File(unfinished_, O_WRONLY | O_CREAT | O_TRUNC);
  }
  ~Output() {
    std::error_code ignored;
    if (!unfinished_.empty()) std::filesystem::remove(unfinished_, ignored);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= buffer_bytes) flush();
  }
  void finish() {
    flush();
    if (path_.empty()) return;
    sync_or_throw(system_disk(), file_);
    try {
      std::filesystem::rename(unfinished_, path_);
    } catch (const std::filesystem::filesystem_error& e) {
      throw LogError(e.what(), "--output", false);
    }
    unfinished_.clear();
    const auto folder = path_.parent_path();
    sync_folder_or_throw(system_disk(), folder.empty() ? "." : folder);
  }

 private:
  void flush() {
    if (!path_.empty()) {
      write_or_throw(system_disk(), file_, written_, buffer_);
      written_ += buffer_.size();
    } else if (std::fwrite(buffer_.data(), 1, buffer_.size(), stdout) != buffer_.size() || std::fflush(stdout) != 0) {
      throw LogError("standard output: " + std::generic_category().message(errno), "where it goes", false);
    }
    buffer_.clear();
  }

  std::filesystem::path path_;
  std::filesystem::path unfinished_;
  File file_;
  std::uint64_t written_ = 0;
  std::string buffer_;
};

struct ExportFlags {
  LogFlags filter;
  std::string format;
  std::string output;
};

int export_log(const CommandLine& line, const ExportFlags& flags) {
  const auto log = open_log_to_read(line.settings());
  const SchemaCatalogue catalogue(schemas());
  const LogFilter filter(flags.filter, log->identity(), catalogue);
  const bool csv = flags.format == "csv";
  const CsvRows rows(catalogue, flags.filter.type.empty() ? nullptr : catalogue.table(flags.filter.type), flags.filter.show_pii);
  std::vector<Sequence> ends(log->identity().shards);
  std::uint64_t total = 0;
  for (const ShardNo n : filter.shards()) {
    ends[n] = log->durable_end(n).sequence;
    if (ends[n] >= flags.filter.from) total += ends[n] - flags.filter.from + 1;
  }
  const SystemClock clock;
  Progress progress(clock);
  Output output(flags.output);
  watch_for_interrupt();
  if (csv) output.write(rows.header());
  std::uint64_t read = 0, written = 0;
  const auto full = [&] { return flags.filter.limit > 0 && written == flags.filter.limit; };
  for (const ShardNo n : filter.shards()) {
    if (ends[n] < flags.filter.from || full()) continue;
    const auto reader = log->read(n, flags.filter.from);
    for (Sequence at = 0; at < ends[n] && !full();) {
      const Record* record = reader->next();
      if (record == nullptr)
        throw CorruptLog("shard " + std::to_string(n) + " ends at " + std::to_string(at) + ", before its durable end");
      at = record->header.sequence;
      if (++read % report_every_records == 0) progress.report(read, total);
      if (interrupted()) return exit_interrupted;
      if (!filter.wants(record->header)) continue;
      if (csv) output.write(rows.row(*record));
      else output.write(json_line(catalogue, *record, flags.filter.show_pii) + '\n');
      ++written;
    }
  }
  output.finish();
  std::fprintf(stderr, "%llu of %llu records in %.1f s\n", static_cast<unsigned long long>(written),
               static_cast<unsigned long long>(total), progress.seconds());
  return exit_ok;
}

}  // namespace

void add_log_export(CLI::App& log, CommandLine& line, Run& run) {
  auto* app = log.add_subcommand("export", "Write every record as JSON lines or CSV, shard by shard, personal values masked");
  const auto flags = std::make_shared<ExportFlags>();
  app->add_option("--format", flags->format, "ndjson or csv; csv with --type has a column for each field")
      ->required()
      ->check(CLI::IsMember({"ndjson", "csv"}));
  app->add_option("--output", flags->output,
                  "File to write, in place of standard output; it appears, or is replaced, when all is done");
  add_log_filters(*app, flags->filter);
  app->add_option("--from", flags->filter.from, "First sequence of each shard")->check(CLI::PositiveNumber);
  app->add_option("--limit", flags->filter.limit, "Stop after so many");
  add_log_source(*app, line);
  app->callback([&run, &line, flags] { run = [&line, flags] { return export_log(line, *flags); }; });
}

}  // namespace guildhall
