#include "aggregates/service.h"

#include <algorithm>
#include <tuple>

#include "aggregates/account.h"
#include "aggregates/ledger.h"
#include "aggregates/slug.h"

namespace guildhall {
namespace {

using namespace service;
using ::service::v1::Status;

StreamId stream_of(const Uuid& service_id) { return {StreamKind::service, service_id}; }

Accepted nothing_new(const Uuid& service_id) { return {.subject = {stream_of(service_id)}}; }

Accepted accept(const Uuid& service_id, AnyEvent event, bool created = false) {
  Accepted out = nothing_new(service_id);
  out.events.push_back({stream_of(service_id), std::move(event)});
  out.created = created;
  return out;
}

// The service that a command names, unless it is absent or another's.
const ServiceState* own(const Uuid& service_id, const Context& at, const View& view) {
  const auto& s = view.get<ServiceState>(service_id);
  return view.exists<ServiceState>(service_id) && may_act_for(at.actor, s.seller_id) ? &s : nullptr;
}

// Why nothing of a service may change.
std::optional<Code> refusal(const ServiceState& s, const Context& at, const View& view) {
  if (s.status == Status::deleted) return Code::service_deleted;
  if (is_held_back(at.actor, view.get<AccountState>(s.seller_id))) return Code::account_banned;
  return std::nullopt;
}

// What commands, events, state and view have in common: copied and compared as one.
template <class T>
auto offer(T& t) {
  return std::tie(t.title, t.description, t.service_type, t.is_mentoring, t.thumbnail_url, t.portfolio_urls, t.buyer_requirements,
                  t.category_id, t.tags, t.genre_tags);
}
template <class T>
auto terms(T& t) {
  return std::tie(t.price_cents, t.delivery_days, t.revisions, t.features);
}

}  // namespace

const ServicePackage* find_package(const ServiceState& s, std::string_view name) {
  const auto found = std::ranges::find_if(s.packages, [&](const auto& p) { return p->name == name; });
  return found == s.packages.end() ? nullptr : found->get();
}

// ---- decide

Decision decide(const CreateService& c, const Context& at, const View& view) {
  const auto& seller = view.get<AccountState>(c.seller_id);
  if (!is_registered(seller) || !may_act_for(at.actor, c.seller_id)) return reject(Code::account_not_found);
  if (is_held_back(at.actor, seller)) return reject(Code::account_banned);
  const Uuid id = at.mint("service");
  ServiceCreated e{
      .service_id = id, .seller_id = c.seller_id, .slug = slug_of(c.title, id), .currency = at.policy.default_currency};
  offer(e) = offer(c);
  return accept(id, std::move(e), true);
}

Decision decide(const UpdateService& c, const Context& at, const View& view) {
  const auto* s = own(c.service_id, at, view);
  if (!s) return reject(Code::service_not_found);
  if (offer(*s) == offer(c)) return nothing_new(c.service_id);
  if (const auto code = refusal(*s, at, view)) return reject(*code);
  ServiceUpdated e{.service_id = c.service_id};
  offer(e) = offer(c);
  return accept(c.service_id, std::move(e));
}

Decision decide(const SetPackage& c, const Context& at, const View& view) {
  const auto* s = own(c.service_id, at, view);
  if (!s) return reject(Code::service_not_found);
  const auto* old = find_package(*s, c.name);
  if (old != nullptr && terms(*old) == terms(c)) return nothing_new(c.service_id);
  if (const auto code = refusal(*s, at, view)) return reject(*code);
  if (old == nullptr && s->packages.size() >= max_packages) return reject(Code::package_limit_reached);
  if (!ledger::is_price(c.price_cents, at.policy.min_price_cents)) return reject(Code::price_below_minimum);
  PackageSet e{.service_id = c.service_id, .name = c.name};
  e.position = old != nullptr ? old->position : s->packages.empty() ? 1 : s->packages.back()->position + 1;
  terms(e) = terms(c);
  return accept(c.service_id, std::move(e));
}

Decision decide(const RemovePackage& c, const Context& at, const View& view) {
  const auto* s = own(c.service_id, at, view);
  if (!s) return reject(Code::service_not_found);
  if (find_package(*s, c.name) == nullptr) return nothing_new(c.service_id);
  if (const auto code = refusal(*s, at, view)) return reject(*code);
  if (s->status == Status::active && s->packages.size() == 1) return reject(Code::package_missing);
  return accept(c.service_id, PackageRemoved{.service_id = c.service_id, .name = c.name});
}

Decision decide(const PublishService& c, const Context& at, const View& view) {
  const auto* s = own(c.service_id, at, view);
  if (!s) return reject(Code::service_not_found);
  if (s->status == Status::active) return nothing_new(c.service_id);
  if (const auto code = refusal(*s, at, view)) return reject(*code);
  if (s->packages.empty()) return reject(Code::package_missing);
  return accept(c.service_id, ServicePublished{.service_id = c.service_id});
}

Decision decide(const PauseService& c, const Context& at, const View& view) {
  const auto* s = own(c.service_id, at, view);
  if (!s) return reject(Code::service_not_found);
  if (s->status == Status::paused) return nothing_new(c.service_id);
  if (const auto code = refusal(*s, at, view)) return reject(*code);
  if (s->status != Status::active) return reject(Code::service_not_active);
  return accept(c.service_id, ServicePaused{.service_id = c.service_id});
}

Decision decide(const DeleteService& c, const Context& at, const View& view) {
  const auto* s = own(c.service_id, at, view);
  if (!s) return reject(Code::service_not_found);
  if (s->status == Status::deleted) return nothing_new(c.service_id);
  if (const auto code = refusal(*s, at, view)) return reject(*code);
  return accept(c.service_id, ServiceDeleted{.service_id = c.service_id});
}

Decision decide(const FeatureService& c, const Context& at, const View& view) {
  const auto* s = own(c.service_id, at, view);
  if (!s) return reject(Code::service_not_found);
  if (!at.actor.trusted()) return reject(Code::admin_only);
  if (s->is_featured == c.is_featured) return nothing_new(c.service_id);
  if (const auto code = refusal(*s, at, view)) return reject(*code);
  return accept(c.service_id, ServiceFeaturedSet{.service_id = c.service_id, .is_featured = c.is_featured});
}

std::optional<StreamId> target(const CreateService&) { return std::nullopt; }
std::optional<StreamId> target(const UpdateService& c) { return stream_of(c.service_id); }
std::optional<StreamId> target(const SetPackage& c) { return stream_of(c.service_id); }
std::optional<StreamId> target(const RemovePackage& c) { return stream_of(c.service_id); }
std::optional<StreamId> target(const PublishService& c) { return stream_of(c.service_id); }
std::optional<StreamId> target(const PauseService& c) { return stream_of(c.service_id); }
std::optional<StreamId> target(const DeleteService& c) { return stream_of(c.service_id); }
std::optional<StreamId> target(const FeatureService& c) { return stream_of(c.service_id); }

// ---- apply

void apply(ServiceState& s, const ServiceCreated& e) {
  s.service_id = e.service_id;
  s.seller_id = e.seller_id;
  s.slug = e.slug;
  offer(s) = offer(e);
  s.currency = e.currency;
  s.status = Status::draft;
}

void apply(ServiceState& s, const ServiceUpdated& e) { offer(s) = offer(e); }

void apply(ServiceState& s, const PackageSet& e) {
  const auto found = std::ranges::find_if(s.packages, [&](const auto& p) { return p->name == e.name; });
  auto& package = found != s.packages.end() ? *found : s.packages.emplace_back(std::make_unique<ServicePackage>());
  package->name = e.name;
  package->position = e.position;
  terms(*package) = terms(e);
}

void apply(ServiceState& s, const PackageRemoved& e) {
  std::erase_if(s.packages, [&](const auto& p) { return p->name == e.name; });
}

void apply(ServiceState& s, const ServicePublished&) { s.status = Status::active; }
void apply(ServiceState& s, const ServicePaused&) { s.status = Status::paused; }
void apply(ServiceState& s, const ServiceDeleted&) { s.status = Status::deleted; }
void apply(ServiceState& s, const ServiceFeaturedSet& e) { s.is_featured = e.is_featured; }

// ---- reply

AnyResource represent(const ServiceState& s, std::uint64_t version, const Uuid&) {
  ServiceView view{.id = s.service_id,
                   .version = version,
                   .seller_id = s.seller_id,
                   .slug = s.slug,
                   .currency = s.currency,
                   .status = s.status,
                   .is_featured = s.is_featured};
  offer(view) = offer(s);
  for (const auto& p : s.packages) {
    view.package_names.push_back(p->name);
    view.package_terms.emplace_back(p->price_cents, p->delivery_days, p->revisions);
  }
  return view;
}

// PA-70: what is offered is for everybody who is signed in, the rest for its seller.
bool shows_to(const ServiceState& s, const Actor& actor) {
  return may_act_for(actor, s.seller_id) || (s.status == Status::active && actor.kind == ActorKind::user);
}

}  // namespace guildhall
