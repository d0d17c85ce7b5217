// The projection of the platform `tutoring`: all of its read models, sharing one offset a shard.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

const Projection& tutoring_projection();

const ProjectionSql& tutoring_sql();

}  // namespace guildhall
