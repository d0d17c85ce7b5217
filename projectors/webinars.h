// Webinars and who takes part in them (PA-77..80): the seed's webinars and webinar_registrations. Not everybody who sees a
// webinar may enter its room, so room and recording stand in a table of their own.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

// registrations_count and attendees_count are added to by who registers and joins: no change of the webinar, so updated_at stays.
struct Webinars {
  enum : ColumnNo {
    host_id,
    co_hosts,
    title,
    slug,
    description,
    thumbnail_url,
    cover_image_url,
    scheduled_at,
    duration_minutes,
    price_cents,
    currency,
    max_attendees,
    status,
    category_id,
    tags,
    registrations_count,
    attendees_count,
    is_recorded,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
// Of webinars that have been live.
struct WebinarRooms {
  enum : ColumnNo { room_id, recording_url };
  static const Table& table();
};
// One for a webinar and a user, whatever has become of it: money that comes late makes one live again, and who registers anew has
// the same id. The view leaves those out that ended without money.
struct WebinarRegistrations {
  enum : ColumnNo {
    webinar_id,
    host_id,
    user_id,
    status,
    payment_status,
    attended,
    attended_at,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};

void project(const RecordHeader& at, const webinar::WebinarScheduled& e, Writes& out);
void project(const RecordHeader& at, const webinar::WebinarUpdated& e, Writes& out);
void project(const RecordHeader& at, const webinar::WebinarStarted& e, Writes& out);
void project(const RecordHeader& at, const webinar::WebinarEnded& e, Writes& out);
void project(const RecordHeader& at, const webinar::WebinarCancelled& e, Writes& out);
void project(const RecordHeader& at, const webinar::RecordingAttached& e, Writes& out);
void project(const RecordHeader& at, const webinar::RecordingConverted& e, Writes& out);
void project(const RecordHeader& at, const webinar::RegistrationsSettled& e, Writes& out);
void project(const RecordHeader& at, const webinar::GuestsTold& e, Writes& out);

void project(const RecordHeader& at, const registration::RegistrationAdded& e, Writes& out);
void project(const RecordHeader& at, const registration::RegistrationPaid& e, Writes& out);
void project(const RecordHeader& at, const registration::RegistrationExpired& e, Writes& out);
void project(const RecordHeader& at, const registration::RegistrationFailed& e, Writes& out);
void project(const RecordHeader& at, const registration::RegistrationReinstated& e, Writes& out);
void project(const RecordHeader& at, const registration::RegistrationCancelled& e, Writes& out);
void project(const RecordHeader& at, const registration::RegistrationRefunded& e, Writes& out);
void project(const RecordHeader& at, const registration::ParticipantJoined& e, Writes& out);

}  // namespace guildhall
