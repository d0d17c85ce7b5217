#include "tests/acceptance/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "tests/kafka_cluster.h"
#include "tests/postgres_cluster.h"

namespace guildhall {
namespace {

constexpr std::chrono::milliseconds poll_pause{5};
constexpr int reply_timeout_s = 20;  // Longer than the server's own limit for an answer.
constexpr std::size_t receive_bytes = 16 << 10;
constexpr std::size_t registering_connections = 8;
const std::filesystem::path binary = std::filesystem::path(GUILDHALL_BINARY_DIR) / "guildhall";

[[noreturn]] void fail(const std::string& what, int error) { throw std::system_error(error, std::generic_category(), what); }

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// Of the test's environment everything but settings of Guildhall, which would make a run depend on whose it is. With
// GUILDHALL_TEST_LOG=kafka the server's log is on the tests' broker, under names of its own, and its place in the group
// outlives the process.
std::vector<std::string> child_environment(const std::string& postgres_url, const std::string& name) {
  std::vector<std::string> out{"GUILDHALL_POSTGRES_URL=" + postgres_url};
  if (on_kafka())
    out.insert(out.end(), {"GUILDHALL_LOG=kafka", "GUILDHALL_BROKERS=" + KafkaCluster::shared().bootstrap(),
                           "GUILDHALL_KAFKA_TOPICS=" + name, "GUILDHALL_NODE=" + name});
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!std::string_view(*variable).starts_with("GUILDHALL_")) out.emplace_back(*variable);
  return out;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t spawn(std::vector<std::string> arguments, std::vector<std::string> environment, const std::filesystem::path& folder,
            const std::filesystem::path& out, const std::filesystem::path& err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
  if (out == err) posix_spawn_file_actions_adddup2(&actions, 1, 2);
  else posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());  // No ./guildhall.toml of anybody.
  pid_t child = -1;
  const int error = ::posix_spawn(&child, arguments.front().c_str(), &actions, nullptr, pointers_to(arguments).data(),
                                  pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail("cannot run " + arguments.front(), error);
  return child;
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

Reply accepted(Reply reply, std::string_view what) {
  if (reply.status / 100 != 2)
    throw std::runtime_error(std::string(what) + ": " + std::to_string(reply.status) + " " + reply.body);
  return reply;
}

Account register_account(HttpClient& client, std::string_view name, std::string_view role) {
  static std::atomic<int> number{0};
  const boost::json::object body{{"email", "person" + std::to_string(++number) + "@example.org"},
                                 {"display_name", name},
                                 {"role", role},
                                 {"timezone", "UTC"}};
  const Reply reply = accepted(client.post("/v1/accounts", boost::json::serialize(body)), "register");
  return {reply.text("id"), std::string(name)};
}

}  // namespace

bool eventually(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (done()) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(poll_pause);
  }
}

TemporaryFolder::TemporaryFolder() {
  const char* temp = std::getenv("TMPDIR");
  std::string pattern = std::string(temp != nullptr && *temp != '\0' ? temp : "/tmp") + "/guildhall_acceptance_XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) fail("mkdtemp " + pattern, errno);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

// ---- replies

std::string Reply::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name) return value;
  return {};
}

boost::json::value Reply::json() const { return boost::json::parse(body); }

std::string Reply::text(std::string_view member) const {
  boost::system::error_code error;
  const auto value = boost::json::parse(body, error);
  if (error || !value.is_object()) return {};
  const auto* found = value.get_object().if_contains(member);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::string Reply::identity() const {
  return std::to_string(status) + "\n" + header("content-type") + "\n" + header("etag") + "\n" + header("location") + "\n" + body;
}

// ---- HTTP

void HttpClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool HttpClient::connect() {
  close();
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail("socket", errno);
  const int yes = 1;
  const timeval limit{.tv_sec = reply_timeout_s, .tv_usec = 0};
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  close();
  return false;
}

bool HttpClient::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

Reply HttpClient::receive() {
  std::string bytes;
  const auto more = [&] {
    std::array<char, receive_bytes> buffer;
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (count > 0) bytes.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0;
  };
  std::size_t end_of_head = 0;
  while ((end_of_head = bytes.find("\r\n\r\n")) == std::string::npos)
    if (!more()) return {};

  Reply reply;
  const std::string_view head = std::string_view(bytes).substr(0, end_of_head);
  std::size_t line_end = head.find("\r\n");
  const std::string_view status_line = head.substr(0, line_end);
  int status = 0;
  if (status_line.size() < 12) return {};
  std::from_chars(status_line.data() + 9, status_line.data() + 12, status);
  while (line_end != std::string_view::npos) {
    const std::size_t begin = line_end + 2;
    line_end = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, line_end == std::string_view::npos ? line_end : line_end - begin);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    reply.headers.emplace_back(lower(line.substr(0, colon)), value);
  }
  const std::string length_text = reply.header("content-length");
  std::size_t length = 0;
  std::from_chars(length_text.data(), length_text.data() + length_text.size(), length);
  bytes.erase(0, end_of_head + 4);
  while (bytes.size() < length)
    if (!more()) return {};
  reply.body = bytes.substr(0, length);
  reply.status = status;
  if (reply.header("connection") == "close") close();
  return reply;
}

Reply HttpClient::send(std::string_view method, std::string_view target, std::string_view body, const Headers& headers) {
  if (fd_ < 0 && !connect()) return {};
  std::string request(method);
  request += ' ';
  request += target;
  request += " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) + "\r\n";
  if (!token_.empty()) request += "Authorization: Bearer " + token_ + "\r\n";
  if (!body.empty()) request += "Content-Type: application/json\r\n";
  if (method != "GET") request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  for (const auto& [name, value] : headers) request += name + ": " + value + "\r\n";
  request += "\r\n";
  request += body;
  Reply reply;
  if (send_all(request)) reply = receive();
  if (!reply.answered()) close();
  return reply;
}

// ---- the process

Server::Server() : Server(std::filesystem::path()) {}
Server::Server(std::filesystem::path data)
    : data_(data.empty() ? own_.path() / "data" : std::move(data)),
      database_(PostgresCluster::shared().new_database()),
      name_(own_.path().filename()) {}

Server::~Server() {
  if (running()) kill();
}

std::string Server::output() const { return contents_of(own_.path() / "server.log"); }

bool Server::try_start(const std::vector<std::string>& flags) {
  if (running()) throw std::logic_error("the server runs already");
  std::vector<std::string> arguments{binary, "serve", "--data", data_, "--port", "0"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const auto description = data_ / "dev.json";
  const auto log = own_.path() / "server.log";
  pid_ = spawn(std::move(arguments), child_environment(database_, name_), own_.path(), log, log);
  boost::json::value about;
  const bool decided = eventually([&] {
    if (!running()) return true;
    boost::system::error_code error;
    about = boost::json::parse(contents_of(description), error);
    return !error && about.at("pid").to_number<pid_t>() == pid_;  // A killed server leaves its own behind.
  });
  if (pid_ < 0) return false;
  if (!decided) {
    kill();
    throw std::runtime_error("the server was not ready in time:\n" + output());
  }
  const std::string url(about.at("url").as_string());
  port_ = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  service_key_ = about.at("service_key").as_string();
  anon_key_ = about.at("anon_key").as_string();
  return true;
}

void Server::start(const std::vector<std::string>& flags) {
  if (!try_start(flags))
    throw std::runtime_error("the server ended with " + std::to_string(exit_code_) + " before it served:\n" + output());
}

bool Server::running() {
  if (pid_ < 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  exit_code_ = code_of(status);
  pid_ = -1;
  return false;
}

void Server::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

int Server::wait_for_end() {
  if (!eventually([this] { return !running(); })) throw std::runtime_error("the server does not end:\n" + output());
  return exit_code_;
}

int Server::stop() {
  signal(SIGTERM);
  return wait_for_end();
}

void Server::kill() {
  signal(SIGKILL);
  wait_for_end();
}

ToolResult Server::run(std::vector<std::string> arguments) const {
  arguments.insert(arguments.end(), {"--data", data_});
  return run_as_is(std::move(arguments));
}

ToolResult Server::run_as_is(std::vector<std::string> arguments) const {
  static std::atomic<int> number{0};
  const auto out = own_.path() / ("out" + std::to_string(++number));
  const auto err = own_.path() / ("err" + std::to_string(number));
  arguments.insert(arguments.begin(), binary);
  const pid_t child = spawn(std::move(arguments), child_environment(database_, name_), own_.path(), out, err);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) fail("waitpid", errno);
  ToolResult result{code_of(status), contents_of(out), contents_of(err)};
  std::filesystem::remove(out);
  std::filesystem::remove(err);
  return result;
}

std::vector<boost::json::object> Server::log_records(const std::vector<std::string>& filters) const {
  std::vector<std::string> arguments{"log", "show"};
  arguments.insert(arguments.end(), filters.begin(), filters.end());
  const ToolResult shown = run(std::move(arguments));
  if (shown.exit_code != 0) throw std::runtime_error("log show: " + std::to_string(shown.exit_code) + " " + shown.err);
  std::vector<boost::json::object> records;
  std::istringstream lines(shown.out);
  for (std::string line; std::getline(lines, line);) records.push_back(boost::json::parse(line).as_object());
  return records;
}

std::string Server::token(std::string_view account) const {
  ToolResult made = run({"token", "--role", "authenticated", "--sub", std::string(account)});
  if (made.exit_code != 0) throw std::runtime_error("token: " + made.err);
  made.out.pop_back();  // The end of its line.
  return made.out;
}

std::string Server::sql(std::string_view script) const { return PostgresCluster::shared().run_sql(database_, script); }

// ---- the marketplace

Account register_expert(HttpClient& client, std::string_view name) { return register_account(client, name, "expert"); }
Account register_learner(HttpClient& client, std::string_view name) { return register_account(client, name, "learner"); }

std::vector<Account> register_learners(const Server& server, std::size_t count) {
  std::vector<Account> learners(count);
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < registering_connections; ++t)
      threads.emplace_back([&] {
        HttpClient client = server.client();
        try {
          for (std::size_t i; (i = next++) < count;) learners[i] = register_learner(client, "Learner " + std::to_string(i));
        } catch (...) {
          const std::lock_guard lock(mutex);
          failure = std::current_exception();
        }
      });
  }
  if (failure) std::rethrow_exception(failure);
  return learners;
}

std::string create_session(HttpClient& client, const Account& expert, int minutes, int seats, int price_cents) {
  const boost::json::object body{{"expert_id", expert.id},      {"title", "Linear algebra"},  {"description", "Vectors, at last"},
                                 {"duration_minutes", minutes}, {"price_cents", price_cents}, {"max_participants", seats}};
  return accepted(client.post("/v1/sessions", boost::json::serialize(body)), "create_session").text("id");
}

void add_window(HttpClient& client, const Account& expert, const std::vector<int>& days, std::string_view start,
                std::string_view end) {
  for (const int day : days) {
    const boost::json::object body{
        {"expert_id", expert.id}, {"day_of_week", day}, {"start_time", start}, {"end_time", end}, {"timezone", "UTC"}};
    accepted(client.post("/v1/availability-windows", boost::json::serialize(body), {{"Prefer", "wait=10"}}), "add_window");
  }
}

std::vector<std::string> free_slots(HttpClient& client, const std::string& session) {
  const Reply reply =
      accepted(client.get("/rest/v1/bookable_slots?select=id&is_available=eq.true&order=start_time,id&session_id=eq." + session),
               "free_slots");
  std::vector<std::string> ids;
  const auto rows = reply.json();
  for (const auto& row : rows.as_array()) ids.emplace_back(row.at("id").as_string());
  return ids;
}

std::string booking_body(std::string_view slot, std::string_view learner, std::string_view notes) {
  return boost::json::serialize(boost::json::object{{"slot_id", slot}, {"learner_id", learner}, {"notes", notes}});
}

Reply book(HttpClient& client, std::string_view slot, std::string_view learner, std::string_view key) {
  Headers headers;
  if (!key.empty()) headers.emplace_back("Idempotency-Key", key);
  return client.post("/v1/bookings", booking_body(slot, learner), headers);
}

bool on_kafka() {
  const char* wanted = std::getenv("GUILDHALL_TEST_LOG");
  return wanted != nullptr && std::string_view(wanted) == "kafka";
}

bool thorough() {
  const char* wanted = std::getenv("GUILDHALL_LONG");
  return wanted != nullptr && std::string_view(wanted) == "1";
}

}  // namespace guildhall
