#include "infra/kafka_record.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <charconv>
#include <cstring>

#include "infra/base64url.h"
#include "infra/wire_time.h"

namespace guildhall {
namespace {

constexpr std::string_view content_type = "application/x-flatbuffers";
constexpr std::string_view chain_name = "ce_chainhash";
constexpr std::string_view schema_prefix = "urn:guildhall:schema:sha256:";

// Whom CloudEvents' authcontext extension calls what; by ActorKind.
constexpr std::string_view auth_types[] = {"unauthenticated", "app_user", "service_account", "system"};

// A value and its text. Within a batch most of a record's texts are those of the record before.
template <class T>
struct Written {
  T value{};
  std::string text;

  template <class Write>
  const std::string& of(const T& wanted, Write write) {
    if (text.empty() || !(value == wanted)) {
      value = wanted;
      text.clear();
      write(text, wanted);
    }
    return text;
  }
};

struct WrittenTexts {
  static constexpr std::size_t schemas_kept = 64;
  Written<Uuid> command, correlation, causation, actor;
  Written<Hash> fingerprint;
  Written<Micros> time, recorded;
  std::array<Written<Hash>, schemas_kept> schemas;
  const std::string& schema(const Hash& digest) {
    return schemas[static_cast<unsigned char>(digest[0]) % schemas_kept].of(digest, [](std::string& out, const Hash& d) {
      out.append(schema_prefix);
      out.append(to_hex(view(d)));
    });
  }
};

void write_uuid(std::string& out, const Uuid& id) { append_text(out, id); }
void write_hash(std::string& out, const Hash& hash) { out += base64url_encode(view(hash)); }
void write_instant(std::string& out, Micros time) {
  if (!append_instant(out, time)) throw CorruptLog("record header has a time outside the years 0000 to 9999");
}

// Each thread that writes or reads records has its own.
WrittenTexts& written_texts() {
  thread_local WrittenTexts texts;
  return texts;
}

// Calls f(name, value) for every header that follows from the record's own, always in this order.
template <class F>
void derive(const RecordHeader& h, std::uint32_t generation, F f) {
  WrittenTexts& written = written_texts();
  constexpr std::size_t sequence_digits = 20;  // Sorts as text.
  std::array<char, sequence_digits> digits;
  const auto number = [&](std::string_view name, std::uint64_t value) {
    char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    f(name, std::string_view(digits.data(), end));
  };
  std::string text;
  f("content-type", content_type);
  f("ce_specversion", "1.0");
  append_text(text, h.event_id);
  f("ce_id", text);
  f("ce_type", h.type);
  f("ce_time", written.time.of(h.time, write_instant));
  text.clear();
  fmt::format_to(std::back_inserter(text), "/{}/{}/{}", h.platform, generation, h.shard);
  f("ce_source", text);
  const auto length =
      static_cast<std::size_t>(std::to_chars(digits.data(), digits.data() + digits.size(), h.sequence).ptr - digits.data());
  text.assign(sequence_digits - length, '0');
  text.append(digits.data(), length);
  f("ce_sequence", text);
  text.assign(name_of(h.stream.kind));
  text += '/';
  append_text(text, h.stream.id);
  f("ce_subject", text);
  f("ce_partitionkey", text);
  number("ce_streamversion", h.stream_version);
  f("ce_dataschema", written.schema(h.schema_digest));
  f("ce_commandid", written.command.of(h.command_id, write_uuid));
  f("ce_commandtype", h.command_type);
  f("ce_commandhash", written.fingerprint.of(h.fingerprint, write_hash));
  f("ce_correlationid", written.correlation.of(h.correlation_id, write_uuid));
  f("ce_causationid", written.causation.of(h.causation_id, write_uuid));
  f("ce_authtype", auth_types[static_cast<std::size_t>(h.actor_kind)]);
  if (!is_nil(h.actor_id)) f("ce_authid", written.actor.of(h.actor_id, write_uuid));
  number("ce_epoch", h.epoch);
  number("ce_batchindex", h.batch_index);
  number("ce_batchsize", h.batch_size);
}

[[noreturn]] void corrupt(const rd_kafka_message_s& m, const std::string& what) {
  throw CorruptLog(fmt::format("{}[{}] offset {}: {}", m.rkt ? rd_kafka_topic_name(m.rkt) : "?", m.partition, m.offset, what));
}

rd_kafka_headers_t* headers_in(const rd_kafka_message_s& m) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) corrupt(m, "a message without headers");
  return headers;
}

std::string_view value_of(const rd_kafka_message_s& m, const rd_kafka_headers_t* headers, std::string_view name) {
  const void* value = nullptr;
  std::size_t length = 0;
  if (rd_kafka_header_get_last(headers, std::string(name).c_str(), &value, &length) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      value == nullptr)
    corrupt(m, "a message without the header " + std::string(name));
  return {static_cast<const char*>(value), length};
}

}  // namespace

rd_kafka_headers_s* kafka_headers_of(const Record& record, std::uint32_t generation, Micros recorded_at) {
  constexpr std::size_t usual_headers = 26;
  rd_kafka_headers_t* out = rd_kafka_headers_new(usual_headers);
  const auto add = [&](std::string_view name, std::string_view value) {
    rd_kafka_header_add(out, name.data(), static_cast<ssize_t>(name.size()), value.data(), static_cast<ssize_t>(value.size()));
  };
  add(record_header_name, record.header_bytes);
  derive(record.header, generation, add);
  add(chain_name, base64url_encode(view(record.chain)));
  add("ce_recordedtime", written_texts().recorded.of(recorded_at, write_instant));
  return out;
}

Record record_of(const rd_kafka_message_s& m, std::uint32_t generation) {
  rd_kafka_headers_t* headers = headers_in(m);
  // In the order in which they were written; what stands behind them (traces, the time of the append) is not ours to judge.
  std::size_t at = 0;
  const auto next = [&](std::string_view name) {
    const char* found = nullptr;
    const void* value = nullptr;
    std::size_t length = 0;
    if (rd_kafka_header_get_all(headers, at++, &found, &value, &length) != RD_KAFKA_RESP_ERR_NO_ERROR || name != found)
      corrupt(m, "expected the header " + std::string(name));
    return std::string_view(static_cast<const char*>(value), length);
  };
  Record record;
  record.header_bytes = next(record_header_name);
  try {
    record.header = decode_header(record.header_bytes);
  } catch (const CorruptLog& e) {
    corrupt(m, e.what());
  }
  std::string_view key;
  derive(record.header, generation, [&](std::string_view name, std::string_view expected) {
    const auto found = next(name);
    if (found != expected) corrupt(m, fmt::format("{} is '{}', where the record says '{}'", name, found, expected));
    if (name == "ce_partitionkey") key = found;
  });
  const auto chain = base64url_decode(next(chain_name));
  if (!chain || chain->size() != record.chain.size()) corrupt(m, "ce_chainhash is no hash");
  std::memcpy(record.chain.data(), chain->data(), chain->size());
  if (std::string_view(static_cast<const char*>(m.key), m.key_len) != key) corrupt(m, "the key is not the stream");
  if (static_cast<std::int32_t>(record.header.shard) != m.partition) corrupt(m, "a record of another shard");
  record.payload = {static_cast<const char*>(m.payload), m.len};
  return record;
}

RecordHeader source_header_of(const rd_kafka_message_s& m) {
  const auto bytes = value_of(m, headers_in(m), record_header_name);
  try {
    return decode_header(bytes);
  } catch (const CorruptLog& e) {
    corrupt(m, e.what());
  }
}

}  // namespace guildhall
