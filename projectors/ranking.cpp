#include "projectors/ranking.h"

#include <algorithm>

#include "events/check.h"

namespace guildhall {
namespace {

constexpr std::uint32_t no_row = ~std::uint32_t{0};
constexpr std::size_t first_slots = 64;

}  // namespace

// ---- learners

std::size_t Learners::slot_of(const Uuid& id) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = UuidHash{}(id) & mask;
  while (slots_[at] != nobody && ids_[slots_[at]] != id) at = (at + 1) & mask;
  return at;
}

LearnerNo Learners::find(const Uuid& id) const { return slots_.empty() ? nobody : slots_[slot_of(id)]; }

LearnerNo Learners::find_or_add(const Uuid& id) {
  if (slots_.empty() || (ids_.size() + 1) * 3 > slots_.size() * 2) grow();
  const std::size_t at = slot_of(id);
  if (slots_[at] == nobody) {
    CHECK(ids_.size() < nobody);
    slots_[at] = static_cast<LearnerNo>(ids_.size());
    ids_.push_back(id);
  }
  return slots_[at];
}

void Learners::grow() {
  slots_.assign(slots_.empty() ? first_slots : slots_.size() * 2, nobody);
  for (std::size_t i = 0; i < ids_.size(); ++i) slots_[slot_of(ids_[i])] = static_cast<LearnerNo>(i);
}

std::size_t Learners::memory_bytes() const { return ids_.capacity() * sizeof(Uuid) + slots_.capacity() * sizeof(LearnerNo); }

// ---- the order

bool Ranking::before(const Key& a, const Key& b) {
  if (a.xp != b.xp) return a.xp > b.xp;
  if (a.reached_at != b.reached_at) return a.reached_at < b.reached_at;
  return UuidLess{}(a.id, b.id);
}

bool Ranking::row_before(RowNo row, const Key& key) const {
  const BoardScore& score = rows_[row];
  if (score.xp != key.xp) return score.xp > key.xp;
  if (score.reached_at != key.reached_at) return score.reached_at < key.reached_at;
  return UuidLess{}(id_of(row), key.id);
}

bool Ranking::row_behind(RowNo row, const Key& key) const {
  const BoardScore& score = rows_[row];
  if (score.xp != key.xp) return score.xp < key.xp;
  if (score.reached_at != key.reached_at) return score.reached_at > key.reached_at;
  return UuidLess{}(key.id, id_of(row));
}

std::size_t Ranking::lower_bound(const Leaf& leaf, const Key& key) const {
  return count_in(leaf, [&](RowNo row) { return row_before(row, key); });
}

// A row that is known to stand here is found by its number: its neighbours' scores are far away in memory.
std::size_t Ranking::place_in(const Leaf& leaf, RowNo row) {
  return static_cast<std::size_t>(std::find(leaf.entries, leaf.entries + leaf.count, row) - leaf.entries);
}

std::size_t Ranking::child_for(const Inner& inner, const Key& key) {
  const Key* const end = inner.separators + (inner.count - 1);
  const Key* at = std::partition_point(inner.separators, end, [&](const Key& k) { return !before(key, k); });
  return static_cast<std::size_t>(at - inner.separators);
}

// How many entries stand in front: those of the list's first part. `key_stands` says so of a separator, `in_leaf` counts in the
// leaf.
template <class OfKey, class InLeaf>
std::size_t Ranking::count_while(OfKey key_stands, InLeaf in_leaf) const {
  if (size_ == 0) return 0;
  std::size_t counted = 0;
  std::uint32_t node = root_;
  for (std::size_t height = height_; height > 0; --height) {
    const Inner& inner = inners_[node];
    const Key* const end = inner.separators + (inner.count - 1);
    const auto child = static_cast<std::size_t>(std::partition_point(inner.separators, end, key_stands) - inner.separators);
    for (std::size_t i = 0; i < child; ++i) counted += inner.sizes[i];
    node = inner.children[child];
  }
  return counted + in_leaf(leaves_[node]);
}

template <class OfRow>
std::size_t Ranking::count_in(const Leaf& leaf, OfRow row_stands) {
  const RowNo* const at = std::partition_point(leaf.entries, leaf.entries + leaf.count, row_stands);
  return static_cast<std::size_t>(at - leaf.entries);
}

// ---- questions

const BoardScore* Ranking::find(LearnerNo learner) const {
  if (learner >= row_of_.size() || row_of_[learner] == no_row) return nullptr;
  return &rows_[row_of_[learner]];
}

std::size_t Ranking::higher_than(std::int64_t xp) const {
  return count_while([xp](const Key& k) { return k.xp > xp; },
                     [&](const Leaf& leaf) { return count_in(leaf, [&](RowNo row) { return rows_[row].xp > xp; }); });
}

std::size_t Ranking::place_of(LearnerNo learner) const {
  const RowNo row = row_of_[learner];
  const Key key = key_of(row);
  return count_while([&](const Key& k) { return !before(key, k); }, [row](const Leaf& leaf) { return place_in(leaf, row); });
}

std::size_t Ranking::place_after(std::int64_t xp, Micros reached_at, const Uuid& id) const {
  const Key key{xp, reached_at, id};
  return count_while([&](const Key& k) { return !before(key, k); },
                     [&](const Leaf& leaf) { return count_in(leaf, [&](RowNo row) { return !row_behind(row, key); }); });
}

std::vector<LearnerNo> Ranking::slice(std::size_t first, std::size_t count) const {
  std::vector<LearnerNo> out;
  if (first >= size_) return out;
  count = std::min(count, size_ - first);
  out.reserve(count);
  // One descent for each leaf that is met: a page touches two or three.
  while (out.size() < count) {
    std::size_t skip = first + out.size();
    std::uint32_t node = root_;
    for (std::size_t height = height_; height > 0; --height) {
      const Inner& inner = inners_[node];
      std::size_t child = 0;
      while (skip >= inner.sizes[child]) skip -= inner.sizes[child++];
      node = inner.children[child];
    }
    const Leaf& leaf = leaves_[node];
    const std::size_t taken = std::min<std::size_t>(leaf.count - skip, count - out.size());
    for (std::size_t i = skip; i < skip + taken; ++i) out.push_back(learner_of_[leaf.entries[i]]);
  }
  return out;
}

std::vector<LearnerNo> Ranking::without_xp() const {
  std::vector<LearnerNo> out;
  for (LearnerNo learner = 0; learner < row_of_.size(); ++learner)
    if (const BoardScore* score = find(learner); score != nullptr && score->xp <= 0) out.push_back(learner);
  return out;
}

std::size_t Ranking::memory_bytes() const {
  return row_of_.capacity() * sizeof(RowNo) + learner_of_.capacity() * sizeof(LearnerNo) + rows_.capacity() * sizeof(BoardScore) +
         leaves_.capacity() * sizeof(Leaf) + inners_.capacity() * sizeof(Inner) +
         (free_leaves_.capacity() + free_inners_.capacity()) * sizeof(std::uint32_t);
}

// ---- changes

void Ranking::set(LearnerNo learner, const BoardScore& score) {
  if (learner >= row_of_.size()) row_of_.resize(std::max<std::size_t>(learner + 1, learners_->size()), no_row);
  RowNo& row = row_of_[learner];
  if (row == no_row) {
    row = static_cast<RowNo>(rows_.size());
    rows_.emplace_back();
    learner_of_.push_back(learner);
  }
  BoardScore& stored = rows_[row];
  const bool moves = stored.xp != score.xp || stored.reached_at != score.reached_at;
  if (stored.xp > 0 && moves) {
    erase(root_, height_, key_of(row), row);
    --size_;
    while (height_ > 0 && inners_[root_].count == 1) {
      free_inners_.push_back(root_);
      root_ = inners_[root_].children[0];
      --height_;
    }
  }
  stored = score;
  if (score.xp <= 0 || !moves) return;
  if (leaves_.empty()) root_ = new_leaf();
  const Split split = insert(root_, height_, key_of(row), row);
  ++size_;
  if (!split.happened) return;
  const std::uint32_t top = new_inner();
  Inner& inner = inners_[top];
  inner.count = 2;
  inner.children[0] = root_;
  inner.children[1] = split.right;
  inner.sizes[0] = size_of(root_, height_);
  inner.sizes[1] = size_of(split.right, height_);
  inner.separators[0] = split.separator;
  root_ = top;
  ++height_;
}

Ranking::Split Ranking::insert(std::uint32_t node, std::size_t height, const Key& key, RowNo row) {
  if (height == 0) {
    std::size_t at = lower_bound(leaves_[node], key);
    if (leaves_[node].count < leaf_entries) {
      Leaf& leaf = leaves_[node];
      std::copy_backward(leaf.entries + at, leaf.entries + leaf.count, leaf.entries + leaf.count + 1);
      leaf.entries[at] = row;
      ++leaf.count;
      return {};
    }
    const std::uint32_t right = new_leaf();
    Leaf& from = leaves_[node];
    Leaf& to = leaves_[right];
    // Who comes last of all opens a leaf, so that a list that arrives in order fills its leaves.
    const std::size_t kept = at == leaf_entries ? leaf_entries : leaf_entries / 2;
    std::copy(from.entries + kept, from.entries + leaf_entries, to.entries);
    to.count = static_cast<std::uint32_t>(leaf_entries - kept);
    from.count = static_cast<std::uint32_t>(kept);
    const bool goes_right = at > kept || kept == leaf_entries;
    Leaf& leaf = goes_right ? to : from;
    if (goes_right) at -= kept;
    std::copy_backward(leaf.entries + at, leaf.entries + leaf.count, leaf.entries + leaf.count + 1);
    leaf.entries[at] = row;
    ++leaf.count;
    return {true, key_of(to.entries[0]), right};
  }

  const std::size_t child = child_for(inners_[node], key);
  const Split below = insert(inners_[node].children[child], height - 1, key, row);
  if (!below.happened) {
    ++inners_[node].sizes[child];
    return {};
  }
  Split split;
  if (inners_[node].count == inner_children) {
    split.happened = true;
    split.right = new_inner();
    Inner& from = inners_[node];
    Inner& to = inners_[split.right];
    constexpr std::size_t kept = inner_children / 2;
    to.count = inner_children - kept;
    from.count = kept;
    std::copy(from.children + kept, from.children + inner_children, to.children);
    std::copy(from.sizes + kept, from.sizes + inner_children, to.sizes);
    std::copy(from.separators + kept, from.separators + inner_children - 1, to.separators);
    split.separator = from.separators[kept - 1];
    if (child >= kept) node = split.right;
  }
  Inner& inner = inners_[node];
  const std::size_t at = split.happened && node == split.right ? child - inner_children / 2 : child;
  std::copy_backward(inner.children + at + 1, inner.children + inner.count, inner.children + inner.count + 1);
  std::copy_backward(inner.sizes + at + 1, inner.sizes + inner.count, inner.sizes + inner.count + 1);
  std::copy_backward(inner.separators + at, inner.separators + inner.count - 1, inner.separators + inner.count);
  inner.children[at + 1] = below.right;
  inner.separators[at] = below.separator;
  ++inner.count;
  inner.sizes[at] = size_of(inner.children[at], height - 1);
  inner.sizes[at + 1] = size_of(below.right, height - 1);
  return split;
}

void Ranking::erase(std::uint32_t node, std::size_t height, const Key& key, RowNo row) {
  if (height == 0) {
    Leaf& leaf = leaves_[node];
    const std::size_t at = place_in(leaf, row);
    CHECK(at < leaf.count);
    std::copy(leaf.entries + at + 1, leaf.entries + leaf.count, leaf.entries + at);
    --leaf.count;
    return;
  }
  Inner& inner = inners_[node];
  const std::size_t child = child_for(inner, key);
  erase(inner.children[child], height - 1, key, row);
  --inner.sizes[child];
  tidy_child(inner, child, height);
}

// An empty child goes, unless it is all that its parent has: then the parent is empty as well, and its parent sees to it. One
// that is nearly empty is joined with a neighbour, if both fit well into one.
void Ranking::tidy_child(Inner& parent, std::size_t child, std::size_t height) {
  if (parent.count == 1) return;
  if (parent.sizes[child] == 0) {
    free_empty(parent.children[child], height - 1);
    remove_child(parent, child);
    return;
  }
  const std::size_t room = height == 1 ? leaf_entries : inner_children;
  if (entries_of(parent.children[child], height - 1) > room / 4) return;
  const std::size_t left = child == 0 ? 0 : child - 1;
  const std::uint32_t a = parent.children[left], b = parent.children[left + 1];
  if (entries_of(a, height - 1) + entries_of(b, height - 1) > room * 3 / 4) return;
  if (height == 1) {
    Leaf& to = leaves_[a];
    const Leaf& from = leaves_[b];
    std::copy(from.entries, from.entries + from.count, to.entries + to.count);
    to.count += from.count;
    free_leaves_.push_back(b);
  } else {
    Inner& to = inners_[a];
    const Inner& from = inners_[b];
    std::copy(from.children, from.children + from.count, to.children + to.count);
    std::copy(from.sizes, from.sizes + from.count, to.sizes + to.count);
    to.separators[to.count - 1] = parent.separators[left];
    std::copy(from.separators, from.separators + from.count - 1, to.separators + to.count);
    to.count += from.count;
    free_inners_.push_back(b);
  }
  parent.sizes[left] += parent.sizes[left + 1];
  remove_child(parent, left + 1);
}

void Ranking::remove_child(Inner& parent, std::size_t child) {
  const std::size_t separator = child == 0 ? 0 : child - 1;
  std::copy(parent.children + child + 1, parent.children + parent.count, parent.children + child);
  std::copy(parent.sizes + child + 1, parent.sizes + parent.count, parent.sizes + child);
  std::copy(parent.separators + separator + 1, parent.separators + parent.count - 1, parent.separators + separator);
  --parent.count;
}

// A node without entries: a leaf, or a chain of only children down to one.
void Ranking::free_empty(std::uint32_t node, std::size_t height) {
  for (; height > 0; --height) {
    free_inners_.push_back(node);
    node = inners_[node].children[0];
  }
  free_leaves_.push_back(node);
}

std::size_t Ranking::entries_of(std::uint32_t node, std::size_t height) const {
  return height == 0 ? leaves_[node].count : inners_[node].count;
}

std::uint32_t Ranking::size_of(std::uint32_t node, std::size_t height) const {
  if (height == 0) return leaves_[node].count;
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < inners_[node].count; ++i) out += inners_[node].sizes[i];
  return out;
}

std::uint32_t Ranking::new_leaf() {
  if (free_leaves_.empty()) {
    leaves_.emplace_back();
    return static_cast<std::uint32_t>(leaves_.size() - 1);
  }
  const std::uint32_t leaf = free_leaves_.back();
  free_leaves_.pop_back();
  leaves_[leaf].count = 0;
  return leaf;
}

std::uint32_t Ranking::new_inner() {
  if (free_inners_.empty()) {
    inners_.emplace_back();
    return static_cast<std::uint32_t>(inners_.size() - 1);
  }
  const std::uint32_t inner = free_inners_.back();
  free_inners_.pop_back();
  inners_[inner].count = 0;
  return inner;
}

// ---- rank and percentile

std::uint32_t percentile_hundredths(std::uint64_t rank, std::uint64_t learners) {
  constexpr std::uint64_t whole = 10'000;
  if (learners <= 1) return whole;
  const std::uint64_t others = learners - 1;
  return static_cast<std::uint32_t>((2 * whole * (learners - rank) + others) / (2 * others));
}

std::string percentile_text(std::uint32_t hundredths) {
  const std::uint32_t cents = hundredths % 100;
  return std::to_string(hundredths / 100) + (cents < 10 ? ".0" : ".") + std::to_string(cents);
}

}  // namespace guildhall
