// The row store in PostgreSQL (15.14 or newer).
//
// One transaction takes a batch: each group of rows that change the same columns of a table is one statement over unnest()ed
// arrays. It runs as guildhall_projector, through row-level security, with synchronous_commit off: rows and offsets are in the
// same transaction, so what a crash of the server takes back is projected again from the log. Tables are made as guildhall_owner,
// under an advisory lock. Schemas: <platform>_rm holds the live generation, <platform>_rm_next and _previous the others,
// <platform> the views that clients read.
#pragma once

#include <memory>

#include "projectors/row_store.h"
#include "projectors/projection.h"

namespace guildhall {

class PostgresRowStore final : public RowStore {
 public:
  // `url` (libpq) logs in as a role that may create roles and act as guildhall_owner and guildhall_projector. Connects at the
  // first call, and again after a lost connection. The projection and its SQL outlive the store.
  PostgresRowStore(std::string url, const Projection& projection, const ProjectionSql& sql);
  ~PostgresRowStore() override;

  std::span<const Table* const> tables() const override;
  void prepare(const LogIdentity& log) override;
  std::vector<Sequence> offsets(Generation generation) override;
  void apply(Generation generation, const RowBatch& batch, std::span<const Advance> advances) override;
  bool derive(std::int32_t day) override;
  void note_failure(const ProjectionFailure& failure) override;
  std::vector<ProjectionFailure> failures() override;
  void begin_rebuild(const LogIdentity& log) override;
  void secure_next() override;
  void swap() override;
  void roll_back() override;
  void dump(Generation generation, const Table& table, const std::function<void(std::string_view line)>& line) override;

 private:
  class Session;
  Session& session();
  template <class Work>
  void transact(Work&& work);

  std::string url_;
  const Projection& projection_;
  const ProjectionSql& sql_;
  std::string checksum_;  // Of all SQL: other SQL makes other tables.
  std::unique_ptr<Session> session_;
};

}  // namespace guildhall
