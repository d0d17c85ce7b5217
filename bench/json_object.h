// Builds the JSON that the benchmark prints, members in the order of adding.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>

namespace guildhall {

class JsonObject {
 public:
  JsonObject& add(std::string_view name, std::string_view text);
  JsonObject& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
  JsonObject& add(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  JsonObject& add(std::string_view name, double value);  // To three decimals.
  template <std::integral T>
  JsonObject& add(std::string_view name, T value) {
    return raw(name, std::to_string(value));
  }
  JsonObject& add(std::string_view name, const JsonObject& value) { return raw(name, value.text()); }
  JsonObject& add(std::string_view name, std::span<const JsonObject> values);
  JsonObject& add(std::string_view name, std::span<const double> values);
  JsonObject& raw(std::string_view name, std::string_view json);
  std::string text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

}  // namespace guildhall
