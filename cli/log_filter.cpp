#include "cli/log_filter.h"

#include "cli/log_source.h"
#include "events/codec.h"

namespace guildhall {

void add_log_filters(CLI::App& app, LogFlags& flags) {
  app.add_option("--shard", flags.shard, "Only this shard")->check(CLI::NonNegativeNumber);
  app.add_option("--stream", flags.stream, "Only this stream, such as booking/UUID");
  app.add_option("--type", flags.type, "Only this type, such as booking.v1.BookingCreated");
  app.add_flag("--events-only", flags.events_only, "Only what happened: no decisions, inbox commands and writers' records");
  app.add_flag("--show-pii", flags.show_pii, "Print personal values");
}

void add_log_source(CLI::App& app, CommandLine& line) {
  for (const char* name : log_settings) line.add_setting(app, name);
}

LogFilter::LogFilter(const LogFlags& flags, const LogIdentity& log, const SchemaCatalogue& catalogue)
    : type_(flags.type), events_only_(flags.events_only) {
  if (flags.shard >= static_cast<std::int64_t>(log.shards))
    throw SettingsError("--shard: there are " + std::to_string(log.shards) + " shards, from 0");
  if (!flags.stream.empty()) {
    stream_ = parse_stream(flags.stream);
    if (!stream_) throw SettingsError("a stream is KIND/UUID, such as booking/…");
  }
  if (!type_.empty() && catalogue.table(type_) == nullptr)
    throw SettingsError("--type: there is no " + type_ + "; types are named like booking.v1.BookingCreated");
  for (ShardNo n = 0; n < log.shards; ++n) {
    if (flags.shard >= 0 && static_cast<ShardNo>(flags.shard) != n) continue;
    // A stream lives in its id's shard; its decisions do too. The writers' stream is named by the log's own id, in every shard.
    if (stream_ && stream_->kind != StreamKind::writer && shard_of(stream_->id, log.shards) != n) continue;
    shards_.push_back(n);
  }
}

bool LogFilter::wants(const RecordHeader& record) const {
  return (!stream_ || record.stream == *stream_) && (type_.empty() || record.type == type_) &&
         (!events_only_ || is_event_type(record.type));
}

}  // namespace guildhall
