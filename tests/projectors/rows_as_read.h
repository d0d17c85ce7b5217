// Rows in PostgreSQL, from a log of the test's own, as those who ask read them.
#pragma once

#include <gtest/gtest.h>

#include <pqxx/pqxx>

#include "infra/memory_row_store.h"
#include "infra/postgres_row_store.h"
#include "tests/postgres_cluster.h"
#include "tests/projectors/projected.h"

namespace guildhall {

using Lines = std::vector<std::string>;

// What the transaction reads from here on it reads as this role, and as whoever `who` is; nil: as nobody.
inline void become(pqxx::work& tx, const std::string& role, const Uuid& who) {
  tx.exec0("SET LOCAL ROLE " + role);
  const std::string subject = is_nil(who) ? "" : R"(,"sub":")" + to_string(who) + '"';
  tx.exec_params("SELECT set_config('request.jwt.claims', $1, true)", R"({"role":")" + role + '"' + subject + '}');
}

// Each row's fields joined by spaces.
inline Lines lines_of(const pqxx::result& rows) {
  Lines out;
  for (const auto& row : rows) {
    std::string line;
    for (const auto& field : row) line += (line.empty() ? "" : " ") + std::string(field.is_null() ? "-" : field.c_str());
    out.push_back(std::move(line));
  }
  return out;
}

class RowsAsRead : public testing::Test {
 protected:

  // Of the projection's platform.
  RowsAsRead(const Projection& projection, const ProjectionSql& sql, std::uint32_t shards = 2)
      : written_(shards, std::string(projection.name)), rows_(url_, projection, sql), projection_(projection) {
    rows_.prepare(written_.log.identity());
  }

  void happen(StreamKind kind, const Uuid& id, AnyEvent e, ShardNo shard = 0) {
    written_.append(shard, {{{kind, id}, std::move(e)}});
  }
  void project() { project_into(rows_, written_.log, 3, projection_); }

  // As lines_of(). Brings the rows up to date first.
  Lines as(const Uuid& who, const std::string& query, const char* role = "authenticated") {
    project();
    pqxx::connection connection(url_);
    pqxx::work tx(connection);
    become(tx, role, who);
    return lines_of(tx.exec(query));
  }
  Lines as_anyone(const std::string& query) { return as({}, query, "anon"); }
  Lines as_service(const std::string& query) { return as({}, query, "service_role"); }

  void expect_same_twin() {
    project();
    MemoryRowStore twin(projection_.tables);
    twin.prepare(written_.log.identity());
    project_into(twin, written_.log, 1, projection_);
    EXPECT_EQ(all_rows(rows_), all_rows(twin));
  }

  WrittenLog written_;
  const std::string url_ = PostgresCluster::shared().new_database();
  PostgresRowStore rows_;

 private:
  const Projection& projection_;
};

}  // namespace guildhall
