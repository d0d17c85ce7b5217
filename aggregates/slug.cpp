#include "aggregates/slug.h"

#include <algorithm>
#include <cstdint>

#include "events/sha256.h"

namespace guildhall {
namespace {

constexpr std::size_t max_readable = 60;
constexpr int id_characters = 10;
constexpr int bits_per_character = 5;

// Bytes beyond ASCII are what stands between: their letters would need a table of the world's scripts that never changes.
std::string readable(std::string_view title) {
  std::string out;
  bool gap = false;
  for (char c : title) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
      gap = true;
      continue;
    }
    if (gap && !out.empty()) out += '-';
    gap = false;
    out += c;
    if (out.size() >= max_readable) break;
  }
  // A hyphen and the character after it may have gone one beyond.
  out.resize(std::min(out.size(), max_readable));
  while (out.ends_with('-')) out.pop_back();
  return out;
}

}  // namespace

std::string ten_characters_of(const Uuid& id) {
  constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::string bytes;
  append_bytes(bytes, id);
  const Hash hash = sha256(bytes);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 8; ++i) bits = bits << 8 | static_cast<unsigned char>(hash[i]);
  std::string out;
  for (int i = 0; i < id_characters; ++i) out += alphabet[bits >> (64 - bits_per_character * (i + 1)) & 31];
  return out;
}

std::string slug_of(std::string_view title, const Uuid& id) {
  std::string out = readable(title);
  if (!out.empty()) out += '-';
  return out + ten_characters_of(id);
}

}  // namespace guildhall
