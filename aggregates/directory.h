// Small facts about accounts of any entity group, that a decision may consult (design: the directory). They can lag, so no exact
// invariant rests on them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "events/account.h"
#include "events/ids.h"

namespace guildhall {

struct AccountFact {
  ::account::v1::Role role{};
  ::account::v1::Status status{};
  bool is_expert = false;
  bool is_learner = false;
  friend bool operator==(const AccountFact&, const AccountFact&) = default;
};

// As processes tell each other: u8 format 1 · u8 role · u8 status · u8 flags (1: expert, 2: learner).
std::string encode(const AccountFact& fact);
// nullopt: not these bytes exactly.
std::optional<AccountFact> decode_account_fact(std::string_view bytes);

// Any thread.
class Directory {
 public:
  virtual ~Directory() = default;
  virtual std::optional<AccountFact> account(const Uuid& id) const = 0;
};

}  // namespace guildhall
