#include "bench/json_object.h"

#include <charconv>
#include <cmath>

namespace guildhall {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (code < 0x20) {
      constexpr std::string_view digits = "0123456789abcdef";
      out.append("\\u00").append(1, digits[code >> 4]).append(1, digits[code & 15]);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, std::round(value * 1000) / 1000);
  return {text, end.ptr};
}

template <class T, class Text>
std::string array_of(std::span<const T> values, Text text) {
  std::string out = "[";
  for (const T& value : values) out.append(out.size() > 1 ? "," : "").append(text(value));
  return out + "]";
}

}  // namespace

JsonObject& JsonObject::add(std::string_view name, std::string_view text) { return raw(name, quoted(text)); }
JsonObject& JsonObject::add(std::string_view name, double value) { return raw(name, number(value)); }
JsonObject& JsonObject::add(std::string_view name, std::span<const JsonObject> values) {
  return raw(name, array_of(values, [](const JsonObject& value) { return value.text(); }));
}
JsonObject& JsonObject::add(std::string_view name, std::span<const double> values) { return raw(name, array_of(values, number)); }

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
  if (!members_.empty()) members_ += ',';
  members_ += quoted(name);
  members_ += ':';
  members_ += json;
  return *this;
}

}  // namespace guildhall
