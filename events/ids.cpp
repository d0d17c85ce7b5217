#include "events/ids.h"

#include <array>

#include "events/sha256.h"

namespace guildhall {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(last_stream_kind) + 1> kind_names{
    "",         "account", "claim",  "session",      "schedule",     "calendar", "booking", "payment",
    "decision", "inbox",   "writer", "subscription", "wallet",       "payout",   "product", "storefront",
    "purchase", "service", "order",  "webinar",      "registration", "review",
    "lesson",   "achievement", "learner", "progress"};

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Uuid version_8(const Hash& hash) {
  const Uuid raw = uuid_from_bytes(hash.data());
  return Uuid((raw.hi() & ~0xf000ULL) | 0x8000ULL, (raw.lo() & ~(3ULL << 62)) | (2ULL << 62));
}

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::uint64_t half[2] = {0, 0};
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int n = nibble(text[i]);
    if (n < 0) return std::nullopt;
    auto& h = half[digits / 16];
    h = h << 4 | static_cast<std::uint64_t>(n);
    ++digits;
  }
  const Uuid id(half[0], half[1]);
  if (is_nil(id)) return std::nullopt;
  return id;
}

std::string to_string(const Uuid& id) {
  std::string out;
  append_text(out, id);
  return out;
}

void append_text(std::string& out, const Uuid& id) {
  // Two digits at a time: every record has some ten ids in its texts.
  static constexpr auto pairs = [] {
    constexpr char hex[] = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = {hex[i >> 4], hex[i & 15]};
    return table;
  }();
  std::array<char, 36> text;
  char* to = text.data();
  for (const std::uint64_t half : {id.hi(), id.lo()})
    for (int byte = 0; byte < 8; ++byte) {
      const auto& pair = pairs[half >> (56 - 8 * byte) & 0xff];
      *to++ = pair[0];
      *to++ = pair[1];
      if (to == text.data() + 8 || to == text.data() + 13 || to == text.data() + 18 || to == text.data() + 23) *to++ = '-';
    }
  out.append(text.data(), text.size());
}

void append_bytes(std::string& out, const Uuid& id) {
  char bytes[16];
  for (int i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(id.hi() >> (56 - 8 * i));
    bytes[8 + i] = static_cast<char>(id.lo() >> (56 - 8 * i));
  }
  out.append(bytes, 16);
}

Uuid uuid_from_bytes(const char* b) {
  std::uint64_t half[2] = {0, 0};
  for (int i = 0; i < 16; ++i) half[i / 8] = half[i / 8] << 8 | static_cast<unsigned char>(b[i]);
  return Uuid(half[0], half[1]);
}

Uuid with_bucket(const Uuid& id, Bucket bucket) { return Uuid((id.hi() & ~0xfffULL) | bucket, id.lo()); }

Uuid derive_in_group(std::string_view label, const Uuid& parent, std::uint64_t index, Bucket bucket) {
  std::string input;
  input.reserve(64);
  append_bytes(input, parent);
  for (int i = 0; i < 8; ++i) input.push_back(static_cast<char>(index >> (8 * i)));
  return with_bucket(derive_root(label, input), bucket);
}

Uuid derive_root(std::string_view label, std::string_view input) {
  Sha256 hash;
  hash.add("guildhall/id/v1");
  hash.add(std::string_view("\0", 1));
  hash.add(label);
  hash.add(std::string_view("\0", 1));
  hash.add(input);
  return version_8(hash.finish());
}

std::string_view name_of(StreamKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

std::optional<StreamKind> stream_kind(std::string_view name) {
  for (std::size_t i = 1; i < kind_names.size(); ++i)
    if (kind_names[i] == name) return static_cast<StreamKind>(i);
  return std::nullopt;
}

std::string to_string(const StreamId& stream) { return std::string(name_of(stream.kind)) + "/" + to_string(stream.id); }

std::optional<StreamId> parse_stream(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto kind = stream_kind(text.substr(0, slash));
  const auto id = parse_uuid(text.substr(slash + 1));
  if (!kind || !id) return std::nullopt;
  return StreamId{*kind, *id};
}

}  // namespace guildhall
