// Random bytes, and secrets kept in files that only their owner reads.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace guildhall {

std::string random_bytes(std::size_t count);  // From the kernel; aborts when it gives none.

// The file's content; a missing file is made with `bytes` random bytes, as lower-case hex, mode 0600, durable before it returns.
// Throws std::runtime_error when the file can't be read or made, or others may read it.
std::string secret_file(const std::filesystem::path& path, std::size_t bytes);

// Replaces the file in one step, mode 0600. Throws std::runtime_error.
void write_private_file(const std::filesystem::path& path, const std::string& content);

}  // namespace guildhall
