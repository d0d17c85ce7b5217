// CSV as RFC 4180 has it, and the processors' exports in it.
#include "infra/csv.h"

#include <gtest/gtest.h>

#include "infra/processor_export.h"

namespace guildhall {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows rows_of(std::string_view text) {
  Rows out;
  CsvReader reader(text);
  for (std::vector<std::string> cells; reader.next(cells);) out.push_back(cells);
  return out;
}

TEST(Csv, what_is_written_comes_back) {
  const Rows rows{{"plain", "", "a,b"}, {"\"quoted\"", "two\r\nlines", " spaces "}, {"=1+1", "é", "\n"}};
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (const std::string& cell : row) append_csv_cell(line, cell);
    text += line.append(csv_line_end);
  }
  EXPECT_EQ(rows_of(text), rows);
}

TEST(Csv, line_ends_and_empty_cells) {
  EXPECT_EQ(rows_of(""), Rows{});
  EXPECT_EQ(rows_of("a,b\r\nc,d"), (Rows{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(rows_of("a\nb\n"), (Rows{{"a"}, {"b"}}));
  EXPECT_EQ(rows_of(",\n,"), (Rows{{"", ""}, {"", ""}}));
  EXPECT_EQ(rows_of("a\n\n"), (Rows{{"a"}, {""}})) << "an empty line is a record of one empty cell";
  EXPECT_EQ(rows_of("\"\",\"\"\"\""), (Rows{{"", "\""}}));
}

TEST(Csv, what_is_no_csv_is_refused_with_its_line) {
  const struct {
    const char* text;
    const char* says;
  } cases[] = {{"a\nb\"c\n", "line 2: a quote inside a cell that does not begin with one"},
               {"\"a\"b\n", "line 1: text behind a closing quote"},
               {"a\n\"b\n\nc", "line 2: a quoted cell that does not end"},
               {"a\rb\n", "line 1: a carriage return without a line feed"},
               {"\"a\n\n\"\n\"b\"c", "line 4: text behind a closing quote"}};
  for (const auto& c : cases) {
    try {
      rows_of(c.text);
      ADD_FAILURE() << c.text;
    } catch (const CsvError& e) {
      EXPECT_STREQ(e.what(), c.says);
    }
  }
}

// ---- exports

constexpr std::string_view header = "processor,external_id,type,amount_cents,fee_cents,currency,time\r\n";
constexpr Micros noon = 1'774'785'600'000'000;  // 2026-03-29T12:00:00Z

ExportRow a_charge() {
  return {.processor = "stripe",
          .external_id = "ch_1",
          .type = "charge",
          .amount_cents = 10'000,
          .fee_cents = 320,
          .currency = "USD",
          .time = noon};
}

TEST(ProcessorExport, what_is_written_comes_back) {
  EXPECT_EQ(export_header(), header);
  EXPECT_EQ(export_line(a_charge()), "stripe,ch_1,charge,10000,320,USD,2026-03-29T12:00:00Z\r\n");
  ExportRow other = a_charge();
  other.external_id = "a,\"b\"";
  other.time += 1;
  EXPECT_EQ(parse_export(export_header() + export_line(a_charge()) + export_line(other)), (std::vector{a_charge(), other}));
  EXPECT_TRUE(parse_export(export_header()).empty());
}

TEST(ProcessorExport, takes_other_offsets_and_bare_line_feeds) {
  const std::string text =
      "processor,external_id,type,amount_cents,fee_cents,currency,time\n"
      "stripe,ch_1,charge,10000,320,USD,2026-03-29T14:00:00+02:00\n";
  EXPECT_EQ(parse_export(text), std::vector{a_charge()});
}

TEST(ProcessorExport, nothing_is_guessed) {
  const struct {
    const char* line;
    const char* says;
  } cases[] = {
      {"stripe,ch_1,charge,10000,320,USD", "line 3: has 6 columns, not 7"},
      {"stripe,ch_1,charge,10000,320,USD,2026-03-29T12:00:00Z,x", "line 3: has 8 columns, not 7"},
      {"Stripe,ch_1,charge,10000,320,USD,2026-03-29T12:00:00Z", "line 3: processor must be a name in lower case"},
      {"stripe,,charge,10000,320,USD,2026-03-29T12:00:00Z", "line 3: external_id must be 1 to 200 visible ASCII characters"},
      {"stripe,ch 1,charge,10000,320,USD,2026-03-29T12:00:00Z", "line 3: external_id must be 1 to 200 visible ASCII characters"},
      {"stripe,ch_\x1b,charge,10000,320,USD,2026-03-29T12:00:00Z",
       "line 3: external_id must be 1 to 200 visible ASCII characters"},
      {"stripe,ch_1,,10000,320,USD,2026-03-29T12:00:00Z", "line 3: type must be a name in lower case"},
      {"stripe,ch_1,charge,100.00,320,USD,2026-03-29T12:00:00Z",
       "line 3: amount_cents must be a whole number of cents, without a sign"},
      {"stripe,ch_1,charge,-1,320,USD,2026-03-29T12:00:00Z",
       "line 3: amount_cents must be a whole number of cents, without a sign"},
      {"stripe,ch_1,charge,10000,,USD,2026-03-29T12:00:00Z", "line 3: fee_cents must be a whole number of cents, without a sign"},
      {"stripe,ch_1,charge,10000,99999999999999999999,USD,2026-03-29T12:00:00Z",
       "line 3: fee_cents must be a whole number of cents, without a sign"},
      {"stripe,ch_1,charge,10000,320,usd,2026-03-29T12:00:00Z", "line 3: currency must be three capital letters"},
      {"stripe,ch_1,charge,10000,320,USD,2026-03-29", "line 3: time must be an instant such as 2026-03-29T01:00:00Z"},
      {"", "line 3: has 1 columns, not 7"},
      {"\"stripe", "line 3: a quoted cell that does not end"},
  };
  const auto says = [](const std::string& text) {
    try {
      parse_export(text);
    } catch (const ExportError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  for (const auto& c : cases) EXPECT_EQ(says(std::string(header) + export_line(a_charge()) + c.line + "\r\n"), c.says) << c.line;
  EXPECT_EQ(says(""), "line 1: the names of the columns are missing");
  EXPECT_EQ(says("processor,external_id,type,fee_cents,amount_cents,currency,time\n"),
            "line 1: column 4 must be named amount_cents");
  EXPECT_EQ(says("\xEF\xBB\xBF" + std::string(header)), "line 1: column 1 must be named processor");
}

}  // namespace
}  // namespace guildhall
