// guildhall money …: each subcommand adds itself below `money` (money.cpp has the list), and what they share: the log folded up
// to a cut.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "cli/commands.h"
#include "events/catalogue.h"
#include "events/event_log.h"

namespace guildhall {

void add_money_trial_balance(CLI::App& money, CommandLine& line, Run& run);
void add_money_reconcile(CLI::App& money, CommandLine& line, Run& run);

// A prefix of every shard.
struct LogCut {
  std::vector<Sequence> ends;                      // By shard; none beyond the durable end.
  Micros at = std::numeric_limits<Micros>::max();  // Records of a later time are beyond it; a shard's times never fall.
};
// All that is durable now.
LogCut whole_log(const EventLog& log);

// Visits the events that can move money, shard by shard in order. Where it ended in each shard; nothing when interrupted. Takes
// no lock. Throws CorruptLog for a record that this version does not know: it might move money.
std::optional<std::vector<Sequence>> visit_money(EventLog& log, const LogCut& cut,
                                                 const std::function<void(const RecordHeader&, const AnyEvent&)>& visit);

}  // namespace guildhall
