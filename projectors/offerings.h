// What can be booked: sessions, availability_windows and bookable_slots (TU-15..28).
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Sessions {
  enum : ColumnNo {
    expert_id,
    title,
    description,
    short_description,
    topic_tags,
    duration_minutes,
    price_cents,
    currency,
    level,
    prerequisites,
    materials_url,
    max_participants,
    is_active,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct Windows {
  enum : ColumnNo {
    expert_id,
    day_of_week,
    start_minute,
    end_minute,
    timezone,
    is_active,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct Slots {
  enum : ColumnNo {
    expert_id,
    session_id,
    window_id,
    start_time,
    end_time,
    is_available,
    current_bookings,
    max_bookings,
    blocked,
    hidden,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};

void project(const RecordHeader& at, const session::SessionCreated& e, Writes& out);
void project(const RecordHeader& at, const session::SessionUpdated& e, Writes& out);
void project(const RecordHeader& at, const session::SessionActivated& e, Writes& out);
void project(const RecordHeader& at, const session::SessionDeactivated& e, Writes& out);
void project(const RecordHeader& at, const session::SessionFirstBooked& e, Writes& out);

void project(const RecordHeader& at, const schedule::WindowAdded& e, Writes& out);
void project(const RecordHeader& at, const schedule::WindowUpdated& e, Writes& out);
void project(const RecordHeader& at, const schedule::WindowRemoved& e, Writes& out);
void project(const RecordHeader& at, const schedule::SessionScheduled& e, Writes& out);
void project(const RecordHeader& at, const schedule::HorizonExtended& e, Writes& out);

void project(const RecordHeader& at, const calendar::SlotsGenerated& e, Writes& out);
void project(const RecordHeader& at, const calendar::SeatHeld& e, Writes& out);
void project(const RecordHeader& at, const calendar::SeatReleased& e, Writes& out);
void project(const RecordHeader& at, const calendar::OverlapChanged& e, Writes& out);
void project(const RecordHeader& at, const calendar::SlotBlocked& e, Writes& out);
void project(const RecordHeader& at, const calendar::SlotUnblocked& e, Writes& out);

}  // namespace guildhall
