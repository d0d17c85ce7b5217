#include "aggregates/calendar.h"

#include "tests/aggregates/offering.h"

namespace guildhall::testing {
namespace {

using calendar::BlockSlot;
using calendar::OverlapChanged;
using calendar::SeatHeld;
using calendar::SeatReleased;
using calendar::SlotBlocked;
using calendar::SlotsGenerated;
using calendar::SlotUnblocked;
using calendar::UnblockSlot;
using ::calendar::v1::Slot;
using ::calendar::v1::SlotSeats;

class Calendar : public Offering {};

TEST_F(Calendar, a_slot_id_names_its_day) {
  for (const Micros start : {Micros{0}, on_day(0), on_day(23, 45), 65536 * day_us - 1}) {
    const Uuid id = slot_id_of(expert, hour, start);
    EXPECT_EQ(calendar_day_of_slot(id), calendar_day_id(expert, static_cast<std::int32_t>(start / day_us)));
    EXPECT_EQ(bucket_of(id), bucket_of(expert));
    EXPECT_EQ(id.hi() >> 12 & 15, 8u);  // Version 8, and the variant of RFC 9562.
    EXPECT_EQ(id.lo() >> 62, 2u);
  }
  EXPECT_NE(slot_id_of(expert, hour, on_day(9)), slot_id_of(expert, talk, on_day(9)));
  EXPECT_NE(slot_id_of(expert, hour, on_day(9)), slot_id_of(expert, hour, on_day(10)));
  EXPECT_NE(calendar_day_id(expert, day), calendar_day_id(ann, day));
}

TEST_F(Calendar, generates_the_wanted_slots_once) {  // TU-26, A-TU-16
  const std::vector<WantedSlot> both{wanted(hour, on_day(10)), wanted(hour, on_day(9)), wanted(hour, on_day(9))};
  const auto events = regenerate(expert, day, both);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(only<SlotsGenerated>(events)[0].added.size(), 2u) << "two windows over the same hours give one slot";
  const auto& s = state<DayState>(calendar_day_id(expert, day));
  ASSERT_EQ(s.slots.size(), 2u);
  EXPECT_EQ(s.slots[0].start_at(), on_day(9));
  EXPECT_EQ(s.slots[0].end_at(), on_day(10));
  EXPECT_EQ(s.slots[0].max(), 1);
  EXPECT_TRUE(regenerate(expert, day, both).empty());
}

TEST_F(Calendar, regenerates_unbooked_future_slots_only) {  // A-TU-16, A-TU-17, BK-11
  open({wanted(hour, on_day(9)), wanted(hour, on_day(10)), wanted(hour, on_day(11))});
  const Uuid past = slot_id_of(expert, hour, on_day(9));
  const Uuid taken = slot_id_of(expert, hour, on_day(10));
  const Uuid unbooked = slot_id_of(expert, hour, on_day(11));
  booked(taken, ann);
  at(on_day(9));  // The first slot starts now: nothing touches it any more.
  const auto events = regenerate(expert, day, {wanted(hour, on_day(8)), wanted(talk, on_day(10)), wanted(hour, on_day(12))});
  ASSERT_EQ(events.size(), 1u);
  const auto e = only<SlotsGenerated>(events)[0];
  EXPECT_EQ(e.removed, std::vector{unbooked});
  ASSERT_EQ(e.added.size(), 2u) << "no past slot comes";
  EXPECT_TRUE(e.added[0].hidden()) << "A-TU-3: it overlaps the booked slot";
  EXPECT_FALSE(e.added[1].hidden());
  EXPECT_TRUE(find_slot(world, past));
  EXPECT_EQ(slot(taken).taken(), 1);
  expect_consistent();
}

TEST_F(Calendar, new_seat_counts_reach_unbooked_slots_only) {  // TU-26, A-TU-17
  open({wanted(group, on_day(9)), wanted(group, on_day(13))});
  const Uuid taken = slot_id_of(expert, group, on_day(9));
  const Uuid unbooked = slot_id_of(expert, group, on_day(13));
  booked(taken, ann);
  when(BlockSlot{.slot_id = unbooked}).then_accepted();
  auto morning = wanted(group, on_day(9));
  auto afternoon = wanted(group, on_day(13));
  morning.max = afternoon.max = 5;
  const auto events = regenerate(expert, day, {morning, afternoon});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(only<SlotsGenerated>(events)[0].changed, std::vector{SlotSeats(unbooked, 0, 5, true, false)});
  EXPECT_EQ(slot(taken).max(), 3);
  EXPECT_EQ(slot(unbooked).max(), 5);
}

TEST_F(Calendar, a_slot_of_another_length_is_made_anew_and_stays_blocked) {  // TU-26, A-TU-4
  const Uuid id = open(hour, on_day(9));
  when(BlockSlot{.slot_id = id}).then_accepted();
  auto longer = wanted(hour, on_day(9));
  longer.end_at += 30 * minute_us;
  regenerate(expert, day, {longer});
  EXPECT_EQ(slot(id).end_at(), on_day(10, 30));
  EXPECT_TRUE(slot(id).blocked());
  EXPECT_EQ(state<DayState>(calendar_day_id(expert, day)).slots.size(), 1u);
}

TEST_F(Calendar, the_expert_blocks_and_unblocks) {  // A-TU-4
  const Uuid id = open(hour, on_day(9));
  const auto blocked = [&](bool now_blocked) { return std::vector{SlotSeats(id, 0, 1, now_blocked, false)}; };
  as(user(expert))
      .when(BlockSlot{.slot_id = id})
      .then({SlotBlocked{.expert_id = expert, .day = day, .slot_id = id, .changed = blocked(true)}});
  when(BlockSlot{.slot_id = id}).then_nothing();
  as(user(ann)).book(id, ann).then_rejected(Code::slot_blocked);
  as(admin(root))
      .when(UnblockSlot{.slot_id = id})
      .then({SlotUnblocked{.expert_id = expert, .day = day, .slot_id = id, .changed = blocked(false)}});
  when(UnblockSlot{.slot_id = id}).then_nothing();
  const auto view = resource<calendar::SlotView>({{StreamKind::calendar, calendar_day_id(expert, day)}, id});
  EXPECT_EQ(view.id, id);
  EXPECT_EQ(view.version, 3u);
  EXPECT_EQ(view.start_at, on_day(9));
  EXPECT_FALSE(view.blocked);
}

TEST_F(Calendar, only_the_expert_finds_a_slot_to_block) {  // TU-46, TU-48
  const Uuid id = open(hour, on_day(9));
  as(user(ann)).when(BlockSlot{.slot_id = id}).then_rejected(Code::slot_not_found);
  as(user(stranger)).when(UnblockSlot{.slot_id = id}).then_rejected(Code::slot_not_found);
  as(user(expert)).when(BlockSlot{.slot_id = slot_id_of(expert, hour, on_day(10))}).then_rejected(Code::slot_not_found);
  when(BlockSlot{.slot_id = id_of("never a slot")}).then_rejected(Code::slot_not_found);
}

TEST_F(Calendar, a_blocked_slot_keeps_its_bookings) {  // A-TU-4
  const Uuid id = open(group, on_day(9));
  const Uuid booking = booked(id, ann);
  as(user(expert)).when(BlockSlot{.slot_id = id}).then_accepted();
  EXPECT_EQ(slot(id).taken(), 1);
  as(service()).book(id, bob).then_rejected(Code::slot_blocked);
  authorize(booking).then_accepted();
  confirm(booking).then_accepted();
}

TEST_F(Calendar, a_taken_slot_hides_the_overlapping_ones) {  // A-TU-3
  open({wanted(group, on_day(9)), wanted(hour, on_day(9)), wanted(hour, on_day(10)), wanted(hour, on_day(11))});
  const Uuid whole = slot_id_of(expert, group, on_day(9));
  const Uuid first = slot_id_of(expert, hour, on_day(9));
  const Uuid second = slot_id_of(expert, hour, on_day(10));
  const Uuid after = slot_id_of(expert, hour, on_day(11));  // Starts when the group ends: no overlap.
  const Uuid booking = booked(whole, ann);
  EXPECT_EQ(hidden({whole, first, second, after}), (std::vector{false, true, true, false}));
  const auto held = only<SeatHeld>(world.history());
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].changed, (std::vector{SlotSeats(whole, 1, 3, false, false), SlotSeats(first, 0, 1, false, true),
                                          SlotSeats(second, 0, 1, false, true)}));
  book(first, bob).then_rejected(Code::slot_overlaps);
  booked(whole, bob);  // Several learners share one group slot.
  EXPECT_EQ(only<SeatHeld>(world.history()).back().changed, std::vector{SlotSeats(whole, 2, 3, false, false)}) << "none turned";
  cancel(booking).then_accepted();
  EXPECT_EQ(hidden({first, second}), (std::vector{true, true})) << "one seat is still taken";
  expect_consistent();
}

TEST_F(Calendar, stays_hidden_while_another_overlapping_slot_is_taken) {  // A-TU-3
  open({wanted(group, on_day(9)), wanted(hour, on_day(9)), wanted(hour, on_day(10))});
  const Uuid whole = slot_id_of(expert, group, on_day(9));
  const Uuid one = booked(slot_id_of(expert, hour, on_day(9)), ann);
  const Uuid two = booked(slot_id_of(expert, hour, on_day(10)), bob);
  cancel(one).then_accepted();
  EXPECT_TRUE(slot(whole).hidden());
  cancel(two).then_accepted();
  EXPECT_FALSE(slot(whole).hidden());
  expect_consistent();
}

TEST_F(Calendar, overlaps_are_seen_across_midnight_from_both_sides) {  // A-TU-3, TU-21, BK-10
  const Micros midnight = on_day(24);
  open({wanted(hour, midnight - 30 * minute_us), wanted(hour, midnight), wanted(hour, midnight + 30 * minute_us)});
  const Uuid late = slot_id_of(expert, hour, midnight - 30 * minute_us);
  const Uuid early = slot_id_of(expert, hour, midnight);
  const Uuid later = slot_id_of(expert, hour, midnight + 30 * minute_us);
  const Uuid booking = booked(late, ann);
  EXPECT_EQ(hidden({early, later}), (std::vector{true, false}));
  const auto turned = only<OverlapChanged>(world.history());
  ASSERT_EQ(turned.size(), 1u);
  EXPECT_EQ(turned[0].day, day + 1);
  EXPECT_EQ(turned[0].changed, std::vector{SlotSeats(early, 0, 1, false, true)});
  book(early, bob).then_rejected(Code::slot_overlaps);
  cancel(booking).then_accepted();
  EXPECT_FALSE(slot(early).hidden());
  booked(early, bob);
  EXPECT_EQ(hidden({late, later}), (std::vector{true, true}));
  book(late, ann).then_rejected(Code::slot_overlaps);
  expect_consistent();
}

TEST_F(Calendar, the_longest_slot_reaches_eight_hours_into_the_next_day) {  // A-TU-3
  const Uuid marathon = id_of("marathon");
  given({session_created(expert, marathon, 480, 0, 1)});
  open({wanted(marathon, on_day(23, 45)), wanted(talk, on_day(24 + 7, 30)), wanted(talk, on_day(24 + 7, 45))});
  const Uuid touched = slot_id_of(expert, talk, on_day(24 + 7, 30));
  const Uuid untouched = slot_id_of(expert, talk, on_day(24 + 7, 45));
  booked(slot_id_of(expert, marathon, on_day(23, 45)), ann);
  EXPECT_EQ(hidden({touched, untouched}), (std::vector{true, false}));
  regenerate(expert, day + 1, {});
  regenerate(expert, day + 1, {wanted(talk, on_day(24 + 7, 30))});
  EXPECT_TRUE(slot(touched).hidden()) << "a slot that comes later is hidden at once";
  expect_consistent();
}

}  // namespace
}  // namespace guildhall::testing
