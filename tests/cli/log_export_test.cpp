// `guildhall log export` on a log whose every byte is known (tests/analytics/example_log.h).
#include <gtest/gtest.h>

#include <sstream>

#include "tests/analytics/example_log.h"
#include "tests/cli/binary.h"
#include "tests/infra/segment_folder.h"

namespace guildhall::test {
namespace {

class LogExport : public testing::Test {
 protected:
  LogExport() { write_example_log(data_.path(), "tutoring"); }

  CommandResult run(std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"log", "export", "--data", data_.path()});
    return run_guildhall(flags);
  }
  std::string exported(std::vector<std::string> flags) const {
    const CommandResult result = run(std::move(flags));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }

  Folder data_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The chain covers the schemas' digests, which a new schema changes.
std::string without_chain(std::string line) {
  const std::size_t at = line.find(R"(,"chain":")");
  return at == line.npos ? line : line.erase(at, std::string_view(R"(,"chain":"")").size() + 64);
}

TEST_F(LogExport, ndjson_is_a_line_a_record_with_personal_values_masked) {
  const auto lines = lines_of(exported({"--format", "ndjson"}));
  ASSERT_EQ(lines.size(), 8u);
  EXPECT_EQ(without_chain(lines[0]),
            R"({"shard":0,"sequence":1,"time":"2026-03-29T01:00:01Z",)"
            R"("stream":"account/11111111-1111-8000-8000-000000000007","version":1,)"
            R"("type":"account.v1.AccountRegistered","event_id":"11111111-1111-8000-8000-0000000003e9",)"
            R"("command_id":"11111111-1111-8000-8000-0000000001f5","command_type":"account.v1.RegisterAccount","actor":"user",)"
            R"("actor_id":"11111111-1111-8000-8000-000000000007","correlation_id":"11111111-1111-8000-8000-0000000001f4",)"
            R"("causation_id":"11111111-1111-8000-8000-0000000001f5","epoch":40,)"
            R"("data":{"account_id":"11111111-1111-8000-8000-000000000007","email":"[masked]","email_claim_id":null,)"
            R"("display_name":"[masked]","role":"expert","timezone":"Europe/Copenhagen","first_name":null,"last_name":null,)"
            R"("avatar_url":null,"username":null}})");
  EXPECT_TRUE(lines[1].ends_with(
      R"("title":"Logs, \"sourced\"","description":"=1+1\nline two","short_description":null,"duration_minutes":60,)"
      R"("price_cents":"9007199254740993","currency":"DKK","topic_tags":["a,b","c"],"level":"beginner","prerequisites":null,)"
      R"("materials_url":null,"max_participants":3}})"))
      << lines[1];
  EXPECT_TRUE(lines[3].contains(R"("command":"[masked]")")) << "the bytes of a command hold what its sender wrote";
  EXPECT_FALSE(exported({"--format", "ndjson"}).contains("ada@"));
  EXPECT_FALSE(exported({"--format", "csv"}).contains("Lovelace"));
  const std::string shown = exported({"--format", "ndjson", "--show-pii"});
  EXPECT_TRUE(shown.contains(R"("email":"ada@example.org")") && shown.contains(R"("command":"010203")")) << shown;
}

TEST_F(LogExport, ndjson_is_what_log_show_prints) {
  const CommandResult shown = run_guildhall({"log", "show", "--data", data_.path()});
  EXPECT_EQ(exported({"--format", "ndjson"}), shown.out);
}

TEST_F(LogExport, csv_has_the_data_as_one_column) {
  EXPECT_EQ(exported({"--format", "csv", "--shard", "1"}),
            "shard,sequence,time,stream,version,type,event_id,command_id,command_type,actor,actor_id,correlation_id,causation_id,"
            "data\r\n"
            "1,1,2026-03-29T01:00:01Z,booking/11111111-1111-8000-8000-000000000014,1,booking.v1.BookingConfirmed,"
            "11111111-1111-8000-8000-0000000007d1,11111111-1111-8000-8000-0000000001f5,account.v1.RegisterAccount,system,,"
            "11111111-1111-8000-8000-0000000001f4,11111111-1111-8000-8000-0000000001f5,"
            "\"{\"\"booking_id\"\":\"\"11111111-1111-8000-8000-000000000014\"\"}\"\r\n"
            "1,2,2026-03-29T01:00:02Z,booking/11111111-1111-8000-8000-000000000014,2,booking.v1.BookingCompleted,"
            "11111111-1111-8000-8000-0000000007d2,11111111-1111-8000-8000-0000000001f6,account.v1.RegisterAccount,system,,"
            "11111111-1111-8000-8000-0000000001f4,11111111-1111-8000-8000-0000000001f5,"
            "\"{\"\"booking_id\"\":\"\"11111111-1111-8000-8000-000000000014\"\"}\"\r\n");
}

TEST_F(LogExport, csv_of_one_type_has_a_column_a_field) {
  const std::string session = exported({"--format", "csv", "--type", "session.v1.SessionCreated"});
  EXPECT_EQ(session,
            "shard,sequence,time,stream,version,type,event_id,command_id,command_type,actor,actor_id,correlation_id,causation_id,"
            "data_session_id,data_expert_id,data_title,data_description,data_short_description,data_duration_minutes,"
            "data_price_cents,data_currency,data_topic_tags,data_level,data_prerequisites,data_materials_url,"
            "data_max_participants\r\n"
            "0,2,2026-03-29T01:00:02Z,session/11111111-1111-8000-8000-000000000008,1,session.v1.SessionCreated,"
            "11111111-1111-8000-8000-0000000003ea,11111111-1111-8000-8000-0000000001f6,account.v1.RegisterAccount,user,"
            "11111111-1111-8000-8000-000000000007,11111111-1111-8000-8000-0000000001f4,11111111-1111-8000-8000-0000000001f5,"
            "11111111-1111-8000-8000-000000000008,11111111-1111-8000-8000-000000000007,\"Logs, \"\"sourced\"\"\","
            "\"=1+1\nline two\",,60,9007199254740993,DKK,\"[\"\"a,b\"\",\"\"c\"\"]\",beginner,,,3\r\n");
  const std::string account = exported({"--format", "csv", "--type", "account.v1.AccountRegistered"});
  EXPECT_TRUE(account.ends_with(",11111111-1111-8000-8000-000000000007,[masked],,[masked],expert,Europe/Copenhagen,,,,\r\n"))
      << account;
  const std::string shown = exported({"--format", "csv", "--type", "account.v1.AccountRegistered", "--show-pii"});
  EXPECT_TRUE(shown.contains(",ada@example.org,,\"Ada \"\"the first\"\" Lovelace, née Byron\",expert,")) << shown;
}

TEST_F(LogExport, filters_choose) {
  EXPECT_EQ(lines_of(exported({"--format", "ndjson", "--events-only"})).size(), 6u);
  EXPECT_EQ(lines_of(exported({"--format", "ndjson", "--limit", "3"})).size(), 3u);
  EXPECT_EQ(lines_of(exported({"--format", "ndjson", "--from", "2"})).size(), 6u);
  EXPECT_EQ(lines_of(exported({"--format", "ndjson", "--from", "3"})).size(), 4u) << "shard 1 ends before";
  EXPECT_EQ(lines_of(exported({"--format", "ndjson", "--stream", "account/11111111-1111-8000-8000-000000000007"})).size(), 1u);
  EXPECT_EQ(run({"--format", "ndjson", "--type", "booking.v1.Confirmed"}).exit_code, 2);
  EXPECT_EQ(run({"--format", "ndjson", "--shard", "2"}).exit_code, 2);
  EXPECT_EQ(run({"--format", "arrow"}).exit_code, 2);
  EXPECT_EQ(run({}).exit_code, 2);
}

TEST_F(LogExport, a_file_appears_when_it_is_whole) {
  const auto file = data_.path() / "export.csv";
  EXPECT_EQ(exported({"--format", "csv", "--output", file}), "");
  EXPECT_EQ(slurp(file), exported({"--format", "csv"}));
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".unfinished"));
  EXPECT_NE(run({"--format", "csv", "--output", data_.path() / "missing" / "export.csv"}).exit_code, 0);
}

}  // namespace
}  // namespace guildhall::test
