// The API's own description, OpenAPI 3.1: built once at start from the schemas, served at /v1/openapi.json.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/schema.h"

namespace guildhall {

// An entry of the error catalogue, as clients meet it in a problem document.
struct ErrorEntry {
  std::string_view code;
  int status = 0;
  std::string_view title;
  std::string_view detail;
};

struct OpenApiInfo {
  std::string_view version;                 // Of the software.
  std::string_view server_url = "/";        // Where clients reach it.
  std::string_view license = "Apache-2.0";  // SPDX identifier.
};

std::string openapi_document(const SchemaCatalogue& catalogue, std::span<const ErrorEntry> errors, const OpenApiInfo& info);

}  // namespace guildhall
