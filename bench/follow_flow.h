// Follows of the music marketplace: each request is another pair, so that each is an event, a counter on either side and a
// notification for the one who is followed.
#pragma once

#include <string>
#include <vector>

#include "bench/load_generator.h"
#include "bench/server.h"

namespace guildhall {

// Registers so many members; their ids.
std::vector<std::string> set_members(const Server& server, std::size_t count);

class FollowFlow : public RequestSource {
 public:
  // Each of the followers follows each of the followed, but nobody himself; both outlive it. Ends when all are sent.
  FollowFlow(const Server& server, const std::vector<std::string>& followers, const std::vector<std::string>& followed);
  bool next(std::string& out) override;
  // Throws when a follow is refused.
  void answered(int status, std::string_view body) override;

 private:
  const Server& server_;
  const std::vector<std::string>& followers_;
  const std::vector<std::string>& followed_;
  std::size_t pair_ = 0;
};

}  // namespace guildhall
