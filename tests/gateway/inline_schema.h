// A schema from text in a test, with the project's attributes and ids.Uuid before it.
#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include <flatbuffers/idl.h>

#include "events/schemas.h"

namespace guildhall {

inline std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// The .bfbs of exactly this text.
inline std::string bfbs_of(const std::string& fbs) {
  flatbuffers::IDLOptions options;
  options.binary_schema_comments = true;
  options.binary_schema_builtins = true;
  flatbuffers::Parser parser(options);
  if (!parser.Parse(fbs.c_str())) throw std::runtime_error(parser.error_);
  parser.Serialize();
  return {reinterpret_cast<const char*>(parser.builder_.GetBufferPointer()), parser.builder_.GetSize()};
}

class InlineSchema {
 public:
  explicit InlineSchema(const std::string& body)
      : bfbs_(bfbs_of(file_text(std::string(GUILDHALL_SOURCE_DIR) + "/events/attributes.fbs") +
                      "namespace ids; struct Uuid { hi: uint64; lo: uint64; } namespace shop.v1;\n" + body)),
        schema_{.name = "shop", .bfbs = bfbs_, .plain = bfbs_, .fbs = {}, .digest = {}} {}
  InlineSchema(const InlineSchema&) = delete;
  InlineSchema& operator=(const InlineSchema&) = delete;

  std::span<const Schema> schemas() const { return {&schema_, 1}; }

 private:
  std::string bfbs_;
  Schema schema_;
};

}  // namespace guildhall
