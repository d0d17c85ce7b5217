// guildhall money: the list of its subcommands, and how they read the log.
#include "cli/interrupt.h"
#include "cli/money_commands.h"
#include "cli/progress.h"
#include "events/codec.h"
#include "gateway/schema.h"
#include "infra/system_clock.h"
#include "projectors/trial_balance.h"

namespace guildhall {
namespace {

constexpr std::uint64_t report_every_records = 4096;

[[noreturn]] void fail(const RecordHeader& h, const std::string& what) {
  throw CorruptLog("shard " + std::to_string(h.shard) + ", sequence " + std::to_string(h.sequence) + ": " + what + " " +
                   std::string(h.type));
}

}  // namespace

LogCut whole_log(const EventLog& log) {
  LogCut out;
  for (ShardNo n = 0; n < log.identity().shards; ++n) out.ends.push_back(log.durable_end(n).sequence);
  return out;
}

std::optional<std::vector<Sequence>> visit_money(EventLog& log, const LogCut& cut,
                                                 const std::function<void(const RecordHeader&, const AnyEvent&)>& visit) {
  const SchemaCatalogue catalogue(schemas());
  const SystemClock clock;
  Progress progress(clock);
  std::uint64_t total = 0, done = 0;
  for (const Sequence end : cut.ends) total += end;
  std::vector<Sequence> reached(cut.ends.size());
  watch_for_interrupt();
  for (ShardNo n = 0; n < cut.ends.size(); ++n) {
    if (cut.ends[n] == 0) continue;
    const auto reader = log.read(n, 1);
    while (reached[n] < cut.ends[n]) {
      if (interrupted()) return std::nullopt;
      const Record* record = reader->next();
      if (record == nullptr)
        throw CorruptLog("shard " + std::to_string(n) + " ends at " + std::to_string(reached[n]) + ", before its durable end");
      const RecordHeader& h = record->header;
      if (h.time > cut.at) break;
      reached[n] = h.sequence;
      if (++done % report_every_records == 0) progress.report(done, total);
      if (catalogue.table(h.type) == nullptr) fail(h, "this version does not know");
      if (!carries_transfers(h.type)) continue;
      const auto event = decode_event(h.type, record->payload);
      if (!event) fail(h, "the payload is no");
      visit(h, *event);
    }
  }
  return reached;
}

void add_money(CLI::App& app, CommandLine& line, Run& run) {
  auto* money = app.add_subcommand("money", "Check the books");
  money->require_subcommand(1);
  add_money_trial_balance(*money, line, run);
  add_money_reconcile(*money, line, run);
}

}  // namespace guildhall
