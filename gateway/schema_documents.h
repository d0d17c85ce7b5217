// The pages under /v1/schemas: how a reader of the log finds the schema that a record's digest names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/schema.h"

namespace guildhall {

// GET /v1/schemas: {"subjects": [{subject, sha256, types: [{name, use}]}]}.
std::string schema_subjects(const SchemaCatalogue& catalogue);
// GET /v1/schemas/{subject}/versions: {"subject", "versions": [{version, sha256}]}, those that this binary carries. Nothing when
// unknown.
std::optional<std::string> schema_versions(const SchemaCatalogue& catalogue, std::string_view subject);
// GET /v1/schemas/ids/{sha256}, in lower-case hex: {subject, sha256, fbs, bfbs, bfbs_digested, json_schemas}, where the .bfbs
// with comments and the one without, which the digest covers, are base64url. Nothing when unknown.
std::optional<std::string> schema_by_digest(const SchemaCatalogue& catalogue, std::string_view sha256_hex);

}  // namespace guildhall
