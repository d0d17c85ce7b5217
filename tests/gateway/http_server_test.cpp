// The server over real sockets on 127.0.0.1: framing of answers, order, limits, drain, answers from anywhere at any time, and
// live bodies (of notifications: PA-102).
#include "gateway/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <latch>
#include <mutex>
#include <optional>
#include <thread>

#include "gateway/live_body.h"

namespace guildhall {
namespace {

constexpr auto patience = std::chrono::seconds(5);  // Of a test for what must happen; nothing here takes that long.
constexpr Micros start_us = 1'718'109'296 * second_us;
constexpr std::string_view start_date = "Tue, 11 Jun 2024 12:34:56 GMT";

class ManualClock : public Clock {
 public:
  Micros now() const override { return now_us.load(); }
  std::atomic<Micros> now_us = start_us;
};

// A blocking client that reads whole responses.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval timeout{.tv_sec = patience.count(), .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { hang_up(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }

  // False once the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // The next response with its head and body; "" when the connection ends or `patience` does. A response to HEAD has no body.
  std::string response(bool to_head = false) {
    std::size_t head_end = std::string::npos;
    while ((head_end = received_.find("\r\n\r\n")) == std::string::npos)
      if (!receive()) return {};
    std::size_t size = head_end + 4;
    constexpr std::string_view length_field = "\r\nContent-Length: ";
    const std::size_t length = received_.find(length_field);
    if (!to_head && length < head_end) size += std::stoul(received_.substr(length + length_field.size()));
    while (received_.size() < size)
      if (!receive()) return {};
    const std::string whole = received_.substr(0, size);
    received_.erase(0, size);
    return whole;
  }

  std::string ask(std::string_view request) {
    send(request);
    return response();
  }

  // The head of a response whose body comes in chunks.
  std::string head() { return taken_through("\r\n\r\n"); }
  // The next chunk: "" is the last one, nothing that the connection ended before it.
  std::optional<std::string> chunk() {
    const std::string size_line = taken_through("\r\n");
    if (size_line.empty()) return std::nullopt;
    const std::size_t size = std::stoul(size_line, nullptr, 16);
    while (received_.size() < size + 2)
      if (!receive()) return std::nullopt;
    const std::string bytes = received_.substr(0, size);
    received_.erase(0, size + 2);
    return bytes;
  }

  // Whether the server ends the connection, with nothing more sent.
  bool closed_by_server() { return received_.empty() && !receive() && !timed_out_; }

  void hang_up() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

 private:
  std::string taken_through(std::string_view mark) {
    std::size_t at = 0;
    while ((at = received_.find(mark)) == std::string::npos)
      if (!receive()) return {};
    const std::string taken = received_.substr(0, at + mark.size());
    received_.erase(0, taken.size());
    return taken;
  }
  bool receive() {
    char bytes[4096];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count > 0) received_.append(bytes, static_cast<std::size_t>(count));
    timed_out_ = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return count > 0;
  }

  int socket_;
  bool connected_ = false;
  bool timed_out_ = false;
  std::string received_;
};

// A thread-safe queue whose reader waits.
template <typename T>
class Channel {
 public:
  void put(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    arrived_.notify_all();
  }
  std::optional<T> take() {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, patience, [this] { return !values_.empty(); })) return std::nullopt;
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }
  std::optional<T> take_now() {
    const std::lock_guard lock(mutex_);
    if (values_.empty()) return std::nullopt;
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<T> values_;
};

struct Logged {
  std::string method, path, request_id, problem;
  int status = 0;
  Micros duration_us = 0;
  std::uint64_t sent_bytes = 0;
  bool is_live = false;
};

struct Asked {
  Request request;
  Respond respond;
};

std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) + "\r\n";
}
std::string post(std::string_view path, std::string_view body, std::string_view fields = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}
bool says_close(const std::string& response) { return response.contains("\r\nConnection: close\r\n"); }
std::string body_of(const std::string& response) {
  const std::size_t head_end = response.find("\r\n\r\n");
  return head_end == std::string::npos ? "" : response.substr(head_end + 4);
}

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    options.gate.allowed_hosts = {"localhost"};
    options.request_id_seed = 7;
    options.limits.sweep_interval_us = second_us / 200;  // Tests of deadlines should not take seconds.
    options.on_access = [this](const AccessRecord& record) {
      log.put({std::string(record.method), std::string(record.path), std::string(record.request_id), std::string(record.problem),
               record.status, record.duration_us, record.sent_bytes, record.is_live});
    };
  }
  ~HttpServerTest() override {
    server.reset();  // Before what its callbacks use.
  }

  void start(Handler handler) {
    server = std::make_unique<HttpServer>(options, std::move(handler));
    server->start();
  }
  // Answers at once with the path, and the body behind it.
  void start_echo() {
    start([](Request request, Respond respond) {
      respond({.headers = {{"Content-Type", "text/plain"}}, .body = request.path + "|" + request.body});
    });
  }
  // Hands every request to the test.
  void start_asking() {
    start([this](Request request, Respond respond) { asked.put({std::move(request), std::move(respond)}); });
  }

  ManualClock clock;
  HttpServerOptions options{.clock = clock};
  Channel<Logged> log;
  Channel<Asked> asked;
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpServerTest, answers_with_exactly_these_bytes) {
  start_echo();
  Client client(server->port());
  EXPECT_EQ(client.ask(get("/a", "X-Request-Id: my-id.1\r\n")),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nDate: " + std::string(start_date) +
                "\r\nX-Request-Id: my-id.1\r\n\r\n/a|");
}

TEST_F(HttpServerTest, date_follows_the_clock) {
  start_echo();
  Client client(server->port());
  EXPECT_TRUE(client.ask(get("/a")).contains(start_date));
  clock.now_us += 200 * day_us + 4 * second_us;
  EXPECT_TRUE(client.ask(get("/a")).contains("\r\nDate: Sat, 28 Dec 2024 12:35:00 GMT\r\n"));
}

TEST_F(HttpServerTest, gives_the_handler_the_parsed_request) {
  start_asking();
  Client client(server->port());
  client.send(post("/v1/x?a=b", "{}", "Idempotency-Key: k\r\n"));
  std::optional<Asked> one = asked.take();
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->request.method, Method::post);
  EXPECT_EQ(one->request.path, "/v1/x");
  EXPECT_EQ(one->request.query, "a=b");
  EXPECT_EQ(one->request.header("idempotency-key"), "k");
  EXPECT_EQ(one->request.body, "{}");
  EXPECT_EQ(one->request.host, "localhost");
  EXPECT_EQ(one->request.remote_address, "127.0.0.1");
  EXPECT_EQ(one->request.received_at, start_us);
  EXPECT_EQ(one->request.request_id.size(), 13U);
  clock.now_us += 1'500;
  one->respond({.status = 201});
  EXPECT_TRUE(client.response().starts_with("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n"));
  const std::optional<Logged> record = log.take();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->method, "POST");
  EXPECT_EQ(record->path, "/v1/x");
  EXPECT_EQ(record->status, 201);
  EXPECT_EQ(record->request_id, one->request.request_id);
  EXPECT_EQ(record->duration_us, 1'500);
  EXPECT_GT(record->sent_bytes, 0U);
  EXPECT_EQ(record->problem, "");
}

TEST_F(HttpServerTest, mints_a_request_id_where_the_clients_is_no_token) {
  start_echo();
  Client client(server->port());
  for (const std::string& id : {std::string("has blank"), std::string("a;b"), std::string(), std::string(129, 'a')}) {
    const std::string response = client.ask(get("/", "X-Request-Id: " + id + "\r\n"));
    EXPECT_FALSE(response.contains("X-Request-Id: " + id + "\r\n")) << id;
  }
  const std::string longest(128, 'a');
  EXPECT_TRUE(client.ask(get("/", "X-Request-Id: " + longest + "\r\n")).contains("X-Request-Id: " + longest + "\r\n"));
}

TEST_F(HttpServerTest, keeps_a_connection_alive_until_the_client_says_close) {
  start_echo();
  Client client(server->port());
  for (int i = 0; i < 5; ++i) {
    const std::string response = client.ask(post("/" + std::to_string(i), "body"));
    EXPECT_EQ(body_of(response), "/" + std::to_string(i) + "|body");
    EXPECT_FALSE(says_close(response));
  }
  EXPECT_TRUE(says_close(client.ask(get("/last", "Connection: close\r\n"))));
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(HttpServerTest, answers_pipelined_requests_in_order) {
  start_asking();
  Client client(server->port());
  client.send(get("/1") + post("/2", "two") + get("/3"));
  for (const std::string path : {"/1", "/2", "/3"}) {
    std::optional<Asked> one = asked.take();
    ASSERT_TRUE(one.has_value());
    EXPECT_EQ(one->request.path, path);  // The next is not asked before this one is answered.
    one->respond({.body = one->request.path + one->request.body});
  }
  EXPECT_EQ(body_of(client.response()), "/1");
  EXPECT_EQ(body_of(client.response()), "/2two");
  EXPECT_EQ(body_of(client.response()), "/3");
}

TEST_F(HttpServerTest, reads_requests_byte_by_byte) {
  start_echo();
  Client client(server->port());
  const std::string requests = post("/slow", "abc") + get("/next");
  for (const char byte : requests) ASSERT_TRUE(client.send(std::string_view(&byte, 1)));
  EXPECT_EQ(body_of(client.response()), "/slow|abc");
  EXPECT_EQ(body_of(client.response()), "/next|");
}

TEST_F(HttpServerTest, carries_large_heads_bodies_and_responses) {
  start([](Request request, Respond respond) {
    respond({.headers = {{"X-Length", std::to_string(request.body.size())}}, .body = std::string(8 * 1024 * 1024, 'z')});
  });
  Client client(server->port());
  for (int i = 0; i < 2; ++i) {
    const std::string response =
        client.ask(post("/", std::string(options.gate.body_bytes, 'b'), "X-Fill: " + std::string(20'000, 'f') + "\r\n"));
    EXPECT_TRUE(response.contains("\r\nX-Length: 65536\r\n"));
    EXPECT_EQ(body_of(response).size(), 8U * 1024 * 1024);
  }
}

TEST_F(HttpServerTest, sends_no_body_where_http_forbids_one) {
  start([](Request request, Respond respond) {
    respond({.status = request.path == "/204" ? 204 : request.path == "/304" ? 304 : 200, .body = "text"});
  });
  Client client(server->port());
  client.send("HEAD /200 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string to_head = client.response(/*to_head=*/true);
  EXPECT_TRUE(to_head.contains("\r\nContent-Length: 4\r\n"));
  for (const std::string path : {"/204", "/304"}) {
    const std::string response = client.ask(get(path));
    EXPECT_TRUE(response.starts_with("HTTP/1.1 " + path.substr(1))) << response;  // Nothing of the last body lay in between.
    EXPECT_FALSE(response.contains("Content-Length"));
  }
  EXPECT_EQ(body_of(client.ask(get("/200"))), "text");
}

TEST_F(HttpServerTest, refuses_with_a_problem_and_closes) {
  start_echo();
  struct Case {
    std::string request;
    int status;
    std::string_view code;
  };
  const std::vector<Case> cases = {
      {post("/", "x", "Transfer-Encoding: chunked\r\n"), 400, "invalid_request"},
      {"GET / HTTP/1.1\nHost: localhost\n\n", 400, "invalid_request"},
      {"GET / HTTP/1.1\r\nHost: foreign\r\n\r\n", 400, "invalid_request"},
      {std::string(24 * 1024, 'a'), 400, "invalid_request"},
      {"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "method_not_allowed"},
      {post("/", std::string(options.gate.body_bytes + 1, 'b')), 413, "too_large"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.request.substr(0, 60));
    Client client(server->port());
    const std::string response = client.ask(c.request + get("/smuggled"));
    const std::string status = std::to_string(c.status);
    EXPECT_TRUE(response.starts_with("HTTP/1.1 " + status)) << response;
    EXPECT_TRUE(response.contains("\r\nContent-Type: application/problem+json\r\n"));
    EXPECT_TRUE(says_close(response));
    EXPECT_EQ(response.contains("\r\nAllow: "), c.status == 405);
    const std::string body = body_of(response);
    EXPECT_TRUE(body.starts_with("{\"type\":\"/docs/errors/" + std::string(c.code) + "\",\"title\":\"")) << body;
    EXPECT_TRUE(body.contains("\"status\":" + status + ",\"code\":\"" + std::string(c.code) + "\",\"detail\":\"")) << body;
    EXPECT_TRUE(client.closed_by_server());
    const std::optional<Logged> record = log.take();
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->status, c.status);
    EXPECT_EQ(record->method, "-");
    EXPECT_NE(record->problem, "");
  }
}

TEST_F(HttpServerTest, a_refused_head_request_gets_no_body) {
  start_echo();
  Client client(server->port());
  client.send("HEAD / HTTP/1.1\r\nHost: foreign\r\n\r\n");
  EXPECT_TRUE(client.response(/*to_head=*/true).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(HttpServerTest, tells_a_waiting_client_to_go_on) {
  start_echo();
  Client client(server->port());
  const std::string request = post("/", "body", "Expect: 100-continue\r\n");
  client.send(request.substr(0, request.size() - 4));
  EXPECT_EQ(client.response(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(body_of(client.ask("body")), "/|body");
  EXPECT_EQ(body_of(client.ask(request)), "/|body");  // The body is here already: no interim answer.
}

// ---- deadlines: a drip does not extend them

// Sends one byte after the other, as long as the server takes them; the server must be the one who ends this.
bool drip_until_closed(Client& client, std::string_view first) {
  client.send(first);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < end)
    if (!client.send("x")) return true;
  return false;
}

TEST_F(HttpServerTest, a_dripping_header_hits_its_deadline) {
  options.limits.header_deadline_us = second_us / 20;
  options.gate.header_bytes = std::size_t{1} << 40;  // So that only time can end it.
  options.limits.linger_deadline_us = second_us / 100;
  start_echo();
  Client client(server->port());
  EXPECT_TRUE(drip_until_closed(client, "GET /"));
  const std::optional<Logged> record = log.take();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->status, 0);
  EXPECT_EQ(record->problem, "the request was not complete in time");
}

TEST_F(HttpServerTest, a_dripping_body_hits_its_deadline) {
  options.limits.body_deadline_us = second_us / 20;
  options.gate.body_bytes = std::size_t{1} << 26;
  start_echo();
  Client client(server->port());
  EXPECT_TRUE(drip_until_closed(client, "POST /b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 67108864\r\n\r\n"));
  const std::optional<Logged> record = log.take();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->path, "/b");
  EXPECT_EQ(record->problem, "the request was not complete in time");
}

TEST_F(HttpServerTest, idle_and_silent_connections_are_closed) {
  options.limits.header_deadline_us = second_us / 50;
  options.limits.idle_deadline_us = second_us / 20;
  start_echo();
  Client silent(server->port());
  EXPECT_TRUE(silent.closed_by_server());
  Client idle(server->port());
  EXPECT_EQ(body_of(idle.ask(get("/"))), "/|");
  EXPECT_TRUE(idle.closed_by_server());
}

TEST_F(HttpServerTest, a_client_that_reads_nothing_hits_the_write_deadline) {
  options.limits.write_deadline_us = second_us / 20;
  start([](Request, Respond respond) { respond({.body = std::string(64 * 1024 * 1024, 'z')}); });
  Client client(server->port());
  client.send(get("/big"));
  const std::optional<Logged> record = log.take();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->problem, "the client did not take the response in time");
}

TEST_F(HttpServerTest, a_slow_handler_has_no_deadline) {
  options.limits.header_deadline_us = options.limits.body_deadline_us = second_us / 100;
  options.limits.write_deadline_us = options.limits.idle_deadline_us = second_us / 100;
  start_asking();
  Client slow(server->port());
  slow.send(get("/slow"));
  std::optional<Asked> one = asked.take();
  ASSERT_TRUE(one.has_value());
  Client silent(server->port());  // It began later, and its end shows that all the deadlines have passed.
  EXPECT_TRUE(silent.closed_by_server());
  one->respond({.body = "late"});
  EXPECT_EQ(body_of(slow.response()), "late");
}

// ---- caps

TEST_F(HttpServerTest, connections_end_after_their_share_of_requests) {
  options.limits.connection_requests = 3;
  start_echo();
  Client client(server->port());
  EXPECT_FALSE(says_close(client.ask(get("/"))));
  EXPECT_FALSE(says_close(client.ask(get("/"))));
  EXPECT_TRUE(says_close(client.ask(get("/"))));
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(HttpServerTest, connections_end_at_their_age) {
  options.limits.connection_age_us = 1;
  start_asking();
  Client client(server->port());
  client.send(get("/"));
  std::optional<Asked> one = asked.take();
  ASSERT_TRUE(one.has_value());
  one->respond({});
  EXPECT_FALSE(client.response().empty());
  // The next sweep makes it old; whichever comes first, a request or that sweep, it ends.
  for (;;) {
    client.send(get("/"));
    std::optional<Asked> next = asked.take();
    ASSERT_TRUE(next.has_value());
    next->respond({});
    if (says_close(client.response())) break;
  }
  EXPECT_TRUE(client.closed_by_server());
}

void expect_overloaded(Client& client) {
  const std::string response = client.response();
  EXPECT_TRUE(response.starts_with("HTTP/1.1 503 ")) << response;
  EXPECT_TRUE(response.contains("\r\nRetry-After: 1\r\n"));
  EXPECT_TRUE(response.contains("\"code\":\"overloaded\""));
  EXPECT_TRUE(response.contains("\"retryable\":true"));
  EXPECT_TRUE(says_close(response));
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(HttpServerTest, an_address_has_a_cap_and_gets_its_place_back) {
  options.limits.address_connections = 2;
  start_echo();
  std::optional<Client> first(std::in_place, server->port());
  Client second(server->port());
  EXPECT_FALSE(first->ask(get("/")).empty());
  EXPECT_FALSE(second.ask(get("/")).empty());
  Client third(server->port());
  expect_overloaded(third);
  EXPECT_EQ(log.take()->status, 200);
  EXPECT_EQ(log.take()->status, 200);
  EXPECT_EQ(log.take()->status, 503);
  first.reset();
  const auto end = std::chrono::steady_clock::now() + patience;
  std::string response;
  while (!response.starts_with("HTTP/1.1 200 ") && std::chrono::steady_clock::now() < end)
    response = Client(server->port()).ask(get("/"));  // The server learns of the hang-up in its own time.
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, trusted_addresses_know_only_the_global_cap) {
  options.limits.address_connections = 1;
  options.limits.connections = 3;
  options.trusted_addresses = {"127.0.0.1"};
  start_echo();
  std::deque<Client> clients;
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(clients.emplace_back(server->port()).ask(get("/")).empty());
  Client excess(server->port());
  expect_overloaded(excess);
}

TEST_F(HttpServerTest, refusing_is_bounded_too) {
  options.limits.connections = 1;
  options.limits.refused_connections = 1;
  start_echo();
  Client served(server->port());
  EXPECT_FALSE(served.ask(get("/")).empty());
  Client refused(server->port());
  EXPECT_TRUE(refused.response().starts_with("HTTP/1.1 503 "));
  Client dropped(server->port());  // The refused one lingers still.
  EXPECT_TRUE(dropped.closed_by_server());
}

// ---- where answers come from, and when

TEST_F(HttpServerTest, answers_come_from_any_thread) {
  options.threads = 2;
  options.trusted_addresses = {"127.0.0.1"};
  start_asking();
  constexpr int clients = 8;
  constexpr int requests = 50;
  std::jthread answering([this] {
    for (int i = 0; i < clients * requests; ++i) {
      std::optional<Asked> one = asked.take();
      ASSERT_TRUE(one.has_value());
      one->respond({.body = one->request.path});
    }
  });
  std::vector<std::jthread> asking;
  for (int c = 0; c < clients; ++c) {
    asking.emplace_back([this, c] {
      Client client(server->port());
      for (int i = 0; i < requests; ++i) {
        const std::string path = "/" + std::to_string(c) + "/" + std::to_string(i);
        ASSERT_EQ(body_of(client.ask(get(path))), path);
      }
    });
  }
}

TEST_F(HttpServerTest, a_dropped_respond_closes_the_connection) {
  start([this](Request request, Respond respond) {
    if (request.path == "/later") asked.put({std::move(request), std::move(respond)});
  });
  Client at_once(server->port());
  at_once.send(get("/now"));
  EXPECT_TRUE(at_once.closed_by_server());
  Client later(server->port());
  later.send(get("/later"));
  EXPECT_TRUE(asked.take().has_value());  // And destroyed with its Respond, on this thread.
  EXPECT_TRUE(later.closed_by_server());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(log.take()->problem, "the handler gave no answer");
}

TEST_F(HttpServerTest, an_answer_to_a_client_that_left_is_harmless) {
  start_asking();
  Client client(server->port());
  client.send(get("/gone"));
  std::optional<Asked> one = asked.take();
  ASSERT_TRUE(one.has_value());
  client.hang_up();
  one->respond({.body = std::string(1'000'000, 'z')});
  EXPECT_EQ(log.take()->path, "/gone");
  Client next(server->port());
  next.send(get("/next"));
  one = asked.take();
  ASSERT_TRUE(one.has_value());
  one->respond({.body = "fine"});
  EXPECT_EQ(body_of(next.response()), "fine");
}

TEST_F(HttpServerTest, a_throwing_handler_is_answered_503_and_the_connection_lives_on) {
  start([this](Request request, Respond respond) {
    if (request.path == "/kept") asked.put({Request(), std::move(respond)});
    if (request.path == "/answered") respond({.body = "answered"});
    if (request.path != "/fine") throw std::runtime_error("boom");
    respond({.body = "fine"});
  });
  Client client(server->port());
  const std::string response = client.ask(get("/thrown"));
  EXPECT_TRUE(response.starts_with("HTTP/1.1 503 ")) << response;
  EXPECT_TRUE(response.contains("\"code\":\"internal_error\""));
  EXPECT_FALSE(response.contains("boom"));  // That is for the log.
  EXPECT_EQ(log.take()->problem, "boom");
  EXPECT_TRUE(client.ask(get("/kept")).starts_with("HTTP/1.1 503 "));
  asked.take()->respond({.body = "too late"});
  EXPECT_EQ(body_of(client.ask(get("/answered"))), "answered");
  EXPECT_EQ(body_of(client.ask(get("/fine"))), "fine");
}

TEST_F(HttpServerTest, a_response_that_cannot_be_framed_is_answered_503) {
  const std::vector<Response> broken = {{.headers = {{"Location", "/x\r\nSet-Cookie: stolen=1"}}},
                                        {.headers = {{"Bad Name", "x"}}},
                                        {.headers = {{"", "x"}}},
                                        {.headers = {{"CONTENT-LENGTH", "3"}}},
                                        {.headers = {{"Transfer-Encoding", "chunked"}}},
                                        {.status = 99},
                                        {.status = 1000}};
  start([&](Request request, Respond respond) { respond(broken.at(std::stoul(request.path.substr(1)))); });
  Client client(server->port());
  for (std::size_t i = 0; i < broken.size(); ++i) {
    const std::string response = client.ask(get("/" + std::to_string(i)));
    EXPECT_TRUE(response.starts_with("HTTP/1.1 503 ")) << response;
    EXPECT_FALSE(response.contains("stolen"));
  }
}

// ---- the end

TEST_F(HttpServerTest, drain_closes_the_idle_and_finishes_what_is_in_flight) {
  start_asking();
  Client busy(server->port());
  busy.send(get("/in-flight") + get("/pipelined"));
  std::optional<Asked> one = asked.take();
  ASSERT_TRUE(one.has_value());
  Client idle(server->port());
  idle.send(get("/idle"));
  asked.take()->respond({});
  EXPECT_FALSE(idle.response().empty());

  server->begin_drain();
  server->begin_drain();
  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_FALSE(Client(server->port()).connected());
  one->respond({.body = "done"});
  const std::string response = busy.response();
  EXPECT_EQ(body_of(response), "done");
  EXPECT_TRUE(says_close(response));
  EXPECT_TRUE(busy.closed_by_server());
  busy.hang_up();
  server->stop(patience);
}

TEST_F(HttpServerTest, stop_waits_for_answers_within_its_patience) {
  start_asking();
  Client client(server->port());
  client.send(get("/"));
  std::optional<Asked> one = asked.take();
  ASSERT_TRUE(one.has_value());
  std::jthread stopping([this] { server->stop(patience); });
  one->respond({.body = "in time"});
  EXPECT_EQ(body_of(client.response()), "in time");
  client.hang_up();
}

TEST_F(HttpServerTest, stop_ends_what_outlasts_its_patience) {
  options.threads = 2;
  start_asking();
  Client waiting(server->port());
  waiting.send(get("/never-answered"));
  std::optional<Asked> called_late = asked.take();
  Client other(server->port());
  other.send(get("/never-answered-either"));
  std::optional<Asked> dropped_late = asked.take();
  ASSERT_TRUE(called_late.has_value() && dropped_late.has_value());
  Client half(server->port());
  half.send("GET / HT");
  server->stop(std::chrono::milliseconds(1));
  EXPECT_TRUE(waiting.closed_by_server());
  EXPECT_TRUE(half.closed_by_server());
  server->stop(std::chrono::milliseconds(1));
  server.reset();
  called_late->respond({.body = "nobody is there"});
}

TEST_F(HttpServerTest, answers_race_with_the_end) {
  options.threads = 2;
  start_asking();
  constexpr std::size_t count = 16;
  std::deque<Client> clients;
  std::vector<Asked> waiting;
  for (std::size_t i = 0; i < count; ++i) {
    clients.emplace_back(server->port()).send(get("/"));
    waiting.push_back(*asked.take());
  }
  std::latch together(2);
  std::jthread answering([&] {
    together.arrive_and_wait();
    for (Asked& one : waiting) one.respond({.body = "racing"});
  });
  together.arrive_and_wait();
  server->stop(std::chrono::milliseconds(0));
  server.reset();
}

// ---- live bodies

class LiveResponses : public HttpServerTest {
 protected:
  // Answers /live with a body whose writer the test gets, everything else with its path.
  void start_live() {
    start([this](Request request, Respond respond) {
      if (request.path != "/live") return respond({.body = request.path});
      auto [body, writer] = live_body(live);
      writers.put(std::move(writer));
      respond({.headers = {{"Content-Type", "text/event-stream"}}, .live = std::move(body)});
    });
  }
  // The writer of a response whose head the client has.
  LiveBodyWriter listen(Client& client, std::string_view requests = {}) {
    client.send(requests.empty() ? get("/live") : requests);
    std::optional<LiveBodyWriter> writer = writers.take();
    EXPECT_TRUE(writer.has_value());
    head = client.head();
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"))
        << head;
    EXPECT_FALSE(head.contains("Content-Length"));
    EXPECT_TRUE(says_close(head));
    return std::move(*writer);
  }
  static bool closes(const LiveBodyWriter& writer) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!writer.closed() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return writer.closed();
  }
  void expect_logged(std::string_view problem) {
    const std::optional<Logged> record = log.take();
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->path, "/live");
    EXPECT_EQ(record->status, 200);
    EXPECT_TRUE(record->is_live);
    EXPECT_GT(record->sent_bytes, 0U);
    EXPECT_EQ(record->problem, problem);
  }

  LiveBodyOptions live{.heartbeat = ": alive\n\n"};
  Channel<LiveBodyWriter> writers;
  std::string head;
};

TEST_F(LiveResponses, come_in_chunks_as_they_are_written_and_end_with_their_writer) {
  start_live();
  Client client(server->port());
  std::optional<LiveBodyWriter> writer = listen(client);
  EXPECT_TRUE(writer->write("one"));
  EXPECT_EQ(client.chunk(), "one");
  EXPECT_TRUE(writer->write(std::string(40, 'x')));
  EXPECT_EQ(client.chunk(), std::string(40, 'x'));
  EXPECT_FALSE(writer->closed());
  clock.now_us += minute_us;
  writer.reset();
  EXPECT_EQ(client.chunk(), "");
  EXPECT_TRUE(client.closed_by_server());
  const std::optional<Logged> record = log.take();
  ASSERT_TRUE(record.has_value());
  EXPECT_TRUE(record->is_live);
  EXPECT_EQ(record->duration_us, minute_us);
  EXPECT_EQ(record->sent_bytes, head.size() + std::string_view("3\r\none\r\n28\r\n\r\n0\r\n\r\n").size() + 40);
  EXPECT_EQ(record->problem, "");
}

TEST_F(LiveResponses, have_what_was_written_before_they_were_sent) {
  start_asking();
  Client client(server->port());
  client.send(get("/live"));
  std::optional<Asked> one = asked.take();
  ASSERT_TRUE(one.has_value());
  {
    auto [body, writer] = live_body(live);
    writer.write("all");
    writer.write(" of it");
    one->respond({.live = std::move(body)});
  }
  client.head();
  EXPECT_EQ(client.chunk(), "all of it");
  EXPECT_EQ(client.chunk(), "");
}

TEST_F(LiveResponses, beat_where_nothing_is_written) {
  options.limits.live_heartbeat_us = second_us / 50;
  start_live();
  Client client(server->port());
  LiveBodyWriter writer = listen(client);
  EXPECT_EQ(client.chunk(), ": alive\n\n");
  EXPECT_EQ(client.chunk(), ": alive\n\n");
  EXPECT_TRUE(writer.write("something"));
  for (std::optional<std::string> next = client.chunk(); next != "something"; next = client.chunk())
    ASSERT_EQ(next, ": alive\n\n");
}

TEST_F(LiveResponses, outlast_the_deadlines_of_others_and_end_at_their_age) {
  options.limits.header_deadline_us = options.limits.body_deadline_us = second_us / 100;
  options.limits.write_deadline_us = options.limits.idle_deadline_us = second_us / 100;
  options.limits.live_age_us = second_us / 5;
  start_live();
  Client client(server->port());
  LiveBodyWriter writer = listen(client);
  Client silent(server->port());  // It began later, and its end shows that all the deadlines have passed.
  EXPECT_TRUE(silent.closed_by_server());
  EXPECT_TRUE(writer.write("still here"));
  EXPECT_EQ(client.chunk(), "still here");
  EXPECT_EQ(client.chunk(), "");
  EXPECT_TRUE(client.closed_by_server());
  EXPECT_TRUE(closes(writer));
  EXPECT_FALSE(writer.write("too late"));
  expect_logged("");
}

TEST_F(LiveResponses, end_earlier_where_they_last_less) {
  live.lasts_us = second_us / 50;
  start_live();
  Client client(server->port());
  LiveBodyWriter writer = listen(client);
  EXPECT_EQ(client.chunk(), "");
  live.lasts_us = -second_us;  // It is over before it begins.
  Client late(server->port());
  LiveBodyWriter other = listen(late);
  EXPECT_EQ(late.chunk(), "");
}

// Whoever reads has everything. Whoever does not is cut off when too much waits for them, and sees that by the missing end.
TEST_F(LiveResponses, cut_off_a_client_that_does_not_keep_up) {
  start_live();
  Client quick(server->port()), slow(server->port());
  LiveBodyWriter to_quick = listen(quick), to_slow = listen(slow);
  const std::string piece(live.limit_bytes / 2, 'z');
  std::size_t pieces = 0;
  while (to_slow.write(piece)) {
    ASSERT_TRUE(to_quick.write(piece));
    for (std::size_t read = 0; read < piece.size();) read += quick.chunk().value().size();
    ASSERT_LT(++pieces, 10'000u) << "the kernel takes it all";
  }
  EXPECT_GT(pieces, 1u);
  EXPECT_FALSE(to_slow.write("more"));
  EXPECT_TRUE(to_slow.closed());
  expect_logged("the client did not keep up with the live response");
  std::optional<std::string> next = slow.chunk();
  while (next && !next->empty()) next = slow.chunk();
  EXPECT_EQ(next, std::nullopt);
  EXPECT_TRUE(to_quick.write("on"));
  EXPECT_EQ(quick.chunk(), "on");
}

TEST_F(LiveResponses, have_the_write_deadline_for_each_write) {
  options.limits.write_deadline_us = second_us / 20;
  live.limit_bytes = 64 * 1024 * 1024;
  start_live();
  Client client(server->port());
  LiveBodyWriter writer = listen(client);
  EXPECT_TRUE(writer.write(std::string(live.limit_bytes, 'z')));
  expect_logged("the client did not take the response in time");
  EXPECT_TRUE(closes(writer));
}

TEST_F(LiveResponses, are_given_up_when_their_client_goes) {
  start_live();
  Client client(server->port());
  const LiveBodyWriter writer = listen(client);
  client.hang_up();
  EXPECT_TRUE(closes(writer));  // Without anything being written.
  expect_logged("");
}

TEST_F(LiveResponses, are_the_last_of_their_connection) {
  start_live();
  Client client(server->port());
  client.send(get("/before") + get("/live") + get("/behind"));
  EXPECT_EQ(body_of(client.response()), "/before");
  std::optional<LiveBodyWriter> writer = writers.take();
  ASSERT_TRUE(writer.has_value());
  client.head();
  client.send(get("/later") + std::string(1'000'000, 'x'));  // Read and thrown away.
  EXPECT_TRUE(writer->write("one"));
  EXPECT_EQ(client.chunk(), "one");
  writer.reset();
  EXPECT_EQ(client.chunk(), "");
  EXPECT_TRUE(client.closed_by_server());
  EXPECT_EQ(log.take()->path, "/before");
  expect_logged("");
  client.hang_up();
  server->stop(patience);
  EXPECT_FALSE(writers.take_now().has_value());
}

TEST_F(LiveResponses, give_head_the_headers_only) {
  start_live();
  Client client(server->port());
  client.send("HEAD /live HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string response = client.response(/*to_head=*/true);
  EXPECT_TRUE(response.contains("\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_FALSE(says_close(response));
  EXPECT_TRUE(closes(*writers.take()));
  EXPECT_EQ(body_of(client.ask(get("/next"))), "/next");
}

TEST_F(LiveResponses, end_at_once_when_the_server_drains) {
  options.threads = 2;
  start_live();
  Client first(server->port()), second(server->port());
  LiveBodyWriter to_first = listen(first), to_second = listen(second);
  to_second.write("last words");
  server->begin_drain();
  EXPECT_EQ(first.chunk(), "");
  std::string rest;
  for (std::optional<std::string> next = second.chunk(); next && !next->empty(); next = second.chunk()) rest += *next;
  EXPECT_EQ(rest, "last words");
  EXPECT_TRUE(first.closed_by_server());
  EXPECT_TRUE(second.closed_by_server());
  first.hang_up();
  second.hang_up();
  server->stop(patience);
  EXPECT_TRUE(to_first.closed());
  EXPECT_TRUE(to_second.closed());
}

TEST_F(LiveResponses, do_not_outlast_a_stop_without_patience) {
  start_live();
  Client client(server->port());
  LiveBodyWriter writer = listen(client);
  server->stop(std::chrono::milliseconds(0));
  EXPECT_TRUE(writer.closed());
  EXPECT_FALSE(writer.write("nobody is there"));
  server.reset();
  EXPECT_FALSE(writer.write("nor here"));
}

TEST_F(LiveResponses, that_are_never_sent_are_closed) {
  start_asking();
  Client client(server->port());
  client.send(get("/gone"));
  std::optional<Asked> gone = asked.take();
  ASSERT_TRUE(gone.has_value());
  client.hang_up();
  auto [body, writer] = live_body(live);
  gone->respond({.live = std::move(body)});
  EXPECT_TRUE(closes(writer));

  Client waiting(server->port());
  waiting.send(get("/waiting"));
  std::optional<Asked> late = asked.take();
  ASSERT_TRUE(late.has_value());
  server.reset();
  auto [late_body, late_writer] = live_body(live);
  late->respond({.live = std::move(late_body)});
  EXPECT_TRUE(late_writer.closed());
}

TEST_F(LiveResponses, with_another_body_cannot_be_framed) {
  start([this](Request request, Respond respond) {
    auto [body, writer] = live_body(live);
    writers.put(std::move(writer));
    if (request.path == "/both") respond({.body = "text", .live = std::move(body)});
    else respond({.status = 204, .live = std::move(body)});
  });
  Client client(server->port());
  for (const char* path : {"/both", "/204"}) {
    EXPECT_TRUE(client.ask(get(path)).starts_with("HTTP/1.1 503 ")) << path;
    EXPECT_TRUE(closes(*writers.take()));
  }
}

TEST_F(LiveResponses, race_with_writers_clients_and_the_end) {
  options.threads = 2;
  options.trusted_addresses = {"127.0.0.1"};
  start_live();
  constexpr std::size_t count = 16;
  std::deque<Client> clients;
  std::vector<LiveBodyWriter> open;
  for (std::size_t i = 0; i < count; ++i) open.push_back(listen(clients.emplace_back(server->port())));
  std::latch together(3);
  std::jthread writing([&] {
    together.arrive_and_wait();
    for (int round = 0; round < 100; ++round)
      for (LiveBodyWriter& writer : open) writer.write("racing");
  });
  std::jthread leaving([&] {
    together.arrive_and_wait();
    for (std::size_t i = 0; i < count; i += 2) clients[i].hang_up();
  });
  together.arrive_and_wait();
  server->stop(std::chrono::milliseconds(1));
  server.reset();
  writing.join();
  for (const LiveBodyWriter& writer : open) EXPECT_TRUE(writer.closed());
}

// ---- what cannot start

TEST_F(HttpServerTest, a_taken_port_is_an_error_to_catch) {
  start_echo();
  HttpServer second({.clock = clock, .port = server->port()}, [](Request, Respond) {});
  EXPECT_THROW(second.start(), HttpServerError);
  HttpServer nowhere({.clock = clock, .address = "not an address"}, [](Request, Respond) {});
  EXPECT_THROW(nowhere.start(), HttpServerError);
}

TEST_F(HttpServerTest, a_server_never_started_ends_quietly) {
  HttpServer unused({.clock = clock}, [](Request, Respond) {});
  unused.stop(std::chrono::milliseconds(0));
}

}  // namespace
}  // namespace guildhall
