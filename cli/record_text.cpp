#include "cli/record_text.h"

#include <string_view>

#include "gateway/transcoder.h"
#include "infra/csv.h"
#include "infra/wire_time.h"

namespace guildhall {
namespace {

constexpr std::string_view actors[] = {"anonymous", "user", "service", "system"};  // By ActorKind.

[[noreturn]] void fail(const Record& record) {
  throw CorruptLog("shard " + std::to_string(record.header.shard) + ", sequence " + std::to_string(record.header.sequence) +
                   ": the payload is not a " + std::string(record.header.type) + " that this version knows");
}

std::string instant(Micros time) {
  std::string out;
  append_instant(out, time);
  return out;
}

std::string_view actor_of(const RecordHeader& h) { return actors[static_cast<std::size_t>(h.actor_kind)]; }
std::string actor_id_of(const RecordHeader& h) { return is_nil(h.actor_id) ? std::string() : to_string(h.actor_id); }

// What a record says besides its data. `f(name, value)` for every column, in this order.
template <class F>
void columns(const RecordHeader& h, F f) {
  f("shard", std::to_string(h.shard));
  f("sequence", std::to_string(h.sequence));
  f("time", instant(h.time));
  f("stream", to_string(h.stream));
  f("version", std::to_string(h.stream_version));
  f("type", h.type);
  f("event_id", to_string(h.event_id));
  f("command_id", to_string(h.command_id));
  f("command_type", h.command_type);
  f("actor", actor_of(h));
  f("actor_id", actor_id_of(h));
  f("correlation_id", to_string(h.correlation_id));
  f("causation_id", to_string(h.causation_id));
}

}  // namespace

std::string json_line(const SchemaCatalogue& catalogue, const Record& record, bool show_pii) {
  const RecordHeader& h = record.header;
  const auto data = to_json(catalogue, h.type, record.payload, {.mask_pii = !show_pii});
  if (!data) fail(record);
  std::string out = "{\"shard\":" + std::to_string(h.shard) + ",\"sequence\":" + std::to_string(h.sequence);
  const auto member = [&](std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":\"").append(value) += '"';
  };
  member("time", instant(h.time));
  member("stream", to_string(h.stream));
  out += ",\"version\":" + std::to_string(h.stream_version);
  member("type", h.type);
  member("event_id", to_string(h.event_id));
  member("command_id", to_string(h.command_id));
  member("command_type", h.command_type);
  member("actor", actor_of(h));
  if (!is_nil(h.actor_id)) member("actor_id", to_string(h.actor_id));
  member("correlation_id", to_string(h.correlation_id));
  member("causation_id", to_string(h.causation_id));
  out += ",\"epoch\":" + std::to_string(h.epoch);
  member("chain", to_hex(view(record.chain)));
  out.append(",\"data\":").append(*data) += '}';
  return out;
}

std::string CsvRows::header() const {
  std::string out;
  columns(RecordHeader{.stream = {StreamKind::writer, {}}},
          [&](std::string_view name, std::string_view) { append_csv_cell(out, name); });
  if (columns_of_ == nullptr) append_csv_cell(out, "data");
  else
    for (const FieldSchema& field : columns_of_->fields) append_csv_cell(out, "data_" + std::string(field.name));
  return out.append(csv_line_end);
}

std::string CsvRows::row(const Record& record) const {
  std::string out;
  columns(record.header, [&](std::string_view, std::string_view value) { append_csv_cell(out, value); });
  const JsonOptions options{.mask_pii = !show_pii_};
  if (columns_of_ == nullptr) {
    const auto data = to_json(catalogue_, record.header.type, record.payload, options);
    if (!data) fail(record);
    append_csv_cell(out, *data);
  } else {
    const auto cells = to_texts(*columns_of_, record.payload, options);
    if (!cells || record.header.type != columns_of_->name) fail(record);
    for (const auto& cell : *cells) append_csv_cell(out, cell.value_or(""));
  }
  return out.append(csv_line_end);
}

}  // namespace guildhall
