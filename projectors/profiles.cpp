#include "projectors/profiles.h"

namespace guildhall {
namespace {

const char* text_of(::account::v1::ExperienceLevel level) {
  switch (level) {  // TU-13: upper case.
    case ::account::v1::ExperienceLevel::beginner: return "BEGINNER";
    case ::account::v1::ExperienceLevel::intermediate: return "INTERMEDIATE";
    case ::account::v1::ExperienceLevel::advanced: return "ADVANCED";
  }
  return "BEGINNER";  // A value appended to the enum later: shown as its default until the platform has a name for it.
}

Write& touch(Write& write, const RecordHeader& at, ColumnNo updated_at, ColumnNo last_event_position) {
  return write.set(updated_at, at.time).set(last_event_position, position_of(at));
}

Write& change_account(const RecordHeader& at, const Uuid& id, Writes& out) {
  return touch(out.update(Accounts::table(), {id}), at, Accounts::updated_at, Accounts::last_event_position);
}
Write& change_expert(const RecordHeader& at, const Uuid& id, Writes& out) {
  return touch(out.update(Experts::table(), {id}), at, Experts::updated_at, Experts::last_event_position);
}

}  // namespace

const Table& Accounts::table() {
  static const Table table{"accounts",
                           {{"account_id", ColumnType::uuid}},
                           {{"role", ColumnType::text},
                            {"display_name", ColumnType::text},
                            {"first_name", ColumnType::text},
                            {"last_name", ColumnType::text},
                            {"avatar_url", ColumnType::text},
                            {"timezone", ColumnType::text},
                            {"status", ColumnType::text},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& People::table() {
  static const Table table{"people",
                           {{"account_id", ColumnType::uuid}},
                           {{"display_name", ColumnType::text},
                            {"is_provider", ColumnType::boolean, false},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& TradingProfiles::table() {
  static const Table table{"trading_profiles",
                           {{"account_id", ColumnType::uuid}},
                           {{"bio", ColumnType::text},
                            {"preferred_language", ColumnType::text},
                            {"trading_experience", ColumnType::text},
                            {"trading_goals", ColumnType::text_array}}};
  return table;
}

const Table& Counterparts::table() {
  static const Table table{"counterparts", {{"learner_id", ColumnType::uuid}, {"expert_id", ColumnType::uuid}}, {}};
  return table;
}

const Table& Experts::table() {
  static const Table table{"experts",
                           {{"account_id", ColumnType::uuid}},
                           {{"bio", ColumnType::text},
                            {"expertise_areas", ColumnType::text_array, std::vector<std::string>{}},
                            {"hourly_rate_cents", ColumnType::int4},
                            {"currency", ColumnType::text},
                            {"is_available", ColumnType::boolean},
                            {"verification_status", ColumnType::text},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& ExpertTotals::table() {
  static const Table table{"expert_totals",
                           {{"account_id", ColumnType::uuid}},
                           {{"total_sessions", ColumnType::int4, std::int64_t{0}}, {"updated_at", ColumnType::timestamptz}}};
  return table;
}

const Table& ExpertEarnings::table() {
  static const Table table{
      "expert_earnings",
      {{"account_id", ColumnType::uuid}},
      {{"total_earnings_cents", ColumnType::int8, std::int64_t{0}}, {"updated_at", ColumnType::timestamptz}}};
  return table;
}

const Table& Learners::table() {
  static const Table table{"learners",
                           {{"account_id", ColumnType::uuid}},
                           {{"learning_goals", ColumnType::text_array, std::vector<std::string>{}},
                            {"interests", ColumnType::text_array, std::vector<std::string>{}},
                            {"experience_level", ColumnType::text},
                            {"preferred_session_duration", ColumnType::int4},
                            {"created_at", ColumnType::timestamptz},
                            {"updated_at", ColumnType::timestamptz},
                            {"last_event_position", ColumnType::int8}}};
  return table;
}

const Table& LearnerTotals::table() {
  static const Table table{"learner_totals",
                           {{"account_id", ColumnType::uuid}},
                           {{"total_sessions_booked", ColumnType::int4, std::int64_t{0}},
                            {"total_sessions_completed", ColumnType::int4, std::int64_t{0}},
                            {"total_spent_cents", ColumnType::int8, std::int64_t{0}},
                            {"updated_at", ColumnType::timestamptz}}};
  return table;
}

void project(const RecordHeader& at, const account::AccountRegistered& e, Writes& out) {
  touch(out.upsert(Accounts::table(), {e.account_id}), at, Accounts::updated_at, Accounts::last_event_position)
      .set(Accounts::role, std::string(::account::v1::EnumNameRole(e.role)))
      .set(Accounts::display_name, storable(e.display_name))
      .set(Accounts::first_name, text_or_null(e.first_name))
      .set(Accounts::last_name, text_or_null(e.last_name))
      .set(Accounts::avatar_url, text_or_null(e.avatar_url))
      .set(Accounts::timezone, storable(e.timezone))
      .set(Accounts::status, "active")
      .set(Accounts::created_at, at.time);
  out.upsert(People::table(), {e.account_id})
      .set(People::display_name, storable(e.display_name))
      .set(People::last_event_position, position_of(at));
}

void project(const RecordHeader& at, const account::AccountUpdated& e, Writes& out) {
  change_account(at, e.account_id, out)
      .set(Accounts::display_name, storable(e.display_name))
      .set(Accounts::first_name, text_or_null(e.first_name))
      .set(Accounts::last_name, text_or_null(e.last_name))
      .set(Accounts::avatar_url, text_or_null(e.avatar_url))
      .set(Accounts::timezone, storable(e.timezone));
  out.update(People::table(), {e.account_id})
      .set(People::display_name, storable(e.display_name))
      .set(People::last_event_position, position_of(at));
}

// The rows of totals are made here, so that an expert without earnings reads 0 and a stranger NULL.
void project(const RecordHeader& at, const account::ExpertProfileCreated& e, Writes& out) {
  touch(out.upsert(Experts::table(), {e.account_id}), at, Experts::updated_at, Experts::last_event_position)
      .set(Experts::currency, text_or_null(e.currency))
      .set(Experts::is_available, true)
      .set(Experts::verification_status, "pending")
      .set(Experts::created_at, at.time);
  out.update(People::table(), {e.account_id}).set(People::is_provider, true).set(People::last_event_position, position_of(at));
  out.upsert(ExpertTotals::table(), {e.account_id})
      .add(ExpertTotals::total_sessions, 0)
      .greatest(ExpertTotals::updated_at, at.time);
  out.upsert(ExpertEarnings::table(), {e.account_id})
      .add(ExpertEarnings::total_earnings_cents, 0)
      .greatest(ExpertEarnings::updated_at, at.time);
}

void project(const RecordHeader& at, const account::ExpertProfileUpdated& e, Writes& out) {
  change_expert(at, e.account_id, out)
      .set(Experts::bio, text_or_null(e.bio))
      .set(Experts::expertise_areas, texts(e.expertise_areas))
      .set(Experts::hourly_rate_cents, e.hourly_rate_cents ? Value{*e.hourly_rate_cents} : Value{})
      .set(Experts::currency, text_or_null(e.currency));
}

void project(const RecordHeader& at, const account::AcceptingSet& e, Writes& out) {
  change_expert(at, e.account_id, out).set(Experts::is_available, e.accepting);
}
void project(const RecordHeader& at, const account::ExpertVerified& e, Writes& out) {
  change_expert(at, e.account_id, out).set(Experts::verification_status, "verified");
}
void project(const RecordHeader& at, const account::ExpertRejected& e, Writes& out) {
  change_expert(at, e.account_id, out).set(Experts::verification_status, "rejected");
}
void project(const RecordHeader& at, const account::VerificationSubmitted& e, Writes& out) {
  change_expert(at, e.account_id, out).set(Experts::verification_status, "pending");
}

void project(const RecordHeader& at, const account::LearnerProfileCreated& e, Writes& out) {
  touch(out.upsert(Learners::table(), {e.account_id}), at, Learners::updated_at, Learners::last_event_position)
      .set(Learners::created_at, at.time);
}

void project(const RecordHeader& at, const account::LearnerProfileUpdated& e, Writes& out) {
  touch(out.update(Learners::table(), {e.account_id}), at, Learners::updated_at, Learners::last_event_position)
      .set(Learners::learning_goals, texts(e.learning_goals))
      .set(Learners::interests, texts(e.interests))
      .set(Learners::experience_level, e.experience_level ? Value{std::string(text_of(*e.experience_level))} : Value{})
      .set(Learners::preferred_session_duration,
           e.preferred_session_duration ? Value{std::int64_t{*e.preferred_session_duration}} : Value{});
}

void project(const RecordHeader& at, const account::TradingProfileUpdated& e, Writes& out) {
  change_account(at, e.account_id, out);
  out.upsert(TradingProfiles::table(), {e.account_id})
      .set(TradingProfiles::bio, text_or_null(e.bio))
      .set(TradingProfiles::preferred_language, text_or_null(e.preferred_language))
      .set(TradingProfiles::trading_experience, ::account::v1::EnumNameExperienceLevel(e.trading_experience))
      .set(TradingProfiles::trading_goals, texts(e.trading_goals));
}

void project(const RecordHeader& at, const account::AccountBanned& e, Writes& out) {
  change_account(at, e.account_id, out).set(Accounts::status, "banned");
}
void project(const RecordHeader& at, const account::AccountUnbanned& e, Writes& out) {
  change_account(at, e.account_id, out).set(Accounts::status, "active");
}

// About a registration that never happened: there is no row.
void project(const RecordHeader&, const account::ClaimAbandoned&, Writes&) {}

}  // namespace guildhall
