// The sandbox processor's memory: what moved money stands in its file before it is answered, once.
#include "infra/sandbox_processor.h"

#include <gtest/gtest.h>

#include "events/event_log.h"
#include "tests/infra/segment_folder.h"

namespace guildhall::test {
namespace {

using ::payment::v1::Call;
using Kind = ProcessorAnswer::Kind;

constexpr Micros noon = 1'774'785'600'000'000;  // 2026-03-29T12:00:00Z

struct StoppedClock final : Clock {
  Micros now() const override { return noon; }
};

class Sandbox : public testing::Test {
 protected:
  void keep(SandboxProcessor& processor, std::vector<JournalFault> faults = {}) const {
    processor.keep(std::make_unique<SandboxJournal>(file(), std::move(faults)), clock_,
                   [](std::string_view name, std::int64_t amount) { return name == "stripe" ? amount / 100 : 0; });
  }
  static Uuid id(std::uint64_t n) { return Uuid(0x1111111111118000ULL, 0x8000000000000000ULL | n); }
  static Effect effect(Call call, std::uint64_t n, std::int64_t amount = 10'000) {
    return {.id = id(100 + n),
            .call = call,
            .payment_id = id(n),
            .amount_cents = amount,
            .currency = "USD",
            .processor = "stripe",
            .external_id = ""};
  }
  std::filesystem::path file() const { return folder_.path() / "sandbox-processor.csv"; }
  // The journal's rows, without what is the same in all of them.
  std::string rows() const {
    std::string out;
    for (const ExportRow& row : parse_export(slurp(file())))
      out +=
          row.type + " " + row.external_id + " " + std::to_string(row.amount_cents) + " " + std::to_string(row.fee_cents) + "\n";
    return out;
  }
  static std::string named(const char* type, std::uint64_t n, const char* rest) {
    return std::string(type) + " sandbox_" + to_string(id(n)) + " " + rest + "\n";
  }

  Folder folder_;
  StoppedClock clock_;
};

TEST_F(Sandbox, notes_what_moves_money) {
  SandboxProcessor processor;
  keep(processor);
  for (const Call call : {Call::authorize, Call::capture, Call::cancel, Call::refund, Call::payout, Call::bill}) {
    const PerformedCall done = processor.perform(effect(call, static_cast<std::uint64_t>(call)));
    EXPECT_EQ(done.answer.kind, Kind::succeeded);
    EXPECT_TRUE(done.answer.external_id.starts_with("sandbox_"));
  }
  EXPECT_EQ(rows(), named("charge", 2, "10000 100") + named("refund", 104, "10000 0") + named("payout", 5, "10000 0") +
                        named("charge", 106, "10000 100"))
      << "a refund and a bill have ids of their own: there may be several";
  EXPECT_TRUE(slurp(file()).contains(",USD,2026-03-29T12:00:00Z\r\n"));
}

TEST_F(Sandbox, notes_nothing_that_was_refused) {
  SandboxProcessor processor;
  keep(processor);
  EXPECT_EQ(processor.perform(effect(Call::capture, 1, 104)).answer.kind, Kind::declined);
  EXPECT_EQ(processor.perform(effect(Call::refund, 2, 105)).answer.kind, Kind::declined);
  EXPECT_EQ(processor.perform(effect(Call::bill, 4, 101)).answer.kind, Kind::declined);
  processor.tell(Call::payout, PerformedCall{});
  EXPECT_EQ(processor.perform(effect(Call::payout, 3)).answer.kind, Kind::unknown);
  EXPECT_EQ(rows(), "");
}

TEST_F(Sandbox, moves_money_once_however_often_and_by_whomever_it_is_asked) {
  const Effect capture = effect(Call::capture, 1, 102);  // Its answer comes twice.
  SandboxProcessor first, second;
  keep(first);
  keep(second);  // Of another process, with the same file.
  EXPECT_EQ(first.perform(capture).times, 2);
  first.perform(capture);
  EXPECT_EQ(first.calls(capture.id), 2u);
  EXPECT_EQ(second.perform(capture).answer.external_id, first.perform(capture).answer.external_id);
  second.perform(effect(Call::capture, 2));
  first.perform(effect(Call::capture, 3));
  const std::string all = named("charge", 1, "102 1") + named("charge", 2, "10000 100") + named("charge", 3, "10000 100");
  EXPECT_EQ(rows(), all);

  SandboxProcessor restarted;
  keep(restarted);
  restarted.perform(capture);
  restarted.perform(effect(Call::capture, 3));
  EXPECT_EQ(rows(), all);
}

TEST_F(Sandbox, goes_on_behind_a_row_that_a_crash_tore) {
  {
    SandboxProcessor processor;
    keep(processor);
    processor.perform(effect(Call::capture, 1));
    processor.perform(effect(Call::capture, 2));
  }
  const std::string whole = slurp(file());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    spill(file(), whole.substr(0, length));
    SandboxProcessor processor;
    keep(processor);
    processor.perform(effect(Call::capture, 1));
    processor.perform(effect(Call::capture, 2));
    ASSERT_EQ(slurp(file()), whole) << length;
  }
}

TEST_F(Sandbox, does_not_answer_what_it_could_not_note) {
  SandboxProcessor processor;
  keep(processor);
  processor.perform(effect(Call::capture, 1));
  const std::string good = slurp(file());
  spill(file(), good + "something else\n");
  EXPECT_EQ(processor.perform(effect(Call::capture, 2)).answer.kind, Kind::unknown);
  spill(file(), good);
  EXPECT_EQ(processor.perform(effect(Call::capture, 2)).answer.kind, Kind::succeeded) << "it is asked again";
  EXPECT_EQ(rows(), named("charge", 1, "10000 100") + named("charge", 2, "10000 100"));
}

TEST_F(Sandbox, refuses_a_file_that_is_none_of_its_own) {
  spill(file(), "name,price\r\n");
  EXPECT_THROW(SandboxJournal{file()}, ExportError);
  EXPECT_THROW(SandboxJournal{folder_.path() / "missing" / "file"}, LogError);
  EXPECT_EQ(slurp(file()), "name,price\r\n");
}

TEST_F(Sandbox, lies_about_the_rows_that_it_is_told_to) {
  using enum JournalFault::Kind;
  SandboxProcessor processor;
  keep(processor, {{drop, 2}, {duplicate, 3}, {alter, 4}});
  for (std::uint64_t n = 1; n <= 5; ++n) processor.perform(effect(Call::payout, n));
  EXPECT_EQ(rows(), named("payout", 1, "10000 0") + named("payout", 3, "10000 0") + named("payout", 3, "10000 0") +
                        named("payout", 4, "10001 0") + named("payout", 5, "10000 0"));
}

TEST(JournalFaults, are_read_from_text) {
  using enum JournalFault::Kind;
  EXPECT_EQ(parse_journal_fault("drop:1"), (JournalFault{drop, 1}));
  EXPECT_EQ(parse_journal_fault("duplicate:20"), (JournalFault{duplicate, 20}));
  EXPECT_EQ(parse_journal_fault("alter:3"), (JournalFault{alter, 3}));
  for (const char* text : {"", "drop", "drop:", "drop:0", "drop:-1", "drop:1x", "lose:1", ":1"})
    EXPECT_FALSE(parse_journal_fault(text)) << text;
}

}  // namespace
}  // namespace guildhall::test
