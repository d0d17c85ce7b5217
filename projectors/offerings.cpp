#include "projectors/offerings.h"

namespace guildhall {
namespace {

const char* text_of(::session::v1::Level level) {
  switch (level) {  // TU-13: upper case.
    case ::session::v1::Level::beginner: return "BEGINNER";
    case ::session::v1::Level::intermediate: return "INTERMEDIATE";
    case ::session::v1::Level::advanced: return "ADVANCED";
  }
  return "BEGINNER";  // A value appended to the enum later: shown as its default until the platform has a name for it.
}

Write& touch(Write& write, const RecordHeader& at, ColumnNo updated_at, ColumnNo last_event_position) {
  return write.set(updated_at, at.time).set(last_event_position, position_of(at));
}

Write& change_session(const RecordHeader& at, const Uuid& id, Writes& out) {
  return touch(out.update(Sessions::table(), {id}), at, Sessions::updated_at, Sessions::last_event_position);
}

// What SessionCreated and SessionUpdated have in common.
void offer(Write& write, const auto& e) {
  write.set(Sessions::title, storable(e.title))
      .set(Sessions::description, text_or_null(e.description))
      .set(Sessions::short_description, text_or_null(e.short_description))
      .set(Sessions::topic_tags, texts(e.topic_tags))
      .set(Sessions::duration_minutes, std::int64_t{e.duration_minutes})
      .set(Sessions::price_cents, e.price_cents)
      .set(Sessions::currency, storable(e.currency))
      .set(Sessions::level, text_of(e.level))
      .set(Sessions::prerequisites, text_or_null(e.prerequisites))
      .set(Sessions::materials_url, text_or_null(e.materials_url))
      .set(Sessions::max_participants, std::int64_t{e.max_participants});
}

void wall_times(Write& write, const auto& e) {
  write.set(Windows::day_of_week, std::int64_t{e.day_of_week})
      .set(Windows::start_minute, std::int64_t{e.start_time})
      .set(Windows::end_minute, std::int64_t{e.end_time})
      .set(Windows::timezone, storable(e.timezone));
}

// TU-27, A-TU-4: availability is derived; the event carries what stands after it (design: a booking's life), so this only copies.
void seats(const RecordHeader& at, const std::vector<::calendar::v1::SlotSeats>& changed, Writes& out) {
  for (const auto& slot : changed)
    touch(out.update(Slots::table(), {slot.slot_id()}), at, Slots::updated_at, Slots::last_event_position)
        .set(Slots::current_bookings, std::int64_t{slot.taken()})
        .set(Slots::max_bookings, std::int64_t{slot.max()})
        .set(Slots::blocked, slot.blocked())
        .set(Slots::hidden, slot.hidden())
        .set(Slots::is_available, slot.taken() < slot.max() && !slot.blocked() && !slot.hidden());
}

}  // namespace

const Table& Sessions::table() {
  static const Table table{"sessions",
                           {{"session_id", ColumnType::uuid}},
                           {{"expert_id", ColumnType::uuid},
                            {"title", ColumnType::text},
                            {"description", ColumnType::text},
                            {"short_description", ColumnType::text},
                            {"topic_tags", ColumnType::text_array, std::vector<std::string>{}},
                            {"duration_minutes", ColumnType::int4},
                            {"price_cents", ColumnType::int4},
                            {"currency", ColumnType::text},
                            {"level", ColumnType::text},
                            {"prerequisites", ColumnType::text},
                            {"materials_url", ColumnType::text},
                            {"max_participants", ColumnType::int4},
                            {"is_active", ColumnType::boolean},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& Windows::table() {
  static const Table table{"windows",
                           {{"window_id", ColumnType::uuid}},
                           {{"expert_id", ColumnType::uuid},
                            {"day_of_week", ColumnType::int4},
                            {"start_minute", ColumnType::int4},
                            {"end_minute", ColumnType::int4},
                            {"timezone", ColumnType::text},
                            {"is_active", ColumnType::boolean},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& Slots::table() {
  static const Table table{"slots",
                           {{"slot_id", ColumnType::uuid}},
                           {{"expert_id", ColumnType::uuid},
                            {"session_id", ColumnType::uuid},
                            {"window_id", ColumnType::uuid},
                            {"start_time", ColumnType::timestamptz},
                            {"end_time", ColumnType::timestamptz},
                            {"is_available", ColumnType::boolean},
                            {"current_bookings", ColumnType::int4},
                            {"max_bookings", ColumnType::int4},
                            {"blocked", ColumnType::boolean},
                            {"hidden", ColumnType::boolean},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

void project(const RecordHeader& at, const session::SessionCreated& e, Writes& out) {
  Write& row = out.upsert(Sessions::table(), {e.session_id});
  touch(row, at, Sessions::updated_at, Sessions::last_event_position)
      .set(Sessions::expert_id, e.expert_id)
      .set(Sessions::is_active, true)
      .set(Sessions::created_at, at.time);
  offer(row, e);
}
void project(const RecordHeader& at, const session::SessionUpdated& e, Writes& out) {
  offer(change_session(at, e.session_id, out), e);
}
void project(const RecordHeader& at, const session::SessionActivated& e, Writes& out) {
  change_session(at, e.session_id, out).set(Sessions::is_active, true);
}
void project(const RecordHeader& at, const session::SessionDeactivated& e, Writes& out) {
  change_session(at, e.session_id, out).set(Sessions::is_active, false);
}
void project(const RecordHeader& at, const session::SessionFirstBooked& e, Writes& out) { change_session(at, e.session_id, out); }

void project(const RecordHeader& at, const schedule::WindowAdded& e, Writes& out) {
  Write& row = out.upsert(Windows::table(), {e.window_id});
  touch(row, at, Windows::updated_at, Windows::last_event_position)
      .set(Windows::expert_id, e.expert_id)
      .set(Windows::is_active, true)
      .set(Windows::created_at, at.time);
  wall_times(row, e);
}
void project(const RecordHeader& at, const schedule::WindowUpdated& e, Writes& out) {
  Write& row = out.update(Windows::table(), {e.window_id});
  touch(row, at, Windows::updated_at, Windows::last_event_position).set(Windows::is_active, e.is_active);
  wall_times(row, e);
}
void project(const RecordHeader&, const schedule::WindowRemoved& e, Writes& out) { out.erase(Windows::table(), {e.window_id}); }
// The schedule's own bookkeeping: the session's row comes from the session's stream, slots from the calendar's.
void project(const RecordHeader&, const schedule::SessionScheduled&, Writes&) {}
void project(const RecordHeader&, const schedule::HorizonExtended&, Writes&) {}

void project(const RecordHeader& at, const calendar::SlotsGenerated& e, Writes& out) {
  for (const Uuid& id : e.removed) out.erase(Slots::table(), {id});
  for (const auto& slot : e.added)
    touch(out.upsert(Slots::table(), {slot.slot_id()}), at, Slots::updated_at, Slots::last_event_position)
        .set(Slots::expert_id, e.expert_id)
        .set(Slots::session_id, slot.session_id())
        .set(Slots::window_id, slot.window_id())
        .set(Slots::start_time, slot.start_at())
        .set(Slots::end_time, slot.end_at())
        .set(Slots::is_available, slot.max() > 0 && !slot.hidden())
        .set(Slots::current_bookings, std::int64_t{0})
        .set(Slots::max_bookings, std::int64_t{slot.max()})
        .set(Slots::blocked, false)
        .set(Slots::hidden, slot.hidden())
        .set(Slots::created_at, at.time);
  seats(at, e.changed, out);
}
void project(const RecordHeader& at, const calendar::SeatHeld& e, Writes& out) { seats(at, e.changed, out); }
void project(const RecordHeader& at, const calendar::SeatReleased& e, Writes& out) { seats(at, e.changed, out); }
void project(const RecordHeader& at, const calendar::OverlapChanged& e, Writes& out) { seats(at, e.changed, out); }
void project(const RecordHeader& at, const calendar::SlotBlocked& e, Writes& out) { seats(at, e.changed, out); }
void project(const RecordHeader& at, const calendar::SlotUnblocked& e, Writes& out) { seats(at, e.changed, out); }

}  // namespace guildhall
