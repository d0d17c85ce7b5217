// A platform's policy from its TOML file: the built-in ones of platforms/, or the operator's.
#pragma once

#include <string>

#include "aggregates/policy.h"

namespace guildhall {

// `file` empty: the built-in policy of that name. Throws SettingsError: unknown platform, unknown key, value out of range.
PlatformPolicy load_policy(const std::string& platform, const std::string& file);

}  // namespace guildhall
