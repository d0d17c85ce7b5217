// guildhall log verify: reads everything and says whether it is whole.
#include <cstdio>

#include "cli/interrupt.h"
#include "cli/log_commands.h"
#include "cli/log_filter.h"
#include "cli/log_source.h"
#include "cli/progress.h"
#include "gateway/transcoder.h"
#include "infra/system_clock.h"

namespace guildhall {
namespace {

int verify(const CommandLine& line, bool json) {
  const auto log = open_log_to_read(line.settings());
  const SystemClock clock;
  Progress progress(clock);
  const SchemaCatalogue catalogue(schemas());
  std::uint64_t total = 0, done = 0;
  for (ShardNo n = 0; n < log->identity().shards; ++n) total += log->durable_end(n).sequence;
  watch_for_interrupt();
  std::string report =
      "{\"platform\":\"" + log->identity().platform + "\",\"log_id\":\"" + to_string(log->identity().log_id) + "\",\"shards\":[";
  for (ShardNo n = 0; n < log->identity().shards; ++n) {
    const LogEnd end = log->durable_end(n);
    const auto reader = log->read(n, 1);
    LogEnd last;
    while (last.sequence < end.sequence) {
      const Record* record = reader->next();
      if (record == nullptr)
        throw CorruptLog("shard " + std::to_string(n) + " ends at " + std::to_string(last.sequence) +
                         ", before its durable mark");
      // The reader checked sequence, batch and chain; here the payload and the schema that it claims.
      const Schema* schema = schema_of_type(record->header.type);
      if (schema == nullptr || catalogue.table(record->header.type) == nullptr)
        throw CorruptLog("shard " + std::to_string(n) + ", sequence " + std::to_string(record->header.sequence) +
                         ": unknown type " + std::string(record->header.type));
      if (!to_json(catalogue, record->header.type, record->payload))
        throw CorruptLog("shard " + std::to_string(n) + ", sequence " + std::to_string(record->header.sequence) +
                         ": the payload does not verify");
      last = {record->header.sequence, record->chain};
      ++done;
      if (interrupted()) return exit_interrupted;
      if ((done & 0xfff) == 0) progress.report(done, total);
    }
    if (last.head != end.head)
      throw CorruptLog("shard " + std::to_string(n) + ": the chain ends with another head than the durable mark says");
    if (n > 0) report += ',';
    report += "{\"shard\":" + std::to_string(n) + ",\"sequence\":" + std::to_string(last.sequence) + ",\"head\":\"" +
              to_hex(view(last.head)) + "\"}";
  }
  report += "],\"records\":" + std::to_string(done) + ",\"ok\":true}";
  if (json) std::puts(report.c_str());
  else
    std::printf("ok: %llu records in %u shards, every sequence, batch, chain and payload\n",
                static_cast<unsigned long long>(done), log->identity().shards);
  return exit_ok;
}

}  // namespace

void add_log_verify(CLI::App& log, CommandLine& line, Run& run) {
  auto* verify_app = log.add_subcommand("verify", "Check every record: order, batches, chain, payload");
  const auto json = std::make_shared<bool>(false);
  verify_app->add_flag("--json", *json, "Print the result as JSON");
  add_log_source(*verify_app, line);
  verify_app->callback([&run, &line, json] { run = [&line, json] { return verify(line, *json); }; });
}

}  // namespace guildhall
