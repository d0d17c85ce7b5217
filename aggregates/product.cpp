#include "aggregates/product.h"

#include <algorithm>

#include "aggregates/account.h"
#include "aggregates/ledger.h"
#include "aggregates/slug.h"
#include "aggregates/storefront.h"
#include "aggregates/webinar.h"

namespace guildhall {
namespace {

using namespace product;
using ::product::v1::LicenseType;
using ::product::v1::ProductType;
using ::product::v1::Status;

StreamId stream_of(const Uuid& product_id) { return {StreamKind::product, product_id}; }

Accepted nothing_new(const Uuid& product_id) { return {.subject = {stream_of(product_id)}}; }

Accepted accept(const Uuid& product_id, AnyEvent event, bool created = false) {
  Accepted out = nothing_new(product_id);
  out.events.push_back({stream_of(product_id), std::move(event)});
  out.created = created;
  return out;
}

// The product that a command names, unless it is absent or another's.
const ProductState* own(const Uuid& product_id, const Context& at, const View& view) {
  const auto& s = view.get<ProductState>(product_id);
  return !is_nil(s.product_id) && may_act_for(at.actor, s.seller_id) ? &s : nullptr;
}

bool is_seller_held_back(const Uuid& seller_id, const Context& at, const View& view) {
  return is_held_back(at.actor, view.get<AccountState>(seller_id));
}

// ---- what commands, events, state and view have in common

// What a stranger sees of an offer as well.
template <class To, class From>
void copy_shown(To& to, const From& from) {
  to.title = from.title;
  to.description = from.description;
  to.thumbnail_url = from.thumbnail_url;
  to.preview_images = from.preview_images;
  to.preview_audio_url = from.preview_audio_url;
  to.preview_video_url = from.preview_video_url;
  to.file_size_bytes = from.file_size_bytes;
  to.file_types = from.file_types;
  to.price_cents = from.price_cents;
  to.allow_name_your_price = from.allow_name_your_price;
  to.minimum_price_cents = from.minimum_price_cents;
  to.bpm = from.bpm;
  to.musical_key = from.musical_key;
  to.sample_rate = from.sample_rate;
  to.bit_depth = from.bit_depth;
  to.license_type = from.license_type;
  to.license_text = from.license_text;
  to.category_id = from.category_id;
  to.tags = from.tags;
  to.genre_tags = from.genre_tags;
}

template <class To, class From>
void copy_offer(To& to, const From& from) {
  copy_shown(to, from);
  if constexpr (requires { from.file_urls; }) to.file_urls = from.file_urls;  // Of a recording they are not said.
}

// As a command wants it: what follows from other fields is never taken from a client (A-PA-25).
template <class Event, class Command>
Event offer_of(const Uuid& product_id, const Command& c) {
  Event e;
  e.product_id = product_id;
  copy_offer(e, c);
  e.is_free = c.price_cents == 0 && !c.allow_name_your_price;
  if (c.allow_name_your_price) e.minimum_price_cents = c.minimum_price_cents.value_or(0);
  else e.minimum_price_cents.reset();
  return e;
}

template <class Command>
ProductCreated created(const Uuid& seller_id, const Command& c, const Context& at) {
  const Uuid id = at.mint("product");
  auto e = offer_of<ProductCreated>(id, c);
  e.seller_id = seller_id;
  e.slug = slug_of(c.title, id);
  e.currency = at.policy.default_currency;
  return e;
}

ProductUpdated offer_of(const ProductState& s) {
  ProductUpdated e;
  e.product_id = s.product_id;
  copy_offer(e, s);
  e.is_free = s.is_free;
  return e;
}

// The rules of an offer by itself.
template <class Command>
std::optional<Code> offer_refusal(const Command& c, const PlatformPolicy& policy) {
  const std::int64_t minimum = c.minimum_price_cents.value_or(0);
  if (!ledger::is_price(c.price_cents, policy.min_price_cents) || !ledger::is_price(minimum, policy.min_price_cents))
    return Code::price_below_minimum;
  if (minimum > 0 && !c.allow_name_your_price) return Code::minimum_price_unused;
  // A licence that is sold once is not for whoever asks first.
  if (c.license_type == LicenseType::exclusive && (c.allow_name_your_price ? minimum : c.price_cents) == 0)
    return Code::exclusive_not_free;
  if ((c.license_type == LicenseType::custom) == c.license_text.empty()) return Code::license_text_mismatch;
  return std::nullopt;
}

// The rules of a change of licence (PA-61, M-7).
std::optional<Code> license_change_refusal(const ProductState& s, LicenseType wanted) {
  if (wanted == s.license_type) return std::nullopt;
  if (const auto code = license_refusal(s)) return code;
  if (wanted == LicenseType::exclusive && s.sold_before) return Code::license_fixed;
  return std::nullopt;
}

}  // namespace

// ---- decide

Decision decide(const CreateProduct& c, const Context& at, const View& view) {
  if (!may_act_for(at.actor, c.seller_id) || !is_registered(view.get<AccountState>(c.seller_id)))
    return reject(Code::account_not_found);
  if (is_seller_held_back(c.seller_id, at, view)) return reject(Code::account_banned);
  if (const auto code = offer_refusal(c, at.policy)) return reject(*code);
  auto e = created(c.seller_id, c, at);
  const Uuid id = e.product_id;
  return accept(id, std::move(e), true);
}

Decision decide(const ConvertWebinarRecording& c, const Context& at, const View& view) {
  if (const auto code = conversion_refusal(c.webinar_id, at, view)) return reject(*code);
  if (const auto code = offer_refusal(c, at.policy)) return reject(*code);
  const auto& webinar = view.get<WebinarState>(c.webinar_id);
  auto e = created(webinar.host_id, c, at);
  e.product_type = ProductType::recorded_webinar;
  e.source_webinar_id = c.webinar_id;
  e.file_urls = {webinar.recording_url};
  const Uuid id = e.product_id;
  Accepted accepted = accept(id, std::move(e), true);
  accepted.events.push_back(recording_converted(c.webinar_id, id));
  return accepted;
}

Decision decide(const UpdateProduct& c, const Context& at, const View& view) {
  const auto* s = own(c.product_id, at, view);
  if (!s) return reject(Code::product_not_found);
  auto e = offer_of<ProductUpdated>(c.product_id, c);
  if (e == offer_of(*s)) return nothing_new(c.product_id);
  if (is_seller_held_back(s->seller_id, at, view)) return reject(Code::account_banned);
  if (s->status == Status::deleted) return reject(Code::product_deleted);
  if (const auto code = license_change_refusal(*s, c.license_type)) return reject(*code);
  // What is on sale has files, and what was sold keeps some: its owners download them (A-PA-26).
  if (c.file_urls.empty() && (s->status == Status::active || s->sold_before)) return reject(Code::product_without_files);
  if (const auto code = offer_refusal(c, at.policy)) return reject(*code);
  return accept(c.product_id, std::move(e));
}

Decision decide(const PublishProduct& c, const Context& at, const View& view) {
  const auto* s = own(c.product_id, at, view);
  if (!s) return reject(Code::product_not_found);
  if (s->status == Status::active) return nothing_new(c.product_id);
  if (is_seller_held_back(s->seller_id, at, view)) return reject(Code::account_banned);
  if (s->status == Status::deleted) return reject(Code::product_deleted);
  if (!is_nil(s->sold_to)) return reject(Code::license_sold);
  if (s->file_urls.empty()) return reject(Code::product_without_files);
  return accept(c.product_id, ProductPublished{.product_id = c.product_id});
}

Decision decide(const PauseProduct& c, const Context& at, const View& view) {
  const auto* s = own(c.product_id, at, view);
  if (!s) return reject(Code::product_not_found);
  if (s->status == Status::paused) return nothing_new(c.product_id);
  if (is_seller_held_back(s->seller_id, at, view)) return reject(Code::account_banned);
  if (s->status == Status::deleted) return reject(Code::product_deleted);
  if (s->status != Status::active) return reject(Code::product_not_active);
  return accept(c.product_id, ProductPaused{.product_id = c.product_id});
}

Decision decide(const DeleteProduct& c, const Context& at, const View& view) {
  const auto* s = own(c.product_id, at, view);
  if (!s) return reject(Code::product_not_found);
  if (s->status == Status::deleted) return nothing_new(c.product_id);
  if (is_seller_held_back(s->seller_id, at, view)) return reject(Code::account_banned);
  Accepted accepted = nothing_new(c.product_id);
  if (s->is_featured) {
    accepted.events.push_back({stream_of(c.product_id), ProductUnfeatured{.product_id = c.product_id}});
    accepted.events.push_back(release_featured_slot(s->seller_id, c.product_id, view));
  }
  accepted.events.push_back({stream_of(c.product_id), ProductDeleted{.product_id = c.product_id}});
  return accepted;
}

Decision decide(const ModerateProduct& c, const Context& at, const View& view) {
  const auto* s = own(c.product_id, at, view);
  if (!s) return reject(Code::product_not_found);
  if (!at.actor.trusted()) return reject(Code::admin_only);
  if (s->is_approved == c.is_approved && s->approval_notes == c.approval_notes) return nothing_new(c.product_id);
  return accept(c.product_id, ProductModerated{.product_id = c.product_id,
                                               .is_approved = c.is_approved,
                                               .approval_notes = c.approval_notes,
                                               .moderated_by = at.actor.account});
}

Decision decide(const FeatureProduct& c, const Context& at, const View& view) {
  const auto* s = own(c.product_id, at, view);
  if (!s) return reject(Code::product_not_found);
  if (s->is_featured) return nothing_new(c.product_id);
  if (is_seller_held_back(s->seller_id, at, view)) return reject(Code::account_banned);
  if (s->status == Status::deleted) return reject(Code::product_deleted);
  if (!is_for_sale(*s)) return reject(Code::product_not_active);
  auto claimed = claim_featured_slot(s->seller_id, c.product_id, at, view);
  if (!claimed) return std::unexpected(std::move(claimed.error()));
  Accepted accepted = accept(c.product_id, ProductFeatured{.product_id = c.product_id});
  accepted.events.push_back(std::move(*claimed));
  return accepted;
}

Decision decide(const UnfeatureProduct& c, const Context& at, const View& view) {
  const auto* s = own(c.product_id, at, view);
  if (!s) return reject(Code::product_not_found);
  if (!s->is_featured) return nothing_new(c.product_id);
  if (is_seller_held_back(s->seller_id, at, view)) return reject(Code::account_banned);
  Accepted accepted = accept(c.product_id, ProductUnfeatured{.product_id = c.product_id});
  accepted.events.push_back(release_featured_slot(s->seller_id, c.product_id, view));
  return accepted;
}

// ---- for the decisions of purchases

bool is_for_sale(const ProductState& s) { return s.status == Status::active && s.is_approved; }

std::optional<Code> license_refusal(const ProductState& s) {
  if (!is_nil(s.sold_to)) return Code::license_sold;
  if (!is_nil(s.reserved_by)) return Code::license_reserved;
  return std::nullopt;
}

bool may_complete(const ProductState& s, const Uuid& purchase_id) {
  return s.is_approved && (s.license_type != LicenseType::exclusive || s.reserved_by == purchase_id);
}

std::vector<NewEvent> reserve_license(const ProductState& s, const Uuid& purchase_id, Micros until) {
  if (s.license_type != LicenseType::exclusive) return {};
  return {{stream_of(s.product_id),
           LicenseReserved{.product_id = s.product_id, .purchase_id = purchase_id, .reserved_until = until}}};
}

std::vector<NewEvent> release_license(const ProductState& s, const Uuid& purchase_id) {
  if (s.reserved_by != purchase_id) return {};
  return {{stream_of(s.product_id), LicenseReleased{.product_id = s.product_id, .purchase_id = purchase_id}}};
}

std::vector<NewEvent> sell(const ProductState& s, const Uuid& purchase_id, const Uuid& buyer_id) {
  if (s.license_type != LicenseType::exclusive) {
    if (s.sold_before) return {};
    return {{stream_of(s.product_id), ProductFirstSold{.product_id = s.product_id}}};
  }
  std::vector<NewEvent> events{
      {stream_of(s.product_id), LicenseSold{.product_id = s.product_id, .purchase_id = purchase_id, .buyer_id = buyer_id}}};
  if (s.status == Status::active) events.push_back({stream_of(s.product_id), ProductPaused{.product_id = s.product_id}});
  return events;
}

std::vector<NewEvent> return_license(const ProductState& s, const Uuid& purchase_id) {
  if (s.sold_to != purchase_id) return {};
  return {{stream_of(s.product_id), LicenseReturned{.product_id = s.product_id, .purchase_id = purchase_id}}};
}

std::optional<StreamId> target(const CreateProduct&) { return std::nullopt; }
std::optional<StreamId> target(const ConvertWebinarRecording&) { return std::nullopt; }
std::optional<StreamId> target(const UpdateProduct& c) { return stream_of(c.product_id); }
std::optional<StreamId> target(const PublishProduct& c) { return stream_of(c.product_id); }
std::optional<StreamId> target(const PauseProduct& c) { return stream_of(c.product_id); }
std::optional<StreamId> target(const DeleteProduct& c) { return stream_of(c.product_id); }
std::optional<StreamId> target(const ModerateProduct& c) { return stream_of(c.product_id); }
std::optional<StreamId> target(const FeatureProduct& c) { return stream_of(c.product_id); }
std::optional<StreamId> target(const UnfeatureProduct& c) { return stream_of(c.product_id); }

// ---- apply

void apply(ProductState& s, const ProductCreated& e) {
  s.product_id = e.product_id;
  s.seller_id = e.seller_id;
  s.slug = e.slug;
  s.product_type = e.product_type;
  s.source_webinar_id = e.source_webinar_id;
  copy_offer(s, e);
  s.currency = e.currency;
  s.is_free = e.is_free;
  s.status = Status::draft;
  s.is_approved = true;
}

void apply(ProductState& s, const ProductUpdated& e) {
  copy_offer(s, e);
  s.is_free = e.is_free;
}

void apply(ProductState& s, const ProductPublished&) { s.status = Status::active; }
void apply(ProductState& s, const ProductPaused&) { s.status = Status::paused; }
void apply(ProductState& s, const ProductDeleted&) { s.status = Status::deleted; }

void apply(ProductState& s, const ProductModerated& e) {
  s.is_approved = e.is_approved;
  s.approval_notes = e.approval_notes;
}

void apply(ProductState& s, const ProductFeatured&) { s.is_featured = true; }
void apply(ProductState& s, const ProductUnfeatured&) { s.is_featured = false; }
void apply(ProductState& s, const ProductFirstSold&) { s.sold_before = true; }

void apply(ProductState& s, const LicenseReserved& e) {
  s.reserved_by = e.purchase_id;
  s.reserved_until = e.reserved_until;
}

void apply(ProductState& s, const LicenseReleased&) {
  s.reserved_by = {};
  s.reserved_until = 0;
}

void apply(ProductState& s, const LicenseSold& e) {
  s.reserved_by = {};
  s.reserved_until = 0;
  s.sold_to = e.purchase_id;
  s.sold_before = true;
}

void apply(ProductState& s, const LicenseReturned&) { s.sold_to = {}; }

// ---- reply

AnyResource represent(const ProductState& s, std::uint64_t version, const Uuid&) {
  ProductView v;
  v.id = s.product_id;
  v.version = version;
  v.seller_id = s.seller_id;
  v.slug = s.slug;
  v.product_type = s.product_type;
  v.source_webinar_id = s.source_webinar_id;
  copy_shown(v, s);
  v.currency = s.currency;
  v.is_free = s.is_free;
  v.status = s.status;
  v.is_featured = s.is_featured;
  v.is_approved = s.is_approved;
  return v;
}

bool shows_to(const ProductState& s, const Actor& actor) { return is_for_sale(s) || may_act_for(actor, s.seller_id); }  // PA-63

}  // namespace guildhall
