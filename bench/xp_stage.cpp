#include "bench/xp_stage.h"

#include <random>
#include <stdexcept>

#include "events/board_period.h"
#include "events/codec.h"

namespace guildhall {
namespace {

constexpr Micros noon = 1'794'398'400 * second_us;  // 2026-11-11T12:00:00Z
constexpr std::int32_t xp_of_a_lesson = 10;
constexpr std::uint64_t most_lessons_before = 2'000;
constexpr std::size_t records_a_batch = 4'096;
constexpr std::chrono::milliseconds flow_turn{2};

}  // namespace

Micros NoonClock::now() const {
  return noon + std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began_).count();
}

XpStage::XpStage(const std::filesystem::path& folder, std::size_t learners, std::uint32_t shards, const Clock& clock)
    : clock_(clock) {
  std::filesystem::create_directories(folder);
  SegmentLog::create(folder, {"dracarys", Uuid(0x8000, 1), shards, 1});
  log_ = SegmentLog::open(folder, "dracarys", shards);
  for (ShardNo shard = 0; shard < shards; ++shard) shards_.push_back({log_->open(shard), {}, {}});
  std::mt19937_64 random(1);
  learners_.resize(learners);
  for (std::size_t n = 0; n < learners; ++n) {
    Learner& l = learners_[n];
    l.id = Uuid((random() & ~std::uint64_t{0xf000}) | 0x8000, (random() >> 2) | (std::uint64_t{1} << 63));
    // All that the learner had before is one event.
    l.xp = static_cast<std::int32_t>(random() % most_lessons_before) * xp_of_a_lesson;
    complete(n);
  }
  flush();
}

void XpStage::complete(std::size_t n) {
  Learner& l = learners_[n];
  const bool first = l.lessons == 0;
  const std::int32_t gained = first ? l.xp + xp_of_a_lesson : xp_of_a_lesson;
  l.xp += xp_of_a_lesson;
  ++l.lessons;
  learner::XpGranted e;
  e.learner_id = l.id;
  e.grant_id = derive_in_group("bench/xp", l.id, static_cast<std::uint64_t>(l.lessons), bucket_of(l.id));
  e.source_id = e.grant_id;
  e.amount = e.board_xp = gained;
  e.total_xp = e.lesson_xp = e.day_xp = e.week_xp = e.month_xp = e.all_time_xp = l.xp;
  e.lessons_completed = l.lessons;
  e.streak_days = 1;
  RecordHeader h;
  h.platform = "dracarys";
  h.log_id = log_->identity().log_id;
  h.shard = shard_of(l.id, log_->identity().shards);
  Shard& shard = shards_[h.shard];
  h.epoch = shard.writer->epoch();
  h.stream = {StreamKind::learner, l.id};
  h.stream_version = static_cast<std::uint64_t>(l.lessons);
  h.event_id = e.grant_id;
  h.type = type_name<learner::XpGranted>();
  h.time = clock_.now();
  e.board_day = day_of(h.time);
  h.command_id = e.grant_id;
  h.command_type = "progress.v1.CompleteLesson";
  shard.builder.add(h, pack(e));
  if (shard.builder.records() >= records_a_batch) submit(h.shard);
}

void XpStage::submit(ShardNo number) {
  Shard& shard = shards_[number];
  while (in_flight_ > 0) std::this_thread::yield();
  Batch batch = shard.builder.close(shard.end.sequence, shard.end.head);
  shard.end = {batch.last(), batch.head};
  ++in_flight_;
  shard.writer->submit(std::move(batch), [this](AppendOutcome outcome) {
    if (outcome != AppendOutcome::committed) std::abort();
    --in_flight_;
  });
}

void XpStage::flush() {
  for (ShardNo shard = 0; shard < shards_.size(); ++shard)
    if (shards_[shard].builder.records() > 0) submit(shard);
  while (in_flight_ > 0) std::this_thread::yield();
}

std::uint64_t XpStage::records() const {
  std::uint64_t out = 0;
  for (const Shard& shard : shards_) out += shard.end.sequence;
  return out;
}

XpFlow::XpFlow(XpStage& stage, std::size_t per_second) {
  thread_ = std::jthread([this, &stage, per_second](std::stop_token stop) {
    std::mt19937_64 random(2);
    while (!stop.stop_requested()) {
      const auto due = static_cast<std::uint64_t>(
          std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count() * static_cast<double>(per_second));
      for (; completed_ < due; ++completed_) stage.complete(random() % stage.size());
      stage.flush();
      std::this_thread::sleep_for(flow_turn);
    }
  });
}

XpFlow::~XpFlow() {
  thread_.request_stop();
  thread_.join();
}

double XpFlow::per_second() const {
  return static_cast<double>(completed_) / std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
}

}  // namespace guildhall
