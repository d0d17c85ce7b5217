// The PostgreSQL that the read models and the peers share: durable, with the figures of script/server. Its own in a temporary
// folder, or one that is given.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "bench/process.h"
#include "tests/postgres_cluster.h"

namespace guildhall {

class Database {
 public:
  // An empty URL starts a private cluster. A given one must name a superuser who may create databases:
  // postgresql://USER[:PASSWORD]@HOST:PORT/DATABASE. Errors go to the file. Throws std::runtime_error.
  Database(const std::string& url, std::filesystem::path errors);

  std::string url(std::string_view database) const;
  // PGHOST and the like, for the peers' scripts.
  Environment environment() const;
  std::string sql(std::string_view database, const std::string& statement) const;
  // A new database, a copy of `from` unless that is empty; one with the name is dropped.
  void create(const std::string& name, const std::string& from = {}) const;
  void drop(const std::string& name) const;
  std::uint64_t bytes_of(const std::string& name) const;

 private:
  std::unique_ptr<PostgresCluster> cluster_;
  std::filesystem::path errors_;
  std::string user_, password_, host_, port_;
};

}  // namespace guildhall
