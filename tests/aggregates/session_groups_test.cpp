// The host's group and the learners' about live sessions: random histories with messages in any order (DR-49, DR-51, DR-52,
// A-DR-29), and once over the inbox of real shards.
#include <map>
#include <random>

#include "tests/aggregates/sessions.h"
#include "tests/aggregates/shard_process.h"

namespace guildhall::testing {
namespace {

using namespace live_session;

// One session with few seats and ten learners. What happened is watched event by event, in words of the test's own: who sits, who
// waits and since when.
class History final : public Sessions {
 public:
  static constexpr int learners = 10;

  void prepare(std::mt19937_64& random) {
    for (int i = 0; i < learners; ++i) join_platform(guest(i + 1'000));
    seats_ = 1 + static_cast<std::int32_t>(random() % 3);
    id_ = schedule(seats_);
  }

  void step(std::mt19937_64& random) {
    const Uuid who = guest(1'000 + static_cast<int>(random() % learners));
    switch (random() % 20) {
      case 0:
        if (random() % 4 == 0) start(id_);
        break;
      case 1:
        if (random() % 10 == 0) end(id_);
        break;
      case 2:
        if (random() % 20 == 0) cancel(id_);
        break;
      case 3: {
        auto c = change(id_);
        c.max_participants = 1 + static_cast<std::int32_t>(random() % 4);
        as(user(host)).send(c);
        break;
      }
      case 4: leave(id_, who); break;
      case 5:
      case 6: join(id_, who); break;
      case 7:
      case 8:
      case 9: withdraw(id_, who); break;
      case 10:
      case 11:
      case 12:
      case 13: enlist(id_, who); break;
      default:
        if (!inbox.empty()) deliver(random() % inbox.size());
    }
    ++now;  // Settling goes on between the messages.
    fire(now);
    watch();
  }

  // How often each type of event has happened, over several histories.
  void count_into(std::map<std::string_view, int>& seen) const {
    for (const NewEvent& e : world.history()) ++seen[type_name(e.event)];
  }

  void finish() {
    while (!inbox.empty() || fire(now + second_us)) {
      if (!inbox.empty()) deliver(inbox.size() - 1);
      watch();
    }
    const auto& s = session(id_);
    std::int32_t registered = 0;
    for (int i = 0; i < learners; ++i) {
      const Uuid who = guest(i + 1'000);
      const auto& asked = request(id_, who);
      EXPECT_EQ(asked.status, as_request(place(id_, who).status)) << i;
      EXPECT_EQ(asked.attempt, place(id_, who).attempt) << i;
      EXPECT_NE(asked.status, RequestStatus::requested) << i << " waits for ever";
      EXPECT_FALSE(asked.cancelling) << i << " waits for ever";
      EXPECT_FALSE(is_over(s.status) && asked.status == RequestStatus::waitlisted) << i << " waits for ever";
      if (asked.status == RequestStatus::registered) ++registered;
    }
    EXPECT_EQ(s.current_participants, registered);
    EXPECT_EQ(sitting_.size(), static_cast<std::size_t>(registered));
  }

 private:
  void TestBody() override {}

  void watch() {
    for (; seen_ < world.history().size(); ++seen_) {
      const AnyEvent& event = world.history()[seen_].event;
      if (const auto* updated = get_if<LiveSessionUpdated>(&event)) seats_ = *updated->max_participants;
      if (get_if<LiveSessionEnded>(&event) != nullptr || get_if<LiveSessionCancelled>(&event) != nullptr) waiting_.clear();
      if (const auto* placed = get_if<PlaceTaken>(&event)) waiting_.push_back(placed->participant_id);
      if (const auto* given_up = get_if<PlaceReleased>(&event)) std::erase(waiting_, given_up->participant_id);
      if (const auto* promoted = get_if<participant::WaitlistPromoted>(&event)) {
        ASSERT_FALSE(waiting_.empty());
        EXPECT_EQ(waiting_.front(), promoted->participant_id) << "not whoever waited longest";
        waiting_.pop_front();
      }
      if (const auto* taken = get_if<SeatTaken>(&event)) {
        EXPECT_TRUE(sitting_.insert(to_string(taken->participant_id)).second) << "two seats for one";
        EXPECT_LE(sitting_.size(), static_cast<std::size_t>(seats_)) << "more than there are seats";
        EXPECT_EQ(taken->current_participants, static_cast<std::int32_t>(sitting_.size()));
      }
      if (const auto* cancelled = get_if<participant::RegistrationCancelled>(&event))
        sitting_.erase(to_string(cancelled->participant_id));
      if (const auto* released = get_if<SeatReleased>(&event)) {
        EXPECT_EQ(released->current_participants, static_cast<std::int32_t>(sitting_.size()));
      }
    }
    const bool full = sitting_.size() == static_cast<std::size_t>(seats_);
    EXPECT_TRUE(is_over(session(id_).status) || waiting_.empty() || full) << "somebody waits beside a free seat";
  }

  Uuid id_{};
  std::int32_t seats_ = 0;
  std::set<std::string> sitting_;
  std::deque<Uuid> waiting_;
  std::size_t seen_ = 0;
};

TEST(SessionHistory, both_groups_agree_in_whatever_order_they_hear_of_each_other) {  // DR-49, DR-51, DR-52, A-DR-29
  constexpr std::uint64_t histories = 200;
  constexpr int steps = 80;
  std::map<std::string_view, int> seen;
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    History history;
    history.prepare(random);
    for (int i = 0; i < steps; ++i) history.step(random);
    history.finish();
    if (::testing::Test::HasFailure()) return;
    history.count_into(seen);
  }
  // They went everywhere.
  for (const std::string_view type :
       {"participant.v1.WaitlistPromoted", "participant.v1.RegistrationRefused", "participant.v1.WithdrawalRefused",
        "participant.v1.AttendanceMissed", "live_session.v1.PlaceReleased", "live_session.v1.LiveSessionCancelled",
        "session_request.v1.SeatKept"}) {
    EXPECT_GT(seen[type], 0) << type;
  }
}

// Over two shards: the host's, and the learners'.
class SessionShards : public ShardTest {
 protected:
  const Uuid host = id_of("host", test_bucket), ana = id_of("ana", 0xd01), bo = id_of("bo", 0xd01);

  void SetUp() override {
    for (const Uuid& id : {host, ana, bo})
      process->call(registration(id, ::account::v1::Role::learner, "n" + to_string(id).substr(0, 8)), command_id(id));
  }
  Uuid schedule(std::int32_t seats) {
    ScheduleLiveSession c;
    c.host_id = host;
    c.title = "Charts";
    c.scheduled_at = clock.at + day_us;
    c.duration_minutes = 60;
    c.max_participants = seats;
    const Uuid command = command_id(host);
    EXPECT_EQ(process->call(c, command).reply.status, 201);
    return derive_in_group("live_session", command, 0, bucket_of(host));
  }
  ::session_request::v1::SessionRequestViewT ask(const Uuid& session, const Uuid& who) {
    const session_request::RegisterForLiveSession c{.learner_id = who, .session_id = session};
    const auto result = process->call(c, command_id(who));
    ::session_request::v1::SessionRequestViewT view;
    EXPECT_TRUE(unpack(result.reply.body, view));
    return view;
  }
};

TEST_F(SessionShards, a_seat_is_asked_for_and_given_across_shards) {  // DR-49, DR-52
  const Uuid session = schedule(1);
  using Status = ::session_request::v1::Status;
  EXPECT_EQ(ask(session, ana).status, Status::requested);
  EXPECT_EQ(ask(session, ana).status, Status::registered);
  ask(session, bo);
  EXPECT_EQ(ask(session, bo).status, Status::waitlisted);
  process->call(session_request::CancelLiveRegistration{.request_id = session_request_id_of(ana, session)}, command_id(ana));
  EXPECT_EQ(ask(session, bo).status, Status::registered);
  EXPECT_EQ(count("participant.v1.RegistrationAdded"), 1U);
  EXPECT_EQ(count("participant.v1.WaitlistPromoted"), 1U);

  process->call(StartLiveSession{.session_id = session}, command_id(host));
  const participant::JoinLiveSession join{.session_id = session, .user_id = bo};
  process->call(join, command_id(host));
  process->call(join, command_id(host));
  EXPECT_EQ(count("learner.v1.StreakExtended"), 1U);
  process->call(EndLiveSession{.session_id = session}, command_id(host));
  EXPECT_EQ(ask(session, bo).status, Status::registered);
  const auto live = replayed();
  for (ShardNo n = 0; n < shard_count; ++n) EXPECT_EQ(dump(stores[n]), live[n]);
}

}  // namespace
}  // namespace guildhall::testing
