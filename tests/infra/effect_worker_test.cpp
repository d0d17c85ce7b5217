// Calls whose outcome is unknown are asked for again, by the same id, until there is one; nothing is recorded before (PY-7).
#include "infra/effect_worker.h"

#include <gtest/gtest.h>

#include <vector>

namespace guildhall::test {
namespace {

using Kind = ProcessorAnswer::Kind;

struct SetClock final : Clock {
  Micros time = 1'774'785'600'000'000;  // 2026-03-29T12:00:00Z
  Micros now() const override { return time; }
};

// Does not answer until it is told what.
struct SilentProcessor final : PaymentProcessor {
  PerformedCall perform(const Effect& effect) override {
    asked.push_back(effect.id);
    return {.answer = {.kind = answer}};
  }
  Kind answer = Kind::unknown;
  std::vector<Uuid> asked;
};

class Effects : public testing::TestWithParam<Kind> {
 protected:
  static Effect payout(std::uint64_t n) {
    return {.id = Uuid(0x1111111111118000ULL, 0x8000000000000000ULL | n),
            .call = ::payment::v1::Call::payout,
            .amount_cents = 5'000};
  }
  void run_for(Micros time) {
    const Micros end = clock_.time + time;
    for (; clock_.time < end; clock_.time += EffectWorker::retry_after_us)
      while (worker_.step()) {
      }
  }
  SetClock clock_;
  SilentProcessor processor_;
  std::vector<Kind> recorded_;
  EffectWorker worker_{processor_, clock_, [this](const Effect&, const ProcessorAnswer& a, int) { recorded_.push_back(a.kind); }};
};

TEST_P(Effects, a_payout_without_an_outcome_is_asked_for_until_there_is_one) {  // PY-7
  worker_.want(payout(1), true);
  run_for(26 * hour_us);
  EXPECT_GT(processor_.asked.size(), 17'000u);
  EXPECT_EQ(std::vector(processor_.asked.size(), payout(1).id), processor_.asked) << "one call, however often it is asked for";
  EXPECT_TRUE(recorded_.empty()) << "no outcome is made up";
  EXPECT_EQ(worker_.pending(), 1u);
  EXPECT_EQ(worker_.longest_wait(), 26 * hour_us);
  worker_.want(payout(2), true);
  EXPECT_EQ(worker_.longest_wait(), 26 * hour_us);

  processor_.answer = GetParam();
  run_for(EffectWorker::retry_after_us);
  EXPECT_EQ(recorded_, (std::vector<Kind>(2, GetParam())));
  worker_.want(payout(1), false);
  EXPECT_EQ(worker_.longest_wait(), EffectWorker::retry_after_us);
  worker_.want(payout(2), false);
  EXPECT_EQ(worker_.longest_wait(), 0);
}

INSTANTIATE_TEST_SUITE_P(Outcomes, Effects, testing::Values(Kind::succeeded, Kind::declined));

}  // namespace
}  // namespace guildhall::test
