#include "aggregates/purchase.h"

#include <algorithm>

#include "aggregates/account.h"
#include "aggregates/ledger.h"
#include "aggregates/product.h"

namespace guildhall {
namespace {

using namespace purchase;
using ::purchase::v1::Status;

StreamId stream_of(const Uuid& purchase_id) { return {StreamKind::purchase, purchase_id}; }

Accepted nothing_new(const Uuid& purchase_id) { return {.subject = {stream_of(purchase_id)}}; }

void append(std::vector<NewEvent>& events, std::vector<NewEvent>&& more) { std::ranges::move(more, std::back_inserter(events)); }

// A draft is its seller's alone. What was published once is no secret: its later state is a better answer than that it never was.
bool is_known(const ProductState& product, const Actor& actor) {
  return !is_nil(product.product_id) && (product.status != ::product::v1::Status::draft || may_act_for(actor, product.seller_id));
}

// How long is left is not known exactly, since the buyer may finish at any time.
std::unexpected<Rejection> reserved_for(const ProductState& product, Micros now) {
  const auto seconds = std::max<Micros>((product.reserved_until - now + second_us - 1) / second_us, 1);
  Rejection out{Code::license_reserved, "Reserved for another " + std::to_string(seconds) + " seconds at most."};
  out.retry_after_s = static_cast<std::uint32_t>(seconds);
  return std::unexpected(std::move(out));
}

// What this buyer pays, or why not that (A-PA-25).
std::expected<std::int64_t, Rejection> amount_of(const PurchaseProduct& c, const ProductState& product,
                                                 const PlatformPolicy& policy) {
  const std::int64_t price = product.price_cents;
  if (c.expected_price_cents.value_or(price) != price) return reject(Code::price_changed);
  if (!product.allow_name_your_price) {
    if (c.amount_cents.value_or(price) != price) return reject(Code::price_changed);
    return price;
  }
  const std::int64_t minimum = product.minimum_price_cents.value_or(0);
  const std::int64_t amount = c.amount_cents.value_or(std::max(price, minimum));
  if (amount < minimum || !ledger::is_price(amount, policy.min_price_cents)) return reject(Code::amount_below_minimum);
  return amount;
}

// Whether the purchase waits for this payment: late money of an attempt before it is another's.
bool waits_for(const PurchaseState& s, const PaymentState& payment) {
  return s.status == Status::pending && s.payment_id == payment.payment_id;
}

NewEvent purchased(const PurchaseState& s) {
  return {stream_of(s.purchase_id), ProductPurchased{.purchase_id = s.purchase_id,
                                                     .product_id = s.product_id,
                                                     .buyer_id = s.buyer_id,
                                                     .seller_id = s.seller_id,
                                                     .payment_id = s.payment_id,
                                                     .title = s.title,
                                                     .license_type = s.license_type,
                                                     .license_text = s.license_text,
                                                     .amount_cents = s.amount_cents,
                                                     .currency = s.currency}};
}

}  // namespace

// The buyer's id stands in the label: 64 bits of it in the index could be made to collide.
Uuid purchase_id_of(const Uuid& product_id, const Uuid& buyer_id) {
  return derive_in_group("purchase/" + to_string(buyer_id), product_id, 0, bucket_of(product_id));
}

// ---- decide

Decision decide(const PurchaseProduct& c, const Context& at, const View& view) {
  const auto& product = view.get<ProductState>(c.product_id);
  if (!is_known(product, at.actor)) return reject(Code::product_not_found);
  if (const auto code = buyer_refusal(c.buyer_id, product.seller_id, at, view)) return reject(*code);
  const Uuid id = purchase_id_of(c.product_id, c.buyer_id);
  if (view.exists<PurchaseState>(id)) {
    const auto status = view.get<PurchaseState>(id).status;
    if (status == Status::completed) return reject(Code::already_owned);
    if (status == Status::pending) return reject(Code::purchase_pending);
  }
  if (const auto code = license_refusal(product))
    return *code == Code::license_reserved ? reserved_for(product, at.now) : reject(*code);
  if (!is_for_sale(product)) return reject(Code::product_not_active);
  const auto amount = amount_of(c, product, at.policy);
  if (!amount) return std::unexpected(amount.error());

  PurchaseState offer;
  offer.purchase_id = id;
  offer.product_id = c.product_id;
  offer.buyer_id = c.buyer_id;
  offer.seller_id = product.seller_id;
  offer.title = product.title;
  offer.license_type = product.license_type;
  offer.license_text = product.license_text;
  offer.amount_cents = *amount;
  offer.currency = product.currency;
  Accepted accepted = nothing_new(id);
  accepted.created = true;
  if (*amount == 0) {
    accepted.events.push_back(purchased(offer));
    append(accepted.events, sell(product, id, c.buyer_id));
    return accepted;
  }
  offer.payment_id = at.mint("payment");
  auto initiated = initiate({.payment_id = offer.payment_id,
                             .subject_id = id,
                             .related_id = c.product_id,
                             .payer_id = c.buyer_id,
                             .payee_id = product.seller_id,
                             .purpose = ::payment::v1::Purpose::purchase,
                             .amount_cents = *amount,
                             .method = c.payment_method},
                            at, view);
  if (!initiated) return std::unexpected(std::move(initiated.error()));
  PurchaseStarted started{.purchase_id = id,
                          .product_id = offer.product_id,
                          .buyer_id = offer.buyer_id,
                          .seller_id = offer.seller_id,
                          .payment_id = offer.payment_id,
                          .title = offer.title,
                          .license_type = offer.license_type,
                          .license_text = offer.license_text,
                          .amount_cents = offer.amount_cents,
                          .currency = offer.currency,
                          .payment_method = c.payment_method,
                          .expires_at = at.now + at.policy.checkout_us};
  const Micros expires_at = started.expires_at;
  accepted.events.push_back({stream_of(id), std::move(started)});
  append(accepted.events, reserve_license(product, id, expires_at));
  accepted.events.push_back(std::move(*initiated));
  return accepted;
}

Decision decide(const ExpirePurchase& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<PurchaseState>(c.purchase_id)) return reject(Code::purchase_not_found);
  const auto& s = view.get<PurchaseState>(c.purchase_id);
  Accepted accepted = nothing_new(c.purchase_id);
  // The money came, or the buyer began anew, while the timer was on its way.
  if (s.status != Status::pending || at.now < s.expires_at) return accepted;
  accepted.events.push_back(
      {stream_of(c.purchase_id), PurchaseExpired{.purchase_id = c.purchase_id, .product_id = s.product_id}});
  append(accepted.events, release_license(view.get<ProductState>(s.product_id), c.purchase_id));
  append(accepted.events, return_money(s.payment_id, "purchase expired", FeeBearer::platform, at, view));
  return accepted;
}

// ---- for the decisions of payments

MoneyTaken take_purchase_money(const PaymentState& payment, bool captured, const Context& at, const View& view) {
  const auto& s = view.get<PurchaseState>(payment.subject_id);
  const auto& product = view.get<ProductState>(payment.related_id);
  MoneyTaken taken{.wanted = waits_for(s, payment) && may_complete(product, payment.subject_id)};
  if (!taken.wanted || !captured) return taken;
  taken.events.push_back(purchased(s));
  append(taken.events, sell(product, s.purchase_id, s.buyer_id));
  append(taken.events, start_hold(payment.payment_id, at, view));
  return taken;
}

std::vector<NewEvent> lose_purchase_money(const PaymentState& payment, std::string_view reason, const Context&,
                                          const View& view) {
  const auto& s = view.get<PurchaseState>(payment.subject_id);
  if (!waits_for(s, payment)) return {};
  std::vector<NewEvent> events{
      {stream_of(s.purchase_id),
       PurchaseFailed{.purchase_id = s.purchase_id, .product_id = s.product_id, .reason = std::string(reason)}}};
  append(events, release_license(view.get<ProductState>(s.product_id), s.purchase_id));
  return events;
}

std::vector<NewEvent> purchase_refunded(const PaymentState& payment, const Context&, const View& view) {
  const auto& s = view.get<PurchaseState>(payment.subject_id);
  if (s.status != Status::completed || s.payment_id != payment.payment_id) return {};
  std::vector<NewEvent> events{
      {stream_of(s.purchase_id),
       EntitlementRevoked{.purchase_id = s.purchase_id, .product_id = s.product_id, .buyer_id = s.buyer_id}}};
  append(events, return_license(view.get<ProductState>(s.product_id), s.purchase_id));
  return events;
}

std::optional<StreamId> target(const PurchaseProduct&) { return std::nullopt; }
std::optional<StreamId> target(const ExpirePurchase& c) { return stream_of(c.purchase_id); }

// ---- apply

namespace {

template <class Event>
void take_offer(PurchaseState& s, const Event& e) {
  s.purchase_id = e.purchase_id;
  s.product_id = e.product_id;
  s.buyer_id = e.buyer_id;
  s.seller_id = e.seller_id;
  s.payment_id = e.payment_id;
  s.title = e.title;
  s.license_type = e.license_type;
  s.license_text = e.license_text;
  s.amount_cents = e.amount_cents;
  s.currency = e.currency;
}

}  // namespace

void apply(PurchaseState& s, const PurchaseStarted& e) {
  take_offer(s, e);
  s.payment_method = e.payment_method;
  s.expires_at = e.expires_at;
  s.status = Status::pending;
}

void apply(PurchaseState& s, const ProductPurchased& e) {
  take_offer(s, e);
  if (is_nil(e.payment_id)) s.payment_method = ::ledger::v1::Method::none;  // An attempt before it may have had one.
  s.status = Status::completed;
}

void apply(PurchaseState& s, const PurchaseFailed&) { s.status = Status::failed; }
void apply(PurchaseState& s, const PurchaseExpired&) { s.status = Status::expired; }
void apply(PurchaseState& s, const EntitlementRevoked&) { s.status = Status::refunded; }

// ---- reply, timers

AnyResource represent(const PurchaseState& s, std::uint64_t version, const Uuid&) {
  PurchaseView view{.id = s.purchase_id,
                    .version = version,
                    .product_id = s.product_id,
                    .buyer_id = s.buyer_id,
                    .seller_id = s.seller_id,
                    .payment_id = s.payment_id,
                    .title = s.title,
                    .license_type = s.license_type,
                    .license_text = s.license_text,
                    .amount_cents = s.amount_cents,
                    .currency = s.currency,
                    .payment_method = s.payment_method,
                    .status = s.status};
  if (s.status == Status::pending) view.expires_at = s.expires_at;
  return view;
}

bool shows_to(const PurchaseState& s, const Actor& actor) {
  return actor.trusted() || actor.is(s.buyer_id) || actor.is(s.seller_id);
}

std::vector<Timer> timers(const PurchaseState& s) {
  if (s.status != Status::pending) return {};
  return {{"expire", s.expires_at, ExpirePurchase{.purchase_id = s.purchase_id}}};
}

}  // namespace guildhall
