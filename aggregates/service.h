// What a seller does for buyers, by packages (PA-67..70, A-PA-28).
//
//   draft -> active <-> paused; any -> deleted, for good.
// An active service has a package at least. Its slug is made with it and never changes.
#pragma once

#include "aggregates/aggregates.h"

namespace guildhall {

inline constexpr std::size_t max_packages = 10;  // Of one service.

using ServicePackage = ::service::state::PackageT;
// nullptr: the service has none of that name. Lives as long as the state.
const ServicePackage* find_package(const ServiceState& s, std::string_view name);

Decision decide(const service::CreateService& c, const Context& at, const View& view);
Decision decide(const service::UpdateService& c, const Context& at, const View& view);
Decision decide(const service::SetPackage& c, const Context& at, const View& view);
Decision decide(const service::RemovePackage& c, const Context& at, const View& view);
Decision decide(const service::PublishService& c, const Context& at, const View& view);
Decision decide(const service::PauseService& c, const Context& at, const View& view);
Decision decide(const service::DeleteService& c, const Context& at, const View& view);
Decision decide(const service::FeatureService& c, const Context& at, const View& view);

std::optional<StreamId> target(const service::CreateService& c);
std::optional<StreamId> target(const service::UpdateService& c);
std::optional<StreamId> target(const service::SetPackage& c);
std::optional<StreamId> target(const service::RemovePackage& c);
std::optional<StreamId> target(const service::PublishService& c);
std::optional<StreamId> target(const service::PauseService& c);
std::optional<StreamId> target(const service::DeleteService& c);
std::optional<StreamId> target(const service::FeatureService& c);

void apply(ServiceState& s, const service::ServiceCreated& e);
void apply(ServiceState& s, const service::ServiceUpdated& e);
void apply(ServiceState& s, const service::PackageSet& e);
void apply(ServiceState& s, const service::PackageRemoved& e);
void apply(ServiceState& s, const service::ServicePublished& e);
void apply(ServiceState& s, const service::ServicePaused& e);
void apply(ServiceState& s, const service::ServiceDeleted& e);
void apply(ServiceState& s, const service::ServiceFeaturedSet& e);

AnyResource represent(const ServiceState& s, std::uint64_t version, const Uuid& part);
bool shows_to(const ServiceState& s, const Actor& actor);

}  // namespace guildhall
