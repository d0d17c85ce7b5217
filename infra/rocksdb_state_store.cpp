#include "infra/rocksdb_state_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <filesystem>
#include <fstream>

namespace guildhall {
namespace {

constexpr std::size_t block_cache_bytes = 256 << 20;   // Of all shards of the process.
constexpr std::size_t write_buffer_bytes = 512 << 20;  // Of all shards of the process.
constexpr std::size_t shard_write_buffer_bytes = 64 << 20;
constexpr int background_jobs = 2;
constexpr double bloom_bits_per_key = 10;
constexpr std::size_t operation_overhead_bytes = 12;  // In a write batch: a tag and two lengths.
constexpr double memtable_filter_ratio = 0.05;        // Of the write buffer.

void check(const rocksdb::Status& status, const char* what) {
  if (!status.ok()) throw StateStoreError(std::string(what) + ": " + status.ToString());
}
// A block that can't be read now can't be after a restart either: the mark tells the next open to begin anew. Without it every
// start would serve until it meets the block again.
void check_read(const rocksdb::Status& status, const std::string& mark) {
  if (status.IsCorruption() || status.IsIOError()) std::ofstream(mark) << status.ToString() << '\n';
  check(status, "reading state");
}

// A default-made view has no address; RocksDB compares even an empty slice by memcmp, which wants one.
rocksdb::Slice slice(std::string_view v) { return v.empty() ? rocksdb::Slice("", 0) : rocksdb::Slice(v.data(), v.size()); }

}  // namespace

struct RocksDbBudget::Shared {
  std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(block_cache_bytes);
  std::shared_ptr<rocksdb::WriteBufferManager> buffers = std::make_shared<rocksdb::WriteBufferManager>(write_buffer_bytes);
};
RocksDbBudget::RocksDbBudget() : shared_(std::make_unique<Shared>()) {}
RocksDbBudget::~RocksDbBudget() = default;

struct RocksDbStateStore::Handle {
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::WriteOptions write_options;
};

RocksDbStateStore::RocksDbStateStore(const std::string& folder, const RocksDbBudget& budget)
    : mark_(folder + ".damaged"), handle_(std::make_unique<Handle>()) {
  if (std::filesystem::exists(mark_)) {
    destroy(folder);
    std::filesystem::remove(mark_);
  }
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.write_buffer_size = shard_write_buffer_bytes;
  options.write_buffer_manager = budget.shared().buffers;
  options.max_background_jobs = background_jobs;
  // Most look-ups are for what is not there (a command id that is new, a stream that is being made): a filter in the memtable
  // answers them without walking its list.
  options.memtable_prefix_bloom_size_ratio = memtable_filter_ratio;
  options.memtable_whole_key_filtering = true;
  // One thread writes, so the cheaper insertion does.
  options.allow_concurrent_memtable_write = false;
  // Keys are ids: each level would be rewritten again and again. Universal compaction writes less, and the space is small beside
  // the log's.
  options.compaction_style = rocksdb::kCompactionStyleUniversal;
  options.max_open_files = 256;
  options.keep_log_file_num = 2;
  // Dedup entries and states of ended streams are written once and rarely read again.
  options.compression = rocksdb::kNoCompression;
  options.bottommost_compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = budget.shared().cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(bloom_bits_per_key));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* db = nullptr;
  check(rocksdb::DB::Open(options, folder, &db), "opening the state store");
  handle_->db.reset(db);
  handle_->write_options.disableWAL = true;
}
RocksDbStateStore::~RocksDbStateStore() = default;

std::optional<std::string> RocksDbStateStore::get(std::string_view key) const {
  std::string value;
  const auto status = handle_->db->Get({}, slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  check_read(status, mark_);
  return value;
}

void RocksDbStateStore::write(const WriteSet& writes) {
  std::size_t bytes = 0;
  for (const auto& op : writes.operations) bytes += op.key.size() + (op.value ? op.value->size() : 0) + operation_overhead_bytes;
  rocksdb::WriteBatch batch(bytes);
  for (const auto& op : writes.operations) {
    if (op.value) check(batch.Put(op.key, *op.value), "collecting state");
    else check(batch.Delete(op.key), "collecting state");
  }
  check(handle_->db->Write(handle_->write_options, &batch), "writing state");
}

void RocksDbStateStore::scan(std::string_view prefix, std::string_view from,
                             const std::function<bool(std::string_view, std::string_view)>& visit) const {
  const std::unique_ptr<rocksdb::Iterator> at(handle_->db->NewIterator({}));
  for (at->Seek(slice(std::max(prefix, from))); at->Valid() && at->key().starts_with(slice(prefix)); at->Next())
    if (!visit({at->key().data(), at->key().size()}, {at->value().data(), at->value().size()})) return;
  check_read(at->status(), mark_);
}

void RocksDbStateStore::checkpoint(bool wait) {
  rocksdb::FlushOptions options;
  options.wait = wait;
  check(handle_->db->Flush(options), "flushing state");
}

void RocksDbStateStore::clear() {
  // The 0xff prefix is above every key.
  check(handle_->db->DeleteRange({}, handle_->db->DefaultColumnFamily(), "", std::string(1, '\xff')), "clearing state");
  checkpoint(true);
}

void RocksDbStateStore::destroy(const std::string& folder) { check(rocksdb::DestroyDB(folder, {}), "removing the state store"); }

}  // namespace guildhall
