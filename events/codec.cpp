#include "events/codec.h"

#include <unordered_map>

namespace guildhall {
namespace {

template <class Variant>
std::string encode_any(const Variant& variant) {
  return std::visit([](const auto& value) { return pack(value); }, variant);
}

template <class Variant>
using Decode = std::optional<Variant> (*)(std::string_view);

template <class Variant, class T>
std::optional<Variant> decode_as(std::string_view bytes) {
  std::optional<Variant> out(std::in_place, std::in_place_type<T>);
  if (!unpack(bytes, std::get<T>(*out))) return std::nullopt;
  return out;
}

template <class Variant>
struct Decoders;
template <class... T>
struct Decoders<std::variant<T...>> {
  static const auto& table() {
    static const std::unordered_map<std::string_view, Decode<std::variant<T...>>> decoders{
        {type_name<T>(), &decode_as<std::variant<T...>, T>}...};
    return decoders;
  }
};

template <class Variant>
std::optional<Variant> decode_any(std::string_view type, std::string_view bytes) {
  const auto& table = Decoders<Variant>::table();
  const auto found = table.find(type);
  if (found == table.end()) return std::nullopt;
  return found->second(bytes);
}

}  // namespace

std::string encode(const AnyEvent& event) { return encode_any(event); }
std::string encode(const AnyCommand& command) { return encode_any(command); }
std::string encode(const AnyResource& resource) { return encode_any(resource); }

std::optional<AnyEvent> decode_event(std::string_view type, std::string_view bytes) { return decode_any<AnyEvent>(type, bytes); }
std::optional<AnyCommand> decode_command(std::string_view type, std::string_view bytes) {
  return decode_any<AnyCommand>(type, bytes);
}
bool is_event_type(std::string_view type) { return Decoders<AnyEvent>::table().contains(type); }

}  // namespace guildhall
