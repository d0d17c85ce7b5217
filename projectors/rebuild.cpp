#include "projectors/rebuild.h"

#include "events/sha256.h"

namespace guildhall {
namespace {

// So little is left that the live runner catches up at once after the swap.
constexpr std::size_t close_enough_records = 1'000;

[[noreturn]] void refuse(const ProjectionFailure& f) {
  throw RowStoreError(RowStoreError::Kind::refused, "shard " + std::to_string(f.shard) + ", record " +
                                                        std::to_string(f.sequence) + " (" + f.type +
                                                        "): " + std::string(name_of(f.kind)) + ": " + f.detail);
}

void fold_all(LogFold& fold, RowStore& store, const RebuildOptions& options, std::uint64_t total, std::uint64_t& records) {
  for (;;) {
    fold.fill(options.records_per_transaction);
    if (!fold.failures().empty()) refuse(fold.failures().front());
    const std::size_t filled = fold.records();
    if (filled == 0) return;
    store.apply(Generation::next, fold.batch(), fold.advances());
    fold.applied();
    records += filled;
    if (options.progress) options.progress(records, std::max(total, records));
    if (records >= total && filled < close_enough_records) return;
  }
}

void compare(RowStore& store, RebuildReport& report) {
  try {
    if (store.offsets(Generation::live) != store.offsets(Generation::next)) return;
    for (const Table* table : store.tables()) {
      const TableDigest next = digest(store, Generation::next, *table);
      const TableDigest live = digest(store, Generation::live, *table);
      report.tables.push_back({table->name, next.rows, live.rows, next == live});
    }
    report.compared = store.offsets(Generation::live) == store.offsets(Generation::next);
  } catch (const RowStoreError& e) {
    if (e.kind() != RowStoreError::Kind::schema) throw;  // No live generation, or one of another version.
    report.tables.clear();
  }
}

}  // namespace

RebuildReport rebuild(EventLog& log, RowStore& store, const Projection& projection, const RebuildOptions& options) {
  RebuildReport report;
  std::vector<ShardNo> shards;
  std::uint64_t total = 0;
  for (ShardNo shard = 0; shard < log.identity().shards; ++shard) {
    shards.push_back(shard);
    total += log.durable_end(shard).sequence;
  }
  store.begin_rebuild(log.identity());
  LogFold fold(log, projection, shards);
  fold.start(store.offsets(Generation::next));
  fold_all(fold, store, options, total, report.records);
  store.secure_next();
  fold_all(fold, store, options, total, report.records);
  if (options.compare) compare(store, report);
  store.swap();
  return report;
}

TableDigest digest(RowStore& store, Generation generation, const Table& table) {
  TableDigest out;
  Sha256 hash;
  store.dump(generation, table, [&](std::string_view line) {
    hash.add(line);
    hash.add("\n");
    ++out.rows;
  });
  out.hash = hash.finish();
  return out;
}

}  // namespace guildhall
