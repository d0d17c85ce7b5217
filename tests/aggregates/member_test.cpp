// What members of the music marketplace show of themselves, where they are, and what they are called (PA-3..14).
#include <array>
#include <deque>
#include <map>
#include <random>
#include <set>

#include "aggregates/account.h"
#include "aggregates/smart_link.h"
#include "aggregates/subscription.h"
#include "aggregates/username.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {
namespace {

using ::account::v1::LocationSource;
using ::account::v1::LocationVisibility;
using ::account::v1::MemberLevel;
using ::account::v1::ProfileVisibility;
using ::account::v1::Role;
using ::subscription::v1::Tier;

const Uuid anna = id_of("anna");
const Uuid bert = id_of("bert");
const Uuid root = id_of("root");
const Uuid beats = id_of("claim of beats", 0x111), drums = id_of("claim of drums", 0x222);
const Uuid first = id_of("first attempt", 0x111), second = id_of("second attempt", 0x111), third = id_of("third attempt", 0x222);

class Member : public Given {
 public:
  Member() {
    policy.aggregates = {"account", "claim", "subscription", "wallet", "payout", "payment"};
    policy.commands_off = {};
    policy.roles = {"member", "author", "admin", "super_admin"};
    policy.default_currency = "USD";
    for (const Uuid& who : {anna, bert})
      given({account::AccountRegistered{.account_id = who,
                                        .display_name = "A member",
                                        .role = Role::member,
                                        .timezone = "UTC",
                                        .username = generated_username(who)},
             subscription::SubscriptionStarted{.account_id = who}});
    as(user(anna));
  }

  account::AccountView view(const Uuid& who = anna) const {
    return resource<account::AccountView>({{StreamKind::account, who}, {}});
  }
  void subscribe(Tier tier) { given({subscription::SubscriptionStarted{.account_id = anna, .tier = tier}}); }
  void ban() { given({account::AccountBanned{.account_id = anna}}); }
};

// ---- what is shown

account::UpdateMemberProfile profile() {
  account::UpdateMemberProfile c;
  c.account_id = anna;
  c.bio = "Beats and more.";
  c.banner_url = "https://pictures.example/banner";
  c.smart_link = "rolink.me/anna";
  c.website_url = "https://anna.example";
  c.experience_level = MemberLevel::veteran;
  c.profile_visibility = ProfileVisibility::members_only;
  c.location_visibility = LocationVisibility::city;
  return c;
}

TEST_F(Member, replaces_what_is_shown_once) {  // PA-3, PA-5, PA-7, PA-14
  account::MemberProfileUpdated e;
  e.account_id = anna;
  e.bio = "Beats and more.";
  e.banner_url = "https://pictures.example/banner";
  e.smart_link = "https://rolink.me/anna";
  e.website_url = "https://anna.example";
  e.experience_level = MemberLevel::veteran;
  e.profile_visibility = ProfileVisibility::members_only;
  e.location_visibility = LocationVisibility::city;
  when(profile()).then({e});
  when(profile()).then_nothing();
  auto spelled = profile();
  spelled.smart_link = "HTTP://Rolink.ME/anna";
  when(spelled).then_nothing();  // The same link.
  EXPECT_EQ(view().smart_link, "https://rolink.me/anna");
  EXPECT_EQ(view().experience_level, MemberLevel::veteran);
  // What is left out is gone (decisions: PUT), and nothing is shown of the location then.
  account::UpdateMemberProfile nothing;
  nothing.account_id = anna;
  account::MemberProfileUpdated emptied;
  emptied.account_id = anna;
  emptied.location_visibility = LocationVisibility::hidden;
  when(nothing).then({emptied});
  EXPECT_EQ(view().experience_level, flatbuffers::nullopt);
  EXPECT_EQ(view().profile_visibility, ProfileVisibility::public_);
}

TEST_F(Member, a_smart_link_is_a_page_of_rolink) {  // PA-10, A-PA-42
  struct Case {
    std::string given;
    std::optional<std::string> kept;
  };
  const Case cases[] = {
      {"https://rolink.me/anna", "https://rolink.me/anna"},
      {"http://rolink.me/anna", "https://rolink.me/anna"},
      {"rolink.me/anna", "https://rolink.me/anna"},
      {"www.rolink.me/Anna/B?x=1#y", "https://www.rolink.me/Anna/B?x=1#y"},
      {"HTTPS://WWW.ROLINK.ME/Anna", "https://www.rolink.me/Anna"},
      {"https://rolink.me/", "https://rolink.me/"},
      {"https://rolink.me", std::nullopt},
      {"https://rolink.me?x=/", std::nullopt},
      {"https://rolink.me#/x", std::nullopt},
      {"ftp://rolink.me/anna", std::nullopt},
      {"javascript://rolink.me/anna", std::nullopt},
      {"//rolink.me/anna", std::nullopt},
      {"https://https://rolink.me/anna", std::nullopt},
      {"https://anna@rolink.me/anna", std::nullopt},
      {"https://anna:pw@rolink.me/anna", std::nullopt},
      {"https://rolink.me@evil.example/anna", std::nullopt},
      {"https://rolink.me:443/anna", std::nullopt},
      {"https://rolink.me./anna", std::nullopt},
      {"https://my.rolink.me/anna", std::nullopt},
      {"https://rolink.me.evil.example/anna", std::nullopt},
      {"https://evil.example/rolink.me/anna", std::nullopt},
      {"https://rolink.me\\anna", std::nullopt},
      {"https://rolink.me/anna\n<script>", std::nullopt},
      {"https://rolink.me/a nna", std::nullopt},
      {" https://rolink.me/anna", std::nullopt},
      {"https://rolink.me/\xc3\xa6", std::nullopt},
      {std::string("https://rolink.me/a\0b", 21), std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(canonical_smart_link(c.given), c.kept) << c.given;
    EXPECT_TRUE(!c.kept || canonical_smart_link(*c.kept) == c.kept) << "not canonical: " << c.given;
  }
  auto wrong = profile();
  wrong.smart_link = "https://linktr.ee/anna";
  when(wrong).then_rejected(Code::smart_link_not_allowed);
  wrong.smart_link = "";
  when(wrong).then_accepted();  // PA-10: nullable.
}

// ---- where they are

account::SetLocation at_home() {
  account::SetLocation c;
  c.account_id = anna;
  c.location_city = "Aarhus";
  c.location_country = "Denmark";
  c.location_source = LocationSource::ip;
  return c;
}
account::SetLocation by_gps(std::int32_t longitude) {
  auto c = at_home();
  c.longitude_microdegrees = longitude;
  c.latitude_microdegrees = 56'162'939;
  c.location_source = LocationSource::gps;
  return c;
}

TEST_F(Member, replaces_where_it_is_once) {  // PA-8, PA-12
  account::LocationSet e;
  e.account_id = anna;
  e.location_city = "Aarhus";
  e.location_country = "Denmark";
  e.location_source = LocationSource::ip;
  when(at_home()).then({e});
  when(at_home()).then_nothing();
  EXPECT_EQ(view().location_city, "Aarhus");
  account::SetLocation nowhere;
  nowhere.account_id = anna;
  account::LocationSet gone;
  gone.account_id = anna;
  when(nowhere).then({gone});
  when(nowhere).then_nothing();
}

TEST_F(Member, replacing_the_profile_keeps_the_location) {  // A-PA-41
  subscribe(Tier::standard);
  when(by_gps(10'203'921)).then_accepted();
  when(profile()).then_accepted();
  EXPECT_EQ(state<AccountState>(anna).longitude_microdegrees, 10'203'921);
}

TEST_F(Member, a_location_says_where_it_comes_from) {  // PA-8
  auto c = at_home();
  c.location_source = {};
  when(c).then_rejected(Code::location_source_mismatch);
  account::SetLocation source_only;
  source_only.account_id = anna;
  source_only.location_source = LocationSource::manual;
  when(source_only).then_rejected(Code::location_source_mismatch);
}

TEST_F(Member, a_position_has_two_coordinates) {  // PA-3
  subscribe(Tier::standard);
  for (const auto missing : {&account::SetLocation::longitude_microdegrees, &account::SetLocation::latitude_microdegrees}) {
    auto c = by_gps(10'203'921);
    c.*missing = {};
    when(c).then_rejected(Code::coordinates_incomplete);
  }
  auto c = at_home();
  c.location_source = LocationSource::gps;
  when(c).then_rejected(Code::coordinates_incomplete);
}

TEST_F(Member, gps_is_for_tiers_above_basic) {  // PA-12, M-5
  when(by_gps(1)).then_rejected(Code::gps_needs_paid_tier);
  as(service()).when(by_gps(1)).then_rejected(Code::gps_needs_paid_tier);
  as(user(anna));
  for (const Tier tier : {Tier::standard, Tier::premium, Tier::ultimate}) {
    subscribe(tier);
    when(by_gps(static_cast<std::int32_t>(tier))).then_accepted();
  }
}

TEST_F(Member, after_a_downgrade_the_stored_position_stays_and_no_new_one_comes) {  // PA-12, M-5
  subscribe(Tier::standard);
  when(by_gps(1)).then_accepted();
  given({subscription::SubscriptionPastDue{.account_id = anna}});
  when(by_gps(2)).then_accepted();  // A-PA-50: the tier is kept.
  given({subscription::SubscriptionUnpaid{.account_id = anna}});
  when(by_gps(3)).then_rejected(Code::gps_needs_paid_tier);
  when(by_gps(2)).then_nothing();
  auto renamed = by_gps(2);
  renamed.location_city = "Viby";
  when(renamed).then_accepted();
  when(at_home()).then_accepted();
  when(by_gps(2)).then_rejected(Code::gps_needs_paid_tier);  // It would be a new one.
}

// ---- usernames

account::ChangeUsername call_me(std::string_view name, const Uuid& claim, const Uuid& hold, std::uint64_t version = 1) {
  account::ChangeUsername c;
  c.account_id = anna;
  c.username = name;
  c.username_claim_id = claim;
  c.username_hold_id = hold;
  c.username_hold_version = version;
  return c;
}

claim::HoldClaim hold(const Uuid& claim, const Uuid& who, const Uuid& attempt) {
  return {.claim_id = claim, .kind = "username", .account_id = who, .hold_id = attempt};
}

account::AnswerClaim answer(const Uuid& claim, const Uuid& attempt) {
  return {.account_id = anna, .claim_id = claim, .hold_id = attempt};
}

class Username : public Member {
 public:
  // As the shards do: what a decision's events tell others, and what that leads to.
  void react_to(const Accepted& accepted) {
    const Actor before = actor;
    as(the_system());
    for (const auto& e : accepted.events)
      for (const auto& told : react(e.event)) {
        const Outcome led_to = when(told.command);
        if (led_to.decision()) react_to(*led_to.decision());
      }
    as(before);
  }
  void take(std::string_view name, const Uuid& claim, const Uuid& attempt) {
    when(hold(claim, anna, attempt)).then_accepted();
    react_to(when(call_me(name, claim, attempt, world.load({StreamKind::claim, claim}).version)).then_accepted());
  }
  ::claim::v1::Status status(const Uuid& claim) const { return state<ClaimState>(claim).status; }
};

TEST_F(Username, a_new_account_has_one_made_from_its_id) {  // A-PA-45, M-12
  const Uuid cleo = id_of("cleo");
  account::RegisterAccount c;
  c.id = cleo;
  c.email = "cleo@example.org";
  c.display_name = "Cleo";
  c.role = Role::member;
  c.timezone = "UTC";
  as(user(cleo)).when(c).then_accepted();
  const std::string name = view(cleo).username;
  EXPECT_EQ(name, generated_username(cleo));
  EXPECT_EQ(name.size(), 15u);
  EXPECT_TRUE(name.starts_with("user_"));
  EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", 5), std::string::npos) << name;
  std::set<std::string> names;
  for (int i = 0; i < 10'000; ++i) names.insert(generated_username(id_of(std::to_string(i))));
  EXPECT_EQ(names.size(), 10'000u);
}

TEST_F(Username, a_platform_without_them_gives_none) {
  policy.commands_off = {"account.v1.ChangeUsername"};
  account::RegisterAccount c;
  c.id = id_of("cleo");
  c.role = Role::member;
  c.timezone = "UTC";
  as(service()).when(c).then_accepted();
  EXPECT_EQ(view(c.id).username, "");
  EXPECT_EQ(view(c.id).profile_visibility, flatbuffers::nullopt);
}

TEST_F(Username, changes_once) {  // PA-4, A-PA-45
  account::UsernameChanged e;
  e.account_id = anna;
  e.username = "Beats";
  e.claim_id = beats;
  e.hold_id = first;
  e.hold_version = 1;
  when(call_me("Beats", beats, first)).then({e});
  when(call_me("Beats", beats, second, 2)).then_nothing();
  EXPECT_EQ(view().username, "Beats");
}

TEST_F(Username, one_owner_per_name) {  // PA-4, M-1
  take("Beats", beats, first);
  EXPECT_EQ(status(beats), ::claim::v1::Status::confirmed);
  as(user(bert)).when(hold(beats, bert, second)).then_rejected(Code::username_taken);
}

TEST_F(Username, nobody_holds_a_name_for_somebody_else) {  // M-1, RL-10
  as(user(bert)).when(hold(beats, anna, first)).then_rejected(Code::account_not_found);
  as(service()).when(hold(beats, anna, first)).then_accepted();
}

TEST_F(Username, names_of_the_generated_form_are_their_accounts_only) {  // A-PA-45
  take("Beats", beats, first);
  std::string berts = generated_username(bert);
  when(call_me(berts, {}, {})).then_rejected(Code::username_reserved);
  berts[0] = 'U';
  when(call_me(berts, {}, {})).then_rejected(Code::username_reserved);
  react_to(when(call_me(generated_username(anna), {}, {})).then_accepted());
  EXPECT_EQ(status(beats), ::claim::v1::Status::free);
  for (const auto other : {"user_abcdefghi", "user_abcdefghijk", "user_abcdefghi1", "user-abcdefghij", "anna_abcdefghij"})
    EXPECT_FALSE(has_generated_form(other)) << other;
}

TEST_F(Username, the_old_name_goes_when_the_new_one_is_taken) {  // M-1
  take("Beats", beats, first);
  take("Drums", drums, third);
  EXPECT_EQ(status(drums), ::claim::v1::Status::confirmed);
  EXPECT_EQ(status(beats), ::claim::v1::Status::free);
  as(user(bert)).when(hold(beats, bert, second)).then_accepted();
}

TEST_F(Username, the_case_of_letters_changes_within_the_claim) {  // A-PA-45
  take("beats", beats, first);
  take("BEATS", beats, second);
  EXPECT_EQ(view().username, "BEATS");
  EXPECT_EQ(status(beats), ::claim::v1::Status::confirmed);
}

TEST_F(Username, an_unused_hold_goes_back_and_its_late_change_is_refused) {  // M-1
  when(hold(beats, anna, first)).then_accepted();
  as(the_system()).at(now + policy.claim_resolve_us);
  react_to(when(timers(AnyState(state<ClaimState>(beats))).at(0).command).then_accepted());
  EXPECT_EQ(status(beats), ::claim::v1::Status::free);
  as(user(anna)).when(call_me("Beats", beats, first)).then_rejected(Code::claim_abandoned);
}

// Asked again for the name that it has, the account takes the hold over when the claim asks.
TEST_F(Username, a_hold_of_the_name_it_has_is_confirmed) {  // M-1
  take("Beats", beats, first);
  when(hold(beats, anna, second)).then_accepted();
  EXPECT_EQ(status(beats), ::claim::v1::Status::held);
  when(call_me("Beats", beats, second, 3)).then_nothing();
  as(the_system());
  when(answer(beats, first)).then_nothing();
  const account::UsernameHoldReplaced replaced{.account_id = anna, .claim_id = beats, .hold_id = second};
  const auto out = when(answer(beats, second));
  out.then({replaced});
  react_to(out.then_accepted());
  EXPECT_EQ(status(beats), ::claim::v1::Status::confirmed);
  // The hold that it has now is the one to let go.
  as(user(anna));
  take("Drums", drums, third);
  EXPECT_EQ(status(beats), ::claim::v1::Status::free);
}

// The release of a name is on its way while its account holds it again: it must not free the new hold.
TEST_F(Username, a_name_may_come_back_before_it_was_let_go) {  // M-1
  take("Beats", beats, first);
  when(hold(drums, anna, third)).then_accepted();
  const Accepted away = when(call_me("Drums", drums, third)).then_accepted();
  when(hold(beats, anna, second)).then_accepted();
  react_to(away);
  EXPECT_EQ(status(beats), ::claim::v1::Status::held);
  react_to(when(call_me("Beats", beats, second, world.load({StreamKind::claim, beats}).version)).then_accepted());
  EXPECT_EQ(status(beats), ::claim::v1::Status::confirmed);
  EXPECT_EQ(status(drums), ::claim::v1::Status::free);
}

// Of two attempts for one name the later one won, and the account went on: the earlier one is late.
TEST_F(Username, an_attempt_from_before_a_change_brings_no_free_name_back) {  // M-1
  when(hold(beats, anna, first)).then_accepted();
  take("Beats", beats, second);
  take("Drums", drums, third);
  EXPECT_EQ(status(beats), ::claim::v1::Status::free);
  when(call_me("Beats", beats, first, 1)).then_rejected(Code::claim_abandoned);
}

TEST_F(Username, remembers_a_bounded_number_of_left_claims) {
  for (std::size_t i = 0; i <= max_left_claims + 1; ++i) {
    const std::string name = "name" + std::to_string(i);
    when(call_me(name, id_of(name, 1), id_of("of " + name, 1))).then_accepted();
  }
  EXPECT_EQ(state<AccountState>(anna).left_claims.size(), max_left_claims);
  EXPECT_EQ(state<AccountState>(anna).left_claims.front().claim_id(), id_of("name1", 1));
}

// The law, over whatever order commands, reactions and timers come in, and whichever of them are lost: who bears a name holds its
// claim. Commands are late by minutes at most (a gateway answers within seconds), reactions by any time, in their order.
TEST_F(Username, who_bears_a_name_holds_its_claim) {  // M-1
  struct Attempt {
    account::ChangeUsername change;
    Micros made_at;
  };
  constexpr Micros latest = 5 * minute_us;
  ASSERT_LT(latest, policy.claim_resolve_us);
  const std::array accounts{anna, bert};
  const std::array claims{beats, drums};
  const std::array<std::string_view, 2> names{"beats", "drums"};
  std::size_t changes = 0, took_over = 0, refused = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto one_of = [&](std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random); };
    std::vector<Attempt> attempts;
    std::map<std::pair<Uuid, Uuid>, std::deque<AnyCommand>, decltype([](const auto& a, const auto& b) {
               return UuidLess()(a.first, b.first) || (a.first == b.first && UuidLess()(a.second, b.second));
             })>
        told;  // By source and target.
    const auto tell = [&](const Decision& decision) {
      if (!decision) return;
      for (const auto& e : decision->events)
        for (auto& r : react(e.event)) told[{e.stream.id, r.group}].push_back(std::move(r.command));
    };
    for (int step = 0; step < 150; ++step) {
      const std::size_t who = one_of(2), which = one_of(2);
      switch (one_of(8)) {
        case 0:
        case 1: {  // A gateway holds a name; what comes of it is sent some time later, or never.
          const Uuid attempt = next_command_id();
          as(user(accounts[who]));
          took_over += state<ClaimState>(claims[which]).account_id == accounts[who] ? 1U : 0U;
          const Outcome held = when(hold(claims[which], accounts[who], attempt));
          if (!held.decision()) break;
          auto c = call_me(names[which], claims[which], attempt, world.load({StreamKind::claim, claims[which]}).version);
          c.account_id = accounts[who];
          attempts.push_back({c, now});
          break;
        }
        case 2:
        case 3:
        case 4: {
          std::erase_if(attempts, [&](const Attempt& a) { return a.made_at + latest < now; });
          if (attempts.empty()) break;
          const auto at = attempts.begin() + static_cast<std::ptrdiff_t>(one_of(attempts.size()));
          const auto change = at->change;
          attempts.erase(at);
          as(user(change.account_id));
          const Outcome changed = when(change);
          changes += changed.decision() && !changed.decision()->events.empty() ? 1U : 0U;
          refused += changed.decision() ? 0U : 1U;
          tell(changed.decision());
          break;
        }
        case 5:
        case 6: {  // One source's messages to one target keep their order.
          std::vector<std::deque<AnyCommand>*> waiting;
          for (auto& [way, queue] : told)
            if (!queue.empty()) waiting.push_back(&queue);
          if (waiting.empty()) break;
          auto& queue = *waiting[one_of(waiting.size())];
          const AnyCommand command = std::move(queue.front());
          queue.pop_front();
          as(the_system());
          tell(when(command).decision());
          break;
        }
        default:
          at(now + minute_us);
          as(the_system());
          for (const Uuid& claim : claims)
            for (const auto& timer : timers(AnyState(state<ClaimState>(claim))))
              if (timer.due <= now) tell(when(timer.command).decision());
      }
      for (const Uuid& account : accounts) {
        const auto& s = state<AccountState>(account);
        if (is_nil(s.username_claim_id)) continue;
        const auto& claim = state<ClaimState>(s.username_claim_id);
        ASSERT_TRUE(claim.account_id == account && claim.status != ::claim::v1::Status::free) << "step " << step;
      }
      ASSERT_NE(normalized_username(view(anna).username), normalized_username(view(bert).username)) << "step " << step;
    }
    World fresh;  // Of the next seed.
    std::swap(world, fresh);
    for (const Uuid& account : accounts)
      given({account::AccountRegistered{.account_id = account, .timezone = "UTC", .username = generated_username(account)}});
  }
  EXPECT_GT(changes, 500u);  // The walks went somewhere.
  EXPECT_GT(took_over, 100u);
  EXPECT_GT(refused, 0u);
}

// ---- authority

TEST_F(Member, a_banned_member_changes_nothing_by_itself) {  // PA-13
  ban();
  for (const AnyCommand& c : {AnyCommand(profile()), AnyCommand(at_home()), AnyCommand(call_me("Beats", beats, first))})
    when(c).then_rejected(Code::account_banned);
  as(service()).when(profile()).then_accepted();
}

TEST_F(Member, anothers_profile_looks_absent) {  // PA-14
  as(user(bert));
  for (const AnyCommand& c : {AnyCommand(profile()), AnyCommand(at_home()), AnyCommand(call_me("Beats", beats, first))})
    when(c).then_rejected(Code::account_not_found);
  for (const AnyCommand& c : {AnyCommand(profile()), AnyCommand(at_home()), AnyCommand(call_me("Beats", beats, first))})
    EXPECT_EQ(target(c), (StreamId{StreamKind::account, anna})) << type_name(c);
}

}  // namespace
}  // namespace guildhall::testing
