#include "aggregates/directory.h"

namespace guildhall {
namespace {
constexpr char fact_format = 1;
constexpr unsigned char expert_flag = 1, learner_flag = 2;
}  // namespace

std::string encode(const AccountFact& fact) {
  const int flags = (fact.is_expert ? expert_flag : 0) | (fact.is_learner ? learner_flag : 0);
  return {fact_format, static_cast<char>(fact.role), static_cast<char>(fact.status), static_cast<char>(flags)};
}

std::optional<AccountFact> decode_account_fact(std::string_view bytes) {
  if (bytes.size() != 4 || bytes[0] != fact_format) return std::nullopt;
  const auto role = static_cast<::account::v1::Role>(bytes[1]);
  const auto status = static_cast<::account::v1::Status>(bytes[2]);
  const auto flags = static_cast<unsigned char>(bytes[3]);
  if (role > ::account::v1::Role::MAX || status > ::account::v1::Status::MAX || flags > (expert_flag | learner_flag))
    return std::nullopt;
  return AccountFact{role, status, (flags & expert_flag) != 0, (flags & learner_flag) != 0};
}

}  // namespace guildhall
