// Slugs of what is offered (PA-58, PA-67, PA-77): readable, and unique without a claim, because they end in a part of the id's
// hash.
#pragma once

#include <string>
#include <string_view>

#include "events/ids.h"

namespace guildhall {

// Ten characters of RFC 4648's base32 alphabet, in lower case, for the first 50 bits of SHA-256 of the id's sixteen bytes.
// Frozen.
std::string ten_characters_of(const Uuid& id);

// The title's ASCII letters and digits, in lower case, with one hyphen for whatever stands between them, at most 60 characters;
// then a hyphen and the id's ten characters. A title without ASCII letters and digits leaves the ten alone. Frozen: a slug is
// part of links that people keep.
std::string slug_of(std::string_view title, const Uuid& id);

}  // namespace guildhall
