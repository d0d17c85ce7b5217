#include "aggregates/account.h"

#include "tests/aggregates/given.h"

namespace guildhall::testing {
namespace {

using ::account::v1::ExperienceLevel;
using ::account::v1::Role;
using ::account::v1::Status;
using ::account::v1::Verification;

const Uuid anna = id_of("anna");
const Uuid bert = id_of("bert");
const Uuid root = id_of("root");
const Uuid annas_claim = id_of("claim of anna", 0x111);

account::RegisterAccount register_account(const Uuid& id, Role role) {
  account::RegisterAccount c;
  c.id = id;
  c.email = "anna@example.org";
  c.email_claim_id = annas_claim;
  c.email_hold_id = annas_claim;  // Attempts are named after their claim here.
  c.display_name = "Anna";
  c.role = role;
  c.timezone = "Europe/Copenhagen";
  c.first_name = "Anna";
  c.last_name = "Holm";
  c.avatar_url = "https://example.org/anna.png";
  return c;
}

account::AccountRegistered registered(const Uuid& id, Role role) {
  account::AccountRegistered e;
  const auto c = register_account(id, role);
  e.account_id = id;
  e.email = c.email;
  e.email_claim_id = c.email_claim_id;
  e.display_name = c.display_name;
  e.role = role;
  e.timezone = c.timezone;
  e.first_name = c.first_name;
  e.last_name = c.last_name;
  e.avatar_url = c.avatar_url;
  return e;
}

template <class Event>
Event of(const Uuid& account) {
  Event e;
  e.account_id = account;
  return e;
}

account::ExpertProfileCreated expert_profile(const Uuid& id) {
  auto e = of<account::ExpertProfileCreated>(id);
  e.currency = "DKK";
  return e;
}

account::UpdateAccount update(const Uuid& id) {
  account::UpdateAccount c;
  c.account_id = id;
  c.display_name = "Anna H.";
  c.timezone = "America/New_York";
  return c;
}

class Account : public Given {
 public:
  Given& given_learner() { return given({registered(anna, Role::learner), of<account::LearnerProfileCreated>(anna)}); }
  Given& given_expert() { return given({registered(anna, Role::expert), expert_profile(anna)}); }
};

// ---- registration

TEST_F(Account, registers_a_learner_with_a_profile) {  // TU-2, TU-4, TU-5
  const auto out = as(user(anna)).when(register_account(anna, Role::learner));
  out.then({registered(anna, Role::learner), of<account::LearnerProfileCreated>(anna)});
  const auto& accepted = out.then_accepted();
  EXPECT_TRUE(accepted.created);
  const auto view = resource<account::AccountView>(accepted.subject);
  EXPECT_EQ(view.id, anna);
  EXPECT_EQ(view.version, 2u);
  EXPECT_EQ(view.email, "anna@example.org");
  EXPECT_EQ(view.last_name, "Holm");
  EXPECT_TRUE(view.is_learner);
  EXPECT_FALSE(view.is_expert);
  EXPECT_FALSE(view.verification_status.has_value());
}

TEST_F(Account, registers_an_expert_open_for_bookings_and_pending) {  // TU-5, TU-9, TU-10
  policy.default_currency = "EUR";
  auto profile = expert_profile(anna);
  profile.currency = "EUR";
  as(user(anna)).when(register_account(anna, Role::expert)).then({registered(anna, Role::expert), profile});
  const auto view = resource<account::AccountView>({{StreamKind::account, anna}, {}});
  EXPECT_TRUE(view.is_expert);
  EXPECT_TRUE(view.accepting);
  EXPECT_EQ(view.verification_status, Verification::pending);
  EXPECT_EQ(world.directory_.account(anna), (AccountFact{Role::expert, Status::active, true, false}));
}

TEST_F(Account, registration_tells_its_claim) {  // M-1
  const auto told = react(AnyEvent(registered(anna, Role::learner)));
  ASSERT_EQ(told.size(), 1u);
  const auto* confirm = get_if<claim::ConfirmClaim>(&told[0].command);
  ASSERT_NE(confirm, nullptr);
  EXPECT_EQ(confirm->claim_id, annas_claim);
  EXPECT_EQ(confirm->account_id, anna);
  EXPECT_EQ(told[0].group, annas_claim);
}

TEST_F(Account, nobody_registers_somebody_else) {  // TU-45, TU-48
  as(user(bert)).when(register_account(anna, Role::learner)).then_rejected(Code::account_not_found);
  as(user(bert)).when(register_account({}, Role::learner)).then_rejected(Code::account_not_found);
  as(service()).when(register_account(anna, Role::learner)).then_accepted();
}

TEST_F(Account, the_service_may_leave_the_id_to_us) {
  const Uuid command = next_command_id();
  const auto out = as(service()).when(register_account({}, Role::learner), command);
  const Uuid id = out.then_accepted().subject.stream.id;
  EXPECT_FALSE(is_nil(id));
  EXPECT_EQ(bucket_of(id), test_bucket);
}

TEST_F(Account, nobody_makes_themselves_admin) {  // RL-10, X-24
  as(user(anna)).when(register_account(anna, Role::admin)).then_rejected(Code::role_not_allowed);
  as(service()).when(register_account(anna, Role::admin)).then({registered(anna, Role::admin)});
}

TEST_F(Account, the_same_registration_again_is_nothing_new) {  // TU-4
  as(user(anna)).when(register_account(anna, Role::learner)).then_accepted();
  when(register_account(anna, Role::learner)).then_nothing();
}

TEST_F(Account, another_registration_of_the_same_account_is_refused) {  // TU-4
  given_learner().as(user(anna));
  when(register_account(anna, Role::expert)).then_rejected(Code::already_registered);
  for (const auto change :
       {&account::RegisterAccount::email, &account::RegisterAccount::display_name, &account::RegisterAccount::timezone,
        &account::RegisterAccount::first_name, &account::RegisterAccount::last_name, &account::RegisterAccount::avatar_url}) {
    auto c = register_account(anna, Role::learner);
    c.*change = "UTC";
    when(c).then_rejected(Code::already_registered);
  }
}

TEST_F(Account, only_iana_zones) {  // TU-6
  for (const auto zone :
       {"Europe/Atlantis", "", "right/Europe/Copenhagen", "posix/UTC", "europe/copenhagen", "../../etc/passwd"}) {
    auto c = register_account(anna, Role::learner);
    c.timezone = zone;
    as(user(anna)).when(c).then_rejected(Code::unknown_time_zone);
  }
}

// ---- claims

account::AnswerClaim answer(const Uuid& claim) {
  account::AnswerClaim c;
  c.account_id = anna;
  c.claim_id = claim;
  c.hold_id = claim;
  return c;
}

account::ClaimAbandoned abandoned(const Uuid& claim) {
  auto e = of<account::ClaimAbandoned>(anna);
  e.claim_id = claim;
  e.hold_id = claim;
  return e;
}

TEST_F(Account, answers_for_the_claim_it_registered_with) {  // M-1
  given_learner().as(the_system()).when(answer(annas_claim)).then_nothing();
}

TEST_F(Account, gives_up_a_claim_that_it_did_not_use_once) {  // M-1
  as(the_system()).when(answer(annas_claim)).then({abandoned(annas_claim)});
  when(answer(annas_claim)).then_nothing();
  const auto told = react(AnyEvent(abandoned(annas_claim)));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(holds_alternative<claim::ReleaseClaim>(told[0].command));
}

TEST_F(Account, a_late_registration_with_an_abandoned_claim_is_refused) {  // M-1
  given({abandoned(annas_claim)}).as(user(anna)).when(register_account(anna, Role::learner)).then_rejected(Code::claim_abandoned);
  auto next_attempt = register_account(anna, Role::learner);
  next_attempt.email_hold_id = id_of("next attempt", 0x222);
  when(next_attempt).then_accepted();
}

TEST_F(Account, gives_up_the_claim_of_a_second_registration) {  // M-1
  const Uuid other = id_of("another claim", 0x222);
  given_learner().as(the_system()).when(answer(other)).then({abandoned(other)});
}

TEST_F(Account, an_account_that_only_let_a_claim_lapse_is_not_there) {  // M-1, TU-4
  given({abandoned(annas_claim)}).as(user(anna)).when(update(anna)).then_rejected(Code::account_not_found);
}

TEST_F(Account, remembers_a_bounded_number_of_lapsed_claims) {
  for (std::size_t i = 0; i <= max_abandoned_holds; ++i) given({abandoned(id_of("claim " + std::to_string(i), 1))});
  const auto& kept = state<AccountState>(anna).abandoned_holds;
  EXPECT_EQ(kept.size(), max_abandoned_holds);
  EXPECT_EQ(kept.front(), id_of("claim 1", 1));
  EXPECT_EQ(kept.back(), id_of("claim " + std::to_string(max_abandoned_holds), 1));
}

// ---- profile

TEST_F(Account, replaces_its_profile_once) {  // TU-2, TU-45
  given_learner().as(user(anna));
  auto e = of<account::AccountUpdated>(anna);
  e.display_name = "Anna H.";
  e.timezone = "America/New_York";
  when(update(anna)).then({e});
  when(update(anna)).then_nothing();
  const auto view = resource<account::AccountView>({{StreamKind::account, anna}, {}});
  EXPECT_EQ(view.timezone, "America/New_York");
  EXPECT_EQ(view.first_name, "");
}

TEST_F(Account, profile_keeps_to_iana_zones) {  // TU-6
  auto c = update(anna);
  c.timezone = "Mars/Olympus";
  given_learner().as(user(anna)).when(c).then_rejected(Code::unknown_time_zone);
}

// ---- expert

account::UpdateExpertProfile expert_update() {
  account::UpdateExpertProfile c;
  c.account_id = anna;
  c.bio = "Twenty years of statistics.";
  c.expertise_areas = {"statistics", "R"};
  c.hourly_rate_cents = 60000;
  c.currency = "EUR";
  return c;
}

TEST_F(Account, a_learner_may_start_to_teach_once) {  // TU-5
  account::CreateExpertProfile c;
  c.account_id = anna;
  given_learner().as(user(anna)).when(c).then({expert_profile(anna)});
  when(c).then_nothing();
  EXPECT_TRUE(state<AccountState>(anna).is_learner);
}

TEST_F(Account, an_expert_may_start_to_learn_once) {  // TU-5
  account::CreateLearnerProfile c;
  c.account_id = anna;
  given_expert().as(user(anna)).when(c).then({of<account::LearnerProfileCreated>(anna)});
  when(c).then_nothing();
}

TEST_F(Account, replaces_its_expert_profile_once) {  // TU-7
  given_expert().as(user(anna));
  auto e = of<account::ExpertProfileUpdated>(anna);
  e.bio = "Twenty years of statistics.";
  e.expertise_areas = {"statistics", "R"};
  e.hourly_rate_cents = 60000;
  e.currency = "EUR";
  when(expert_update()).then({e});
  when(expert_update()).then_nothing();
  auto same_currency = expert_update();
  same_currency.currency = "";
  when(same_currency).then_nothing();
  same_currency.hourly_rate_cents = {};
  e.hourly_rate_cents = {};
  when(same_currency).then({e});
}

TEST_F(Account, expert_currency_is_one_of_the_platforms) {  // TU-8
  given_expert().as(user(anna));
  auto c = expert_update();
  c.currency = "SEK";
  when(c).then_rejected(Code::currency_not_supported);
  for (const auto currency : {"DKK", "USD", "EUR"}) {
    c.currency = currency;
    when(c).then_accepted();
  }
}

TEST_F(Account, opens_and_closes_for_bookings) {  // TU-10
  account::SetAccepting c;
  c.account_id = anna;
  c.accepting = false;
  auto e = of<account::AcceptingSet>(anna);
  given_expert().as(user(anna)).when(c).then({e});
  when(c).then_nothing();
  EXPECT_FALSE(resource<account::AccountView>({{StreamKind::account, anna}, {}}).accepting);
  c.accepting = true;
  e.accepting = true;
  when(c).then({e});
}

TEST_F(Account, a_learner_has_no_expert_profile_and_the_other_way_round) {  // TU-5
  given_learner().as(service());
  account::SetAccepting accepting;
  accepting.account_id = anna;
  account::VerifyExpert verify;
  verify.account_id = anna;
  account::RejectExpert refuse;
  refuse.account_id = anna;
  account::SubmitVerification submit;
  submit.account_id = anna;
  for (const AnyCommand& c :
       {AnyCommand(expert_update()), AnyCommand(accepting), AnyCommand(verify), AnyCommand(refuse), AnyCommand(submit)})
    when(c).then_rejected(Code::expert_not_found);
  given({registered(bert, Role::expert), expert_profile(bert)});
  account::UpdateLearnerProfile learner;
  learner.account_id = bert;
  when(learner).then_rejected(Code::learner_not_found);
}

// ---- verification

// The machine of TU-9 and X-31, walked through.
TEST_F(Account, verification_is_decided_once_and_asked_for_again_after_a_refusal) {
  account::VerifyExpert verify;
  account::RejectExpert refuse;
  account::SubmitVerification submit;
  verify.account_id = refuse.account_id = submit.account_id = anna;
  refuse.reason = "No diploma.";
  auto refused = of<account::ExpertRejected>(anna);
  refused.reason = "No diploma.";
  const auto verified = of<account::ExpertVerified>(anna);
  const auto submitted = of<account::VerificationSubmitted>(anna);

  given_expert().as(admin(root));
  when(submit).then_nothing();
  when(refuse).then({refused});
  when(refuse).then_nothing();
  when(verify).then_rejected(Code::verification_decided);
  as(user(anna)).when(submit).then({submitted});
  when(submit).then_nothing();
  as(admin(root)).when(verify).then({verified});
  when(verify).then_nothing();
  when(refuse).then_rejected(Code::verification_decided);
  when(submit).then_rejected(Code::verification_decided);
  EXPECT_EQ(resource<account::AccountView>({{StreamKind::account, anna}, {}}).verification_status, Verification::verified);
}

// ---- learner

TEST_F(Account, replaces_its_learner_profile_once) {  // TU-12, TU-13
  account::UpdateLearnerProfile c;
  c.account_id = anna;
  c.learning_goals = {"pass the exam"};
  c.interests = {"statistics"};
  c.experience_level = ExperienceLevel::beginner;
  c.preferred_session_duration = 60;
  auto e = of<account::LearnerProfileUpdated>(anna);
  e.learning_goals = c.learning_goals;
  e.interests = c.interests;
  e.experience_level = c.experience_level;
  e.preferred_session_duration = c.preferred_session_duration;
  given_learner().as(user(anna)).when(c).then({e});
  when(c).then_nothing();
  c.experience_level = {};  // Absent is another level than the lowest.
  e.experience_level = {};
  when(c).then({e});
}

// ---- bans and authority

account::BanAccount ban() {
  account::BanAccount c;
  c.account_id = anna;
  c.reason = "Spam.";
  return c;
}

TEST_F(Account, bans_and_unbans_once) {  // A-TU-5
  auto banned = of<account::AccountBanned>(anna);
  banned.reason = "Spam.";
  account::UnbanAccount unban;
  unban.account_id = anna;
  given_learner().as(admin(root)).when(unban).then_nothing();
  when(ban()).then({banned});
  when(ban()).then_nothing();
  EXPECT_EQ(world.directory_.account(anna)->status, Status::banned);
  when(unban).then({of<account::AccountUnbanned>(anna)});
  EXPECT_EQ(world.directory_.account(anna)->status, Status::active);
}

std::vector<AnyCommand> own_commands() {
  account::CreateExpertProfile teach;
  account::SetAccepting accepting;
  account::SubmitVerification submit;
  account::CreateLearnerProfile learn;
  account::UpdateLearnerProfile learner;
  teach.account_id = accepting.account_id = submit.account_id = learn.account_id = learner.account_id = anna;
  learner.interests = {"chess"};
  return {update(anna), teach, expert_update(), accepting, submit, learn, learner};
}

TEST_F(Account, a_banned_account_changes_nothing_by_itself) {  // A-TU-5
  given({registered(anna, Role::admin), of<account::AccountBanned>(anna)}).as(user(anna));
  account::CreateExpertProfile teach;
  account::CreateLearnerProfile learn;
  teach.account_id = learn.account_id = anna;
  when(update(anna)).then_rejected(Code::account_banned);
  when(teach).then_rejected(Code::account_banned);
  when(learn).then_rejected(Code::account_banned);
  given({expert_profile(anna), of<account::LearnerProfileCreated>(anna), of<account::ExpertRejected>(anna)});
  account::SetAccepting accepting;
  account::SubmitVerification submit;
  account::UpdateLearnerProfile learner;
  accepting.account_id = submit.account_id = learner.account_id = anna;
  learner.interests = {"chess"};
  for (const AnyCommand& c : {AnyCommand(expert_update()), AnyCommand(accepting), AnyCommand(submit), AnyCommand(learner)})
    when(c).then_rejected(Code::account_banned);
  as(service()).when(update(anna)).then_accepted();
  as(admin(root)).when(accepting).then_accepted();
}

TEST_F(Account, anothers_account_looks_absent) {  // TU-48
  given_expert().given({of<account::LearnerProfileCreated>(anna)}).as(user(bert));
  const auto foreign = own_commands();
  for (const auto& c : foreign) {
    const auto decision = when(c).decision();
    ASSERT_FALSE(decision.has_value()) << type_name(c);
    EXPECT_EQ(entry(decision.error().code).kind, Kind::not_found) << type_name(c);
  }
  World empty;
  std::swap(world, empty);
  for (const auto& c : foreign) {  // The same answers when it is absent indeed.
    const auto decision = when(c).decision();
    ASSERT_FALSE(decision.has_value()) << type_name(c);
    EXPECT_EQ(entry(decision.error().code).kind, Kind::not_found) << type_name(c);
  }
}

TEST_F(Account, only_admins_judge_others) {  // TU-3, RL-10
  account::VerifyExpert verify;
  account::RejectExpert refuse;
  account::UnbanAccount unban;
  verify.account_id = refuse.account_id = unban.account_id = anna;
  given_expert();
  for (const auto& who : {user(anna), user(bert)}) {
    as(who);
    for (const AnyCommand& c : {AnyCommand(verify), AnyCommand(refuse), AnyCommand(ban()), AnyCommand(unban)})
      when(c).then_rejected(Code::admin_only);
  }
}

TEST_F(Account, nobody_bans_who_is_not_there) {
  account::UnbanAccount unban;
  unban.account_id = anna;
  as(service()).when(ban()).then_rejected(Code::account_not_found);
  when(unban).then_rejected(Code::account_not_found);
}

TEST_F(Account, if_match_speaks_of_the_account_except_for_a_registration) {
  EXPECT_EQ(target(AnyCommand(register_account(anna, Role::learner))), std::nullopt);
  for (const auto& c : own_commands()) EXPECT_EQ(target(c), (StreamId{StreamKind::account, anna})) << type_name(c);
}

}  // namespace
}  // namespace guildhall::testing
