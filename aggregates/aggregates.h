// The list of aggregates, and the four questions that the shard asks of any of them.
#pragma once

#include <concepts>
#include <span>

#include "aggregates/decision.h"

namespace guildhall {

// The questions below take the variants and nothing that converts to one: an aggregate that lacks an overload for one of its
// types must not compile, rather than convert and call itself.
template <class T, class Variant>
concept Exactly = std::same_as<T, Variant>;

// Decides. Total over AnyCommand.
template <Exactly<AnyCommand> Command>
Decision decide(const Command& command, const Context& at, const View& view);

// The only mutator of a state, shared by the live path and replay. CHECKs that the event belongs to the state's stream.
template <Exactly<AnyEvent> Event>
void apply(AnyState& state, const Event& event);

// The streams beside its own whose states an event changes too, of the same entity group: the wallets that its transfers name, so
// that balances are a fold of the transfers and of nothing else (ledger.md), and the payment that an order's complaint freezes.
// Their versions count their own events only.
std::vector<StreamId> also_folds(const AnyEvent& event);
void fold_also(AnyState& state, const AnyEvent& event);

// The stream that If-Match speaks of; nullopt for commands that create.
template <Exactly<AnyCommand> Command>
std::optional<StreamId> target(const Command& command);

// What a reply says of a subject, after its events.
template <Exactly<AnyState> State>
AnyResource represent(const State& state, std::uint64_t version, const Uuid& part);

// Whether somebody may read the resource of a state by its id. What may not be seen is answered like what is not there. States
// without a resource of their own (claims, schedules, days) are seen by nobody.
template <Exactly<AnyState> State>
bool shows_to(const State& state, const Actor& actor);

// The timers that a state wants; the shard keeps them durably and sends `command` once when due. At most one of a name per
// stream.
struct Timer {
  std::string_view name;
  Micros due = 0;
  AnyCommand command;
  friend bool operator==(const Timer& a, const Timer& b) { return a.name == b.name && a.due == b.due && a.command == b.command; }
};
template <Exactly<AnyState> State>
std::vector<Timer> timers(const State& state);

// A call to the world that a state wants made: an outbox entry while the state wants it, performed with `id` as the provider's
// idempotency key, and answered by a command. A state wants at most one at a time.
struct Effect {
  Uuid id{};
  ::payment::v1::Call call{};
  Uuid payment_id{};  // Of a payout the payout's.
  std::int64_t amount_cents = 0;
  std::string currency;
  std::string processor;
  std::string external_id;  // The processor's name for the payment; of a payout where it goes.
  friend bool operator==(const Effect&, const Effect&) = default;
};
template <Exactly<AnyState> State>
std::optional<Effect> effect(const State& state);

// What other entity groups are told of an event (design: reactions). Runs once, in the event's own append.
struct Reaction {
  Uuid group{};  // Its bucket says which shard executes the command.
  AnyCommand command;
};
std::vector<Reaction> react(const AnyEvent& event);

// What the directory says of a state, encoded; nullopt: nothing, as of all streams of kinds that are not among fact_kinds().
template <Exactly<AnyState> State>
std::optional<std::string> fact_of(const State& state);
std::span<const StreamKind> fact_kinds();

// Bump when the meaning of `apply` or a state schema changes: the shard then rebuilds its states from the log at start.
inline constexpr std::uint32_t evolve_version = 1;

}  // namespace guildhall
