#include "projectors/webinars.h"

namespace guildhall {
namespace {

using ::registration::v1::PaymentStatus;
using ::registration::v1::Status;

Write& touch(Write& row, const RecordHeader& at) {
  return row.set(Webinars::updated_at, at.time).set(Webinars::last_event_position, position_of(at));
}

Write& change(const RecordHeader& at, const Uuid& webinar, Writes& out) {
  return touch(out.update(Webinars::table(), {webinar}), at);
}

Value texts_of(const std::vector<Uuid>& ids) {
  std::vector<std::string> out;
  for (const Uuid& id : ids) out.push_back(to_string(id));
  return out;
}

// What is set when a webinar is scheduled, and again by every update.
template <class Event>
Write& set_offer(Write& row, const Event& e) {
  return row.set(Webinars::co_hosts, texts_of(e.co_hosts))
      .set(Webinars::title, storable(e.title))
      .set(Webinars::description, text_or_null(e.description))
      .set(Webinars::thumbnail_url, text_or_null(e.thumbnail_url))
      .set(Webinars::cover_image_url, text_or_null(e.cover_image_url))
      .set(Webinars::scheduled_at, e.scheduled_at)
      .set(Webinars::duration_minutes, std::int64_t{e.duration_minutes})
      .set(Webinars::price_cents, e.price_cents)
      .set(Webinars::max_attendees, e.max_attendees ? Value{std::int64_t{*e.max_attendees}} : Value{})
      .set(Webinars::category_id, id_or_null(e.category_id))
      .set(Webinars::tags, texts(e.tags));
}

void count_seat(const Uuid& webinar, int change, Writes& out) {
  out.update(Webinars::table(), {webinar}).add(Webinars::registrations_count, change);
}

Write& change_registration(const RecordHeader& at, const Uuid& registration, Writes& out) {
  return out.update(WebinarRegistrations::table(), {registration})
      .set(WebinarRegistrations::updated_at, at.time)
      .set(WebinarRegistrations::last_event_position, position_of(at));
}

Value text_of(Status status) { return ::registration::v1::EnumNameStatus(status); }
Value text_of(PaymentStatus status) { return ::registration::v1::EnumNamePaymentStatus(status); }

void make_paid(const RecordHeader& at, const Uuid& registration, Writes& out) {
  change_registration(at, registration, out)
      .set(WebinarRegistrations::status, text_of(Status::registered))
      .set(WebinarRegistrations::payment_status, text_of(PaymentStatus::paid));
}

// Without money there was none, and a cancelled one that was paid stays so until the money is back.
void end_registration(const RecordHeader& at, const auto& e, Status status, Writes& out) {
  change_registration(at, e.registration_id, out).set(WebinarRegistrations::status, text_of(status));
  count_seat(e.webinar_id, -1, out);
}

}  // namespace

const Table& Webinars::table() {
  static const Table table{"webinars",
                           {{"webinar_id", ColumnType::uuid}},
                           {{"host_id", ColumnType::uuid},
                            {"co_hosts", ColumnType::text_array, std::vector<std::string>{}},
                            {"title", ColumnType::text},
                            {"slug", ColumnType::text},
                            {"description", ColumnType::text},
                            {"thumbnail_url", ColumnType::text},
                            {"cover_image_url", ColumnType::text},
                            {"scheduled_at", ColumnType::timestamptz},
                            {"duration_minutes", ColumnType::int4},
                            {"price_cents", ColumnType::int8},
                            {"currency", ColumnType::text},
                            {"max_attendees", ColumnType::int4},
                            {"status", ColumnType::text},
                            {"category_id", ColumnType::uuid},
                            {"tags", ColumnType::text_array, std::vector<std::string>{}},
                            {"registrations_count", ColumnType::int4, std::int64_t{0}},
                            {"attendees_count", ColumnType::int4, std::int64_t{0}},
                            {"is_recorded", ColumnType::boolean, false},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& WebinarRooms::table() {
  static const Table table{
      "webinar_rooms", {{"webinar_id", ColumnType::uuid}}, {{"room_id", ColumnType::text}, {"recording_url", ColumnType::text}}};
  return table;
}

const Table& WebinarRegistrations::table() {
  static const Table table{"webinar_registrations",
                           {{"registration_id", ColumnType::uuid}},
                           {{"webinar_id", ColumnType::uuid},
                            {"host_id", ColumnType::uuid},
                            {"user_id", ColumnType::uuid},
                            {"status", ColumnType::text},
                            {"payment_status", ColumnType::text},
                            {"attended", ColumnType::boolean, false},
                            {"attended_at", ColumnType::timestamptz},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

void project(const RecordHeader& at, const webinar::WebinarScheduled& e, Writes& out) {
  set_offer(touch(out.insert(Webinars::table(), {e.webinar_id}), at), e)
      .set(Webinars::host_id, e.host_id)
      .set(Webinars::slug, storable(e.slug))
      .set(Webinars::currency, storable(e.currency))
      .set(Webinars::status, "upcoming")
      .set(Webinars::created_at, at.time);
}

void project(const RecordHeader& at, const webinar::WebinarUpdated& e, Writes& out) {
  set_offer(change(at, e.webinar_id, out), e);
}

void project(const RecordHeader& at, const webinar::WebinarStarted& e, Writes& out) {
  change(at, e.webinar_id, out).set(Webinars::status, "live");
  out.insert(WebinarRooms::table(), {e.webinar_id}).set(WebinarRooms::room_id, storable(e.room_id));
}

void project(const RecordHeader& at, const webinar::WebinarEnded& e, Writes& out) {
  change(at, e.webinar_id, out).set(Webinars::status, "ended");
}

void project(const RecordHeader& at, const webinar::WebinarCancelled& e, Writes& out) {
  change(at, e.webinar_id, out).set(Webinars::status, "cancelled");
}

void project(const RecordHeader& at, const webinar::RecordingAttached& e, Writes& out) {
  change(at, e.webinar_id, out).set(Webinars::is_recorded, true);
  out.update(WebinarRooms::table(), {e.webinar_id}).set(WebinarRooms::recording_url, storable(e.recording_url));
}

void project(const RecordHeader& at, const webinar::RecordingConverted& e, Writes& out) { change(at, e.webinar_id, out); }
// Its registrations say what became of them.
void project(const RecordHeader&, const webinar::RegistrationsSettled&, Writes&) {}

// Their notifications say so.
void project(const RecordHeader&, const webinar::GuestsTold&, Writes&) {}

void project(const RecordHeader& at, const registration::RegistrationAdded& e, Writes& out) {
  const bool free = is_nil(e.payment_id);
  out.upsert(WebinarRegistrations::table(), {e.registration_id})
      .set(WebinarRegistrations::webinar_id, e.webinar_id)
      .set(WebinarRegistrations::host_id, e.host_id)
      .set(WebinarRegistrations::user_id, e.user_id)
      .set(WebinarRegistrations::status, text_of(free ? Status::registered : Status::pending))
      .set(WebinarRegistrations::payment_status, text_of(free ? PaymentStatus::free : PaymentStatus::pending))
      .set(WebinarRegistrations::attended, false)
      .set(WebinarRegistrations::attended_at, {})
      .set(WebinarRegistrations::created_at, at.time)
      .set(WebinarRegistrations::updated_at, at.time)
      .set(WebinarRegistrations::last_event_position, position_of(at));
  count_seat(e.webinar_id, 1, out);
}

void project(const RecordHeader& at, const registration::RegistrationPaid& e, Writes& out) {
  make_paid(at, e.registration_id, out);
}
void project(const RecordHeader& at, const registration::RegistrationReinstated& e, Writes& out) {
  make_paid(at, e.registration_id, out);
  count_seat(e.webinar_id, 1, out);
}

void project(const RecordHeader& at, const registration::RegistrationExpired& e, Writes& out) {
  end_registration(at, e, Status::expired, out);
}
void project(const RecordHeader& at, const registration::RegistrationFailed& e, Writes& out) {
  end_registration(at, e, Status::failed, out);
}
void project(const RecordHeader& at, const registration::RegistrationCancelled& e, Writes& out) {
  end_registration(at, e, Status::cancelled, out);
}

void project(const RecordHeader& at, const registration::RegistrationRefunded& e, Writes& out) {
  change_registration(at, e.registration_id, out)
      .set(WebinarRegistrations::status, text_of(Status::refunded))
      .set(WebinarRegistrations::payment_status, text_of(PaymentStatus::refunded));
  if (e.frees_seat) count_seat(e.webinar_id, -1, out);
}

void project(const RecordHeader& at, const registration::ParticipantJoined& e, Writes& out) {
  change_registration(at, e.registration_id, out)
      .set(WebinarRegistrations::attended, true)
      .set(WebinarRegistrations::attended_at, e.attended_at);
  if (e.first_time) out.update(Webinars::table(), {e.webinar_id}).add(Webinars::attendees_count, 1);
}

}  // namespace guildhall
