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

using PaymentInitiated = ::payment::v1::PaymentInitiatedT;
using PaymentAuthorized = ::payment::v1::PaymentAuthorizedT;
using PaymentFailed = ::payment::v1::PaymentFailedT;
using CaptureRequested = ::payment::v1::CaptureRequestedT;
using PaymentCaptured = ::payment::v1::PaymentCapturedT;
using CancelRequested = ::payment::v1::CancelRequestedT;
using PaymentCancelled = ::payment::v1::PaymentCancelledT;
using RefundRequested = ::payment::v1::RefundRequestedT;
using PaymentRefunded = ::payment::v1::PaymentRefundedT;
using RefundFailed = ::payment::v1::RefundFailedT;

using PaymentView = ::payment::v1::PaymentViewT;

using Command = std::variant<RecordAuthorized, RecordCaptured, RecordFailed, RecordCancelled, RecordRefunded, RecordRefundFailed,
                             RequestRefund>;
using Event = std::variant<PaymentInitiated, PaymentAuthorized, PaymentFailed, CaptureRequested, PaymentCaptured, CancelRequested,
                           PaymentCancelled, RefundRequested, PaymentRefunded, RefundFailed>;
using Resource = std::variant<PaymentView>;

}  // namespace guildhall::payment
