#include "infra/snapshot_file.h"

#include <fcntl.h>

#include "infra/crc32c.h"
#include "infra/little_endian.h"

namespace guildhall {
namespace {

constexpr std::size_t tail_bytes = sizeof(std::uint64_t) + sizeof(std::uint32_t);  // Length and checksum of what stands before.

}  // namespace

std::optional<std::string> SnapshotFile::load() {
  if (!std::filesystem::exists(path_)) return std::nullopt;
  const File file(path_, O_RDONLY);
  std::string bytes(file.size(), '\0');
  if (bytes.size() < tail_bytes || file.read(0, bytes.data(), bytes.size()) != bytes.size()) return std::nullopt;
  const std::size_t length = bytes.size() - tail_bytes;
  const char* const tail = bytes.data() + length;
  if (guildhall::load<std::uint64_t>(tail) != length) return std::nullopt;
  if (guildhall::load<std::uint32_t>(tail + sizeof(std::uint64_t)) != crc32c({bytes.data(), length})) return std::nullopt;
  bytes.resize(length);
  return bytes;
}

void SnapshotFile::save(const std::function<void(const std::function<void(std::string_view)>& sink)>& content) {
  const std::filesystem::path unfinished = path_.string() + ".tmp";
  {
    const File file(unfinished, O_WRONLY | O_CREAT | O_TRUNC);
    std::uint64_t length = 0;
    std::uint32_t checksum = 0;
    content([&](std::string_view bytes) {
      write_or_throw(disk_, file, length, bytes);
      length += bytes.size();
      checksum = crc32c(bytes, checksum);
    });
    std::string tail;
    put(tail, length);
    put(tail, checksum);
    write_or_throw(disk_, file, length, tail);
    if (const int error = disk_.sync(file.fd()); error != 0) throw_disk_error("can't be synced", unfinished, error);
  }
  std::error_code error;
  std::filesystem::rename(unfinished, path_, error);
  if (error) throw_disk_error("can't be renamed", unfinished, error.value());
  sync_folder_or_throw(disk_, path_.parent_path());
}

}  // namespace guildhall
