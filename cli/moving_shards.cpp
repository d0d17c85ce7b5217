#include "cli/moving_shards.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "aggregates/shard/state_follower.h"
#include "infra/json_log.h"

namespace guildhall {
namespace {

constexpr std::chrono::seconds start_patience{30};      // For the owners topic to be read.
constexpr std::chrono::seconds owners_patience{2};      // For one answer about its end.
constexpr std::chrono::seconds hand_over_patience{4};   // A process that ends serves on for the new owner of its shards to come.
constexpr std::chrono::milliseconds retry_pause{300};   // After brokers did not answer.
constexpr std::chrono::milliseconds standby_pause{50};  // At the log's end.
constexpr std::chrono::milliseconds watch_pause{50};
constexpr Sequence near_records = 20'000;      // Of the log's end: replayed while the shard is opened.
constexpr std::size_t standby_records = 8192;  // Folded into one write.
constexpr Micros gather_us = 2'000;

// Unique and the same after a restart, as long as hosts have names of their own.
std::string host_and_port(const std::string& address) {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return std::string(name.data()) + address.substr(address.rfind(':'));
}

}  // namespace

std::unique_ptr<TopicFollower> follow_directory(const KafkaLog& log, ProcessDirectory& directory,
                                                std::function<void(const std::string& why)> failed) {
  std::vector<TopicFollower::Start> partitions;
  for (ShardNo n = 0; n < log.identity().shards; ++n) partitions.push_back({static_cast<std::int32_t>(n), 0});
  return std::make_unique<TopicFollower>(
      log.options(), log.topics().directory, std::move(partitions),
      [&directory](const FollowedMessage& m) {
        const auto told = parse_directory_fact(m.key, m.value);
        if (!is_fact(told.stream.kind, told.value))
          throw CorruptLog("the directory topic holds an unreadable fact about " + to_string(told.stream));
        directory.set(told.stream, told.version, told.value);
      },
      std::move(failed));
}

MovingShards::MovingShards(KafkaLog& log, ShardParts parts, MovingShardsOptions options, MovingShardsHooks hooks)
    : log_(log), parts_(std::move(parts)), options_(std::move(options)), hooks_(std::move(hooks)) {
  owners_.resize(log_.identity().shards);
  for (ShardNo n = 0; n < log_.identity().shards; ++n) slots_.push_back(std::make_unique<Slot>(n));
  owner_follower_ = std::make_unique<TopicFollower>(
      log_.options(), log_.topics().owners, std::vector<TopicFollower::Start>{{0, 0}},
      [this](const FollowedMessage& m) {
        if (const auto owner = parse_owner(m.key, m.value)) owner_said(*owner);
      },
      parts_.failed);
  if (!owner_follower_->wait_until_caught_up(start_patience))
    throw LogError("kafka: " + log_.topics().owners + " can't be read in time", "the brokers", true);
}

MovingShards::~MovingShards() { stop(); }

void MovingShards::start(const std::string& address) {
  {
    const std::lock_guard lock(mutex_);
    address_ = address;
  }
  if (!options_.serves) return;
  log_.set_address(address);
  for (const auto& slot : slots_) slot->thread = std::thread([this, s = slot.get()] { run(*s); });
  watch_thread_ = std::jthread([this](std::stop_token stop) { watch(stop); });
  membership_ = std::make_unique<KafkaMembership>(
      log_.options(),
      KafkaMembershipOptions{log_.topics().prefix + ".shards", options_.node.empty() ? host_and_port(address) : options_.node,
                             log_.topics().inbox, options_.session},
      [this](std::set<ShardNo> shards) { assign(shards); },
      [this](const std::string& why) { parts_.failed("another process has this node's name: " + why); });
}

void MovingShards::assign(const std::set<ShardNo>& shards) {
  std::string list;
  for (const ShardNo n : shards) list += (list.empty() ? "" : ",") + std::to_string(n);
  log_line(LogLevel::info, parts_.clock.now(), "the group gives this process shards", {{"shards", std::string_view(list)}});
  {
    const std::lock_guard lock(mutex_);
    ++assignment_;
    assigned_at_ = std::chrono::steady_clock::now();
    for (const auto& slot : slots_) {
      slot->wanted = shards.contains(slot->number);
      if (slot->wanted) slot->give_up_at.reset();
      // Else it is served on until its new owner fences this one: that may have a long log to follow first.
    }
  }
  changed_.notify_all();
}

void MovingShards::owner_said(const ShardOwner& owner) {
  {
    const std::lock_guard lock(mutex_);
    if (owner.shard >= owners_.size() || owner.epoch < owners_[owner.shard].epoch) return;
    owners_[owner.shard] = owner;
    // Its writer is fenced: nothing that waits here can be committed any more.
    const auto& slot = slots_[owner.shard];
    if (slot->shard && owner.epoch > slot->epoch && owner.address != address_) slot->period.request_stop();
  }
  changed_.notify_all();
}

std::shared_ptr<Shard> MovingShards::local(ShardNo shard) const {
  if (membership_ && !membership_->alive()) return nullptr;
  const std::lock_guard lock(mutex_);
  return slots_[shard]->shard;
}

std::string MovingShards::owner(ShardNo shard) const {
  const std::lock_guard lock(mutex_);
  const std::string& address = owners_[shard].address;
  return address == address_ ? std::string() : address;
}

std::vector<std::shared_ptr<Shard>> MovingShards::serving() const {
  std::vector<std::shared_ptr<Shard>> out;
  const std::lock_guard lock(mutex_);
  for (const auto& slot : slots_)
    if (slot->shard) out.push_back(slot->shard);
  return out;
}

bool MovingShards::wait_until_settled(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] {
    return assignment_ > 0 && std::ranges::all_of(slots_, [](const auto& s) { return !s->wanted || s->shard; });
  });
}

template <class Ready>
void MovingShards::wait(std::chrono::milliseconds limit, Ready ready) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit, [&] { return ending_ || ready(); });
}

// Under the mutex. A shard that somebody else fenced is his until the group says otherwise: two that fence each other in turn
// would serve nobody. Only when the group has kept to its word for a session was it a stranger or our own broken connection.
bool MovingShards::may_open(const Slot& slot) const {
  if (!slot.wanted || ending_) return false;
  if (slot.fenced_at != assignment_) return true;
  const bool ours = owners_[slot.number].address == address_;
  return ours || std::chrono::steady_clock::now() - assigned_at_ > options_.session;
}

void MovingShards::run(Slot& slot) {
  ::pthread_setname_np(::pthread_self(), fmt::format("shard-{}", slot.number).c_str());
  bool rebuilt = false;
  for (;;) {
    bool open = false;
    {
      const std::lock_guard lock(mutex_);
      if (ending_) return;
      open = may_open(slot);
    }
    try {
      if (!slot.store) slot.store = open_state(parts_, slot.number, budget_);
      if (open) {
        if (catch_up(slot)) serve(slot);
      } else if (options_.standby) {
        stand_by(slot);
      } else {
        wait(std::chrono::seconds(1), [&] { return may_open(slot); });
      }
    } catch (const StateStoreError& e) {
      if (rebuilt) return parts_.failed(e.what());
      rebuilt = true;
      slot.store.reset();
      discard_state(parts_, slot.number, e.what());
    } catch (const LogError& e) {
      if (!e.retryable()) return parts_.failed(e.what());
      log_line(LogLevel::warning, parts_.clock.now(), open ? "a shard can't be opened yet" : "a shard can't be followed just now",
               {{"shard", static_cast<std::int64_t>(slot.number)}, {"error", std::string_view(e.what())}});
      wait(retry_pause, [] { return false; });
    } catch (const std::exception& e) {
      return parts_.failed(e.what());
    }
  }
}

void MovingShards::stand_by(Slot& slot) {
  // What this process wrote itself may not be readable yet, when it died a moment ago: its markers are still on their way.
  const auto patience = std::chrono::steady_clock::now() + start_patience;
  const auto stored = slot.store->get(keys::position);
  const auto position = stored ? decode_position(*stored) : std::nullopt;
  while (position && log_.refresh_end(slot.number).sequence < position->sequence && std::chrono::steady_clock::now() < patience) {
    wait(retry_pause, [&] { return may_open(slot); });
    const std::lock_guard lock(mutex_);
    if (ending_ || may_open(slot)) return;
  }
  StateFollower follower(log_, slot.number, *slot.store, parts_.accept_loss);
  Micros next_checkpoint = parts_.clock.now() + minute_us;
  for (;;) {
    const bool more = follower.advance(standby_records);
    if (parts_.clock.now() >= next_checkpoint) {
      slot.store->checkpoint(false);
      next_checkpoint = parts_.clock.now() + minute_us;
    }
    if (!more) wait(standby_pause, [&] { return may_open(slot); });
    const std::lock_guard lock(mutex_);
    if (ending_ || may_open(slot)) break;
  }
}

// A state that is far behind follows the log before the shard is opened: opening fences, and whoever serves the shard until then
// goes on. False: the shard is not to be opened any more.
bool MovingShards::catch_up(Slot& slot) {
  const Sequence end = log_.refresh_end(slot.number).sequence;
  const auto stored = slot.store->get(keys::position);
  const auto position = stored ? decode_position(*stored) : std::nullopt;
  if (end <= (position ? position->sequence : 0) + near_records) return true;
  StateFollower follower(log_, slot.number, *slot.store, parts_.accept_loss);
  auto progress = replay_progress(parts_.clock, slot.number);
  for (bool more = true; more;) {
    more = follower.advance(standby_records);
    progress(follower.position().sequence, std::max(end, follower.position().sequence));
    const std::lock_guard lock(mutex_);
    if (!may_open(slot)) return false;
  }
  slot.store->checkpoint(false);
  return true;
}

void MovingShards::serve(Slot& slot) {
  const auto began = std::chrono::steady_clock::now();
  const ShardNo n = slot.number;
  std::map<Uuid, Effect, UuidLess> effects;
  ShardEnvironment env = environment_of(parts_, log_, *slot.store);
  env.deliver = [](ShardNo, InboxEntry) {};  // It went with the transaction.
  env.delivered_by = [](ShardNo) { return Sequence{0}; };
  env.searches_inboxes = false;
  env.surrenders = true;
  env.directory_catch_up = hooks_.directory_catch_up;
  env.on_effect = [&](const Effect& effect, bool wanted) {
    if (wanted) effects.insert_or_assign(effect.id, effect);
    else effects.erase(effect.id);
    parts_.on_effect(effect, wanted);
  };
  ShardEnd end = ShardEnd::fenced;
  std::string why;
  env.on_failure = [&](ShardEnd how, const std::string& text) {
    end = how;
    why = text;
  };
  auto shard =
      std::make_shared<Shard>(n, std::move(env), ShardLimits{.gather_us = gather_us}, true, replay_progress(parts_.clock, n));
  auto feed = follow_inbox(
      log_, n, std::max(shard->inbox_position(), log_.inbox_position(n)),
      [s = shard.get()](InboxEntry entry) { s->deliver(std::move(entry)); }, parts_.failed);
  std::stop_token stop;
  std::uint64_t assignment = 0;
  {
    const std::lock_guard lock(mutex_);
    slot.period = std::stop_source();
    stop = slot.period.get_token();
    slot.shard = shard;
    slot.epoch = shard->epoch();
    assignment = assignment_;
    // Another one has it by now.
    if (ending_ || owners_[n].epoch > slot.epoch) slot.period.request_stop();
  }
  changed_.notify_all();
  log_line(LogLevel::info, parts_.clock.now(), "serving a shard",
           {{"shard", static_cast<std::int64_t>(n)},
            {"epoch", static_cast<std::int64_t>(shard->epoch())},
            {"opened_in_ms",
             std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count()}});
  if (hooks_.on_served) hooks_.on_served(n, true);

  shard->run(stop);

  const bool failed = shard->failed();
  {
    const std::lock_guard lock(mutex_);
    slot.shard.reset();
    slot.give_up_at.reset();
    if (failed && end == ShardEnd::fenced) slot.fenced_at = assignment;
  }
  changed_.notify_all();
  feed.reset();
  if (hooks_.on_served) hooks_.on_served(n, false);
  for (const auto& [id, effect] : effects) parts_.on_effect(effect, false);
  // The new owner wants them again, with the same ids for the processor.
  auto pending = shard->surrender();
  log_line(failed ? LogLevel::warning : LogLevel::info, parts_.clock.now(), "no longer serving a shard",
           {{"shard", static_cast<std::int64_t>(n)},
            {"reason", std::string_view(failed ? why : "given away")},
            {"commands_sent_on", static_cast<std::int64_t>(pending.size())}});
  // Whoever holds it is in a call that only queues, and is told that it has ended.
  while (shard.use_count() > 1) std::this_thread::yield();
  shard.reset();
  if (failed && end == ShardEnd::failed) parts_.failed(why);
  for (PendingCommand& p : pending) hooks_.resume(std::move(p.request), std::move(p.done));
  if (failed && end == ShardEnd::fenced) hear_of_owners();
}

// Whoever fenced the shard has told so before. After a pause this process has yet to hear it, and would take the shard back.
void MovingShards::hear_of_owners() {
  const auto ending = [&] {
    const std::lock_guard lock(mutex_);
    return ending_;
  };
  while (!ending() && !owner_follower_->wait_until_caught_up(owners_patience)) {
  }
}

// Ends what was given away and that nobody else has taken over in time.
void MovingShards::watch(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::unique_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    for (const auto& slot : slots_)
      if (slot->shard && slot->give_up_at && now >= *slot->give_up_at) slot->period.request_stop();
    changed_.wait_for(lock, watch_pause);
  }
}

void MovingShards::stop() {
  if (membership_) {
    membership_->leave();
    bool others = false;
    {
      const std::lock_guard lock(mutex_);
      for (const ShardOwner& owner : owners_) others = others || (!owner.address.empty() && owner.address != address_);
      for (const auto& slot : slots_) {
        slot->wanted = false;
        if (slot->shard)
          slot->give_up_at = std::chrono::steady_clock::now() +
                             (others ? std::chrono::milliseconds(hand_over_patience) : std::chrono::milliseconds(0));
      }
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return std::ranges::none_of(slots_, [](const auto& s) { return s->shard != nullptr; }); });
  }
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (const auto& slot : slots_)
    if (slot->thread.joinable()) slot->thread.join();
  watch_thread_.request_stop();
  changed_.notify_all();
  if (watch_thread_.joinable()) watch_thread_.join();
  membership_.reset();
  owner_follower_.reset();
}

}  // namespace guildhall
