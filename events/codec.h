// Between the typed variants and FlatBuffers bytes. Every decoding runs the verifier first, our own disk's bytes too.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <optional>
#include <string>
#include <string_view>

#include "events/catalogue.h"

namespace guildhall {

// Bounds of the FlatBuffers verifier (the library's own defaults are 64 and 1,000,000).
inline constexpr flatbuffers::uoffset_t max_table_depth = 16;
inline constexpr flatbuffers::uoffset_t max_tables = 1000;

template <class T>
std::string pack(const T& value) {
  thread_local flatbuffers::FlatBufferBuilder builder(1024);
  builder.Clear();
  builder.Finish(T::TableType::Pack(builder, &value));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

// A record's payload as a table, without taking it apart; nullptr when the bytes are not a valid one. `bytes` must be 8-byte
// aligned.
template <class Table>
const Table* verified(std::string_view bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, bytes.size(), max_table_depth, max_tables);
  return verifier.VerifyBuffer<Table>(nullptr) ? flatbuffers::GetRoot<Table>(data) : nullptr;
}

// False when the bytes are not a valid T. `bytes` need no alignment: misaligned ones are copied first.
template <class T>
bool unpack(std::string_view bytes, T& value) {
  std::string copy;
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) {
    copy.assign(bytes);
    bytes = copy;
  }
  const auto* table = verified<typename T::TableType>(bytes);
  if (table == nullptr) return false;
  table->UnPackTo(&value);
  return true;
}

std::string encode(const AnyEvent& event);
std::string encode(const AnyCommand& command);
std::string encode(const AnyResource& resource);

// nullopt: the type is not in the catalogue, or the bytes do not verify.
std::optional<AnyEvent> decode_event(std::string_view type, std::string_view bytes);
std::optional<AnyCommand> decode_command(std::string_view type, std::string_view bytes);
bool is_event_type(std::string_view type);

}  // namespace guildhall
