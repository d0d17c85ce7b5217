// The music marketplace's commerce over HTTP against the real binary: an exclusive licence is sold once, an order goes its way, a
// wallet pays in another group than the one that sells, and each party reads its own side (PA-61, PA-72, PA-97, A-PA-23,
// A-PA-53).
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <latch>
#include <map>
#include <thread>

#include "tests/acceptance/server.h"
#include "tests/postgres_cluster.h"

namespace guildhall {
namespace {

constexpr std::size_t racers = 64;

class Commerce : public testing::Test {
 protected:
  Commerce() {
    server_.start();
    seller_ = member("Sid");
    buyer_ = member("Bea");
  }

  static void expect(const Reply& reply, int status) { EXPECT_EQ(reply.status, status) << reply.body; }
  HttpClient as(const std::string& account) { return server_.client_of(account); }

  std::string member(const std::string& name) {
    HttpClient service = server_.client();
    const Reply made = service.post(
        "/v1/accounts",
        fmt::format(R"({{"email":"{}@example.com","display_name":"{}","role":"member","timezone":"UTC"}})", name, name),
        {{"Idempotency-Key", name}});
    expect(made, 201);
    return made.text("id");
  }
  std::string product(std::string_view license, int cents) {
    HttpClient sells = as(seller_);
    const Reply made =
        sells.post("/v1/products",
                   fmt::format(R"({{"seller_id":"{}","title":"Drum loops","description":"Dusty breaks at 90 bpm",)"
                               R"("price_cents":{},"license_type":"{}","file_urls":["https://files.example/loops"],)"
                               R"("tags":["drums","lofi"]}})",
                               seller_, cents, license),
                   {{"Idempotency-Key", std::string("product-") + std::string(license)}});
    expect(made, 201);
    expect(sells.post("/v1/products/" + made.text("id") + "/publish"), 200);
    return made.text("id");
  }
  static std::string purchase(const std::string& product, const std::string& buyer, std::string_view method) {
    return fmt::format(R"({{"product_id":"{}","buyer_id":"{}","payment_method":"{}"}})", product, buyer, method);
  }

  TemporaryFolder folder_;
  Server server_{ServerPlace{.data = folder_.path() / "data",
                             .database = PostgresCluster::shared().new_database(),
                             .settings = {"GUILDHALL_PLATFORM=producers_avenue"}}};
  std::string seller_, buyer_;
};

TEST_F(Commerce, sixty_four_buy_one_exclusive_license_and_one_is_charged) {  // PA-61, A-PA-53, M-7
  const std::string id = product("exclusive", 5000);
  std::vector<std::string> buyers;
  for (std::size_t i = 0; i < racers; ++i) buyers.push_back(member(fmt::format("racer{}", i)));
  std::vector<Reply> replies(racers);
  // A token is made by a process of its own: no connection waits for it, or the server would close it as idle.
  std::latch have_tokens(racers), open(racers);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < racers; ++i)
      threads.emplace_back([&, i] {
        const std::string token = server_.token(buyers[i]);
        have_tokens.arrive_and_wait();
        HttpClient client(server_.port(), token);
        client.connect();
        open.arrive_and_wait();
        replies[i] = client.post("/v1/purchases", purchase(id, buyers[i], "card"), {{"Idempotency-Key", "buy"}});
      });
  }
  std::map<std::string, std::size_t> outcomes;
  std::string won;
  for (const Reply& r : replies) {
    if (r.status == 201) won = r.text("id");
    ++outcomes[r.status == 201 ? "201" : r.code() == "license_sold" || r.code() == "license_reserved" ? "taken" : r.body];
  }
  EXPECT_EQ(outcomes, (std::map<std::string, std::size_t>{{"201", 1}, {"taken", racers - 1}}));
  HttpClient service = server_.client();
  EXPECT_TRUE(eventually([&] { return service.get("/v1/purchases/" + won).text("status") == "completed"; }));
  EXPECT_TRUE(eventually([&] {
    return service.get("/rest/v1/transactions?select=status,amount_total&transaction_type=eq.product_purchase").body ==
           R"([{"status":"completed","amount_total":5000}])";
  })) << service.get("/rest/v1/transactions").body;
  EXPECT_EQ(service.get("/v1/products/" + id).text("status"), "paused");
  EXPECT_EQ(server_.stop(), 0);
}

TEST_F(Commerce, thirty_two_want_one_username_and_one_has_it) {  // PA-4, A-PA-45, M-1
  constexpr std::size_t callers = 32;
  std::vector<std::string> members;
  for (std::size_t i = 0; i < callers; ++i) members.push_back(member(fmt::format("racer{}", i)));
  std::vector<Reply> replies(callers);
  std::latch open(callers);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < callers; ++i)
      threads.emplace_back([&, i] {
        HttpClient client = server_.client();
        client.connect();
        open.arrive_and_wait();
        replies[i] = client.send("PUT", "/v1/member-profiles/" + members[i] + "/username",
                                 i % 2 == 0 ? R"({"username":"Dusty.Breaks"})" : R"({"username":"dusty.breaks"})");
      });
  }
  std::map<std::string, std::size_t> outcomes;
  std::string won, lost;
  for (std::size_t i = 0; i < callers; ++i) {
    const bool has_it = replies[i].status == 200;
    (has_it ? won : lost) = members[i];
    ++outcomes[has_it ? "200" : std::to_string(replies[i].status) + " " + replies[i].code()];
  }
  EXPECT_EQ(outcomes, (std::map<std::string, std::size_t>{{"200", 1}, {"409 username_taken", callers - 1}}));
  // Who goes back to the generated name lets it go, and the next one may have it.
  HttpClient service = server_.client();
  const std::string path = "/v1/member-profiles/";
  const auto profile_of = [&](const std::string& id) {
    return service.get("/rest/v1/user_profiles?select=username&user_id=eq." + id).body;
  };
  EXPECT_TRUE(eventually([&] { return profile_of(won).find("usty.") != std::string::npos; }));
  const std::string generated = boost::json::parse(profile_of(lost)).as_array().at(0).at("username").as_string().c_str();
  EXPECT_EQ(service.send("PUT", path + won + "/username", fmt::format(R"({{"username":"{}"}})", generated)).code(),
            "username_reserved");
  expect(service.send("PUT", path + won + "/username", R"({"username":"somebody_else"})"), 200);
  EXPECT_TRUE(eventually(
      [&] { return service.send("PUT", path + lost + "/username", R"({"username":"DUSTY.BREAKS"})").status == 200; }));
  EXPECT_EQ(server_.stop(), 0);
}

TEST_F(Commerce, a_reserved_license_says_when_to_come_again) {  // M-7, A-PA-53, I3
  const std::string id = product("exclusive", 5003);  // …03: the sandbox's authorization takes longer than the reservation.
  HttpClient buys = as(buyer_);
  expect(buys.post("/v1/purchases", purchase(id, buyer_, "card"), {{"Idempotency-Key", "first"}}), 201);
  const std::string other = member("Ola");
  const auto refused = [&] {
    HttpClient comes_late = as(other);
    return comes_late.post("/v1/purchases", purchase(id, other, "card"), {{"Idempotency-Key", "second"}});
  };
  const Reply told = refused();
  expect(told, 409);
  EXPECT_EQ(told.code(), "license_reserved");
  const int seconds = std::stoi("0" + told.header("retry-after"));
  EXPECT_GT(seconds, 800);
  EXPECT_LE(seconds, 900);
  EXPECT_TRUE(told.body.contains(fmt::format("Reserved for another {} seconds at most.", seconds))) << told.body;
  server_.kill();
  server_.start();
  const Reply again = refused();
  EXPECT_EQ(again.identity(), told.identity());
  EXPECT_EQ(again.header("retry-after"), told.header("retry-after"));
  EXPECT_EQ(server_.stop(), 0);
}

TEST_F(Commerce, an_order_goes_its_way_and_each_party_reads_its_side) {  // PA-72, PA-74, PA-91, A-PA-14, A-PA-23
  HttpClient sells = as(seller_), buys = as(buyer_);
  const Reply service =
      sells.post("/v1/services", fmt::format(R"({{"seller_id":"{}","title":"Mixing","service_type":"mixing"}})", seller_),
                 {{"Idempotency-Key", "s"}});
  expect(service, 201);
  const std::string at = "/v1/services/" + service.text("id");
  expect(sells.post(at + "/packages", R"({"name":"small","price_cents":5000,"delivery_days":3,"revisions":1})"), 200);
  expect(sells.post(at + "/publish"), 200);
  const Reply placed =
      buys.post("/v1/orders",
                fmt::format(R"({{"service_id":"{}","buyer_id":"{}","package_name":"small","payment_method":"card"}})",
                            service.text("id"), buyer_),
                {{"Idempotency-Key", "o"}});
  expect(placed, 201);
  const std::string order = "/v1/orders/" + placed.text("id");
  EXPECT_TRUE(eventually([&] { return buys.get(order).json().at("is_paid").as_bool(); }));
  EXPECT_EQ(buys.post(order + "/start").code(), "seller_only");
  expect(sells.post(order + "/start"), 200);
  expect(sells.post(order + "/deliver", R"({"delivery_notes":"done"})"), 200);
  expect(buys.post(order + "/request-revision", R"({"reason":"louder"})"), 200);
  expect(sells.post(order + "/deliver", R"({"delivery_notes":"louder"})"), 200);
  EXPECT_EQ(buys.post(order + "/request-revision", R"({"reason":"still louder"})").code(), "revisions_used_up");
  expect(buys.post(order + "/approve"), 200);
  EXPECT_EQ(as(member("Eve")).get(order).status, 404);

  const std::string mine =
      "/rest/v1/transactions?select=status,amount_total,amount_fees,amount_commission,amount_seller,seller_tier";
  EXPECT_TRUE(eventually([&] {
    return sells.get(mine).body == R"([{"status":"completed","amount_total":5000,"amount_fees":175,"amount_commission":2000,)"
                                   R"("amount_seller":2825,"seller_tier":"basic"}])";
  })) << sells.get(mine).body;
  EXPECT_EQ(buys.get(mine).body, R"([{"status":"completed","amount_total":5000,"amount_fees":null,"amount_commission":null,)"
                                 R"("amount_seller":null,"seller_tier":null}])");
  EXPECT_EQ(sells.get("/rest/v1/wallets?select=balance_pending,balance_available,total_earned").body,
            R"([{"balance_pending":2825,"balance_available":0,"total_earned":2825}])");
  EXPECT_TRUE(eventually([&] {
    return buys.get("/rest/v1/orders?select=status,revisions_used,buyer_approved").body ==
           R"([{"status":"completed","revisions_used":1,"buyer_approved":true}])";
  })) << buys.get("/rest/v1/orders").body;
  EXPECT_EQ(server_.stop(), 0);
}

TEST_F(Commerce, a_wallet_pays_across_groups_and_over_a_power_failure) {  // PA-97, A-PA-15
  const std::string id = product("personal", 4000);
  HttpClient service = server_.client(), buys = as(buyer_);
  expect(service.post("/v1/wallets/" + buyer_ + "/adjustments", R"({"amount_cents":4500,"reason":"a gift"})",
                      {{"Idempotency-Key", "g"}}),
         200);
  const Reply bought = buys.post("/v1/purchases", purchase(id, buyer_, "wallet_balance"), {{"Idempotency-Key", "buy"}});
  expect(bought, 201);
  server_.kill();
  server_.start();
  HttpClient again = as(buyer_), sells = as(seller_);
  EXPECT_TRUE(eventually([&] { return again.get("/v1/purchases/" + bought.text("id")).text("status") == "completed"; }));
  EXPECT_EQ(again.get("/v1/wallets/" + buyer_).json().at("balance_available").to_number<int>(), 500);
  EXPECT_EQ(sells.get("/v1/wallets/" + seller_).json().at("balance_pending").to_number<int>(), 2400);
  // Who owns it reads its files; others do not (PA-58). What is sold can be found by its words (PA-63).
  EXPECT_TRUE(eventually([&] {
    return again.get("/rest/v1/products?select=title,file_urls&search=wfts(english).breaks&tags=cs.{drums}").body ==
           R"([{"title":"Drum loops","file_urls":["https://files.example/loops"]}])";
  })) << again.get("/rest/v1/products").body;
  EXPECT_EQ(as(member("Eve")).get("/rest/v1/products?select=title,file_urls&search=wfts(english).breaks").body,
            R"([{"title":"Drum loops","file_urls":null}])");
  EXPECT_EQ(server_.stop(), 0);
}

}  // namespace
}  // namespace guildhall
