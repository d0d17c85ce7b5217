#include "bench/follow_flow.h"

#include <random>

#include "bench/requests.h"

namespace guildhall {

std::vector<std::string> set_members(const Server& server, std::size_t count) {
  std::mt19937_64 random(1);
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(random_uuid(random));
  send_all(server, count, [&](std::size_t i) { return Command{"/v1/accounts", account_body(ids[i], "member", i)}; });
  return ids;
}

FollowFlow::FollowFlow(const Server& server, const std::vector<std::string>& followers, const std::vector<std::string>& followed)
    : server_(server), followers_(followers), followed_(followed) {}

bool FollowFlow::next(std::string& out) {
  for (;; ++pair_) {
    if (pair_ == followers_.size() * followed_.size()) return false;
    const std::size_t round = pair_ / followers_.size(), place = pair_ % followers_.size();
    const std::string& follower = followers_[place];
    const std::string& following = followed_[(place + round) % followed_.size()];
    if (follower == following) continue;
    ++pair_;
    out = post_request(server_, "/v1/accounts/" + following + "/follow", follower + following,
                       R"({"follower_id":")" + follower + R"("})");
    return true;
  }
}

void FollowFlow::answered(int status, std::string_view body) {
  if (status == 503) return;  // Counted by the load.
  expect_accepted("a follow", status, body);
}

}  // namespace guildhall
