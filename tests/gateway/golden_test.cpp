// Released events read the same for ever: tests/golden/<type>.bin holds one event of each type as it was once written,
// <type>.json what it says. GUILDHALL_WRITE_GOLDEN=1 writes the files of types that have none (script/schema-release); an
// existing one is never written again.

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <flatbuffers/idl.h>
#include <gtest/gtest.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "decision_generated.h"
#include "events/codec.h"
#include "gateway/transcoder.h"
#include "tests/gateway/inline_schema.h"

namespace guildhall {
namespace {

namespace json = boost::json;

const SchemaCatalogue& catalogue() {
  static const SchemaCatalogue made(schemas());
  return made;
}

std::string golden_path(std::string_view type, const char* extension) {
  return std::string(GUILDHALL_SOURCE_DIR) + "/tests/golden/" + std::string(type) + extension;
}

// FlatBuffers' own JSON of a value that is not the field's default; `seed` makes the fields of an event differ.
std::string sample(const FieldSchema& field, int seed) {
  const std::string number = std::to_string(seed);
  const auto uuid = [&](int n) {
    return "{\"hi\": " + std::to_string(0x0123456789ab7000 + seed) + ", \"lo\": " + std::to_string(0x7fedcba987650000 + n) + "}";
  };
  const auto structure = [&](const StructSchema& declared) {
    std::string out;
    int n = seed;
    for (const FieldSchema& member : declared.fields)
      out.append(out.empty() ? "{" : ", ").append("\"").append(member.name).append("\": ").append(sample(member, ++n));
    return out + "}";
  };
  switch (field.kind) {
    case FieldKind::boolean: return field.default_integer == 0 ? "true" : "false";
    case FieldKind::enumeration: return std::to_string(field.enumeration->values.back().number);
    case FieldKind::string: return "\"text " + number + " \\u00e6\"";
    case FieldKind::uuid: return uuid(0);
    case FieldKind::structure: return structure(*field.structure);
    case FieldKind::bytes: return "[0, 255, " + number + "]";
    case FieldKind::strings: return "[\"first " + number + "\", \"second\"]";
    case FieldKind::uuids: return "[" + uuid(1) + ", " + uuid(2) + "]";
    case FieldKind::structures: return "[" + structure(*field.structure) + "]";
    case FieldKind::int64:
      return field.format == FieldFormat::instant ? "177474600000000" + number.substr(0, 1) : "9007199254740993";
    default: return number;
  }
}

template <class T>
std::optional<std::string> reencode(std::string_view bytes) {
  T value;
  if (!unpack(bytes, value)) return std::nullopt;
  return pack(value);
}

// Through the typed structs and back; nothing when the bytes do not decode. The records of the shard itself are no events of an
// aggregate.
std::optional<std::string> decoded_and_encoded(std::string_view type, std::string_view bytes) {
  if (type == "decision.v1.DecisionMade") return reencode<::decision::v1::DecisionMadeT>(bytes);
  if (type == "decision.v1.InboxCommand") return reencode<::decision::v1::InboxCommandT>(bytes);
  if (type == "decision.v1.WriterOpened") return reencode<::decision::v1::WriterOpenedT>(bytes);
  const auto event = decode_event(type, bytes);
  if (!event) return std::nullopt;
  return encode(*event);
}

std::string sample_event(const TableSchema& table) {
  flatbuffers::Parser parser;
  if (!parser.Deserialize(reinterpret_cast<const std::uint8_t*>(table.schema->bfbs.data()), table.schema->bfbs.size()))
    throw std::runtime_error("no schema");
  std::string text = "{";
  int seed = 0;
  for (const FieldSchema& field : table.fields)
    text.append(text.size() == 1 ? "" : ", ").append("\"").append(field.name).append("\": ").append(sample(field, ++seed));
  if (!parser.SetRootType(std::string(table.name).c_str()) || !parser.ParseJson((text + "}").c_str()))
    throw std::runtime_error(parser.error_ + text);
  const std::string bytes(reinterpret_cast<const char*>(parser.builder_.GetBufferPointer()), parser.builder_.GetSize());
  return decoded_and_encoded(table.name, bytes).value();
}

void write_missing() {
  for (const TableSchema& table : catalogue().tables()) {
    if (table.use != TableUse::event || std::filesystem::exists(golden_path(table.name, ".bin"))) continue;
    const std::string bytes = sample_event(table);
    std::ofstream(golden_path(table.name, ".bin"), std::ios::binary) << bytes;
    std::ofstream(golden_path(table.name, ".json"), std::ios::binary) << to_json(table, bytes).value() << "\n";
    std::printf("wrote %s\n", golden_path(table.name, ".bin").c_str());
  }
}

// Whatever was recorded must read the same; fields that were appended since then may be there too.
void expect_contains(const json::object& now, const json::object& recorded, std::string_view type) {
  for (const auto& member : recorded) {
    const json::value* value = now.if_contains(member.key());
    ASSERT_NE(value, nullptr) << type << " lost " << member.key();
    EXPECT_EQ(*value, member.value()) << type << "." << member.key();
  }
}

TEST(Golden, every_event_type_ever_written_reads_the_same) {
  if (std::getenv("GUILDHALL_WRITE_GOLDEN") != nullptr) write_missing();
  std::size_t events = 0;
  for (const TableSchema& table : catalogue().tables()) {
    if (table.use != TableUse::event) continue;
    ++events;
    const std::string bytes = file_text(golden_path(table.name, ".bin"));
    ASSERT_FALSE(bytes.empty()) << table.name << " has no golden file; script/schema-release writes it";
    EXPECT_TRUE(decoded_and_encoded(table.name, bytes).has_value()) << table.name;
    const auto text = to_json(table, bytes);
    ASSERT_TRUE(text.has_value()) << table.name << " does not verify";
    expect_contains(json::parse(*text).as_object(), json::parse(file_text(golden_path(table.name, ".json"))).as_object(),
                    table.name);
  }
  EXPECT_GE(events, std::variant_size_v<AnyEvent::Types>);
}

// A golden file outlives its type's table only by mistake: the table was deleted.
TEST(Golden, every_file_has_its_event_type) {
  for (const auto& entry : std::filesystem::directory_iterator(golden_path("", ""))) {
    if (entry.path().extension() != ".bin") continue;
    const TableSchema* table = catalogue().table(entry.path().stem().string());
    ASSERT_NE(table, nullptr) << entry.path();
    EXPECT_EQ(table->use, TableUse::event) << entry.path();
  }
}

}  // namespace
}  // namespace guildhall
