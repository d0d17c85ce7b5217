// What a decision sees and what it says. decide is pure: everything it uses stands in Context and View.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "aggregates/directory.h"
#include "aggregates/policy.h"
#include "aggregates/rejections.h"
#include "aggregates/state.h"
#include "aggregates/time_zones.h"
#include "events/catalogue.h"
#include "events/record.h"

namespace guildhall {

struct Actor {
  ActorKind kind = ActorKind::anonymous;
  Uuid account{};      // Of a user; nil for service and system.
  bool admin = false;  // A user whose directory fact says admin and active.

  bool trusted() const { return kind == ActorKind::service || kind == ActorKind::system || admin; }
  bool is(const Uuid& id) const { return kind == ActorKind::user && account == id; }
};

struct Context {
  Micros now = 0;  // The shard's logical clock: never runs backwards.
  Actor actor;
  Uuid command_id{};
  Bucket bucket = 0;  // Of the command's entity group.
  const PlatformPolicy& policy;
  const TimeZones& zones;

  // The same id whenever this command is decided.
  Uuid mint(std::string_view label, std::uint64_t index = 0) const { return derive_in_group(label, command_id, index, bucket); }
};

// States of the same entity group, and the directory. References stay valid for the decision.
class View {
 public:
  virtual ~View() = default;
  virtual const VersionedState& load(const StreamId& stream) const = 0;
  virtual const Directory& directory() const = 0;

  template <class State>
  const State& get(const Uuid& id) const {
    return guildhall::get<State>(load({kind_of<State>(), id}).state);
  }
  template <class State>
  bool exists(const Uuid& id) const {
    return load({kind_of<State>(), id}).version > 0;
  }
};

struct NewEvent {
  StreamId stream;
  AnyEvent event;
};

// What the reply shows: a stream, or a part of it (a window of a schedule, a slot of a day).
struct Subject {
  StreamId stream{};
  Uuid part{};
};

struct Accepted {
  std::vector<NewEvent> events;  // Empty: the outcome already holds.
  Subject subject;
  bool created = false;  // 201 with a Location rather than 200.
};

struct Rejection {
  Code code;
  std::string detail;               // For people; may be empty.
  std::uint32_t retry_after_s = 0;  // When the reason may have ended by itself; 0: nobody knows.
};

using Decision = std::expected<Accepted, Rejection>;

inline std::unexpected<Rejection> reject(Code code, std::string detail = {}) {
  return std::unexpected(Rejection{code, std::move(detail)});
}

}  // namespace guildhall
