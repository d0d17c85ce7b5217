// From records to state: the one fold that the live path and replay share. A record changes the states of its stream, and what
// hangs on them (timers, effects); a decision record leaves a dedup entry and removes what it consumed.
//
// Keys of the state store (ids in text order, integers big-endian so that they sort):
//   'S' kind id          → u64 version, state FlatBuffer
//   'D' command id       → dedup entry
//   'T' due kind id name → empty: a timer of that stream
//   'E' effect id        → kind id: the stream that wants the effect
//   'I' source shard     → sequence, index: inbox entries up to here are done
//   'M'                  → applied sequence, chain head, logical clock, evolve version: the shard's position
//   'P' source shard     → how far the source's log was searched for inbox entries. Not a fold: a hint that restarts read.
//   'P' own shard        → where the inbox's transport goes on. Not a fold either: without it all of the transport is read again.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "aggregates/aggregates.h"
#include "aggregates/shard/reply.h"
#include "aggregates/shard/state_store.h"
#include "decision_generated.h"

namespace guildhall {

using DecisionTable = ::decision::v1::DecisionMade;
using DecisionMade = ::decision::v1::DecisionMadeT;
using InboxCommand = ::decision::v1::InboxCommandT;

struct DedupEntry {
  ActorKind actor_kind{};  // Whose command it was: nobody else is told its reply.
  Uuid actor_id{};
  Hash fingerprint{};
  Micros time = 0;
  Sequence sequence = 0;  // Of the decision record.
  Reply reply;
};

struct Position {
  Sequence sequence = 0;
  Hash head{};
  Micros clock = 0;
};

struct InboxMark {
  Sequence sequence = 0;
  std::uint32_t index = 0;
  friend auto operator<=>(const InboxMark&, const InboxMark&) = default;
};

struct TimerKey {
  Micros due = 0;
  StreamId stream{};
  std::string name;
  friend bool operator==(const TimerKey&, const TimerKey&) = default;
};

namespace keys {
std::string state(const StreamId& stream);
std::string decision(const Uuid& command_id);
std::string timer(const TimerKey& timer);
TimerKey parse_timer(std::string_view key);
std::string effect(const Uuid& id);
std::string inbox(ShardNo source);
ShardNo parse_inbox(std::string_view key);
std::string searched(ShardNo source);
inline constexpr std::string_view position = "M";
inline constexpr char state_prefix = 'S', decision_prefix = 'D', timer_prefix = 'T', effect_prefix = 'E', inbox_prefix = 'I',
                      searched_prefix = 'P';
}  // namespace keys

std::string encode(const VersionedState& state);
VersionedState decode_state(StreamKind kind, std::string_view bytes);  // CHECKs: our own bytes.
std::string encode(const DedupEntry& entry);
DedupEntry decode_dedup(std::string_view bytes);
std::string encode(const Position& position);
// nullopt: written by another evolve version or state schema; the states must be rebuilt.
std::optional<Position> decode_position(std::string_view bytes);
std::string encode(const InboxMark& mark);
InboxMark decode_mark(std::string_view bytes);
std::string encode_sequence(Sequence sequence);
Sequence decode_sequence(std::string_view bytes);

using StatePtr = std::shared_ptr<const VersionedState>;

// The changes of one batch over what was before. `Base` answers for streams that the batch has not touched.
class Changes {
 public:
  using Base = std::function<StatePtr(const StreamId&)>;
  explicit Changes(Base base) : base_(std::move(base)) {}

  // nullptr when this batch has not touched the stream.
  StatePtr find(const StreamId& stream) const;
  // Applies one event and returns the stream's state after it.
  const VersionedState& fold_event(const StreamId& stream, const AnyEvent& event);
  // `at` is the record's header; of a record that is still to be numbered its sequence comes with set_sequence().
  void fold_decision(const DecisionTable& decision, const RecordHeader& at);
  // A record as read from the log, whatever its kind. CHECKs that business events carry the next version of their stream.
  void fold_record(const Record& record);

  struct EffectChange {
    Effect effect;
    bool wanted;
  };
  // What the batch changed, for the process's memory.
  const std::unordered_map<StreamId, std::shared_ptr<VersionedState>, StreamHash>& states() const { return states_; }
  const std::vector<EffectChange>& effects() const { return effects_; }
  std::optional<Micros> earliest_new_timer() const { return earliest_new_timer_; }
  const std::map<ShardNo, InboxMark>& marks() const { return marks_; }
  const DedupEntry* find_decision(const Uuid& command_id) const;
  void set_sequence(const Uuid& command_id, Sequence sequence);  // Known only when the batch closes.

  // The atomic write that makes the batch state.
  WriteSet writes(const Position& position) const;

 private:
  // Applies `how` to a stream's state, and keeps what hangs on it.
  template <class How>
  const VersionedState& change(const StreamId& stream, How how);

  Base base_;
  std::unordered_map<StreamId, std::shared_ptr<VersionedState>, StreamHash> states_;
  std::unordered_map<Uuid, DedupEntry, UuidHash> decisions_;
  std::map<std::string, bool> timers_;  // Key → wanted.
  std::map<std::string, std::optional<std::string>> effect_entries_;
  std::vector<EffectChange> effects_;
  std::map<ShardNo, InboxMark> marks_;
  std::optional<Micros> earliest_new_timer_;
};

}  // namespace guildhall
