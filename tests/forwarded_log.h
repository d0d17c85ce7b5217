// A log that hands all to another one: tests derive from it, and say what they see or do differently.
#pragma once

#include <memory>
#include <utility>

#include "events/event_log.h"

namespace guildhall {

class ForwardedLog : public EventLog {
 public:
  explicit ForwardedLog(EventLog& log) : log_(log) {}
  const LogIdentity& identity() const override { return log_.identity(); }
  std::unique_ptr<LogWriter> open(ShardNo shard) override { return log_.open(shard); }
  std::unique_ptr<LogReader> read(ShardNo shard, Sequence from) override { return log_.read(shard, from); }
  LogEnd durable_end(ShardNo shard) const override { return log_.durable_end(shard); }
  bool admits() const override { return log_.admits(); }
  void on_durable(std::function<void(ShardNo, Sequence)> listener) override { log_.on_durable(std::move(listener)); }

 private:
  EventLog& log_;
};

}  // namespace guildhall
