#include "projectors/leaderboards.h"

#include <cstring>
#include <utility>

namespace guildhall {
namespace {

// ---- bytes of a snapshot: little-endian, numbers one after the other

constexpr std::size_t piece_bytes = 1 << 20;
constexpr std::uint32_t format_version = 1;

class Writer {
 public:
  explicit Writer(const ByteSink& out) : out_(out) { piece_.reserve(piece_bytes + 64); }
  template <class Integer>
  void add(Integer value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
      piece_.push_back(static_cast<char>(static_cast<std::make_unsigned_t<Integer>>(value) >> (8 * i)));
    if (piece_.size() >= piece_bytes) flush();
  }
  void flush() {
    out_(piece_);
    piece_.clear();
  }

 private:
  const ByteSink& out_;
  std::string piece_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <class Integer>
  Integer take() {
    if (rest_.size() < sizeof(Integer)) {
      ok_ = false;
      return 0;
    }
    std::make_unsigned_t<Integer> value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
      value = static_cast<std::make_unsigned_t<Integer>>(value | static_cast<std::make_unsigned_t<Integer>>(
                                                                      static_cast<unsigned char>(rest_[i]))
                                                                      << (8 * i));
    rest_.remove_prefix(sizeof value);
    return static_cast<Integer>(value);
  }
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

void save(Writer& out, LearnerNo learner, const BoardScore& score) {
  out.add(learner);
  out.add(score.xp);
  out.add(score.reached_at);
  out.add(score.lessons);
  out.add(score.streak_days);
}

}  // namespace

Leaderboards::Leaderboards() : learners_(std::make_unique<Learners>()) {}

void Leaderboards::roll(Micros now) {
  for (const BoardPeriod period : board_periods) roll(period, day_of(now));
}

void Leaderboards::roll(BoardPeriod period, Day day) {
  Boards& boards = boards_[std::to_underlying(period)];
  const Day start = period_start(period, day);
  if (boards.open && boards.open->start >= start) return;
  boards.previous.reset();
  if (boards.open && previous_start(period, start) == boards.open->start) boards.previous = std::move(boards.open);
  boards.open = std::make_unique<Board>(start, *learners_);
}

Leaderboards::Board* Leaderboards::board_of(BoardPeriod period, Day day) {
  Boards& boards = boards_[std::to_underlying(period)];
  const Day start = period_start(period, day);
  if (boards.open->start == start) return boards.open.get();
  if (previous_start(period, boards.open->start) != start) return nullptr;
  if (!boards.previous) boards.previous = std::make_unique<Board>(start, *learners_);
  return boards.previous.get();
}

void Leaderboards::apply(const XpGain& gain) {
  const Day day = day_of(gain.at);
  const LearnerNo learner = learners_->find_or_add(gain.learner);
  for (const BoardPeriod period : board_periods) {
    roll(period, day);
    Board* board = board_of(period, day);
    if (board == nullptr) continue;  // Long closed.
    const BoardScore* known = board->ranking.find(learner);
    BoardScore score = known != nullptr ? *known : BoardScore{};
    if (gain.xp != 0) {
      score.xp += gain.xp;
      score.reached_at = gain.at;
    }
    score.lessons += gain.lessons;
    score.streak_days = gain.streak_days;
    board->ranking.set(learner, score);
  }
}

const Ranking* Leaderboards::find(BoardPeriod period, Day start) const {
  const Boards& boards = boards_[std::to_underlying(period)];
  for (const auto* board : {boards.open.get(), boards.previous.get()})
    if (board != nullptr && board->start == start) return &board->ranking;
  return nullptr;
}

std::size_t Leaderboards::memory_bytes() const {
  std::size_t out = learners_->memory_bytes();
  for (const Boards& boards : boards_)
    for (const auto* board : {boards.open.get(), boards.previous.get()})
      if (board != nullptr) out += board->ranking.memory_bytes();
  return out;
}

// ---- snapshots

void Leaderboards::save(const ByteSink& sink) const {
  Writer out(sink);
  out.add(format_version);
  out.add(static_cast<std::uint64_t>(learners_->size()));
  for (std::size_t i = 0; i < learners_->size(); ++i) {
    const Uuid& id = learners_->id(static_cast<LearnerNo>(i));
    out.add(id.hi());
    out.add(id.lo());
  }
  for (const Boards& boards : boards_)
    for (const auto* board : {boards.open.get(), boards.previous.get()}) {
      out.add(static_cast<std::uint8_t>(board != nullptr));
      if (board == nullptr) continue;
      const Ranking& ranking = board->ranking;
      out.add(board->start);
      // In the list's order, so that the tree is filled in order again; then those who stand there without XP.
      std::vector<LearnerNo> all = ranking.slice(0, ranking.size());
      const std::vector<LearnerNo> without = ranking.without_xp();
      all.insert(all.end(), without.begin(), without.end());
      out.add(static_cast<std::uint64_t>(all.size()));
      for (const LearnerNo learner : all) guildhall::save(out, learner, *ranking.find(learner));
    }
  out.flush();
}

bool Leaderboards::load(std::string_view bytes) {
  auto learners = std::make_unique<Learners>();
  std::array<Boards, board_periods.size()> all;
  Reader in(bytes);
  if (in.take<std::uint32_t>() != format_version) return false;
  const auto people = in.take<std::uint64_t>();
  for (std::uint64_t i = 0; i < people && in.ok(); ++i) {
    const auto hi = in.take<std::uint64_t>();
    const auto lo = in.take<std::uint64_t>();
    if (learners->find_or_add(Uuid(hi, lo)) != i) return false;
  }
  for (Boards& boards : all)
    for (auto* place : {&boards.open, &boards.previous}) {
      if (in.take<std::uint8_t>() == 0) continue;
      *place = std::make_unique<Board>(in.take<Day>(), *learners);
      const auto entries = in.take<std::uint64_t>();
      for (std::uint64_t i = 0; i < entries && in.ok(); ++i) {
        const auto learner = in.take<LearnerNo>();
        BoardScore score;
        score.xp = in.take<std::int64_t>();
        score.reached_at = in.take<Micros>();
        score.lessons = in.take<std::uint32_t>();
        score.streak_days = in.take<std::uint32_t>();
        if (learner >= learners->size()) return false;
        (*place)->ranking.set(learner, score);
      }
    }
  if (!in.ok() || !in.at_end()) return false;
  boards_ = std::move(all);
  learners_ = std::move(learners);
  return true;
}

}  // namespace guildhall
