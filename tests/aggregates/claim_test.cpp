#include "aggregates/claim.h"

#include "tests/aggregates/given.h"

namespace guildhall::testing {
namespace {

using ::claim::v1::Status;

const Uuid email = id_of("anna@example.org");
const Uuid anna = id_of("anna", 0x111);
const Uuid bert = id_of("bert", 0x222);

template <class Message>
Message of(const Uuid& account) {
  Message m;
  m.claim_id = email;
  m.account_id = account;
  return m;
}

claim::HoldClaim hold(const Uuid& account) {
  auto c = of<claim::HoldClaim>(account);
  c.kind = "email";
  return c;
}

claim::ClaimHeld held(const Uuid& account, Micros resolve_at) {
  auto e = of<claim::ClaimHeld>(account);
  e.kind = "email";
  e.resolve_at = resolve_at;
  return e;
}

class Claim : public Given {
 public:
  Claim() { as(the_system()); }
  Given& given_held() { return given({held(anna, now + policy.claim_resolve_us)}); }
  Given& given_confirmed() { return given_held().given({of<claim::ClaimConfirmed>(anna)}); }
  Status status() const { return state<ClaimState>(email).status; }
};

TEST_F(Claim, holds_a_free_value) {  // M-1
  const auto out = when(hold(anna));
  out.then({held(anna, now + policy.claim_resolve_us)});
  const auto view = resource<claim::ClaimView>(out.then_accepted().subject);
  EXPECT_EQ(view.id, email);
  EXPECT_EQ(view.account_id, anna);
  EXPECT_EQ(view.status, Status::held);
  EXPECT_EQ(view.version, 1u);
}

TEST_F(Claim, one_owner_per_value) {  // M-1
  given_held().when(hold(anna)).then_nothing();
  when(hold(bert)).then_rejected(Code::email_taken);
  given({of<claim::ClaimConfirmed>(anna)}).when(hold(anna)).then_nothing();
  when(hold(bert)).then_rejected(Code::email_taken);
}

TEST_F(Claim, the_holder_confirms_once) {  // M-1
  given_held().when(of<claim::ConfirmClaim>(anna)).then({of<claim::ClaimConfirmed>(anna)});
  when(of<claim::ConfirmClaim>(anna)).then_nothing();
  EXPECT_EQ(status(), Status::confirmed);
}

TEST_F(Claim, the_holder_releases_what_is_only_held) {  // M-1
  given_held().when(of<claim::ReleaseClaim>(anna)).then({of<claim::ClaimReleased>(anna)});
  when(of<claim::ReleaseClaim>(anna)).then_nothing();
  EXPECT_EQ(status(), Status::free);
  when(hold(bert)).then({held(bert, now + policy.claim_resolve_us)});
}

TEST_F(Claim, messages_that_do_not_fit_change_nothing_and_are_never_refused) {  // Design: reactions.
  struct Case {
    const char* name;
    std::vector<AnyEvent> history;
    AnyCommand command;
  };
  const auto confirmed = of<claim::ClaimConfirmed>(anna);
  auto another_attempt = of<claim::ReleaseClaim>(anna);
  another_attempt.hold_id = id_of("another attempt", 0x333);
  const Case cases[] = {
      {"confirm what is free", {}, of<claim::ConfirmClaim>(anna)},
      {"release what is free", {}, of<claim::ReleaseClaim>(anna)},
      {"resolve what is free", {}, of<claim::ResolveClaim>(anna)},
      {"confirm another's", {held(anna, 1)}, of<claim::ConfirmClaim>(bert)},
      {"release another's", {held(anna, 1)}, of<claim::ReleaseClaim>(bert)},
      {"resolve another's", {held(anna, 1)}, of<claim::ResolveClaim>(bert)},
      {"release another attempt's", {held(anna, 1), confirmed}, another_attempt},
      {"resolve what is confirmed", {held(anna, 1), confirmed}, of<claim::ResolveClaim>(anna)},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    World fresh;
    std::swap(world, fresh);
    given(c.history).when(c.command).then_nothing();
  }
}

TEST_F(Claim, asks_the_account_until_it_answers) {  // M-1
  given_held();
  for (int i = 0; i < 3; ++i) {
    const auto due = timers(AnyState(state<ClaimState>(email)));
    ASSERT_EQ(due.size(), 1u);
    EXPECT_EQ(due[0].name, "resolve");
    EXPECT_EQ(due[0].due, now + policy.claim_resolve_us);
    at(due[0].due);
    auto queried = of<claim::ClaimQueried>(anna);
    queried.resolve_at = now + policy.claim_resolve_us;
    when(due[0].command).then({queried});
    const auto asked = react(AnyEvent(queried));
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].group, anna);
    EXPECT_TRUE(holds_alternative<account::AnswerClaim>(asked[0].command));
  }
}

TEST_F(Claim, a_settled_claim_has_no_timer) {
  EXPECT_TRUE(timers(AnyState(state<ClaimState>(email))).empty());
  given_confirmed();
  EXPECT_TRUE(timers(AnyState(state<ClaimState>(email))).empty());
}

TEST_F(Claim, the_next_attempt_takes_the_hold_over) {  // M-1
  given_held();
  auto again = hold(anna);
  again.hold_id = id_of("second attempt", 0x333);
  auto taken_over = held(anna, now + policy.claim_resolve_us);
  taken_over.hold_id = again.hold_id;
  when(again).then({taken_over});
  when(again).then_nothing();
  when(of<claim::ReleaseClaim>(anna)).then_nothing();  // Of the first attempt.
  auto released = of<claim::ReleaseClaim>(anna);
  released.hold_id = again.hold_id;
  when(released).then({of<claim::ClaimReleased>(anna)});
}

// The whole conversation between claim and account, both ways it can end.
TEST_F(Claim, an_unused_claim_goes_back_and_its_late_registration_is_refused) {  // M-1
  when(hold(anna)).then_accepted();
  at(now + policy.claim_resolve_us);
  const auto queried = when(of<claim::ResolveClaim>(anna)).then_accepted().events.at(0).event;
  const auto answer = when(react(queried).at(0).command).then_accepted().events.at(0).event;
  when(react(answer).at(0).command).then({of<claim::ClaimReleased>(anna)});
  account::RegisterAccount late;
  late.id = anna;
  late.email_claim_id = email;
  late.timezone = "UTC";
  as(user(anna)).when(late).then_rejected(Code::claim_abandoned);
}

TEST_F(Claim, a_used_claim_is_confirmed_by_the_registration) {  // M-1
  when(hold(anna)).then_accepted();
  account::RegisterAccount c;
  c.id = anna;
  c.email_claim_id = email;
  c.timezone = "UTC";
  const auto registered = as(user(anna)).when(c).then_accepted().events.at(0).event;
  as(the_system()).when(react(registered).at(0).command).then({of<claim::ClaimConfirmed>(anna)});
}

}  // namespace
}  // namespace guildhall::testing
