// Which log a command works on: the setting `log`, and where that one lies.
#pragma once

#include <array>
#include <memory>

#include "cli/settings.h"
#include "events/event_log.h"
#include "infra/kafka_client.h"

namespace guildhall {

// The settings that say which log it is: every command that works on one takes them.
inline constexpr std::array<const char*, 6> log_settings{"data",    "platform",     "log",
                                                         "brokers", "kafka_topics", "kafka_properties"};

enum class LogKind : std::uint8_t { embedded, kafka };
LogKind log_kind(const Settings& settings);  // Throws SettingsError.

// Throws SettingsError, LogError.
KafkaOptions kafka_options(const Settings& settings);

// For reading commands: takes no lock, changes nothing, ends at the durable end. Throws LogError, also when there is no log.
std::unique_ptr<EventLog> open_log_to_read(const Settings& settings);

}  // namespace guildhall
