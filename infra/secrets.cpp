#include "infra/secrets.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "events/check.h"
#include "events/sha256.h"

namespace guildhall {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw std::runtime_error(path.string() + ": " + what + ": " + std::strerror(errno));
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const auto got = getrandom(out.data() + filled, count - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    CHECK(got > 0);
    filled += static_cast<std::size_t>(got);
  }
  return out;
}

namespace {

// Written and on the disk, under a name of its own.
std::filesystem::path write_temporary(const std::filesystem::path& path, const std::string& content) {
  const std::filesystem::path temporary = path.string() + "." + std::to_string(::getpid()) + ".tmp";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) fail(temporary, "can't be made");
  const bool written = ::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (!written) fail(temporary, "can't be written");
  return temporary;
}

void sync_folder(const std::filesystem::path& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail(path, "can't be opened");
  const bool synced = ::fsync(folder) == 0;
  ::close(folder);
  if (!synced) fail(path, "can't be synced");
}

}  // namespace

void write_private_file(const std::filesystem::path& path, const std::string& content) {
  const auto temporary = write_temporary(path, content);
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "can't be replaced");
  sync_folder(path.parent_path());
}

std::string secret_file(const std::filesystem::path& path, std::size_t bytes) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) fail(path, "can't be read");
    std::filesystem::create_directories(path.parent_path());
    // Several processes of a platform may start at once: the first one's secret counts.
    const auto temporary = write_temporary(path, to_hex(random_bytes(bytes)));
    const bool made = ::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST;
    ::unlink(temporary.c_str());
    if (!made) fail(path, "can't be made");
    sync_folder(path.parent_path());
  } else if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw std::runtime_error(path.string() + ": a secret that others may read; run chmod 600 on it");
  }
  std::ifstream in(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(in), {}};
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.pop_back();
  if (content.empty()) throw std::runtime_error(path.string() + ": empty or unreadable");
  return content;
}

}  // namespace guildhall
