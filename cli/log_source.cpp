#include "cli/log_source.h"

#include "cli/platform.h"
#include "infra/kafka_log.h"
#include "infra/segment_log.h"

namespace guildhall {
namespace {
constexpr std::int64_t max_replication = 16;
}

LogKind log_kind(const Settings& settings) {
  const std::string& name = settings.text("log");
  if (name == "embedded") return LogKind::embedded;
  if (name == "kafka") return LogKind::kafka;
  throw SettingsError("log (" + settings["log"].origin + ") must be embedded or kafka");
}

KafkaOptions kafka_options(const Settings& settings) {
  KafkaOptions out;
  out.brokers = settings.text("brokers");
  if (out.brokers.empty()) throw SettingsError("brokers: the log is Kafka's, so host:port of its brokers is needed");
  out.topics = settings.text("kafka_topics");
  const auto add = [&](const std::string& property) {
    const auto equals = property.find('=');
    if (equals == std::string::npos) throw SettingsError("kafka_properties must be NAME=VALUE, comma-separated");
    out.properties[property.substr(0, equals)] = property.substr(equals + 1);
  };
  for (const std::string& property : settings.list("kafka_properties")) add(property);
  if (const std::string& password = settings.text("kafka_sasl_password"); !password.empty())
    out.properties["sasl.password"] = password;
  check_kafka_properties(out.properties);
  out.replication = static_cast<int>(settings.integer("kafka_replication", 0, max_replication));
  out.compression = settings.text("kafka_compression");
  return out;
}

std::unique_ptr<EventLog> open_log_to_read(const Settings& settings) {
  if (log_kind(settings) == LogKind::kafka) {
    const KafkaOptions options = kafka_options(settings);
    std::unique_ptr<EventLog> log = KafkaLog::open_existing(options, settings.text("platform"));
    if (!log)
      throw LogError("there is no log of " + settings.text("platform") + " on " + options.brokers,
                     "--brokers and --platform name it; guildhall serve --log kafka makes it", false);
    return log;
  }
  const PlatformFolders folders(settings);
  if (!SegmentLog::exists(folders.root))
    throw LogError("there is no log in " + folders.root.string(), "--data and --platform name the folder", false);
  return SegmentLog::open_read_only(folders.root);
}

}  // namespace guildhall
