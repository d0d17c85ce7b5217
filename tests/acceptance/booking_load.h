// Clients that book seats with Idempotency-Keys and remember what they were told: the history that is compared with the log and
// the read models after a crash or a stop (I1–I4).
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/acceptance/server.h"

namespace guildhall {

struct Booking {
  std::string key;
  std::string slot;
  std::string learner;
  Reply reply;  // The first definite one.
};

// Seats enough for every attempt of a test, handed out one by one: nobody is refused for want of one.
class SeatSupply {
 public:
  // Registers and offers; the server runs.
  SeatSupply(const Server& server, std::size_t experts, std::size_t learners);
  // The next (slot, learner) that was never handed out. Any thread. Throws when all are.
  Booking next();

 private:
  std::vector<std::string> slots_;
  std::vector<Account> learners_;
  std::atomic<std::size_t> taken_{0};
};

// Books until stopped, or until the server answers no more.
class BookingLoad {
 public:
  BookingLoad(const Server& server, SeatSupply& seats, std::size_t clients);
  ~BookingLoad();  // Stops.

  std::size_t replies() const { return replies_; }
  // Ends the clients, and returns every booking that was tried; `reply` is empty where the outcome is unknown.
  std::vector<Booking> finish();

 private:
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> replies_{0};
  std::mutex mutex_;
  std::vector<Booking> tried_;
  std::vector<std::jthread> threads_;
};

// Sends the booking's command once more.
Reply send_again(HttpClient& client, const Booking& booking);
// Gives every booking without a definite reply one, by retrying with the same key.
void resolve(const Server& server, std::vector<Booking>& bookings);
// Every accepted booking is in the log once and in the read models once, and nothing else is; `log verify` finds nothing.
void expect_exactly(const Server& server, const std::vector<Booking>& bookings);

}  // namespace guildhall
