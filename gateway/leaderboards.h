// GET /v1/leaderboards/{period}: a page of a board, who stands around somebody, or the people whom the caller follows; each row
// with its exact rank and percentile, and the shards' sequences that the answer is the fold of.
//
// Ranks come from memory (projectors/board_follower.h); follows and names from the read models, only where they are asked for.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "gateway/consistency_token.h"
#include "gateway/http.h"
#include "gateway/jwt.h"
#include "gateway/preferences.h"
#include "projectors/board_follower.h"

namespace guildhall {

inline constexpr std::string_view leaderboards_path = "/v1/leaderboards/";
inline constexpr std::size_t leaderboard_max_rows = 200;      // Of one page.
inline constexpr std::size_t leaderboard_default_rows = 100;  // Of one page.
inline constexpr std::size_t leaderboard_max_neighbours = 100;  // On each side.
inline constexpr std::size_t leaderboard_default_neighbours = 5;
inline constexpr std::size_t leaderboard_max_followed = 5'000;  // Of the people whom one follows, the first so many.

// What a row shows of a person with ?expand=profile.
struct BoardProfile {
  Uuid id{};
  std::string display_name;
};

// Answers of the read models; each calls back once, from any thread, with what it found or with the response that says why not.
template <class Answer>
using BoardQuery = std::move_only_function<void(std::expected<Answer, Response>)>;

// Who is seen by whom is the read models' business: they are asked as the caller.
class BoardPeople {
 public:
  virtual ~BoardPeople() = default;
  virtual void followed(const Claims& caller, const Uuid& follower, BoardQuery<std::vector<Uuid>> done) = 0;
  virtual void profiles(const Claims& caller, std::vector<Uuid> ids, BoardQuery<std::vector<BoardProfile>> done) = 0;
  // Calls back once, from any thread, when the read models hold all of it, or after the time. Boards and read models follow the
  // logs each by themselves.
  virtual void wait_for(std::vector<Target> targets, Micros timeout_us, std::function<void(PositionWait)> done) = 0;
};

struct LeaderboardsEnvironment {
  const Clock& clock;
  const LogIdentity& log;
  const ConsistencyTokens& tokens;
  BoardFollower& boards;
  BoardPeople* people;  // nullptr: this process has no read models.
};

class LeaderboardReads {
 public:
  explicit LeaderboardReads(LeaderboardsEnvironment environment) : env_(environment) {}

  // GET and HEAD of a path below leaderboards_path. Any thread; does not block but for the boards' lock.
  void handle(const Request& request, const Claims& claims, Respond respond);

 private:
  struct Read;
  void wait(std::shared_ptr<Read> read);
  void wait_for_people(std::shared_ptr<Read> read);
  void find_followed(std::shared_ptr<Read> read);
  void look_up(std::shared_ptr<Read> read);
  void find_profiles(std::shared_ptr<Read> read);
  Response response_of(const Read& read) const;

  LeaderboardsEnvironment env_;
};

}  // namespace guildhall
