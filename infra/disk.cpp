#include "infra/disk.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "events/check.h"
#include "events/event_log.h"

namespace guildhall {
namespace {

class SystemDisk final : public Disk {
 public:
  int write(int fd, std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      if (n == 0) return EIO;
      bytes.remove_prefix(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return 0;
  }
  // Never retried, not even for EINTR: a failed sync leaves the pages marked clean.
  int sync_data(int fd) override { return ::fdatasync(fd) == 0 ? 0 : errno; }
  int sync(int fd) override { return ::fsync(fd) == 0 ? 0 : errno; }
  std::uint64_t free_bytes(const std::filesystem::path& folder) override {
    struct statvfs s {};
    if (::statvfs(folder.c_str(), &s) != 0) return 0;
    return std::uint64_t{s.f_bavail} * s.f_frsize;
  }
  std::array<char, 16> nonce() override {
    std::array<char, 16> out;
    CHECK(::getrandom(out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
    return out;
  }
};

}  // namespace

Disk& system_disk() {
  static SystemDisk disk;
  return disk;
}

void throw_disk_error(const std::string& what, const std::filesystem::path& path, int error) {
  throw LogError(what + " " + path.string() + ": " + std::generic_category().message(error), "data folder, disk",
                 error == ENOSPC);
}

File::File(const std::filesystem::path& path, int flags) : path_(path) {
  fd_ = ::open(path.c_str(), flags | O_CLOEXEC, 0640);
  if (fd_ < 0) throw_disk_error("cannot open", path, errno);
}
File::~File() {
  if (fd_ >= 0) ::close(fd_);
}
File::File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
    path_ = std::move(other.path_);
  }
  return *this;
}

std::uint64_t File::size() const {
  struct stat s {};
  if (::fstat(fd_, &s) != 0) throw_disk_error("cannot stat", path_, errno);
  return static_cast<std::uint64_t>(s.st_size);
}

std::size_t File::read(std::uint64_t offset, char* out, std::size_t length) const {
  std::size_t done = 0;
  while (done < length) {
    const ssize_t n = ::pread(fd_, out + done, length - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_disk_error("cannot read", path_, errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

void write_or_throw(Disk& disk, const File& file, std::uint64_t offset, std::string_view bytes) {
  if (const int error = disk.write(file.fd(), offset, bytes)) throw_disk_error("cannot write", file.path(), error);
}
void sync_or_throw(Disk& disk, const File& file) {
  if (const int error = disk.sync(file.fd())) throw_disk_error("cannot sync", file.path(), error);
}
void sync_folder_or_throw(Disk& disk, const std::filesystem::path& folder) {
  const File file(folder, O_RDONLY | O_DIRECTORY);
  sync_or_throw(disk, file);
}

}  // namespace guildhall
