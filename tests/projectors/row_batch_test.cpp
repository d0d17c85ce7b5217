#include <gtest/gtest.h>

#include <random>

#include "infra/memory_row_store.h"
#include "tests/projectors/written_log.h"

namespace guildhall {
namespace {

const Table& things() {
  static const Table table{
      "things",
      {{"id", ColumnType::uuid}},
      {{"name", ColumnType::text}, {"count", ColumnType::int8, std::int64_t{0}}, {"newest", ColumnType::timestamptz}}};
  return table;
}
constexpr ColumnNo name = 0, count = 1, newest = 2;
const std::array<const Table*, 1> all_tables{&things()};

std::vector<std::string> dump(RowStore& store) {
  std::vector<std::string> lines;
  store.dump(Generation::live, things(), [&](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

RowBatch coalesce(Writes& writes) {
  RowBatch batch;
  for (Write& w : writes.take()) batch.add(std::move(w));
  return batch;
}

TEST(RowBatch, later_wins_a_column_and_sums_add_up) {
  Writes w;
  w.upsert(things(), {test_id(1)}).set(name, "a").set(count, std::int64_t{5});
  w.update(things(), {test_id(1)}).add(count, 3).greatest(newest, 40);
  w.update(things(), {test_id(1)}).set(name, "b").add(count, -1).greatest(newest, 30);
  const RowBatch batch = coalesce(w);
  ASSERT_EQ(batch.changes().size(), 1u);
  MemoryRowStore store(all_tables);
  store.prepare({"p", Uuid(1, 1), 1, 1});
  store.apply(Generation::live, batch, {});
  EXPECT_EQ(dump(store), std::vector<std::string>{to_string(test_id(1)) + "\tb\t7\t40"});
}

TEST(RowBatch, an_erased_row_starts_from_its_initial_values) {
  MemoryRowStore store(all_tables);
  store.prepare({"p", Uuid(1, 1), 1, 1});
  Writes w;
  w.upsert(things(), {test_id(1)}).set(name, "old").set(count, std::int64_t{5});
  store.apply(Generation::live, coalesce(w), {});
  w.erase(things(), {test_id(1)});
  w.upsert(things(), {test_id(1)}).add(count, 2);
  store.apply(Generation::live, coalesce(w), {});
  EXPECT_EQ(dump(store), std::vector<std::string>{to_string(test_id(1)) + "\t\\N\t2\t\\N"});
}

TEST(RowBatch, an_update_of_a_row_erased_before_is_refused) {
  Writes w;
  w.erase(things(), {test_id(1)});
  w.update(things(), {test_id(1)}).set(name, "x");
  EXPECT_THROW(coalesce(w), RowStoreError);
}

// Applying the writes one by one equals applying them coalesced, wherever the batches are cut.
TEST(RowBatch, coalesced_equals_one_by_one) {
  const std::uint64_t seed = 20'241'121;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 50; ++round) {
    MemoryRowStore one_by_one(all_tables);
    MemoryRowStore coalesced(all_tables);
    one_by_one.prepare({"p", Uuid(1, 1), 1, 1});
    coalesced.prepare({"p", Uuid(1, 1), 1, 1});
    std::map<std::uint64_t, bool> exists;
    RowBatch batch;
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t row = random() % 4;
      const Key key{test_id(row)};
      Writes w;
      if (exists[row] && random() % 5 == 0) {
        w.erase(things(), key);
        exists[row] = false;
      } else {
        Write& write = exists[row] ? (random() % 2 == 0 ? w.update(things(), key) : w.upsert(things(), key))
                                   : (random() % 2 == 0 ? w.insert(things(), key) : w.upsert(things(), key));
        if (random() % 2 == 0) write.set(name, "n" + std::to_string(random() % 100));
        if (random() % 2 == 0) {
          if (random() % 3 == 0) write.set(count, static_cast<std::int64_t>(random() % 100));
          else write.add(count, static_cast<std::int64_t>(random() % 100) - 50);
        }
        if (random() % 2 == 0) write.greatest(newest, static_cast<std::int64_t>(random() % 1000));
        exists[row] = true;
      }
      for (Write& write : w.take()) {
        RowBatch single;
        single.add(write);
        one_by_one.apply(Generation::live, single, {});
        batch.add(std::move(write));
      }
      if (random() % 8 == 0) {
        coalesced.apply(Generation::live, batch, {});
        batch.clear();
      }
    }
    coalesced.apply(Generation::live, batch, {});
    ASSERT_EQ(dump(one_by_one), dump(coalesced));
  }
}

TEST(RowStore, array_literals_quote_what_the_server_quotes) {
  const struct {
    std::vector<std::string> elements;
    const char* literal;
  } cases[] = {
      {{}, "{}"},
      {{"a", "b c", ""}, "{a,\"b c\",\"\"}"},
      {{"NULL", "nuLL", "NULLs"}, "{\"NULL\",\"nuLL\",NULLs}"},
      {{"{", "}", ",", "\"", "\\"}, R"({"{","}",",","\"","\\"})"},
      {{"tab\t", "æøå"}, "{\"tab\t\",æøå}"},
  };
  for (const auto& c : cases) EXPECT_EQ(array_literal(c.elements), c.literal);
}

TEST(RowStore, a_text_with_nul_becomes_storable) {
  EXPECT_EQ(storable(std::string("a\0b\0", 4)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(storable("plain"), "plain");
}

}  // namespace
}  // namespace guildhall
