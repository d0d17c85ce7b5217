// Orders of the music marketplace, from their placing to their approval: place, pay, start, deliver, approve, each a command over
// HTTP that waits for the one before. The payment is recorded from outside, as the platform's own integration with a processor
// would do it, so that no answer of a sandbox is waited for.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "bench/load_generator.h"
#include "bench/server.h"

namespace guildhall {

struct OrderStage {
  std::vector<std::string> services;  // Of a seller each, with the packages "paid" (5,000 cents) and "free".
  std::vector<std::string> buyers;
};
OrderStage set_order_stage(const Server& server, std::size_t sellers, std::size_t buyers);

// A policy file of producers_avenue without a processor.
std::filesystem::path write_shop_policy(const std::filesystem::path& source, const std::filesystem::path& folder);

class OrderFlows : public RequestSource {
 public:
  // Free orders are the same flow without its payment: what is left of the difference is the ledger's.
  OrderFlows(const Server& server, const OrderStage& stage, bool paid, std::uint64_t seed);
  bool next(std::string& out) override;
  // Throws when a step is refused.
  void answered(int status, std::string_view body) override;

  std::uint64_t completed() const { return completed_; }  // Flows, of all the time.

 private:
  const Server& server_;
  const OrderStage& stage_;
  bool paid_;
  std::mt19937_64 random_;
  std::string run_;  // Keys of two runs differ.
  std::uint64_t sent_ = 0;
  std::vector<std::pair<std::string, std::string>> ready_;  // Path and body of what follows an answer.
  std::uint64_t completed_ = 0;
};

}  // namespace guildhall
