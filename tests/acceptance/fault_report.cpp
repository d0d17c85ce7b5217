#include "tests/acceptance/fault_report.h"

#include <algorithm>

namespace guildhall {
namespace {

using std::chrono::milliseconds;

milliseconds ms_between(Instant from, Instant to) { return std::chrono::duration_cast<milliseconds>(to - from); }

boost::json::object median_and_worst(std::vector<milliseconds> times) {
  if (times.empty()) return {};
  std::ranges::sort(times);
  return {{"median", times[times.size() / 2].count()}, {"worst", times.back().count()}};
}

}  // namespace

std::vector<FaultCost> costs(const std::vector<Fault>& faults, const std::vector<Operation>& operations, std::uint32_t shards) {
  std::vector<std::vector<const Operation*>> by_shard(shards);
  for (const Operation& o : operations)
    if (o.accepted()) by_shard[o.shard].push_back(&o);
  for (auto& accepted : by_shard) std::ranges::sort(accepted, {}, &Operation::answered);

  std::vector<FaultCost> out;
  for (const Fault& fault : faults)
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
      FaultCost cost{.kind = fault.kind, .hit = std::ranges::find(fault.shards, shard) != fault.shards.end(), .shard = shard};
      const Operation* before = nullptr;
      bool taken_over = false;
      for (const Operation* o : by_shard[shard]) {
        if (o->answered >= fault.at) {
          if (before != nullptr) cost.gap = std::max(cost.gap, ms_between(before->answered, o->answered));
          if (!taken_over && o->sent >= fault.at) {
            cost.take_over = ms_between(fault.at, o->answered);
            taken_over = true;
          }
        }
        before = o;
        if (o->answered > fault.over) break;
      }
      out.push_back(std::move(cost));
    }
  return out;
}

boost::json::array each(const std::vector<Fault>& faults, const std::vector<FaultCost>& costs) {
  boost::json::array out;
  const std::size_t shards = faults.empty() ? 0 : costs.size() / faults.size();
  for (std::size_t n = 0; n < faults.size(); ++n) {
    boost::json::array gaps;
    for (std::size_t shard = 0; shard < shards; ++shard) gaps.emplace_back(costs[n * shards + shard].gap.count());
    out.push_back(boost::json::object{{"kind", faults[n].kind},
                                      {"target", faults[n].target},
                                      {"whole_after_ms", ms_between(faults[n].at, faults[n].over).count()},
                                      {"longest_gap_ms_by_shard", std::move(gaps)}});
  }
  return out;
}

boost::json::object summary(const std::vector<Fault>& faults, const std::vector<FaultCost>& costs) {
  boost::json::object out;
  for (const Fault& fault : faults) {
    if (out.contains(fault.kind)) continue;
    boost::json::object kind{{"times", std::ranges::count(faults, fault.kind, &Fault::kind)}};
    for (const bool hit : {true, false}) {
      std::vector<milliseconds> gaps, take_overs;
      for (const FaultCost& c : costs) {
        if (c.kind != fault.kind || c.hit != hit) continue;
        gaps.push_back(c.gap);
        take_overs.push_back(c.take_over);
      }
      if (gaps.empty()) continue;
      kind[hit ? "hit_shards" : "other_shards"] = boost::json::object{
          {"shards", gaps.size()}, {"longest_gap_ms", median_and_worst(gaps)}, {"take_over_ms", median_and_worst(take_overs)}};
    }
    out[fault.kind] = std::move(kind);
  }
  return out;
}

}  // namespace guildhall
