#include "infra/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include "events/event_log.h"

namespace guildhall {
namespace {
std::filesystem::path made(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  return folder;
}
}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) : file_(made(folder) / "lock", O_RDWR | O_CREAT) {
  if (::flock(file_.fd(), LOCK_EX | LOCK_NB) != 0)
    throw LogError("another process uses the folder " + folder.string(),
                   "stop it, or give each process a --data folder of its own", false);
}

}  // namespace guildhall
