// A folder that goes away with the test, and a segment log in it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "infra/segment_log.h"
#include "tests/infra/log_driver.h"

namespace guildhall::test {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "guildhall-log-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / "log" / name; }

 private:
  std::filesystem::path path_;
};

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void spill(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline SegmentLogOptions small_options(std::uint32_t segment_bytes = 64 << 10) {
  SegmentLogOptions options;
  options.segment_bytes = segment_bytes;
  options.min_free_bytes = 0;
  return options;
}

inline void create_log(const Folder& folder, const SegmentLogOptions& options, std::uint32_t shards = 4) {
  SegmentLog::create(folder.path(), {log_platform, log_id, shards, 1}, options);
}
inline std::unique_ptr<SegmentLog> open_log(const Folder& folder, const SegmentLogOptions& options, std::uint32_t shards = 4) {
  return SegmentLog::open(folder.path(), log_platform, shards, options);
}

}  // namespace guildhall::test
