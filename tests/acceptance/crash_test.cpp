// The process dies by SIGKILL under load, at named places and at any moment, again and again in one folder
// (I1, I2, I4, RP-5, I9).
#include <gtest/gtest.h>

#include <csignal>
#include <random>

#include "tests/acceptance/booking_load.h"

namespace guildhall {
namespace {

constexpr std::size_t clients = 8;
constexpr int ci_cycles = 10, thorough_cycles = 200;
constexpr std::size_t max_replies_before_kill = 150;
constexpr std::size_t keys_sent_again = 40;  // Of all cycles, after each.

struct Place {
  const char* name;
  std::uint64_t latest;  // The server dies between the first and so manieth arrival.
};
// Places of a commit are met all the time, those of the anchor and of the recovery at the start only.
constexpr Place commit_places[] = {
    {"log_before_write", 60}, {"log_after_write", 60}, {"log_after_sync", 60}, {"log_after_outcome", 60}};
constexpr Place start_places[] = {
    {"anchor_before_write", 3}, {"recovery_rewritten", 1}, {"anchor_after_write", 3}, {"anchor_after_sync", 3}};

TEST(Crash, i1_i2_i4_what_was_answered_is_there_once_and_nothing_else) {
  const int cycles = thorough() ? thorough_cycles : ci_cycles;
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);

  Server server;
  server.start();
  SeatSupply seats(server, 4, 60);
  server.kill();

  std::vector<Booking> history;
  std::size_t unknown = 0;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    const bool named = cycle % 2 == 0;
    const auto turn = static_cast<std::size_t>(cycle / 2);
    // Four of five named places are a commit's.
    const Place& place = turn % 5 == 4 ? start_places[(turn / 5 + seed) % std::size(start_places)] : commit_places[turn % 5];
    const std::string crash_at = std::string(place.name) + ":" + std::to_string(1 + random() % place.latest);
    SCOPED_TRACE("cycle " + std::to_string(cycle) + (named ? ", dies at " + crash_at : ", dies at any moment"));

    if (server.try_start(named ? std::vector<std::string>{"--crash-at", crash_at} : std::vector<std::string>{})) {
      BookingLoad load(server, seats, clients);
      const std::size_t enough = 1 + random() % max_replies_before_kill;
      // A place of the start that was not reached is left to the random kill.
      const bool dies_alone = named && turn % 5 != 4;
      ASSERT_TRUE(eventually([&] { return !server.running() || (!dies_alone && load.replies() >= enough); }));
      if (server.running()) server.kill();
      for (Booking& b : load.finish()) {
        if (!b.reply.answered()) ++unknown;
        history.push_back(std::move(b));
      }
    }
    ASSERT_EQ(server.exit_code(), -SIGKILL) << server.output();

    server.start();
    resolve(server, history);
    expect_exactly(server, history);
    HttpClient client = server.client();
    for (std::size_t i = 0; i < keys_sent_again && !history.empty(); ++i) {
      const Booking& b = history[random() % history.size()];
      EXPECT_EQ(send_again(client, b).identity(), b.reply.identity()) << b.key;
    }
    if (HasFailure()) return;
    if (cycle + 1 < cycles) server.kill();
  }
  EXPECT_GT(history.size(), static_cast<std::size_t>(cycles));
  RecordProperty("bookings", std::to_string(history.size()));
  RecordProperty("unknown_outcomes", std::to_string(unknown));

  // I9: the state that went through all of it is the state that the log alone gives.
  EXPECT_EQ(server.stop(), 0) << server.output();
  const ToolResult lived = server.run({"state", "hash"});
  ASSERT_EQ(lived.exit_code, 0) << lived.err;
  const ToolResult rebuilt = server.run({"state", "rebuild"});
  ASSERT_EQ(rebuilt.exit_code, 0) << rebuilt.err;
  EXPECT_EQ(server.run({"state", "hash"}).out, lived.out);
}

}  // namespace
}  // namespace guildhall
