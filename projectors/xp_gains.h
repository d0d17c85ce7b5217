// What the leaderboards in memory take of the log: the events that give XP.
#pragma once

#include <optional>

#include "events/record.h"
#include "projectors/leaderboards.h"

namespace guildhall {

// The gain of a record; nothing for one that leaves the boards as they are. Throws CorruptLog for one that can't be read.
std::optional<XpGain> xp_gain(const Record& record);

}  // namespace guildhall
