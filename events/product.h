// What happens to a product, and what may be asked of it. Declared once, in events/product.fbs.
#pragma once

#include <variant>

#include "product_generated.h"

namespace guildhall::product {

using CreateProduct = ::product::v1::CreateProductT;
using ConvertWebinarRecording = ::product::v1::ConvertWebinarRecordingT;
using UpdateProduct = ::product::v1::UpdateProductT;
using PublishProduct = ::product::v1::PublishProductT;
using PauseProduct = ::product::v1::PauseProductT;
using DeleteProduct = ::product::v1::DeleteProductT;
using ModerateProduct = ::product::v1::ModerateProductT;
using FeatureProduct = ::product::v1::FeatureProductT;
using UnfeatureProduct = ::product::v1::UnfeatureProductT;

using ProductCreated = ::product::v1::ProductCreatedT;
using ProductUpdated = ::product::v1::ProductUpdatedT;
using ProductPublished = ::product::v1::ProductPublishedT;
using ProductPaused = ::product::v1::ProductPausedT;
using ProductDeleted = ::product::v1::ProductDeletedT;
using ProductModerated = ::product::v1::ProductModeratedT;
using ProductFeatured = ::product::v1::ProductFeaturedT;
using ProductUnfeatured = ::product::v1::ProductUnfeaturedT;
using ProductFirstSold = ::product::v1::ProductFirstSoldT;
using LicenseReserved = ::product::v1::LicenseReservedT;
using LicenseReleased = ::product::v1::LicenseReleasedT;
using LicenseSold = ::product::v1::LicenseSoldT;
using LicenseReturned = ::product::v1::LicenseReturnedT;

using ProductView = ::product::v1::ProductViewT;

using Command = std::variant<CreateProduct, ConvertWebinarRecording, UpdateProduct, PublishProduct, PauseProduct, DeleteProduct,
                             ModerateProduct, FeatureProduct, UnfeatureProduct>;
using Event = std::variant<ProductCreated, ProductUpdated, ProductPublished, ProductPaused, ProductDeleted, ProductModerated,
                           ProductFeatured, ProductUnfeatured, ProductFirstSold, LicenseReserved, LicenseReleased, LicenseSold,
                           LicenseReturned>;
using Resource = std::variant<ProductView>;

}  // namespace guildhall::product
