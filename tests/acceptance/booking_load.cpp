#include "tests/acceptance/booking_load.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <stdexcept>

namespace guildhall {
namespace {

constexpr int seats_a_slot = 100;
constexpr std::string_view window_start = "06:00", window_end = "22:00";
const std::vector<int> every_day{0, 1, 2, 3, 4, 5, 6};

std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.insert(line);
  return out;
}

}  // namespace

SeatSupply::SeatSupply(const Server& server, std::size_t experts, std::size_t learners)
    : learners_(register_learners(server, learners)) {
  HttpClient client = server.client();
  std::vector<std::vector<std::string>> of_expert;
  for (std::size_t i = 0; i < experts; ++i) {
    const Account expert = register_expert(client, "Expert " + std::to_string(i));
    const std::string session = create_session(client, expert, 120, seats_a_slot);
    add_window(client, expert, {1, 2, 3, 4}, window_start, window_end);
    of_expert.push_back(free_slots(client, session));
    if (of_expert.back().empty()) throw std::runtime_error("an expert without slots");
  }
  // By turns, so that all shards work.
  for (std::size_t i = 0; i < of_expert.front().size(); ++i)
    for (const auto& slots : of_expert)
      if (i < slots.size()) slots_.push_back(slots[i]);
}

Booking SeatSupply::next() {
  const std::size_t n = taken_++;
  if (n >= slots_.size() * learners_.size()) throw std::runtime_error("all seats are taken");
  return {"key-" + std::to_string(n), slots_[n % slots_.size()], learners_[n / slots_.size()].id, {}};
}

BookingLoad::BookingLoad(const Server& server, SeatSupply& seats, std::size_t clients) {
  for (std::size_t i = 0; i < clients; ++i)
    threads_.emplace_back([&] {
      HttpClient client = server.client();
      while (!stopping_) {
        Booking booking = seats.next();
        Reply reply = send_again(client, booking);
        const bool told = reply.definite();
        if (told) booking.reply = std::move(reply);
        {
          const std::lock_guard lock(mutex_);
          tried_.push_back(std::move(booking));
        }
        if (!told) return;  // It is going down.
        ++replies_;
      }
    });
}

BookingLoad::~BookingLoad() { finish(); }

std::vector<Booking> BookingLoad::finish() {
  stopping_ = true;
  threads_.clear();
  return std::move(tried_);
}

Reply send_again(HttpClient& client, const Booking& booking) { return book(client, booking.slot, booking.learner, booking.key); }

void resolve(const Server& server, std::vector<Booking>& bookings) {
  HttpClient client = server.client();
  for (Booking& b : bookings) {
    if (b.reply.answered()) continue;
    ASSERT_TRUE(eventually([&] { return (b.reply = send_again(client, b)).definite(); })) << b.key << ": " << b.reply.body;
    const Reply again = send_again(client, b);
    EXPECT_EQ(again.identity(), b.reply.identity()) << b.key;
  }
}

void expect_exactly(const Server& server, const std::vector<Booking>& bookings) {
  std::set<std::string> accepted;
  for (const Booking& b : bookings) {
    EXPECT_EQ(b.reply.status, 201) << b.key << ": " << b.reply.body;
    EXPECT_TRUE(accepted.insert(b.reply.text("id")).second) << "two replies name booking " << b.reply.text("id");
  }

  const ToolResult verified = server.run({"log", "verify"});
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  std::set<std::string> logged;
  for (const auto& record : server.log_records({"--type", "booking.v1.BookingCreated"}))
    EXPECT_TRUE(logged.emplace(record.at("data").at("booking_id").as_string()).second)
        << "twice in the log: " << record.at("stream").as_string();
  EXPECT_EQ(logged, accepted);

  std::set<std::string> projected;
  EXPECT_TRUE(eventually([&] {
    return (projected = lines_of(server.sql("SELECT booking_id FROM tutoring_rm.bookings"))) == accepted;
  })) << projected.size()
      << " bookings in PostgreSQL, " << accepted.size() << " accepted";
  EXPECT_EQ(server.sql("SELECT sum(current_bookings) FROM tutoring_rm.slots"), std::to_string(accepted.size()));
}

}  // namespace guildhall
