// Integers in the byte order of our file formats.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>
#include <string>
#include <string_view>

#include "events/record.h"

namespace guildhall {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian; other machines need a swap here");

template <std::unsigned_integral Integer>
void store(char* at, Integer value) {
  std::memcpy(at, &value, sizeof value);
}
template <std::unsigned_integral Integer>
Integer load(const char* at) {
  Integer value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
template <std::unsigned_integral Integer>
void put(std::string& out, Integer value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Takes fields from the front. Throws CorruptLog where they end too early.
class FieldReader {
 public:
  explicit FieldReader(std::string_view rest) : rest_(rest) {}
  std::string_view bytes(std::size_t n) {
    if (rest_.size() < n) throw CorruptLog("a block of the log is shorter than its fields");
    const auto out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
  }
  template <std::unsigned_integral Integer>
  Integer integer() {
    return load<Integer>(bytes(sizeof(Integer)).data());
  }
  template <std::size_t n>
  std::array<char, n> array() {
    std::array<char, n> out;
    std::memcpy(out.data(), bytes(n).data(), n);
    return out;
  }

 private:
  std::string_view rest_;
};

}  // namespace guildhall
