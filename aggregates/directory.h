// Small facts about streams of any entity group, that a decision may consult (design: the directory). They can lag, so no exact
// invariant rests on them. A fact travels and is kept as bytes, which each kind of stream encodes in its own way: an account's
// fact is four of them, of which there are as many as accounts; the others are tables of the state schemas.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "achievement_state_generated.h"
#include "events/account.h"
#include "events/ids.h"
#include "lesson_state_generated.h"

namespace guildhall {

struct AccountFact {
  ::account::v1::Role role{};
  ::account::v1::Status status{};
  bool is_expert = false;
  bool is_learner = false;
  friend bool operator==(const AccountFact&, const AccountFact&) = default;
};
using LessonFact = ::lesson::state::LessonFactT;
using AchievementFact = ::achievement::state::AchievementFactT;  // Of all achievements of a curriculum, whose id the stream has.

// As processes tell each other. Of an account: u8 format 1 · u8 role · u8 status · u8 flags (1: expert, 2: learner).
std::string encode(const AccountFact& fact);
std::string encode(const LessonFact& fact);
std::string encode(const AchievementFact& fact);

// False: not the bytes of a fact of that kind of stream.
bool is_fact(StreamKind kind, std::string_view bytes);

// Any thread.
class Directory {
 public:
  virtual ~Directory() = default;
  // nullopt: nothing is known of the stream.
  virtual std::optional<std::string> fact(const StreamId& stream) const = 0;

  std::optional<AccountFact> account(const Uuid& id) const;
  std::optional<LessonFact> lesson(const Uuid& id) const;
  std::optional<AchievementFact> achievements(const Uuid& curriculum_id) const;
};

}  // namespace guildhall
