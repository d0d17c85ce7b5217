#include "bench/requests.h"

#include <stdexcept>

#include "bench/load_generator.h"

namespace guildhall {
namespace {

constexpr std::size_t stage_connections = 64;
constexpr std::size_t answer_excerpt_bytes = 500;

class SetUp : public RequestSource {
 public:
  using Make = std::function<Command(std::size_t)>;
  SetUp(const Server& server, std::size_t count, const Make& make) : server_(server), count_(count), make_(make) {}

  bool next(std::string& out) override {
    if (sent_ == count_) return false;
    const Command c = make_(sent_);
    // The same path may get another body later: a key for each.
    out = post_request(server_, c.path, "stage" + c.path + "/" + hex(std::hash<std::string>{}(c.body)) + std::to_string(sent_),
                       c.body);
    ++sent_;
    return true;
  }
  void answered(int status, std::string_view body) override {
    expect_accepted("a command of the stage", status, body);
    answers_.emplace_back(body);
  }
  std::vector<std::string> take() { return std::move(answers_); }

 private:
  const Server& server_;
  std::size_t count_;
  const Make& make_;
  std::size_t sent_ = 0;
  std::vector<std::string> answers_;
};

}  // namespace

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

std::string post_request(const Server& server, std::string_view path, std::string_view key, std::string_view body) {
  std::string out = "POST ";
  out.append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1:").append(std::to_string(server.port()));
  out.append("\r\nAuthorization: Bearer ").append(server.service_key());
  out.append("\r\nContent-Type: application/json\r\nIdempotency-Key: ").append(key);
  out.append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return out;
}

std::string account_body(const std::string& id, std::string_view role, std::size_t number) {
  const std::string name = std::string(role) + std::to_string(number);
  return R"({"id":")" + id + R"(","email":")" + name + R"(@example.com","display_name":")" + name + R"(","role":")" +
         std::string(role) + R"(","timezone":"UTC"})";
}

void expect_accepted(std::string_view what, int status, std::string_view body) {
  if (status < 200 || status >= 300)
    throw std::runtime_error(std::string(what) + " was answered " + std::to_string(status) + ": " +
                             std::string(body.substr(0, answer_excerpt_bytes)));
}

std::vector<std::string> send_all(const Server& server, std::size_t count, const std::function<Command(std::size_t)>& command) {
  SetUp source(server, count, command);
  LoadOptions load;
  load.port = server.port();
  load.connections = stage_connections;
  if (run_load(load, source).broken_connections > 0)
    throw std::runtime_error("the server broke a connection while the stage was set");
  return source.take();
}

}  // namespace guildhall
