#include "bench/scenario.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <set>
#include <stdexcept>

#include "bench/requests.h"

namespace guildhall {
namespace {

constexpr int days_of_week = 7;
constexpr std::size_t uuid_characters = 36;

// Collects what a line of `log show --type calendar.v1.SlotsGenerated` added.
class SlotLines : public LineConsumer {
 public:
  SlotLines(std::string today, std::vector<std::string>& slots) : today_(std::move(today)), slots_(slots) {}

  void line(std::string_view text) override {
    if (text_member(text, "day") <= today_) return;
    if (!text.contains(R"("removed":[])")) throw std::runtime_error("the stage has removed slots: " + std::string(text));
    constexpr std::string_view id = R"("slot_id":")";
    text = text.substr(0, text.find(R"("removed")"));
    for (auto at = text.find(id); at != std::string_view::npos; at = text.find(id, at)) {
      at += id.size();
      slots_.emplace_back(text.substr(at, uuid_characters));
    }
  }

 private:
  std::string today_;
  std::vector<std::string>& slots_;
};

std::string utc_date() {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                static_cast<unsigned>(day.day()));
  return text.data();
}

}  // namespace

Stage set_stage(const Server& server, const StageOptions& options) {
  std::mt19937_64 random(options.seed);
  std::vector<std::string> experts;
  Stage stage;
  for (std::size_t i = 0; i < options.experts; ++i) experts.push_back(random_uuid(random));
  for (std::size_t i = 0; i < options.learners; ++i) stage.learners.push_back(random_uuid(random));

  const auto began = std::chrono::steady_clock::now();
  const auto send = [&](const std::string& path, std::size_t count, const std::function<std::string(std::size_t)>& body) {
    send_all(server, count, [&](std::size_t i) { return Command{path, body(i)}; });
    stage.commands += count;
  };
  send("/v1/accounts", options.experts + options.learners, [&](std::size_t i) {
    return i < options.experts ? account_body(experts[i], "expert", i)
                               : account_body(stage.learners[i - options.experts], "learner", i - options.experts);
  });
  send("/v1/sessions", options.experts, [&](std::size_t i) {
    return R"({"expert_id":")" + experts[i] +
           R"(","title":"An hour","duration_minutes":60,"price_cents":50000,"currency":"DKK","max_participants":1})";
  });
  send("/v1/availability-windows", options.experts * days_of_week, [&](std::size_t i) {
    return R"({"expert_id":")" + experts[i % options.experts] + R"(","day_of_week":)" + std::to_string(i / options.experts) +
           R"(,"start_time":"09:00","end_time":"17:00","timezone":"UTC"})";
  });
  stage.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return stage;
}

void read_slots(const Installation& installation, const std::filesystem::path& data, const StageOptions& options, Stage& stage) {
  SlotLines lines(utc_date(), stage.slots);
  std::vector<std::string> show{installation.program.string(), "log",    "show",       "--type",
                                "calendar.v1.SlotsGenerated",  "--data", data.string()};
  show.insert(show.end(), installation.log.begin(), installation.log.end());
  run_program(std::move(show), {}, installation.output, lines);
  std::mt19937_64 random(options.seed);
  std::ranges::shuffle(stage.slots, random);
}

BookingSource::BookingSource(const Server& server, const Stage& stage, std::size_t& sold, double refused_share,
                             std::uint64_t seed)
    : stage_(stage), sold_(sold), wants_refusal_(refused_share), random_(seed) {
  const std::string key(2 * key_characters, 'k');
  const std::string slot(uuid_characters, 's'), learner(uuid_characters, 'l');
  template_ = post_request(server, "/v1/bookings", key,
                           R"({"slot_id":")" + slot + R"(","learner_id":")" + learner + R"(","notes":"hi"})");
  key_at_ = template_.find(key);
  slot_at_ = template_.find(slot);
  learner_at_ = template_.find(learner);
  // Keys of two runs differ, or the second would be answered from the first.
  hex(random_()).copy(template_.data() + key_at_, key_characters);
}

bool BookingSource::next(std::string& out) {
  // Some of those tried before may still be under way; that answer then goes to the other request.
  const bool again = sold_ > 0 && wants_refusal_(random_);
  if (!again && sold_ == stage_.slots.size()) return false;
  const std::string& slot = stage_.slots[again ? random_() % sold_ : sold_++];
  const std::string& learner = stage_.learners[random_() % stage_.learners.size()];
  out = template_;
  hex(++sent_).copy(out.data() + key_at_ + key_characters, key_characters);
  slot.copy(out.data() + slot_at_, uuid_characters);
  learner.copy(out.data() + learner_at_, uuid_characters);
  return true;
}

}  // namespace guildhall
