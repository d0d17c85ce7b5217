#include "aggregates/effects.h"

#include <utility>

#include "events/check.h"

namespace guildhall {

AnyCommand outcome_command(const Effect& effect, const ProcessorAnswer& answer) {
  CHECK(answer.kind != ProcessorAnswer::Kind::unknown);
  const bool done = answer.kind == ProcessorAnswer::Kind::succeeded;
  const auto of_payment = [&]<class Command>(Command c) {
    c.payment_id = effect.payment_id;
    return c;
  };
  const auto failed = [&] {
    auto c = of_payment(payment::RecordFailed{});
    c.reason = answer.reason;
    return AnyCommand{std::move(c)};
  };
  switch (effect.call) {
    case ::payment::v1::Call::authorize: {
      if (!done) return failed();
      auto c = of_payment(payment::RecordAuthorized{});
      c.external_id = answer.external_id;
      return c;
    }
    case ::payment::v1::Call::capture: {
      if (!done) return failed();
      auto c = of_payment(payment::RecordCaptured{});
      c.external_id = answer.external_id;
      return c;
    }
    case ::payment::v1::Call::cancel:
      // An authorization that can't be voided lapses by itself: for us it is gone either way.
      return of_payment(payment::RecordCancelled{});
    case ::payment::v1::Call::refund: {
      if (!done) {
        auto c = of_payment(payment::RecordRefundFailed{});
        c.refund_id = effect.id;
        c.reason = answer.reason;
        return c;
      }
      auto c = of_payment(payment::RecordRefunded{});
      c.refund_id = effect.id;
      c.external_id = answer.external_id;
      return c;
    }
    case ::payment::v1::Call::payout: {
      if (!done) return payout::RecordPayoutFailed{.payout_id = effect.payment_id, .reason = answer.reason};
      return payout::RecordPayoutCompleted{.payout_id = effect.payment_id, .external_id = answer.external_id};
    }
    case ::payment::v1::Call::bill: {
      if (!done)
        return subscription::RecordPaymentFailed{.account_id = effect.payment_id,
                                                 .external_id = answer.external_id,
                                                 .period_end = effect.period_end,
                                                 .reason = answer.reason};
      subscription::RecordRenewal c{
          .account_id = effect.payment_id, .external_id = answer.external_id, .period_end = effect.period_end};
      c.amount_cents = effect.amount_cents;
      return c;
    }
    case ::payment::v1::Call::none: break;
  }
  CHECK(!"an effect is a call");
  std::unreachable();
}

}  // namespace guildhall
