// A payment processor that moves no money, for development and tests. It can be told what to answer: by `tell`, or by the amount,
// as card processors' test cards do: the last two digits of amount_cents choose a case.
//   …01  authorization or bill declined         …04  the capture fails
//   …02  answers come twice                     …05  refunds fail
//   …03  the authorization's answer is late (late_us)
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "aggregates/effects.h"
#include "events/clock.h"
#include "infra/sandbox_journal.h"

namespace guildhall {

class SandboxProcessor final : public PaymentProcessor {
 public:
  static constexpr Micros late_us = 20 * minute_us;  // Later than the hold (M-2).

  // What the processor of that name keeps of a charge.
  using FeeOf = std::function<std::int64_t(std::string_view processor, std::int64_t amount_cents)>;

  PerformedCall perform(const Effect& effect) override;

  // What moves money is noted from now on, before it is answered; what can't be noted is answered `unknown`, and so asked for
  // again. Before the first call.
  void keep(std::unique_ptr<SandboxJournal> journal, const Clock& clock, FeeOf fee_of);

  // For every later call of this kind, in place of the amounts' cases; nullopt: back to them. Any thread.
  void tell(::payment::v1::Call call, std::optional<PerformedCall> told);
  std::size_t calls(const Uuid& effect_id) const;  // How often it was asked for.

 private:
  struct Done {
    std::optional<PerformedCall> answered;
    std::size_t calls = 0;
  };
  PerformedCall decided(const Effect& effect) const;
  bool note(const Effect& effect, const ProcessorAnswer& answer);

  mutable std::mutex mutex_;
  std::unique_ptr<SandboxJournal> journal_;
  const Clock* clock_ = nullptr;
  FeeOf fee_of_;
  std::map<::payment::v1::Call, PerformedCall> told_;
  std::map<Uuid, Done, UuidLess> done_;
};

}  // namespace guildhall
