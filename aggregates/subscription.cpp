#include "aggregates/subscription.h"

namespace guildhall {

using namespace subscription;

void apply(SubscriptionState& s, const SubscriptionStarted& e) {
  s.account_id = e.account_id;
  s.tier = e.tier;
  s.status = ::subscription::v1::Status::active;
}

AnyResource represent(const SubscriptionState& s, std::uint64_t version, const Uuid&) {
  return SubscriptionView{.id = s.account_id, .version = version, .tier = s.tier, .interval = s.interval, .status = s.status};
}

bool shows_to(const SubscriptionState& s, const Actor& actor) { return actor.trusted() || actor.is(s.account_id); }  // PA-39

}  // namespace guildhall
