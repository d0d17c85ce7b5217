// What people were told (PA-102, PA-103), and how far they have read.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Notifications {
  enum : ColumnNo { user_id, sequence, type, topic, actor_id, related_id, read_at, created_at, last_event_position };
  static const Table& table();
};
// Each time that somebody marked all as read: what a notification was read by is the first that reached its sequence.
struct NotificationCursors {
  enum : ColumnNo { read_at };
  static const Table& table();
};

void project(const RecordHeader& at, const notification::NotificationRaised& e, Writes& out);
void project(const RecordHeader& at, const notification::NotificationRead& e, Writes& out);
void project(const RecordHeader& at, const notification_inbox::AllNotificationsRead& e, Writes& out);

}  // namespace guildhall
