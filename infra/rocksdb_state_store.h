// The state store on RocksDB: WAL off (the log is the truth), one column family, one database per (platform, shard).
#pragma once

#include <memory>
#include <string>

#include "aggregates/shard/state_store.h"

namespace guildhall {

// Block cache and write-buffer budget that the databases of one process share.
class RocksDbBudget {
 public:
  RocksDbBudget();
  ~RocksDbBudget();
  struct Shared;
  const Shared& shared() const { return *shared_; }

 private:
  std::unique_ptr<Shared> shared_;
};

class RocksDbStateStore final : public StateStore {
 public:
  // Opens or creates the database in `folder`; `budget` outlives it. A database that cannot be opened is StateStoreError: its
  // folder may be removed, the shard rebuilds it from the log. One that was found damaged while it was read is made anew.
  RocksDbStateStore(const std::string& folder, const RocksDbBudget& budget);
  ~RocksDbStateStore() override;

  std::optional<std::string> get(std::string_view key) const override;
  void write(const WriteSet& writes) override;
  void scan(std::string_view prefix, std::string_view from,
            const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  void checkpoint(bool wait) override;
  void clear() override;

  static void destroy(const std::string& folder);

 private:
  struct Handle;
  std::string mark_;  // The file `folder`.damaged.
  std::unique_ptr<Handle> handle_;
};

}  // namespace guildhall
