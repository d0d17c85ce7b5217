#include "aggregates/username.h"

#include <algorithm>

#include "aggregates/slug.h"

namespace guildhall {
namespace {

constexpr std::string_view prefix = "user_";
constexpr std::size_t id_characters = 10;

bool is_base32(char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); }

}  // namespace

std::string generated_username(const Uuid& account) { return std::string(prefix) + ten_characters_of(account); }

bool has_generated_form(std::string_view username) {
  const std::string name = normalized_username(username);
  return name.size() == prefix.size() + id_characters && name.starts_with(prefix) &&
         std::ranges::all_of(name.substr(prefix.size()), is_base32);
}

std::string normalized_username(std::string_view username) {
  std::string out(username);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace guildhall
