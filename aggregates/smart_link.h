// The one link of a profile, to its owner's page at rolink.me (PA-10, PA-11).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace guildhall {

// As it is kept (A-PA-42): https://, the host in lower case, the rest as it came. A missing scheme is filled in, http becomes
// https. nullopt: another scheme or host, user-info or a port, no path, or a character that no URL has.
std::optional<std::string> canonical_smart_link(std::string_view link);

}  // namespace guildhall
