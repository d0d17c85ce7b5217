#include "bench/lesson_flow.h"

#include "bench/follow_flow.h"
#include "bench/requests.h"

namespace guildhall {

LessonStage set_lesson_stage(const Server& server, std::size_t lessons, std::size_t learners) {
  LessonStage stage;
  stage.learners = set_members(server, learners);
  for (const std::string& made : send_all(server, lessons, [](std::size_t i) {
         return Command{"/v1/lessons", R"({"level_id":1,"gate_id":)" + std::to_string(i + 1) + R"(,"title":"Lesson )" +
                                           std::to_string(i + 1) + R"(","content_data":"{}","xp_reward":10})"};
       }))
    stage.lessons.push_back(text_member(made, "id"));
  send_all(server, lessons, [&](std::size_t i) { return Command{"/v1/lessons/" + stage.lessons[i] + "/publish", "{}"}; });
  return stage;
}

bool LessonFlow::next(std::string& out) {
  if (sent_ == stage_.lessons.size() * stage_.learners.size()) return false;
  const std::string& lesson = stage_.lessons[sent_ / stage_.learners.size()];
  const std::string& learner = stage_.learners[sent_ % stage_.learners.size()];
  ++sent_;
  out = post_request(server_, "/v1/lessons/" + lesson + "/complete", lesson + learner,
                     R"({"learner_id":")" + learner + R"(","time_spent_seconds":60})");
  return true;
}

void LessonFlow::answered(int status, std::string_view body) {
  if (status == 503) return;  // Counted by the load.
  expect_accepted("a lesson", status, body);
}

}  // namespace guildhall
