// What happens to a payout, and what may be asked of it. Declared once, in events/payout.fbs.
#pragma once

#include <variant>

#include "payout_generated.h"

namespace guildhall::payout {

using RequestPayout = ::payout::v1::RequestPayoutT;
using ApprovePayout = ::payout::v1::ApprovePayoutT;
using CancelPayout = ::payout::v1::CancelPayoutT;
using RecordPayoutCompleted = ::payout::v1::RecordPayoutCompletedT;
using RecordPayoutFailed = ::payout::v1::RecordPayoutFailedT;
using RecordPayoutReturned = ::payout::v1::RecordPayoutReturnedT;
using MarkPayoutOverdue = ::payout::v1::MarkPayoutOverdueT;

using PayoutRequested = ::payout::v1::PayoutRequestedT;
using PayoutApproved = ::payout::v1::PayoutApprovedT;
using PayoutOverdue = ::payout::v1::PayoutOverdueT;
using PayoutCompleted = ::payout::v1::PayoutCompletedT;
using PayoutFailed = ::payout::v1::PayoutFailedT;
using PayoutCancelled = ::payout::v1::PayoutCancelledT;
using PayoutReturned = ::payout::v1::PayoutReturnedT;

using PayoutView = ::payout::v1::PayoutViewT;

using Command = std::variant<RequestPayout, ApprovePayout, CancelPayout, RecordPayoutCompleted, RecordPayoutFailed,
                             RecordPayoutReturned, MarkPayoutOverdue>;
using Event = std::variant<PayoutRequested, PayoutApproved, PayoutOverdue, PayoutCompleted, PayoutFailed, PayoutCancelled,
                           PayoutReturned>;
using Resource = std::variant<PayoutView>;

}  // namespace guildhall::payout
