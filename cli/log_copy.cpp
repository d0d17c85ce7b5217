// guildhall log copy: moves a platform's log between the embedded log and Kafka, record by record as it is. Sequences, event ids,
// epochs, batches and chain stay, so that whatever was proved by the old log is proved by the new one, and the state and the read
// models that are rebuilt from it are the same. How to move a platform: docs/analytics.md.
//
// Run again it goes on where the target ends, after it has seen that the target's last record is the source's of that sequence;
// the chain then proves all before it. The source may be written to meanwhile: what it had at the start is copied, and exit code
// 7 says that there is more by now.
//
// What is not in the log does not go along: the secrets' folder (its claim key belongs to the log) is the operator's to copy, the
// state is rebuilt, and so are read models. Commands on their way between shards go along inside their batches; a target on Kafka
// gets them in its inbox topic by the same transactions, and a shard skips those that its marks cover. Facts for the directory
// topic are no part of a record, so a copy sends none: shards publish those of their state when they open.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <thread>

#include "cli/interrupt.h"
#include "cli/log_commands.h"
#include "cli/log_source.h"
#include "cli/platform.h"
#include "cli/progress.h"
#include "infra/crash_point.h"
#include "infra/kafka_log.h"
#include "infra/segment_log.h"
#include "infra/system_clock.h"

namespace guildhall {
namespace {

// What is appended at once, in whole batches: a transaction or a sync for each batch of the source would make the copy as slow as
// the first writing was.
constexpr std::size_t unit_records = 1000;
constexpr std::size_t unit_bytes = 1 << 20;
constexpr int attempts = 5;  // Of a unit that was aborted.
constexpr std::chrono::seconds room_patience{30};
constexpr std::chrono::milliseconds room_poll{20};
constexpr std::string_view embedded_prefix = "embedded:";

// The source and the target are not two places of one log's history.
class CopyConflict : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Where a log lies, as --from and --to say it.
struct LogPlace {
  LogKind kind{};
  std::filesystem::path root;  // Of an embedded log: the platform's folder.
  std::string text;
};

LogPlace parse_place(const std::string& flag, const std::string& text, const Settings& settings) {
  if (text == "kafka") return {LogKind::kafka, {}, "kafka at " + settings.text("brokers")};
  if (!text.starts_with(embedded_prefix) || text.size() == embedded_prefix.size())
    throw SettingsError(flag + " must be embedded:DIR or kafka");
  const PlatformFolders folders(text.substr(embedded_prefix.size()), settings.text("platform"));
  // Whichever way it is written, so that two names of one folder are seen to be one.
  return {LogKind::embedded, std::filesystem::weakly_canonical(folders.root), folders.root.string()};
}

// Nothing when there is no log.
std::unique_ptr<EventLog> open_to_read(const LogPlace& place, const Settings& settings) {
  if (place.kind == LogKind::kafka) return KafkaLog::open_existing(kafka_options(settings), settings.text("platform"));
  if (!SegmentLog::exists(place.root)) return nullptr;
  return SegmentLog::open_read_only(place.root);
}

std::unique_ptr<EventLog> open_to_write(const LogPlace& place, const Settings& settings, const LogIdentity& identity,
                                        Epoch highest_epoch) {
  if (place.kind == LogKind::kafka) return KafkaLog::open_or_create(kafka_options(settings), identity);
  if (!SegmentLog::exists(place.root)) SegmentLog::create(place.root, identity);
  auto log = SegmentLog::open(place.root, identity.platform, identity.shards);
  // Kafka's writers find the highest epoch in the records; this log keeps it apart from them.
  log->raise_epoch(highest_epoch);
  return log;
}

std::string shard_name(ShardNo shard) { return "shard " + std::to_string(shard); }

void check_same_log(const LogIdentity& source, const LogIdentity& target) {
  if (!(source.log_id == target.log_id))
    throw CopyConflict("the target holds another log: its id is " + to_string(target.log_id) + ", the source's " +
                       to_string(source.log_id));
  if (source.shards != target.shards)
    throw CopyConflict("the target has " + std::to_string(target.shards) + " shards, the source " +
                       std::to_string(source.shards));
}

// That the target's shard is the source's as far as it goes.
void check_prefix(EventLog& source, ShardNo shard, const LogEnd& source_end, const LogEnd& target_end) {
  if (target_end.sequence == 0) return;
  if (target_end.sequence > source_end.sequence)
    throw CopyConflict(shard_name(shard) + ": the target is ahead: it goes to sequence " + std::to_string(target_end.sequence) +
                       ", the source to " + std::to_string(source_end.sequence));
  const auto reader = source.read(shard, target_end.sequence);
  const Record* record = reader->next();
  if (record == nullptr || record->chain != target_end.head)
    throw CopyConflict(shard_name(shard) + ": the target has diverged: its record " + std::to_string(target_end.sequence) +
                       " is not the source's");
}

Epoch last_epoch(EventLog& log, ShardNo shard, const LogEnd& end) {
  if (end.sequence == 0) return 0;
  const auto reader = log.read(shard, end.sequence);
  const Record* record = reader->next();
  if (record == nullptr) throw CorruptLog(shard_name(shard) + ": the source ends before its durable end");
  return record->header.epoch;
}

// Appends units, one on its way while the next is put together.
class Appender {
 public:
  Appender(EventLog& log, LogWriter& writer) : log_(log), writer_(writer) {}
  ~Appender() {
    if (outcome_.valid()) outcome_.wait();
  }
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  void append(Batch unit) {
    settle();
    wait_for_room();
    on_its_way_ = std::move(unit);
    attempt_ = 0;
    submit();
  }
  // Returns when all is durable. Throws LogError.
  void settle() {
    while (outcome_.valid()) {
      const AppendOutcome outcome = outcome_.get();
      if (outcome == AppendOutcome::committed) {
        crash_at("copy_appended");
      } else if (outcome == AppendOutcome::aborted && ++attempt_ < attempts) {
        submit();
      } else {
        throw LogError(outcome == AppendOutcome::fenced    ? "the target got another writer meanwhile, or a connection broke"
                       : outcome == AppendOutcome::aborted ? "the target does not take the records"
                                                           : "the target did not say whether it has the last records",
                       "the target must not be served yet; the same command again goes on where the target ends", true);
      }
    }
  }

 private:
  void submit() {
    auto promise = std::make_shared<std::promise<AppendOutcome>>();
    outcome_ = promise->get_future();
    writer_.submit(on_its_way_, [promise](AppendOutcome outcome) { promise->set_value(outcome); });
  }
  void wait_for_room() const {
    const auto deadline = std::chrono::steady_clock::now() + room_patience;
    while (!log_.admits()) {
      if (std::chrono::steady_clock::now() >= deadline) throw LogError("the target takes no more", "space on its disk", true);
      std::this_thread::sleep_for(room_poll);
    }
  }

  EventLog& log_;
  LogWriter& writer_;
  Batch on_its_way_;  // Kept until its outcome is known.
  std::future<AppendOutcome> outcome_;
  int attempt_ = 0;
};

struct ShardCopy {
  Sequence was_there = 0;  // In the target, before.
  LogEnd source_end;       // As of the start: what is copied.
  LogEnd source_now;       // As of the end.
  Sequence copied() const { return source_end.sequence - was_there; }
  bool moved() const { return source_now.sequence != source_end.sequence; }
};

class Copy {
 public:
  Copy(const Settings& settings, LogPlace from, LogPlace to)
      : settings_(settings),
        from_(std::move(from)),
        to_(std::move(to)),
        progress_(clock_),
        source_(open_to_read(from_, settings)) {
    if (!source_) throw LogError("there is no log in " + from_.text, "--from and --platform name it", false);
    identity_ = source_->identity();
    if (identity_.platform != settings.text("platform"))
      throw CopyConflict("the source is the log of " + identity_.platform + ", not of " + settings.text("platform"));
    shards_.resize(identity_.shards);
    for (ShardNo n = 0; n < identity_.shards; ++n) {
      shards_[n].source_end = shards_[n].source_now = source_->durable_end(n);
      highest_epoch_ = std::max(highest_epoch_, last_epoch(*source_, n, shards_[n].source_end));
    }
  }

  // Looks before anything is touched: opening a writer of a target that is served ends its server's.
  void check() {
    ++identity_.generation;
    const auto target = open_to_read(to_, settings_);
    if (!target) return;
    check_same_log(identity_, target->identity());
    identity_ = target->identity();
    for (ShardNo n = 0; n < identity_.shards; ++n) {
      const LogEnd end = target->durable_end(n);
      check_prefix(*source_, n, shards_[n].source_end, end);
      shards_[n].was_there = end.sequence;
    }
  }

  // False when it was interrupted.
  bool run() {
    const auto target = open_to_write(to_, settings_, identity_, highest_epoch_);
    check_same_log(identity_, target->identity());
    identity_ = target->identity();
    std::uint64_t total = 0;
    for (const ShardCopy& shard : shards_) total += shard.copied();
    for (ShardNo n = 0; n < identity_.shards; ++n)
      if (!copy_shard(*target, n, total)) return false;
    return true;
  }

  // Reads both ends anew: the target's as it lies there, the source's as it is now.
  void verify() {
    const auto target = open_to_read(to_, settings_);
    const auto source = open_to_read(from_, settings_);
    if (!target || !source) throw CorruptLog("the log went away in the copy");
    for (ShardNo n = 0; n < identity_.shards; ++n) {
      const LogEnd end = target->durable_end(n);
      const LogEnd& wanted = shards_[n].source_end;
      if (end.sequence != wanted.sequence || end.head != wanted.head)
        throw CorruptLog(shard_name(n) + ": the target ends at sequence " + std::to_string(end.sequence) + " with head " +
                         to_hex(view(end.head)) + ", what was copied at " + std::to_string(wanted.sequence) + " with " +
                         to_hex(view(wanted.head)));
      shards_[n].source_now = source->durable_end(n);
    }
  }

  bool source_moved() const {
    return std::ranges::any_of(shards_, [](const ShardCopy& shard) { return shard.moved(); });
  }
  std::string report_json() const;
  void report_text() const;
  void report_plan() const;

 private:
  bool copy_shard(EventLog& target, ShardNo n, std::uint64_t total) {
    ShardCopy& shard = shards_[n];
    const auto writer = target.open(n);
    check_prefix(*source_, n, shard.source_end, writer->end());
    shard.was_there = writer->end().sequence;
    Sequence at = shard.was_there;
    if (at == shard.source_end.sequence) return true;
    const auto reader = source_->read(n, at + 1);
    BatchCopy unit(at, writer->end().head);
    Appender appender(target, *writer);
    while (at < shard.source_end.sequence) {
      if (interrupted()) {
        appender.settle();
        return false;
      }
      const Record* record = reader->next();
      if (record == nullptr)
        throw CorruptLog(shard_name(n) + ": the source ends at sequence " + std::to_string(at) + ", before its durable end");
      unit.add(*record);
      at = record->header.sequence;
      ++done_;
      const bool enough = unit.records() >= unit_records || unit.bytes() >= unit_bytes || at == shard.source_end.sequence;
      if (!unit.whole() || !enough) continue;
      appender.append(unit.take());
      progress_.report(done_, total);
    }
    appender.settle();
    return true;
  }

  const Settings& settings_;
  const LogPlace from_;
  const LogPlace to_;
  const SystemClock clock_;
  Progress progress_;
  std::unique_ptr<EventLog> source_;
  LogIdentity identity_;  // The target's, as it is or is to be.
  Epoch highest_epoch_ = 0;
  std::vector<ShardCopy> shards_;
  std::uint64_t done_ = 0;
};

std::string Copy::report_json() const {
  std::string out = "{\"platform\":\"" + identity_.platform + "\",\"log_id\":\"" + to_string(identity_.log_id) +
                    "\",\"generation\":" + std::to_string(identity_.generation) + ",\"shards\":[";
  for (ShardNo n = 0; n < identity_.shards; ++n) {
    const ShardCopy& shard = shards_[n];
    if (n > 0) out += ',';
    out += "{\"shard\":" + std::to_string(n) + ",\"was_there\":" + std::to_string(shard.was_there) +
           ",\"copied\":" + std::to_string(shard.copied()) + ",\"sequence\":" + std::to_string(shard.source_end.sequence) +
           ",\"head\":\"" + to_hex(view(shard.source_end.head)) +
           "\",\"source_sequence\":" + std::to_string(shard.source_now.sequence) + "}";
  }
  return out + "],\"records\":" + std::to_string(done_) + ",\"source_moved\":" + (source_moved() ? "true" : "false") + "}";
}

void Copy::report_text() const {
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  for (ShardNo n = 0; n < identity_.shards; ++n) {
    const ShardCopy& shard = shards_[n];
    std::printf("shard %u: %llu records copied, %llu were there; equal up to sequence %llu, head %s", n, number(shard.copied()),
                number(shard.was_there), number(shard.source_end.sequence), to_hex(view(shard.source_end.head)).c_str());
    if (shard.moved()) std::printf("; the source is at %llu by now", number(shard.source_now.sequence));
    std::printf("\n");
  }
  std::printf("log %s, generation %u, is in %s: %llu records in %.1f s\n", to_string(identity_.log_id).c_str(),
              identity_.generation, to_.text.c_str(), number(done_), progress_.seconds());
}

void Copy::report_plan() const {
  for (ShardNo n = 0; n < identity_.shards; ++n)
    std::printf("shard %u: %llu records to copy, %llu are there\n", n, static_cast<unsigned long long>(shards_[n].copied()),
                static_cast<unsigned long long>(shards_[n].was_there));
}

struct CopyFlags {
  std::string from;
  std::string to;
  bool dry_run = false;
  bool json = false;
};

int copy_log(const CommandLine& line, const CopyFlags& flags) try {
  const Settings settings = line.settings();
  arm_crash_point(settings);
  LogPlace from = parse_place("--from", flags.from, settings);
  LogPlace to = parse_place("--to", flags.to, settings);
  if (from.kind == to.kind && from.root == to.root) throw SettingsError("--from and --to are the same log");
  watch_for_interrupt();
  Copy copy(settings, std::move(from), std::move(to));
  copy.check();
  if (flags.dry_run) {
    copy.report_plan();
    return exit_ok;
  }
  if (!copy.run()) {
    std::fprintf(stderr, "guildhall: interrupted; the same command goes on where the target ends\n");
    return exit_interrupted;
  }
  copy.verify();
  if (flags.json) std::puts(copy.report_json().c_str());
  else copy.report_text();
  if (!copy.source_moved()) return exit_ok;
  std::fprintf(stderr,
               "guildhall: the source was written to meanwhile: stop its server and run the same command again, before the "
               "target is served\n");
  return exit_partial;
} catch (const CopyConflict& e) {
  std::fprintf(stderr, "guildhall: %s\n  hint: copy into a place that holds no log, or an earlier copy of this one\n", e.what());
  return exit_conflict;
}

}  // namespace

void add_log_copy(CLI::App& log, CommandLine& line, Run& run) {
  auto* app = log.add_subcommand("copy", "Move a platform's log between a data folder and Kafka; run again, it goes on");
  const auto flags = std::make_shared<CopyFlags>();
  app->add_option("--from", flags->from, "embedded:DIR (a data folder) or kafka")->required();
  app->add_option("--to", flags->to, "embedded:DIR or kafka")->required();
  auto* json = app->add_flag("--json", flags->json, "Print the result as JSON");
  app->add_flag("--dry-run", flags->dry_run, "Check both and say what would be copied")->excludes(json);
  for (const char* name : {"platform", "brokers", "kafka_properties", "kafka_compression", "kafka_replication", "crash_at"})
    line.add_setting(*app, name);
  app->callback([&run, &line, flags] { run = [&line, flags] { return copy_log(line, *flags); }; });
}

}  // namespace guildhall
