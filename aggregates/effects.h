// Calls to the world: the payment-processor seam, and what an answer becomes. Implementations: the sandbox
// (infra/sandbox_processor).
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

struct ProcessorAnswer {
  enum class Kind : std::uint8_t {
    succeeded,
    declined,  // Definitely not done.
    unknown,   // No answer: ask again with the same id.
  };
  Kind kind = Kind::unknown;
  std::string external_id;  // The processor's name for the payment.
  std::string reason;       // Of a decline.
};

// How an answer reaches us: usually once, at once; processors also send it late, or more than once.
struct PerformedCall {
  ProcessorAnswer answer;
  int times = 1;
  Micros delay_us = 0;
};

// Performs a call at most once per `effect.id`: asked again, it gives the first answer. May block. One thread at a time.
class PaymentProcessor {
 public:
  virtual ~PaymentProcessor() = default;
  virtual PerformedCall perform(const Effect& effect) = 0;
};

// The command that records a definite answer in the payment's group. CHECKs that the answer is not unknown.
AnyCommand outcome_command(const Effect& effect, const ProcessorAnswer& answer);

}  // namespace guildhall
