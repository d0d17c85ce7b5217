#include "aggregates/service.h"

#include "aggregates/slug.h"
#include "tests/aggregates/ordering.h"

namespace guildhall::testing {
namespace {

using namespace service;
using ::service::v1::ServiceType;
using ::service::v1::Status;

class Service : public Ordering {
 public:
  const ServiceState& the_service(const Uuid& id) const { return state<ServiceState>(id); }
  ServiceView view(const Uuid& id) const { return resource<ServiceView>({{StreamKind::service, id}, {}}); }
  template <class Command>
  Outcome ask(const Actor& who, const Uuid& id) {
    return send(who, Command{.service_id = id});
  }
  UpdateService update(const Uuid& id) const {
    return {.service_id = id,
            .title = "Mixing and mastering",
            .description = "Louder.",
            .service_type = ServiceType::mastering,
            .is_mentoring = true,
            .thumbnail_url = "https://cdn.example/a.png",
            .portfolio_urls = {"https://cdn.example/a.wav"},
            .buyer_requirements = "Stems",
            .category_id = id_of("mixing"),
            .tags = {"loud"},
            .genre_tags = {"techno"}};
  }
};

TEST_F(Service, begins_as_a_draft_with_a_slug) {  // PA-67, PA-68, M-1
  CreateService c{.seller_id = sid, .title = "Café Mixing!", .service_type = ServiceType::mixing, .tags = {"mix"}};
  const auto accepted = send(user(sid), c).then_accepted();
  EXPECT_TRUE(accepted.created);
  const Uuid id = accepted.subject.stream.id;
  EXPECT_EQ(bucket_of(id), test_bucket) << "the seller's group";
  const auto shown = view(id);
  EXPECT_EQ(shown.status, Status::draft);
  EXPECT_EQ(shown.slug, slug_of("Café Mixing!", id));
  EXPECT_EQ(shown.currency, "USD") << "A-PA-12";
  EXPECT_EQ(shown.tags, c.tags);
  EXPECT_FALSE(shown.is_mentoring) << "PA-69: a flag, off by itself";
}

TEST_F(Service, is_made_by_its_seller_unless_banned) {  // PA-70, PA-13
  const CreateService c{.seller_id = sid, .title = "Mixing"};
  send(user(eve), c).then_rejected(Code::account_not_found);
  send(service(), CreateService{.seller_id = id_of("nobody"), .title = "Mixing"}).then_rejected(Code::account_not_found);
  given({account::AccountBanned{.account_id = sid}});
  send(user(sid), c).then_rejected(Code::account_banned);
  ask<PauseService>(user(sid), mixing).then_rejected(Code::account_banned);
  ask<PauseService>(service(), mixing).then_accepted();
}

TEST_F(Service, is_replaced_as_a_whole_and_keeps_slug_and_packages) {  // PA-67
  const std::string slug = view(mixing).slug;
  const auto c = update(mixing);
  send(user(eve), c).then_rejected(Code::service_not_found);
  send(user(sid), c)
      .then({ServiceUpdated{.service_id = mixing,
                            .title = c.title,
                            .description = c.description,
                            .service_type = c.service_type,
                            .is_mentoring = true,
                            .thumbnail_url = c.thumbnail_url,
                            .portfolio_urls = c.portfolio_urls,
                            .buyer_requirements = c.buyer_requirements,
                            .category_id = c.category_id,
                            .tags = c.tags,
                            .genre_tags = c.genre_tags}});
  send(user(sid), c).then_nothing();
  const auto shown = view(mixing);
  EXPECT_EQ(shown.slug, slug);
  EXPECT_EQ(shown.title, c.title);
  EXPECT_EQ(shown.package_names, (std::vector<std::string>{"basic", "plain", "taste"}));
  EXPECT_TRUE(shown.is_mentoring);
}

TEST_F(Service, packages_are_set_by_name_and_keep_their_place) {  // PA-67, A-PA-11
  set_package(mixing, "basic", 12'000, 4, 1)
      .then({PackageSet{.service_id = mixing,
                        .name = "basic",
                        .position = 1,
                        .price_cents = 12'000,
                        .delivery_days = 4,
                        .revisions = 1,
                        .features = {"stems"}}});
  set_package(mixing, "basic", 12'000, 4, 1).then_nothing();
  const RemovePackage remove{.service_id = mixing, .name = "plain"};
  send(user(eve), remove).then_rejected(Code::service_not_found);
  send(user(sid), remove).then({PackageRemoved{.service_id = mixing, .name = "plain"}});
  send(user(sid), remove).then_nothing();
  set_package(mixing, "plain", 9'000, 2, 0).then_accepted();
  const auto shown = view(mixing);
  EXPECT_EQ(shown.package_names, (std::vector<std::string>{"basic", "taste", "plain"}));
  ASSERT_EQ(shown.package_terms.size(), 3u);
  EXPECT_EQ(shown.package_terms[0].price_cents(), 12'000);
  EXPECT_EQ(shown.package_terms[0].delivery_days(), 4);
  EXPECT_EQ(shown.package_terms[2].price_cents(), 9'000);
}

TEST_F(Service, a_package_costs_nothing_or_the_smallest_price) {  // A-PA-13, ledger.md
  set_package(mixing, "cheap", 99, 1, 0).then_rejected(Code::price_below_minimum);
  set_package(mixing, "cheap", 100, 1, 0).then_accepted();
  set_package(mixing, "free", 0, 1, 0).then_accepted();
}

TEST_F(Service, has_ten_packages_at_most) {  // PA-67
  for (std::size_t i = 3; i < max_packages; ++i) set_package(mixing, "extra " + std::to_string(i), 1'000, 1, 0).then_accepted();
  set_package(mixing, "one more", 1'000, 1, 0).then_rejected(Code::package_limit_reached);
  set_package(mixing, "basic", 1'000, 1, 0).then_accepted();
}

TEST_F(Service, is_on_offer_with_a_package_only) {  // PA-67, PA-68
  const Uuid id = drafted("");
  ask<PublishService>(user(sid), id).then_rejected(Code::package_missing);
  set_package(id, "only", 1'000, 1, 0).then_accepted();
  ask<PauseService>(user(sid), id).then_rejected(Code::service_not_active);
  ask<PublishService>(user(sid), id).then({ServicePublished{.service_id = id}});
  ask<PublishService>(user(sid), id).then_nothing();
  send(user(sid), RemovePackage{.service_id = id, .name = "only"}).then_rejected(Code::package_missing);
  ask<PauseService>(user(sid), id).then({ServicePaused{.service_id = id}});
  ask<PauseService>(user(sid), id).then_nothing();
  send(user(sid), RemovePackage{.service_id = id, .name = "only"}).then_accepted();
  ask<PublishService>(user(sid), id).then_rejected(Code::package_missing);
}

TEST_F(Service, is_deleted_for_good) {  // PA-68, §9
  ask<DeleteService>(user(eve), mixing).then_rejected(Code::service_not_found);
  ask<DeleteService>(user(sid), mixing).then({ServiceDeleted{.service_id = mixing}});
  ask<DeleteService>(user(sid), mixing).then_nothing();
  ask<PublishService>(user(sid), mixing).then_rejected(Code::service_deleted);
  ask<PauseService>(user(sid), mixing).then_rejected(Code::service_deleted);
  set_package(mixing, "basic", 1'000, 1, 0).then_rejected(Code::service_deleted);
  send(user(sid), RemovePackage{.service_id = mixing, .name = "basic"}).then_rejected(Code::service_deleted);
  send(user(sid), update(mixing)).then_rejected(Code::service_deleted);
  send(admin(boss), FeatureService{.service_id = mixing, .is_featured = true}).then_rejected(Code::service_deleted);
}

TEST_F(Service, is_featured_by_admins_without_a_limit) {  // A-PA-28
  const FeatureService feature{.service_id = mixing, .is_featured = true};
  send(user(eve), feature).then_rejected(Code::service_not_found);
  send(user(sid), feature).then_rejected(Code::admin_only);
  send(admin(boss), feature).then({ServiceFeaturedSet{.service_id = mixing, .is_featured = true}});
  send(admin(boss), feature).then_nothing();
  send(admin(boss), FeatureService{.service_id = published(""), .is_featured = true}).then_accepted();
  send(admin(boss), FeatureService{.service_id = mixing, .is_featured = false}).then_accepted();
  EXPECT_FALSE(view(mixing).is_featured);
}

TEST_F(Service, is_shown_to_all_who_are_signed_in_while_it_is_active) {  // PA-70
  const auto seen_by = [&](const Actor& who) { return shows_to(the_service(mixing), who); };
  EXPECT_TRUE(seen_by(user(eve)));
  EXPECT_FALSE(seen_by(Actor{}));
  ask<PauseService>(user(sid), mixing);
  EXPECT_FALSE(seen_by(user(eve)));
  EXPECT_TRUE(seen_by(user(sid)));
  EXPECT_TRUE(seen_by(admin(boss)));
  EXPECT_TRUE(seen_by(service()));
}

}  // namespace
}  // namespace guildhall::testing
