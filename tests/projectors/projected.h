// Rows in a store, from a log of the test's own.
#pragma once

#include <gtest/gtest.h>

#include "projectors/log_fold.h"
#include "projectors/tutoring.h"
#include "tests/projectors/written_log.h"

namespace guildhall {

inline std::string all_rows(RowStore& store, Generation generation = Generation::live) {
  std::string out;
  for (const Table* table : store.tables())
    store.dump(generation, *table, [&](std::string_view line) { out.append(table->name).append(" ").append(line).append("\n"); });
  return out;
}

inline void project_into(RowStore& store, EventLog& log, std::size_t records_per_transaction,
                         const Projection& projection = tutoring_projection()) {
  LogFold fold(log, projection, {0, 1});
  fold.start(store.offsets(Generation::live));
  for (;;) {
    fold.fill(records_per_transaction);
    ASSERT_TRUE(fold.failures().empty());
    if (fold.records() == 0) return;
    store.apply(Generation::live, fold.batch(), fold.advances());
    fold.applied();
  }
}

}  // namespace guildhall
