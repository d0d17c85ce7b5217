// The projection of the platform `dracarys`: all of its read models, sharing one offset a shard.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

const Projection& dracarys_projection();

const ProjectionSql& dracarys_sql();

}  // namespace guildhall
