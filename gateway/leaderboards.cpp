#include "gateway/leaderboards.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <memory>
#include <set>

#include "gateway/problem.h"
#include "gateway/rest_query.h"
#include "infra/base64url.h"
#include "infra/wire_time.h"

namespace guildhall {
namespace {

struct Row {
  Uuid id{};
  BoardScore score;
  std::uint64_t rank = 0;
};

// The place behind which a page begins, of one board.
struct Cursor {
  std::uint8_t period = 0;
  Day start = 0;
  std::int64_t xp = 0;
  Micros reached_at = 0;
  Uuid id{};
};

template <class Integer>
void append_integer(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    out.push_back(static_cast<char>(static_cast<std::make_unsigned_t<Integer>>(value) >> (8 * i)));
}
template <class Integer>
Integer take_integer(std::string_view& rest) {
  std::make_unsigned_t<Integer> value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value = static_cast<std::make_unsigned_t<Integer>>(
        value | static_cast<std::make_unsigned_t<Integer>>(static_cast<unsigned char>(rest[i])) << (8 * i));
  rest.remove_prefix(sizeof value);
  return static_cast<Integer>(value);
}

constexpr std::size_t uuid_bytes = 16;
constexpr std::size_t cursor_bytes = sizeof(std::uint8_t) + sizeof(Day) + sizeof(std::int64_t) + sizeof(Micros) + uuid_bytes;

std::string text_of(const Cursor& cursor) {
  std::string bytes;
  append_integer(bytes, cursor.period);
  append_integer(bytes, cursor.start);
  append_integer(bytes, cursor.xp);
  append_integer(bytes, cursor.reached_at);
  append_bytes(bytes, cursor.id);
  return base64url_encode(bytes);
}

std::optional<Cursor> cursor_of(std::string_view text) {
  const auto bytes = base64url_decode(text);
  if (!bytes || bytes->size() != cursor_bytes) return std::nullopt;
  std::string_view rest = *bytes;
  Cursor out;
  out.period = take_integer<std::uint8_t>(rest);
  out.start = take_integer<Day>(rest);
  out.xp = take_integer<std::int64_t>(rest);
  out.reached_at = take_integer<Micros>(rest);
  out.id = uuid_from_bytes(rest.data());
  return out;
}

bool stands_before(const Row& a, const Row& b) {
  if (a.score.xp != b.score.xp) return a.score.xp > b.score.xp;
  if (a.score.reached_at != b.score.reached_at) return a.score.reached_at < b.score.reached_at;
  return UuidLess{}(a.id, b.id);
}

// ---- the query string

struct BoardRequest {
  BoardPeriod period{};
  Day start = 0;
  std::optional<Uuid> around;
  std::size_t neighbours = leaderboard_default_neighbours;
  std::size_t limit = leaderboard_default_rows;
  std::optional<Cursor> after;
  bool friends = false;
  bool profiles = false;
  std::string at_least;
};

Response refused(std::string_view name, std::string_view why) {
  return problem("invalid_request", std::string(name) + ": " + std::string(why));
}

std::optional<std::size_t> number(std::string_view text, std::size_t least, std::size_t most) {
  std::size_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && out >= least && out <= most ? std::optional(out) : std::nullopt;
}

std::expected<BoardRequest, Response> parse(const Request& request, const Claims& claims, Micros now) {
  const auto period = board_period(std::string_view(request.path).substr(leaderboards_path.size()));
  if (!period) return std::unexpected(problem("not_found"));
  BoardRequest out;
  out.period = *period;
  const Day open = period_start(*period, day_of(now));
  out.start = open;
  std::set<std::string, std::less<>> seen;
  for (std::string_view rest = request.query; !rest.empty();) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decoded(pair.substr(0, equals), true);
    const auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return std::unexpected(refused("query", "a percent-encoding is malformed"));
    if (!seen.insert(*name).second) return std::unexpected(refused(*name, "is given twice"));
    if (*name == "start") {
      const auto day = parse_date(*value);
      if (!day) return std::unexpected(refused("start", "is no date, as 2025-11-17 is"));
      if (*day != open && previous_start(*period, open) != *day)
        return std::unexpected(refused("start", "must be the first day of the open or of the previous period"));
      out.start = *day;
    } else if (*name == "around") {
      out.around = *value == "me" ? claims.sub : parse_uuid(*value);
      if (!out.around)
        return std::unexpected(refused("around", *value == "me" ? "this token is nobody's" : "must be me, or a user's id"));
    } else if (*name == "neighbours") {
      const auto n = number(*value, 0, leaderboard_max_neighbours);
      if (!n) return std::unexpected(refused(*name, "must be a number to " + std::to_string(leaderboard_max_neighbours)));
      out.neighbours = *n;
    } else if (*name == "limit") {
      const auto n = number(*value, 1, leaderboard_max_rows);
      if (!n) return std::unexpected(refused(*name, "must be a number from 1 to " + std::to_string(leaderboard_max_rows)));
      out.limit = *n;
    } else if (*name == "after") {
      out.after = cursor_of(*value);
      if (!out.after) return std::unexpected(problem("invalid_cursor"));
    } else if (*name == "friends") {
      if (*value != "true" && *value != "false") return std::unexpected(refused(*name, "must be true or false"));
      out.friends = *value == "true";
    } else if (*name == "expand") {
      if (*value != "profile") return std::unexpected(refused(*name, "can be profile only"));
      out.profiles = true;
    } else if (*name == "at_least") {
      out.at_least = *value;
    } else {
      return std::unexpected(refused(*name, "is no parameter of this"));
    }
  }
  if (out.around && (seen.contains("limit") || out.after || out.friends))
    return std::unexpected(refused("around", "goes with neighbours only, not with limit, after and friends"));
  if (!out.around && seen.contains("neighbours")) return std::unexpected(refused("neighbours", "goes with around"));
  if (out.friends && !claims.sub) return std::unexpected(refused("friends", "this token is nobody's"));
  if (out.after && (out.after->period != std::to_underlying(*period) || out.after->start != out.start))
    return std::unexpected(problem("invalid_cursor", "it is another board's"));
  return out;
}

// ---- the boards

Row row_of(const Leaderboards& boards, const Ranking& ranking, LearnerNo learner, std::uint64_t rank) {
  return {boards.learners().id(learner), *ranking.find(learner), rank};
}

std::optional<Row> standing_of(const Leaderboards& boards, const Ranking& ranking, const Uuid& id) {
  const LearnerNo learner = boards.learners().find(id);
  const BoardScore* score = ranking.find(learner);
  if (score == nullptr || score->xp <= 0) return std::nullopt;
  return row_of(boards, ranking, learner, rank_after(ranking.higher_than(score->xp)));
}

// Rows that follow each other: the place tells the rank of whoever has another score than the one before.
std::vector<Row> rows_from(const Leaderboards& boards, const Ranking& ranking, std::size_t first, std::size_t count) {
  std::vector<Row> out;
  out.reserve(count);
  for (const LearnerNo learner : ranking.slice(first, count)) {
    const std::int64_t xp = ranking.find(learner)->xp;
    std::uint64_t rank = rank_after(first + out.size());
    if (out.empty()) rank = rank_after(ranking.higher_than(xp));
    else if (out.back().score.xp == xp) rank = out.back().rank;
    out.push_back(row_of(boards, ranking, learner, rank));
  }
  return out;
}

// ---- the answer

void append_member(std::string& out, std::string_view name, std::string_view value) {
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
}

void append_instant_member(std::string& out, std::string_view name, std::optional<Micros> at) {
  append_json_string(out, name);
  out += ':';
  std::string text;
  if (at && append_instant(text, *at)) append_json_string(out, text);
  else out += "null";
}

void append_date_member(std::string& out, std::string_view name, Day day) {
  std::string text;
  append_date(text, day);
  append_member(out, name, text);
}

}  // namespace

struct LeaderboardReads::Read {
  BoardRequest request;
  Claims claims;
  std::chrono::seconds patience{default_wait_s};
  std::vector<Target> targets;  // Of the token, if one came.
  Micros began = 0;             // Waiting for them.
  std::chrono::steady_clock::time_point deadline;
  bool lenient = false;
  bool head = false;
  std::string lag;
  Respond respond;

  std::vector<Uuid> followed;
  std::vector<Sequence> positions;
  std::size_t learners = 0;
  std::optional<Row> me;
  std::vector<Row> rows;
  bool has_more = false;
  std::map<Uuid, BoardProfile, UuidLess> profiles;

  void answer(Response response) {
    if (head) response.body.clear();
    respond(std::move(response));
  }
};

void LeaderboardReads::handle(const Request& request, const Claims& claims, Respond respond) {
  if (claims.role == TokenRole::anon) return respond(problem("forbidden", "leaderboards are for those who are signed in"));
  auto parsed = parse(request, claims, env_.clock.now());
  if (!parsed) return respond(std::move(parsed.error()));
  auto read = std::make_shared<Read>();
  read->request = std::move(*parsed);
  read->claims = claims;
  const Preferences preferences = parse_prefer(request.header("prefer"));
  read->patience = std::chrono::seconds(preferences.wait_s.value_or(default_wait_s));
  read->lenient = preferences.lenient;
  read->head = request.method == Method::head;
  read->respond = std::move(respond);
  if (const auto token = request.header("consistency-token"); !token.empty()) read->request.at_least = token;
  if (read->request.friends && env_.people == nullptr)
    return read->answer(problem("projection_behind", "this process has no read models to take follows from"));
  wait(std::move(read));
}

void LeaderboardReads::wait(std::shared_ptr<Read> read) {
  if (read->request.at_least.empty()) return find_followed(std::move(read));
  const auto token = env_.tokens.decode(read->request.at_least);
  if (!token) return read->answer(problem("token_not_applicable", name_of(token.error())));
  for (const ShardPosition& p : token->positions) {
    if (p.shard >= env_.log.shards) return read->answer(problem("token_not_applicable", "unknown shard"));
    read->targets.push_back({p.shard, p.sequence});
  }
  read->began = env_.clock.now();
  read->deadline = std::chrono::steady_clock::now() + read->patience;
  env_.boards.when_reached(read->targets, read->deadline, [this, read](WaitResult result) {
    if (result == WaitResult::reached) return wait_for_people(read);
    PositionWait behind;
    behind.waited_us = env_.clock.now() - read->began;
    env_.boards.read([&](const BoardFollower::View& view) {
      for (const Target& t : read->targets)
        if (t.sequence > view.positions[t.shard]) behind.events_behind += t.sequence - view.positions[t.shard];
    });
    read->lag = lag_text(behind);
    if (read->lenient) return find_followed(read);
    read->answer(problem("projection_behind", read->lag));
  });
}

// Whose follow or name the caller has just changed must find it here, too.
void LeaderboardReads::wait_for_people(std::shared_ptr<Read> read) {
  if ((!read->request.friends && !read->request.profiles) || env_.people == nullptr) return find_followed(std::move(read));
  const auto left = std::max(std::chrono::steady_clock::duration::zero(), read->deadline - std::chrono::steady_clock::now());
  env_.people->wait_for(read->targets, left / std::chrono::microseconds(1), [this, read](PositionWait wait) {
    if (wait.outcome == WaitOutcome::reached) return find_followed(read);
    if (wait.outcome == WaitOutcome::stopped)
      return read->answer(problem("projection_behind", "the projection stands at a record that it can't apply"));
    wait.waited_us = env_.clock.now() - read->began;
    read->lag = lag_text(wait);
    if (read->lenient) return find_followed(read);
    read->answer(problem("projection_behind", read->lag));
  });
}

void LeaderboardReads::find_followed(std::shared_ptr<Read> read) {
  if (!read->request.friends) return look_up(std::move(read));
  env_.people->followed(read->claims, *read->claims.sub, [this, read](std::expected<std::vector<Uuid>, Response> found) {
    if (!found) return read->answer(std::move(found.error()));
    read->followed = std::move(*found);
    read->followed.push_back(*read->claims.sub);
    look_up(read);
  });
}

void LeaderboardReads::look_up(std::shared_ptr<Read> read) {
  const BoardRequest& request = read->request;
  const bool ready = env_.boards.read([&](const BoardFollower::View& view) {
    read->positions = view.positions;
    const Ranking* ranking = view.boards.find(request.period, request.start);
    if (ranking == nullptr) return;  // Nobody has XP in it yet.
    read->learners = ranking->size();
    if (read->claims.sub) read->me = standing_of(view.boards, *ranking, *read->claims.sub);
    if (request.friends) {
      for (const Uuid& id : read->followed)
        if (auto row = standing_of(view.boards, *ranking, id)) read->rows.push_back(*row);
    } else if (request.around) {
      const auto row = *request.around == read->claims.sub ? read->me : standing_of(view.boards, *ranking, *request.around);
      if (!row) return;
      const std::size_t place = ranking->place_of(view.boards.learners().find(row->id));
      const std::size_t first = place - std::min(place, request.neighbours);
      read->rows = rows_from(view.boards, *ranking, first, place - first + 1 + request.neighbours);
    } else {
      const auto& after = request.after;
      const std::size_t first = after ? ranking->place_after(after->xp, after->reached_at, after->id) : 0;
      read->rows = rows_from(view.boards, *ranking, first, request.limit + 1);
    }
  });
  if (!ready) return read->answer(problem("projection_behind", "the leaderboards are being made from the log"));
  if (request.friends) {
    std::ranges::sort(read->rows, stands_before);
    // Who follows somebody twice over in a list meets him once.
    const auto same = [](const Row& a, const Row& b) { return a.id == b.id; };
    read->rows.erase(std::unique(read->rows.begin(), read->rows.end(), same), read->rows.end());
    if (const auto& after = request.after) {
      const Row place{after->id, {after->xp, after->reached_at, 0, 0}, 0};
      read->rows.erase(read->rows.begin(), std::ranges::upper_bound(read->rows, place, stands_before));
    }
  }
  if (!request.around && read->rows.size() > request.limit) {
    read->has_more = true;
    read->rows.resize(request.limit);
  }
  find_profiles(std::move(read));
}

void LeaderboardReads::find_profiles(std::shared_ptr<Read> read) {
  if (!read->request.profiles || (read->rows.empty() && !read->me)) return read->answer(response_of(*read));
  if (env_.people == nullptr)
    return read->answer(problem("projection_behind", "this process has no read models to take names from"));
  std::vector<Uuid> ids;
  for (const Row& row : read->rows) ids.push_back(row.id);
  if (read->me) ids.push_back(read->me->id);
  env_.people->profiles(read->claims, std::move(ids), [this, read](std::expected<std::vector<BoardProfile>, Response> found) {
    if (!found) return read->answer(std::move(found.error()));
    for (BoardProfile& p : *found) read->profiles.insert_or_assign(p.id, std::move(p));
    read->answer(response_of(*read));
  });
}

Response LeaderboardReads::response_of(const Read& read) const {
  const BoardRequest& request = read.request;
  std::string out;
  constexpr std::size_t bytes_a_row = 320;
  out.reserve((read.rows.size() + 3) * bytes_a_row);
  const auto append_row = [&](const Row& row) {
    out += "{\"user_id\":\"";
    append_text(out, row.id);
    out += "\",\"rank\":" + std::to_string(row.rank);
    out += ",\"percentile\":" + percentile_text(percentile_hundredths(row.rank, read.learners));
    out += ",\"xp_points\":" + std::to_string(row.score.xp);
    out += ",\"lessons_completed\":" + std::to_string(row.score.lessons);
    out += ",\"streak_days\":" + std::to_string(row.score.streak_days) + ',';
    append_instant_member(out, "reached_at", row.score.reached_at);
    if (request.profiles) {
      out += ",\"profile\":";
      const auto profile = read.profiles.find(row.id);
      if (profile == read.profiles.end()) {
        out += "null";
      } else {
        out += '{';
        append_member(out, "display_name", profile->second.display_name);
        out += '}';
      }
    }
    out += '}';
  };
  out += '{';
  append_member(out, "period", name_of(request.period));
  out += ',';
  append_date_member(out, "period_start_date", request.start);
  out += ',';
  append_date_member(out, "period_end_date", period_end(request.period, request.start));
  out += ',';
  append_instant_member(out, "next_reset_at", next_reset(request.period, request.start));
  out += ",\"learners\":" + std::to_string(read.learners) + ",\"me\":";
  if (read.me) append_row(*read.me);
  else out += "null";
  out += ",\"data\":[";
  for (const Row& row : read.rows) {
    if (&row != &read.rows.front()) out += ',';
    append_row(row);
  }
  out += "],\"has_more\":";
  out += read.has_more ? "true" : "false";
  out += ",\"next_cursor\":";
  std::string cursor;
  if (read.has_more) {
    const Row& last = read.rows.back();
    cursor = text_of({std::to_underlying(request.period), request.start, last.score.xp, last.score.reached_at, last.id});
    append_json_string(out, cursor);
  } else {
    out += "null";
  }
  // By shard: the answer is the fold of their logs up to here.
  out += ",\"positions\":[";
  ConsistencyToken token{env_.log.log_id, env_.log.generation, {}};
  for (std::size_t shard = 0; shard < read.positions.size(); ++shard) {
    if (shard > 0) out += ',';
    out += std::to_string(read.positions[shard]);
    token.positions.push_back({static_cast<std::uint16_t>(shard), read.positions[shard]});
  }
  out += "]}";

  Response response{200, {{"Content-Type", "application/json; charset=utf-8"}}, std::move(out)};
  response.headers.emplace_back("Consistency-Token", env_.tokens.encode(token));
  if (!read.lag.empty()) response.headers.emplace_back("Consistency-Lag", read.lag);
  if (read.has_more) {
    std::string next = std::string(leaderboards_path) + std::string(name_of(request.period)) + "?start=";
    append_date(next, request.start);
    next += "&limit=" + std::to_string(request.limit) + (request.friends ? "&friends=true" : "") +
            (request.profiles ? "&expand=profile" : "") + "&after=" + cursor;
    response.headers.emplace_back("Link", "<" + next + ">; rel=\"next\"");
  }
  return response;
}

}  // namespace guildhall
