// A random history of a marketplace through the shards, with lost snapshots, restarts and aborted batches: states and read models
// are the fold of the log, however they came about (I8, I9). CI takes a part, GUILDHALL_LONG=1 all of it.
#include <array>
#include <cstdlib>
#include <random>
#include <span>
#include <thread>

#include "aggregates/shard/state_follower.h"
#include "infra/memory_row_store.h"
#include "infra/postgres_row_store.h"
#include "projectors/rebuild.h"
#include "tests/aggregates/shard_process.h"
#include "tests/postgres_cluster.h"
#include "tests/projectors/projected.h"

namespace guildhall::testing {
namespace {

constexpr int ci_commands = 3'000, long_commands = 50'000;
constexpr int parts = 80;  // Of a history: after each second one a snapshot is taken and the rows are brought up.
constexpr std::size_t experts = 6, learner_count = 30;
constexpr int weeks_ahead = 8;

class HistoryTest : public ShardTest {
 public:
  const int commands = std::getenv("GUILDHALL_LONG") != nullptr ? long_commands : ci_commands;
  const std::uint64_t seed = std::random_device{}();
  std::mt19937_64 random{seed};
  std::vector<Offer> offers;
  std::vector<Uuid> learners, bookings;
  std::vector<MemoryStateStore> snapshot;
  int sent = 0;

  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random() % n); }
  template <class T>
  const T& any(const std::vector<T>& all) {
    return all[pick(all.size())];
  }

  template <class Command>
  CommandResult send(const Command& command, const Uuid& group) {
    ++sent;
    return process->call(command, command_id(group));
  }

  void set_the_stage() {
    for (std::size_t i = 0; i < experts; ++i)
      offers.push_back(offer("expert " + std::to_string(i), 1 + static_cast<std::int32_t>(pick(3)), pick(4) == 0 ? 0 : 50'000));
    for (std::size_t i = 0; i < learner_count; ++i) learners.push_back(learner("learner " + std::to_string(i)));
    snapshot = stores;
  }

  void book() {
    const Offer& o = any(offers);
    const std::int64_t monday = (clock.at / day_us + 3) / 7 * 7 + 4;  // 1970-01-01 was a Thursday.
    const Micros start =
        (monday + 7 * static_cast<std::int64_t>(pick(weeks_ahead))) * day_us + static_cast<Micros>(9 + pick(8)) * hour_us;
    const Uuid id = command_id(o.expert);
    ++sent;
    const auto result = process->call(booking(slot_id_of(o.expert, o.session, start), any(learners), "note"), id);
    if (result.reply.status == 201) bookings.push_back(derive_in_group("booking", id, 0, bucket_of(id)));
  }

  void move_a_booking() {
    if (bookings.empty()) return;
    const Uuid id = any(bookings);
    switch (pick(4)) {
      case 0: {
        booking::CancelBooking c;
        c.booking_id = id;
        c.reason = "ill";
        send(c, id);
        return;
      }
      case 1: {
        booking::DeclineBooking c;
        c.booking_id = id;
        send(c, id);
        return;
      }
      default: {
        booking::ConfirmBooking c;
        c.booking_id = id;
        send(c, id);
      }
    }
  }

  // What the payment processor says of some call, rarely no.
  void answer_an_effect() {
    if (process->effects.empty()) return;
    auto at = process->effects.begin();
    std::advance(at, pick(std::min<std::size_t>(process->effects.size(), 8)));
    const Effect e = at->second;
    if (pick(6) == 0 && e.call == ::payment::v1::Call::authorize) {
      payment::RecordFailed c;
      c.payment_id = e.payment_id;
      c.reason = "declined";
      send(c, e.payment_id);
    } else if (e.call == ::payment::v1::Call::authorize) {
      payment::RecordAuthorized c;
      c.payment_id = e.payment_id;
      c.external_id = "pi_" + to_string(e.payment_id);
      send(c, e.payment_id);
    } else if (e.call == ::payment::v1::Call::capture) {
      payment::RecordCaptured c;
      c.payment_id = e.payment_id;
      send(c, e.payment_id);
    } else if (e.call == ::payment::v1::Call::cancel) {
      payment::RecordCancelled c;
      c.payment_id = e.payment_id;
      send(c, e.payment_id);
    }
  }

  void change_an_offer() {
    const Offer& o = any(offers);
    if (pick(2) == 0) {
      session::DeactivateSession c;
      c.session_id = o.session;
      send(c, o.expert);
      session::ActivateSession back;
      back.session_id = o.session;
      send(back, o.expert);
    } else {
      account::UpdateAccount c;
      c.account_id = any(learners);
      c.display_name = "Renamed " + std::to_string(pick(1000));
      c.timezone = "Europe/Copenhagen";
      send(c, c.account_id);
    }
  }

  void live(int until) {
    while (sent < until) {
      const std::size_t dice = pick(100);
      if (dice < 3) clock.at += static_cast<Micros>(pick(60)) * minute_us;
      else if (dice < 5) log.fail_next(AppendOutcome::aborted);
      else if (dice < 30) move_a_booking();
      else if (dice < 50) answer_an_effect();
      else if (dice < 53) change_an_offer();
      else book();
      process->pump();
      ASSERT_TRUE(process->failure.empty()) << process->failure;
    }
  }
};

// The rest of a shard's records into the rows, in transactions of random size, as a runner that starts and stops would.
void project_shard(RowStore& store, EventLog& log, ShardNo shard, std::mt19937_64 random) {
  LogFold fold(log, tutoring_projection(), {shard});
  fold.start(store.offsets(Generation::live));
  for (;;) {
    fold.fill(1 + random() % 2000);
    ASSERT_TRUE(fold.failures().empty());
    if (fold.records() == 0) return;
    store.apply(Generation::live, fold.batch(), fold.advances());
    fold.applied();
  }
}

// Two at a time, as a server's projectors: some rows are added to by both shards.
void project_all(std::span<PostgresRowStore> stores, EventLog& log, std::mt19937_64& random) {
  std::vector<std::jthread> threads;
  for (ShardNo shard = 0; shard < shard_count; ++shard)
    threads.emplace_back([&, shard, seed = random()] { project_shard(stores[shard], log, shard, std::mt19937_64(seed)); });
}

TEST_F(HistoryTest, states_and_rows_are_the_fold_of_the_log) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  RecordProperty("seed", std::to_string(seed));
  set_the_stage();
  const std::string url = PostgresCluster::shared().new_database();
  std::array stores_of_rows{PostgresRowStore(url, tutoring_projection(), tutoring_sql()),
                            PostgresRowStore(url, tutoring_projection(), tutoring_sql())};
  static_assert(stores_of_rows.size() == shard_count);
  PostgresRowStore& rows = stores_of_rows.front();
  rows.prepare(log.identity());
  std::vector<MemoryStateStore> standbys(shard_count);
  std::vector<StateFollower> followers;
  for (ShardNo n = 0; n < shard_count; ++n) followers.emplace_back(log, n, standbys[n]);
  for (int part = 1; part <= parts; ++part) {
    live(commands * part / parts);
    ASSERT_FALSE(HasFatalFailure());
    for (StateFollower& follower : followers) follower.advance(1 + pick(1000));
    if (part % 2 == 0) {
      snapshot = stores;
      project_all(stores_of_rows, log, random);
    } else if (part % 4 == 1) {
      stores = snapshot;  // The process died: only what was flushed is left, and the tail is replayed.
      restart();
    }
  }
  EXPECT_GT(bookings.size(), static_cast<std::size_t>(commands) / 20);
  EXPECT_GT(count("booking.v1.BookingConfirmed"), 0u);
  EXPECT_GT(count("booking.v1.BookingExpired") + count("booking.v1.BookingCancelled"), 0u);
  EXPECT_GT(count("payment.v1.PaymentCaptured"), 0u);

  process.reset();
  const auto from_nothing = replayed();
  for (ShardNo n = 0; n < shard_count; ++n) {
    EXPECT_TRUE(dump(stores[n]) == from_nothing[n]) << "live differs from replay, shard " << n;
    while (followers[n].advance(1 + pick(1000))) continue;
    EXPECT_TRUE(dump(standbys[n]) == from_nothing[n]) << "the standby differs from replay, shard " << n;
  }
  stores = snapshot;
  process = std::make_unique<Process>(log, stores, clock);
  // The restart appended its epoch records; fold again.
  const auto with_epochs = replayed();
  for (ShardNo n = 0; n < shard_count; ++n)
    EXPECT_TRUE(dump(stores[n]) == with_epochs[n]) << "snapshot + tail differs, shard " << n;

  project_all(stores_of_rows, log, random);
  MemoryRowStore twin(tutoring_projection().tables);
  twin.prepare(log.identity());
  project_into(twin, log, 1'000'000);
  EXPECT_TRUE(all_rows(rows) == all_rows(twin)) << "rows in PostgreSQL differ from the fold of the log";
  const RebuildReport rebuilt = rebuild(log, rows, tutoring_projection(), {.compare = true});
  EXPECT_TRUE(rebuilt.compared);
  for (const auto& table : rebuilt.tables) EXPECT_TRUE(table.same) << table.table;
}

}  // namespace
}  // namespace guildhall::testing
