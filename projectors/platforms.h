// The read models of each platform.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct PlatformReadModels {
  const Projection& projection;
  const ProjectionSql& sql;
};
// Throws std::invalid_argument when there is no such platform.
PlatformReadModels read_models_of(std::string_view platform);

}  // namespace guildhall
