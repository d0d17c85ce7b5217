// Live sessions and who takes part in them (DR-45..54): the seed's live_sessions and session_participants. Where a session
// meets is a table of its own: row-level security hides rows, not columns (A-DR-30).
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct LiveSessions {
  enum : ColumnNo {
    title,
    description,
    host_id,
    session_type,
    scheduled_at,
    duration_minutes,
    max_participants,
    current_participants,
    recording_url,
    is_recorded,
    status,
    min_level,
    required_lessons,
    tags,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct LiveSessionRooms {
  enum : ColumnNo { host_id, meeting_url };
  static const Table& table();
};
// Without those who were refused or have cancelled (§9).
struct SessionParticipants {
  enum : ColumnNo {
    session_id,
    host_id,
    user_id,
    joined_at,
    left_at,
    attendance_status,
    feedback_rating,
    feedback_text,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};

void project(const RecordHeader& at, const live_session::LiveSessionScheduled& e, Writes& out);
void project(const RecordHeader& at, const live_session::LiveSessionUpdated& e, Writes& out);
void project(const RecordHeader& at, const live_session::LiveSessionStarted& e, Writes& out);
void project(const RecordHeader& at, const live_session::LiveSessionEnded& e, Writes& out);
void project(const RecordHeader& at, const live_session::LiveSessionCancelled& e, Writes& out);
void project(const RecordHeader& at, const live_session::LiveRecordingAttached& e, Writes& out);
void project(const RecordHeader& at, const live_session::SeatTaken& e, Writes& out);
void project(const RecordHeader& at, const live_session::SeatReleased& e, Writes& out);
void project(const RecordHeader& at, const live_session::PlaceTaken& e, Writes& out);
void project(const RecordHeader& at, const live_session::PlaceReleased& e, Writes& out);
void project(const RecordHeader& at, const live_session::ParticipantsSettled& e, Writes& out);

void project(const RecordHeader& at, const participant::RegistrationAdded& e, Writes& out);
void project(const RecordHeader& at, const participant::RegistrationWaitlisted& e, Writes& out);
void project(const RecordHeader& at, const participant::RegistrationRefused& e, Writes& out);
void project(const RecordHeader& at, const participant::WaitlistPromoted& e, Writes& out);
void project(const RecordHeader& at, const participant::RegistrationCancelled& e, Writes& out);
void project(const RecordHeader& at, const participant::WithdrawalRefused& e, Writes& out);
void project(const RecordHeader& at, const participant::ParticipantJoined& e, Writes& out);
void project(const RecordHeader& at, const participant::ParticipantLeft& e, Writes& out);
void project(const RecordHeader& at, const participant::AttendanceMissed& e, Writes& out);
void project(const RecordHeader& at, const participant::FeedbackGiven& e, Writes& out);

}  // namespace guildhall
