// A payment's money: authorize, capture, cancel, refund, in the processor's own time (TU-31, TU-33, TU-36, M-2, M-3), its escrow
// (PA-93, A-PA-14), disputes (A-PA-18) and wallets that pay (PA-97).
//
//   pending | processing (an authorize call is under way, or a wallet was asked) -> authorized -> captured ->
//   partially_refunded -> refunded; pending | processing -> failed | cancelled; authorized -> cancelled, or failed when its
//   capture is refused;
//   captured | partially_refunded -> disputed -> what it was | refunded
// The processor's answers may come twice and in any order (PY-4). What says less than is known is absorbed, what says that
// money has come is believed whatever the status, because the money is there: it makes its sale, or goes back.
// A refused void is answered by RecordCancelled (nothing is held any more) or RecordCaptured (it came too late); never by
// RecordFailed, which a payment being voided takes for an old message.
//
// A payment with a method keeps books: its events carry the ledger's transfers (ledger.md). A booking's has none.
#pragma once

#include "aggregates/aggregates.h"
#include "aggregates/ledger.h"

namespace guildhall {

// Late money whose refund is refused is asked back again: after this long, doubled with each refusal in a row, so many times
// (1 h … 128 h, ten days in all). What is refused then waits in suspense for an admin, who asks again or writes it off.
inline constexpr Micros refund_retry_us = hour_us;
inline constexpr std::uint32_t max_refund_retries = 8;
inline constexpr std::size_t remembered_refunds = 32;  // Answered refunds of one payment that a repeated answer still finds.

// ---- for the decisions of what is sold

// What is to be paid, by whom, to whom, for what.
struct Charge {
  Uuid payment_id{};
  Uuid subject_id{};  // The order, purchase, registration or subscription.
  Uuid related_id{};  // What was sold: the product, the webinar; else the subject.
  Uuid payer_id{};
  Uuid payee_id{};  // Nil of a subscription.
  ::payment::v1::Purpose purpose{};
  std::int64_t amount_cents = 0;  // > 0
  ledger::Method method{};
};
// PaymentInitiated, with the seller's tier and commission of now (PA-90). Rejects a charge without a method, a subscription
// from a wallet, and a price that the processor's fee eats up (A-PA-13).
std::expected<NewEvent, Rejection> initiate(const Charge& charge, const Context& at, const View& view);

// A payment that the provider's billing has made by itself: it is captured, and can be refunded and charged back like any other.
std::vector<NewEvent> charged_by_provider(const Charge& charge, std::int64_t fee_cents, const std::string& external_id,
                                          const Context& at);

// What a sale makes of its money.
struct MoneyTaken {
  bool wanted = false;           // False: the sale is off, and the money goes back.
  std::vector<NewEvent> events;  // Of what is sold.
};

// Who bears the processor's fee of a refund (A-PA-20): the platform where the buyer cancels before the start.
enum class FeeBearer : std::uint8_t { seller, platform };

// The booking is confirmed: asks for the authorized money, unless it was captured before.
std::vector<NewEvent> capture_money(const Uuid& payment_id, const View& view);
// The sale is off: refunds what is captured, voids what is authorized, cancels what was never answered. An authorization, a
// capture or a wallet's answer under way is left until it comes, which then finds the sale off. While a dispute freezes the
// money the refund is owed, and made when the dispute is won.
std::vector<NewEvent> return_money(const Uuid& payment_id, std::string_view reason, FeeBearer bearer, const Context& at,
                                   const View& view);
// The escrow's seven days run from now (A-PA-14); {} when they already do, and of a payment without books.
std::vector<NewEvent> start_hold(const Uuid& payment_id, const Context& at, const View& view);
bool is_after_hold(const PaymentState& s, Micros now);  // The escrow is over: only an admin refunds (ledger.md).
bool is_charged_back(const PaymentState& s);            // A chargeback is open: no refund now.
bool is_refundable(const PaymentState& s);              // Captured, and something is left of it that nobody has asked back.

// A complaint freezes the seller's part, and its end gives it back; the complaint's own events carry these transfers, and the
// payment's state folds them (fold_complaint). One freeze a payment: {} when a chargeback already has, or still does.
ledger::Transfers freeze(const Uuid& payment_id, const View& view);
ledger::Transfers thaw(const Uuid& payment_id, const Context& at, const View& view);
// return_money() in the decision that also thaws.
std::vector<NewEvent> return_thawed_money(const Uuid& payment_id, std::string_view reason, const Context& at, const View& view);
void fold_complaint(PaymentState& s, bool opened, const ledger::Transfers& transfers);

// ---- decide

Decision decide(const payment::RecordAuthorized& c, const Context& at, const View& view);
Decision decide(const payment::RecordCaptured& c, const Context& at, const View& view);
Decision decide(const payment::RecordFailed& c, const Context& at, const View& view);
Decision decide(const payment::RecordCancelled& c, const Context& at, const View& view);
Decision decide(const payment::RecordRefunded& c, const Context& at, const View& view);
Decision decide(const payment::RecordRefundFailed& c, const Context& at, const View& view);
Decision decide(const payment::RequestRefund& c, const Context& at, const View& view);
Decision decide(const payment::RecordDisputeOpened& c, const Context& at, const View& view);
Decision decide(const payment::RecordDisputeWon& c, const Context& at, const View& view);
Decision decide(const payment::RecordDisputeLost& c, const Context& at, const View& view);
Decision decide(const payment::RecordWalletPaid& c, const Context& at, const View& view);
Decision decide(const payment::RecordWalletRefused& c, const Context& at, const View& view);
Decision decide(const payment::ReleaseHold& c, const Context& at, const View& view);
Decision decide(const payment::RetryRefund& c, const Context& at, const View& view);
Decision decide(const payment::WriteOffPayment& c, const Context& at, const View& view);

std::optional<StreamId> target(const payment::RecordAuthorized& c);
std::optional<StreamId> target(const payment::RecordCaptured& c);
std::optional<StreamId> target(const payment::RecordFailed& c);
std::optional<StreamId> target(const payment::RecordCancelled& c);
std::optional<StreamId> target(const payment::RecordRefunded& c);
std::optional<StreamId> target(const payment::RecordRefundFailed& c);
std::optional<StreamId> target(const payment::RequestRefund& c);
std::optional<StreamId> target(const payment::RecordDisputeOpened& c);
std::optional<StreamId> target(const payment::RecordDisputeWon& c);
std::optional<StreamId> target(const payment::RecordDisputeLost& c);
std::optional<StreamId> target(const payment::RecordWalletPaid& c);
std::optional<StreamId> target(const payment::RecordWalletRefused& c);
std::optional<StreamId> target(const payment::ReleaseHold& c);
std::optional<StreamId> target(const payment::RetryRefund& c);
std::optional<StreamId> target(const payment::WriteOffPayment& c);

// ---- apply

void apply(PaymentState& s, const payment::PaymentInitiated& e);
void apply(PaymentState& s, const payment::PaymentAuthorized& e);
void apply(PaymentState& s, const payment::PaymentFailed& e);
void apply(PaymentState& s, const payment::CaptureRequested& e);
void apply(PaymentState& s, const payment::PaymentCaptured& e);
void apply(PaymentState& s, const payment::LatePaymentReceived& e);
void apply(PaymentState& s, const payment::WalletPaymentReturned& e);
void apply(PaymentState& s, const payment::CancelRequested& e);
void apply(PaymentState& s, const payment::PaymentCancelled& e);
void apply(PaymentState& s, const payment::HoldStarted& e);
void apply(PaymentState& s, const payment::HoldReleased& e);
void apply(PaymentState& s, const payment::RefundRequested& e);
void apply(PaymentState& s, const payment::RefundPostponed& e);
void apply(PaymentState& s, const payment::PaymentRefunded& e);
void apply(PaymentState& s, const payment::RefundFailed& e);
void apply(PaymentState& s, const payment::PaymentWrittenOff& e);
void apply(PaymentState& s, const payment::DisputeOpened& e);
void apply(PaymentState& s, const payment::DisputeWon& e);
void apply(PaymentState& s, const payment::DisputeLost& e);

AnyResource represent(const PaymentState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const PaymentState& s, const Actor& actor);
std::vector<Timer> timers(const PaymentState& s);
std::optional<Effect> effect(const PaymentState& s);

}  // namespace guildhall
