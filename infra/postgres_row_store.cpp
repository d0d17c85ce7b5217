#include "infra/postgres_row_store.h"

#include <algorithm>
#include <map>
#include <pqxx/pqxx>
#include <utility>

#include "events/check.h"
#include "events/sha256.h"

namespace guildhall {
namespace {

using Parameters = std::vector<pqxx::binarystring>;

constexpr int dump_rows_per_fetch = 10'000;

std::string suffix_of(Generation generation) {
  return generation == Generation::live ? std::string() : "_" + std::string(name_of(generation));
}

// ---- values: a column of a statement's rows is one array in PostgreSQL's binary format, which spares both sides the text

std::string_view sql_type(ColumnType type) {
  switch (type) {
    case ColumnType::uuid: return "uuid";
    case ColumnType::text: return "text";
    case ColumnType::int4: return "int4";
    case ColumnType::int8: return "int8";
    case ColumnType::boolean: return "bool";
    case ColumnType::timestamptz: return "timestamptz";
    case ColumnType::text_array: return "text";  // A literal for each row: unnest() would flatten an array of arrays.
  }
  CHECK(false);
}

// Of the type that sql_type() names; PostgreSQL's built-in types have the same number everywhere (pg_type.dat).
std::int32_t type_oid(ColumnType type) {
  switch (type) {
    case ColumnType::uuid: return 2950;
    case ColumnType::text_array:
    case ColumnType::text: return 25;
    case ColumnType::int4: return 23;
    case ColumnType::int8: return 20;
    case ColumnType::boolean: return 16;
    case ColumnType::timestamptz: return 1184;
  }
  CHECK(false);
}

// The value of an unnested column `name`.
std::string from_array(ColumnType type, const std::string& name) {
  return "u." + name + (type == ColumnType::text_array ? "::text[]" : "");
}

constexpr Micros postgres_epoch = 946'684'800 * second_us;  // 2000-01-01.

template <class Integer>
void append_big_endian(std::string& out, Integer value) {
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
}

// What array_recv() reads: dimensions, whether there are nulls, element type, length, lower bound; then each element with its
// length before it, -1 for a null.
class BinaryArray {
 public:
  explicit BinaryArray(ColumnType type) : type_(type) {}

  void add(const Value& value) {
    ++size_;
    std::visit(*this, value);
  }
  pqxx::binarystring take() const {
    std::string whole;
    whole.reserve(20 + elements_.size());
    append_big_endian(whole, std::int32_t{1});
    append_big_endian(whole, std::int32_t{has_null_});
    append_big_endian(whole, type_oid(type_));
    append_big_endian(whole, size_);
    append_big_endian(whole, std::int32_t{1});
    whole += elements_;
    return pqxx::binarystring(whole);
  }

  void operator()(std::monostate) {
    has_null_ = true;
    append_big_endian(elements_, std::int32_t{-1});
  }
  void operator()(bool b) {
    append_big_endian(elements_, std::int32_t{1});
    elements_.push_back(b ? 1 : 0);
  }
  void operator()(std::int64_t n) {
    if (type_ == ColumnType::int4) {
      if (!std::in_range<std::int32_t>(n))
        throw RowStoreError(RowStoreError::Kind::refused, std::to_string(n) + " is out of an integer's range");
      append_big_endian(elements_, std::int32_t{4});
      append_big_endian(elements_, static_cast<std::int32_t>(n));
      return;
    }
    append_big_endian(elements_, std::int32_t{8});
    append_big_endian(elements_, type_ == ColumnType::timestamptz ? n - postgres_epoch : n);
  }
  void operator()(const Uuid& id) {
    append_big_endian(elements_, std::int32_t{16});
    append_bytes(elements_, id);
  }
  void operator()(const std::string& text) {
    append_big_endian(elements_, static_cast<std::int32_t>(text.size()));
    elements_ += text;
  }
  void operator()(const std::vector<std::string>& texts) { (*this)(array_literal(texts)); }

 private:
  ColumnType type_;
  std::int32_t size_ = 0;
  bool has_null_ = false;
  std::string elements_;
};

// ---- statements: one for each group of changes with the same shape

struct Group {
  const Table* table;
  const Table* source;  // Whose key names the rows: the table itself, or Via's.
  Via via;
  WriteKind kind;
  const std::vector<Assignment>* shape;  // Column and Op of each assignment, of the first change.
  std::vector<BinaryArray> arrays;       // The key's columns, then the shape's.
  std::size_t rows = 0;
};

struct Statement {
  std::string sql;
  Parameters parameters;
  std::size_t must_affect;  // Rows; 0: any number.
  bool shared_rows;         // Other shards' transactions may change the same rows. Such statements come last.
};

constexpr std::size_t any_number = 0;

std::string column_list(const Group& g) {
  std::string out;
  for (const Column& key : g.table->key) out += (out.empty() ? "" : ", ") + std::string(key.name);
  for (const Assignment& a : *g.shape) out += ", " + std::string(g.table->columns[a.column].name);
  return out;
}

// "FROM unnest($1::uuid[], …) AS u(k0, c0, …)"
std::string unnested(const Group& g) {
  std::string arrays;
  std::string names;
  std::size_t n = 0;
  const auto add = [&](ColumnType type, const std::string& name) {
    arrays += (n == 0 ? "$" : ", $") + std::to_string(n + 1) + "::" + std::string(sql_type(type)) + "[]";
    names += (n == 0 ? "" : ", ") + name;
    ++n;
  };
  for (std::size_t i = 0; i < g.source->key.size(); ++i) add(g.source->key[i].type, "k" + std::to_string(i));
  for (std::size_t i = 0; i < g.shape->size(); ++i) add(g.table->columns[(*g.shape)[i].column].type, "c" + std::to_string(i));
  return " FROM unnest(" + arrays + ") AS u(" + names + ")";
}

std::string set_clause(const Group& g, const std::string& excluded) {
  std::string out;
  for (std::size_t i = 0; i < g.shape->size(); ++i) {
    const Assignment& a = (*g.shape)[i];
    const Column& column = g.table->columns[a.column];
    const std::string name(column.name);
    const std::string value = excluded.empty() ? from_array(column.type, "c" + std::to_string(i)) : excluded + "." + name;
    out += (i == 0 ? "" : ", ") + name + " = ";
    if (a.op == Op::set) out += value;
    else if (a.op == Op::add) out += "t." + name + " + " + value;
    else out += "greatest(t." + name + ", " + value + ")";
  }
  return out;
}

std::string key_match(const Table& table, const std::string& alias) {
  std::string out;
  for (std::size_t i = 0; i < table.key.size(); ++i)
    out += (i == 0 ? "" : " AND ") + alias + "." + std::string(table.key[i].name) + " = u.k" + std::to_string(i);
  return out;
}

std::string on_conflict(const Group& g) {
  std::string key;
  for (const Column& column : g.table->key) key += (key.empty() ? "" : ", ") + std::string(column.name);
  return " ON CONFLICT (" + key + ") DO " + (g.shape->empty() ? "NOTHING" : "UPDATE SET " + set_clause(g, "excluded"));
}

std::string insert_sql(const std::string& schema, const Group& g) {
  std::string values;
  for (std::size_t i = 0; i < g.table->key.size(); ++i) values += (i == 0 ? "u.k" : ", u.k") + std::to_string(i);
  for (std::size_t i = 0; i < g.shape->size(); ++i)
    values += ", " + from_array(g.table->columns[(*g.shape)[i].column].type, "c" + std::to_string(i));
  // Without ON CONFLICT an insertion spares the look-up before it and the speculative record.
  return "INSERT INTO " + schema + "." + std::string(g.table->name) + " AS t (" + column_list(g) + ") SELECT " + values +
         unnested(g) + (g.kind == WriteKind::insert ? "" : on_conflict(g));
}

// A source row that is missing gives a NULL key, which the table refuses.
std::string upsert_via_sql(const std::string& schema, const Group& g) {
  const std::string key = "s." + std::string(g.source->columns[g.via.column].name);
  std::string values = key;
  for (std::size_t i = 0; i < g.shape->size(); ++i) {
    const Assignment& a = (*g.shape)[i];
    const std::string value = from_array(g.table->columns[a.column].type, "c" + std::to_string(i));
    values += std::string(", ") + (a.op == Op::add ? "sum(" : "max(") + value + ")";
  }
  return "INSERT INTO " + schema + "." + std::string(g.table->name) + " AS t (" + column_list(g) + ") SELECT " + values +
         unnested(g) + " LEFT JOIN " + schema + "." + std::string(g.source->name) + " s ON " + key_match(*g.source, "s") +
         " GROUP BY 1" + on_conflict(g);
}

std::string update_sql(const std::string& schema, const Group& g) {
  return "UPDATE " + schema + "." + std::string(g.table->name) + " AS t SET " + set_clause(g, "") + unnested(g) + " WHERE " +
         key_match(*g.table, "t");
}

std::string erase_sql(const std::string& schema, const Group& g) {
  std::string from = unnested(g);
  from.replace(0, std::string(" FROM").size(), " USING");
  return "DELETE FROM " + schema + "." + std::string(g.table->name) + " AS t" + from + " WHERE " + key_match(*g.table, "t");
}

// Rows that other shards' transactions may add to at the same time are taken by all in one order, that of their keys: else two of
// them could each wait for a row that the other one has.
std::vector<const Write*> in_lock_order(std::span<const Write> changes) {
  std::vector<const Write*> out;
  std::vector<std::pair<std::string, const Write*>> shared;
  for (const Write& w : changes) {
    const bool adds = w.kind == WriteKind::upsert && w.via.table == nullptr && !w.assignments.empty() &&
                      std::ranges::none_of(w.assignments, [](const Assignment& a) { return a.op == Op::set; });
    if (adds) shared.emplace_back(row_identity(w), &w);
    else out.push_back(&w);
  }
  std::ranges::sort(shared);
  for (const auto& [row, write] : shared) out.push_back(write);
  return out;
}

// Erasures first (a replaced row is erased, then made), then rows by their own key, then those found through rows.
std::vector<Statement> statements_of(const std::string& schema, std::span<const Write> changes) {
  static const std::vector<Assignment> no_columns;
  std::map<std::string, Group> groups;  // By phase and shape, so that the order is always the same.
  const auto add = [&](char phase, const Write& w, WriteKind kind, const std::vector<Assignment>& shape) {
    std::string name(1, phase);
    name += w.table->name;
    name.push_back('\0');
    if (w.via.table != nullptr) {
      name += w.via.table->name;
      name.push_back(static_cast<char>(w.via.column + 1));
    }
    name.push_back('\0');
    for (const Assignment& a : shape) {
      name.push_back(static_cast<char>(a.column + 1));
      name.push_back(static_cast<char>(a.op));
    }
    Group& g = groups[std::move(name)];
    if (g.rows++ == 0) {
      g.table = w.table;
      g.source = w.via.table != nullptr ? w.via.table : w.table;
      g.via = w.via;
      g.kind = kind;
      g.shape = &shape;
      for (const Column& key : g.source->key) g.arrays.emplace_back(key.type);
      for (const Assignment& a : shape) g.arrays.emplace_back(w.table->columns[a.column].type);
    }
    std::size_t at = 0;
    for (const Value& value : w.key) g.arrays[at++].add(value);
    for (const Assignment& a : shape) g.arrays[at++].add(a.value);
  };
  const auto changes_in_order = in_lock_order(changes);
  for (const Write* change : changes_in_order) {
    const Write& w = *change;
    if (w.kind == WriteKind::erase || w.kind == WriteKind::replace) add('1', w, WriteKind::erase, no_columns);
    if (w.kind == WriteKind::insert) add('2', w, WriteKind::insert, w.assignments);
    if (w.kind == WriteKind::upsert || w.kind == WriteKind::replace)
      add(w.via.table == nullptr ? '3' : '5', w, WriteKind::upsert, w.assignments);
    if (w.kind == WriteKind::update) add('4', w, WriteKind::update, w.assignments);
  }

  std::vector<Statement> out;
  for (auto& [name, g] : groups) {
    Statement s{{}, {}, any_number, g.via.table != nullptr};
    if (g.kind == WriteKind::erase) s.sql = erase_sql(schema, g);
    else if (g.via.table != nullptr) s.sql = upsert_via_sql(schema, g);
    else if (g.kind == WriteKind::insert || g.kind == WriteKind::upsert) s.sql = insert_sql(schema, g);
    else {
      if (g.shape->empty()) continue;
      s.sql = update_sql(schema, g);
      s.must_affect = g.rows;
    }
    for (const BinaryArray& array : g.arrays) s.parameters.push_back(array.take());
    out.push_back(std::move(s));
  }
  return out;
}

pqxx::result run(pqxx::transaction_base& tx, const std::string& sql, const Parameters& parameters) {
  return tx.exec_params(sql, pqxx::prepare::make_dynamic_params(parameters));
}

// Classes of SQLSTATE that pass: connection, resources, operator intervention, system error, deadlock, serialization, lock not
// available.
bool passes(const std::string& sqlstate) {
  for (const std::string_view prefix : {"08", "53", "57", "58", "40", "55P03"})
    if (sqlstate.starts_with(prefix)) return true;
  return false;
}

}  // namespace

class PostgresRowStore::Session {
 public:
  explicit Session(const std::string& url) : connection(url) {}
  pqxx::connection connection;
};

PostgresRowStore::PostgresRowStore(std::string url, const Projection& projection, const ProjectionSql& sql)
    : url_(std::move(url)), projection_(projection), sql_(sql) {
  Sha256 hash;
  for (const std::string_view script : {sql.roles, sql.auth, sql.control, sql.tables, sql.indexes, sql.policies, sql.views})
    hash.add(script);
  checksum_ = to_hex(view(hash.finish()));
}

PostgresRowStore::~PostgresRowStore() = default;

std::span<const Table* const> PostgresRowStore::tables() const { return projection_.tables; }

PostgresRowStore::Session& PostgresRowStore::session() {
  if (!session_) session_ = std::make_unique<Session>(url_);
  return *session_;
}

// Runs `work` in one transaction and commits. libpqxx's exceptions end here. All session state is local to the transaction,
// because libpqxx 6 reconnects silently.
template <class Work>
void PostgresRowStore::transact(Work&& work) {
  using Kind = RowStoreError::Kind;
  const auto unavailable = [&](const std::exception& e) {
    session_.reset();
    return RowStoreError(Kind::unavailable, std::string("PostgreSQL: ") + e.what(), "postgres_url, and whether the server runs");
  };
  try {
    pqxx::work tx(session().connection);
    work(tx);
    tx.commit();
  } catch (const RowStoreError&) {
    throw;
  } catch (const pqxx::in_doubt_error& e) {
    session_.reset();
    throw RowStoreError(Kind::in_doubt, std::string("PostgreSQL: ") + e.what());
  } catch (const pqxx::statement_completion_unknown& e) {
    session_.reset();
    throw RowStoreError(Kind::in_doubt, std::string("PostgreSQL: ") + e.what());
  } catch (const pqxx::transaction_rollback& e) {
    throw unavailable(e);
  } catch (const pqxx::broken_connection& e) {
    throw unavailable(e);
  } catch (const pqxx::not_null_violation& e) {
    throw RowStoreError(Kind::missing_row, e.what());  // Only keys are NOT NULL: the source row of a `via` is missing.
  } catch (const pqxx::insufficient_privilege& e) {
    throw RowStoreError(Kind::schema, e.what(), "rights of the role in postgres_url");
  } catch (const pqxx::undefined_table& e) {
    throw RowStoreError(Kind::schema, e.what(), "projection rebuild");
  } catch (const pqxx::sql_error& e) {
    if (passes(e.sqlstate()) || e.sqlstate().empty()) throw unavailable(e);
    throw RowStoreError(Kind::refused, e.what() + (" [" + e.sqlstate()) + "]");
  } catch (const pqxx::failure& e) {
    throw unavailable(e);
  } catch (const pqxx::pqxx_exception& e) {
    throw RowStoreError(Kind::refused, e.base().what());
  }
}

namespace {

// Rows are written and read as the projector, under row-level security. Plans: arrays of thousands of keys against tables whose
// statistics may be old must stay index lookups.
void as_projector(pqxx::transaction_base& tx) {
  tx.exec0(
      "SET LOCAL ROLE guildhall_projector; SET LOCAL synchronous_commit = off; SET LOCAL enable_hashjoin = off; "
      "SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off; SET LOCAL jit = off");
}

void as_owner(pqxx::transaction_base& tx) { tx.exec0("SET LOCAL ROLE guildhall_owner"); }
void as_login(pqxx::transaction_base& tx) { tx.exec0("RESET ROLE"); }

// Shared by transactions that write rows, exclusive for those that change which tables are live: names of schemas are looked up
// by each statement, so a swap must not come between two of one transaction.
void lock(pqxx::transaction_base& tx, std::string_view projection, bool exclusive) {
  tx.exec_params(exclusive ? "SELECT pg_advisory_xact_lock(hashtextextended($1, 7368))"
                           : "SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 7368))",
                 "guildhall/" + std::string(projection));
}

// Two transactions of several statements could each wait for rows that the other one has. From here to the commit there is one.
void lock_shared_rows(pqxx::transaction_base& tx, std::string_view projection) {
  tx.exec_params("SELECT pg_advisory_xact_lock(hashtextextended($1, 7369))", "guildhall/" + std::string(projection));
}

// Of processes that derive at once, one does it.
bool try_lock_derived(pqxx::transaction_base& tx, std::string_view projection) {
  const auto row = tx.exec_params1("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 7370))",
                                   "guildhall/" + std::string(projection));
  return row[0].as<bool>();
}

void run_script(pqxx::transaction_base& tx, std::string_view script) { tx.exec(std::string(script)); }

bool has_control(pqxx::transaction_base& tx) { return !tx.exec1("SELECT to_regclass('guildhall.projections')")[0].is_null(); }

void make_base(pqxx::transaction_base& tx, const ProjectionSql& sql) {
  run_script(tx, sql.roles);
  // `auth` belongs to whoever logs in: other platforms and the reads of clients share it.
  run_script(tx, sql.auth);
  as_owner(tx);
  run_script(tx, sql.control);
}

void register_generation(pqxx::transaction_base& tx, std::string_view projection, Generation state, const std::string& checksum,
                         const LogIdentity& log) {
  const std::string name(projection);
  const auto row = tx.exec_params1(
      "INSERT INTO guildhall.projections (projection, generation, state, checksum, log_id, shards) "
      "SELECT $1, coalesce(max(generation), 0) + 1, $2, $3, $4, $5 FROM guildhall.projections WHERE projection = $1 RETURNING "
      "generation",
      name, std::string(name_of(state)), checksum, to_string(log.log_id), log.shards);
  tx.exec_params0("INSERT INTO guildhall.offsets (projection, generation, shard) SELECT $1, $2, generate_series(0, $3 - 1)", name,
                  row[0].as<int>(), static_cast<int>(log.shards));
}

void make_tables(pqxx::transaction_base& tx, const std::string& schema, std::string_view script) {
  tx.exec0("DROP SCHEMA IF EXISTS " + schema + " CASCADE");
  tx.exec0("CREATE SCHEMA " + schema);
  tx.exec0("SET LOCAL search_path = " + schema);
  run_script(tx, script);
}

void secure_tables(pqxx::transaction_base& tx, const std::string& schema, const ProjectionSql& sql) {
  tx.exec0("SET LOCAL search_path = " + schema);
  run_script(tx, sql.indexes);
  run_script(tx, sql.policies);
}

}  // namespace

void PostgresRowStore::prepare(const LogIdentity& log) {
  transact([&](pqxx::transaction_base& tx) {
    lock(tx, projection_.name, true);
    if (has_control(tx)) {
      as_owner(tx);
      const auto live =
          tx.exec_params("SELECT checksum, log_id, shards FROM guildhall.projections WHERE projection = $1 AND state = 'live'",
                         std::string(projection_.name));
      if (!live.empty()) {
        using Kind = RowStoreError::Kind;
        if (live[0][0].as<std::string>() != checksum_)
          throw RowStoreError(Kind::schema, "the read models were made by another version", "projection rebuild");
        if (live[0][1].as<std::string>() != to_string(log.log_id) || live[0][2].as<std::uint32_t>() != log.shards)
          throw RowStoreError(Kind::schema, "the read models are another log's", "postgres_url, or projection rebuild");
        return;
      }
      as_login(tx);
    }
    make_base(tx, sql_);
    const std::string schema = std::string(projection_.name) + "_rm";
    make_tables(tx, schema, sql_.tables);
    secure_tables(tx, schema, sql_);
    run_script(tx, sql_.views);
    register_generation(tx, projection_.name, Generation::live, checksum_, log);
  });
}

std::vector<Sequence> PostgresRowStore::offsets(Generation generation) {
  std::vector<Sequence> out;
  transact([&](pqxx::transaction_base& tx) {
    as_projector(tx);
    const auto rows = tx.exec_params(
        "SELECT o.sequence FROM guildhall.offsets o JOIN guildhall.projections p USING (projection, generation) "
        "WHERE p.projection = $1 AND p.state = $2 ORDER BY o.shard",
        std::string(projection_.name), std::string(name_of(generation)));
    for (const auto& row : rows) out.push_back(row[0].as<Sequence>());
  });
  if (out.empty())
    throw RowStoreError(RowStoreError::Kind::schema, "there is no generation " + std::string(name_of(generation)),
                        "projection rebuild");
  return out;
}

void PostgresRowStore::apply(Generation generation, const RowBatch& batch, std::span<const Advance> advances) {
  const std::string schema = std::string(projection_.name) + "_rm" + suffix_of(generation);
  const auto statements = statements_of(schema, batch.changes());
  BinaryArray shards(ColumnType::int4), before(ColumnType::int8), after(ColumnType::int8);
  for (const Advance& a : advances) {
    shards.add(static_cast<std::int64_t>(a.shard));
    before.add(static_cast<std::int64_t>(a.before));
    after.add(static_cast<std::int64_t>(a.after));
  }
  transact([&](pqxx::transaction_base& tx) {
    as_projector(tx);
    lock(tx, projection_.name, false);
    const auto moved = tx.exec_params(
        "UPDATE guildhall.offsets o SET sequence = u.after, failure_kind = NULL, failure_sequence = NULL, failure_type = NULL, "
        "failure_detail = NULL FROM unnest($3::int4[], $4::int8[], $5::int8[]) AS u(shard, before, after), guildhall.projections "
        "p "
        "WHERE p.projection = $1 AND p.state = $2 AND o.projection = p.projection AND o.generation = p.generation "
        "AND o.shard = u.shard AND o.sequence = u.before",
        std::string(projection_.name), std::string(name_of(generation)), shards.take(), before.take(), after.take());
    if (moved.affected_rows() != advances.size())
      throw ProjectionConflict("offsets of " + std::string(projection_.name) + " are not where this runner left them");
    bool alone = false;
    for (const Statement& s : statements) {
      if (s.shared_rows && !std::exchange(alone, true)) lock_shared_rows(tx, projection_.name);
      const auto affected = run(tx, s.sql, s.parameters).affected_rows();
      if (s.must_affect != any_number && affected != s.must_affect)
        throw RowStoreError(RowStoreError::Kind::missing_row,
                            std::to_string(s.must_affect - affected) + " rows are missing: " + s.sql);
    }
  });
}

bool PostgresRowStore::derive(std::int32_t day) {
  if (projection_.derived.empty()) return false;
  bool more = false;
  transact([&](pqxx::transaction_base& tx) {
    tx.exec0("SET LOCAL ROLE guildhall_projector; SET LOCAL synchronous_commit = off; SET LOCAL jit = off");
    if (!try_lock_derived(tx, projection_.name)) return;
    lock(tx, projection_.name, false);
    tx.exec0("SET LOCAL search_path = " + std::string(projection_.name) + "_rm");
    more = tx.exec_params1("SELECT derive($1)", day)[0].as<bool>();
  });
  return more;
}

void PostgresRowStore::note_failure(const ProjectionFailure& failure) {
  transact([&](pqxx::transaction_base& tx) {
    as_projector(tx);
    tx.exec_params0(
        "UPDATE guildhall.offsets o SET failure_kind = $3, failure_sequence = $4, failure_type = $5, failure_detail = $6 "
        "FROM guildhall.projections p WHERE p.projection = $1 AND p.state = 'live' AND o.projection = p.projection "
        "AND o.generation = p.generation AND o.shard = $2",
        std::string(projection_.name), failure.shard, std::string(name_of(failure.kind)), failure.sequence,
        storable(failure.type), storable(failure.detail));
  });
}

std::vector<ProjectionFailure> PostgresRowStore::failures() {
  std::vector<ProjectionFailure> out;
  transact([&](pqxx::transaction_base& tx) {
    as_projector(tx);
    for (const auto& row : tx.exec_params(
             "SELECT o.failure_kind, o.shard, o.failure_sequence, o.failure_type, o.failure_detail FROM guildhall.offsets o "
             "JOIN guildhall.projections p USING (projection, generation) WHERE p.projection = $1 AND p.state = 'live' "
             "AND o.failure_kind IS NOT NULL ORDER BY o.shard",
             std::string(projection_.name))) {
      ProjectionFailure failure{FailureKind::other, row[1].as<ShardNo>(), row[2].as<Sequence>(), row[3].as<std::string>(),
                                row[4].as<std::string>()};
      for (const FailureKind kind : {FailureKind::apply, FailureKind::decode, FailureKind::unknown_type, FailureKind::order})
        if (name_of(kind) == row[0].as<std::string>()) failure.kind = kind;
      out.push_back(std::move(failure));
    }
  });
  return out;
}

void PostgresRowStore::begin_rebuild(const LogIdentity& log) {
  transact([&](pqxx::transaction_base& tx) {
    lock(tx, projection_.name, true);
    make_base(tx, sql_);
    tx.exec_params0("DELETE FROM guildhall.projections WHERE projection = $1 AND state = 'next'", std::string(projection_.name));
    const std::string schema = std::string(projection_.name) + "_rm_next";
    make_tables(tx, schema, sql_.tables);
    tx.exec0("GRANT USAGE ON SCHEMA " + schema + " TO guildhall_projector");
    tx.exec0("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + schema + " TO guildhall_projector");
    register_generation(tx, projection_.name, Generation::next, checksum_, log);
  });
}

void PostgresRowStore::secure_next() {
  const std::string schema = std::string(projection_.name) + "_rm_next";
  transact([&](pqxx::transaction_base& tx) {
    as_owner(tx);
    tx.exec0("SET LOCAL maintenance_work_mem = '256MB'");
    secure_tables(tx, schema, sql_);
    for (const Table* table : projection_.tables) tx.exec0("ANALYZE " + schema + "." + std::string(table->name));
  });
}

void PostgresRowStore::swap() {
  const std::string schema = std::string(projection_.name) + "_rm";
  const std::string name(projection_.name);
  transact([&](pqxx::transaction_base& tx) {
    lock(tx, projection_.name, true);
    as_owner(tx);
    const auto states = tx.exec_params("SELECT state FROM guildhall.projections WHERE projection = $1", name);
    const auto has = [&](std::string_view state) {
      return std::any_of(states.begin(), states.end(),
                         [&](const auto& row) { return row[0].template as<std::string>() == state; });
    };
    if (!has("next")) throw RowStoreError(RowStoreError::Kind::schema, "there is no rebuilt generation", "projection rebuild");
    if (has("live")) {
      tx.exec_params0("DELETE FROM guildhall.projections WHERE projection = $1 AND state = 'previous'", name);
      tx.exec_params0("UPDATE guildhall.projections SET state = 'previous' WHERE projection = $1 AND state = 'live'", name);
    }
    tx.exec_params0("UPDATE guildhall.projections SET state = 'live' WHERE projection = $1 AND state = 'next'", name);
    // Views hold their tables by identity: the script drops them and makes them again over the new tables.
    tx.exec0("SET LOCAL client_min_messages = warning");
    if (has("live")) {
      tx.exec0("DROP SCHEMA IF EXISTS " + schema + "_previous CASCADE");
      tx.exec0("ALTER SCHEMA " + schema + " RENAME TO " + name + "_rm_previous");
    }
    tx.exec0("ALTER SCHEMA " + schema + "_next RENAME TO " + schema);
    run_script(tx, sql_.views);
  });
}

void PostgresRowStore::roll_back() {
  const std::string name(projection_.name);
  const std::string schema = name + "_rm";
  transact([&](pqxx::transaction_base& tx) {
    lock(tx, projection_.name, true);
    as_owner(tx);
    const auto previous =
        tx.exec_params("SELECT checksum FROM guildhall.projections WHERE projection = $1 AND state = 'previous'", name);
    if (previous.empty() || previous[0][0].as<std::string>() != checksum_)
      throw RowStoreError(RowStoreError::Kind::schema, "there is no previous generation of this version", "projection rebuild");
    tx.exec_params0(
        "UPDATE guildhall.projections SET state = CASE state WHEN 'live' THEN 'previous' ELSE 'live' END "
        "WHERE projection = $1 AND state IN ('live', 'previous')",
        name);
    tx.exec0("ALTER SCHEMA " + schema + " RENAME TO " + name + "_rm_swapping");
    tx.exec0("ALTER SCHEMA " + schema + "_previous RENAME TO " + schema);
    tx.exec0("ALTER SCHEMA " + schema + "_swapping RENAME TO " + name + "_rm_previous");
    run_script(tx, sql_.views);
  });
}

void PostgresRowStore::dump(Generation generation, const Table& table, const std::function<void(std::string_view line)>& line) {
  std::string columns;
  std::string order;
  for (const Column& key : table.key)
    order += (order.empty() ? "" : ", ") + std::string(key.name) + (key.type == ColumnType::text ? " COLLATE \"C\"" : "");
  for (const auto* part : {&table.key, &table.columns})
    for (const Column& column : *part) {
      columns += columns.empty() ? "" : ", ";
      columns += column.type == ColumnType::timestamptz ? "(extract(epoch FROM " + std::string(column.name) + ") * 1000000)::int8"
                                                        : std::string(column.name);
    }
  transact([&](pqxx::transaction_base& tx) {
    as_projector(tx);
    lock(tx, projection_.name, false);
    tx.exec0("DECLARE all_rows NO SCROLL CURSOR FOR SELECT " + columns + " FROM " + std::string(projection_.name) + "_rm" +
             suffix_of(generation) + "." + std::string(table.name) + " ORDER BY " + order);
    std::string out;
    for (;;) {
      const auto rows = tx.exec("FETCH " + std::to_string(dump_rows_per_fetch) + " FROM all_rows");
      for (const auto& row : rows) {
        out.clear();
        for (const auto& field : row) {
          if (field.is_null()) out += "\\N";
          else append_copy_text(out, {field.c_str(), field.size()});
          out.push_back('\t');
        }
        out.pop_back();
        line(out);
      }
      if (rows.size() < dump_rows_per_fetch) return;
    }
  });
}

}  // namespace guildhall
