// The row store's in-memory twin: the same writes, the same rows, the same dump. One thread at a time.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "projectors/row_store.h"

namespace guildhall {

class MemoryRowStore final : public RowStore {
 public:
  explicit MemoryRowStore(std::span<const Table* const> tables) : tables_(tables) {}

  std::span<const Table* const> tables() const override { return tables_; }
  void prepare(const LogIdentity& log) override;
  std::vector<Sequence> offsets(Generation generation) override;
  void apply(Generation generation, const RowBatch& batch, std::span<const Advance> advances) override;
  bool derive(std::int32_t) override { return false; }  // It has no such tables.
  void note_failure(const ProjectionFailure& failure) override;
  std::vector<ProjectionFailure> failures() override;
  void begin_rebuild(const LogIdentity& log) override;
  void secure_next() override;
  void swap() override;
  void roll_back() override;
  void dump(Generation generation, const Table& table, const std::function<void(std::string_view line)>& line) override;

  // Faults for tests. The next calls of apply() end so, in order; `applied` says whether an in_doubt one is in the rows.
  void fail_next(RowStoreError::Kind kind, bool applied = false);
  // A row that apply() refuses, as a database refuses a value that a column can't hold.
  void refuse(const Table& table, Key key);

 private:
  struct KeyLess {
    bool operator()(const Key& a, const Key& b) const;
  };
  using Row = std::vector<Value>;
  using Rows = std::map<Key, Row, KeyLess>;
  struct Data {
    Uuid log_id{};
    std::vector<Sequence> offsets;
    std::map<const Table*, Rows> tables;
  };
  Data& data(Generation generation);
  static Data empty(const LogIdentity& log);

  std::span<const Table* const> tables_;
  std::map<Generation, Data> generations_;
  std::map<ShardNo, ProjectionFailure> failures_;
  std::deque<std::pair<RowStoreError::Kind, bool>> faults_;
  std::vector<std::pair<const Table*, Key>> refused_;
};

}  // namespace guildhall
