// What happens to a payment, and what may be asked of it. Declared once, in events/payment.fbs.
#pragma once

#include <variant>

#include "payment_generated.h"

namespace guildhall::payment {

using RecordAuthorized = ::payment::v1::RecordAuthorizedT;
using RecordCaptured = ::payment::v1::RecordCapturedT;
using RecordFailed = ::payment::v1::RecordFailedT;
using RecordCancelled = ::payment::v1::RecordCancelledT;
using RecordRefunded = ::payment::v1::RecordRefundedT;
using RecordRefundFailed = ::payment::v1::RecordRefundFailedT;
using RequestRefund = ::payment::v1::RequestRefundT;
using RecordDisputeOpened = ::payment::v1::RecordDisputeOpenedT;
using RecordDisputeWon = ::payment::v1::RecordDisputeWonT;
using RecordDisputeLost = ::payment::v1::RecordDisputeLostT;
using RecordWalletPaid = ::payment::v1::RecordWalletPaidT;
using RecordWalletRefused = ::payment::v1::RecordWalletRefusedT;
using ReleaseHold = ::payment::v1::ReleaseHoldT;
using RetryRefund = ::payment::v1::RetryRefundT;
using WriteOffPayment = ::payment::v1::WriteOffPaymentT;

using PaymentInitiated = ::payment::v1::PaymentInitiatedT;
using PaymentAuthorized = ::payment::v1::PaymentAuthorizedT;
using PaymentFailed = ::payment::v1::PaymentFailedT;
using CaptureRequested = ::payment::v1::CaptureRequestedT;
using PaymentCaptured = ::payment::v1::PaymentCapturedT;
using LatePaymentReceived = ::payment::v1::LatePaymentReceivedT;
using WalletPaymentReturned = ::payment::v1::WalletPaymentReturnedT;
using CancelRequested = ::payment::v1::CancelRequestedT;
using PaymentCancelled = ::payment::v1::PaymentCancelledT;
using HoldStarted = ::payment::v1::HoldStartedT;
using HoldReleased = ::payment::v1::HoldReleasedT;
using RefundRequested = ::payment::v1::RefundRequestedT;
using RefundPostponed = ::payment::v1::RefundPostponedT;
using PaymentRefunded = ::payment::v1::PaymentRefundedT;
using RefundFailed = ::payment::v1::RefundFailedT;
using PaymentWrittenOff = ::payment::v1::PaymentWrittenOffT;
using DisputeOpened = ::payment::v1::DisputeOpenedT;
using DisputeWon = ::payment::v1::DisputeWonT;
using DisputeLost = ::payment::v1::DisputeLostT;

using PaymentView = ::payment::v1::PaymentViewT;

using Command = std::variant<RecordAuthorized, RecordCaptured, RecordFailed, RecordCancelled, RecordRefunded, RecordRefundFailed,
                             RequestRefund, RecordDisputeOpened, RecordDisputeWon, RecordDisputeLost, RecordWalletPaid,
                             RecordWalletRefused, ReleaseHold, RetryRefund, WriteOffPayment>;
using Event =
    std::variant<PaymentInitiated, PaymentAuthorized, PaymentFailed, CaptureRequested, PaymentCaptured, LatePaymentReceived,
                 WalletPaymentReturned, CancelRequested, PaymentCancelled, HoldStarted, HoldReleased, RefundRequested,
                 RefundPostponed, PaymentRefunded, RefundFailed, PaymentWrittenOff, DisputeOpened, DisputeWon, DisputeLost>;
using Resource = std::variant<PaymentView>;

}  // namespace guildhall::payment
