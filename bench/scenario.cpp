#include "bench/scenario.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <set>
#include <stdexcept>

namespace guildhall {
namespace {

constexpr std::size_t stage_connections = 64;
constexpr int days_of_week = 7;
constexpr std::size_t uuid_characters = 36;
constexpr std::size_t key_characters = 16;
constexpr std::size_t answer_excerpt_bytes = 500;

std::string hex(std::uint64_t value) {
  std::string out(key_characters, '0');
  for (std::size_t i = key_characters; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
  return out;
}

std::string random_uuid(std::mt19937_64& random) {
  const std::string high = hex((random() & ~std::uint64_t{0xf000}) | 0x4000);
  const std::string low = hex((random() & ~(std::uint64_t{3} << 62)) | std::uint64_t{2} << 62);
  return high.substr(0, 8) + "-" + high.substr(8, 4) + "-" + high.substr(12) + "-" + low.substr(0, 4) + "-" + low.substr(4);
}

std::string post(const Server& server, std::string_view path, std::string_view key, std::string_view body) {
  std::string out = "POST ";
  out.append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1:").append(std::to_string(server.port()));
  out.append("\r\nAuthorization: Bearer ").append(server.service_key());
  out.append("\r\nContent-Type: application/json\r\nIdempotency-Key: ").append(key);
  out.append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return out;
}

// A list of commands of one kind, all of which must be accepted.
class SetUp : public RequestSource {
 public:
  using Body = std::function<std::string(std::size_t)>;
  SetUp(const Server& server, std::string path, std::size_t count, Body body)
      : server_(server), path_(std::move(path)), count_(count), body_(std::move(body)) {}

  bool next(std::string& out) override {
    if (sent_ == count_) return false;
    out = post(server_, path_, "stage" + path_ + "/" + std::to_string(sent_), body_(sent_));
    ++sent_;
    return true;
  }
  void answered(int status, std::string_view body) override {
    if (status < 200 || status >= 300)
      throw std::runtime_error("POST " + path_ + " was answered " + std::to_string(status) + ": " +
                               std::string(body.substr(0, answer_excerpt_bytes)));
  }

 private:
  const Server& server_;
  std::string path_;
  std::size_t count_;
  Body body_;
  std::size_t sent_ = 0;
};

std::string account(const std::string& id, std::string_view role, std::size_t number) {
  const std::string name = std::string(role) + std::to_string(number);
  return R"({"id":")" + id + R"(","email":")" + name + R"(@example.com","display_name":")" + name + R"(","role":")" +
         std::string(role) + R"(","timezone":"UTC"})";
}

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
  const auto send = [&](std::string path, std::size_t count, SetUp::Body body) {
    SetUp source(server, std::move(path), count, std::move(body));
    LoadOptions load;
    load.port = server.port();
    load.connections = stage_connections;
    if (run_load(load, source).broken_connections > 0)
      throw std::runtime_error("the server broke a connection while the stage was set");
    stage.commands += count;
  };
  send("/v1/accounts", options.experts + options.learners, [&](std::size_t i) {
    return i < options.experts ? account(experts[i], "expert", i)
                               : account(stage.learners[i - options.experts], "learner", i - options.experts);
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
  template_ =
      post(server, "/v1/bookings", key, R"({"slot_id":")" + slot + R"(","learner_id":")" + learner + R"(","notes":"hi"})");
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
