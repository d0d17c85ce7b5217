// Usernames (PA-4, A-PA-45): unique whatever the case of their letters, A to Z. The one that an account is given needs no claim,
// because it is made from its id; so nobody else may take a name of that form.
#pragma once

#include <string>
#include <string_view>

#include "events/ids.h"

namespace guildhall {

// "user_" and the id's ten characters (slug.h). Frozen.
std::string generated_username(const Uuid& account);
bool has_generated_form(std::string_view username);

// What two names that are the same have in common. Frozen: claim ids are made from it.
std::string normalized_username(std::string_view username);

}  // namespace guildhall
