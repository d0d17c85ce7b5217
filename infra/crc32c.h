// CRC-32C (Castagnoli), the checksum of everything the segment log writes. It finds accidents; the chain of SHA-256 finds intent.
#pragma once

#include <cstdint>
#include <string_view>

namespace guildhall {

// `crc` is the checksum of the bytes before these: crc32c("ab") == crc32c("b", crc32c("a")).
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

// The same by table, for machines without the instruction, and for the test that compares both.
std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace guildhall
