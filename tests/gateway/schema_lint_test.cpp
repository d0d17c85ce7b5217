#include "gateway/schema_lint.h"

#include <gtest/gtest.h>

#include "events/schemas.h"
#include "tests/gateway/inline_schema.h"

namespace guildhall {
namespace {

// "place code" of each break.
std::vector<std::string> breaks(const std::string& released, const std::string& present) {
  std::vector<std::string> out;
  const std::string head = "namespace shop.v1;\n";
  for (const SchemaBreak& found : lint_schema(bfbs_of(head + released), bfbs_of(head + present)))
    out.push_back(found.place + " " + std::string(found.code));
  return out;
}

struct Case {
  const char* released;
  const char* present;
  std::vector<std::string> breaks;
};

TEST(SchemaLint, refuses_what_old_records_would_not_survive) {
  const Case cases[] = {
      // Allowed: the same, a field at the end, a new table, a new enum member, a doc comment.
      {"table A { x: int; }", "table A { x: int; }", {}},
      {"table A { x: int; }", "/// Words.\ntable A { x: int; y: string; z: int64 = null; } table B { x: int; }", {}},
      {"enum E: ubyte { a, b }", "enum E: ubyte { a, b, c }", {}},
      {"table A { x: int; } union U { A }", "table A { x: int; } table B { x: int; } union U { A, B }", {}},
      // Tables and their fields.
      {"table A { x: int; } table B { x: int; }", "table B { x: int; }", {"shop.v1.A table_removed"}},
      {"table A { x: int; }", "table A2 { x: int; }", {"shop.v1.A table_removed"}},
      {"table A { x: int; y: int; }", "table A { x: int; }", {"shop.v1.A.y field_removed"}},
      {"table A { x: int; y: int; }", "table A { x: int; why: int; }", {"shop.v1.A.y field_renamed"}},
      {"table A { x: int; y: int; }", "table A { x: int; z: string; }", {"shop.v1.A.y id_reused"}},
      {"table A { x: int; y: int; }",
       "table A { y: int; x: int; }",
       {"shop.v1.A.x field_renumbered", "shop.v1.A.y field_renumbered"}},
      {"table A { x: int; y: int; }", "table A { x: int; new: int; y: int; }", {"shop.v1.A.y field_renumbered"}},
      {"table A { x: int; }", "table A { x: long; }", {"shop.v1.A.x type_changed"}},
      {"table A { x: int; }", "table A { x: uint; }", {"shop.v1.A.x type_changed"}},
      {"table A { x: [string]; }", "table A { x: [ubyte]; }", {"shop.v1.A.x type_changed"}},
      {"enum E: ubyte { a } enum F: ubyte { a } table A { x: E; }",
       "enum E: ubyte { a } enum F: ubyte { a } table A { x: F; }",
       {"shop.v1.A.x type_changed"}},
      {"table A { x: int = 1; }", "table A { x: int = 2; }", {"shop.v1.A.x default_changed"}},
      {"table A { x: double = 1; }", "table A { x: double = 1.5; }", {"shop.v1.A.x default_changed"}},
      {"table A { x: int; }", "table A { x: int = null; }", {"shop.v1.A.x default_changed"}},
      {"table A { x: string; }", "table A { x: string (required); }", {"shop.v1.A.x required_added"}},
      {"table A { x: int; }", "table A { x: int; y: string (required); }", {"shop.v1.A.y required_added"}},
      {"table A { x: int; }", "table A { x: int (deprecated); }", {"shop.v1.A.x field_deprecated"}},
      {"table A { x: int; }", "table A { x: int; y: [ubyte] (nested_flatbuffer: \"A\"); }", {"shop.v1.A.y nested_flatbuffer"}},
      // Structs never change, also where padding hides it.
      {"struct S { x: int; }", "struct S { x: int; y: int; }", {"shop.v1.S struct_changed", "shop.v1.S.y struct_changed"}},
      {"struct S { x: long; y: int; }", "struct S { x: long; y: int; z: int; }", {"shop.v1.S.z struct_changed"}},
      {"struct S { x: int; y: int; }",
       "struct S { y: int; x: int; }",
       {"shop.v1.S.x struct_changed", "shop.v1.S.y struct_changed"}},
      {"struct S { x: int; }", "struct S { x: uint; }", {"shop.v1.S.x type_changed"}},
      {"struct S { x: int; }", "struct S { z: int; }", {"shop.v1.S.x field_removed", "shop.v1.S.z struct_changed"}},
      {"struct S { x: int; }", "table S { x: int; }", {"shop.v1.S type_changed"}},
      {"struct S { x: int; }", "table T { x: int; }", {"shop.v1.S struct_removed"}},
      // Enums and unions.
      {"enum E: ubyte { a }", "enum F: ubyte { a }", {"shop.v1.E enum_removed"}},
      {"enum E: ubyte { a, b }", "enum E: ubyte { a }", {"shop.v1.E.b member_removed"}},
      {"enum E: ubyte { a, b }", "enum E: ubyte { a, z }", {"shop.v1.E.b member_renamed"}},
      {"enum E: ubyte { a, b }", "enum E: ubyte { a, n, b }", {"shop.v1.E.b member_renumbered"}},
      {"enum E: ubyte { a }", "enum E: ushort { a }", {"shop.v1.E type_changed"}},
      {"table A { x: int; } table B { x: int; } union U { A, B }",
       "table A { x: int; } table B { x: int; } union U { A }",
       {"shop.v1.U.B member_removed"}},
  };
  for (const Case& c : cases) EXPECT_EQ(breaks(c.released, c.present), c.breaks) << c.released << "\n→ " << c.present;
}

TEST(SchemaLint, accepts_the_binarys_own_schemas_against_themselves) {
  for (const Schema& schema : schemas()) {
    EXPECT_TRUE(lint_schema(schema.bfbs, schema.bfbs).empty()) << schema.name;
    // With and without comments are the same schema.
    EXPECT_TRUE(lint_schema(schema.plain, schema.bfbs).empty()) << schema.name;
  }
}

TEST(SchemaLint, refuses_bytes_that_are_no_schema) {
  EXPECT_THROW(lint_schema("nothing", schemas().front().bfbs), std::runtime_error);
  EXPECT_THROW(lint_schema(schemas().front().bfbs, ""), std::runtime_error);
}

}  // namespace
}  // namespace guildhall
