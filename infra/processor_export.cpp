#include "infra/processor_export.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "infra/csv.h"
#include "infra/wire_time.h"

namespace guildhall {
namespace {

constexpr std::array<std::string_view, 7> columns{"processor", "external_id", "type", "amount_cents",
                                                  "fee_cents", "currency",    "time"};
constexpr std::size_t max_name_length = 50;
constexpr std::size_t max_external_id_length = 200;  // As the commands that record one allow.

bool is_name(std::string_view text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !text.empty() && text.size() <= max_name_length && std::ranges::all_of(text, allowed);
}

// Processors' ids are ASCII: what is not was read in a wrong encoding, and must not reach a terminal.
bool is_external_id(std::string_view text) {
  return !text.empty() && text.size() <= max_external_id_length &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_currency(std::string_view text) {
  return text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Digits and nothing else.
bool read_cents(std::string_view text, std::int64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out >= 0 && text.front() != '-';
}

class Line {
 public:
  Line(std::size_t number, const std::vector<std::string>& cells) : number_(number), cells_(cells) {
    if (cells.size() != columns.size())
      fail("has " + std::to_string(cells.size()) + " columns, not " + std::to_string(columns.size()));
  }
  [[noreturn]] void fail(const std::string& what) const { throw ExportError("line " + std::to_string(number_) + ": " + what); }
  void require_header() const {
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (cells_[i] != columns[i]) fail("column " + std::to_string(i + 1) + " must be named " + std::string(columns[i]));
  }
  ExportRow row() const {
    ExportRow out{.processor = cells_[0], .external_id = cells_[1], .type = cells_[2], .currency = cells_[5]};
    require(0, is_name(out.processor), "a name in lower case");
    require(1, is_external_id(out.external_id), "1 to 200 visible ASCII characters");
    require(2, is_name(out.type), "a name in lower case");
    require(3, read_cents(cells_[3], out.amount_cents), "a whole number of cents, without a sign");
    require(4, read_cents(cells_[4], out.fee_cents), "a whole number of cents, without a sign");
    require(5, is_currency(out.currency), "three capital letters");
    const auto time = parse_instant(cells_[6]);
    require(6, time.has_value(), "an instant such as 2026-03-29T01:00:00Z");
    out.time = *time;
    return out;
  }

 private:
  void require(std::size_t column, bool is, const char* what) const {
    if (!is) fail(std::string(columns[column]) + " must be " + what);
  }

  std::size_t number_;
  const std::vector<std::string>& cells_;
};

}  // namespace

std::string export_header() {
  std::string out;
  for (const std::string_view name : columns) append_csv_cell(out, name);
  return out.append(csv_line_end);
}

std::string export_line(const ExportRow& row) {
  std::string out, time;
  append_instant(time, row.time);
  append_csv_cell(out, row.processor);
  append_csv_cell(out, row.external_id);
  append_csv_cell(out, row.type);
  append_csv_cell(out, std::to_string(row.amount_cents));
  append_csv_cell(out, std::to_string(row.fee_cents));
  append_csv_cell(out, row.currency);
  append_csv_cell(out, time);
  return out.append(csv_line_end);
}

std::vector<ExportRow> parse_export(std::string_view text) {
  std::vector<ExportRow> out;
  CsvReader reader(text);
  std::vector<std::string> cells;
  try {
    if (!reader.next(cells)) throw ExportError("line 1: the names of the columns are missing");
    Line(reader.line(), cells).require_header();
    while (reader.next(cells)) out.push_back(Line(reader.line(), cells).row());
  } catch (const CsvError& e) {
    throw ExportError(e.what());
  }
  return out;
}

}  // namespace guildhall
