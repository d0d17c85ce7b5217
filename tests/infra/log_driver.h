// What log tests share: records to append, and an appender that waits for its outcome.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "events/event_log.h"

namespace guildhall::test {

inline std::string log_platform = "tutoring";  // A log that others share renames it for a test.
inline const Uuid log_id{0x0123456789ab8cdeULL, 0x8011223344556677ULL};

inline RecordHeader record_header(ShardNo shard, Epoch epoch, std::uint64_t n) {
  RecordHeader h;
  h.platform = log_platform;
  h.log_id = log_id;
  h.shard = shard;
  h.epoch = epoch;
  h.stream = {StreamKind::booking, Uuid(0xaaaaaaaaaaaa8bbbULL, 0x8000000000000000ULL + n)};
  h.stream_version = 1;
  h.event_id = Uuid(shard + 1, n);
  h.type = "booking.v1.BookingConfirmed";
  h.actor_kind = ActorKind::user;
  h.command_type = "booking.v1.ConfirmBooking";
  return h;
}

// Appends to one shard and remembers every payload that was committed, in order.
class Appender {
 public:
  Appender(EventLog& log, ShardNo shard) : shard_(shard), writer_(log.open(shard)), end_(writer_->end()) {}

  LogWriter& writer() { return *writer_; }
  LogEnd end() const { return end_; }
  Batch batch(const std::vector<std::string>& payloads) const {
    BatchBuilder builder;
    for (std::size_t i = 0; i < payloads.size(); ++i)
      builder.add(record_header(shard_, writer_->epoch(), end_.sequence + i + 1), payloads[i]);
    return builder.close(end_.sequence, end_.head);
  }
  AppendOutcome append(const std::vector<std::string>& payloads) {
    Batch b = batch(payloads);
    const LogEnd after{b.last(), b.head};
    std::promise<AppendOutcome> outcome;
    writer_->submit(std::move(b), [&](AppendOutcome o) { outcome.set_value(o); });
    const AppendOutcome o = outcome.get_future().get();
    if (o == AppendOutcome::committed) end_ = after;
    return o;
  }

 private:
  ShardNo shard_;
  std::unique_ptr<LogWriter> writer_;
  LogEnd end_;
};

inline std::vector<std::string> read_payloads(LogReader& reader) {
  std::vector<std::string> out;
  while (const Record* r = reader.next()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(r->payload.data()) % 8, 0u);
    out.emplace_back(r->payload);
  }
  return out;
}
inline std::vector<std::string> read_payloads(EventLog& log, ShardNo shard, Sequence from = 1) {
  return read_payloads(*log.read(shard, from));
}

}  // namespace guildhall::test
