#include "aggregates/shard/shard.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <ranges>

#include "aggregates/shard/state_follower.h"
#include "events/check.h"
#include "events/codec.h"
#include "events/schemas.h"

namespace guildhall {
namespace {

constexpr int max_reaction_depth = 8;
constexpr std::size_t replay_batch_records = 8192;  // Folded into one write while replaying.
constexpr std::size_t timers_per_round = 256;
constexpr std::size_t facts_per_batch = 16'384;  // Of streams that the batch itself did not change.
constexpr Micros longest_wait_us = second_us;
constexpr Micros gather_part_of_commit = 3;

const Hash& digest_of(StreamKind kind) {
  static const auto digests = [] {
    std::array<Hash, static_cast<std::size_t>(last_stream_kind) + 1> out{};
    for (std::uint8_t k = 1; k <= static_cast<std::uint8_t>(last_stream_kind); ++k) {
      const auto* schema = schema_of_type(name_of(static_cast<StreamKind>(k)));
      // Inbox and writer records are declared beside the decision record.
      out[k] = (schema ? schema : schema_of_type("decision"))->digest;
    }
    return out;
  }();
  return digests[static_cast<std::size_t>(kind)];
}

constexpr std::string_view decision_type = "decision.v1.DecisionMade";
constexpr std::string_view inbox_type = "decision.v1.InboxCommand";
constexpr std::string_view writer_type = "decision.v1.WriterOpened";

}  // namespace

// A command on its way through the shard.
struct Shard::Waiting {
  CommandRequest request;
  CommandDone done;
  ::decision::v1::Source source = ::decision::v1::Source::client;
  TimerKey timer;           // Of source timer.
  Uuid effect_id{};         // Of source effect.
  ShardNo inbox_shard = 0;  // Of source inbox.
  Sequence inbox_sequence = 0;
  std::uint64_t inbox_position = 0;
  bool caught_up = false;     // The directory was waited for: what is decided now stands.
  std::optional<Micros> now;  // Set when it is first decided: a batch that failed is decided again in the same context.
};

struct Shard::OpenBatch {
  explicit OpenBatch(Changes::Base base) : changes(std::move(base)) {}

  // A command with its answer-to-be, or a repeat that joined one.
  struct Decided {
    Waiting command;
    CommandResult result;
    std::size_t record;  // Index of the decision in the batch.
  };
  // A question after a command of this batch.
  struct LookUp {
    CommandDone done;
    CommandResult result;
    std::size_t record;
  };
  struct Outgoing {
    ShardNo target;
    InboxEntry entry;
    std::size_t record;
  };

  // Of a command that was decided into this batch: its index.
  std::size_t record_of(const Uuid& command_id) const {
    const auto found = std::ranges::find(decisions, command_id, &std::pair<Uuid, std::size_t>::first);
    CHECK(found != decisions.end());
    return found->second;
  }

  Changes changes;
  BatchBuilder builder;
  std::vector<Decided> commands;  // In the order they were decided.
  std::vector<Decided> repeats;
  std::vector<LookUp> look_ups;
  std::vector<std::pair<Uuid, std::size_t>> decisions;  // Command id → record index.
  std::vector<Outgoing> outgoing;
  std::vector<std::string> fired;  // Timer keys.
  std::vector<DirectoryFact> told_late;
  LogEnd before;
  Position after;
  WriteSet writes;
  Micros submitted_at = 0;
  bool epoch_record = false;
  std::uint64_t inbox_position = 0;  // Behind the last entry that was taken: executed here, or before.
};

struct Shard::Question {
  Uuid command_id{};               // What became of it,
  std::optional<StreamId> stream;  // or what stands there.
  Asker asker;
  CommandDone done;
};

// What other threads hand to the shard. Callbacks hold it too: the log's last word may come after the shard has gone.
struct Shard::Mailbox {
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::deque<Waiting> queue;
  std::deque<Waiting> system;  // Inbox, timers and effects: not refused, and taken before clients' commands.
  std::deque<Question> questions;
  std::optional<AppendOutcome> outcome;
  std::vector<std::pair<Uuid, bool>> caught_up;  // What the directory says to a parked command.
  bool sleeping = false;
  bool ended = false;
};

// The overlay over the state store, for one decision: what it loads stays alive until it ends.
class Shard::DecisionView final : public View {
 public:
  explicit DecisionView(Shard& shard) : shard_(shard) {}
  const VersionedState& load(const StreamId& stream) const override {
    StatePtr state = shard_.building_->changes.find(stream);
    if (!state) state = shard_.load(stream);
    if (!state) state = std::make_shared<VersionedState>(empty_state(stream.kind), 0);
    pinned_.push_back(std::move(state));
    return *pinned_.back();
  }
  const Directory& directory() const override { return directory_; }
  // A stream that was looked up, that the directory lacks, and whose absence only its source can tell: the last such. Facts of
  // this shard's streams are all here.
  const std::optional<StreamId>& absent() const { return directory_.absent; }

 private:
  struct WatchedDirectory final : Directory {
    explicit WatchedDirectory(const Shard& watching) : shard(watching) {}
    std::optional<std::string> fact(const StreamId& stream) const override {
      auto known = shard.env_.directory.fact(stream);
      if (!known && shard_of(stream.id, shard.env_.log.identity().shards) != shard.number_) absent = stream;
      return known;
    }
    const Shard& shard;
    mutable std::optional<StreamId> absent;
  };

  Shard& shard_;
  WatchedDirectory directory_{shard_};
  mutable std::vector<StatePtr> pinned_;
};

struct Shard::Verdict {
  AnyCommand command;
  Decision decision;
  std::optional<StreamId> absent;  // Of a refusal: the stream whose absence may be the reason.
};

// ---- opening

Shard::Shard(ShardNo number, ShardEnvironment environment, ShardLimits limits, bool serves, const Progress& progress)
    : number_(number),
      env_(std::move(environment)),
      limits_(limits),
      platform_(env_.log.identity().platform),
      cache_(env_.store, limits_.cached_states),
      mailbox_(std::make_shared<Mailbox>()) {
  writer_ = env_.log.open(number_);
  end_ = writer_->end();
  replay(progress);
  open_batch();
  if (!serves) return;
  load_effects_and_facts();
  load_marks();
  delivered_.store(end_.sequence, std::memory_order_release);
  if (env_.searches_inboxes) search_inboxes();
  next_checkpoint_ = env_.clock.now() + limits_.checkpoint_every_us;
  add_epoch_record();
}

Shard::~Shard() = default;

void Shard::open_batch() {
  building_ = std::make_unique<OpenBatch>([this](const StreamId& s) { return load(s); });
}

// So that records of older writers that turn up later are inert for every reader.
void Shard::add_epoch_record() {
  building_->epoch_record = true;
  ::decision::v1::WriterOpenedT opened;
  opened.epoch = writer_->epoch();
  opened.software = env_.software;
  Waiting none;
  none.now = now();
  none.request.actor_kind = ActorKind::system;
  none.request.command_id = derive_root("writer", platform_ + "/" + std::to_string(number_) + "/" + std::to_string(opened.epoch));
  add_record({StreamKind::writer, env_.log.identity().log_id}, writer_->epoch(), writer_type, digest_of(StreamKind::writer),
             pack(opened), none, derive_in_group("event", none.request.command_id, 0, 0), none.request.command_id, {});
}

void Shard::replay(const Progress& progress) {
  StateFollower follower(env_.log, number_, env_.store, env_.accept_loss);
  const Position& position = follower.position();
  const Sequence begin = position.sequence;
  while (position.sequence < end_.sequence) {
    // Never a look beyond the end: there a reader may wait.
    const auto left = static_cast<std::size_t>(end_.sequence - position.sequence);
    if (!follower.advance(std::min(left, replay_batch_records)))
      throw CorruptLog("shard " + std::to_string(number_) + ": the log ends before its durable mark");
    if (progress) progress(position.sequence, end_.sequence);
  }
  if (position.sequence != end_.sequence || position.head != end_.head)
    throw CorruptLog("shard " + std::to_string(number_) + ": replay ends with another chain head");
  // Whoever dies again soon does not replay this again.
  if (end_.sequence - begin > replay_batch_records) env_.store.checkpoint(false);
  clock_ = position.clock;
  next_timer_ = 0;  // The first round looks.
}

void Shard::load_effects_and_facts() {
  env_.store.scan({&keys::effect_prefix, 1}, {}, [&](std::string_view, std::string_view wants) {
    const StreamId stream{static_cast<StreamKind>(wants[0]), uuid_from_bytes(wants.data() + 1)};
    const StatePtr state = load(stream);
    CHECK(state);
    const auto wanted = effect(state->state);
    CHECK(wanted);
    env_.on_effect(*wanted, true);
    return true;
  });
  for (const StreamKind kind : fact_kinds()) {
    const std::string states{keys::state_prefix, static_cast<char>(kind)};
    env_.store.scan(states, {}, [&](std::string_view key, std::string_view value) {
      const auto state = decode_state(kind, value);
      const auto fact = fact_of(state.state);
      if (!fact) return true;
      const StreamId stream{kind, uuid_from_bytes(key.data() + 2)};
      // On a log that was copied here, or whose topic of facts was lost, the others do not know it yet.
      if (!env_.searches_inboxes && fact != env_.directory.fact(stream)) untold_.push_back({stream, state.version, *fact});
      env_.directory.set(stream, state.version, *fact);
      return true;
    });
  }
}

void Shard::load_marks() {
  marks_.clear();
  env_.store.scan({&keys::inbox_prefix, 1}, {}, [&](std::string_view key, std::string_view value) {
    marks_[keys::parse_inbox(key)] = decode_mark(value);
    return true;
  });
  if (const auto position = env_.store.get(keys::searched(number_))) inbox_position_ = decode_sequence(*position);
}

void Shard::search_inboxes() {
  for (ShardNo source = 0; source < env_.log.identity().shards; ++source) {
    if (source == number_) continue;
    Sequence done = marks_[source].sequence;
    if (const auto searched = env_.store.get(keys::searched(source))) done = std::max(done, decode_sequence(*searched));
    if (done >= env_.log.durable_end(source).sequence) continue;
    const auto reader = env_.log.read(source, done + 1);
    while (const Record* record = reader->next()) {
      if (record->header.type != inbox_type) continue;
      InboxCommand command;
      if (!unpack(record->payload, command)) throw CorruptLog("inbox command does not verify");
      if (command.target_shard != number_) continue;
      deliver({source, record->header.sequence, command.command_id, command.command_type,
               std::string(command.command.begin(), command.command.end()), record->header.correlation_id});
    }
  }
}

// ---- states

StatePtr Shard::load(const StreamId& stream) {
  if (in_flight_)
    if (StatePtr state = in_flight_->changes.find(stream)) return state;
  return cache_.load(stream);
}

// ---- the queue

bool Shard::submit(CommandRequest& request, CommandDone& done) {
  bool wake = false;
  {
    const std::lock_guard lock(mailbox_->mutex);
    if (mailbox_->queue.size() >= limits_.queue_commands || mailbox_->ended) return false;
    Waiting w;
    w.request = std::move(request);
    w.done = std::move(done);
    mailbox_->queue.push_back(std::move(w));
    wake = mailbox_->sleeping;
  }
  if (wake) mailbox_->wake.notify_one();
  return true;
}

void Shard::submit_system(CommandRequest request, ::decision::v1::Source source, const Uuid& effect_id, CommandDone done) {
  Waiting w;
  w.request = std::move(request);
  w.done = std::move(done);
  w.source = source;
  w.effect_id = effect_id;
  enqueue_system(std::move(w));
}

void Shard::deliver(InboxEntry entry) {
  Waiting w;
  w.request.command_id = entry.command_id;
  w.request.type = std::move(entry.type);
  w.request.payload = std::move(entry.payload);
  w.request.fingerprint = sha256(w.request.payload);
  w.request.actor_kind = ActorKind::system;
  w.request.correlation_id = entry.correlation_id;
  w.source = ::decision::v1::Source::inbox;
  w.inbox_shard = entry.source;
  w.inbox_sequence = entry.source_sequence;
  w.inbox_position = entry.position;
  enqueue_system(std::move(w));
}

void Shard::enqueue_system(Waiting w) {
  {
    const std::lock_guard lock(mailbox_->mutex);
    // A stopped shard still takes what comes: its last checkpoint must not say that it was done.
    if (!failed()) {
      mailbox_->system.push_back(std::move(w));
      w.done = nullptr;
    }
  }
  mailbox_->wake.notify_one();
  tell(w.done, CommandResult::Kind::moved);
}

bool Shard::look_up(const Uuid& command_id, const Asker& asker, CommandDone& done) {
  return ask({command_id, {}, asker, {}}, done);
}

bool Shard::show(const StreamId& stream, const Asker& asker, CommandDone& done) { return ask({{}, stream, asker, {}}, done); }

bool Shard::ask(Question question, CommandDone& done) {
  {
    const std::lock_guard lock(mailbox_->mutex);
    if (!mailbox_->ended) {
      if (mailbox_->questions.size() >= limits_.queue_commands) return false;
      question.done = std::move(done);
      mailbox_->questions.push_back(std::move(question));
      done = nullptr;
    }
  }
  mailbox_->wake.notify_one();
  tell(done, CommandResult::Kind::moved);
  return true;
}

std::size_t Shard::queue_length() const {
  const std::lock_guard lock(mailbox_->mutex);
  return mailbox_->queue.size();
}

bool Shard::ended() const {
  const std::lock_guard lock(mailbox_->mutex);
  return mailbox_->ended;
}

// ---- the loop

void Shard::run(std::stop_token stop) {
  const std::stop_callback wake_on_stop(stop, [this] { mailbox_->wake.notify_all(); });
  while (!failed()) {
    if (pump()) continue;
    if (stop.stop_requested() && end_if_idle()) break;
    const Micros at = env_.clock.now();
    Micros wait = longest_wait_us;
    wait = std::min(wait, std::max<Micros>(next_timer_ - at, 0));
    if (in_flight_ && !overdue(at)) wait = std::min(wait, in_flight_->submitted_at + limits_.unknown_after_us - at + 1);
    if (!in_flight_ && building_->builder.records() > 0) wait = std::min(wait, gather_until_ - at);
    std::unique_lock lock(mailbox_->mutex);
    if (!mailbox_->queue.empty() || !mailbox_->system.empty() || !mailbox_->questions.empty() || mailbox_->outcome ||
        !mailbox_->caught_up.empty())
      continue;
    mailbox_->sleeping = true;
    mailbox_->wake.wait_for(lock, std::chrono::microseconds(std::max<Micros>(wait, 1)));
    mailbox_->sleeping = false;
  }
  if (failed()) return;
  try {
    checkpoint(true);
  } catch (const std::exception& e) {
    fail(ShardEnd::failed, e.what());
  }
}

bool Shard::pump() {
  if (failed()) return false;
  bool worked = false;
  try {
    std::optional<AppendOutcome> outcome;
    std::deque<Question> questions;
    std::vector<std::pair<Uuid, bool>> caught_up;
    {
      const std::lock_guard lock(mailbox_->mutex);
      caught_up.swap(mailbox_->caught_up);
      outcome = std::exchange(mailbox_->outcome, std::nullopt);
      questions.swap(mailbox_->questions);
    }
    if (outcome) {
      finish_batch(*outcome);
      worked = true;
      if (failed()) return true;
    }
    for (Question& question : questions) {
      answer(std::move(question));
      worked = true;
    }
    for (const auto& [command_id, yes] : caught_up) {
      unpark(command_id, yes);
      worked = true;
    }
    fire_timers();

    const auto full = [&] {
      return building_->commands.size() >= limits_.batch_commands || building_->builder.bytes() >= limits_.batch_bytes;
    };
    while (!full()) {
      if (backlog_.empty()) {
        const std::lock_guard lock(mailbox_->mutex);
        // A slice at a time: one lock for many commands, yet timers and the log's answer are seen in between.
        constexpr std::size_t slice = 64;
        const auto move_some = [this](std::deque<Waiting>& from) {
          while (backlog_.size() < slice && !from.empty()) {
            backlog_.push_back(std::move(from.front()));
            from.pop_front();
          }
        };
        move_some(mailbox_->system);
        move_some(mailbox_->queue);
        if (backlog_.empty() || mailbox_->outcome) break;
      }
      take(backlog_.front());  // It stays there until it is taken: what throws leaves it to be answered.
      backlog_.pop_front();
      worked = true;
    }
    if (!in_flight_ && building_->builder.records() > 0 && !gathers(env_.clock.now())) {
      submit_batch();
      worked = true;
    }
    const Micros at = env_.clock.now();
    if (overdue(at)) {
      answer_unknown(*in_flight_);
      answer_unknown(*building_);
    }
    if (at >= next_checkpoint_) checkpoint(false);
  } catch (const std::exception& e) {
    fail(ShardEnd::failed, e.what());
  }
  return worked;
}

bool Shard::overdue(Micros at) const { return in_flight_ && at - in_flight_->submitted_at > limits_.unknown_after_us; }

bool Shard::gathers(Micros at) const { return building_->commands.size() < gather_commands_ && at < gather_until_; }

bool Shard::idle() const {
  const std::lock_guard lock(mailbox_->mutex);
  return is_idle_within_lock();
}

bool Shard::is_idle_within_lock() const {
  return mailbox_->queue.empty() && mailbox_->system.empty() && backlog_.empty() && parked_.empty() &&
         mailbox_->questions.empty() && !mailbox_->outcome && !in_flight_ && building_->builder.records() == 0;
}

// In one step with the look at the queue, so that nobody's command is left in it.
bool Shard::end_if_idle() {
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->ended = is_idle_within_lock();
  return mailbox_->ended;
}

Micros Shard::now() { return clock_ = std::max(clock_, env_.clock.now()); }

// ---- a command

void Shard::take(Waiting& w) {
  if (w.source == ::decision::v1::Source::inbox) {
    building_->inbox_position = std::max(building_->inbox_position, w.inbox_position);
    // One record of the source is one command. The mark may be of a batch that is not yet durable; if that fails, the entry that
    // it executed comes again.
    if (w.inbox_sequence <= marks_[w.inbox_shard].sequence) return;
  }
  const auto repeat = [&](const DedupEntry& entry, OpenBatch* batch) {
    CommandResult result{CommandResult::Kind::replied, {}, true, number_, entry.sequence};
    if (entry.fingerprint != w.request.fingerprint) {
      result.reply = env_.format.key_reused(w.request.command_id);
      result.replayed = false;
      if (w.done) w.done(std::move(result));
      return;
    }
    counters_.replayed.fetch_add(1, std::memory_order_relaxed);
    result.reply = entry.reply;
    if (!w.done) return;
    if (!batch) {
      w.done(std::move(result));
      return;
    }
    const std::size_t record = batch->record_of(w.request.command_id);
    batch->repeats.push_back({std::move(w), std::move(result), record});
  };
  if (const auto* entry = building_->changes.find_decision(w.request.command_id)) return repeat(*entry, building_.get());
  if (in_flight_)
    if (const auto* entry = in_flight_->changes.find_decision(w.request.command_id)) return repeat(*entry, in_flight_.get());
  if (const auto parked = parked_.find(w.request.command_id); parked != parked_.end())
    return join_parked(parked->second.commands, w);
  if (const auto stored = env_.store.get(keys::decision(w.request.command_id))) {
    if (w.source == ::decision::v1::Source::timer) firing_.erase(keys::timer(w.timer));
    return repeat(decode_dedup(*stored), nullptr);
  }
  decide_into_batch(w);
}

void Shard::decide_into_batch(Waiting& w) {
  w.now = w.now.value_or(now());
  Verdict verdict = judge(w);
  if (verdict.absent && w.source == ::decision::v1::Source::client && !w.caught_up && env_.directory_catch_up)
    return park(w, *verdict.absent);
  CommandResult result{CommandResult::Kind::replied, {}, false, number_, 0};
  std::size_t decision_record = 0;
  run_command(w, std::move(verdict), 0, result, decision_record);
  if (w.source == ::decision::v1::Source::inbox) marks_[w.inbox_shard] = {w.inbox_sequence, 0};
  if (w.source == ::decision::v1::Source::timer) building_->fired.push_back(keys::timer(w.timer));
  building_->commands.push_back({std::move(w), std::move(result), decision_record});
}

RecordHeader Shard::add_record(const StreamId& stream, std::uint64_t version, std::string_view type, const Hash& digest,
                               std::string_view payload, const Waiting& w, const Uuid& event_id, const Uuid& causation,
                               std::string_view command_type) {
  RecordHeader h;
  h.platform = platform_;
  h.log_id = env_.log.identity().log_id;
  h.shard = number_;
  h.epoch = writer_->epoch();
  h.stream = stream;
  h.stream_version = version;
  h.event_id = event_id;
  h.type = type;
  h.schema_digest = digest;
  h.time = *w.now;
  h.actor_kind = w.request.actor_kind;
  h.actor_id = w.request.actor_id;
  h.command_id = w.request.command_id;
  h.command_type = command_type;
  h.fingerprint = w.request.fingerprint;
  h.correlation_id = is_nil(w.request.correlation_id) ? w.request.command_id : w.request.correlation_id;
  h.causation_id = causation;
  building_->builder.add(h, payload);
  return h;
}

// Writes nothing yet.
Shard::Verdict Shard::judge(const Waiting& w) {
  auto command = decode_command(w.request.type, w.request.payload);
  CHECK(command);  // The gateway built it, or this shard did.
  const DecisionView view(*this);
  const Uuid& id = w.request.command_id;
  const Actor actor = actor_of(w.request.actor_kind, w.request.actor_id, view.directory());
  Decision decision = decide(*command, {*w.now, actor, id, bucket_of(id), env_.policy, env_.zones}, view);
  std::optional<StreamId> absent;
  if (!decision) absent = view.absent();
  if (decision && w.request.expected_version) {
    const auto stream = target(*command);
    const std::uint64_t version = stream ? view.load(*stream).version : 0;
    if (version != *w.request.expected_version)
      decision = reject(Code::version_conflict, "the current version is " + std::to_string(version));
  }
  return {std::move(*command), std::move(decision), absent};
}

void Shard::run_command(const Waiting& w, Verdict verdict, int depth, CommandResult& result, std::size_t& decision_record) {
  CHECK(depth <= max_reaction_depth);
  const std::string_view command_type = type_name(verdict.command);
  const Uuid& id = w.request.command_id;
  const Bucket bucket = bucket_of(id);
  const Decision& decision = verdict.decision;

  DecisionMade made;
  std::vector<Reaction> reactions;
  if (decision) {
    std::uint64_t index = 0;
    for (const NewEvent& e : decision->events) {
      const auto& folded = building_->changes.fold_event(e.stream, e.event);
      add_record(e.stream, folded.version, type_name(e.event), digest_of(e.stream.kind), encode(e.event), w,
                 derive_in_group("event", id, index++, bucket), id, command_type);
      for (Reaction& r : react(e.event)) reactions.push_back(std::move(r));
    }
    const DecisionView after(*this);  // Keeps alive what it loads: the subject of a command that changes nothing may not exist.
    const VersionedState& subject = after.load(decision->subject.stream);
    result.reply = env_.format.accepted(represent(subject.state, subject.version, decision->subject.part), subject.version,
                                        decision->created && !decision->events.empty());
    made.outcome = decision->events.empty() ? ::decision::v1::Outcome::nothing_new : ::decision::v1::Outcome::accepted;
    (decision->events.empty() ? counters_.nothing_new : counters_.accepted).fetch_add(1, std::memory_order_relaxed);
  } else {
    result.reply = env_.format.rejected(decision.error(), id);
    made.outcome = ::decision::v1::Outcome::rejected;
    made.code = name_of(decision.error().code);
    counters_.rejected.fetch_add(1, std::memory_order_relaxed);
  }

  // What other groups are told goes into the same append: inside this shard as commands of their own, else through the inbox.
  std::vector<Waiting> inner;
  for (std::size_t i = 0; i < reactions.size(); ++i) {
    const ShardNo to = shard_of(reactions[i].group, env_.log.identity().shards);
    const Uuid reaction_id = derive_in_group("reaction", id, i, bucket_of(reactions[i].group));
    std::string payload = encode(reactions[i].command);
    const std::string type(type_name(reactions[i].command));
    if (to == number_) {
      Waiting next;
      next.request = {reaction_id, type, payload, sha256(payload), ActorKind::system, {}, {}, w.request.correlation_id};
      if (is_nil(w.request.correlation_id)) next.request.correlation_id = id;
      next.source = ::decision::v1::Source::effect;
      next.now = w.now;
      inner.push_back(std::move(next));
    } else {
      InboxCommand out;
      out.target_shard = to;
      out.index = static_cast<std::uint32_t>(i);
      out.command_id = reaction_id;
      out.command_type = type;
      out.command.assign(payload.begin(), payload.end());
      building_->outgoing.push_back(
          {to,
           {number_, 0, reaction_id, type, std::move(payload), is_nil(w.request.correlation_id) ? id : w.request.correlation_id},
           building_->builder.records()});
      add_record({StreamKind::inbox, reaction_id}, 1, inbox_type, digest_of(StreamKind::inbox), pack(out), w,
                 derive_in_group("inbox", id, i, bucket), id, command_type);
    }
  }

  made.command_id = id;
  made.command_type = command_type;
  made.command.assign(w.request.payload.begin(), w.request.payload.end());
  made.fingerprint.assign(w.request.fingerprint.begin(), w.request.fingerprint.end());
  if (w.request.expected_version) made.expected_version = *w.request.expected_version;
  made.status = result.reply.status;
  made.etag = result.reply.etag;
  made.location = result.reply.location;
  made.content_type = result.reply.content_type;
  made.body = result.reply.body;
  made.source = w.source;
  if (w.source == ::decision::v1::Source::timer) {
    made.timer_stream = to_string(w.timer.stream);
    made.timer_name = w.timer.name;
    made.timer_due = w.timer.due;
  }
  made.effect_id = w.effect_id;
  made.inbox_shard = w.inbox_shard;
  made.inbox_sequence = w.inbox_sequence;
  made.policy_version = env_.policy.version;
  made.tzdb_version = env_.zones.version();
  decision_record = building_->builder.records();
  building_->decisions.emplace_back(id, decision_record);
  const std::string packed = pack(made);
  const RecordHeader header = add_record({StreamKind::decision, id}, 1, decision_type, digest_of(StreamKind::decision), packed, w,
                                         derive_in_group("decision", id, 0, bucket), id, command_type);
  building_->changes.fold_decision(*flatbuffers::GetRoot<DecisionTable>(packed.data()), header);

  for (const Waiting& next : inner) {
    CommandResult ignored;
    std::size_t record = 0;
    run_command(next, judge(next), depth + 1, ignored, record);
  }
}

Actor Shard::actor_of(ActorKind kind, const Uuid& account, const Directory& directory) {
  Actor actor{kind, account, false};
  if (kind == ActorKind::user) {
    const auto fact = directory.account(account);
    const bool admin = fact && (fact->role == ::account::v1::Role::admin || fact->role == ::account::v1::Role::super_admin);
    actor.admin = admin && fact->status == ::account::v1::Status::active;
  }
  return actor;
}

// ---- commands that wait for the directory

void Shard::park(Waiting& w, const StreamId& absent) {
  const Uuid id = w.request.command_id;
  w.now.reset();  // It is decided later, at the time it is then.
  std::vector<Waiting> commands;
  join_parked(commands, w);
  if (commands.empty()) return;
  parked_[id] = {++times_parked_, std::move(commands)};
  env_.directory_catch_up(absent, [mailbox = mailbox_, id](bool caught_up) {
    {
      const std::lock_guard lock(mailbox->mutex);
      mailbox->caught_up.emplace_back(id, caught_up);
    }
    mailbox->wake.notify_one();
  });
}

void Shard::join_parked(std::vector<Waiting>& parked, Waiting& w) {
  if (parked_commands_ >= limits_.parked_commands) return tell(w.done, CommandResult::Kind::behind);
  ++parked_commands_;
  parked.push_back(std::move(w));
}

// Repeats follow the first, so that they find its decision.
void Shard::unpark(const Uuid& command_id, bool caught_up) {
  const auto found = parked_.find(command_id);
  if (found == parked_.end()) return;
  for (Waiting& w : found->second.commands) {
    --parked_commands_;
    if (!caught_up) {
      tell(w.done, CommandResult::Kind::behind);
      continue;
    }
    w.caught_up = true;
    backlog_.push_back(std::move(w));
  }
  parked_.erase(found);
}

// ---- questions

void Shard::answer(Question question) {
  if (question.stream) answer_show(std::move(question));
  else answer_look_up(std::move(question));
}

void Shard::answer_look_up(Question q) {
  CommandResult result{CommandResult::Kind::replied, {}, true, number_, 0};
  const auto is_for = [&](const DedupEntry& entry) {
    return q.asker.kind == ActorKind::service || (q.asker.kind == entry.actor_kind && q.asker.account == entry.actor_id);
  };
  for (OpenBatch* batch : {building_.get(), in_flight_.get()}) {
    if (!batch) continue;
    const auto* entry = batch->changes.find_decision(q.command_id);
    if (!entry || !is_for(*entry)) continue;
    result.reply = entry->reply;
    return batch->look_ups.push_back({std::move(q.done), std::move(result), batch->record_of(q.command_id)});
  }
  result.kind = CommandResult::Kind::not_found;
  if (const auto stored = env_.store.get(keys::decision(q.command_id))) {
    auto entry = decode_dedup(*stored);
    if (is_for(entry)) {
      result.kind = CommandResult::Kind::replied;
      result.reply = std::move(entry.reply);
      result.sequence = entry.sequence;
    }
  }
  q.done(std::move(result));
}

void Shard::answer_show(Question q) {
  CommandResult result{CommandResult::Kind::not_found, {}, false, number_, delivered_.load(std::memory_order_acquire)};
  const StatePtr found = cache_.load(*q.stream);
  if (found && shows_to(found->state, actor_of(q.asker.kind, q.asker.account, env_.directory))) {
    result.kind = CommandResult::Kind::replied;
    result.reply = env_.format.accepted(represent(found->state, found->version, {}), found->version, false);
  }
  q.done(std::move(result));
}

// ---- batches

void Shard::submit_batch() {
  OpenBatch& batch = *building_;
  batch.before = end_;
  Batch closed = batch.builder.close(end_.sequence, end_.head);
  for (const auto& [id, record] : batch.decisions) batch.changes.set_sequence(id, closed.first + record);
  for (auto& out : batch.outgoing) out.entry.source_sequence = closed.first + out.record;
  end_ = {closed.last(), closed.head};
  batch.after = {closed.last(), closed.head, clock_};
  for (const auto& [stream, state] : batch.changes.states()) {
    // The batch before is committed, so the directory has all that this shard said before.
    const auto fact = fact_of(state->state);
    if (fact && fact != env_.directory.fact(stream)) closed.facts.push_back({stream, state->version, *fact});
  }
  while (!untold_.empty() && closed.facts.size() < facts_per_batch) {
    batch.told_late.push_back(untold_.back());
    closed.facts.push_back(std::move(untold_.back()));
    untold_.pop_back();
  }
  if (batch.inbox_position > inbox_position()) closed.inbox_position = batch.inbox_position;
  batch.submitted_at = env_.clock.now();
  in_flight_ = std::move(building_);
  open_batch();
  writer_->submit(std::move(closed), [mailbox = mailbox_](AppendOutcome outcome) {
    bool wake = false;
    {
      const std::lock_guard lock(mailbox->mutex);
      mailbox->outcome = outcome;
      wake = mailbox->sleeping;
    }
    if (wake) mailbox->wake.notify_one();
  });
  // Encoded while the log syncs.
  in_flight_->writes = in_flight_->changes.writes(in_flight_->after);
  if (in_flight_->inbox_position > inbox_position())
    in_flight_->writes.put(keys::searched(number_), encode_sequence(in_flight_->inbox_position));
}

void Shard::finish_batch(AppendOutcome outcome) {
  CHECK(in_flight_);
  switch (outcome) {
    case AppendOutcome::aborted: {
      // Certainly not in the log: everything decided on top of it goes back to the head of the queue, in order, in the same
      // context.
      end_ = in_flight_->before;
      OpenBatch& first = *in_flight_;
      std::ranges::move(first.told_late, std::back_inserter(untold_));
      OpenBatch& second = *building_;
      requeue(second);
      requeue(first);
      load_marks();
      const bool epoch_record = first.epoch_record;
      in_flight_.reset();
      open_batch();
      if (epoch_record) add_epoch_record();
      return;
    }
    case AppendOutcome::fenced: return fail(ShardEnd::fenced, "another writer took the shard over");
    case AppendOutcome::unknown: return fail(ShardEnd::unknown, "the log did not confirm a batch");
    case AppendOutcome::committed: break;
  }

  env_.store.write(in_flight_->writes);
  const std::unique_ptr<OpenBatch> batch = std::move(in_flight_);
  if (batch->inbox_position > inbox_position()) inbox_position_.store(batch->inbox_position, std::memory_order_release);
  for (const auto& [stream, state] : batch->changes.states()) {
    // Bookings and payments are made far more often than they are read again: remembered, they would push the calendars out.
    if (stream.kind != StreamKind::booking && stream.kind != StreamKind::payment) cache_.remember(stream, state);
    else cache_.forget(stream);
    if (auto fact = fact_of(state->state)) env_.directory.set(stream, state->version, std::move(*fact));
  }
  if (const auto due = batch->changes.earliest_new_timer()) next_timer_ = std::min(next_timer_, *due);
  for (const auto& key : batch->fired) firing_.erase(key);
  counters_.batches.fetch_add(1, std::memory_order_relaxed);
  counters_.records.fetch_add(batch->after.sequence - batch->before.sequence, std::memory_order_relaxed);

  if (limits_.gather_us > 0) {
    const Micros at = env_.clock.now();
    gather_commands_ = batch->commands.size() + building_->commands.size() + backlog_.size();
    gather_until_ = at + std::min(limits_.gather_us, (at - batch->submitted_at) / gather_part_of_commit);
  }

  for (auto& out : batch->outgoing) env_.deliver(out.target, std::move(out.entry));
  delivered_.store(batch->after.sequence, std::memory_order_release);
  for (const auto& [e, wanted] : batch->changes.effects()) env_.on_effect(e, wanted);
  const Sequence first = batch->before.sequence + 1;
  const auto answer = [first](CommandDone& done, CommandResult& result, std::size_t record) {
    if (!done) return;
    result.sequence = first + record;
    done(std::move(result));
  };
  for (auto* all : {&batch->commands, &batch->repeats})
    for (auto& d : *all) answer(d.command.done, d.result, d.record);
  for (auto& q : batch->look_ups) answer(q.done, q.result, q.record);
}

// Puts a dropped batch's commands, and those that joined them, before everything that waits.
void Shard::requeue(OpenBatch& batch) {
  for (auto& q : batch.look_ups) tell(q.done, CommandResult::Kind::unknown);  // They ask again.
  for (auto* all : {&batch.repeats, &batch.commands})
    for (auto& d : *all | std::views::reverse) backlog_.push_front(std::move(d.command));
}

void Shard::tell(CommandDone& done, CommandResult::Kind kind) const {
  if (auto told = std::exchange(done, nullptr)) told({kind, {}, false, number_, 0});
}

void Shard::answer_unknown(OpenBatch& batch) {
  for (auto* all : {&batch.commands, &batch.repeats})
    for (auto& d : *all) tell(d.command.done, CommandResult::Kind::unknown);
  for (auto& q : batch.look_ups) tell(q.done, CommandResult::Kind::unknown);
}

// ---- timers, checkpoints, failure

void Shard::fire_timers() {
  const Micros at = std::max(clock_, env_.clock.now());
  if (at < next_timer_) return;
  next_timer_ = at + hour_us;  // Nothing committed is due before; a new timer or the scan below lowers it.
  std::size_t fired = 0;
  env_.store.scan({&keys::timer_prefix, 1}, {}, [&](std::string_view key, std::string_view) {
    TimerKey timer = keys::parse_timer(key);
    if (timer.due > at) {
      next_timer_ = std::min(next_timer_, timer.due);
      return false;
    }
    if (fired == timers_per_round) {
      next_timer_ = at;
      return false;
    }
    if (!firing_.insert(std::string(key)).second) return true;
    const StatePtr state = load(timer.stream);
    CHECK(state);
    const auto wanted = timers(state->state);
    const auto found = std::ranges::find_if(wanted, [&](const Timer& t) { return t.due == timer.due && t.name == timer.name; });
    if (found == wanted.end()) {
      // An uncommitted change took it back; its commit removes the key.
      firing_.erase(std::string(key));
      next_timer_ = std::min(next_timer_, at + second_us);
      return true;
    }
    Waiting w;
    w.request.payload = encode(found->command);
    w.request.type = type_name(found->command);
    w.request.command_id = derive_in_group("timer/" + timer.name, timer.stream.id, static_cast<std::uint64_t>(timer.due),
                                           bucket_of(timer.stream.id));
    w.request.fingerprint = sha256(w.request.payload);
    w.request.actor_kind = ActorKind::system;
    w.source = ::decision::v1::Source::timer;
    w.timer = std::move(timer);
    backlog_.push_back(std::move(w));
    ++fired;
    return true;
  });
}

void Shard::checkpoint(bool wait) {
  next_checkpoint_ = env_.clock.now() + limits_.checkpoint_every_us;
  WriteSet hints;
  if (env_.searches_inboxes) {
    // How far the others had delivered is read before looking at the own inbox: what was delivered by then and is not waiting is
    // done.
    for (ShardNo source = 0; source < env_.log.identity().shards; ++source)
      if (source != number_) hints.put(keys::searched(source), encode_sequence(env_.delivered_by(source)));
  }
  if (idle()) {
    // Entries that were done before are a batch of nothing.
    const std::uint64_t consumed = building_->inbox_position;
    if (consumed > inbox_position()) hints.put(keys::searched(number_), encode_sequence(consumed));
    env_.store.write(hints);
    if (consumed > inbox_position()) inbox_position_.store(consumed, std::memory_order_release);
  }
  env_.store.checkpoint(wait);
  if (env_.on_checkpoint) env_.on_checkpoint();
}

void Shard::fail(ShardEnd end, const std::string& why) {
  if (failed_.exchange(true, std::memory_order_acq_rel)) return;
  std::deque<Question> questions;
  {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->ended = true;
    questions.swap(mailbox_->questions);
  }
  for (Question& q : questions) tell(q.done, CommandResult::Kind::moved);
  for (OpenBatch* batch : {in_flight_.get(), building_.get()})
    if (batch)
      for (auto& q : batch->look_ups) tell(q.done, CommandResult::Kind::moved);
  if (!env_.surrenders || end == ShardEnd::failed)
    for (PendingCommand& pending : surrender()) tell(pending.done, CommandResult::Kind::unknown);
  env_.on_failure(end, why);
}

std::vector<PendingCommand> Shard::surrender() {
  CHECK(ended());
  std::vector<PendingCommand> out;
  const auto give = [&out](Waiting& w) {
    if (w.done) out.push_back({std::move(w.request), std::exchange(w.done, nullptr)});
  };
  for (OpenBatch* batch : {in_flight_.get(), building_.get()}) {
    if (!batch) continue;
    for (auto* all : {&batch->commands, &batch->repeats})
      for (auto& d : *all) give(d.command);
  }
  std::vector<Parked*> parked;
  for (auto& [id, p] : parked_) parked.push_back(&p);
  std::ranges::sort(parked, {}, &Parked::nth);
  for (Parked* p : parked) std::ranges::for_each(p->commands, give);
  const std::lock_guard lock(mailbox_->mutex);
  for (auto* waiting : {&backlog_, &mailbox_->system, &mailbox_->queue})
    for (Waiting& w : *waiting) give(w);
  return out;
}

}  // namespace guildhall
