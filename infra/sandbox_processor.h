// A payment processor that moves no money, for development and tests. It can be told what to answer: by `tell`, or by the amount,
// as card processors' test cards do: the last two digits of amount_cents choose a case.
//   …01  the authorization is declined          …04  the capture fails
//   …02  answers come twice                     …05  refunds fail
//   …03  the authorization's answer is late (late_us)
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "aggregates/effects.h"

namespace guildhall {

class SandboxProcessor final : public PaymentProcessor {
 public:
  static constexpr Micros late_us = 20 * minute_us;  // Later than the hold (M-2).

  PerformedCall perform(const Effect& effect) override;

  // For every later call of this kind, in place of the amounts' cases; nullopt: back to them. Any thread.
  void tell(::payment::v1::Call call, std::optional<PerformedCall> told);
  std::size_t calls(const Uuid& effect_id) const;  // How often it was asked for.

 private:
  mutable std::mutex mutex_;
  std::map<::payment::v1::Call, PerformedCall> told_;
  std::map<Uuid, std::pair<PerformedCall, std::size_t>, UuidLess> done_;
};

}  // namespace guildhall
