// The curriculum of a platform: the root of its lessons, achievement definitions and plans, whose ids carry its bucket.
#pragma once

#include "events/ids.h"

namespace guildhall {

inline Uuid curriculum_id_of(std::string_view platform) { return derive_root("curriculum", platform); }

}  // namespace guildhall
