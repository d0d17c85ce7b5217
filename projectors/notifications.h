// What people were told (PA-102, PA-103), and how far they have read.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Notifications {
  enum : ColumnNo { user_id, sequence, type, topic, actor_id, related_id, read_at, created_at, last_event_position };
  static const Table& table();
};
// How far somebody has read, and each time that they marked all: what a notification was read by is the first that reached it.
struct NotificationInboxes {
  enum : ColumnNo { read_up_to };
  static const Table& table();
};
struct NotificationCursors {
  enum : ColumnNo { read_at };
  static const Table& table();
};

void project(const RecordHeader& at, const notification::NotificationRaised& e, Writes& out);
void project(const RecordHeader& at, const notification::NotificationRead& e, Writes& out);
void project(const RecordHeader& at, const notification_inbox::AllNotificationsRead& e, Writes& out);

}  // namespace guildhall
