#include "gateway/preferences.h"

#include <algorithm>
#include <charconv>

namespace guildhall {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

Preferences parse_prefer(std::string_view header) {
  Preferences out;
  while (!header.empty()) {
    const auto comma = header.find(',');
    const auto one = trimmed(header.substr(0, comma));
    header = comma == std::string_view::npos ? std::string_view{} : header.substr(comma + 1);
    if (one == "handling=lenient") out.lenient = true;
    else if (one == "return=minimal") out.minimal = true;
    else if (one.starts_with("wait=")) {
      int seconds = 0;
      const auto digits = one.substr(5);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
      if (error == std::errc{} && end == digits.data() + digits.size() && seconds >= 0)
        out.wait_s = std::min(seconds, longest_wait_s);
    }
  }
  return out;
}

std::string lag_text(const PositionWait& wait) {
  return "events=" + std::to_string(wait.events_behind) + ";ms=" + std::to_string(wait.waited_us / 1000);
}

}  // namespace guildhall
