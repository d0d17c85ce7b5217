#include "gateway/schema_documents.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "infra/base64url.h"
#include "gateway/json_schema.h"

namespace guildhall {
namespace {

namespace json = boost::json;

json::string text(std::string_view s) { return json::string(s.data(), s.size()); }

std::string_view name_of(TableUse use) {
  switch (use) {
    case TableUse::command: return "command";
    case TableUse::event: return "event";
    case TableUse::resource: return "resource";
  }
  return "";
}

}  // namespace

std::string schema_subjects(const SchemaCatalogue& catalogue) {
  json::array subjects;
  for (const Schema& schema : catalogue.schemas()) {
    json::array types;
    for (const TableSchema& table : catalogue.tables())
      if (table.schema == &schema) types.push_back({{"name", text(table.name)}, {"use", text(name_of(table.use))}});
    subjects.push_back({{"subject", text(schema.name)}, {"sha256", to_hex(view(schema.digest))}, {"types", std::move(types)}});
  }
  return json::serialize(json::object{{"subjects", std::move(subjects)}});
}

std::optional<std::string> schema_versions(const SchemaCatalogue& catalogue, std::string_view subject) {
  json::array versions;
  for (const Schema& schema : catalogue.schemas())
    if (schema.name == subject) versions.push_back({{"version", versions.size() + 1}, {"sha256", to_hex(view(schema.digest))}});
  if (versions.empty()) return std::nullopt;
  return json::serialize(json::object{{"subject", text(subject)}, {"versions", std::move(versions)}});
}

std::optional<std::string> schema_by_digest(const SchemaCatalogue& catalogue, std::string_view sha256_hex) {
  const auto schemas = catalogue.schemas();
  const auto found =
      std::find_if(schemas.begin(), schemas.end(), [&](const Schema& s) { return to_hex(view(s.digest)) == sha256_hex; });
  if (found == schemas.end()) return std::nullopt;
  json::object json_schemas;
  for (const TableSchema& table : catalogue.tables()) {
    if (table.schema != &*found) continue;
    json::object schema = json_schema_of(table);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
    json_schemas[json::string_view(table.name.data(), table.name.size())] = std::move(schema);
  }
  return json::serialize(json::object{{"subject", text(found->name)},
                                      {"sha256", text(sha256_hex)},
                                      {"fbs", text(found->fbs)},
                                      {"bfbs", base64url_encode(found->bfbs)},
                                      {"bfbs_digested", base64url_encode(found->plain)},
                                      {"json_schemas", std::move(json_schemas)}});
}

}  // namespace guildhall
