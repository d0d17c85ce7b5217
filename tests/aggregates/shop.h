// A seller with products, buyers with accounts of other groups: where the tests of products, storefronts and purchases begin.
#pragma once

#include <string>
#include <vector>

#include "aggregates/payment.h"
#include "aggregates/product.h"
#include "aggregates/purchase.h"
#include "aggregates/storefront.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {

class Shop : public Given {
 public:
  using License = ::product::v1::LicenseType;
  using Tier = ::subscription::v1::Tier;

  const Uuid seller = id_of("seller");
  const Uuid ann = id_of("ann", 0x111);
  const Uuid bob = id_of("bob", 0x222);
  const Uuid root = id_of("root", 0x333);

  Shop() {
    policy.platform = "producers_avenue";
    policy.aggregates = {"account",    "claim",   "subscription", "wallet",  "payout", "payment",
                         "storefront", "product", "purchase",     "service", "order"};
    policy.roles = {"member", "author", "admin", "super_admin"};
    policy.currencies = {"USD"};
    policy.default_currency = "USD";
    open(seller);
    for (const Uuid& buyer : {ann, bob, root}) open(buyer);
  }

  // As in Given, so that what this class adds may follow.
  Shop& given(const std::vector<AnyEvent>& events) { return Given::given(events), *this; }
  Shop& as(const Actor& who) { return Given::as(who), *this; }
  Shop& at(Micros instant) { return Given::at(instant), *this; }

  void open(const Uuid& account) {
    given({account::AccountRegistered{.account_id = account, .display_name = "A member", .timezone = "UTC"},
           subscription::SubscriptionStarted{.account_id = account, .tier = Tier::basic},
           wallet::WalletOpened{.wallet_id = account, .currency = "USD"}});
  }
  void ban(const Uuid& account) { given({account::AccountBanned{.account_id = account}}); }
  void subscribe(const Uuid& account, Tier tier) {
    given({subscription::SubscriptionStarted{.account_id = account, .tier = tier}});
  }

  // ---- products

  product::CreateProduct offer(std::int64_t price_cents, License license = License::personal) const {
    product::CreateProduct c{.seller_id = seller, .title = "Drum Kit"};
    c.description = "Hits and loops";
    c.file_urls = {"https://cdn.example/kit.zip"};
    c.file_types = {"zip"};
    c.price_cents = price_cents;
    c.license_type = license;
    if (license == License::custom) c.license_text = "Not for films.";
    return c;
  }
  product::CreateProduct name_your_price(std::int64_t suggested_cents, std::int64_t minimum_cents) const {
    auto c = offer(suggested_cents);
    c.allow_name_your_price = true;
    c.minimum_price_cents = minimum_cents;
    return c;
  }
  // The command that makes an offer of a product that exists.
  static product::UpdateProduct update(const Uuid& id, const product::CreateProduct& c) {
    product::UpdateProduct u{.product_id = id, .title = c.title};
    u.description = c.description;
    u.thumbnail_url = c.thumbnail_url;
    u.preview_images = c.preview_images;
    u.preview_audio_url = c.preview_audio_url;
    u.preview_video_url = c.preview_video_url;
    u.file_urls = c.file_urls;
    u.file_size_bytes = c.file_size_bytes;
    u.file_types = c.file_types;
    u.price_cents = c.price_cents;
    u.allow_name_your_price = c.allow_name_your_price;
    u.minimum_price_cents = c.minimum_price_cents;
    u.bpm = c.bpm;
    u.musical_key = c.musical_key;
    u.sample_rate = c.sample_rate;
    u.bit_depth = c.bit_depth;
    u.license_type = c.license_type;
    u.license_text = c.license_text;
    u.category_id = c.category_id;
    u.tags = c.tags;
    u.genre_tags = c.genre_tags;
    return u;
  }
  Uuid draft(const product::CreateProduct& c) { return as(user(seller)).when(c).then_accepted().subject.stream.id; }
  Uuid on_sale(const product::CreateProduct& c) {
    const Uuid id = draft(c);
    publish(id).then_accepted();
    return id;
  }
  Outcome publish(const Uuid& id) { return when(product::PublishProduct{.product_id = id}); }
  Outcome pause(const Uuid& id) { return when(product::PauseProduct{.product_id = id}); }
  Outcome remove(const Uuid& id) { return when(product::DeleteProduct{.product_id = id}); }
  Outcome feature(const Uuid& id) { return when(product::FeatureProduct{.product_id = id}); }
  Outcome unfeature(const Uuid& id) { return when(product::UnfeatureProduct{.product_id = id}); }
  Outcome moderate(const Uuid& id, bool is_approved) {
    return when(product::ModerateProduct{.product_id = id, .is_approved = is_approved, .approval_notes = "Seen."});
  }
  const ProductState& product(const Uuid& id) const { return state<ProductState>(id); }
  const std::vector<Uuid>& featured() const { return state<StorefrontState>(seller).featured; }

  // ---- purchases

  static purchase::PurchaseProduct purchase_by(const Uuid& product, const Uuid& buyer) {
    return {.product_id = product, .buyer_id = buyer, .payment_method = ledger::Method::card};
  }
  Outcome buy(const Uuid& product, const Uuid& buyer) { return as(user(buyer)).when(purchase_by(product, buyer)); }
  // A purchase that is accepted.
  Uuid bought(const Uuid& product, const Uuid& buyer) { return buy(product, buyer).then_accepted().subject.stream.id; }
  const PurchaseState& purchase(const Uuid& id) const { return state<PurchaseState>(id); }
  const PaymentState& payment(const Uuid& id) const { return state<PaymentState>(id); }
  Uuid payment_of(const Uuid& purchase_id) const { return purchase(purchase_id).payment_id; }

  // What the processor says, and the timer.
  Outcome authorized(const Uuid& payment_id) {
    return as(service()).when(payment::RecordAuthorized{.payment_id = payment_id, .external_id = "pi_1"});
  }
  Outcome captured(const Uuid& payment_id) {
    return as(service()).when(payment::RecordCaptured{.payment_id = payment_id, .external_id = "pi_1"});
  }
  Outcome failed(const Uuid& payment_id) {
    return as(service()).when(payment::RecordFailed{.payment_id = payment_id, .reason = "declined"});
  }
  Outcome voided(const Uuid& payment_id) { return as(service()).when(payment::RecordCancelled{.payment_id = payment_id}); }
  Outcome ask_back(const Uuid& payment_id, std::int64_t amount_cents) {
    return when(payment::RequestRefund{.payment_id = payment_id, .amount_cents = amount_cents, .reason = "Sorry"});
  }
  Outcome refunded(const Uuid& payment_id) {
    return as(service()).when(
        payment::RecordRefunded{.payment_id = payment_id, .refund_id = payment(payment_id).refunds.back().refund_id()});
  }
  Outcome expire(const Uuid& purchase_id) { return as(the_system()).when(purchase::ExpirePurchase{.purchase_id = purchase_id}); }
  void pay(const Uuid& purchase_id) {
    authorized(payment_of(purchase_id)).then_accepted();
    captured(payment_of(purchase_id)).then_accepted();
  }
  void refund(const Uuid& purchase_id) {
    const Uuid id = payment_of(purchase_id);
    as(service()).ask_back(id, payment(id).amount_cents).then_accepted();
    refunded(id).then_accepted();
  }
};

// The types of what was decided, in their order.
inline std::vector<std::string> types_of(const Accepted& accepted) {
  std::vector<std::string> out;
  for (const auto& e : accepted.events) out.emplace_back(type_name(e.event));
  return out;
}

}  // namespace guildhall::testing
