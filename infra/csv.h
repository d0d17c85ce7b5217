// CSV as RFC 4180 has it: a value with a comma, a quote or a line end stands in quotes, its quotes doubled. CRLF ends a line
// that we write; a line feed alone is read too, because every tool here writes that.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace guildhall {

inline constexpr std::string_view csv_line_end = "\r\n";

// Adds a cell to a line, whose first one must not be empty. The value stands there to the byte.
void append_csv_cell(std::string& line, std::string_view value);

// The text is no CSV; `what()` begins with the line.
class CsvError : public std::runtime_error {
 public:
  CsvError(std::size_t line, const std::string& what) : std::runtime_error("line " + std::to_string(line) + ": " + what) {}
};

// Walks the records of a text, which must outlive it. Nothing is guessed: a quote in the middle of a cell, text behind a closing
// one, a cell that does not end and a lone carriage return are refused.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : rest_(text) {}
  // False at the end. Throws CsvError.
  bool next(std::vector<std::string>& cells);
  std::size_t line() const { return line_; }  // Where the record that next() gave begins, from 1.

 private:
  std::string cell();

  std::string_view rest_;
  std::size_t line_ = 0;
  std::size_t at_line_ = 1;
};

}  // namespace guildhall
