#include "aggregates/shard/fold.h"

#include <algorithm>
#include <cstring>

#include "events/check.h"
#include "events/codec.h"

namespace guildhall {
namespace {

void put_u64(std::string& out, std::uint64_t value) {
  for (int i = 56; i >= 0; i -= 8) out.push_back(static_cast<char>(value >> i));
}
void put_u32(std::string& out, std::uint32_t value) {
  for (int i = 24; i >= 0; i -= 8) out.push_back(static_cast<char>(value >> i));
}
void put_text(std::string& out, std::string_view text) {
  put_u32(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

// Our own bytes, written by this build or one with the same evolve version: a shortfall is corruption.
struct Input {
  std::string_view rest;
  std::string_view take(std::size_t n) {
    CHECK(rest.size() >= n);
    const auto out = rest.substr(0, n);
    rest.remove_prefix(n);
    return out;
  }
  std::uint64_t u64() {
    std::uint64_t v = 0;
    for (const char c : take(8)) v = v << 8 | static_cast<unsigned char>(c);
    return v;
  }
  std::uint32_t u32() {
    std::uint32_t v = 0;
    for (const char c : take(4)) v = v << 8 | static_cast<unsigned char>(c);
    return v;
  }
  std::string text() { return std::string(take(u32())); }
  Hash hash() {
    Hash h;
    std::memcpy(h.data(), take(h.size()).data(), h.size());
    return h;
  }
};

// Timers sort by due time: the sign bit is flipped so that instants before 1970 would, too.
std::uint64_t sortable(Micros t) { return static_cast<std::uint64_t>(t) ^ (1ULL << 63); }
Micros from_sortable(std::uint64_t t) { return static_cast<Micros>(t ^ (1ULL << 63)); }

void put_stream(std::string& out, const StreamId& stream) {
  out.push_back(static_cast<char>(stream.kind));
  append_bytes(out, stream.id);
}
StreamId take_stream(Input& in) {
  const auto kind = static_cast<StreamKind>(in.take(1)[0]);
  return {kind, uuid_from_bytes(in.take(16).data())};
}

// Of the keys and values above. The states' own schemas are not seen here: whoever changes one bumps evolve_version.
constexpr std::uint32_t position_format = 3;

}  // namespace

namespace keys {
std::string state(const StreamId& stream) {
  std::string out(1, state_prefix);
  put_stream(out, stream);
  return out;
}
std::string decision(const Uuid& command_id) {
  std::string out(1, decision_prefix);
  append_bytes(out, command_id);
  return out;
}
std::string timer(const TimerKey& t) {
  std::string out(1, timer_prefix);
  put_u64(out, sortable(t.due));
  put_stream(out, t.stream);
  out.append(t.name);
  return out;
}
TimerKey parse_timer(std::string_view key) {
  Input in{key.substr(1)};
  TimerKey t;
  t.due = from_sortable(in.u64());
  t.stream = take_stream(in);
  t.name = in.rest;
  return t;
}
std::string effect(const Uuid& id) {
  std::string out(1, effect_prefix);
  append_bytes(out, id);
  return out;
}
std::string inbox(ShardNo source) {
  std::string out(1, inbox_prefix);
  put_u32(out, source);
  return out;
}
ShardNo parse_inbox(std::string_view key) { return Input{key.substr(1)}.u32(); }
std::string searched(ShardNo source) {
  std::string out(1, searched_prefix);
  put_u32(out, source);
  return out;
}
}  // namespace keys

std::string encode(const VersionedState& state) {
  std::string out;
  put_u64(out, state.version);
  out.append(visit([](const auto& s) { return pack(s); }, state.state));
  return out;
}

VersionedState decode_state(StreamKind kind, std::string_view bytes) {
  Input in{bytes};
  VersionedState out{empty_state(kind), in.u64()};
  const bool valid = visit([&](auto& s) { return unpack(in.rest, s); }, out.state);
  CHECK(valid);
  return out;
}

std::string encode(const DedupEntry& e) {
  std::string out;
  out.push_back(static_cast<char>(e.actor_kind));
  append_bytes(out, e.actor_id);
  out.append(view(e.fingerprint));
  put_u64(out, static_cast<std::uint64_t>(e.time));
  put_u64(out, e.sequence);
  put_u32(out, e.reply.status);
  put_text(out, e.reply.etag);
  put_text(out, e.reply.location);
  put_text(out, e.reply.content_type);
  put_text(out, e.reply.body);
  put_u32(out, e.reply.retry_after_s);
  return out;
}

DedupEntry decode_dedup(std::string_view bytes) {
  Input in{bytes};
  DedupEntry e;
  e.actor_kind = static_cast<ActorKind>(in.take(1)[0]);
  e.actor_id = uuid_from_bytes(in.take(16).data());
  e.fingerprint = in.hash();
  e.time = static_cast<Micros>(in.u64());
  e.sequence = in.u64();
  e.reply.status = static_cast<std::uint16_t>(in.u32());
  e.reply.etag = in.text();
  e.reply.location = in.text();
  e.reply.content_type = in.text();
  e.reply.body = in.text();
  e.reply.retry_after_s = in.u32();
  return e;
}

std::string encode(const Position& p) {
  std::string out;
  put_u32(out, position_format);
  put_u32(out, evolve_version);
  put_u64(out, p.sequence);
  out.append(view(p.head));
  put_u64(out, static_cast<std::uint64_t>(p.clock));
  return out;
}

std::optional<Position> decode_position(std::string_view bytes) {
  Input in{bytes};
  if (bytes.size() != 4 + 4 + 8 + sizeof(Hash) + 8 || in.u32() != position_format || in.u32() != evolve_version)
    return std::nullopt;
  Position p;
  p.sequence = in.u64();
  p.head = in.hash();
  p.clock = static_cast<Micros>(in.u64());
  return p;
}

std::string encode(const InboxMark& mark) {
  std::string out;
  put_u64(out, mark.sequence);
  put_u32(out, mark.index);
  return out;
}
InboxMark decode_mark(std::string_view bytes) {
  Input in{bytes};
  InboxMark mark;
  mark.sequence = in.u64();
  mark.index = in.u32();
  return mark;
}
std::string encode_sequence(Sequence sequence) {
  std::string out;
  put_u64(out, sequence);
  return out;
}
Sequence decode_sequence(std::string_view bytes) { return Input{bytes}.u64(); }

StatePtr Changes::find(const StreamId& stream) const {
  const auto found = states_.find(stream);
  return found == states_.end() ? nullptr : found->second;
}

const VersionedState& Changes::fold_event(const StreamId& stream, const AnyEvent& event) {
  const VersionedState& own = change(stream, [&](VersionedState& s) {
    apply(s.state, event);
    ++s.version;
  });
  for (const StreamId& other : also_folds(event)) change(other, [&](VersionedState& s) { fold_also(s.state, event); });
  return own;
}

template <class How>
const VersionedState& Changes::change(const StreamId& stream, How how) {
  auto& entry = states_[stream];
  if (!entry) {
    const StatePtr before = base_(stream);
    entry = before ? std::make_shared<VersionedState>(*before) : std::make_shared<VersionedState>(empty_state(stream.kind), 0);
  }
  // A stream that has not begun wants nothing, whatever its empty state looks like.
  const bool begun = entry->version > 0;
  const auto timers_before = begun ? timers(entry->state) : std::vector<Timer>{};
  const auto effect_before = begun ? effect(entry->state) : std::nullopt;
  how(*entry);
  const auto timers_after = timers(entry->state);
  const auto effect_after = effect(entry->state);

  for (const Timer& t : timers_before)
    if (std::ranges::find(timers_after, t) == timers_after.end())
      timers_[keys::timer({t.due, stream, std::string(t.name)})] = false;
  for (const Timer& t : timers_after) {
    if (std::ranges::find(timers_before, t) != timers_before.end()) continue;
    timers_[keys::timer({t.due, stream, std::string(t.name)})] = true;
    earliest_new_timer_ = std::min(earliest_new_timer_.value_or(t.due), t.due);
  }
  if (effect_before != effect_after) {
    if (effect_before) {
      effect_entries_[keys::effect(effect_before->id)] = std::nullopt;
      effects_.push_back({*effect_before, false});
    }
    if (effect_after) {
      std::string wants;
      put_stream(wants, stream);
      effect_entries_[keys::effect(effect_after->id)] = std::move(wants);
      effects_.push_back({*effect_after, true});
    }
  }
  return *entry;
}

void Changes::fold_decision(const DecisionTable& d, const RecordHeader& at) {
  CHECK(d.command_id() != nullptr && d.fingerprint() != nullptr && d.fingerprint()->size() == sizeof(Hash));
  const auto text = [](const flatbuffers::String* s) { return s != nullptr ? s->str() : std::string(); };
  DedupEntry& entry = decisions_[*d.command_id()];
  std::memcpy(entry.fingerprint.data(), d.fingerprint()->data(), sizeof(Hash));
  entry.actor_kind = at.actor_kind;
  entry.actor_id = at.actor_id;
  entry.time = at.time;
  entry.sequence = at.sequence;
  entry.reply = {d.status(), text(d.etag()), text(d.location()), text(d.content_type()), text(d.body()),
                 d.retry_after_s()};
  switch (d.source()) {
    case ::decision::v1::Source::client:
    case ::decision::v1::Source::effect: break;  // An effect goes when its state no longer wants it.
    case ::decision::v1::Source::timer: {
      // The key is the timer; it fires once, whatever the decision was.
      const auto stream = parse_stream(text(d.timer_stream()));
      CHECK(stream);
      timers_[keys::timer({d.timer_due(), *stream, text(d.timer_name())})] = false;
      break;
    }
    case ::decision::v1::Source::inbox: {
      const InboxMark mark{d.inbox_sequence(), d.inbox_index()};
      auto& highest = marks_[d.inbox_shard()];
      highest = std::max(highest, mark);
      break;
    }
  }
}

void Changes::fold_record(const Record& record) {
  const RecordHeader& h = record.header;
  if (h.stream.kind == StreamKind::decision) {
    const auto* decision = verified<DecisionTable>(record.payload);
    if (decision == nullptr) throw CorruptLog("sequence " + std::to_string(h.sequence) + ": decision does not verify");
    fold_decision(*decision, h);
  } else if (h.stream.kind != StreamKind::inbox && h.stream.kind != StreamKind::writer) {
    const auto event = decode_event(h.type, record.payload);
    if (!event)
      throw CorruptLog("sequence " + std::to_string(h.sequence) + ": " + std::string(h.type) + " is unknown or does not verify");
    const auto& after = fold_event(h.stream, *event);
    if (after.version != h.stream_version)
      throw CorruptLog("sequence " + std::to_string(h.sequence) + ": stream version " + std::to_string(h.stream_version) +
                       " where " + std::to_string(after.version) + " follows");
  }
}

const DedupEntry* Changes::find_decision(const Uuid& command_id) const {
  const auto found = decisions_.find(command_id);
  return found == decisions_.end() ? nullptr : &found->second;
}

void Changes::set_sequence(const Uuid& command_id, Sequence sequence) { decisions_.at(command_id).sequence = sequence; }

WriteSet Changes::writes(const Position& position) const {
  WriteSet out;
  out.operations.reserve(states_.size() + decisions_.size() + timers_.size() + effect_entries_.size() + marks_.size() + 1);
  for (const auto& [stream, state] : states_) out.put(keys::state(stream), encode(*state));
  for (const auto& [id, entry] : decisions_) out.put(keys::decision(id), encode(entry));
  for (const auto& [key, wanted] : timers_) {
    if (wanted) out.put(key, {});
    else out.erase(key);
  }
  for (const auto& [key, value] : effect_entries_) {
    if (value) out.put(key, *value);
    else out.erase(key);
  }
  for (const auto& [source, mark] : marks_) out.put(keys::inbox(source), encode(mark));
  out.put(std::string(keys::position), encode(position));
  // Neighbours one after the other: an ordered store finds the next place near the last. No key comes twice.
  std::ranges::sort(out.operations, {}, &WriteSet::Operation::key);
  return out;
}

}  // namespace guildhall
