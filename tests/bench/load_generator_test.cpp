#include "bench/load_generator.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/response_reader.h"

namespace guildhall {
namespace {

using namespace std::chrono_literals;

// ---- responses

struct ReaderCase {
  const char* name;
  std::string bytes;
  ResponseReader::State state;
  int status = 0;
  std::string body = {};
  bool closes = false;
};

const std::vector<ReaderCase>& reader_cases() {
  using enum ResponseReader::State;
  static const std::vector<ReaderCase> cases{
      {"a body", "HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello", whole, 201, "hello"},
      {"an empty body", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", whole, 200},
      {"no content", "HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n", whole, 204},
      {"close", "HTTP/1.1 409 Conflict\r\nCONNECTION: Close\r\nContent-Length: 2\r\n\r\n{}", whole, 409, "{}", true},
      {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", partial},
      {"half a head", "HTTP/1.1 200 OK\r\nContent-Le", partial},
      {"more than the body", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", broken},
      {"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", broken},
      {"no length", "HTTP/1.1 200 OK\r\nDate: x\r\n\r\n", broken},
      {"another version", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", broken},
      {"no number", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", broken},
      {"too long a head", "HTTP/1.1 200 OK\r\nX: " + std::string(ResponseReader::max_head_bytes, 'x'), broken},
  };
  return cases;
}

// Gives the reader `step` bytes at a time until it says something definite.
ResponseReader::State feed(ResponseReader& reader, std::string_view bytes, std::size_t step) {
  auto state = ResponseReader::State::partial;
  while (!bytes.empty() && state == ResponseReader::State::partial) {
    const auto room = reader.room();
    const std::size_t count = std::min({step, bytes.size(), room.size()});
    std::memcpy(room.data(), bytes.data(), count);
    state = reader.took(count);
    bytes.remove_prefix(count);
  }
  return state;
}

TEST(ResponseReader, reads_what_it_knows_and_refuses_the_rest) {
  for (const auto& c : reader_cases()) {
    ResponseReader reader;
    EXPECT_EQ(feed(reader, c.bytes, c.bytes.size()), c.state) << c.name;
    if (c.state != ResponseReader::State::whole) continue;
    EXPECT_EQ(reader.status(), c.status) << c.name;
    EXPECT_EQ(reader.body(), c.body) << c.name;
    EXPECT_EQ(reader.closes(), c.closes) << c.name;
  }
}

TEST(ResponseReader, a_response_may_come_in_pieces_of_any_size_and_be_followed_by_another) {
  for (std::size_t step = 1; step < 20; ++step) {
    ResponseReader reader;
    for (const auto& c : reader_cases()) {
      if (c.state != ResponseReader::State::whole) continue;
      EXPECT_EQ(feed(reader, c.bytes, step), ResponseReader::State::whole) << c.name << ", " << step << " at a time";
      EXPECT_EQ(reader.body(), c.body) << c.name;
      reader.clear();
    }
  }
}

// ---- load

// Answers each request by what `answer` makes of its number; a thread for each connection.
class StubServer {
 public:
  explicit StubServer(std::function<std::string(std::uint64_t)> answer)
      : answer_(std::move(answer)), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd_, 64) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no stub server");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] {
      for (int peer = ::accept(fd_, nullptr, nullptr); peer >= 0; peer = ::accept(fd_, nullptr, nullptr))
        peers_.emplace_back([this, peer] { serve(peer); });
    });
  }
  ~StubServer() {
    ::shutdown(fd_, SHUT_RDWR);
    acceptor_.join();
    peers_.clear();
    ::close(fd_);
  }
  std::uint16_t port() const { return port_; }
  std::uint64_t requests() const { return requests_; }

 private:
  void serve(int peer) {
    const int on = 1;
    ::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::array<char, 4096> buffer;
    for (;;) {
      const ssize_t got = ::recv(peer, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      const std::string answer = answer_(requests_++);
      if (answer.empty()) break;
      // Two pieces, so that the generator has to put them together.
      ::send(peer, answer.data(), 10, MSG_NOSIGNAL);
      ::send(peer, answer.data() + 10, answer.size() - 10, MSG_NOSIGNAL);
      if (answer.contains("close")) break;
    }
    ::close(peer);
  }

  std::function<std::string(std::uint64_t)> answer_;
  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> requests_{0};
  std::vector<std::jthread> peers_;
  std::jthread acceptor_;
};

std::string response(int status, std::string_view extra = {}) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string(extra) + "Content-Length: 2\r\n\r\nok";
}

struct Requests : RequestSource {
  explicit Requests(std::size_t most) : most_(most) {}
  bool next(std::string& out) override {
    if (sent == most_) return false;
    ++sent;
    out = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    return true;
  }
  void answered(int, std::string_view) override { ++answers; }
  std::size_t most_, sent = 0, answers = 0;
};

TEST(LoadGenerator, sends_all_there_is_and_counts_by_kind_of_answer) {
  StubServer server([](std::uint64_t n) { return response(n % 10 == 0 ? 409 : n % 10 == 1 ? 503 : n % 10 == 2 ? 500 : 201); });
  Requests source(1000);
  const LoadResult r = run_load({.port = server.port(), .connections = 8}, source);
  EXPECT_EQ(r.accepted.count(), 700U);
  EXPECT_EQ(r.refused.count(), 100U);
  EXPECT_EQ(r.unavailable, 100U);
  EXPECT_EQ(r.other, 100U);
  EXPECT_EQ(r.broken_connections, 0U);
  EXPECT_TRUE(r.source_ended);
  EXPECT_EQ(source.answers, 1000U);
  EXPECT_GT(r.accepted_per_s(), 0);
  EXPECT_TRUE(r.first_other == "503 ok" || r.first_other == "500 ok");
}

TEST(LoadGenerator, with_a_rate_no_request_is_sent_before_it_is_due) {
  StubServer server([](std::uint64_t) { return response(200); });
  Requests source(51);
  const auto began = std::chrono::steady_clock::now();
  const LoadResult r = run_load({.port = server.port(), .connections = 4, .per_second = 500}, source);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 100ms);  // The last is due 50 requests after the first.
  EXPECT_EQ(r.accepted.count(), 51U);
  EXPECT_TRUE(r.source_ended);
}

TEST(LoadGenerator, connects_anew_when_the_server_closes_after_an_answer) {
  StubServer server([](std::uint64_t n) { return n % 50 == 49 ? response(200, "Connection: close\r\n") : response(200); });
  Requests source(500);
  const LoadResult r = run_load({.port = server.port(), .connections = 2}, source);
  EXPECT_EQ(r.accepted.count(), 500U);
  EXPECT_EQ(r.reconnects, 10U);
  EXPECT_EQ(r.broken_connections, 0U);
}

TEST(LoadGenerator, a_connection_that_breaks_is_counted_and_its_request_not_sent_again) {
  StubServer server([](std::uint64_t n) { return n % 100 == 99 ? std::string() : response(200); });
  Requests source(1000);
  const LoadResult r = run_load({.port = server.port(), .connections = 4}, source);
  EXPECT_EQ(r.broken_connections, 10U);
  EXPECT_EQ(r.accepted.count(), 990U);
  EXPECT_EQ(server.requests(), 1000U);
}

TEST(LoadGenerator, measures_between_the_two_marks_and_waits_for_what_is_under_way) {
  StubServer server([](std::uint64_t) { return response(200); });
  Requests source(~std::size_t{0});
  std::size_t at_begin = 0, at_end = 0;
  LoadOptions options{.port = server.port(), .connections = 3, .warmup = 50ms, .measured = 100ms};
  options.on_begin = [&] { at_begin = source.answers; };
  options.on_end = [&] { at_end = source.answers; };
  const LoadResult r = run_load(options, source);
  EXPECT_GT(at_begin, 0U);
  EXPECT_EQ(r.accepted.count(), at_end - at_begin);
  EXPECT_EQ(source.answers, source.sent);
  EXPECT_LE(source.answers - at_end, 3U);
  EXPECT_GE(r.seconds, 0.1);
  EXPECT_FALSE(r.source_ended);
}

TEST(LoadGenerator, holds_back_while_it_is_told_to) {
  StubServer server([](std::uint64_t) { return response(200); });
  Requests source(~std::size_t{0});
  const std::atomic<bool> always{true};
  const LoadResult r = run_load({.port = server.port(), .connections = 2, .measured = 50ms, .hold_back = &always}, source);
  EXPECT_EQ(source.sent, 0U);
  EXPECT_NEAR(r.held_back_seconds, r.seconds, 0.01);
}

TEST(LoadGenerator, gives_up_when_no_answer_comes) {
  StubServer server([](std::uint64_t) {
    std::this_thread::sleep_for(1500ms);
    return response(200);
  });
  Requests source(2);
  EXPECT_THROW(run_load({.port = server.port(), .connections = 1, .answer_deadline = 1s}, source), std::runtime_error);
}

TEST(LoadGenerator, a_single_request_needs_no_source) {
  StubServer server([](std::uint64_t) { return response(200); });
  const HttpAnswer answer = http_get(server.port(), "/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok");
}

}  // namespace
}  // namespace guildhall
