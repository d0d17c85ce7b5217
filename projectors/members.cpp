#include "projectors/members.h"

namespace guildhall {
namespace {

using ::account::v1::LocationVisibility;
using ::account::v1::ProfileVisibility;

// Two of the names are words of C++, which the generated ones are not.
const char* text_of(ProfileVisibility visibility) {
  switch (visibility) {
    case ProfileVisibility::public_: return "public";
    case ProfileVisibility::members_only: return "members_only";
    case ProfileVisibility::private_: return "private";
  }
  return "private";  // A value appended to the enum later: shown to nobody until the platform has a name for it.
}

Value number_or_null(const flatbuffers::Optional<std::int32_t>& number) {
  return number ? Value{std::int64_t{*number}} : Value{};
}

Write& touch(Write& row, const RecordHeader& at) {
  return row.set(Members::updated_at, at.time).set(Members::last_event_position, position_of(at));
}

Write& change(const RecordHeader& at, const Uuid& account, Writes& out) {
  return touch(out.update(Members::table(), {account}), at);
}

void put(const RecordHeader& at, const account::AccountRegistered& e, Writes& out) {
  touch(out.upsert(Members::table(), {e.account_id}), at)
      .set(Members::username, text_or_null(e.username))
      .set(Members::display_name, storable(e.display_name))
      .set(Members::avatar_url, text_or_null(e.avatar_url))
      .set(Members::role, ::account::v1::EnumNameRole(e.role))
      .set(Members::visibility, text_of(ProfileVisibility::public_))
      .set(Members::created_at, at.time);
}

void put(const RecordHeader& at, const account::AccountUpdated& e, Writes& out) {
  change(at, e.account_id, out)
      .set(Members::display_name, storable(e.display_name))
      .set(Members::avatar_url, text_or_null(e.avatar_url));
}

void put(const RecordHeader& at, const account::AccountBanned& e, Writes& out) {
  change(at, e.account_id, out).set(Members::is_banned, true);
  out.upsert(Bans::table(), {e.account_id})
      .set(Bans::reason, text_or_null(e.reason))
      .set(Bans::banned_at, at.time)
      .set(Bans::banned_by, id_or_null(at.actor_id));
}

void put(const RecordHeader& at, const account::AccountUnbanned& e, Writes& out) {
  change(at, e.account_id, out).set(Members::is_banned, false);
  out.erase(Bans::table(), {e.account_id});
}

void put(const RecordHeader& at, const account::MemberProfileUpdated& e, Writes& out) {
  change(at, e.account_id, out)
      .set(Members::bio, text_or_null(e.bio))
      .set(Members::banner_url, text_or_null(e.banner_url))
      .set(Members::smart_link, text_or_null(e.smart_link))
      .set(Members::website_url, text_or_null(e.website_url))
      .set(Members::experience_level,
           e.experience_level ? Value{::account::v1::EnumNameMemberLevel(*e.experience_level)} : Value{})
      .set(Members::visibility, text_of(e.profile_visibility));
  const std::string shown = ::account::v1::EnumNameLocationVisibility(e.location_visibility);
  out.upsert(MemberCountries::table(), {e.account_id}).set(MemberCountries::visibility, shown);
  out.upsert(MemberCities::table(), {e.account_id}).set(MemberCities::visibility, shown);
  out.upsert(MemberPositions::table(), {e.account_id}).set(MemberPositions::visibility, shown);
}

void put(const RecordHeader& at, const account::LocationSet& e, Writes& out) {
  change(at, e.account_id, out);
  out.upsert(MemberCountries::table(), {e.account_id})
      .set(MemberCountries::country, text_or_null(e.location_country))
      .set(MemberCountries::source,
           e.location_source ? Value{::account::v1::EnumNameLocationSource(*e.location_source)} : Value{})
      .set(MemberCountries::updated_at, e.location_source ? Value{at.time} : Value{});
  out.upsert(MemberCities::table(), {e.account_id}).set(MemberCities::city, text_or_null(e.location_city));
  out.upsert(MemberPositions::table(), {e.account_id})
      .set(MemberPositions::longitude_microdegrees, number_or_null(e.longitude_microdegrees))
      .set(MemberPositions::latitude_microdegrees, number_or_null(e.latitude_microdegrees));
}

void put(const RecordHeader& at, const account::UsernameChanged& e, Writes& out) {
  change(at, e.account_id, out).set(Members::username, storable(e.username));
}

// Experts and learners are another platform's; an abandoned claim is of a registration that never happened.
void put(const RecordHeader&, const account::ExpertProfileCreated&, Writes&) {}
void put(const RecordHeader&, const account::ExpertProfileUpdated&, Writes&) {}
void put(const RecordHeader&, const account::AcceptingSet&, Writes&) {}
void put(const RecordHeader&, const account::ExpertVerified&, Writes&) {}
void put(const RecordHeader&, const account::ExpertRejected&, Writes&) {}
void put(const RecordHeader&, const account::VerificationSubmitted&, Writes&) {}
void put(const RecordHeader&, const account::LearnerProfileCreated&, Writes&) {}
void put(const RecordHeader&, const account::LearnerProfileUpdated&, Writes&) {}
void put(const RecordHeader&, const account::TradingProfileUpdated&, Writes&) {}
void put(const RecordHeader&, const account::ClaimAbandoned&, Writes&) {}
void put(const RecordHeader&, const account::UsernameHoldReplaced&, Writes&) {}  // By which attempt nobody reads.

}  // namespace

const Table& Members::table() {
  static const Table table{"members",
                           {{"account_id", ColumnType::uuid}},
                           {{"username", ColumnType::text},
                            {"display_name", ColumnType::text},
                            {"bio", ColumnType::text},
                            {"avatar_url", ColumnType::text},
                            {"banner_url", ColumnType::text},
                            {"smart_link", ColumnType::text},
                            {"website_url", ColumnType::text},
                            {"experience_level", ColumnType::text},
                            {"role", ColumnType::text},
                            {"visibility", ColumnType::text},
                            {"is_partner", ColumnType::boolean, false},
                            {"is_banned", ColumnType::boolean, false},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& MemberCountries::table() {
  static const Table table{"member_countries",
                           {{"account_id", ColumnType::uuid}},
                           {{"visibility", ColumnType::text},
                            {"country", ColumnType::text},
                            {"source", ColumnType::text},
                            {"updated_at", ColumnType::timestamptz}}};
  return table;
}

const Table& MemberCities::table() {
  static const Table table{
      "member_cities", {{"account_id", ColumnType::uuid}}, {{"visibility", ColumnType::text}, {"city", ColumnType::text}}};
  return table;
}

const Table& MemberPositions::table() {
  static const Table table{"member_positions",
                           {{"account_id", ColumnType::uuid}},
                           {{"visibility", ColumnType::text},
                            {"longitude_microdegrees", ColumnType::int4},
                            {"latitude_microdegrees", ColumnType::int4}}};
  return table;
}

const Table& Bans::table() {
  static const Table table{
      "bans",
      {{"account_id", ColumnType::uuid}},
      {{"reason", ColumnType::text}, {"banned_at", ColumnType::timestamptz}, {"banned_by", ColumnType::uuid}}};
  return table;
}

void project_member(const RecordHeader& at, const AnyEvent& event, Writes& out) {
  visit(
      [&]<class E>(const E& e) {
        if constexpr (is_one_of<E, account::Event>) put(at, e, out);
      },
      event);
}

void set_partner(const RecordHeader& at, const Uuid& account, bool is_partner, Writes& out) {
  change(at, account, out).set(Members::is_partner, is_partner);
}

}  // namespace guildhall
