// Payouts of the music marketplace over HTTP against the real binary: one balance is paid out once, whoever asks how often, and
// over a kill -9 (PA-15, PA-95, PA-96, PA-99, A-PA-16); and the commands that check the books beside it.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <latch>
#include <map>
#include <thread>

#include "tests/acceptance/server.h"
#include "tests/postgres_cluster.h"

namespace guildhall {
namespace {

constexpr std::size_t racers = 100;
constexpr std::string_view ana = "6f1d2f7e-0d0c-4a3e-9a51-2b1f60c4a001";

class Payouts : public testing::Test {
 protected:
  Payouts() {
    server_.start();
    HttpClient client = server_.client();
    expect(
        client.post("/v1/accounts", fmt::format(R"({{"id":"{}","email":"ana@example.com","display_name":"Ana","role":"member",)"
                                                R"("timezone":"UTC"}})",
                                                ana)),
        201);
    expect(client.send("PUT", wallet("/payout-method"), R"({"stripe_account_id":"acct_1"})"), 200);
    expect(client.post(wallet("/payout-method-status"), R"({"stripe_account_status":"enabled"})"), 200);
    expect(client.post(wallet("/adjustments"), R"({"amount_cents":5000,"reason":"a gift"})", {{"Idempotency-Key", "gift"}}), 200);
  }
  static std::string wallet(std::string_view rest = {}) { return fmt::format("/v1/wallets/{}{}", ana, rest); }
  static std::string request(int cents = 5000) {
    return fmt::format(R"({{"wallet_id":"{}","amount_cents":{},"payout_method":"stripe"}})", ana, cents);
  }
  static void expect(const Reply& reply, int status) { EXPECT_EQ(reply.status, status) << reply.body; }
  std::string balances() {
    HttpClient client = server_.client_of(ana);
    const auto w = client.get(wallet()).json();
    const auto number = [&](const char* name) { return w.at(name).to_number<std::int64_t>(); };
    return fmt::format("{} {} {}", number("balance_available"), number("balance_in_payout"), number("total_withdrawn"));
  }

  TemporaryFolder folder_;
  Server server_{ServerPlace{.data = folder_.path() / "data",
                             .database = PostgresCluster::shared().new_database(),
                             .settings = {"GUILDHALL_PLATFORM=producers_avenue"}}};
};

TEST_F(Payouts, a_hundred_ask_for_one_balance_and_one_gets_it) {  // A-PA-16
  std::vector<Reply> replies(racers);
  std::latch open(racers);
  const std::string token = server_.token(ana);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < racers; ++i)
      threads.emplace_back([&, i] {
        HttpClient client(server_.port(), token);
        client.connect();
        open.arrive_and_wait();
        replies[i] = client.post("/v1/payouts", request(), {{"Idempotency-Key", fmt::format("try-{}", i)}});
      });
  }
  std::map<std::string, int> outcomes;
  for (const Reply& r : replies) ++outcomes[r.status == 201 ? "201" : std::to_string(r.status) + " " + r.code()];
  EXPECT_EQ(outcomes, (std::map<std::string, int>{{"201", 1}, {"409 insufficient_balance", static_cast<int>(racers) - 1}}));
  EXPECT_EQ(balances(), "0 5000 0");
  const auto won = std::ranges::find(replies, 201, &Reply::status);
  ASSERT_NE(won, replies.end());

  // Its answer is the same again, also after a power failure; then it is paid, once.
  server_.kill();
  server_.start();
  HttpClient mine = server_.client_of(ana);
  const auto key = fmt::format("try-{}", won - replies.begin());
  EXPECT_EQ(mine.post("/v1/payouts", request(), {{"Idempotency-Key", key}}).identity(), won->identity());
  const std::string payout = "/v1/payouts/" + won->text("id");
  EXPECT_EQ(mine.post(payout + "/approve").code(), "admin_only");
  HttpClient service = server_.client();
  expect(service.post(payout + "/approve"), 200);
  EXPECT_TRUE(eventually([&] { return mine.get(payout).text("status") == "completed"; }));
  EXPECT_EQ(balances(), "0 0 5000");
  EXPECT_TRUE(eventually([&] {
    return mine.get("/rest/v1/wallets?select=balance_available,total_withdrawn,payouts_enabled").body ==
           R"([{"balance_available":0,"total_withdrawn":5000,"payouts_enabled":true}])";
  }));
  EXPECT_EQ(server_.stop(), 0);
}

TEST_F(Payouts, the_books_balance_and_agree_with_the_processors) {  // PA-99; ledger.md: reconcile
  EXPECT_EQ(server_.stop(), 0);
  server_.start({"--sandbox-faults", "alter:2"});
  const auto pay_out = [&](const char* key) {
    HttpClient service = server_.client();
    expect(service.post(wallet("/adjustments"), R"({"amount_cents":5000,"reason":"a gift"})", {{"Idempotency-Key", key}}), 200);
    const std::string payout = "/v1/payouts/" + service.post("/v1/payouts", request(), {{"Idempotency-Key", key}}).text("id");
    expect(service.post(payout + "/approve"), 200);
    EXPECT_TRUE(eventually([&] { return service.get(payout).text("status") == "completed"; }));
  };
  const std::string exported = folder_.path() / "data" / "platforms" / "producers_avenue" / "sandbox-processor.csv";
  const auto reconciled = [&] { return server_.run({"money", "reconcile", "--processor-file", exported}); };
  pay_out("first");
  EXPECT_EQ(reconciled().out, "1 agree, 0 do not\n");
  // After a power failure it is the same file, and what stands there is not made again.
  server_.kill();
  server_.start({"--sandbox-faults", "alter:1"});
  EXPECT_EQ(reconciled().exit_code, 0);
  pay_out("second");
  const ToolResult told = reconciled();
  EXPECT_EQ(told.exit_code, 5);
  EXPECT_TRUE(told.out.starts_with("differs          stripe   payout         sandbox_")) << told.out;
  EXPECT_TRUE(told.out.ends_with("1 agree, 1 do not\n")) << told.out;
  const ToolResult books = server_.run({"money", "trial-balance", "--format", "csv"});
  EXPECT_EQ(books.exit_code, 0) << books.err;
  EXPECT_TRUE(books.out.contains("processor,stripe,,USD,0,10000,10000\r\n")) << books.out;
}

TEST_F(Payouts, refusals_and_what_the_platform_has_not) {  // PA-96, PA-99; deny by default
  HttpClient mine = server_.client_of(ana);
  const auto ask = [&](int cents) {
    return mine.post("/v1/payouts", request(cents), {{"Idempotency-Key", std::to_string(cents)}});
  };
  EXPECT_EQ(ask(4999).code(), "payout_below_minimum");
  EXPECT_EQ(ask(5001).code(), "insufficient_balance");
  EXPECT_EQ(mine.post("/v1/payouts", request()).code(), "idempotency_key_missing");
  HttpClient other = server_.client_of("6f1d2f7e-0d0c-4a3e-9a51-2b1f60c4a002");
  EXPECT_EQ(other.get(wallet()).status, 404);
  HttpClient service = server_.client();
  expect(service.post("/v1/bookings", "{}"), 404);
  expect(service.post("/v1/expert-profiles", "{}"), 404);
  expect(service.post("/rest/v1/rpc/create_booking_with_payment", "{}"), 404);
  EXPECT_EQ(service.get("/v1/openapi.json").body.find("/v1/bookings"), std::string::npos);
}

}  // namespace
}  // namespace guildhall
