// The projection of the platform `tutoring`: all of its read models, sharing one offset a shard.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

const Projection& tutoring_projection();

// What makes its tables in PostgreSQL, from sql/tutoring, embedded in the binary.
struct ProjectionSql {
  std::string_view roles;
  std::string_view auth;
  std::string_view control;
  std::string_view tables;    // Into the schema that search_path names; so do the next two.
  std::string_view indexes;
  std::string_view policies;
  std::string_view views;     // Over <platform>_rm, into <platform>.
};
const ProjectionSql& tutoring_sql();

}  // namespace guildhall
