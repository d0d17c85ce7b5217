#include "events/codec.h"

#include <unordered_map>

namespace guildhall {
namespace {

template <class Any>
using Decode = std::optional<Any> (*)(std::string_view);

template <class Any, class T>
std::optional<Any> decode_as(std::string_view bytes) {
  T value;
  if (!unpack(bytes, value)) return std::nullopt;
  return Any(std::move(value));
}

template <class Any, class... T>
const auto& decoders(const std::variant<T...>*) {
  static const std::unordered_map<std::string_view, Decode<Any>> table{{type_name<T>(), &decode_as<Any, T>}...};
  return table;
}
template <class Any>
const auto& decoders() {
  return decoders<Any>(static_cast<const typename Any::Types*>(nullptr));
}

template <class Any>
std::optional<Any> decode_any(std::string_view type, std::string_view bytes) {
  const auto found = decoders<Any>().find(type);
  if (found == decoders<Any>().end()) return std::nullopt;
  return found->second(bytes);
}

template <class Any>
std::string encode_any(const Any& any) {
  return visit([](const auto& value) { return pack(value); }, any);
}

}  // namespace

std::string encode(const AnyEvent& event) { return encode_any(event); }
std::string encode(const AnyCommand& command) { return encode_any(command); }
std::string encode(const AnyResource& resource) { return encode_any(resource); }

std::optional<AnyEvent> decode_event(std::string_view type, std::string_view bytes) { return decode_any<AnyEvent>(type, bytes); }
std::optional<AnyCommand> decode_command(std::string_view type, std::string_view bytes) {
  return decode_any<AnyCommand>(type, bytes);
}
bool is_event_type(std::string_view type) { return decoders<AnyEvent>().contains(type); }

}  // namespace guildhall
