// One process a folder: its state is nobody else's to write.
#pragma once

#include <filesystem>

#include "infra/disk.h"

namespace guildhall {

class FolderLock {
 public:
  // Makes the folder. Throws LogError when another process has it.
  explicit FolderLock(const std::filesystem::path& folder);

 private:
  File file_;
};

}  // namespace guildhall
