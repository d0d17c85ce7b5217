// Given events, then rows.
#include "projectors/tutoring.h"

#include <gtest/gtest.h>

#include "infra/memory_row_store.h"
#include "projectors/bookings.h"
#include "projectors/offerings.h"
#include "projectors/profiles.h"
#include "projectors/rebuild.h"
#include "tests/projectors/written_log.h"

namespace guildhall {
namespace {

class Tutoring : public testing::Test {
 protected:
  void project_all() {
    LogFold fold(written.log, tutoring_projection(), {0, 1});
    fold.start({0, 0});
    fold.fill(100'000);
    ASSERT_TRUE(fold.failures().empty()) << fold.failures().front().detail;
    store.prepare(written.log.identity());
    store.apply(Generation::live, fold.batch(), fold.advances());
  }
  // The value of one column in the row whose first key is `id`; "(none)" without such a row.
  std::string value(const Table& table, std::uint64_t id, std::size_t column) {
    std::string out = "(none)";
    store.dump(Generation::live, table, [&](std::string_view line) {
      if (!line.starts_with(to_string(test_id(id)))) return;
      for (std::size_t skip = column + table.key.size(); skip > 0; --skip) line.remove_prefix(line.find('\t') + 1);
      out = line.substr(0, line.find('\t'));
    });
    return out;
  }

  WrittenLog written;
  Marketplace given{written};
  MemoryRowStore store{tutoring_projection().tables};
};

TEST_F(Tutoring, registration_makes_profile_and_name) {
  given.register_account(test_id(ann), "Ann");
  project_all();
  EXPECT_EQ(value(Accounts::table(), ann, Accounts::role), "learner");
  EXPECT_EQ(value(Accounts::table(), ann, Accounts::first_name), "\\N");
  EXPECT_EQ(value(People::table(), ann, People::display_name), "Ann");
  EXPECT_EQ(value(People::table(), ann, People::is_provider), "f");
}

// TU-9, TU-13, X-29.
TEST_F(Tutoring, profiles_follow_their_events) {
  write_marketplace(written);
  project_all();
  EXPECT_EQ(value(People::table(), expert_xi, People::is_provider), "t");
  EXPECT_EQ(value(Experts::table(), expert_xi, Experts::expertise_areas), R"({C++,"event \\"sourcing\\", logs",""})");
  EXPECT_EQ(value(Experts::table(), expert_xi, Experts::verification_status), "pending");
  EXPECT_EQ(value(Learners::table(), ann, Learners::experience_level), "ADVANCED");
  EXPECT_EQ(value(Sessions::table(), session_cpp, Sessions::level), "BEGINNER");
  EXPECT_EQ(value(Windows::table(), window_mon, Windows::end_minute), "1440");
  EXPECT_NE(value(Experts::table(), expert_xi, Experts::created_at), value(Experts::table(), expert_xi, Experts::updated_at));
}

// TU-27: a seat taken closes a slot of one; a removed slot is gone.
TEST_F(Tutoring, slots_copy_their_seats) {
  write_marketplace(written);
  project_all();
  EXPECT_EQ(value(Slots::table(), slot_1, Slots::is_available), "f");
  EXPECT_EQ(value(Slots::table(), slot_1, Slots::current_bookings), "1");
  EXPECT_EQ(value(Slots::table(), slot_3, Slots::is_available), "t");
  EXPECT_EQ(value(Slots::table(), slot_4, Slots::is_available), "(none)");
}

// A-TU-18, TU-11, TU-14: booked counts confirmed; money is captured minus refunded.
TEST_F(Tutoring, totals_are_sums_of_what_happened) {
  write_marketplace(written);
  project_all();
  EXPECT_EQ(value(LearnerTotals::table(), ann, LearnerTotals::total_sessions_booked), "1");
  EXPECT_EQ(value(LearnerTotals::table(), ann, LearnerTotals::total_spent_cents), "30000");
  EXPECT_EQ(value(LearnerTotals::table(), bob, LearnerTotals::total_sessions_completed), "1");
  EXPECT_EQ(value(ExpertTotals::table(), expert_xi, ExpertTotals::total_sessions), "1");
  EXPECT_EQ(value(ExpertEarnings::table(), expert_xi, ExpertEarnings::total_earnings_cents), "30000");
}

// domain.md §9, TU-35, M-2.
TEST_F(Tutoring, a_booking_goes_through_its_states) {
  const Marketplace::Booking b{test_id(booking_1),   test_id(ann),    test_id(expert_xi),
                               test_id(session_cpp), test_id(slot_1), test_id(payment_1)};
  write_marketplace(written);
  booking::BookingCancelled cancelled;
  cancelled.cancelled_by = ::booking::v1::CancelledBy::learner;
  cancelled.reason = "ill";
  given.on_booking(b.id, cancelled);
  project_all();
  EXPECT_EQ(value(Bookings::table(), booking_1, Bookings::status), "cancelled");
  EXPECT_EQ(value(Bookings::table(), booking_1, Bookings::cancelled_by), "learner");
  EXPECT_EQ(value(Bookings::table(), booking_1, Bookings::cancellation_reason), "ill");
  EXPECT_EQ(value(Bookings::table(), booking_2, Bookings::status), "expired");
  EXPECT_EQ(value(Bookings::table(), booking_2, Bookings::cancelled_by), "system");
  EXPECT_EQ(value(Bookings::table(), booking_3, Bookings::payment_id), "\\N");
  EXPECT_EQ(value(Payments::table(), payment_1, Payments::amount_refunded), "20000");
  EXPECT_EQ(value(Payments::table(), payment_1, Payments::status), "captured");
}

TEST_F(Tutoring, a_reinstated_booking_is_pending_again) {
  write_marketplace(written);
  given.on_booking(test_id(booking_2), booking::BookingReinstated{});
  project_all();
  EXPECT_EQ(value(Bookings::table(), booking_2, Bookings::status), "pending");
  EXPECT_EQ(value(Bookings::table(), booking_2, Bookings::cancelled_at), "\\N");
}

TEST_F(Tutoring, positions_carry_shard_and_sequence) {
  Marketplace other(written, 1);
  other.register_account(test_id(eve), "Eve");
  other.rename(test_id(eve), "Eva");
  project_all();
  EXPECT_EQ(value(Accounts::table(), eve, Accounts::last_event_position), std::to_string((1LL << 48) | 3));
}

}  // namespace
}  // namespace guildhall
