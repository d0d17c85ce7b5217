// A payout (PA-96, PA-98, PA-99, A-PA-16, A-PA-17).
//
//   pending -> processing (approved) -> completed | failed; pending -> cancelled; completed -> failed, once, when the bank sends
//   the money back.
// An outcome that the processor does not tell stays processing: money is never given back on a guess. The processor is asked for
// it until it tells; after a day (policy.payout_overdue_us) the payout is overdue, for people to find out, and goes on asking.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Decision decide(const payout::RequestPayout& c, const Context& at, const View& view);
Decision decide(const payout::ApprovePayout& c, const Context& at, const View& view);
Decision decide(const payout::CancelPayout& c, const Context& at, const View& view);
Decision decide(const payout::RecordPayoutCompleted& c, const Context& at, const View& view);
Decision decide(const payout::RecordPayoutFailed& c, const Context& at, const View& view);
Decision decide(const payout::RecordPayoutReturned& c, const Context& at, const View& view);
Decision decide(const payout::MarkPayoutOverdue& c, const Context& at, const View& view);

std::optional<StreamId> target(const payout::RequestPayout& c);
std::optional<StreamId> target(const payout::ApprovePayout& c);
std::optional<StreamId> target(const payout::CancelPayout& c);
std::optional<StreamId> target(const payout::RecordPayoutCompleted& c);
std::optional<StreamId> target(const payout::RecordPayoutFailed& c);
std::optional<StreamId> target(const payout::RecordPayoutReturned& c);
std::optional<StreamId> target(const payout::MarkPayoutOverdue& c);

void apply(PayoutState& s, const payout::PayoutRequested& e);
void apply(PayoutState& s, const payout::PayoutApproved& e);
void apply(PayoutState& s, const payout::PayoutOverdue& e);
void apply(PayoutState& s, const payout::PayoutCompleted& e);
void apply(PayoutState& s, const payout::PayoutFailed& e);
void apply(PayoutState& s, const payout::PayoutCancelled& e);
void apply(PayoutState& s, const payout::PayoutReturned& e);

AnyResource represent(const PayoutState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const PayoutState& s, const Actor& actor);
std::vector<Timer> timers(const PayoutState& s);
std::optional<Effect> effect(const PayoutState& s);

}  // namespace guildhall
