// SIGTERM, a second server on the same folder, and going on: nothing accepted is lost, and ids stay.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/acceptance/booking_load.h"

namespace guildhall {
namespace {

constexpr std::size_t clients = 8;
constexpr std::size_t replies_before_stop = 100;

TEST(Stop, sigterm_under_load_loses_nothing_and_the_folder_goes_on) {
  Server server;
  server.start();
  SeatSupply seats(server, 4, 10);
  BookingLoad load(server, seats, clients);
  ASSERT_TRUE(eventually([&] { return load.replies() >= replies_before_stop; }));

  // Who asks for readiness is sent elsewhere before connections are refused, or finds nobody.
  server.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] {
    HttpClient balancer(server.port(), "");
    const Reply ready = balancer.get("/readyz");
    return !ready.answered() || ready.status == 503;
  }));
  EXPECT_EQ(server.wait_for_end(), 0) << server.output();
  EXPECT_FALSE(std::filesystem::exists(server.data() / "dev.json"));
  std::vector<Booking> bookings = load.finish();
  ASSERT_GE(bookings.size(), replies_before_stop);
  const ToolResult identity = server.run({"log", "verify", "--json"});
  EXPECT_EQ(identity.exit_code, 0) << identity.err;

  server.start();
  HttpClient client = server.client();
  for (const Booking& b : bookings) {
    if (!b.reply.answered()) continue;
    EXPECT_EQ(send_again(client, b).identity(), b.reply.identity()) << b.key;
  }
  resolve(server, bookings);
  expect_exactly(server, bookings);
  const auto log_id = [](const ToolResult& verified) { return boost::json::parse(verified.out).at("log_id"); };
  EXPECT_EQ(log_id(server.run({"log", "verify", "--json"})), log_id(identity));
  EXPECT_EQ(server.stop(), 0) << server.output();
}

TEST(Stop, a_second_server_on_the_folder_refuses_and_disturbs_nothing) {
  Server first;
  first.start();
  HttpClient client = first.client();
  const Account account = register_learner(client, "Ben");
  {
    Server second(first.data());
    EXPECT_FALSE(second.try_start());
    EXPECT_GT(second.exit_code(), 0);
    EXPECT_TRUE(second.output().contains(on_kafka() ? "another process uses the folder" : "another process writes the log"))
        << second.output();
  }
  const ToolResult hash = first.run({"state", "hash"});
  EXPECT_GT(hash.exit_code, 0);
  EXPECT_TRUE(hash.err.contains(on_kafka() ? "another process uses the folder" : "another process writes the log")) << hash.err;
  EXPECT_EQ(client.get("/rest/v1/user_profiles?select=id&id=eq." + account.id).status, 200);
  EXPECT_EQ(register_learner(client, "Cleo").id.size(), account.id.size());
  EXPECT_TRUE(std::filesystem::exists(first.data() / "dev.json")) << "the description of the server that runs";
  EXPECT_EQ(first.stop(), 0) << first.output();
}

}  // namespace
}  // namespace guildhall
