// One leaderboard as an order-statistic structure: who stands where, by score, in O(log n) a question and a change.
//
// The list is ordered by score, highest first; of equal scores the one that was reached first stands first, then the smaller user
// id (A-DR-9). The rank is SQL's RANK(): one more than the number of learners with a higher score, so that ties share it and gaps
// follow. A counted B+-tree holds numbers of rows only and looks the scores up beside it, about 40 bytes a learner and board.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "events/clock.h"
#include "events/ids.h"

namespace guildhall {

using LearnerNo = std::uint32_t;

// Numbers for learners, in the order of their first XP. Nobody is forgotten.
class Learners {
 public:
  static constexpr LearnerNo nobody = ~LearnerNo{0};

  LearnerNo find(const Uuid& id) const;  // Or nobody.
  LearnerNo find_or_add(const Uuid& id);
  const Uuid& id(LearnerNo learner) const { return ids_[learner]; }
  std::size_t size() const { return ids_.size(); }
  std::size_t memory_bytes() const;

 private:
  std::size_t slot_of(const Uuid& id) const;  // Where it is, or would go.
  void grow();

  std::vector<Uuid> ids_;
  std::vector<LearnerNo> slots_;  // Open addressing; a power of two, at most two thirds full.
};

// What a learner has on one board.
struct BoardScore {
  std::int64_t xp = 0;
  Micros reached_at = 0;  // Time of the event that made the score what it is.
  std::uint32_t lessons = 0;
  std::uint32_t streak_days = 0;
};

// Not thread-safe; any number may read while nobody changes.
class Ranking {
 public:
  // The learners are those of all boards, and outlive this one.
  explicit Ranking(const Learners& learners) : learners_(&learners) {}

  // Replaces the learner's score. Who has no XP stands on no board.
  void set(LearnerNo learner, const BoardScore& score);
  // What was set; nullptr for who stands here with no XP.
  const BoardScore* find(LearnerNo learner) const;

  std::size_t size() const { return size_; }       // Learners with XP.
  std::size_t higher_than(std::int64_t xp) const;  // Learners with a higher score: the rank less one.
  std::size_t place_of(LearnerNo learner) const;   // In the list, from 0; of one who stands there.
  // How many stand at this place or in front of it, whether or not somebody stands there.
  std::size_t place_after(std::int64_t xp, Micros reached_at, const Uuid& id) const;
  // The learners at `first` and behind it, at most `count`, in the list's order.
  std::vector<LearnerNo> slice(std::size_t first, std::size_t count) const;
  std::vector<LearnerNo> without_xp() const;  // Who was set here and has none.
  std::size_t memory_bytes() const;

 private:
  using RowNo = std::uint32_t;  // In the order of coming to this board.
  static constexpr std::size_t leaf_entries = 64;
  static constexpr std::size_t inner_children = 32;

  struct Key {
    std::int64_t xp;
    Micros reached_at;
    Uuid id;
  };
  struct Leaf {
    std::uint32_t count = 0;
    RowNo entries[leaf_entries];
  };
  struct Inner {
    std::uint32_t count = 0;
    std::uint32_t children[inner_children];
    std::uint32_t sizes[inner_children];  // Learners below each child.
    // What child i + 1 holds stands at or behind separators[i], what child i holds before it.
    Key separators[inner_children - 1];
  };
  struct Split {
    bool happened = false;
    Key separator{};
    std::uint32_t right = 0;
  };

  const Uuid& id_of(RowNo row) const { return learners_->id(learner_of_[row]); }
  Key key_of(RowNo row) const { return {rows_[row].xp, rows_[row].reached_at, id_of(row)}; }
  static bool before(const Key& a, const Key& b);
  // The id is far away in memory, and asked for only where the rest is equal.
  bool row_before(RowNo row, const Key& key) const;
  bool row_behind(RowNo row, const Key& key) const;
  static std::size_t child_for(const Inner& inner, const Key& key);
  std::size_t lower_bound(const Leaf& leaf, const Key& key) const;
  static std::size_t place_in(const Leaf& leaf, RowNo row);  // leaf.count where it does not stand.
  template <class OfRow>
  static std::size_t count_in(const Leaf& leaf, OfRow row_stands);
  template <class OfKey, class InLeaf>
  std::size_t count_while(OfKey key_stands, InLeaf in_leaf) const;

  Split insert(std::uint32_t node, std::size_t height, const Key& key, RowNo row);
  void erase(std::uint32_t node, std::size_t height, const Key& key, RowNo row);
  void tidy_child(Inner& parent, std::size_t child, std::size_t height);
  static void remove_child(Inner& parent, std::size_t child);
  void free_empty(std::uint32_t node, std::size_t height);
  std::size_t entries_of(std::uint32_t node, std::size_t height) const;
  std::uint32_t size_of(std::uint32_t node, std::size_t height) const;
  std::uint32_t new_leaf();
  std::uint32_t new_inner();

  const Learners* learners_;
  std::vector<RowNo> row_of_;          // By learner; or no_row.
  std::vector<LearnerNo> learner_of_;  // By row.
  std::vector<BoardScore> rows_;
  std::vector<Leaf> leaves_;
  std::vector<Inner> inners_;
  std::vector<std::uint32_t> free_leaves_;
  std::vector<std::uint32_t> free_inners_;
  std::uint32_t root_ = 0;
  std::size_t height_ = 0;  // Of inner nodes above the leaves.
  std::size_t size_ = 0;
};

// Rank and percentile, each in integers (A-DR-9).
inline std::uint64_t rank_after(std::size_t higher) { return static_cast<std::uint64_t>(higher) + 1; }
// 100 × (N − rank) / max(N − 1, 1) in hundredths, half up; 100.00 for one alone.
std::uint32_t percentile_hundredths(std::uint64_t rank, std::uint64_t learners);
std::string percentile_text(std::uint32_t hundredths);  // "99.98"

}  // namespace guildhall
