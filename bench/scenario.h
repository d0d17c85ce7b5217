// The stage on which bookings are measured, set through the public API, and the requests that are sent on it.
//
// Each expert has one session of an hour with a price and one seat, and is available every day from 9 to 17: eight slots a day
// that don't overlap, for as many days as the platform plans ahead. Every booking request is a command of its own that really
// decides: another slot each, a learner at random, a key that was never used. With 2,000 experts there are some 940,000 seats,
// more than a run can sell.
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load_generator.h"
#include "bench/server.h"

namespace guildhall {

struct StageOptions {
  std::size_t experts = 2'000;
  std::size_t learners = 20'000;
  std::uint64_t seed = 1;
};

struct Stage {
  std::vector<std::string> learners;  // Account ids as text.
  std::vector<std::string> slots;     // In random order.
  std::uint64_t commands = 0;         // It took to set.
  double seconds = 0;
};

// Registers the accounts, offers the sessions and opens the windows. Throws std::runtime_error when a command is not accepted.
Stage set_stage(const Server& server, const StageOptions& options);
// Fills in the slots that were generated, as the log has them. Today's are left out: they begin while the benchmark runs.
void read_slots(const Installation& installation, const std::filesystem::path& data, const StageOptions& options, Stage& stage);

// Bookings on one copy of the stage. `sold` says how many of the slots were tried before, by this source or an earlier one.
class BookingSource : public RequestSource {
 public:
  // `refused_share` of the requests ask for a slot that was tried before.
  BookingSource(const Server& server, const Stage& stage, std::size_t& sold, double refused_share, std::uint64_t seed);
  bool next(std::string& out) override;
  void answered(int, std::string_view) override {}

 private:
  const Stage& stage_;
  std::size_t& sold_;
  std::bernoulli_distribution wants_refusal_;
  std::mt19937_64 random_;
  std::string template_;
  std::size_t key_at_ = 0;
  std::size_t slot_at_ = 0;
  std::size_t learner_at_ = 0;
  std::uint64_t sent_ = 0;
};

}  // namespace guildhall
