#include "projectors/members.h"

namespace guildhall {
namespace {

Write& touch(Write& row, const RecordHeader& at) {
  return row.set(Members::updated_at, at.time).set(Members::last_event_position, position_of(at));
}

Write& change(const RecordHeader& at, const Uuid& account, Writes& out) {
  return touch(out.update(Members::table(), {account}), at);
}

void put(const RecordHeader& at, const account::AccountRegistered& e, Writes& out) {
  touch(out.upsert(Members::table(), {e.account_id}), at)
      .set(Members::display_name, storable(e.display_name))
      .set(Members::avatar_url, text_or_null(e.avatar_url))
      .set(Members::role, ::account::v1::EnumNameRole(e.role))
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

}  // namespace

const Table& Members::table() {
  static const Table table{"members",
                           {{"account_id", ColumnType::uuid}},
                           {{"display_name", ColumnType::text},
                            {"avatar_url", ColumnType::text},
                            {"role", ColumnType::text},
                            {"is_partner", ColumnType::boolean, false},
                            {"is_banned", ColumnType::boolean, false},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
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
