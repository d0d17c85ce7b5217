// Which records a reading command is about: the flags of `log show`, `log tail` and `log export`.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cli/commands.h"
#include "events/event_log.h"
#include "gateway/schema.h"

namespace guildhall {

struct LogFlags {
  std::int64_t shard = -1;
  Sequence from = 1;
  std::uint64_t limit = 0;  // 0: none.
  std::string stream;
  std::string type;
  bool events_only = false;
  bool show_pii = false;
};
void add_log_filters(CLI::App& app, LogFlags& flags);
// The settings that say which log is read.
void add_log_source(CLI::App& app, CommandLine& line);

class LogFilter {
 public:
  // Throws SettingsError for flags that this log or the schemas can't mean.
  LogFilter(const LogFlags& flags, const LogIdentity& log, const SchemaCatalogue& catalogue);
  bool of_one_stream() const { return stream_.has_value(); }
  const std::vector<ShardNo>& shards() const { return shards_; }  // That can hold what is wanted.
  bool wants(const RecordHeader& record) const;

 private:
  std::optional<StreamId> stream_;
  std::string type_;
  bool events_only_;
  std::vector<ShardNo> shards_;
};

}  // namespace guildhall
