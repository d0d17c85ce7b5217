// Who is on the music marketplace: the seed's user_profiles (PA-3, PA-14), which anybody reads. Why somebody is banned is for
// them and the service only, so that stands in a table of its own.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Members {
  enum : ColumnNo { display_name, avatar_url, role, is_partner, is_banned, created_at, updated_at, last_event_position };
  static const Table& table();
};
// Of those who are banned now.
struct Bans {
  enum : ColumnNo { reason, banned_at, banned_by };
  static const Table& table();
};

// What an account's events say of its member; the private profile is in projectors/profiles.h.
void project_member(const RecordHeader& at, const AnyEvent& event, Writes& out);

// "Ultimate for Friends" (PA-9): the subscription tells.
void set_partner(const RecordHeader& at, const Uuid& account, bool is_partner, Writes& out);

}  // namespace guildhall
