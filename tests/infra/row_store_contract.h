// The row store's contract, over any implementation: `make` gives a fresh store of these tables, and another one on the same
// rows.
#pragma once

#include <gtest/gtest.h>

#include "infra/memory_row_store.h"
#include "projectors/rebuild.h"
#include "projectors/tutoring.h"
#include "tests/projectors/projected.h"

namespace guildhall {

template <class Harness>
class RowStoreContract : public testing::Test {
 protected:
  Harness harness;
};
TYPED_TEST_SUITE_P(RowStoreContract);

// I8: row = fold(log), byte for byte, wherever transactions are cut.
TYPED_TEST_P(RowStoreContract, rows_equal_the_twin) {
  WrittenLog written;
  write_marketplace(written);
  Marketplace(written, 1).register_account(test_id(0xaaa), "tab\t newline\n back\\slash \r quote\" NULL \\N æ");
  Marketplace(written, 1).register_account(test_id(0xaab), std::string("nul\0", 4));
  MemoryRowStore twin(tutoring_projection().tables);
  twin.prepare(written.log.identity());
  project_into(twin, written.log, 100'000);
  for (const std::size_t records : {1u, 7u, 100'000u}) {
    auto store = this->harness.make();
    store->prepare(written.log.identity());
    project_into(*store, written.log, records);
    EXPECT_EQ(all_rows(*store), all_rows(twin)) << records;
  }
}

TYPED_TEST_P(RowStoreContract, offsets_are_checked_with_the_rows) {
  WrittenLog written;
  auto store = this->harness.make();
  store->prepare(written.log.identity());
  EXPECT_EQ(store->offsets(Generation::live), (std::vector<Sequence>{0, 0}));
  Writes writes;
  writes.upsert(*tutoring_projection().tables[1], {test_id(1)}).set(0, "Ann");
  RowBatch batch;
  for (Write& w : writes.take()) batch.add(std::move(w));
  const Advance first[] = {{0, 0, 5}, {1, 0, 2}};
  store->apply(Generation::live, batch, first);
  EXPECT_EQ(store->offsets(Generation::live), (std::vector<Sequence>{5, 2}));
  const std::string rows = all_rows(*store);
  const Advance half_stale[] = {{0, 5, 6}, {1, 0, 3}};
  writes.upsert(*tutoring_projection().tables[1], {test_id(2)}).set(0, "Bob");
  RowBatch other;
  for (Write& w : writes.take()) other.add(std::move(w));
  EXPECT_THROW(store->apply(Generation::live, other, half_stale), ProjectionConflict);
  EXPECT_EQ(store->offsets(Generation::live), (std::vector<Sequence>{5, 2}));
  EXPECT_EQ(all_rows(*store), rows);
}

TYPED_TEST_P(RowStoreContract, a_missing_row_applies_nothing) {
  WrittenLog written;
  auto store = this->harness.make();
  store->prepare(written.log.identity());
  const std::span<const Table* const> tables = tutoring_projection().tables;
  const auto kind_of = [&](const std::function<void(Writes&)>& write) {
    Writes writes;
    writes.upsert(*tables[1], {test_id(1)}).set(0, "Ann");
    write(writes);
    RowBatch batch;
    for (Write& w : writes.take()) batch.add(std::move(w));
    const Advance advance[] = {{0, 0, 1}};
    try {
      store->apply(Generation::live, batch, advance);
    } catch (const RowStoreError& e) {
      return e.kind();
    }
    return RowStoreError::Kind::unavailable;
  };
  EXPECT_EQ(kind_of([&](Writes& w) { w.update(*tables[0], {test_id(9)}).set(0, "learner"); }), RowStoreError::Kind::missing_row);
  EXPECT_EQ(kind_of([&](Writes& w) {
              w.upsert_via(*tables[4], {tables[11], 1}, {test_id(9)}).add(0, 1);
            }),
            RowStoreError::Kind::missing_row);
  EXPECT_EQ(all_rows(*store), "");
  EXPECT_EQ(store->offsets(Generation::live)[0], 0u);
}

// An insert says that no row is there: one that is tells of a record that was applied twice, and nothing is overwritten.
TYPED_TEST_P(RowStoreContract, a_row_is_made_once) {
  WrittenLog written;
  auto store = this->harness.make();
  store->prepare(written.log.identity());
  const Table& people = *tutoring_projection().tables[1];
  const auto insert = [&](const std::string& name, const Advance& advance) {
    Writes writes;
    writes.insert(people, {test_id(1)}).set(0, name);
    writes.update(people, {test_id(1)}).set(0, name + " Lee");
    RowBatch batch;
    for (Write& w : writes.take()) batch.add(std::move(w));
    store->apply(Generation::live, batch, std::span(&advance, 1));
  };
  insert("Ann", {0, 0, 1});
  const std::string rows = all_rows(*store);
  EXPECT_NE(rows.find("Ann Lee"), std::string::npos) << rows;
  try {
    insert("Bea", {0, 1, 2});
    FAIL();
  } catch (const RowStoreError& e) {
    EXPECT_EQ(e.kind(), RowStoreError::Kind::refused) << e.what();
  }
  EXPECT_EQ(all_rows(*store), rows);
  EXPECT_EQ(store->offsets(Generation::live)[0], 1u);
  RowBatch twice;
  Writes writes;
  writes.insert(people, {test_id(2)}).set(0, "Cec");
  writes.insert(people, {test_id(2)}).set(0, "Dee");
  EXPECT_THROW(for (Write& w : writes.take()) twice.add(std::move(w)), RowStoreError);
}

TYPED_TEST_P(RowStoreContract, failures_are_kept_until_the_shard_moves) {
  WrittenLog written;
  auto store = this->harness.make();
  store->prepare(written.log.identity());
  store->note_failure({FailureKind::decode, 1, 7, "booking.v1.BookingCreated", "because"});
  ASSERT_EQ(store->failures().size(), 1u);
  EXPECT_EQ(store->failures()[0].kind, FailureKind::decode);
  EXPECT_EQ(store->failures()[0].shard, 1u);
  EXPECT_EQ(store->failures()[0].sequence, 7u);
  EXPECT_EQ(store->failures()[0].type, "booking.v1.BookingCreated");
  EXPECT_EQ(store->failures()[0].detail, "because");
  const Advance advance[] = {{1, 0, 7}};
  store->apply(Generation::live, RowBatch{}, advance);
  EXPECT_TRUE(store->failures().empty());
}

TYPED_TEST_P(RowStoreContract, preparing_again_changes_nothing_and_another_log_is_refused) {
  WrittenLog written;
  auto store = this->harness.make();
  store->prepare(written.log.identity());
  write_marketplace(written);
  project_into(*store, written.log, 100);
  const std::string rows = all_rows(*store);
  store->prepare(written.log.identity());
  EXPECT_EQ(all_rows(*store), rows);
  LogIdentity other = written.log.identity();
  other.log_id = Uuid(8, 8);
  EXPECT_THROW(store->prepare(other), RowStoreError);
  other = written.log.identity();
  other.shards = 3;
  EXPECT_THROW(store->prepare(other), RowStoreError);
}

TYPED_TEST_P(RowStoreContract, a_rebuild_swaps_and_rolls_back) {
  WrittenLog written;
  auto store = this->harness.make();
  store->prepare(written.log.identity());
  write_marketplace(written);
  project_into(*store, written.log, 100);
  const std::string rows = all_rows(*store);
  for (int again = 0; again < 2; ++again) {
    const RebuildReport report =
        rebuild(written.log, *store, tutoring_projection(), {.records_per_transaction = 10, .compare = true});
    EXPECT_TRUE(report.compared);
    for (const auto& table : report.tables) EXPECT_TRUE(table.same) << table.table;
    EXPECT_EQ(all_rows(*store), rows);
  }
  Marketplace(written).rename(test_id(ann), "Anna");
  project_into(*store, written.log, 100);
  store->roll_back();
  EXPECT_EQ(all_rows(*store), rows);
  project_into(*store, written.log, 100);
  EXPECT_NE(all_rows(*store), rows);
}

TYPED_TEST_P(RowStoreContract, an_empty_log_is_rebuilt_to_empty_tables) {
  WrittenLog written;
  auto store = this->harness.make();
  EXPECT_EQ(rebuild(written.log, *store, tutoring_projection(), {.compare = true}).compared, false);
  EXPECT_EQ(all_rows(*store), "");
  store->prepare(written.log.identity());
}

REGISTER_TYPED_TEST_SUITE_P(RowStoreContract, rows_equal_the_twin, offsets_are_checked_with_the_rows,
                            a_missing_row_applies_nothing, a_row_is_made_once, failures_are_kept_until_the_shard_moves,
                            preparing_again_changes_nothing_and_another_log_is_refused, a_rebuild_swaps_and_rolls_back,
                            an_empty_log_is_rebuilt_to_empty_tables);

}  // namespace guildhall
