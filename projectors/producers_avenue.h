// The projection of the platform `producers_avenue`: all of its read models, sharing one offset a shard.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

const Projection& producers_avenue_projection();

const ProjectionSql& producers_avenue_sql();

}  // namespace guildhall
