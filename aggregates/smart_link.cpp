#include "aggregates/smart_link.h"

namespace guildhall {
namespace {

constexpr std::string_view no_url_has = "\"<>\\^`{|}";

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

std::optional<std::string> canonical_smart_link(std::string_view link) {
  for (const char c : link)
    if (c <= ' ' || c > '~' || no_url_has.find(c) != std::string_view::npos) return std::nullopt;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (lower_case(link.substr(0, scheme.size())) != scheme) continue;
    link.remove_prefix(scheme.size());
    break;
  }
  // What is not exactly one of the two names has a port, user-info or another scheme, or is another's.
  const std::size_t end = link.find_first_of("/?#");
  const std::string host = lower_case(link.substr(0, end));
  if (host != "rolink.me" && host != "www.rolink.me") return std::nullopt;
  if (end == std::string_view::npos || link[end] != '/') return std::nullopt;
  return "https://" + host + std::string(link.substr(end));
}

}  // namespace guildhall
