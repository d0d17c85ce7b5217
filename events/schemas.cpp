#include "events/schemas.h"

#include <vector>

namespace guildhall {
namespace {

struct Embedded {
  const char* name;
  const char *bfbs, *bfbs_end;
  const char *plain, *plain_end;
  const char *fbs, *fbs_end;
};

}  // namespace
}  // namespace guildhall

// Defined in schemas.S.
extern "C" const guildhall::Embedded guildhall_schema_table[], guildhall_schema_table_end[];

namespace guildhall {

std::span<const Schema> schemas() {
  static const std::vector<Schema> all = [] {
    std::vector<Schema> out;
    for (const Embedded* e = guildhall_schema_table; e != guildhall_schema_table_end; ++e) {
      const std::string_view plain(e->plain, e->plain_end);
      out.push_back({e->name, {e->bfbs, e->bfbs_end}, plain, {e->fbs, e->fbs_end}, sha256(plain)});
    }
    return out;
  }();
  return all;
}

const Schema* schema_of_type(std::string_view qualified_name) {
  const auto name = qualified_name.substr(0, qualified_name.find('.'));
  for (const Schema& s : schemas())
    if (s.name == name) return &s;
  return nullptr;
}

}  // namespace guildhall
