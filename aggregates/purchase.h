// What a buyer has of a product (A-PA-24, A-PA-26, PA-61, M-4, M-7): one stream for the two.
//
//   pending -> completed -> refunded; pending -> failed | expired (policy.checkout_us). What costs nothing is completed at once.
//   After failed, expired or refunded the buyer may purchase again: the same stream is pending anew, with another payment.
// Completed means that the buyer owns the product and downloads its files, whatever becomes of the product; it ends when all that
// was paid has gone back. A purchase of an exclusive product holds its licence while it is pending, and has it while completed.
// Money that comes for an attempt that has ended goes back.
#pragma once

#include "aggregates/aggregates.h"
#include "aggregates/payment.h"

namespace guildhall {

// In the product's entity group.
Uuid purchase_id_of(const Uuid& product_id, const Uuid& buyer_id);

Decision decide(const purchase::PurchaseProduct& c, const Context& at, const View& view);
Decision decide(const purchase::ExpirePurchase& c, const Context& at, const View& view);

// Wanted by the pending purchase that waits for this very payment, as long as its product may become the buyer's. Captured, it
// completes the purchase, and the seller's seven days begin (A-PA-14).
MoneyTaken take_purchase_money(const PaymentState& payment, bool captured, const Context& at, const View& view);
// {} unless the purchase still waits for this payment.
std::vector<NewEvent> lose_purchase_money(const PaymentState& payment, std::string_view reason, const Context& at,
                                          const View& view);
// {} unless this payment made the purchase that the buyer has.
std::vector<NewEvent> purchase_refunded(const PaymentState& payment, const Context& at, const View& view);

std::optional<StreamId> target(const purchase::PurchaseProduct& c);
std::optional<StreamId> target(const purchase::ExpirePurchase& c);

void apply(PurchaseState& s, const purchase::PurchaseStarted& e);
void apply(PurchaseState& s, const purchase::ProductPurchased& e);
void apply(PurchaseState& s, const purchase::PurchaseFailed& e);
void apply(PurchaseState& s, const purchase::PurchaseExpired& e);
void apply(PurchaseState& s, const purchase::EntitlementRevoked& e);

AnyResource represent(const PurchaseState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const PurchaseState& s, const Actor& actor);
std::vector<Timer> timers(const PurchaseState& s);

}  // namespace guildhall
