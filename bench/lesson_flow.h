// Lessons of the trading education platform, handed in for the first time: each is XP, a day of a streak, and points on four
// leaderboards.
#pragma once

#include <string>
#include <vector>

#include "bench/load_generator.h"
#include "bench/server.h"

namespace guildhall {

struct LessonStage {
  std::vector<std::string> lessons;  // Open to everybody, without an assessment.
  std::vector<std::string> learners;
};
LessonStage set_lesson_stage(const Server& server, std::size_t lessons, std::size_t learners);

class LessonFlow : public RequestSource {
 public:
  // Every learner hands in every lesson once; the stage outlives it. Ends when all have.
  LessonFlow(const Server& server, const LessonStage& stage) : server_(server), stage_(stage) {}
  bool next(std::string& out) override;
  // Throws when a lesson is refused.
  void answered(int status, std::string_view body) override;

 private:
  const Server& server_;
  const LessonStage& stage_;
  std::size_t sent_ = 0;
};

}  // namespace guildhall
