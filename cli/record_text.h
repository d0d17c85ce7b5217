// Records as text for people and programs: a line of JSON, or a row of CSV. What they say is a contract (docs/analytics.md).
// Personal values are masked unless asked for: this output leaves the process.
#pragma once

#include <string>

#include "events/record.h"
#include "gateway/schema.h"

namespace guildhall {

// Throws CorruptLog when the payload is not what its type says.
std::string json_line(const SchemaCatalogue& catalogue, const Record& record, bool show_pii);

// CSV (infra/csv.h). Cells are what the record says, to the byte: nothing is added to those that a spreadsheet would take for a
// formula.
class CsvRows {
 public:
  // With `columns_of` the fields of that type are columns of their own (data_NAME), in schema order; every record must be of it.
  // With nullptr there is one column `data`, JSON.
  CsvRows(const SchemaCatalogue& catalogue, const TableSchema* columns_of, bool show_pii)
      : catalogue_(catalogue), columns_of_(columns_of), show_pii_(show_pii) {}
  std::string header() const;
  std::string row(const Record& record) const;  // Throws CorruptLog as json_line().

 private:
  const SchemaCatalogue& catalogue_;
  const TableSchema* columns_of_;
  bool show_pii_;
};

}  // namespace guildhall
