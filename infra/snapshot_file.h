// A snapshot as one file: the bytes, their length and their CRC-32C. It is written beside the old one and renamed over it.
#pragma once

#include <filesystem>

#include "infra/disk.h"
#include "projectors/snapshot_store.h"

namespace guildhall {

class SnapshotFile final : public SnapshotStore {
 public:
  // Its folder must be there.
  explicit SnapshotFile(std::filesystem::path path, Disk& disk = system_disk()) : path_(std::move(path)), disk_(disk) {}

  std::optional<std::string> load() override;
  void save(const std::function<void(const std::function<void(std::string_view)>& sink)>& content) override;

 private:
  const std::filesystem::path path_;
  Disk& disk_;
};

}  // namespace guildhall
