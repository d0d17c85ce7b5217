#include "infra/memory_row_store.h"

#include <algorithm>

#include "events/check.h"

namespace guildhall {
namespace {

int order_of(const Value& a, const Value& b) {
  CHECK(a.index() == b.index());
  if (const auto* id = std::get_if<Uuid>(&a)) {
    const auto& other = std::get<Uuid>(b);
    return UuidLess{}(*id, other) ? -1 : UuidLess{}(other, *id) ? 1 : 0;
  }
  if (const auto* number = std::get_if<std::int64_t>(&a)) {
    const auto other = std::get<std::int64_t>(b);
    return *number < other ? -1 : *number > other ? 1 : 0;
  }
  return std::get<std::string>(a).compare(std::get<std::string>(b));
}

void append_text(std::string& out, const Value& value) {
  struct Append {
    std::string& out;
    void operator()(std::monostate) const { out += "\\N"; }
    void operator()(bool b) const { out.push_back(b ? 't' : 'f'); }
    void operator()(std::int64_t n) const { out += std::to_string(n); }
    void operator()(const Uuid& id) const { out += to_string(id); }
    void operator()(const std::string& text) const { append_copy_text(out, text); }
    void operator()(const std::vector<std::string>& texts) const { append_copy_text(out, array_literal(texts)); }
  };
  std::visit(Append{out}, value);
}

void assign(Value& value, const Assignment& a) {
  if (a.op == Op::set) {
    value = a.value;
    return;
  }
  const std::int64_t operand = std::get<std::int64_t>(a.value);
  if (a.op == Op::add) value = std::get<std::int64_t>(value) + operand;
  else value = std::holds_alternative<std::monostate>(value) ? operand : std::max(std::get<std::int64_t>(value), operand);
}

}  // namespace

bool MemoryRowStore::KeyLess::operator()(const Key& a, const Key& b) const {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (const int order = order_of(a[i], b[i]); order != 0) return order < 0;
  return false;
}

MemoryRowStore::Data& MemoryRowStore::data(Generation generation) {
  const auto found = generations_.find(generation);
  if (found == generations_.end())
    throw RowStoreError(RowStoreError::Kind::schema, "there is no generation " + std::string(name_of(generation)),
                        "projection rebuild");
  return found->second;
}

MemoryRowStore::Data MemoryRowStore::empty(const LogIdentity& log) { return {log.log_id, std::vector<Sequence>(log.shards), {}}; }

void MemoryRowStore::prepare(const LogIdentity& log) {
  Data& live = generations_.try_emplace(Generation::live, empty(log)).first->second;
  if (!(live.log_id == log.log_id) || live.offsets.size() != log.shards)
    throw RowStoreError(RowStoreError::Kind::schema, "the rows are another log's", "projection rebuild");
}

std::vector<Sequence> MemoryRowStore::offsets(Generation generation) { return data(generation).offsets; }

void MemoryRowStore::apply(Generation generation, const RowBatch& batch, std::span<const Advance> advances) {
  Data& target = data(generation);
  std::optional<RowStoreError::Kind> fault;
  if (!faults_.empty()) {
    const auto [kind, stored] = faults_.front();
    faults_.pop_front();
    if (!stored) throw RowStoreError(kind, "a fault was injected");
    fault = kind;
  }
  for (const Advance& a : advances)
    if (target.offsets.at(a.shard) != a.before)
      throw ProjectionConflict("shard " + std::to_string(a.shard) + " is not at " + std::to_string(a.before));

  // Changed rows are worked on apart, so that a failure leaves nothing behind. nullopt: erased.
  std::map<const Table*, std::map<Key, std::optional<Row>, KeyLess>> changed;
  const auto row_of = [&](const Table& table, const Key& key) -> std::optional<Row>& {
    const auto [at, fresh] = changed[&table].try_emplace(key);
    if (fresh)
      if (const auto stored = target.tables[&table].find(key); stored != target.tables[&table].end()) at->second = stored->second;
    return at->second;
  };
  const auto write = [&](const Write& w, const Key& key) {
    for (const auto& [table, bad] : refused_)
      if (table == w.table && !KeyLess{}(bad, key) && !KeyLess{}(key, bad))
        throw RowStoreError(RowStoreError::Kind::refused, "a row was refused");
    std::optional<Row>& row = row_of(*w.table, key);
    if (w.kind == WriteKind::erase || w.kind == WriteKind::replace) row.reset();
    if (w.kind == WriteKind::erase) return;
    if (w.kind == WriteKind::insert && row)
      throw RowStoreError(RowStoreError::Kind::refused, "the row is in " + std::string(w.table->name) + " already");
    if (!row) {
      if (w.kind == WriteKind::update)
        throw RowStoreError(RowStoreError::Kind::missing_row, "no such row in " + std::string(w.table->name));
      row.emplace();
      for (const Column& column : w.table->columns) row->push_back(column.initial);
    }
    for (const Assignment& a : w.assignments) assign((*row)[a.column], a);
  };
  for (const Write& w : batch.changes())
    if (w.via.table == nullptr) write(w, w.key);
  for (const Write& w : batch.changes()) {
    if (w.via.table == nullptr) continue;
    const std::optional<Row>& source = row_of(*w.via.table, w.key);
    if (!source || std::holds_alternative<std::monostate>((*source)[w.via.column]))
      throw RowStoreError(RowStoreError::Kind::missing_row, "no source row in " + std::string(w.via.table->name));
    write(w, {(*source)[w.via.column]});
  }

  for (auto& [table, rows] : changed)
    for (auto& [key, row] : rows) {
      if (row) target.tables[table].insert_or_assign(key, std::move(*row));
      else target.tables[table].erase(key);
    }
  for (const Advance& a : advances) {
    target.offsets[a.shard] = a.after;
    if (generation == Generation::live) failures_.erase(a.shard);
  }
  if (fault) throw RowStoreError(*fault, "a fault was injected after the commit");
}

void MemoryRowStore::note_failure(const ProjectionFailure& failure) { failures_.insert_or_assign(failure.shard, failure); }

std::vector<ProjectionFailure> MemoryRowStore::failures() {
  std::vector<ProjectionFailure> out;
  for (const auto& [shard, failure] : failures_) out.push_back(failure);
  return out;
}

void MemoryRowStore::begin_rebuild(const LogIdentity& log) { generations_.insert_or_assign(Generation::next, empty(log)); }
void MemoryRowStore::secure_next() { data(Generation::next); }

void MemoryRowStore::swap() {
  Data next = std::move(data(Generation::next));
  generations_.erase(Generation::next);
  if (const auto live = generations_.find(Generation::live); live != generations_.end())
    generations_.insert_or_assign(Generation::previous, std::move(live->second));
  generations_.insert_or_assign(Generation::live, std::move(next));
  failures_.clear();
}

void MemoryRowStore::roll_back() {
  std::swap(data(Generation::live), data(Generation::previous));
  failures_.clear();
}

void MemoryRowStore::dump(Generation generation, const Table& table, const std::function<void(std::string_view line)>& line) {
  std::string out;
  for (const auto& [key, row] : data(generation).tables[&table]) {
    out.clear();
    for (const Row* part : {&key, &row})
      for (const Value& value : *part) {
        append_text(out, value);
        out.push_back('\t');
      }
    out.pop_back();
    line(out);
  }
}

void MemoryRowStore::fail_next(RowStoreError::Kind kind, bool applied) { faults_.emplace_back(kind, applied); }
void MemoryRowStore::refuse(const Table& table, Key key) { refused_.emplace_back(&table, std::move(key)); }

}  // namespace guildhall
