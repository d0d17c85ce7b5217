#include "tests/analytics/example_log.h"

#include <future>
#include <stdexcept>
#include <utility>
#include <vector>

#include "decision_generated.h"
#include "events/codec.h"
#include "events/schemas.h"
#include "infra/segment_log.h"

namespace guildhall::test {
namespace {

constexpr Micros first_time = 1'774'746'000'000'000;  // 2026-03-29T01:00:00Z

Uuid id(std::uint64_t n) { return {0x1111111111118000ULL, 0x8000000000000000ULL | n}; }

class Writing {
 public:
  Writing(SegmentLog& log, ShardNo shard) : log_(log), shard_(shard), writer_(log.open(shard)), end_(writer_->end()) {}

  template <class Event>
  void add(const StreamId& stream, std::uint64_t version, const Event& event) {
    add(stream, version, type_name<Event>(), pack(event));
  }
  void add(const StreamId& stream, std::uint64_t version, std::string_view type, const std::string& payload) {
    const std::uint64_t n = end_.sequence + builder_.records() + 1;
    RecordHeader h;
    h.platform = log_.identity().platform;
    h.log_id = log_.identity().log_id;
    h.shard = shard_;
    h.epoch = example_epoch;
    h.stream = stream;
    h.stream_version = version;
    h.event_id = id(1000 * (shard_ + 1) + n);
    h.type = type;
    h.schema_digest = schema_of_type(type)->digest;
    h.time = first_time + static_cast<Micros>(n) * second_us;
    h.actor_kind = shard_ == 0 ? ActorKind::user : ActorKind::system;
    if (shard_ == 0) h.actor_id = id(7);
    h.command_id = id(500 + n);
    h.command_type = "account.v1.RegisterAccount";
    h.correlation_id = id(500);
    h.causation_id = id(501);
    builder_.add(h, payload);
  }
  void commit() {
    Batch batch = builder_.close(end_.sequence, end_.head);
    const LogEnd after{batch.last(), batch.head};
    std::promise<AppendOutcome> outcome;
    writer_->submit(std::move(batch), [&](AppendOutcome o) { outcome.set_value(o); });
    if (outcome.get_future().get() != AppendOutcome::committed) throw std::runtime_error("the example log was not written");
    end_ = after;
  }

 private:
  SegmentLog& log_;
  ShardNo shard_;
  std::unique_ptr<LogWriter> writer_;
  LogEnd end_;
  BatchBuilder builder_;
};

void write_account(Writing& shard) {
  account::AccountRegistered registered;
  registered.account_id = id(7);
  registered.email = "ada@example.org";
  registered.display_name = "Ada \"the first\" Lovelace, née Byron";
  registered.role = ::account::v1::Role::expert;
  registered.timezone = "Europe/Copenhagen";
  shard.add({StreamKind::account, id(7)}, 1, registered);
  session::SessionCreated offered;
  offered.session_id = id(8);
  offered.expert_id = id(7);
  offered.title = "Logs, \"sourced\"";
  offered.description = "=1+1\nline two";
  offered.duration_minutes = 60;
  offered.price_cents = 9'007'199'254'740'993;
  offered.currency = "DKK";
  offered.topic_tags = {"a,b", "c"};
  offered.max_participants = 3;
  shard.add({StreamKind::session, id(8)}, 1, offered);
  ::decision::v1::InboxCommandT sent;
  sent.target_shard = 1;
  sent.command_id = id(9);
  sent.command_type = "account.v1.AnswerClaim";
  shard.add({StreamKind::inbox, id(9)}, 1, "decision.v1.InboxCommand", pack(sent));
  ::decision::v1::DecisionMadeT decided;
  decided.command_id = id(501);
  decided.command_type = "account.v1.RegisterAccount";
  decided.command = {1, 2, 3};
  decided.outcome = ::decision::v1::Outcome::accepted;
  decided.status = 201;
  decided.body = R"({"email":"ada@example.org"})";
  shard.add({StreamKind::decision, id(501)}, 1, "decision.v1.DecisionMade", pack(decided));
  shard.commit();
}

}  // namespace

void write_example_log(const std::filesystem::path& data, const std::string& platform, int batches, int branch,
                       const Uuid& log_id) {
  const auto folder = data / "platforms" / platform;
  std::filesystem::create_directories(folder);
  SegmentLogOptions options{.segment_bytes = 1 << 20, .min_free_bytes = 0};
  SegmentLog::create(folder, {platform, log_id, example_shards, 1}, options);
  const auto log = SegmentLog::open(folder, platform, example_shards, options);
  log->raise_epoch(example_epoch);
  for (ShardNo n = 0; n < example_shards; ++n) {
    Writing shard(*log, n);
    if (n == 0) write_account(shard);
    for (int batch = 0; batch < batches; ++batch) {
      booking::BookingConfirmed confirmed;
      confirmed.booking_id = id(static_cast<std::uint64_t>(20 + batch + (batch + 1 == batches ? 1000 * branch : 0)));
      shard.add({StreamKind::booking, confirmed.booking_id}, 1, confirmed);
      booking::BookingCompleted completed;
      completed.booking_id = confirmed.booking_id;
      shard.add({StreamKind::booking, completed.booking_id}, 2, completed);
      shard.commit();
    }
  }
}

}  // namespace guildhall::test
