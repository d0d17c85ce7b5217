// Who is on the music marketplace: the seed's user_profiles (PA-3, PA-14), for whom each member wants to see them (PA-7). Why
// somebody is banned is for them and the service only; a place is in as many tables as there are answers to how much of it is
// shown (PA-8), each with what is to be shown, so that a policy needs no other.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Members {
  enum : ColumnNo {
    username,
    display_name,
    bio,
    avatar_url,
    banner_url,
    smart_link,
    website_url,
    experience_level,
    role,
    visibility,
    is_partner,
    is_banned,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct MemberCountries {
  enum : ColumnNo { visibility, country, source, updated_at };
  static const Table& table();
};
struct MemberCities {
  enum : ColumnNo { visibility, city };
  static const Table& table();
};
struct MemberPositions {
  enum : ColumnNo { visibility, longitude_microdegrees, latitude_microdegrees };
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
