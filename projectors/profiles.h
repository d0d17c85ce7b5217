// Who is who: user_profiles, expert_profiles and learner_profiles (TU-2..14, DR-5), and the names that others may see.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

struct Accounts {
  enum : ColumnNo {
    role,
    display_name,
    first_name,
    last_name,
    avatar_url,
    timezone,
    status,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct People {
  enum : ColumnNo { display_name, is_provider, last_event_position };
  static const Table& table();
};
// What a learner of trading says of themselves (DR-5).
struct TradingProfiles {
  enum : ColumnNo { bio, preferred_language, trading_experience, trading_goals };
  static const Table& table();
};
// Presence rows: the two have met in a booking, which writes them.
struct Counterparts {
  static const Table& table();
};
struct Experts {
  enum : ColumnNo {
    bio,
    expertise_areas,
    hourly_rate_cents,
    currency,
    is_available,
    verification_status,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct ExpertTotals {
  enum : ColumnNo { total_sessions, updated_at };
  static const Table& table();
};
struct ExpertEarnings {
  enum : ColumnNo { total_earnings_cents, updated_at };
  static const Table& table();
};
struct Learners {
  enum : ColumnNo {
    learning_goals,
    interests,
    experience_level,
    preferred_session_duration,
    created_at,
    updated_at,
    last_event_position
  };
  static const Table& table();
};
struct LearnerTotals {
  enum : ColumnNo { total_sessions_booked, total_sessions_completed, total_spent_cents, updated_at };
  static const Table& table();
};

// One overload an event of account::Event: a missing one does not compile where they are visited.
void project(const RecordHeader& at, const account::AccountRegistered& e, Writes& out);
void project(const RecordHeader& at, const account::AccountUpdated& e, Writes& out);
void project(const RecordHeader& at, const account::ExpertProfileCreated& e, Writes& out);
void project(const RecordHeader& at, const account::ExpertProfileUpdated& e, Writes& out);
void project(const RecordHeader& at, const account::AcceptingSet& e, Writes& out);
void project(const RecordHeader& at, const account::ExpertVerified& e, Writes& out);
void project(const RecordHeader& at, const account::ExpertRejected& e, Writes& out);
void project(const RecordHeader& at, const account::VerificationSubmitted& e, Writes& out);
void project(const RecordHeader& at, const account::LearnerProfileCreated& e, Writes& out);
void project(const RecordHeader& at, const account::LearnerProfileUpdated& e, Writes& out);
void project(const RecordHeader& at, const account::TradingProfileUpdated& e, Writes& out);
void project(const RecordHeader& at, const account::AccountBanned& e, Writes& out);
void project(const RecordHeader& at, const account::AccountUnbanned& e, Writes& out);
void project(const RecordHeader& at, const account::ClaimAbandoned& e, Writes& out);

}  // namespace guildhall
