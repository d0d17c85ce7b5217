// The row-store seam: typed writes on named tables, applied together with the log positions that they come from. Implementations:
// PostgreSQL (infra/postgres_row_store) and an in-memory twin; one contract test runs over both
// (tests/infra/row_store_contract.h).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "events/event_log.h"
#include "events/ids.h"

namespace guildhall {

// ---- tables

enum class ColumnType : std::uint8_t { uuid, text, int4, int8, boolean, timestamptz, text_array };

// monostate is NULL; a timestamptz is an int64 of microseconds since 1970.
using Value = std::variant<std::monostate, bool, std::int64_t, Uuid, std::string, std::vector<std::string>>;

using ColumnNo = std::uint8_t;  // Position in Table::columns.
inline constexpr std::size_t max_columns = 31;

struct Column {
  std::string_view name;
  ColumnType type;
  Value initial{};  // Of a row that is made without it: the DEFAULT of the table's DDL.
};

// Columns that the DDL generates are not listed. A table outlives everything that points at it.
struct Table {
  std::string_view name;
  std::vector<Column> key;
  std::vector<Column> columns;
};

using Key = std::vector<Value>;  // In the order of Table::key.

// ---- writes

enum class WriteKind : std::uint8_t {
  insert,   // Makes the row, which must not be there: RowStoreError::Kind::refused.
  upsert,   // Makes the row, or changes the named columns of the one that is there.
  update,   // The row must be there: a missing one is RowStoreError::Kind::missing_row.
  erase,    // The row may be missing.
  replace,  // Erase, then upsert: only coalescing makes it.
};

enum class Op : std::uint8_t { set, add, greatest };

struct Assignment {
  ColumnNo column;
  Op op;
  Value value;  // add and greatest: an int64.
};

// The row to write is named by a column of another row: "the learner of this booking". An event names its own stream's entity
// only, and a projection keeps no state; the row store joins. The source row must exist, in the same shard, and its column never
// changes.
struct Via {
  const Table* table = nullptr;  // nullptr: the key is direct.
  ColumnNo column = 0;
  friend bool operator==(const Via&, const Via&) = default;
};

struct Write {
  const Table* table;
  WriteKind kind;
  Via via;
  Key key;                              // With via: the key of the source row.
  std::vector<Assignment> assignments;  // Sorted by column, each at most once.

  // A column gets one assignment a write. add() and greatest() make commutative writes: the only ones that several shards may
  // send to one row.
  Write& set(ColumnNo column, Value value);
  Write& add(ColumnNo column, std::int64_t delta);
  Write& greatest(ColumnNo column, std::int64_t value);
};

// What a projection returns for one record, in order.
class Writes {
 public:
  Write& insert(const Table& table, Key key);
  Write& upsert(const Table& table, Key key);
  Write& update(const Table& table, Key key);
  // An upsert of the row that `via` names, of commutative assignments only.
  Write& upsert_via(const Table& table, Via via, Key source_key);
  void erase(const Table& table, Key key);

  std::vector<Write> take() { return std::exchange(writes_, {}); }

 private:
  Write& push(const Table& table, WriteKind kind, Via via, Key key);
  std::vector<Write> writes_;
};

// NUL can't be stored in a PostgreSQL text: it becomes U+FFFD here, for every store, so that no client's text stops a projection.
std::string storable(std::string text);

// ---- errors

// The world failed, or it refuses the rows.
class RowStoreError : public std::runtime_error {
 public:
  enum class Kind : std::uint8_t {
    unavailable,  // Connection, resources, deadlock: nothing was applied, the same batch may be sent again.
    in_doubt,     // The commit's answer was lost: the stored offsets tell.
    conflict,     // ProjectionConflict.
    missing_row,  // An update or a `via` names a row that is not there.
    refused,      // The store can't hold these rows (a value out of range, …).
    schema,       // The tables are of another version, log or number of shards; or they are damaged.
  };
  RowStoreError(Kind kind, const std::string& what, std::string hint = {})
      : std::runtime_error(what), kind_(kind), hint_(std::move(hint)) {}
  Kind kind() const { return kind_; }
  const std::string& hint() const { return hint_; }
  bool retryable() const { return kind_ == Kind::unavailable; }

 private:
  Kind kind_;
  std::string hint_;
};

// Another runner moved the offsets, or a rebuild was swapped in: read them again.
class ProjectionConflict : public RowStoreError {
 public:
  explicit ProjectionConflict(const std::string& what) : RowStoreError(Kind::conflict, what) {}
};

// ---- coalescing

// The writes of many records with at most one change a row. Applying it equals applying the writes one by one.
class RowBatch {
 public:
  // Throws RowStoreError: missing_row for an update of a row that this batch erased, refused for an insert of one that it holds.
  void add(Write write);
  std::span<const Write> changes() const { return changes_; }
  bool empty() const { return changes_.empty(); }
  void clear();

 private:
  std::vector<Write> changes_;
  std::unordered_map<std::string, std::size_t> index_;  // Row → place in changes_.
};

// Identifies a row (and how it is named) across tables.
std::string row_identity(const Write& write);

// ---- the store

// An offset's move, checked in the transaction that applies the rows.
struct Advance {
  ShardNo shard;
  Sequence before;
  Sequence after;
};

enum class FailureKind : std::uint8_t { apply, decode, unknown_type, order, other };
std::string_view name_of(FailureKind kind);

// Why a shard's projection stands still: its next record can't be applied.
struct ProjectionFailure {
  FailureKind kind;
  ShardNo shard;
  Sequence sequence;
  std::string type;
  std::string detail;
};

// live is what clients read; next is a rebuild on its way; previous is kept for rolling back.
enum class Generation : std::uint8_t { live, next, previous };
std::string_view name_of(Generation generation);

// One projection's rows. One thread at a time; several stores (processes) may point at the same rows. All throw RowStoreError.
class RowStore {
 public:
  virtual ~RowStore() = default;

  virtual std::span<const Table* const> tables() const = 0;
  // Makes the tables, or checks that they are this version's, of this log. Throws Kind::schema with the hint what to do.
  virtual void prepare(const LogIdentity& log) = 0;
  // By shard; what is stored, not what was sent.
  virtual std::vector<Sequence> offsets(Generation generation) = 0;
  // Rows and offsets in one transaction. Throws ProjectionConflict when an offset is not at `before`.
  virtual void apply(Generation generation, const RowBatch& batch, std::span<const Advance> advances) = 0;
  // Fills the live tables that are made of rows and not of events (Projection::derived), a part at a time, as they are on that
  // day (since 1970-01-01): false when nothing is left to do, or another process is at it.
  virtual bool derive(std::int32_t day) = 0;
  // Noted beside the live offset; the shard's next advance clears it.
  virtual void note_failure(const ProjectionFailure& failure) = 0;
  virtual std::vector<ProjectionFailure> failures() = 0;

  // Rebuild, blue/green. begin throws away an unfinished `next` and makes a bare one: no policies, no grants
  // but the projector's, no secondary indexes.
  virtual void begin_rebuild(const LogIdentity& log) = 0;
  // Indexes, policies, grants and statistics for `next`.
  virtual void secure_next() = 0;
  // next → live → previous, with the views clients see, in one transaction. An older previous is dropped.
  virtual void swap() = 0;
  // previous ↔ live. Throws Kind::schema when there is no previous, or it is another version's.
  virtual void roll_back() = 0;

  // Every row, ordered by key, as one line: columns in the table's order with tabs between, NULL as \N, backslash, tab, newline
  // and carriage return escaped as COPY does, times as microseconds, booleans t and f. Two stores that hold the same rows give
  // the same bytes.
  virtual void dump(Generation generation, const Table& table, const std::function<void(std::string_view line)>& line) = 0;
};

// A PostgreSQL array literal of texts, byte for byte what the server prints for the same array.
std::string array_literal(std::span<const std::string> elements);
// A text as a dump's line holds it.
void append_copy_text(std::string& out, std::string_view text);

}  // namespace guildhall
