// What happens to a service, and what may be asked of it. Declared once, in events/service.fbs.
#pragma once

#include <variant>

#include "service_generated.h"

namespace guildhall::service {

using CreateService = ::service::v1::CreateServiceT;
using UpdateService = ::service::v1::UpdateServiceT;
using SetPackage = ::service::v1::SetPackageT;
using RemovePackage = ::service::v1::RemovePackageT;
using PublishService = ::service::v1::PublishServiceT;
using PauseService = ::service::v1::PauseServiceT;
using DeleteService = ::service::v1::DeleteServiceT;
using FeatureService = ::service::v1::FeatureServiceT;

using ServiceCreated = ::service::v1::ServiceCreatedT;
using ServiceUpdated = ::service::v1::ServiceUpdatedT;
using PackageSet = ::service::v1::PackageSetT;
using PackageRemoved = ::service::v1::PackageRemovedT;
using ServicePublished = ::service::v1::ServicePublishedT;
using ServicePaused = ::service::v1::ServicePausedT;
using ServiceDeleted = ::service::v1::ServiceDeletedT;
using ServiceFeaturedSet = ::service::v1::ServiceFeaturedSetT;

using ServiceView = ::service::v1::ServiceViewT;

using Command = std::variant<CreateService, UpdateService, SetPackage, RemovePackage, PublishService, PauseService, DeleteService,
                             FeatureService>;
using Event = std::variant<ServiceCreated, ServiceUpdated, PackageSet, PackageRemoved, ServicePublished, ServicePaused,
                           ServiceDeleted, ServiceFeaturedSet>;
using Resource = std::variant<ServiceView>;

}  // namespace guildhall::service
