// The durable mark: up to where readers may read. Its owner publishes it after each sync; a small mapped file shows it to other
// processes. What stood there once was durable then, so the file is a true lower bound at any time and needs no sync; recovery
// does not use it.
#pragma once

#include <atomic>
#include <filesystem>

#include "infra/segment_file.h"

namespace guildhall {

class DurableMark {
 public:
  // The writer's: makes the file, starting at `position`. Throws LogError.
  static DurableMark own(const std::filesystem::path& path, LogPosition position, Disk& disk);
  // Another process's: never before `at_least`, which the anchor proves. Throws LogError.
  static DurableMark follow(const std::filesystem::path& path, LogPosition at_least);
  DurableMark(DurableMark&& other) noexcept;
  DurableMark& operator=(DurableMark&&) = delete;
  ~DurableMark();

  void publish(LogPosition position);  // Owner only, one thread.
  LogPosition position() const;        // Any thread.

 private:
  DurableMark(std::atomic<std::uint64_t>* shared, bool owner, LogPosition position);
  // The owner reads its own memory: nothing that happens to the file can move its readers.
  std::atomic<std::uint64_t> own_;
  std::atomic<std::uint64_t>* shared_;  // Mapped; nullptr in a follower of a log that never had an owner.
  bool owner_;
};

}  // namespace guildhall
