// One key, one effect, one answer (I3): random commands from many clients, sent again at random while the first is under way and
// later, and keys used for another request.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include "tests/acceptance/server.h"

namespace guildhall {
namespace {

constexpr std::size_t clients = 32;
constexpr std::size_t ci_commands = 2'000, thorough_commands = 10'000;
constexpr std::size_t experts = 4, learner_count = 40;
constexpr int seats_a_slot = 5;     // Few, so that refusals are among the answers.
constexpr std::size_t recent = 48;  // Duplicates of the newest commands meet the original under way.
constexpr int max_attempts = 200;   // Of one request that is told to come back later.
constexpr std::string_view client_types[] = {"booking.v1.CreateBooking", "booking.v1.ConfirmBooking", "booking.v1.CancelBooking",
                                             "booking.v1.DeclineBooking", "booking.v1.SetExpertNotes"};

struct Command {
  std::string key;
  std::string method;
  std::string target;
  std::string body;
  std::string other_body;  // The same request group, another request.
  bool books = false;
};

// What was sent and what came back, shared by the clients.
class History {
 public:
  explicit History(std::size_t limit) : limit_(limit) {}

  // False when there were enough.
  bool add(Command command, std::size_t& index) {
    const std::lock_guard lock(mutex_);
    if (commands_.size() == limit_) return false;
    index = commands_.size();
    commands_.push_back(std::make_unique<Command>(std::move(command)));
    answers_.emplace_back();
    return true;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return commands_.size();
  }
  const Command& command(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return *commands_[index];
  }
  std::optional<Reply> answer(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return answers_[index];
  }
  // The first reply is the answer, every other must be the same.
  void record(std::size_t index, const Reply& reply) {
    const std::lock_guard lock(mutex_);
    ++replies_;
    auto& answer = answers_[index];
    if (!answer) {
      if (commands_[index]->books && reply.status == 201) bookings_.push_back(reply.text("id"));
      answer = reply;
    } else if (answer->identity() != reply.identity()) {
      ADD_FAILURE() << commands_[index]->key << " " << commands_[index]->target << " was answered\n"
                    << answer->identity() << "\nand\n"
                    << reply.identity();
    }
  }
  std::optional<std::string> any_booking(std::mt19937_64& random) const {
    const std::lock_guard lock(mutex_);
    if (bookings_.empty()) return std::nullopt;
    return bookings_[random() % bookings_.size()];
  }
  const std::vector<std::string>& bookings() const { return bookings_; }
  std::size_t replies() const { return replies_; }

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Command>> commands_;
  std::vector<std::optional<Reply>> answers_;
  std::vector<std::string> bookings_;
  std::size_t replies_ = 0;
};

Reply send(HttpClient& client, const Command& command, const std::string& body) {
  Reply reply;
  for (int attempt = 0; attempt < max_attempts && !reply.definite(); ++attempt)
    reply = client.send(command.method, command.target, body, {{"Idempotency-Key", command.key}});
  EXPECT_TRUE(reply.definite()) << command.key << ": " << reply.status << " " << reply.body;
  return reply;
}

TEST(Idempotency, i3_a_key_has_one_effect_and_one_answer) {
  const std::size_t count = thorough() ? thorough_commands : ci_commands;
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RecordProperty("seed", std::to_string(seed));

  Server server;
  server.start();
  const std::vector<Account> learners = register_learners(server, learner_count);
  std::vector<std::string> slots;
  HttpClient client = server.client();
  for (std::size_t i = 0; i < experts; ++i) {
    const Account expert = register_expert(client, "Expert " + std::to_string(i));
    const std::string session = create_session(client, expert, 60, seats_a_slot);
    add_window(client, expert, {1, 3}, "09:00", "17:00");
    for (auto& slot : free_slots(client, session)) slots.push_back(std::move(slot));
  }

  History history(count);
  const auto fresh_command = [&](std::size_t who, std::size_t nth, std::mt19937_64& random) {
    Command c;
    c.key = "client-" + std::to_string(who) + "-" + std::to_string(nth);
    c.method = "POST";
    const auto kind = random() % 10;
    const auto booking = history.any_booking(random);
    if (kind < 6 || !booking) {
      const std::string& slot = slots[random() % slots.size()];
      const std::string& learner = learners[random() % learners.size()].id;
      c.target = "/v1/bookings";
      c.body = booking_body(slot, learner);
      c.other_body = booking_body(slot, learner, "Other notes");
      c.books = true;
      return c;
    }
    c.target = "/v1/bookings/" + *booking;
    if (kind == 6) {
      c.target += "/confirm";
    } else if (kind == 9) {
      c.method = "PUT";
      c.target += "/expert-notes";
      c.body = R"({"notes":"Came prepared"})";
      c.other_body = R"({"notes":"Came late"})";
    } else {
      c.target += kind == 7 ? "/cancel" : "/decline";
      c.body = R"({"reason":"Fell ill"})";
      c.other_body = R"({"reason":"Changed plans"})";
    }
    return c;
  };
  std::atomic<std::size_t> reuses{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t who = 0; who < clients; ++who)
      threads.emplace_back([&, who] {
        std::mt19937_64 random(seed + who);
        HttpClient mine = server.client();
        for (std::size_t nth = 0;; ++nth) {
          std::size_t index = 0;
          if (!history.add(fresh_command(who, nth, random), index)) return;
          // Known to the others from here on: they may be first.
          history.record(index, send(mine, history.command(index), history.command(index).body));
          const std::size_t known = history.size();
          if (random() % 2 == 0) {
            const std::size_t again = known - 1 - random() % std::min(known, recent);
            history.record(again, send(mine, history.command(again), history.command(again).body));
          }
          if (random() % 4 == 0) {
            const std::size_t again = random() % known;
            history.record(again, send(mine, history.command(again), history.command(again).body));
          }
          const std::size_t reused = random() % known;
          const Command& victim = history.command(reused);
          if (random() % 8 == 0 && !victim.other_body.empty() && history.answer(reused)) {
            const Reply refused = send(mine, victim, victim.other_body);
            EXPECT_EQ(refused.status, 422) << refused.body;
            EXPECT_EQ(refused.code(), "idempotency_key_reused");
            ++reuses;
          }
        }
      });
  }
  ASSERT_EQ(history.size(), count);
  EXPECT_GT(history.replies(), count);
  EXPECT_GT(reuses, 0U);
  // Later: after everything else.
  for (std::size_t i = 0; i < count; i += 7) history.record(i, send(client, history.command(i), history.command(i).body));

  // A command's decision is in the log once, whatever it was and however often it came.
  std::map<std::string, std::size_t> decisions;
  for (const auto& record : server.log_records({"--type", "decision.v1.DecisionMade"})) {
    const std::string_view type = record.at("command_type").as_string();
    const bool from_client =
        record.at("actor").as_string() == "service" && std::ranges::find(client_types, type) != std::end(client_types);
    if (from_client) ++decisions[std::string(record.at("command_id").as_string())];
  }
  EXPECT_EQ(decisions.size(), count);
  for (const auto& [id, times] : decisions) EXPECT_EQ(times, 1U) << "command " << id;

  const std::set<std::string> accepted(history.bookings().begin(), history.bookings().end());
  EXPECT_EQ(accepted.size(), history.bookings().size()) << "two keys were answered with one booking";
  std::multiset<std::string> logged;
  for (const auto& record : server.log_records({"--type", "booking.v1.BookingCreated"}))
    logged.emplace(record.at("data").at("booking_id").as_string());
  EXPECT_TRUE(std::ranges::equal(logged, accepted))
      << logged.size() << " bookings in the log, " << accepted.size() << " accepted keys";

  // TU-27 at the end: the counters of the read models are the live bookings.
  EXPECT_TRUE(eventually([&] {
    return server.sql(
               "SELECT count(*) FROM tutoring_rm.slots s WHERE current_bookings NOT BETWEEN 0 AND max_bookings OR "
               "current_bookings <> (SELECT count(*) FROM tutoring_rm.bookings b WHERE b.slot_id = s.slot_id AND "
               "b.status IN ('pending', 'confirmed'))") == "0" &&
           server.sql("SELECT count(*) FROM tutoring_rm.bookings") == std::to_string(accepted.size());
  }));
  EXPECT_EQ(server.run({"log", "verify"}).exit_code, 0);
  EXPECT_EQ(server.stop(), 0) << server.output();
}

}  // namespace
}  // namespace guildhall
