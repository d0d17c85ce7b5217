// The disk as the segment log uses it. A seam, so that tests can fail a write, drop what was not synced, or fill the disk.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace guildhall {

// Thread-safe. Results are errno values, 0 for success.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual int write(int fd, std::uint64_t offset, std::string_view bytes) = 0;  // All of it, or an error.
  virtual int sync_data(int fd) = 0;                                          // fdatasync: for files whose size does not change.
  virtual int sync(int fd) = 0;                                               // fsync: file with metadata, or folder.
  virtual std::uint64_t free_bytes(const std::filesystem::path& folder) = 0;  // 0 when it can't be told.
  virtual std::array<char, 16> nonce() = 0;                                   // Random.
};

Disk& system_disk();

// An open file or folder. Reading does not go through the seam: faults of reading are made by changing files.
class File {
 public:
  File() = default;
  // `flags` as open(2); O_CLOEXEC is added. Throws LogError.
  File(const std::filesystem::path& path, int flags);
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const;  // Throws LogError.
  // Up to `length` bytes into `out`; fewer only at the file's end. Throws LogError.
  std::size_t read(std::uint64_t offset, char* out, std::size_t length) const;

 private:
  int fd_ = -1;
  std::filesystem::path path_;
};

// For set-up and recovery, where an error is an exception. Throws LogError with the path and the system's words.
void write_or_throw(Disk& disk, const File& file, std::uint64_t offset, std::string_view bytes);
void sync_or_throw(Disk& disk, const File& file);
void sync_folder_or_throw(Disk& disk, const std::filesystem::path& folder);
[[noreturn]] void throw_disk_error(const std::string& what, const std::filesystem::path& path, int error);

}  // namespace guildhall
