#include "projectors/live_sessions.h"

namespace guildhall {
namespace {

using ::live_session::v1::SessionType;

template <class Rows>
Write& touch(Write& row, const RecordHeader& at) {
  return row.set(Rows::updated_at, at.time).set(Rows::last_event_position, position_of(at));
}

Write& change(const RecordHeader& at, const Uuid& session, Writes& out) {
  return touch<LiveSessions>(out.update(LiveSessions::table(), {session}), at);
}

Value number_or_null(const auto& number) { return number ? Value{std::int64_t{*number}} : Value{}; }

Value texts_of(const std::vector<Uuid>& ids) {
  std::vector<std::string> out;
  for (const Uuid& id : ids) out.push_back(to_string(id));
  return out;
}

// As the seed spells it (DR-46).
Value text_of(SessionType type) {
  return type == SessionType::q_and_a ? "q&a" : std::string(::live_session::v1::EnumNameSessionType(type));
}

// What is set when a session is scheduled, and again by every update.
template <class Event>
void set_offer(Write& row, const Event& e, Writes& out) {
  row.set(LiveSessions::title, storable(e.title))
      .set(LiveSessions::description, text_or_null(e.description))
      .set(LiveSessions::session_type, text_of(e.session_type))
      .set(LiveSessions::scheduled_at, e.scheduled_at)
      .set(LiveSessions::duration_minutes, std::int64_t{e.duration_minutes})
      .set(LiveSessions::max_participants, number_or_null(e.max_participants))
      .set(LiveSessions::is_recorded, e.is_recorded)
      .set(LiveSessions::min_level, number_or_null(e.min_level))
      .set(LiveSessions::required_lessons, texts_of(e.required_lessons))
      .set(LiveSessions::tags, texts(e.tags));
  out.upsert(LiveSessionRooms::table(), {e.session_id}).set(LiveSessionRooms::meeting_url, text_or_null(e.meeting_url));
}

void count_seats(const RecordHeader& at, const Uuid& session, std::int32_t current_participants, Writes& out) {
  change(at, session, out).set(LiveSessions::current_participants, std::int64_t{current_participants});
}

// Also when the same user registers again: the row before is gone by then.
template <class Event>
void add(const RecordHeader& at, const Event& e, const char* status, Writes& out) {
  touch<SessionParticipants>(out.insert(SessionParticipants::table(), {e.participant_id}), at)
      .set(SessionParticipants::session_id, e.session_id)
      .set(SessionParticipants::host_id, e.host_id)
      .set(SessionParticipants::user_id, e.user_id)
      .set(SessionParticipants::attendance_status, status)
      .set(SessionParticipants::created_at, at.time);
}

template <class Event>
Write& change_participant(const RecordHeader& at, const Event& e, Writes& out) {
  return touch<SessionParticipants>(out.update(SessionParticipants::table(), {e.participant_id}), at);
}

}  // namespace

const Table& LiveSessions::table() {
  static const Table table{"live_sessions",
                           {{"session_id", ColumnType::uuid}},
                           {{"title", ColumnType::text},
                            {"description", ColumnType::text},
                            {"host_id", ColumnType::uuid},
                            {"session_type", ColumnType::text},
                            {"scheduled_at", ColumnType::timestamptz},
                            {"duration_minutes", ColumnType::int4},
                            {"max_participants", ColumnType::int4},
                            {"current_participants", ColumnType::int4, std::int64_t{0}},
                            {"recording_url", ColumnType::text},
                            {"is_recorded", ColumnType::boolean},
                            {"status", ColumnType::text},
                            {"min_level", ColumnType::int4},
                            {"required_lessons", ColumnType::text_array, std::vector<std::string>{}},
                            {"tags", ColumnType::text_array, std::vector<std::string>{}},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& LiveSessionRooms::table() {
  static const Table table{"live_session_rooms",
                           {{"session_id", ColumnType::uuid}},
                           {{"host_id", ColumnType::uuid}, {"meeting_url", ColumnType::text}}};
  return table;
}

const Table& SessionParticipants::table() {
  static const Table table{"session_participants",
                           {{"participant_id", ColumnType::uuid}},
                           {{"session_id", ColumnType::uuid},
                            {"host_id", ColumnType::uuid},
                            {"user_id", ColumnType::uuid},
                            {"joined_at", ColumnType::timestamptz},
                            {"left_at", ColumnType::timestamptz},
                            {"attendance_status", ColumnType::text},
                            {"feedback_rating", ColumnType::int4},
                            {"feedback_text", ColumnType::text},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

// ---- sessions

void project(const RecordHeader& at, const live_session::LiveSessionScheduled& e, Writes& out) {
  set_offer(touch<LiveSessions>(out.insert(LiveSessions::table(), {e.session_id}), at)
                .set(LiveSessions::host_id, e.host_id)
                .set(LiveSessions::status, "scheduled")
                .set(LiveSessions::created_at, at.time),
            e, out);
  out.update(LiveSessionRooms::table(), {e.session_id}).set(LiveSessionRooms::host_id, e.host_id);
}

void project(const RecordHeader& at, const live_session::LiveSessionUpdated& e, Writes& out) {
  set_offer(change(at, e.session_id, out), e, out);
}

void project(const RecordHeader& at, const live_session::LiveSessionStarted& e, Writes& out) {
  change(at, e.session_id, out).set(LiveSessions::status, "live");
  out.update(LiveSessionRooms::table(), {e.session_id}).set(LiveSessionRooms::meeting_url, text_or_null(e.meeting_url));
}

void project(const RecordHeader& at, const live_session::LiveSessionEnded& e, Writes& out) {
  change(at, e.session_id, out).set(LiveSessions::status, "ended");
}

void project(const RecordHeader& at, const live_session::LiveSessionCancelled& e, Writes& out) {
  change(at, e.session_id, out).set(LiveSessions::status, "cancelled");
}

void project(const RecordHeader& at, const live_session::LiveRecordingAttached& e, Writes& out) {
  change(at, e.session_id, out).set(LiveSessions::recording_url, storable(e.recording_url)).set(LiveSessions::is_recorded, true);
}

void project(const RecordHeader& at, const live_session::SeatTaken& e, Writes& out) {
  count_seats(at, e.session_id, e.current_participants, out);
}
void project(const RecordHeader& at, const live_session::SeatReleased& e, Writes& out) {
  count_seats(at, e.session_id, e.current_participants, out);
}
void project(const RecordHeader& at, const live_session::PlaceTaken& e, Writes& out) { change(at, e.session_id, out); }
void project(const RecordHeader& at, const live_session::PlaceReleased& e, Writes& out) { change(at, e.session_id, out); }
void project(const RecordHeader& at, const live_session::ParticipantsSettled& e, Writes& out) {
  count_seats(at, e.session_id, e.current_participants, out);
}

// ---- participants

void project(const RecordHeader& at, const participant::RegistrationAdded& e, Writes& out) { add(at, e, "registered", out); }
void project(const RecordHeader& at, const participant::RegistrationWaitlisted& e, Writes& out) { add(at, e, "waitlisted", out); }
void project(const RecordHeader&, const participant::RegistrationRefused&, Writes&) {}

void project(const RecordHeader& at, const participant::WaitlistPromoted& e, Writes& out) {
  change_participant(at, e, out).set(SessionParticipants::attendance_status, "registered");
}
void project(const RecordHeader&, const participant::RegistrationCancelled& e, Writes& out) {
  out.erase(SessionParticipants::table(), {e.participant_id});
}
void project(const RecordHeader&, const participant::WithdrawalRefused&, Writes&) {}

void project(const RecordHeader& at, const participant::ParticipantJoined& e, Writes& out) {
  change_participant(at, e, out)
      .set(SessionParticipants::attendance_status, "attended")
      .set(SessionParticipants::joined_at, e.joined_at)
      .set(SessionParticipants::left_at, {});
}
void project(const RecordHeader& at, const participant::ParticipantLeft& e, Writes& out) {
  change_participant(at, e, out).set(SessionParticipants::left_at, e.left_at);
}
void project(const RecordHeader& at, const participant::AttendanceMissed& e, Writes& out) {
  change_participant(at, e, out).set(SessionParticipants::attendance_status, "missed");
}
void project(const RecordHeader& at, const participant::FeedbackGiven& e, Writes& out) {
  change_participant(at, e, out)
      .set(SessionParticipants::feedback_rating, std::int64_t{e.rating})
      .set(SessionParticipants::feedback_text, text_or_null(e.text));
}

}  // namespace guildhall
