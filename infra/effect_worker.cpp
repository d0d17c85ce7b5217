#include "infra/effect_worker.h"

#include <algorithm>
#include <chrono>

namespace guildhall {

void EffectWorker::want(const Effect& effect, bool wanted) {
  {
    const std::lock_guard lock(mutex_);
    if (!wanted) {
      pending_.erase(effect.id);  // Its place in due_ is skipped when it comes.
      return;
    }
    const Micros now = clock_.now();
    pending_.insert_or_assign(effect.id, Pending{effect, now, now, std::nullopt});
    due_.emplace(now, effect.id);
  }
  wake_.notify_one();
}

std::size_t EffectWorker::pending() const {
  const std::lock_guard lock(mutex_);
  return pending_.size();
}

Micros EffectWorker::longest_wait() const {
  const std::lock_guard lock(mutex_);
  const auto oldest = std::ranges::min_element(pending_, {}, [](const auto& entry) { return entry.second.since; });
  return oldest == pending_.end() ? 0 : clock_.now() - oldest->second.since;
}

bool EffectWorker::step() {
  Pending next;
  {
    const std::lock_guard lock(mutex_);
    for (;;) {
      if (due_.empty() || due_.begin()->first > clock_.now()) return false;
      const auto found = pending_.find(due_.begin()->second);
      const Micros due = due_.begin()->first;
      due_.erase(due_.begin());
      if (found == pending_.end() || found->second.due != due) continue;
      next = found->second;
      break;
    }
  }
  const bool performed_before = next.performed.has_value();
  if (!performed_before) next.performed = processor_.perform(next.effect);
  const bool late = !performed_before && next.performed->delay_us > 0;
  const bool known = next.performed->answer.kind != ProcessorAnswer::Kind::unknown;
  if (known && !late)
    for (int i = 0; i < next.performed->times; ++i) record_(next.effect, next.performed->answer, i);
  {
    const std::lock_guard lock(mutex_);
    const auto found = pending_.find(next.effect.id);
    if (found == pending_.end()) return true;  // Recorded meanwhile.
    found->second.due = clock_.now() + (late ? next.performed->delay_us : retry_after_us);
    found->second.performed = late ? next.performed : std::nullopt;
    due_.emplace(found->second.due, next.effect.id);
  }
  return true;
}

void EffectWorker::run(std::stop_token stop) {
  const std::stop_callback wake_on_stop(stop, [this] { wake_.notify_all(); });
  while (!stop.stop_requested()) {
    if (step()) continue;
    std::unique_lock lock(mutex_);
    Micros wait = idle_wait_us;
    if (!due_.empty()) wait = std::clamp<Micros>(due_.begin()->first - clock_.now(), 1000, idle_wait_us);
    if (!stop.stop_requested()) wake_.wait_for(lock, std::chrono::microseconds(wait));
  }
}

}  // namespace guildhall
