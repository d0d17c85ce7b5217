// Rebuilds a projection beside the live one, from the log's beginning (design: read models, blue/green).
#pragma once

#include "projectors/log_fold.h"

namespace guildhall {

struct RebuildOptions {
  std::size_t records_per_transaction = 65'536;
  // Hashes every row of both generations when they stand at the same place. Reads both in whole.
  bool compare = false;
  std::function<void(std::uint64_t records, std::uint64_t total)> progress;  // After each transaction.
};

struct RebuildReport {
  struct TableResult {
    std::string_view table;
    std::uint64_t rows;       // In the new generation.
    std::uint64_t live_rows;  // In the one that it replaced.
    bool same;
  };
  std::uint64_t records = 0;
  bool compared = false;  // False as well when the log moved between the two, or when the old tables are of another version.
  std::vector<TableResult> tables;
};

// Fills a new generation, secures it, swaps it in and keeps the old one for RowStore::roll_back. May be started again after any
// failure. A runner of the live generation may go on meanwhile: it finds the new offsets at its next transaction. Throws
// RowStoreError (refused: a record can't be applied; nothing was swapped) and LogError.
RebuildReport rebuild(EventLog& log, RowStore& store, const Projection& projection, const RebuildOptions& options = {});

// Rows and SHA-256 of a table's dump: equal in two stores that hold the same rows.
struct TableDigest {
  std::uint64_t rows = 0;
  Hash hash{};
  friend bool operator==(const TableDigest&, const TableDigest&) = default;
};
TableDigest digest(RowStore& store, Generation generation, const Table& table);

}  // namespace guildhall
