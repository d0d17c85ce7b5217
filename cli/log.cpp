// guildhall log show|tail|verify, stream show: reading commands. They take no lock and stop at the durable mark, so they run
// beside a serving process.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "cli/commands.h"
#include "cli/log_source.h"
#include "cli/progress.h"
#include "events/schemas.h"
#include "gateway/schema.h"
#include "gateway/transcoder.h"
#include "infra/wire_time.h"
#include "infra/system_clock.h"

namespace guildhall {
namespace {

constexpr std::chrono::milliseconds tail_pause{100};

std::atomic<bool> interrupted{false};
void interrupt(int) { interrupted = true; }

// One record as a line of JSON. Personal values are masked: this output leaves the process.
std::string line_of(const SchemaCatalogue& catalogue, const Record& record, bool show_pii) {
  const RecordHeader& h = record.header;
  std::string out = "{\"shard\":" + std::to_string(h.shard) + ",\"sequence\":" + std::to_string(h.sequence);
  const auto member = [&](std::string_view name, std::string_view value) {
    out += ",\"";
    out += name;
    out += "\":\"";
    out += value;
    out += '"';
  };
  std::string time;
  append_instant(time, h.time);
  member("time", time);
  member("stream", to_string(h.stream));
  out += ",\"version\":" + std::to_string(h.stream_version);
  member("type", h.type);
  member("event_id", to_string(h.event_id));
  member("command_id", to_string(h.command_id));
  member("command_type", h.command_type);
  constexpr std::string_view actors[] = {"anonymous", "user", "service", "system"};
  member("actor", actors[static_cast<std::size_t>(h.actor_kind)]);
  if (!is_nil(h.actor_id)) member("actor_id", to_string(h.actor_id));
  member("correlation_id", to_string(h.correlation_id));
  member("causation_id", to_string(h.causation_id));
  out += ",\"epoch\":" + std::to_string(h.epoch);
  member("chain", to_hex(view(record.chain)));
  out += ",\"data\":";
  out += to_json(catalogue, h.type, record.payload, {.mask_pii = !show_pii}).value_or("null");
  out += '}';
  return out;
}

struct LogOptions {
  std::int64_t shard = -1;
  Sequence from = 1;
  std::uint64_t limit = 0;
  std::string stream;
  std::string type;
  bool show_pii = false;
};

void add_filters(CLI::App& app, LogOptions& o) {
  app.add_option("--shard", o.shard, "Only this shard");
  app.add_option("--stream", o.stream, "Only this stream, such as booking/UUID");
  app.add_option("--type", o.type, "Only this type, such as booking.v1.BookingCreated");
  app.add_flag("--show-pii", o.show_pii, "Print personal values");
}

int show(const CommandLine& line, const LogOptions& o, bool follow) {
  const auto log = open_log_to_read(line.settings());
  const SchemaCatalogue catalogue(schemas());
  const auto count = log->identity().shards;
  if (o.shard >= static_cast<std::int64_t>(count)) throw SettingsError("--shard: there are " + std::to_string(count) + " shards");
  std::optional<StreamId> stream;
  if (!o.stream.empty()) {
    stream = parse_stream(o.stream);
    if (!stream) throw SettingsError("a stream is KIND/UUID, such as booking/…");
  }
  std::vector<std::unique_ptr<LogReader>> readers;
  for (ShardNo n = 0; n < count; ++n) {
    // A stream lives in its id's shard; its decisions do too.
    const bool wanted = (o.shard < 0 || static_cast<ShardNo>(o.shard) == n) && (!stream || shard_of(stream->id, count) == n);
    if (!wanted) continue;
    const Sequence from = follow && o.from == 1 ? log->durable_end(n).sequence + 1 : o.from;
    if (from <= log->durable_end(n).sequence + 1) readers.push_back(log->read(n, from));
  }
  std::uint64_t printed = 0;
  std::signal(SIGINT, interrupt);
  for (;;) {
    bool any = false;
    for (const auto& reader : readers) {
      while (const Record* record = reader->next()) {
        any = true;
        if (interrupted) return exit_interrupted;
        if (stream && !(record->header.stream == *stream)) continue;
        if (!o.type.empty() && record->header.type != o.type) continue;
        if (std::puts(line_of(catalogue, *record, o.show_pii).c_str()) < 0) return exit_error;
        if (++printed == o.limit) return exit_ok;
        if (follow) break;  // Shards take turns, so that one busy shard does not hide the others.
      }
    }
    if (any) continue;
    if (!follow) return stream && printed == 0 ? exit_not_found : exit_ok;
    std::fflush(stdout);
    if (interrupted) return exit_interrupted;
    std::this_thread::sleep_for(tail_pause);
  }
}

int verify(const CommandLine& line, bool json) {
  const auto log = open_log_to_read(line.settings());
  const SystemClock clock;
  Progress progress(clock);
  const SchemaCatalogue catalogue(schemas());
  std::uint64_t total = 0, done = 0;
  for (ShardNo n = 0; n < log->identity().shards; ++n) total += log->durable_end(n).sequence;
  std::signal(SIGINT, interrupt);
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
      if (interrupted) return exit_interrupted;
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

void add_log_source(CLI::App& app, CommandLine& line) {
  for (const char* name : {"data", "platform", "log", "brokers", "kafka_topics", "kafka_properties"}) line.add_setting(app, name);
}

}  // namespace

void add_log(CLI::App& app, CommandLine& line, Run& run) {
  auto* log = app.add_subcommand("log", "Read and check the log");
  log->require_subcommand(1);
  auto options = std::make_shared<LogOptions>();

  auto* show_app = log->add_subcommand("show", "Print records as JSON lines");
  add_filters(*show_app, *options);
  show_app->add_option("--from", options->from, "First sequence of each shard")->check(CLI::PositiveNumber);
  show_app->add_option("--limit", options->limit, "Stop after so many");
  auto* tail = log->add_subcommand("tail", "Follow new records as JSON lines");
  add_filters(*tail, *options);
  tail->add_option("--from", options->from, "Start here instead of at the end")->check(CLI::PositiveNumber);
  auto* verify_app = log->add_subcommand("verify", "Check every record: order, batches, chain, payload");
  auto json = std::make_shared<bool>(false);
  verify_app->add_flag("--json", *json, "Print the result as JSON");
  for (auto* sub : {show_app, tail, verify_app}) {
    add_log_source(*sub, line);
  }
  show_app->callback([&run, &line, options] { run = [&line, options] { return show(line, *options, false); }; });
  tail->callback([&run, &line, options] { run = [&line, options] { return show(line, *options, true); }; });
  verify_app->callback([&run, &line, json] { run = [&line, json] { return verify(line, *json); }; });
}

void add_stream(CLI::App& app, CommandLine& line, Run& run) {
  auto* stream = app.add_subcommand("stream", "Read one stream");
  stream->require_subcommand(1);
  auto* show_app = stream->add_subcommand("show", "Print a stream's events as JSON lines");
  auto options = std::make_shared<LogOptions>();
  show_app->add_option("stream", options->stream, "KIND/UUID, such as booking/…")->required();
  show_app->add_flag("--show-pii", options->show_pii, "Print personal values");
  add_log_source(*show_app, line);
  show_app->callback([&run, &line, options] { run = [&line, options] { return show(line, *options, false); }; });
}

}  // namespace guildhall
