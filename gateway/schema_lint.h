// Whether a schema still reads what an older one wrote. flatc --conform refuses reordered, retyped and removed fields, but lets a
// grown struct, a new `required`, a rename and a removed table or enum member pass: this refuses them too, for events and states
// alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace guildhall {

struct SchemaBreak {
  std::string place;      // "booking.v1.BookingCreated.notes"
  std::string_view code;  // Stable: field_removed, field_renamed, struct_changed, …
  std::string detail;
};

// What `present` breaks of `released`, both .bfbs; empty when all old records still read the same. In the order of names. Throws
// std::runtime_error when one of them is no schema.
std::vector<SchemaBreak> lint_schema(std::string_view released, std::string_view present);

}  // namespace guildhall
