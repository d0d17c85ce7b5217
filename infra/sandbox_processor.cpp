#include "infra/sandbox_processor.h"

namespace guildhall {
namespace {

using ::payment::v1::Call;

PerformedCall by_amount(const Effect& effect) {
  PerformedCall call;
  call.answer.kind = ProcessorAnswer::Kind::succeeded;
  call.answer.external_id = "sandbox_" + to_string(effect.payment_id);
  const auto decline = [&](const char* reason) {
    call.answer.kind = ProcessorAnswer::Kind::declined;
    call.answer.reason = reason;
  };
  switch (effect.amount_cents % 100) {
    case 1:
      if (effect.call == Call::authorize) decline("card_declined");
      break;
    case 2: call.times = 2; break;
    case 3:
      if (effect.call == Call::authorize) call.delay_us = SandboxProcessor::late_us;
      break;
    case 4:
      if (effect.call == Call::capture) decline("capture_failed");
      break;
    case 5:
      if (effect.call == Call::refund) decline("refund_failed");
      break;
    default: break;
  }
  return call;
}

}  // namespace

PerformedCall SandboxProcessor::perform(const Effect& effect) {
  const std::lock_guard lock(mutex_);
  // Once per effect id: asked again, the first answer comes back, whatever was told since.
  auto [at, added] = done_.try_emplace(effect.id);
  if (added) {
    const auto told = told_.find(effect.call);
    at->second.first = told != told_.end() ? told->second : by_amount(effect);
    if (at->second.first.answer.external_id.empty())
      at->second.first.answer.external_id = "sandbox_" + to_string(effect.payment_id);
  }
  ++at->second.second;
  return at->second.first;
}

void SandboxProcessor::tell(Call call, std::optional<PerformedCall> told) {
  const std::lock_guard lock(mutex_);
  if (told) told_[call] = std::move(*told);
  else told_.erase(call);
}

std::size_t SandboxProcessor::calls(const Uuid& effect_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = done_.find(effect_id);
  return found == done_.end() ? 0 : found->second.second;
}

}  // namespace guildhall
