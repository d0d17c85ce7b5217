// A small log whose every byte is known: what a marketplace's shards would have written, with personal values, texts that CSV and
// JSON have to escape, decisions, and a command from one shard to the other.
#pragma once

#include <filesystem>
#include <string>

#include "events/ids.h"

namespace guildhall::test {

inline const Uuid example_log_id{0x0123456789ab8cdeULL, 0x8011223344556677ULL};
inline constexpr std::uint32_t example_shards = 2;
inline constexpr std::uint64_t example_epoch = 40;  // Of its writers: far above what opening another log gives.

// In the data folder's place for the platform. `batches` of each shard beyond the first are bookings' confirmations; logs of
// different `branch` agree but for their last batch.
void write_example_log(const std::filesystem::path& data, const std::string& platform, int batches = 1, int branch = 0,
                       const Uuid& log_id = example_log_id);

}  // namespace guildhall::test
