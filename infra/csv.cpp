#include "infra/csv.h"

#include <algorithm>

namespace guildhall {

void append_csv_cell(std::string& line, std::string_view value) {
  if (!line.empty()) line += ',';
  if (value.find_first_of("\",\r\n") == value.npos) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

bool CsvReader::next(std::vector<std::string>& cells) {
  cells.clear();
  if (rest_.empty()) return false;
  line_ = at_line_;
  for (;;) {
    cells.push_back(cell());
    if (rest_.empty()) return true;
    const char separator = rest_.front();
    rest_.remove_prefix(1);
    if (separator == ',') continue;
    if (separator == '\r') {
      if (!rest_.starts_with('\n')) throw CsvError(at_line_, "a carriage return without a line feed");
      rest_.remove_prefix(1);
    }
    ++at_line_;
    return true;
  }
}

// Up to the separator behind it, or the end.
std::string CsvReader::cell() {
  std::string out;
  if (!rest_.starts_with('"')) {
    const std::size_t end = std::min(rest_.find_first_of(",\r\n\""), rest_.size());
    if (end < rest_.size() && rest_[end] == '"') throw CsvError(at_line_, "a quote inside a cell that does not begin with one");
    out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return out;
  }
  const std::size_t began = at_line_;
  rest_.remove_prefix(1);
  for (;;) {
    const std::size_t end = rest_.find('"');
    if (end == rest_.npos) throw CsvError(began, "a quoted cell that does not end");
    at_line_ += static_cast<std::size_t>(std::ranges::count(rest_.substr(0, end), '\n'));
    out += rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    if (!rest_.starts_with('"')) break;
    out += '"';
    rest_.remove_prefix(1);
  }
  if (!rest_.empty() && !std::string_view(",\r\n").contains(rest_.front()))
    throw CsvError(at_line_, "text behind a closing quote");
  return out;
}

}  // namespace guildhall
