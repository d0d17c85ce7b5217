#include "projectors/notifications.h"

namespace guildhall {

const Table& Notifications::table() {
  static const Table table{"notifications",
                           {{"notification_id", ColumnType::uuid}},
                           {{"user_id", ColumnType::uuid},
                            {"sequence", ColumnType::int8},
                            {"type", ColumnType::text},
                            {"topic", ColumnType::text},
                            {"actor_id", ColumnType::uuid},
                            {"related_id", ColumnType::uuid},
                            {"read_at", ColumnType::timestamptz},
                            {"created_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& NotificationInboxes::table() {
  static const Table table{"notification_inboxes", {{"user_id", ColumnType::uuid}}, {{"read_up_to", ColumnType::int8}}};
  return table;
}

const Table& NotificationCursors::table() {
  static const Table table{"notification_cursors",
                           {{"user_id", ColumnType::uuid}, {"read_up_to", ColumnType::int8}},
                           {{"read_at", ColumnType::timestamptz}}};
  return table;
}

void project(const RecordHeader& at, const notification::NotificationRaised& e, Writes& out) {
  out.insert(Notifications::table(), {e.notification_id})
      .set(Notifications::user_id, e.user_id)
      .set(Notifications::sequence, e.sequence)
      .set(Notifications::type, ::notification::v1::EnumNameType(e.type))
      .set(Notifications::topic, ::notification::v1::EnumNameTopic(e.topic))
      .set(Notifications::actor_id, id_or_null(e.actor_id))
      .set(Notifications::related_id, id_or_null(e.related_id))
      .set(Notifications::created_at, at.time)
      .set(Notifications::last_event_position, position_of(at));
}

void project(const RecordHeader& at, const notification::NotificationRead& e, Writes& out) {
  out.update(Notifications::table(), {e.notification_id})
      .set(Notifications::read_at, e.read_at)
      .set(Notifications::last_event_position, position_of(at));
}

void project(const RecordHeader&, const notification_inbox::AllNotificationsRead& e, Writes& out) {
  out.upsert(NotificationInboxes::table(), {e.user_id}).set(NotificationInboxes::read_up_to, e.read_up_to);
  out.insert(NotificationCursors::table(), {e.user_id, e.read_up_to}).set(NotificationCursors::read_at, e.read_at);
}

}  // namespace guildhall
