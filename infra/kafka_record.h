// Records as Kafka messages: CloudEvents 1.0 in binary mode, so that ordinary clients read them (docs/analytics.md has the
// table of headers). Key: the stream. Value: the payload untouched. `guildhall-header` holds the chained header bytes; every
// other header is derived from it (ce_chainhash apart, which the chain itself proves) and compared on read, so that nobody is
// shown one thing while the chain proves another.
#pragma once

#include <string>
#include <string_view>

#include "events/record.h"

struct rd_kafka_message_s;
struct rd_kafka_headers_s;

namespace guildhall {

inline constexpr std::string_view record_header_name = "guildhall-header";

// Owned by the caller until a message is produced with it. `recorded_at` is the time of the append, not chained.
rd_kafka_headers_s* kafka_headers_of(const Record& record, std::uint32_t generation, Micros recorded_at);

// What a message of the events topic says; the views live as long as the message. Throws CorruptLog, with partition and offset,
// for a message that no writer of ours made.
Record record_of(const rd_kafka_message_s& message, std::uint32_t generation);

// Of a message of the inbox topic: the header of the record in its source's log. Throws CorruptLog.
RecordHeader source_header_of(const rd_kafka_message_s& message);

}  // namespace guildhall
