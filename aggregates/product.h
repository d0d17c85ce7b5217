// What a seller sells as files (PA-58..66, A-PA-11, A-PA-13, A-PA-25..27, A-PA-29, A-PA-53, M-7).
//
//   draft -> active <-> paused; draft | active | paused -> deleted, for good. Beside it is_approved, an admin's word: what is
//   active and approved is for sale and shown to everybody. Deleting frees a featured slot, pausing keeps it.
// An offer is free, or costs at least the platform's smallest price, or lets the buyer name a price of at least its minimum. An
// exclusive one costs something in any case.
// The recording of an ended webinar becomes a product when its host says so, once for ever (PA-62): webinar and product are of
// one entity group, and each names the other. From there on it is a product like any.
// The licence of an exclusive product: free -> reserved -> sold | free; sold -> free by a full refund. While it is reserved or
// sold nobody else buys, and it stays exclusive; sold, the product is paused. After any sale, a refunded one too, a product can't
// become exclusive: somebody may have kept the files.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

Decision decide(const product::CreateProduct& c, const Context& at, const View& view);
Decision decide(const product::ConvertWebinarRecording& c, const Context& at, const View& view);
Decision decide(const product::UpdateProduct& c, const Context& at, const View& view);
Decision decide(const product::PublishProduct& c, const Context& at, const View& view);
Decision decide(const product::PauseProduct& c, const Context& at, const View& view);
Decision decide(const product::DeleteProduct& c, const Context& at, const View& view);
Decision decide(const product::ModerateProduct& c, const Context& at, const View& view);
Decision decide(const product::FeatureProduct& c, const Context& at, const View& view);
Decision decide(const product::UnfeatureProduct& c, const Context& at, const View& view);

// ---- for the decisions of purchases

bool is_for_sale(const ProductState& s);
// Another purchase has the licence, or has bought it.
std::optional<Code> license_refusal(const ProductState& s);
// Whether a purchase that was begun may become a sale. Its seller may have paused or deleted the product since: the buyer was
// there before. But an admin may have taken it down, or it may have become exclusive and this purchase not be the one that
// reserved it.
bool may_complete(const ProductState& s, const Uuid& purchase_id);
// {} unless the product is exclusive.
std::vector<NewEvent> reserve_license(const ProductState& s, const Uuid& purchase_id, Micros until);
// {} unless this purchase has it reserved.
std::vector<NewEvent> release_license(const ProductState& s, const Uuid& purchase_id);
// What a sale means to its product.
std::vector<NewEvent> sell(const ProductState& s, const Uuid& purchase_id, const Uuid& buyer_id);
// {} unless this purchase has bought it.
std::vector<NewEvent> return_license(const ProductState& s, const Uuid& purchase_id);

std::optional<StreamId> target(const product::CreateProduct& c);
std::optional<StreamId> target(const product::ConvertWebinarRecording& c);
std::optional<StreamId> target(const product::UpdateProduct& c);
std::optional<StreamId> target(const product::PublishProduct& c);
std::optional<StreamId> target(const product::PauseProduct& c);
std::optional<StreamId> target(const product::DeleteProduct& c);
std::optional<StreamId> target(const product::ModerateProduct& c);
std::optional<StreamId> target(const product::FeatureProduct& c);
std::optional<StreamId> target(const product::UnfeatureProduct& c);

void apply(ProductState& s, const product::ProductCreated& e);
void apply(ProductState& s, const product::ProductUpdated& e);
void apply(ProductState& s, const product::ProductPublished& e);
void apply(ProductState& s, const product::ProductPaused& e);
void apply(ProductState& s, const product::ProductDeleted& e);
void apply(ProductState& s, const product::ProductModerated& e);
void apply(ProductState& s, const product::ProductFeatured& e);
void apply(ProductState& s, const product::ProductUnfeatured& e);
void apply(ProductState& s, const product::ProductFirstSold& e);
void apply(ProductState& s, const product::LicenseReserved& e);
void apply(ProductState& s, const product::LicenseReleased& e);
void apply(ProductState& s, const product::LicenseSold& e);
void apply(ProductState& s, const product::LicenseReturned& e);

AnyResource represent(const ProductState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const ProductState& s, const Actor& actor);

}  // namespace guildhall
