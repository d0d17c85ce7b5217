#include "projectors/row_store.h"

#include <algorithm>

#include "events/check.h"

namespace guildhall {
namespace {

std::int64_t number(const Value& value) {
  CHECK(std::holds_alternative<std::int64_t>(value));
  return std::get<std::int64_t>(value);
}

std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  CHECK(!__builtin_add_overflow(a, b, &out));
  return out;
}

void assign(Write& write, ColumnNo column, Op op, Value value) {
  CHECK(column < write.table->columns.size());
  auto& all = write.assignments;
  auto at = std::lower_bound(all.begin(), all.end(), column, [](const Assignment& a, ColumnNo c) { return a.column < c; });
  CHECK(at == all.end() || at->column != column);
  all.insert(at, {column, op, std::move(value)});
}

// `later` happens after `earlier`, on the same column.
void merge(Assignment& earlier, Assignment&& later) {
  if (later.op == Op::set) {
    earlier = std::move(later);
    return;
  }
  CHECK(earlier.op == Op::set || earlier.op == later.op);  // A column is summed or maximised, never both.
  const std::int64_t value = number(later.value);
  const bool none = std::holds_alternative<std::monostate>(earlier.value);
  if (later.op == Op::add) earlier.value = sum(number(earlier.value), value);
  else earlier.value = none ? value : std::max(number(earlier.value), value);
}

void merge(std::vector<Assignment>& earlier, std::vector<Assignment>&& later) {
  for (Assignment& a : later) {
    auto at =
        std::lower_bound(earlier.begin(), earlier.end(), a.column, [](const Assignment& x, ColumnNo c) { return x.column < c; });
    if (at != earlier.end() && at->column == a.column) merge(*at, std::move(a));
    else earlier.insert(at, std::move(a));
  }
}

// Onto a row that starts from its initial values, nothing is relative any more.
void settle(Write& write) {
  for (Assignment& a : write.assignments) {
    if (a.op == Op::set) continue;
    Assignment initial{a.column, Op::set, write.table->columns[a.column].initial};
    merge(initial, std::move(a));
    a = std::move(initial);
  }
}

void append_value(std::string& out, const Value& value) {
  out.push_back(static_cast<char>('0' + value.index()));
  if (const auto* id = std::get_if<Uuid>(&value)) {
    append_bytes(out, *id);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    out += std::to_string(*integer);
    out.push_back(';');
  } else {
    CHECK(std::holds_alternative<std::string>(value));  // Keys are ids, numbers or texts.
    const auto& text = std::get<std::string>(value);
    out += std::to_string(text.size());
    out.push_back(';');
    out += text;
  }
}

}  // namespace

Write& Write::set(ColumnNo column, Value value) {
  assign(*this, column, Op::set, std::move(value));
  return *this;
}
Write& Write::add(ColumnNo column, std::int64_t delta) {
  assign(*this, column, Op::add, delta);
  return *this;
}
Write& Write::greatest(ColumnNo column, std::int64_t value) {
  assign(*this, column, Op::greatest, value);
  return *this;
}

Write& Writes::push(const Table& table, WriteKind kind, Via via, Key key) {
  CHECK(key.size() == (via.table != nullptr ? via.table : &table)->key.size() && table.columns.size() <= max_columns);
  return writes_.emplace_back(Write{&table, kind, via, std::move(key), {}});
}
Write& Writes::insert(const Table& table, Key key) { return push(table, WriteKind::insert, {}, std::move(key)); }
Write& Writes::upsert(const Table& table, Key key) { return push(table, WriteKind::upsert, {}, std::move(key)); }
Write& Writes::update(const Table& table, Key key) { return push(table, WriteKind::update, {}, std::move(key)); }
Write& Writes::upsert_via(const Table& table, Via via, Key source_key) {
  CHECK(via.table != nullptr && table.key.size() == 1);
  return push(table, WriteKind::upsert, via, std::move(source_key));
}
void Writes::erase(const Table& table, Key key) { push(table, WriteKind::erase, {}, std::move(key)); }

std::string storable(std::string text) {
  for (std::size_t at = 0; (at = text.find('\0', at)) != std::string::npos;) text.replace(at, 1, "\xEF\xBF\xBD");
  return text;
}

std::string row_identity(const Write& write) {
  std::string out(write.table->name);
  out.push_back('/');
  if (write.via.table != nullptr) {
    out += write.via.table->name;
    out.push_back(static_cast<char>('A' + write.via.column));
  }
  out.push_back('/');
  for (const Value& value : write.key) append_value(out, value);
  return out;
}

void RowBatch::add(Write write) {
  if (write.via.table != nullptr)
    for (const Assignment& a : write.assignments) CHECK(a.op != Op::set);
  const auto [found, fresh] = index_.try_emplace(row_identity(write), changes_.size());
  if (fresh) {
    changes_.push_back(std::move(write));
    return;
  }
  Write& row = changes_[found->second];
  switch (write.kind) {
    case WriteKind::erase: row = std::move(write); return;
    case WriteKind::update:
      if (row.kind == WriteKind::erase)
        throw RowStoreError(RowStoreError::Kind::missing_row,
                            "an update follows the erasure of its row in " + std::string(row.table->name));
      break;
    case WriteKind::insert:
      if (row.kind != WriteKind::erase)
        throw RowStoreError(RowStoreError::Kind::refused, "a row of " + std::string(row.table->name) + " is made twice");
      [[fallthrough]];
    case WriteKind::upsert:
      if (row.kind == WriteKind::erase) {
        row = std::move(write);
        row.kind = WriteKind::replace;
        settle(row);
        return;
      }
      if (row.kind == WriteKind::update) row.kind = WriteKind::upsert;
      break;
    case WriteKind::replace: row = std::move(write); return;
  }
  merge(row.assignments, std::move(write.assignments));
  if (row.kind == WriteKind::replace) settle(row);
}

void RowBatch::clear() {
  changes_.clear();
  index_.clear();
}

std::string_view name_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::apply: return "apply";
    case FailureKind::decode: return "decode";
    case FailureKind::unknown_type: return "unknown_type";
    case FailureKind::order: return "order";
    case FailureKind::other: return "other";
  }
  CHECK(false);
}

std::string_view name_of(Generation generation) {
  switch (generation) {
    case Generation::live: return "live";
    case Generation::next: return "next";
    case Generation::previous: return "previous";
  }
  CHECK(false);
}

std::string array_literal(std::span<const std::string> elements) {
  std::string out = "{";
  for (const std::string& element : elements) {
    if (out.size() > 1) out.push_back(',');
    const bool null_word = element.size() == 4 && (element[0] | 32) == 'n' && (element[1] | 32) == 'u' &&
                           (element[2] | 32) == 'l' && (element[3] | 32) == 'l';
    if (!element.empty() && !null_word && element.find_first_of("{},\"\\ \t\n\r\v\f") == std::string::npos) {
      out += element;
      continue;
    }
    out.push_back('"');
    for (const char c : element) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('"');
  }
  out.push_back('}');
  return out;
}

void append_copy_text(std::string& out, std::string_view text) {
  for (const char c : text) switch (c) {
      case '\\': out += "\\\\"; break;
      case '\t': out += "\\t"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      default: out.push_back(c);
    }
}

}  // namespace guildhall
