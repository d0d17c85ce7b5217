// What happens to a purchase, and what may be asked of it. Declared once, in events/purchase.fbs.
#pragma once

#include <variant>

#include "purchase_generated.h"

namespace guildhall::purchase {

using PurchaseProduct = ::purchase::v1::PurchaseProductT;
using ExpirePurchase = ::purchase::v1::ExpirePurchaseT;

using PurchaseStarted = ::purchase::v1::PurchaseStartedT;
using ProductPurchased = ::purchase::v1::ProductPurchasedT;
using PurchaseFailed = ::purchase::v1::PurchaseFailedT;
using PurchaseExpired = ::purchase::v1::PurchaseExpiredT;
using EntitlementRevoked = ::purchase::v1::EntitlementRevokedT;

using PurchaseView = ::purchase::v1::PurchaseViewT;

using Command = std::variant<PurchaseProduct, ExpirePurchase>;
using Event = std::variant<PurchaseStarted, ProductPurchased, PurchaseFailed, PurchaseExpired, EntitlementRevoked>;
using Resource = std::variant<PurchaseView>;

}  // namespace guildhall::purchase
