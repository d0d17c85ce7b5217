// guildhall projection ls|show|rebuild. All three may run beside a serving process: a rebuild fills new tables and swaps them in,
// and the server's runner goes on with them at its next transaction.
#include <cstdio>

#include "cli/commands.h"
#include "cli/log_source.h"
#include "cli/progress.h"
#include "infra/postgres_row_store.h"
#include "infra/system_clock.h"
#include "projectors/platforms.h"
#include "projectors/rebuild.h"

namespace guildhall {
namespace {

struct Opened {
  PlatformReadModels models;
  std::unique_ptr<EventLog> log;
  std::unique_ptr<PostgresRowStore> rows;
};

Opened open(const Settings& settings) {
  const std::string& url = settings.text("postgres_url");
  if (url.empty()) throw SettingsError("no postgres_url: set GUILDHALL_POSTGRES_URL, or postgres_url_file in a config file");
  const PlatformReadModels models = read_models_of(settings.text("platform"));
  return {models, open_log_to_read(settings), std::make_unique<PostgresRowStore>(url, models.projection, models.sql)};
}

int ls(const CommandLine& line, bool json) {
  auto [models, log, rows] = open(line.settings());
  const auto offsets = rows->offsets(Generation::live);
  std::uint64_t behind = 0, applied = 0;
  for (ShardNo n = 0; n < log->identity().shards; ++n) {
    const Sequence end = log->durable_end(n).sequence;
    const Sequence at = n < offsets.size() ? offsets[n] : 0;
    applied += at;
    behind += end > at ? end - at : 0;
  }
  const auto failures = rows->failures();
  const std::string name(models.projection.name);
  if (json)
    std::printf("[{\"name\":\"%s\",\"applied\":%llu,\"behind\":%llu,\"state\":\"%s\"}]\n", name.c_str(),
                static_cast<unsigned long long>(applied), static_cast<unsigned long long>(behind),
                failures.empty() ? "running" : "failed");
  else
    std::printf("%-12s %12s %12s  %s\n%-12s %12llu %12llu  %s\n", "NAME", "APPLIED", "BEHIND", "STATE", name.c_str(),
                static_cast<unsigned long long>(applied), static_cast<unsigned long long>(behind),
                failures.empty() ? "running" : "failed");
  return exit_ok;
}

int show(const CommandLine& line, const std::string& name) {
  auto [models, log, rows] = open(line.settings());
  if (name != models.projection.name) {
    std::fprintf(stderr, "guildhall: there is no projection %s; there is: %s\n", name.c_str(),
                 std::string(models.projection.name).c_str());
    return exit_not_found;
  }
  const auto offsets = rows->offsets(Generation::live);
  std::printf("%-6s %14s %14s %10s\n", "SHARD", "APPLIED", "LOG END", "BEHIND");
  for (ShardNo n = 0; n < log->identity().shards; ++n) {
    const Sequence end = log->durable_end(n).sequence;
    const Sequence at = n < offsets.size() ? offsets[n] : 0;
    std::printf("%-6u %14llu %14llu %10llu\n", n, static_cast<unsigned long long>(at), static_cast<unsigned long long>(end),
                static_cast<unsigned long long>(end > at ? end - at : 0));
  }
  for (const auto& f : rows->failures())
    std::printf("stopped: shard %u, sequence %llu, %s: %s: %s\n", f.shard, static_cast<unsigned long long>(f.sequence),
                f.type.c_str(), std::string(name_of(f.kind)).c_str(), f.detail.c_str());
  for (const Table* table : models.projection.tables) std::printf("table %s\n", std::string(table->name).c_str());
  return exit_ok;
}

int rebuild_models(const CommandLine& line, bool json, bool compare) {
  auto [models, log, rows] = open(line.settings());
  const SystemClock clock;
  Progress progress(clock);
  RebuildOptions options;
  options.compare = compare;
  options.progress = [&](std::uint64_t done, std::uint64_t total) { progress.report(done, total); };
  const RebuildReport report = rebuild(*log, *rows, models.projection, options);
  const double seconds = progress.seconds();
  bool same = true;
  for (const auto& t : report.tables) same = same && (!report.compared || t.same);
  if (json)
    std::printf("{\"records\":%llu,\"seconds\":%.3f,\"records_per_second\":%.0f,\"compared\":%s,\"same\":%s}\n",
                static_cast<unsigned long long>(report.records), seconds,
                static_cast<double>(report.records) / std::max(seconds, 1e-6), report.compared ? "true" : "false",
                same ? "true" : "false");
  else
    std::printf("%llu records in %.1f s%s\n", static_cast<unsigned long long>(report.records), seconds,
                !report.compared ? ""
                : same           ? ", every row as before"
                                 : ", rows differ from the old generation");
  return same ? exit_ok : exit_mismatch;
}

}  // namespace

void add_projection(CLI::App& app, CommandLine& line, Run& run) {
  auto* projection = app.add_subcommand("projection", "The read models in PostgreSQL");
  projection->require_subcommand(1);
  auto* ls_app = projection->add_subcommand("ls", "List the projections");
  auto* show_app = projection->add_subcommand("show", "Where a projection stands, shard by shard");
  auto* rebuild_app =
      projection->add_subcommand("rebuild", "Make the read models anew from the log, beside the live ones, and swap");
  auto json = std::make_shared<bool>(false);
  auto compare = std::make_shared<bool>(false);
  auto name = std::make_shared<std::string>();
  show_app->add_option("name", *name, "Its name, as `projection ls` prints it")->required();
  ls_app->add_flag("--json", *json, "Print as JSON");
  rebuild_app->add_flag("--json", *json, "Print the result as JSON");
  rebuild_app->add_flag("--compare", *compare, "Compare every row with the old generation before the swap");
  for (auto* sub : {ls_app, show_app, rebuild_app}) {
    line.add_setting(*sub, "data");
    line.add_setting(*sub, "platform");
    for (const char* name : {"log", "brokers", "kafka_topics", "kafka_properties"}) line.add_setting(*sub, name);
  }
  ls_app->callback([&run, &line, json] { run = [&line, json] { return ls(line, *json); }; });
  show_app->callback([&run, &line, name] { run = [&line, name] { return show(line, *name); }; });
  rebuild_app->callback(
      [&run, &line, json, compare] { run = [&line, json, compare] { return rebuild_models(line, *json, *compare); }; });
}

}  // namespace guildhall
