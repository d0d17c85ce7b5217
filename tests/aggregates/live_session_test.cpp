// Live sessions, who takes part in them, and learners' requests: DR-45..54, A-DR-29, A-DR-30, X-19, §9 LiveEvent.
#include "aggregates/learner.h"
#include "aggregates/progress.h"
#include "tests/aggregates/sessions.h"

namespace guildhall::testing {
namespace {

using namespace live_session;

class LiveSession : public Sessions {};

// ---- the session

TEST_F(LiveSession, is_scheduled_by_admins_for_a_host) {  // DR-45
  as(user(host)).send(offer()).then_rejected(Code::admin_only);
  auto c = offer(40);
  const Uuid id = schedule(c);
  EXPECT_EQ(session(id).status, SessionStatus::scheduled);
  EXPECT_EQ(session(id).host_id, host);
  EXPECT_EQ(session(id).max_participants, 40);
  const auto fact = world.directory().live_session(id);
  ASSERT_TRUE(fact);
  EXPECT_EQ(fact->host_id, host);
  EXPECT_EQ(fact->status, SessionStatus::scheduled);
  c.host_id = id_of("nobody");
  as(admin(bo)).send(c).then_rejected(Code::account_not_found);
  c = offer();
  c.scheduled_at = now;
  send(c).then_rejected(Code::scheduled_in_past);
  c = offer();
  c.required_lessons = {id_of("no lesson")};
  send(c).then_rejected(Code::prerequisite_not_found);
}

TEST_F(LiveSession, goes_from_scheduled_to_live_to_ended) {  // DR-47
  const Uuid id = schedule();
  end(id).then_rejected(Code::session_not_live);
  as(user(ana)).send(StartLiveSession{.session_id = id}).then_rejected(Code::host_only);
  as({}).send(StartLiveSession{.session_id = id}).then_rejected(Code::session_not_found);
  start(id).then_accepted();
  start(id).then_nothing();
  cancel(id).then_rejected(Code::session_not_scheduled);
  end(id).then({LiveSessionEnded{.session_id = id, .ended_at = now}});
  end(id).then_nothing();
  start(id).then_rejected(Code::session_not_scheduled);
}

TEST_F(LiveSession, is_cancelled_before_it_starts) {  // DR-47
  const Uuid id = schedule();
  cancel(id).then({LiveSessionCancelled{.session_id = id, .reason = "ill", .cancelled_at = now}});
  cancel(id).then_nothing();
  start(id).then_rejected(Code::session_not_scheduled);
}

TEST_F(LiveSession, has_a_recording_once_it_has_ended) {  // DR-45
  const Uuid id = schedule();
  const AttachLiveRecording attach{.session_id = id, .recording_url = "https://example.com/1"};
  as(user(host)).send(attach).then_rejected(Code::session_not_ended);
  start(id).then_accepted();
  end(id).then_accepted();
  as(user(host)).send(attach).then_accepted();
  send(attach).then_nothing();
}

TEST_F(LiveSession, is_closed_by_a_timer_when_its_host_forgets) {  // ledger.md, X-19
  const Uuid never_started = schedule();
  wait(day_us + 2 * hour_us - 1);
  EXPECT_EQ(session(never_started).status, SessionStatus::scheduled);
  wait(1);
  EXPECT_EQ(session(never_started).status, SessionStatus::cancelled);
  const Uuid never_ended = schedule();
  start(never_ended).then_accepted();
  wait(5 * hour_us);
  EXPECT_EQ(session(never_ended).status, SessionStatus::ended);
}

TEST_F(LiveSession, meets_where_the_start_says_or_where_it_was_to) {  // DR-45
  const Uuid id = schedule(), other = schedule();
  start(id).then_accepted();
  EXPECT_EQ(session(id).meeting_url, "https://meet.example.com/1");
  as(user(host)).send(StartLiveSession{.session_id = other, .meeting_url = "https://meet.example.com/2"}).then_accepted();
  EXPECT_EQ(session(other).meeting_url, "https://meet.example.com/2");
}

// ---- seats and the waitlist

TEST_F(LiveSession, has_no_more_participants_than_seats) {  // DR-49, DR-52
  const Uuid id = schedule(1);
  EXPECT_EQ(enlisted(id, ana), RequestStatus::registered);
  EXPECT_EQ(enlisted(id, bo), RequestStatus::waitlisted);
  EXPECT_EQ(enlisted(id, cy), RequestStatus::waitlisted);
  EXPECT_EQ(session(id).current_participants, 1);
  withdrawn(id, ana);
  EXPECT_EQ(request(id, ana).status, RequestStatus::cancelled);
  EXPECT_EQ(request(id, bo).status, RequestStatus::registered) << "who waited longest";
  EXPECT_EQ(request(id, cy).status, RequestStatus::waitlisted);
  EXPECT_EQ(session(id).current_participants, 1);
}

TEST_F(LiveSession, without_a_maximum_has_room_for_all) {  // DR-49
  const Uuid id = schedule();
  for (const Uuid& who : {ana, bo, cy}) EXPECT_EQ(enlisted(id, who), RequestStatus::registered);
  EXPECT_EQ(session(id).current_participants, 3);
}

TEST_F(LiveSession, a_seat_that_is_given_back_is_the_next_ones_in_the_same_decision) {  // DR-49, DR-52
  const Uuid id = schedule(1);
  enlisted(id, ana);
  enlisted(id, bo);
  withdraw(id, ana).then_accepted();
  const Uuid anas = participant_id_of(id, ana), bos = participant_id_of(id, bo);
  as(the_system())
      .send(participant::WithdrawFromSession{.session_id = id, .user_id = ana, .attempt = 1})
      .then({participant::RegistrationCancelled{.participant_id = anas,
                                                .session_id = id,
                                                .user_id = ana,
                                                .attempt = 1,
                                                .cancelled_by = ::participant::v1::CancelledBy::learner},
             SeatReleased{.session_id = id, .participant_id = anas, .current_participants = 0},
             participant::WaitlistPromoted{.participant_id = bos, .session_id = id, .user_id = bo, .attempt = 1},
             SeatTaken{.session_id = id, .participant_id = bos, .current_participants = 1, .newest_participant_id = bos}});
}

TEST_F(LiveSession, new_seats_go_to_those_who_wait) {  // DR-49, DR-52
  const Uuid id = schedule(1);
  for (const Uuid& who : {ana, bo, cy}) enlisted(id, who);
  auto c = change(id);
  send(c).then_nothing();
  c.max_participants = 2;
  as(user(host)).send(c).then_accepted();
  settle();
  EXPECT_EQ(request(id, bo).status, RequestStatus::registered);
  EXPECT_EQ(request(id, cy).status, RequestStatus::waitlisted);
  c.max_participants = 1;
  as(user(host)).send(c).then_rejected(Code::max_attendees_too_low);
  c.max_participants = std::nullopt;
  send(c).then_accepted();
  settle();
  EXPECT_EQ(request(id, cy).status, RequestStatus::registered);
  EXPECT_EQ(session(id).current_participants, 3);
}

TEST_F(LiveSession, a_place_on_the_waitlist_is_given_back) {  // DR-52
  const Uuid id = schedule(1);
  for (const Uuid& who : {ana, bo, cy}) enlisted(id, who);
  withdrawn(id, bo);
  EXPECT_EQ(session(id).waiting, std::vector{participant_id_of(id, cy)});
  EXPECT_EQ(enlisted(id, bo), RequestStatus::waitlisted) << "behind cy now";
  withdrawn(id, ana);
  EXPECT_EQ(request(id, cy).status, RequestStatus::registered);
  EXPECT_EQ(request(id, bo).status, RequestStatus::waitlisted);
}

TEST_F(LiveSession, a_full_waitlist_refuses) {  // DR-52
  const Uuid id = schedule(1);
  for (std::size_t i = 0; i <= max_waiting; ++i) {
    const Uuid who = guest(100 + static_cast<int>(i));
    join_platform(who);
    enlisted(id, who);
  }
  EXPECT_EQ(session(id).waiting.size(), max_waiting);
  EXPECT_EQ(enlisted(id, ana), RequestStatus::refused);
  EXPECT_EQ(request(id, ana).reason, "waitlist_full");
  withdrawn(id, guest(100));
  EXPECT_EQ(enlisted(id, ana), RequestStatus::waitlisted) << "asking again is allowed";
}

// ---- requests

TEST_F(LiveSession, is_asked_for_once) {  // DR-51
  const Uuid id = schedule(1);
  enlist(id, ana).then_accepted();
  EXPECT_EQ(request(id, ana).status, RequestStatus::requested);
  enlist(id, ana).then_nothing();
  settle();
  enlist(id, ana).then_nothing();
  EXPECT_EQ(session(id).current_participants, 1);
  as(user(bo)).send(session_request::RegisterForLiveSession{.learner_id = ana, .session_id = id})
      .then_rejected(Code::learner_not_found);
  enlist(id_of("no session"), ana).then_rejected(Code::session_not_found);
  enlist(id, host).then_rejected(Code::own_session);
}

TEST_F(LiveSession, is_for_a_level) {  // DR-48
  auto c = offer();
  c.min_level = 2;
  const Uuid id = schedule(c);
  enlist(id, ana).then_rejected(Code::level_too_low);
  as(service()).send(learner::AdjustXp{.learner_id = ana, .amount = 3'000, .reason = "transfer"}).then_accepted();
  EXPECT_EQ(enlisted(id, ana), RequestStatus::registered);
}

TEST_F(LiveSession, is_for_those_who_have_completed_its_lessons) {  // DR-48
  lesson::CreateLesson l;
  l.curriculum_id = curriculum_id_of("dracarys");
  l.level_id = 1;
  l.gate_id = 1;
  l.title = "Charts";
  l.content_data = "{}";
  const Uuid lesson_id = as(service()).send(l).then_accepted().subject.stream.id;
  auto c = offer();
  c.required_lessons = {lesson_id};
  const Uuid id = schedule(c);
  enlist(id, ana).then_rejected(Code::prerequisites_missing);
  as(user(ana)).send(progress::CompleteLesson{.lesson_id = lesson_id, .learner_id = ana}).then_accepted();
  EXPECT_EQ(enlisted(id, ana), RequestStatus::registered);
}

TEST_F(LiveSession, one_that_is_over_takes_nobody) {  // DR-47
  const Uuid id = schedule(), late = schedule();
  cancel(id).then_accepted();
  enlist(id, ana).then_rejected(Code::session_over);
  // The learner's group has not heard of the end yet.
  enlist(late, ana).then_accepted();
  cancel(late).then_accepted();
  settle();
  EXPECT_EQ(request(late, ana).status, RequestStatus::refused);
  EXPECT_EQ(request(late, ana).reason, "session_over");
  withdraw(late, ana).then_rejected(Code::registration_ended);
}

TEST_F(LiveSession, a_withdrawal_may_overtake_its_request) {  // exactly once, in whatever order
  const Uuid id = schedule(1);
  enlist(id, ana).then_accepted();
  withdraw(id, ana).then_accepted();
  withdraw(id, ana).then_nothing();
  enlist(id, ana).then_rejected(Code::registration_cancelling);
  ASSERT_EQ(inbox.size(), 2U);
  deliver(1);
  settle();
  EXPECT_EQ(request(id, ana).status, RequestStatus::cancelled);
  EXPECT_EQ(place(id, ana).status, ParticipantStatus::cancelled);
  EXPECT_EQ(session(id).current_participants, 0);
  EXPECT_EQ(enlisted(id, ana), RequestStatus::registered);
}

TEST_F(LiveSession, answers_may_overtake_each_other) {  // exactly once, in whatever order
  const Uuid id = schedule(1);
  enlisted(id, ana);
  enlist(id, bo).then_accepted();
  deliver();  // Bo waits; the answer is on its way.
  withdraw(id, ana).then_accepted();
  deliver(1);  // Bo is promoted.
  ASSERT_EQ(inbox.size(), 3U);
  deliver(2);
  settle();
  EXPECT_EQ(request(id, bo).status, RequestStatus::registered);
}

// ---- attendance

TEST_F(LiveSession, is_joined_while_live_by_those_who_are_registered) {  // DR-50, DR-52
  const Uuid id = schedule(1);
  enlisted(id, ana);
  enlisted(id, bo);
  join(id, ana).then_rejected(Code::session_not_live);
  start(id).then_accepted();
  join(id, bo).then_rejected(Code::seat_not_free);
  join(id, cy).then_rejected(Code::registration_not_found);
  as(user(bo)).send(participant::JoinLiveSession{.session_id = id, .user_id = ana}).then_rejected(Code::account_not_found);
  join(id, ana).then_accepted();
  join(id, ana).then_nothing();
  EXPECT_EQ(place(id, ana).status, ParticipantStatus::attended);
  EXPECT_EQ(place(id, ana).joined_at, now);
}

TEST_F(LiveSession, is_left_and_joined_again) {  // DR-50
  const Uuid id = schedule();
  enlisted(id, ana);
  start(id).then_accepted();
  leave(id, ana).then_rejected(Code::attendance_required);
  join(id, ana).then_accepted();
  const Micros joined = now;
  wait(minute_us);
  leave(id, ana).then_accepted();
  leave(id, ana).then_nothing();
  EXPECT_EQ(place(id, ana).left_at, now);
  join(id, ana).then_accepted();
  EXPECT_EQ(place(id, ana).joined_at, joined) << "the first time";
  EXPECT_EQ(place(id, ana).left_at, 0);
  settle();
  EXPECT_EQ(only<learner::ActivityRecorded>(world.history()).size(), 1U);
  end(id).then_accepted();
  leave(id, ana).then_rejected(Code::session_not_live);
}

TEST_F(LiveSession, joining_counts_for_the_streak) {  // DR-30
  const Uuid id = schedule();
  enlisted(id, ana);
  start(id).then_accepted();
  join(id, ana).then_accepted();
  settle();
  EXPECT_EQ(state<LearnerState>(ana).current_streak, 1);
  const auto recorded = only<learner::ActivityRecorded>(world.history());
  ASSERT_EQ(recorded.size(), 1U);
  EXPECT_EQ(recorded[0].activity_type, "session_join");
  EXPECT_EQ(recorded[0].entity_id, id);
}

TEST_F(LiveSession, is_missed_by_those_who_never_joined) {  // A-DR-29
  const Uuid id = schedule(2);
  for (const Uuid& who : {ana, bo, cy}) enlisted(id, who);
  start(id).then_accepted();
  join(id, ana).then_accepted();
  end(id).then_accepted();
  settle();
  EXPECT_EQ(place(id, ana).status, ParticipantStatus::attended);
  EXPECT_EQ(place(id, bo).status, ParticipantStatus::missed);
  EXPECT_EQ(request(id, bo).status, RequestStatus::registered);
  EXPECT_EQ(place(id, cy).status, ParticipantStatus::cancelled) << "nobody waits for ever";
  EXPECT_EQ(request(id, cy).status, RequestStatus::cancelled);
  EXPECT_EQ(session(id).current_participants, 2);
}

TEST_F(LiveSession, a_cancelled_one_has_no_participants) {  // DR-47, §9
  const Uuid id = schedule(1);
  enlisted(id, ana);
  enlisted(id, bo);
  cancel(id).then_accepted();
  settle();
  for (const Uuid& who : {ana, bo}) EXPECT_EQ(request(id, who).status, RequestStatus::cancelled);
  EXPECT_EQ(session(id).current_participants, 0);
}

TEST_F(LiveSession, settles_a_hundred_participants_a_step) {  // A-DR-29
  const Uuid id = schedule();
  constexpr int many = 250;
  for (int i = 0; i < many; ++i) {
    join_platform(guest(100 + i));
    enlisted(id, guest(100 + i));
  }
  start(id).then_accepted();
  end(id).then_accepted();
  settle();
  wait(second_us);
  EXPECT_EQ(only<participant::AttendanceMissed>(world.history()).size(), static_cast<std::size_t>(many));
  EXPECT_EQ(only<ParticipantsSettled>(world.history()).size(), 3U);
  EXPECT_TRUE(timers(session(id)).empty());
}

TEST_F(LiveSession, a_seat_that_was_used_is_kept) {  // DR-52
  const Uuid id = schedule(1);
  enlisted(id, ana);
  enlisted(id, bo);
  start(id).then_accepted();
  join(id, ana).then_accepted();
  withdrawn(id, ana);
  EXPECT_EQ(request(id, ana).status, RequestStatus::registered);
  EXPECT_FALSE(request(id, ana).cancelling);
  withdraw(id, ana).then_rejected(Code::seat_kept);
  EXPECT_EQ(request(id, bo).status, RequestStatus::waitlisted);
}

// ---- feedback

TEST_F(LiveSession, feedback_is_given_once_by_those_who_took_part) {  // DR-53
  const Uuid id = schedule();
  enlisted(id, ana);
  enlisted(id, bo);
  start(id).then_accepted();
  join(id, ana).then_accepted();
  end(id).then_accepted();
  settle();
  say(id, ana, 5).then_accepted();
  say(id, ana, 5).then_nothing();
  say(id, ana, 1).then_rejected(Code::feedback_given);
  say(id, bo, 5).then_rejected(Code::attendance_required);
  say(id, cy, 5).then_rejected(Code::registration_not_found);
}

TEST_F(LiveSession, participants_are_seen_by_themselves_and_the_host) {  // A-DR-30
  const Uuid id = schedule();
  enlisted(id, ana);
  EXPECT_TRUE(shows_to(place(id, ana), user(ana)));
  EXPECT_TRUE(shows_to(place(id, ana), user(host)));
  EXPECT_FALSE(shows_to(place(id, ana), user(bo)));
  EXPECT_FALSE(shows_to(request(id, ana), user(host)));
  EXPECT_TRUE(shows_to(session(id), user(bo)));
  EXPECT_FALSE(shows_to(session(id), {}));
}

}  // namespace
}  // namespace guildhall::testing
