#include "infra/sandbox_processor.h"

#include <string_view>

namespace guildhall {
namespace {

using ::payment::v1::Call;

// A payment may have several refunds, a subscription has many bills, each a movement of its own.
std::string external_id_of(const Effect& effect) {
  const bool several = effect.call == Call::refund || effect.call == Call::bill;
  return "sandbox_" + to_string(several ? effect.id : effect.payment_id);
}

PerformedCall by_amount(const Effect& effect) {
  PerformedCall call;
  call.answer.kind = ProcessorAnswer::Kind::succeeded;
  const auto decline = [&](const char* reason) {
    call.answer.kind = ProcessorAnswer::Kind::declined;
    call.answer.reason = reason;
  };
  switch (effect.amount_cents % 100) {
    case 1:
      if (effect.call == Call::authorize || effect.call == Call::bill) decline("card_declined");
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

// The type of the movement that a call makes; nothing where no money moves.
std::string_view movement(Call call) {
  switch (call) {
    case Call::capture:
    case Call::bill: return "charge";
    case Call::refund: return "refund";
    case Call::payout: return "payout";
    default: return {};
  }
}

}  // namespace

PerformedCall SandboxProcessor::perform(const Effect& effect) {
  const std::lock_guard lock(mutex_);
  // Once per effect id: asked again, the first answer comes back, whatever was told since.
  Done& done = done_[effect.id];
  ++done.calls;
  if (!done.answered) {
    PerformedCall call = decided(effect);
    if (!note(effect, call.answer)) return {.answer = {.kind = ProcessorAnswer::Kind::unknown}};
    done.answered = std::move(call);
  }
  return *done.answered;
}

PerformedCall SandboxProcessor::decided(const Effect& effect) const {
  const auto told = told_.find(effect.call);
  PerformedCall call = told != told_.end() ? told->second : by_amount(effect);
  if (call.answer.external_id.empty()) call.answer.external_id = external_id_of(effect);
  return call;
}

bool SandboxProcessor::note(const Effect& effect, const ProcessorAnswer& answer) {
  const std::string_view type = movement(effect.call);
  if (journal_ == nullptr || type.empty() || answer.kind != ProcessorAnswer::Kind::succeeded) return true;
  return journal_->note({.processor = effect.processor,
                         .external_id = answer.external_id,
                         .type = std::string(type),
                         .amount_cents = effect.amount_cents,
                         .fee_cents = type == "charge" ? fee_of_(effect.processor, effect.amount_cents) : 0,
                         .currency = effect.currency,
                         .time = clock_->now()});
}

void SandboxProcessor::keep(std::unique_ptr<SandboxJournal> journal, const Clock& clock, FeeOf fee_of) {
  const std::lock_guard lock(mutex_);
  journal_ = std::move(journal);
  clock_ = &clock;
  fee_of_ = std::move(fee_of);
}

void SandboxProcessor::tell(Call call, std::optional<PerformedCall> told) {
  const std::lock_guard lock(mutex_);
  if (told) told_[call] = std::move(*told);
  else told_.erase(call);
}

std::size_t SandboxProcessor::calls(const Uuid& effect_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = done_.find(effect_id);
  return found == done_.end() ? 0 : found->second.calls;
}

}  // namespace guildhall
