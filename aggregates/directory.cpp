#include "aggregates/directory.h"

#include "events/check.h"
#include "events/codec.h"

namespace guildhall {
namespace {

constexpr char fact_format = 1;
constexpr unsigned char expert_flag = 1, learner_flag = 2;

bool decode(std::string_view bytes, AccountFact& fact) {
  if (bytes.size() != 4 || bytes[0] != fact_format) return false;
  const auto role = static_cast<::account::v1::Role>(bytes[1]);
  const auto status = static_cast<::account::v1::Status>(bytes[2]);
  const auto flags = static_cast<unsigned char>(bytes[3]);
  if (role > ::account::v1::Role::MAX || status > ::account::v1::Status::MAX || flags > (expert_flag | learner_flag))
    return false;
  fact = {role, status, (flags & expert_flag) != 0, (flags & learner_flag) != 0};
  return true;
}
bool decode(std::string_view bytes, LessonFact& fact) { return unpack(bytes, fact); }
bool decode(std::string_view bytes, AchievementFact& fact) { return unpack(bytes, fact); }

template <class Fact>
bool is(std::string_view bytes) {
  Fact fact;
  return decode(bytes, fact);
}

template <class Fact>
std::optional<Fact> find(const Directory& directory, const StreamId& stream) {
  const auto bytes = directory.fact(stream);
  if (!bytes) return std::nullopt;
  Fact fact;
  CHECK(decode(*bytes, fact));  // Whoever put it there has made it, or asked is_fact().
  return fact;
}

}  // namespace

std::string encode(const AccountFact& fact) {
  const int flags = (fact.is_expert ? expert_flag : 0) | (fact.is_learner ? learner_flag : 0);
  return {fact_format, static_cast<char>(fact.role), static_cast<char>(fact.status), static_cast<char>(flags)};
}
std::string encode(const LessonFact& fact) { return pack(fact); }
std::string encode(const AchievementFact& fact) { return pack(fact); }

bool is_fact(StreamKind kind, std::string_view bytes) {
  switch (kind) {
    case StreamKind::account: return is<AccountFact>(bytes);
    case StreamKind::lesson: return is<LessonFact>(bytes);
    case StreamKind::achievement: return is<AchievementFact>(bytes);
    default: return false;
  }
}

std::optional<AccountFact> Directory::account(const Uuid& id) const {
  return find<AccountFact>(*this, {StreamKind::account, id});
}
std::optional<LessonFact> Directory::lesson(const Uuid& id) const { return find<LessonFact>(*this, {StreamKind::lesson, id}); }
std::optional<AchievementFact> Directory::achievements(const Uuid& curriculum_id) const {
  return find<AchievementFact>(*this, {StreamKind::achievement, curriculum_id});
}

}  // namespace guildhall
