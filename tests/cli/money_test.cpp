// `guildhall money` on logs that the test writes: the books at any cut, and their comparison with a processor's export
// (ledger.md; A-PA-10, PA-87, PA-99).
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <map>

#include "events/codec.h"
#include "events/schemas.h"
#include "gateway/consistency_token.h"
#include "infra/secrets.h"
#include "infra/wire_time.h"
#include "tests/cli/binary.h"
#include "tests/infra/segment_folder.h"
#include "tests/kafka_cluster.h"
#include "tests/projectors/money_events.h"

namespace guildhall::test {
namespace {

constexpr std::uint32_t shards = 2;
constexpr Micros first_time = 1'774'746'000'000'000;  // 2026-03-29T01:00:00Z
const Uuid sale = money_id(1), refund = money_id(2), payout = money_id(3), wallet_sale = money_id(4);
const Uuid money_log_id{0x0123456789ab8cdeULL, 0x8011223344556677ULL};

class Money : public testing::Test {
 protected:
  Money() {
    std::filesystem::create_directories(folder());
    SegmentLog::create(folder(), {"producers_avenue", money_log_id, shards, 1}, small_options());
  }
  std::filesystem::path folder() const { return data_.path() / "platforms" / "producers_avenue"; }

  // A batch of the shard; each record is a minute after the one before, whatever its shard.
  void write(ShardNo shard, const std::vector<AnyEvent>& events) {
    const auto log = SegmentLog::open(folder(), "producers_avenue", shards, small_options());
    const auto writer = log->open(shard);
    BatchBuilder builder;
    for (const AnyEvent& event : events) {
      RecordHeader h;
      h.platform = log->identity().platform;
      h.log_id = log->identity().log_id;
      h.shard = shard;
      h.epoch = writer->epoch();
      h.stream = {stream_kind(type_name(event).substr(0, type_name(event).find('.'))).value(), stream_of(event)};
      h.stream_version = ++versions_[to_string(h.stream)];
      h.event_id = money_id(1000 + written_);
      h.type = type_name(event);
      h.schema_digest = schema_of_type(h.type)->digest;
      h.time = first_time + static_cast<Micros>(written_++) * minute_us;
      h.actor_kind = ActorKind::system;
      h.command_type = "payment.v1.RecordCaptured";
      builder.add(h, encode(event));
    }
    std::promise<AppendOutcome> outcome;
    writer->submit(builder.close(writer->end().sequence, writer->end().head), [&](AppendOutcome o) { outcome.set_value(o); });
    ASSERT_EQ(outcome.get_future().get(), AppendOutcome::committed);
  }
  // A sale by card of which half goes back, the rest paid out by PayPal; a wallet's payment that has not arrived.
  void write_marketplace() {
    write(0, {captured(sale, "ch_1"), refund_requested(sale, refund), refunded(sale, refund, "re_1"), released(sale, 2'680)});
    write(0, {payout_requested(payout, 2'680), payout_completed(payout, "po_1", 2'680)});
    write(1, {adjusted(buyer, 900), spent(wallet_sale, 500)});
  }

  CommandResult run(const char* command, std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"money", command, "--data", data_.path(), "--platform", "producers_avenue"});
    return run_guildhall(flags);
  }
  CommandResult trial_balance(std::vector<std::string> flags = {}) const { return run("trial-balance", std::move(flags)); }
  std::string balances(std::vector<std::string> flags = {}) const {
    flags.insert(flags.end(), {"--format", "csv"});
    const CommandResult result = trial_balance(std::move(flags));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }

  static std::string line(std::string_view cells) { return std::string(cells) + "\r\n"; }
  static std::string export_of(const std::string& rows) {
    return line("processor,external_id,type,amount_cents,fee_cents,currency,time") + rows;
  }
  static std::string whole_export() {
    return export_of(line("stripe,ch_1,charge,10000,320,USD,2026-03-29T01:00:00Z") +
                     line("stripe,re_1,refund,5000,0,USD,2026-03-29T01:02:07Z") +
                     line("paypal,po_1,payout,2680,0,USD,2026-03-29T01:05:00Z"));
  }
  CommandResult reconcile(const std::string& exported, std::vector<std::string> flags = {}) const {
    const auto file = data_.path() / "export.csv";
    spill(file, exported);
    flags.insert(flags.end(), {"--processor-file", file});
    return run("reconcile", std::move(flags));
  }

  Folder data_;

 private:
  static Uuid stream_of(const AnyEvent& event) {
    return visit(
        []<class E>(const E& e) {
          if constexpr (requires { is_nil(e.payout_id); }) return e.payout_id;
          else if constexpr (requires { is_nil(e.wallet_id); } && is_one_of<E, wallet::Event>) return e.wallet_id;
          else if constexpr (requires { is_nil(e.payment_id); }) return e.payment_id;
          else return Uuid{};
        },
        event);
  }

  std::uint64_t written_ = 0;
  std::map<std::string, std::uint64_t> versions_;
};

const std::string csv_header = "account,processor,owner,currency,debits,credits,balance\r\n";

TEST_F(Money, trial_balance_is_a_row_an_account) {
  write_marketplace();
  EXPECT_EQ(balances(), csv_header +
                            "pending,,,USD,5680,5680,0\r\n"
                            "available,,,USD,3180,3580,400\r\n"
                            "payout,,,USD,2680,2680,0\r\n"
                            "transit,,,USD,0,500,500\r\n"
                            "refunds,stripe,,USD,5000,5000,0\r\n"
                            "processor,stripe,,USD,10000,5000,-5000\r\n"
                            "processor,paypal,,USD,0,2680,2680\r\n"
                            "fees,stripe,,USD,0,320,320\r\n"
                            "commission,,,USD,2000,4000,2000\r\n"
                            "adjustments,,,USD,900,0,-900\r\n");
  EXPECT_TRUE(balances({"--owners"})
                  .ends_with("available,,11111111-1111-8000-8000-0000000000b1,USD,,,400\r\n"
                             "transit,,11111111-1111-8000-8000-000000000004,USD,,,500\r\n"));
  const CommandResult text = trial_balance();
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_TRUE(text.out.contains("processor:stripe     USD                   10000               5000              -5000\n"))
      << text.out;
  EXPECT_TRUE(text.out.contains("total                USD                   29440              29440                  0\n"))
      << text.out;
  EXPECT_TRUE(text.out.ends_with("In cents. Payments in transit: 1, in suspense: 0.\n")) << text.out;
}

TEST_F(Money, trial_balance_as_json_says_the_cut) {
  write_marketplace();
  const CommandResult result = trial_balance({"--format", "json", "--owners"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with(
      R"({"platform":"producers_avenue","log_id":"01234567-89ab-8cde-8011-223344556677",)"
      R"("shards":[{"shard":0,"sequence":6},{"shard":1,"sequence":2}],"accounts":[)"
      R"({"account":"pending","processor":null,"currency":"USD","debits":5680,"credits":5680,"balance":0},)"))
      << result.out;
  EXPECT_TRUE(result.out.contains(R"({"account":"fees","processor":"stripe","currency":"USD","debits":0,)")) << result.out;
  EXPECT_TRUE(result.out.ends_with(
      R"("owners":[{"account":"available","processor":null,"currency":"USD",)"
      R"("owner":"11111111-1111-8000-8000-0000000000b1","balance":400},)"
      R"({"account":"transit","processor":null,"currency":"USD","owner":"11111111-1111-8000-8000-000000000004","balance":500}],)"
      R"("totals":[{"currency":"USD","debits":29440,"credits":29440,"balance":0}],"broken_rules":[],"events":8,)"
      R"("in_transit":1,"in_suspense":0,"ok":true})"
      "\n"))
      << result.out;
}

TEST_F(Money, trial_balance_at_a_time_counts_what_was_until_then) {
  write_marketplace();
  const auto at = [&](std::int64_t minutes) {
    std::string text;
    append_instant(text, first_time + minutes * minute_us);
    return balances({"--at", text});
  };
  EXPECT_EQ(at(-1), csv_header);
  EXPECT_EQ(at(0), csv_header +
                       "pending,,,USD,0,5680,5680\r\n"
                       "processor,stripe,,USD,10000,0,-10000\r\n"
                       "fees,stripe,,USD,0,320,320\r\n"
                       "commission,,,USD,0,4000,4000\r\n");
  EXPECT_TRUE(at(6).ends_with("adjustments,,,USD,900,0,-900\r\n"));
  EXPECT_FALSE(at(6).contains("transit"));
  EXPECT_EQ(at(7), balances());
}

TEST_F(Money, trial_balance_at_a_token_counts_what_it_names) {
  write_marketplace();
  std::filesystem::create_directories(data_.path() / "secrets");
  const std::string key = secret_file(data_.path() / "secrets" / "token_key", 32);
  const auto token = [&](std::vector<ShardPosition> positions, const Uuid& of) {
    return ConsistencyTokens(key, of).encode({.log_id = of, .generation = 1, .positions = std::move(positions)});
  };
  EXPECT_EQ(balances({"--at", token({{0, 6}, {1, 2}}, money_log_id)}), balances());
  EXPECT_EQ(balances({"--at", token({{1, 1}}, money_log_id)}),
            csv_header + "available,,,USD,0,900,900\r\nadjustments,,,USD,900,0,-900\r\n");
  EXPECT_EQ(trial_balance({"--at", token({{1, 3}}, money_log_id)}).exit_code, 1) << "beyond the log's end";
  EXPECT_EQ(trial_balance({"--at", token({{2, 1}}, money_log_id)}).exit_code, 1);
  EXPECT_EQ(trial_balance({"--at", token({{1, 1}}, money_id(9))}).exit_code, 2) << "of another log";
  EXPECT_EQ(trial_balance({"--at", "yesterday"}).exit_code, 2);
  std::filesystem::remove_all(data_.path() / "secrets");
  EXPECT_EQ(trial_balance({"--at", token({{1, 1}}, money_log_id)}).exit_code, 2);
  EXPECT_FALSE(std::filesystem::exists(data_.path() / "secrets")) << "a reader makes no secrets";
}

TEST_F(Money, trial_balance_ends_with_5_where_a_rule_is_broken) {
  write(0, {released(sale, 7), refunded(sale, refund, "re_1")});
  const CommandResult result = trial_balance({"--format", "json"});
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_TRUE(result.err.contains("pending of 11111111-1111-8000-8000-0000000000a1 is -7 cents USD: it must not be below 0\n"))
      << result.err;
  EXPECT_TRUE(result.err.contains("refunds:stripe is -5000 cents USD: it must not be below 0\n")) << result.err;
  EXPECT_TRUE(result.out.contains(
      R"("broken_rules":[{"account":"pending","processor":null,"currency":"USD","owner":"11111111-1111-8000-8000-0000000000a1",)"
      R"("balance":-7,"rule":"must not be below 0"},{"account":"refunds","processor":"stripe","currency":"USD","owner":null,)"))
      << result.out;
  EXPECT_TRUE(result.out.ends_with("\"ok\":false}\n")) << result.out;
}

TEST_F(Money, trial_balance_ends_with_5_for_a_transfer_that_the_ledger_has_not) {
  payment::HoldReleased e = released(sale, 1);
  e.transfers = moved({Ledger::pending, seller}, {Ledger::available, seller}, -3);
  write(1, {adjusted(seller, 5), e});
  const CommandResult result = trial_balance();
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_TRUE(result.err.contains("shard 1, sequence 2, payment.v1.HoldReleased: a transfer of -3 cents")) << result.err;
  EXPECT_EQ(result.out, "");
}

TEST_F(Money, a_log_on_kafka_has_the_same_books) {
  write_marketplace();
  const std::string brokers = KafkaCluster::shared().bootstrap();
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count() % 1'000'000'000;
  const std::vector<std::string> there{"--brokers", brokers, "--kafka-topics",
                                       "money" + std::to_string(::getpid()) + "x" + std::to_string(now)};
  const auto with = [](std::vector<std::string> flags, const std::vector<std::string>& more) {
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  };
  const CommandResult copied = run_guildhall(with(
      {"log", "copy", "--from", "embedded:" + data_.path().string(), "--to", "kafka", "--platform", "producers_avenue"}, there));
  ASSERT_EQ(copied.exit_code, 0) << copied.err;
  const std::string here = balances({"--owners"});
  EXPECT_EQ(balances(with({"--owners", "--log", "kafka"}, there)), here);
  EXPECT_EQ(reconcile(whole_export(), with({"--log", "kafka"}, there)).out, "3 agree, 0 do not\n");
}

TEST_F(Money, an_empty_log_has_empty_books) {
  EXPECT_EQ(balances(), csv_header);
  EXPECT_EQ(reconcile(export_of("")).exit_code, 0);
  EXPECT_EQ(trial_balance({"--format", "xml"}).exit_code, 2);
  EXPECT_EQ(run_guildhall({"money", "trial-balance", "--data", data_.path() / "nowhere"}).exit_code, 1);
  EXPECT_EQ(run_guildhall({"money"}).exit_code, 2);
}

// ---- reconcile

TEST_F(Money, reconcile_finds_nothing_where_both_agree) {
  write_marketplace();
  const CommandResult result = reconcile(whole_export());
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_EQ(result.out, "3 agree, 0 do not\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(reconcile(whole_export(), {"--format", "json"}).out, "{\"mismatches\":[],\"agreeing\":3,\"ok\":true}\n");
}

TEST_F(Money, reconcile_tells_what_only_one_side_has_and_what_differs) {
  write_marketplace();
  const std::string exported = export_of(line("stripe,ch_1,charge,10000,321,USD,2026-03-29T01:00:00Z") +
                                         line("stripe,ch_9,charge,700,50,USD,2026-03-29T01:03:00Z") +
                                         line("paypal,po_1,payout,2680,0,USD,2026-03-29T01:05:00Z"));
  const CommandResult text = reconcile(exported);
  EXPECT_EQ(text.exit_code, 5);
  EXPECT_EQ(text.out,
            "differs          stripe   charge         ch_1\n"
            "    log:  10000 USD, fee 320, 2026-03-29T01:00:00Z\n"
            "    file: 10000 USD, fee 321, 2026-03-29T01:00:00Z\n"
            "missing_in_file  stripe   refund         re_1\n"
            "    log:  5000 USD, fee 0, 2026-03-29T01:02:00Z\n"
            "missing_in_log   stripe   charge         ch_9\n"
            "    file: 700 USD, fee 50, 2026-03-29T01:03:00Z\n"
            "1 agree, 3 do not\n");
  EXPECT_TRUE(text.err.contains("export.csv disagrees with the log: 3 mismatches")) << text.err;
  const CommandResult json = reconcile(exported, {"--format", "json"});
  EXPECT_EQ(json.exit_code, 5);
  EXPECT_TRUE(json.out.starts_with(
      R"({"mismatches":[{"kind":"differs","processor":"stripe","type":"charge","external_id":"ch_1","fields":["fee_cents"],)"
      R"("log":{"amount_cents":10000,"fee_cents":320,"currency":"USD","time":"2026-03-29T01:00:00Z"},)"
      R"("file":{"amount_cents":10000,"fee_cents":321,"currency":"USD","time":"2026-03-29T01:00:00Z"}},)"
      R"({"kind":"missing_in_file","processor":"stripe","type":"refund","external_id":"re_1","fields":[],)"))
      << json.out;
  EXPECT_TRUE(json.out.ends_with("\"agreeing\":1,\"ok\":false}\n")) << json.out;
}

TEST_F(Money, reconcile_of_one_processor_or_period_leaves_the_rest) {
  write_marketplace();
  const std::string paypal = export_of(line("paypal,po_1,payout,2680,0,USD,2026-03-29T01:05:00Z"));
  EXPECT_EQ(reconcile(paypal).exit_code, 5);
  EXPECT_EQ(reconcile(paypal, {"--processor", "paypal"}).out, "1 agree, 0 do not\n");
  EXPECT_EQ(reconcile(whole_export(), {"--processor", "stripe"}).out, "2 agree, 0 do not\n");
  EXPECT_EQ(reconcile(paypal, {"--since", "2026-03-29T01:05:00Z"}).out, "1 agree, 0 do not\n");
  EXPECT_EQ(reconcile(paypal, {"--until", "2026-03-29T01:00:00Z"}).exit_code, 0) << "nothing was moved before";

  // The processor dates the payout two hours later.
  const std::string later = export_of(line("paypal,po_1,payout,2680,0,USD,2026-03-29T03:05:00Z"));
  const std::vector<std::string> morning{"--since", "2026-03-29T01:04:00Z", "--until", "2026-03-29T02:00:00Z"};
  EXPECT_EQ(reconcile(later, morning).out, "1 agree, 0 do not\n");
  std::vector<std::string> strict = morning;
  strict.insert(strict.end(), {"--tolerance-hours", "1"});
  EXPECT_EQ(reconcile(later, strict).exit_code, 5);
}

TEST_F(Money, reconcile_refuses_what_it_can_not_read) {
  write_marketplace();
  const CommandResult bad = reconcile(whole_export() + "stripe,ch_2,charge,1.00,0,USD,2026-03-29T01:00:00Z\r\n");
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_TRUE(bad.err.contains("export.csv: line 5: amount_cents must be a whole number of cents")) << bad.err;
  EXPECT_EQ(reconcile("").exit_code, 2);
  EXPECT_EQ(run("reconcile", {"--processor-file", data_.path() / "missing.csv"}).exit_code, 2);
  EXPECT_EQ(run("reconcile", {}).exit_code, 2);
  EXPECT_EQ(reconcile(whole_export(), {"--processor", "sandbox"}).exit_code, 2);
  EXPECT_EQ(reconcile(whole_export(), {"--since", "monday"}).exit_code, 2);
  EXPECT_EQ(reconcile(whole_export(), {"--since", "2026-03-29T01:05:00Z", "--until", "2026-03-29T01:05:00Z"}).exit_code, 2);
}

}  // namespace
}  // namespace guildhall::test
