// Many clients, few seats: BK-1, BK-2, TU-27, A-TU-3, A-TU-6 over HTTP against the real binary.
#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <map>
#include <thread>

#include "tests/acceptance/server.h"

namespace guildhall {
namespace {

constexpr std::size_t racers = 64;

struct Attempt {
  std::string slot;
  std::string learner;
};

// All attempts at once, each on a connection of its own that is open before. Outcome (status and code) to how many had it.
std::map<std::string, int> race(const Server& server, const std::vector<Attempt>& attempts) {
  std::vector<Reply> replies(attempts.size());
  std::latch open(static_cast<std::ptrdiff_t>(attempts.size()));
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < attempts.size(); ++i)
      threads.emplace_back([&, i] {
        HttpClient client = server.client();
        client.connect();
        open.arrive_and_wait();
        replies[i] = book(client, attempts[i].slot, attempts[i].learner);
      });
  }
  std::map<std::string, int> outcomes;
  for (const Reply& r : replies) ++outcomes[r.status == 201 ? "201" : std::to_string(r.status) + " " + r.code()];
  return outcomes;
}

using Outcomes = std::map<std::string, int>;

class Races : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server = new Server;
    server->start();
    learners = new std::vector<Account>(register_learners(*server, racers));
  }
  static void TearDownTestSuite() {
    const int exit_code = server->stop();
    EXPECT_EQ(exit_code, 0) << server->output();
    delete server;
    delete learners;
  }

  std::vector<Attempt> everyone_wants(const std::string& slot) {
    std::vector<Attempt> attempts;
    for (const Account& learner : *learners) attempts.push_back({slot, learner.id});
    return attempts;
  }
  // The read models' row of a slot, once they are where the log is.
  void expect_seats(const std::string& slot, const std::string& wanted) {
    const std::string query = "SELECT current_bookings, max_bookings, is_available FROM tutoring_rm.slots WHERE slot_id = '" +
                              slot + "'; SELECT count(*) FROM tutoring_rm.bookings WHERE slot_id = '" + slot + "'";
    std::string rows;
    EXPECT_TRUE(eventually([&] { return (rows = server->sql(query)) == wanted; })) << rows;
  }

  static Server* server;
  static std::vector<Account>* learners;
  HttpClient client{server->port(), server->service_key()};
  const Account expert = register_expert(client, "Ada");
};
Server* Races::server = nullptr;
std::vector<Account>* Races::learners = nullptr;

TEST_F(Races, bk_1_one_seat_has_one_winner) {
  const std::string session = create_session(client, expert, 60, 1);
  add_window(client, expert, {1}, "09:00", "12:00");
  const std::string slot = free_slots(client, session).front();
  EXPECT_EQ(race(*server, everyone_wants(slot)), (Outcomes{{"201", 1}, {"409 slot_full", 63}}));
  expect_seats(slot, "1|1|f\n1");
}

TEST_F(Races, tu_27_five_seats_have_five_winners) {
  const std::string session = create_session(client, expert, 60, 5);
  add_window(client, expert, {2}, "09:00", "12:00");
  const std::string slot = free_slots(client, session).front();
  EXPECT_EQ(race(*server, everyone_wants(slot)), (Outcomes{{"201", 5}, {"409 slot_full", 59}}));
  expect_seats(slot, "5|5|f\n5");
}

TEST_F(Races, bk_2_overlapping_slots_of_one_expert_have_one_winner) {
  const std::string one = create_session(client, expert, 60, 1);
  const std::string other = create_session(client, expert, 90, 1);
  add_window(client, expert, {3}, "09:00", "10:30");  // One slot of each session, both from 09:00.
  const std::string slots[] = {free_slots(client, one).front(), free_slots(client, other).front()};
  std::vector<Attempt> attempts;
  for (std::size_t i = 0; i < racers; ++i) attempts.push_back({slots[i % 2], (*learners)[i].id});
  const Outcomes outcomes = race(*server, attempts);
  EXPECT_EQ(outcomes, (Outcomes{{"201", 1}, {"409 slot_full", 31}, {"409 slot_overlaps", 32}}));
  EXPECT_TRUE(eventually([&] {
    return server->sql(
               "SELECT count(*), sum(current_bookings), bool_or(is_available) FROM tutoring_rm.slots WHERE slot_id IN ('" +
               slots[0] + "', '" + slots[1] + "')") == "2|1|f";
  }));
}

TEST_F(Races, bk_2_a_group_slot_hides_what_overlaps_it_and_keeps_its_other_seats) {
  const std::string group = create_session(client, expert, 60, 5);
  const std::string single = create_session(client, expert, 60, 1);
  add_window(client, expert, {4}, "09:00", "10:00");
  const std::string slot = free_slots(client, group).front();
  const std::string hidden = free_slots(client, single).front();
  ASSERT_EQ(book(client, slot, (*learners)[0].id).status, 201);
  EXPECT_EQ(book(client, hidden, (*learners)[1].id).code(), "slot_overlaps");
  EXPECT_EQ(race(*server, everyone_wants(slot)), (Outcomes{{"201", 4}, {"409 already_booked", 1}, {"409 slot_full", 59}}));
  expect_seats(slot, "5|5|f\n5");
  expect_seats(hidden, "0|1|f\n0");
}

TEST_F(Races, a_tu_6_one_learner_gets_one_seat_of_a_slot) {
  const std::string session = create_session(client, expert, 60, 5);
  add_window(client, expert, {5}, "09:00", "12:00");
  const std::string slot = free_slots(client, session).front();
  const std::vector<Attempt> attempts(racers, Attempt{slot, learners->front().id});
  EXPECT_EQ(race(*server, attempts), (Outcomes{{"201", 1}, {"409 already_booked", 63}}));
  expect_seats(slot, "1|5|t\n1");
}

}  // namespace
}  // namespace guildhall
