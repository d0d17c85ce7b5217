#include <pqxx/pqxx>
#include <random>

#include "infra/postgres_row_store.h"
#include "projectors/platforms.h"
#include "tests/infra/row_store_contract.h"
#include "tests/postgres_cluster.h"

namespace guildhall {
namespace {

struct MemoryHarness {
  std::unique_ptr<RowStore> make() { return std::make_unique<MemoryRowStore>(tutoring_projection().tables); }
};
struct PostgresHarness {
  std::unique_ptr<RowStore> make() {
    return std::make_unique<PostgresRowStore>(PostgresCluster::shared().new_database(), tutoring_projection(), tutoring_sql());
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, RowStoreContract, MemoryHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, RowStoreContract, PostgresHarness);

TEST(PostgresRowStore, array_literals_are_what_the_server_prints) {
  const std::uint64_t seed = 20'261'121;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::string alphabet = "aB{},\"\\ \t\n\r\v\fNULnul'$;%";
  pqxx::connection connection(PostgresCluster::shared().new_database());
  pqxx::work tx(connection);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::string> elements(random() % 5);
    for (std::string& element : elements) {
      for (std::size_t length = random() % 6; length > 0; --length) element.push_back(alphabet[random() % alphabet.size()]);
    }
    const std::string literal = array_literal(elements);
    const auto row = tx.exec_params1("SELECT $1::text[]::text, cardinality($1::text[])", literal);
    ASSERT_EQ(row[0].as<std::string>(), literal);
    ASSERT_EQ(row[1].as<std::size_t>(), elements.size());
  }
}

TEST(PostgresRowStore, other_sql_is_refused_with_the_way_out) {
  const std::string url = PostgresCluster::shared().new_database();
  WrittenLog written;
  PostgresRowStore(url, tutoring_projection(), tutoring_sql()).prepare(written.log.identity());
  ProjectionSql changed = tutoring_sql();
  const std::string views = std::string(changed.views) + "\n-- changed\n";
  changed.views = views;
  PostgresRowStore newer(url, tutoring_projection(), changed);
  try {
    newer.prepare(written.log.identity());
    FAIL();
  } catch (const RowStoreError& e) {
    EXPECT_EQ(e.kind(), RowStoreError::Kind::schema);
    EXPECT_EQ(e.hint(), "projection rebuild");
  }
  rebuild(written.log, newer, tutoring_projection());
  newer.prepare(written.log.identity());
}

// A descriptor and the DDL say the same: names, order, types and initial values (generated columns are the table's own).
class PlatformTables : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Platforms, PlatformTables, testing::Values("tutoring", "producers_avenue", "dracarys"));

TEST_P(PlatformTables, descriptors_match_the_tables) {
  const PlatformReadModels models = read_models_of(GetParam());
  const std::string schema = std::string(GetParam()) + "_rm";
  const std::string url = PostgresCluster::shared().new_database();
  WrittenLog written(2, GetParam());
  PostgresRowStore(url, models.projection, models.sql).prepare(written.log.identity());
  pqxx::connection connection(url);
  pqxx::work tx(connection);
  std::size_t relations = 0;
  for (const Table* table : models.projection.tables) {
    std::string expected;
    for (const auto* part : {&table->key, &table->columns})
      for (const Column& column : *part) {
        constexpr const char* names[] = {"uuid", "text", "integer", "bigint", "boolean", "timestamp with time zone", "text[]"};
        expected += std::string(column.name) + ":" + names[static_cast<std::size_t>(column.type)] + ":";
        if (std::holds_alternative<std::int64_t>(column.initial))
          expected += std::to_string(std::get<std::int64_t>(column.initial));
        if (std::holds_alternative<bool>(column.initial)) expected += std::get<bool>(column.initial) ? "true" : "false";
        if (std::holds_alternative<std::vector<std::string>>(column.initial)) expected += "'{}'::text[]";
        expected += "\n";
      }
    std::string actual;
    for (const auto& row : tx.exec_params(
             "SELECT a.attname, format_type(a.atttypid, a.atttypmod), coalesce(pg_get_expr(d.adbin, d.adrelid), '') FROM "
             "pg_attribute a "
             "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
             "WHERE a.attrelid = ($2 || '.' || $1)::regclass AND a.attnum > 0 AND a.attgenerated = '' ORDER BY a.attnum",
             std::string(table->name), schema))
      actual += row[0].as<std::string>() + ":" + row[1].as<std::string>() + ":" + row[2].as<std::string>() + "\n";
    EXPECT_EQ(actual, expected) << table->name;
    ++relations;
  }
  for (const std::string_view name : models.projection.derived) {
    EXPECT_FALSE(tx.exec_params1("SELECT to_regclass($1)", schema + "." + std::string(name))[0].is_null()) << name;
    ++relations;
  }
  EXPECT_EQ(tx.exec_params1("SELECT count(*) FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r'", schema)[0]
                .as<std::size_t>(),
            relations);
}

// The server dies between and inside of transactions: the world failed, and the same batch goes through afterwards.
TEST(PostgresRowStore, a_lost_server_is_unavailable_and_then_back) {
  PostgresCluster cluster;
  WrittenLog written;
  PostgresRowStore store(cluster.new_database(), tutoring_projection(), tutoring_sql());
  store.prepare(written.log.identity());
  write_marketplace(written);
  cluster.stop(PostgresCluster::Stop::immediate);
  for (int i = 0; i < 2; ++i) {
    try {
      store.offsets(Generation::live);
      FAIL();
    } catch (const RowStoreError& e) {
      EXPECT_TRUE(e.retryable()) << e.what();
    }
  }
  cluster.start();
  project_into(store, written.log, 10);
  MemoryRowStore twin(tutoring_projection().tables);
  twin.prepare(written.log.identity());
  project_into(twin, written.log, 10);
  EXPECT_EQ(all_rows(store), all_rows(twin));
}

TEST(PostgresRowStore, a_value_that_no_column_holds_is_refused) {
  WrittenLog written;
  PostgresRowStore store(PostgresCluster::shared().new_database(), tutoring_projection(), tutoring_sql());
  store.prepare(written.log.identity());
  Writes writes;
  writes.upsert(*tutoring_projection().tables[3], {test_id(1)})
      .set(2, std::int64_t{1} << 40);  // hourly_rate_cents is an int4.
  RowBatch batch;
  for (Write& w : writes.take()) batch.add(std::move(w));
  try {
    store.apply(Generation::live, batch, {});
    FAIL();
  } catch (const RowStoreError& e) {
    EXPECT_EQ(e.kind(), RowStoreError::Kind::refused) << e.what();
  }
}

}  // namespace
}  // namespace guildhall
