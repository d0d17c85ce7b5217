// Base64url without padding (RFC 4648 §5), strictly: one text for each byte string, so that a signed token has one spelling.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace guildhall {

std::string base64url_encode(std::string_view bytes);

// Nothing for a byte outside the alphabet (padding and white space included), an impossible length, or trailing bits that are not
// zero.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace guildhall
