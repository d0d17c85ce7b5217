// The schemas inside the binary: what the transcoder, the API documents and `GET /v1/schemas` are made from.
#pragma once

#include <span>
#include <string_view>

#include "events/sha256.h"

namespace guildhall {

struct Schema {
  std::string_view name;   // "booking": of the file.
  std::string_view bfbs;   // With attributes and doc comments; 8-byte aligned.
  std::string_view plain;  // Without doc comments: what the digest covers.
  std::string_view fbs;    // The source.
  Hash digest;             // SHA-256 of `plain`: goes into every record of the schema's types.
};

std::span<const Schema> schemas();                              // In the order of their names' declaration; never empty.
const Schema* schema_of_type(std::string_view qualified_name);  // "booking.v1.BookingCreated" → "booking"; nullptr when unknown.

}  // namespace guildhall
