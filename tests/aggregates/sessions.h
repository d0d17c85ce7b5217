// A host with live sessions, learners of other entity groups, and what the groups tell each other, as the tests of live
// sessions need them.
#pragma once

#include <algorithm>
#include <deque>
#include <set>
#include <tuple>

#include "aggregates/live_session.h"
#include "aggregates/participant.h"
#include "aggregates/session_request.h"
#include "events/curriculum.h"
#include "tests/aggregates/given.h"

namespace guildhall::testing {

struct Sessions : Given {
  using SessionStatus = ::live_session::v1::Status;
  using ParticipantStatus = ::participant::v1::Status;
  using RequestStatus = ::session_request::v1::Status;

  const Uuid host = id_of("host");
  const Uuid ana = guest(0), bo = guest(1), cy = guest(2);

  Sessions() {
    policy.platform = "dracarys";
    policy.aggregates = {"account", "claim", "lesson", "learner", "progress", "live_session", "participant", "session_request"};
    policy.roles = {"member", "admin"};
    for (const Uuid& id : {host, ana, bo, cy}) join_platform(id);
  }

  // Of another entity group than the host's.
  static Uuid guest(int i) { return id_of("guest " + std::to_string(i), 0x111); }

  void join_platform(const Uuid& id) {
    account::RegisterAccount c;
    c.id = id;
    c.email = to_string(id) + "@example.com";
    c.display_name = "Somebody";
    c.role = ::account::v1::Role::member;
    c.timezone = "UTC";
    as(service()).send(c).then_accepted();
  }

  Sessions& as(const Actor& who) {
    actor = who;
    return *this;
  }

  // ---- what the groups tell each other

  std::deque<Reaction> inbox;

  // As `when`, and notes what other groups are told.
  Outcome send(const AnyCommand& command) {
    Outcome out = when(command);
    for (; told_ < world.history().size(); ++told_)
      for (Reaction& r : react(world.history()[told_].event)) inbox.push_back(std::move(r));
    return out;
  }
  // A command between groups is never rejected.
  void deliver(std::size_t which = 0) {
    const Reaction next = std::move(inbox.at(which));
    inbox.erase(inbox.begin() + static_cast<std::ptrdiff_t>(which));
    EXPECT_TRUE(as(the_system()).send(next.command).decision().has_value()) << type_name(next.command);
  }
  // Until all is quiet.
  void settle() {
    do {
      while (!inbox.empty()) deliver();
    } while (fire(now));
  }
  void wait(Micros for_us) {
    const Micros until = now + for_us;
    settle();
    while (fire(until)) settle();
    now = until;
  }
  // The next timer of a session that is due until then; at most once for a time.
  bool fire(Micros until) {
    std::optional<Timer> next;
    for (const Uuid& id : sessions_)
      for (Timer& t : timers(session(id)))
        if (t.due <= until && !fired_.contains({id, std::string(t.name), t.due}) && (!next || t.due < next->due)) {
          next = std::move(t);
          fired_id_ = id;
        }
    if (!next) return false;
    fired_.insert({fired_id_, std::string(next->name), next->due});
    now = std::max(now, next->due);
    as(the_system()).send(next->command);
    return true;
  }

  // ---- sessions: tomorrow, for an hour

  live_session::ScheduleLiveSession offer(std::optional<std::int32_t> max_participants = {}) const {
    return {.host_id = host,
            .title = "Reading charts",
            .scheduled_at = now + day_us,
            .duration_minutes = 60,
            .max_participants = max_participants,
            .meeting_url = "https://meet.example.com/1"};
  }
  Uuid schedule(const live_session::ScheduleLiveSession& c) {
    const Uuid id = as(service()).send(c).then_accepted().subject.stream.id;
    sessions_.push_back(id);
    return id;
  }
  Uuid schedule(std::optional<std::int32_t> max_participants = {}) { return schedule(offer(max_participants)); }
  live_session::UpdateLiveSession change(const Uuid& id) const {
    const auto& s = session(id);
    return {.session_id = id,
            .title = s.title,
            .description = s.description,
            .session_type = s.session_type,
            .scheduled_at = s.scheduled_at,
            .duration_minutes = s.duration_minutes,
            .max_participants = s.max_participants,
            .meeting_url = s.meeting_url,
            .is_recorded = s.is_recorded,
            .min_level = s.min_level,
            .required_lessons = s.required_lessons,
            .tags = s.tags};
  }
  Outcome start(const Uuid& id) { return as(user(host)).send(live_session::StartLiveSession{.session_id = id}); }
  Outcome end(const Uuid& id) { return as(user(host)).send(live_session::EndLiveSession{.session_id = id}); }
  Outcome cancel(const Uuid& id) {
    return as(user(host)).send(live_session::CancelLiveSession{.session_id = id, .reason = "ill"});
  }
  const LiveSessionState& session(const Uuid& id) const { return state<LiveSessionState>(id); }

  // ---- learners

  Outcome enlist(const Uuid& id, const Uuid& who) {
    return as(user(who)).send(session_request::RegisterForLiveSession{.learner_id = who, .session_id = id});
  }
  Outcome withdraw(const Uuid& id, const Uuid& who) {
    return as(user(who)).send(session_request::CancelLiveRegistration{.request_id = session_request_id_of(who, id)});
  }
  // With all that follows.
  RequestStatus enlisted(const Uuid& id, const Uuid& who) {
    enlist(id, who).then_accepted();
    settle();
    return request(id, who).status;
  }
  void withdrawn(const Uuid& id, const Uuid& who) {
    withdraw(id, who).then_accepted();
    settle();
  }
  Outcome join(const Uuid& id, const Uuid& who) {
    return as(user(who)).send(participant::JoinLiveSession{.session_id = id, .user_id = who});
  }
  Outcome leave(const Uuid& id, const Uuid& who) {
    return as(user(who)).send(participant::LeaveLiveSession{.session_id = id, .user_id = who});
  }
  Outcome say(const Uuid& id, const Uuid& who, std::int32_t rating) {
    return as(user(who)).send(participant::GiveFeedback{.session_id = id, .user_id = who, .rating = rating});
  }
  const SessionRequestState& request(const Uuid& id, const Uuid& who) const {
    return state<SessionRequestState>(session_request_id_of(who, id));
  }
  const ParticipantState& place(const Uuid& id, const Uuid& who) const {
    return state<ParticipantState>(participant_id_of(id, who));
  }

  // What the host's group says of a participant, in the words of the learner's.
  static RequestStatus as_request(ParticipantStatus status) {
    switch (status) {
      case ParticipantStatus::none: return RequestStatus::none;
      case ParticipantStatus::waitlisted: return RequestStatus::waitlisted;
      case ParticipantStatus::registered:
      case ParticipantStatus::attended:
      case ParticipantStatus::missed: return RequestStatus::registered;
      case ParticipantStatus::cancelled: return RequestStatus::cancelled;
      case ParticipantStatus::refused: return RequestStatus::refused;
    }
    std::unreachable();
  }

 private:
  std::size_t told_ = 0;
  std::vector<Uuid> sessions_;
  struct Less {
    bool operator()(const std::tuple<Uuid, std::string, Micros>& a, const std::tuple<Uuid, std::string, Micros>& b) const {
      const auto key = [](const auto& t) { return std::tuple(to_string(std::get<0>(t)), std::get<1>(t), std::get<2>(t)); };
      return key(a) < key(b);
    }
  };
  std::set<std::tuple<Uuid, std::string, Micros>, Less> fired_;
  Uuid fired_id_{};
};

}  // namespace guildhall::testing
